package workspace_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// answered is a workspace whose survey of two outcomes is answered.
func answered(t testing.TB) (*workspacetest.Workspace, workspace.SurveyID) {
	t.Helper()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 2, "there"))
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level2})
	save(t, w, id, "A1.2", assess.Entry{Level: framework.Level3, Evidence: framework.E1, Target: framework.Level4})
	return w, id
}

func digestOf(t testing.TB, w *workspacetest.Workspace, id workspace.SurveyID) string {
	t.Helper()
	s, err := w.Sealable(t.Context(), w.Lead, id)
	must(t, err)
	return s.Digest
}

// What would be sealed has one digest; what changes the measurement changes it, and
// nothing else does.
func TestDigest(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	before := func(t *testing.T) (*workspacetest.Workspace, workspace.SurveyID) {
		w, first := answered(t)
		pack, err := w.Pack(ctx, w.Lead, first)
		must(t, err)
		s := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: first})
		_, err = w.Confirm(ctx, w.Lead, s.ID, "A1.1", "A1.2")
		must(t, err)
		return w, s.ID
	}
	edit := func(outcome string, fn func(*assess.Entry)) func(*testing.T, *workspacetest.Workspace, workspace.SurveyID) {
		return func(t *testing.T, w *workspacetest.Workspace, id workspace.SurveyID) {
			was, err := w.Entry(ctx, w.Lead, id, outcome)
			must(t, err)
			fn(&was.Entry)
			save(t, w, id, outcome, was.Entry)
		}
	}
	for name, row := range map[string]struct {
		do      func(*testing.T, *workspacetest.Workspace, workspace.SurveyID)
		changes bool
	}{
		"level":    {edit("A1.1", func(e *assess.Entry) { e.Level = framework.Level1 }), true},
		"target":   {edit("A1.1", func(e *assess.Entry) { e.Target = framework.Level3 }), true},
		"evidence": {edit("A1.1", func(e *assess.Entry) { e.Evidence = framework.E0 }), true},
		"note":     {edit("A1.1", func(e *assess.Entry) { e.Note = "new" }), false},
		"reason":   {edit("A1.1", func(e *assess.Entry) { e.Reason = "new" }), false},
		"assignee": {edit("A1.1", func(e *assess.Entry) { e.Assignee = "Bo" }), false},
		"flag":     {edit("A1.1", func(e *assess.Entry) { e.Flagged = true }), false},
		"day":      {edit("A1.1", func(e *assess.Entry) { e.TargetDate = "2033-01-01" }), false},
		"last cycle": {func(t *testing.T, w *workspacetest.Workspace, _ workspace.SurveyID) {
			edit("A1.1", func(e *assess.Entry) { e.Level = framework.Level4 })(t, w, "2031/invented")
		}, true},
		"verified": {func(t *testing.T, w *workspacetest.Workspace, id workspace.SurveyID) {
			_, err := w.PutFinding(ctx, w.Lead, id, 0, assess.Finding{Outcome: "A1.1", Seen: "a list", Verified: framework.Level1, Claimed: framework.Level2})
			must(t, err)
		}, true},
		"a finding without a level": {func(t *testing.T, w *workspacetest.Workspace, id workspace.SurveyID) {
			_, err := w.PutFinding(ctx, w.Lead, id, 0, assess.Finding{Outcome: "A1.1", Seen: "a list", Claimed: framework.Level2})
			must(t, err)
		}, false},
		"a comment": {func(t *testing.T, w *workspacetest.Workspace, id workspace.SurveyID) {
			_, err := w.Comment(ctx, w.Lead, id, "A1.1", "", "so")
			must(t, err)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, id := before(t)
			was := digestOf(t, w, id)
			row.do(t, w, id)
			if now := digestOf(t, w, id); (now != was) != row.changes {
				t.Errorf("changed: %v, want %v", now != was, row.changes)
			}
		})
	}
}

