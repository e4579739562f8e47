package cascade

// Bound returns an upper bound of the mean share lost at the worst moment, at
// once and without a trial: the sum over all services of what is lost times the
// bound of the chance that they fall, q = min(1, h + Σ binding · bound of the
// group), as in an input-output model (Haimes and others 2005). Substitutes count
// by Markov's inequality, buffers and repair not at all, and whatever can reach
// a service by two ways counts twice: so it bounds, and in dense graphs it says
// nothing.
func Bound(g *Graph, s Scenario) float64 {
	p := g.plan
	q := make([]float64, len(p.service))
	for v, i := range p.service {
		q[v] = s.Hits[i].Float()
	}
	cycles := p.cycles
	for v := uint32(0); int(v) < len(q); v++ {
		if len(cycles) == 0 || cycles[0].first != v {
			q[v] = p.bound(q, v, q[v])
			continue
		}
		// Inside a cycle one is always a bound, and so is what follows from it.
		c := cycles[0]
		cycles = cycles[1:]
		hits := make([]float64, c.end-c.first)
		copy(hits, q[c.first:c.end])
		for u := c.first; u < c.end; u++ {
			q[u] = 1
		}
		for range boundRounds {
			for u := c.first; u < c.end; u++ {
				q[u] = p.bound(q, u, hits[u-c.first])
			}
		}
		v = c.end - 1
	}
	lost := 0.0
	for v := range q {
		lost += float64(q[v] * float64(p.costs[p.class[v]]))
	}
	return min(1, lost/float64(p.total))
}

// boundRounds is how often the bounds of a cycle are improved. Each round is one.
const boundRounds = 32

func (p *plan) bound(q []float64, v uint32, hit float64) float64 {
	sum := hit
	groups := p.groups[p.first[v]:p.first[v+1]]
	for i := range groups {
		g := &groups[i]
		fails := 0.0
		least := 1.0
		for _, u := range p.suppliers(g) {
			fails += q[u]
			least = min(least, q[u])
		}
		fails /= float64(g.fails)
		if g.fails == g.size {
			fails = min(fails, least)
		}
		sum += float64(g.binding.Float() * min(1, fails))
	}
	return min(1, sum)
}
