package cascade_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

// laws are as those that muster brings.
func laws() cascade.Laws {
	return cascade.Laws{
		{Median: 1, Low: 0.4, High: 2.5},
		{Median: 8, Low: 3, High: 20},
		{Median: 1, Low: 0.6, High: 1.5},
		{Median: 2.8, Low: 1.5, High: 5},
		{Median: 1, Low: 0.5, High: 2},
		{Median: 1, Low: 0.5, High: 2},
		{Median: 1, Low: 0.5, High: 1.5},
		{Median: 1, Low: 0.5, High: 2},
		{Median: 0.5, Low: 0, High: 1, Uniform: true},
	}
}

// TestHypercube: a Latin hypercube of a lognormal law has its quantiles, and one
// value in every part.
func TestHypercube(t *testing.T) {
	t.Parallel()
	l := laws()
	draws := cascade.Hypercube(&l, 1000, 3)
	for p, law := range l {
		var values []float64
		for _, d := range draws {
			values = append(values, d[p])
		}
		slices.Sort(values)
		low, high := values[50], values[949]
		if law.Uniform {
			low, high = values[0], values[999]
		}
		for _, q := range [][2]float64{{low, law.Low}, {values[499], law.Median}, {high, law.High}} {
			if math.Abs(q[0]-q[1]) > 0.02*law.High {
				t.Errorf("%s: quantile %v, want %v", cascade.Parameter(p), q[0], q[1])
			}
		}
	}
}

// TestCertainty: where every law is a point the band is that of the trials alone, the
// tornado does not move, and the likeliest case is the case itself.
func TestCertainty(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	var point cascade.Laws
	for p := range point {
		point[p] = cascade.Law{Median: 1, Low: 1, High: 1}
	}
	point[cascade.UnknownLevel] = cascade.Law{Median: 0.5, Low: 0.5, High: 0.5, Uniform: true}
	o := cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s}}
	c, err := o.Likeliest(point)
	if err != nil {
		t.Fatal(err)
	}
	for v := range s.Hits {
		if d := int(c.Scenario.Hits[v]) - int(s.Hits[v]); d < -1 || d > 1 {
			t.Errorf("service %d is hit with %d, not %d", v, c.Scenario.Hits[v], s.Hits[v])
		}
	}
	if diff := cmp.Diff(g.Services(), c.Graph.Services()); diff != "" {
		t.Errorf("services (-before +after):\n%s", diff)
	}
	u, err := cascade.Uncertainty(t.Context(), o, point, cascade.UncertainOptions{Draws: 20, Options: cascade.Options{Seed: 1, Threads: 2}})
	if err != nil {
		t.Fatal(err)
	}
	mean := run(t, g, s, cascade.Options{Trials: 20 * cascade.Lanes, Seed: 1}).Worst
	if u.Worst.P10 > mean.Mean || u.Worst.P90 < mean.Mean || u.Worst.P90-u.Worst.P10 > 10*mean.Error {
		t.Errorf("band %+v around %v ± %v", u.Worst, mean.Mean, mean.Error)
	}
	for _, swing := range u.Tornado {
		if swing.At10 != swing.At90 {
			t.Errorf("%+v moves", swing)
		}
	}
}

// TestUncertainty: threads change nothing, likelier hits lose more, better levels
// lose less, and what matters most is stable.
func TestUncertainty(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	o := cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s}, Owner: make([]int32, len(g.Services()))}
	for v := range o.Owner {
		o.Owner[v] = int32(v % 5)
	}
	options := cascade.UncertainOptions{Draws: 20, Options: cascade.Options{Seed: 1, Threads: 1, Top: 3}}
	last, all := 0, 0
	options.Progress = func(done, planned int) { last, all = done, planned }
	one, err := cascade.Uncertainty(t.Context(), o, laws(), options)
	if err != nil {
		t.Fatal(err)
	}
	options.Progress = nil
	// The draws, two for each parameter, and as many draws again for the order.
	if want := 20 + 2*cascade.Parameters + 20; last != want || all != want {
		t.Errorf("%d of %d steps, want %d", last, all, want)
	}
	if one.Hash == "" || !(one.Worst.P10 < one.Worst.Median && one.Worst.Median < one.Worst.P90) || len(one.Stability) != 3 || one.Stability[0].First < 0.5 {
		t.Errorf("%+v", one)
	}
	for _, swing := range one.Tornado {
		more := swing.At90 - swing.At10
		switch swing.Parameter {
		case "base-odds", "repair-time", "binding-odds":
			if more <= 0 {
				t.Errorf("%+v", swing)
			}
		case "buffer-length":
			if more >= 0 {
				t.Errorf("%+v", swing)
			}
		}
	}
	for _, threads := range []int{2, 4} {
		options.Threads = threads
		several, err := cascade.Uncertainty(t.Context(), o, laws(), options)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, several); diff != "" {
			t.Errorf("%d threads (-one +several):\n%s", threads, diff)
		}
	}
	for range 5 {
		o.Levels = append(o.Levels, cascade.Level{Resistance: 1, Recovery: 1})
	}
	best, err := cascade.Uncertainty(t.Context(), o, laws(), options)
	if err != nil {
		t.Fatal(err)
	}
	if best.Worst.Median >= one.Worst.Median || best.Hash == one.Hash {
		t.Errorf("with the best levels %v are lost, else %v", best.Worst.Median, one.Worst.Median)
	}
}