// The digest of a statement is fixed: what was signed off must be checkable by any
// later version.
func TestStatementDigest(t *testing.T) {
	t.Parallel()
	st := workspace.Statement{
		Format: workspace.StatementFormatV1, Member: "Ostmere", Cycle: "2031",
		Framework: framework.Ref{ID: "invented", Version: "1.0.0", Digest: strings.Repeat("ab", 32)},
		Answers: map[string]assess.Answer{
			"A1.1": {Level: framework.Level3, Verified: framework.Level2, Evidence: framework.E1, Target: framework.Level4},
			"A1.2": {Level: framework.Withheld},
		},
		Before: map[string]assess.Answer{"A1.1": {Level: framework.Level0}},
	}
	got, err := st.Digest()
	must(t, err)
	// SHA-256 of {"answers":{"A1.1":{"evidence":"E1","level":"3","target":"4","verified":"2"},"A1.2":{"level":"withheld"}},
	// "before":{"A1.1":{"level":"0"}},"cycle":"2031","format":"muster-statement/1","framework":{"digest":"abab...","id":"invented",
	// "version":"1.0.0"},"member":"Ostmere"} without the line breaks.
	if want := "c5bc7c0b93775ef82adc0e986142e9210ae8fd104c5a88341b116e8ea99ac454"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	// The same with "format":"muster-statement/2", "salt":"cdcd..." and
	// "under":{"charter":"efef...","deadline":1900000000,"helper":"Westmark","leader":"Calverra","tasks":[{"cohort":"allies","task":"dGFzaw"}]}.
	st.Format, st.Salt = workspace.StatementFormat, strings.Repeat("cd", 32)
	st.Under = &workspace.Under{Charter: strings.Repeat("ef", 32), Tasks: []workspace.UnderTask{{Cohort: "allies", Task: "dGFzaw"}}, Leader: "Calverra", Helper: "Westmark", Deadline: 1_900_000_000}
	got, err = st.Digest()
	must(t, err)
	if want := "4fe8dad317af36b2146f2007b8bb0dfdca0c5e5d631cddd9633147cb286fe597"; got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
}

func TestSignOff(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	head := workspace.Person{Name: "Hedda", Roles: []workspace.Role{workspace.RoleApprover}, Steps: []string{"head"}}
	minister := workspace.Person{Name: "Minna", Roles: []workspace.Role{workspace.RoleApprover}, Steps: []string{"minister"}}
	chain := []assess.Step{{ID: "head", Name: "The head"}, {ID: "minister", Name: "The minister"}}
	must(t, w.SetChain(ctx, w.Lead, id, chain))
	digest := digestOf(t, w, id)
	decide := func(who workspace.Person, step, digest string, approved bool, reason string) error {
		_, err := w.Decide(ctx, who, id, assess.Decision{Step: step, Digest: digest, Approved: approved, Reason: reason, By: who.Name, Signature: []byte("signed")})
		return err
	}
	waits := func(step string) {
		t.Helper()
		blockers, err := w.Blockers(ctx, w.Lead, id)
		must(t, err)
		var want []assess.Blocker
		if step != "" {
			want = []assess.Blocker{{Kind: assess.BlockerSignOff, Detail: step}}
		}
		if diff := cmp.Diff(want, blockers); diff != "" {
			t.Errorf("blockers (-want +got):\n%s", diff)
		}
	}
	waits("The head")
	refused(t, decide(minister, "minister", digest, true, ""), errs.Conflict) // out of turn
	refused(t, decide(minister, "head", digest, true, ""), errs.Denied)       // not hers
	refused(t, decide(head, "head", strings.Repeat("0", 64), true, ""), errs.Conflict)
	refused(t, decide(head, "head", digest, false, ""), errs.Invalid) // a return without a reason
	must(t, decide(head, "head", digest, true, ""))
	waits("The minister")
	must(t, decide(minister, "minister", digest, false, "too rosy"))
	waits("The head")
	must(t, decide(head, "head", digest, true, ""))
	must(t, decide(minister, "minister", digest, true, ""))
	waits("")
	refused(t, decide(head, "head", digest, true, ""), errs.Conflict) // all have

	// Any change voids it; its undoing brings it back.
	was, err := w.Entry(ctx, w.Lead, id, "A1.1")
	must(t, err)
	changed := save(t, w, id, "A1.1", assess.Entry{Level: framework.Level3})
	waits("The head")
	refused(t, decide(head, "head", digest, true, ""), errs.Conflict)
	save(t, w, id, "A1.1", was.Entry)
	waits("")
	_ = changed

	// The same chain changes nothing; another begins anew.
	must(t, w.SetChain(ctx, w.Lead, id, chain))
	waits("")
	must(t, w.SetChain(ctx, w.Lead, id, chain[:1]))
	waits("The head")
	so, err := w.SignOff(ctx, w.Lead, id)
	must(t, err)
	if len(so.Decisions) != 0 {
		t.Errorf("decisions of another chain count: %+v", so.Decisions)
	}
	must(t, w.SetChain(ctx, w.Lead, id, nil))
	waits("")

	for _, bad := range [][]assess.Step{{{ID: "a b", Name: "x"}}, {{ID: "a"}}, {{ID: "a", Name: "x"}, {ID: "a", Name: "y"}}, make([]assess.Step, assess.MaxSteps+1)} {
		refused(t, w.SetChain(ctx, w.Lead, id, bad), errs.Invalid)
	}
	refused(t, w.SetChain(ctx, head, id, chain), errs.Denied)
}

