package exchange

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/cascade"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/release"
)

// levelsOf returns which outcomes count for a framework.
func (p *CascadeParameters) levelsOf(pack string) (OutcomeLevels, error) {
	i := slices.IndexFunc(p.Levels, func(l OutcomeLevels) bool { return l.Framework == pack })
	if i < 0 {
		var known []string
		for _, l := range p.Levels {
			known = append(known, l.Framework)
		}
		return OutcomeLevels{}, errs.New(errs.Invalid, fmt.Sprintf("the parameters do not say which outcomes of %s show how well somebody stands", errs.Quote(pack)),
			"they do of "+strings.Join(known, ", ")+"; a changed file of parameters says it under levels")
	}
	return p.Levels[i], nil
}

// Crowd returns what a release says of how its members stand: bands of the outcomes
// that the parameters name. What it does not show is one band.
func (p *CascadeParameters) Crowd(r *release.Release) (*cascade.Crowd, error) {
	l, err := p.levelsOf(r.Framework.ID)
	if err != nil {
		return nil, err
	}
	shown := make(map[string]disclosure.BandedBlock)
	for i := range r.Areas {
		for j := range r.Areas[i].Outcomes {
			shown[r.Areas[i].Outcomes[j].ID] = r.Areas[i].Outcomes[j].Level
		}
	}
	c := &cascade.Crowd{Owners: r.Participation.Submissions}
	for _, list := range []struct {
		ids      []string
		recovery bool
	}{{l.Resistance, false}, {l.Recovery, true}} {
		for _, id := range list.ids {
			block, ok := shown[id]
			if !ok {
				return nil, errs.New(errs.Invalid, fmt.Sprintf("the release has no outcome %s, which the parameters name", id), "take parameters for the version of the framework")
			}
			o := cascade.CrowdOutcome{ID: id, Recovery: list.recovery}
			low := cascade.NoCrowdLevel
			for _, band := range block.Bands() {
				o.Bands = append(o.Bands, cascade.CrowdBand{Low: low, High: low + len(band.Units) - 1, Owners: int(band.Count)})
				low += len(band.Units)
			}
			c.Outcomes = append(c.Outcomes, o)
		}
	}
	return c, nil
}

// MemberLevels returns the levels of a member's answers to the outcomes that the
// parameters name, by outcome, and where it stands by them. It is for the member's
// own computer: what it returns is as secret as the answers.
func (p *CascadeParameters) MemberLevels(pack string, answers map[string]assess.Answer) (map[string]int, cascade.Level, error) {
	l, err := p.levelsOf(pack)
	if err != nil {
		return nil, cascade.Level{}, err
	}
	levels := make(map[string]int)
	var c cascade.Crowd
	for _, list := range []struct {
		ids      []string
		recovery bool
	}{{l.Resistance, false}, {l.Recovery, true}} {
		for _, id := range list.ids {
			c.Outcomes = append(c.Outcomes, cascade.CrowdOutcome{ID: id, Recovery: list.recovery})
			if answer, ok := answers[id]; ok {
				levels[id] = cascade.NoCrowdLevel
				if n, ok := answer.Level.Number(); ok {
					levels[id] = n
				}
			}
		}
	}
	return levels, c.Stand(levels), nil
}
