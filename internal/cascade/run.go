package cascade

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"muster/internal/errs"
)

// Engine is a way to compute the same.
type Engine string

// The engines.
const (
	Auto   Engine = ""       // Event or Grid, whichever a pilot finds cheaper
	Event  Engine = "event"  // continuous time, trial by trial: the reference
	Grid   Engine = "grid"   // time in slices, 64 trials side by side
	Static Engine = "static" // no time: no buffers, no repair; 512 trials side by side
)

// Options are what a run needs besides graph and scenario. The zero value is
// usable, but for Trials.
type Options struct {
	Trials  int     // from 1 to [MaxTrials]; rounded up to whole blocks of [Lanes]
	Seed    uint64  //
	Engine  Engine  //
	Horizon Minutes // how far to look; 0 is 30 days
	Samples int     // sample times of the curve, and slices of the grid; 0 is 96
	Threads int     // 0 is 1; the result does not depend on it
	Top     int     // how many dependencies to confirm; 0 is none

	// Progress, if set, is called after every block with the trials done and
	// planned, by one goroutine at a time.
	Progress func(done, planned int)
}

// The limits of options.
const (
	MaxTrials      = 1 << 30
	MaxSamples     = 1 << 10
	MaxThreads     = 1 << 10
	defaultHorizon = 30 * 24 * 60
	defaultSamples = 96
)

func (o Options) check() (Options, error) {
	refuse := func(what, allowed string) error { return errs.New(errs.Invalid, what, "allowed: "+allowed) }
	switch {
	case o.Trials < 1 || o.Trials > MaxTrials:
		return o, refuse(fmt.Sprintf("there cannot be %d trials", o.Trials), fmt.Sprintf("1 to %d", MaxTrials))
	case o.Horizon < 0 || o.Horizon > maxHorizon:
		return o, refuse(fmt.Sprintf("the horizon cannot be %d minutes", o.Horizon), fmt.Sprintf("1 to %d minutes, or 0 for 30 days", maxHorizon))
	case o.Samples < 0 || o.Samples > MaxSamples:
		return o, refuse(fmt.Sprintf("there cannot be %d sample times", o.Samples), fmt.Sprintf("1 to %d, or 0 for %d", MaxSamples, defaultSamples))
	case o.Threads < 0 || o.Threads > MaxThreads:
		return o, refuse(fmt.Sprintf("there cannot be %d threads", o.Threads), fmt.Sprintf("1 to %d", MaxThreads))
	case o.Top < 0:
		return o, refuse(fmt.Sprintf("there cannot be %d dependencies to confirm", o.Top), "0 or more")
	case o.Engine != Auto && o.Engine != Event && o.Engine != Grid && o.Engine != Static:
		return o, refuse(fmt.Sprintf("there is no engine %s", errs.Quote(string(o.Engine))), "event, grid or static")
	}
	if o.Horizon == 0 {
		o.Horizon = defaultHorizon
	}
	if o.Samples == 0 {
		o.Samples = defaultSamples
	}
	if o.Engine == Static {
		o.Samples = 1
	}
	o.Samples = min(o.Samples, int(o.Horizon))
	o.Threads = max(o.Threads, 1)
	return o, nil
}

// Run computes what a scenario does to a graph. If ctx ends before all trials are
// done and some are, the result is of those and says so; which they are depends on
// the moment, so it has no hash.
func Run(ctx context.Context, g *Graph, s Scenario, o Options) (*Result, error) {
	r, err := newRunner(g, s, o)
	if err != nil {
		return nil, err
	}
	t := r.trials(ctx)
	if t.trials == 0 {
		return nil, fmt.Errorf("simulate: %w", ctx.Err())
	}
	return r.result(ctx, t), nil
}

// runner is one run.
type runner struct {
	graph    *Graph
	plan     *plan
	scenario Scenario
	options  Options
	hits     []Probability // by rank
	tables   *repairTables
	missions []uint32 // ranks, in the graph's order
	slice    Minutes
}

