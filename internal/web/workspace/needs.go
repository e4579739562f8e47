package workspace

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/web"
)

// needsView is the form "what do you depend on, how long can you go without" of a
// body.
type needsView struct {
	web.Page
	Kicker, Lead string
	Bodies       []needsBody
	Body, Name   string
	Rev, Saved   string
	Action       string
	Rows         []needRow
	None         bool
	Answers      bool // the person may
	May          may
	PrintHref    string
}

// needsBody is a body to choose, with what it has said.
type needsBody struct {
	web.Link
	Says string
}

// needRow is a row of the form.
type needRow struct {
	N     int
	Hours string // empty: unknown
	assess.Need
}

// leastRows is how many rows the form shows; roomLeft how many of them are empty.
const (
	leastRows = 10
	roomLeft  = 3
)

func (p *Pages) needs(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.needsView(r, v, r.URL.Query().Get("body"))
	if err != nil {
		return err
	}
	rest := surveyPath(v.survey.ID) + "needs"
	if view.Body != "" {
		rest += "?body=" + view.Body
	}
	view.Page = p.page(v, v.T("needs.title"), v.to.under(v.survey.ID, "bodies"), rest)
	p.render(w, http.StatusOK, "needs", view)
	return nil
}

// needsView is the form of a body; of the member as a whole if it is empty.
func (p *Pages) needsView(r *http.Request, v *visit, body string) (needsView, error) {
	view := needsView{
		Kicker: v.kicker(), Lead: v.T("needs.lead"), Body: body, Name: v.member, Action: v.to.under(v.survey.ID, "needs"), Rev: "0",
		PrintHref: v.to.under(v.survey.ID, "needs", "print"), May: v.may(), Answers: v.person.Answers() || v.person.AnswersFor(body),
	}
	all, err := p.service.Needs(r.Context(), v.person)
	if err != nil {
		return view, err
	}
	bodies, err := p.service.Bodies(r.Context(), v.person)
	if err != nil {
		return view, err
	}
	known := body == ""
	add := func(id, name string) {
		href := view.Action
		if id != "" {
			href += "?" + url.Values{"body": {id}}.Encode()
		}
		view.Bodies = append(view.Bodies, needsBody{web.Link{Text: name, Href: href, Current: id == body}, v.said(all[id].Needs)})
		if id == body {
			known, view.Name = true, name
		}
	}
	add("", v.member)
	for _, b := range bodies {
		add(b.ID, b.Name)
	}
	if !known {
		return view, errs.New(errs.NotFound, "there is no such body", "the lead lists the bodies of the member")
	}
	saved := all[body]
	view.Saved, view.None = v.when(saved.Revised), saved.Needs.None
	if saved.Rev != 0 {
		view.Rev = itoa(saved.Rev)
	}
	if body != "" {
		view.PrintHref += "?" + url.Values{"body": {body}}.Encode()
	}
	for n := range max(leastRows, min(len(saved.Needs.Rows)+roomLeft, assess.MaxNeeds)) {
		row := needRow{N: n + 1}
		if n < len(saved.Needs.Rows) {
			row.Need = saved.Needs.Rows[n]
			if row.Known {
				row.Hours = strconv.Itoa(row.Need.Hours)
			}
		}
		view.Rows = append(view.Rows, row)
	}
	return view, nil
}

// said says in a few words what a body has said.
func (v *visit) said(n assess.Needs) string {
	switch {
	case n.None:
		return v.T("needs.saidNone")
	case len(n.Rows) == 0:
		return v.T("needs.saidNothing")
	}
	return v.N("needs.said", len(n.Rows))
}

// printNeeds is the form on paper: with what is there, or empty.
func (p *Pages) printNeeds(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.needsView(r, v, r.URL.Query().Get("body"))
	if err != nil {
		return err
	}
	rest := surveyPath(v.survey.ID) + "needs/print"
	if view.Body != "" {
		rest += "?body=" + view.Body
	}
	view.Page = p.page(v, v.T("needs.title"), "", rest)
	p.render(w, http.StatusOK, "needsprint", view)
	return nil
}

func (p *Pages) putNeeds(w http.ResponseWriter, r *http.Request, v *visit) error {
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	needs, err := readNeeds(r.PostForm)
	if err != nil {
		return err
	}
	body := r.PostForm.Get("body")
	place := v.to.under(v.survey.ID, "needs")
	if body != "" {
		place += "?" + url.Values{"body": {body}}.Encode()
	}
	if _, err := p.service.PutNeeds(r.Context(), v.person, body, base, needs); err != nil {
		at := clashPlace{v.to.under(v.survey.ID, "needs"), one("body", body), web.Link{Text: v.T("conflict.leave"), Href: place}}
		return clashed(p, w, v, err, at, needsFields(v))
	}
	return back(w, r, place)
}

// readNeeds reads the rows of the form that hold something. Their places are kept.
func readNeeds(form url.Values) (assess.Needs, error) {
	needs := assess.Needs{None: form.Has("none")}
	for n := range assess.MaxNeeds {
		suffix := "-" + strconv.Itoa(n+1)
		row := assess.Need{What: text(form, "what"+suffix), Supplier: text(form, "supplier"+suffix), Substitute: text(form, "substitute"+suffix), Note: text(form, "remark"+suffix)}
		switch hours := strings.ToLower(text(form, "hours"+suffix)); hours {
		case "", "unknown", "inconnu":
		default:
			h, err := strconv.Atoi(hours)
			if err != nil {
				return needs, errs.New(errs.Invalid, fmt.Sprintf("row %d of the form: the hours are no whole number", n+1), fmt.Sprintf("a whole number from 0 to %d, or nothing for unknown", assess.MaxHours))
			}
			row.Hours, row.Known = h, true
		}
		if row == (assess.Need{}) {
			continue
		}
		needs.Rows = append(needs.Rows, row)
	}
	return needs, nil
}

// needsFields are the rows of the form, for a clash.
func needsFields(v *visit) []clashField[assess.Needs] {
	all := []clashField[assess.Needs]{
		{"none", v.T("needs.none"), func(n assess.Needs) string { return v.yesNo(n.None) }, func(n assess.Needs) []hidden { return tick("none", n.None) }},
	}
	for i := range assess.MaxNeeds {
		row := func(n assess.Needs) (assess.Need, bool) {
			if i < len(n.Rows) {
				return n.Rows[i], true
			}
			return assess.Need{}, false
		}
		suffix := "-" + strconv.Itoa(i+1)
		all = append(all, clashField[assess.Needs]{
			part: fmt.Sprintf("row-%d", i+1), label: v.T("needs.row", "N", i+1),
			shown: func(n assess.Needs) string {
				need, ok := row(n)
				if !ok {
					return ""
				}
				return v.need(need)
			},
			fields: func(n assess.Needs) []hidden {
				need, ok := row(n)
				if !ok {
					return nil
				}
				fields := []hidden{{"what" + suffix, need.What}, {"supplier" + suffix, need.Supplier}, {"substitute" + suffix, need.Substitute}, {"remark" + suffix, need.Note}}
				if need.Known {
					fields = append(fields, hidden{"hours" + suffix, strconv.Itoa(need.Hours)})
				}
				return fields
			},
		})
	}
	return all
}

// need writes a row in one text.
func (v *visit) need(n assess.Need) string {
	hours := v.T("needs.unknown")
	if n.Known {
		hours = v.N("needs.hours", n.Hours)
	}
	words := []string{n.What, hours}
	for _, more := range []string{n.Supplier, n.Substitute, n.Note} {
		if more != "" {
			words = append(words, more)
		}
	}
	return strings.Join(words, " · ")
}
