package cascade

import "math/bits"

// nobody is no rank.
const nobody = ^uint32(0)

// span is a time in which something is down, from from until before to.
type span struct{ from, to Minutes }

// event is the reference engine: it follows one trial at a time through
// continuous time, with the set of intervals of every service that is down.
// Work is proportional to what falls. One goroutine at a time.
type event struct {
	plan    *plan
	hits    []Probability // by rank
	exposed []uint32      // the ranks that can be hit
	tables  *repairTables
	horizon Minutes
	spared  uint32 // the rank that cannot be down, or nobody

	// Of the word of 64 trials that begin prepared.
	word    uint32 // its number from 1: a stamp
	binding uint64 // the counter of its binding bits
	repairs uint64 // and where its repair times begin
	block   uint64
	hitBits []uint64   // by exposed
	hitFrom [65]uint32 // those hit in lane l are hitList[hitFrom[l]:hitFrom[l+1]]
	hitList []uint32
	edges   []edge // parallel to plan.out

	// Of the trial. What has another stamp is as at the beginning.
	trial   uint32
	nodes   []node       // by rank
	groups  []groupState // by group
	todo    []uint64     // a bit for each rank that is to be visited
	spans   []span       // the arena of all intervals
	scratch []span
	sweep   []crossing
	fallen  []uint32 // the ranks that are down at some time, each once
}

// edge is what a service knows of a group that it supplies.
type edge struct {
	binds  uint64  // in which of the word's trials the group binds, if drawn is the word's
	drawn  uint32  // stamp of the word
	buffer Minutes // of a group of one supplier; -1 of a larger one
}

// node is a service in a trial.
type node struct {
	trial   uint32  // stamp; all below is of this trial
	from    uint32  // its intervals are spans[from:from+count]
	count   uint32  //
	room    uint32  // for so many intervals
	own     Minutes // its repair time, 0 if it is not hit
	longest Minutes // its longest interval
	head    uint32  // the last group marked, plus 1
}

// groupState is a requirement in a trial.
type groupState struct {
	trial  uint32
	next   uint32 // the group marked before it at its service, plus 1
	marked bool   // it binds and may fail: its service looks at it
}

func newEvent(p *plan, hits []Probability, tables *repairTables, horizon Minutes) *event {
	e := &event{
		plan: p, hits: hits, tables: tables, horizon: horizon, spared: nobody,
		edges: make([]edge, len(p.out)), nodes: make([]node, len(p.service)), groups: make([]groupState, len(p.groups)),
		todo: make([]uint64, (len(p.service)+63)/64),
	}
	for v, h := range hits {
		if h > 0 {
			e.exposed = append(e.exposed, uint32(v))
		}
	}
	e.hitBits = make([]uint64, len(e.exposed))
	for i, g := range p.out {
		e.edges[i].buffer = -1
		if p.groups[g].size == 1 {
			e.edges[i].buffer = p.groups[g].buffer
		}
	}
	return e
}

