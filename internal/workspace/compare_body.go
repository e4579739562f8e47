package workspace

import (
	"context"
	"errors"
	"fmt"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

// BodyComparison is a body's own part beside the coalition. What the member answers is
// not in it: a body is shown what it gave itself, and what was released.
type BodyComparison struct {
	Body      SavedBody
	Release   *release.Release
	Standings []Standing // by outcome, of those to which the body contributed; without gaps
}

// CompareBody says where a body's contributions lie among the coalition's answers in
// the release that is kept of the survey. The coalition counts members and not bodies:
// the place is that of a member with the body's level. It is for who sees everything,
// and for who answers for the body; NotFound if no release is kept or there is no such
// body.
func (s *Service) CompareBody(ctx context.Context, person Person, id SurveyID, body string) (BodyComparison, error) {
	var c BodyComparison
	err := s.view(ctx, "compare a body with a release", person, seePart, func(r Reader) error {
		if !person.seesAll() && !person.answersFor(body) {
			return errs.New(errs.Denied, "you answer for other bodies", "ask the lead of this workspace")
		}
		is, err := s.open(r, id)
		if err != nil {
			return err
		}
		who, revised, err := get[assess.Body](r, bodyKey(body))
		if errors.Is(err, errNone) {
			return errs.New(errs.NotFound, fmt.Sprintf("there is no body %s", errs.Quote(body)), "the lead lists the bodies of the member")
		}
		if err != nil {
			return err
		}
		c = BodyComparison{Body: SavedBody{Body: who, Revised: revised}}
		if c.Release, _, err = releaseOf(r, id); err != nil {
			return err
		}
		now, err := givenBy(r, id, body)
		if err != nil {
			return err
		}
		var before map[string]assess.Answer
		if is.Before != "" {
			if before, err = givenBy(r, is.Before, body); err != nil {
				return err
			}
		}
		c.Standings = compare(is.pack, now, before, c.Release).Standings
		return nil
	})
	return c, err
}

// givenBy returns what a body contributed to the outcomes of a survey, as answers of
// which only the level is said.
func givenBy(r Reader, id SurveyID, body string) (map[string]assess.Answer, error) {
	contributions, err := contributionsOf(r, id, "")
	if err != nil {
		return nil, err
	}
	answers := make(map[string]assess.Answer)
	for outcome, all := range contributions {
		for _, c := range all {
			if level := c.Given(); c.Body == body && level != framework.None {
				answers[outcome] = assess.Answer{Level: level, Verified: framework.None, Target: framework.None}
			}
		}
	}
	return answers, nil
}
