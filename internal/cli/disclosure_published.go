package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/framework"
	"muster/internal/release"
)

// The files beside tables that say whose they are.
const (
	groupsFile = "groups.csv"
	knownFile  = "known.csv"
)

// readPublished reads everything in a folder that an attacker may have: one
// problem for each framework, because what members answer to one is tied by
// nothing to what they answer to another. Tables belong to the one framework of
// the releases beside them, or to that of --framework.
func readPublished(env Env, dir, frameworkName string) ([]*problem, error) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no folder", errs.Quote(dir)), "give the folder that holds what was published")
	}
	problems, err := readReleases(dir)
	if err != nil {
		return nil, err
	}
	tables, err := readTables(dir)
	if err != nil {
		return nil, err
	}
	switch {
	case tables == nil && len(problems) == 0:
		return nil, errNothingPublished(dir)
	case tables == nil:
		return problems, nil
	case len(problems) > 1:
		return nil, errs.New(errs.Invalid, "there are tables beside releases of several frameworks, or of groups without a common member", "keep one of them in the folder: tables are read as its")
	case len(problems) == 0:
		problems = []*problem{{Problem: attack.Problem{Rosters: make(map[string][]string), Colluders: 1}}}
	}
	p := problems[0]
	if err := tables.describe(env, p, frameworkName); err != nil {
		return nil, err
	}
	tables.addTo(p)
	return problems, nil
}

// readReleases reads every release in a folder and below, by framework.
func readReleases(dir string) ([]*problem, error) {
	paths, err := findReleases(dir)
	if errs.KindOf(err) == errs.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	byFramework := make(map[string][]release.Past)
	for _, path := range paths {
		past, err := readPast(path)
		if err != nil {
			return nil, inFile(path, err)
		}
		id := past.Release.Framework.ID
		byFramework[id] = append(byFramework[id], past)
	}
	var problems []*problem
	for _, id := range slices.Sorted(maps.Keys(byFramework)) {
		of, err := releasesProblems(byFramework[id])
		if err != nil {
			return nil, err
		}
		problems = append(problems, of...)
	}
	return problems, nil
}

// releasesProblems is what all releases of one framework say, those apart that
// have no member in common.
func releasesProblems(pasts []release.Past) ([]*problem, error) {
	slices.SortFunc(pasts, func(a, b release.Past) int {
		return cmp.Or(cmp.Compare(a.Release.Calendar.Opens, b.Release.Calendar.Opens), cmp.Compare(a.Release.Cycle, b.Release.Cycle), cmp.Compare(a.Release.Cohort, b.Release.Cohort))
	})
	last := make(map[string]*disclosure.Issue)
	history := disclosure.NewHistory()
	for _, past := range pasts {
		if past.Release.Kind == release.KindV1 {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the release %s of %s has the provisional form, whose rule says things that are not counted here",
				errs.Quote(past.Release.Cycle), errs.Quote(past.Release.Cohort)), "write what it shows into a table; docs/spec/published.md says how")
		}
		issue, err := past.Issue(last[past.Release.Cohort])
		if err != nil {
			return nil, err
		}
		last[past.Release.Cohort] = issue
		history = history.With(issue)
	}
	found, err := history.Problems()
	if err != nil {
		return nil, err
	}
	var problems []*problem
	for _, p := range found {
		problems = append(problems, &problem{Problem: p})
	}
	return problems, nil
}

// tables is what a folder has of CSV files.
type tables struct {
	groups     *exchange.Groups
	statements []attack.Statement
	facts      []attack.Fact
}

