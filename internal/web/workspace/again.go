package workspace

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
)

// failView is the page of what could not be done. Where something was typed it is
// there again, with the fault beside its field: no page of a workspace is kept by a
// browser, so nothing would be in the form that somebody goes back to.
type failView struct {
	web.Page
	Heading string
	Says    saying
	Action  string // where what was typed is sent again; empty where nothing was
	Title   template.HTML
	Ask     template.HTML // the question, where one was answered
	Hidden  []hidden
	Fields  []typedField
	Back    web.Link
}

// saying is why something was not done, as HTML that says its language where it is
// another than the page's.
type saying struct{ Text, Hint template.HTML }

func (v *visit) says(d errs.Description) saying {
	return saying{web.ShowRefusal(v.Printer, d.Message), web.ShowRefusal(v.Printer, d.Hint)}
}

// typedField is a control of a form as it was sent.
type typedField struct {
	ID, Name, Label, Value string
	Rows                   int // 0 for one line
	Secret                 bool
	Options                []option
	Fault                  *saying
}

// controls are the fields into which people type, and the messages that name them; ahead
// of a slash stands the end of the path of the form that the row is for. What a form
// has besides is sent again as it was.
var controls = map[string]string{
	"reason": "ask.reason", "target_date": "ask.by", "note": "ask.note", "assignee": "ask.assignee",
	"place": "ask.place", "title": "ask.title", "sha256": "digest.label",
	"comment/text": "ask.comment", "opinion/text": "verify.opinionText", "action/text": "plan.text", "points/text": "points.point",
	"name": "bodies.name", "kind": "bodies.kind", "scope": "bodies.scope", "units": "bodies.units", "contact": "bodies.contact", "section/title": "bodies.title", "section/due": "bodies.due",
	"body/id": "bodies.ident", "section/id": "bodies.ident", "key/id": "bodies.ident", "public": "approval.public",
	"folder": "evidence.folder", "seen": "verify.seen", "found": "verify.found", "reply": "verify.reply", "decision/reason": "signoff.reason",
	"action/due": "plan.due", "owner": "plan.owner", "cost": "plan.cost", "chain/name": "signoff.step", "passphrase": "sealing.passphrase",
	"what": "needs.what", "supplier": "needs.supplier", "hours": "needs.howLong", "substitute": "needs.substitute", "remark": "needs.remark",
	"contribution/level": "ask.level",
}

// longControls have several lines.
var longControls = []string{"reason", "note", "text", "scope", "seen", "found", "reply", "substitute", "remark"}

// controlOf returns the message that names a control of a form, and whether it is one
// into which people type.
func controlOf(form, name string) (string, bool) {
	name = numberless(name)
	if form == "part" {
		form = "contribution"
	}
	if strings.HasPrefix(name, unitsField) {
		name = "units"
	}
	id, ok := controls[form+"/"+name]
	if !ok {
		id, ok = controls[name]
	}
	return id, ok && id != ""
}

// numberless takes the number of a row off the name of a control.
func numberless(name string) string {
	if head, n, ok := strings.Cut(name, "-"); ok && strings.Trim(n, "0123456789") == "" {
		return head
	}
	return name
}

// subjects are the words with which refusals name what is in a control. The longest
// that begins a message decides.
var subjects = map[string]string{
	"the reason": "reason", "a return needs a reason": "reason", "no action needs a reason": "text", "the note": "note", "the name of who answers": "assignee",
	"the day of the target": "target_date", "the place of the evidence": "place", "the outcome has a reference to that place": "place",
	"the title of the evidence": "title", "the digest": "sha256", "the title of the section": "title", "the day on which it is due": "due",
	"the day by which the action is due": "due", "the contact of the section": "contact", "the comment": "text", "the opinion": "text",
	"the action": "text", "an action needs words": "text", "an action needs an owner": "owner", "a speaking point": "text",
	"the name of the body": "name", "the kind of the body": "kind", "the scope of the body": "scope", "the name of the step": "name",
	"the id of": "id", "the folder of evidence": "folder", "what was seen": "seen", "a verified level needs what was seen": "seen",
	"what was found": "found", "the reply": "reply", "the public key": "public",
	"the hours": "hours", "the number of hours": "hours", "the supplier": "supplier", "the substitute": "substitute", "the remark": "remark",
	"the number of those listed": "units",
	"what is needed":             "what", "it does not say what is needed": "what",
}

