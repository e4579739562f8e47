package workspace

import (
	"html/template"
	"net/http"
	"slices"
	"time"

	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// lettersView is a letter for each body that has something open, to print.
type lettersView struct {
	web.Page
	Kicker  string
	Member  string
	Letters []letterView
	Bodies  []web.Link // to choose one
}

// letterView is a letter to one body.
type letterView struct {
	Name, Contact, Day string
	Says               string
	Asked              []askedView
}

// askedView is a section that is asked of the body, and what of it is open.
type askedView struct {
	Title, Due string
	Overdue    bool
	Says       string
	Open       []openView
}

type openView struct {
	ID       string
	Title    template.HTML
	Question template.HTML
}

func (p *Pages) letters(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	reminders, err := p.service.Reminders(ctx, v.person, id)
	if err != nil {
		return err
	}
	given := make(map[string]bool) // by body and outcome
	contributions, err := p.service.Contributions(ctx, v.person, id, "")
	if err != nil {
		return err
	}
	for _, c := range contributions {
		given[c.Body+" "+c.Outcome] = c.Given() != framework.None
	}
	view := lettersView{Kicker: v.kicker(), Member: v.member}
	only := r.URL.Query().Get("body")
	letters := make(map[string]*letterView)
	var order []string
	for _, reminder := range reminders {
		body := reminder.Body
		if letters[body.ID] == nil {
			order = append(order, body.ID)
			letters[body.ID] = &letterView{Name: body.Name, Day: v.Date(p.now().Unix())}
		}
		letter := letters[body.ID]
		if letter.Contact == "" {
			letter.Contact = reminder.Section.Contact
		}
		asked := askedView{
			Title: reminder.Section.Title, Due: v.day(reminder.Section.Due), Overdue: reminder.Overdue,
			Says: v.N("letter.open", reminder.Open, "Of", reminder.Of),
		}
		for _, o := range reminder.Section.Of(v.pack) {
			if !given[body.ID+" "+o.ID] {
				asked.Open = append(asked.Open, openView{o.ID, v.outcomes[o.ID].Title, v.outcomes[o.ID].Question})
			}
		}
		letter.Asked = append(letter.Asked, asked)
	}
	rest := surveyPath(id) + "letters"
	for _, body := range order {
		letter := letters[body]
		view.Bodies = append(view.Bodies, web.Link{Text: letter.Name, Href: v.to.under(id, "letters") + "?body=" + body, Current: body == only})
		if only == "" || only == body {
			letter.Says = v.T("letter.says", "Pack", v.plainPack(), "Cycle", id.Cycle(), "Member", v.member)
			view.Letters = append(view.Letters, *letter)
		}
	}
	if only != "" {
		rest += "?body=" + only
	}
	view.Page = p.page(v, v.T("letter.title"), v.to.under(id, "bodies"), rest)
	p.render(w, http.StatusOK, "letters", view)
	return nil
}

// dueView is a section that is due, on the home page.
type dueView struct {
	Text    string
	Overdue bool
}

// mostDue is how many sections the home page names of a survey.
const mostDue = 4

// due says which sections wait for bodies, the most urgent first.
func (v *visit) due(reminders []workspace.Reminder) []dueView {
	type state struct {
		title, day string
		open       int
		overdue    bool
	}
	var all []*state
	byID := make(map[string]*state)
	for _, r := range reminders {
		s := byID[r.Section.ID]
		if s == nil {
			s = &state{title: r.Section.Title, day: v.day(r.Section.Due), overdue: r.Overdue}
			byID[r.Section.ID] = s
			all = append(all, s)
		}
		s.open++
	}
	var views []dueView
	for _, s := range all[:min(len(all), mostDue)] {
		text := v.N("home.waits", s.open, "Section", s.title)
		if s.day != "" {
			text += " " + v.T("reminder.due", "Date", s.day)
		}
		views = append(views, dueView{text, s.overdue})
	}
	return views
}

// calendar gives out the days on which sections, actions and the survey are due, for
// the person's own calendar.
func (p *Pages) calendar(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	if err := p.describe(ctx, v); err != nil {
		return err
	}
	sections, err := p.service.Sections(ctx, v.person, id)
	if err != nil {
		return err
	}
	c := web.Calendar{Now: p.now(), Product: "workspace", Scope: v.member + "\x00" + string(id), Marking: v.marking}
	title := v.plainPack() + " " + id.Cycle()
	if !v.survey.Deadline.IsZero() {
		c.Day("deadline", v.survey.Deadline.UTC(), v.T("calendar.deadline", "Survey", title), v.survey.Deadline.UTC().Format("15:04")+" UTC")
	}
	names, err := p.bodyNames(ctx, v)
	if err != nil {
		return err
	}
	for _, s := range sections {
		due, err := time.Parse(time.DateOnly, s.Due)
		if err != nil { // none
			continue
		}
		var who []string
		for _, body := range s.Bodies {
			who = append(who, nameOf(names, body))
		}
		slices.Sort(who)
		c.Day("section "+s.ID, due, v.T("calendar.section", "Section", s.Title, "Survey", title), v.List(who))
	}
	actions, err := p.service.Actions(ctx, v.person, id)
	if err != nil {
		return err
	}
	for _, a := range actions {
		due, err := time.Parse(time.DateOnly, a.Action.Due)
		if err != nil || a.Action.Finished || a.Action.Nothing {
			continue
		}
		c.Day("action "+a.Action.Outcome+" "+a.ID, due, v.T("calendar.action", "ID", a.Action.Outcome, "Owner", a.Action.Owner), "")
	}
	download(w, "muster-"+id.Cycle()+"-"+v.pack.ID+".ics", "text/calendar; charset=utf-8", []byte(c.File()))
	return nil
}
