package workspace_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// delegated is a workspace with three bodies: the port and the grid have area A1,
// the ministry has outcome A2.1.
func delegated(t testing.TB) (*workspacetest.Workspace, workspace.SurveyID) {
	t.Helper()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 8, "there"))
	for _, body := range []assess.Body{{ID: "port", Name: "The port", Kind: "facility"}, {ID: "grid", Name: "The grid"}, {ID: "ministry", Name: "The ministry"}} {
		_, err := w.PutBody(t.Context(), w.Lead, 0, body)
		must(t, err)
	}
	for _, section := range []workspace.Section{
		{ID: "works", Title: "Works", Areas: []string{"A1"}, Bodies: []string{"port", "grid"}, Due: "2031-02-01", Contact: "the works"},
		{ID: "rules", Title: "Rules", Outcomes: []string{"A2.1"}, Bodies: []string{"ministry"}, Due: "2032-02-01"},
	} {
		_, err := w.PutSection(t.Context(), w.Lead, id, 0, section)
		must(t, err)
	}
	return w, id
}

func contributor(bodies ...string) workspace.Person {
	return workspace.Person{Name: "Dag Holm", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: bodies}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	all, err := w.Bodies(ctx, w.Lead)
	must(t, err)
	if len(all) != 3 || all[2].Body != (assess.Body{ID: "port", Name: "The port", Kind: "facility"}) {
		t.Fatalf("bodies %+v", all)
	}
	own, err := w.Bodies(ctx, contributor("grid"))
	must(t, err)
	if len(own) != 1 || own[0].ID != "grid" {
		t.Errorf("a contributor is shown %+v", own)
	}
	port := all[2]
	_, err = w.PutBody(ctx, w.Lead, 0, port.Body)
	refused(t, err, errs.Conflict)
	port.Body.Scope = "two quays"
	changed, err := w.PutBody(ctx, w.Lead, port.Rev, port.Body)
	must(t, err)
	again, err := w.PutBody(ctx, w.Lead, port.Rev, port.Body)
	must(t, err)
	if again != changed {
		t.Errorf("the same again is %+v, want %+v", again, changed)
	}
	port.Body.Scope = "one quay"
	_, err = w.PutBody(ctx, w.Lead, port.Rev, port.Body)
	refused(t, err, errs.Conflict)
	_, err = w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level1})
	must(t, err)

	refused(t, w.RemoveBody(ctx, w.Lead, port.Rev, "port"), errs.Conflict)
	must(t, w.RemoveBody(ctx, w.Lead, changed.Rev, "port"))
	refused(t, w.RemoveBody(ctx, w.Lead, changed.Rev, "port"), errs.NotFound)
	proposals, err := w.Proposals(ctx, w.Lead, id)
	must(t, err)
	if len(proposals) != 0 {
		t.Errorf("a removed body is counted: %+v", proposals)
	}
	// It may come back, as something new.
	_, err = w.PutBody(ctx, w.Lead, 0, port.Body)
	must(t, err)
	for _, bad := range []assess.Body{{}, {ID: "a b", Name: "x"}, {ID: "-a", Name: "x"}, {ID: "a"}, {ID: "a", Name: "x\ny"}, {ID: "a", Name: " "}} {
		_, err := w.PutBody(ctx, w.Lead, 0, bad)
		refused(t, err, errs.Invalid)
	}
}

