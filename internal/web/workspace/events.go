package workspace

import (
	"bytes"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// eventsView is the history of a survey, the latest first.
type eventsView struct {
	web.Page
	Kicker, Lead           string
	Kinds, Outcomes, Names []option // what may be looked for; Names are bodies
	Action                 string
	CSV                    web.Link
	Events                 []eventView
	Older                  *web.Link
}

type eventView struct {
	Who, What string
	Outcome   *web.Link
	Title     template.HTML // of the outcome
	Removed   bool
	Changes   []changeView
}

// mostEvents is how many stand on a page.
const mostEvents = 100

// wanted reads what of a history is looked for.
func wanted(r *http.Request) workspace.EventsOf {
	q := r.URL.Query()
	return workspace.EventsOf{Kind: workspace.Kind(q.Get("kind")), Outcome: q.Get("outcome"), Body: q.Get("body")}
}

func (p *Pages) events(w http.ResponseWriter, r *http.Request, v *visit) error {
	of := wanted(r)
	all, err := p.service.Events(r.Context(), v.person, v.survey.ID, of)
	if err != nil {
		return err
	}
	names, err := p.bodyNames(r.Context(), v)
	if err != nil {
		return err
	}
	here := v.to.under(v.survey.ID, "history")
	query := url.Values{}
	for name, value := range map[string]string{"kind": string(of.Kind), "outcome": of.Outcome, "body": of.Body} {
		if value != "" {
			query.Set(name, value)
		}
	}
	view := eventsView{Kicker: v.kicker(), Lead: v.N("events.lead", len(all)), Action: here}
	if view.CSV = (web.Link{Text: v.T("events.csv"), Href: here + ".csv"}); len(query) > 0 {
		view.CSV.Href += "?" + query.Encode()
	}
	for _, kind := range workspace.EventKindsFor(v.person) {
		view.Kinds = append(view.Kinds, option{string(kind), v.T("events.kind." + string(kind)), kind == of.Kind})
	}
	for _, o := range v.pack.Outcomes() {
		view.Outcomes = append(view.Outcomes, option{o.ID, o.ID + " " + v.outcomes[o.ID].plainTitle, o.ID == of.Outcome})
	}
	bodies, err := p.service.Bodies(r.Context(), v.person)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		view.Names = append(view.Names, option{b.ID, b.Name, b.ID == of.Body})
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // 0: from the latest on
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		if before > 0 && int64(e.Rev) >= before {
			continue
		}
		if len(view.Events) == mostEvents {
			query.Set("before", itoa(all[i+1].Rev))
			view.Older = &web.Link{Text: v.T("events.older"), Href: here + "?" + query.Encode()}
			break
		}
		view.Events = append(view.Events, v.event(e, names))
	}
	switch {
	case len(view.Events) > 0:
	case len(query) > 0:
		view.Lead = v.T("events.none")
	default:
		view.Lead = v.T("events.empty")
	}
	view.Page = p.page(v, v.T("events.title"), here, surveyPath(v.survey.ID)+"history")
	p.render(w, http.StatusOK, "events", view)
	return nil
}

// event draws one.
func (v *visit) event(e workspace.Event, names map[string]string) eventView {
	view := eventView{Who: v.when(e.Revised), What: v.T("events.kind." + string(e.Kind)), Removed: e.Removed}
	switch {
	case e.Body != "":
		view.What += " · " + nameOf(names, e.Body)
	case e.Kind == "needs":
		view.What += " · " + v.member
	case e.Kind == "section", e.Kind == "approver":
		view.What += " · " + e.ID
	}
	if o, ok := v.pack.Outcome(e.Outcome); ok {
		view.Outcome = &web.Link{Text: o.ID, Href: v.place(o)}
		view.Title = v.outcomes[o.ID].Title
	}
	for _, c := range e.Changes {
		view.Changes = append(view.Changes, changeView{v.T("events.field." + c.Field), v.eventText(c.Field, c.Before, names), v.eventText(c.Field, c.After, names)})
	}
	return view
}

// eventText shows a part of something as a reader knows it.
func (v *visit) eventText(field, text string, names map[string]string) string {
	if text == "" {
		return ""
	}
	switch field {
	case "level", "target", "claimed", "verified":
		if level, err := framework.ParseLevel(text); err == nil {
			return v.level(level)
		}
	case "evidence":
		if grade, err := framework.ParseGrade(text); err == nil {
			return v.grade(grade)
		}
	case "target_date", "due":
		return v.day(text)
	case "deadline":
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return v.Date(at.Unix()) + ", " + at.UTC().Format("15:04") + " UTC"
		}
	case "funding":
		return v.T("funding." + text)
	case "bodies":
		lines := strings.Split(text, "\n")
		for i, id := range lines {
			lines[i] = nameOf(names, id)
		}
		return strings.Join(lines, ", ")
	case "units":
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			id, n, _ := strings.Cut(line, "\t")
			lines[i] = nameOf(names, id) + ": " + n
		}
		return strings.Join(lines, "\n")
	case "steps", "rows":
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			parts := strings.Split(line, "\t")
			for j := 1; j < len(parts) && field == "steps"; j++ {
				parts[j] = v.T("events.step." + parts[j])
			}
			lines[i] = strings.Join(parts, " · ")
		}
		return strings.Join(lines, "\n")
	}
	switch {
	case text == "yes":
		return v.T("field.yes")
	case field == "approved" && text == "returned":
		return v.T("events.returned")
	}
	return text
}

// eventsCSV serves the same as a file.
func (p *Pages) eventsCSV(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, err := p.service.Events(r.Context(), v.person, v.survey.ID, wanted(r))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := WriteEvents(&b, v.marking, v.survey.ID, all); err != nil {
		return err
	}
	attach(w, "text/csv; charset=utf-8; header=present", strings.Join([]string{v.marking, v.member, v.survey.ID.Cycle(), v.pack.ID, "history"}, "-")+".csv")
	_, _ = w.Write(b.Bytes()) // an error means that the other side has gone
	return nil
}

// WriteEvents writes a history as CSV: a row for each part that changed, and one for what
// has none; the same columns and words in every language.
func WriteEvents(w io.Writer, marking string, id workspace.SurveyID, all []workspace.Event) error {
	header := []string{"revision", "at", "by", "survey", "what", "outcome", "body", "id", "removed", "part", "before", "after"}
	if marking != "" {
		header = append(header, "marking")
	}
	var rows [][]string
	for _, e := range all {
		removed := ""
		if e.Removed {
			removed = "yes"
		}
		changes := e.Changes
		if len(changes) == 0 {
			changes = make([]workspace.EventChange, 1)
		}
		for _, c := range changes {
			row := []string{
				itoa(e.Rev), e.At.UTC().Format("2006-01-02T15:04:05Z"), e.By, string(id), string(e.Kind), e.Outcome, e.Body, e.ID, removed,
				c.Field, strings.ReplaceAll(c.Before, "\t", "; "), strings.ReplaceAll(c.After, "\t", "; "),
			}
			if marking != "" {
				row = append(row, marking)
			}
			rows = append(rows, row)
		}
	}
	return workbook.WriteTable(w, header, rows)
}

// place is where a reader sees an outcome: who sees her part only, in that.
func (v *visit) place(o *framework.Outcome) string {
	if v.person.SeesAll() {
		return v.to.question(v.survey.ID, o.AreaID(), o.ID)
	}
	return v.partPlace(o, "")
}
