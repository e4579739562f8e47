package workspace_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A refusal finds its field by the words with which its message begins. Each of these
// words is still what a message in the sources begins with; whoever says it in other
// words is told here that the field is lost.
func TestSubjectsBeginMessages(t *testing.T) {
	t.Parallel()
	var said []string
	for _, folder := range []string{".", "../../workspace", "../../assess"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "again.go" {
				continue
			}
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, literals(t, path, body)...)
		}
	}
	body, err := os.ReadFile("again.go")
	if err != nil {
		t.Fatal(err)
	}
	subjects := mapOf(t, body, "subjects")
	if len(subjects) < 30 {
		t.Fatalf("%d subjects were found", len(subjects))
	}
	known := slices.Collect(maps.Keys(mapOf(t, body, "controls")))
	for subject, field := range subjects {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, subject) }) {
			t.Errorf("no message begins with %q any more, so that nothing stands beside the field %q", subject, field)
		}
		if !slices.ContainsFunc(known, func(control string) bool { return control == field || strings.HasSuffix(control, "/"+field) }) {
			t.Errorf("%q leads to the field %q, which no form has", subject, field)
		}
	}
}

// literals returns the texts of a source that stand in its code.
func literals(t *testing.T, path string, body []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, body, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, strings.TrimPrefix(text, "row %d of the form: ")) // of which fieldOf knows
			}
		}
		return true
	})
	return all
}

// mapOf returns a map of texts as it stands in a source.
func mapOf(t *testing.T, body []byte, name string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "again.go", body, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != name {
			return true
		}
		for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
			pair := element.(*ast.KeyValueExpr)
			key, _ := strconv.Unquote(pair.Key.(*ast.BasicLit).Value)
			value, _ := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
			found[key] = value
		}
		return false
	})
	return found
}
