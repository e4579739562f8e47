package aggregate_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
)

// pace is what something took, in seconds.
type pace struct {
	wall, own, server float64 // by the clock; processor time of this process, and of PostgreSQL
}

// timed times work on so many reports, by the report; postmaster is the process of
// the server that it uses, or zero.
func timed(reports, postmaster int, work func()) pace {
	runtime.GC() // what was left by others is not paid here
	own, server := processorTime(postmaster)
	began := time.Now()
	work()
	wall := time.Since(began).Seconds()
	ownAfter, serverAfter := processorTime(postmaster)
	n := float64(reports)
	return pace{wall: wall / n, own: (ownAfter - own) / n, server: (serverAfter - server) / n}
}

// round is one batch through both hosts, and the cryptography of its reports (of
// a large one, the first of them) alone, once before it and once after. All of it
// is by the report.
type round struct {
	hosts, alone pace
	memory       float64 // MB that the process takes more while the hosts work, at most
}

// ofCrypto is the pipeline's rate as a part of that of the cryptography alone.
func (r round) ofCrypto() float64 { return r.alone.wall / r.hosts.wall }

// ofProcessors is the same, of processor time: steadier where others use the
// machine, too, and without what is lost by waiting.
func (r round) ofProcessors() float64 { return r.alone.own / (r.hosts.own + r.hosts.server) }

func newRound(b testing.TB, w *aggregatetest.World, n int, databases [2]hostdb.Config, sample []dap.Report) round {
	b.Helper()
	postmaster := 0
	if !databases[0].DSN.IsZero() {
		postmaster = pgtest.Process(b)
	}
	w.Databases, w.Log = databases, aggregatetest.NewLog()
	must(b, w.StartUp())
	defer w.Stop()
	w.Now.Store(deadline)
	_, err := w.Leader.Freeze(b.Context())
	must(b, err)
	before := timed(len(sample), 0, func() { crypto(b, w, sample) })
	var r round
	resident := residentMemory()
	most := watchResident(func() {
		r.hosts = timed(n, postmaster, func() { must(b, w.Leader.Aggregate(b.Context())) })
	})
	r.memory = float64(most-resident) / (1 << 20)
	after := timed(len(sample), 0, func() { crypto(b, w, sample) })
	r.alone = pace{wall: (before.wall + after.wall) / 2, own: (before.own + after.own) / 2}
	count, _, err := w.Collected()
	must(b, err)
	if count != uint64(n) {
		b.Fatalf("%d of %d reports were counted", count, n)
	}
	return r
}

// with sets how many processors the process uses while it does work.
func with(processors int, work func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
	work()
}

// median returns the middle of what of says of the rounds, the least and the most.
func median(rounds []round, of func(round) float64) (middle, least, most float64) {
	var all []float64
	for _, r := range rounds {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return (all[len(all)/2] + all[(len(all)-1)/2]) / 2, all[0], all[len(all)-1]
}

// fromEnvironment returns a positive number.
func fromEnvironment(b testing.TB, name string, otherwise int) int {
	b.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		b.Fatalf("%s is %q; want a number from 1", name, s)
	}
	return n
}

// maxSample is of how many reports the cryptography is measured alone.
const maxSample = 40 * dap.MaxJobReports

// batches are as many pairs of databases, each with the same n reports in it, and
// a sample of these.
func batches(b testing.TB, suite dap.Suite, engine string, n, pairs int) (*aggregatetest.World, [][2]hostdb.Config, []dap.Report) {
	b.Helper()
	w := aggregatetest.NewWith(b, n, aggregatetest.Options{
		Network: aggregatetest.InProcess(), Blocks: productBlocks(), Suite: suite,
	})
	w.Lease = &aggregate.Lease{Holder: "benchmark", TTL: time.Hour} // as a host that serves has one
	places := make([][2]hostdb.Config, pairs)
	var dsns []string
	for i := range places {
		for host, name := range []string{"leader", "helper"} {
			if engine == "PostgreSQL" {
				dsn := pgtest.DSN(b)
				places[i][host].DSN, dsns = store.NewDSN(dsn), append(dsns, dsn)
			} else {
				places[i][host].Path = fmt.Sprintf("%s/%s%d.db", b.TempDir(), name, i)
			}
		}
	}
	if engine == "PostgreSQL" {
		pgtest.Durable(b)
	}
	sample := fill(b, w, n, min(n, maxSample), productBlocks(), places...)
	for _, dsn := range dsns {
		pgtest.Settled(b, dsn)
	}
	return w, places, sample
}