// prepare draws who is hit in the 64 trials of a word of a block.
func (e *event) prepare(seed, block uint64, word int) {
	e.word++
	e.block = block
	e.binding = start(seed, bindingStream, block) + uint64(word)*golden
	e.repairs = start(seed, repairStream, block) + uint64(word)*64*golden
	state := start(seed, hitStream, block) + uint64(word)*golden
	var count [65]uint32
	total := uint32(0)
	for i, v := range e.exposed {
		hit := live(state+uint64(e.plan.service[v])*edgeStride, e.hits[v], ^uint64(0))
		e.hitBits[i] = hit
		for ; hit != 0; hit &= hit - 1 {
			count[bits.TrailingZeros64(hit)]++
			total++
		}
	}
	for l := range 64 {
		e.hitFrom[l+1] = e.hitFrom[l] + count[l]
		count[l] = e.hitFrom[l]
	}
	e.hitList = grow(e.hitList, int(total))
	for i, v := range e.exposed {
		for hit := e.hitBits[i]; hit != 0; hit &= hit - 1 {
			l := bits.TrailingZeros64(hit)
			e.hitList[count[l]] = v
			count[l]++
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

// run follows the trial in one lane of the prepared word. Afterwards fallen and
// down tell what fell.
func (e *event) run(lane int) {
	e.trial++
	e.spans, e.fallen = e.spans[:0], e.fallen[:0]
	for _, v := range e.hitList[e.hitFrom[lane]:e.hitFrom[lane+1]] {
		random := mix(e.repairs + uint64(e.plan.service[v])*(golden*Lanes&(1<<64-1)) + uint64(lane)*golden)
		e.node(v).own = min(e.tables.duration(&e.plan.repair[v], random), e.horizon)
		e.todo[v>>6] |= 1 << (v & 63)
	}
	for w := 0; w < len(e.todo); {
		if e.todo[w] == 0 {
			w++
			continue
		}
		v := uint32(w<<6 + bits.TrailingZeros64(e.todo[w]))
		e.todo[w] &= e.todo[w] - 1
		// Only in a cycle does a visit ask for a rank before its own.
		w = min(w, e.visit(v, lane))
	}
}

// down returns the intervals of rank v, sorted, apart from each other, none empty.
func (e *event) down(v uint32) []span {
	n := &e.nodes[v]
	if n.trial != e.trial {
		return nil
	}
	return e.spans[n.from : n.from+n.count]
}

func (e *event) node(v uint32) *node {
	n := &e.nodes[v]
	if n.trial != e.trial {
		*n = node{trial: e.trial}
	}
	return n
}

// visit computes the intervals of rank v from what is known, tells those whom it
// supplies if there are more than before, and returns the first word of todo that
// then holds something.
func (e *event) visit(v uint32, lane int) int {
	if v == e.spared {
		return len(e.todo)
	}
	n := e.node(v)
	s := e.scratch[:0]
	if n.own > 0 {
		s = append(s, span{0, n.own})
	}
	restart := e.plan.restart[v]
	for i := n.head; i != 0; {
		g := &e.plan.groups[i-1]
		i = e.groups[i-1].next
		own := len(s)
		if g.size == 1 {
			s = append(s, e.down(g.supplier)...)
		} else {
			s = e.failures(s, g)
		}
		s = e.delay(s, own, g.buffer, restart)
	}
	s = join(s)
	e.scratch = s
	if len(s) == 0 || !e.keep(n, v, s) {
		return len(e.todo)
	}
	return e.tell(v, n, lane)
}

// delay turns the failures s[own:] of a group into the intervals in which its
// service is down for it.
func (e *event) delay(s []span, own int, buffer, restart Minutes) []span {
	kept := own
	for _, f := range s[own:] {
		if f.to-f.from > buffer {
			s[kept] = span{f.from + buffer, min(f.to+restart, e.horizon)}
			kept++
		}
	}
	return s[:kept]
}

// keep stores the intervals of a service and reports whether they differ from
// those before, which they can only hold.
func (e *event) keep(n *node, v uint32, s []span) bool {
	if uint32(len(s)) == n.count {
		same := true
		for i, old := range e.spans[n.from : n.from+n.count] {
			same = same && old == s[i]
		}
		if same {
			return false
		}
	}
	if n.count == 0 {
		e.fallen = append(e.fallen, v)
	}
	if uint32(len(s)) <= n.room {
		copy(e.spans[n.from:], s)
	} else {
		n.from, n.room = uint32(len(e.spans)), uint32(len(s))
		e.spans = append(e.spans, s...)
	}
	n.count = uint32(len(s))
	n.longest = 0
	for _, i := range s {
		n.longest = max(n.longest, i.to-i.from)
	}
	return true
}

// tell marks the groups that the fall of rank v may make fail, and their services
// as to be visited.
func (e *event) tell(v uint32, n *node, lane int) int {
	p := e.plan
	lowest := len(e.todo)
	from := p.outFirst[v]
	out := p.out[from:p.outFirst[v+1]]
	edges := e.edges[from:p.outFirst[v+1]]
	for i := range edges {
		d := &edges[i]
		if n.longest <= d.buffer {
			continue
		}
		g := out[i]
		if d.drawn != e.word {
			d.drawn = e.word
			d.binds = live(e.binding+uint64(p.groups[g].edge)*edgeStride, p.groups[g].binding, ^uint64(0))
		}
		if d.binds>>lane&1 == 0 {
			continue
		}
		if w := e.mark(g, d.buffer >= 0); w < lowest {
			lowest = w
		}
	}
	return lowest
}

// mark notes that a supplier of group g, which binds, is down, and returns where
// its service stands in todo if it is to be visited, or a number beyond.
func (e *event) mark(g uint32, single bool) int {
	state := &e.groups[g]
	if state.trial != e.trial {
		*state = groupState{trial: e.trial}
	}
	group := &e.plan.groups[g]
	if !single && !state.marked {
		down := uint32(0)
		for _, u := range e.plan.suppliers(group) {
			if e.nodes[u].trial == e.trial && e.nodes[u].count > 0 {
				down++
			}
		}
		if down < group.fails {
			return len(e.todo)
		}
	}
	v := group.service
	if !state.marked {
		n := e.node(v)
		state.marked, state.next, n.head = true, n.head, g+1
	}
	e.todo[v>>6] |= 1 << (v & 63)
	return int(v >> 6)
}
