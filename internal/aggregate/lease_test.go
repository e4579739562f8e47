package aggregate_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
	"muster/internal/store"
)

const ttl = 2 * time.Minute

// pausing is a Helper that takes its time over a job.
type pausing struct {
	aggregate.Peer
	pause func()
}

func (p pausing) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	response, err := p.Peer.AggregationJob(ctx, task, body)
	p.pause()
	return response, err
}

// driver is a further process that could drive the world's task, with a clock
// of its own. pause is called after the Helper's answer to a job.
func (w *world) driver(holder string, clock *atomic.Int64, pause func()) *aggregate.Leader {
	w.t.Helper()
	cfg := w.Leader.Config
	cfg.Lease = &aggregate.Lease{Holder: holder, TTL: ttl}
	cfg.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	l, err := aggregate.NewLeader(w.t.Context(), cfg, pausing{w.Helper, pause})
	must(w.t, err)
	return l
}

func never() {}

func wantUnavailable(t *testing.T, what string, err error, words string) {
	t.Helper()
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.Describe(err).Message, words) {
		t.Errorf("%s: %v; want %q", what, err, words)
	}
}

// TestLeasePassesOn: a driver that is paused in the middle of a job keeps others
// out while its lease lasts; when it wakes up after another has taken over, it
// changes nothing, and the totals are right.
func TestLeasePassesOn(t *testing.T) {
	t.Parallel()
	for engine, on := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 6)
			on(w)
			must(t, w.StartUp())
			all := w.run(6)
			clock := &w.Now
			clock.Store(deadline)
			b := w.driver("b", clock, never)
			ahead := new(atomic.Int64) // of a process whose clock is fast
			ahead.Store(deadline + int64(aggregate.LeaseDrift.Seconds()))
			fast := w.driver("fast", ahead, never)
			var during error
			a := w.driver("a", clock, func() {
				wantUnavailable(t, "b while a drives", b.Aggregate(t.Context()), "another process drives this task: a, until")
				wantUnavailable(t, "one that is a minute ahead", fast.Aggregate(t.Context()), "another process drives this task: a, until")
				clock.Add(int64((ttl + aggregate.LeaseDrift).Seconds()))
				during = b.Aggregate(t.Context())
			})
			_, err := a.Freeze(t.Context())
			must(t, err)
			err = a.Aggregate(t.Context())
			must(t, during)
			wantUnavailable(t, "a when it wakes up", err, "this process has lost the lease")
			must(t, a.Aggregate(t.Context())) // there is nothing left to do
			count, cells, err := w.Collected()
			must(t, err)
			if count != 6 {
				t.Errorf("got %d submissions, want 6", count)
			}
			if diff := cmp.Diff(plain(all), cells); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLeaseEnds: a driver that was paused for longer than its lease commits no
// job, even if nobody else came.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	for engine, on := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 6)
			on(w)
			must(t, w.StartUp())
			all := w.run(6)
			w.Now.Store(deadline)
			pauses := 0
			a := w.driver("a", &w.Now, func() {
				if pauses++; pauses == 1 {
					w.Now.Add(int64(ttl.Seconds()))
				}
			})
			_, err := a.Freeze(t.Context())
			must(t, err)
			wantUnavailable(t, "after the pause", a.Aggregate(t.Context()), "this process has lost the lease")
			must(t, w.Leader.Store.InTx(t.Context(), "look", func(tx aggregate.Tx) error {
				job, err := tx.Job(w.Task().ID, 0)
				if job.Done {
					t.Error("the job was committed")
				}
				return err
			}))
			must(t, a.Aggregate(t.Context()))
			_, cells, err := w.Collected()
			must(t, err)
			if diff := cmp.Diff(plain(all), cells); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLeaseOfTheDead: a process that crashed keeps others out until its lease
// has ended, and then no longer.
func TestLeaseOfTheDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	crashed := false
	w.Fault = func(name string, p store.FaultPoint) error {
		if name == "commit job" && p == store.AfterCommit || crashed {
			crashed = true
			return errCrash
		}
		return nil
	}
	w.Lease = &aggregate.Lease{Holder: "a", TTL: ttl}
	must(t, w.StartUp())
	all := w.run(6)
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(t.Context())
	must(t, err)
	if err := w.Leader.Aggregate(t.Context()); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.Fault = nil
	w.Lease = &aggregate.Lease{Holder: "b", TTL: ttl}
	must(t, w.StartUp())
	wantUnavailable(t, "b at once", w.Leader.Aggregate(t.Context()), "another process drives")
	w.Now.Add(int64((ttl + aggregate.LeaseDrift).Seconds()))
	must(t, w.Leader.Aggregate(t.Context()))
	_, cells, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

func TestLeaseIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	for name, lease := range map[string]aggregate.Lease{"nobody's": {TTL: ttl}, "of no length": {Holder: "a"}} {
		cfg := w.Leader.Config
		cfg.Lease = &lease
		if _, err := aggregate.NewLeader(t.Context(), cfg, w.Helper); err == nil {
			t.Errorf("a lease that is %s was taken", name)
		}
	}
}
