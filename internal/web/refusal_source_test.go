package web_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/web"
)

// refusing are the packages whose refusals pages show, or may come to show, below
// internal.
var refusing = []string{
	"workspace", "assess", "account", "evidence", "exchange/workbook", "exchange/intake", "web/workspace", "web/account",
}

// naming are the functions that make a refusal of a word, and which argument it is.
var naming = map[string]int{
	"text": 0, "line": 0, "identifier": 0, "day": 0, "digest": 0, "full": 0, "tooMany": 0, "impossible": 0,
	"removeKnown": 2, "readStatement": 4, "errNoApprover": 1,
}

// verb is a place of fmt's that another text takes.
var verb = regexp.MustCompile(`%(\[\d+\])?[sdvq]`)

// sentenceOf returns the sentence that an expression makes, with {} for what differs.
func sentenceOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return s
		}
	case *ast.BinaryExpr:
		return strings.ReplaceAll(sentenceOf(e.X)+sentenceOf(e.Y), "{}{}", "{}")
	case *ast.ParenExpr:
		return sentenceOf(e.X)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return verb.ReplaceAllString(sentenceOf(e.Args[0]), "{}")
		}
	}
	return "{}"
}

// called returns the name of what is called, with errs. ahead of what is of errs.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok && of.Name == "errs" {
			return "errs." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}

// wordsOf returns the words of a table whose rows have a field by which a refusal names
// something.
func wordsOf(table *ast.CompositeLit) []ast.Expr {
	list, ok := table.Type.(*ast.ArrayType)
	if !ok {
		return nil
	}
	row, ok := list.Elt.(*ast.StructType)
	if !ok {
		return nil
	}
	at, n := -1, 0
	for _, field := range row.Fields.List {
		for _, name := range field.Names {
			if slices.Contains([]string{"name", "what", "to"}, name.Name) {
				at = n
			}
			n++
		}
	}
	var words []ast.Expr
	for _, element := range table.Elts {
		if kv, ok := element.(*ast.KeyValueExpr); ok {
			element = kv.Value
		}
		if of, ok := element.(*ast.CompositeLit); ok && at >= 0 && at < len(of.Elts) {
			words = append(words, of.Elts[at])
		}
	}
	return words
}

// said returns what the refusals of a package say, and where.
func said(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v, %d files", dir, err, len(files))
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		add := func(exprs ...ast.Expr) {
			for _, e := range exprs {
				if s := sentenceOf(e); strings.Trim(s, "{} ") != "" {
					all[s] = set.Position(e.Pos()).String()
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch name := called(n); name {
				case "errs.New", "errs.Wrap", "fault", "whole": // the last two are of a cell and of a file
					if len(n.Args) >= 2 {
						add(n.Args[len(n.Args)-2:]...)
					}
				default:
					if at, ok := naming[name]; ok && at < len(n.Args) {
						if _, selected := n.Fun.(*ast.SelectorExpr); !selected || name == "removeKnown" {
							add(n.Args[at])
						}
					}
				}
			case *ast.AssignStmt: // d.Hint = "..."
				if to, ok := n.Lhs[0].(*ast.SelectorExpr); ok && slices.Contains([]string{"Hint", "Message"}, to.Sel.Name) {
					add(n.Rhs[0])
				}
			case *ast.CompositeLit:
				add(wordsOf(n)...)
				if of, ok := n.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Fault" {
					for _, element := range n.Elts {
						if kv, ok := element.(*ast.KeyValueExpr); ok && slices.Contains([]string{"Message", "Allowed"}, kv.Key.(*ast.Ident).Name) {
							add(kv.Value)
						}
					}
				}
			}
			return true
		})
	}
	return all
}

// unsaid are texts that the walk finds and that no refusal says.
var unsaid = map[string][]string{
	"exchange/workbook": {"base", "mine", "theirs", "from", "to"}, // columns of the report
	"web/workspace":     {"mine", "theirs", "KiB", "MiB", "GiB"},
}

// TestEveryRefusalIsTranslated holds every sentence that the packages refuse with, and
// every word that they name something with, against the catalogues.
func TestEveryRefusalIsTranslated(t *testing.T) {
	t.Parallel()
	k := kit(t)
	for _, pkg := range refusing {
		found := said(t, filepath.Join("..", filepath.FromSlash(pkg)))
		for sentence, at := range found {
			if slices.Contains(unsaid[pkg], sentence) {
				continue
			}
			for _, lang := range web.Languages()[1:] {
				if !slices.Contains(web.Refusals(k.Printer(lang)), sentence) {
					t.Errorf("%s: no file of refusals in %s has %q", at, lang, sentence)
				}
			}
		}
		if len(found) == 0 && pkg != "exchange/intake" {
			t.Errorf("%s refuses nothing: the walk finds no sentence", pkg)
		}
	}
}
