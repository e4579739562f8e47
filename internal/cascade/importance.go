package cascade

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// confirmBlocks is how many blocks of trials confirm a candidate, at most.
	confirmBlocks = 8

	// large is how many services make a graph so large that one block confirms.
	large = 1 << 14

	// confirmed is how many candidates are confirmed at least before a search ends
	// that cannot exclude the others, and for each dependency asked for.
	confirmed, confirmedEach = 64, 16

	// chunk is how many candidates are looked at between two looks at what is
	// needed to be among the first. It is no number of threads: the result must not
	// depend on that.
	chunk = 16
)

// baseline is what the first blocks of trials were as they are, beside which they are
// run again as if some service could not fall.
type baseline struct {
	from  uint64          // the first block
	lost  [][Lanes]uint64 // by block and trial: what is lost at the worst moment
	lanes []uint64        // by rank and word: the trials in which it is down
	words int             // of a rank
}

func newBaseline(services int, from uint64, blocks int) *baseline {
	return &baseline{
		from: from, lost: make([][Lanes]uint64, blocks),
		lanes: make([]uint64, services*blocks*blockWords), words: blocks * blockWords,
	}
}

// down returns the trials in which rank v is down, word by word.
func (b *baseline) down(v uint32) []uint64 { return b.lanes[int(v)*b.words:][:b.words] }

// top returns the services that would spare most if they could not be down, how many
// of those that somebody requires were run without, and whether it is certain that no
// other spares more in these trials.
func (r *runner) top(ctx context.Context, t *tally) (found []Dependency, tried int, certain bool) {
	n := min(r.blocks(), confirmBlocks)
	if len(r.plan.service) > large {
		n = 1
	}
	base := newBaseline(len(r.plan.service), 0, n)
	r.each(ctx, n, func(w *worker, i int) { w.baseline(i, base) })
	if ctx.Err() != nil {
		return []Dependency{}, 0, false
	}
	gains, tried, certain := r.search(ctx, base)
	gains = gains[:min(len(gains), r.options.Top)]
	found = make([]Dependency, len(gains))
	r.each(ctx, len(gains), func(w *worker, i int) { found[i] = w.importance(&gains[i], t, base) })
	if ctx.Err() != nil {
		return []Dependency{}, 0, false
	}
	return found, tried, certain
}

// gain is what a service spares if it cannot fall.
type gain struct {
	rank    uint32
	spared  uint64 // Σ over the trials of a baseline
	squares wide
}

// search confirms candidates, those first that fall when most is lost, until no other
// can be among the first, or enough are confirmed. A service spares at most what of
// itself and of whom it can bring down falls in the trials in which it falls: who
// cannot be among the first by that is not run.
func (r *runner) search(ctx context.Context, base *baseline) (gains []gain, tried int, certain bool) {
	order, most := r.candidates(base)
	limit := max(confirmed, confirmedEach*r.options.Top)
	threshold := uint64(0)
	for at := 0; at < len(order); at += chunk {
		if ctx.Err() != nil {
			return gains, tried, false
		}
		if most[order[at]] < threshold {
			return gains, tried, true
		}
		if tried >= limit {
			return gains, tried, false
		}
		next := order[at:min(len(order), at+chunk)]
		found := make([]*gain, len(next))
		r.each(ctx, len(next), func(w *worker, i int) { found[i] = w.tryWithout(next[i], base, threshold) })
		for _, g := range found {
			if g != nil {
				tried++
				gains = append(gains, *g)
			}
		}
		slices.SortStableFunc(gains, func(a, b gain) int { return cmp.Compare(b.spared, a.spared) })
		if len(gains) >= r.options.Top {
			threshold = gains[r.options.Top-1].spared
		}
	}
	return gains, tried, ctx.Err() == nil
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

// baseline fills one block of b.
func (w *worker) baseline(block int, b *baseline) {
	w.losses(b.from+uint64(block), everyLane(), &b.lost[block], func(word int) {
		for v := range w.plan.service {
			b.down(uint32(v))[block*blockWords+word] = w.fallen(uint32(v), word)
		}
	})
}

func everyLane() *lanes {
	const all = ^uint64(0)
	return &lanes{all, all, all, all, all, all, all, all}
}

// fallen returns the lanes of the word that was run last, or of the block, in which
// rank v is down at some time.
func (w *worker) fallen(v uint32, word int) uint64 {
	switch {
	case w.event != nil:
		return w.event.nodes[v].lanes
	case w.grid != nil:
		return w.grid.any[v]
	}
	return w.static.down[v][word]
}

// candidates returns the ranks that fell and that somebody requires, those first in
// whose trials most is lost, and by rank how much that is: no service spares more.
func (r *runner) candidates(base *baseline) (order []uint32, most []uint64) {
	most = make([]uint64, len(r.plan.service))
	for v := range r.plan.service {
		if r.plan.outFirst[v+1] == r.plan.outFirst[v] {
			continue
		}
		for i, word := range base.down(uint32(v)) {
			lost := base.lost[i/blockWords][i%blockWords*64:]
			for ; word != 0; word &= word - 1 {
				most[v] += lost[bits.TrailingZeros64(word)]
			}
		}
		if most[v] > 0 {
			order = append(order, uint32(v))
		}
	}
	slices.SortStableFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(most[b], most[a]), cmp.Compare(r.plan.service[a], r.plan.service[b]))
	})
	return order, most
}