// Nobody approves what cannot be sealed.
func TestApproveIncomplete(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	must(t, w.SetChain(t.Context(), w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}}))
	save(t, w, id, "A1.2", assess.Entry{Level: framework.NotApplicable})
	_, err := w.Decide(t.Context(), w.Lead, id, assess.Decision{Step: "head", Digest: digestOf(t, w, id), Approved: true, By: "Hedda"})
	refused(t, err, errs.Conflict)
	_, err = w.Decide(t.Context(), w.Lead, id, assess.Decision{Step: "head", Digest: digestOf(t, w, id), Reason: "say why", By: "Hedda"})
	must(t, err)
}

func TestSealed(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	file := func(n int) string { return strings.Repeat(fmt.Sprintf("%02x", n), 32) }
	sealing := func(sequence uint64, n int, digest string) workspace.Sealing {
		return workspace.Sealing{
			Sequence: sequence, Digest: digest, File: file(n),
			Receipt: coalition.SignedReceipt{Body: fmt.Appendf(nil, "receipt %d", n), Signature: []byte("signed")},
		}
	}
	ready, err := w.Assessment(ctx, w.Lead, id)
	must(t, err)
	want := map[string]assess.Answer{
		"A1.1": {Level: framework.Level2},
		"A1.2": {Level: framework.Level3, Evidence: framework.E1, Target: framework.Level4},
	}
	if diff := cmp.Diff(&assess.Assessment{Member: "Ostmere", Answers: want}, ready.Now); diff != "" || ready.Before != nil {
		t.Errorf("before %v, now (-want +got):\n%s", ready.Before, diff)
	}
	first, err := w.Sealed(ctx, w.Lead, id, sealing(2, 1, ready.Digest))
	must(t, err)
	again, err := w.Sealed(ctx, w.Lead, id, sealing(2, 1, ready.Digest))
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("recorded again (-first +second):\n%s", diff)
	}
	s, err := w.Survey(ctx, w.Lead, id)
	must(t, err)
	if s.State != workspace.StateSealed || s.Sealings != 1 {
		t.Errorf("%+v", s)
	}
	for name, bad := range map[string]workspace.Sealing{
		"another file of that number": sealing(2, 9, ready.Digest),
		"a lower number":              sealing(1, 3, ready.Digest),
		"other answers":               sealing(3, 3, file(7)),
	} {
		_, err := w.Sealed(ctx, w.Lead, id, bad)
		if errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]workspace.Sealing{
		"no number":  sealing(0, 3, ready.Digest),
		"no digest":  sealing(3, 3, ""),
		"no receipt": {Sequence: 3, Digest: ready.Digest, File: file(3)},
	} {
		_, err := w.Sealed(ctx, w.Lead, id, bad)
		if errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}

	// A change opens it again, and a replacement stays beside the first.
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level4, Evidence: framework.E3})
	if s, err = w.Survey(ctx, w.Lead, id); err != nil || s.State != workspace.StateOpen {
		t.Errorf("%+v, %v", s, err)
	}
	second, err := w.Sealed(ctx, w.Lead, id, sealing(11, 2, digestOf(t, w, id)))
	must(t, err)
	all, err := w.Sealings(ctx, w.Lead, id)
	must(t, err)
	if diff := cmp.Diff([]workspace.Sealing{first, second}, all); diff != "" {
		t.Errorf("sealings (-want +got):\n%s", diff)
	}

	// What was sealed last is what next year is compared with, whatever was changed
	// since.
	save(t, w, id, "A1.1", assess.Entry{Level: framework.Level0})
	pack, err := w.Pack(ctx, w.Lead, id)
	must(t, err)
	next := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: id})
	sealable, err := w.Sealable(ctx, w.Lead, next.ID)
	must(t, err)
	if diff := cmp.Diff(second.Answers, sealable.Before.Answers); diff != "" {
		t.Errorf("compared with (-want +got):\n%s", diff)
	}
	// And nothing of this year may be sealed before it is answered.
	if _, err = w.Assessment(ctx, w.Lead, next.ID); errs.KindOf(err) != errs.Conflict {
		t.Errorf("%v", err)
	}
	_, err = w.Sealed(ctx, w.Lead, next.ID, sealing(1, 4, sealable.Digest))
	refused(t, err, errs.Conflict)
	if len(sealable.Blockers) != 2 || len(sealable.Now.Answers) != 0 {
		t.Errorf("blockers %+v, answers %+v", sealable.Blockers, sealable.Now.Answers)
	}
}

