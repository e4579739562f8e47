// Package storetest is the conformance suite of the stores: what every database
// that keeps a host's state must do, whatever engine stands behind it.
//
// An implementation of [aggregate.Store] has one test:
//
//	func TestStore(t *testing.T) {
//		storetest.Exercise(t, func(t *testing.T) aggregate.Store { ... })
//	}
//
// The suite holds each promise of the comments of package aggregate's store.go.
// What a refused call leaves behind is looked at as well: nothing.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
)

// Exercise runs the suite. open returns an empty store that is the caller's
// alone, and closes it when the test ends; it is called from several goroutines.
func Exercise(t *testing.T, open func(t *testing.T) aggregate.Store) {
	t.Helper()
	for _, part := range []struct {
		name  string
		tests []test
	}{
		{"transactions", transactionTests()},
		{"phase", phaseTests()},
		{"receipts", receiptTests()},
		{"dispute", disputeTests()},
		{"roster", rosterTests()},
		{"addenda and amendments", numberedTests()},
		{"reports", reportTests()},
		{"jobs", jobTests()},
		{"batch", batchTests()},
		{"lease", leaseTests()},
		{"wipe", wipeTests()},
		{"status", statusTests()},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range part.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, &db{Store: open(t)})
				})
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, d *db)
}

// Two tasks: what happens to the one must not be seen in the other.
var (
	task  = dap.TaskID{1, 2, 3}
	other = dap.TaskID{9, 8, 7}
)

func report(n int) dap.ReportID { return dap.ReportID{byte(n), byte(n >> 8), 0xff} }

// db is a store with the ways in which the suite uses it.
type db struct{ aggregate.Store }

// do runs fn in a transaction that must succeed.
func (d *db) do(t *testing.T, fn func(aggregate.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "do", fn); err != nil {
		t.Fatal(err)
	}
}

// create creates both tasks, the first as Leader.
func (d *db) create(t *testing.T) {
	t.Helper()
	d.do(t, func(tx aggregate.Tx) error {
		return errors.Join(tx.CreateTask(task, dap.RoleLeader), tx.CreateTask(other, dap.RoleHelper))
	})
}

// fails runs fn in a transaction that must fail.
func (d *db) fails(t *testing.T, what string, fn func(aggregate.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "fail", fn); err == nil {
		t.Errorf("%s: no error", what)
	}
}

// refuses runs fn in a transaction that must fail with an error of that kind.
func (d *db) refuses(t *testing.T, kind errs.Kind, what string, fn func(aggregate.Tx) error) {
	t.Helper()
	err := d.InTx(t.Context(), "refuse", fn)
	switch {
	case err == nil:
		t.Errorf("%s: no error; want kind %v", what, kind)
	case errs.KindOf(err) != kind:
		t.Errorf("%s: error of kind %v; want %v: %v", what, errs.KindOf(err), kind, err)
	}
}

// read returns what fn reads in a transaction.
func read[T any](t *testing.T, d *db, fn func(aggregate.Tx) (T, error)) T {
	t.Helper()
	var value T
	d.do(t, func(tx aggregate.Tx) (err error) {
		value, err = fn(tx)
		return err
	})
	return value
}

// lookup returns what fn finds in a transaction, and whether it was there.
func lookup[T any](t *testing.T, d *db, fn func(aggregate.Tx) (T, bool, error)) (T, bool) {
	t.Helper()
	var value T
	var ok bool
	d.do(t, func(tx aggregate.Tx) (err error) {
		value, ok, err = fn(tx)
		return err
	})
	return value, ok
}

// byByte compares byte slices as a whole, and tells nil from empty.
func byByte() cmp.Option {
	return cmp.Comparer(func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) })
}

// emptyLists takes a list or map that is nil for one that is empty.
func emptyLists() cmp.Option {
	return cmp.FilterValues(func(a, b any) bool {
		_, isBytes := a.([]byte)
		return !isBytes
	}, cmpopts.EquateEmpty())
}

