package workspace_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants an error of a kind, which holds nothing of what was written.
func refused(t *testing.T, err error, kind errs.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", kind)
	}
	if got := errs.KindOf(err); got != kind {
		t.Fatalf("%v: kind %v, want %v", err, got, kind)
	}
}

func save(t testing.TB, w *workspacetest.Workspace, id workspace.SurveyID, outcome string, e assess.Entry) workspace.Saved {
	t.Helper()
	was, err := w.Entry(t.Context(), w.Lead, id, outcome)
	must(t, err)
	saved, conflict, err := w.Save(t.Context(), w.Lead, id, outcome, was.Rev, e)
	must(t, err)
	if conflict != nil {
		t.Fatalf("a conflict about %v", conflict.Fields)
	}
	return saved
}

func TestSave(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 3, "there"))
	ctx := t.Context()

	untouched, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	if untouched.Rev != 0 || untouched.Entry != (assess.Entry{}) {
		t.Fatalf("untouched: %+v", untouched)
	}
	first := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level2, Note: "two"})

	// The same again, as after a lost answer, with the base that it had.
	again, conflict, err := w.Save(ctx, w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level2, Note: "two"})
	must(t, err)
	if conflict != nil || again != first {
		t.Errorf("repeated: %+v, %+v; want %+v", again, conflict, first)
	}

	// Another field, from the same base: merged.
	other := workspace.Person{Name: "Bo Ek", Roles: []workspace.Role{workspace.RoleLead}}
	merged, conflict, err := w.Save(ctx, other, id, "A1.1", 0, assess.Entry{Assignee: "Bo"})
	must(t, err)
	want := assess.Entry{Level: framework.Level2, Note: "two", Assignee: "Bo"}
	if conflict != nil || merged.Entry != want || merged.By != "Bo Ek" || merged.Rev <= first.Rev {
		t.Errorf("merged: %+v, %+v", merged, conflict)
	}

	// The same field differently, from a base that is old: nothing is saved.
	_, conflict, err = w.Save(ctx, w.Lead, id, "A1.1", first.Rev, assess.Entry{Level: framework.Level2, Note: "two", Assignee: "Cleo"})
	must(t, err)
	if conflict == nil {
		t.Fatal("no conflict")
	}
	wantConflict := &workspace.Conflict{
		Base: first, Mine: assess.Entry{Level: framework.Level2, Note: "two", Assignee: "Cleo"}, Theirs: merged,
		Fields: []assess.Field{assess.FieldAssignee},
	}
	if diff := cmp.Diff(wantConflict, conflict); diff != "" {
		t.Errorf("conflict (-want +got):\n%s", diff)
	}
	now, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	if now != merged {
		t.Errorf("after a conflict: %+v, want %+v", now, merged)
	}

	// Decided: from the newest.
	decided, conflict, err := w.Save(ctx, w.Lead, id, "A1.1", conflict.Theirs.Rev, assess.Take(conflict.Theirs.Entry, conflict.Mine, assess.FieldAssignee))
	must(t, err)
	if conflict != nil || decided.Entry.Assignee != "Cleo" {
		t.Errorf("decided: %+v, %+v", decided, conflict)
	}
	history, err := w.History(ctx, w.Lead, id, "A1.1")
	must(t, err)
	if diff := cmp.Diff([]workspace.Saved{first, merged, decided}, history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	entries, err := w.Entries(ctx, w.Lead, id)
	must(t, err)
	if diff := cmp.Diff(map[string]workspace.Saved{"A1.1": decided}, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestSaveRefuses(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 3, "there"))
	one := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level1})
	save(t, w, id, "A1.2", assess.Entry{Level: framework.Level1})
	two := save(t, w, id, "A1.2", assess.Entry{Level: framework.Level2})
	for name, row := range map[string]struct {
		id      workspace.SurveyID
		outcome string
		base    workspace.Revision
		entry   assess.Entry
		kind    errs.Kind
	}{
		"no such survey":           {"2031/other", "A1.1", 0, assess.Entry{}, errs.NotFound},
		"no such outcome":          {id, "A9.9", 0, assess.Entry{}, errs.NotFound},
		"a revision of another":    {id, "A1.1", two.Rev, assess.Entry{}, errs.Invalid},
		"a revision to come":       {id, "A1.1", two.Rev + 100, assess.Entry{}, errs.Invalid},
		"a negative one":           {id, "A1.1", -1, assess.Entry{}, errs.Invalid},
		"a level that is none":     {id, "A1.1", one.Rev, assess.Entry{Level: 42}, errs.Invalid},
		"a target that is none":    {id, "A1.1", one.Rev, assess.Entry{Target: framework.Withheld}, errs.Invalid},
		"a day that is none":       {id, "A1.1", one.Rev, assess.Entry{TargetDate: "2031-02-30"}, errs.Invalid},
		"a note that cannot print": {id, "A1.1", one.Rev, assess.Entry{Note: "a\x1bb"}, errs.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := w.Save(t.Context(), w.Lead, row.id, row.outcome, row.base, row.entry)
			refused(t, err, row.kind)
			if row.outcome != "A1.1" {
				return
			}
			now, err := w.Entry(t.Context(), w.Lead, id, "A1.1")
			must(t, err)
			if now != one {
				t.Errorf("the entry has changed: %+v", now)
			}
		})
	}
}

