package workspace

import (
	"net/http"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// conflictView shows what two people made of the same answer, and asks which it is.
type conflictView struct {
	web.Page
	Heading string
	Outcome *outcomeTexts
	Lead    string
	Action  string
	Rev     string // of theirs
	Began   string
	Mine    assess.Entry
	Hidden  []hidden // what was sent, for when it is sent again
	Fields  []conflictField
	Agreed  string // what else is merged without a question
	Back    web.Link
}

type hidden struct{ Name, Value string }

// conflictField is a field that both changed, differently.
type conflictField struct {
	Field              assess.Field
	Name               string
	Base, Mine, Theirs string
}

func (p *Pages) conflict(w http.ResponseWriter, r *http.Request, v *visit, o *framework.Outcome, c *workspace.Conflict) error {
	if wantsJSON(r) {
		writeJSON(w, http.StatusConflict, reply{
			Message: v.T("conflict.short", "Name", c.Theirs.By), Compare: v.T("conflict.compare"),
			Rev: c.Theirs.Rev, Base: &c.Base.Entry, Mine: &c.Mine, Theirs: &c.Theirs.Entry, Fields: c.Fields,
		})
		return nil
	}
	view := conflictView{
		Heading: v.T("conflict.heading"), Outcome: v.outcomes[o.ID], Action: v.to.outcome(v.survey.ID, o.ID),
		Lead: v.T("conflict.lead", "Name", c.Theirs.By, "Date", v.Date(c.Theirs.At.Unix()), "Time", c.Theirs.At.UTC().Format("15:04")),
		Rev:  itoa(c.Theirs.Rev), Began: itoa(c.Base.Rev), Mine: c.Mine, Hidden: hiddenFields(c.Mine, r.PostForm.Get("one")),
		Back: web.Link{Text: v.T("conflict.leave"), Href: v.place(o)},
	}
	for _, f := range c.Fields {
		view.Fields = append(view.Fields, conflictField{
			Field: f, Name: v.T("field." + string(f)), Base: v.value(f, c.Base.Entry), Mine: v.value(f, c.Mine), Theirs: v.value(f, c.Theirs.Entry),
		})
	}
	if n := len(assess.Changed(c.Base.Entry, c.Mine)) - len(c.Fields); n > 0 {
		view.Agreed = v.N("conflict.agreed", n)
	}
	view.Page = p.page(v, view.Heading, "", surveyPath(v.survey.ID)+"area/"+o.AreaID())
	p.render(w, http.StatusConflict, "conflict", view)
	return nil
}

// hiddenFields writes an entry as its form would.
func hiddenFields(e assess.Entry, one string) []hidden {
	all := []hidden{
		{"reason", e.Reason}, {"target_date", e.TargetDate}, {"note", e.Note}, {"assignee", e.Assignee},
	}
	if e.Level != framework.None {
		all = append(all, hidden{"level", e.Level.String()})
	}
	if e.Target != framework.None {
		all = append(all, hidden{"target", e.Target.String()})
	}
	if e.Evidence != framework.NoEvidence {
		all = append(all, hidden{"evidence", e.Evidence.String()})
	}
	if e.Flagged {
		all = append(all, hidden{"flagged", "1"})
	}
	if e.Carried {
		all = append(all, hidden{"carried", "1"})
	}
	if one != "" {
		all = append(all, hidden{"one", one})
	}
	return all
}

// value writes a field of an entry in words.
func (v *visit) value(f assess.Field, e assess.Entry) string {
	empty := func(s string) string {
		if s == "" {
			return v.T("field.empty")
		}
		return s
	}
	switch f {
	case assess.FieldLevel:
		if e.Carried {
			return v.T("field.carried", "Level", v.level(e.Level))
		}
		return v.level(e.Level)
	case assess.FieldReason:
		return empty(e.Reason)
	case assess.FieldTarget:
		if e.Target == framework.None {
			return v.T("target.none")
		}
		return e.Target.String()
	case assess.FieldTargetDate:
		return empty(v.day(e.TargetDate))
	case assess.FieldEvidence:
		return v.grade(e.Evidence)
	case assess.FieldPlace:
		return empty(e.Place)
	case assess.FieldNote:
		return empty(e.Note)
	case assess.FieldAssignee:
		return empty(e.Assignee)
	case assess.FieldFlagged:
		if e.Flagged {
			return v.T("field.yes")
		}
		return v.T("field.no")
	}
	return ""
}
