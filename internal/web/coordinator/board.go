package coordinator

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/errs"
	"muster/internal/web"
)

// boardView is where a cycle stands.
type boardView struct {
	web.Page
	Kicker, Heading, Says string
	Track                 []trackView
	Facts                 []factView
	Counts                []string
	Squares               template.HTML
	Legend                []legendView
	Questions             web.Link
	Ways                  []wayView
	StepAction            string
	Deadline              *deadlineView
	Cancel, Release       string // where these are asked for; empty where they are not
	Requests              []requestView
	Rows                  []rowView
	Say                   *sayView // where the reader says where somebody stands; nil where she does not
	Steps                 []stepView
	Hidden                string // what of the board the reader does not see
}

// trackView is one phase on the way through the year.
type trackView struct {
	Name, State string // done, here, ahead
}

type factView struct{ Name, Text string }

// wayView is a phase that the cycle could go to.
type wayView struct {
	To, Name  string
	Reason    bool
	Obstacles []string
}

// sayView is the form by which somebody says where a party stands.
type sayView struct {
	Action            string
	Parties, Statuses []optionView
}

type deadlineView struct{ Action, Now, Least string }

type optionView struct {
	Value, Text string
	Selected    bool
}

// rowView is one party on the board.
type rowView struct {
	ID, Name, Kind string
	Status, Class  string
	By             string
	Key            string
	Host           string
}

type stepView struct{ At, What, Reason, By string }

// phases is the year in its order, as the track shows it.
func phases() []coalition.Phase {
	return []coalition.Phase{
		coalition.Draft, coalition.Consultation, coalition.Adopted, coalition.Open, coalition.Closing, coalition.Closed, coalition.Aggregated, coalition.Review,
		coalition.Released, coalition.Conference, coalition.Commitments, coalition.FollowUp, coalition.Archived,
	}
}

func (p *Pages) board(w http.ResponseWriter, r *http.Request, v *visit) error {
	c, err := p.cfg.Service.Cycle(r.Context(), v.person, cycle.ID(r.PathValue("cycle")))
	if err != nil {
		return err
	}
	if p.cfg.Marking == "" {
		v.marking = c.Marking
	}
	short := v.cycle(c)
	view := boardView{
		Kicker: v.T("cycle.kicker", "Cycle", string(c.ID)), Heading: short.Phase, Says: short.Says, Counts: short.Counts, Squares: short.Squares, Legend: short.Legend, Questions: short.Questions,
		StepAction: v.to.cycle(c.ID, "step"),
	}
	view.Track = v.track(c)
	view.Facts = v.facts(c)
	v.staff(&view, c)
	for _, q := range c.Requests {
		view.Requests = append(view.Requests, v.request(q, map[cycle.PartyID]string{c.Hosts[0]: string(c.HostNames[0]), c.Hosts[1]: string(c.HostNames[1])}))
	}
	for _, s := range c.Board {
		view.Rows = append(view.Rows, v.row(c, s))
	}
	if c.Hidden > 0 {
		view.Hidden = v.N("board.hidden", c.Hidden)
	}
	view.Say = v.sayable(c)
	view.Steps = v.history(c)
	view.Page = p.page(v, view.Kicker, "cycle/"+string(c.ID))
	p.render(w, http.StatusOK, "board", view)
	return nil
}

// track is the way through the year, with where the cycle is on it.
func (v *visit) track(c cycle.View) []trackView {
	been := map[coalition.Phase]bool{}
	for _, s := range c.Steps {
		been[s.From] = true
	}
	all := phases()
	if c.Phase == coalition.Postponed || c.Phase == coalition.Cancelled {
		all = append(all, c.Phase)
	}
	var track []trackView
	for _, phase := range all {
		t := trackView{v.T("phase." + string(phase)), "ahead"}
		switch {
		case phase == c.Phase:
			t.State = "here"
		case been[phase]:
			t.State = "done"
		}
		track = append(track, t)
	}
	return track
}

