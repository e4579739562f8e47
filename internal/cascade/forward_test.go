package cascade_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

// lagging is a graph in which every service waits for some of the others, with
// restart lags that outlast the buffers.
func lagging(services int, unit cascade.Minutes, seed uint64) (*cascade.Graph, cascade.Scenario, error) {
	r := rand.New(rand.NewPCG(31, seed))
	var (
		list []cascade.Service
		need []cascade.Requirement
		s    cascade.Scenario
	)
	for i := range services {
		list = append(list, cascade.Service{
			ID: fmt.Sprint(i), Weight: 1, Severity: cascade.Always,
			Repair: cascade.Repair{Median: unit * cascade.Minutes(4+r.IntN(8))}, Restart: unit * cascade.Minutes(1+r.IntN(2)),
		})
		s.Hits = append(s.Hits, cascade.Always/cascade.Probability(2*services))
		for g := range 2 {
			q := cascade.Requirement{
				Service: int32(i), Name: fmt.Sprint(g), Need: 1, Suppliers: []int32{int32((i + 1 + g*r.IntN(services-2)) % services)},
				Binding: cascade.Always * 9 / 10, Buffer: unit * cascade.Minutes(r.IntN(3)),
			}
			if g == 0 {
				q.Binding = cascade.Always // so that it goes around
			}
			if u := int32((i + 2) % services); g == 1 && u != q.Suppliers[0] {
				q.Suppliers = append(q.Suppliers, u)
			}
			need = append(need, q)
		}
	}
	g, err := cascade.NewGraph(list, need)
	return g, s, err
}

// TestLaggingCycles: a cycle in which everything waits for everything else, with
// lags of a minute, takes as few visits as any other, and both timed engines find
// the same.
func TestLaggingCycles(t *testing.T) {
	t.Parallel()
	for i := range uint64(long(8, 4)) {
		const horizon, samples = 960, 96
		g, s, err := lagging(3+int(i)*2, horizon/samples, i)
		if err != nil {
			t.Fatal(err)
		}
		byEvent, eventWorst := cascade.DownByEvent(g, s, horizon, samples, i, 0)
		byGrid, gridWorst := cascade.DownByGrid(g, s, horizon, samples, i, 0)
		if diff := cmp.Diff(byEvent, byGrid); diff != "" {
			t.Fatalf("graph %d (-event +grid):\n%s", i, diff)
		}
		if eventWorst != gridWorst {
			t.Fatalf("graph %d: the worst losses differ", i)
		}
	}
	const services = 200
	g, s := pairs(t, services)
	o := cascade.Options{Trials: 1, Seed: 3}
	bounded, endless := cascade.Visits(g, s, o, false), cascade.Visits(g, s, o, true)
	if most := uint64(18 * services); bounded > most || endless < 20*most {
		t.Errorf("%d visits, at most %d wanted; %d without an end, at least %d wanted", bounded, most, endless, 20*most)
	}
}

// pairs are services of which two and two wait for each other, with a lag of a
// minute: an outage grows by two minutes a round.
func pairs(t testing.TB, services int) (*cascade.Graph, cascade.Scenario) {
	var (
		list []cascade.Service
		need []cascade.Requirement
		s    cascade.Scenario
	)
	for i := range services {
		list = append(list, cascade.Service{
			ID: fmt.Sprint(i), Weight: 1, Severity: cascade.Always, Repair: cascade.Repair{Median: 600, Spread: 1 << 15}, Restart: 1,
		})
		need = append(need, cascade.Requirement{Service: int32(i), Name: "other", Need: 1, Suppliers: []int32{int32(i ^ 1)}, Binding: cascade.Always})
		s.Hits = append(s.Hits, cascade.Always/10)
	}
	return mustGraph(t, list, need), s
}

func BenchmarkLaggingCycle(b *testing.B) {
	for _, services := range []int{20, 200} {
		g, s := pairs(b, services)
		for _, endless := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/endless=%v", services, endless), func(b *testing.B) {
				begin := processorTime()
				for i := range b.N {
					cascade.Visits(g, s, cascade.Options{Trials: 1, Seed: uint64(i)}, endless)
				}
				b.ReportMetric(64*float64(b.N)/(processorTime()-begin).Seconds(), "trials/cpu-s")
			})
		}
	}
}
