package workspace_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx := t.Context()
	pack := workspacetest.Pack(t, 6, "there")
	before := w.Load(t, pack)
	save(t, w, before, "A1.1", assess.Entry{Level: framework.Level2})
	s := load(t, w, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: before})
	now := map[string]assess.Entry{
		"A1.1": {Level: framework.Level1, Target: framework.Level2},
		"A1.2": {Level: framework.Level0, Target: framework.Level2},
		"A1.3": {Level: framework.Level3, Target: framework.Level3},
		"A1.4": {Level: framework.Withheld},
		"A1.5": {Level: framework.Level0, Target: framework.Level1},
		"A1.6": {Level: framework.Level2, Target: framework.Level4},
	}
	for outcome, e := range now {
		save(t, w, s.ID, outcome, e)
	}
	r := workspacetest.Release(t, pack, "2032")
	got, err := w.Compare(ctx, w.Lead, s.ID, r)
	must(t, err)
	if len(got.Standings) != 6 || got.Cohort != "members" {
		t.Fatalf("%+v", got)
	}
	for i, standing := range got.Standings {
		e := now[standing.Outcome]
		bands := r.Areas[0].Outcomes[i].Level.Bands()
		unit := e.Level.String()
		if e.Level == framework.Withheld {
			unit = disclosure.NoLevel
		}
		if standing.Band < 0 || !slices.Contains(bands[standing.Band].Units, unit) {
			t.Errorf("%s: band %d of %v is not that of %s", standing.Outcome, standing.Band, bands, unit)
		}
		if total := standing.Lower + standing.Same + standing.Higher; e.Level.Given() && total != 30 || !e.Level.Given() && total != 0 {
			t.Errorf("%s: %+v", standing.Outcome, standing)
		}
	}
	moves := map[string]assess.Move{}
	for _, standing := range got.Standings {
		moves[standing.Outcome] = standing.Move
	}
	if moves["A1.1"] != assess.MoveFell || moves["A1.2"] != assess.MoveNotComparable {
		t.Errorf("moves %v", moves)
	}
	// Two levels to go come first, and of those where more members are further: of A1.6
	// all are where this one is.
	if diff := cmp.Diff([]string{"A1.2", "A1.6", "A1.5", "A1.1"}, got.Urgent); diff != "" {
		t.Errorf("urgent (-want +got):\n%s", diff)
	}

	// What was sealed is what stands, whatever is answered since.
	_, err = w.Sealed(ctx, w.Lead, s.ID, workspace.Sealing{
		Sequence: 1, Digest: digestOf(t, w, s.ID), File: strings.Repeat("ab", 32), Receipt: coalition.SignedReceipt{Body: []byte("receipt")},
	})
	must(t, err)
	save(t, w, s.ID, "A1.1", assess.Entry{Level: framework.Level4})
	again, err := w.Compare(ctx, w.Lead, s.ID, r)
	must(t, err)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("after an answer was changed (-sealed +now):\n%s", diff)
	}

	for name, other := range map[string]*release.Release{
		"another cycle": workspacetest.Release(t, pack, "2031"),
		"another pack":  workspacetest.Release(t, workspacetest.Pack(t, 6, "elsewhere"), "2032"),
	} {
		if _, err := w.Compare(ctx, w.Lead, s.ID, other); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = w.Compare(ctx, contributor("port"), s.ID, r)
	refused(t, err, errs.Denied)
}
