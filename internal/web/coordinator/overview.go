package coordinator

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/web"
)

// overviewView is what is the reader's to do now, and where the cycles stand.
type overviewView struct {
	web.Page
	Heading, Lead string
	Roles         string
	Tasks         []taskView
	Cycles        []cycleView
	Calendar      web.Link
	None          string // what there is for who sees no cycle yet
}

type taskView struct {
	Text    string
	By      string // until when
	Overdue bool
	Go      web.Link
}

// cycleView is a cycle in short.
type cycleView struct {
	ID, Href        string
	Marking         string
	Phase, Says     string
	Dates           string
	Squares         template.HTML
	Legend          []legendView
	Counts          []string
	Mine            []mineView
	Ended           bool
	StatusAction    string
	Questions       web.Link
	Framework, Host string
}

type legendView struct{ Class, Text string }

// mineView is a party that the reader speaks for.
type mineView struct {
	Name, Status string
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request, v *visit) error {
	tasks, err := p.cfg.Service.Tasks(r.Context(), v.person)
	if err != nil {
		return err
	}
	list, err := p.cfg.Service.UnderWay(r.Context(), v.person)
	if err != nil {
		return err
	}
	view := overviewView{Heading: v.T("over.none"), Lead: v.T("over.noneLead"), Roles: v.roles()}
	if n := len(tasks); n > 0 {
		view.Heading, view.Lead = v.N("over.tasks", n), ""
	}
	for _, t := range tasks {
		view.Tasks = append(view.Tasks, v.task(t))
	}
	for _, c := range list {
		view.Cycles = append(view.Cycles, v.cycle(c))
		if p.cfg.Marking == "" {
			v.marking = c.Marking
		}
	}
	if len(view.Cycles) == 0 {
		view.None = v.T("over.noCycle")
	} else {
		view.Calendar = web.Link{Text: v.T("over.calendar"), Href: v.to.home() + "calendar.ics"}
	}
	view.Page = p.page(v, v.T("nav.overview"), "")
	p.render(w, http.StatusOK, "overview", view)
	return nil
}

// roles says as what the reader is here.
func (v *visit) roles() string {
	var words []string
	for _, g := range v.person.Grants {
		word := v.T("role." + g.Role)
		if len(g.Of) > 0 {
			word += " (" + strings.Join(g.Of, ", ") + ")"
		}
		words = append(words, word)
	}
	return v.List(words)
}

// task says a task in one line, and where it is done.
func (v *visit) task(t cycle.Task) taskView {
	view := taskView{Overdue: t.Overdue, Go: web.Link{Text: v.T("task.cycle", "Cycle", string(t.Cycle)), Href: v.to.cycle(t.Cycle)}}
	view.Text = v.says(t)
	switch t.Code {
	case cycle.TaskAnswer:
		view.Go = web.Link{Text: v.T("nav.questions"), Href: v.to.cycle(t.Cycle, "questions")}
	case cycle.TaskEnrol, cycle.TaskSendKey:
		view.Go = web.Link{Text: v.T("nav.people"), Href: v.to.home() + "people"}
	case cycle.TaskApprove:
		if t.Request.Kind == cycle.Enrolment {
			view.Go = web.Link{Text: v.T("nav.people"), Href: v.to.home() + "people#requests"}
		} else {
			view.Go.Href += "#requests"
		}
	}
	if !t.Due.IsZero() {
		view.By = v.T("task.by", "Day", v.moment(t.Due))
		if t.Overdue {
			view.By = v.T("task.overdue", "Day", v.moment(t.Due))
		}
	}
	return view
}

// says is a task in a sentence, as pages and mail say it.
func (v *visit) says(t cycle.Task) string {
	id, party := string(t.Cycle), string(t.Party.Name)
	switch t.Code {
	case cycle.TaskApprove:
		return v.T("task.approve."+requestWord(t.Request.Kind), "Cycle", id, "Party", party, "By", t.Request.By, "Edition", v.editionName(t.Request))
	case cycle.TaskAnswer:
		return v.N("task.answer", t.N, "Cycle", id)
	case cycle.TaskPlan:
		return v.N("task.plan", t.N, "Cycle", id)
	case cycle.TaskEnrol:
		return v.N("task.enrol", t.N, "Of", t.Of, "Cycle", id)
	case cycle.TaskStep:
		return v.T("task.step", "Cycle", id, "Phase", v.T("phase."+string(t.To)))
	case cycle.TaskChase:
		return v.N("task.chase", t.N, "Of", t.Of, "Cycle", id)
	case cycle.TaskFreeze:
		return v.T("task.freeze", "Cycle", id, "Party", party)
	case cycle.TaskSendKey:
		return v.T("task.key", "Party", party)
	case cycle.TaskComment:
		return v.T("task.comment", "Cycle", id, "Party", party)
	default:
		return v.T("task.deliver", "Cycle", id, "Party", party)
	}
}

