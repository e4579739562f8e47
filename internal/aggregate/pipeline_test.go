package aggregate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
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

// fill puts n submissions into the databases of both hosts, past the surface on
// which they would come one by one, and returns some of them.
func fill(t testing.TB, w *aggregatetest.World, n int, blocks []uint16, places ...[2]hostdb.Config) []dap.Report {
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
	var sample []dap.Report
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
		if len(sample) < 2*batch {
			sample = append(sample, reports...)
		}
	}
	return sample
}

// crypto does what both hosts compute for reports and nothing else: decrypt,
// verify, add up, on all processors. It returns the reports a second.
func crypto(t testing.TB, w *aggregatetest.World, reports []dap.Report) float64 {
	t.Helper()
	s := newSealer(t, w)
	key, err := dap.VerifyKey(w.Seed[:], s.task.ID)
	must(t, err)
	began := time.Now()
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
	return float64(len(reports)) / time.Since(began).Seconds()
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

// BenchmarkPipeline takes a frozen batch through both hosts: read, decrypt,
// verify, add up, durable. Beside it stands the cryptography alone, measured
// before and after, on the same processors; of it the pipeline is to reach 0.7.
// Of processor time it says what both hosts use a report, PostgreSQL's own
// beside it. MUSTER_REPORTS=10000 is the size of the batch.
func BenchmarkPipeline(b *testing.B) {
	n := 10_000
	if s := os.Getenv("MUSTER_REPORTS"); s != "" {
		var err error
		n, err = strconv.Atoi(s)
		must(b, err)
	}
	for _, suite := range []dap.Suite{dap.SuiteX25519, dap.SuiteMLKEM768X25519} {
		for _, engine := range []string{"SQLite", "PostgreSQL"} {
			b.Run(fmt.Sprintf("%v/%s", suite, engine), func(b *testing.B) {
				w := aggregatetest.NewWith(b, n, aggregatetest.Options{
					Network: aggregatetest.InProcess(), Blocks: productBlocks(), Suite: suite,
				})
				if engine == "PostgreSQL" {
					pgtest.Durable(b)
					w.OnPostgres()
				}
				sample := fill(b, w, n, productBlocks(), w.Databases)
				must(b, w.StartUp())
				w.Now.Store(deadline)
				_, err := w.Leader.Freeze(b.Context())
				must(b, err)
				var own, servers [4]float64
				own[0], servers[0] = processorTime()
				before := crypto(b, w, sample)
				own[1], servers[1] = processorTime()
				b.ResetTimer()
				must(b, w.Leader.Aggregate(b.Context()))
				rate := float64(n) / b.Elapsed().Seconds()
				b.StopTimer()
				own[2], servers[2] = processorTime()
				alone := (before + crypto(b, w, sample)) / 2
				own[3], servers[3] = processorTime()
				if own[3] > 0 {
					// Where others use the machine, too, this is the steadier figure.
					least := (own[1] - own[0] + own[3] - own[2]) / float64(2*len(sample))
					host, server := (own[2]-own[1])/float64(n), 0.0
					if engine == "PostgreSQL" {
						server = (servers[2] - servers[1]) / float64(n)
					}
					b.ReportMetric(least*1e6, "crypto-µs")
					b.ReportMetric(host*1e6, "host-µs")
					b.ReportMetric(server*1e6, "server-µs")
					b.ReportMetric(least/(host+server), "of-crypto-cpu")
				}
				count, _, err := w.Collected()
				must(b, err)
				if count != uint64(n) {
					b.Fatalf("%d reports were counted", count)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(rate, "reports/s")
				b.ReportMetric(alone, "crypto/s")
				b.ReportMetric(rate/alone, "of-crypto")
			})
		}
	}
}

// TestMemoryIsFlat: what a host holds in memory while it works does not grow
// from job to job, beyond the roster that it holds anyway.
func TestMemoryIsFlat(t *testing.T) { // not parallel: the heap is the process's
	sizes := []int{4 * dap.MaxJobReports, 16 * dap.MaxJobReports}
	if os.Getenv("MUSTER_LONG") == "1" {
		sizes = []int{10_000, 200_000}
	}
	var grown []float64
	for _, n := range sizes {
		w := newWorld(t, n)
		fill(t, w.World, n, aggregatetest.Blocks(), w.Databases)
		must(t, w.StartUp())
		w.Now.Store(deadline)
		_, err := w.Leader.Freeze(t.Context())
		must(t, err)
		watch := &watched{Peer: w.Helper, every: max(1, n/dap.MaxJobReports/16)}
		w.Peer = watch
		must(t, w.Leader.Aggregate(t.Context()))
		grown = append(grown, float64(watch.most-watch.first)/(1<<20))
		t.Logf("%d reports: %.1f MB are held in the first job, at most %.1f MB more later", n, float64(watch.first)/(1<<20), grown[len(grown)-1])
		w.Stop()
	}
	if more := grown[1] - grown[0]; more > 8 {
		t.Errorf("with %d times as many reports the jobs hold %.1f MB more", sizes[1]/sizes[0], more)
	}
}

// watched looks at the heap in the middle of jobs.
type watched struct {
	aggregate.Peer
	every, calls int
	first, most  uint64 // bytes that are in use
}

func (p *watched) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	response, err := p.Peer.AggregationJob(ctx, task, body)
	if p.calls++; p.calls%p.every == 1%p.every {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if p.first == 0 {
			p.first = m.HeapAlloc
		}
		p.most = max(p.most, m.HeapAlloc)
	}
	return response, err
}
