package cascade

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"muster/internal/errs"
)

// A Comparison is two runs beside each other with the same random bits: the
// intervals are those of differences trial by trial.
type Comparison struct {
	Format     string              `json:"format"`
	Engine     Engine              `json:"engine"`
	Seed       uint64              `json:"seed"`
	Trials     uint64              `json:"trials"`
	Planned    uint64              `json:"planned_trials"`
	Complete   bool                `json:"complete"`
	Horizon    float64             `json:"horizon_hours"`
	Graphs     [2]string           `json:"graph_digests"`
	Parameters [2]string           `json:"parameter_digests"`
	Hash       string              `json:"result_hash,omitempty"`
	Worst      Difference          `json:"lost_at_worst_moment"` // shares
	Lost       Difference          `json:"lost_hours"`           // hours of all that is critical
	Missions   []MissionDifference `json:"missions"`
}

// Difference is a mean before and after, and how sure the change is.
type Difference struct {
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Change float64 `json:"change"`     // after less before
	Error  float64 `json:"half_width"` // of the change's 95 per cent interval
	Less   float64 `json:"less"`       // the share of trials in which it is less
	More   float64 `json:"more"`       // and more
}

// MissionDifference is what changes for a mission.
type MissionDifference struct {
	ID    string     `json:"id"`
	Hours Difference `json:"hours_down"`
	Fails [2]float64 `json:"fails"` // the shares of trials in which it is down at some time
}

const comparisonFormat = "muster cascade comparison v1"

// paired is the sum of pairs of values: whole numbers, so that it does not matter
// in which order they come.
type paired struct {
	before, after        wide
	up, down, squares    wide // of the differences
	n, less, more        uint64
	failsNow, failsAfter uint64 // values that are not 0
}

func (p *paired) add(before, after uint64) {
	p.n++
	p.before.add(before)
	p.after.add(after)
	if before > 0 {
		p.failsNow++
	}
	if after > 0 {
		p.failsAfter++
	}
	switch {
	case after > before:
		p.more++
		p.up.add(after - before)
		p.squares.addSquare(after - before)
	case after < before:
		p.less++
		p.down.add(before - after)
		p.squares.addSquare(before - after)
	}
}

func (p *paired) merge(o *paired) {
	p.before.merge(o.before)
	p.after.merge(o.after)
	p.up.merge(o.up)
	p.down.merge(o.down)
	p.squares.merge(o.squares)
	p.n += o.n
	p.less += o.less
	p.more += o.more
	p.failsNow += o.failsNow
	p.failsAfter += o.failsAfter
}

// difference returns the pairs in units of scale.
func (p *paired) difference(scale float64) Difference {
	n := float64(p.n)
	change := p.up.float() - p.down.float()
	return Difference{
		Before: p.before.float() / n * scale, After: p.after.float() / n * scale, Change: change / n * scale,
		Error: z95 * deviation(change, p.squares.float(), n) / math.Sqrt(n) * scale,
		Less:  float64(p.less) / n, More: float64(p.more) / n,
	}
}

func (p *paired) hash(h *hasher) {
	for _, w := range []wide{p.before, p.after, p.up, p.down, p.squares} {
		h.number(w.hi, w.lo)
	}
	h.number(p.n, p.less, p.more, p.failsNow, p.failsAfter)
}

// pairs is everything that a comparison sums.
type pairs struct {
	worst, lost paired
	missions    []paired
}

func (p *pairs) add(before, after *outcomes) {
	for i := range Lanes {
		p.worst.add(before.worst[i], after.worst[i])
		p.lost.add(before.lost[i], after.lost[i])
		for m := range p.missions {
			p.missions[m].add(uint64(before.missions[m][i]), uint64(after.missions[m][i]))
		}
	}
}

func (p *pairs) merge(o *pairs) {
	p.worst.merge(&o.worst)
	p.lost.merge(&o.lost)
	for m := range p.missions {
		p.missions[m].merge(&o.missions[m])
	}
}

