package workspace_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// nextYear loads the same pack a cycle later.
func nextYear(t testing.TB, w *workspacetest.Workspace, before workspace.SurveyID, pack *framework.Pack) workspace.SurveyID {
	t.Helper()
	s, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: before})
	must(t, err)
	return s.ID
}

// A body's second year begins with what it gave in the first, to be confirmed, and what
// it has not confirmed counts for nothing: neither as what it says nor as 0.
func TestSecondYearOfBodies(t *testing.T) {
	t.Parallel()
	w, first := delegated(t)
	ctx := t.Context()
	give := func(body, outcome string, level framework.Level, note string) {
		t.Helper()
		_, err := w.Contribute(ctx, w.Lead, first, outcome, 0, assess.Contribution{Body: body, Level: level, Note: note})
		must(t, err)
	}
	give("port", "A1.1", framework.Level2, "counted")
	give("grid", "A1.1", framework.Level2, "")
	give("port", "A1.2", framework.Withheld, "")
	give("port", "A1.3", framework.None, "a note alone")
	give("ministry", "A2.1", framework.Level1, "")
	bodies, err := w.Bodies(ctx, w.Lead)
	must(t, err)
	must(t, w.RemoveBody(ctx, w.Lead, bodies[1].Rev, "ministry"))
	second := nextYear(t, w, first, workspacetest.Pack(t, 8, "there"))

	type row struct {
		body, outcome, note string
		level               framework.Level
		carried             bool
	}
	var got []row
	all, err := w.Contributions(ctx, w.Lead, second, "")
	must(t, err)
	for _, c := range all {
		got = append(got, row{c.Body, c.Outcome, c.Note, c.Level, c.Carried})
	}
	want := []row{{"grid", "A1.1", "", framework.Level2, true}, {"port", "A1.1", "counted", framework.Level2, true}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(row{})); diff != "" {
		t.Fatalf("carried (-want +got):\n%s", diff)
	}
	dag := contributor("port")
	part, err := w.Part(ctx, dag, second)
	must(t, err)
	if p := part.Progress(); p != (assess.Progress{Carried: 1, Of: 6}) {
		t.Errorf("a part is %+v", p)
	}
	if last := part.Before["A1.2"]["port"]; last.Level != framework.Withheld {
		t.Errorf("last year's answer is %+v", last)
	}
	if before, err := w.ContributionsBefore(ctx, dag, second); err != nil || len(before) != 3 {
		t.Errorf("a contributor is shown %+v of last year: %v", before, err)
	}
	proposed := func() assess.Proposal {
		t.Helper()
		proposals, err := w.Proposals(ctx, w.Lead, second)
		must(t, err)
		return proposals["A1.1"]
	}
	confirm := func(body string) workspace.SavedContribution {
		t.Helper()
		c, err := w.ConfirmContribution(ctx, contributor(body), second, "A1.1", body)
		must(t, err)
		return c
	}
	reminders := func() (open []int) {
		t.Helper()
		all, err := w.Reminders(ctx, w.Lead, second)
		must(t, err)
		for _, r := range all {
			open = append(open, r.Open)
		}
		return open
	}
	if diff := cmp.Diff([]int{6, 6}, reminders()); diff != "" {
		t.Errorf("what is only carried is open (-want +got):\n%s", diff)
	}
	confirmed := confirm("port")
	if confirmed.Carried || confirmed.Note != "counted" || confirmed.By != "Dag Holm" {
		t.Errorf("confirmed %+v", confirmed)
	}
	if again := confirm("port"); again != confirmed {
		t.Errorf("confirmed twice: %+v", again)
	}
	if p := proposed(); p.Level != framework.None || p.Asked != 2 || cmp.Diff([]string{"grid"}, p.Waiting) != "" {
		t.Errorf("while one has not confirmed, %+v is proposed", p)
	}
	saved, _, err := w.Save(ctx, w.Lead, second, "A1.1", 0, assess.Entry{Level: framework.Level2})
	must(t, err)
	if diff := cmp.Diff([]assess.Blocker{{Kind: assess.BlockerWaiting, Outcome: "A1.1", Detail: "grid"}}, blockersOf(t, w, second, "A1.1")); diff != "" {
		t.Errorf("decided without a body and without a reason (-want +got):\n%s", diff)
	}
	_, _, err = w.Save(ctx, w.Lead, second, "A1.1", saved.Rev, assess.Entry{Level: framework.Level2, Reason: "the grid is being sold"})
	must(t, err)
	if b := blockersOf(t, w, second, "A1.1"); len(b) > 0 {
		t.Errorf("decided without a body, with a reason: %+v", b)
	}
	confirm("grid")
	if p := proposed(); p.Level != framework.Level2 || p.Waiting != nil {
		t.Errorf("when both have confirmed, %+v is proposed", p)
	}
	_, err = w.ConfirmContribution(ctx, dag, second, "A1.1", "grid")
	refused(t, err, errs.Denied)
	_, err = w.ConfirmContribution(ctx, dag, second, "A1.4", "port")
	refused(t, err, errs.NotFound)
}