func TestContribute(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	dag := contributor("port")
	first, err := w.Contribute(ctx, dag, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level1, Note: "one"})
	must(t, err)
	again, err := w.Contribute(ctx, dag, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level1, Note: "one"})
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("repeated (-first +second):\n%s", diff)
	}
	second, err := w.Contribute(ctx, dag, id, "A1.1", first.Rev, assess.Contribution{Body: "port", Level: framework.Level2})
	must(t, err)
	_, err = w.Contribute(ctx, dag, id, "A1.1", first.Rev, assess.Contribution{Body: "port", Level: framework.Level3})
	refused(t, err, errs.Conflict)
	history, err := w.ContributionHistory(ctx, dag, id, "A1.1", "port")
	must(t, err)
	if diff := cmp.Diff([]workspace.SavedContribution{first, second}, history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	for name, row := range map[string]struct {
		who     workspace.Person
		outcome string
		c       assess.Contribution
		kind    errs.Kind
	}{
		"another body":              {dag, "A1.1", assess.Contribution{Body: "grid", Level: framework.Level1}, errs.Denied},
		"outside of its sections":   {dag, "A2.1", assess.Contribution{Body: "port", Level: framework.Level1}, errs.Denied},
		"a body that is none":       {w.Lead, "A1.1", assess.Contribution{Body: "none", Level: framework.Level1}, errs.NotFound},
		"an outcome that is none":   {dag, "A9.1", assess.Contribution{Body: "port", Level: framework.Level1}, errs.NotFound},
		"a level that is none":      {dag, "A1.2", assess.Contribution{Body: "port", Level: 99}, errs.Invalid},
		"a verifier":                {workspace.Person{Name: "V", Roles: []workspace.Role{workspace.RoleVerifier}}, "A1.2", assess.Contribution{Body: "port"}, errs.Denied},
		"the history of another":    {dag, "", assess.Contribution{Body: "grid"}, errs.Denied},
		"a body without the role":   {workspace.Person{Name: "R", Roles: []workspace.Role{workspace.RoleReader}, Bodies: []string{"port"}}, "A1.2", assess.Contribution{Body: "port"}, errs.Denied},
		"a person without any role": {workspace.Person{Name: "N", Bodies: []string{"port"}}, "A1.2", assess.Contribution{Body: "port"}, errs.Denied},
	} {
		var err error
		if row.outcome == "" {
			_, err = w.ContributionHistory(ctx, row.who, id, "A1.1", row.c.Body)
		} else {
			_, err = w.Contribute(ctx, row.who, id, row.outcome, 0, row.c)
		}
		if errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want kind %v", name, err, row.kind)
		}
	}
	// The lead may, for any body and outcome.
	_, err = w.Contribute(ctx, w.Lead, id, "A2.2", 0, assess.Contribution{Body: "grid", Level: framework.Level4})
	must(t, err)
	all, err := w.Contributions(ctx, w.Lead, id, "")
	must(t, err)
	own, err := w.Contributions(ctx, dag, id, "")
	must(t, err)
	if len(all) != 2 || len(own) != 1 || own[0].Body != "port" {
		t.Errorf("all %+v, own %+v", all, own)
	}
}

