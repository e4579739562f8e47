package workspace

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"muster/internal/assess"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

// Standing is where the member stands with one outcome among those of a release.
// Nobody but the member can know it, for nobody else has its answer.
type Standing struct {
	Outcome string
	Answer  assess.Answer
	Gap     assess.Gap
	Move    assess.Move     // since the cycle before
	Before  framework.Level // the level of the cycle before; None if it is not comparable

	// Band is the place among [disclosure.BandedBlock.Bands] of the outcome's levels
	// at which the member is, its own dot; -1 if nothing of the outcome is shown.
	Band int
	// Of the members that the release counts, how many are in lower bands, in the
	// member's own (itself included) and in higher ones. Those who gave no level are in
	// none of them, unless they share a band with those who did.
	Lower, Same, Higher uint64
}

// Comparison is where the member stands, in the order of the pack.
type Comparison struct {
	Survey    SurveyID
	Cohort    string
	Standings []Standing
	// Urgent are the outcomes in which the member is below its target, the most urgent
	// first: the longer the way, and then the more members are further.
	Urgent []string
}

// Compare says where the member stands in a release of the survey's cycle: with what
// it sealed last, or, if it sealed nothing, with what is answered now. It is a
// Conflict if the release is of another cycle or pack. Without a release, r nil, it
// says what the member knows of itself alone: targets, change and the length of each
// way. Nothing of it leaves.
func (s *Service) Compare(ctx context.Context, person Person, id SurveyID, r *release.Release) (Comparison, error) {
	var c Comparison
	err := s.view(ctx, "compare with a release", person, see, func(reader Reader) error {
		is, err := s.open(reader, id)
		if err != nil {
			return err
		}
		if r != nil {
			if err := is.released(r); err != nil {
				return err
			}
		}
		sealable, err := s.sealable(reader, is)
		if err != nil {
			return err
		}
		answers := sealable.Now.Answers
		sealings, err := list[sealing](reader, kindSealing, id, "")
		if err != nil {
			return err
		}
		if n := len(sealings); n > 0 {
			answers = sealings[n-1].Value.Answers
		}
		var before map[string]assess.Answer
		if sealable.Before != nil {
			before = sealable.Before.Answers
		}
		c = compare(is.pack, answers, before, r)
		c.Survey = id
		return nil
	})
	return c, err
}

// released refuses, with kind Conflict, a release that is of something else.
func (is survey) released(r *release.Release) error {
	if r.Framework.Ref != is.Pack || r.Cycle != is.Cycle {
		return errs.New(errs.Conflict, fmt.Sprintf("the release is of %s %s in the cycle %s", errs.Quote(r.Framework.ID), errs.Quote(r.Framework.Version), errs.Quote(r.Cycle)),
			fmt.Sprintf("give the release of %s %s in the cycle %s", is.Pack.ID, is.Pack.Version, is.Cycle))
	}
	return nil
}

func compare(pack *framework.Pack, answers, before map[string]assess.Answer, r *release.Release) Comparison {
	levels := levelsOf(r)
	var c Comparison
	if r != nil {
		c.Cohort = r.Cohort
	}
	var urgent []Standing
	for _, o := range pack.Outcomes() {
		answer, ok := answers[o.ID]
		if !ok {
			continue
		}
		standing := stand(levels[o.ID], answer)
		standing.Outcome = o.ID
		if last, ok := before[o.ID]; ok {
			standing.Move = assess.OutcomeChange(&answer, &last)
			if standing.Move != assess.MoveNotComparable {
				standing.Before = last.Level
			}
		}
		c.Standings = append(c.Standings, standing)
		if standing.Gap == assess.GapBelow {
			urgent = append(urgent, standing)
		}
	}
	slices.SortStableFunc(urgent, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(way(b.Answer), way(a.Answer)), cmp.Compare(b.Higher, a.Higher))
	})
	for _, standing := range urgent {
		c.Urgent = append(c.Urgent, standing.Outcome)
	}
	return c
}

// levelsOf returns how many members are at which level of each outcome; r may be nil.
func levelsOf(r *release.Release) map[string]disclosure.BandedBlock {
	levels := make(map[string]disclosure.BandedBlock)
	if r == nil {
		return levels
	}
	for _, area := range r.Areas {
		for _, o := range area.Outcomes {
			levels[o.ID] = o.Level
		}
	}
	return levels
}

// way returns how many levels a target is away.
func way(a assess.Answer) int {
	level, _ := a.Level.Number()
	target, _ := a.Target.Number()
	return target - level
}

// stand finds the answer among the bands of its outcome.
func stand(block disclosure.BandedBlock, answer assess.Answer) Standing {
	standing := Standing{Answer: answer, Gap: answer.Gap(), Band: -1}
	if !block.Shown() {
		return standing
	}
	unit := answer.Level.String()
	if !answer.Level.Given() {
		unit = disclosure.NoLevel
	}
	bands := block.Bands()
	standing.Band = slices.IndexFunc(bands, func(b disclosure.Band) bool { return slices.Contains(b.Units, unit) })
	if !answer.Level.Given() {
		return standing // higher and lower say nothing of it
	}
	for i, band := range bands {
		switch {
		case i == standing.Band:
			standing.Same = band.Count
		case len(band.Units) == 1 && band.Units[0] == disclosure.NoLevel:
		case i < standing.Band:
			standing.Lower += band.Count
		default:
			standing.Higher += band.Count
		}
	}
	return standing
}
