// Package archtest holds the shape of the source tree as a test: which package
// may reach which, what a package may be called, how long a file may be.
//
// The rules are two tables, [Packages] and [Rules], each row with its reason;
// the checks of single files are in source.go. [Load] reads the tree,
// [Check] applies the tables to the closure over our own packages, and
// [CheckFiles] looks at every file.
//
// The tree is read with go/parser and not with the go command, for two reasons:
// the files of every operating system are seen at once, whatever machine the
// test runs on, and nothing has to be downloaded or built first. One test asks
// `go list` for what the program links from elsewhere.
package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// Module is the path of the module that the rules are about.
const Module = "muster"

// A Package is what one folder holds, as far as the rules care.
type Package struct {
	Path    string   // relative to the module: "internal/submit"
	Imports []string // of production files: full paths, sorted, each once
	Files   []*File  // test files included; empty in a synthetic graph
}

// A Graph is the packages of a tree by path.
type Graph map[string]*Package

// own returns the path relative to the module, or false for an import from
// elsewhere.
func own(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, Module+"/")
}

// owner returns the package whose rules hold for path: the path itself, or for
// an inner package such as vdaf/internal/field the package that alone may import
// it.
func owner(path string) string {
	outer, _, _ := strings.Cut(path, "/internal/")
	return outer
}

// A Violation is one breach of one rule.
type Violation struct {
	Rule  string // the rule's name
	Where string // package or file:line
	What  string // the fact
	Why   string // the rule's reason
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", v.Where, v.Rule, v.What, v.Why)
}

// Check applies [Packages] and [Rules] to the graph and returns every breach,
// sorted by place.
func Check(g Graph) []Violation {
	var found []Violation
	for path, p := range g {
		layer, known := Packages[owner(path)]
		if !known {
			found = append(found, Violation{
				"known", path, "is not in the table of packages",
				"a name that the design does not know is a misspelling or a decision; a decision is written down in rules.go and ARCHITECTURE.md",
			})
			continue
		}
		found = append(found, checkArrows(p, layer)...)
		for _, r := range Rules {
			found = append(found, r.check(g, p, layer)...)
		}
	}
	slices.SortFunc(found, func(a, b Violation) int {
		return strings.Compare(a.Where+a.Rule+a.What, b.Where+b.Rule+b.What)
	})
	return found
}

// checkArrows holds the order of the layers: an import goes to the same layer
// or further in. Beyond one step nothing new can appear, so direct imports
// suffice.
func checkArrows(p *Package, layer Layer) []Violation {
	var found []Violation
	for _, imp := range p.Imports {
		to, ours := own(imp)
		if target, known := Packages[owner(to)]; ours && known && target > layer {
			found = append(found, Violation{
				"arrows", p.Path, fmt.Sprintf("%s imports %s, which is %s", layer, to, target),
				"arrows point inward: command, cli, application, adapter, domain, kernel, standard",
			})
		}
	}
	return found
}

func (r *Rule) check(g Graph, p *Package, layer Layer) []Violation {
	self := owner(p.Path)
	if !r.From(self, layer) {
		return nil
	}
	var found []Violation
	add := func(what string) {
		found = append(found, Violation{r.Name, p.Path, what, r.Why})
	}
	for _, imp := range p.Imports {
		if to, ours := own(imp); ours && owner(to) == self {
			continue
		}
		if slices.ContainsFunc(r.Imports, func(pattern string) bool { return match(pattern, imp) }) {
			add("imports " + imp)
		}
	}
	if len(r.Reaches) == 0 {
		return found
	}
	var hits []string // the path to each refused package that p reaches
	for _, refused := range r.Reaches {
		for _, chain := range g.reach(p.Path) {
			if last := chain[len(chain)-1]; match(refused, last) {
				hits = append(hits, strings.Join(chain, " -> "))
			}
		}
	}
	if len(hits) > r.Allow {
		for _, h := range hits {
			add("reaches " + h)
		}
	}
	return found
}

// reach returns, for every package of ours in the closure of path, the
// shortest chain of imports to it. The package itself is not in its closure.
func (g Graph) reach(path string) [][]string {
	var (
		chains [][]string
		queue  = [][]string{{path}}
		seen   = map[string]bool{path: true}
	)
	for len(queue) > 0 {
		chain := queue[0]
		queue = queue[1:]
		p := g[chain[len(chain)-1]]
		if p == nil {
			continue
		}
		for _, imp := range p.Imports {
			to, ours := own(imp)
			if !ours || seen[to] {
				continue
			}
			seen[to] = true
			next := append(slices.Clone(chain), to)
			chains = append(chains, next)
			queue = append(queue, next)
		}
	}
	return chains
}

// match reports whether path is pattern, or lies below it where the pattern
// ends in "/...", or has a last element that ends in what follows "*".
func match(pattern, path string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(path, suffix)
	}
	return path == pattern
}