// BenchmarkPipeline takes frozen batches through both hosts: read, decrypt,
// verify, add up, durable. Before and after each stands the same cryptography
// alone, for the same reports on the same processors; of its rate the pipeline
// is to reach 0.7. What is reported is the median of the rounds; of-crypto-least
// and -most are the range. PostgreSQL runs on the same processors as the hosts.
// MUSTER_REPORTS=5120 is the size of a batch, MUSTER_ROUNDS=5 how many there are.
func BenchmarkPipeline(b *testing.B) {
	n, rounds := fromEnvironment(b, "MUSTER_REPORTS", 20*dap.MaxJobReports), fromEnvironment(b, "MUSTER_ROUNDS", 5)
	for _, suite := range []dap.Suite{dap.SuiteX25519, dap.SuiteMLKEM768X25519} {
		for _, engine := range []string{"SQLite", "PostgreSQL"} {
			b.Run(fmt.Sprintf("%v/%s", suite, engine), func(b *testing.B) {
				w, places, sample := batches(b, suite, engine, n, rounds)
				var done []round
				for _, databases := range places {
					done = append(done, newRound(b, w, n, databases, sample))
				}
				report(b, done)
			})
		}
	}
}

// report reports medians, of times a report.
func report(b *testing.B, rounds []round) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	metric := func(unit string, of func(round) float64) {
		middle, _, _ := median(rounds, of)
		b.ReportMetric(middle, unit)
	}
	middle, least, most := median(rounds, round.ofCrypto)
	b.ReportMetric(middle, "of-crypto")
	b.ReportMetric(least, "of-crypto-least")
	b.ReportMetric(most, "of-crypto-most")
	metric("of-crypto-cpu", round.ofProcessors)
	metric("reports/s", func(r round) float64 { return 1 / r.hosts.wall })
	metric("crypto/s", func(r round) float64 { return 1 / r.alone.wall })
	metric("crypto-µs", func(r round) float64 { return r.alone.own * 1e6 })
	metric("host-µs", func(r round) float64 { return r.hosts.own * 1e6 })
	metric("server-µs", func(r round) float64 { return r.hosts.server * 1e6 })
	metric("MB-more", func(r round) float64 { return r.memory })
	metric("processors", func(r round) float64 { return (r.hosts.own + r.hosts.server) / r.hosts.wall })
}

// BenchmarkProcessors compares one processor and all of them, in turns: how much
// faster both hosts are with all, and how much the cryptography alone. With two
// that is at most 2. PostgreSQL may use all of them in both cases, so of it the
// gain is less.
func BenchmarkProcessors(b *testing.B) {
	n, rounds := fromEnvironment(b, "MUSTER_REPORTS", 20*dap.MaxJobReports), fromEnvironment(b, "MUSTER_ROUNDS", 5)
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		b.Run(engine, func(b *testing.B) {
			w, places, sample := batches(b, dap.SuiteX25519, engine, n, 2*rounds)
			var one, all []round
			for i := 0; i < len(places); i += 2 {
				with(1, func() { one = append(one, newRound(b, w, n, places[i], sample)) })
				with(runtime.NumCPU(), func() { all = append(all, newRound(b, w, n, places[i+1], sample)) })
			}
			gain := func(of func(round) float64) float64 {
				slow, _, _ := median(one, of)
				fast, _, _ := median(all, of)
				return slow / fast
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(gain(func(r round) float64 { return r.hosts.wall }), "x-hosts")
			b.ReportMetric(gain(func(r round) float64 { return r.alone.wall }), "x-crypto")
		})
	}
}

// The part of the rate of the cryptography alone that the pipeline is to reach, and
// what it does reach of the cheaper suite beside a PostgreSQL on the same
// processors, which misses it: docs/design/performance.md.
const (
	leastOfCrypto    = 0.7
	missedOnPostgres = 0.6
)

// TestPipelineKeepsPace: with MUSTER_LONG=1, the best of five rounds of each suite
// on each engine reaches its part of the cryptography's rate. What others do on the
// machine only takes away from it. Otherwise one job goes through, and is counted.
func TestPipelineKeepsPace(t *testing.T) { // not parallel: it is timed
	n, rounds := dap.MaxJobReports, 1
	long := os.Getenv("MUSTER_LONG") == "1"
	if long {
		n, rounds = 20*dap.MaxJobReports, 5
	}
	for _, suite := range []dap.Suite{dap.SuiteX25519, dap.SuiteMLKEM768X25519} {
		for _, engine := range []string{"SQLite", "PostgreSQL"} {
			t.Run(fmt.Sprintf("%v/%s", suite, engine), func(t *testing.T) {
				w, places, sample := batches(t, suite, engine, n, rounds)
				var done []round
				for _, databases := range places {
					done = append(done, newRound(t, w, n, databases, sample))
				}
				middle, least, best := median(done, round.ofCrypto)
				t.Logf("%d reports, %d rounds: %.3f of the cryptography alone, from %.3f to %.3f", n, rounds, middle, least, best)
				want := leastOfCrypto
				if suite == dap.SuiteX25519 && engine == "PostgreSQL" {
					want = missedOnPostgres
				}
				if long && best < want {
					t.Errorf("the best of %d rounds is %.3f of the cryptography alone, want %.1f", rounds, best, want)
				}
			})
		}
	}
}
