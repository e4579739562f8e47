package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

func phaseTests() []test {
	phase := func(t *testing.T, d *db, id dap.TaskID) aggregate.Phase {
		t.Helper()
		return read(t, d, func(tx aggregate.Tx) (aggregate.Phase, error) { return tx.Phase(id) })
	}
	order := []aggregate.Phase{aggregate.PhaseOpen, aggregate.PhaseClosing, aggregate.PhaseFrozen, aggregate.PhaseCollected, aggregate.PhaseWiped}
	return []test{
		{"a new task is open", func(t *testing.T, d *db) {
			d.create(t)
			exact(t, "phase of the first task", aggregate.PhaseOpen, phase(t, d, task))
			exact(t, "phase of the second task", aggregate.PhaseOpen, phase(t, d, other))
		}},
		{"that the sum has left outlives the wipe", func(t *testing.T, d *db) {
			d.create(t)
			left := func(id dap.TaskID) bool {
				t.Helper()
				return read(t, d, func(tx aggregate.Tx) (bool, error) { return tx.SumLeft(id) })
			}
			d.do(t, func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseOpen, aggregate.PhaseFrozen) })
			exact(t, "left when frozen", false, left(task))
			d.do(t, func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseFrozen, aggregate.PhaseCollected) })
			exact(t, "left when collected", true, left(task))
			for _, id := range []dap.TaskID{task, other} {
				d.do(t, func(tx aggregate.Tx) error {
					phase, err := tx.Phase(id)
					return errors.Join(err, tx.Advance(id, phase, aggregate.PhaseWiped))
				})
			}
			exact(t, "left when wiped", true, left(task))
			exact(t, "left when wiped, never collected", false, left(other))
			d.refuses(t, errs.NotFound, "SumLeft", func(tx aggregate.Tx) error {
				_, err := tx.SumLeft(dap.TaskID{77})
				return err
			})
		}},
		{"an unknown task is not found", func(t *testing.T, d *db) {
			d.refuses(t, errs.NotFound, "Phase", func(tx aggregate.Tx) error {
				_, err := tx.Phase(task)
				return err
			})
		}},
		{"creating again changes nothing", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseOpen, aggregate.PhaseFrozen) })
			d.do(t, func(tx aggregate.Tx) error { return tx.CreateTask(task, dap.RoleLeader) })
			exact(t, "phase", aggregate.PhaseFrozen, phase(t, d, task))
		}},
		{"another role is refused", func(t *testing.T, d *db) {
			d.create(t)
			d.refuses(t, errs.Conflict, "the Leader's task as Helper", func(tx aggregate.Tx) error { return tx.CreateTask(task, dap.RoleHelper) })
			d.refuses(t, errs.Conflict, "the Helper's task as Leader", func(tx aggregate.Tx) error { return tx.CreateTask(other, dap.RoleLeader) })
			d.fails(t, "a client's task", func(tx aggregate.Tx) error { return tx.CreateTask(dap.TaskID{5}, dap.RoleClient) })
			d.fails(t, "a collector's task", func(tx aggregate.Tx) error { return tx.CreateTask(dap.TaskID{5}, dap.RoleCollector) })
		}},
		{"every transition", func(t *testing.T, d *db) {
			n := byte(0)
			for i, from := range order {
				for j, to := range order {
					n++
					id := dap.TaskID{100, n}
					d.do(t, func(tx aggregate.Tx) error {
						err := tx.CreateTask(id, dap.RoleLeader)
						if err == nil && i > 0 {
							err = tx.Advance(id, aggregate.PhaseOpen, from)
						}
						return err
					})
					step := func(tx aggregate.Tx) error { return tx.Advance(id, from, to) }
					want := from
					if j > i {
						d.do(t, step)
						want = to
					} else {
						d.refuses(t, errs.Conflict, "from "+string(from)+" to "+string(to), step)
					}
					exact(t, "phase after the step from "+string(from)+" to "+string(to), want, phase(t, d, id))
				}
			}
		}},
		{"a step from another phase is refused", func(t *testing.T, d *db) {
			d.create(t)
			for _, from := range order[1:] {
				d.refuses(t, errs.Conflict, "a step from "+string(from), func(tx aggregate.Tx) error {
					return tx.Advance(task, from, aggregate.PhaseCollected)
				})
			}
			step := func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseOpen, aggregate.PhaseClosing) }
			d.do(t, step)
			d.refuses(t, errs.Conflict, "the same step again", step)
			exact(t, "phase", aggregate.PhaseClosing, phase(t, d, task))
			exact(t, "phase of the other task", aggregate.PhaseOpen, phase(t, d, other))
		}},
		{"a phase that does not exist", func(t *testing.T, d *db) {
			d.create(t)
			d.fails(t, "a step to nowhere", func(tx aggregate.Tx) error { return tx.Advance(task, aggregate.PhaseOpen, "gone") })
			exact(t, "phase", aggregate.PhaseOpen, phase(t, d, task))
		}},
	}
}

