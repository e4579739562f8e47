package storetest

import (
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
)

func statusTests() []test {
	counts := func(t *testing.T, d *db, id dap.TaskID) aggregate.Counts {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (aggregate.Counts, error) { return tx.Counts(id) })
	}
	deliveries := func(t *testing.T, d *db, id dap.TaskID) []aggregate.Delivery {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) ([]aggregate.Delivery, error) { return tx.Deliveries(id) })
	}
	setAsides := func(t *testing.T, d *db, id dap.TaskID) []aggregate.SetAsideReceipt {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) ([]aggregate.SetAsideReceipt, error) { return tx.SetAsides(id) })
	}
	rejected := func(t *testing.T, d *db, id dap.TaskID) map[dap.ReportID]dap.ReportError {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (map[dap.ReportID]dap.ReportError, error) { return tx.Rejected(id) })
	}
	lease := func(t *testing.T, d *db, id dap.TaskID) (aggregate.StoredLease, bool) {
		t.Helper()
		return lookup(t, d, func(tx aggregate.Tx) (aggregate.StoredLease, bool, error) { return tx.Lease(id) })
	}
	nothing := func(t *testing.T, d *db, id dap.TaskID) {
		t.Helper()
		same(t, "counts", aggregate.Counts{}, counts(t, d, id))
		same(t, "deliveries", []aggregate.Delivery{}, deliveries(t, d, id))
		same(t, "set aside", []aggregate.SetAsideReceipt{}, setAsides(t, d, id))
		same(t, "rejected", map[dap.ReportID]dap.ReportError{}, rejected(t, d, id))
		if l, ok := lease(t, d, id); ok {
			t.Errorf("a lease: %v", l)
		}
	}
	put := func(t *testing.T, d *db, member string, sequence uint64, n int, uploaded bool) {
		t.Helper()
		d.do(t, func(tx aggregate.Tx) error {
			if uploaded {
				if _, err := tx.PutReport(task, report(n), []byte("report")); err != nil {
					return err
				}
			}
			if sequence == 0 {
				return nil
			}
			return tx.PutReceipt(task, receipt(t, task, coalition.MemberID(member), sequence, n))
		})
	}
	return []test{
		{"of nothing", func(t *testing.T, d *db) {
			nothing(t, d, task) // not created
			d.create(t)
			nothing(t, d, task)
		}},
		{"what was delivered", func(t *testing.T, d *db) {
			d.create(t)
			put(t, d, "b", 1, 1, true)
			put(t, d, "a", 1, 2, true)
			put(t, d, "a", 3, 3, false) // the last one has no report
			put(t, d, "c", 7, 4, false)
			put(t, d, "", 0, 5, true) // nobody's
			same(t, "counts", aggregate.Counts{Receipts: 4, Members: 3, Complete: 1, Reports: 3, Unclaimed: 1}, counts(t, d, task))
			same(t, "deliveries", []aggregate.Delivery{{Member: "a", Sequence: 3}, {Member: "b", Sequence: 1, Report: true}, {Member: "c", Sequence: 7}}, deliveries(t, d, task))
			nothing(t, d, other)
			d.do(t, func(tx aggregate.Tx) error {
				if _, err := tx.SetAside(task, "c", 7); err != nil {
					return err
				}
				_, err := tx.SetAside(task, "a", 3)
				return err
			})
			same(t, "counts", aggregate.Counts{Receipts: 4, Members: 2, Complete: 2, Reports: 3, Unclaimed: 1, SetAside: 2}, counts(t, d, task))
			same(t, "deliveries", []aggregate.Delivery{{Member: "a", Sequence: 1, Report: true}, {Member: "b", Sequence: 1, Report: true}}, deliveries(t, d, task))
			same(t, "set aside", []aggregate.SetAsideReceipt{{Member: "a", Sequence: 3}, {Member: "c", Sequence: 7}}, setAsides(t, d, task))
			nothing(t, d, other)
		}},
		{"what became of reports", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, func(tx aggregate.Tx) error {
				_, err := tx.Settle(task, []aggregate.Settlement{
					{Report: report(1), Outcome: aggregate.Outcome{Accepted: true}},
					{Report: report(2), Outcome: aggregate.Outcome{Error: dap.VdafVerifyError}},
					{Report: report(3), Outcome: aggregate.Outcome{Error: dap.HpkeDecryptError}},
				})
				if err != nil {
					return err
				}
				if err := tx.PlanJobs(task, []aggregate.Job{{Number: 0, Reports: []dap.ReportID{report(1)}}, {Number: 1, Reports: []dap.ReportID{report(2)}}}); err != nil {
					return err
				}
				if err := tx.PutJobRequest(task, 1, []byte("x")); err != nil {
					return err
				}
				return tx.FinishJob(task, 1)
			})
			same(t, "counts", aggregate.Counts{Jobs: 2, JobsDone: 1, Accepted: 1, Rejected: 2}, counts(t, d, task))
			same(t, "rejected", map[dap.ReportID]dap.ReportError{report(2): dap.VdafVerifyError, report(3): dap.HpkeDecryptError}, rejected(t, d, task))
			nothing(t, d, other)
		}},
		{"who drives", func(t *testing.T, d *db) {
			d.create(t)
			now := time.Unix(1_700_000_000, 0)
			got, _ := lookup(t, d, func(tx aggregate.Tx) (aggregate.StoredLease, bool, error) {
				return tx.AcquireLease(task, "a", now, time.Minute)
			})
			l, ok := lease(t, d, task)
			if !ok || l.Holder != "a" || l.Token != got.Token || !l.Expires.Equal(now.Add(time.Minute)) {
				t.Errorf("got %v, %t", l, ok)
			}
			nothing(t, d, other)
		}},
	}
}
