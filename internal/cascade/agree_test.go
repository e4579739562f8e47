package cascade_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

// long is how much more a test does with MUSTER_LONG=1.
func long(n, more int) int {
	if os.Getenv("MUSTER_LONG") != "" {
		return n * more
	}
	return n
}

func mustGraph(t testing.TB, services []cascade.Service, requirements []cascade.Requirement) *cascade.Graph {
	t.Helper()
	g, err := cascade.NewGraph(services, requirements)
	if err != nil {
		t.Fatalf("NewGraph: %v", err)
	}
	return g
}

// TestEnginesFollowTheModel compares every interval of every service in every
// trial of random graphs with the model written minute by minute.
func TestEnginesFollowTheModel(t *testing.T) {
	t.Parallel()
	const horizon, samples = 240, 24
	intervals, several, differing := 0, 0, 0
	repair := cascade.RepairTimes()
	for i := range long(150, 20) {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		shape := small{services: 2 + r.IntN(8), requirements: r.IntN(14), unit: 1, spread: true}
		exact := i%2 == 0 // the grid is exact where all times are multiples of a slice
		if exact {
			shape.unit, shape.spread = horizon/samples, false
		}
		services, requirements, hits := shape.random(r)
		g := mustGraph(t, services, requirements)
		s := cascade.Scenario{Hits: hits}
		seed, block := r.Uint64(), r.Uint64N(1000)
		byEvent, eventWorst := cascade.DownByEvent(g, s, horizon, samples, seed, block)
		byGrid, gridWorst := cascade.DownByGrid(g, s, horizon, samples, seed, block)
		inTime, timeWorst := cascade.DownInTime(g, s, horizon, samples, seed, block)
		byStatic, _ := cascade.DownByStatic(g, s, seed, block)
		for lane := i % 8; lane < cascade.Lanes; lane += 8 {
			d := draw(services, requirements, hits, seed, block, lane, repair)
			down := simulate(services, requirements, d, horizon)
			for v := range services {
				want := spans(down[v])
				intervals += len(want)
				if len(want) > 1 {
					several++
				}
				if diff := cmp.Diff(want, byEvent[lane][v]); diff != "" {
					t.Fatalf("graph %d, lane %d, service %d: event engine (-model +engine):\n%s", i, lane, v, diff)
				}
				if diff := cmp.Diff(want, inTime[lane][v]); diff != "" {
					t.Fatalf("graph %d, lane %d, service %d: in the order of time (-model +engine):\n%s", i, lane, v, diff)
				}
				if diff := cmp.Diff(want, byGrid[lane][v]); diff != "" && exact {
					t.Fatalf("graph %d, lane %d, service %d: grid (-model +engine):\n%s", i, lane, v, diff)
				} else if diff != "" {
					differing++
				}
			}
			if want := worst(services, down); eventWorst[lane] != want || timeWorst[lane] != want || exact && gridWorst[lane] != want {
				t.Fatalf("graph %d, lane %d: worst loss %d by event, %d by grid; want %d", i, lane, eventWorst[lane], gridWorst[lane], want)
			}
			if diff := cmp.Diff(fallen(services, requirements, d), byStatic[lane]); diff != "" {
				t.Fatalf("graph %d, lane %d: static engine (-model +engine):\n%s", i, lane, diff)
			}
		}
	}
	// The comparison means something only if much fell, in several intervals too,
	// and if rounding to slices shows.
	if intervals < 10_000 || several < 200 || differing == 0 {
		t.Errorf("compared %d intervals, %d services with several, %d differing by rounding; the graphs are too tame", intervals, several, differing)
	}
	t.Logf("%d intervals, %d services with several, %d intervals apart by rounding to slices", intervals, several, differing)
}
