package workspace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A postponement is kept after those before it, its deadline is the survey's, and what
// was approved stays approved; what does not follow, or is not signed, changes nothing.
func TestPostpone(t *testing.T) {
	t.Parallel()
	w, id, pack, c, charter := chartered(t)
	ctx := t.Context()
	days := func(n int64) int64 { return c.Charter.Deadline + n*24*60*60 }
	signed := func(until int64, earlier ...coalition.SignedAddendum) coalition.SignedAddendum {
		t.Helper()
		a, err := c.Charter.Postpone(earlier, time.Unix(until, 0), "a storm has cut a cable")
		must(t, err)
		s, err := a.Sign(c.Coordinator, c.Leader, c.Helper)
		must(t, err)
		return s
	}
	first := signed(days(1))
	second := signed(days(2), first)
	other, _ := workspacetest.Charter(t, pack, "two", "Ostmere", "Calverra", "Norvik")
	foreign, err := other.Charter.Postpone(nil, time.Unix(days(1), 0), "a storm has cut a cable")
	must(t, err)
	of, err := foreign.Sign(other.Coordinator, other.Leader, other.Helper)
	must(t, err)
	half := first
	half.Signature = second.Signature

	must(t, w.SetChain(ctx, w.Lead, id, []assess.Step{{ID: "head", Name: "The head"}}))
	_, err = w.Decide(ctx, w.Lead, id, assess.Decision{Step: "head", Digest: digestOf(t, w, id), Approved: true, By: "Hedda"})
	must(t, err)
	until := func(want int64, kept ...coalition.SignedAddendum) {
		t.Helper()
		survey, err := w.Survey(ctx, w.Lead, id)
		must(t, err)
		brief, err := w.Brief(ctx, w.Lead, id)
		must(t, err)
		if survey.Deadline.Unix() != want || brief.Deadline.Unix() != want {
			t.Errorf("until %v and %v, want %v", survey.Deadline, brief.Deadline, time.Unix(want, 0).UTC())
		}
		addenda, err := w.Addenda(ctx, w.Lead, id)
		must(t, err)
		if diff := cmp.Diff(kept, addenda); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		if blockers, err := w.Blockers(ctx, w.Lead, id); err != nil || len(blockers) > 0 {
			t.Errorf("what was approved does not stay so: %v, %v", blockers, err)
		}
	}
	until(c.Charter.Deadline)
	for name, bad := range map[string]coalition.SignedAddendum{"the second first": second, "of another charter": of, "with another signature": half, "nothing": {}} {
		_, err := w.Postpone(ctx, w.Lead, id, bad)
		if errs.KindOf(err) != errs.Invalid || errs.Describe(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	until(c.Charter.Deadline)
	_, err = w.Postpone(ctx, workspace.Person{Name: "Rita", Roles: []workspace.Role{workspace.RoleReader}}, id, first)
	refused(t, err, errs.Denied)
	for _, again := range []coalition.SignedAddendum{first, first} { // the same again changes nothing
		_, err := w.Postpone(ctx, w.Lead, id, again)
		must(t, err)
		until(days(1), first)
	}
	load(t, w, workspace.LoadConfig{Pack: pack, Charter: &charter}) // nor does the charter
	until(days(1), first)
	_, err = w.Postpone(ctx, w.Lead, id, second)
	must(t, err)
	until(days(2), first, second)

	// Another charter has none, and without a charter nothing is postponed.
	_, replaced := workspacetest.Charter(t, pack, "two", "Ostmere", "Calverra", "Norvik")
	then := load(t, w, workspace.LoadConfig{Pack: pack, Charter: &replaced, InsteadOf: charter.Digest()})
	if addenda, err := w.Addenda(ctx, w.Lead, id); err != nil || addenda != nil || then.Deadline.Unix() != other.Charter.Deadline {
		t.Errorf("another charter has %v until %v: %v", addenda, then.Deadline, err)
	}
	early := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2099"}).ID
	_, err = w.Postpone(ctx, w.Lead, early, first)
	refused(t, err, errs.Conflict)
}
