package assess

import (
	"muster/internal/framework"
)

// Carrying says what [Carry] has to know beside the entries.
type Carrying struct {
	Same   func(outcome string) bool // whether an outcome asks what it asked before
	Broken func(outcome string) bool // whether a piece of its evidence is gone or another one; nil: of none
	Day    string                    // on which the cycle begins, as 2006-01-02: a target's day before it is past
}

// Carry returns what the cycle after one begins with, by outcome: last cycle's
// entry where it looks unchanged, marked as carried, so that it counts for nothing
// until somebody confirms it. Every other outcome begins empty, with last cycle's
// assignee, because it cannot be unchanged or is a question anew: where the question
// changed, where the answer was flagged or withheld, where a 3 was given without the
// evidence that it asks for or that is broken by now, where the day of the target has
// passed, and at 4, which by the scale says that an outsider saw it lately.
//
// Why a level was another than the bodies' answers gave is not carried: it was about
// what they gave then. Why an outcome does not apply is.
func Carry(pack *framework.Pack, before map[string]Entry, with Carrying) map[string]Entry {
	carried := make(map[string]Entry)
	for _, o := range pack.Outcomes() {
		last, ok := before[o.ID]
		switch {
		case !ok:
		case last.Carried || !with.Same(o.ID) || !settled(last) || with.Broken != nil && with.Broken(o.ID) || last.TargetDate != "" && last.TargetDate < with.Day:
			if last.Assignee != "" {
				carried[o.ID] = Entry{Assignee: last.Assignee}
			}
		default:
			last.Carried, last.About = true, ""
			if last.Level != framework.NotApplicable {
				last.Reason = ""
			}
			carried[o.ID] = last
		}
	}
	return carried
}

// CarryContribution returns what the cycle after one begins with of a body's answer:
// the same, marked as carried, where [Carry] would carry an entry. ok is false where
// the body is asked anew.
func CarryContribution(last Contribution) (carried Contribution, ok bool) {
	if last.Carried || !settled(last.Entry()) {
		return Contribution{}, false
	}
	last.Carried = true
	return last, true
}

// settled reports whether an entry can look unchanged a year later.
func settled(e Entry) bool {
	switch e.Level {
	case framework.None, framework.Withheld, framework.Level4:
		return false
	case framework.NotApplicable:
		return e.Reason != "" && !e.Flagged
	}
	return !e.Flagged && !e.Unproven()
}

// Unproven reports whether a level was given without the evidence that it asks
// for: at 3 a document at least, at 4 a test of one's own or somebody else's check.
func (e Entry) Unproven() bool {
	switch e.Level {
	case framework.Level3:
		return e.Evidence == framework.NoEvidence || e.Evidence == framework.E0
	case framework.Level4:
		return e.Evidence != framework.E2 && e.Evidence != framework.E3
	}
	return false
}

// Bare reports whether a level asks for evidence, and nothing says where any lies:
// pieces is how many are named.
func (e Entry) Bare(pieces int) bool {
	return (e.Level == framework.Level3 || e.Level == framework.Level4) && pieces == 0
}

// Confirm returns a carried entry as an answer of this cycle.
func (e Entry) Confirm() Entry {
	e.Carried = false
	return e
}
