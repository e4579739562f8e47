package cascade_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"muster/internal/cascade"
)

// exact is what enumeration says of a graph.
type exact struct {
	falls  []float64 // by service: the chance that it is down at some time
	worst  float64   // the mean share lost at the worst moment
	square float64   // the mean of its square
}

// enumerate goes through every combination of hits and binding requirements.
func enumerate(services []cascade.Service, requirements []cascade.Requirement, hits []cascade.Probability, trial func(draws) (down []bool, worst uint64)) exact {
	e := exact{falls: make([]float64, len(services))}
	total := 0.0
	for _, s := range services {
		total += float64(s.Weight) * float64(cascade.Always)
	}
	n, m := len(services), len(requirements)
	d := draws{hit: make([]bool, n), binds: make([]bool, m), repair: make([]cascade.Minutes, n)}
	for i, s := range services {
		d.repair[i] = s.Repair.Median
	}
	for state := range 1 << (n + m) {
		chance := 1.0
		set := func(is *bool, bit int, p cascade.Probability) {
			*is = state>>bit&1 == 1
			if *is {
				chance *= p.Float()
			} else {
				chance *= 1 - p.Float()
			}
		}
		for i := range services {
			set(&d.hit[i], i, hits[i])
		}
		for i := range requirements {
			set(&d.binds[i], n+i, requirements[i].Binding)
		}
		if chance == 0 {
			continue
		}
		down, worst := trial(d)
		for i, is := range down {
			if is {
				e.falls[i] += chance
			}
		}
		share := float64(worst) / total
		e.worst += chance * share
		e.square += chance * share * share
	}
	return e
}

// TestRunAgainstEnumeration compares runs with the exact values of hundreds of
// random graphs, with cycles, substitutes, buffers and lags.
func TestRunAgainstEnumeration(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]cascade.Engine{"static": cascade.Static, "event": cascade.Event, "grid": cascade.Grid} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const horizon, samples = 40, 40
			var z scores
			covered, graphs := 0, 0
			for i := range long(120, 10) {
				r := rand.New(rand.NewPCG(2, uint64(i)))
				shape := small{services: 2 + r.IntN(4), requirements: r.IntN(5), unit: 1}
				services, requirements, hits := shape.random(r)
				want := enumerate(services, requirements, hits, func(d draws) ([]bool, uint64) {
					if engine == cascade.Static {
						down, lost := fallen(services, requirements, d), uint64(0)
						for i, s := range services {
							if down[i] {
								lost += uint64(s.Weight) * uint64(s.Severity)
							}
						}
						return down, lost
					}
					minutes := simulate(services, requirements, d, horizon)
					down := make([]bool, len(services))
					for i := range down {
						for _, is := range minutes[i] {
							down[i] = down[i] || is
						}
					}
					return down, worst(services, minutes)
				})
				for i := range services {
					services[i].Mission = true
				}
				g := mustGraph(t, services, requirements)
				got, err := cascade.Run(t.Context(), g, cascade.Scenario{Hits: hits}, cascade.Options{Trials: 1 << 14, Seed: uint64(i), Engine: engine, Horizon: horizon, Samples: samples})
				if err != nil {
					t.Fatal(err)
				}
				n := float64(got.Trials)
				for v, m := range got.Missions {
					p := min(want.falls[v], 1)
					z.add(t, m.Fails-p, math.Sqrt(p*(1-p)), n)
				}
				deviation := math.Sqrt(max(0, want.square-want.worst*want.worst))
				z.add(t, got.Worst.Mean-want.worst, deviation, n)
				if deviation < 0.01 {
					continue // all or nothing, but for one trial in thousands
				}
				graphs++
				if math.Abs(got.Worst.Mean-want.worst) <= got.Worst.Error+1e-12 {
					covered++
				}
				if want.worst > got.Bound+1e-12 {
					t.Errorf("graph %d: the exact loss %v exceeds the input-output bound %v", i, want.worst, got.Bound)
				}
			}
			z.check(t)
			// 95 in a hundred intervals hold the exact value; five standard errors
			// of that share around it.
			share, n := float64(covered)/float64(graphs), float64(graphs)
			if slack := 5 * math.Sqrt(0.95*0.05/n); share < 0.95-slack {
				t.Errorf("%.1f %% of the intervals hold the exact loss", 100*share)
			}
			t.Logf("%d graphs, %.1f %% of the intervals hold the exact loss, %s", graphs, 100*share, z)
		})
	}
}

// scores collects how many standard errors estimates are off.
type scores struct {
	n       int
	squares float64
	most    float64
}

// add takes the difference of a mean of n values, and their standard deviation.
// Where that is nothing the difference must be, too; where it is what one trial in
// thousands leaves, nothing is normal and the difference is bounded.
func (z *scores) add(t *testing.T, difference, deviation, n float64) {
	t.Helper()
	if deviation < 1e-6 && math.Abs(difference) > 1e-9 {
		t.Errorf("off by %v where there is no chance", difference)
	}
	if deviation < 0.02 {
		if math.Abs(difference) > 0.002 {
			t.Errorf("off by %v where the standard deviation is %v", difference, deviation)
		}
		return
	}
	score := difference / (deviation / math.Sqrt(n))
	z.n++
	z.squares += score * score
	z.most = max(z.most, math.Abs(score))
}

// check fails where the squares are not those of standard normals: their mean is
// one, with a standard error of √(2/n), and none is beyond what one in a million
// would be. The scores of one graph depend on each other, which the five allows for.
func (z *scores) check(t *testing.T) {
	t.Helper()
	mean, slack := z.squares/float64(z.n), 5*math.Sqrt(2/float64(z.n))
	if z.n < 300 || math.Abs(mean-1) > slack || z.most > 5.5 {
		t.Errorf("z-scores: %s; want a mean square of 1 ± %.2f and none beyond 5.5", z, slack)
	}
}

func (z scores) String() string {
	return fmt.Sprintf("%d z-scores, mean square %.3f, largest %.2f", z.n, z.squares/float64(z.n), z.most)
}
