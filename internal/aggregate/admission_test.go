package aggregate_test

import (
	"bytes"
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
)

// gate is an admission that a test opens and closes.
type gate struct {
	kind  atomic.Uint32 // the kind of its refusal; Internal admits
	asked atomic.Int32
}

func (g *gate) Admit(context.Context, dap.TaskID) error {
	g.asked.Add(1)
	if kind := errs.Kind(g.kind.Load()); kind != errs.Internal {
		return errs.New(kind, "the gate is shut", "")
	}
	return nil
}

func (g *gate) set(kind errs.Kind) { g.kind.Store(uint32(kind)) }

// TestAdmission: each host asks by itself, before anything is added up and before
// a share is handed over; what was handed over is repeated whatever came after.
func TestAdmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	var gates [2]*gate // Leader, Helper
	for i := range gates {
		gates[i] = new(gate)
		w.Admission[i] = gates[i]
	}
	must(t, w.StartUp())
	want := w.run(6)
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	for i, who := range []string{"Leader", "Helper"} {
		for _, kind := range []errs.Kind{errs.Unavailable, errs.Conflict} {
			gates[i].set(kind)
			if err := w.Leader.Aggregate(t.Context()); errs.KindOf(err) != kind {
				t.Errorf("the %s does not admit, as %v: %v", who, kind, err)
			}
		}
		gates[i].set(errs.Internal)
	}
	must(t, w.Leader.Aggregate(t.Context()))
	request, req := w.CollectionRequest(w.Task().Interval)
	for i, who := range []string{"Leader", "Helper"} {
		gates[i].set(errs.Conflict)
		if _, err := w.Leader.CollectionJob(t.Context(), w.Task().ID, request); errs.KindOf(err) != errs.Conflict {
			t.Errorf("the %s does not admit: %v", who, err)
		}
		gates[i].set(errs.Internal)
	}
	answer, err := w.Leader.CollectionJob(t.Context(), w.Task().ID, request)
	must(t, err)
	count, totals, err := w.Open(req, answer)
	must(t, err)
	if diff := cmp.Diff(plain(want), totals); diff != "" || count != 6 {
		t.Errorf("%d submissions: %s", count, diff)
	}
	for i := range gates {
		if gates[i].asked.Load() < 4 {
			t.Errorf("host %d was asked %d times", i, gates[i].asked.Load())
		}
		gates[i].set(errs.Conflict)
	}
	again, err := w.Leader.CollectionJob(t.Context(), w.Task().ID, request)
	if err != nil || !bytes.Equal(again, answer) {
		t.Errorf("what was handed over is not repeated: %v", err)
	}
}

// TestSeveralCohortsNeedAnAdmission: without one a host does not start.
func TestSeveralCohortsNeedAnAdmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	must(t, w.StartUp())
	charter := w.Charter
	second := charter.Cohorts[0]
	second.ID = "partners"
	charter.Cohorts = append(charter.Cohorts, second)
	task, err := aggregate.NewTask(charter, cohort, w.Seed)
	must(t, err)
	cfg := w.Helper.Config
	cfg.Task = task
	if _, err := aggregate.NewHelper(t.Context(), cfg); err == nil {
		t.Error("a host of two cohorts starts without an admission")
	}
	cfg.Admission = new(gate)
	if _, err := aggregate.NewHelper(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}