// blockersOf returns what keeps an outcome from being sealed.
func blockersOf(t testing.TB, w *workspacetest.Workspace, id workspace.SurveyID, outcome string) []assess.Blocker {
	t.Helper()
	is, err := w.Sealable(t.Context(), w.Lead, id)
	must(t, err)
	return slices.DeleteFunc(is.Blockers, func(b assess.Blocker) bool { return b.Outcome != outcome })
}

// Nobody waits for a body that nobody asks: what was carried over for one that is listed
// no longer does not silence what the others give.
func TestCarriedOfABodyThatIsNotAsked(t *testing.T) {
	t.Parallel()
	w, first := delegated(t)
	ctx := t.Context()
	for _, body := range []string{"port", "grid", "ministry"} { // the ministry is in no section of A1
		_, err := w.Contribute(ctx, w.Lead, first, "A1.1", 0, assess.Contribution{Body: body, Level: framework.Level2})
		must(t, err)
	}
	second := nextYear(t, w, first, workspacetest.Pack(t, 8, "there"))
	for _, body := range []string{"port", "grid"} {
		_, err := w.ConfirmContribution(ctx, w.Lead, second, "A1.1", body)
		must(t, err)
	}
	_, _, err := w.Save(ctx, w.Lead, second, "A1.1", 0, assess.Entry{Level: framework.Level3})
	must(t, err)
	if diff := cmp.Diff([]assess.Blocker{{Kind: assess.BlockerProposal, Outcome: "A1.1", Detail: "2"}}, blockersOf(t, w, second, "A1.1")); diff != "" {
		t.Errorf("a level that no body gives (-want +got):\n%s", diff)
	}
	_, err = w.ConfirmContribution(ctx, w.Lead, second, "A1.1", "ministry")
	must(t, err)
	proposals, err := w.Proposals(ctx, w.Lead, second)
	must(t, err)
	if p := proposals["A1.1"]; p.Of != 3 || p.Waiting != nil {
		t.Errorf("who gives it all the same is counted: %+v", p)
	}
}

// A level that was carried over stays so until it is given: a note alone confirms
// nothing, another level does, and nobody makes carried what is not.
func TestGivingWhatWasCarried(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		mine assess.Contribution
		want bool
	}{
		"a note":        {assess.Contribution{Body: "port", Level: framework.Level2, Note: "more", Carried: true}, true},
		"the level":     {assess.Contribution{Body: "port", Level: framework.Level2}, false},
		"another level": {assess.Contribution{Body: "port", Level: framework.Level1, Carried: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, first := delegated(t)
			ctx := t.Context()
			_, err := w.Contribute(ctx, w.Lead, first, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level2, Carried: true})
			must(t, err)
			if all, err := w.Contributions(ctx, w.Lead, first, ""); err != nil || all[0].Carried {
				t.Fatalf("a first answer is carried: %+v %v", all, err)
			}
			second := nextYear(t, w, first, workspacetest.Pack(t, 8, "there"))
			all, err := w.Contributions(ctx, w.Lead, second, "A1.1")
			must(t, err)
			saved, err := w.Contribute(ctx, contributor("port"), second, "A1.1", all[0].Rev, row.mine)
			must(t, err)
			if saved.Carried != row.want || saved.Note != row.mine.Note {
				t.Errorf("saved %+v, want carried %v", saved, row.want)
			}
		})
	}
	t.Run("another question", func(t *testing.T) {
		t.Parallel()
		w, first := delegated(t)
		_, err := w.Contribute(t.Context(), w.Lead, first, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level2})
		must(t, err)
		second := nextYear(t, w, first, workspacetest.Pack(t, 8, "here"))
		if all, err := w.Contributions(t.Context(), w.Lead, second, ""); err != nil || len(all) != 0 {
			t.Errorf("carried into another question: %+v %v", all, err)
		}
	})
}