// same compares lists and maps; an empty one may be nil.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, byByte(), emptyLists()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// exact compares values in which nil and empty differ.
func exact(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, byByte()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func transactionTests() []test {
	return []test{
		{"an error undoes everything", func(t *testing.T, d *db) {
			refused := errors.New("refused")
			err := d.InTx(t.Context(), "undo", func(tx aggregate.Tx) error {
				return errors.Join(tx.CreateTask(task, dap.RoleLeader), refused)
			})
			if !errors.Is(err, refused) {
				t.Errorf("InTx: %v; want the function's own error in it", err)
			}
			d.refuses(t, errs.NotFound, "phase of a task that was not created", func(tx aggregate.Tx) error {
				_, err := tx.Phase(task)
				return err
			})
		}},
		{"kinds come through", func(t *testing.T, d *db) {
			d.refuses(t, errs.Denied, "the function's own refusal", func(aggregate.Tx) error {
				return fmt.Errorf("wrapped: %w", errs.New(errs.Denied, "no", ""))
			})
		}},
		{"a panic undoes everything", func(t *testing.T, d *db) {
			func() {
				defer func() {
					if r := recover(); r != "boom" {
						t.Errorf("recovered %v; want the function's panic", r)
					}
				}()
				_ = d.InTx(t.Context(), "panic", func(tx aggregate.Tx) error {
					if err := tx.CreateTask(task, dap.RoleLeader); err != nil {
						t.Error(err)
					}
					panic("boom")
				})
			}()
			d.refuses(t, errs.NotFound, "phase of a task that was not created", func(tx aggregate.Tx) error {
				_, err := tx.Phase(task)
				return err
			})
		}},
		{"a cancelled context", func(t *testing.T, d *db) {
			ctx, cancel := context.WithCancel(t.Context())
			err := d.InTx(ctx, "cancel", func(tx aggregate.Tx) error {
				defer cancel()
				return tx.CreateTask(task, dap.RoleLeader)
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("InTx: %v; want context.Canceled", err)
			}
			d.refuses(t, errs.NotFound, "phase of a task that was not created", func(tx aggregate.Tx) error {
				_, err := tx.Phase(task)
				return err
			})
		}},
		{"concurrent transactions follow each other", func(t *testing.T, d *db) {
			d.create(t)
			const writers, each = 8, 5
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for range each {
						err := d.InTx(t.Context(), "count", func(tx aggregate.Tx) error {
							b, _, err := tx.Bucket(task, 1)
							if err != nil {
								return err
							}
							b.Start, b.Share = 1, []byte{1}
							b.Count++
							return tx.PutBucket(task, b)
						})
						if err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b, _ := lookup(t, d, func(tx aggregate.Tx) (aggregate.Bucket, bool, error) { return tx.Bucket(task, 1) })
			exact(t, "counted", uint64(writers*each), b.Count)
		}},
		{"an unknown task takes nothing", func(t *testing.T, d *db) {
			writes := map[string]func(aggregate.Tx) error{
				"Advance":    func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseOpen, aggregate.PhaseClosing) },
				"PutReceipt": func(tx aggregate.Tx) error { return tx.PutReceipt(task, receipt(t, task, "a", 1, 1)) },
				"PutRoster":  func(tx aggregate.Tx) error { return tx.PutRoster(task, roster("body", "sig")) },
				"PutReport":  func(tx aggregate.Tx) error { _, err := tx.PutReport(task, report(1), []byte("x")); return err },
				"Settle": func(tx aggregate.Tx) error {
					_, err := tx.Settle(task, []aggregate.Settlement{{Report: report(1), Outcome: aggregate.Outcome{Accepted: true}}})
					return err
				},
				"PlanJobs": func(tx aggregate.Tx) error {
					return tx.PlanJobs(task, []aggregate.Job{{Reports: []dap.ReportID{report(1)}}})
				},
				"PutJobRequest": func(tx aggregate.Tx) error { return tx.PutJobRequest(task, 0, []byte("x")) },
				"FinishJob":     func(tx aggregate.Tx) error { return tx.FinishJob(task, 0) },
				"PutResponse":   func(tx aggregate.Tx) error { return tx.PutResponse(task, "job", []byte("x")) },
				"AcquireLease": func(tx aggregate.Tx) error {
					_, _, err := tx.AcquireLease(task, "a", time.Unix(1_700_000_000, 0), time.Minute)
					return err
				},
				"PutBucket": func(tx aggregate.Tx) error { return tx.PutBucket(task, bucket(1, 1)) },
				"PutCollection": func(tx aggregate.Tx) error {
					return tx.PutCollection(task, aggregate.Collection{Request: []byte("x")})
				},
			}
			for name, write := range writes {
				d.fails(t, name, write)
			}
			// The task that is created later starts empty.
			d.create(t)
			empty(t, d, task)
		}},
	}
}

// empty checks that a task is as it was created.
func empty(t *testing.T, d *db, id dap.TaskID) {
	t.Helper()
	exact(t, "phase", aggregate.PhaseOpen, read(t, d, func(tx aggregate.Tx) (aggregate.Phase, error) { return tx.Phase(id) }))
	same(t, "receipts", []aggregate.StoredReceipt{}, lastReceipts(t, d, id))
	if r, ok := storedRoster(t, d, id); ok {
		t.Errorf("a roster: %v", r)
	}
	same(t, "reports", map[dap.ReportID][]byte{}, reports(t, d, id, 1, 2, 3))
	same(t, "settled reports", map[dap.ReportID]aggregate.Outcome{}, settled(t, d, id))
	same(t, "jobs", []aggregate.Job{}, jobs(t, d, id))
	same(t, "buckets", []aggregate.Bucket{}, buckets(t, d, id))
	if c, ok := collection(t, d, id); ok {
		t.Errorf("a collection: %v", c)
	}
}
