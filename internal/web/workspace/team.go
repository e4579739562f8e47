package workspace

import (
	"net/http"

	"muster/internal/web"
	"muster/internal/workspace"
)

// teamBase is where the pages by which people enter lie, beside these.
const teamBase = "/account"

// may says what the person can do on a page, so that it has no form that would be
// refused, and in a sentence where she only looks.
type may struct {
	Answer, Organise, Remark, Verify, Plan, Measure, Seal bool
	Note                                                  string // empty for a lead
}

func (v *visit) may() may {
	p := v.person
	m := may{p.Answers(), p.Organises(), p.Remarks(), p.Verifies(), p.Plans(), p.Measures(), p.Seals(), ""}
	for _, role := range []workspace.Role{workspace.RoleVerifier, workspace.RoleApprover, workspace.RoleReader} {
		if !m.Answer && p.Is(role) {
			m.Note = v.T("role." + string(role))
			break
		}
	}
	return m
}

// nav returns the pages of a survey that the person has a use for.
func (v *visit) nav(here string) []web.Link {
	var links []web.Link
	link := func(id, href string) {
		links = append(links, web.Link{Text: v.T(id), Href: href, Current: href == here})
	}
	s := v.survey.ID
	if !v.person.SeesAll() {
		link("nav.part", v.to.under(s, "part"))
		link("nav.partStanding", v.to.under(s, "part", "standing"))
		return links
	}
	link("nav.answers", v.to.survey(s))
	link("nav.bodies", v.to.under(s, "bodies"))
	link("nav.verification", v.to.under(s, "verification"))
	link("nav.check", v.to.under(s, "check"))
	link("nav.signoff", v.to.under(s, "signoff"))
	link("nav.sealing", v.to.under(s, "sealing"))
	link("nav.standing", v.to.under(s, "standing"))
	link("nav.plan", v.to.under(s, "plan"))
	link("nav.brief", v.to.under(s, "brief"))
	if v.person.Is(workspace.RoleContributor) {
		link("nav.part", v.to.under(s, "part"))
	}
	return links
}

// landing is where somebody begins: the verifier at the sample, the approver at what
// waits for her, everybody else at the home. What goes wrong is shown there.
func (p *Pages) landing(r *http.Request, to places) string {
	person := p.person(r)
	verifies, approves := person.Is(workspace.RoleVerifier), person.Is(workspace.RoleApprover)
	if person.Is(workspace.RoleLead) || !verifies && !approves {
		return to.home()
	}
	surveys, err := p.service.Surveys(r.Context(), person)
	if err != nil {
		return to.home()
	}
	for _, s := range surveys {
		if s.State == workspace.StateClosed {
			continue
		}
		if verifies {
			return to.under(s.ID, "verification")
		}
		so, err := p.service.SignOff(r.Context(), person, s.ID)
		if err != nil {
			return to.home()
		}
		if step, waiting := so.Next(s.Digest); waiting && person.DecidesAt(step.ID) {
			return to.under(s.ID, "signoff")
		}
	}
	return to.home()
}
