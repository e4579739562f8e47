package workspace

import (
	"bytes"
	"cmp"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/disclosure"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/web"
	"muster/internal/workspace"
)

// bodyStandingView is a body's own part beside the coalition.
type bodyStandingView struct {
	web.Page
	Kicker, Heading, Lead string
	Stamp                 string
	Scope                 string
	Counts                []sheetCount
	Notice                string
	Areas                 []standingArea
	Empty                 string
	Scale                 scaleView
	Rests                 string
	CSV                   web.Link
	Back                  web.Link
}

// bodyStanding shows a body what it contributed, beside what was released: nothing that
// the member or another body answered.
func (p *Pages) bodyStanding(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, body := v.survey.ID, r.PathValue("body")
	c, err := p.service.CompareBody(r.Context(), v.person, id, body)
	if err != nil {
		return err
	}
	released := c.Release
	part := released.Participation
	view := bodyStandingView{
		Kicker: v.kicker(), Heading: v.T("bodyStanding.heading", "Body", c.Body.Name), Stamp: released.Marking, Scope: c.Body.Scope, Scale: v.scale,
		Lead:   v.N("standing.lead", part.Submissions, "Of", part.Members, "Coalition", released.Coalition),
		Rests:  v.source(released),
		CSV:    web.Link{Text: v.T("bodyStanding.csv"), Href: v.to.under(id, "standing", "body", body, "standing.csv")},
		Notice: v.T("bodyStanding.members"),
	}
	if v.person.Is(workspace.RoleLead) {
		view.Back = web.Link{Text: v.T("nav.standing"), Href: v.to.under(id, "standing")}
	}
	if len(c.Standings) == 0 {
		view.Empty = v.T("bodyStanding.empty")
	}
	levels := levelsOf(released)
	standings := make(map[string]workspace.Standing, len(c.Standings))
	var rose, fell, compared int
	for _, s := range c.Standings {
		standings[s.Outcome] = s
		if s.Move != assess.MoveNotComparable {
			compared++
		}
		switch s.Move {
		case assess.MoveRose:
			rose++
		case assess.MoveFell:
			fell++
		}
	}
	view.Counts = []sheetCount{{v.T("bodyStanding.answered"), v.Number(len(c.Standings))}}
	if compared > 0 {
		view.Counts = append(view.Counts, sheetCount{v.T("standing.rose"), v.T("count.of", "N", rose, "Of", compared)}, sheetCount{v.T("standing.fell"), v.T("count.of", "N", fell, "Of", compared)})
	}
	for i := range v.pack.Areas {
		a := &v.pack.Areas[i]
		area := standingArea{ID: a.ID, Title: v.areas[a.ID]}
		for j := range a.Outcomes {
			o := v.outcomes[a.Outcomes[j].ID]
			if s, ok := standings[o.ID]; ok {
				row := standingRow{ID: o.ID, Title: o.Title}
				v.own(&row, s)
				v.stripOf(&row, o, levels[o.ID], s.Band, released)
				area.Rows = append(area.Rows, row)
			}
		}
		if len(area.Rows) > 0 {
			view.Areas = append(view.Areas, area)
		}
	}
	here := v.to.under(id, "standing", "body", body)
	view.Page = p.page(v, view.Heading, here, surveyPath(id)+"standing/body/"+body)
	p.render(w, http.StatusOK, "body", view)
	return nil
}

// source says what the numbers of a release rest on.
func (v *visit) source(r *release.Release) string {
	text := v.T("standing.source", "Coalition", r.Coalition, "Cycle", r.Cycle, "Cohort", r.Cohort, "Pack", r.Framework.ID, "Version", r.Framework.Version, "N", r.Participation.Submissions, "Of", r.Participation.Members)
	if r.Marking != "" {
		text = r.Marking + " · " + text
	}
	return text
}

func levelsOf(r *release.Release) map[string]disclosure.BandedBlock {
	levels := make(map[string]disclosure.BandedBlock)
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			levels[o.ID] = o.Level
		}
	}
	return levels
}

// stripOf puts the strip of an outcome into a row, or why there is none.
func (v *visit) stripOf(row *standingRow, o *outcomeTexts, level disclosure.BandedBlock, own int, r *release.Release) {
	if level.Shown() {
		row.Strip = v.strip(o.ID+" "+o.plainTitle, level, own, r.Marking, v.T("standing.own"))
		return
	}
	for _, n := range r.NotShown {
		if n.Block == level.Name() {
			row.Hidden = v.Show(web.Text{In: r.Reasons[n.Reason], First: "en"})
			return
		}
	}
	row.Hidden = template.HTML(template.HTMLEscapeString(v.T("standing.notShown")))
}

// bodyColumns are the columns of a body's file, the same in every language.
var bodyColumns = []string{"marking", "member", "body", "cycle", "pack", "pack_version", "area", "outcome", "title", "level", "level_before", "lower", "same_band", "higher", "band_from", "band_to", "counted", "of"}

// bodyCSV serves the same as a file.
func (p *Pages) bodyCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := p.service.CompareBody(r.Context(), v.person, v.survey.ID, r.PathValue("body"))
	if err != nil {
		return err
	}
	marking := cmp.Or(c.Release.Marking, v.marking)
	var b bytes.Buffer
	var rows [][]string
	levels := levelsOf(c.Release)
	for _, s := range c.Standings {
		o, ok := v.pack.Outcome(s.Outcome)
		if !ok {
			continue
		}
		before := ""
		if s.Before != framework.None {
			before = s.Before.String()
		}
		row := []string{marking, v.member, c.Body.ID, v.survey.ID.Cycle(), v.pack.ID, v.pack.Version, o.AreaID(), o.ID, v.outcomes[o.ID].plainTitle, s.Answer.Level.String(), before, "", "", "", "", "", strconv.Itoa(c.Release.Participation.Submissions), strconv.Itoa(c.Release.Participation.Members)}
		if s.Band >= 0 {
			band := levels[o.ID].Bands()[s.Band]
			row[14], row[15] = band.Units[0], band.Units[len(band.Units)-1]
			if s.Answer.Level.Given() {
				row[11], row[12], row[13] = strconv.FormatUint(s.Lower, 10), strconv.FormatUint(s.Same, 10), strconv.FormatUint(s.Higher, 10)
			}
		}
		rows = append(rows, row)
	}
	if err := workbook.WriteTable(&b, bodyColumns, rows); err != nil { // titles come from files that others wrote
		return err
	}
	attach(w, "text/csv; charset=utf-8; header=present", strings.Join([]string{marking, v.member, v.survey.ID.Cycle(), v.pack.ID, c.Body.ID}, "-")+".csv")
	_, _ = w.Write(b.Bytes()) // an error means that the other side has gone
	return nil
}
