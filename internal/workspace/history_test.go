package workspace_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// lived is a workspace in which something of every kind that has a history was made,
// changed and, where that is possible, taken out.
func lived(t testing.TB) (*workspacetest.Workspace, workspace.SurveyID) {
	t.Helper()
	w, id := delegated(t)
	ctx := t.Context()
	dag := contributor("port")
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level3, Evidence: framework.E1, Target: framework.Level4, TargetDate: "2032-06-30", Note: "one\ntwo"})
	was, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	_, _, err = w.Save(ctx, workspace.Lead("Bo Ek"), id, "A1.1", was.Rev, assess.Entry{Level: framework.Level2, Flagged: true})
	must(t, err)
	given, err := w.Contribute(ctx, dag, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level1, Note: "counted"})
	must(t, err)
	_, err = w.Contribute(ctx, dag, id, "A1.1", given.Rev, assess.Contribution{Body: "port", Level: framework.Level2, Note: "counted", Place: "list.txt"})
	must(t, err)
	_, err = w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "grid", Level: framework.Level0, Note: "of the grid"})
	must(t, err)
	needs, err := w.PutNeeds(ctx, dag, "port", 0, assess.Needs{Rows: []assess.Need{{What: "Power", Supplier: "The grid", Hours: 4, Known: true}, {What: "Pilots"}}})
	must(t, err)
	_, err = w.PutNeeds(ctx, dag, "port", needs.Rev, assess.Needs{Rows: []assess.Need{{What: "Power", Supplier: "The grid", Known: true, Note: "not an hour"}}})
	must(t, err)
	_, err = w.PutNeeds(ctx, w.Lead, "", 0, assess.Needs{None: true})
	must(t, err)
	_, err = w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "decree.txt"})
	must(t, err)
	_, err = w.Comment(ctx, dag, id, "A1.1", "port", "which quay?")
	must(t, err)
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister", Signed: true}}))
	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head", Signed: true}}))
	must(t, w.SetChain(ctx, w.Lead, id, nil))
	_, err = w.PutFinding(ctx, w.Lead, id, 0, assess.Finding{Outcome: "A1.1", Claimed: framework.Level2, Seen: "the list", Verified: framework.Level1})
	must(t, err)
	digest, err := w.FindingsDigest(ctx, w.Lead, id)
	must(t, err)
	must(t, w.PutOpinion(ctx, w.Lead, id, workspace.Opinion{Text: "fair", By: "Vera", Digest: digest}))
	action, err := w.PutAction(ctx, w.Lead, id, "", 0, assess.Action{Outcome: "A1.1", Text: "write it down", Owner: "Bo", Funding: assess.NotFunded})
	must(t, err)
	must(t, w.RemoveAction(ctx, w.Lead, id, "A1.1", action.ID, action.Rev))
	bodies, err := w.Bodies(ctx, w.Lead)
	must(t, err)
	must(t, w.RemoveBody(ctx, w.Lead, bodies[1].Rev, "ministry"))
	return w, id
}