// reach returns what rank v spares at most: what it and those behind it that fall in
// the same trials cost.
func (w *worker) reach(v uint32, base *baseline) uint64 {
	p, down := w.plan, base.down(v)
	if len(w.seen) == 0 {
		w.seen = make([]bool, len(p.service))
	}
	w.path = append(w.path[:0], v)
	w.seen[v] = true
	sum := uint64(0)
	for at := 0; at < len(w.path); at++ {
		u := w.path[at]
		trials := 0
		for i, word := range base.down(u) {
			trials += bits.OnesCount64(word & down[i])
		}
		if trials == 0 {
			continue
		}
		sum += uint64(trials) * p.costs[p.class[u]]
		for _, q := range p.out[p.outFirst[u]:p.outFirst[u+1]] {
			if s := p.groups[q].service; !w.seen[s] {
				w.seen[s] = true
				w.path = append(w.path, s)
			}
		}
	}
	for _, u := range w.path {
		w.seen[u] = false
	}
	return sum
}

// tryWithout runs the trials of base in which rank v falls as if it could not, under
// common random numbers. It returns nothing where v cannot spare as much as least.
func (w *worker) tryWithout(v uint32, base *baseline, least uint64) *gain {
	if w.reach(v, base) < least {
		return nil
	}
	w.spare(v)
	defer w.spare(nobody)
	g := &gain{rank: v}
	var without [Lanes]uint64
	for b := range base.lost {
		only := (*lanes)(base.down(v)[b*blockWords:])
		w.losses(base.from+uint64(b), only, &without, nil)
		for i, word := range only {
			for ; word != 0; word &= word - 1 {
				trial := i*64 + bits.TrailingZeros64(word)
				d := base.lost[b][trial] - without[trial] // never below 0: nobody falls for that
				g.spared += d
				g.squares.addSquare(d)
			}
		}
	}
	return g
}

// losses sets lost to what is lost at the worst moment of those trials of a block
// that are asked for, and calls after, if there is one, behind each word of them that
// was run. What it says of other trials means nothing.
func (w *worker) losses(block uint64, only *lanes, lost *[Lanes]uint64, after func(word int)) {
	seed := w.options.Seed
	if w.static != nil {
		w.static.only = *only
		w.static.run(seed, block)
		w.static.only = *everyLane()
		copy(lost[:], w.staticLost())
	}
	for word, asked := range only {
		switch {
		case w.static != nil, asked == 0:
		case w.grid != nil:
			w.grid.only = asked
			w.grid.run(seed, block, word)
			_, peaks := w.gridPeaks()
			copy(lost[word*64:], peaks[:])
		default:
			w.event.only = asked
			w.event.run(seed, block, word)
			for ; asked != 0; asked &= asked - 1 {
				lane := bits.TrailingZeros64(asked)
				peak, _ := w.eventPeak(lane)
				lost[word*64+lane] = uint64(peak)
			}
		}
		if after != nil {
			after(word)
		}
	}
	if w.grid != nil {
		w.grid.only = ^uint64(0)
	}
	if w.event != nil {
		w.event.only = ^uint64(0)
	}
}

