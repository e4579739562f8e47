package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"muster/internal/demo"
	"muster/internal/demo/port"
	"muster/internal/web"
	page "muster/internal/web/cascade"
)

// What falls together in a browser: the invented port community, worked out, run and
// compared by forms alone, then looked at in every view. The page for who decides is
// one sheet of paper, for two scenarios; with MUSTER_LONG=1 for all.
func TestCascadePages(t *testing.T) {
	t.Parallel()
	tools := need(t)
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := c.Pages(demo.Sea)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Brand, cfg.Base, cfg.Threads = "Coalition of the "+demo.Sea, "/cascade", runtime.GOMAXPROCS(0)
	base := serveCascade(t, cfg)
	scenarios := []string{"terminal-system", "cloud-region"}
	if os.Getenv("MUSTER_LONG") == "1" {
		scenarios = scenarios[:1]
		for _, s := range cfg.Scenarios[1:] {
			scenarios = append(scenarios, s.ID)
		}
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tools.node, append([]string{"cascade.mjs", tools.modules, tools.chromium, base, dir}, scenarios...)...)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("cascade.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var check struct {
			Name   string
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("cascade.mjs says %q", lines.Text())
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			for _, fault := range check.Faults {
				t.Error(fault)
			}
		})
	}
	if checks < 30 {
		t.Errorf("only %d checks ran", checks)
	}
	for _, s := range scenarios {
		for _, lang := range web.Languages() {
			t.Run("one sheet "+s+" "+lang, func(t *testing.T) { checkSheet(t, tools, filepath.Join(dir, s+"."+lang+".pdf")) })
		}
	}
}

// checkSheet holds that a print is one marked page.
func checkSheet(t *testing.T, tools tools, path string) {
	text, err := exec.CommandContext(t.Context(), tools.pdftotext, "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(strings.TrimSuffix(string(text), "\f"), "\f")
	if len(pages) != 1 {
		t.Errorf("the print has %d pages; behind the first:\n%s", len(pages), strings.Join(pages[1:], "\n"))
	}
	head, _, _ := strings.Cut(strings.TrimSpace(pages[0]), "\n")
	if strings.ReplaceAll(head, " ", "") != demo.Synthetic {
		t.Errorf("the page begins with %q, not with the marking", head)
	}
	if !strings.Contains(pages[0], "result_hash") {
		t.Error("the page does not name its result")
	}
}

// serveCascade serves the pages on loopback for the time of the test.
func serveCascade(t *testing.T, cfg page.Config) string {
	t.Helper()
	pages, err := page.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(cfg.Base+"/", pages.Handler())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, web.LoopbackForms(l.Addr(), mux)) }() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		pages.Close()
	})
	return "http://" + l.Addr().String() + cfg.Base
}
