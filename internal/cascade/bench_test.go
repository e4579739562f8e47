package cascade_test

import (
	"fmt"
	"testing"

	"muster/internal/cascade"
)

// layered returns the graph of a benchmark.
func layered(t testing.TB, services, layers int, degree, binding, hit float64, timed bool) (*cascade.Graph, cascade.Scenario) {
	t.Helper()
	c, err := cascade.Benchmark{Services: services, Layers: layers, Degree: degree, Binding: binding, Hit: hit, Timed: timed}.Case()
	if err != nil {
		t.Fatal(err)
	}
	return c.Graph, c.Scenario
}

// BenchmarkRun prints trials per second, by the clock and by processor time, and
// beside them the limit measured in the same run; see [bitsLimit].
func BenchmarkRun(b *testing.B) {
	for _, row := range cascade.Benchmarks() {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/threads=%d", row.Name, threads), func(b *testing.B) {
				c, err := row.Case()
				if err != nil {
					b.Fatal(err)
				}
				g, s := c.Graph, c.Scenario
				b.ReportAllocs()
				b.ResetTimer()
				processor := processorTime()
				var result *cascade.Result
				for i := range b.N {
					var err error
					result, err = cascade.Run(b.Context(), g, s, cascade.Options{Trials: row.Trials * threads, Seed: uint64(i), Engine: row.Engine, Threads: threads})
					if err != nil {
						b.Fatal(err)
					}
				}
				trials := float64(b.N) * float64(row.Trials*threads)
				b.ReportMetric(trials/b.Elapsed().Seconds(), "trials/s")
				b.ReportMetric(trials/(processorTime()-processor).Seconds(), "trials/cpu-s")
				b.ReportMetric(bitsLimit(g), "limit-trials/cpu-s")
				b.ReportMetric(float64(g.Dependencies()), "dependencies")
				b.ReportMetric(100*result.Worst.Mean, "%lost")
			})
		}
	}
}

// bitsLimit is how many trials a processor second allows if it does nothing but
// draw log2(64)+1.3 words for 64 lanes of every dependency. An engine that asks
// only for lanes in which something fell may come near it, or pass it.
func bitsLimit(g *cascade.Graph) float64 {
	const words = 1 << 24
	begin := processorTime()
	if cascade.RandomWords(words) == 0 {
		return 0
	}
	return words / (processorTime() - begin).Seconds() / cascade.WordsOf(g)
}
