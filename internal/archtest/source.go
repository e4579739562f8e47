package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
)

// MaxLines is how long a file of production code may be. What is longer holds
// two things.
const MaxLines = 500

// refusedNames say where code was put, not what it is.
var refusedNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "type", "types", "pkg", "misc", "shared", "base", "lib"}

// CheckFiles looks at every file of the graph: length, names, package comments,
// init, package-level state, clocks.
func CheckFiles(g Graph) []Violation {
	var found []Violation
	for _, p := range g {
		found = append(found, checkNames(p)...)
		found = append(found, checkComment(p)...)
		found = append(found, checkState(p)...)
		for _, f := range p.Files {
			found = append(found, checkFile(f, Packages[owner(p.Path)])...)
		}
	}
	slices.SortFunc(found, func(a, b Violation) int {
		return strings.Compare(a.Where+a.Rule+a.What, b.Where+b.Rule+b.What)
	})
	return found
}

func checkNames(p *Package) []Violation {
	var found []Violation
	for _, element := range strings.Split(p.Path, "/") {
		if slices.Contains(refusedNames, element) {
			found = append(found, Violation{
				"names", p.Path, fmt.Sprintf("%q is no name for a package", element),
				"a package is one noun that says what is inside",
			})
		}
	}
	for _, f := range p.Files {
		name := strings.TrimSuffix(f.tree.Name.Name, "_test")
		if base := path.Base(path.Join(Module, p.Path)); name != base && name != "main" && !f.Ignored {
			found = append(found, Violation{
				"names", f.Path, fmt.Sprintf("package %s in folder %s", name, base),
				"a reader finds a package by its import path",
			})
		}
	}
	return found
}

func checkComment(p *Package) []Violation {
	for _, f := range p.Files {
		if f.Ignored || f.tree.Doc == nil {
			continue
		}
		text := f.tree.Doc.Text()
		if strings.HasPrefix(text, "Package "+f.tree.Name.Name+" ") || f.tree.Name.Name == "main" && strings.HasPrefix(text, "Command ") {
			return nil
		}
	}
	return []Violation{{
		"package comment", p.Path, `has no comment that begins with "Package ` + path.Base(p.Path) + `" or "Command"`,
		"its first sentence is the package's reason to exist",
	}}
}

func checkFile(f *File, layer Layer) []Violation {
	var found []Violation
	add := func(rule, where, what, why string) {
		found = append(found, Violation{rule, where, what, why})
	}
	for _, imp := range f.Imports {
		if strings.HasPrefix(imp, "github.com/stretchr/testify") {
			add("one way to assert", f.Path, "imports "+imp, "tests use the standard library and go-cmp")
		}
	}
	if !f.production() || f.Generated {
		return found
	}
	if f.Lines > MaxLines {
		add("length", f.Path, fmt.Sprintf("has %d lines", f.Lines), fmt.Sprintf("at most %d; split by responsibility", MaxLines))
	}
	for _, d := range f.tree.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "init" && fn.Recv == nil {
			add("no init", f.at(fn.Pos()), "declares init", "what runs on import can be neither configured nor tested")
		}
	}
	// A block that was read becomes one that may be published here, and nowhere else.
	if path.Dir(f.Path) != "internal/release" && slices.Contains(f.Imports, Module+"/internal/disclosure") {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "disclosure" && sel.Sel.Name == "Accept" {
					add("one way into a release", f.at(sel.Pos()), "uses disclosure.Accept", "what the rule did not make is published by nobody; only a release that is read whole has blocks that were made before")
				}
			}
			return true
		})
	}
	if layer == Standard || layer == Kernel || layer == Domain {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep"}, sel.Sel.Name) {
					add("no clock", f.at(sel.Pos()), "uses time."+sel.Sel.Name, "time is a parameter, so that a deadline can be tested")
				}
			}
			return true
		})
	}
	return found
}

// stateful are types that exist to be changed.
var stateful = []string{"sync", "atomic"}

// checkState refuses package-level variables that change: declared without a
// value, of a type made for changing, or assigned to anywhere in the package.
// Tables, sentinels, compiled expressions and embedded files are fine.
//
// The names are resolved by go/types without the imported packages, which is
// enough to tell a package's variable from a local one of the same name. A
// change through a method or a second pointer is not seen.
func checkState(p *Package) []Violation {
	var files []*ast.File
	place := map[*token.File]*File{}
	for _, f := range p.Files {
		if f.production() && !f.Generated {
			files = append(files, f.tree)
			place[f.fset.File(f.tree.Pos())] = f
		}
	}
	if len(files) == 0 {
		return nil
	}
	fset := p.Files[0].fset
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{
		Importer: noImports{},
		Error:    func(error) {}, // of course: nothing imported is known
	}
	pkg, _ := conf.Check(p.Path, fset, files, info)

	var found []Violation
	add := func(pos token.Pos, what string) {
		found = append(found, Violation{
			"no package state", place[fset.File(pos)].at(pos), what,
			"two users of a package in one process must not meet in it; put the state in a struct",
		})
	}
	packageVar := func(e ast.Expr) (*ast.Ident, bool) {
		id := root(e)
		if id == nil {
			return nil, false
		}
		v, ok := info.Uses[id].(*types.Var)
		return id, ok && v.Parent() == pkg.Scope()
	}
	for _, tree := range files {
		for _, d := range tree.Decls {
			if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR {
				for _, s := range gen.Specs {
					checkVar(gen, s.(*ast.ValueSpec), add)
				}
			}
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			for _, target := range targets(n) {
				if id, ok := packageVar(target); ok {
					add(target.Pos(), "changes the package's variable "+id.Name)
				}
			}
			return true
		})
	}
	return found
}

func checkVar(gen *ast.GenDecl, spec *ast.ValueSpec, add func(token.Pos, string)) {
	if spec.Names[0].Name == "_" || embedded(gen.Doc) || embedded(spec.Doc) {
		return
	}
	if len(spec.Values) == 0 {
		add(spec.Pos(), "declares "+spec.Names[0].Name+" without a value")
		return
	}
	for _, v := range spec.Values {
		if u, ok := v.(*ast.UnaryExpr); ok {
			v = u.X
		}
		lit, ok := v.(*ast.CompositeLit)
		if !ok {
			continue
		}
		if sel, ok := lit.Type.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(stateful, x.Name) {
				add(spec.Pos(), fmt.Sprintf("declares %s, a %s.%s", spec.Names[0].Name, x.Name, sel.Sel.Name))
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// targets returns what the node assigns to.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.CallExpr:
		if fn, ok := n.Fun.(*ast.Ident); ok && slices.Contains([]string{"delete", "clear", "copy"}, fn.Name) && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// root returns the identifier that an assignable expression starts from.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

type noImports struct{}

func (noImports) Import(string) (*types.Package, error) {
	return nil, errors.New("not looked at")
}