// receipt returns a receipt as a store gets it: checked, so that its own
// signature does not matter.
func receipt(t *testing.T, id dap.TaskID, member coalition.MemberID, sequence uint64, n int) aggregate.StoredReceipt {
	t.Helper()
	r := coalition.NewReceipt(id, member, sequence, 1_700_000_000, report(n), [32]byte{byte(n), 1}, [32]byte{byte(n), 2})
	body, err := keys.Canonical(r)
	if err != nil {
		t.Fatal(err)
	}
	return aggregate.StoredReceipt{Receipt: r, Signed: coalition.SignedReceipt{Body: body, Signature: []byte("note of " + string(member))}}
}

func lastReceipts(t *testing.T, d *db, id dap.TaskID) []aggregate.StoredReceipt {
	t.Helper()
	return read(t, d, func(tx aggregate.Tx) ([]aggregate.StoredReceipt, error) { return tx.LastReceipts(id) })
}

func receiptTests() []test {
	put := func(list ...aggregate.StoredReceipt) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error {
			for _, r := range list {
				if err := tx.PutReceipt(task, r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return []test{
		{"the highest sequence number counts", func(t *testing.T, d *db) {
			d.create(t)
			first, second, tenth := receipt(t, task, "a", 1, 1), receipt(t, task, "a", 2, 2), receipt(t, task, "a", 10, 10)
			for _, r := range []aggregate.StoredReceipt{second, tenth, first} { // a late one does not win
				d.do(t, put(r))
			}
			same(t, "last receipts", []aggregate.StoredReceipt{tenth}, lastReceipts(t, d, task))
			same(t, "last receipts of the other task", []aggregate.StoredReceipt{}, lastReceipts(t, d, other))
		}},
		{"members are sorted by their bytes", func(t *testing.T, d *db) {
			d.create(t)
			names := []coalition.MemberID{"b", "B", "a", "Ärmel", "Zebra", "a b", "a-b", "ab", "日本", "é", "𝔸", "ﬀ"}
			var want []aggregate.StoredReceipt
			for i, name := range names {
				want = append(want, receipt(t, task, name, 1, i))
			}
			d.do(t, put(want...))
			slices.SortFunc(want, func(a, b aggregate.StoredReceipt) int {
				return strings.Compare(string(a.Receipt.Member), string(b.Receipt.Member))
			})
			same(t, "last receipts", want, lastReceipts(t, d, task))
		}},
		{"the same again is no error", func(t *testing.T, d *db) {
			d.create(t)
			r := receipt(t, task, "a", 1, 1)
			d.do(t, put(r))
			d.do(t, put(r))
			d.do(t, put(receipt(t, task, "a", 2, 2)))
			d.do(t, put(r)) // also when it was replaced since
			same(t, "last receipts", []aggregate.StoredReceipt{receipt(t, task, "a", 2, 2)}, lastReceipts(t, d, task))
		}},
		{"another with that number is refused", func(t *testing.T, d *db) {
			d.create(t)
			first := receipt(t, task, "a", 1, 1)
			d.do(t, put(first))
			d.refuses(t, errs.Conflict, "another report", put(receipt(t, task, "a", 1, 2)))
			changed := receipt(t, task, "a", 1, 1)
			changed.Receipt.Time++
			var err error
			if changed.Signed.Body, err = keys.Canonical(changed.Receipt); err != nil {
				t.Fatal(err)
			}
			d.refuses(t, errs.Conflict, "the same report at another time", put(changed))
			same(t, "last receipts", []aggregate.StoredReceipt{first}, lastReceipts(t, d, task))
		}},
		{"another for that report is refused", func(t *testing.T, d *db) {
			d.create(t)
			first := receipt(t, task, "a", 1, 1)
			d.do(t, put(first))
			d.refuses(t, errs.Conflict, "a higher number", put(receipt(t, task, "a", 2, 1)))
			d.refuses(t, errs.Conflict, "another member", put(receipt(t, task, "b", 1, 1)))
			same(t, "last receipts", []aggregate.StoredReceipt{first}, lastReceipts(t, d, task))
			d.do(t, func(tx aggregate.Tx) error { return tx.PutReceipt(other, receipt(t, other, "a", 1, 1)) })
		}},
		{"the highest number there is", func(t *testing.T, d *db) {
			d.create(t)
			r := receipt(t, task, "a", 1<<53, 1)
			d.do(t, put(receipt(t, task, "a", 1<<53-1, 2), r))
			same(t, "last receipts", []aggregate.StoredReceipt{r}, lastReceipts(t, d, task))
		}},
	}
}

func roster(body, signature string) coalition.SignedRoster {
	return coalition.SignedRoster{Body: []byte(body), Signature: []byte(signature)}
}

func storedRoster(t *testing.T, d *db, id dap.TaskID) (coalition.SignedRoster, bool) {
	t.Helper()
	return lookup(t, d, func(tx aggregate.Tx) (coalition.SignedRoster, bool, error) { return tx.Roster(id) })
}

func rosterTests() []test {
	put := func(r coalition.SignedRoster) func(aggregate.Tx) error {
		return func(tx aggregate.Tx) error { return tx.PutRoster(task, r) }
	}
	wants := func(t *testing.T, d *db, want coalition.SignedRoster) {
		t.Helper()
		got, ok := storedRoster(t, d, task)
		if !ok {
			t.Error("no roster")
		}
		exact(t, "roster", want, got)
	}
	one, both := roster("list", "text\n\nleader\n"), roster("list", "text\n\nleader\nhelper\n")
	return []test{
		{"none at first", func(t *testing.T, d *db) {
			d.create(t)
			if r, ok := storedRoster(t, d, task); ok {
				t.Errorf("a roster: %v", r)
			}
		}},
		{"the same again is no error", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(one))
			d.do(t, put(one))
			wants(t, d, one)
			if r, ok := storedRoster(t, d, other); ok {
				t.Errorf("the other task has a roster: %v", r)
			}
		}},
		{"a signature grows", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(one))
			d.do(t, put(both))
			wants(t, d, both)
			d.do(t, put(both))
			wants(t, d, both)
		}},
		{"a signature does not shrink or change", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(both))
			d.refuses(t, errs.Conflict, "one signature less", put(one))
			d.refuses(t, errs.Conflict, "another signature", put(roster("list", "text\n\nstranger\nhelper\n")))
			wants(t, d, both)
		}},
		{"other content is refused", func(t *testing.T, d *db) {
			d.create(t)
			d.do(t, put(one))
			d.refuses(t, errs.Conflict, "another list", put(roster("another list", "text\n\nleader\n")))
			d.refuses(t, errs.Conflict, "another list with more signatures", put(roster("lis", "text\n\nleader\nhelper\n")))
			wants(t, d, one)
		}},
	}
}