// Where the evidence of a carried answer lies is carried with it, digest and all, and a
// piece that was changed since is found.
func TestCarriedEvidence(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 6, "there")
	first := w.Load(t, pack)
	for outcome, e := range map[string]assess.Entry{
		"A1.1": {Level: framework.Level3, Evidence: framework.E2},
		"A1.2": {Level: framework.Level3, Evidence: framework.E2, Flagged: true}, // is asked anew
	} {
		_, _, err := w.Save(ctx, w.Lead, first, outcome, 0, e)
		must(t, err)
		for _, place := range []string{"list.ods", "https://example.org/list"} {
			ref := assess.Reference{Outcome: outcome, Place: place, Title: "the list"}
			if place == "list.ods" {
				ref.SHA256, ref.Bytes = strings.Repeat("ab", 32), 7
			}
			_, err := w.AddReference(ctx, w.Lead, first, ref)
			must(t, err)
		}
	}
	want, err := w.References(ctx, w.Lead, first, "A1.1")
	must(t, err)
	second := nextYear(t, w, first, pack)
	got, err := w.References(ctx, w.Lead, second, "")
	must(t, err)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(workspace.SavedReference{}, "Revised")); diff != "" || len(got) != 2 {
		t.Fatalf("carried (-want +got):\n%s", diff)
	}
	broken, err := w.BrokenReferences(ctx, w.Lead, second, func(context.Context, string) (string, int64, error) {
		return strings.Repeat("cd", 32), 7, nil
	})
	if err != nil || len(broken) != 1 || broken[0].Fault != workspace.FaultChanged || broken[0].Reference.Outcome != "A1.1" {
		t.Errorf("found broken %+v: %v", broken, err)
	}
}

// Evidence that is gone or another piece by now makes a question of its outcome; what
// cannot be read from here does not, and where nobody reads, nothing is said.
func TestBrokenEvidenceIsAskedAnew(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 6, "there")
	first := w.Load(t, pack)
	for i, outcome := range []string{"A1.1", "A1.2", "A1.3", "A1.4"} {
		_, _, err := w.Save(ctx, w.Lead, first, outcome, 0, assess.Entry{Level: framework.Level3, Evidence: framework.E2, Assignee: "Bo"})
		must(t, err)
		_, err = w.AddReference(ctx, w.Lead, first, assess.Reference{Outcome: outcome, Place: []string{"same", "changed", "gone", "locked"}[i], SHA256: strings.Repeat("ab", 32), Bytes: 7})
		must(t, err)
	}
	measure := func(_ context.Context, place string) (string, int64, error) {
		switch place {
		case "changed":
			return strings.Repeat("cd", 32), 7, nil
		case "gone":
			return "", 0, errs.New(errs.NotFound, "nothing is there", "")
		case "locked":
			return "", 0, errs.New(errs.Denied, "not from here", "")
		}
		return strings.Repeat("ab", 32), 7, nil
	}
	for name, row := range map[string]struct {
		cycle   string
		measure workspace.Measure
		want    string
	}{
		"read":     {"2032", measure, "A1.1 A1.4"},
		"not read": {"2033", nil, "A1.1 A1.2 A1.3 A1.4"},
	} {
		s, err := w.Service.Load(ctx, w.Lead, workspace.LoadConfig{Pack: pack, Cycle: row.cycle, Before: first, Measure: row.measure})
		must(t, err)
		entries, err := w.Entries(ctx, w.Lead, s.ID)
		must(t, err)
		var carried []string
		for _, o := range pack.Outcomes() {
			if e := entries[o.ID].Entry; e.Carried {
				carried = append(carried, o.ID)
			}
		}
		if got := strings.Join(carried, " "); got != row.want {
			t.Errorf("%s: %s carried, want %s", name, got, row.want)
		}
	}
}