func (v *visit) facts(c cycle.View) []factView {
	var facts []factView
	add := func(id, text string) {
		if text != "" {
			facts = append(facts, factView{v.T("fact." + id), text})
		}
	}
	if !c.Deadline.IsZero() {
		add("opens", v.moment(c.Opens))
		add("deadline", v.moment(c.Deadline))
		add("wipe", v.moment(c.Wipe))
	}
	if c.Framework.ID != "" {
		add("framework", c.Framework.ID+" "+c.Framework.Version)
	}
	var hosts []string
	for _, h := range c.HostNames {
		if h != "" {
			hosts = append(hosts, string(h))
		}
	}
	add("hosts", v.List(hosts))
	add("charter", c.Charter)
	add("release", c.Release)
	return facts
}

// staff adds what the coordinator's staff can do about a cycle.
func (v *visit) staff(view *boardView, c cycle.View) {
	if !v.person.Is(cycle.RoleCoordinator) {
		return
	}
	for _, way := range c.Ways {
		switch way.To {
		case coalition.Cancelled:
			view.Cancel = v.to.cycle(c.ID, "cancel")
			continue
		case coalition.Released:
			view.Release = v.to.cycle(c.ID, "release")
			continue
		}
		w := wayView{To: string(way.To), Name: v.T("phase." + string(way.To)), Reason: way.Reason}
		for _, o := range way.Obstacles {
			w.Obstacles = append(w.Obstacles, v.obstacle(o))
		}
		view.Ways = append(view.Ways, w)
	}
	for _, q := range c.Requests {
		if q.Kind == cycle.Cancellation {
			view.Cancel = ""
		}
		if q.Kind == cycle.Releasing {
			view.Release = ""
		}
	}
	if c.Phase == coalition.Adopted || c.Phase == coalition.Open || c.Phase == coalition.Postponed {
		view.Deadline = &deadlineView{Action: v.to.cycle(c.ID, "deadline"), Now: v.moment(c.Deadline), Least: c.Deadline.UTC().Format("2006-01-02T15:04")}
	}
}

// obstacle says what keeps a cycle from a phase.
func (v *visit) obstacle(o cycle.Obstacle) string {
	names := o.Names
	const most = 6
	more := ""
	if len(names) > most {
		more = v.N("obstacle.more", len(names)-most)
		names = names[:most]
	}
	at := ""
	if !o.At.IsZero() {
		at = v.moment(o.At)
	}
	return v.T("obstacle."+string(o.Code), "N", o.N, "Of", o.Of, "At", at, "Names", v.List(names)+more)
}

// row draws a party's line on the board.
func (v *visit) row(c cycle.View, s cycle.Standing) rowView {
	row := rowView{
		ID: string(s.ID), Name: string(s.Name), Kind: v.T("kind." + string(s.Kind)), Status: v.status(s.Participation.Status), Class: statusWord(s.Participation.Status),
		By: v.T("board.by", "By", s.Participation.By, "At", v.moment(s.Participation.At)), Key: v.T("board.noKey"),
	}
	if s.Keyed {
		row.Key = v.T("board.key")
	}
	if s.ID == c.Hosts[0] || s.ID == c.Hosts[1] {
		row.Host = v.T("board.host")
	}
	return row
}

// sayable is the form for those of whom the reader may say where they stand.
func (v *visit) sayable(c cycle.View) *sayView {
	say := &sayView{Action: v.to.cycle(c.ID, "status")}
	for _, s := range c.Board {
		if s.Own || v.person.Is(cycle.RoleCoordinator) {
			say.Parties = append(say.Parties, optionView{Value: string(s.ID), Text: string(s.Name)})
		}
	}
	for _, status := range cycle.Sayable(c.Phase) {
		say.Statuses = append(say.Statuses, optionView{Value: string(status), Text: v.status(status)})
	}
	if len(say.Parties) == 0 || len(say.Statuses) == 0 {
		return nil
	}
	return say
}

