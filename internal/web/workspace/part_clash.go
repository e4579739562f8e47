package workspace

import (
	"html/template"
	"net/http"

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
	Note, Level     string // what is kept of the parts on which they agree
	Lead            string
	Back            web.Link
}

type partClashLine struct {
	Name, Part         string
	Base, Mine, Theirs string
	MineValue          string
	TheirsValue        string
}

// partClash shows who came second both, and lets her decide.
func (p *Pages) partClash(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, clash *workspace.Clash[assess.Contribution]) error {
	if wantsJSON(r) {
		entry := func(c assess.Contribution) *assess.Entry { return &assess.Entry{Level: c.Level, Note: c.Note} }
		writeJSON(w, http.StatusConflict, reply{
			Message: v.T("conflict.short", "Name", clash.Newest.By), Rev: clash.Newest.Rev, Compare: v.T("conflict.compare"),
			Base: entry(clash.Base), Mine: entry(clash.Mine), Theirs: entry(clash.Theirs),
		})
		return nil
	}
	body := clash.Mine.Body
	view := partClashView{
		Kicker: v.kicker(), Heading: v.T("conflict.heading"), Title: v.outcomes[o.ID].Title, Rev: itoa(clash.Newest.Rev),
		Lead:   v.T("conflict.lead", "Name", clash.Newest.By, "Date", v.Date(clash.Newest.At.Unix()), "Time", clash.Newest.At.UTC().Format("15:04")),
		Action: v.to.under(v.survey.ID, "part", "outcome", o.ID, body), Note: clash.Merged.Note, Level: levelValue(clash.Merged.Level),
		Back: web.Link{Text: v.T("part.up"), Href: v.to.under(v.survey.ID, "part")},
	}
	for _, name := range clash.Parts {
		line := partClashLine{Part: name, Name: v.T("field." + name)}
		if name == "level" {
			line.Base, line.Mine, line.Theirs = v.level(clash.Base.Level), v.level(clash.Mine.Level), v.level(clash.Theirs.Level)
			line.MineValue, line.TheirsValue = levelValue(clash.Mine.Level), levelValue(clash.Theirs.Level)
		} else {
			line.Base, line.Mine, line.Theirs = clash.Base.Note, clash.Mine.Note, clash.Theirs.Note
			line.MineValue, line.TheirsValue = clash.Mine.Note, clash.Theirs.Note
		}
		view.Lines = append(view.Lines, line)
	}
	view.Page = p.page(v, view.Heading, "", surveyPath(v.survey.ID)+"part")
	p.render(w, http.StatusConflict, "partclash", view)
	return nil
}
