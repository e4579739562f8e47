package cascade_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/internal/cascade"
)

// TestTopIsTheTop: the services that are named are those that spare most of all that
// somebody requires, each run without in full, with the same random bits. A choice by
// how much others lose beside them names others.
func TestTopIsTheTop(t *testing.T) {
	t.Parallel()
	type row struct {
		name   string
		graph  *cascade.Graph
		shock  cascade.Scenario
		engine cascade.Engine
	}
	var rows []row
	mixed, s := harbour(t)
	for _, engine := range engines {
		rows = append(rows, row{"mixed, " + string(engine), mixed, s, engine})
	}
	for i, p := range []float64{0.05, 0.2} {
		g, s := layered(t, 300, 6, 5, p, 0.01, true)
		rows = append(rows, row{fmt.Sprintf("layers %d", i), g, s, cascade.Auto})
		g, s = layered(t, 300, 6, 5, p, 0.01, false)
		rows = append(rows, row{fmt.Sprintf("layers %d, static", i), g, s, cascade.Static})
	}
	for i := range uint64(2) {
		shape := small{services: 25 + 10*int(i), requirements: 60, unit: 60, spread: true}
		services, requirements, hits := shape.random(rand.New(rand.NewPCG(i, 29)))
		rows = append(rows, row{fmt.Sprintf("cycles %d", i), mustGraph(t, services, requirements), cascade.Scenario{Hits: hits}, cascade.Event})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			topIsTheTop(t, row.graph, row.shock, row.engine)
		})
	}
}

// topIsTheTop runs a scenario, and compares what it names with a run without each.
func topIsTheTop(t *testing.T, g *cascade.Graph, s cascade.Scenario, engine cascade.Engine) {
	t.Helper()
	const top = 5
	o := cascade.Options{Trials: long(1, 8) * cascade.Lanes, Seed: 7, Engine: engine, Top: top, Threads: 2}
	got := run(t, g, s, o)
	all := cascade.SparedByAll(g, s, o)
	var best []float64
	for _, x := range all {
		best = append(best, x)
	}
	slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
	if len(got.Top) < min(top, len(best)) && best[len(got.Top)] > 0 {
		t.Fatalf("%d named, and the next spares %v", len(got.Top), best[len(got.Top)])
	}
	for i, d := range got.Top {
		if math.Abs(d.Spared-best[i]) > 1e-12 || math.Abs(d.Spared-all[d.ID]) > 1e-12 {
			t.Errorf("place %d: %s spares %v (%v by a run without it), the best there %v", i+1, d.ID, d.Spared, all[d.ID], best[i])
		}
	}
	t.Logf("%d of %d tried, certain: %v", got.Tried, len(all), got.Certain)
	if !got.Certain && got.Tried < 64 {
		t.Error("it ended too early")
	}
}

// TestImportanceOfHits: what a hit does has a closed form where two services stand in a
// row, and one beside them.
func TestImportanceOfHits(t *testing.T) {
	t.Parallel()
	const first, beside = cascade.Always / 4, cascade.Always / 2
	services := plain(4)
	for i := range services {
		services[i].Weight = uint32(i + 1)
	}
	requirements := []cascade.Requirement{
		{Service: 1, Name: "a", Need: 1, Suppliers: []int32{0}, Binding: cascade.Always},
		{Service: 3, Name: "a", Need: 1, Suppliers: []int32{2}, Binding: cascade.Always / 2},
	}
	g := mustGraph(t, services, requirements)
	s := cascade.Scenario{Hits: []cascade.Probability{first, 0, beside, 0}}
	const all = 1 + 2 + 3 + 4
	rowOf0, rowOf2 := (1.0+2)/all, (3+4.0/2)/all
	lost := rowOf0/4 + rowOf2/2
	want := map[string][2]float64{ // Birnbaum, criticality
		services[0].ID: {rowOf0, rowOf0 / 4 / lost},
		services[2].ID: {rowOf2, rowOf2 / 2 / lost},
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			outside, n := 0, 0
			for seed := range uint64(30) {
				got := run(t, g, s, cascade.Options{Trials: 4 * cascade.Lanes, Engine: engine, Seed: seed, Top: 5})
				if len(got.Top) != len(want) {
					t.Fatalf("%d are named", len(got.Top))
				}
				for _, d := range got.Top {
					name := d.ID
					for i, x := range [][2]float64{{d.Birnbaum, d.BirnbaumError}, {d.Criticality, d.CriticalityError}} {
						n++
						if off := math.Abs(x[0] - want[name][i]); off > x[1]+1e-9 {
							outside++
							if off > 3*x[1] {
								t.Errorf("seed %d, %s, %d: %v ± %v, want %v", seed, name, i, x[0], x[1], want[name][i])
							}
						}
					}
				}
			}
			// The first row's Birnbaum importance has no error at all; of the others one
			// in twenty lies outside of its interval.
			if outside > n/8 {
				t.Errorf("%d of %d lie outside of their intervals", outside, n)
			}
		})
	}
}

// TestSearchThatEnded: nothing is certain of a search that was ended.
func TestSearchThatEnded(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	o := cascade.Options{Trials: cascade.Lanes, Seed: 7, Top: 5, Threads: 2}
	if !cascade.SearchCertain(t.Context(), g, s, o) {
		t.Error("a whole search of a few services is not certain")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if cascade.SearchCertain(ended, g, s, o) {
		t.Error("a search that was ended is certain")
	}
}