// What is sealable is what the measurement takes.
func TestAssessmentIsMeasured(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ready, err := w.Assessment(t.Context(), w.Lead, id)
	must(t, err)
	layout, err := framework.NewLayout(ready.Pack)
	must(t, err)
	if _, err := assess.Measurement(layout, ready.Now, ready.Before); err != nil {
		t.Error(err)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	vera := workspace.Person{Name: "Vera", Roles: []workspace.Role{workspace.RoleVerifier}}
	picks, err := w.Sample(ctx, vera, id, 1)
	must(t, err)
	if len(picks) != 1 {
		t.Fatalf("picks %+v", picks)
	}
	found, err := w.PutFinding(ctx, vera, id, 0, assess.Finding{Outcome: "A1.2", Seen: "three lists", Found: "one is old", Verified: framework.Level2, Claimed: framework.Level3, Reply: "forged", By: "somebody"})
	must(t, err)
	if found.Finding.By != "Vera" || found.Finding.Reply != "" {
		t.Errorf("found %+v", found)
	}
	_, err = w.PutFinding(ctx, vera, id, 0, found.Finding)
	refused(t, err, errs.Conflict)
	_, err = w.Reply(ctx, vera, id, "A1.2", found.Rev, "mine")
	refused(t, err, errs.Denied)
	_, err = w.Reply(ctx, w.Lead, id, "A1.1", 0, "to nothing")
	refused(t, err, errs.NotFound)
	replied, err := w.Reply(ctx, w.Lead, id, "A1.2", found.Rev, "it is replaced")
	must(t, err)
	if replied.Finding.By != "Vera" || replied.Finding.Found != "one is old" {
		t.Errorf("replied %+v", replied)
	}
	again, err := w.PutFinding(ctx, vera, id, replied.Rev, assess.Finding{Outcome: "A1.2", Seen: "three lists", Verified: framework.Level3, Claimed: framework.Level3})
	must(t, err)
	if again.Finding.Reply != "it is replaced" {
		t.Error("the reply is lost")
	}
	_, err = w.PutFinding(ctx, vera, id, again.Rev, assess.Finding{Outcome: "A1.2", Verified: framework.Level3})
	refused(t, err, errs.Invalid) // a level without what was seen
	_, err = w.PutFinding(ctx, contributor("port"), id, 0, assess.Finding{Outcome: "A1.1"})
	refused(t, err, errs.Denied)

	_, _, err = w.Opinion(ctx, vera, id)
	refused(t, err, errs.NotFound)
	digest, err := w.FindingsDigest(ctx, vera, id)
	must(t, err)
	must(t, w.PutOpinion(ctx, vera, id, workspace.Opinion{Text: "fair", Digest: digest, By: "Vera", Signature: []byte("signed")}))
	o, holds, err := w.Opinion(ctx, vera, id)
	must(t, err)
	if !holds || o.Text != "fair" || o.At.IsZero() {
		t.Errorf("%+v holds: %v", o, holds)
	}
	// It is about the claimed levels, too.
	save(t, w, id, "A1.2", assess.Entry{Level: framework.Level1})
	if _, holds, err = w.Opinion(ctx, vera, id); err != nil || holds {
		t.Errorf("holds after a change: %v, %v", holds, err)
	}
	refused(t, w.PutOpinion(ctx, vera, id, workspace.Opinion{Text: "fair", Digest: digest, By: "Vera"}), errs.Conflict)
	refused(t, w.PutOpinion(ctx, w.Lead, id, workspace.Opinion{Digest: digest, By: "Vera"}), errs.Invalid)
}

func TestReferences(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	sum := strings.Repeat("a1", 32)
	add := func(place, sha string, size int64) workspace.SavedReference {
		t.Helper()
		ref, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: place, SHA256: sha, Bytes: size})
		must(t, err)
		return ref
	}
	same := add("/srv/list.pdf", sum, 10)
	add("/srv/gone.pdf", sum, 10)
	add("/srv/changed.pdf", sum, 10)
	add("/srv/longer.pdf", sum, 10)
	add("https://intranet.example/list", "", 0)
	add("/srv/locked.pdf", sum, 10)
	_, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "/srv/list.pdf"})
	refused(t, err, errs.Conflict)
	broken, err := w.BrokenReferences(ctx, w.Lead, id, func(_ context.Context, place string) (string, int64, error) {
		switch place {
		case "/srv/list.pdf":
			return sum, 10, nil
		case "/srv/changed.pdf":
			return strings.Repeat("b2", 32), 10, nil
		case "/srv/longer.pdf":
			return sum, 11, nil
		case "/srv/gone.pdf":
			return "", 0, errs.New(errs.NotFound, "none", "")
		}
		return "", 0, errors.New("locked")
	})
	must(t, err)
	got := make(map[string]workspace.Fault)
	for _, b := range broken {
		got[b.Reference.Place] = b.Fault
	}
	want := map[string]workspace.Fault{
		"/srv/gone.pdf": workspace.FaultGone, "/srv/changed.pdf": workspace.FaultChanged, "/srv/longer.pdf": workspace.FaultChanged,
		"/srv/locked.pdf": workspace.FaultUnreadable,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("broken (-want +got):\n%s", diff)
	}
	must(t, w.RemoveReference(ctx, w.Lead, id, "A1.1", same.ID))
	refused(t, w.RemoveReference(ctx, w.Lead, id, "A1.1", same.ID), errs.NotFound)
	if again := add("/srv/list.pdf", sum, 10); again.ID == same.ID {
		t.Error("an id is used twice")
	}
	for _, bad := range []assess.Reference{
		{Place: ""},
		{Place: "a\nb"},
		{Place: "http://x.example/"},
		{Place: "https://u:p@x.example/"},
		{Place: "https://"},
		{Place: "ftp://x"},
		{Place: "x", SHA256: "abc"},
		{Place: "x", Bytes: 3},
		{Place: "x", SHA256: sum, Bytes: -1},
	} {
		bad.Outcome = "A1.1"
		_, err := w.AddReference(ctx, w.Lead, id, bad)
		refused(t, err, errs.Invalid)
	}
	for i := range workspace.MaxReferences {
		_, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.2", Place: fmt.Sprint("/srv/", i)})
		must(t, err)
	}
	_, err = w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.2", Place: "/srv/more"})
	refused(t, err, errs.Invalid)
}

