package cascade_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/cascade"
)

var engines = []cascade.Engine{cascade.Auto, cascade.Event, cascade.Grid, cascade.Static}

// harbour returns a graph of some size with everything in it, and missions.
func harbour(t testing.TB) (*cascade.Graph, cascade.Scenario) {
	shape := small{services: 60, requirements: 150, unit: 60, spread: true, acyclic: true}
	services, requirements, hits := shape.random(rand.New(rand.NewPCG(13, 17)))
	for i := range int32(4) { // a cyclic core, whose buffers outlast its lags
		services[i].Restart = 0
		requirements = append(requirements, cascade.Requirement{
			Service: i, Name: "core", Need: 1, Suppliers: []int32{(i + 1) % 4}, Binding: 40000, Buffer: 120,
		})
	}
	for i := range hits {
		hits[i] /= 10
	}
	for i := range 3 {
		services[i].Mission = true
	}
	return mustGraph(t, services, requirements), cascade.Scenario{Hits: hits}
}

// TestSameHash: threads change nothing; a seed, a probability or a buffer does.
func TestSameHash(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			g, s := harbour(t)
			o := cascade.Options{Trials: 12 * cascade.Lanes, Seed: 4, Engine: engine, Threads: 1, Top: 3}
			one := run(t, g, s, o)
			if one.Hash == "" || !one.Complete || len(one.Top) != 3 {
				t.Fatalf("hash %q, complete %v, %d dependencies", one.Hash, one.Complete, len(one.Top))
			}
			for _, threads := range []int{2, 4} {
				o.Threads = threads
				if diff := cmp.Diff(one, run(t, g, s, o)); diff != "" {
					t.Errorf("%d threads (-one +several):\n%s", threads, diff)
				}
			}
			o.Seed++
			if run(t, g, s, o).Hash == one.Hash {
				t.Error("another seed has the same hash")
			}
			o.Seed--
			changed := append([]cascade.Probability(nil), s.Hits...)
			changed[7]++
			if got := run(t, g, cascade.Scenario{Hits: changed}, o); got.Hash == one.Hash || got.Scenario == one.Scenario {
				t.Error("another hit probability has the same hash")
			}
			services := append([]cascade.Service(nil), g.Services()...)
			services[5].Restart += 60
			if got := run(t, mustGraph(t, services, g.Requirements()), s, o); got.Graph == one.Graph || got.Hash == one.Hash {
				t.Error("another restart lag has the same hash")
			}
		})
	}
}

// TestGolden: these hashes are the same on every processor; GOARCH=386 and arm64
// run this test too.
func TestGolden(t *testing.T) {
	t.Parallel()
	want := map[cascade.Engine]string{
		cascade.Event:  "08525901857034ff2d2cdcfa2231e15d82df351cafd175556b3f91f1ac68ec9e",
		cascade.Grid:   "a1e753494402538fcd7baf9d3ab84e7609a286282f864e957ba18ba93aedb063",
		cascade.Static: "a313e7ff1a6c3c532025d5cedc908a6958627e72269e57b807d4bad3e7e86c1d",
	}
	g, s := harbour(t)
	for engine, hash := range want {
		got := run(t, g, s, cascade.Options{Trials: 4 * cascade.Lanes, Seed: 2026, Engine: engine, Top: 3}).Hash
		if got != hash {
			t.Errorf("%s: result hash %s, want %s", engine, got, hash)
		}
	}
}

// TestPilot: where much falls the grid is cheaper, elsewhere the event engine.
func TestPilot(t *testing.T) {
	t.Parallel()
	o := cascade.Options{Trials: 1}
	calm, s := layered(t, 600, 10, 8, 0.05, 0.01, true)
	if got := cascade.Pilot(calm, s, o); got != cascade.Event {
		t.Errorf("the pilot chose %s where little falls", got)
	}
	storm, s := layered(t, 600, 10, 8, 0.5, 0.5, true)
	if got := cascade.Pilot(storm, s, o); got != cascade.Grid {
		t.Errorf("the pilot chose %s where much falls", got)
	}
}

