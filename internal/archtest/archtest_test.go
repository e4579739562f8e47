package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"muster/internal/archtest"
)

// The tree as it is.
func TestTree(t *testing.T) {
	t.Parallel()
	g := load(t)
	for _, v := range slices.Concat(archtest.Check(g), archtest.CheckFiles(g)) {
		t.Error(v)
	}
	for _, must := range []string{"cmd/muster", "internal/errs", "internal/archtest"} {
		if g[must] == nil {
			t.Errorf("%s was not read: the rules hold for nothing", must)
		}
	}
}

func load(t *testing.T) archtest.Graph {
	t.Helper()
	root, err := archtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	g, err := archtest.Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What the program links from other modules, as the go command sees it. Nothing
// is downloaded for it: the go command lists what is there.
func TestProgramLinksNoTestCode(t *testing.T) {
	t.Parallel()
	root, err := archtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Imports", "./cmd/...")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, &stdout, &stderr
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(&stdout); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen[p.ImportPath] = true
		for _, imp := range p.Imports {
			for _, refused := range []string{"testing", "github.com/stretchr/testify", "pgregory.net/rapid", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal"} {
				if imp == refused || strings.HasPrefix(imp, refused+"/") {
					t.Errorf("the program links %s through %s", imp, p.ImportPath)
				}
			}
		}
	}
	if !seen["muster/cmd/muster"] {
		t.Errorf("go list did not list the program; it listed %d packages", len(seen))
	}
}

// A misspelling in the tables would switch a rule off without a word.
func TestTables(t *testing.T) {
	t.Parallel()
	for _, r := range archtest.Rules {
		for _, path := range r.Reaches {
			if _, known := archtest.Packages[path]; !known && !strings.HasPrefix(path, "*") {
				t.Errorf("rule %q names %s, which is not in the table of packages", r.Name, path)
			}
		}
		selected := 0
		for path, layer := range archtest.Packages {
			if r.From(path, layer) {
				selected++
			}
		}
		if selected == 0 {
			t.Errorf("rule %q selects no package", r.Name)
		}
		if r.Why == "" {
			t.Errorf("rule %q has no reason", r.Name)
		}
	}
}

// A graphTest is a synthetic tree and what the rules say about it.
type graphTest struct {
	name    string
	imports map[string]string // package: its imports, "muster/" left out for ours
	want    []string          // rule at package; empty: nothing is found
}