// readTables reads groups.csv, known.csv and every other CSV file of a folder, or
// returns nil where there is none.
func readTables(dir string) (*tables, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be read", errs.Quote(dir)), err), "")
	}
	var paths []string
	for _, entry := range entries {
		if !entry.IsDir() && filepath.Ext(entry.Name()) == ".csv" {
			paths = append(paths, filepath.Join(dir, entry.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	groupsPath, knownPath := filepath.Join(dir, groupsFile), filepath.Join(dir, knownFile)
	if !slices.Contains(paths, groupsPath) {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("there are tables in %s and no %s", errs.Quote(dir), groupsFile), "who was counted stands in "+groupsFile+", with the header "+exchange.GroupsHeader)
	}
	t := &tables{}
	var faults errs.Faults
	err = withFile(groupsPath, func(r io.Reader) (err error) {
		t.groups, err = exchange.ReadGroups(groupsPath, r)
		return err
	})
	if err != nil {
		return nil, err // of the others nothing could be said
	}
	for _, path := range paths {
		read := func(r io.Reader) error {
			statements, err := exchange.ReadPublished(path, r, t.groups)
			t.statements = append(t.statements, statements...)
			return err
		}
		switch path {
		case groupsPath:
			continue
		case knownPath:
			read = func(r io.Reader) (err error) {
				t.facts, err = exchange.ReadKnown(path, r)
				return err
			}
		}
		if faults, err = joinFaults(faults, withFile(path, read)); err != nil {
			return nil, err
		}
	}
	return t, faults.Err()
}

func withFile(path string, read func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("%s cannot be read", errs.Quote(path)), err), "")
	}
	defer file.Close() // nothing was written
	return read(file)
}

// describe adds the blocks that every member of the tables' cycles answered, which
// say of what an area consists. Without a framework nothing can be said of what
// members compute of an area.
func (t *tables) describe(env Env, p *problem, frameworkName string) error {
	if frameworkName == "" {
		if len(p.Blocks) > 0 {
			return nil // the releases beside them say it
		}
		for _, s := range t.statements {
			if s.Block.Kind == framework.KindLowest || s.Block.Kind == framework.KindChange {
				return errs.New(errs.Invalid, fmt.Sprintf("%s: %s follows from the outcomes of an area, and nothing says which these are", s.Source, s.Block.Kind), "give the pack with --framework")
			}
		}
		return nil
	}
	pack, err := openPack(env, frameworkName)
	if err != nil {
		return err
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		return err
	}
	for _, s := range t.statements {
		if _, ok := layout.Index(s.Block.Subject, s.Block.Kind); !ok {
			return errs.New(errs.Invalid, fmt.Sprintf("%s: %s %s has no %s of %s", s.Source, pack.ID, pack.Version, s.Block.Kind, errs.Quote(s.Block.Subject)), "")
		}
	}
	for _, cycle := range t.groups.Cycles {
		for _, b := range layout.Blocks {
			block := attack.Block{Cycle: cycle, Subject: b.Subject, Kind: b.Kind}
			if !slices.Contains(p.Blocks, block) {
				p.Blocks = append(p.Blocks, block)
			}
		}
	}
	return nil
}

// addTo adds what the tables say to a problem. Cycles of tables alone are in the
// order of groups.csv; with releases beside them in the order of their names.
func (t *tables) addTo(p *problem) {
	releases := len(p.Cycles) > 0
	for _, cycle := range t.groups.Cycles {
		if !slices.Contains(p.Cycles, cycle) {
			p.Cycles = append(p.Cycles, cycle)
		}
		roster := slices.Clone(p.Rosters[cycle])
		for _, members := range t.groups.Members[cycle] {
			roster = append(roster, members...)
		}
		slices.Sort(roster)
		p.Rosters[cycle] = slices.Compact(roster)
		if releases && len(t.facts) == 0 {
			// One reader of the tables among those of whom no release speaks.
			rest := slices.DeleteFunc(slices.Clone(p.Rosters[cycle]), func(m string) bool {
				return slices.ContainsFunc(p.Told, func(told attack.Told) bool { return told.Cycle == cycle && slices.Contains(told.Members, m) })
			})
			p.Told = append(p.Told, attack.Told{Cycle: cycle, Members: rest, Most: 1})
		}
	}
	if !releases && len(t.facts) > 0 {
		p.Colluders = 0 // who reads the tables is one of those whose answers are given
	}
	if releases {
		slices.SortFunc(p.Cycles, strings.Compare)
	}
	p.Statements = append(p.Statements, t.statements...)
	p.Facts = append(p.Facts, t.facts...)
}
