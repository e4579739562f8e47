package disclosure

import (
	"fmt"
	"slices"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
)

// Issue is what was released of one cohort in one cycle, with what everybody
// knows of how it came about. Its counts come from [Application.Apply] or from an
// accepted release. Editions are no issues of their own: they are cut from an
// issue's blocks by [BandedBlock.Coarsen] and so say less; [Issue.Show] adds what they say.
type Issue struct {
	Cycle   string
	Cohort  string
	Members []string // whose submissions were added up, in ascending order
	Rule    Rule

	blocks   []BandedBlock
	previous *Issue
	shown    []shown // by editions
}

// NewIssue returns the issue that these blocks are, which must be those of a
// whole layout. previous is the cohort's issue of the cycle before, or nil. It
// refuses, with kind Invalid, blocks that the rule would not have given for any
// totals.
func NewIssue(cycle, cohort string, members []string, rule Rule, blocks []BandedBlock, previous *Issue) (*Issue, error) {
	i := &Issue{Cycle: cycle, Cohort: cohort, Members: members, Rule: rule, blocks: blocks, previous: previous}
	if !slices.IsSorted(members) || len(slices.Compact(slices.Clone(members))) != len(members) {
		return nil, errs.New(errs.Invalid, "the members of the issue "+cycle+" "+cohort+" are not in order or named twice", "")
	}
	for _, b := range blocks {
		if b.Total() != uint64(len(members)) {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("%s of %s counts %d members and the roster has %d", b.Name(), cycle, b.Total(), len(members)), "")
		}
	}
	if _, err := i.statements(); err != nil {
		return nil, err
	}
	return i, nil
}

// Blocks returns what the issue shows, in the order of the layout. The slice is
// the caller's.
func (i *Issue) Blocks() []BandedBlock { return slices.Clone(i.blocks) }

// Source is how the issue's statements name it.
func (i *Issue) Source() string { return "the release " + i.Cycle + " of " + i.Cohort }

// statements returns everything that the issue says, the rule's silence included.
func (i *Issue) statements() ([]attack.Statement, error) {
	e := newEngine(i.Rule, i.Members, i.previous)
	var all []attack.Statement
	for _, derived := range []bool{false, true} {
		for _, b := range i.blocks {
			if isDerived(b.kind) != derived {
				continue
			}
			s, err := i.say(e, b)
			if err != nil {
				return nil, err
			}
			all = append(all, s...)
			e.blocks[blockKey{b.subject, b.kind}] = b
		}
	}
	return append(all, i.told()...), nil
}

// say returns what one block says; e has the blocks that it is derived from.
func (i *Issue) say(e *engine, b BandedBlock) ([]attack.Statement, error) {
	name := attack.Block{Cycle: i.Cycle, Subject: b.subject, Kind: b.kind}
	units := len(Chain(b.kind))
	var all []attack.Statement
	var ends, counts []int
	at := 0
	for _, band := range b.bands {
		end := at + len(band.Units)
		if len(b.bands) > 1 {
			all = append(all, attack.Count(i.Source(), name, i.Members, units, at, end-1, int(band.Count)))
		}
		ends, counts = append(ends, end), append(counts, int(band.Count))
		at = end
	}
	rule := e.chainRule(blockKey{b.subject, b.kind})
	if rule == nil {
		if len(b.bands) > 1 {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("%s shows %s, which its rule holds back", i.Source(), b.Name()), "")
		}
		return nil, nil
	}
	if !rule.gives(ends, counts) {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s shows %s in bands that its rule does not make", i.Source(), b.Name()), "")
	}
	for _, r := range rule.replay(ends, counts) {
		if inside := counts[slices.Index(ends, r.end)]; r.left.Covers(0, inside) {
			continue // whatever the counts, the cut would not have been made: that says nothing
		}
		s := attack.Count(i.Source(), name, i.Members, units, r.first, r.at-1, 0)
		s.Allowed, s.Implied = r.left, true
		all = append(all, s)
	}
	return all, nil
}

// History is everything that was ever released of a coalition, in order of time:
// every cycle, every cohort. An attacker has it all.
type History struct{ issues []*Issue }

// NewHistory returns the history of these issues.
func NewHistory(issues ...*Issue) *History { return &History{issues: slices.Clone(issues)} }

// With returns the history with one issue more.
func (h *History) With(i *Issue) *History {
	return &History{issues: append(slices.Clone(h.issues), i)}
}

