package demo

import (
	"maps"

	"muster/internal/assess"
	"muster/internal/collective"
	"muster/internal/framework"
)

// asked returns the answers to what a pack asks. Where the pack is the earlier one
// an outcome that went answers as the one that came for it: the member is as good
// at the one as at the other.
func asked(pack *framework.Pack, a *assess.Assessment) *assess.Assessment {
	fits := &assess.Assessment{Member: a.Member, Answers: make(map[string]assess.Answer, len(a.Answers))}
	for _, o := range pack.Outcomes() {
		answer, ok := a.Answers[o.ID]
		if !ok && o.ID == Removed {
			answer = a.Answers[Added]
			if answer.Level == framework.NotApplicable { // it has no such case
				answer = assess.Answer{Level: framework.Withheld}
			}
		}
		fits.Answers[o.ID] = answer
	}
	return fits
}

// alike returns those of last year's answers that were given to the same
// question, or nil.
func alike(then, now *framework.Pack, a *assess.Assessment) *assess.Assessment {
	if a == nil || then == now {
		return a
	}
	kept := &assess.Assessment{Member: a.Member, Answers: maps.Clone(a.Answers)}
	for id := range kept.Answers {
		if _, same := now.Outcome(id); !same || id == Reworded {
			delete(kept.Answers, id)
		}
	}
	return kept
}

// ofItself answers for the coalition: slower than its members, and in one thing
// back where it was.
func ofItself(years []Year, cfg YearsConfig) {
	src := newSource(cfg.Seed, streamItself)
	for y := range years {
		years[y].Collective = make(map[string]collective.Answer)
	}
	for _, outcome := range cfg.Itself.Outcomes() {
		at := src.pick(2, 4, 3) // in the first year: 0, 1 or 2
		target := min(at+src.between(1, 2), 4)
		for y := range years {
			if y > 0 {
				at = min(max(at+src.pick(1, 9, 8)-1, 0), 4)
			}
			answer := collective.Answer{Level: level(at), Verified: framework.None, Target: level(max(target, 2)), Evidence: framework.NoEvidence}
			if at >= 2 {
				answer.Evidence = []framework.Grade{framework.E1, framework.E1, framework.E2}[src.below(3)]
			}
			if at >= 3 {
				answer.Verified = level(at - src.below(2))
			}
			years[y].Collective[outcome.ID] = answer
		}
	}
}
