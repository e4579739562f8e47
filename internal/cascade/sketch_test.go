package cascade_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"muster/internal/cascade"
)

// anyOf returns a random graph in which every requirement fails with any of its
// suppliers, so that sketches are exact.
func anyOf(r *rand.Rand) ([]cascade.Service, []cascade.Requirement, []cascade.Probability) {
	shape := small{services: 3 + r.IntN(12), requirements: r.IntN(30), unit: 60}
	services, requirements, hits := shape.random(r)
	for i := range requirements {
		requirements[i].Need = int32(len(requirements[i].Suppliers))
	}
	return services, requirements, hits
}

// TestSketchesAgainstForward: on such graphs the loss by sketches is that of the
// static engine, z-score by z-score.
func TestSketchesAgainstForward(t *testing.T) {
	t.Parallel()
	graphs := long(120, 5)
	squares, most := 0.0, 0.0
	for i := range graphs {
		services, requirements, hits := anyOf(rand.New(rand.NewPCG(7, uint64(i))))
		g := mustGraph(t, services, requirements)
		c := cascade.Case{Graph: g, Scenario: cascade.Scenario{Hits: hits}}
		forward := run(t, g, c.Scenario, cascade.Options{Trials: 1 << 15, Seed: uint64(i), Engine: cascade.Static}).Worst
		s, err := cascade.NewSketches(c, 1<<15, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		loss, half := s.Loss()
		error2 := (half*half + forward.Error*forward.Error) / (1.96 * 1.96)
		// What is hit for certain is taken for a hair less.
		difference := math.Abs(loss - forward.Mean)
		if error2 < 1e-10 {
			if difference > 1e-4 {
				t.Errorf("graph %d: %v by sketches, %v forward, both next to certain", i, loss, forward.Mean)
			}
			continue
		}
		z := max(0, difference-1.0/(1<<17)) / math.Sqrt(error2)
		squares += z * z
		most = max(most, math.Abs(z))
	}
	mean := squares / float64(graphs)
	t.Logf("%d graphs: mean square of z-scores %.2f, the largest %.2f", graphs, mean, most)
	if mean > 1.5 || mean < 0.5 || most > 4.5 {
		t.Errorf("mean square of z-scores %.2f, the largest %.2f", mean, most)
	}
}

// TestBirnbaum: the derivatives are those that a small change of each hit shows, and
// on a path they have a closed form.
func TestBirnbaum(t *testing.T) {
	t.Parallel()
	const h, p = 3000, 50000
	services := plain(3)
	requirements := []cascade.Requirement{
		{Service: 1, Name: "a", Need: 1, Suppliers: []int32{0}, Binding: p},
		{Service: 2, Name: "a", Need: 1, Suppliers: []int32{1}, Binding: p},
	}
	c := cascade.Case{Graph: mustGraph(t, services, requirements), Scenario: hitAll(3, h)}
	s, err := cascade.NewSketches(c, 1<<18, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := s.Birnbaum()
	hit, binds := cascade.Probability(h).Float(), cascade.Probability(p).Float()
	up := 1 - hit
	want := []float64{
		(1 + up*binds + up*up*binds*binds) / 3,
		(1 - hit*binds + up*binds*(1-hit*binds)) / 3,
		0,
	}
	f1 := hit + up*binds*hit
	want[2] = (1 - binds*f1) / 3
	for i := range want {
		if math.Abs(b[i]-want[i]) > 0.004 {
			t.Errorf("service %d: %v, want %v", i, b[i], want[i])
		}
	}
	// One step down in each hit: the gain is the derivative times the step, since the
	// loss is linear in each.
	e := s.Evaluator()
	for i := range want {
		const after = h / 2
		gain := e.Gain([]cascade.Hit{{Service: int32(i), Chance: after}})
		if step := (hit - cascade.Probability(after).Float()) * b[i]; math.Abs(gain-step) > 1e-9 {
			t.Errorf("service %d: gain %v, derivative times step %v", i, gain, step)
		}
	}
}

// TestGain: what a change of many hits is worth by sketches is what two forward runs
// with common random numbers find.
func TestGain(t *testing.T) {
	t.Parallel()
	graphs, squares := long(60, 5), 0.0
	for i := range graphs {
		r := rand.New(rand.NewPCG(8, uint64(i)))
		services, requirements, hits := anyOf(r)
		for v := range hits {
			hits[v] = min(hits[v], cascade.Always*9/10)
		}
		g := mustGraph(t, services, requirements)
		s, err := cascade.NewSketches(cascade.Case{Graph: g, Scenario: cascade.Scenario{Hits: hits}}, 1<<15, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		var changes []cascade.Hit
		after := append([]cascade.Probability(nil), hits...)
		for v := range hits {
			if r.IntN(2) == 0 {
				after[v] /= 3
				changes = append(changes, cascade.Hit{Service: int32(v), Chance: after[v]})
			}
		}
		gain := s.Evaluator().Gain(changes)
		o := cascade.Options{Trials: 1 << 15, Seed: uint64(i), Engine: cascade.Static}
		before, less := run(t, g, cascade.Scenario{Hits: hits}, o).Worst, run(t, g, cascade.Scenario{Hits: after}, o).Worst
		// The runs' own errors bound that of their difference.
		if half := before.Error + less.Error + 0.004; math.Abs(gain-(before.Mean-less.Mean)) > 2*half {
			t.Errorf("graph %d: gain %v, forward %v ± %v", i, gain, before.Mean-less.Mean, half)
		}
		squares += gain
	}
	if squares == 0 {
		t.Error("no change was worth anything")
	}
}

// TestSketchesOfManySuppliers: where requirements need some of several, the ranking
// by sketches puts the service first whose hits matter most in forward runs.
func TestSketchesOfManySuppliers(t *testing.T) {
	t.Parallel()
	services := plain(6)
	services[5].Weight = 100
	requirements := []cascade.Requirement{
		{Service: 5, Name: "two of three", Need: 2, Suppliers: []int32{0, 1, 2}, Binding: cascade.Always},
		{Service: 5, Name: "one of two", Need: 1, Suppliers: []int32{3, 4}, Binding: cascade.Always},
	}
	c := cascade.Case{Graph: mustGraph(t, services, requirements), Scenario: hitAll(6, cascade.Always/5)}
	c.Scenario.Hits[3] = cascade.Always / 2
	s, err := cascade.NewSketches(c, 1<<16, 1)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Birnbaum()
	const h = 0.2
	f := 1 - (1-3*h*h*(1-h)-h*h*h)*(1-0.5*h)*(1-h) // exact, by the formula for two of three
	others := (1 - 0.5*h) * (1 - h)
	first := 2 * h * (1 - h) * others
	for i, want := range []float64{first, first, first, h * (1 - 3*h*h*(1-h) - h*h*h) * (1 - h), 0.5 * (1 - 3*h*h*(1-h) - h*h*h) * (1 - h)} {
		if relative := (got[i]*105 - 1*1) / 100 / want; relative < 0.7 || relative > 1.4 {
			t.Errorf("service %d: %.3f of the service that requires it, exactly %.3f (it falls in %.3f)", i, (got[i]*105-1)/100, want, f)
		}
	}
	if !(got[4] > got[0] && got[0] > got[3]) {
		t.Errorf("ranked %v", got)
	}
}

// BenchmarkSketches prints sketches and candidate evaluations a second at 10,000
// services and 94,000 dependencies.
func BenchmarkSketches(b *testing.B) {
	g, s := layered(b, 10_000, 20, 9.45, 0.10, 0.02, false)
	c := cascade.Case{Graph: g, Scenario: s}
	const n = 100_000
	b.Run("draw", func(b *testing.B) {
		begin := processorTime()
		for i := range b.N {
			if _, err := cascade.NewSketches(c, n, uint64(i)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(n*float64(b.N)/(processorTime()-begin).Seconds(), "sketches/cpu-s")
	})
	r := rand.New(rand.NewPCG(1, 1))
	var candidates [][]cascade.Hit
	for range 500 { // a thirty-second of all services each, as a measure of one member
		var hits []cascade.Hit
		for v := r.IntN(32); v < 10_000; v += 32 {
			hits = append(hits, cascade.Hit{Service: int32(v), Chance: s.Hits[v] * 4 / 5})
		}
		candidates = append(candidates, hits)
	}
	for _, n := range []int{20_000, n} {
		sketches, err := cascade.NewSketches(c, n, 1)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("candidates/sketches=%d", n), func(b *testing.B) {
			e := sketches.Evaluator()
			begin := processorTime()
			b.ResetTimer()
			for i := range b.N {
				e.Gain(candidates[i%len(candidates)])
			}
			b.ReportMetric(float64(b.N)/(processorTime()-begin).Seconds(), "candidates/cpu-s")
		})
		b.Run(fmt.Sprintf("birnbaum/sketches=%d", n), func(b *testing.B) {
			for range b.N {
				sketches.Birnbaum()
			}
		})
	}
}