// A reason counts for the proposal that it was written about, within a year and from one
// to the next.
func TestReasonIsAboutAProposal(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	rev := make(map[string]workspace.Revision)
	give := func(id workspace.SurveyID, body string, level framework.Level) {
		t.Helper()
		key := string(id) + body
		c, err := w.Contribute(ctx, w.Lead, id, "A1.1", rev[key], assess.Contribution{Body: body, Level: level, Evidence: framework.E1})
		must(t, err)
		rev[key] = c.Rev
	}
	save := func(id workspace.SurveyID, e assess.Entry) {
		t.Helper()
		was, err := w.Entry(ctx, w.Lead, id, "A1.1")
		must(t, err)
		_, _, err = w.Save(ctx, w.Lead, id, "A1.1", was.Rev, e)
		must(t, err)
	}
	blocked := func(id workspace.SurveyID, want assess.BlockerKind) {
		t.Helper()
		is, err := w.Sealable(ctx, w.Lead, id)
		must(t, err)
		got := assess.BlockerKind("")
		for _, b := range is.Blockers {
			if b.Outcome == "A1.1" {
				got = b.Kind
			}
		}
		if got != want {
			t.Errorf("blocked by %q, want %q", got, want)
		}
	}
	give(id, "port", framework.Level2)
	give(id, "grid", framework.Level2)
	e := assess.Entry{Level: framework.Level3, Evidence: framework.E2}
	save(id, e)
	blocked(id, assess.BlockerProposal)
	e.Reason = "they are small"
	save(id, e)
	blocked(id, "")
	give(id, "grid", framework.Level1)
	blocked(id, assess.BlockerAnew)
	e.Note = "a note says nothing anew"
	save(id, e)
	blocked(id, assess.BlockerAnew)
	e.Reason = "they are small, the grid, too"
	save(id, e)
	blocked(id, "")
	give(id, "port", framework.Level0)
	blocked(id, assess.BlockerAnew)
	e.About = "1/1/2/2" // that a page showed before the port gave another level
	was, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	if was.Entry.About != e.About {
		t.Fatalf("the reason is about %q", was.Entry.About)
	}
	save(id, e)
	blocked(id, assess.BlockerAnew)
	e.About = "2/2/2/2"
	_, _, err = w.Save(ctx, w.Lead, id, "A1.1", was.Rev, e)
	refused(t, err, errs.Conflict)
	e.About = "0/0/2/2" // the same words, of what is proposed now
	save(id, e)
	blocked(id, "")
	give(id, "port", framework.Level2)
	blocked(id, assess.BlockerAnew)
	e.Reason = "they are small, both"
	save(id, e)
	blocked(id, "")
	give(id, "port", framework.Level3) // the same proposal, and the same lowest
	blocked(id, "")

	second := nextYear(t, w, id, workspacetest.Pack(t, 8, "there"))
	for _, body := range []string{"port", "grid"} {
		_, err := w.ConfirmContribution(ctx, w.Lead, second, "A1.1", body)
		must(t, err)
	}
	_, err = w.Confirm(ctx, w.Lead, second, "A1.1")
	must(t, err)
	blocked(second, assess.BlockerProposal) // last year's reason is not this year's
}

// What was verified does not outlive the answer that it is about.
func TestVerifiedIsAboutAnAnswer(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	id := w.Load(t, workspacetest.Pack(t, 6, "there"))
	saved, _, err := w.Save(ctx, w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level2})
	must(t, err)
	vera := workspace.Person{Name: "Vera", Roles: []workspace.Role{workspace.RoleVerifier}}
	for _, other := range []framework.Level{framework.Level4, framework.None} { // that her page did not show
		_, err = w.PutFinding(ctx, vera, id, 0, assess.Finding{Outcome: "A1.1", Seen: "the list", Verified: framework.Level2, Claimed: other})
		refused(t, err, errs.Conflict)
	}
	found, err := w.PutFinding(ctx, vera, id, 0, assess.Finding{Outcome: "A1.1", Seen: "the list", Verified: framework.Level2, Claimed: framework.Level2})
	must(t, err)
	if found.Finding.Claimed != framework.Level2 {
		t.Errorf("the finding is about %s", found.Finding.Claimed)
	}
	verified := func(want framework.Level, blocks bool) {
		t.Helper()
		is, err := w.Sealable(ctx, w.Lead, id)
		must(t, err)
		blocked := slices.ContainsFunc(is.Blockers, func(b assess.Blocker) bool { return b.Kind == assess.BlockerVerified && b.Outcome == "A1.1" })
		if got := is.Now.Answers["A1.1"].Verified; got != want || blocked != blocks {
			t.Errorf("verified %s, blocked %v; want %s, %v", got, blocked, want, blocks)
		}
	}
	verified(framework.Level2, false)
	saved, _, err = w.Save(ctx, w.Lead, id, "A1.1", saved.Rev, assess.Entry{Level: framework.Level3, Evidence: framework.E2})
	must(t, err)
	verified(framework.None, true)
	replied, err := w.Reply(ctx, w.Lead, id, "A1.1", found.Rev, "we counted since")
	must(t, err)
	verified(framework.None, true)
	_, err = w.PutFinding(ctx, vera, id, replied.Rev, assess.Finding{Outcome: "A1.1", Seen: "the count", Verified: framework.Level2, Claimed: framework.Level2})
	refused(t, err, errs.Conflict) // the level changed while she looked
	verified(framework.None, true)
	_, err = w.PutFinding(ctx, vera, id, replied.Rev, assess.Finding{Outcome: "A1.1", Seen: "the count", Verified: framework.Level2, Claimed: framework.Level3})
	must(t, err)
	verified(framework.Level2, false)
}

