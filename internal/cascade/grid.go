package cascade

import "math/bits"

// grid is the bit-parallel engine with time: 64 trials side by side, time cut in
// slices. Where all times are multiples of a slice it finds exactly what the
// event engine finds; elsewhere times are rounded to the nearest slice. Its work
// depends on the size of the graph and hardly on how much falls. One goroutine at
// a time.
type grid struct {
	plan   *plan
	hits   []Probability // by rank
	tables *repairTables
	slice  Minutes
	slices int

	spared uint32 // the rank that cannot be down, or nobody
	only   uint64 // the lanes that are asked for

	down  []uint64 // by rank and slice: the lanes in which it is down
	any   []uint64 // by rank: the lanes in which it is down at some time
	dirty []bool

	fell []uint64 // one service's slices, of all its requirements
	work []uint64 // and of one of them
}

func newGrid(p *plan, hits []Probability, tables *repairTables, slice Minutes, slices int) *grid {
	n := len(p.service)
	return &grid{
		plan: p, hits: hits, tables: tables, slice: slice, slices: slices, spared: nobody, only: ^uint64(0),
		down: make([]uint64, n*slices), any: make([]uint64, n), dirty: make([]bool, n),
		fell: make([]uint64, slices), work: make([]uint64, slices),
	}
}

// round returns how many slices are nearest to t.
func (e *grid) round(t Minutes) int { return int((t + e.slice/2) / e.slice) }

// at returns the slices of rank v.
func (e *grid) at(v uint32) []uint64 { return e.down[int(v)*e.slices:][:e.slices] }

// run fills down and any for the 64 trials of one word of a block.
func (e *grid) run(seed, block uint64, word int) {
	binding := start(seed, bindingStream, block) + uint64(word)*golden
	e.hit(seed, block, word)
	cycles := e.plan.cycles
	for v := uint32(0); int(v) < len(e.any); v++ {
		if len(cycles) > 0 && cycles[0].first == v {
			e.settle(binding, cycles[0])
			v = cycles[0].end - 1
			cycles = cycles[1:]
			continue
		}
		e.pull(binding, v)
	}
}

// hit sets who is hit, and how long its repair takes.
func (e *grid) hit(seed, block uint64, word int) {
	state := start(seed, hitStream, block) + uint64(word)*golden
	repairs := start(seed, repairStream, block) + uint64(word)*64*golden
	for v, h := range e.hits {
		d := e.at(uint32(v))
		clear(d)
		e.any[v] = 0
		if h == 0 || uint32(v) == e.spared {
			continue
		}
		s := uint64(e.plan.service[v])
		hit := live(state+s*edgeStride, h, e.only)
		e.any[v] = hit
		for ; hit != 0; hit &= hit - 1 {
			lane := bits.TrailingZeros64(hit)
			time := e.tables.duration(&e.plan.repair[v], mix(repairs+s*(golden*Lanes&(1<<64-1))+uint64(lane)*golden))
			for i := range min(max(e.round(time), 1), e.slices) {
				d[i] |= 1 << lane
			}
		}
	}
}

// pull adds to the slices of rank v what its requirements bring, and reports
// whether that was anything new.
func (e *grid) pull(binding uint64, v uint32) bool {
	if v == e.spared {
		return false
	}
	p := e.plan
	groups := p.groups[p.first[v]:p.first[v+1]]
	touched := false
	for i := range groups {
		g := &groups[i]
		pending := e.may(g)
		if pending == 0 {
			continue
		}
		binds := live(binding+uint64(g.edge)*edgeStride, g.binding, pending)
		if binds == 0 {
			continue
		}
		if !touched {
			clear(e.fell)
			touched = true
		}
		e.fail(g, binds)
	}
	return touched && e.fall(v)
}

// may returns the lanes in which so many suppliers of g are down, each at some
// time, that it may fail.
func (e *grid) may(g *group) uint64 {
	if g.size == 1 {
		return e.any[g.supplier]
	}
	var c counter
	for _, u := range e.plan.suppliers(g) {
		c.add(e.any[u])
	}
	return c.atLeast(g.fails)
}

// fail adds to fell the slices in which g has failed for longer than its buffer,
// in the lanes of binds.
func (e *grid) fail(g *group, binds uint64) {
	buffer := e.round(g.buffer)
	if buffer >= e.slices {
		return
	}
	if g.size == 1 && buffer == 0 {
		fell := e.fell
		for i, word := range e.at(g.supplier)[:len(fell)] {
			fell[i] |= word & binds
		}
		return
	}
	work := e.work
	e.failures(work, g, binds)
	for done := 0; done < buffer; { // sliding AND over buffer+1 slices, by doubling
		shift := min(done+1, buffer-done)
		for i := len(work) - 1; i >= shift; i-- {
			work[i] &= work[i-shift]
		}
		clear(work[:shift])
		done += shift
	}
	for i, word := range work {
		e.fell[i] |= word
	}
}

// failures sets work to the slices in which g fails, in the lanes of binds.
func (e *grid) failures(work []uint64, g *group, binds uint64) {
	members := e.plan.suppliers(g)
	for i, word := range e.at(members[0]) {
		work[i] = word & binds
	}
	switch g.fails {
	case 1:
		for _, u := range members[1:] {
			for i, word := range e.at(u) {
				work[i] |= word & binds
			}
		}
	case g.size:
		for _, u := range members[1:] {
			for i, word := range e.at(u) {
				work[i] &= word
			}
		}
	default:
		for i := range work {
			var c counter
			for _, u := range members {
				c.add(e.down[int(u)*e.slices+i] & binds)
			}
			work[i] = c.atLeast(g.fails)
		}
	}
}

// fall adds fell, lengthened by the restart lag, to the slices of rank v.
func (e *grid) fall(v uint32) bool {
	fell := e.fell
	lag := min(e.round(e.plan.restart[v]), e.slices)
	for done := 0; done < lag; { // sliding OR over lag+1 slices
		shift := min(done+1, lag-done)
		for i := len(fell) - 1; i >= shift; i-- {
			fell[i] |= fell[i-shift]
		}
		done += shift
	}
	d := e.at(v)
	more, all := uint64(0), uint64(0)
	for i, word := range fell {
		more |= word &^ d[i]
		all |= word
		d[i] |= word
	}
	e.any[v] |= all
	return more != 0
}

// settle repeats pull on the services of a cycle until nothing changes.
func (e *grid) settle(binding uint64, c cycle) {
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
			if !e.pull(binding, v) {
				continue
			}
			for _, i := range e.plan.out[e.plan.outFirst[v]:e.plan.outFirst[v+1]] {
				if u := e.plan.groups[i].service; c.first <= u && u < c.end {
					e.dirty[u] = true
					left = left || u <= v
				}
			}
		}
	}
}
