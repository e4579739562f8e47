package cascade_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/cascade"
)

// randomMeasures returns n measures of every kind.
func randomMeasures(r *rand.Rand, g *cascade.Graph, n int) []cascade.Measure {
	services, requirements := len(g.Services()), len(g.Requirements())
	some := func(n int) (list []int32) {
		for range 1 + r.IntN(3) {
			list = append(list, int32(r.IntN(n)))
		}
		return list
	}
	var measures []cascade.Measure
	for i := range n {
		a := cascade.Action{}
		kind := r.IntN(5)
		if requirements == 0 {
			kind = r.IntN(3)
		}
		switch kind {
		case 0:
			a.Services, a.Ratio = some(services), 1+9*r.Float64()
		case 1:
			a.Services, a.Repair = some(services), 0.2+0.8*r.Float64()
		case 2:
			a.Services, a.Severity = some(services), cascade.Probability(1+r.IntN(1<<16))
		case 3:
			a.Requirements, a.Buffer = some(requirements), cascade.Minutes(r.IntN(300))
		case 4:
			a.Requirements, a.Substitutes = some(requirements), some(services)
		}
		measures = append(measures, cascade.Measure{ID: string(rune('a' + i)), Cost: uint32(1 + r.IntN(4)), Actions: []cascade.Action{a}})
	}
	return measures
}

// TestMeasuresNeverHarm: in no trial is anything down, with a measure, that was not
// down without it; and no measure leaves anything of the case that it was applied to
// changed.
func TestMeasuresNeverHarm(t *testing.T) {
	t.Parallel()
	const horizon = 300
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 2))
		shape := small{services: 2 + r.IntN(7), requirements: r.IntN(12), unit: 3, spread: true}
		services, requirements, hits := shape.random(r)
		g, err := cascade.NewGraph(services, requirements)
		if err != nil {
			t.Fatal(err)
		}
		c := cascade.Case{Graph: g, Scenario: cascade.Scenario{Hits: hits}}
		if r.IntN(2) == 0 {
			c.Scenario.Repair = make([]cascade.Repair, len(services))
			c.Scenario.Repair[0] = cascade.Repair{Median: 50, Spread: 1 << 14}
		}
		before, worst := cascade.DownByEvent(g, c.Scenario, horizon, 30, seed, 0)
		better, err := c.Apply(randomMeasures(r, g, 1+r.IntN(3))...)
		if err != nil {
			t.Fatal(err)
		}
		after, less := cascade.DownByEvent(better.Graph, better.Scenario, horizon, 30, seed, 0)
		for lane := range after {
			if less[lane] > worst[lane] {
				t.Fatalf("lane %d: %d lost, without the measures %d", lane, less[lane], worst[lane])
			}
			for v := range services {
				for _, s := range after[lane][v] {
					if !within(s, before[lane][v]) {
						t.Fatalf("lane %d, service %d: down %v with measures, only %v without", lane, v, s, before[lane][v])
					}
				}
			}
		}
		again, _ := cascade.DownByEvent(g, c.Scenario, horizon, 30, seed, 0)
		if diff := cmp.Diff(before, again); diff != "" {
			t.Fatalf("the case has changed:\n%s", diff)
		}
	})
}

