package cascade

import (
	"math/bits"
)

// forward computes a cycle in the order of time, lane by lane. Where services of a
// cycle wait for each other with restart lags, settling them interval by interval
// goes around once for every lag until the horizon: what has fallen stays down, and
// in the order of time that is no event at all. Both find the least fixed point: a
// service's state at a moment follows from states at that moment and before, and at
// each moment as little is down as the rules allow.
//
// A cycle of which nothing outlasts the horizon has as many events as it has
// intervals, so the work is bounded by what there is to find. One goroutine at a
// time.
type forward struct {
	e      *event
	cycle  cycle
	nodes  []waiter   // by rank, from cycle.first
	groups []supplied // of these, from plan.first[cycle.first]
	heap   []moment
	asked  []uint32 // ranks whose state may change at the moment
	again  []uint32 // and those to be looked at once more
	seen   []uint32 // groups of which something changed at the moment
	log    []downtime
	next   []uint32 // by rank, from cycle.first: where its part of sorted goes on
	sorted []downtime
}

// waiter is a service in one lane.
type waiter struct {
	down, was bool // now, and before the moment
	asked     bool // it stands in asked
	queued    bool // it stands in again
	since     Minutes
	hit       Minutes // until when it is repaired
}

// supplied is a requirement in one lane.
type supplied struct {
	binds, failing, causing bool // the last two before the moment
	seen                    bool
	down                    uint32 // how many suppliers are, now
	since                   Minutes
	held                    Minutes // until when its service restarts
}

// moment is when something changes: a supplier outside of the cycle for a group, or
// what is to be looked at.
type moment struct {
	at    Minutes
	id    uint32 // of a group, or of a rank
	delta int8   // of a group's suppliers; 0 is to look at it
	node  bool
}

// downtime is a service down in a lane.
type downtime struct {
	rank uint32
	lane int
	span
}

// run replaces what is known of a cycle's services in some lanes by what is so.
func (f *forward) run(c cycle, lanes uint64) {
	p := f.e.plan
	f.cycle = c
	size := int(c.end - c.first)
	f.nodes = grow(f.nodes, size)
	f.groups = grow(f.groups, int(p.first[c.end]-p.first[c.first]))
	f.log = f.log[:0]
	for ; lanes != 0; lanes &= lanes - 1 {
		f.lane(bits.TrailingZeros64(lanes))
	}
	f.keep(size)
}

func (f *forward) lane(l int) {
	f.begin(l)
	horizon := f.e.horizon
	for len(f.heap) > 0 && f.heap[0].at < horizon {
		at := f.heap[0].at
		f.asked, f.seen = f.asked[:0], f.seen[:0]
		for len(f.heap) > 0 && f.heap[0].at == at {
			m := f.pop()
			if m.node {
				f.ask(m.id)
				continue
			}
			g := f.see(m.id)
			g.down += uint32(int32(m.delta))
			f.ask(f.e.plan.groups[m.id].service)
		}
		f.release(at)
		f.spread(at)
		f.settle(at, l)
	}
	f.heap = f.heap[:0]
	for i := range f.nodes {
		if n := &f.nodes[i]; n.down {
			f.log = append(f.log, downtime{f.cycle.first + uint32(i), l, span{n.since, horizon}})
		}
	}
}

// begin puts everything that is known before time 0 into the heap.
func (f *forward) begin(l int) {
	e, p, c := f.e, f.e.plan, f.cycle
	clear(f.nodes)
	clear(f.groups)
	for v := c.first; v < c.end; v++ {
		if v == e.spared {
			continue
		}
		if h := e.hits[v]; h > 0 && live(e.hit+uint64(p.service[v])*edgeStride, h, 1<<l) != 0 {
			const stride = golden * Lanes & (1<<64 - 1)
			time := e.tables.duration(&p.repair[v], mix(e.repairs+uint64(p.service[v])*stride+uint64(l)*golden))
			n := &f.nodes[v-c.first]
			n.hit = min(time, e.horizon)
			f.push(moment{at: 0, id: v, node: true})
			f.push(moment{at: n.hit, id: v, node: true})
		}
		for i := p.first[v]; i < p.first[v+1]; i++ {
			g := &p.groups[i]
			if live(e.binding+uint64(g.edge)*edgeStride, g.binding, 1<<l) == 0 {
				continue
			}
			f.group(i).binds = true
			for _, u := range p.suppliers(g) {
				if u >= c.first || e.nodes[u].lanes>>l&1 == 0 {
					continue
				}
				first, more := e.down(u, l)
				f.outside(i, first)
				for _, s := range more {
					f.outside(i, s)
				}
			}
		}
	}
}

func (f *forward) outside(group uint32, s span) {
	f.push(moment{at: s.from, id: group, delta: 1})
	f.push(moment{at: s.to, id: group, delta: -1})
}

func (f *forward) group(i uint32) *supplied { return &f.groups[i-f.e.plan.first[f.cycle.first]] }

// ask says that a service's state may change.
func (f *forward) ask(v uint32) {
	n := &f.nodes[v-f.cycle.first]
	if !n.asked {
		n.asked, n.was = true, n.down
		f.asked = append(f.asked, v)
	}
}

// see says that a group's suppliers change.
func (f *forward) see(i uint32) *supplied {
	g := f.group(i)
	if !g.seen {
		g.seen = true
		f.seen = append(f.seen, i)
	}
	return g
}