var graphs = []graphTest{
	{
		name: "the design's own arrows",
		imports: map[string]string{
			"cmd/muster":                 "internal/cli os",
			"internal/cli":               "internal/rehearse internal/exchange github.com/spf13/cobra",
			"internal/rehearse":          "internal/store/hostdb internal/store/workspacedb internal/submit internal/aggregate internal/collect",
			"internal/exchange":          "internal/assess encoding/csv",
			"internal/store/hostdb":      "internal/aggregate database/sql",
			"internal/store/workspacedb": "internal/assess database/sql",
			"internal/submit":            "internal/assess internal/coalition dap vdaf",
			"internal/assess":            "internal/framework internal/errs",
			"internal/framework":         "internal/errs io io/fs net/url net/netip go.yaml.in/yaml/v3",
			"internal/aggregate":         "internal/coalition dap vdaf",
			"internal/collect":           "internal/coalition dap vdaf",
			"internal/coalition":         "internal/errs internal/keys dap vdaf",
			"internal/keys":              "internal/errs",
			"internal/errs":              "errors",
			"dap":                        "crypto/hpke",
			"vdaf":                       "github.com/cloudflare/circl/vdaf/prio3/arith/fp128",
			"internal/store/storetest":   "testing",
			"test/e2e":                   "internal/store/hostdb internal/store/workspacedb internal/assess",
		},
	},
	{"an inner package", map[string]string{"dap": "dap/internal/codec", "dap/internal/codec": "dap/internal/wire", "dap/internal/wire": "io"}, nil},
	{"an inner package of an unknown one", map[string]string{"dab/internal/codec": ""}, []string{"known: dab/internal/codec"}},
	{"an inner package opens files", map[string]string{"dap/internal/codec": "os"}, []string{"no I/O in standards: dap/internal/codec"}},
	{"an inner package to the kernel", map[string]string{"dap/internal/codec": "internal/errs"}, []string{"arrows: dap/internal/codec", "standards stand alone: dap/internal/codec"}},
	{"misspelt", map[string]string{"internal/framwork": ""}, []string{"known: internal/framwork"}},
	{"new", map[string]string{"internal/errs/more": ""}, []string{"known: internal/errs/more"}},
	{"domain to adapter", map[string]string{"internal/ledger": "internal/store"}, []string{"arrows: internal/ledger"}},
	{"kernel to domain", map[string]string{"internal/coalition": "internal/framework"}, []string{"arrows: internal/coalition"}},
	{"adapter to cli", map[string]string{"internal/httpd": "internal/cli"}, []string{"arrows: internal/httpd"}},
	{"application to cli", map[string]string{"internal/demo": "internal/cli"}, []string{"arrows: internal/demo"}},
	{"something to main", map[string]string{"internal/cli": "cmd/muster"}, []string{"arrows: internal/cli"}},
	{"standard to standard", map[string]string{"dap": "vdaf"}, []string{"standards stand alone: dap"}},
	{"standard to kernel", map[string]string{"vdaf": "internal/errs"}, []string{"arrows: vdaf", "standards stand alone: vdaf"}},
	{"standard opens files", map[string]string{"dap": "os"}, []string{"no I/O in standards: dap"}},
	{"standard connects", map[string]string{"stix": "net/http"}, []string{"no I/O in standards: stix"}},
	{"domain opens files", map[string]string{"internal/assess": "os"}, []string{"no I/O in kernel and domain: internal/assess"}},
	{"domain runs programs", map[string]string{"internal/cascade": "os/exec"}, []string{"no I/O in kernel and domain: internal/cascade"}},
	{"domain connects", map[string]string{"internal/submit": "net/http"}, []string{"no I/O in kernel and domain: internal/submit"}},
	{"domain queries", map[string]string{"internal/aggregate": "database/sql"}, []string{"no I/O in kernel and domain: internal/aggregate"}},
	{"domain takes a driver", map[string]string{"internal/ledger": "github.com/ncruces/go-sqlite3/driver"}, []string{"no I/O in kernel and domain: internal/ledger"}},
	{"kernel opens files", map[string]string{"internal/keys": "os"}, []string{"no I/O in kernel and domain: internal/keys"}},
	{
		"raw answers next door",
		map[string]string{"internal/daphttp": "internal/assess", "internal/assess": ""},
		[]string{"raw answers: internal/daphttp"},
	},
	{
		"raw answers through two others",
		map[string]string{"internal/taxii": "internal/web", "internal/web": "internal/exchange", "internal/exchange": "internal/assess", "internal/assess": ""},
		[]string{"raw answers: internal/taxii", "raw answers: internal/web"},
	},
	{
		"what seals knows the workspace",
		map[string]string{"internal/submit": "internal/workspace", "internal/workspace": "internal/assess", "internal/assess": ""},
		[]string{"the workspace leaves sealed: internal/submit"},
	},
	{
		"the workspace opens files",
		map[string]string{"internal/workspace": "os"},
		[]string{"no I/O in kernel and domain: internal/workspace"},
	},
	{
		"aggregate knows the framework",
		map[string]string{"internal/aggregate": "internal/disclosure", "internal/disclosure": "internal/framework", "internal/framework": ""},
		[]string{"aggregate knows counts only: internal/aggregate"},
	},
	{
		"a host seals",
		map[string]string{"internal/store/hostdb": "internal/submit", "internal/submit": ""},
		[]string{"hosts do not seal: internal/store/hostdb"},
	},
	{
		"two databases",
		map[string]string{"internal/web/host": "internal/store/hostdb internal/httpd", "internal/httpd": "internal/store/coalitiondb"},
		[]string{"one database a role: internal/web/host", "one database a role: internal/web/host"},
	},
	{"a test library", map[string]string{"internal/framework": "pgregory.net/rapid"}, []string{"no test code in production: internal/framework"}},
	{"the testing package", map[string]string{"internal/cli": "testing/fstest"}, []string{"no test code in production: internal/cli"}},
	{
		// Three words for one fact: storetest itself, and what it drags in.
		"a test package of ours",
		map[string]string{"internal/cli": "internal/rehearse", "internal/rehearse": "internal/store/storetest", "internal/store/storetest": "testing"},
		[]string{"no test code in production: internal/cli", "no test code in production: internal/rehearse", "no test code in production: internal/rehearse"},
	},
	{"a test server", map[string]string{"internal/daphttp": "net/http/httptest"}, []string{"no test code in production: internal/daphttp"}},
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range graphs {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, v := range archtest.Check(graph(tt.imports)) {
				if v.Why == "" || v.What == "" {
					t.Errorf("%s: says neither what nor why", v)
				}
				got = append(got, v.Rule+": "+v.Where)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// Every rule has a graph that breaks it, so that none is there for show.
func TestEveryRuleIsBroken(t *testing.T) {
	t.Parallel()
	for _, r := range archtest.Rules {
		breaks := func(tt graphTest) bool {
			return slices.ContainsFunc(tt.want, func(w string) bool { return strings.HasPrefix(w, r.Name+": ") })
		}
		if !slices.ContainsFunc(graphs, breaks) {
			t.Errorf("no graph breaks %q", r.Name)
		}
	}
}

// Who is excepted from a rule, and who is named by one, spelt out once more: an
// exception that is misspelt in the table excepts nobody, and one that is added
// in passing shows here.
func TestExceptions(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"raw answers": {
			"cmd/muster", "internal/assess", "internal/brief", "internal/cli", "internal/demo", "internal/demo/port", "internal/exchange", "internal/exchange/intake", "internal/exchange/register", "internal/exchange/workbook", "internal/rehearse",
			"internal/store/workspacedb", "internal/submit", "internal/web/workspace", "internal/workspace", "internal/workspace/workspacetest",
			"test/browser", "test/browser/storybook", "test/e2e", "test/fault", "test/interop", "test/peers",
		},
		"the workspace leaves sealed": {
			"cmd/muster", "internal/brief", "internal/cli", "internal/demo", "internal/exchange", "internal/exchange/intake", "internal/store/workspacedb", "internal/web/workspace", "internal/workspace", "internal/workspace/workspacetest",
			"test/browser", "test/browser/storybook", "test/e2e", "test/fault", "test/interop", "test/peers",
		},
		"one database a role": {
			"cmd/muster", "internal/cli", "internal/demo", "internal/rehearse",
			"test/browser", "test/browser/storybook", "test/e2e", "test/fault", "test/interop", "test/peers",
		},
	}
	for _, r := range archtest.Rules {
		allowed, ok := want[r.Name]
		if !ok {
			continue
		}
		var got []string
		for path, layer := range archtest.Packages {
			if !r.From(path, layer) {
				got = append(got, path)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, allowed) {
			t.Errorf("%s: excepted are\n%q, want\n%q", r.Name, got, allowed)
		}
	}
	hosts := []string{"internal/aggregate", "internal/daphttp", "internal/logserver", "internal/store/hostdb", "internal/web/host"}
	for _, h := range hosts {
		g := graph(map[string]string{h: "internal/submit", "internal/submit": ""})
		if !slices.ContainsFunc(archtest.Check(g), func(v archtest.Violation) bool { return v.Rule == "hosts do not seal" && v.Where == h }) {
			t.Errorf("%s may seal", h)
		}
	}
}

func graph(imports map[string]string) archtest.Graph {
	g := archtest.Graph{}
	for path, list := range imports {
		p := &archtest.Package{Path: path}
		for _, imp := range strings.Fields(list) {
			if _, ours := imports[imp]; ours || archtest.Packages[imp] != 0 {
				imp = archtest.Module + "/" + imp
			}
			p.Imports = append(p.Imports, imp)
		}
		g[path] = p
	}
	return g
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	const head = "// Package pledge holds promises.\npackage pledge\n"
	tests := []struct {
		name string
		file string
		src  string
		want string // what the only violation says; empty: none
	}{
		{"in order", "internal/pledge/pledge.go", head + "const A = 1\n", ""},
		{"sentinel", "internal/pledge/pledge.go", head + "import \"errors\"\nvar ErrLate = errors.New(\"late\")\n", ""},
		{"table", "internal/pledge/pledge.go", head + "var names = [...]string{\"kept\"}\n", ""},
		{"interface held", "internal/pledge/pledge.go", head + "type A interface{}\nvar _ A = (*int)(nil)\n", ""},
		{"embedded", "internal/pledge/pledge.go", head + "import _ \"embed\"\n//go:embed a.sql\nvar schema string\n", ""},
		{"local of the same name", "internal/pledge/pledge.go", head + "var n = []int{1}\nfunc f() { n := []int{2}; n[0] = 3; _ = n }\n", ""},
		{"500 lines", "internal/pledge/pledge.go", head + strings.Repeat("\n", 498), ""},
		{"501 lines", "internal/pledge/pledge.go", head + strings.Repeat("\n", 499), "length: has 501 lines"},
		{"501 generated lines", "internal/pledge/pledge.go", "// Code generated by x. DO NOT EDIT.\n\n" + head + strings.Repeat("\n", 600), ""},
		{"init", "internal/pledge/pledge.go", head + "func init() {}\n", "no init: declares init"},
		{"method init", "internal/pledge/pledge.go", head + "type A int\nfunc (A) init() {}\n", ""},
		{"no value", "internal/pledge/pledge.go", head + "var cache map[string]int\n", "no package state: declares cache without a value"},
		{"mutex", "internal/pledge/pledge.go", head + "import \"sync\"\nvar mu = sync.Mutex{}\n", "no package state: declares mu, a sync.Mutex"},
		{"pool", "internal/pledge/pledge.go", head + "import \"sync\"\nvar pool = &sync.Pool{New: nil}\n", "no package state: declares pool, a sync.Pool"},
		{"assigned", "internal/pledge/pledge.go", head + "var n = 1\nfunc f() { n = 2 }\n", "no package state: changes the package's variable n"},
		{"counted", "internal/pledge/pledge.go", head + "var n = 1\nfunc f() { n++ }\n", "no package state: changes the package's variable n"},
		{"filled", "internal/pledge/pledge.go", head + "var m = map[int]int{}\nfunc f() { m[1] = 2 }\n", "no package state: changes the package's variable m"},
		{"emptied", "internal/pledge/pledge.go", head + "var m = map[int]int{}\nfunc f() { delete(m, 1) }\n", "no package state: changes the package's variable m"},
		{"field set", "internal/pledge/pledge.go", head + "var s = struct{ a [2]int }{}\nfunc f() { s.a[0] = 2 }\n", "no package state: changes the package's variable s"},
		{"clock", "internal/pledge/pledge.go", head + "import \"time\"\nfunc f() any { return time.Now }\n", "no clock: uses time.Now"},
		{"clock in an adapter", "internal/httpd/httpd.go", "// Package httpd serves.\npackage httpd\nimport \"time\"\nfunc f() any { return time.Now }\n", ""},
		{"clock in a test", "internal/pledge/a_test.go", head + "import \"time\"\nfunc f() any { return time.Now }\n", ""},
		{"a block accepted", "internal/pledge/pledge.go", head + "import \"muster/internal/disclosure\"\nvar accept = disclosure.Accept\n", "one way into a release: uses disclosure.Accept"},
		{"a block accepted by a release", "internal/release/release.go", "// Package release is.\npackage release\nimport \"muster/internal/disclosure\"\nvar accept = disclosure.Accept\n", ""},
		{"assertion library", "internal/pledge/a_test.go", head + "import \"github.com/stretchr/testify/require\"\n", "one way to assert: imports github.com/stretchr/testify/require"},
		{"no comment", "internal/pledge/pledge.go", "package pledge\n", `package comment: has no comment that begins with "Package pledge" or "Command"`},
		{"another's comment", "internal/pledge/pledge.go", "// Package promise holds.\npackage pledge\n", `package comment: has no comment that begins with "Package pledge" or "Command"`},
		{"utilities", "internal/util/util.go", "// Package util has things.\npackage util\n", `names: "util" is no name for a package`},
		{"below common", "internal/common/pledge/pledge.go", head, `names: "common" is no name for a package`},
		{"folder of another name", "internal/promise/pledge.go", "// Package pledge is.\npackage pledge\n", "names: package pledge in folder promise"},
		{"a program beside", "internal/pledge/gen.go", "//go:build ignore\n\n// Command gen writes.\npackage main\n", "package comment: has no comment that begins with \"Package pledge\" or \"Command\""},
		{"testdata", "internal/pledge/testdata/a.go", "package x\nfunc init() {}\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, err := archtest.Load(fstest.MapFS{tt.file: {Data: []byte(tt.src)}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range archtest.CheckFiles(g) {
				got = append(got, v.Rule+": "+v.What)
			}
			if strings.Join(got, "; ") != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// The tree is read for all operating systems, test files and programs beside a
// package left out of the graph.
func TestLoad(t *testing.T) {
	t.Parallel()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	g, err := archtest.Load(fstest.MapFS{
		"go.mod":                     file("module muster\n"),
		"internal/a/a.go":            file("package a\nimport \"io\"\n"),
		"internal/a/a_windows.go":    file("package a\nimport \"syscall\"\n"),
		"internal/a/a_unix.go":       file("//go:build unix\n\npackage a\nimport \"io\"\nimport \"os\"\n"),
		"internal/a/a_test.go":       file("package a_test\nimport \"net\"\n"),
		"internal/a/gen.go":          file("//go:build ignore\n\npackage main\nimport \"log\"\n"),
		"internal/a/_old/b.go":       file("package b\n"),
		"internal/a/testdata/x/b.go": file("package b\n"),
		"tools/go.mod":               file("module muster/tools\n"),
		"tools/x/x.go":               file("package x\n"),
		".ci/x.go":                   file("package x\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(g) != 1 || !slices.Equal(g["internal/a"].Imports, []string{"io", "os", "syscall"}) || len(g["internal/a"].Files) != 5 {
		t.Errorf("read %d packages; internal/a: %+v", len(g), g["internal/a"])
	}
	if _, err := archtest.Load(fstest.MapFS{"a.go": file("package")}); err == nil {
		t.Error("a file that is not Go was read without a word")
	}
}