// fieldOf returns the control that a refusal is about, or nothing.
func fieldOf(message string) string {
	row := ""
	if rest, ok := strings.CutPrefix(message, "row "); ok {
		if n, what, ok := strings.Cut(rest, " of the form: "); ok {
			row, message = "-"+n, what
		}
	}
	found := ""
	for _, subject := range slices.Sorted(maps.Keys(subjects)) { // a longer one comes after its beginning
		if strings.HasPrefix(message, subject) {
			found = subjects[subject] + row
		}
	}
	return found
}

// again fills in what was typed, if anything was.
func (v *visit) again(view *failView, r *http.Request, d errs.Description) {
	form := formOf(r.URL.Path)
	at := fieldOf(d.Message)
	placed := false
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		label, typed := controlOf(form, name)
		for i, value := range r.PostForm[name] {
			if !typed || name == "id" && r.PostForm.Get("rev") != "0" { // the id of what is there already
				view.Hidden = append(view.Hidden, hidden{name, value})
				continue
			}
			many := strings.HasPrefix(name, unitsField)
			if value == "" && name != at && (many || numberless(name) != name) { // one of many rows
				continue
			}
			field := typedField{ID: name + "-" + strconv.Itoa(i), Name: name, Label: v.T(label, "N", i+1), Value: value}
			if id, ok := strings.CutPrefix(name, unitsField); ok {
				field.Label += " · " + id
			} else if n, ok := strings.CutPrefix(name, numberless(name)+"-"); ok {
				field.Label = v.T("fail.row", "N", n, "Name", field.Label)
			}
			switch {
			case name == "passphrase":
				field.Secret, field.Value = true, ""
			case name == "level":
				field.Options = v.levelOptions(value)
			case slices.Contains(longControls, numberless(name)):
				field.Rows = min(3+strings.Count(value, "\n")+len(value)/90, 20)
			}
			if (name == at || many && at == "units" && !wholeUnits(value)) && !placed && !field.Secret {
				field.Fault, placed = &view.Says, true
			}
			view.Fields = append(view.Fields, field)
		}
	}
	if len(view.Fields) == 0 {
		view.Hidden = nil
		return
	}
	view.Action = v.to.base + r.URL.Path
	if o, ok := v.pack.Outcome(aboutOutcome(r)); ok {
		view.Title, view.Ask = v.outcomes[o.ID].Title, v.outcomes[o.ID].Question
	}
}

// aboutOutcome returns the outcome that a request is about: of its path, or of its form.
func aboutOutcome(r *http.Request) string {
	if id := r.PathValue("outcome"); id != "" {
		return id
	}
	return r.PostForm.Get("outcome")
}

// formOf names the form that is sent to a path: the last of it that is a word.
func formOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	last := parts[len(parts)-1]
	if len(parts) > 3 && parts[len(parts)-3] == "outcome" { // part/outcome/{outcome}/{body}
		if parts[len(parts)-4] == "part" {
			return "part"
		}
	}
	return last
}

func (v *visit) levelOptions(chosen string) []option {
	all := []option{{"", v.level(framework.None), chosen == ""}}
	for _, l := range assess.Levels() {
		if l != framework.None {
			all = append(all, option{l.String(), v.level(l), chosen == l.String()})
		}
	}
	return all
}

// askAgain draws a question with what was sent, and why it was not kept, beside its
// field.
func (p *Pages) askAgain(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, sent assess.Entry, d errs.Description) error {
	s, err := p.state(r.Context(), v)
	if err != nil {
		return err
	}
	saved := s.entries[o.ID]
	saved.Entry = sent
	s.entries[o.ID] = saved
	area, _ := v.pack.Area(o.AreaID())
	s.fault = &questionFault{outcome: o.ID, field: fieldOf(d.Message), says: v.says(d), rev: r.PostForm.Get("rev")}
	return p.drawArea(w, r, v, s, area, o.ID, http.StatusUnprocessableEntity)
}

// questionFault is why the answer to an outcome was not kept.
type questionFault struct {
	outcome, field string
	says           saying
	rev            string // the revision that the form began with
}

// askedFields are the controls of a question beside which a fault may stand.
var askedFields = [...]string{"reason", "target_date", "note", "assignee"}

// fillFault fills in why the answer was not kept, beside its field or above all.
func (p *Pages) fillFault(o *framework.Outcome, s *state, with filling) error {
	with["fault"] = ""
	for _, name := range askedFields {
		with["fault "+name] = ""
	}
	if s.fault == nil || s.fault.outcome != o.ID {
		return nil
	}
	at := "fault"
	if slices.Contains(askedFields[:], s.fault.field) {
		at += " " + s.fault.field
	}
	with.text("rev", s.fault.rev)
	return p.partAs(with, at, "fault", s.fault.says)
}