// TestMonotone: under common random numbers what makes a graph weaker takes
// nothing away from what is down, in any trial at any moment.
func TestMonotone(t *testing.T) {
	t.Parallel()
	const horizon = 300
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		shape := small{services: 2 + r.IntN(7), requirements: 1 + r.IntN(12), unit: 3, spread: true}
		services, requirements, hits := shape.random(r)
		if len(requirements) == 0 {
			return
		}
		g, err := cascade.NewGraph(services, requirements)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := cascade.DownByEvent(g, cascade.Scenario{Hits: hits}, horizon, 30, seed, 0)
		services = append([]cascade.Service(nil), services...)
		requirements = append([]cascade.Requirement(nil), requirements...)
		hits = append([]cascade.Probability(nil), hits...)
		v, q := r.IntN(len(services)), r.IntN(len(requirements))
		switch rapid.IntRange(0, 5).Draw(t, "change") {
		case 0:
			hits[v] += cascade.Probability(r.IntN(int(cascade.Always-hits[v]) + 1))
		case 1:
			requirements[q].Binding += cascade.Probability(r.IntN(int(cascade.Always-requirements[q].Binding) + 1))
		case 2:
			requirements[q].Buffer = cascade.Minutes(r.IntN(int(requirements[q].Buffer) + 1))
		case 3:
			services[v].Restart += 7
		case 4:
			services[v].Repair.Median *= 2
		case 5:
			requirements[q].Need = int32(len(requirements[q].Suppliers))
		}
		g, err = cascade.NewGraph(services, requirements)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := cascade.DownByEvent(g, cascade.Scenario{Hits: hits}, horizon, 30, seed, 0)
		for lane := range before {
			for i := range services {
				for _, s := range before[lane][i] {
					if !within(s, after[lane][i]) {
						t.Fatalf("lane %d, service %d: down %v before, only %v after", lane, i, before[lane][i], after[lane][i])
					}
				}
			}
		}
	})
}

func within(s cascade.Span, spans []cascade.Span) bool {
	for _, o := range spans {
		if o.From <= s.From && s.To <= o.To {
			return true
		}
	}
	return false
}

func TestDegenerate(t *testing.T) {
	t.Parallel()
	ring := func(n int) []cascade.Requirement {
		var r []cascade.Requirement
		for i := range n {
			r = append(r, cascade.Requirement{Service: int32(i), Name: "a", Need: 1, Suppliers: []int32{int32((i + 1) % n)}, Binding: cascade.Always})
		}
		return r
	}
	var everyone []int32
	for i := range int32(50) {
		everyone = append(everyone, i)
	}
	one := cascade.Scenario{Hits: make([]cascade.Probability, 100)}
	one.Hits[40] = cascade.Always
	rows := []struct {
		name         string
		services     int
		requirements []cascade.Requirement
		scenario     cascade.Scenario
		lost         float64
	}{
		{"one service, hit", 1, nil, hitAll(1, cascade.Always), 1},
		{"one service, not exposed", 1, nil, hitAll(1, 0), 0},
		{"no requirement", 100, nil, one, 0.01},
		{"all in one cycle", 100, ring(100), one, 1},
		{"everyone needs everyone", 50, complete(50, 49), hitOne(50, 7), 1},
		{"everyone needs anyone", 50, complete(50, 1), hitOne(50, 7), 0.02},
		{"nobody is hit where all is one cycle", 50, complete(50, 49), hitAll(50, 0), 0},
		{"all are hit where all is one cycle", 50, complete(50, 1), hitAll(50, cascade.Always), 1},
		{"needs all of fifty", 100, []cascade.Requirement{{Service: 60, Name: "a", Need: 50, Suppliers: everyone, Binding: cascade.Always}}, one, 0.02},
		{"needs one of fifty", 100, []cascade.Requirement{{Service: 60, Name: "a", Need: 1, Suppliers: everyone, Binding: cascade.Always}}, one, 0.01},
		{"never binds", 100, []cascade.Requirement{{Service: 60, Name: "a", Need: 50, Suppliers: everyone}}, one, 0.01},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			g := mustGraph(t, plain(row.services), row.requirements)
			for _, engine := range engines {
				got := run(t, g, row.scenario, cascade.Options{Trials: 1, Engine: engine})
				if diff := got.Worst.Mean - row.lost; diff > 1e-12 || diff < -1e-12 {
					t.Errorf("%s: %v lost, want %v", got.Engine, got.Worst.Mean, row.lost)
				}
			}
		})
	}
}

