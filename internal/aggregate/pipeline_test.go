package aggregate_test

import (
	"crypto/rand"
	"errors"
	"runtime"
	"sync"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/store/hostdb"
	"muster/vdaf"
)

// productBlocks returns the blocks of a framework of 36 outcomes in 8 areas, as
// package framework lays them out: kind by kind.
func productBlocks() []uint16 {
	var blocks []uint16
	for _, kind := range []struct {
		count int
		size  uint16
	}{{36, 7}, {36, 8}, {36, 6}, {36, 3}, {36, 5}, {8, 6}, {8, 5}} {
		for range kind.count {
			blocks = append(blocks, kind.size)
		}
	}
	return blocks
}

// sealer makes submissions as fast as the cryptography allows.
type sealer struct {
	w    *aggregatetest.World
	task *aggregate.Task
	aad  *dap.TaskAad
}

func newSealer(t testing.TB, w *aggregatetest.World) *sealer {
	t.Helper()
	task, err := aggregate.NewTask(w.Charter, cohort, w.Seed)
	must(t, err)
	aad, err := dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	must(t, err)
	return &sealer{w, task, aad}
}

func (s *sealer) seal(i int, blocks []uint16) (dap.Report, aggregate.StoredReceipt, error) {
	var id dap.ReportID
	rand.Read(id[:])
	random := make([]byte, s.task.VDAF.RandSize())
	rand.Read(random)
	measurement := make([]uint64, len(blocks))
	for b, size := range blocks {
		measurement[b] = uint64(i+b) % uint64(size)
	}
	nonce := [16]byte(id)
	publicShare, shares, err := s.task.VDAF.Shard(s.task.Variant.VdafContext(s.task.ID), measurement, &nonce, random)
	if err != nil {
		return dap.Report{}, aggregate.StoredReceipt{}, err
	}
	report := dap.Report{ReportMetadata: dap.ReportMetadata{ReportID: id, Time: s.task.Interval.Start}, PublicShare: publicShare}
	aad, err := s.aad.Report(report.ReportMetadata, publicShare)
	if err != nil {
		return dap.Report{}, aggregate.StoredReceipt{}, err
	}
	var failed [2]error
	report.LeaderEncryptedInputShare, failed[0] = aad.Seal(s.w.Host[0].HPKE.Config(), dap.RoleLeader, dap.PlaintextInputShare{Payload: shares[0]})
	report.HelperEncryptedInputShare, failed[1] = aad.Seal(s.w.Host[1].HPKE.Config(), dap.RoleHelper, dap.PlaintextInputShare{Payload: shares[1]})
	if err := errors.Join(failed[:]...); err != nil {
		return dap.Report{}, aggregate.StoredReceipt{}, err
	}
	signed := s.w.Sign(member(i), 1, report)
	receipt, err := signed.Open(s.task.ID, func(id coalition.MemberID) (keys.Public, bool) { return s.w.Members[id].Public(), true })
	return report, aggregate.StoredReceipt{Receipt: receipt, Signed: signed}, err
}

// fill puts n submissions into the databases of both hosts at each of the places,
// past the surface on which they would come one by one, and returns the first
// keep of them.
func fill(t testing.TB, w *aggregatetest.World, n, keep int, blocks []uint16, places ...[2]hostdb.Config) []dap.Report {
	t.Helper()
	s := newSealer(t, w)
	var dbs [][2]*hostdb.DB
	for _, place := range places {
		var pair [2]*hostdb.DB
		for i, cfg := range place {
			db, err := hostdb.Open(t.Context(), cfg) // without the cycle key, which seals none of this
			must(t, err)
			defer db.Close()
			must(t, db.InTx(t.Context(), "create", func(tx aggregate.Tx) error {
				return tx.CreateTask(s.task.ID, []dap.Role{dap.RoleLeader, dap.RoleHelper}[i])
			}))
			pair[i] = db
		}
		dbs = append(dbs, pair)
	}
	const batch = 500
	var kept []dap.Report
	for from := 0; from < n; from += batch {
		size := min(batch, n-from)
		reports := make([]dap.Report, size)
		receipts := make([]aggregate.StoredReceipt, size)
		var wg sync.WaitGroup
		workers := runtime.GOMAXPROCS(0)
		for worker := range workers {
			wg.Go(func() {
				for i := worker; i < size; i += workers {
					var err error
					if reports[i], receipts[i], err = s.seal(from+i, blocks); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			t.FailNow()
		}
		for _, pair := range dbs {
			for host, db := range pair {
				must(t, db.InTx(t.Context(), "fill", func(tx aggregate.Tx) error {
					for i, r := range reports {
						if err := tx.PutReceipt(s.task.ID, receipts[i]); err != nil || host == 1 {
							if err != nil {
								return err
							}
							continue
						}
						b, err := dap.Encode(s.task.Variant, r)
						if err != nil {
							return err
						}
						if _, err := tx.PutReport(s.task.ID, r.ReportMetadata.ReportID, b); err != nil {
							return err
						}
					}
					return nil
				}))
			}
		}
		kept = append(kept, reports[:min(size, keep-len(kept))]...)
	}
	return kept
}

// crypto does what both hosts compute for reports and nothing else: decrypt,
// verify, add up, on all processors.
func crypto(t testing.TB, w *aggregatetest.World, reports []dap.Report) {
	t.Helper()
	s := newSealer(t, w)
	key, err := dap.VerifyKey(w.Seed[:], s.task.ID)
	must(t, err)
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		wg.Go(func() {
			if err := s.both(&key, reports, worker, workers); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func (s *sealer) both(key *[32]byte, reports []dap.Report, from, step int) error {
	var verifiers [2]*vdaf.Verifier
	var states [2]vdaf.State
	var totals [2]*vdaf.Aggregate
	for i := range verifiers {
		var err error
		if verifiers[i], err = s.task.VDAF.NewVerifier(key, s.task.Variant.VdafContext(s.task.ID), uint8(i)); err != nil {
			return err
		}
		totals[i] = s.task.VDAF.NewAggregate()
	}
	for i := from; i < len(reports); i += step {
		r := &reports[i]
		aad, err := s.aad.Report(r.ReportMetadata, r.PublicShare)
		if err != nil {
			return err
		}
		leader, err := aad.Open(s.w.Host[0].HPKE, dap.RoleLeader, r.LeaderEncryptedInputShare)
		if err != nil {
			return err
		}
		helper, err := aad.Open(s.w.Host[1].HPKE, dap.RoleHelper, r.HelperEncryptedInputShare)
		if err != nil {
			return err
		}
		nonce := [16]byte(r.ReportMetadata.ReportID)
		first, err := verifiers[0].LeaderInit(&states[0], &nonce, r.PublicShare, leader.Payload, nil)
		if err != nil {
			return err
		}
		second, err := verifiers[1].HelperInit(&states[1], &nonce, r.PublicShare, helper.Payload, first, nil)
		if err != nil {
			return err
		}
		if err := verifiers[0].LeaderFinish(&states[0], second); err != nil {
			return err
		}
		for i := range totals {
			if err := totals[i].Add(&states[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