func TestPlan(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	put := func(key string, base workspace.Revision, a assess.Action) workspace.SavedAction {
		t.Helper()
		saved, err := w.PutAction(ctx, w.Lead, id, key, base, a)
		must(t, err)
		return saved
	}
	late := put("", 0, assess.Action{Outcome: "A1.1", Text: "count them", Owner: "Bo", Due: "2032-06-30", Funding: assess.FundedInPart})
	none := put("", 0, assess.Action{Outcome: "A1.2", Nothing: true, Text: "it is enough"})
	soon := put("", 0, assess.Action{Outcome: "A1.1", Text: "name them", Owner: "Cleo", Due: "2031-12-31"})
	if late.ID == soon.ID {
		t.Error("two have one id")
	}
	changed := late.Action
	changed.Finished = true
	done := put(late.ID, late.Rev, changed)
	if again := put(late.ID, late.Rev, changed); again != done {
		t.Errorf("the same again is %+v, want %+v", again, done)
	}
	other := late.Action
	other.Finished, other.Text = true, "count the others"
	if merged := put(late.ID, late.Rev, other); merged.Action != other {
		t.Errorf("merged: %+v", merged)
	} else {
		done = merged
	}
	other.Text = "count none"
	_, err := w.PutAction(ctx, w.Lead, id, late.ID, late.Rev, other)
	refused(t, err, errs.Conflict)
	_, err = w.PutAction(ctx, w.Lead, id, "000099", 0, changed)
	refused(t, err, errs.NotFound)
	must(t, w.Close(ctx, w.Lead, id)) // a plan goes on
	all, err := w.Actions(ctx, w.Lead, id)
	must(t, err)
	if diff := cmp.Diff([]workspace.SavedAction{soon, done, none}, all); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	must(t, w.RemoveAction(ctx, w.Lead, id, "A1.1", soon.ID, soon.Rev))
	refused(t, w.RemoveAction(ctx, w.Lead, id, "A1.1", soon.ID, soon.Rev), errs.NotFound)
	if all, err = w.Actions(ctx, w.Lead, id); err != nil || len(all) != 2 {
		t.Errorf("%d actions, %v", len(all), err)
	}
}
