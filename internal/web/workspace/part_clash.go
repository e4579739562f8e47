package workspace

import (
	"html/template"
	"net/http"
	"slices"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// partClashView is what two people of a body made of the same answer.
type partClashView struct {
	web.Page
	Kicker, Heading string
	Title           template.HTML
	Action, Rev     string
	Lines           []partClashLine
	Agreed          []hidden // what is kept of the parts on which they agree
	Lead            string
	Back            web.Link
}

type partClashLine struct {
	N                  int
	Name               string
	Base, Mine, Theirs string
	Fields             []hidden // of both choices, see [resolve]
}

// partClash shows who came second both, and lets her decide.
func (p *Pages) partClash(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, clash *workspace.Clash[assess.Contribution]) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusConflict, reply{
			Message: v.T("conflict.short", "Name", clash.Newest.By), Rev: clash.Newest.Rev, Compare: v.T("conflict.compare"),
			Base: entryOf(clash.Base), Mine: entryOf(clash.Mine), Theirs: entryOf(clash.Theirs),
		})
		return nil
	}
	body := clash.Mine.Body
	view := partClashView{
		Kicker: v.kicker(), Heading: v.T("conflict.heading"), Title: v.outcomes[o.ID].Title, Rev: itoa(clash.Newest.Rev),
		Lead:   v.T("conflict.lead", "Name", clash.Newest.By, "Date", v.Date(clash.Newest.At.Unix()), "Time", clash.Newest.At.UTC().Format("15:04")),
		Action: v.to.under(v.survey.ID, "part", "outcome", o.ID, body),
		Back:   web.Link{Text: v.T("part.up"), Href: v.to.under(v.survey.ID, "part")},
	}
	for _, f := range contributionFields(v) {
		if !slices.Contains(clash.Parts, f.part) {
			view.Agreed = append(view.Agreed, f.fields(clash.Merged)...)
			continue
		}
		n := len(view.Lines)
		view.Lines = append(view.Lines, partClashLine{
			N: n, Name: f.label, Base: f.shown(clash.Base), Mine: f.shown(clash.Mine), Theirs: f.shown(clash.Theirs), Fields: f.ofBoth(n, clash),
		})
	}
	view.Page = p.page(v, view.Heading, "", surveyPath(v.survey.ID)+"part")
	p.render(w, http.StatusConflict, "partclash", view)
	return nil
}
