package cascade

import "context"

// Mix is the output function of the random bits.
var Mix = mix

// DownByEvent returns, for each lane of a block and each service of the graph, in
// which intervals the event engine has it down, and the trial's worst loss.
func DownByEvent(g *Graph, s Scenario, horizon Minutes, samples int, seed, block uint64) (down [Lanes][][]Span, worst [Lanes]uint64) {
	return downByEvent(g, s, horizon, samples, seed, block, false)
}

// DownInTime returns the same with every cycle computed in the order of time.
func DownInTime(g *Graph, s Scenario, horizon Minutes, samples int, seed, block uint64) (down [Lanes][][]Span, worst [Lanes]uint64) {
	return downByEvent(g, s, horizon, samples, seed, block, true)
}

func downByEvent(g *Graph, s Scenario, horizon Minutes, samples int, seed, block uint64, inTime bool) (down [Lanes][][]Span, worst [Lanes]uint64) {
	w := testWorker(g, s, Options{Trials: 1, Engine: Event, Horizon: horizon, Samples: samples, Seed: seed})
	for lane := range Lanes {
		if lane%64 == 0 {
			w.event.run(seed, block, lane/64)
			for _, c := range w.plan.cycles {
				if inTime {
					for v := c.first; v < c.end; v++ {
						w.event.nodes[v] = node{lanes: ^uint64(0)}
					}
					w.event.inTime(c)
				}
			}
			w.event.byLane()
		}
		peak, _ := w.eventPeak(lane % 64)
		worst[lane] = uint64(peak)
		down[lane] = make([][]Span, len(g.services))
		for _, f := range w.event.lane(lane % 64) {
			i := g.plan.service[f.rank]
			first, more := w.event.intervals(f)
			for _, s := range append([]span{first}, more...) {
				down[lane][i] = append(down[lane][i], Span{s.from, s.to})
			}
		}
	}
	return down, worst
}

// DownByGrid returns the same by the grid.
func DownByGrid(g *Graph, s Scenario, horizon Minutes, samples int, seed, block uint64) (down [Lanes][][]Span, worst [Lanes]uint64) {
	w := testWorker(g, s, Options{Trials: 1, Engine: Grid, Horizon: horizon, Samples: samples, Seed: seed})
	for lane := range Lanes {
		if lane%64 == 0 {
			w.grid.run(seed, block, lane/64)
			_, peaks := w.gridPeaks()
			copy(worst[lane:], peaks[:])
		}
		down[lane] = make([][]Span, len(g.services))
		for v, i := range g.plan.service {
			open := false
			for slice, word := range w.grid.at(uint32(v)) {
				at := Minutes(slice) * w.slice
				is := word>>(lane%64)&1 == 1
				spans := &down[lane][i]
				if is && !open {
					*spans = append(*spans, Span{From: at})
				}
				if is {
					(*spans)[len(*spans)-1].To = min(at+w.slice, horizon)
				}
				open = is
			}
		}
	}
	return down, worst
}

// DownByStatic returns, for each lane of a block and each service, whether the
// static engine has it down, and the loss.
func DownByStatic(g *Graph, s Scenario, seed, block uint64) (down [Lanes][]bool, worst [Lanes]uint64) {
	w := testWorker(g, s, Options{Trials: 1, Engine: Static, Seed: seed})
	w.static.run(seed, block)
	copy(worst[:], w.staticLost())
	for lane := range Lanes {
		down[lane] = make([]bool, len(g.services))
		for v, i := range g.plan.service {
			down[lane][i] = w.static.down[v][lane/64]>>(lane%64)&1 == 1
		}
	}
	return down, worst
}

func testWorker(g *Graph, s Scenario, o Options) *worker {
	r, err := newRunner(g, s, o)
	if err != nil {
		panic(err)
	}
	return r.worker()
}

// RepairTimes returns a function from 64 random bits to a repair time.
func RepairTimes() func(r Repair, random uint64) Minutes {
	tables := newRepairTables()
	return func(r Repair, random uint64) Minutes {
		law := newRepair(r)
		return tables.duration(&law, random)
	}
}

// RepairTables returns the tables that repair times are made of.
func RepairTables() (normal, exp2 []int64) {
	t := newRepairTables()
	return t.normal[:], t.exp2[:]
}

// Pilot returns the engine that the pilot chooses.
func Pilot(g *Graph, s Scenario, o Options) Engine { return testWorker(g, s, o).options.Engine }

// Blocks returns a function that runs a block of trials.
func Blocks(g *Graph, s Scenario, o Options) func(block uint64) {
	w := testWorker(g, s, o)
	return func(block uint64) { w.block(context.Background(), block) }
}

// Visits runs a word of trials and returns how often services in cycles were visited.
// With endless patience they are settled however long that takes.
func Visits(g *Graph, s Scenario, o Options, endless bool) uint64 {
	o.Engine = Event
	w := testWorker(g, s, o)
	if endless {
		w.event.patience = 1 << 20
	}
	w.event.run(o.Seed, 0, 0)
	return w.event.visits
}

// Search returns what Invest chooses, what it is worth on the trials that choose,
// and the worth of any other set.
func Search(ctx context.Context, c Case, measures []Measure, o InvestOptions) (chosen []int, value func(set []int) float64, err error) {
	s, err := newSearch(ctx, c, measures, o)
	if err != nil {
		return nil, nil, err
	}
	return s.choose(), s.value, nil
}

// Rank returns the order in which measures are tried.
var Rank = rank

// Hypercube returns draws of all parameters.
func Hypercube(l *Laws, n int, seed uint64) [][Parameters]float64 {
	return newRepairTables().hypercube(l, n, seed)
}

// SparedByAll returns what each service that somebody requires spares if it cannot
// fall, in the trials that confirm a run's dependencies: all of them, each trial run
// anew in full.
func SparedByAll(g *Graph, s Scenario, o Options) map[string]float64 {
	w := testWorker(g, s, o)
	spared := make(map[string]float64)
	blocks := min(w.blocks(), confirmBlocks)
	var before, after [Lanes]uint64
	for b := range uint64(blocks) {
		w.losses(b, everyLane(), &before, nil)
		for v, i := range w.plan.service {
			if w.plan.outFirst[v+1] == w.plan.outFirst[v] {
				continue
			}
			w.spare(uint32(v))
			w.losses(b, everyLane(), &after, nil)
			w.spare(nobody)
			sum := 0.0
			for i := range before {
				sum += float64(before[i] - after[i])
			}
			spared[g.services[i].ID] += sum / float64(blocks*Lanes) / float64(w.plan.total)
		}
	}
	return spared
}

// SearchCertain returns whether a search for what spares most is certain of what it
// found in a block of trials.
func SearchCertain(ctx context.Context, g *Graph, s Scenario, o Options) bool {
	w := testWorker(g, s, o)
	base := newBaseline(len(w.plan.service), 0, 1)
	w.baseline(0, base)
	_, _, certain := w.search(ctx, base)
	return certain
}