// numbered are the methods of one of the two lists of signed files.
type numbered struct {
	name string
	put  func(tx aggregate.Tx, id dap.TaskID, number int, body, signature []byte) error
	list func(tx aggregate.Tx, id dap.TaskID) ([][2][]byte, error)
}

func numberedLists() []numbered {
	return []numbered{
		{
			"addenda",
			func(tx aggregate.Tx, id dap.TaskID, number int, body, signature []byte) error {
				return tx.PutAddendum(id, number, coalition.SignedAddendum{Body: body, Signature: signature})
			},
			func(tx aggregate.Tx, id dap.TaskID) (list [][2][]byte, err error) {
				all, err := tx.Addenda(id)
				for _, a := range all {
					list = append(list, [2][]byte{a.Body, a.Signature})
				}
				return list, err
			},
		},
		{
			"amendments",
			func(tx aggregate.Tx, id dap.TaskID, number int, body, signature []byte) error {
				return tx.PutAmendment(id, number, coalition.SignedAmendment{Body: body, Signature: signature})
			},
			func(tx aggregate.Tx, id dap.TaskID) (list [][2][]byte, err error) {
				all, err := tx.Amendments(id)
				for _, a := range all {
					list = append(list, [2][]byte{a.Body, a.Signature})
				}
				return list, err
			},
		},
	}
}

