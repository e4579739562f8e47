package cascade

import "math/bits"

// lanes is one bit for each trial of a block.
type lanes [blockWords]uint64

// ones returns how many bits are set.
func ones(l *lanes) int {
	n := 0
	for _, word := range l {
		n += bits.OnesCount64(word)
	}
	return n
}

// static is the engine without time: what falls stays down. A block of 512
// trials goes through the services once, in the order of the plan, each pulling
// from its suppliers; inside a cycle it goes on until nothing changes. One
// goroutine at a time.
type static struct {
	plan   *plan
	hits   []Probability // by rank
	down   []lanes       // by rank
	dirty  []bool        // by rank: a supplier in the same cycle changed
	spared uint32        // the rank that cannot be down, or nobody
	only   lanes         // the trials that are asked for
}

func newStatic(p *plan, hits []Probability) *static {
	return &static{plan: p, hits: hits, down: make([]lanes, len(p.service)), dirty: make([]bool, len(p.service)), spared: nobody, only: *everyLane()}
}

// run fills down for a block of trials.
func (e *static) run(seed, block uint64) {
	p := e.plan
	binding := start(seed, bindingStream, block)
	e.hit(start(seed, hitStream, block))
	cycles := p.cycles
	for v := uint32(0); int(v) < len(e.down); v++ {
		if len(cycles) > 0 && cycles[0].first == v {
			e.settle(binding, cycles[0])
			v = cycles[0].end - 1
			cycles = cycles[1:]
			continue
		}
		e.pull(binding, v)
	}
}

// hit sets who is hit.
func (e *static) hit(state uint64) {
	o := &e.only
	for v, p := range e.hits {
		d := &e.down[v]
		if p == 0 || uint32(v) == e.spared {
			*d = lanes{}
			continue
		}
		if p >= Always {
			*d = *o
			continue
		}
		s := state + uint64(e.plan.service[v])*edgeStride
		d[0], d[1], d[2], d[3] = live4(s, p, o[0], o[1], o[2], o[3])
		d[4], d[5], d[6], d[7] = live4(s+golden4, p, o[4], o[5], o[6], o[7])
	}
}

// pull brings down the service of rank v where a requirement fails and binds.
func (e *static) pull(binding uint64, v uint32) {
	if v == e.spared {
		return
	}
	p := e.plan
	d := &e.down[v]
	groups := p.groups[p.first[v]:p.first[v+1]]
	for i := range groups {
		g := &groups[i]
		if g.size == 1 {
			e.draw(binding, g, &e.down[g.supplier], d)
			continue
		}
		var failed lanes
		e.fail(g, &failed)
		e.draw(binding, g, &failed, d)
	}
}

// draw adds to down the lanes in which g fails and binds. What is down already
// is not asked for.
func (e *static) draw(binding uint64, g *group, failed, down *lanes) {
	state := binding + uint64(g.edge)*edgeStride
	if g.binding >= Always {
		for w := range down {
			down[w] |= failed[w]
		}
		return
	}
	a, b, c, d := failed[0]&^down[0], failed[1]&^down[1], failed[2]&^down[2], failed[3]&^down[3]
	if a|b|c|d != 0 {
		a, b, c, d = live4(state, g.binding, a, b, c, d)
		down[0] |= a
		down[1] |= b
		down[2] |= c
		down[3] |= d
	}
	a, b, c, d = failed[4]&^down[4], failed[5]&^down[5], failed[6]&^down[6], failed[7]&^down[7]
	if a|b|c|d != 0 {
		a, b, c, d = live4(state+golden4, g.binding, a, b, c, d)
		down[4] |= a
		down[5] |= b
		down[6] |= c
		down[7] |= d
	}
}

// fail sets the lanes in which enough suppliers of g are down.
func (e *static) fail(g *group, failed *lanes) {
	members := e.plan.suppliers(g)
	*failed = e.down[members[0]]
	switch g.fails {
	case 1:
		for _, u := range members[1:] {
			for w, word := range &e.down[u] {
				failed[w] |= word
			}
		}
	case g.size:
		for _, u := range members[1:] {
			for w, word := range &e.down[u] {
				failed[w] &= word
			}
		}
	default:
		for w := range failed {
			var c counter
			for _, u := range members {
				c.add(e.down[u][w])
			}
			failed[w] = c.atLeast(g.fails)
		}
	}
}

// settle repeats pull on the services of a cycle until nothing changes: the
// least fixed point, since they only ever fall.
func (e *static) settle(binding uint64, c cycle) {
	p := e.plan
	for v := c.first; v < c.end; v++ {
		e.dirty[v] = true
	}
	for left := true; left; {
		left = false
		for v := c.first; v < c.end; v++ {
			if !e.dirty[v] {
				continue
			}
			e.dirty[v] = false
			before := e.down[v]
			e.pull(binding, v)
			// The first visit tells of hits as well.
			if e.down[v] == before {
				continue
			}
			for _, i := range p.out[p.outFirst[v]:p.outFirst[v+1]] {
				if u := p.groups[i].service; c.first <= u && u < c.end {
					e.dirty[u] = true
					left = left || u <= v
				}
			}
		}
	}
}

// counter counts, for each of 64 lanes, to at most [MaxSuppliers]: plane i has
// the digit 2^i of each lane's count.
type counter struct {
	planes [11]uint64
	used   int
}

func (c *counter) add(word uint64) {
	for i := 0; word != 0; i++ {
		c.used = max(c.used, i+1)
		c.planes[i], word = c.planes[i]^word, c.planes[i]&word
	}
}

// atLeast returns the lanes whose count is n or more, n from 1.
func (c *counter) atLeast(n uint32) uint64 {
	if n>>c.used != 0 {
		return 0
	}
	more, equal := uint64(0), ^uint64(0)
	for i := c.used - 1; i >= 0; i-- {
		digit := -uint64(n >> i & 1)
		more |= equal & c.planes[i] & ^digit
		equal &^= c.planes[i] ^ digit
	}
	return more | equal
}
