package rehearse_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/rehearse"
	"muster/internal/store"
)

func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

// atLeast is the least number of n members with which a cohort is opened.
func atLeast(n int) int { return (2*n + 2) / 3 }

// TestAggregateIsThePlainSum runs random coalitions through the whole cycle.
func TestAggregateIsThePlainSum(t *testing.T) {
	t.Parallel()
	small, core := smallPack(t), corePack(t)
	type row struct {
		pack    *framework.Pack
		members int
	}
	rows := []row{{small, 12}, {small, 13}, {small, 29}, {small, 64}, {small, 131}, {small, 200}, {core, 12}, {core, 33}, {core, 200}}
	if long() {
		random := mathrand.New(mathrand.NewPCG(uint64(time.Now().UnixNano()), 0))
		for range 100 {
			rows = append(rows, row{[]*framework.Pack{small, core}[random.IntN(2)], 12 + random.IntN(189)})
		}
	}
	suites := []dap.Suite{0, dap.SuiteX25519, dap.SuiteMLKEM768X25519}
	variants := []dap.Variant{0, dap.Variant18, dap.Variant19}
	for i, r := range rows {
		seed := uint64(i)
		if i >= 9 {
			seed = mathrand.Uint64()
		}
		t.Run(fmt.Sprintf("%d/%s/%d/%#x", i, r.pack.ID, r.members, seed), func(t *testing.T) {
			t.Parallel()
			random := mathrand.New(mathrand.NewPCG(seed, 1))
			members := randomCoalition(random, r.pack, r.members, atLeast(r.members))
			cfg := config(t, random, r.pack, members)
			cfg.Suite, cfg.Variant = suites[i%3], variants[i/3%3] // every pair in nine rows
			cfg.AtOnce = i % 5
			result, err := rehearse.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			check(t, cfg, members, result)
		})
	}
}

