package disclosure

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Application is one cohort's totals with everything that the rule looks at.
type Application struct {
	Rule          Rule
	Totals        Totals
	Participation Participation
	Thresholds    Thresholds

	Members  []string // whose submissions were added up, in ascending order
	Previous *Issue   // what was released of the cohort in the cycle before; nil if nothing
}

// Apply returns one banded block for each block of the layout, in its order; a
// block that is not shown is one band. It refuses as [FirstRule] does.
//
// The result is a function of the totals and of what is public, and what it holds
// back depends on nothing else: [Issue.Statements] writes down what it says,
// merges included.
func (a Application) Apply() ([]BandedBlock, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	counts := make(map[blockKey][]int, len(a.Totals.Layout.Blocks))
	offset := 0
	for _, b := range a.Totals.Layout.Blocks {
		counts[blockKey{b.Subject, b.Kind}] = unitCounts(b, a.Totals.Cells[offset:offset+len(b.Buckets)])
		offset += len(b.Buckets)
	}
	e := newEngine(a.Rule, a.Members, a.Previous)
	// Blocks that stand for themselves first: what is shown of the others depends
	// on how much of these is shown.
	for _, derived := range []bool{false, true} {
		for _, b := range a.Totals.Layout.Blocks {
			if isDerived(b.Kind) == derived {
				key := blockKey{b.Subject, b.Kind}
				e.add(key, counts[key])
			}
		}
	}
	blocks := make([]BandedBlock, len(a.Totals.Layout.Blocks))
	for i, b := range a.Totals.Layout.Blocks {
		blocks[i] = e.blocks[blockKey{b.Subject, b.Kind}]
	}
	return blocks, nil
}

func (a Application) check() error {
	if err := a.Participation.check(); err != nil {
		return err
	}
	if err := a.Thresholds.check(a.Participation); err != nil {
		return err
	}
	if err := a.Totals.check(); err != nil {
		return err
	}
	r := a.Rule
	switch {
	case uint64(a.Participation.Submissions) != a.Totals.Submissions:
		return errs.New(errs.Conflict, fmt.Sprintf("the totals are of %d submissions and the roster has %d", a.Totals.Submissions, a.Participation.Submissions), "")
	case len(a.Members) != a.Participation.Submissions:
		return errs.New(errs.Conflict, fmt.Sprintf("%d members are named for %d submissions", len(a.Members), a.Participation.Submissions), "")
	case !slices.IsSorted(a.Members):
		return errs.New(errs.Invalid, "the members of a release are not in order", "")
	case r.Hosts != a.Participation.Hosts:
		return errs.New(errs.Invalid, fmt.Sprintf("the rule reckons with %d hosts and %d took part", r.Hosts, a.Participation.Hosts), "")
	case r.Colluders < 0 || r.Opened < 0:
		return errs.New(errs.Invalid, "the rule reckons with fewer than no colluders", "")
	}
	return refuse(a.Participation, a.Thresholds)
}

// unitCounts adds up the buckets of each unit of a block.
func unitCounts(b framework.Block, cells []uint64) []int {
	chain := Chain(b.Kind)
	counts := make([]int, len(chain))
	for i, bucket := range b.Buckets {
		counts[slices.Index(chain, unitOf(bucket))] += int(cells[i])
	}
	return counts
}

// blockKey names a block within one release.
type blockKey struct {
	subject string
	kind    framework.Kind
}

// isDerived reports whether a member computes blocks of the kind from others.
func isDerived(k framework.Kind) bool {
	return k == framework.KindLowest || k == framework.KindGap || k == framework.KindChange
}

// engine applies the rule block by block. What it does with a block that is
// derived depends on bands alone, so that it can be followed by everybody.
type engine struct {
	rule     Rule
	members  []string
	previous *Issue
	blocks   map[blockKey]BandedBlock
}

func newEngine(r Rule, members []string, previous *Issue) *engine {
	return &engine{rule: r, members: members, previous: previous, blocks: make(map[blockKey]BandedBlock)}
}

// add cuts a block and keeps its bands.
func (e *engine) add(key blockKey, counts []int) {
	chain := Chain(key.kind)
	b := BandedBlock{subject: key.subject, kind: key.kind}
	start := 0
	var cuts []int
	if c := e.chainRule(key); c != nil {
		cuts = c.cut(counts)
	}
	for _, end := range append(cuts, len(chain)) {
		b.bands = append(b.bands, Band{Units: chain[start:end:end], Count: uint64(total(counts[start:end]))})
		start = end
	}
	e.blocks[key] = b
}

// chainRule returns the rule for a block, or nil where nothing of it is shown
// whatever its counts are.
func (e *engine) chainRule(key blockKey) *chainRule {
	if e.rule.held(key.kind) {
		return nil
	}
	c := e.plainRule(key.kind)
	if !isDerived(key.kind) {
		return c
	}
	switch key.kind {
	case framework.KindGap:
		c.outside = e.gapRange(key)
	case framework.KindLowest:
		c.outside = e.lowestRange(key)
	case framework.KindChange:
		c.outside = e.changeRange(key)
	}
	if c.outside == nil {
		return nil
	}
	return c
}

// plainRule returns the rule for a block that stands for itself.
func (e *engine) plainRule(k framework.Kind) *chainRule {
	return &chainRule{
		units: len(Chain(k)), order: boundaries(k), least: e.rule.Least(), members: len(e.members),
		newcomers: e.newcomers(),
	}
}

// FewNew is the largest number of members that joined or left a cohort of which
// the release takes special care.
const FewNew = coalition.ReleaseMinimum - 1

// newcomers reports whether so few members joined or left since the release
// before that what the others said could point at them.
func (e *engine) newcomers() bool {
	if e.previous == nil {
		return false
	}
	joined, left := e.moved()
	return joined > 0 && joined <= FewNew || left > 0 && left <= FewNew
}

// moved returns how many members joined and left since the release before.
func (e *engine) moved() (joined, left int) {
	for _, m := range e.members {
		if _, ok := slices.BinarySearch(e.previous.Members, m); !ok {
			joined++
		}
	}
	return joined, len(e.previous.Members) + joined - len(e.members)
}
