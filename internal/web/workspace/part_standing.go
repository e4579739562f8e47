package workspace

import (
	"html/template"
	"net/http"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/web"
	"muster/internal/workspace"
)

// partStandingView is a part beside the coalition.
type partStandingView struct {
	web.Page
	Kicker, Lead string
	Stamp        string // the marking of the release
	Given        bool
	Areas        []partStandingArea
	Scale        scaleView
	Rests        string
}

type partStandingArea struct {
	ID    string
	Title template.HTML
	Rows  []partStandingRow
}

type partStandingRow struct {
	ID     string
	Title  template.HTML
	Strip  template.HTML
	Hidden template.HTML // why there is no strip
	Cells  []partCell
}

// partStanding shows what the person's bodies contributed beside what the coalition
// released. The member's own place is not on it.
func (p *Pages) partStanding(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	view := partStandingView{Kicker: v.kicker(), Scale: v.scale}
	c, err := p.service.ComparePart(ctx, v.person, id)
	switch {
	case errs.KindOf(err) == errs.NotFound:
		view.Lead = v.T("part.unreleased")
	case err != nil:
		return err
	default:
		names, err := p.ownBodies(ctx, v)
		if err != nil {
			return err
		}
		view.Given = true
		v.partCompared(&view, c, names)
	}
	view.Page = p.page(v, v.T("nav.partStanding"), v.to.under(id, "part", "standing"), surveyPath(id)+"part/standing")
	p.render(w, http.StatusOK, "partstanding", view)
	return nil
}

func (v *visit) partCompared(view *partStandingView, c workspace.PartComparison, names map[string]string) {
	taken := c.Release.Participation
	view.Stamp = c.Release.Marking
	view.Lead = v.N("standing.lead", taken.Submissions, "Of", taken.Members, "Coalition", c.Release.Coalition)
	view.Rests = v.T("standing.source", "Coalition", c.Release.Coalition, "Cycle", c.Release.Cycle, "Cohort", c.Release.Cohort, "Pack", c.Release.Framework.ID, "Version", c.Release.Framework.Version, "N", taken.Submissions, "Of", taken.Members)
	reasons := make(map[string]release.Reason, len(c.Release.NotShown))
	for _, n := range c.Release.NotShown {
		reasons[n.Block] = n.Reason
	}
	for _, o := range c.Part.Outcomes {
		if n := len(view.Areas); n == 0 || view.Areas[n-1].ID != o.AreaID() {
			view.Areas = append(view.Areas, partStandingArea{ID: o.AreaID(), Title: v.areas[o.AreaID()]})
		}
		area := &view.Areas[len(view.Areas)-1]
		row := partStandingRow{ID: o.ID, Title: v.outcomes[o.ID].Title}
		own := -1
		for _, s := range c.Standings[o.ID] {
			row.Cells = append(row.Cells, partCell{Name: nameOf(names, s.Body), Chip: v.chip(s.Level)})
			if s.Level != framework.None && len(c.Standings[o.ID]) == 1 { // several bodies have no one dot
				own = s.Band
			}
		}
		level := c.Levels[o.ID]
		switch reason, ok := reasons[level.Name()]; {
		case level.Shown():
			row.Strip = v.strip(o.ID+" "+v.outcomes[o.ID].plainTitle, level, own, c.Release.Marking, v.T("part.own"))
		case ok:
			row.Hidden = v.Show(web.Text{In: c.Release.Reasons[reason], First: "en"})
		default:
			row.Hidden = template.HTML(template.HTMLEscapeString(v.T("standing.notShown")))
		}
		area.Rows = append(area.Rows, row)
	}
}
