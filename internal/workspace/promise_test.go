package workspace_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// later is a workspace whose clock a test sets.
func later(t *testing.T) (*workspace.Service, *workspacetest.Workspace, *time.Time) {
	t.Helper()
	w := workspacetest.New(t)
	now := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	return workspace.New(workspace.Config{Store: w.DB, Now: func() time.Time { now = now.Add(time.Second); return now }}), w, &now
}

// What a plan promised is found whatever became of it: what was taken out or became no
// action after it had stood for a day is dropped, and what was only typed wrongly was
// no promise.
func TestPromises(t *testing.T) {
	t.Parallel()
	s, w, now := later(t)
	ctx := t.Context()
	id := w.Load(t, workspacetest.Pack(t, 6, "kept"))
	put := func(outcome, text string, nothing bool) workspace.SavedAction {
		t.Helper()
		saved, err := s.PutAction(ctx, w.Lead, id, "", 0, assess.Action{Outcome: outcome, Text: text, Owner: "Bo", Nothing: nothing})
		if err != nil {
			t.Fatal(err)
		}
		return saved
	}
	again := func(was workspace.SavedAction, change func(*assess.Action)) {
		t.Helper()
		a := was.Action
		change(&a)
		if _, err := s.PutAction(ctx, w.Lead, id, was.ID, was.Rev, a); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(was workspace.SavedAction) {
		t.Helper()
		if err := s.RemoveAction(ctx, w.Lead, id, was.Action.Outcome, was.ID, was.Rev); err != nil {
			t.Fatal(err)
		}
	}
	remove(put("A1.1", "typed wrongly", false))
	stays, finished := put("A1.1", "stays", false), put("A1.1", "finished", false)
	out, no, back := put("A1.2", "taken out", false), put("A1.2", "became nothing", false), put("A1.3", "came back", false)
	put("A1.4", "never meant", true)
	mind := put("A1.5", "nothing at first", true)
	*now = now.Add(48 * time.Hour)
	again(finished, func(a *assess.Action) { a.Finished = true })
	remove(out)
	again(no, func(a *assess.Action) { a.Nothing, a.Text = true, "too dear" })
	again(back, func(a *assess.Action) { a.Nothing, a.Text = true, "not now" })
	again(mind, func(a *assess.Action) { a.Nothing, a.Text = false, "done after all" })
	all, err := s.Actions(ctx, w.Lead, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Action.Outcome == "A1.3" {
			again(a, func(a *assess.Action) { a.Nothing, a.Text = false, "came back" })
		}
	}
	promises, err := s.Promises(ctx, w.Lead, id)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range promises {
		got = append(got, fmt.Sprintf("%s dropped=%t finished=%t %q", p.Action.Text, p.Dropped, p.Action.Finished, p.Reason))
	}
	want := []string{
		`stays dropped=false finished=false ""`, `finished dropped=false finished=true ""`, `taken out dropped=true finished=false ""`,
		`became nothing dropped=true finished=false "too dear"`, `came back dropped=false finished=false ""`, `done after all dropped=false finished=false ""`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("promises\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if promises[0].Made.IsZero() || promises[0].ID != stays.ID {
		t.Errorf("%+v", promises[0])
	}
	if _, err := s.Promises(ctx, workspace.Person{Name: "Bo", Roles: []workspace.Role{workspace.RoleContributor}}, id); errs.KindOf(err) != errs.Denied {
		t.Errorf("a contributor reads the plan: %v", err)
	}
}

// Speaking points are kept per language, as revisions; who keeps older ones is told.
func TestWords(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	id := w.Load(t, workspacetest.Pack(t, 6, "kept"))
	if err := w.Close(ctx, w.Lead, id); err != nil { // a brief is about what comes after
		t.Fatal(err)
	}
	none := func(lang string) {
		t.Helper()
		if _, _, err := w.Words(ctx, w.Lead, id, lang); errs.KindOf(err) != errs.NotFound {
			t.Errorf("there are words in %s: %v", lang, err)
		}
	}
	none("en")
	points := func(texts ...string) workspace.Words {
		var words workspace.Words
		for _, text := range texts {
			words.Points = append(words.Points, workspace.Point{Text: text, Public: text == "said"})
		}
		return words
	}
	first, err := w.PutWords(ctx, w.Lead, id, "en", 0, points("We meet {targets.met}.", "said"))
	if err != nil {
		t.Fatal(err)
	}
	none("fr")
	if _, err := w.PutWords(ctx, w.Lead, id, "en", 0, points("over it")); errs.KindOf(err) != errs.Conflict {
		t.Errorf("what somebody kept is written over: %v", err)
	}
	second, err := w.PutWords(ctx, w.Lead, id, "en", first.Rev, points("another"))
	if err != nil {
		t.Fatal(err)
	}
	got, revised, err := w.Words(ctx, w.Lead, id, "en")
	if err != nil || len(got.Points) != 1 || got.Points[0].Text != "another" || revised.Rev != second.Rev || revised.By != w.Lead.Name {
		t.Errorf("%+v %+v %v", got, revised, err)
	}
	if err := w.ForgetWords(ctx, w.Lead, id, "en", second.Rev); err != nil {
		t.Fatal(err)
	}
	none("en")
	if _, err := w.PutWords(ctx, w.Lead, id, "en", 0, points("anew")); err != nil {
		t.Errorf("after they were forgotten: %v", err)
	}
	reader := workspace.Person{Name: "Ro", Roles: []workspace.Role{workspace.RoleReader}}
	if _, _, err := w.Words(ctx, reader, id, "en"); err != nil {
		t.Errorf("a reader: %v", err)
	}
	for name, row := range map[string]struct {
		person workspace.Person
		lang   string
		words  workspace.Words
		kind   errs.Kind
	}{
		"who only reads": {reader, "en", points("mine"), errs.Denied},
		"no language":    {w.Lead, "e n", points("mine"), errs.Invalid},
		"too many":       {w.Lead, "en", points(strings.Split("a b c d e f g h i", " ")...), errs.Invalid},
		"too long":       {w.Lead, "en", points(strings.Repeat("long ", 100)), errs.Invalid},
		"two lines":      {w.Lead, "en", points("one\ntwo"), errs.Invalid},
		"empty":          {w.Lead, "en", points(" "), errs.Invalid},
		"direction":      {w.Lead, "en", points("a\u202eb"), errs.Invalid},
	} {
		if _, err := w.PutWords(ctx, row.person, id, row.lang, 0, row.words); errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A body's own part is what it gave itself and what was released: no level of the member
// and of no other body, and only for who answers for it or sees everything.
func TestCompareBody(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 6, "kept")
	id := w.Load(t, pack)
	for _, body := range []string{"port", "grid"} {
		if _, err := w.PutBody(ctx, w.Lead, 0, assess.Body{ID: body, Name: body}); err != nil {
			t.Fatal(err)
		}
	}
	give := func(id workspace.SurveyID, outcome, body string, level framework.Level) {
		t.Helper()
		if _, err := w.Contribute(ctx, w.Lead, id, outcome, 0, assess.Contribution{Body: body, Level: level}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Save(ctx, w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level4}); err != nil {
		t.Fatal(err)
	}
	give(id, "A1.1", "port", framework.Level2)
	give(id, "A1.2", "port", framework.Withheld)
	give(id, "A1.3", "grid", framework.Level1)
	person := func(bodies ...string) workspace.Person {
		return workspace.Person{Name: "Pia", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: bodies}
	}
	if _, err := w.CompareBody(ctx, person("port"), id, "port"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("without a release: %v", err)
	}
	if _, err := w.KeepRelease(ctx, w.Lead, id, workspacetest.ReleaseFile(t, pack, workspacetest.Cycle)); err != nil {
		t.Fatal(err)
	}
	for _, who := range []workspace.Person{w.Lead, person("port"), {Name: "Ro", Roles: []workspace.Role{workspace.RoleReader}}} {
		c, err := w.CompareBody(ctx, who, id, "port")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range c.Standings {
			got = append(got, fmt.Sprintf("%s %s %s %d+%d+%d", s.Outcome, s.Answer.Level, s.Gap, s.Lower, s.Same, s.Higher))
		}
		// A fifth of thirty is at each level; who gave none is neither lower nor higher.
		if want := "A1.1 2 unknown 12+6+12; A1.2 withheld unknown 0+0+0"; strings.Join(got, "; ") != want {
			t.Errorf("%s: %s, want %s", who.Name, strings.Join(got, "; "), want)
		}
	}
	for name, row := range map[string]struct {
		person workspace.Person
		body   string
		kind   errs.Kind
	}{
		"another's": {person("grid"), "port", errs.Denied}, "nobody's": {person(), "port", errs.Denied}, "no body": {w.Lead, "nowhere", errs.NotFound},
	} {
		if _, err := w.CompareBody(ctx, row.person, id, row.body); errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The year after, what moved is the body's own.
	second, err := w.Service.Load(ctx, w.Lead, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: id})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.CompareBody(ctx, person("port"), id, "port"); err != nil || len(c.Standings) != 2 {
		t.Errorf("%+v %v", c.Standings, err)
	}
	carried, err := w.Contributions(ctx, w.Lead, second.ID, "A1.1")
	if err != nil || len(carried) != 1 || !carried[0].Carried {
		t.Fatalf("carried %+v: %v", carried, err)
	}
	if _, err := w.Contribute(ctx, w.Lead, second.ID, "A1.1", carried[0].Rev, assess.Contribution{Body: "port", Level: framework.Level3}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.KeepRelease(ctx, w.Lead, second.ID, workspacetest.ReleaseFile(t, pack, "2032")); err != nil {
		t.Fatal(err)
	}
	c, err := w.CompareBody(ctx, person("port"), second.ID, "port")
	if err != nil || len(c.Standings) != 1 || c.Standings[0].Move != assess.MoveRose || c.Standings[0].Before != framework.Level2 {
		t.Errorf("%+v %v", c.Standings, err)
	}
}

// Without a release a comparison says what the member knows of itself.
func TestCompareAlone(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 6, "kept"))
	if _, _, err := w.Save(t.Context(), w.Lead, id, "A1.2", 0, assess.Entry{Level: framework.Level1, Target: framework.Level3}); err != nil {
		t.Fatal(err)
	}
	c, err := w.Compare(t.Context(), w.Lead, id, nil)
	if err != nil || len(c.Standings) != 1 || c.Standings[0].Band != -1 || fmt.Sprint(c.Urgent) != "[A1.2]" || c.Cohort != "" {
		t.Errorf("%+v %v", c, err)
	}
}
