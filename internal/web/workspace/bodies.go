package workspace

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// bodiesView is the bodies of the member, their sections, and what they contributed,
// side by side.
type bodiesView struct {
	web.Page
	Kicker     string
	Action     string
	SectionTo  string
	Bodies     []bodyView
	Sections   []sectionView
	Reminders  []reminderView
	Areas      []areaChoice
	Matrix     *matrixView
	Edit       *editView
	AllAreas   []option
	AllBodies  []option
	RollUpRule template.HTML
	May        mayView

	NeedsLink, LettersLink, CalendarLink, BooksLink web.Link
}

type bodyView struct {
	assess.Body
	Rev string
}

type sectionView struct {
	workspace.Section
	Rev    string
	Slice  string
	Who    string
	DueDay string
	Areas  []option
	Listed []option
}

type reminderView struct {
	Says, Contact string
	Overdue       bool
}

type areaChoice struct {
	web.Link
}

// matrixView is an area's outcomes against bodies.
type matrixView struct {
	Heading template.HTML
	Columns []column
	Rows    []matrixRow
}

type column struct{ ID, Name string }

type matrixRow struct {
	ID       string
	Anchor   string
	Title    template.HTML
	Href     string
	Cells    []cell
	Proposal chip
	Lowest   chip
	Own      chip
	Differs  bool
	Says     string
}

type cell struct {
	Chip    chip
	Href    string
	Label   string
	Note    bool
	Low     bool
	Waiting bool // it is of the cycle before, and the body has not confirmed it
}

// editView is the form of one body's answer to one outcome.
type editView struct {
	*outcomeTexts
	Body    string
	Name    string
	Rev     string
	Carried bool // the level is of the cycle before and not confirmed
	Level   string
	Note    string
	Reason  string
	Place   string
	Grades  template.HTML
	Action  string
	Saved   string
	Cancel  web.Link
	Heading string
}

func (p *Pages) bodies(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	s, err := p.state(ctx, v)
	if err != nil {
		return err
	}
	bodies, err := p.service.Bodies(ctx, v.person)
	if err != nil {
		return err
	}
	sections, err := p.service.Sections(ctx, v.person, id)
	if err != nil {
		return err
	}
	reminders, err := p.service.Reminders(ctx, v.person, id)
	if err != nil {
		return err
	}
	view := bodiesView{Kicker: v.kicker(), Action: v.to.under(id, "bodies", "body"), SectionTo: v.to.under(id, "bodies", "section"), RollUpRule: v.ruleText(), May: v.may("bodies")}
	view.NeedsLink = web.Link{Text: v.T("needs.heading"), Href: v.to.under(id, "needs")}
	view.BooksLink = web.Link{Text: v.T("books.title"), Href: v.to.under(id, "bodies", "workbooks")}
	view.LettersLink = web.Link{Text: v.T("letter.title"), Href: v.to.under(id, "letters")}
	view.CalendarLink = web.Link{Text: v.T("home.calendar"), Href: v.to.under(id, "reminders.ics")}
	for _, body := range bodies {
		view.Bodies = append(view.Bodies, bodyView{Body: body.Body, Rev: itoa(body.Rev)})
	}
	view.AllAreas, view.AllBodies = v.areaOptions(nil), bodyOptions(bodies, nil)
	for _, section := range sections {
		one := sectionView{
			Section: section.Section, Rev: itoa(section.Rev), DueDay: v.day(section.Due), Slice: v.slice(section.Section),
			Areas: v.areaOptions(section.Areas), Listed: bodyOptions(bodies, section.Bodies),
		}
		var names []string
		for _, body := range section.Bodies {
			name := nameOf(s.bodies, body)
			if n := section.Units[body]; n > 0 {
				name = v.T("bodies.counts", "Name", name, "N", v.Number(n))
			}
			names = append(names, name)
		}
		one.Who = v.List(names)
		view.Sections = append(view.Sections, one)
	}
	for _, reminder := range reminders {
		one := reminderView{Contact: reminder.Section.Contact, Overdue: reminder.Overdue}
		one.Says = v.N("reminder.open", reminder.Open, "Body", reminder.Body.Name, "Of", reminder.Of, "Section", reminder.Section.Title)
		if day := v.day(reminder.Section.Due); day != "" {
			one.Says += " " + v.T("reminder.due", "Date", day)
		}
		view.Reminders = append(view.Reminders, one)
	}
	area, ok := v.pack.Area(r.URL.Query().Get("area"))
	if !ok {
		area = &v.pack.Areas[0]
	}
	for i := range v.pack.Areas {
		a := &v.pack.Areas[i]
		view.Areas = append(view.Areas, areaChoice{web.Link{Text: a.ID, Title: plainText(v.areas[a.ID]), Href: v.to.under(id, "bodies") + "?area=" + a.ID + "#matrix", Current: a == area}})
	}
	if len(bodies) > 0 {
		view.Matrix = v.matrix(area, bodies, sections, s)
		view.Edit = v.edit(r.URL.Query(), s, sections)
	}
	view.Page = p.page(v, v.T("nav.bodies"), v.to.under(id, "bodies"), surveyPath(id)+"bodies?area="+area.ID)
	p.render(w, http.StatusOK, "bodies", view)
	return nil
}