// TestCertainDraws: in how many draws it is certain who is among the first is said: all
// of a few services, and not all of more than are tried.
func TestCertainDraws(t *testing.T) {
	t.Parallel()
	few, fewHit := harbour(t)
	many, manyHit := layered(t, 300, 6, 5, 0.2, 0.01, true)
	for _, row := range []struct {
		name  string
		graph *cascade.Graph
		hit   cascade.Scenario
		top   int
		want  func(certain, draws int) bool
	}{
		{"few", few, fewHit, 5, func(certain, draws int) bool { return draws == 10 && certain == draws }},
		{"many", many, manyHit, 5, func(certain, draws int) bool { return draws == 10 && certain < draws }},
		{"not asked for", few, fewHit, 0, func(certain, draws int) bool { return draws == 0 && certain == 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := cascade.Uncertainty(t.Context(), cascade.Outlook{Case: cascade.Case{Graph: row.graph, Scenario: row.hit}}, laws(),
				cascade.UncertainOptions{Draws: 10, Options: cascade.Options{Seed: 1, Threads: 2, Top: row.top}})
			if err != nil {
				t.Fatal(err)
			}
			if !row.want(got.StableCertain, got.StableDraws) {
				t.Errorf("certain in %d of %d draws", got.StableCertain, got.StableDraws)
			}
		})
	}
}

func TestLawsAreChecked(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	for name, l := range map[string]cascade.Law{
		"not a number": {Median: math.NaN(), Low: 1, High: 1}, "order": {Median: 1, Low: 2, High: 3}, "nothing": {}, "infinite": {Median: 1, Low: 1, High: math.Inf(1)},
	} {
		bad := laws()
		bad[cascade.RepairTime] = l
		if _, err := (cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s}}).Likeliest(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// BenchmarkUncertainty is 200 draws of 512 trials at alliance size, with the tornado.
func BenchmarkUncertainty(b *testing.B) {
	g, s := layered(b, 2_000, 20, 7.5, 0.10, 0.02, true)
	begin := processorTime()
	for b.Loop() {
		_, err := cascade.Uncertainty(b.Context(), cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s}}, laws(), cascade.UncertainOptions{Options: cascade.Options{Seed: 1, Threads: 2}})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((processorTime()-begin).Seconds()/float64(b.N), "cpu-s/op")
}

// TestMemoryIsFlat: thirty times as many trials allocate no more.
func TestMemoryIsFlat(t *testing.T) {
	g, s := harbour(t)
	allocations := func(blocks int) float64 {
		return testing.AllocsPerRun(3, func() { run(t, g, s, cascade.Options{Trials: blocks * cascade.Lanes, Seed: 1, Engine: cascade.Event}) })
	}
	if few, many := allocations(4), allocations(120); many > few+40 {
		t.Errorf("%v allocations for 4 blocks, %v for 120", few, many)
	}
}

// TestUncertaintyStopped: one that is ended says what it knows of the draws that were
// done, the same as those have in a whole one, and claims no more.
func TestUncertaintyStopped(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	o := cascade.Outlook{Case: cascade.Case{Graph: g, Scenario: s}}
	look := func(after int) (*cascade.Uncertain, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		options := cascade.UncertainOptions{Options: cascade.Options{Threads: 1, Seed: 3, Top: 5}, Draws: 60}
		options.Progress = func(done, _ int) {
			if done == after {
				cancel()
			}
		}
		return cascade.Uncertainty(ctx, o, laws(), options)
	}
	whole, err := look(0)
	if err != nil {
		t.Fatal(err)
	}
	if !whole.Complete || whole.Hash == "" || whole.Draws != 60 || whole.Planned != 60 || len(whole.Tornado) != cascade.Parameters || whole.StableDraws != 40 {
		t.Fatalf("a whole one: %+v", whole)
	}
	if _, err := look(9); !errors.Is(err, context.Canceled) {
		t.Errorf("nine draws say %v", err)
	}
	for _, row := range []struct{ after, draws, tornado, stable int }{
		{10, 10, 0, 0},
		{59, 59, 0, 0},
		{60, 60, 0, 0},
		{64, 60, 2, 0}, // two of nine parameters
		{60 + 2*cascade.Parameters + 9, 60, cascade.Parameters, 0},       // too few to say
		{60 + 2*cascade.Parameters + 12, 60, cascade.Parameters, 12},     // twelve of forty
		{60 + 2*cascade.Parameters + 40 - 1, 60, cascade.Parameters, 39}, // all but one
	} {
		got, err := look(row.after)
		if err != nil {
			t.Fatal(err)
		}
		if got.Complete || got.Hash != "" || got.Draws != row.draws || got.Planned != 60 || len(got.Tornado) != row.tornado || got.StableDraws != row.stable || (len(got.Stability) > 0) != (row.stable > 0) {
			t.Errorf("after %d: complete %v, hash %q, %d draws, %d parameters, %d for the order of %d", row.after, got.Complete, got.Hash, got.Draws, len(got.Tornado), got.StableDraws, len(got.Stability))
		}
		if row.draws == 60 && (got.Worst != whole.Worst || got.Lost != whole.Lost) {
			t.Errorf("after %d: %+v of all draws, and %+v", row.after, got.Worst, whole.Worst)
		}
		if row.stable > 0 && got.Stability[0].Draws != row.stable {
			t.Errorf("after %d: the order is of %d draws", row.after, got.Stability[0].Draws)
		}
		for _, x := range got.Tornado {
			if !slices.Contains(whole.Tornado, x) {
				t.Errorf("after %d: %+v", row.after, x)
			}
		}
		if got.Worst.P10 <= 0 || got.Worst.P90 < got.Worst.Median {
			t.Errorf("after %d: %+v", row.after, got.Worst)
		}
	}
}