// That an outcome does not apply to a body counts when it says why; a place is an https
// address or a path, and is a body's alone.
func TestBodysReasonAndPlace(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	_, err := w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "grid", Level: framework.Level2})
	must(t, err)
	bare, err := w.Contribute(ctx, w.Lead, id, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.NotApplicable})
	must(t, err)
	proposed := func() assess.Proposal {
		proposals, err := w.Proposals(ctx, w.Lead, id)
		must(t, err)
		return proposals["A1.1"]
	}
	if p := proposed(); p.Level != framework.Level0 || len(p.Exempt) != 0 || len(p.Silent) != 1 {
		t.Errorf("without a reason %+v is proposed", p)
	}
	part, err := w.Part(ctx, contributor("port"), id)
	must(t, err)
	if p := part.Progress(); p.Answered != 0 {
		t.Errorf("without a reason it is answered: %+v", p)
	}
	said, err := w.Contribute(ctx, w.Lead, id, "A1.1", bare.Rev, assess.Contribution{Body: "port", Level: framework.NotApplicable, Reason: "no coast"})
	must(t, err)
	if p := proposed(); p.Level != framework.Level2 || len(p.Exempt) != 1 {
		t.Errorf("with a reason %+v is proposed", p)
	}
	full := assess.Contribution{Body: "port", Level: framework.Level3, Evidence: framework.E2, Place: "https://example.org/list", Note: "n"}
	kept, err := w.Contribute(ctx, w.Lead, id, "A1.1", said.Rev, full)
	must(t, err)
	if kept.Contribution != full {
		t.Errorf("kept %+v, want %+v", kept.Contribution, full)
	}
	full.Place = "http://example.org/list"
	_, err = w.Contribute(ctx, w.Lead, id, "A1.1", kept.Rev, full)
	refused(t, err, errs.Invalid)
	_, _, err = w.Save(ctx, w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level3, Place: "list"})
	refused(t, err, errs.Invalid)
}

// Who confirms what was carried over has answered, and nobody before.
func TestWhoConfirmsAnswers(t *testing.T) {
	t.Parallel()
	w, first := delegated(t)
	ctx := t.Context()
	_, _, err := w.Save(ctx, workspace.Lead("Ada Lund"), first, "A1.1", 0, assess.Entry{Level: framework.Level2})
	must(t, err)
	second := nextYear(t, w, first, workspacetest.Pack(t, 8, "there"))
	answerers := func(want map[string]string) {
		t.Helper()
		got, err := w.Answerers(ctx, w.Lead, second)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want, +got:\n%s", diff)
		}
		for _, outcome := range []string{"A1.1", "A1.2"} {
			got, err := w.Answerers(ctx, w.Lead, second, outcome)
			must(t, err)
			if name, ok := got[outcome]; len(got) > 1 || name != want[outcome] || ok != (name != "") {
				t.Errorf("of %s alone: %v, want %q", outcome, got, want[outcome])
			}
		}
	}
	answerers(map[string]string{})
	saved, err := w.Entry(ctx, w.Lead, second, "A1.1")
	must(t, err)
	noted := saved.Entry
	noted.Note = "still so?"
	_, _, err = w.Save(ctx, workspace.Lead("Cy Dahl"), second, "A1.1", saved.Rev, noted)
	must(t, err)
	answerers(map[string]string{})
	_, err = w.Confirm(ctx, workspace.Lead("Bo Ek"), second, "A1.1")
	must(t, err)
	answerers(map[string]string{"A1.1": "Bo Ek"})
}