// editionName is the name of the edition that a request is about, or "".
func (v *visit) editionName(q cycle.Request) string {
	if name := q.Edition(); name != "" {
		return v.T("edition.name." + name)
	}
	return ""
}

// requestWord is the kind of a request as ids of messages have it.
func requestWord(k cycle.RequestKind) string {
	switch k {
	case cycle.Enrolment:
		return "enrol"
	case cycle.Cancellation:
		return "cancel"
	case cycle.Publishing:
		return "publish"
	}
	return "release"
}

// cycle draws a cycle in short.
func (v *visit) cycle(c cycle.View) cycleView {
	view := cycleView{
		ID: string(c.ID), Href: v.to.cycle(c.ID), Marking: c.Marking, Phase: v.T("phase." + string(c.Phase)), Says: v.T("phaseSays." + string(c.Phase)),
		Ended: c.Phase == coalition.Archived || c.Phase == coalition.Cancelled, Questions: web.Link{Text: v.T("nav.questions"), Href: v.to.cycle(c.ID, "questions")},
		Framework: strings.TrimSpace(c.Framework.ID + " " + c.Framework.Version),
	}
	if !c.Deadline.IsZero() {
		view.Dates = v.T("cycle.dates", "Opens", v.day(c.Opens), "Deadline", v.moment(c.Deadline))
	}
	if c.HostNames[0] != "" && c.HostNames[1] != "" {
		view.Host = v.T("cycle.hosts", "Hosts", v.List([]string{string(c.HostNames[0]), string(c.HostNames[1])}))
	}
	view.Squares, view.Legend = v.squares(c)
	if c.Members.Of > 0 {
		view.Counts = append(view.Counts, v.N("cycle.members", c.Members.Of, "Delivered", c.Members.By[cycle.Delivered], "Declined", c.Members.By[cycle.Declined]))
	}
	if c.Partners.Of > 0 {
		view.Counts = append(view.Counts, v.N("cycle.partners", c.Partners.Of, "Delivered", c.Partners.By[cycle.Delivered], "Declined", c.Partners.By[cycle.Declined]))
	}
	for _, s := range c.Board {
		if s.Own {
			view.Mine = append(view.Mine, mineView{string(s.Name), v.status(s.Participation.Status)})
		}
	}
	return view
}

// squares draws one square for each member: who has delivered, is under way, declined.
func (v *visit) squares(c cycle.View) (template.HTML, []legendView) {
	by := c.Members.By
	groups := []struct {
		class, id string
		n         int
	}{
		{"took", "delivered", by[cycle.Delivered]},
		{"way", "way", by[cycle.UnderWay] + by[cycle.SignedOff]},
		{"not", "not", by[cycle.NotStarted]},
		{"declined", "declined", by[cycle.Declined]},
	}
	squares := web.Squares{Title: v.N("cycle.squares", c.Members.Of, "Delivered", by[cycle.Delivered])}
	var legend []legendView
	for _, g := range groups {
		if g.n > 0 {
			squares.Groups = append(squares.Groups, web.SquareGroup{Class: g.class, Count: g.n})
			legend = append(legend, legendView{g.class, v.N("legend."+g.id, g.n)})
		}
	}
	return squares.SVG(), legend
}

func (v *visit) status(s cycle.Status) string { return v.T("status." + statusWord(s)) }

// statusWord is a status as ids of messages have it.
func statusWord(s cycle.Status) string { return strings.ReplaceAll(string(s), " ", "-") }

// cyclesView is all cycles that the reader may know of.
type cyclesView struct {
	web.Page
	Cycles []cycleView
}

func (p *Pages) cycles(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.cfg.Service.Cycles(r.Context(), v.person)
	if err != nil {
		return err
	}
	var view cyclesView
	for _, c := range list {
		view.Cycles = append(view.Cycles, v.cycle(c))
	}
	view.Page = p.page(v, v.T("nav.cycles"), "cycles")
	p.render(w, http.StatusOK, "cycles", view)
	return nil
}

// calendar gives out the days of the reader's cycles for her own calendar.
func (p *Pages) calendar(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.cfg.Service.UnderWay(r.Context(), v.person)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="muster.ics"`)
	_, err = w.Write([]byte(v.days(p.cfg.Now(), list)))
	return err
}

// days writes the days on which cycles open, close and are wiped.
func (v *visit) days(now time.Time, list []cycle.View) string {
	c := web.Calendar{Now: now, Product: "coordinator", Scope: v.coalition}
	for _, one := range list {
		if one.Deadline.IsZero() {
			continue
		}
		id := string(one.ID)
		at := func(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }
		c.Day("opens "+id, one.Opens.UTC(), v.T("day.opens", "Coalition", v.coalition, "Cycle", id), at(one.Opens))
		c.Day("deadline "+id, one.Deadline.UTC(), v.T("day.deadline", "Coalition", v.coalition, "Cycle", id), at(one.Deadline))
		c.Day("wipe "+id, one.Wipe.UTC(), v.T("day.wipe", "Coalition", v.coalition, "Cycle", id), at(one.Wipe))
	}
	return c.File()
}
