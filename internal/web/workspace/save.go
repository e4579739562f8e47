package workspace

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
)

// reply is what the script is told about a form that it sent. Words are in the
// page's language, so that the script has none of its own.
type reply struct {
	Rev      workspace.Revision `json:"rev,omitempty"`
	State    string             `json:"state,omitempty"` // "open", "carried", "done"
	Entry    *assess.Entry      `json:"entry,omitempty"` // as it is kept now
	Saved    string             `json:"saved,omitempty"` // who and when
	Message  string             `json:"message,omitempty"`
	Detail   string             `json:"detail,omitempty"`
	Unproven bool               `json:"unproven,omitempty"`
	Next     string             `json:"next,omitempty"` // where to go on

	// Of a passkey that is asked for: what names the ceremony, and what the browser does.
	Flow    string          `json:"flow,omitempty"`
	Options json.RawMessage `json:"options,omitempty"`

	Progress []progressReply `json:"progress,omitempty"` // by id of what shows it

	// Of a conflict: what both began with, what was sent, what somebody else saved,
	// and the fields that both changed. Compare is the button that shows them.
	Base    *assess.Entry  `json:"base,omitempty"`
	Mine    *assess.Entry  `json:"mine,omitempty"`
	Theirs  *assess.Entry  `json:"theirs,omitempty"`
	Fields  []assess.Field `json:"fields,omitempty"`
	Compare string         `json:"compare,omitempty"`
}

type progressReply struct {
	ID    string `json:"id"`
	Value int    `json:"value"`
	Max   int    `json:"max"`
	Text  string `json:"text"`
}

// wantsJSON reports whether the script asks.
func wantsJSON(r *http.Request) bool { return r.Header.Get("Accept") == "application/json" }