func numberedTests() []test {
	var tests []test
	for _, n := range numberedLists() {
		list := func(t *testing.T, d *db, id dap.TaskID) [][2][]byte {
			t.Helper()
			return read(t, d, func(tx aggregate.Tx) ([][2][]byte, error) { return n.list(tx, id) })
		}
		put := func(id dap.TaskID, number int, body string) func(aggregate.Tx) error {
			return func(tx aggregate.Tx) error { return n.put(tx, id, number, []byte(body), []byte("note of "+body)) }
		}
		begin := func(t *testing.T, d *db) {
			t.Helper()
			d.create(t)
			d.do(t, func(tx aggregate.Tx) error {
				return errors.Join(tx.PutRoster(task, roster("list", "note")), tx.PutRoster(other, roster("list", "note")))
			})
		}
		signed := func(bodies ...string) (all [][2][]byte) {
			for _, body := range bodies {
				all = append(all, [2][]byte{[]byte(body), []byte("note of " + body)})
			}
			return all
		}
		tests = append(tests,
			test{n.name + " come back in order", func(t *testing.T, d *db) {
				begin(t, d)
				same(t, "at first", signed(), list(t, d, task))
				var want []string
				for number := 1; number <= 11; number++ { // as numbers, not as texts
					body := fmt.Sprintf("file %d", 12-number)
					d.do(t, put(task, number, body))
					want = append(want, body)
				}
				same(t, "all", signed(want...), list(t, d, task))
				same(t, "of the other task", signed(), list(t, d, other))
			}},
			test{n.name + " follow one another", func(t *testing.T, d *db) {
				begin(t, d)
				for _, number := range []int{0, 2, -1} {
					d.refuses(t, errs.Conflict, fmt.Sprintf("number %d as the first", number), put(task, number, "x"))
				}
				d.do(t, put(task, 1, "first"))
				for _, number := range []int{1, 3} {
					d.refuses(t, errs.Conflict, fmt.Sprintf("number %d as the second", number), put(task, number, "x"))
				}
				d.do(t, put(task, 2, "second"))
				d.do(t, put(other, 1, "first there"))
				same(t, "all", signed("first", "second"), list(t, d, task))
				same(t, "of the other task", signed("first there"), list(t, d, other))
			}},
			test{n.name + " of an unknown task", func(t *testing.T, d *db) {
				d.fails(t, "the first", put(task, 1, "x"))
			}},
		)
	}
	return append(tests, test{"an amendment needs a roster", func(t *testing.T, d *db) {
		d.create(t)
		d.fails(t, "an amendment to nothing", func(tx aggregate.Tx) error {
			return tx.PutAmendment(task, 1, coalition.SignedAmendment{Body: []byte("x"), Signature: []byte("y")})
		})
	}})
}
