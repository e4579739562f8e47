package cascade

import (
	"cmp"
	"slices"
)

// rankSketches is how many sketches rank measures.
const rankSketches = 20_000

// rank returns the measures by what they promise, the best first: by a formula and
// not by trials, so it only decides which are tried. The promise of one that
// lessens hits is exact on sketches; repair counts as if it lessened hits by as
// much; a fallback by how often its service falls; a buffer or a substitute as if
// the requirement went away, times what the fall of its service brings down.
func rank(c Case, measures []Measure, seed uint64) ([]int, error) {
	s, err := NewSketches(c, rankSketches, seed)
	if err != nil {
		return nil, err
	}
	r, err := newRunner(c.Graph, c.Scenario, Options{Trials: 1, Engine: Static, Seed: seed})
	if err != nil {
		return nil, err
	}
	falls := make([]float64, len(r.hits)) // by index in the graph
	e := newStatic(r.plan, r.hits)
	for b := range uint64(pivotalBlocks) {
		e.run(seed, b)
		for v := range e.down {
			falls[r.plan.service[v]] += float64(ones(&e.down[v])) / (pivotalBlocks * Lanes)
		}
	}
	p := &promise{c: c, importance: s.Birnbaum(), falls: falls, sketches: s.Evaluator()}
	worth := make([]float64, len(measures))
	for i := range measures {
		for j := range measures[i].Actions {
			worth[i] += p.of(&measures[i].Actions[j])
		}
		worth[i] /= float64(max(measures[i].Cost, 1))
	}
	order := make([]int, len(measures))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(worth[b], worth[a]) })
	return order, nil
}

type promise struct {
	c          Case
	importance []float64
	falls      []float64
	sketches   *Evaluator
}

func (p *promise) of(a *Action) float64 {
	g, worth := p.c.Graph, 0.0
	var hits []Hit
	for _, v := range a.Services {
		h := p.c.Scenario.Hits[v]
		after := h
		if a.Ratio > 0 {
			after = lessLikely(after, a.Ratio)
		}
		if a.Repair > 0 {
			after = Probability(float64(after) * a.Repair)
		}
		if after != h {
			hits = append(hits, Hit{v, after})
		}
		if s := g.services[v].Severity; a.Severity > 0 && a.Severity < s {
			worth += float64(p.falls[v]*float64(uint64(s-a.Severity)*uint64(g.services[v].Weight))) / float64(g.plan.total)
		}
	}
	if len(hits) > 0 {
		slices.SortFunc(hits, func(a, b Hit) int { return cmp.Compare(a.Service, b.Service) })
		worth += p.sketches.Gain(slices.CompactFunc(hits, func(a, b Hit) bool { return a.Service == b.Service }))
	}
	for _, i := range a.Requirements {
		q := &g.requirements[i]
		if a.Buffer <= q.Buffer && len(a.Substitutes) == 0 {
			continue
		}
		least := 1.0 // how likely the requirement fails is at most how often the last supplier falls
		for _, u := range q.Suppliers {
			least = min(least, p.falls[u])
		}
		if int(q.Need) == len(q.Suppliers) {
			least = 0
			for _, u := range q.Suppliers {
				least = max(least, p.falls[u])
			}
		}
		worth += float64(q.Binding.Float() * least * p.importance[q.Service])
	}
	return worth
}
