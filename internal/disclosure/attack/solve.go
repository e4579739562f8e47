package attack

// The solver decides whether whole numbers exist that satisfy linear sums with
// sets of allowed values. It is complete: it narrows every number's range by what
// the sums allow, then splits what is left in two, until one world is found or
// none is left. Only its budget of splits can leave the question open.
//
// It splits first what has led to contradictions most often, and begins anew
// after growing numbers of splits: a wrong split near the root costs little then.

// verdict is what the solver found.
type verdict uint8

const (
	undecided  verdict = iota // the budget of splits is used up
	possible                  // a solution was found
	impossible                // there is none
)

type term struct {
	variable int
	weight   int // not 0
}

type sum struct {
	terms   []term
	allowed Values
}

// system is numbers with their ranges and the sums over them.
type system struct {
	low, high []int
	sums      []sum
	uses      [][]int // by number, the sums that it is in
}

// variable adds a number from low to high and returns its index.
func (s *system) variable(low, high int) int {
	s.low, s.high = append(s.low, low), append(s.high, high)
	s.uses = append(s.uses, nil)
	return len(s.low) - 1
}

// require adds a sum. Terms of one number are taken together.
func (s *system) require(allowed Values, terms ...term) {
	merged := make([]term, 0, len(terms))
	at := make(map[int]int, len(terms))
	for _, t := range terms {
		if i, ok := at[t.variable]; ok {
			merged[i].weight += t.weight
			continue
		}
		at[t.variable] = len(merged)
		merged = append(merged, t)
	}
	kept := merged[:0]
	for _, t := range merged {
		if t.weight != 0 {
			kept = append(kept, t)
		}
	}
	for _, t := range kept {
		s.uses[t.variable] = append(s.uses[t.variable], len(s.sums))
	}
	s.sums = append(s.sums, sum{kept, allowed})
}

// The widest sum that can occur: members times the largest weight stays far below.
const unbounded = 1 << 40

func atMost(n int) Values  { return Between(-unbounded, n) }
func atLeast(n int) Values { return Between(n, unbounded) }

// search is one run of the solver.
type search struct {
	*system
	low, high []int
	trail     []change
	queue     []int
	queued    []bool
	budget    int
	upward    func(variable int) bool // whether to try the upper half of a range first
	weight    []int                   // by number, how often a sum with it could not be
}

// change is a range as it was before it was narrowed.
type change struct{ variable, low, high int }

// within is a further range for one number.
type within struct{ variable, low, high int }

// firstRun is after how many splits the solver begins anew for the first time.
const firstRun = 64

// solve looks for a solution in which some numbers are within further ranges.
// upward says of which numbers to try large values first; budget is how many
// splits it may make.
func (s *system) solve(limits []within, upward func(int) bool, budget int) ([]int, verdict) {
	r := &search{
		system: s, low: append([]int(nil), s.low...), high: append([]int(nil), s.high...),
		queued: make([]bool, len(s.sums)), upward: upward, weight: make([]int, len(s.low)),
	}
	for v := range r.weight {
		r.weight[v] = len(s.uses[v]) + 1
	}
	for _, l := range limits {
		r.low[l.variable] = max(r.low[l.variable], l.low)
		r.high[l.variable] = min(r.high[l.variable], l.high)
	}
	for i := range r.low {
		if r.low[i] > r.high[i] {
			return nil, impossible
		}
	}
	for i := range s.sums {
		r.enqueue(i)
	}
	if !r.propagate() {
		return nil, impossible
	}
	root := len(r.trail)
	for run := firstRun; ; run *= 2 {
		r.budget = min(run, budget)
		budget -= r.budget
		switch r.descend() {
		case possible:
			return r.low, possible
		case impossible:
			return nil, impossible
		}
		if budget == 0 {
			return nil, undecided
		}
		r.undo(root)
	}
}

func (r *search) enqueue(i int) {
	if !r.queued[i] {
		r.queued[i] = true
		r.queue = append(r.queue, i)
	}
}

// set narrows a range and reports whether something is left of it.
func (r *search) set(v, low, high int) bool {
	low, high = max(low, r.low[v]), min(high, r.high[v])
	if low > high {
		return false
	}
	if low == r.low[v] && high == r.high[v] {
		return true
	}
	r.trail = append(r.trail, change{v, r.low[v], r.high[v]})
	r.low[v], r.high[v] = low, high
	for _, i := range r.uses[v] {
		r.enqueue(i)
	}
	return true
}

// undo restores the ranges as they were when the trail had that length.
func (r *search) undo(length int) {
	for len(r.trail) > length {
		c := r.trail[len(r.trail)-1]
		r.trail = r.trail[:len(r.trail)-1]
		r.low[c.variable], r.high[c.variable] = c.low, c.high
	}
	for _, i := range r.queue {
		r.queued[i] = false
	}
	r.queue = r.queue[:0]
}

