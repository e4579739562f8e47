package storetest

import (
	"errors"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
)

func wipeTests() []test {
	// full puts something of every kind into both tasks.
	full := func(t *testing.T, d *db) {
		t.Helper()
		d.create(t)
		for _, id := range []dap.TaskID{task, other} {
			d.do(t, func(tx aggregate.Tx) error {
				for n := range 5 {
					if _, err := tx.PutReport(id, report(n), []byte("report")); err != nil {
						return err
					}
					if err := tx.PutReceipt(id, receipt(t, id, "a", uint64(n+1), n)); err != nil {
						return err
					}
				}
				if _, err := tx.SetAside(id, "a", 2); err != nil {
					return err
				}
				_, err := tx.Settle(id, []aggregate.Settlement{{Report: report(1), Outcome: aggregate.Outcome{Accepted: true}}})
				return errors.Join(
					err,
					tx.PlanJobs(id, []aggregate.Job{{Number: 0, Reports: []dap.ReportID{report(1), report(2)}}, {Number: 1, Reports: []dap.ReportID{report(3)}}}),
					tx.PutJobRequest(id, 0, []byte("request")),
					tx.PutResponse(id, "job", []byte("response")),
					tx.PutRoster(id, roster("list", "note")),
					tx.PutBucket(id, bucket(1, 1)), tx.PutBucket(id, bucket(2, 1)),
					tx.PutCollection(id, aggregate.Collection{Request: []byte("request"), Response: []byte("response")}))
			})
		}
	}
	wipe := func(t *testing.T, d *db, atMost int) bool {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (bool, error) { return tx.Wipe(task, atMost) })
	}
	// wants checks that of the wiped task that is left which is to stay, and of
	// the other all.
	wants := func(t *testing.T, d *db) {
		t.Helper()
		same(t, "reports", map[dap.ReportID][]byte{}, reports(t, d, task, 0, 1, 2, 3, 4))
		same(t, "receipts", []aggregate.StoredReceipt{}, lastReceipts(t, d, task))
		same(t, "jobs", []aggregate.Job{}, jobs(t, d, task))
		same(t, "buckets", []aggregate.Bucket{}, buckets(t, d, task))
		if c, ok := collection(t, d, task); ok {
			t.Errorf("a collection: %v", c)
		}
		if _, ok := lookup(t, d, func(tx aggregate.Tx) ([]byte, bool, error) { return tx.Response(task, "job") }); ok {
			t.Error("a response")
		}
		settledOnce := map[dap.ReportID]aggregate.Outcome{report(1): {Accepted: true}}
		same(t, "settled reports", settledOnce, settled(t, d, task))
		if r, ok := storedRoster(t, d, task); !ok || string(r.Body) != "list" {
			t.Errorf("roster %v, %t", r, ok)
		}
		same(t, "reports of the other task", 5, len(reports(t, d, other, 0, 1, 2, 3, 4)))
		same(t, "receipts of the other task", 1, len(lastReceipts(t, d, other)))
		same(t, "jobs of the other task", 2, len(jobs(t, d, other)))
		same(t, "buckets of the other task", 2, len(buckets(t, d, other)))
		if _, ok := collection(t, d, other); !ok {
			t.Error("the collection of the other task is gone")
		}
	}
	return []test{
		{"all at once", func(t *testing.T, d *db) {
			full(t, d)
			exact(t, "left", false, wipe(t, d, 1000))
			wants(t, d)
			exact(t, "left", false, wipe(t, d, 1000)) // and again
			wants(t, d)
		}},
		{"little by little", func(t *testing.T, d *db) {
			full(t, d)
			times := 1
			for wipe(t, d, 2) {
				if times++; times > 50 {
					t.Fatal("there is no end")
				}
			}
			if times < 3 {
				t.Errorf("5 reports were deleted in %d times, 2 at a time", times)
			}
			wants(t, d)
		}},
		{"erasing changes nothing", func(t *testing.T, d *db) {
			full(t, d)
			wipe(t, d, 1000)
			for range 2 {
				if err := d.Erase(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			wants(t, d)
		}},
	}
}
