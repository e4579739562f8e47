package cascade

import "math/bits"

// event is the reference engine: continuous time, and the set of intervals of
// every service that is down, in every trial. It goes through the services in the
// order of the plan with 64 trials side by side: whole words say in which lanes a
// requirement fails and binds, and only there are intervals computed. One
// goroutine at a time.
type event struct {
	plan    *plan
	hits    []Probability // by rank
	tables  *repairTables
	horizon Minutes
	spared  uint32 // the rank that cannot be down, or nobody
	only    uint64 // the lanes that are asked for

	forward  *forward // nil until a cycle needs it
	patience uint32   // see the constant
	visits   uint64   // of services in cycles

	nodes []node // by rank
	dirty []bool // by rank: a supplier in the same cycle changed
	sets  []set  // the arena of the word's intervals
	spans []span // and of those that a set holds besides its first

	// The counters of the word's binding bits, hits and repair times.
	binding, hit, repairs uint64

	// The service that is being visited.
	touched  uint64 // the lanes that have a candidate
	head     [64]uint32
	found    []candidate
	join     []span
	fresh    []set // its sets
	more     []span
	crossing []crossing

	// The word's intervals by lane: those of lane l are
	// fallen[first[l]:first[l+1]].
	first  [65]uint32
	fallen []fall
}

// nobody is no rank.
const nobody = ^uint32(0)

// node is a service in the trials of a word.
type node struct {
	lanes     uint64 // in which it is down at some time
	sets      uint32 // where those of its lanes begin, in order
	spans     uint32 // where what they hold besides begins
	roomSets  uint32 // for how many there is room
	roomSpans uint32
}

// set is in which intervals a service is down in a lane: sorted, apart from each
// other, none empty.
type set struct {
	span               // the first
	more, count uint32 // the others are the node's spans[more:more+count]
}

// candidate is an interval of the visited service before it is joined with others.
type candidate struct {
	span
	next uint32 // the one before it in its lane, plus 1
}

// fall is one service down in one trial.
type fall struct {
	rank uint32
	set  uint32 // in sets
}

func newEvent(p *plan, hits []Probability, tables *repairTables, horizon Minutes) *event {
	return &event{
		plan: p, hits: hits, tables: tables, horizon: horizon, spared: nobody, only: ^uint64(0), patience: patience,
		nodes: make([]node, len(p.service)), dirty: make([]bool, len(p.service)),
	}
}

// run computes the 64 trials of one word of a block.
func (e *event) run(seed, block uint64, word int) {
	e.binding = start(seed, bindingStream, block) + uint64(word)*golden
	e.hit = start(seed, hitStream, block) + uint64(word)*golden
	e.repairs = start(seed, repairStream, block) + uint64(word)*64*golden
	e.sets, e.spans = e.sets[:0], e.spans[:0]
	cycles := e.plan.cycles
	for v := uint32(0); int(v) < len(e.nodes); v++ {
		if len(cycles) > 0 && cycles[0].first == v {
			e.settle(cycles[0])
			v = cycles[0].end - 1
			cycles = cycles[1:]
			continue
		}
		e.nodes[v] = node{}
		if e.pull(v) {
			e.keep(&e.nodes[v])
		}
	}
	e.byLane()
}

// patience is how often each service of a cycle is visited on average before the
// cycle is computed in the order of time: it is one whose outages grow by a restart
// lag with every round. Others take a few visits.
const patience = 16

// settle visits the services of a cycle until nothing changes.
func (e *event) settle(c cycle) {
	for v := c.first; v < c.end; v++ {
		e.nodes[v] = node{}
		e.dirty[v] = true
	}
	visits := uint32(0)
	for left := true; left; {
		left = false
		if visits > e.patience*(c.end-c.first) {
			e.inTime(c)
			return
		}
		for v := c.first; v < c.end; v++ {
			if !e.dirty[v] {
				continue
			}
			visits++
			e.visits++
			e.dirty[v] = false
			n := &e.nodes[v]
			if !e.pull(v) || e.same(n) {
				continue
			}
			e.keep(n)
			for _, i := range e.plan.out[e.plan.outFirst[v]:e.plan.outFirst[v+1]] {
				if u := e.plan.groups[i].service; c.first <= u && u < c.end {
					e.dirty[u] = true
					left = left || u <= v
				}
			}
		}
	}
}

// inTime computes a cycle in the order of time.
func (e *event) inTime(c cycle) {
	if e.forward == nil {
		e.forward = &forward{e: e}
	}
	lanes := uint64(0)
	for v := c.first; v < c.end; v++ {
		lanes |= e.nodes[v].lanes
	}
	e.forward.run(c, lanes)
}

// pull computes the sets of rank v from those of its suppliers, into fresh and
// more, and reports whether there is any.
func (e *event) pull(v uint32) bool {
	e.touched, e.found = 0, e.found[:0]
	if v == e.spared {
		return false
	}
	p := e.plan
	if h := e.hits[v]; h > 0 {
		e.strike(v, live(e.hit+uint64(p.service[v])*edgeStride, h, e.only))
	}
	restart := p.restart[v]
	groups := p.groups[p.first[v]:p.first[v+1]]
	for i := range groups {
		g := &groups[i]
		failing := e.nodes[g.supplier].lanes
		if g.size > 1 {
			failing = e.mayFail(g)
		}
		if failing == 0 {
			continue
		}
		for binds := live(e.binding+uint64(g.edge)*edgeStride, g.binding, failing); binds != 0; binds &= binds - 1 {
			e.fail(g, bits.TrailingZeros64(binds), restart)
		}
	}
	return e.touched != 0 && e.merge()
}

