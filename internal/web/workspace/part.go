package workspace

import (
	"context"
	"errors"
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

// partHomeView is the home of who answers for bodies: her part of each survey.
type partHomeView struct {
	web.Page
	Heading, Lead string
	Unsent        unsentView
	Surveys       []surveyCard
	Earlier       []surveyCard
}

// partHome is the home of who sees her part only.
func (p *Pages) partHome(w http.ResponseWriter, r *http.Request, v *visit) error {
	surveys, err := p.service.Surveys(r.Context(), v.person)
	if err != nil {
		return err
	}
	names, err := p.ownBodies(r.Context(), v)
	if err != nil {
		return err
	}
	view := partHomeView{Heading: v.T("part.home", "Name", v.person.Name), Lead: v.T("part.noBody"), Unsent: v.unsent()}
	if len(names) > 0 {
		var all []string
		for _, id := range v.person.Bodies {
			if name := names[id]; name != "" {
				all = append(all, name)
			}
		}
		view.Lead = v.T("part.homeLead", "Bodies", v.List(all))
	}
	for _, s := range surveys {
		if s.Progress.Of == 0 { // nothing of it is asked of her
			continue
		}
		one := *v
		one.survey = s
		if one.pack, err = p.service.Pack(r.Context(), v.person, s.ID); err != nil {
			return err
		}
		one.packTexts = p.textsOf(one.pack, v.Lang)
		card := surveyCard{
			Title: one.packTitle, Cycle: s.Cycle, Href: v.to.under(s.ID, "part"), State: v.T("survey." + string(s.State)),
			Progress: v.progress("survey", v.T("part.progress"), s.Progress), Lead: v.N("part.open", s.Progress.Open(), "Of", s.Progress.Of),
			Next: web.Link{Text: v.T("part.go"), Href: v.to.under(s.ID, "part")},
		}
		if s.Progress.Open() == 0 {
			card.Lead = v.N("part.all", s.Progress.Of)
		}
		if card.Deadline, card.Urgent, err = p.partDue(r.Context(), &one); err != nil {
			return err
		}
		if s.Cycle == surveys[0].Cycle {
			view.Surveys = append(view.Surveys, card)
		} else {
			view.Earlier = append(view.Earlier, card)
		}
	}
	view.Page = p.page(v, v.T("home.title"), v.to.home(), "")
	p.render(w, http.StatusOK, "parthome", view)
	return nil
}

// ownBodies returns the names of the person's bodies, by id.
func (p *Pages) ownBodies(ctx context.Context, v *visit) (map[string]string, error) {
	bodies, err := p.service.Bodies(ctx, v.person)
	names := make(map[string]string, len(bodies))
	for _, b := range bodies {
		names[b.ID] = b.Name
	}
	return names, err
}

// partDue says when the first of the person's sections is due.
func (p *Pages) partDue(ctx context.Context, v *visit) (says string, urgent bool, err error) {
	sections, err := p.service.Sections(ctx, v.person, v.survey.ID)
	first := ""
	for _, s := range sections {
		if s.Due != "" && (first == "" || s.Due < first) {
			first = s.Due
		}
	}
	if err != nil || first == "" {
		return v.T("part.noDue"), false, err
	}
	over := first < p.now().UTC().Format(time.DateOnly)
	if over {
		return v.T("part.overdue", "Date", v.day(first)), v.survey.Progress.Open() > 0, nil
	}
	return v.T("part.due", "Date", v.day(first)), false, nil
}

// partView is what of a survey is asked of the person.
type partView struct {
	web.Page
	Kicker, Heading, Lead string
	Progress              progressView
	Sections              []partSection
	Empty                 string
	Standing              web.Link // empty while no release is kept
}

// partSection is a section of hers.
type partSection struct {
	Title, Due, Contact string
	Urgent              bool
	Progress            progressView
	Rows                []partRow
}

type partRow struct {
	ID, Href, Says string
	Title          template.HTML
	Cells          []partCell
	Done           bool
	Carried        bool // all that is left is to confirm
}

type partCell struct {
	Name string
	Chip chip
}

// unanswered reports whether a body is still asked: it gave nothing, or has not
// confirmed what it gave in the cycle before.
func unanswered(c workspace.SavedContribution) bool { return c.Given() == framework.None }

func (p *Pages) ownPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	part, err := p.service.Part(ctx, v.person, id)
	if err != nil {
		return err
	}
	sections, err := p.service.Sections(ctx, v.person, id)
	if err != nil {
		return err
	}
	names, err := p.ownBodies(ctx, v)
	if err != nil {
		return err
	}
	progress := part.Progress()
	view := partView{
		Kicker: v.kicker(), Heading: v.T("part.heading"), Lead: v.N("part.open", progress.Open(), "Of", progress.Of),
		Progress: v.progress("part", v.T("part.progress"), progress),
	}
	switch {
	case progress.Of == 0:
		view.Lead, view.Empty = "", v.T("part.empty")
	case progress.Open() == 0:
		view.Lead = v.N("part.all", progress.Of)
	}
	if _, err := p.service.ComparePart(ctx, v.person, id); err == nil {
		view.Standing = web.Link{Text: v.T("nav.partStanding"), Href: v.to.under(id, "part", "standing")}
	} else if errs.KindOf(err) != errs.NotFound {
		return err
	}
	today := p.now().UTC().Format(time.DateOnly)
	shown := make(map[string]bool)
	for i, section := range sections {
		one := partSection{Title: section.Title, Contact: section.Contact}
		counted := assess.Progress{}
		for _, o := range section.Of(v.pack) {
			counted.Of++
			row := v.partRow(o, part, names)
			switch {
			case row.Done:
				counted.Answered++
			case row.Carried:
				counted.Carried++
			}
			if !shown[o.ID] { // one that is in several sections stands in the first
				shown[o.ID] = true
				one.Rows = append(one.Rows, row)
			}
		}
		if section.Due != "" {
			one.Due = v.T("part.due", "Date", v.day(section.Due))
			if section.Due < today {
				one.Due, one.Urgent = v.T("part.overdue", "Date", v.day(section.Due)), counted.Open() > 0
			}
		}
		one.Progress = v.progress("section-"+itoa(workspace.Revision(i)), v.T("part.progress"), counted)
		view.Sections = append(view.Sections, one)
	}
	view.Page = p.page(v, view.Heading, v.to.under(id, "part"), surveyPath(id)+"part")
	p.render(w, http.StatusOK, "part", view)
	return nil
}

