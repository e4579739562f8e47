package doctest_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"

	"muster/internal/archtest"
	"muster/internal/doctest"
)

// tree returns the project's files that people wrote, by path.
func tree(t *testing.T) (root string, files map[string][]byte) {
	t.Helper()
	root, err := archtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	fsys, files := os.DirFS(root), map[string][]byte{}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || name == "bin" || d.Name() == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular() || !written(name):
			return nil
		}
		files[name], err = fs.ReadFile(fsys, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"README.md", "Makefile", ".ci/run", "internal/doctest/doctest.go"} {
		if files[must] == nil {
			t.Errorf("%s was not read", must)
		}
	}
	return root, files
}

func written(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".yaml", ".yml", ".sql", ".sh", ".html", ".css", ".ts", ".txtar", ".mod":
		return true
	}
	return name == "Makefile" || name == ".ci/run"
}

// Every link within the project leads to a file, and to a heading where it says so.
func TestLinksResolve(t *testing.T) {
	t.Parallel()
	root, files := tree(t)
	for name, src := range files {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, l := range doctest.Links(name, src) {
			if err := resolve(root, files, l); err != nil {
				t.Errorf("%s:%d: %s: %v", l.File, l.Line, l.Target, err)
			}
		}
	}
}

// Every document that code or a comment names is there.
func TestDocumentsExist(t *testing.T) {
	t.Parallel()
	root, files := tree(t)
	seen := 0
	for name, src := range files {
		if path.Ext(name) == ".md" || path.Base(name) == "doctest_test.go" { // links; invented paths
			continue
		}
		for _, l := range doctest.Documents(name, src) {
			seen++
			if _, err := os.Stat(path.Join(root, l.Target)); err != nil {
				t.Errorf("%s:%d: there is no %s", l.File, l.Line, l.Target)
			}
		}
	}
	if seen == 0 {
		t.Error("no source names a document: none was checked")
	}
}

func resolve(root string, files map[string][]byte, l doctest.Link) error {
	u, err := url.Parse(l.Target)
	if err != nil {
		return err
	}
	if u.Scheme == "https" {
		return nil
	}
	if u.Scheme != "" || u.Host != "" || strings.HasPrefix(u.Path, "/") {
		return fmt.Errorf("neither within the project nor https")
	}
	target := l.File
	if u.Path != "" {
		target = path.Join(path.Dir(l.File), u.Path)
	}
	if _, err := os.Stat(path.Join(root, target)); err != nil {
		return fmt.Errorf("there is no %s", target)
	}
	if u.Fragment != "" && path.Ext(target) == ".md" && !doctest.Anchors(files[target])[u.Fragment] {
		return fmt.Errorf("%s has no heading #%s", target, u.Fragment)
	}
	return nil
}

// Every command that a document tells a reader to type exists: a target of the
// Makefile, a command of muster, or one of a few programs that everybody has.
func TestCommandsExist(t *testing.T) {
	t.Parallel()
	root, files := tree(t)
	uses := map[string]bool{"help": true, "completion": true} // cobra's own
	for name, src := range files {
		if path.Dir(name) != "internal/cli" {
			continue
		}
		for _, m := range regexp.MustCompile(`\bUse:\s+"([a-z-]+)`).FindAllSubmatch(src, -1) {
			uses[string(m[1])] = true
		}
	}
	seen := 0
	for name, src := range files {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, b := range doctest.Blocks(name, src) {
			for _, c := range b.Commands() {
				seen++
				if err := exists(root, uses, c); err != nil {
					t.Errorf("%s:%d: %s: %v", c.File, c.Line, c.Text, err)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no document holds a command: none was checked")
	}
}

func exists(root string, uses map[string]bool, c doctest.Command) error {
	switch program := c.Args[0]; program {
	case "make":
		cmd := exec.Command("make", append([]string{"-n"}, c.Args[1:]...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
		}
	case "muster", "bin/muster":
		// The first word that is no flag; muster has no flags before its commands
		// that take a value.
		for _, arg := range c.Args[1:] {
			if strings.HasPrefix(arg, "-") {
				continue
			}
			if !uses[arg] {
				return fmt.Errorf("muster has no command %q", arg)
			}
			break
		}
	case "git", "cd", "go", "ls", "cat", "mkdir", "cp", "diff":
	default:
		if _, err := os.Stat(path.Join(root, program)); err != nil || !strings.Contains(program, "/") {
			return fmt.Errorf("%s is neither in the project nor on every machine", program)
		}
	}
	return nil
}

// The map shows every package, and none that is not there.
func TestMapIsComplete(t *testing.T) {
	t.Parallel()
	root, files := tree(t)
	g, err := archtest.Load(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, b := range doctest.Blocks("ARCHITECTURE.md", files["ARCHITECTURE.md"]) {
		for _, word := range strings.Fields(b.Text) {
			shown[word] = true
		}
	}
	for name := range g {
		if inner := strings.Contains(name, "/internal/"); !inner && !shown[name] {
			t.Errorf("ARCHITECTURE.md does not show %s", name)
		}
	}
	for name := range shown {
		if strings.HasPrefix(name, "internal/") && g[name] == nil {
			t.Errorf("ARCHITECTURE.md shows %s, which holds no code", name)
		}
	}
}

// Every module that we import ourselves has its words in modules.md.
func TestModulesAreExplained(t *testing.T) {
	t.Parallel()
	_, files := tree(t)
	requirement := regexp.MustCompile(`(?m)^(?:require\s+|\t)([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`)
	for _, m := range requirement.FindAllSubmatch(files["go.mod"], -1) {
		// The major version is part of the import path, not of the name.
		name := regexp.MustCompile(`/v[0-9]+$`).ReplaceAllString(string(m[1]), "")
		if !bytes.Contains(files["docs/design/modules.md"], []byte(name)) {
			t.Errorf("go.mod requires %s, and docs/design/modules.md does not say why", m[1])
		}
	}
}

// No file knows the machine it was written on, and nothing is left for later in
// passing: what is open stands in the changelog or in an issue.
func TestNothingLeftBehind(t *testing.T) {
	t.Parallel()
	_, files := tree(t)
	// Pieced together, or this file would find itself.
	refused := regexp.MustCompile(strings.Join([]string{
		`(?:^|[\s"'(=:` + "`" + `])/(?:wo` + `rk|ro` + `ot|fa` + `rm|ho` + `me)/`,
		`\bTO` + `DO\b`,
		`\bFIX` + `ME\b`,
		`\bXX` + `X\b`,
		`\b(?:pro` + `xy|su` + `m)\.golang\.org`,
		`\bregis` + `try\.npmjs\.org`,
	}, "|"))
	for name, src := range files {
		for i, line := range bytes.Split(src, []byte("\n")) {
			if m := refused.Find(line); m != nil {
				t.Errorf("%s:%d: %q", name, i+1, bytes.TrimSpace(m))
			}
		}
	}
}
