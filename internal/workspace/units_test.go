package workspace_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A body counts for as many of the member's list as a section says that it answers for, in
// that section's outcomes and in that survey; what is proposed changes with it, and a
// reason is about how many reach it, too.
func TestUnitsOfASection(t *testing.T) {
	t.Parallel()
	w, id := delegated(t)
	ctx := t.Context()
	other, err := w.Service.Load(ctx, w.Lead, workspace.LoadConfig{Pack: workspacetest.Pack(t, 8, "there"), Cycle: "2033"})
	must(t, err)
	for _, survey := range []workspace.SurveyID{id, other.ID} {
		for _, outcome := range []string{"A1.1", "A2.1", "A2.2"} {
			for body, level := range map[string]framework.Level{"grid": framework.Level3, "port": framework.Level1} {
				_, err := w.Contribute(ctx, w.Lead, survey, outcome, 0, assess.Contribution{Body: body, Level: level})
				must(t, err)
			}
		}
	}
	alone := assess.Proposal{Level: framework.Level1, Lowest: framework.Level1, Reached: 2, Of: 2}
	proposed := func(survey workspace.SurveyID, outcome string, want assess.Proposal) {
		t.Helper()
		proposals, err := w.Proposals(ctx, w.Lead, survey)
		must(t, err)
		if diff := cmp.Diff(want, proposals[outcome]); diff != "" {
			t.Errorf("proposed for %s of %s: -want, +got:\n%s", outcome, survey, diff)
		}
	}
	proposed(id, "A1.1", alone)
	outside, err := w.Proposals(ctx, w.Lead, id)
	must(t, err)
	sections, err := w.Sections(ctx, w.Lead, id)
	must(t, err)
	works := sections[1]
	put := func(n int) {
		t.Helper()
		works.Units = map[string]int{"grid": n}
		saved, err := w.PutSection(ctx, w.Lead, id, works.Rev, works.Section)
		must(t, err)
		works = saved
	}
	put(4)
	proposed(id, "A1.1", assess.Proposal{Level: framework.Level3, Lowest: framework.Level1, Reached: 4, Of: 5})
	for _, outcome := range []string{"A2.1", "A2.2"} {
		proposed(id, outcome, outside[outcome])
	}
	for _, outcome := range []string{"A1.1", "A2.1", "A2.2"} {
		proposed(other.ID, outcome, alone)
	}
	put(3)
	proposed(id, "A1.1", assess.Proposal{Level: framework.Level1, Lowest: framework.Level1, Reached: 4, Of: 4})

	// Whose count is another has another reason to give.
	put(4)
	_, _, err = w.Save(ctx, w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level2, Reason: "4 of 5 are not enough here"})
	must(t, err)
	if b := blockersOf(t, w, id, "A1.1"); len(b) > 0 {
		t.Errorf("a reason that is stated does not do: %+v", b)
	}
	put(16)
	if b := blockersOf(t, w, id, "A1.1"); len(b) != 1 || b[0].Kind != assess.BlockerAnew {
		t.Errorf("a reason about 4 of 5 holds of 16 of 17: %+v", b)
	}

	own, err := w.Sections(ctx, contributor("port"), id)
	must(t, err)
	if len(own) != 1 || len(own[0].Units) != 0 {
		t.Errorf("a contributor is shown the numbers of others: %+v", own)
	}
	for _, n := range []int{-1, 0, assess.MaxUnits + 1} {
		works.Units = map[string]int{"grid": n}
		_, err := w.PutSection(ctx, w.Lead, id, works.Rev, works.Section)
		refused(t, err, errs.Invalid)
	}
}

// What an earlier build kept with a body is read and counts for nothing.
func TestUnitsOfABodyCountForNothing(t *testing.T) {
	t.Parallel()
	w, _ := delegated(t)
	saved, err := w.PutBody(t.Context(), w.Lead, 0, assess.Body{ID: "old", Name: "Old", Units: 14})
	must(t, err)
	if saved.Units != 0 {
		t.Errorf("kept: %+v", saved)
	}
	contributions := []assess.Contribution{{Body: "a", Level: framework.Level2}}
	p := assess.RollUp(framework.RollUp{Rule: framework.ShareOfScope, Percent: 80}, contributions, nil)
	if !p.Meant("2/2") || !p.Meant(p.Mark()) || p.Meant("2/1") || p.Mark() == "2/2" {
		t.Errorf("the mark is %q", p.Mark())
	}
}
