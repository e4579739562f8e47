package workspace

import (
	"html/template"
	"net/http"
	"slices"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
)

// filters are the choices of ?show=, the first is the default.
var filters = [...]string{"all", "first", "unanswered", "mine", "below", "changed", "unproven"}

// overviewView is a survey on one page: its areas and outcomes, and filters.
type overviewView struct {
	web.Page
	Kicker   string
	Heading  template.HTML
	Lead     string
	Deadline string
	Urgent   bool
	State    string
	Progress progressView
	Next     web.Link
	Filters  []filterLink
	Shown    string
	Areas    []overviewArea
	Scale    scaleView
	Empty    string
}

type filterLink struct {
	web.Link
	Count string
}

type overviewArea struct {
	ID       string
	Title    template.HTML
	Href     string
	Progress progressView
	Rows     []overviewRow
}

type overviewRow struct {
	ID      string
	Title   template.HTML
	Href    string
	State   string
	Says    string
	Chip    chip
	Steps   template.HTML
	Target  string
	Notes   []string
	Move    string // against the cycle before
	MoveSay string
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.describe(r.Context(), v); err != nil {
		return err
	}
	s, err := p.state(r.Context(), v)
	if err != nil {
		return err
	}
	entries := s.plain()
	show := r.URL.Query().Get("show")
	if !slices.Contains(filters[:], show) {
		show = filters[0]
	}
	view := overviewView{
		Kicker: v.T("overview.kicker", "Cycle", v.survey.Cycle), Heading: v.packTitle, Lead: v.lead(v.survey.Progress), State: v.T("survey." + string(v.survey.State)),
		Progress: v.progress("survey", v.T("progress.survey"), v.survey.Progress), Next: v.next(v.survey, entries), Scale: v.scale,
	}
	view.Deadline, view.Urgent = v.deadline(v.survey, p.now())
	total := 0
	for _, f := range filters {
		if f == "first" && len(v.pack.BeginWith) == 0 {
			continue
		}
		n := 0
		for _, o := range v.pack.Outcomes() {
			if v.fits(f, s, o) {
				n++
			}
		}
		href := v.to.survey(v.survey.ID)
		if f != filters[0] {
			href += "?show=" + f
		}
		view.Filters = append(view.Filters, filterLink{web.Link{Text: v.T("filter." + f), Href: href, Current: f == show}, v.Number(n)})
		if f == show {
			total = n
		}
	}
	view.Shown = v.N("overview.shown", total, "Of", len(v.pack.Outcomes()))
	if total == 0 {
		view.Empty = v.T("filter.none")
	}
	for i := range v.pack.Areas {
		area := &v.pack.Areas[i]
		outcomes := outcomesOf(area)
		a := overviewArea{
			ID: area.ID, Title: v.areas[area.ID], Href: v.to.area(v.survey.ID, area.ID),
			Progress: v.progress("area-"+area.ID, v.T("progress.area", "ID", area.ID), assess.ProgressOf(outcomes, entries)),
		}
		for _, o := range outcomes {
			if v.fits(show, s, o) {
				a.Rows = append(a.Rows, v.row(o, s))
			}
		}
		if len(a.Rows) > 0 {
			view.Areas = append(view.Areas, a)
		}
	}
	rest := surveyPath(v.survey.ID)
	if show != filters[0] {
		rest += "?show=" + show
	}
	view.Page = p.page(v, v.plainPack()+" "+v.survey.Cycle, v.to.survey(v.survey.ID), rest)
	p.render(w, http.StatusOK, "overview", view)
	return nil
}

// fits reports whether an outcome is shown under a filter.
func (v *visit) fits(filter string, s *state, o *framework.Outcome) bool {
	e := s.entries[o.ID].Entry
	switch filter {
	case "first":
		return slices.Contains(v.pack.BeginWith, o.ID)
	case "unanswered":
		return !e.Answered()
	case "mine":
		return e.Assignee != "" && e.Assignee == v.person.Name
	case "below":
		return belowTarget(e)
	case "changed":
		before, ok := s.before[o.ID]
		return ok && e.Answered() && before.Entry.Level != e.Level
	case "unproven":
		return e.Unproven() || e.Bare(len(s.references[o.ID]))
	}
	return true
}

func (v *visit) row(o *framework.Outcome, s *state) overviewRow {
	e := s.entries[o.ID].Entry
	row := overviewRow{ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.question(v.survey.ID, o.AreaID(), o.ID), State: stateOf(e), Chip: v.chip(e.Level)}
	row.Says = v.T("state." + row.State)
	at, aim := -1, -1
	if n, ok := e.Level.Number(); ok {
		at = n
	}
	if n, ok := e.Target.Number(); ok {
		aim = n
		row.Target = v.T("row.target", "Level", e.Target.String())
	}
	title := v.T("row.at", "Level", v.level(e.Level))
	if row.Target != "" {
		title += "; " + row.Target
	}
	if !e.Carried && (e.Level.Given() || e.Level == framework.None) {
		row.Steps = web.Steps{Title: title, Steps: 5, At: at, Target: aim}.SVG()
	}
	if before, ok := s.before[o.ID]; ok && e.Answered() {
		was, now := assess.Answer{Level: before.Entry.Level}, assess.Answer{Level: e.Level}
		switch assess.OutcomeChange(&now, &was) {
		case assess.MoveRose:
			row.Move, row.MoveSay = "▲", v.T("move.rose", "Level", v.level(before.Entry.Level))
		case assess.MoveFell:
			row.Move, row.MoveSay = "▼", v.T("move.fell", "Level", v.level(before.Entry.Level))
		}
	}
	if e.Flagged {
		row.Notes = append(row.Notes, v.T("row.flagged"))
	}
	switch {
	case !e.Answered():
	case e.Unproven():
		row.Notes = append(row.Notes, v.T("row.unproven"))
	case e.Bare(len(s.references[o.ID])):
		row.Notes = append(row.Notes, v.T("row.bare"))
	}
	if n := len(s.comments[o.ID]); n > 0 {
		row.Notes = append(row.Notes, v.N("row.comments", n))
	}
	if e.Assignee != "" && !e.Answered() {
		row.Notes = append(row.Notes, v.T("row.assignee", "Name", e.Assignee))
	}
	if !e.Answered() && slices.Contains(v.pack.BeginWith, o.ID) {
		row.Notes = append(row.Notes, v.T("row.first"))
	}
	return row
}
