package aggregate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
	"muster/internal/store"
)

const wipeDay = deadline + 365*24*3600

// wipers are both hosts.
func (w *world) wipers() map[string]func(context.Context, aggregate.Ending) error {
	return map[string]func(context.Context, aggregate.Ending) error{"Leader": w.Leader.Wipe, "Helper": w.Helper.Wipe}
}

func wantConflict(t *testing.T, what string, err error, words string) {
	t.Helper()
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(fmt.Sprint(err), words) {
		t.Errorf("%s: %v; want %q", what, err, words)
	}
}

func (w *world) wantWiped() {
	w.t.Helper()
	id := w.Task().ID
	for name, s := range map[string]aggregate.Store{"Leader": w.Leader.Store, "Helper": w.Helper.Store} {
		must(w.t, s.InTx(w.t.Context(), "look", func(tx aggregate.Tx) error {
			phase, err := tx.Phase(id)
			receipts, err2 := tx.LastReceipts(id)
			jobs, err3 := tx.Jobs(id)
			buckets, err4 := tx.Buckets(id)
			_, collected, err5 := tx.Collection(id)
			if phase != aggregate.PhaseWiped || len(receipts)+len(jobs)+len(buckets) > 0 || collected {
				w.t.Errorf("%s: phase %s, %d receipts, %d jobs, %d buckets, collection %t", name, phase, len(receipts), len(jobs), len(buckets), collected)
			}
			return errors.Join(err, err2, err3, err4, err5)
		}))
	}
}

func TestWipe(t *testing.T) {
	t.Parallel()
	for engine, on := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 6)
			on(w)
			must(t, w.StartUp())
			w.run(6)
			_, _, err := w.Finish()
			must(t, err)
			w.Now.Store(wipeDay - 1)
			for name, wipe := range w.wipers() {
				wantConflict(t, name+" a second early", wipe(t.Context(), aggregate.CycleOver), "the charter wipes at")
			}
			if _, _, err := w.Collected(); err != nil {
				t.Fatalf("the refused wipe took the collection: %v", err)
			}
			w.Now.Store(wipeDay)
			for name, wipe := range w.wipers() {
				for range 2 { // the second changes nothing
					if err := wipe(t.Context(), aggregate.CycleOver); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
			w.wantWiped()
			must(t, w.StartUp())
			w.wantWiped()

			attested := make(map[string]map[string]string)
			for _, e := range w.Log.Entries() {
				if e.Kind == "wipe" {
					attested[e.ID] = e.Data
				}
			}
			id := w.Task().ID.String()
			want := map[string]map[string]string{
				"wipe " + dap.RoleLeader.String() + " " + id: {"task_id": id, "host": dap.RoleLeader.String()},
				"wipe " + dap.RoleHelper.String() + " " + id: {"task_id": id, "host": dap.RoleHelper.String()},
			}
			if diff := cmp.Diff(want, attested); diff != "" {
				t.Errorf("attested (-want +got):\n%s", diff)
			}
			// Nothing comes back.
			_, _, err = w.Collected()
			wantConflict(t, "collected", err, "wiped")
			wantConflict(t, "aggregated", w.Leader.Aggregate(t.Context()), "wiped")
			w.Now.Store(deadline - 1)
			if err := w.Deliver(w.Seal(member(0), 9, answers(0))); err == nil {
				t.Error("a submission was taken")
			}
		})
	}
}

// TestWipeCancelled: a cancelled cycle is wiped in any phase, and goes no further.
func TestWipeCancelled(t *testing.T) {
	t.Parallel()
	steps := map[string]func(w *world){
		"open":   func(*world) {},
		"frozen": func(w *world) { w.Now.Store(deadline); _, err := w.Leader.Freeze(w.t.Context()); must(w.t, err) },
		"added up": func(w *world) {
			w.Now.Store(deadline)
			_, err := w.Leader.Freeze(w.t.Context())
			must(w.t, err)
			must(w.t, w.Leader.Aggregate(w.t.Context()))
		},
		"collected": func(w *world) { _, _, err := w.Finish(); must(w.t, err) },
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 6)
			must(t, w.StartUp())
			w.run(6)
			step(w)
			if name != "collected" {
				now := w.Now.Swap(wipeDay)
				for host, wipe := range w.wipers() {
					wantConflict(t, host, wipe(t.Context(), aggregate.CycleOver), "the batch was not collected")
				}
				w.Now.Store(now)
			}
			for host, wipe := range w.wipers() {
				if err := wipe(t.Context(), aggregate.CycleCancelled); err != nil {
					t.Errorf("%s: %v", host, err)
				}
			}
			w.wantWiped()
			if _, _, err := w.Finish(); err == nil {
				t.Error("the cancelled cycle was collected")
			}
			w.wantWiped()
		})
	}
	w := newWorld(t, 3)
	must(t, w.StartUp())
	if err := w.Leader.Wipe(t.Context(), ""); err == nil {
		t.Error("wiped without a reason")
	}
}

// TestWipeInterrupted: a wipe that was stopped anywhere goes on when it is asked
// again, and nothing happens to the task in between.
func TestWipeInterrupted(t *testing.T) {
	t.Parallel()
	for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
		for _, name := range []string{"begin wipe", "wipe"} {
			t.Run(name+", "+string(point), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, 6)
				armed := true
				w.Fault = func(n string, p store.FaultPoint) error {
					if armed && n == name && p == point {
						armed = false
						return errCrash
					}
					return nil
				}
				must(t, w.StartUp())
				w.run(6)
				_, _, err := w.Finish()
				must(t, err)
				w.Now.Store(wipeDay)
				if err := w.Leader.Wipe(t.Context(), aggregate.CycleOver); !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				for _, e := range w.Log.Entries() {
					if e.Kind == "wipe" {
						t.Errorf("attested before it was done: %v", e)
					}
				}
				must(t, w.StartUp())
				for host, wipe := range w.wipers() {
					if err := wipe(t.Context(), aggregate.CycleOver); err != nil {
						t.Errorf("%s: %v", host, err)
					}
				}
				w.wantWiped()
			})
		}
	}
}
