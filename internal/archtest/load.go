package archtest

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A File is one Go file of the tree.
type File struct {
	Path      string // relative to the module, with slashes
	Lines     int
	Test      bool // _test.go
	Generated bool // carries the line by which the go command knows generated files
	Ignored   bool // //go:build ignore: a program of its own beside the package
	Imports   []string

	fset *token.FileSet
	tree *ast.File
}

// production reports whether what is in the file can be linked.
func (f *File) production() bool { return !f.Test && !f.Ignored }

// at returns the place of pos: "internal/errs/errs.go:12".
func (f *File) at(pos token.Pos) string {
	return f.Path + ":" + strconv.Itoa(f.fset.Position(pos).Line)
}

// Root returns the folder of the module that holds the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = parent
	}
}

// Load reads every Go file of the module in fsys, for all operating systems at
// once. What the go command leaves out is left out: testdata, folders that
// begin with a dot or an underscore, and modules within the module.
func Load(fsys fs.FS) (Graph, error) {
	g := Graph{}
	fset := token.NewFileSet()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && skipped(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := parse(fsys, fset, name)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if g[dir] == nil {
			g[dir] = &Package{Path: dir}
		}
		g[dir].Files = append(g[dir].Files, f)
		if f.production() {
			g[dir].Imports = append(g[dir].Imports, f.Imports...)
		}
		return nil
	})
	for _, p := range g {
		slices.Sort(p.Imports)
		p.Imports = slices.Compact(p.Imports)
		slices.SortFunc(p.Files, func(a, b *File) int { return cmp.Compare(a.Path, b.Path) })
	}
	return g, err
}

func skipped(fsys fs.FS, dir string) bool {
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || base == "node_modules" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(dir, "go.mod"))
	return err == nil
}

func parse(fsys fs.FS, fset *token.FileSet, name string) (*File, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	tree, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &File{
		Path:      name,
		Lines:     bytes.Count(src, []byte("\n")),
		Test:      strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(tree),
		Ignored:   ignored(tree),
		fset:      fset,
		tree:      tree,
	}
	for _, spec := range tree.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.at(spec.Pos()), err)
		}
		f.Imports = append(f.Imports, imp)
	}
	return f, nil
}

// ignored reports whether the file's build constraint names the tag ignore.
func ignored(tree *ast.File) bool {
	for _, group := range tree.Comments {
		if group.Pos() > tree.Package {
			return false
		}
		for _, c := range group.List {
			if expr, err := constraint.Parse(c.Text); err == nil && expr.String() == "ignore" {
				return true
			}
		}
	}
	return false
}
