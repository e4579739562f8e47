package workspace

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
)

// Event is one revision of something that a workspace keeps: who made it, when, and
// what of it changed.
type Event struct {
	Kind    Kind
	Outcome string // that it is about; empty for none
	Body    string // the id of the body whose it is; empty for none
	ID      string // which of several: of a section, a step, a key
	Removed bool
	Changes []EventChange // of its parts, in the order of [EventFields]
	Revised
}

// EventChange is a part of something as it was before and after. A text of several
// parts is in lines, and what belongs to one of them is separated by tabs.
type EventChange struct{ Field, Before, After string }

// EventKinds returns the kinds of what has a history, as a reader looks for them.
func EventKinds() []Kind {
	return []Kind{
		kindEntry, kindContribution, kindReference, kindComment, kindFinding, kindOpinion, kindChain, kindDecision, kindApprover, kindSealing,
		kindAction, kindNeeds, kindBody, kindSection, kindSurvey,
	}
}

// EventKindsFor returns those of which a person may see any.
func EventKindsFor(person Person) []Kind {
	if person.seesAll() {
		return EventKinds()
	}
	return []Kind{kindContribution, kindNeeds}
}

// EventFields returns the parts of a kind that a history shows, by their names in what is
// kept. What is not named stays out of it: salts, signatures, files.
func EventFields(kind Kind) []string {
	switch kind {
	case kindEntry:
		return []string{"level", "carried", "reason", "target", "target_date", "evidence", "note", "assignee", "flagged"}
	case kindContribution:
		return []string{"level", "carried", "reason", "evidence", "place", "note"}
	case kindReference:
		return []string{"place", "title", "sha256"}
	case kindComment:
		return []string{"text"}
	case kindFinding:
		return []string{"claimed", "seen", "found", "verified", "reply"}
	case kindOpinion:
		return []string{"text", "by"}
	case kindChain:
		return []string{"steps"}
	case kindDecision:
		return []string{"step", "approved", "reason", "by"}
	case kindApprover:
		return []string{"key", "steps", "verifier"}
	case kindSealing:
		return []string{"sequence", "file"}
	case kindAction:
		return []string{"text", "nothing", "owner", "due", "cost", "funding", "finished"}
	case kindNeeds:
		return []string{"rows", "none"}
	case kindBody:
		return []string{"name", "kind", "scope"}
	case kindSection:
		return []string{"title", "areas", "outcomes", "bodies", "units", "due", "contact"}
	case kindSurvey:
		return []string{"charter", "deadline", "closed"}
	}
	return nil
}

// ofWorkspace reports whether what is of a kind lies in no survey.
func ofWorkspace(kind Kind) bool {
	return kind == kindApprover || kind == kindNeeds || kind == kindBody || kind == kindSurvey
}

// EventsOf says which events are wanted; the zero value is all of them.
type EventsOf struct {
	Kind    Kind
	Outcome string
	Body    string // its contributions, and what it depends on
}

func (of EventsOf) wants(e Event) bool {
	return (of.Outcome == "" || of.Outcome == e.Outcome) && (of.Body == "" || of.Body == e.Body)
}

// Events returns the history of a survey and of what the workspace has for all of them,
// the earliest first. Who sees her part only is shown what her own bodies gave.
func (s *Service) Events(ctx context.Context, person Person, id SurveyID, of EventsOf) ([]Event, error) {
	var all []Event
	err := s.view(ctx, "read the history", person, seePart, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		all = nil
		for _, kind := range EventKindsFor(person) {
			if of.Kind != "" && of.Kind != kind {
				continue
			}
			survey := id
			if ofWorkspace(kind) {
				survey = ""
			}
			records, err := r.All(kind, survey)
			if err != nil {
				return err
			}
			last := make(map[Key]map[string]string)
			for _, record := range records {
				if kind == kindSurvey && record.ID != surveyKey(id).ID {
					continue
				}
				e, fields, err := newEvent(record, last[record.Key])
				if err != nil {
					return err
				}
				last[record.Key] = fields
				if of.wants(e) && (person.seesAll() || e.Body != "" && person.answersFor(e.Body)) {
					all = append(all, e)
				}
			}
		}
		slices.SortFunc(all, func(a, b Event) int { return cmp.Compare(a.Rev, b.Rev) })
		return nil
	})
	return all, err
}

// newEvent returns what a record changed of what was there, and what there is now.
func newEvent(record Record, was map[string]string) (Event, map[string]string, error) {
	e := Event{Kind: record.Kind, Outcome: record.Outcome, ID: record.ID, Removed: record.Value == nil, Revised: record.Revised()}
	now, err := eventTexts(record)
	if err != nil {
		return e, nil, err
	}
	switch record.Kind {
	case kindContribution, kindNeeds, kindBody:
		e.Body, e.ID = record.ID, ""
	case kindComment: // a body's own
		var c keptComment
		if record.Value != nil {
			err = decode(record, &c)
		}
		e.Body = c.Body
	}
	for _, field := range EventFields(record.Kind) {
		if was[field] != now[field] {
			e.Changes = append(e.Changes, EventChange{field, was[field], now[field]})
		}
	}
	return e, now, err
}

// eventTexts returns the parts of a record as texts.
func eventTexts(record Record) (map[string]string, error) {
	texts := make(map[string]string)
	switch {
	case record.Value == nil:
		return texts, nil
	case record.Kind == kindChain:
		var steps []assess.Step
		err := decode(record, &steps)
		for _, step := range steps {
			texts["steps"] = joined(texts["steps"], "\n", joined(step.Name, "\t", flag(step.Signed, "signed"), flag(step.Again, "again")))
		}
		return texts, err
	case record.Kind == kindNeeds:
		var needs assess.Needs
		err := decode(record, &needs)
		for _, n := range needs.Rows {
			texts["rows"] = joined(texts["rows"], "\n", joined(n.What, "\t", n.Supplier, hours(n), n.Substitute, n.Note))
		}
		texts["none"] = flag(needs.None, "yes")
		return texts, err
	}
	values := make(map[string]any)
	decoder := json.NewDecoder(strings.NewReader(string(record.Value)))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, decode(record, &values) // whose words quote nothing
	}
	for _, name := range EventFields(record.Kind) {
		switch v := values[name].(type) {
		case string:
			texts[name] = v
		case bool:
			texts[name] = flag(v, "yes")
			if record.Kind == kindDecision && name == "approved" && !v {
				texts[name] = "returned"
			}
		case json.Number:
			texts[name] = v.String()
		case map[string]any: // by the ids of bodies
			for _, id := range slices.Sorted(maps.Keys(v)) {
				if n, ok := v[id].(json.Number); ok {
					texts[name] = joined(texts[name], "\n", id+"\t"+n.String())
				}
			}
		case []any:
			for _, one := range v {
				if text, ok := one.(string); ok {
					texts[name] = joined(texts[name], "\n", text)
				}
			}
		}
	}
	return texts, nil
}

// joined joins the texts that are not empty.
func joined(first, separator string, more ...string) string {
	for _, text := range more {
		switch {
		case text == "":
		case first == "":
			first = text
		default:
			first += separator + text
		}
	}
	return first
}

// hours says how long somebody can go without; nothing where nobody knows.
func hours(n assess.Need) string {
	if !n.Known {
		return ""
	}
	return strconv.Itoa(n.Hours) + " h"
}

func flag(is bool, word string) string {
	if is {
		return word
	}
	return ""
}
