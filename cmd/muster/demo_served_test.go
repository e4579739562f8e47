package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestDemoIsServed starts the demonstration as a newcomer does, reads its pages in
// both languages and ends it with Ctrl-C. Every page says that it is made up.
func TestDemoIsServed(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("muster", "demo", "--in-process", "--members", "12", "--listen", "127.0.0.1:0")
	scratch := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, "TMP="+scratch)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended unless the test failed
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		t.Fatalf("no address: %v\n%s", err, &said)
	}
	address := strings.TrimSpace(line)
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Fatalf("the address is %q", address)
	}
	t.Logf("served after %v", time.Since(began).Round(time.Millisecond))
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the scratch folder: %v, %v", left, err)
	}
	year := time.Now().Format("2006")
	for _, lang := range []string{"en", "fr"} {
		for _, path := range []string{
			"allies/" + year + "/", "allies/" + year + "/pack/muster-core/", "allies/" + year + "/pack/muster-core/A1.1",
			"allies/" + year + "/pack/muster-ports/", "allies/" + year + "/itself/muster-collective/", "allies/" + year + "/method", "allies/" + year + "/check",
			"partners/" + year + "/", "partners/" + year + "/pack/muster-ai/",
		} {
			page := fetchPage(t, address+lang+"/"+path)
			if !strings.Contains(page, "SYNTHETIC") || !strings.Contains(page, `lang="`+lang+`"`) {
				t.Errorf("%s/%s is not marked, or in another language:\n%.400s", lang, path, page)
			}
		}
	}
	for _, lang := range []string{"en", "fr"} {
		for _, path := range []string{"", "runs", "graph", "map", "method"} {
			if page := fetchPage(t, address+"cascade/"+lang+"/"+path); !strings.Contains(page, "SYNTHETIC") || !strings.Contains(page, `lang="`+lang+`"`) {
				t.Errorf("cascade/%s/%s is not marked, or in another language:\n%.400s", lang, path, page)
			}
		}
	}
	if !strings.Contains(fetchPage(t, address), `href="/cascade/en/"`) {
		t.Error("the picture does not lead to what falls together")
	}
	if runtime.GOOS == "windows" { // has no interrupt that one process can send another
		return
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil || len(rest) > 0 {
		t.Errorf("more on the output: %q, %v", rest, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v\n%s", err, &said)
	}
}

func fetchPage(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, response.Status, err)
	}
	return string(body)
}
