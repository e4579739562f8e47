package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestWorkspaceDemoIsServed opens the demonstration of a workspace as a newcomer does:
// the printed address lets one browser in, once, and nothing is left behind.
func TestWorkspaceDemoIsServed(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("muster", "workspace", "demo", "--listen", "127.0.0.1:0")
	scratch := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, "TMP="+scratch)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
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
	base, _, found := strings.Cut(address, "?token=")
	if !found || !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Fatalf("the address is %q", address)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	get := func(client *http.Client, path string) (int, string) {
		t.Helper()
		response, err := client.Get(path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	browser := &http.Client{Jar: jar}
	if status, body := get(browser, address); status != http.StatusOK || !strings.Contains(body, "SYNTHETIC") || !strings.Contains(body, "look unchanged since last year") {
		t.Errorf("the first browser: %d\n%.600s", status, body)
	}
	if status, body := get(browser, base+"fr/"); status != http.StatusOK || !strings.Contains(body, "Socle de résilience") {
		t.Errorf("the first browser, in French: %d", status)
	}
	for _, path := range []string{address, base + "en/"} {
		if status, body := get(&http.Client{}, path); status != http.StatusForbidden || strings.Contains(body, "Ostmere") {
			t.Errorf("another user at %s: %d", path, status)
		}
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
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the scratch folder: %v, %v", left, err)
	}
}