func eventsOf(t testing.TB, w *workspacetest.Workspace, person workspace.Person, id workspace.SurveyID, of workspace.EventsOf) []workspace.Event {
	t.Helper()
	all, err := w.Events(t.Context(), person, id, of)
	must(t, err)
	for i, e := range all {
		if i > 0 && e.Rev <= all[i-1].Rev || e.By == "" || e.At.IsZero() {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	return all
}

// lines writes events in short.
func lines(all []workspace.Event) []string {
	var texts []string
	for _, e := range all {
		text := fmt.Sprintf("%s %s %s:", e.By, e.Kind, strings.TrimSpace(e.Outcome+" "+e.Body))
		if e.Removed {
			text += " removed"
		}
		for _, c := range e.Changes {
			text += fmt.Sprintf(" %s %q>%q", c.Field, c.Before, c.After)
		}
		texts = append(texts, text)
	}
	return texts
}

// Everything has who and when and what was before, also what bodies gave, the chain, the
// findings, the plan and the forms, and what was taken out.
func TestEvents(t *testing.T) {
	t.Parallel()
	w, id := lived(t)
	lead := w.Lead.Name
	for _, row := range []struct {
		of   workspace.EventsOf
		want []string
	}{
		{workspace.EventsOf{Kind: "entry"}, []string{
			lead + ` entry A1.1: level "">"3" target "">"4" target_date "">"2032-06-30" evidence "">"E1" note "">"one\ntwo"`,
			`Bo Ek entry A1.1: level "3">"2" target "4">"" target_date "2032-06-30">"" evidence "E1">"" note "one\ntwo">"" flagged "">"yes"`,
		}},
		{workspace.EventsOf{Kind: "contribution", Body: "port"}, []string{
			`Dag Holm contribution A1.1 port: level "">"1" note "">"counted"`,
			`Dag Holm contribution A1.1 port: level "1">"2" place "">"list.txt"`,
		}},
		{workspace.EventsOf{Kind: "needs"}, []string{
			`Dag Holm needs port: rows "">"Power\tThe grid\t4 h\nPilots"`,
			`Dag Holm needs port: rows "Power\tThe grid\t4 h\nPilots">"Power\tThe grid\t0 h\tnot an hour"`,
			lead + ` needs : none "">"yes"`,
		}},
		{workspace.EventsOf{Kind: "chain"}, []string{
			lead + ` chain : steps "">"The head\nThe minister\tsigned"`,
			lead + ` chain : steps "The head\nThe minister\tsigned">"The head\tsigned"`,
			lead + ` chain : steps "The head\tsigned">""`,
		}},
		{workspace.EventsOf{Kind: "finding", Outcome: "A1.1"}, []string{lead + ` finding A1.1: claimed "">"2" seen "">"the list" verified "">"1"`}},
		{workspace.EventsOf{Kind: "action"}, []string{
			lead + ` action A1.1: text "">"write it down" owner "">"Bo" funding "">"none"`,
			lead + ` action A1.1: removed text "write it down">"" owner "Bo">"" funding "none">""`,
		}},
		{workspace.EventsOf{Kind: "body", Body: "ministry"}, []string{lead + ` body ministry: name "">"The ministry"`, lead + ` body ministry: removed name "The ministry">""`}},
		{workspace.EventsOf{Kind: "finding", Outcome: "A1.2"}, nil},
	} {
		if diff := cmp.Diff(row.want, lines(eventsOf(t, w, w.Lead, id, row.of))); diff != "" {
			t.Errorf("%+v: -want, +got:\n%s", row.of, diff)
		}
	}
	kinds := make(map[workspace.Kind]bool)
	for _, e := range eventsOf(t, w, w.Lead, id, workspace.EventsOf{}) {
		kinds[e.Kind] = true
	}
	for _, kind := range []workspace.Kind{"entry", "contribution", "reference", "comment", "finding", "opinion", "chain", "action", "needs", "body", "section", "survey"} {
		if !kinds[kind] {
			t.Errorf("nothing of the kind %s", kind)
		}
	}
}

// A contributor is shown what her own bodies gave, and nothing else of anybody.
func TestEventsOfAPart(t *testing.T) {
	t.Parallel()
	w, id := lived(t)
	all := eventsOf(t, w, contributor("port"), id, workspace.EventsOf{})
	if len(all) != 4 {
		t.Errorf("%d events", len(all))
	}
	for _, e := range all {
		if e.Body != "port" || e.Kind != "contribution" && e.Kind != "needs" {
			t.Errorf("she is shown %+v", e)
		}
	}
	if more := eventsOf(t, w, contributor("port"), id, workspace.EventsOf{Body: "grid"}); len(more) > 0 {
		t.Errorf("of another body: %+v", more)
	}
}

// Whatever is kept of a kind is either shown in its history, or left out of it on purpose.
func TestEventFieldsAreAll(t *testing.T) {
	t.Parallel()
	left := map[workspace.Kind][]string{
		"entry":     {"about"},                                 // a mark, for the program
		"reference": {"id", "outcome", "bytes"},                // in the key, or of the file
		"comment":   {"body"},                                  // in the event
		"finding":   {"outcome", "by"},                         // in the event
		"opinion":   {"digest", "at", "signature", "approval"}, // of the signed file
		"action":    {"outcome"},                               // in the event
		"body":      {"id"},                                    // in the event
		"section":   {"id"},                                    // in the event
		"survey":    {"cycle", "pack", "before", "salt"},       // never changed; the salt is secret
	}
	w, id := lived(t)
	var seen int
	must(t, w.DB.View(t.Context(), "look", func(r workspace.Reader) error {
		for _, kind := range workspace.EventKinds() {
			for _, survey := range []workspace.SurveyID{"", id} {
				records, err := r.All(kind, survey)
				if err != nil {
					return err
				}
				for _, record := range records {
					var fields map[string]any
					if json.Unmarshal(record.Value, &fields) != nil { // a list
						continue
					}
					for _, name := range slices.Sorted(maps.Keys(fields)) {
						seen++
						if !slices.Contains(workspace.EventFields(kind), name) && !slices.Contains(left[kind], name) {
							t.Errorf("%s of %s has no place in its history", name, kind)
						}
					}
				}
			}
		}
		return nil
	}))
	if seen < 50 {
		t.Errorf("%d fields were seen", seen)
	}
}
