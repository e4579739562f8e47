package main

import (
	"archive/zip"
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever leaves a demonstration that is kept says that its member is invented,
// whichever command writes it.
func TestWhatLeavesADemonstrationIsMarked(t *testing.T) {
	t.Parallel()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer)}
	c.clock.Store(hostingBegins)
	cmd := exec.Command("muster", "workspace", "demo", "--listen", "127.0.0.1:0", "--dir", c.at("demo"))
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n') // it is made
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	check(t, err)
	check(t, os.WriteFile(c.at("pass"), []byte("an entirely invented member\n"), 0o600))
	run := func(args ...string) string {
		t.Helper()
		return c.must(append(append([]string{"workspace"}, args...), "--dir", c.at("demo"), "--passphrase-file", c.at("pass"))...)
	}

	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"form", "show"}} {
		if said := run(args...); !strings.Contains(said, "SYNTHETIC") {
			t.Errorf("muster workspace %v is not marked:\n%s", args, said)
		}
	}
	survey := ""
	for line := range strings.Lines(run("status")) {
		if id, _, ok := strings.Cut(line, "/muster-core: "); ok {
			survey = id + "/muster-core"
		}
	}
	run("export", "--survey", survey, "--out", c.at("out.csv"))
	run("export", "--survey", survey, "--form", "--out", c.at("out.xlsx"))
	run("form", "export", "--out", c.at("register"))
	for _, name := range []string{"out.csv", "register/services.csv", "register/requirements.csv"} {
		body, err := os.ReadFile(c.at(filepath.FromSlash(name)))
		check(t, err)
		rows, marked := strings.Count(string(body), "\n")-1, strings.Count(string(body), "SYNTHETIC")
		if rows < 1 || marked < 1 || strings.HasPrefix(name, "register/") && marked < rows {
			t.Errorf("%s: %d of %d rows are marked", name, marked, rows)
		}
	}
	file, err := zip.OpenReader(c.at("out.xlsx"))
	check(t, err)
	defer file.Close()
	sheets, marked := 0, 0
	for _, part := range file.File {
		if !strings.HasPrefix(part.Name, "xl/worksheets/sheet") {
			continue
		}
		sheets++
		r, err := part.Open()
		check(t, err)
		body, err := io.ReadAll(r)
		check(t, err)
		if strings.Contains(string(body), "&amp;CSYNTHETIC") {
			marked++
		}
	}
	if sheets < 4 || marked != sheets-1 { // all but the hidden one
		t.Errorf("%d of %d sheets are marked", marked, sheets)
	}
}