func newRunner(g *Graph, s Scenario, o Options) (*runner, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if len(s.Hits) != len(g.services) {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the scenario has %d hit probabilities for %d services", len(s.Hits), len(g.services)), "one for each service")
	}
	r := &runner{graph: g, plan: g.plan, scenario: s, options: o, tables: newRepairTables()}
	r.hits = make([]Probability, len(s.Hits))
	for i, h := range s.Hits {
		if h > Always {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("service %s has a hit probability of %s", errs.Quote(g.services[i].ID), number(h.Float())), "allowed: 0 to 1")
		}
		r.hits[g.plan.rank[i]] = h
		if g.services[i].Mission {
			r.missions = append(r.missions, g.plan.rank[i])
		}
	}
	if err := r.overrideRepair(); err != nil {
		return nil, err
	}
	r.slice = (o.Horizon + Minutes(o.Samples) - 1) / Minutes(o.Samples)
	r.options.Samples = int((o.Horizon + r.slice - 1) / r.slice)
	if r.options.Engine == Auto {
		r.options.Engine = r.pilot()
	}
	return r, nil
}

// overrideRepair gives the run a plan with the scenario's repair times.
func (r *runner) overrideRepair() error {
	if r.scenario.Repair == nil {
		return nil
	}
	if len(r.scenario.Repair) != len(r.graph.services) {
		return errs.New(errs.Invalid, fmt.Sprintf("the scenario has %d repair times for %d services", len(r.scenario.Repair), len(r.graph.services)), "one for each service, or none")
	}
	p := *r.plan
	p.repair = slices.Clone(p.repair)
	for i, law := range r.scenario.Repair {
		if law.Median < 0 || law.Median > MaxMinutes || law.Spread > MaxSpread {
			return errs.New(errs.Invalid, fmt.Sprintf("service %s has a repair of %d minutes and the spread %s", errs.Quote(r.graph.services[i].ID), law.Median, number(float64(law.Spread)/(1<<16))), "allowed: as for services")
		}
		if law.Median > 0 {
			p.repair[p.rank[i]] = newRepair(law)
		}
	}
	r.plan = &p
	return nil
}

// blocks returns how many blocks the planned trials are.
func (r *runner) blocks() int { return (r.options.Trials + Lanes - 1) / Lanes }

// trials runs all blocks, or until ctx ends, on the threads asked for.
func (r *runner) trials(ctx context.Context) *tally {
	var (
		next  atomic.Int64
		done  int
		mu    sync.Mutex // guards done, total and calls of Progress
		wait  sync.WaitGroup
		total = newTally(r.plan, r.options.Samples, r.missions)
	)
	for range min(r.options.Threads, r.blocks()) {
		wait.Go(func() {
			w := r.worker()
			for ctx.Err() == nil {
				block := int(next.Add(1)) - 1
				if block >= r.blocks() || !w.block(ctx, uint64(block)) {
					break
				}
				mu.Lock()
				done++
				if r.options.Progress != nil {
					r.options.Progress(done*Lanes, r.blocks()*Lanes)
				}
				mu.Unlock()
			}
			mu.Lock()
			total.merge(w.tally)
			mu.Unlock()
		})
	}
	wait.Wait()
	return total
}

// worker is what one goroutine needs.
type worker struct {
	*runner
	tally   *tally
	event   *event
	profile *profile
	grid    *grid
	static  *static
	scales  *scales

	forced []Probability // the hits that are set instead of the run's, by rank
	seen   []bool        // by rank, all false between two uses
	path   []uint32
}

func (r *runner) worker() *worker {
	w := &worker{runner: r, tally: newTally(r.plan, r.options.Samples, r.missions)}
	switch r.options.Engine {
	case Event:
		w.event = newEvent(r.plan, r.hits, r.tables, r.options.Horizon)
		w.profile = newProfile(r.options.Horizon, r.options.Samples)
	case Grid:
		w.grid = newGrid(r.plan, r.hits, r.tables, r.slice, r.options.Samples)
		w.scales = newScales(r.plan, r.options.Samples, 1)
	case Static:
		w.static = newStatic(r.plan, r.hits)
		w.scales = newScales(r.plan, 1, blockWords)
	}
	return w
}

// block adds the trials of a block to the tally, all or, where ctx ends, none.
func (w *worker) block(ctx context.Context, block uint64) bool {
	seed := w.options.Seed
	if w.static != nil {
		w.static.run(seed, block)
		w.countStatic()
		return true
	}
	for word := range blockWords {
		if ctx.Err() != nil {
			return false
		}
		if w.grid != nil {
			w.grid.run(seed, block, word)
			w.countGrid()
			continue
		}
		w.event.run(seed, block, word)
		for lane := range 64 {
			w.countEvent(lane)
		}
	}
	return true
}
