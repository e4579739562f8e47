package cascade_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster/internal/cascade"
)

// layered returns a graph without cycles in layers, each service requiring some
// of the three layers before it, one group a supplier; binding probabilities are
// uniform with the mean given. Every service can be hit.
func layered(t testing.TB, services, layers int, degree, binding, hit float64, timed bool) (*cascade.Graph, cascade.Scenario) {
	r := rand.New(rand.NewPCG(1, 2))
	per := services / layers
	var (
		all          = make([]cascade.Service, services)
		requirements = make([]cascade.Requirement, 0, int(float64(services)*degree))
		suppliers    = make([]int32, 0, int(float64(services)*(degree+1)))
		s            cascade.Scenario
	)
	h, err := cascade.Chance(hit)
	if err != nil {
		t.Fatal(err)
	}
	for v := range all {
		all[v] = cascade.Service{
			ID: fmt.Sprint(v), Weight: uint32(1 + r.IntN(5)), Severity: cascade.Always,
			Repair: cascade.Repair{Median: cascade.Minutes(1440 * (1 + r.IntN(7))), Spread: 1 << 15},
		}
		if timed {
			all[v].Restart = cascade.Minutes(60 * r.IntN(13))
		}
		s.Hits = append(s.Hits, h)
		layer := v / per
		if layer == 0 {
			continue
		}
		first := max(0, layer-3) * per
		n := int(degree*float64(layers)/float64(layers-1) + r.Float64())
		for i := 0; i < n; i++ {
			q := cascade.Requirement{
				Service: int32(v), Name: fmt.Sprint(i), Need: 1,
				Binding: cascade.Probability(r.Float64() * 2 * binding * float64(cascade.Always)),
			}
			size := 1
			if timed {
				q.Buffer = cascade.Minutes(60 * []int{0, 4, 12, 24, 48}[r.IntN(5)])
				if i%5 == 4 && i+2 < n { // one in five needs one of three
					size = 3
					i += 2
				}
			}
			from := len(suppliers)
			for len(suppliers) < from+size {
				u := int32(first + r.IntN(layer*per-first))
				if !contains(suppliers[from:], u) {
					suppliers = append(suppliers, u)
				}
			}
			q.Suppliers = suppliers[from:len(suppliers):len(suppliers)]
			requirements = append(requirements, q)
		}
	}
	return mustGraph(t, all, requirements), s
}

func contains(list []int32, x int32) bool {
	for _, y := range list {
		if y == x {
			return true
		}
	}
	return false
}

// BenchmarkRun prints trials per second, by the clock and by processor time, and
// beside them the limit measured in the same run; see [bitsLimit].
func BenchmarkRun(b *testing.B) {
	rows := []struct {
		name    string
		engine  cascade.Engine
		n       int
		layers  int
		degree  float64
		binding float64
		hit     float64
		trials  int
	}{
		{"static-10k", cascade.Static, 10_000, 20, 9.45, 0.10, 0.02, 8 * cascade.Lanes},
		{"static-10k,p=0.3", cascade.Static, 10_000, 20, 9.45, 0.30, 0.02, 8 * cascade.Lanes},
		{"static-10k,p=0.03", cascade.Static, 10_000, 20, 9.45, 0.03, 0.02, 8 * cascade.Lanes},
		{"static-1M", cascade.Static, 1_000_000, 50, 10, 0.10, 0.002, cascade.Lanes},
		{"event-2k", cascade.Event, 2_000, 20, 7.5, 0.10, 0.02, 32 * cascade.Lanes},
		{"grid-2k", cascade.Grid, 2_000, 20, 7.5, 0.10, 0.02, 4 * cascade.Lanes},
		{"event-2k,p=0.3", cascade.Event, 2_000, 20, 7.5, 0.30, 0.02, 16 * cascade.Lanes},
		{"grid-2k,p=0.3", cascade.Grid, 2_000, 20, 7.5, 0.30, 0.02, 4 * cascade.Lanes},
		{"event-10k", cascade.Event, 10_000, 20, 9.45, 0.10, 0.02, 2 * cascade.Lanes},
		{"grid-10k", cascade.Grid, 10_000, 20, 9.45, 0.10, 0.02, cascade.Lanes},
	}
	for _, row := range rows {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", row.name, threads), func(b *testing.B) {
				g, s := layered(b, row.n, row.layers, row.degree, row.binding, row.hit, row.engine != cascade.Static)
				b.ReportAllocs()
				b.ResetTimer()
				processor := processorTime()
				var result *cascade.Result
				for i := range b.N {
					var err error
					result, err = cascade.Run(b.Context(), g, s, cascade.Options{Trials: row.trials * threads, Seed: uint64(i), Engine: row.engine, Threads: threads})
					if err != nil {
						b.Fatal(err)
					}
				}
				trials := float64(b.N) * float64(row.trials*threads)
				b.ReportMetric(trials/b.Elapsed().Seconds(), "trials/s")
				b.ReportMetric(trials/(processorTime()-processor).Seconds(), "trials/cpu-s")
				b.ReportMetric(bitsLimit(g.Dependencies(), threads), "limit-trials/cpu-s")
				b.ReportMetric(float64(g.Dependencies()), "dependencies")
				b.ReportMetric(100*result.Worst.Mean, "%lost")
			})
		}
	}
}

// bitsLimit is how many trials a processor second allows if it does nothing but
// draw log2(64)+1.3 words for 64 lanes of every dependency. An engine that asks
// only for lanes in which something fell may come near it, or pass it.
func bitsLimit(dependencies, threads int) float64 {
	const words = 1 << 24
	begin, state := processorTime(), uint64(threads)
	var a, c, d, e uint64
	for range words / 4 {
		a ^= cascade.Mix(state)
		c ^= cascade.Mix(state + 1)
		d ^= cascade.Mix(state + 2)
		e ^= cascade.Mix(state + 3)
		state += 4 * 0x1234567
	}
	second := (processorTime() - begin).Seconds()
	if a^c^d^e == 0 {
		return 0 // so that nothing is optimised away
	}
	return words / second / (7.3 * float64(dependencies)) * 64
}