func TestProposals(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	contribute := func(outcome, body string, level framework.Level) {
		t.Helper()
		_, err := w.Contribute(ctx, w.Lead, id, outcome, 0, assess.Contribution{Body: body, Level: level})
		must(t, err)
	}
	contribute("A1.1", "port", framework.Level3)     // the grid is silent
	contribute("A1.2", "port", framework.Level3)     //
	contribute("A1.2", "grid", framework.Level2)     //
	contribute("A1.3", "port", framework.None)       // says nothing
	contribute("A1.4", "ministry", framework.Level4) // is not listed, and spoke
	got, err := w.Proposals(ctx, w.Lead, id)
	must(t, err)
	want := map[string]assess.Proposal{
		"A1.1": {Level: framework.Level0, Lowest: framework.Level0, Reached: 2, Of: 2, Silent: []string{"grid"}},
		"A1.2": {Level: framework.Level2, Lowest: framework.Level2, Reached: 2, Of: 2},
		"A1.4": {Level: framework.Level0, Lowest: framework.Level0, Reached: 3, Of: 3, Silent: []string{"grid", "port"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("proposals (-want +got):\n%s", diff)
	}
	_, err = w.Proposals(ctx, contributor("port"), id)
	refused(t, err, errs.Denied)
}

func TestPart(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	dag := contributor("port", "ministry")
	saved, err := w.Contribute(ctx, dag, id, "A2.1", 0, assess.Contribution{Body: "ministry", Level: framework.NotApplicable, Reason: "none here"})
	must(t, err)
	_, err = w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "grid", Level: framework.Level1})
	must(t, err)
	part, err := w.Part(ctx, dag, id)
	must(t, err)
	var outcomes []string
	for _, o := range part.Outcomes {
		outcomes = append(outcomes, o.ID)
	}
	if diff := cmp.Diff([]string{"A1.1", "A1.2", "A1.3", "A1.4", "A1.5", "A1.6", "A2.1"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if part.Contributions["A2.1"]["ministry"] != saved || len(part.Contributions["A1.1"]) != 0 {
		t.Errorf("contributions %+v", part.Contributions)
	}
	if part.Progress() != (assess.Progress{Answered: 1, Of: 7}) {
		t.Errorf("progress %+v", part.Progress())
	}
	s, err := w.Survey(ctx, dag, id)
	must(t, err)
	if s.Progress != part.Progress() || s.Digest != "" || s.Sealings != 0 {
		t.Errorf("a contributor is shown %+v", s)
	}
	none, err := w.Part(ctx, contributor("elsewhere"), id)
	must(t, err)
	if len(none.Outcomes) != 0 {
		t.Errorf("a body in no section has %d outcomes", len(none.Outcomes))
	}
	sections, err := w.Sections(ctx, contributor("grid"), id)
	must(t, err)
	if len(sections) != 1 || sections[0].ID != "works" {
		t.Errorf("sections %+v", sections)
	}
}

func TestReminders(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	for i := range 6 {
		_, err := w.Contribute(t.Context(), w.Lead, id, fmt.Sprintf("A1.%d", i+1), 0, assess.Contribution{Body: "grid", Level: framework.Level1})
		must(t, err)
	}
	_, err := w.Contribute(t.Context(), w.Lead, id, "A1.2", 0, assess.Contribution{Body: "port", Level: framework.Withheld})
	must(t, err)
	got, err := w.Reminders(t.Context(), w.Lead, id)
	must(t, err)
	type row struct {
		section, body string
		open, of      int
		overdue       bool
	}
	var rows []row
	for _, r := range got {
		rows = append(rows, row{r.Section.ID, r.Body.ID, r.Open, r.Of, r.Overdue})
	}
	want := []row{{"works", "port", 5, 6, true}, {"rules", "ministry", 1, 1, false}}
	if diff := cmp.Diff(want, rows, cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("reminders (-want +got):\n%s", diff)
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	for name, row := range map[string]struct {
		section workspace.Section
		kind    errs.Kind
	}{
		"no id":      {workspace.Section{Title: "x"}, errs.Invalid},
		"no title":   {workspace.Section{ID: "x"}, errs.Invalid},
		"no area":    {workspace.Section{ID: "x", Title: "x", Areas: []string{"Z"}}, errs.NotFound},
		"no outcome": {workspace.Section{ID: "x", Title: "x", Outcomes: []string{"Z.1"}}, errs.NotFound},
		"no body":    {workspace.Section{ID: "x", Title: "x", Bodies: []string{"z"}}, errs.NotFound},
		"no day":     {workspace.Section{ID: "x", Title: "x", Due: "soon"}, errs.Invalid},
	} {
		_, err := w.PutSection(ctx, w.Lead, id, 0, row.section)
		if errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want kind %v", name, err, row.kind)
		}
	}
	whole, err := w.PutSection(ctx, w.Lead, id, 0, workspace.Section{ID: "whole", Title: "All", Bodies: []string{"grid"}})
	must(t, err)
	part, err := w.Part(ctx, contributor("grid"), id)
	must(t, err)
	if len(part.Outcomes) != 8 {
		t.Errorf("a section of the whole pack has %d outcomes", len(part.Outcomes))
	}
	must(t, w.RemoveSection(ctx, w.Lead, id, whole.Rev, "whole"))
	refused(t, w.RemoveSection(ctx, w.Lead, id, whole.Rev, "whole"), errs.NotFound)
	if part, err = w.Part(ctx, contributor("grid"), id); err != nil || len(part.Outcomes) != 6 {
		t.Errorf("%d outcomes after it was removed, %v", len(part.Outcomes), err)
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	dag := contributor("port")
	verifier := workspace.Person{Name: "Vera", Roles: []workspace.Role{workspace.RoleVerifier}}
	say := func(who workspace.Person, body, words string) {
		t.Helper()
		_, err := w.Comment(ctx, who, id, "A1.1", body, words)
		must(t, err)
	}
	say(w.Lead, "", "among us")
	say(dag, "port", "from the port")
	say(w.Lead, "port", "to the port")
	say(w.Lead, "grid", "to the grid")
	say(verifier, "", "from the verifier")
	for name, row := range map[string]struct {
		who  workspace.Person
		want []string
	}{
		"the lead":     {w.Lead, []string{"among us", "from the port", "to the port", "to the grid", "from the verifier"}},
		"a verifier":   {verifier, []string{"among us", "from the port", "to the port", "to the grid", "from the verifier"}},
		"the port":     {dag, []string{"from the port", "to the port"}},
		"the ministry": {contributor("ministry"), nil},
	} {
		got, err := w.Comments(ctx, row.who, id, "A1.1")
		must(t, err)
		var words []string
		for _, c := range got {
			words = append(words, c.Text)
		}
		if diff := cmp.Diff(row.want, words, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", name, diff)
		}
	}
	for name, row := range map[string]struct {
		who           workspace.Person
		outcome, body string
		words         string
		kind          errs.Kind
	}{
		"a contributor without a body": {dag, "A1.1", "", "x", errs.NotFound},
		"with another's":               {dag, "A1.1", "grid", "x", errs.Denied},
		"outside of its sections":      {dag, "A2.1", "port", "x", errs.Denied},
		"a verifier as a body":         {verifier, "A1.1", "port", "x", errs.Denied},
		"a reader":                     {workspace.Person{Name: "R", Roles: []workspace.Role{workspace.RoleReader}}, "A1.1", "", "x", errs.Denied},
		"nothing":                      {w.Lead, "A1.1", "", "", errs.Invalid},
	} {
		_, err := w.Comment(ctx, row.who, id, row.outcome, row.body, row.words)
		if errs.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want kind %v", name, err, row.kind)
		}
	}
	counts, err := w.CommentCounts(ctx, w.Lead, id)
	must(t, err)
	if diff := cmp.Diff(map[string]int{"A1.1": 5}, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// However people save, a field that one of them saved is as she saved it until
// somebody saves another value who had seen hers.
func TestSavesKeepFields(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 40, "there"))
	pack, err := w.Pack(t.Context(), w.Lead, id)
	must(t, err)
	next := 0
	rapid.Check(t, func(t *rapid.T) {
		outcome := pack.Outcomes()[next%40].ID
		next++
		seen := make([]workspace.Saved, 3)
		for p := range seen {
			var err error
			if seen[p], err = w.Entry(t.Context(), w.Lead, id, outcome); err != nil {
				t.Fatal(err)
			}
		}
		truth := seen[0].Entry // what the fields have to be
		for range rapid.IntRange(1, 12).Draw(t, "saves") {
			p := rapid.IntRange(0, 2).Draw(t, "who")
			mine := seen[p].Entry
			switch rapid.SampledFrom([]string{"note", "level", "target", "assignee", "flag", "look"}).Draw(t, "what") {
			case "note":
				mine.Note = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "note")
			case "level":
				mine.Level = rapid.SampledFrom(assess.Levels()).Draw(t, "level")
			case "target":
				mine.Target = rapid.SampledFrom(assess.Targets()).Draw(t, "target")
			case "assignee":
				mine.Assignee = rapid.SampledFrom([]string{"", "Bo", "Cleo"}).Draw(t, "assignee")
			case "flag":
				mine.Flagged = !mine.Flagged
			case "look":
				var err error
				if seen[p], err = w.Entry(t.Context(), w.Lead, id, outcome); err != nil {
					t.Fatal(err)
				}
				continue
			}
			changed := assess.Changed(seen[p].Entry, mine)
			saved, conflict, err := w.Save(t.Context(), w.Lead, id, outcome, seen[p].Rev, mine)
			if err != nil {
				t.Fatal(err)
			}
			if conflict != nil {
				if conflict.Theirs.Entry != truth {
					t.Fatalf("a conflict with %+v, and it is %+v", conflict.Theirs.Entry, truth)
				}
				continue
			}
			for _, f := range changed {
				if assess.Take(truth, mine, f) != truth && len(assess.Changed(assess.Take(truth, seen[p].Entry, f), truth)) > 0 {
					t.Fatalf("%s was changed by somebody else, and differently, and was overwritten", f)
				}
			}
			truth = assess.Take(truth, mine, changed...)
			if saved.Entry != truth {
				t.Fatalf("saved %+v, want %+v", saved.Entry, truth)
			}
			seen[p] = saved
		}
	})
}