func (v *visit) ruleText() template.HTML {
	return v.Show(web.Text{In: v.pack.RollUp.Text, First: v.pack.Languages[0]})
}

func (v *visit) areaOptions(selected []string) []option {
	var all []option
	for i := range v.pack.Areas {
		a := &v.pack.Areas[i]
		all = append(all, option{a.ID, a.ID + " " + plainText(v.areas[a.ID]), slices.Contains(selected, a.ID)})
	}
	return all
}

func bodyOptions(bodies []workspace.SavedBody, selected []string) []option {
	var all []option
	for _, b := range bodies {
		all = append(all, option{b.ID, b.Name, slices.Contains(selected, b.ID)})
	}
	return all
}

// slice says what of the pack a section is.
func (v *visit) slice(s workspace.Section) string {
	if len(s.Areas) == 0 && len(s.Outcomes) == 0 {
		return v.T("section.whole")
	}
	return v.List(append(slices.Clone(s.Areas), s.Outcomes...))
}

// matrix puts the bodies that are listed in an area, or contributed to it, side by side.
func (v *visit) matrix(area *framework.Area, bodies []workspace.SavedBody, sections []workspace.SavedSection, s *state) *matrixView {
	listed := make(map[string]map[string]bool) // by outcome
	shown := make(map[string]bool)
	outcomes := outcomesOf(area)
	for _, o := range outcomes {
		listed[o.ID] = make(map[string]bool)
		for _, section := range sections {
			if section.Covers(o) {
				for _, body := range section.Bodies {
					listed[o.ID][body], shown[body] = true, true
				}
			}
		}
		for _, c := range s.contributions[o.ID] {
			shown[c.Body] = true
		}
	}
	m := &matrixView{Heading: v.areas[area.ID]}
	for _, body := range bodies {
		if shown[body.ID] {
			m.Columns = append(m.Columns, column{body.ID, body.Name})
		}
	}
	for _, o := range outcomes {
		e, proposal := s.entries[o.ID].Entry, s.proposals[o.ID]
		row := matrixRow{
			ID: o.ID, Anchor: anchor(o.ID), Title: v.outcomes[o.ID].Title, Href: v.to.question(v.survey.ID, o.AreaID(), o.ID),
			Own: v.chip(e.Level), Proposal: v.chip(proposal.Level), Lowest: v.chip(proposal.Lowest),
		}
		if n := len(proposal.Waiting); n > 0 {
			row.Says = v.N("proposal.waiting", n, "Of", proposal.Asked)
		}
		row.Differs = e.Answered() && proposal.Level != framework.None && proposal.Level != e.Level
		number, _ := proposal.Level.Number()
		for _, col := range m.Columns {
			var c workspace.SavedContribution
			for _, other := range s.contributions[o.ID] {
				if other.Body == col.ID {
					c = other
				}
			}
			n, given := c.Given().Number()
			one := cell{Chip: v.chip(c.Level), Note: c.Note+c.Reason+c.Place != "", Low: given && proposal.Level.Given() && n < number, Waiting: c.Carried}
			if !listed[o.ID][col.ID] && c.Rev == 0 {
				one.Chip.Text = ""
			}
			level := v.level(c.Level)
			if c.Carried {
				level = v.T("field.carried", "Level", level)
				one.Chip.Title = level
			}
			one.Label = v.T("matrix.cell", "Body", col.Name, "ID", o.ID, "Level", level)
			if v.writes(o, col.ID, sections) {
				one.Href = v.to.under(v.survey.ID, "bodies") + "?" + url.Values{"area": {area.ID}, "edit": {o.ID}, "body": {col.ID}}.Encode() + "#edit"
			}
			row.Cells = append(row.Cells, one)
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

// writes reports whether the person answers an outcome for a body.
func (v *visit) writes(o *framework.Outcome, body string, sections []workspace.SavedSection) bool {
	return v.person.Is(workspace.RoleLead) || v.person.AnswersFor(body) && slices.ContainsFunc(sections, func(s workspace.SavedSection) bool {
		return s.Covers(o) && slices.Contains(s.Bodies, body)
	})
}

func (v *visit) edit(query url.Values, s *state, sections []workspace.SavedSection) *editView {
	o, ok := v.pack.Outcome(query.Get("edit"))
	body := query.Get("body")
	if name, there := s.bodies[body]; ok && there && v.writes(o, body, sections) {
		e := &editView{
			outcomeTexts: v.outcomes[o.ID], Body: body, Name: name, Rev: "0", Action: v.to.outcome(v.survey.ID, o.ID, "contribution"),
			Cancel:  web.Link{Text: v.T("edit.cancel"), Href: v.to.under(v.survey.ID, "bodies") + "?area=" + o.AreaID() + "#matrix"},
			Heading: v.T("edit.heading", "Body", name, "ID", o.ID), Grades: template.HTML(v.gradeOptions[framework.NoEvidence]),
		}
		for _, c := range s.contributions[o.ID] {
			if c.Body == body {
				e.Rev, e.Note, e.Reason, e.Place, e.Saved = itoa(c.Rev), c.Note, c.Reason, c.Place, v.when(c.Revised)
				e.Carried = c.Carried
				e.Grades = template.HTML(v.gradeOptions[c.Evidence])
				if c.Level != framework.None {
					e.Level = c.Level.String()
				}
			}
		}
		return e
	}
	return nil
}

// bodyNames returns the names of the bodies by their ids.
func (p *Pages) bodyNames(ctx context.Context, v *visit) (map[string]string, error) {
	bodies, err := p.service.Bodies(ctx, v.person)
	names := make(map[string]string, len(bodies))
	for _, body := range bodies {
		names[body.ID] = body.Name
	}
	return names, err
}

func (p *Pages) putBody(w http.ResponseWriter, r *http.Request, v *visit) error {
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if id := r.PostForm.Get("remove"); id != "" {
		err = p.service.RemoveBody(r.Context(), v.person, base, id)
	} else {
		body := assess.Body{ID: text(r.PostForm, "id"), Name: text(r.PostForm, "name"), Kind: text(r.PostForm, "kind"), Scope: text(r.PostForm, "scope")}
		_, err = p.service.PutBody(r.Context(), v.person, base, body)
	}
	if err != nil {
		place := clashPlace{v.to.under(v.survey.ID, "bodies", "body"), one("id", text(r.PostForm, "id")), web.Link{Text: v.T("conflict.leave"), Href: v.to.under(v.survey.ID, "bodies") + "#bodies"}}
		return clashed(p, w, v, err, place, bodyFields(v))
	}
	return back(w, r, v.to.under(v.survey.ID, "bodies")+"#bodies")
}

func (p *Pages) putSection(w http.ResponseWriter, r *http.Request, v *visit) error {
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if id := r.PostForm.Get("remove"); id != "" {
		err = p.service.RemoveSection(r.Context(), v.person, v.survey.ID, base, id)
	} else {
		section := workspace.Section{
			ID: text(r.PostForm, "id"), Title: text(r.PostForm, "title"), Areas: r.PostForm["area"], Bodies: r.PostForm["listed"],
			Due: text(r.PostForm, "due"), Contact: text(r.PostForm, "contact"),
		}
		if len(r.PostForm["outcomes"]) > 0 { // of a section by outcomes, which this form does not change
			section.Outcomes = r.PostForm["outcomes"]
		}
		if section.Units, err = sectionUnits(r.PostForm, section.Bodies); err != nil {
			return err
		}
		_, err = p.service.PutSection(r.Context(), v.person, v.survey.ID, base, section)
	}
	if err != nil {
		names, namesErr := p.bodyNames(r.Context(), v)
		if namesErr != nil {
			return namesErr
		}
		place := clashPlace{v.to.under(v.survey.ID, "bodies", "section"), one("id", text(r.PostForm, "id")), web.Link{Text: v.T("conflict.leave"), Href: v.to.under(v.survey.ID, "bodies") + "#sections"}}
		return clashed(p, w, v, err, place, sectionFields(v, names))
	}
	return back(w, r, v.to.under(v.survey.ID, "bodies")+"#sections")
}

// planView is the improvement plan.
type planView struct {
	web.Page
	Kicker  string
	Action  string
	Lead    string
	Lines   []planLine
	Choices []option
	New     planLine
	Below   []checkItem // outcomes below their target without a line
	May     mayView
}

type planLine struct {
	T        func(string, ...any) string
	Key      string // part of the ids of its controls
	ID, Rev  string
	Outcome  string
	Title    template.HTML
	Href     string
	Action   assess.Action
	DueDay   string
	Fundings []option
	Says     string
	Overdue  bool
	Heading  string
}

func (p *Pages) plan(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := v.survey.ID
	actions, err := p.service.Actions(r.Context(), v.person, id)
	if err != nil {
		return err
	}
	saved, err := p.service.Entries(r.Context(), v.person, id)
	if err != nil {
		return err
	}
	view := planView{Kicker: v.kicker(), Action: v.to.under(id, "plan", "action"), Lead: v.N("plan.lead", len(actions)), May: v.may("plan")}
	today := p.now().Format(time.DateOnly)
	planned := make(map[string]bool)
	for _, a := range actions {
		o, ok := v.pack.Outcome(a.Action.Outcome)
		if !ok {
			continue
		}
		planned[o.ID] = true
		line := planLine{
			T: v.T, Key: "-" + o.ID + "-" + a.ID, ID: a.ID, Rev: itoa(a.Rev), Outcome: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.question(id, o.AreaID(), o.ID), Action: a.Action,
			DueDay: v.day(a.Action.Due), Fundings: v.fundings(a.Action.Funding), Overdue: !a.Action.Finished && !a.Action.Nothing && a.Action.Due != "" && a.Action.Due < today,
		}
		switch {
		case a.Action.Nothing:
			line.Says = v.T("plan.nothing")
		case a.Action.Finished:
			line.Says = v.T("plan.finished")
		case line.Overdue:
			line.Says = v.T("plan.overdue")
		default:
			line.Says = v.T("plan.underWay")
		}
		view.Lines = append(view.Lines, line)
	}
	chosen := r.URL.Query().Get("outcome")
	for _, o := range v.pack.Outcomes() {
		view.Choices = append(view.Choices, option{o.ID, o.ID + " " + v.outcomes[o.ID].plainTitle, o.ID == chosen})
		if e := saved[o.ID].Entry; belowTarget(e) && !planned[o.ID] {
			view.Below = append(view.Below, checkItem{
				ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.under(id, "plan") + "?outcome=" + o.ID + "#new",
				Says: v.T("plan.gap", "Level", e.Level.String(), "Target", e.Target.String()),
			})
		}
	}
	view.New = planLine{T: v.T, Key: "-new", Rev: "0", Fundings: v.fundings(assess.FundingUnknown)}
	view.Page = p.page(v, v.T("nav.plan"), v.to.under(id, "plan"), surveyPath(id)+"plan")
	p.render(w, http.StatusOK, "plan", view)
	return nil
}

func (v *visit) fundings(selected assess.Funding) []option {
	var all []option
	for _, f := range assess.Fundings() {
		name := string(f)
		if name == "" {
			name = "unknown"
		}
		all = append(all, option{string(f), v.T("funding." + name), f == selected})
	}
	return all
}

func (p *Pages) putAction(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.known(r.PostForm.Get("outcome"))
	if err != nil {
		return err
	}
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	key := r.PostForm.Get("id")
	if r.PostForm.Has("remove") {
		if key == "" {
			return errs.New(errs.Invalid, "the form does not say which line", "load the page again")
		}
		err = p.service.RemoveAction(r.Context(), v.person, v.survey.ID, o.ID, key, base)
	} else {
		_, err = p.service.PutAction(r.Context(), v.person, v.survey.ID, key, base, assess.Action{
			Outcome: o.ID, Nothing: r.PostForm.Has("nothing"), Text: text(r.PostForm, "text"), Owner: text(r.PostForm, "owner"), Due: text(r.PostForm, "due"),
			Cost: text(r.PostForm, "cost"), Funding: assess.Funding(r.PostForm.Get("funding")), Finished: r.PostForm.Has("finished"),
		})
	}
	if err != nil {
		always := []hidden{{"id", key}, {"outcome", o.ID}}
		place := clashPlace{v.to.under(v.survey.ID, "plan", "action"), always, web.Link{Text: v.T("conflict.leave"), Href: v.to.under(v.survey.ID, "plan")}}
		return clashed(p, w, v, err, place, actionFields(v))
	}
	return back(w, r, v.to.under(v.survey.ID, "plan"))
}
