package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/internal/web"
	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
	"muster/packs"
)

// tools are the programs that the test runs, and the folder of its modules.
type tools struct{ chromium, node, pdftotext, modules string }

// need returns the tools, or skips the test and says which is missing.
func need(t *testing.T) tools {
	t.Helper()
	missing := func(what string) {
		if os.Getenv("MUSTER_BROWSER") == "required" {
			t.Fatalf("%s is missing, and MUSTER_BROWSER=required", what)
		}
		t.Skipf("%s is missing: .ci/run installs it", what)
	}
	var found tools
	for _, p := range []struct {
		name string
		path *string
	}{{"chromium", &found.chromium}, {"node", &found.node}, {"pdftotext", &found.pdftotext}} {
		path, err := exec.LookPath(p.name)
		if err != nil {
			missing(p.name)
		}
		*p.path = path
	}
	found.modules = os.Getenv("MUSTER_BROWSER_MODULES")
	if _, err := os.Stat(filepath.Join(found.modules, "node_modules", "axe-core")); found.modules == "" || err != nil {
		missing("a folder with the modules of package-lock.json, named by MUSTER_BROWSER_MODULES,")
	}
	return found
}

func TestPages(t *testing.T) {
	t.Parallel()
	tools := need(t)
	worlds, err := picturetest.Worlds(packs.FS())
	if err != nil {
		t.Fatal(err)
	}
	world := worlds[0]
	base := serve(t, worlds) + "/" + world.Name
	dir := t.TempDir()
	file := filepath.Join(dir, "picture.html")
	writeFile(t, world, file)

	cmd := exec.CommandContext(t.Context(), tools.node, "check.mjs", tools.modules, tools.chromium, base, file, dir)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("check.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var check struct {
			Name   string
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("check.mjs says %q", lines.Text())
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			for _, fault := range check.Faults {
				t.Error(fault)
			}
		})
	}
	if checks < 26 {
		t.Errorf("only %d checks ran", checks)
	}
	for _, name := range []string{"year", "outcomes", "file"} {
		t.Run("printed "+name, func(t *testing.T) { checkPrint(t, tools, filepath.Join(dir, name+".pdf")) })
	}
}

// serve starts the storybook on loopback for the time of the test.
func serve(t *testing.T, worlds []picturetest.World) string {
	t.Helper()
	book, err := picturetest.Storybook(worlds)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ctx, l, web.Loopback(l.Addr(), book)) }() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("http://%s", l.Addr())
}

func writeFile(t *testing.T, w picturetest.World, path string) {
	t.Helper()
	pages, err := coalition.New(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pages.WriteFile(&b, coalition.FileConfig{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkPrint holds that every printed page carries the marking and its number,
// and that the document is tagged, which EN 301 549 wants.
func checkPrint(t *testing.T, tools tools, path string) {
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"/StructTreeRoot", "/Lang"} {
		if !bytes.Contains(body, []byte(part)) {
			t.Errorf("the print has no %s", part)
		}
	}
	text, err := exec.CommandContext(t.Context(), tools.pdftotext, "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(strings.TrimSuffix(string(text), "\f"), "\f")
	if len(pages) < 2 {
		t.Errorf("the print has %d page", len(pages))
	}
	for i, page := range pages {
		head, _, _ := strings.Cut(strings.TrimSpace(page), "\n")
		if strings.ReplaceAll(head, " ", "") != "SYNTHETIC" {
			t.Errorf("page %d begins with %q, not with the marking", i+1, head)
		}
		// How wide a space is that pdftotext takes for one depends on the font.
		if !regexp.MustCompile(fmt.Sprintf(`(?m)\b%d ?/ ?%d\s*$`, i+1, len(pages))).MatchString(page) {
			t.Errorf("page %d does not bear its number", i+1)
		}
	}
}