func writeJSON(w http.ResponseWriter, status int, value reply) {
	body, err := json.Marshal(value)
	if err != nil { // a reply holds nothing that cannot be written
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the other side has gone
}

// readEntry reads the form of an outcome. What a form holds is not quoted in errors.
func readEntry(form url.Values) (assess.Entry, error) {
	e := assess.Entry{
		Reason: text(form, "reason"), TargetDate: text(form, "target_date"), Note: text(form, "note"), Assignee: text(form, "assignee"),
		Flagged: form.Has("flagged"), Carried: form.Get("carried") == "1",
	}
	var err error
	if e.Level, err = readLevel(form.Get("level")); err != nil {
		return e, err
	}
	if e.Target, err = readLevel(form.Get("target")); err != nil {
		return e, err
	}
	if g := form.Get("evidence"); g != "" {
		if e.Evidence, err = framework.ParseGrade(g); err != nil {
			return e, errs.New(errs.Invalid, "the form has an evidence grade that cannot be", "load the page again")
		}
	}
	if e.Level == framework.None {
		e.Carried = false
	}
	return e, e.Check()
}

func readLevel(value string) (framework.Level, error) {
	if value == "" {
		return framework.None, nil
	}
	level, err := framework.ParseLevel(value)
	if err != nil {
		return framework.None, errs.New(errs.Invalid, "the form has a level that cannot be", "load the page again")
	}
	return level, nil
}

// text returns a text of a form as it is kept: as a person meant it who pasted it.
func text(form url.Values, name string) string {
	return strings.TrimSpace(framework.Pasted(form.Get(name)))
}

// revision reads the revision that a form began with.
func revision(form url.Values, name string) (workspace.Revision, error) {
	n, err := strconv.ParseInt(form.Get(name), 10, 64)
	if err != nil || n < 0 {
		return 0, errs.New(errs.Invalid, "the form does not say what it began with", "load the page again")
	}
	return workspace.Revision(n), nil
}

func (p *Pages) save(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	mine, err := readEntry(r.PostForm)
	if err != nil {
		return p.unsaved(w, r, v, o, mine, err)
	}
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if r.PostForm.Get("use") == "proposal" {
		proposals, err := p.service.Proposals(r.Context(), v.person, v.survey.ID)
		if err != nil {
			return err
		}
		if level := proposals[o.ID].Level; level != framework.None {
			mine.Level, mine.Carried = level, false
		}
	}
	if r.PostForm.Has("began") {
		if mine, err = p.decided(r.Context(), v, o, mine, base, r.PostForm); err != nil {
			return err
		}
	}
	if about := r.PostForm.Get("holds"); about != "" { // of the proposal that the page showed
		mine.About = about
	}
	saved, conflict, err := p.service.Save(r.Context(), v.person, v.survey.ID, o.ID, base, mine)
	switch {
	case err != nil:
		return p.unsaved(w, r, v, o, mine, err)
	case conflict != nil:
		return p.conflict(w, r, v, o, conflict)
	}
	return p.kept(w, r, v, o, saved)
}

// unsaved draws the question again where what was sent cannot be kept.
func (p *Pages) unsaved(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, mine assess.Entry, err error) error {
	if d := errs.Describe(err); d.Kind == errs.Invalid && !wantsJSON(r) && !r.PostForm.Has("began") {
		return p.askAgain(w, r, v, o, mine, d)
	}
	return err
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request, v *visit) error {
	o, err := v.outcome(r)
	if err != nil {
		return err
	}
	saved, err := p.service.Confirm(r.Context(), v.person, v.survey.ID, o.ID)
	if err != nil {
		return err
	}
	if r.PostForm.Get("from") == "form" { // a button of the question: on to the next one
		r.PostForm.Set("go", "next")
	}
	return p.kept(w, r, v, o, saved[o.ID])
}

// kept answers a form whose entry was kept: the browser is led back, the script is
// told what is on the page now.
func (p *Pages) kept(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, saved workspace.Saved) error {
	all, err := p.service.Entries(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	entries := (&state{entries: all}).plain()
	one := r.PostForm.Get("one") == "1"
	next := v.nextPlace(entries, o.ID, one)
	if !wantsJSON(r) {
		if r.PostForm.Get("go") == "next" {
			return back(w, r, next)
		}
		if one {
			return back(w, r, v.to.one(v.survey.ID, o.AreaID(), o.ID))
		}
		return back(w, r, v.to.question(v.survey.ID, o.AreaID(), o.ID))
	}
	answer := reply{
		Rev: saved.Rev, State: stateOf(saved.Entry), Entry: &saved.Entry, Saved: v.when(saved.Revised), Message: v.T("saved.now"), Next: next,
		Unproven: saved.Entry.Unproven(),
	}
	for i := range v.pack.Areas {
		area := &v.pack.Areas[i]
		if area.ID != o.AreaID() {
			continue
		}
		progress := assess.ProgressOf(outcomesOf(area), entries)
		for _, id := range []string{"area-" + area.ID, "index-" + area.ID} {
			view := v.progress(id, "", progress)
			answer.Progress = append(answer.Progress, progressReply{view.ID, view.Value, view.Max, view.Text})
		}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// decided returns what somebody decided who was shown a conflict: what both began
// with and what the other saved come from the history, by their revisions, and of the
// form only what she wants.
func (p *Pages) decided(ctx context.Context, v *visit, o *framework.Outcome, mine assess.Entry, theirsRev workspace.Revision, form url.Values) (assess.Entry, error) {
	began, err := revision(form, "began")
	if err != nil {
		return mine, err
	}
	history, err := p.service.History(ctx, v.person, v.survey.ID, o.ID)
	if err != nil {
		return mine, err
	}
	at := func(rev workspace.Revision) (assess.Entry, error) {
		if rev == 0 {
			return assess.Entry{}, nil
		}
		for _, saved := range history {
			if saved.Rev == rev {
				return saved.Entry, nil
			}
		}
		return assess.Entry{}, errs.New(errs.Invalid, "the form does not say what it began with", "load the page again")
	}
	base, err := at(began)
	if err != nil {
		return mine, err
	}
	theirs, err := at(theirsRev)
	if err != nil {
		return mine, err
	}
	merged, fields := assess.Merge(base, mine, theirs)
	var take []assess.Field
	for _, f := range fields {
		if form.Get("take-"+string(f)) == "mine" {
			take = append(take, f)
		}
	}
	return assess.Take(merged, mine, take...), nil
}
