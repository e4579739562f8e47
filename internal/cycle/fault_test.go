package cycle_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/store"
	"muster/internal/store/coalitiondb"
)

// Where the program stops just before or just after an approval became durable, the key
// is enrolled with its approval or not at all, and the record is whole.
func TestStoppedInAnApproval(t *testing.T) {
	t.Parallel()
	made := coalitiontest.New(t, coalitiontest.Config{Members: []coalition.MemberID{"Ostmere", "Brennholm"}, Layout: []byte(`{}`), Sizes: []uint16{4}})
	key := made.Members["Ostmere"].Public()
	stopped := errors.New("stopped")
	for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			path := filepath.Join(t.TempDir(), "coordinator.db")
			now := func() time.Time { return time.Unix(coalitiontest.Opens, 0) }
			db, err := coalitiondb.Open(ctx, coalitiondb.Config{Path: path, Fault: func(name string, at store.FaultPoint) error {
				if name == "approve" && at == point {
					return stopped
				}
				return nil
			}})
			must(t, err)
			bo := account.Person{ID: "00000000000000000000000000000001", Name: "Bo Marsh", Grants: []account.Grant{{Role: "coordinator"}}, Added: now()}
			must(t, db.Accounts().InTx(ctx, "fill", func(tx account.Tx) error { return tx.PutPerson(bo) }))
			s := cycle.New(cycle.Config{Store: db, Now: now})
			operator := cycle.Operator("the operator")
			must(t, s.Begin(ctx, operator, "Sea of Lights"))
			must(t, s.AddParty(ctx, operator, "ostmere", "Ostmere", cycle.Member))
			number, err := s.AskEnrolment(ctx, operator, "ostmere", key)
			must(t, err)
			if _, err := s.Approve(ctx, cycle.PersonOf(bo), number, cycletest.Words(key)); !errors.Is(err, stopped) {
				t.Fatalf("it was not stopped: %v", err)
			}
			must(t, db.Close())

			again, err := coalitiondb.Open(ctx, coalitiondb.Config{Path: path})
			must(t, err)
			t.Cleanup(func() { _ = again.Close() })
			s = cycle.New(cycle.Config{Store: again, Now: now})
			parties, err := s.Parties(ctx, operator)
			must(t, err)
			enrolled, waits := parties[0].Key.Number == 1, parties[0].Pending.Number == number
			if done := point == store.AfterCommit; enrolled != done || waits == done || len(parties[0].Pending.Approvals) != 0 {
				t.Errorf("enrolled %v, waits %v", enrolled, waits)
			}
			if _, _, err := s.CheckRecord(ctx, operator); err != nil {
				t.Error(err)
			}
			if waits { // and it can be approved then
				_, err := s.Approve(ctx, cycle.PersonOf(bo), number, cycletest.Words(key))
				must(t, err)
			}
		})
	}
}