func (v *visit) partRow(o *framework.Outcome, part workspace.Part, names map[string]string) partRow {
	row := partRow{ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.partPlace(o, ""), Done: true, Carried: true}
	for _, body := range part.Bodies[o.ID] {
		c := part.Contributions[o.ID][body]
		row.Cells = append(row.Cells, partCell{Name: nameOf(names, body), Chip: v.chip(c.Level)})
		row.Done = row.Done && !unanswered(c)
		row.Carried = row.Carried && c.Level != framework.None
	}
	switch {
	case row.Done:
		row.Says = v.T("state.done")
	case row.Carried:
		row.Says = v.T("state.carried")
	default:
		row.Says = v.T("state.open")
	}
	return row
}

// partPlace is where a body is asked an outcome.
func (v *visit) partPlace(o *framework.Outcome, body string) string {
	place := v.to.under(v.survey.ID, "part", "area", o.AreaID()) + "#" + anchor(o.ID)
	if body != "" {
		place += "-" + body
	}
	return place
}

// partAreaView is the page on which bodies answer what they are asked of an area.
type partAreaView struct {
	web.Page
	Kicker    string
	AreaID    string
	Heading   template.HTML
	Progress  progressView
	Index     []indexArea
	Scale     scaleView
	Questions []partQuestion
	Tab       string
	Up        web.Link
	Previous  web.Link // empty if there is none
	Next      web.Link
}

// partQuestion is an outcome, asked of one body.
type partQuestion struct {
	*outcomeTexts
	Body, Name    string
	Anchor, State string
	Of            string // names it in what a tab keeps
	Action, Rev   string
	Level, Note   string
	Reason, Place string
	Grades        template.HTML // the options of the list of grades
	Proven        bool          // or evidence is not asked for
	Saved         string
	Last          *chip  // of the cycle before; nil if there is none
	LastNote      string // where the note is another by now
	Carried       bool   // it looks unchanged, and the body has not confirmed it
	Comments      []commentView
	CommentsHead  string
	Several       bool // the person answers for several bodies here
}

