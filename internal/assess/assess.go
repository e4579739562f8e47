// Package assess holds what a member answers to a framework, and what follows
// from the answers by computation alone: the gap to the target, the change since
// last year, the lowest level of an area, and the measurement that is sealed.
//
// An [Assessment] is made from answers that somebody else has read and checked
// (package exchange does so for files). [Measurement] then turns it into one
// bucket index per block of the framework's layout:
//
//	measurement, err := assess.Measurement(layout, now, before)
//
// Gap and change are computed here, by the member, because nothing joint can be
// derived afterwards from two sums. The package promises that a measurement names
// exactly one bucket of every block, and that an incomplete or impossible
// assessment is refused by name and never filled up.
//
// Raw answers must not reach code that connects out: few packages may import
// this one.
package assess

import (
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Answer is what a member says about one outcome. The zero Answer is no answer:
// [Answer.Check] refuses it.
type Answer struct {
	Level    framework.Level `json:"level,omitzero"`    // 0 to 4, not applicable or withheld
	Verified framework.Level `json:"verified,omitzero"` // what the member's own verifier found: the same seven, or none
	Evidence framework.Grade `json:"evidence,omitzero"` // E0 to E3 or none; asked for at 3 and 4, accepted at any level
	Target   framework.Level `json:"target,omitzero"`   // 0 to 4, or none
}

// Assessment is one member's answers in one cycle, by outcome id. It is complete
// when every outcome of the framework has an answer.
type Assessment struct {
	Member  string
	Answers map[string]Answer
}

// answer returns the answer to an outcome, or nil; a may be nil.
func (a *Assessment) answer(outcome string) *Answer {
	if a == nil {
		return nil
	}
	answer, ok := a.Answers[outcome]
	if !ok {
		return nil
	}
	return &answer
}

// Levels returns the seven values that the level of an answer may have, in the
// order of the layout's buckets.
func Levels() []framework.Level {
	return append(scale(), framework.NotApplicable, framework.Withheld)
}

// VerifiedLevels returns the eight values that the verified level of an answer may
// have: those of [Levels], and none.
func VerifiedLevels() []framework.Level { return append(Levels(), framework.None) }

// Targets returns the six values that the target of an answer may have.
func Targets() []framework.Level { return append(scale(), framework.None) }

// scale returns the levels that can be compared with each other, in ascending order.
func scale() []framework.Level {
	return []framework.Level{
		framework.Level0, framework.Level1, framework.Level2, framework.Level3, framework.Level4,
	}
}

// Grades returns the five values that the evidence of an answer may have.
func Grades() []framework.Grade {
	return []framework.Grade{framework.E0, framework.E1, framework.E2, framework.E3, framework.NoEvidence}
}

// Check returns an error of kind Invalid that names the first part of the answer
// that has a value it may not have, or nil.
func (a Answer) Check() error {
	switch {
	case !slices.Contains(Levels(), a.Level):
		return impossible("a level", a.Level)
	case !slices.Contains(VerifiedLevels(), a.Verified):
		return impossible("a verified level", a.Verified)
	case !slices.Contains(Grades(), a.Evidence):
		return impossible("an evidence grade", a.Evidence)
	case !slices.Contains(Targets(), a.Target):
		return impossible("a target", a.Target)
	}
	return nil
}

func impossible(part string, value fmt.Stringer) error {
	return errs.New(errs.Invalid, fmt.Sprintf("%s cannot be %s", errs.Quote(value.String()), part), "")
}