// strike adds the repair of rank v in the lanes in which it is hit.
func (e *event) strike(v uint32, hit uint64) {
	const stride = golden * Lanes & (1<<64 - 1)
	state := e.repairs + uint64(e.plan.service[v])*stride
	for ; hit != 0; hit &= hit - 1 {
		lane := bits.TrailingZeros64(hit)
		time := e.tables.duration(&e.plan.repair[v], mix(state+uint64(lane)*golden))
		e.add(lane, span{0, min(time, e.horizon)})
	}
}

func (e *event) add(lane int, s span) {
	next := uint32(0)
	if e.touched>>lane&1 != 0 {
		next = e.head[lane]
	}
	e.touched |= 1 << lane
	e.found = append(e.found, candidate{s, next})
	e.head[lane] = uint32(len(e.found))
}

// mayFail returns the lanes in which so many suppliers of g are down, each at some
// time, that it may fail.
func (e *event) mayFail(g *group) uint64 {
	var c counter
	for _, u := range e.plan.suppliers(g) {
		c.add(e.nodes[u].lanes)
	}
	return c.atLeast(g.fails)
}

// fail adds the intervals in which the service of g is down for it in a lane.
func (e *event) fail(g *group, lane int, restart Minutes) {
	if g.size == 1 {
		first, more := e.down(g.supplier, lane)
		e.delay(g, first, lane, restart)
		for _, f := range more {
			e.delay(g, f, lane, restart)
		}
		return
	}
	for _, f := range e.failures(g, lane) {
		e.delay(g, f, lane, restart)
	}
}

// delay adds what an interval of failure does to the service of g, if anything.
func (e *event) delay(g *group, f span, lane int, restart Minutes) {
	if f.to-f.from > g.buffer {
		e.add(lane, span{f.from + g.buffer, min(f.to+restart, e.horizon)})
	}
}

// down returns the intervals of rank u in a lane in which it is down at some time.
func (e *event) down(u uint32, lane int) (first span, more []span) {
	n := &e.nodes[u]
	s := &e.sets[int(n.sets)+bits.OnesCount64(n.lanes&(1<<lane-1))]
	if s.count == 0 {
		return s.span, nil
	}
	return s.span, e.spans[n.spans+s.more:][:s.count]
}

// merge makes the sets of the visited service from its candidates.
func (e *event) merge() bool {
	e.fresh, e.more = e.fresh[:0], e.more[:0]
	for lanes := e.touched; lanes != 0; lanes &= lanes - 1 {
		c := &e.found[e.head[bits.TrailingZeros64(lanes)]-1]
		if c.next == 0 {
			e.fresh = append(e.fresh, set{span: c.span})
			continue
		}
		s := append(e.join[:0], c.span)
		for c.next != 0 {
			c = &e.found[c.next-1]
			s = append(s, c.span)
		}
		e.join = s
		s = join(s)
		e.fresh = append(e.fresh, set{span: s[0], more: uint32(len(e.more)), count: uint32(len(s) - 1)})
		e.more = append(e.more, s[1:]...)
	}
	return true
}

// same reports whether the visited service has the sets that n has. They only
// grow, and so do the lanes.
func (e *event) same(n *node) bool {
	if n.lanes != e.touched {
		return false
	}
	for i, s := range e.sets[n.sets:][:len(e.fresh)] {
		if s.span != e.fresh[i].span || s.count != e.fresh[i].count {
			return false
		}
		for j, other := range e.spans[n.spans+s.more:][:s.count] {
			if other != e.more[int(e.fresh[i].more)+j] {
				return false
			}
		}
	}
	return true
}

// keep stores the sets of the visited service in n: in the place of earlier ones
// where there is room, so that however often a cycle is visited memory does not
// grow.
func (e *event) keep(n *node) {
	n.lanes = e.touched
	n.sets, n.roomSets = place(&e.sets, n.sets, n.roomSets, e.fresh)
	n.spans, n.roomSpans = place(&e.spans, n.spans, n.roomSpans, e.more)
}

// place puts values into an arena, at from if there is room.
func place[T any](arena *[]T, from, room uint32, values []T) (at, size uint32) {
	n := uint32(len(values))
	if n <= room {
		copy((*arena)[from:], values)
		return from, room
	}
	at = uint32(len(*arena))
	*arena = append(*arena, values...)
	if room > 0 { // it grew once, so it may again
		*arena = append(*arena, values...)
		n *= 2
	}
	return at, n
}

// byLane sorts what is down by lane.
func (e *event) byLane() {
	var next [64]uint32
	for v := range e.nodes {
		for lanes := e.nodes[v].lanes; lanes != 0; lanes &= lanes - 1 {
			next[bits.TrailingZeros64(lanes)]++
		}
	}
	for l := range 64 {
		e.first[l+1] = e.first[l] + next[l]
		next[l] = e.first[l]
	}
	e.fallen = grow(e.fallen, int(e.first[64]))
	for v := range e.nodes {
		n := &e.nodes[v]
		at := n.sets
		for lanes := n.lanes; lanes != 0; lanes &= lanes - 1 {
			l := bits.TrailingZeros64(lanes)
			e.fallen[next[l]] = fall{uint32(v), at}
			next[l]++
			at++
		}
	}
}

// grow returns s with length n, made anew only when it has become too small.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}

// lane returns what is down at some time in a lane of the word.
func (e *event) lane(l int) []fall { return e.fallen[e.first[l]:e.first[l+1]] }

// intervals returns when it is down.
func (e *event) intervals(f fall) (first span, more []span) {
	s := &e.sets[f.set]
	if s.count == 0 {
		return s.span, nil
	}
	return s.span, e.spans[e.nodes[f.rank].spans+s.more:][:s.count]
}