func (p *Pages) partArea(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	area, ok := v.pack.Area(r.PathValue("area"))
	if !ok {
		return errs.New(errs.NotFound, "the pack has no such area", "")
	}
	part, err := p.service.Part(ctx, v.person, id)
	if err != nil {
		return err
	}
	names, err := p.ownBodies(ctx, v)
	if err != nil {
		return err
	}
	comments, err := p.service.AllComments(ctx, v.person, id)
	if err != nil {
		return err
	}
	view := partAreaView{
		Kicker: v.T("part.kicker", "Cycle", id.Cycle(), "Pack", v.plainPack()), AreaID: area.ID, Heading: v.areas[area.ID], Scale: v.scale, Tab: v.tab,
		Up: web.Link{Text: v.T("part.up"), Href: v.to.under(id, "part")}, Progress: v.partProgress(area.ID, part),
	}
	for _, o := range part.Outcomes {
		if o.AreaID() != area.ID {
			continue
		}
		for _, body := range part.Bodies[o.ID] {
			view.Questions = append(view.Questions, v.partQuestion(o, body, part, names, comments[o.ID]))
		}
	}
	if len(view.Questions) == 0 {
		return errs.New(errs.NotFound, "nothing of this area is asked of you", "your part has what is")
	}
	v.partIndex(&view, area.ID, part)
	view.Page = p.page(v, area.ID+" "+plainText(v.areas[area.ID]), "", surveyPath(id)+"part/area/"+area.ID)
	p.render(w, http.StatusOK, "partarea", view)
	return nil
}

// partProgress counts what is contributed to an area.
func (v *visit) partProgress(area string, part workspace.Part) progressView {
	of := workspace.Part{Bodies: part.Bodies, Contributions: part.Contributions}
	for _, o := range part.Outcomes {
		if o.AreaID() == area {
			of.Outcomes = append(of.Outcomes, o)
		}
	}
	return v.progress("area-"+area, v.T("progress.area", "ID", area), of.Progress())
}

func (v *visit) partQuestion(o *framework.Outcome, body string, part workspace.Part, names map[string]string, comments []workspace.Comment) partQuestion {
	c := part.Contributions[o.ID][body]
	q := partQuestion{
		outcomeTexts: v.outcomes[o.ID], Body: body, Name: nameOf(names, body), Anchor: anchor(o.ID) + "-" + body, State: "open", Of: unsentOf(v.survey.ID, o.ID, body),
		Action: v.to.under(v.survey.ID, "part", "outcome", o.ID, body), Rev: itoa(c.Rev), Note: c.Note, Reason: c.Reason, Place: c.Place, Saved: v.when(c.Revised),
		Grades: template.HTML(v.gradeOptions[c.Evidence]), Proven: !c.Entry().Unproven(),
		Several: len(part.Bodies[o.ID]) > 1,
	}
	if c.Level != framework.None {
		q.Level, q.State, q.Carried = c.Level.String(), partState(c.Contribution), c.Carried
	}
	if last := part.Before[o.ID][body]; last.Given() != framework.None {
		is := v.chip(last.Level)
		if q.Last = &is; last.Note != c.Note {
			q.LastNote = last.Note
		}
	}
	for _, comment := range comments {
		if comment.Body == body {
			q.Comments = append(q.Comments, commentView{Text: comment.Text, Who: v.when(comment.Revised)})
		}
	}
	q.CommentsHead = v.N("ask.comments", len(q.Comments))
	return q
}

// partState says how far a body's answer is, as the script and the style sheet do.
func partState(c assess.Contribution) string {
	switch {
	case c.Carried:
		return "carried"
	case c.Given() == framework.None:
		return "open"
	}
	return "done"
}

