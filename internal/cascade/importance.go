package cascade

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// screen is how many candidates are confirmed for each dependency asked for.
const screen = 2

// confirmBlocks is how many blocks of trials confirm a candidate, at most.
const confirmBlocks = 8

// top returns the services that would spare most if they could not be down.
// Candidates are those that others lose most beside; each is confirmed by running
// the same trials without it (common random numbers), so that the interval is one
// of differences trial by trial.
func (r *runner) top(ctx context.Context, t *tally) []Dependency {
	n := min(r.blocks(), confirmBlocks)
	base := make([][Lanes]uint64, n)
	r.each(ctx, n, func(w *worker, b int) { w.losses(uint64(b), &base[b]) })

	candidates := r.candidates(t)
	found := make([]Dependency, len(candidates))
	r.each(ctx, len(candidates), func(w *worker, i int) {
		found[i] = w.confirm(candidates[i], t, base)
	})
	if ctx.Err() != nil {
		return []Dependency{}
	}
	slices.SortStableFunc(found, func(a, b Dependency) int { return cmp.Compare(b.Spared, a.Spared) })
	return found[:min(len(found), r.options.Top)]
}

// each calls do for 0 until n on the run's threads, each with a worker of its own,
// until ctx ends.
func (r *runner) each(ctx context.Context, n int, do func(w *worker, i int)) {
	var (
		next atomic.Int64
		wait sync.WaitGroup
	)
	for range min(r.options.Threads, n) {
		wait.Go(func() {
			w := r.worker()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(w, i)
			}
		})
	}
	wait.Wait()
}

// candidates returns ranks that fell and that somebody requires, those first in
// whose trials others lose most.
func (r *runner) candidates(t *tally) []uint32 {
	var c []uint32
	for v := range r.plan.service {
		if t.falls[v] > 0 && r.plan.outFirst[v+1] > r.plan.outFirst[v] {
			c = append(c, uint32(v))
		}
	}
	score := func(v uint32) float64 {
		if w := t.apart[v].float(); w > 0 {
			return w
		}
		return float64(t.falls[v])
	}
	slices.SortStableFunc(c, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(score(b), score(a)), cmp.Compare(r.plan.service[a], r.plan.service[b]))
	})
	return c[:min(len(c), screen*r.options.Top)]
}

// confirm runs the trials of base without rank v being able to fall.
func (w *worker) confirm(v uint32, t *tally, base [][Lanes]uint64) Dependency {
	w.spare(v)
	defer w.spare(nobody)
	var sum, squares float64
	var without [Lanes]uint64
	for b := range base {
		w.losses(uint64(b), &without)
		for i, lost := range base[b] {
			d := float64(int64(lost - without[i]))
			sum += d
			squares += float64(d * d)
		}
	}
	trials, total := float64(len(base)*Lanes), float64(w.plan.total)
	return Dependency{
		ID:     w.graph.services[w.plan.service[v]].ID,
		Falls:  float64(t.falls[v]) / float64(t.trials),
		Spared: sum / trials / total,
		Error:  z95 * deviation(sum, squares, trials) / math.Sqrt(trials) / total,
	}
}

// spare makes the engine run as if rank v could not be down.
func (w *worker) spare(v uint32) {
	switch {
	case w.event != nil:
		w.event.spared = v
	case w.grid != nil:
		w.grid.spared = v
	default:
		w.static.spared = v
	}
}

// losses sets lost to what is lost at the worst moment of each trial of a block.
func (w *worker) losses(block uint64, lost *[Lanes]uint64) {
	seed := w.options.Seed
	if w.static != nil {
		w.static.run(seed, block)
		copy(lost[:], w.staticLost())
		return
	}
	for word := range blockWords {
		if w.grid != nil {
			w.grid.run(seed, block, word)
			_, peaks := w.gridPeaks()
			copy(lost[word*64:], peaks[:])
			continue
		}
		w.event.run(seed, block, word)
		for lane := range 64 {
			peak, _ := w.eventPeak(lane)
			lost[word*64+lane] = uint64(peak)
		}
	}
}