// history is how the cycle came there, the latest first: steps and moved deadlines.
func (v *visit) history(c cycle.View) []stepView {
	type dated struct {
		at   time.Time
		view stepView
	}
	var all []dated
	for _, s := range slices.Backward(c.Steps) {
		all = append(all, dated{s.At, stepView{v.moment(s.At), v.T("board.step", "From", v.T("phase."+string(s.From)), "To", v.T("phase."+string(s.To))), s.Reason, s.By}})
	}
	for _, e := range slices.Backward(c.Extensions) {
		all = append(all, dated{e.At, stepView{v.moment(e.At), v.T("board.moved", "From", v.moment(e.From), "To", v.moment(e.To)), e.Reason, e.By}})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return b.at.Compare(a.at) })
	views := make([]stepView, len(all))
	for i, d := range all {
		views[i] = d.view
	}
	return views
}

func (p *Pages) step(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	if err := p.cfg.Service.Step(r.Context(), v.person, id, coalition.Phase(r.PostForm.Get("to")), text(r, "reason")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id))
}

func (p *Pages) extend(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	deadline, err := time.ParseInLocation("2006-01-02T15:04", r.PostForm.Get("deadline"), time.UTC)
	if err != nil {
		return errs.New(errs.Invalid, "the deadline cannot be read", "a day and a time in UTC, such as 2031-05-31T12:00")
	}
	if err := p.cfg.Service.Extend(r.Context(), v.person, id, deadline, text(r, "reason")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id))
}

func (p *Pages) say(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	if err := p.cfg.Service.Say(r.Context(), v.person, id, cycle.PartyID(r.PostForm.Get("party")), cycle.Status(r.PostForm.Get("status"))); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id)+"#board")
}

func (p *Pages) askCancel(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	if _, err := p.cfg.Service.AskCancellation(r.Context(), v.person, id, text(r, "reason")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id)+"#requests")
}

func (p *Pages) askRelease(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := cycle.ID(r.PathValue("cycle"))
	if _, err := p.cfg.Service.AskRelease(r.Context(), v.person, id, text(r, "digest")); err != nil {
		return err
	}
	return back(w, r, v.to.cycle(id)+"#requests")
}

// requestView is something that others have to want as well.
type requestView struct {
	Number          string
	What, Detail    string
	Read            web.Link // where it can be read; empty where there is nothing to read
	Reason          string
	By              string
	Approved        []string
	Waits           []string
	Approve, Refuse string // where these are said; empty where the reader does not
	Words           bool   // who approves types the words of a key
	Own             bool   // the reader asked for it, and may withdraw it
}

// request draws an open request. names are of parties.
func (v *visit) request(q cycle.Asked, names map[cycle.PartyID]string) requestView {
	number := strconv.FormatInt(q.Number, 10)
	view := requestView{
		Number: number, What: v.T("request."+requestWord(q.Kind), "Party", names[q.Party], "Cycle", string(q.Cycle), "Edition", v.editionName(q.Request)), Reason: q.Reason,
		By: v.T("request.by", "By", q.By, "At", v.moment(q.At)), Words: q.Kind == cycle.Enrolment, Own: q.Own,
	}
	switch q.Kind {
	case cycle.Releasing:
		view.Detail = q.Subject
	case cycle.Publishing:
		_, view.Detail, _ = strings.Cut(q.Subject, " ")
		view.Read = web.Link{Text: v.T("request.read"), Href: v.to.edition(q.Cycle, edition.Name(q.Edition()), "write")}
	}
	for _, a := range q.Approvals {
		view.Approved = append(view.Approved, v.T("request.approved", "By", a.By, "At", v.moment(a.At)))
	}
	for _, slot := range q.Waits {
		if slot.Party == "" {
			view.Waits = append(view.Waits, v.T("request.waitsStaff"))
		} else {
			view.Waits = append(view.Waits, v.T("request.waitsHost", "Party", names[slot.Party]))
		}
	}
	action := v.to.home() + "request/" + number
	if q.Mine {
		view.Approve = action + "/approve"
	}
	if q.Mine || q.Own {
		view.Refuse = action + "/refuse"
	}
	return view
}
