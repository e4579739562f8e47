package workspace

import (
	"html/template"
	"net/http"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/web"
	"muster/internal/workspace"
)

// homeView is the surveys of the member, and what is to be done next.
type homeView struct {
	web.Page
	Heading, Lead string
	Unsent        unsentView
	Surveys       []surveyCard // of the latest cycle
	Earlier       []surveyCard
	Guide         bool
	GuideAction   string
	NameAction    string // where her name is kept; empty where it is, or is not asked for
	Person        string // the name under which she stands until then
}

// surveyCard is a survey in short.
type surveyCard struct {
	Title    template.HTML
	Cycle    string
	Href     string
	State    string
	Progress progressView
	Lead     string // what looks unchanged, or how far it is
	Deadline string
	Urgent   bool
	Due      []dueView // sections that wait for bodies
	Calendar web.Link  // the days on which something is due, as a file; empty if nothing is
	Next     web.Link
}

const guideCookie = "muster-guide"

func (p *Pages) home(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !v.person.SeesAll() {
		return p.partHome(w, r, v)
	}
	surveys, err := p.service.Surveys(r.Context(), v.person)
	if err != nil {
		return err
	}
	view := homeView{Heading: v.T("home.heading", "Member", v.member), Lead: v.T("home.lead"), Unsent: v.unsent(), Guide: true, GuideAction: v.to.home() + "guide"}
	if c, err := r.Cookie(guideCookie); err == nil && c.Value == "hidden" {
		view.Guide = false
	}
	if p.asksName {
		settings, _, err := p.service.Settings(r.Context(), v.person)
		if err != nil {
			return err
		}
		if settings.Person == "" {
			view.NameAction, view.Person = v.to.home()+"name", v.person.Name
		}
	}
	for _, s := range surveys {
		one := *v
		one.survey = s
		if one.pack, err = p.service.Pack(r.Context(), v.person, s.ID); err != nil {
			return err
		}
		one.packTexts = p.textsOf(one.pack, v.Lang)
		entries, err := p.service.Entries(r.Context(), v.person, s.ID)
		if err != nil {
			return err
		}
		card := one.card((&state{entries: entries}).plain(), p.now())
		if s.State != workspace.StateClosed {
			reminders, err := p.service.Reminders(r.Context(), v.person, s.ID)
			if err != nil {
				return err
			}
			if card.Due = one.due(reminders); len(card.Due) > 0 {
				card.Calendar = web.Link{Text: v.T("home.calendar"), Href: v.to.under(s.ID, "reminders.ics")}
			}
		}
		if s.Cycle == surveys[0].Cycle {
			view.Surveys = append(view.Surveys, card)
		} else {
			view.Earlier = append(view.Earlier, card)
		}
	}
	view.Page = p.page(v, v.T("home.title"), v.to.home(), "")
	p.render(w, http.StatusOK, "home", view)
	return nil
}

// card draws a survey in short.
func (v *visit) card(entries map[string]assess.Entry, now time.Time) surveyCard {
	s := v.survey
	c := surveyCard{
		Title: v.packTitle, Cycle: s.Cycle, Href: v.to.survey(s.ID), State: v.T("survey." + string(s.State)),
		Progress: v.progress("survey", v.T("progress.survey"), s.Progress), Lead: v.lead(s.Progress),
	}
	c.Deadline, c.Urgent = v.deadline(s, now)
	c.Next = v.next(s, entries)
	return c
}

// lead says how far a survey is: of a second year what looks unchanged, else what is
// answered.
func (v *visit) lead(p assess.Progress) string {
	switch {
	case p.Open() == 0:
		return v.N("lead.complete", p.Of)
	case p.Carried > 0:
		text := v.N("lead.carried", p.Carried, "Of", p.Of)
		if rest := p.Open() - p.Carried; rest > 0 {
			text += " " + v.N("lead.rest", rest)
		}
		return text
	case p.Answered == 0 && len(v.pack.BeginWith) > 0:
		return v.N("lead.begin", p.Of) + " " + v.N("lead.first", len(v.pack.BeginWith))
	case p.Answered == 0:
		return v.N("lead.begin", p.Of)
	}
	return v.N("lead.open", p.Open(), "Of", p.Of)
}

// deadline says when a survey has to be sealed.
func (v *visit) deadline(s workspace.Survey, now time.Time) (text string, urgent bool) {
	if s.Deadline.IsZero() {
		return v.T("deadline.none"), false
	}
	date := v.Date(s.Deadline.Unix())
	days := int(s.Deadline.Sub(now).Hours() / 24)
	switch {
	case !s.Deadline.After(now):
		return v.T("deadline.over", "Date", date), s.State == workspace.StateOpen
	case days == 0:
		return v.T("deadline.today", "Date", date), true
	}
	return v.N("deadline.in", days, "Date", date), days < 14
}

// next is what is to be done next in a survey.
func (v *visit) next(s workspace.Survey, entries map[string]assess.Entry) web.Link {
	open := nextOpen(v.pack.Outcomes(), entries, "")
	for _, id := range v.pack.BeginWith { // what says most comes first
		if o, ok := v.pack.Outcome(id); ok && !entries[id].Answered() {
			open = o
			break
		}
	}
	switch {
	case s.State == workspace.StateClosed:
		return web.Link{Text: v.T("next.standing"), Href: v.to.under(s.ID, "standing")}
	case s.State == workspace.StateSealed:
		return web.Link{Text: v.T("next.sealed"), Href: v.to.under(s.ID, "sealing")}
	case open == nil:
		return web.Link{Text: v.T("next.check"), Href: v.to.under(s.ID, "check")}
	}
	id := "next.continue"
	switch {
	case s.Progress.Carried > 0 && entries[open.ID].Carried:
		id = "next.confirm"
	case s.Progress.Answered == 0:
		id = "next.begin"
	}
	return web.Link{Text: v.T(id, "ID", open.ID), Href: v.to.question(s.ID, open.AreaID(), open.ID)}
}

// keepName keeps the name of who uses the workspace.
func (p *Pages) keepName(w http.ResponseWriter, r *http.Request, v *visit) error {
	if !p.asksName {
		return errs.New(errs.NotFound, "nobody is asked for her name here", "")
	}
	if err := p.service.SetName(r.Context(), v.person, text(r.PostForm, "name")); err != nil {
		return err
	}
	return back(w, r, v.to.home())
}

// hideGuide keeps the guide away from this browser.
func (p *Pages) hideGuide(w http.ResponseWriter, r *http.Request, v *visit) error {
	http.SetCookie(w, &http.Cookie{Name: guideCookie, Value: "hidden", Path: p.base + "/", MaxAge: 400 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return back(w, r, v.to.home())
}
