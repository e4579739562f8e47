package fault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFaultsTable: every row of docs/design/faults.md names a test, and every
// test that it names is there; none of this package is missing in it.
func TestFaultsTable(t *testing.T) {
	t.Parallel()
	names := make(map[string]map[string]bool)
	for short, dir := range map[string]string{
		"fault": ".", "aggregate": "internal/aggregate", "collect": "internal/collect", "daphttp": "internal/daphttp", "hostdb": "internal/store/hostdb", "muster": "cmd/muster", "store": "internal/store",
		"ledger": "internal/ledger", "logserver": "internal/logserver", "witness": "internal/witness", "silence": "internal/silence", "verify": "internal/verify", "cli": "internal/cli",
	} {
		if dir != "." {
			dir = filepath.Join("..", "..", dir)
		}
		names[short] = testsIn(t, dir)
	}
	src, err := os.ReadFile(filepath.Join("..", "..", "docs", "design", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z]+)\\.(Test[A-Za-z0-9_]*)`")
	seen := make(map[string]bool)
	for i, line := range strings.Split(string(src), "\n") {
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| shown by |") {
			continue
		}
		found := named.FindAllStringSubmatch(line, -1)
		if len(found) == 0 {
			t.Errorf("line %d names no test: %s", i+1, line)
		}
		for _, m := range found {
			switch in, known := names[m[1]]; {
			case !known:
				t.Errorf("line %d names %s.%s; this test does not know where package %s is", i+1, m[1], m[2], m[1])
			case !in[m[2]]:
				t.Errorf("line %d: there is no test %s in package %s", i+1, m[2], m[1])
			}
			if m[1] == "fault" {
				seen[m[2]] = true
			}
		}
	}
	for name := range names["fault"] {
		if !seen[name] && name != "TestFaultsTable" && name != "TestUndisturbed" && name != "TestMain" {
			t.Errorf("docs/design/faults.md does not name %s", name)
		}
	}
}

func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s (%v)", dir, err)
	}
	found := make(map[string]bool)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				found[fn.Name.Name] = true
			}
		}
	}
	return found
}