// TestThresholds runs coalitions at and around both thresholds.
func TestThresholds(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	for _, row := range []struct{ members, take, lateHosts int }{
		{2, 2, 0},
		{2, 1, 1},
		{3, 0, 2},
		{9, 9, 0},   // 7 besides the hosts
		{10, 10, 0}, // 8
		{10, 8, 2},
		{10, 7, 2},
		{11, 9, 1},
		{11, 8, 1},
		{15, 10, 0}, // two thirds
		{16, 10, 0},
		{16, 11, 0},
	} {
		t.Run(fmt.Sprintf("%d of %d, %d hosts late", row.take, row.members, row.lateHosts), func(t *testing.T) {
			t.Parallel()
			random := mathrand.New(mathrand.NewPCG(uint64(row.members), uint64(row.take)))
			members := randomCoalition(random, small, row.members, row.members)
			for i := row.take; i < row.members; i++ {
				members[i].now, members[i].declined = nil, false
			}
			cfg := config(t, random, small, members)
			for i := range cfg.Hosts {
				host := members[1-i]
				if i < row.lateHosts {
					host = members[len(members)-1-i]
				}
				cfg.Hosts[i] = coalition.MemberID(host.name)
			}
			result, err := rehearse.Run(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			check(t, cfg, members, result)
			if result.Refused != nil && errs.KindOf(result.Refused) != errs.Conflict {
				t.Errorf("refused with %v, a %v", result.Refused, errs.KindOf(result.Refused))
			}
			if len(result.Charter.Body) == 0 || len(result.Roster.Body) == 0 {
				t.Error("no charter or no roster")
			}
			opened := bytes.Contains(result.Ledger, []byte(`"kind":"aggregate share"`))
			if opened != (result.Aggregate != nil) {
				t.Errorf("the record says that shares were handed over: %v; aggregate: %v", opened, result.Aggregate != nil)
			}
		})
	}
}

var errCrash = errors.New("crash")

// TestCrash interrupts rehearsals just before or after transactions became
// durable, and at steps in between by stopping them, as often as it takes, and
// goes on each time with what is on disk.
func TestCrash(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	runs := 24
	if long() {
		runs = 400
	}
	for i := range runs {
		seed := uint64(i)
		if i >= 24 {
			seed = mathrand.Uint64()
		}
		t.Run(fmt.Sprintf("%#x", seed), func(t *testing.T) {
			t.Parallel()
			random := mathrand.New(mathrand.NewPCG(seed, 2))
			n := 8 + random.IntN(8)
			members := randomCoalition(random, small, n, atLeast(n))
			cfg := config(t, random, small, members)
			// The later the fault, the likelier one that leaves half a cycle behind.
			var countdown atomic.Int64
			countdown.Store(int64(random.IntN(12 * n)))
			point := []store.FaultPoint{store.BeforeCommit, store.AfterCommit}[random.IntN(2)]
			var at string
			cfg.Fault = func(name string, p store.FaultPoint) error {
				if p == point && countdown.Add(-1) == 0 {
					at = fmt.Sprintf("%s %s", p, name)
					return errCrash
				}
				return nil
			}
			r, err := rehearse.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			var result *rehearse.Result
			crashes := 0
			for {
				if result, err = r.Run(t.Context()); err == nil {
					break
				}
				if !errors.Is(err, errCrash) {
					t.Fatalf("after a crash %s: %v", at, err)
				}
				crashes++
				if random.IntN(2) == 0 {
					cutShort(t, cfg.Dir)
				}
				countdown.Store(1 + int64(random.IntN(4*n))) // and again
				if crashes > 6 {
					countdown.Store(0) // now let it end
				}
			}
			check(t, cfg, members, result)

			// What was collected once is the same for ever.
			countdown.Store(0)
			again, err := r.Run(t.Context())
			if err != nil {
				t.Fatalf("when all is done: %v", err)
			}
			check(t, cfg, members, again)
			if !bytes.Equal(result.Roster.Body, again.Roster.Body) {
				t.Error("another roster")
			}
			if !bytes.Equal(result.Ledger, again.Ledger) {
				t.Error("the record grew although nothing happened")
			}
			if result.Release != nil && !bytes.Equal(result.Release.Body, again.Release.Body) {
				t.Error("another release")
			}
		})
	}
}

// cutShort leaves in the record what a crash in the middle of a line does.
func cutShort(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "ledger.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"line":{"entry":{"da`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCrashAtEveryTransaction interrupts one rehearsal once, at each transaction
// in turn, before and after it.
func TestCrashAtEveryTransaction(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	random := mathrand.New(mathrand.NewPCG(1, 3))
	members := randomCoalition(random, small, 3, 3)
	var names []string
	cfg := config(t, random, small, members)
	cfg.Fault = func(name string, p store.FaultPoint) error {
		if p == store.AfterCommit {
			names = append(names, name)
		}
		return nil
	}
	if _, err := rehearse.Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if len(names) < 10 {
		t.Fatalf("only %d transactions: %v", len(names), names)
	}
	for i, name := range names {
		for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
			t.Run(fmt.Sprintf("%d %s %s", i, point, name), func(t *testing.T) {
				t.Parallel()
				cfg := cfg
				cfg.Dir = t.TempDir()
				var passed atomic.Int64
				cfg.Fault = func(_ string, p store.FaultPoint) error {
					if p == point && passed.Add(1) == int64(i+1) {
						return errCrash
					}
					return nil
				}
				r, err := rehearse.New(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := r.Run(t.Context()); !errors.Is(err, errCrash) {
					t.Fatalf("first run: %v, want the crash", err)
				}
				result, err := r.Run(t.Context())
				if err != nil {
					t.Fatalf("second run: %v", err)
				}
				check(t, cfg, members, result)
			})
		}
	}
}

// TestStop stops a rehearsal at each of its steps; it ends with the context's
// error and goes on when it is run again.
func TestStop(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	for _, step := range []string{"seal and deliver", "freeze the roster", "verify and add up", "collect"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			random := mathrand.New(mathrand.NewPCG(4, 4))
			members := randomCoalition(random, small, 12, 12)
			cfg := config(t, random, small, members)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			cfg.Progress = func(p rehearse.Progress) {
				if p.Step == step && p.Done == p.Total/2 {
					stop()
				}
			}
			r, err := rehearse.New(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Run(ctx); err == nil || ctx.Err() == nil {
				t.Fatalf("stopped at %q: %v", step, err)
			}
			result, err := r.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			check(t, cfg, members, result)
		})
	}
}

// TestProgress follows the steps: they come in order and each counts up.
func TestProgress(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	random := mathrand.New(mathrand.NewPCG(5, 5))
	members := randomCoalition(random, small, 10, 10)
	cfg := config(t, random, small, members)
	var steps []string
	var delivered []int
	cfg.Progress = func(p rehearse.Progress) {
		if p.Done < 0 || p.Done >= p.Total {
			t.Errorf("%+v", p)
		}
		if len(steps) == 0 || steps[len(steps)-1] != p.Step {
			steps = append(steps, p.Step)
		}
		if p.Step == "seal and deliver" {
			delivered = append(delivered, p.Done)
		}
	}
	if _, err := rehearse.Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if want := []string{"hold the key ceremony", "start both hosts", "seal and deliver", "freeze the roster", "verify and add up", "collect", "release", "wipe"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(delivered, want) {
		t.Errorf("delivered %v, want %v", delivered, want)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	small := smallPack(t)
	for name, row := range map[string]struct {
		change func(*rehearse.Config)
		want   string
	}{
		"a host that is no member": {func(c *rehearse.Config) { c.Hosts[1] = "nobody" }, `the host "nobody" is not a member of the cohort`},
		"one host twice":           {func(c *rehearse.Config) { c.Hosts[1] = c.Hosts[0] }, "cannot be both hosts"},
		"a member twice":           {func(c *rehearse.Config) { c.Members = append(c.Members, c.Members[0]) }, "twice"},
		"a member in two spellings": {func(c *rehearse.Config) {
			c.Members = append(c.Members, rehearse.Member{ID: coalition.MemberID(strings.ToUpper(string(c.Members[0].ID)))})
		}, "one member"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := mathrand.New(mathrand.NewPCG(6, 6))
			cfg := config(t, random, small, randomCoalition(random, small, 4, 4))
			row.change(&cfg)
			_, err := rehearse.New(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), row.want) || errs.KindOf(err) != errs.Invalid {
				t.Errorf("got %v of kind %v, want one that says %q", err, errs.KindOf(err), row.want)
			}
		})
	}
}

// BenchmarkRehearsal32 is a cycle of 32 members over the core pack, from the keys
// to the signed release. The goal is under 2 s.
func BenchmarkRehearsal32(b *testing.B) {
	core := corePack(b)
	synthetic, err := demo.Generate(demo.Config{Pack: core, Members: 32, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	cfg := rehearse.Config{
		Coalition: "a coalition", Cycle: "1", Marking: demo.Synthetic, Pack: core, Rand: rand.Reader, Now: time.Now,
		Hosts: [2]coalition.MemberID{coalition.MemberID(synthetic.Hosts[0]), coalition.MemberID(synthetic.Hosts[1])},
	}
	for _, m := range synthetic.Members {
		cfg.Members = append(cfg.Members, rehearse.Member{ID: coalition.MemberID(m.Name), Now: m.Now, Before: m.Before, Declined: m.State == demo.Declined})
	}
	for b.Loop() {
		cfg.Dir = b.TempDir()
		result, err := rehearse.Run(b.Context(), cfg)
		if err != nil || result.Release == nil {
			b.Fatal(err, result)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/rehearsal")
}