// importanceBlocks is how many blocks of trials say what a hit on one service does.
const importanceBlocks = 4

// importance is all that is said of a service that is named: what a run without it
// spares, and what its being hit does, by running some of the trials as if it were hit
// in each of them and in none. In a trial in which it is hit anyway, or in none, one of
// the two is the trial as it is.
func (w *worker) importance(g *gain, t *tally, base *baseline) Dependency {
	total, trials := float64(w.plan.total), float64(len(base.lost)*Lanes)
	d := Dependency{
		ID:     w.graph.services[w.plan.service[g.rank]].ID,
		Falls:  float64(t.falls[g.rank]) / float64(t.trials),
		Spared: float64(g.spared) / trials / total,
		Error:  z95 * deviation(float64(g.spared), g.squares.float(), trials) / math.Sqrt(trials) / total,
	}
	var (
		always, never [Lanes]uint64
		chance        = w.hits[g.rank].Float()
		differences   []float64
		losses        []float64
	)
	for b := range min(len(base.lost), importanceBlocks) {
		hit := w.hit(g.rank, base.from+uint64(b))
		w.force(g.rank, Always)
		w.losses(base.from+uint64(b), hit.not(), &always, nil)
		w.force(g.rank, 0)
		w.losses(base.from+uint64(b), hit, &never, nil)
		w.force(g.rank, w.hits[g.rank])
		for i, lost := range base.lost[b] {
			with, without := always[i], lost
			if hit[i/64]>>(i%64)&1 == 1 {
				with, without = lost, never[i]
			}
			differences = append(differences, float64(with-without)) // never below 0
			losses = append(losses, float64(lost))
		}
	}
	x := mean(differences)
	d.Birnbaum, d.BirnbaumError = x.value/total, x.half/total
	if all := mean(losses); all.value > 0 {
		// A quotient of two means; its error is that of what is left of each trial.
		d.Criticality = float64(chance*x.value) / all.value
		rest := make([]float64, len(losses))
		for i, lost := range losses {
			rest[i] = float64(chance*differences[i]) - float64(d.Criticality*lost)
		}
		d.CriticalityError = mean(rest).half / all.value
	}
	return d
}

// estimate is a mean with the half width of its 95 per cent interval.
type estimate struct{ value, half float64 }

func mean(values []float64) estimate {
	n, sum, squares := float64(len(values)), 0.0, 0.0
	for _, x := range values {
		sum += x
	}
	m := sum / n
	for _, x := range values {
		squares += float64((x - m) * (x - m))
	}
	return estimate{m, z95 * math.Sqrt(squares/n) / math.Sqrt(n)}
}

// hit returns the trials of a block in which the service of a rank is hit.
func (w *worker) hit(v uint32, block uint64) *lanes {
	var l lanes
	state := start(w.options.Seed, hitStream, block) + uint64(w.plan.service[v])*edgeStride
	for word := range l {
		l[word] = live(state+uint64(word)*golden, w.hits[v], ^uint64(0))
	}
	return &l
}

// not returns the other trials.
func (l *lanes) not() *lanes {
	var other lanes
	for word := range l {
		other[word] = ^l[word]
	}
	return &other
}

// force makes the engine run as if the service of a rank were hit with another chance.
func (w *worker) force(v uint32, p Probability) {
	if w.forced == nil {
		w.forced = slices.Clone(w.hits)
	}
	w.forced[v] = p
	switch {
	case w.event != nil:
		w.event.hits = w.forced
	case w.grid != nil:
		w.grid.hits = w.forced
	default:
		w.static.hits = w.forced
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
