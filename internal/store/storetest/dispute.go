package storetest

import (
	"testing"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
)

func disputeTests() []test {
	setAside := func(member coalition.MemberID, sequence uint64, digest *string) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) (err error) {
			*digest, err = tx.SetAside(task, member, sequence)
			return err
		}
	}
	phase := func(t *testing.T, d *db) aggregate.Phase {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (aggregate.Phase, error) { return tx.Phase(task) })
	}
	return []test{
		{"what is set aside counts for nothing", func(t *testing.T, d *db) {
			d.create(t)
			first, second, b := receipt(t, task, "a", 1, 1), receipt(t, task, "a", 2, 2), receipt(t, task, "b", 1, 3)
			d.do(t, func(tx aggregate.Tx) error {
				for _, r := range []aggregate.StoredReceipt{first, second, b} {
					if err := tx.PutReceipt(task, r); err != nil {
						return err
					}
				}
				return nil
			})
			last := func(member coalition.MemberID) uint64 {
				return read(t, d, func(tx aggregate.Tx) (uint64, error) { return tx.LastSequence(task, member) })
			}
			exact(t, "last of a", uint64(2), last("a"))
			exact(t, "last of nobody", uint64(0), last("c"))
			exact(t, "last in another task", uint64(0), read(t, d, func(tx aggregate.Tx) (uint64, error) { return tx.LastSequence(other, "a") }))
			var digest string
			d.refuses(t, errs.NotFound, "a number that was not sent", setAside("a", 3, &digest))
			d.refuses(t, errs.NotFound, "a stranger", setAside("c", 1, &digest))
			for range 2 { // the same again is the same
				d.do(t, setAside("a", 2, &digest))
				exact(t, "digest", second.Signed.Digest(), digest)
			}
			same(t, "last receipts", []aggregate.StoredReceipt{first, b}, lastReceipts(t, d, task))
			exact(t, "last of a", uint64(1), last("a"))
			d.do(t, setAside("a", 1, &digest))
			exact(t, "last of a", uint64(0), last("a"))
			same(t, "last receipts", []aggregate.StoredReceipt{b}, lastReceipts(t, d, task))
			third := receipt(t, task, "a", 3, 4)
			d.do(t, func(tx aggregate.Tx) error { return tx.PutReceipt(task, third) })
			same(t, "last receipts", []aggregate.StoredReceipt{third, b}, lastReceipts(t, d, task))
			exact(t, "last of a", uint64(3), last("a"))
			has := func(r aggregate.StoredReceipt) bool {
				return read(t, d, func(tx aggregate.Tx) (bool, error) { return tx.HasReceipt(task, r) })
			}
			exact(t, "one that is set aside is stored", true, has(second))
			exact(t, "another with its number is not", false, has(receipt(t, task, "a", 2, 9)))
			exact(t, "one that was not sent is not", false, has(receipt(t, task, "a", 4, 9)))
			for member, want := range map[coalition.MemberID]int{"a": 3, "b": 1, "c": 0} {
				exact(t, "receipts of "+string(member), want, read(t, d, func(tx aggregate.Tx) (int, error) { return tx.ReceiptCount(task, member) }))
			}
		}},
		{"a withdrawn roster opens the task", func(t *testing.T, d *db) {
			d.create(t)
			withdraw := func(tx aggregate.Tx) error { return tx.WithdrawRoster(task) }
			roster := coalition.SignedRoster{Body: []byte("a roster"), Signature: []byte("a note")}
			propose := func(tx aggregate.Tx) error {
				if err := tx.PutRoster(task, roster); err != nil {
					return err
				}
				return tx.Advance(task, aggregate.PhaseOpen, aggregate.PhaseClosing)
			}
			d.do(t, withdraw) // nothing to withdraw
			d.do(t, propose)
			d.do(t, withdraw)
			exact(t, "phase", aggregate.PhaseOpen, phase(t, d))
			if _, ok := storedRoster(t, d, task); ok {
				t.Error("a withdrawn roster is left")
			}
			roster.Body = []byte("another roster")
			d.do(t, propose)
			d.do(t, func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseClosing, aggregate.PhaseFrozen) })
			d.do(t, withdraw) // a frozen one stays
			exact(t, "phase", aggregate.PhaseFrozen, phase(t, d))
			left, _ := storedRoster(t, d, task)
			exact(t, "roster", roster, left)
		}},
		{"reports are counted", func(t *testing.T, d *db) {
			d.create(t)
			for n := range 3 {
				d.do(t, func(tx aggregate.Tx) error {
					_, err := tx.PutReport(task, report(n), []byte("body"))
					return err
				})
			}
			exact(t, "reports", 3, read(t, d, func(tx aggregate.Tx) (int, error) { return tx.ReportCount(task) }))
			exact(t, "reports of the other task", 0, read(t, d, func(tx aggregate.Tx) (int, error) { return tx.ReportCount(other) }))
		}},
	}
}
