package cascade

import (
	"cmp"
	"slices"
)

// profile is what is lost over time in one trial: exact at the sample times 0,
// step, 2·step and so on before the horizon, and with an exact maximum between
// them. It is reset by finish. One goroutine at a time.
type profile struct {
	step  Minutes
	magic uint64  // 2^40/step, rounded up: a division by multiplication
	net   []int64 // by sample: what is lost more than at the sample before
	inner []inner // by sample: what happens between the sample before and it
	level []int64 // by sample: what is lost
	moves []move
	sort  []move
}

type inner struct {
	up    int64 // the sum of all that goes down
	moves int32 // the last of moves, plus 1
}

// move is a change of what is lost between two samples.
type move struct {
	at   Minutes
	next int32
	cost int64
}

// maxHorizon keeps the division of times by the step exact, and is some four years.
const maxHorizon Minutes = 1 << 21

func newProfile(horizon Minutes, samples int) *profile {
	step := (horizon + Minutes(samples) - 1) / Minutes(samples)
	n := int((horizon + step - 1) / step)
	return &profile{
		step: step, magic: 1<<40/uint64(step) + 1,
		net: make([]int64, n+1), inner: make([]inner, n+1), level: make([]int64, n),
	}
}

// sample returns the first sample at or after t.
func (p *profile) sample(t Minutes) int { return int(uint64(t+p.step-1) * p.magic >> 40) }

// add says that cost is lost during s.
func (p *profile) add(s span, cost int64) {
	from, to := p.sample(s.from), p.sample(s.to)
	p.net[from] += cost
	p.net[to] -= cost
	if Minutes(from)*p.step != s.from {
		p.inner[from].up += cost
		p.move(from, s.from, cost)
	}
	if Minutes(to)*p.step != s.to {
		p.move(to, s.to, -cost)
	}
}

func (p *profile) move(sample int, at Minutes, cost int64) {
	last := &p.inner[sample].moves
	p.moves = append(p.moves, move{at, *last, cost})
	*last = int32(len(p.moves))
}

// finish fills level and returns the most that is lost at any moment, and the
// first sample from which on no more than a tenth of that is; len(level) if there
// is none.
func (p *profile) finish() (peak int64, restored int) {
	lost := int64(0)
	for i := range p.level {
		lost += p.net[i]
		p.level[i] = lost
		p.net[i] = 0
		peak = max(peak, lost)
	}
	p.net[len(p.level)] = 0
	before := int64(0)
	for i := range p.inner {
		// Before sample i no more can be lost than all that goes down together.
		if in := &p.inner[i]; in.moves != 0 {
			if in.up > 0 && before+in.up > peak {
				peak = max(peak, before+p.highest(in.moves))
			}
			*in = inner{}
		}
		if i < len(p.level) {
			before = p.level[i]
		}
	}
	p.moves = p.moves[:0]
	restored = len(p.level)
	for restored > 0 && 10*p.level[restored-1] <= peak {
		restored--
	}
	return peak, restored
}

// highest returns the most by which a chain of moves exceeds what was lost before.
func (p *profile) highest(chain int32) int64 {
	s := p.sort[:0]
	for ; chain != 0; chain = p.moves[chain-1].next {
		s = append(s, p.moves[chain-1])
	}
	p.sort = s
	// What comes back at a moment does so before anything goes down.
	slices.SortFunc(s, func(a, b move) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.cost, b.cost)) })
	lost, most := int64(0), int64(0)
	for _, m := range s {
		lost += m.cost
		most = max(most, lost)
	}
	return most
}