// TestOdds: dividing the odds of a hit by four takes a chance of one half to one in
// five.
func TestOdds(t *testing.T) {
	t.Parallel()
	g := mustGraph(t, plain(3), nil)
	c := cascade.Case{Graph: g, Scenario: cascade.Scenario{Hits: []cascade.Probability{cascade.Always / 2, 0, cascade.Always}}}
	got, err := c.Apply(cascade.Measure{Actions: []cascade.Action{{Services: []int32{0, 1, 2}, Ratio: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []cascade.Probability{13107, 0, cascade.Always}
	if diff := cmp.Diff(want, got.Scenario.Hits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMeasuresAreChecked(t *testing.T) {
	t.Parallel()
	g := mustGraph(t, plain(3), []cascade.Requirement{{Service: 0, Name: "a", Need: 1, Suppliers: []int32{1}, Binding: cascade.Always}})
	c := cascade.Case{Graph: g, Scenario: hitAll(3, 100)}
	rows := []struct {
		name   string
		action cascade.Action
		want   string
	}{
		{"no such service", cascade.Action{Services: []int32{3}, Ratio: 2}, "a service that is not there"},
		{"no such requirement", cascade.Action{Requirements: []int32{-1}}, "a requirement that is not there"},
		{"no such substitute", cascade.Action{Requirements: []int32{0}, Substitutes: []int32{9}}, "a service that is not there"},
		{"odds", cascade.Action{Ratio: math.NaN()}, "odds divided by NaN"},
		{"repair", cascade.Action{Repair: 1.5}, "repair that takes 1.5 of its time"},
		{"severity", cascade.Action{Severity: cascade.Always + 1}, "a severity of"},
		{"buffer", cascade.Action{Buffer: -1}, "a buffer of -1 minutes"},
	}
	for _, row := range rows {
		_, err := c.Apply(cascade.Measure{ID: "m", Actions: []cascade.Action{row.action}})
		if err == nil || !strings.HasPrefix(err.Error(), `measure "m": `+row.want) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}

// TestCompare: what changes agrees with two runs, its interval is much narrower than
// theirs, and threads change nothing.
func TestCompare(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	for _, engine := range []cascade.Engine{cascade.Event, cascade.Grid} {
		before := cascade.Case{Graph: g, Scenario: s}
		after, err := before.Apply(cascade.Measure{Actions: []cascade.Action{{Services: []int32{5, 6}, Ratio: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		o := cascade.Options{Trials: 16 * cascade.Lanes, Seed: 3, Engine: engine, Threads: 1}
		one, err := cascade.Compare(t.Context(), before, after, o)
		if err != nil {
			t.Fatal(err)
		}
		a, b := run(t, g, s, o), run(t, after.Graph, after.Scenario, o)
		if math.Abs(one.Worst.Before-a.Worst.Mean) > 1e-12 || math.Abs(one.Worst.After-b.Worst.Mean) > 1e-12 {
			t.Errorf("%s: %v before and %v after; runs say %v and %v", engine, one.Worst.Before, one.Worst.After, a.Worst.Mean, b.Worst.Mean)
		}
		for i, m := range one.Missions {
			if math.Abs(m.Hours.Before-a.Missions[i].Mean) > 1e-9 || m.Fails[1] != b.Missions[i].Fails {
				t.Errorf("%s: mission %+v; runs say %v hours and %v", engine, m, a.Missions[i].Mean, b.Missions[i].Fails)
			}
		}
		if one.Worst.Change >= 0 || one.Worst.More > 0 || one.Worst.Error > a.Worst.Error/2 || one.Lost.Change >= 0 {
			t.Errorf("%s: %+v, interval of one run %v", engine, one.Worst, a.Worst.Error)
		}
		for _, threads := range []int{2, 4} {
			o.Threads = threads
			several, err := cascade.Compare(t.Context(), before, after, o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(one, several); diff != "" || one.Hash == "" {
				t.Errorf("%s, %d threads (-one +several):\n%s", engine, threads, diff)
			}
		}
	}
	other := mustGraph(t, plain(60), nil)
	if _, err := cascade.Compare(t.Context(), cascade.Case{Graph: g, Scenario: s}, cascade.Case{Graph: other, Scenario: hitAll(60, 1)}, cascade.Options{Trials: 1}); err == nil {
		t.Error("cases of different services were compared")
	}
	if _, err := cascade.Compare(t.Context(), cascade.Case{Graph: g, Scenario: s}, cascade.Case{Graph: g, Scenario: s}, cascade.Options{Trials: 1, Engine: cascade.Static}); err == nil {
		t.Error("the static engine compared times")
	}
}

// TestIntervalOfDifferences: a 95 per cent interval holds the difference that many
// more trials find in about that many runs.
func TestIntervalOfDifferences(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	before := cascade.Case{Graph: g, Scenario: s}
	after, err := before.Apply(cascade.Measure{Actions: []cascade.Action{{Services: []int32{0, 1, 2, 3, 4, 5, 6, 7}, Ratio: 3}}})
	if err != nil {
		t.Fatal(err)
	}
	compare := func(trials int, seed uint64) cascade.Difference {
		c, err := cascade.Compare(t.Context(), before, after, cascade.Options{Trials: trials, Seed: seed, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		return c.Worst
	}
	exact := compare(long(256, 4)*cascade.Lanes, 1).Change
	const runs = 200
	held := 0
	for i := range uint64(runs) {
		if d := compare(cascade.Lanes, 100+i); math.Abs(d.Change-exact) <= d.Error {
			held++
		}
	}
	if held < runs*89/100 || held == runs {
		t.Errorf("%d of %d intervals hold the difference", held, runs)
	}
}
