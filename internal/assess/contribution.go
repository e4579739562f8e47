package assess

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"muster/internal/framework"
)

// Body is a part of the member that contributes to its answers: a ministry, an
// agency, an operator, a facility.
type Body struct {
	ID    string `json:"id"` // that the member gave it: letters, digits, hyphens
	Name  string `json:"name"`
	Kind  string `json:"kind,omitempty"`  // such as "ministry" or "port"; the member's own word
	Scope string `json:"scope,omitempty"` // what of the member it stands for, in words

	// Units is what an earlier build kept here: one number for everything. It counts for
	// nothing; a section says for how many of its list a body answers.
	Units int `json:"units,omitempty"`
}

// MaxUnits bounds for how many of a list a body answers.
const MaxUnits = 100_000

// Contribution is one body's answer to one outcome.
type Contribution struct {
	Body  string          `json:"body"`           // its id
	Level framework.Level `json:"level,omitzero"` // none until it answers
	Note  string          `json:"note,omitempty"`

	Reason   string          `json:"reason,omitempty"`  // why the outcome does not apply to the body; without it the level is not given
	Evidence framework.Grade `json:"evidence,omitzero"` // E0 to E3, or none; asked for at 3 and 4
	Place    string          `json:"place,omitempty"`   // where the evidence lies: a path or an https address

	// Carried is true of what was taken over from the cycle before and that the body
	// has not confirmed yet: it counts for nothing.
	Carried bool `json:"carried,omitempty"`
}

// ContributionOf returns what a body gives as an entry says it.
func ContributionOf(body string, e Entry) Contribution {
	return Contribution{Body: body, Level: e.Level, Note: e.Note, Reason: e.Reason, Evidence: e.Evidence, Place: e.Place, Carried: e.Carried}
}

// Entry returns the contribution as an entry, which has the same fields and more.
func (c Contribution) Entry() Entry {
	return Entry{Level: c.Level, Note: c.Note, Reason: c.Reason, Evidence: c.Evidence, Place: c.Place, Carried: c.Carried}
}

// Given returns the level that the body gave in this cycle, or none. That an outcome
// does not apply is not given without a reason.
func (c Contribution) Given() framework.Level {
	if c.Carried || c.Level == framework.NotApplicable && c.Reason == "" {
		return framework.None
	}
	return c.Level
}

// Proposal is what the pack's rule makes of the contributions to an outcome. It
// is proposed: the lead decides and says why where she decides otherwise.
type Proposal struct {
	Level   framework.Level // none if no body is listed
	Lowest  framework.Level // the lowest among those to whom the outcome applies; none as Level
	Reached int             // how many of those listed are at Level or above
	Of      int             // how many are listed, of bodies to which the outcome applies
	Silent  []string        // ids of those that gave no level: they count as 0
	Exempt  []string        // ids of those to which it does not apply

	// Waiting has the ids of those that have not confirmed what was carried over: while
	// there are any, nothing is proposed, and Asked is how many bodies there are.
	Waiting []string `json:",omitempty"`
	Asked   int      `json:",omitempty"`
}

// Mark names what a reason is about: what is proposed, level and lowest and how many of
// how many reach it, or, where nothing is because bodies have not confirmed, which ones
// are waited for. It is empty where there is nothing to say a reason about.
func (p Proposal) Mark() string {
	if n := len(p.Waiting); n > 0 {
		sum := sha256.Sum256([]byte(strings.Join(p.Waiting, " ")))
		return fmt.Sprintf("waiting/%d/%x", n, sum[:8])
	}
	if p.Level == framework.None {
		return ""
	}
	return fmt.Sprintf("%s/%d/%d", p.levels(), p.Reached, p.Of)
}

func (p Proposal) levels() string { return p.Level.String() + "/" + p.Lowest.String() }

// Meant reports whether a reason is about the proposal: by its mark, or by that of an
// earlier build, which was level and lowest alone.
func (p Proposal) Meant(about string) bool {
	return about == p.Mark() || p.Level != framework.None && about == p.levels()
}

// RollUp applies the rule of a pack: the highest level that at least the given
// share of those listed reach. A body counts for as many as it answers for of this
// outcome's list, by its id in units, and for one where that has none. One that gave no level, or prefers not to,
// counts as 0; one to which the outcome does not apply, and which says why, is left
// out, and if it applies to none, it does not apply to the member. A share of fewer than five
// is all of them wherever 80 % is the share, because four of four is the
// least number that is 80 % of four.
//
// What was carried over counts for nothing, neither as what it says nor as 0: while a
// body has not confirmed it, nothing is proposed, and Level, Lowest, Reached and Of
// are those of no bodies. Who decides all the same says why, see [Blockers].
func RollUp(rule framework.RollUp, contributions []Contribution, units map[string]int) Proposal {
	p := Proposal{Level: framework.None, Lowest: framework.None}
	for _, c := range contributions {
		if c.Carried {
			p.Waiting = append(p.Waiting, c.Body)
		}
	}
	switch {
	case len(contributions) == 0:
		return p
	case len(p.Waiting) > 0:
		p.Asked = len(contributions)
		return p
	}
	var atLeast [5]int // by level, how many reach it
	lowest := len(atLeast) - 1
	for _, c := range contributions {
		if c.Given() == framework.NotApplicable {
			p.Exempt = append(p.Exempt, c.Body)
			continue
		}
		number, given := c.Given().Number()
		if !given {
			number = 0
			p.Silent = append(p.Silent, c.Body)
		}
		n := max(units[c.Body], 1)
		p.Of += n
		lowest = min(lowest, number)
		for level := range number + 1 {
			atLeast[level] += n
		}
	}
	if p.Of == 0 {
		p.Level = framework.NotApplicable
		return p
	}
	p.Lowest, _ = framework.LevelOf(lowest)
	for level := len(atLeast) - 1; level >= 0; level-- {
		if 100*atLeast[level] >= rule.Percent*p.Of {
			p.Level, _ = framework.LevelOf(level)
			p.Reached = atLeast[level]
			break
		}
	}
	return p
}
