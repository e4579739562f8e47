package workspace

import (
	"context"
	"errors"
	"fmt"

	"muster/internal/assess"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

// SeesAll reports whether the person sees more than her part.
func (p Person) SeesAll() bool { return p.seesAll() }

// AnswersFor reports whether the person answers for a body.
func (p Person) AnswersFor(body string) bool { return p.answersFor(body) }

// Doing is something that a person may do in a workspace or not.
type Doing action

// What may be done by the one and not by the other. What belongs to a body or a step
// of the sign-off is asked of [Person.AnswersFor] and [Person.DecidesAt].
const (
	DoAnswer   = Doing(answer)    // for the member
	DoRemark   = Doing(remark)    // beside the answers
	DoOrganise = Doing(organise)  // bodies, sections, the chain, the release
	DoVerify   = Doing(verify)    // findings and the opinion
	DoPlan     = Doing(plan)      // the improvement plan
	DoMeasure  = Doing(measuring) // have evidence read
	DoSeal     = Doing(seal)      // what was signed off
)

// May reports whether the person may do something.
func (p Person) May(what Doing) bool { return p.may(action(what)) == nil }

// DecidesAt reports whether the person decides at a step of the chain.
func (p Person) DecidesAt(step string) bool { return p.decidesAt(step) }

// PartStanding is where a body stands with one outcome among the members of a
// release.
type PartStanding struct {
	Body  string
	Level framework.Level // that it contributed; none if it has not
	// Band is the place among [disclosure.BandedBlock.Bands] of the outcome's levels at
	// which the body would be if it were a member; -1 if nothing of the outcome is shown,
	// or if it contributed nothing.
	Band int
}

// PartComparison is the part of somebody who answers for bodies, beside the coalition.
type PartComparison struct {
	Release   *release.Release
	Part      Part
	Levels    map[string]disclosure.BandedBlock // of the members, by outcome; not shown where it is not
	Standings map[string][]PartStanding         // by outcome, by body
}

// ComparePart puts what the person's bodies contributed beside the release of the
// survey. Nothing of the member's own answers is in it, and nothing of other bodies. It
// is NotFound if no release is kept.
func (s *Service) ComparePart(ctx context.Context, person Person, id SurveyID) (PartComparison, error) {
	c := PartComparison{Levels: make(map[string]disclosure.BandedBlock), Standings: make(map[string][]PartStanding)}
	var kept released
	err := s.view(ctx, "compare a part with a release", person, seePart, func(r Reader) error {
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		if c.Part, err = s.part(r, person, is); err != nil {
			return err
		}
		kept, _, err = get[released](r, releaseKey(id))
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, fmt.Sprintf("no release of %s is kept here", id), "the lead gives it when the coordinator has published it")
		}
		return err
	})
	if err != nil {
		return PartComparison{}, err
	}
	if c.Release, err = release.Parse(kept.Body); err != nil {
		return PartComparison{}, err
	}
	for _, area := range c.Release.Areas {
		for _, o := range area.Outcomes {
			c.Levels[o.ID] = o.Level
		}
	}
	for _, o := range c.Part.Outcomes {
		for _, body := range c.Part.Bodies[o.ID] {
			one := PartStanding{Body: body, Level: c.Part.Contributions[o.ID][body].Given(), Band: -1}
			if one.Level != framework.None {
				one.Band = stand(c.Levels[o.ID], assess.Answer{Level: one.Level, Target: framework.None}).Band
			}
			c.Standings[o.ID] = append(c.Standings[o.ID], one)
		}
	}
	return c, nil
}
