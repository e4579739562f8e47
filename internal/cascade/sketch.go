package cascade

import (
	"fmt"
	"math"
	"slices"

	"muster/internal/errs"
)

// Sketches are reverse-reachable sets: each is a service drawn by what its loss
// costs, and all services of which one alone, once hit, would bring it down through
// requirements that bind. Only which requirements bind is drawn; hits are kept as
// probabilities. So P(the service is lost | its sketch) = 1 - Π(1-h) over the sketch,
// one set of sketches answers for every change of hits, and its derivatives are the
// importance of all services at once.
//
// Exact, that is unbiased, where every requirement fails with any one of its
// suppliers and time does not matter. A supplier of another requirement stands in the
// sketch as often as the others leave it the last one, as if they fell independently
// of each other: that ranks, and whoever believes a rank confirms it in a timed
// engine. They may be read by many goroutines.
type Sketches struct {
	plan *plan
	hits []float64 // by rank, below 1

	first   []uint32 // the sketch j is members[first[j]:first[j+1]]
	members []uint32 // ranks, the root first
	safe    []float64
	where   []uint32 // the sketches of rank v are sketch[where[v]:where[v+1]]
	sketch  []uint32
	cost    float64 // of all services
}

// MaxSketches is how many sketches there may be.
const MaxSketches = 1 << 24

// sampled is after how many sketches it is known how large they are.
const sampled = 1 << 10

// sketchStream is for the random bits of sketches.
const sketchStream stream = 16

// NewSketches draws n sketches of a case.
func NewSketches(c Case, n int, seed uint64) (*Sketches, error) {
	if n < 1 || n > MaxSketches {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("there cannot be %d sketches", n), fmt.Sprintf("allowed: 1 to %d", MaxSketches))
	}
	r, err := newRunner(c.Graph, c.Scenario, Options{Trials: 1, Engine: Static, Seed: seed})
	if err != nil {
		return nil, err
	}
	s := &Sketches{plan: r.plan, hits: make([]float64, len(r.hits)), first: make([]uint32, 1, n+1), safe: make([]float64, 0, n)}
	for v, h := range r.hits {
		// What is hit for certain stays a hair below it: a quotient needs it.
		s.hits[v] = min(h.Float(), 1-1.0/(2*float64(Always)))
	}
	d := &drawer{s: s, seen: make([]uint32, len(r.hits)), pivotal: pivotal(r)}
	d.sums = make([]uint64, len(r.hits)+1)
	for v, class := range s.plan.class {
		d.sums[v+1] = d.sums[v] + s.plan.costs[class]
	}
	s.cost = float64(d.sums[len(r.hits)])
	begin := start(seed, sketchStream, 0)
	for j := range n {
		if more := int64(len(s.members)) / sampled * int64(n-sampled) / 8 * 9; j == sampled && more < 1<<29 {
			s.members = slices.Grow(s.members, int(more)) // so that it need not grow again and again
		}
		d.draw(mix(begin+uint64(j)*golden), uint32(j)+1)
	}
	s.index()
	return s, nil
}

// drawer draws sketches.
type drawer struct {
	s       *Sketches
	sums    []uint64 // of the costs by rank
	seen    []uint32 // by rank: the sketch that it is in, plus 1
	pivotal []Probability
}

// draw adds one sketch.
func (d *drawer) draw(state uint64, number uint32) {
	s, p := d.s, d.s.plan
	// The root: the first rank whose sum is beyond a random share of all costs.
	state += golden
	x := scaled(mix(state), d.sums[len(d.sums)-1])
	low, high := 0, len(d.sums)-2
	for low < high {
		middle := (low + high) / 2
		if d.sums[middle+1] > x {
			high = middle
		} else {
			low = middle + 1
		}
	}
	begin := len(s.members)
	s.members = append(s.members, uint32(low))
	d.seen[low] = number
	safe := 1.0
	var bits uint64
	left := 0
	seen, members := d.seen, s.members
	for at := begin; at < len(members); at++ {
		v := members[at]
		safe *= 1 - s.hits[v]
		groups := p.groups[p.first[v]:p.first[v+1]]
		for i := range groups {
			g := &groups[i]
			if left == 0 {
				state += golden
				bits, left = mix(state), 4
			}
			u := Probability(bits & (1<<digits - 1))
			bits >>= digits
			left--
			if u >= g.binding {
				continue
			}
			if g.size == 1 {
				if seen[g.supplier] != number {
					seen[g.supplier] = number
					members = append(members, g.supplier)
				}
				continue
			}
			for k, u := range p.suppliers(g) {
				if seen[u] == number {
					continue
				}
				if g.fails > 1 {
					if left == 0 {
						state += golden
						bits, left = mix(state), 4
					}
					x := Probability(bits & (1<<digits - 1))
					bits >>= digits
					left--
					if x >= d.pivotal[int(g.members)+k] {
						continue
					}
				}
				seen[u] = number
				members = append(members, u)
			}
		}
	}
	s.members = members
	s.first = append(s.first, uint32(len(s.members)))
	s.safe = append(s.safe, safe)
}

// scaled returns a random number below n.
func scaled(random, n uint64) uint64 {
	w := wide{}
	w.addProduct(random, n)
	return w.hi
}

// pivotalBlocks is how many blocks of trials say how often services fall.
const pivotalBlocks = 4