// Compare runs two cases of the same services with the same random bits. Where ctx
// ends it before all trials are done, it is of those that were, and has no hash.
func Compare(ctx context.Context, before, after Case, o Options) (*Comparison, error) {
	a, b, err := sameServices(before, after, o)
	if err != nil {
		return nil, err
	}
	var (
		next  atomic.Int64
		done  int
		mu    sync.Mutex // guards done, total and calls of Progress
		wait  sync.WaitGroup
		total = pairs{missions: make([]paired, len(a.missions))}
	)
	for range min(a.options.Threads, a.blocks()) {
		wait.Go(func() {
			own := pairs{missions: make([]paired, len(a.missions))}
			wa, wb := a.worker(), b.worker()
			var oa, ob outcomes
			for ctx.Err() == nil {
				block := int(next.Add(1)) - 1
				if block >= a.blocks() {
					break
				}
				wa.outcomes(uint64(block), &oa)
				wb.outcomes(uint64(block), &ob)
				own.add(&oa, &ob)
				mu.Lock()
				done++
				if o.Progress != nil {
					o.Progress(done*Lanes, a.blocks()*Lanes)
				}
				mu.Unlock()
			}
			mu.Lock()
			total.merge(&own)
			mu.Unlock()
		})
	}
	wait.Wait()
	if total.worst.n == 0 {
		return nil, fmt.Errorf("compare: %w", ctx.Err())
	}
	return comparison(a, b, &total), nil
}

// sameServices returns the runners of both cases, with one engine.
func sameServices(before, after Case, o Options) (a, b *runner, err error) {
	if a, err = newRunner(before.Graph, before.Scenario, o); err != nil {
		return nil, nil, err
	}
	if _, _, err := a.objective(AtWorst); err != nil {
		return nil, nil, err
	}
	o.Engine = a.options.Engine
	if b, err = newRunner(after.Graph, after.Scenario, o); err != nil {
		return nil, nil, err
	}
	same := len(before.Graph.services) == len(after.Graph.services)
	for i := range before.Graph.services {
		same = same && before.Graph.services[i].ID == after.Graph.services[i].ID && before.Graph.services[i].Mission == after.Graph.services[i].Mission
	}
	if !same {
		return nil, nil, errs.New(errs.Invalid, "the two cases have different services", "compare cases of one register")
	}
	return a, b, nil
}

func comparison(a, b *runner, total *pairs) *Comparison {
	c := &Comparison{
		Format: comparisonFormat, Engine: a.options.Engine, Seed: a.options.Seed, Trials: total.worst.n,
		Planned: uint64(a.blocks()) * Lanes, Horizon: a.options.Horizon.Hours(),
		Graphs: [2]string{a.graph.named(), b.graph.named()}, Parameters: [2]string{a.digest(), b.digest()},
		Worst: total.worst.difference(1 / float64(a.plan.total)), Missions: []MissionDifference{},
		Lost: total.lost.difference(float64(Always) / float64(a.plan.total) / 60),
	}
	for i, m := range a.missions {
		p := &total.missions[i]
		c.Missions = append(c.Missions, MissionDifference{
			ID: a.graph.services[a.plan.service[m]].ID, Hours: p.difference(1.0 / 60),
			Fails: [2]float64{float64(p.failsNow) / float64(p.n), float64(p.failsAfter) / float64(p.n)},
		})
	}
	c.Complete = c.Trials == c.Planned
	if c.Complete {
		h := newHasher(comparisonFormat)
		for i := range 2 {
			h.text(c.Graphs[i])
			h.text(c.Parameters[i])
		}
		h.number(c.Seed)
		total.worst.hash(h)
		total.lost.hash(h)
		for i := range total.missions {
			total.missions[i].hash(h)
		}
		c.Hash = h.sum()
	}
	return c
}
