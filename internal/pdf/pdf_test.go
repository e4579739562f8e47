package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/pdf"
)

// browser returns the Chromium of this machine, or skips the test; with
// MUSTER_BROWSER=required it fails.
func browser(t *testing.T) string {
	t.Helper()
	path, err := pdf.Find("")
	if err != nil {
		if os.Getenv("MUSTER_BROWSER") == "required" {
			t.Fatalf("%v, and MUSTER_BROWSER=required", err)
		}
		t.Skip(err)
	}
	return path
}

// planted is in the page and in nothing else.
const planted = "Zanzifar-4711-answers"

const page = `<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Où nous en sommes ` + planted + `</title>
<style>@page{size:A4;margin:15mm}h2{break-before:page}</style>%s</head><body><main><h1>Où nous en sommes</h1><p>` + planted + ` é</p>
<table><caption>Niveaux</caption><thead><tr><th scope="col">a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table><h2>Deuxième page</h2><p>fin</p>%s</main></body></html>`

// A page becomes a tagged PDF with its language, its title and its pages; what the
// browser wrote meanwhile is in one folder, holds nothing of the page, and is gone.
func TestPrint(t *testing.T) {
	t.Parallel()
	path := browser(t)
	scratch := filepath.Join(t.TempDir(), strings.Repeat("a long name of a folder ", 4)) // as people's are
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		t.Fatal(err)
	}
	looked := 0
	start := time.Now()
	file, err := pdf.Print(t.Context(), pdf.Config{Browser: path, Scratch: scratch, Kept: func(folder string) {
		looked++
		if filepath.Dir(folder) != scratch {
			t.Errorf("the browser's folder is %s", folder)
		}
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			body, err := os.ReadFile(path)
			for _, form := range []string{planted, wide(planted)} {
				if bytes.Contains(body, []byte(form)) {
					t.Errorf("%s holds what was on the page", path)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}}, fmt.Appendf(nil, page, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes in %v", len(file.PDF), time.Since(start))
	if looked != 1 || file.Pages != 2 || len(file.Refused) != 0 {
		t.Errorf("looked %d times, %d pages, refused %v", looked, file.Pages, file.Refused)
	}
	for _, part := range []string{"/StructTreeRoot", "/Lang (fr)", "/MarkInfo"} {
		if !bytes.Contains(file.PDF, []byte(part)) {
			t.Errorf("the file has no %s", part)
		}
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	// An independent reader, where there is one.
	info, err := exec.LookPath("pdfinfo")
	if err != nil {
		return
	}
	out := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(out, file.PDF, 0o600); err != nil {
		t.Fatal(err)
	}
	says, err := exec.CommandContext(t.Context(), info, out).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, says)
	}
	for _, want := range []string{"Où nous en sommes " + planted, "Tagged:          yes", "Pages:           2", "(A4)"} {
		if !strings.Contains(string(says), want) {
			t.Errorf("pdfinfo does not say %q:\n%s", want, says)
		}
	}
}

// wide is ASCII text as UTF-16, as a browser may keep it.
func wide(s string) string {
	var b strings.Builder
	for _, r := range []byte(s) {
		b.WriteByte(r)
		b.WriteByte(0)
	}
	return b.String()
}

// No request of a page leaves, whatever asks for it, and no script runs.
func TestNothingLeaves(t *testing.T) {
	t.Parallel()
	path := browser(t)
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	go func() { // ends when the listener is closed
		for {
			c, err := raw.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = c.Close()
		}
	}()
	at := server.URL
	head := `<link rel="stylesheet" href="` + at + `/style.css"><link rel="preconnect" href="http://` + raw.Addr().String() + `"><link rel="prefetch" href="` + at + `/next"><style>@font-face{font-family:x;src:url(` + at + `/x.woff2)}body{font-family:x;background:url(` + at + `/b.png)}</style>`
	body := `<img src="` + at + `/i.png"><iframe src="` + at + `/frame"></iframe><object data="` + at + `/o"></object><img src="http://name.that.resolves.test/i.png"><script>document.body.append("a script ran"); fetch("` + at + `/script")</script>`
	file, err := pdf.Print(t.Context(), pdf.Config{Browser: path, Scratch: t.TempDir()}, fmt.Appendf(nil, page, head, body))
	if err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
	if len(file.Refused) < 3 {
		t.Errorf("only %q were refused: the page asked for more", file.Refused)
	}
	if text, err := exec.LookPath("pdftotext"); err == nil {
		out := filepath.Join(t.TempDir(), "page.pdf")
		if err := os.WriteFile(out, file.PDF, 0o600); err != nil {
			t.Fatal(err)
		}
		says, err := exec.CommandContext(t.Context(), text, out, "-").Output()
		if err != nil || strings.Contains(string(says), "a script ran") || !strings.Contains(string(says), planted) {
			t.Errorf("%v\n%s", err, says)
		}
	}
}

// A browser that does not do its work is said to, with the way on; nothing stays, and
// what an earlier one left is removed.
func TestBadBrowsers(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("there is no shell to stand in for a browser")
	}
	dir := t.TempDir()
	program := func(name, script string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, row := range []struct{ name, browser, want string }{
		{"that ends at once", program("ends", "exit 3"), "did not print the page"},
		{"that says nothing", program("silent", "exec sleep 60"), "did not print the page in time"},
		{"that says something else", program("other", `printf '{"id":1,"error":{"message":"no"}}\0' >&4; exec cat <&3 >/dev/null`), "did not print the page"},
		{"without a sandbox", program("sandbox", "echo 'no usable sandbox' >&2; exit 1"), "it cannot build its sandbox here"},
		{"that is no program", filepath.Join(dir, "nothing"), "does not start"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			scratch := t.TempDir()
			old := filepath.Join(scratch, ".muster-print-1")
			if err := os.MkdirAll(filepath.Join(old, "profile"), 0o700); err != nil {
				t.Fatal(err)
			}
			past := time.Now().Add(-time.Hour)
			if err := os.Chtimes(old, past, past); err != nil {
				t.Fatal(err)
			}
			_, err := pdf.Print(t.Context(), pdf.Config{Browser: row.browser, Scratch: scratch, Timeout: 2 * time.Second}, []byte(page))
			d := errs.Describe(err)
			if d.Kind != errs.Unavailable || !strings.Contains(d.Message, row.want) || !strings.Contains(d.Hint, "--out FILE.html") {
				t.Errorf("%v: %+v", err, d)
			}
			if left, err := os.ReadDir(scratch); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// Who stops a print stops its browser.
func TestStopped(t *testing.T) {
	t.Parallel()
	path := browser(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	scratch := t.TempDir()
	if _, err := pdf.Print(ctx, pdf.Config{Browser: path, Scratch: scratch}, []byte(page)); err == nil {
		t.Error("it printed")
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	_, err := pdf.Find("no-such-browser-anywhere")
	if d := errs.Describe(err); d.Kind != errs.NotFound || !strings.Contains(d.Message, `there is no program "no-such-browser-anywhere"`) || d.Hint == "" {
		t.Errorf("%+v", d)
	}
}

// Each system's browsers are looked for where it keeps them; Edge comes with Windows.
func TestCandidates(t *testing.T) {
	t.Parallel()
	getenv := func(name string) string {
		return map[string]string{"ProgramFiles": `C:\Program Files`, "ProgramFiles(x86)": `C:\Program Files (x86)`, "HOME": "/Users/ada"}[name]
	}
	for system, want := range map[string]string{
		"windows": `C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`, "darwin": "/Users/ada/Applications/Chromium.app/Contents/MacOS/Chromium", "linux": "chromium", "freebsd": "chrome",
	} {
		if all := pdf.Candidates(system, getenv); !slices.Contains(all, want) {
			t.Errorf("%s: %q is not among %q", system, want, all)
		}
	}
}