// pivotal returns, for each supplier of each requirement that one alone cannot fail,
// how likely the others are to leave it the last one.
func pivotal(r *runner) []Probability {
	p := r.plan
	if !slices.ContainsFunc(p.groups, func(g group) bool { return g.fails > 1 }) {
		return nil
	}
	fallen := make([]float64, len(p.service))
	e := newStatic(p, r.hits)
	for b := range uint64(pivotalBlocks) {
		e.run(r.options.Seed, b)
		for v := range e.down {
			fallen[v] += float64(ones(&e.down[v]))
		}
	}
	for v := range fallen {
		fallen[v] /= pivotalBlocks * Lanes
	}
	last := make([]Probability, len(p.members))
	var chance []float64
	for i := range p.groups {
		g := &p.groups[i]
		if g.fails < 2 {
			continue
		}
		members := p.suppliers(g)
		for k := range members {
			// chance[j] is how likely j of the others looked at so far are down.
			chance = append(chance[:0], 1)
			for o, u := range members {
				if o == k {
					continue
				}
				chance = append(chance, 0)
				for j := len(chance) - 1; j > 0; j-- {
					chance[j] = float64(chance[j]*(1-fallen[u])) + float64(chance[j-1]*fallen[u])
				}
				chance[0] *= 1 - fallen[u]
			}
			// At least one chance in 65,536: a substitute that never mattered in the
			// trials is not worth nothing.
			last[int(g.members)+k] = max(1, Probability(math.Round(chance[g.fails-1]*float64(Always))))
		}
	}
	return last
}

// index turns sketches to members into members to sketches.
func (s *Sketches) index() {
	s.where = make([]uint32, len(s.hits)+2)
	for _, v := range s.members {
		s.where[v+2]++
	}
	for v := 2; v < len(s.where); v++ {
		s.where[v] += s.where[v-1]
	}
	s.sketch = make([]uint32, len(s.members))
	for j := range s.safe {
		for _, v := range s.members[s.first[j]:s.first[j+1]] {
			next := &s.where[v+1]
			s.sketch[*next] = uint32(j)
			*next++
		}
	}
	s.where = s.where[:len(s.hits)+1]
}

// Loss returns the mean share lost, and the half width of its 95 per cent interval.
func (s *Sketches) Loss() (mean, half float64) {
	sum, squares := 0.0, 0.0
	for _, safe := range s.safe {
		sum += 1 - safe
		squares += float64((1 - safe) * (1 - safe))
	}
	n := float64(len(s.safe))
	unit := s.cost / float64(s.plan.total)
	return sum / n * unit, z95 * deviation(sum, squares, n) / math.Sqrt(n) * unit
}

// Birnbaum returns, for each service of the graph, by how much the mean share lost
// grows with the chance that it is hit: the derivative.
func (s *Sketches) Birnbaum() []float64 {
	unit := s.cost / float64(s.plan.total) / float64(len(s.safe))
	b := make([]float64, len(s.hits))
	for v := range s.hits {
		sum := 0.0
		for _, j := range s.sketch[s.where[v]:s.where[v+1]] {
			sum += s.safe[j]
		}
		b[s.plan.service[v]] = sum / (1 - s.hits[v]) * unit
	}
	return b
}

// A Hit is a service with another chance to be hit.
type Hit struct {
	Service int32
	Chance  Probability
}

// An Evaluator answers what other hits would be worth. One goroutine at a time.
type Evaluator struct {
	s    *Sketches
	safe []float64 // by sketch: as that of the sketches, but while a gain is computed
}

// Evaluator returns one.
func (s *Sketches) Evaluator() *Evaluator { return &Evaluator{s, slices.Clone(s.safe)} }

// Gain returns how much less would be lost, as a share, if these services had these
// chances to be hit.
func (e *Evaluator) Gain(hits []Hit) float64 {
	s, gain, touched := e.s, 0.0, 0
	for _, h := range hits {
		v := s.plan.rank[h.Service]
		factor := (1 - min(h.Chance.Float(), 1-1.0/(2*float64(Always)))) / (1 - s.hits[v])
		list := s.sketch[s.where[v]:s.where[v+1]]
		touched += len(list)
		gain += float64(scale(e.safe, list, factor) * (factor - 1))
	}
	// Copying everything streams through memory; putting back one by one jumps.
	if touched > len(e.safe)/copiedAtOnce {
		copy(e.safe, s.safe)
	} else {
		for _, h := range hits {
			v := s.plan.rank[h.Service]
			for _, j := range s.sketch[s.where[v]:s.where[v+1]] {
				e.safe[j] = s.safe[j]
			}
		}
	}
	return gain / float64(len(s.safe)) * (s.cost / float64(s.plan.total))
}

// copiedAtOnce is how many numbers are copied in a row in the time that one is put
// back, roughly.
const copiedAtOnce = 8

// scale multiplies some of values by a factor and returns the sum of what they were.
// Four sums do not wait for each other.
func scale(values []float64, list []uint32, factor float64) float64 {
	var a, b, c, d float64
	for ; len(list) >= 4; list = list[4:] {
		i, j, k, l := list[0], list[1], list[2], list[3]
		w, x, y, z := values[i], values[j], values[k], values[l]
		a, b, c, d = a+w, b+x, c+y, d+z
		// A service stands once in a sketch, so that the four are apart.
		values[i], values[j], values[k], values[l] = w*factor, x*factor, y*factor, z*factor
	}
	for _, i := range list {
		x := values[i]
		a += x
		values[i] = x * factor
	}
	return (a + b) + (c + d)
}
