package disclosure

import (
	"slices"

	"muster/internal/framework"
)

// Reason says why a boundary is or is not shown.
type Reason string

// The reasons. All but the first stand for a boundary that is not shown.
const (
	ReasonShown     Reason = "shown"
	ReasonFew       Reason = "few"       // on one side there would have been too few, or everybody
	ReasonNotTried  Reason = "not tried" // of this block the rule never shows the boundary
	ReasonInstead   Reason = "instead"   // another block is shown instead, of which this one would say too much
	ReasonNewcomers Reason = "newcomers" // members joined or left, and their change would stand out
	ReasonNoYear    Reason = "no year"   // there is no release of the year before to compare with
	ReasonCoupled   Reason = "coupled"   // too few, or together with what is shown of the levels too much
)

// In returns the reason for a person, in that language; English where there is no
// other.
func (r Reason) In(string) string {
	switch r {
	case ReasonShown:
		return "shown"
	case ReasonFew:
		return "too few to show without pointing at someone"
	case ReasonNotTried:
		return "never shown for this question"
	case ReasonInstead:
		return "another question is shown instead; both together would say too much"
	case ReasonNewcomers:
		return "members joined or left, and their change would stand out"
	case ReasonNoYear:
		return "no earlier release of the same members to compare with"
	case ReasonCoupled:
		return "too few, or together with the levels shown it could say too much of someone"
	}
	return string(r)
}

// Boundary is a place between two units of a chain, and what became of it.
type Boundary struct {
	Left   string `json:"left"`
	Right  string `json:"right"`
	Reason Reason `json:"reason"`
}

// Explanation says of one block what was merged and why. It follows from the
// release and the rosters alone, so it says nothing that the release does not.
type Explanation struct {
	Block      string         `json:"block"` // its name in the layout
	Subject    string         `json:"subject"`
	Kind       framework.Kind `json:"kind"`
	Least      int            `json:"least"` // members that a band holds at least, unless it is empty
	Known      int            `json:"known"` // of these, answers that are reckoned to be known
	Boundaries []Boundary     `json:"boundaries"`
}

// Explain returns one explanation for each block, in the order of the layout.
func (i *Issue) Explain() []Explanation {
	e := newEngine(i.Rule, i.Members, i.previous)
	for _, b := range i.blocks {
		e.blocks[blockKey{b.subject, b.kind}] = b
	}
	all := make([]Explanation, len(i.blocks))
	for n, b := range i.blocks {
		x := Explanation{Block: b.Name(), Subject: b.subject, Kind: b.kind, Least: i.Rule.Least(), Known: i.Rule.Known()}
		chain := Chain(b.kind)
		ends, _ := b.ends()
		merged := e.reason(blockKey{b.subject, b.kind})
		for at := 1; at < len(chain); at++ {
			reason := merged
			switch {
			case slices.Contains(ends, at):
				reason = ReasonShown
			case reason == ReasonFew && !slices.Contains(boundaries(b.kind), at):
				reason = ReasonNotTried
			}
			x.Boundaries = append(x.Boundaries, Boundary{chain[at-1], chain[at], reason})
		}
		all[n] = x
	}
	return all
}

// reason returns why a boundary of a block is missing where the rule has it.
func (e *engine) reason(key blockKey) Reason {
	switch {
	case e.rule.held(key.kind):
		return ReasonInstead
	case key.kind == framework.KindChange && e.previous == nil:
		return ReasonNoYear
	case key.kind == framework.KindChange && !slices.Equal(e.previous.Members, e.members):
		return ReasonNewcomers
	case isDerived(key.kind):
		return ReasonCoupled
	}
	return ReasonFew
}
