package cascade

import "math/bits"

// countEvent adds the trial in one lane of the word that the event engine has
// just computed.
func (w *worker) countEvent(lane int) {
	t, e := w.tally, w.event
	peak, restored := w.eventPeak(lane)
	t.loss(uint64(peak))
	t.restored[restored]++
	for i, lost := range w.profile.level {
		t.sample(i, uint64(lost))
	}
	for _, f := range e.lane(lane) {
		t.falls[f.rank]++
		t.minutes[f.rank] += uint64(e.minutes(f))
	}
	for i := range t.missions {
		m := &t.missions[i]
		minutes := Minutes(0)
		if n := &e.nodes[m.rank]; n.lanes>>lane&1 != 0 {
			minutes = e.minutes(fall{m.rank, n.sets + uint32(bits.OnesCount64(n.lanes&(1<<lane-1)))})
		}
		m.add(w.profile.sample(minutes), minutes)
	}
}

// minutes returns how long something is down.
func (e *event) minutes(f fall) Minutes {
	first, more := e.intervals(f)
	m := first.to - first.from
	for _, s := range more {
		m += s.to - s.from
	}
	return m
}

// eventPeak fills the profile of the trial in a lane; see [profile.finish].
func (w *worker) eventPeak(lane int) (peak int64, restored int) {
	for _, f := range w.event.lane(lane) {
		cost := int64(w.plan.costs[w.plan.class[f.rank]])
		first, more := w.event.intervals(f)
		w.profile.add(first, cost)
		for _, s := range more {
			w.profile.add(s, cost)
		}
	}
	return w.profile.finish()
}

// sample counts what is lost at one sample time of one trial.
func (t *tally) sample(i int, lost uint64) {
	t.curve[i].add(lost)
	t.bins[i*(curveBins+1)+int(float64(lost)*t.limit)]++
}

func (m *mission) add(sample int, minutes Minutes) {
	m.minutes[sample]++
	m.squares.addSquare(uint64(minutes))
}

// countGrid adds the 64 trials that the grid has just computed.
func (w *worker) countGrid() {
	t, e := w.tally, w.grid
	lost, peaks := w.gridPeaks()
	for lane := range peaks {
		for i := range e.slices {
			t.sample(i, lost[i*64+lane])
		}
		restored := e.slices
		for restored > 0 && 10*lost[(restored-1)*64+lane] <= peaks[lane] {
			restored--
		}
		t.restored[restored]++
		t.loss(peaks[lane])
	}
	for v, any := range e.any {
		if any == 0 {
			continue
		}
		t.falls[v] += uint64(bits.OnesCount64(any))
		slices := 0
		for _, word := range e.at(uint32(v)) {
			slices += bits.OnesCount64(word)
		}
		t.minutes[v] += uint64(slices) * uint64(e.slice)
	}
	for i := range t.missions {
		m := &t.missions[i]
		for lane := range 64 {
			slices := 0
			for _, word := range e.at(m.rank) {
				slices += int(word >> lane & 1)
			}
			m.add(slices, Minutes(slices)*e.slice)
		}
	}
}

// gridPeaks weighs the 64 trials that the grid has just computed: what is lost by
// slice and lane, and at the worst moment by lane.
func (w *worker) gridPeaks() (lost []uint64, peaks [64]uint64) {
	e := w.grid
	w.scales.reset()
	for v, any := range e.any {
		if any != 0 {
			w.scales.add(w.plan.class[v], e.at(uint32(v)))
		}
	}
	lost = w.scales.weigh()
	for i := range e.slices {
		for lane, x := range lost[i*64 : i*64+64] {
			peaks[lane] = max(peaks[lane], x)
		}
	}
	return lost, peaks
}

// staticLost weighs the 512 trials that the static engine has just computed.
func (w *worker) staticLost() []uint64 {
	w.scales.reset()
	for v := range w.static.down {
		w.scales.add(w.plan.class[v], w.static.down[v][:])
	}
	return w.scales.weigh()
}

// countStatic adds the 512 trials that the static engine has just computed.
func (w *worker) countStatic() {
	t, e := w.tally, w.static
	for _, x := range w.staticLost() {
		t.loss(x)
		t.sample(0, x)
		if x == 0 {
			t.restored[0]++
		} else {
			t.restored[1]++
		}
	}
	for v := range e.down {
		n := 0
		for _, word := range &e.down[v] {
			n += bits.OnesCount64(word)
		}
		t.falls[v] += uint64(n)
	}
	for i := range t.missions {
		m := &t.missions[i]
		for _, word := range &e.down[m.rank] {
			n := bits.OnesCount64(word)
			m.minutes[0] += uint64(64 - n)
			m.minutes[1] += uint64(n)
		}
	}
}

// scales weigh many trials at once: for each class of equal cost they count, in
// binary digits of 64 lanes each, how many services of it are down, and multiply
// at the end. Columns are the words of a service: slices, or words of a block.
type scales struct {
	plan    *plan
	columns int
	planes  [][]uint64 // by class: digit by digit, columns each
	used    []int      // by class: how many digits are not all zero
	lost    []uint64   // by column and lane
}

func newScales(p *plan, rows, words int) *scales {
	s := &scales{plan: p, columns: rows * words, used: make([]int, len(p.costs)), lost: make([]uint64, rows*words*64)}
	for _, n := range p.count {
		s.planes = append(s.planes, make([]uint64, bits.Len32(n)*s.columns))
	}
	return s
}

func (s *scales) reset() {
	for class, used := range s.used {
		clear(s.planes[class][:used*s.columns])
		s.used[class] = 0
	}
}

// add counts one service of a class as down in the lanes of its words.
func (s *scales) add(class uint16, words []uint64) {
	planes := s.planes[class]
	used := s.used[class]
	for i, carry := range words {
		for digit := 0; carry != 0; digit++ {
			at := &planes[digit*s.columns+i]
			*at, carry = *at^carry, *at&carry
			used = max(used, digit+1)
		}
	}
	s.used[class] = used
}

// weigh returns what is lost, by column and lane.
func (s *scales) weigh() []uint64 {
	clear(s.lost)
	for class, used := range s.used {
		cost := s.plan.costs[class]
		for digit := range used {
			for i, word := range s.planes[class][digit*s.columns : (digit+1)*s.columns] {
				lost := s.lost[i*64 : i*64+64]
				for ; word != 0; word &= word - 1 {
					lost[bits.TrailingZeros64(word)] += cost << digit
				}
			}
		}
	}
	return s.lost
}