// bounds returns the least and the largest value that a sum can have.
func (r *search) bounds(s *sum) (low, high int) {
	for _, t := range s.terms {
		if t.weight > 0 {
			low += t.weight * r.low[t.variable]
			high += t.weight * r.high[t.variable]
		} else {
			low += t.weight * r.high[t.variable]
			high += t.weight * r.low[t.variable]
		}
	}
	return low, high
}

// propagate narrows every range by every sum until nothing changes, and reports
// whether no range became empty.
func (r *search) propagate() bool {
	for len(r.queue) > 0 {
		i := r.queue[len(r.queue)-1]
		r.queue = r.queue[:len(r.queue)-1]
		r.queued[i] = false
		s := &r.sums[i]
		low, high := r.bounds(s)
		least, most, ok := s.allowed.within(low, high)
		if !ok {
			r.blame(s)
			return false
		}
		if least == low && most == high {
			continue
		}
		for _, t := range s.terms {
			// What the others leave: the sum without this term is in [otherLow, otherHigh].
			w, l, h := t.weight, r.low[t.variable], r.high[t.variable]
			var fromLow, fromHigh int
			if w > 0 {
				fromLow, fromHigh = ceilDiv(least-(high-w*h), w), floorDiv(most-(low-w*l), w)
			} else {
				fromLow, fromHigh = ceilDiv(most-(low-w*h), w), floorDiv(least-(high-w*l), w)
			}
			if fromLow > l || fromHigh < h {
				if !r.set(t.variable, fromLow, fromHigh) {
					r.blame(s)
					return false
				}
				low, high = r.bounds(s)
			}
		}
	}
	return true
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func ceilDiv(a, b int) int { return -floorDiv(-a, b) }

// blame notes that a sum could not be.
func (r *search) blame(s *sum) {
	for _, t := range s.terms {
		r.weight[t.variable]++
	}
}

// choose returns the number to split next, or -1 if all are fixed.
func (r *search) choose() int {
	best, score := -1, 0.0
	for v := range r.low {
		width := r.high[v] - r.low[v]
		if width == 0 {
			continue
		}
		if s := float64(r.weight[v]) / float64(width+1); best < 0 || s > score {
			best, score = v, s
		}
	}
	return best
}

// descend looks for a solution within the ranges as they are.
func (r *search) descend() verdict {
	if !r.propagate() {
		return impossible
	}
	if i, gap := r.divided(); i >= 0 {
		return r.splitSum(i, gap)
	}
	v := r.choose()
	if v < 0 {
		return possible
	}
	if r.budget--; r.budget < 0 {
		return undecided
	}
	low, high := r.low[v], r.high[v]
	mid := low + (high-low)/2
	halves := [2][2]int{{low, mid}, {mid + 1, high}}
	if r.upward != nil && r.upward(v) {
		halves[0], halves[1] = halves[1], halves[0]
	}
	length := len(r.trail)
	for _, half := range halves {
		if r.set(v, half[0], half[1]) {
			if found := r.descend(); found != impossible {
				return found
			}
		}
		r.undo(length)
	}
	return impossible
}

// divided returns a sum whose allowed values have a gap within what it can still
// be, and the values below the gap; -1 if there is none. Splitting at gaps first
// leaves sums over ranges alone, which narrow each other best.
func (r *search) divided() (index int, below valueRange) {
	for i := range r.sums {
		s := &r.sums[i]
		if len(s.allowed.ranges) < 2 {
			continue
		}
		low, high := r.bounds(s)
		first := -1
		for j, v := range s.allowed.ranges {
			if v.high < low || v.low > high {
				continue
			}
			if first >= 0 {
				return i, s.allowed.ranges[first]
			}
			first = j
		}
	}
	return -1, valueRange{}
}

// splitSum tries the values of a sum below a gap and those above it.
func (r *search) splitSum(i int, below valueRange) verdict {
	if r.budget--; r.budget < 0 {
		return undecided
	}
	whole := r.sums[i].allowed
	var under, over Values
	for _, v := range whole.ranges {
		if v.high <= below.high {
			under.ranges = append(under.ranges, v)
		} else {
			over.ranges = append(over.ranges, v)
		}
	}
	length := len(r.trail)
	parts := [2]Values{under, over}
	if r.upward != nil && r.upward(r.sums[i].terms[0].variable) {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		r.sums[i].allowed = part
		r.enqueue(i)
		found := r.descend()
		r.sums[i].allowed = whole
		if found != impossible {
			return found
		}
		r.undo(length)
	}
	return impossible
}
