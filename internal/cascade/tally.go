package cascade

import "math/bits"

const (
	shareBins = 1 << 12 // of the share lost at the worst moment
	curveBins = 1 << 8  // of the share lost at a sample time
)

// wide is a sum of 128 bits: squares of losses need more than 64.
type wide struct{ hi, lo uint64 }

func (w *wide) add(x uint64) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, x, 0)
	w.hi += carry
}

func (w *wide) addSquare(x uint64) { w.addProduct(x, x) }

func (w *wide) addProduct(x, y uint64) {
	hi, lo := bits.Mul64(x, y)
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, lo, 0)
	w.hi += hi + carry
}

func (w *wide) merge(o wide) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, o.lo, 0)
	w.hi += o.hi + carry
}

// float returns the nearest number, or one beside it.
func (w wide) float() float64 { return float64(float64(w.hi)*(1<<64)) + float64(w.lo) }

// tally is all that is kept of trials: sums and counts of whole numbers, so that
// it does not matter in which order tallies are merged. Its size does not depend
// on the number of trials.
type tally struct {
	trials  uint64
	worst   wide // Σ of what is lost at the worst moment
	squares wide // Σ of its square
	shares  []uint64

	restored []uint64 // by sample: trials of which a tenth of the worst is no longer lost from there on; the last: not before the horizon

	curve  []wide   // by sample: Σ of what is lost
	bins   []uint32 // by sample and bin of share
	limit  float64  // what is lost, to a bin of curve
	limit2 float64  // the same for shares

	falls    []uint64 // by rank: trials in which it is down at some time
	minutes  []uint64 // by rank: Σ of the minutes that it is down
	missions []mission
}

// mission is the tally of one mission.
type mission struct {
	rank    uint32
	minutes []uint64 // by sample: trials in which it is down for no longer than up to there
	squares wide
}

func newTally(p *plan, samples int, missions []uint32) *tally {
	t := &tally{
		shares: make([]uint64, shareBins+1), restored: make([]uint64, samples+1),
		curve: make([]wide, samples), bins: make([]uint32, samples*(curveBins+1)),
		limit: float64(curveBins) / float64(max(p.total, 1)), limit2: float64(shareBins) / float64(max(p.total, 1)),
		falls: make([]uint64, len(p.service)), minutes: make([]uint64, len(p.service)),
	}
	for _, m := range missions {
		t.missions = append(t.missions, mission{rank: m, minutes: make([]uint64, samples+1)})
	}
	return t
}

// loss counts one trial's loss at the worst moment.
func (t *tally) loss(lost uint64) {
	t.trials++
	t.worst.add(lost)
	t.squares.addSquare(lost)
	t.shares[int(float64(lost)*t.limit2)]++
}

// merge adds the trials of o.
func (t *tally) merge(o *tally) {
	t.trials += o.trials
	t.worst.merge(o.worst)
	t.squares.merge(o.squares)
	add(t.shares, o.shares)
	add(t.restored, o.restored)
	add(t.falls, o.falls)
	add(t.minutes, o.minutes)
	for i := range t.curve {
		t.curve[i].merge(o.curve[i])
	}
	for i, n := range o.bins {
		t.bins[i] += n
	}
	for i := range t.missions {
		add(t.missions[i].minutes, o.missions[i].minutes)
		t.missions[i].squares.merge(o.missions[i].squares)
	}
}

func add(to, from []uint64) {
	for i, n := range from {
		to[i] += n
	}
}
