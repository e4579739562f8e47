package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// half delivers to the Leader only.
func (w *world) half(s aggregatetest.Submission) error {
	return errors.Join(w.Upload(s.Report), w.Leader.PutReceipt(w.t.Context(), s.Receipt))
}

// differs drives to the freeze and wants the lists to differ, in the record too.
func (w *world) differs() {
	w.t.Helper()
	w.Now.Store(deadline)
	if _, err := w.Leader.Freeze(w.t.Context()); errs.KindOf(err) != errs.Conflict || !strings.Contains(fmt.Sprint(err), "lists differ") {
		w.t.Fatalf("Freeze: %v", err)
	}
	for name, host := range map[string]interface {
		Phase(ctx context.Context) (aggregate.Phase, error)
	}{"Leader": w.Leader, "Helper": w.Helper} {
		if phase, err := host.Phase(w.t.Context()); err != nil || phase != aggregate.PhaseOpen {
			w.t.Errorf("the %s is in phase %s, %v", name, phase, err)
		}
	}
	logged := 0
	for _, e := range w.Log.Entries() {
		if e.Kind == "disagreement" {
			logged++
			if strings.Contains(fmt.Sprint(e), "m003") {
				w.t.Errorf("the record names a member: %v", e)
			}
		}
	}
	if logged != 1 {
		w.t.Errorf("%d disagreements in the record, want 1", logged)
	}
}

// TestHalfDeliveryIsFinishedAfterAPostponement: one member's crash between two
// receipts does not end the cycle for all.
func TestHalfDeliveryIsFinishedAfterAPostponement(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	all := append(w.run(3), answers(3))
	late := w.Seal(member(3), 1, answers(3))
	must(t, w.half(late))
	w.differs()
	a := w.addendum(nil, deadline+1000, "one delivery was interrupted")
	must(t, w.Leader.Postpone(t.Context(), a))
	must(t, w.Helper.Postpone(t.Context(), a))
	must(t, w.Deliver(late))
	w.Now.Store(deadline + 1000)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	must(t, w.Leader.Aggregate(t.Context()))
	_, cells, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

// TestSetAside: what a member left half done, or did on purpose, is settled by
// the hosts' people; its last complete submission counts.
func TestSetAside(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		do       func(w *world) error // member 3, which has delivered submission 1
		atLeader []uint64             // what is set aside
		atHelper []uint64
		counts   bool // whether submission 1 counts in the end
	}{
		{"a second one at the Leader only", func(w *world) error { return w.half(w.Seal(member(3), 2, answers(9))) }, []uint64{2}, nil, true},
		{"a second receipt at the Helper only", func(w *world) error {
			return w.Helper.PutReceipt(w.t.Context(), w.Seal(member(3), 2, answers(9)).Receipt)
		}, nil, []uint64{2}, true},
		{"a second receipt at both, and no report", func(w *world) error {
			s := w.Seal(member(3), 2, answers(9))
			return errors.Join(w.Leader.PutReceipt(w.t.Context(), s.Receipt), w.Helper.PutReceipt(w.t.Context(), s.Receipt))
		}, []uint64{2}, []uint64{2}, true},
		{"two submissions with one number", func(w *world) error {
			return errors.Join(w.half(w.Seal(member(3), 2, answers(8))), w.Helper.PutReceipt(w.t.Context(), w.Seal(member(3), 2, answers(9)).Receipt))
		}, []uint64{1, 2}, []uint64{1, 2}, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4)
			must(t, w.StartUp())
			all := w.run(4)
			must(t, row.do(w))
			w.differs()
			for _, seq := range row.atLeader {
				must(t, w.Leader.SetAside(t.Context(), member(3), seq))
				must(t, w.Leader.SetAside(t.Context(), member(3), seq)) // the same again is the same
			}
			for _, seq := range row.atHelper {
				must(t, w.Helper.SetAside(t.Context(), member(3), seq))
			}
			if !row.counts {
				all = all[:3]
			}
			_, cells, err := w.Finish()
			must(t, err)
			if diff := cmp.Diff(plain(all), cells); diff != "" {
				t.Error(diff)
			}
			if err := w.Leader.SetAside(t.Context(), member(0), 1); errs.KindOf(err) != errs.Conflict {
				t.Errorf("set aside after the freeze: %v", err)
			}
		})
	}
}

func TestSetAsideOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	if err := w.Leader.SetAside(t.Context(), "m999", 1); errs.KindOf(err) != errs.NotFound {
		t.Errorf("got %v", err)
	}
}

// TestSubmissionsAreBounded: neither a member nor a stranger fills a host's disk.
func TestSubmissionsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	report := w.Seal(member(0), 1, answers(0)).Report
	var last coalition.SignedReceipt
	for seq := range uint64(aggregate.MaxSubmissions) {
		report.ReportMetadata.ReportID[0], report.ReportMetadata.ReportID[1] = byte(seq), byte(seq>>8)
		last = w.Sign(member(0), seq+1, report)
		must(t, w.Helper.PutReceipt(t.Context(), last))
	}
	must(t, w.Helper.PutReceipt(t.Context(), last)) // again
	report.ReportMetadata.ReportID[2]++
	err := w.Helper.PutReceipt(t.Context(), w.Sign(member(0), 1000, report))
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "no more are taken") {
		t.Errorf("got %v", err)
	}
	must(t, w.Helper.PutReceipt(t.Context(), w.Seal(member(1), 1, answers(0)).Receipt)) // another member

	for i := range 3 * aggregate.MaxSubmissions {
		report.ReportMetadata.ReportID[3], report.ReportMetadata.ReportID[4] = byte(i), byte(i>>8)
		must(t, w.Upload(report))
	}
	report.ReportMetadata.ReportID[5]++
	if err := w.Upload(report); err == nil || !strings.Contains(err.Error(), "report_dropped") {
		t.Errorf("got %v", err)
	}
	// Whoever fills the host keeps no member out: what has a receipt is taken.
	must(t, w.Leader.PutReceipt(t.Context(), w.Sign(member(0), 1, report)))
	must(t, w.Upload(report))
	report.ReportMetadata.ReportID[6]++
	if err := w.Upload(report); err == nil || !strings.Contains(err.Error(), "report_dropped") {
		t.Errorf("got %v", err)
	}
}