// complete is every service requiring so many of all others.
func complete(n int, need int32) (all []cascade.Requirement) {
	for i := range int32(n) {
		q := cascade.Requirement{Service: i, Name: "others", Need: need, Binding: cascade.Always}
		for u := range int32(n) {
			if u != i {
				q.Suppliers = append(q.Suppliers, u)
			}
		}
		all = append(all, q)
	}
	return all
}

func hitOne(n, which int) cascade.Scenario {
	s := cascade.Scenario{Hits: make([]cascade.Probability, n)}
	s.Hits[which] = cascade.Always
	return s
}

// TestCycleThatCannotRestart: services that wait for each other with a restart lag
// stay down, to the horizon, and the engines come to an end.
func TestCycleThatCannotRestart(t *testing.T) {
	t.Parallel()
	services := plain(2)
	services[0].Restart, services[1].Restart = 10, 10
	g := mustGraph(t, services, []cascade.Requirement{
		{Service: 0, Name: "a", Need: 1, Suppliers: []int32{1}, Binding: cascade.Always},
		{Service: 1, Name: "a", Need: 1, Suppliers: []int32{0}, Binding: cascade.Always},
	})
	s := cascade.Scenario{Hits: []cascade.Probability{cascade.Always, 0}}
	for _, engine := range []cascade.Engine{cascade.Event, cascade.Grid} {
		if got := run(t, g, s, cascade.Options{Trials: 1, Engine: engine, Horizon: 3000, Samples: 300}); got.Restored.Never != 1 {
			t.Errorf("%s: a share of %v is never restored, want 1", engine, got.Restored.Never)
		}
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	g, s := harbour(t)
	for _, engine := range engines {
		ctx, cancel := context.WithCancel(t.Context())
		o := cascade.Options{Trials: 1 << 20, Engine: engine, Threads: 2}
		o.Progress = func(done, planned int) {
			if done >= 2*cascade.Lanes {
				cancel()
			}
		}
		got, err := cascade.Run(ctx, g, s, o)
		if err != nil {
			t.Fatal(err)
		}
		if got.Complete || got.Hash != "" || got.Trials < 2*cascade.Lanes || got.Trials >= got.Planned || got.Worst.Mean == 0 {
			t.Errorf("%s: complete %v, hash %q, %d of %d trials, %v lost", engine, got.Complete, got.Hash, got.Trials, got.Planned, got.Worst.Mean)
		}
		if _, err := cascade.Run(ctx, g, s, o); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: stopped before the first block: %v", engine, err)
		}
	}
}

// TestNothingIsAllocatedForATrial runs blocks after a first few, which find out how
// much room they need.
func TestNothingIsAllocatedForATrial(t *testing.T) {
	g, s := harbour(t)
	waiting, hit := pairs(t, 20)
	for _, row := range []struct {
		name   string
		engine cascade.Engine
		graph  *cascade.Graph
		s      cascade.Scenario
	}{
		{"event", cascade.Event, g, s},
		{"grid", cascade.Grid, g, s},
		{"static", cascade.Static, g, s},
		{"in the order of time", cascade.Event, waiting, hit},
	} {
		block := cascade.Blocks(row.graph, row.s, cascade.Options{Trials: 1, Engine: row.engine})
		for b := range uint64(20) {
			block(b)
		}
		b := uint64(0)
		if n := testing.AllocsPerRun(20, func() { block(b); b++ }); n > 0 {
			t.Errorf("%s: %v allocations for a block of %d trials", row.name, n, cascade.Lanes)
		}
	}
}