// Problem returns what an attacker has who knows everything that was released
// and the rules, with these facts, and colluders of whom only the number is known.
func (h *History) Problem(colluders int, facts ...attack.Fact) (attack.Problem, error) {
	p := attack.Problem{Rosters: make(map[string][]string), Colluders: colluders, Facts: facts}
	for _, i := range h.issues {
		if !slices.Contains(p.Cycles, i.Cycle) {
			p.Cycles = append(p.Cycles, i.Cycle)
		}
		roster := append(slices.Clone(p.Rosters[i.Cycle]), i.Members...)
		slices.Sort(roster)
		p.Rosters[i.Cycle] = slices.Compact(roster)
		s, err := i.statements()
		if err != nil {
			return attack.Problem{}, err
		}
		p.Statements = append(p.Statements, s...)
		for _, b := range i.blocks {
			name := attack.Block{Cycle: i.Cycle, Subject: b.subject, Kind: b.kind}
			if !slices.Contains(p.Blocks, name) {
				p.Blocks = append(p.Blocks, name)
			}
		}
	}
	return p, nil
}

// Attack tries to narrow any member's answer with everything that was released,
// as an attacker does who knows as many members' answers as the rules reckon
// with, and whatever they answered.
//
// Releases whose members have nobody in common are attacked apart: what is said of
// the ones is tied by nothing to what is said of the others. So allies and
// partners are each reckoned with as many known members as their own rule does; a
// host that is an ally is no partner whose answers it could know.
func (h *History) Attack(o attack.Options) (attack.Result, error) {
	all := attack.Result{Findings: []attack.Finding{}, Open: []attack.Open{}}
	problems, err := h.Problems()
	if err != nil {
		return attack.Result{}, err
	}
	for _, p := range problems {
		r, err := attack.Run(p, o)
		if err != nil {
			return attack.Result{}, err
		}
		all.Findings, all.Open = append(all.Findings, r.Findings...), append(all.Open, r.Open...)
		all.Examined, all.Worlds = all.Examined+r.Examined, all.Worlds+r.Worlds
	}
	return all, nil
}

// Problems returns what an attacker has of all that was released, one problem for
// the releases that have members in common. Of each release as many members'
// answers are known as its rule reckons with, and no more: a host knows its answers
// of the year in which it hosts, whoever opened answers opened those of one year,
// and allies that tell do not tell what partners answered, even where one of these
// becomes an ally later.
func (h *History) Problems() ([]attack.Problem, error) {
	var all []attack.Problem
	for _, issues := range h.apart() {
		p, err := NewHistory(issues...).Problem(0)
		if err != nil {
			return nil, err
		}
		for _, i := range issues {
			p.Told = append(p.Told, attack.Told{Cycle: i.Cycle, Members: i.Members, Most: i.Rule.Known()})
		}
		all = append(all, p)
	}
	return all, nil
}

// Tied returns the part of the history that has to do with an issue of it: what
// shares a member with it, or with what shares a member with it, and so on. What a
// release may show depends on that part alone.
func (h *History) Tied(to *Issue) *History {
	for _, issues := range h.apart() {
		if slices.Contains(issues, to) {
			return NewHistory(issues...)
		}
	}
	return NewHistory(to)
}

// apart returns the issues in groups that have no member in common, in order of
// time within each.
func (h *History) apart() [][]*Issue {
	group := make([]int, len(h.issues)) // of each issue, the place of an earlier one or its own
	first := make(map[string]int)       // by member, the group that it was found in
	for place, i := range h.issues {
		group[place] = place
		for _, m := range i.Members {
			of, seen := first[m]
			if !seen {
				first[m] = place
				continue
			}
			from, to := group[place], group[of]
			for p := range place + 1 {
				if group[p] == from {
					group[p] = to
				}
			}
		}
	}
	var groups [][]*Issue
	at := make(map[int]int)
	for place, i := range h.issues {
		n, ok := at[group[place]]
		if !ok {
			n = len(groups)
			at[group[place]] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], i)
	}
	return groups
}

// Coarsen returns the block with only those of its boundaries that keep accepts:
// an edition's. A boundary is given by the units on its two sides.
func (b BandedBlock) Coarsen(keep func(left, right string) bool) BandedBlock {
	coarse := BandedBlock{subject: b.subject, kind: b.kind}
	for _, band := range b.Bands() {
		if n := len(coarse.bands); n > 0 {
			last := &coarse.bands[n-1]
			if !keep(last.Units[len(last.Units)-1], band.Units[0]) {
				last.Units = append(last.Units, band.Units...)
				last.Count += band.Count
				continue
			}
		}
		coarse.bands = append(coarse.bands, band)
	}
	return coarse
}