// Twenty people save the same outcomes and different ones: each an own field of the
// same, and whole entries of their own. Every revision that was acknowledged is in
// the history, every field that somebody saved without a conflict was there in the
// revision that it was acknowledged as, and the numbers of revisions add up.
func TestSaveTogether(t *testing.T) {
	t.Parallel()
	const people, rounds = 20, 25
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, people+6, "there"))
	pack, err := w.Pack(t.Context(), w.Lead, id)
	must(t, err)
	outcomes := pack.Outcomes()
	type acknowledged struct {
		outcome string
		saved   workspace.Saved
	}
	var (
		mu        sync.Mutex
		all       []acknowledged
		conflicts int
		group     sync.WaitGroup
	)
	for p := range people {
		group.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(p)))
			who := workspace.Person{Name: fmt.Sprintf("person %d", p), Roles: []workspace.Role{workspace.RoleLead}}
			for round := range rounds {
				outcome := outcomes[6+p].ID // her own
				if round%2 == 0 {
					outcome = outcomes[random.IntN(6)].ID // anybody's
				}
				seen, err := w.Entry(t.Context(), who, id, outcome)
				if err != nil {
					t.Error(err)
					return
				}
				mine := seen.Entry
				level, _ := framework.LevelOf(random.IntN(5))
				switch (p + round) % 4 {
				case 0:
					mine.Note = fmt.Sprintf("note %d of %d", round, p)
				case 1:
					mine.Assignee = who.Name
				case 2:
					mine.Level = level
				case 3:
					mine.Target = level
				}
				saved, conflict, err := w.Save(t.Context(), who, id, outcome, seen.Rev, mine)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if conflict != nil {
					conflicts++
				} else {
					all = append(all, acknowledged{outcome, saved})
					for _, f := range assess.Changed(seen.Entry, mine) {
						if len(assess.Changed(mine, assess.Take(mine, saved.Entry, f))) > 0 {
							t.Errorf("%s: what %s saved of %s is not in the revision that was acknowledged", outcome, who.Name, f)
						}
					}
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(all)+conflicts != people*rounds {
		t.Errorf("%d saved and %d conflicts of %d saves", len(all), conflicts, people*rounds)
	}
	revisions := 0
	for _, o := range outcomes {
		history, err := w.History(t.Context(), w.Lead, id, o.ID)
		must(t, err)
		revisions += len(history)
		kept := make(map[workspace.Revision]workspace.Saved)
		for _, h := range history {
			kept[h.Rev] = h
		}
		for _, a := range all {
			if a.outcome == o.ID && kept[a.saved.Rev] != a.saved {
				t.Errorf("%s: acknowledged %+v, the history has %+v", o.ID, a.saved, kept[a.saved.Rev])
			}
		}
		if n := len(history); n > 0 {
			now, err := w.Entry(t.Context(), w.Lead, id, o.ID)
			must(t, err)
			if now != history[n-1] {
				t.Errorf("%s: the newest is not the last of the history", o.ID)
			}
		}
	}
	acknowledgedRevisions := make(map[workspace.Revision]bool)
	for _, a := range all {
		acknowledgedRevisions[a.saved.Rev] = true
	}
	if revisions != len(acknowledgedRevisions) {
		t.Errorf("the history has %d revisions, and %d were acknowledged", revisions, len(acknowledgedRevisions))
	}
	t.Logf("%d saves: %d revisions, %d conflicts", people*rounds, revisions, conflicts)
}

// A page is read while somebody holds a transaction open.
func TestEntriesBesideSave(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 3, "there"))
	saved := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level1})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := w.DB.InTx(ctx, "hold", func(workspace.Tx) error {
		entries, err := w.Entries(ctx, w.Lead, id)
		if err == nil && entries["A1.1"] != saved {
			t.Errorf("read %+v", entries)
		}
		return err
	})
	must(t, err)
}