// turn changes the state of a service, and what it supplies within the cycle.
func (f *forward) turn(v uint32, down bool, do func(service uint32)) {
	f.nodes[v-f.cycle.first].down = down
	p := f.e.plan
	for _, i := range p.out[p.outFirst[v]:p.outFirst[v+1]] {
		u := p.groups[i].service
		if u < f.cycle.first || u >= f.cycle.end || !f.group(i).binds {
			continue
		}
		if down {
			f.see(i).down++
		} else {
			f.see(i).down--
		}
		do(u)
	}
}

// surely reports whether a service is down at a moment whatever the others of the
// cycle are at it.
func (f *forward) surely(v uint32, at Minutes) bool {
	if at < f.nodes[v-f.cycle.first].hit {
		return true
	}
	p := f.e.plan
	lag := p.restart[v] > 0
	for i := p.first[v]; i < p.first[v+1]; i++ {
		// With a lag it is down a moment longer than its supplier in any case.
		if g := f.group(i); at < g.held || lag && g.causing {
			return true
		}
	}
	return false
}

// release takes up whatever may be: also what only keeps itself down.
func (f *forward) release(at Minutes) {
	for k := 0; k < len(f.asked); k++ {
		if v := f.asked[k]; f.nodes[v-f.cycle.first].down && !f.surely(v, at) {
			f.turn(v, false, f.ask)
		}
	}
}

// spread takes down what has to be.
func (f *forward) spread(at Minutes) {
	f.again = append(f.again[:0], f.asked...)
	for _, v := range f.again {
		f.nodes[v-f.cycle.first].queued = true
	}
	for k := 0; k < len(f.again); k++ {
		v := f.again[k]
		n := &f.nodes[v-f.cycle.first]
		n.queued = false
		if n.down || v == f.e.spared || !f.surely(v, at) && !f.caused(v, at) {
			continue
		}
		f.turn(v, true, func(u uint32) {
			f.ask(u)
			if n := &f.nodes[u-f.cycle.first]; !n.queued && !n.down {
				n.queued = true
				f.again = append(f.again, u)
			}
		})
	}
}

// caused reports whether a requirement takes a service down at a moment.
func (f *forward) caused(v uint32, at Minutes) bool {
	p := f.e.plan
	for i := p.first[v]; i < p.first[v+1]; i++ {
		g, q := f.group(i), &p.groups[i]
		if !g.binds || g.down < q.fails {
			continue
		}
		if since := g.since; g.failing && since+q.buffer <= at || !g.failing && q.buffer == 0 {
			return true
		}
	}
	return false
}

// settle writes down what changed at a moment, and when there is more to look at.
func (f *forward) settle(at Minutes, lane int) {
	p := f.e.plan
	for _, i := range f.seen {
		g, q := f.group(i), &p.groups[i]
		g.seen = false
		switch fails := g.down >= q.fails; {
		case !fails && g.failing:
			if lag := p.restart[q.service]; g.causing && lag > 0 {
				g.held = at + lag
				f.push(moment{at: g.held, id: q.service, node: true})
			}
			g.failing, g.causing = false, false
		case fails && !g.failing:
			g.failing, g.since, g.causing = true, at, q.buffer == 0
			if q.buffer > 0 {
				f.push(moment{at: at + q.buffer, id: i})
			}
		case fails:
			g.causing = g.since+q.buffer <= at
		}
	}
	for _, v := range f.asked {
		n := &f.nodes[v-f.cycle.first]
		n.asked = false
		switch {
		case n.down && !n.was:
			n.since = at
		case !n.down && n.was:
			f.log = append(f.log, downtime{v, lane, span{n.since, at}})
		}
	}
}

// keep hands what was found to the engine, service by service.
func (f *forward) keep(size int) {
	f.next = grow(f.next, size+1)
	clear(f.next)
	for _, d := range f.log {
		f.next[d.rank-f.cycle.first+1]++
	}
	for i := range size {
		f.next[i+1] += f.next[i]
	}
	f.sorted = grow(f.sorted, len(f.log))
	for _, d := range f.log {
		at := &f.next[d.rank-f.cycle.first]
		f.sorted[*at] = d
		*at++
	}
	e := f.e
	for v := f.cycle.first; v < f.cycle.end; v++ {
		e.nodes[v].lanes = 0
	}
	for rest := f.sorted; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].rank == rest[0].rank {
			n++
		}
		e.touched, e.fresh, e.more = 0, e.fresh[:0], e.more[:0]
		for _, d := range rest[:n] {
			if e.touched>>d.lane&1 == 0 {
				e.touched |= 1 << d.lane
				e.fresh = append(e.fresh, set{span: d.span, more: uint32(len(e.more))})
				continue
			}
			e.more = append(e.more, d.span)
			e.fresh[len(e.fresh)-1].count++
		}
		e.keep(&e.nodes[rest[0].rank])
		rest = rest[n:]
	}
}

// push and pop keep a heap by time.
func (f *forward) push(m moment) {
	f.heap = append(f.heap, m)
	for i := len(f.heap) - 1; i > 0; {
		above := (i - 1) / 2
		if f.heap[above].at <= f.heap[i].at {
			return
		}
		f.heap[above], f.heap[i] = f.heap[i], f.heap[above]
		i = above
	}
}

func (f *forward) pop() moment {
	top := f.heap[0]
	last := len(f.heap) - 1
	f.heap[0] = f.heap[last]
	f.heap = f.heap[:last]
	for i := 0; ; {
		least := i
		for _, below := range [...]int{2*i + 1, 2*i + 2} {
			if below < last && f.heap[below].at < f.heap[least].at {
				least = below
			}
		}
		if least == i {
			return top
		}
		f.heap[least], f.heap[i] = f.heap[i], f.heap[least]
		i = least
	}
}