// partIndex fills in the areas of which something is asked, and those beside this one.
func (v *visit) partIndex(view *partAreaView, here string, part workspace.Part) {
	var areas []string
	for _, o := range part.Outcomes {
		if !slices.Contains(areas, o.AreaID()) {
			areas = append(areas, o.AreaID())
		}
	}
	place := func(area string) web.Link {
		return web.Link{Text: area + " " + plainText(v.areas[area]), Href: v.to.under(v.survey.ID, "part", "area", area)}
	}
	for i, area := range areas {
		progress := v.partProgress(area, part)
		progress.ID = "index-" + area
		view.Index = append(view.Index, indexArea{ID: area, Title: v.areas[area], Href: place(area).Href, Progress: progress})
		if area != here {
			continue
		}
		if i > 0 {
			view.Previous = place(areas[i-1])
		}
		if i+1 < len(areas) {
			view.Next = place(areas[i+1])
		}
	}
}

// partBody returns the body that a form of a part is about.
func partBody(r *http.Request) string { return r.PathValue("body") }

// contributePart keeps what a body answers; the script sends the same form.
func (p *Pages) contributePart(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	c, err := readContribution(r.PostForm, partBody(r))
	if err != nil {
		return err
	}
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	saved, err := p.service.Contribute(r.Context(), v.person, v.survey.ID, o.ID, base, c)
	if clash, ok := errors.AsType[*workspace.Clash[assess.Contribution]](err); ok {
		return p.partClash(w, r, v, o, clash)
	}
	if err != nil {
		return err
	}
	return p.partKept(w, r, v, o, saved)
}

// readContribution reads the form of a body's answer.
func readContribution(form url.Values, body string) (assess.Contribution, error) {
	e, err := readEntry(form)
	e.Place = text(form, "place")
	return assess.ContributionOf(body, e), err
}

// confirmPart keeps that a body's answer is what it was last year.
func (p *Pages) confirmPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	saved, err := p.service.ConfirmContribution(r.Context(), v.person, v.survey.ID, o.ID, partBody(r))
	if err != nil {
		return err
	}
	r.PostForm.Set("go", "next")
	return p.partKept(w, r, v, o, saved)
}

// partKept answers a form whose contribution was kept.
func (p *Pages) partKept(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, saved workspace.SavedContribution) error {
	part, err := p.service.Part(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	next := v.nextPart(part, o.ID, saved.Body)
	if !wantsJSON(r) {
		if r.PostForm.Get("go") == "next" {
			return back(w, r, next)
		}
		return back(w, r, v.partPlace(o, saved.Body))
	}
	answer := reply{
		Rev: saved.Rev, State: partState(saved.Contribution), Entry: entryOf(saved.Contribution), Saved: v.when(saved.Revised), Message: v.T("saved.now"), Next: next,
		Unproven: saved.Entry().Unproven(),
	}
	progress := v.partProgress(o.AreaID(), part)
	for _, id := range []string{"area-" + o.AreaID(), "index-" + o.AreaID()} {
		answer.Progress = append(answer.Progress, progressReply{id, progress.Value, progress.Max, progress.Text})
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func entryOf(c assess.Contribution) *assess.Entry {
	e := c.Entry()
	return &e
}

// nextPart is where somebody goes on after a body's answer: the next that is open, in
// a ring, or her part where none is.
func (v *visit) nextPart(part workspace.Part, outcome, body string) string {
	type asked struct {
		o    *framework.Outcome
		body string
	}
	var all []asked
	at := -1
	for _, o := range part.Outcomes {
		for _, b := range part.Bodies[o.ID] {
			if o.ID == outcome && b == body {
				at = len(all)
			}
			all = append(all, asked{o, b})
		}
	}
	for i := range all {
		one := all[(at+1+i)%len(all)]
		if unanswered(part.Contributions[one.o.ID][one.body]) && (one.o.ID != outcome || one.body != body) {
			return v.partPlace(one.o, one.body)
		}
	}
	return v.to.under(v.survey.ID, "part")
}

// commentPart keeps a comment with a body.
func (p *Pages) commentPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	body := partBody(r)
	if _, err := p.service.Comment(r.Context(), v.person, v.survey.ID, o.ID, body, text(r.PostForm, "text")); err != nil {
		return err
	}
	return back(w, r, v.partPlace(o, body))
}