func TestSaveAll(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 4, "there"))
	first := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level1})
	second := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level2})
	results, err := w.SaveAll(t.Context(), w.Lead, id, []workspace.Save{
		{Outcome: "A1.1", Base: first.Rev, Mine: assess.Entry{Level: framework.Level3}},
		{Outcome: "A1.2", Mine: assess.Entry{Level: framework.Withheld}},
	})
	must(t, err)
	want := []workspace.Result{
		{Conflict: &workspace.Conflict{Base: first, Mine: assess.Entry{Level: framework.Level3}, Theirs: second, Fields: []assess.Field{assess.FieldLevel}}},
		{Saved: workspace.Saved{Entry: assess.Entry{Level: framework.Withheld}}},
	}
	if diff := cmp.Diff(want, results, cmpopts.IgnoreFields(workspace.Result{}, "Saved.Revised")); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	// One that cannot be refuses them all.
	_, err = w.SaveAll(t.Context(), w.Lead, id, []workspace.Save{
		{Outcome: "A1.3", Mine: assess.Entry{Level: framework.Level0}},
		{Outcome: "A7.7", Mine: assess.Entry{Level: framework.Level0}},
	})
	refused(t, err, errs.NotFound)
	entries, err := w.Entries(t.Context(), w.Lead, id)
	must(t, err)
	if _, ok := entries["A1.3"]; ok || len(entries) != 2 {
		t.Errorf("entries after a refusal: %v", entries)
	}
}

// What a file says of bodies counts when its reasons are kept, what cannot be an entry is
// refused on this way, too, and what is wrong is named.
func TestSaveBatch(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	give := func(body, outcome string, c assess.Contribution) workspace.BatchContribution {
		c.Body = body
		return workspace.BatchContribution{Survey: id, Outcome: outcome, Contribution: c}
	}
	entry := func(e assess.Entry) []workspace.BatchEntry {
		return []workspace.BatchEntry{{Survey: id, Save: workspace.Save{Outcome: "A1.1", Mine: e}}}
	}
	two := assess.Contribution{Level: framework.Level2}
	result, err := w.SaveBatch(ctx, w.Lead, workspace.Batch{
		Entries:       entry(assess.Entry{Level: framework.Level3, Evidence: framework.E2, Reason: "they are small"}),
		Contributions: []workspace.BatchContribution{give("port", "A1.1", two), give("grid", "A1.1", two)},
	})
	must(t, err)
	if about := result.Entries[0].Saved.Entry.About; about != "2/2/2/2" {
		t.Errorf("the reason is about %q", about)
	}
	if b := blockersOf(t, w, id, "A1.1"); len(b) > 0 {
		t.Errorf("a file that says why is blocked: %+v", b)
	}
	_, err = w.SaveBatch(ctx, w.Lead, workspace.Batch{Entries: entry(assess.Entry{Level: framework.Level3, Place: "shared/list"})})
	refused(t, err, errs.Invalid)
	_, err = w.SaveAll(ctx, w.Lead, id, []workspace.Save{{Outcome: "A1.1", Mine: assess.Entry{Place: "shared/list"}}})
	refused(t, err, errs.Invalid)
	_, err = w.SaveBatch(ctx, w.Lead, workspace.Batch{Contributions: []workspace.BatchContribution{give("port", "A1.2", assess.Contribution{Level: framework.Level3, Place: "http://example.org"})}})
	refused(t, err, errs.Invalid)
	if m := errs.Describe(err).Message; !strings.Contains(m, "A1.2@port") {
		t.Errorf("refused with %q, which does not say what", m)
	}
}
