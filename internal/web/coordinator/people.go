package coordinator

import (
	"net/http"
	"slices"
	"strconv"

	"muster/internal/account"
	"muster/internal/audience"
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/web"
)

// peopleView is who takes part, with which key, and who uses these pages.
type peopleView struct {
	web.Page
	Requests  []requestView
	Members   []partyView
	Partners  []partyView
	KeyAction string // where a key is asked to be enrolled; empty for who does not
	Choices   []optionView
	People    []personView
	Lead      string
}

type partyView struct {
	Anchor, ID, Name string
	Says             string // of the key
	Words            []string
	WordsLabel       string
	Pending          string
	Left             string
	Own              bool
}

type personView struct{ Name, Roles, State string }

func (p *Pages) people(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	parties, err := p.cfg.Service.Parties(ctx, v.person)
	if err != nil {
		return err
	}
	requests, err := p.cfg.Service.Requests(ctx, v.person)
	if err != nil {
		return err
	}
	everybody, err := p.cfg.People.People(ctx)
	if err != nil {
		return err
	}
	view := peopleView{Lead: v.T("people.lead")}
	if v.person.Is(cycle.RoleCoordinator) {
		view.KeyAction = v.to.home() + "people/key"
	}
	names := make(map[cycle.PartyID]string)
	for _, e := range parties {
		names[e.ID] = string(e.Name)
		one := v.party(e)
		if e.Kind == cycle.Partner {
			view.Partners = append(view.Partners, one)
		} else {
			view.Members = append(view.Members, one)
		}
		if e.Left.IsZero() {
			view.Choices = append(view.Choices, optionView{Value: string(e.ID), Text: string(e.Name)})
		}
	}
	for _, q := range requests {
		if q.Kind == cycle.Enrolment {
			view.Requests = append(view.Requests, v.request(q, names))
		}
	}
	sight, err := p.cfg.Service.Sight(ctx, v.person)
	if err != nil {
		return err
	}
	sees := audience.FilterOf(sight.Reader, audience.Sees, sight.At)
	for _, m := range everybody {
		if sees.Passes(cycle.SubjectOf(m)) {
			view.People = append(view.People, v.onePerson(m))
		}
	}
	view.Page = p.page(v, v.T("nav.people"), "people")
	p.render(w, http.StatusOK, "people", view)
	return nil
}

// party draws a member or partner with its key.
func (v *visit) party(e cycle.Enrolled) partyView {
	one := partyView{Anchor: "party-" + string(e.ID), ID: string(e.ID), Name: string(e.Name), Words: e.Words, WordsLabel: v.T("people.words"), Own: slices.Contains(v.person.Parties(), e.ID), Says: v.T("people.noKey")}
	if e.Key.Number > 0 {
		one.Says = v.T("people.key", "At", v.day(e.Key.At), "Number", strconv.Itoa(e.Key.Number))
	}
	if e.Pending.Number > 0 {
		one.Pending = v.T("people.pending", "By", e.Pending.By, "At", v.day(e.Pending.At))
	}
	if !e.Left.IsZero() {
		one.Left = v.T("people.left", "At", v.day(e.Left))
	}
	return one
}

func (v *visit) onePerson(m account.Member) personView {
	other := *v
	other.person = cycle.PersonOf(m.Person)
	one := personView{Name: m.Name, Roles: other.roles(), State: v.T("person.joined")}
	switch {
	case !m.Active():
		one.State = v.T("person.removed", "At", v.day(m.Removed))
	case !m.Invited.IsZero():
		one.State = v.T("person.invited", "At", v.day(m.Invited))
	case len(m.Credentials) == 0:
		one.State = v.T("person.expired")
	case !m.Seen.IsZero():
		one.State = v.T("person.seen", "At", v.day(m.Seen))
	}
	return one
}

func (p *Pages) askKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := p.cfg.Service.AskEnrolment(r.Context(), v.person, cycle.PartyID(r.PostForm.Get("party")), keys.Public(text(r, "key"))); err != nil {
		return err
	}
	return back(w, r, v.to.home()+"people#requests")
}

func number(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("request"), 10, 64)
	if err != nil {
		return 0, errs.New(errs.NotFound, "there is no such request", "")
	}
	return n, nil
}

func (p *Pages) approve(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	q, err := p.cfg.Service.Approve(r.Context(), v.person, n, r.PostForm.Get("words"))
	if err != nil {
		return err
	}
	if q.Cycle != "" {
		return back(w, r, v.to.cycle(q.Cycle))
	}
	return back(w, r, v.to.home()+"people#party-"+string(q.Party))
}

func (p *Pages) refuse(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	if err := p.cfg.Service.Refuse(r.Context(), v.person, n, text(r, "reason")); err != nil {
		return err
	}
	return back(w, r, v.to.home())
}
