package cascade

import (
	"context"
	"fmt"
	"math"
	"slices"

	"muster/internal/errs"
)

// InvestOptions say what is looked for.
type InvestOptions struct {
	Options             // Trials are of the result; a quarter of them, at least 1,024, choose
	Budget    uint32    // what the measures may cost together
	Objective Objective // what is to become less; empty is [AtWorst]
	Confirm   int       // how many measures are tried in the timed engine; 0 is 48. The others are left out by rank
	Owners    []string  // of the services; nil is one owner of all
}

// An Investment is a choice of measures. It is the best that a search by gain per
// cost, by gain, from the best pair, and by exchanges found: what measures gain
// together is neither at most nor at least the sum of what they gain alone, so
// nothing is promised of how near the optimum it is. What it gains was measured on
// trials that did not take part in choosing.
type Investment struct {
	Format     string    `json:"format"`
	Engine     Engine    `json:"engine"`
	Seed       uint64    `json:"seed"`
	Trials     uint64    `json:"trials"`
	Complete   bool      `json:"complete"` // the search came to its end, and all trials were done
	Tried      int       `json:"sets_tried"`
	Horizon    float64   `json:"horizon_hours"`
	Graph      string    `json:"graph_digest"`
	Parameters string    `json:"parameter_digest"`
	Hash       string    `json:"result_hash,omitempty"`
	Objective  Objective `json:"objective"`
	Budget     uint32    `json:"budget"`
	Measures   int       `json:"measures"`
	Confirmed  int       `json:"confirmed"`
	Before     float64   `json:"before"` // of the objective: a share, or hours
	Steps      []Step    `json:"steps"`
	Alone      []Gain    `json:"alone"` // every confirmed measure by itself, best gain per cost first
	Dividend   *Dividend `json:"collective_dividend,omitempty"`
}

// Step is one measure of the choice, in the order of gain per cost.
type Step struct {
	Measure string     `json:"measure"`
	Cost    uint32     `json:"cost"`
	Total   uint32     `json:"total_cost"`
	Gain    Difference `json:"gain"`  // of this step: before it, after it
	Joint   Difference `json:"joint"` // of all steps so far
	Reason  Reason     `json:"reason"`
}

// Gain is what a measure changes by itself.
type Gain struct {
	Measure string     `json:"measure"`
	Cost    uint32     `json:"cost"`
	Gain    Difference `json:"gain"`
	Stable  *float64   `json:"in_top_5,omitempty"` // in what share of the draws; see [Stability]
}

// Reason is what can be said of why a measure helps.
type Reason struct {
	Services int     `json:"services"` // that it touches
	Owners   int     `json:"owners"`   // of these
	Share    float64 `json:"share"`    // of what is lost without any measure that it spares by itself
	Mission  string  `json:"mission,omitempty"`
	Hours    float64 `json:"mission_hours,omitempty"` // by how much less that mission is down: the one that it helps most
}

// Dividend is what owners gain together beyond the sum of what each gains by taking
// the same measures on its own services alone.
type Dividend struct {
	Joint float64      `json:"joint"`
	Sum   float64      `json:"sum_of_single_gains"`
	Extra float64      `json:"extra"` // joint less sum; it may be negative
	Error float64      `json:"half_width"`
	Owner []OwnersGain `json:"owners"`
}

// OwnersGain is what one owner's part gains by itself.
type OwnersGain struct {
	Owner string  `json:"owner"`
	Gain  float64 `json:"gain"`
	Error float64 `json:"half_width"`
}

const investmentFormat = "muster cascade investment v1"

const (
	defaultConfirm = 48
	leastSearch    = 2 // blocks
)

// Invest chooses measures within a budget. If ctx ends before the search does, the
// result is the best set that was tried until then, measured on one block of fresh
// trials, and says so; how far the search came depends on the moment, so it has no
// hash. Where not even a single measure was tried it is ctx's error.
func Invest(ctx context.Context, c Case, measures []Measure, o InvestOptions) (*Investment, error) {
	s, err := newSearch(ctx, c, measures, o)
	if err != nil {
		return nil, err
	}
	chosen := s.choose()
	if ctx.Err() != nil {
		return s.unfinished()
	}
	v, err := s.result(chosen)
	if ctx.Err() != nil {
		return s.unfinished()
	}
	return v, err
}

// search looks for a choice. Sets of measures are sorted lists of indexes.
type search struct {
	ctx      context.Context
	c        Case
	measures []Measure
	options  InvestOptions
	base     *runner
	of       func(*outcomes, int) uint64
	scale    float64
	blocks   int // that choose: from 0
	tried    []int
	near     []int              // of these, the ones that exchanges try
	values   map[string]float64 // by set: Σ of the objective; infinite where ctx ended before it was known
	best     []int              // of the sets with a known value, the least, but for the empty one
}

func newSearch(ctx context.Context, c Case, measures []Measure, o InvestOptions) (*search, error) {
	if len(measures) == 0 {
		return nil, errs.New(errs.Invalid, "there is no measure to choose from", "name one or more")
	}
	for i := range measures {
		if err := measures[i].check(c.Graph); err != nil {
			return nil, err
		}
	}
	if o.Owners != nil && len(o.Owners) != len(c.Graph.services) {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("there are %d owners for %d services", len(o.Owners), len(c.Graph.services)), "one for each service, or none")
	}
	if o.Objective == "" {
		o.Objective = AtWorst
	}
	if o.Confirm == 0 {
		o.Confirm = defaultConfirm
	}
	base, err := newRunner(c.Graph, c.Scenario, o.Options)
	if err != nil {
		return nil, err
	}
	o.Options = base.options
	s := &search{ctx: ctx, c: c, measures: measures, options: o, base: base, values: make(map[string]float64)}
	if s.of, s.scale, err = base.objective(o.Objective); err != nil {
		return nil, err
	}
	s.blocks = max(leastSearch, base.blocks()/4)
	s.tried = make([]int, len(measures))
	for i := range measures {
		s.tried[i] = i
	}
	if len(measures) > o.Confirm {
		order, err := rank(c, measures, o.Seed)
		if err != nil {
			return nil, err
		}
		s.tried = order[:o.Confirm]
		slices.Sort(s.tried)
	}
	s.tried = slices.DeleteFunc(s.tried, func(i int) bool { return measures[i].Cost > o.Budget })
	return s, nil
}

func key(set []int) string { // of nil as of an empty set
	return fmt.Sprint(set)
}

// with returns a set and i, sorted.
func with(set []int, i int) []int {
	at, _ := slices.BinarySearch(set, i)
	return slices.Insert(slices.Clone(set), at, i)
}

// without returns a set less i.
func without(set []int, i int) []int {
	return slices.DeleteFunc(slices.Clone(set), func(j int) bool { return i == j })
}

func (s *search) cost(set []int) uint64 {
	sum := uint64(0)
	for _, i := range set {
		sum += uint64(s.measures[i].Cost)
	}
	return sum
}

func (s *search) affords(set []int) bool { return s.cost(set) <= uint64(s.options.Budget) }

// taken returns the runner of the case with a set of measures, on the services of
// an owner alone if one is named.
func (s *search) taken(set []int, owner *string) (*runner, error) {
	var list []Measure
	for _, i := range set {
		list = append(list, s.measures[i])
	}
	c, err := s.c.apply(list, func(v int32) bool { return owner == nil || s.options.Owners[v] == *owner })
	if err != nil {
		return nil, err
	}
	o := s.options.Options
	o.Progress = nil
	return newRunner(c.Graph, c.Scenario, o)
}

// evaluate fills values for sets, on the threads of the run. Measures were checked,
// so that a set cannot be refused; one that is counts for nothing.
func (s *search) evaluate(sets [][]int) {
	var missing [][]int
	known := make(map[string]bool)
	for _, set := range sets {
		k := key(set)
		if _, ok := s.values[k]; !ok && !known[k] {
			known[k] = true
			missing = append(missing, set)
		}
	}
	found := make([]float64, len(missing))
	for i := range found {
		found[i] = math.Inf(1)
	}
	s.base.spread(s.ctx, len(missing), func(i int) {
		if r, err := s.taken(missing[i], nil); err == nil {
			found[i] = s.sum(r)
		}
	})
	for i, set := range missing {
		s.values[key(set)] = found[i]
		if least, ok := s.values[key(s.best)]; len(set) > 0 && (!ok || s.best == nil || found[i] < least) && !math.IsInf(found[i], 1) {
			s.best = set
		}
	}
	if s.options.Progress != nil && len(missing) > 0 {
		s.options.Progress(len(s.values)*Lanes, 0)
	}
}

// sum returns the objective of the choosing trials, or infinity where ctx ended.
func (s *search) sum(r *runner) float64 {
	w := r.worker()
	var (
		o     outcomes
		total wide
	)
	for b := range uint64(s.blocks) {
		if s.ctx.Err() != nil {
			return math.Inf(1)
		}
		w.outcomes(b, &o)
		for i := range Lanes {
			total.add(s.of(&o, i))
		}
	}
	return total.float()
}

// value returns what is lost with a set, evaluating it if need be.
func (s *search) value(set []int) float64 {
	s.evaluate([][]int{set})
	return s.values[key(set)]
}

// choose searches.
func (s *search) choose() []int {
	s.evaluate(append(s.singles(nil, s.tried), []int{}))
	byGain := func(gain float64, _ uint32) float64 { return gain }
	byCost := func(gain float64, cost uint32) float64 { return gain / float64(max(cost, 1)) }
	s.near = s.promising()
	best := s.greedy(nil, byCost)
	for _, other := range [][]int{s.greedy(nil, byGain), s.greedy(s.bestPair(), byCost)} {
		if s.value(other) < s.value(best) {
			best = other
		}
	}
	return s.exchange(best)
}

// singles returns a set with each of the candidates that it has not and can afford.
func (s *search) singles(set, candidates []int) (sets [][]int) {
	for _, i := range candidates {
		if next := with(set, i); !slices.Contains(set, i) && s.affords(next) {
			sets = append(sets, next)
		}
	}
	return sets
}

// greedy adds to set what is best until nothing helps.
func (s *search) greedy(set []int, better func(gain float64, cost uint32) float64) []int {
	for s.ctx.Err() == nil {
		candidates := s.near
		if len(set) == 0 {
			candidates = s.tried
		}
		sets := s.singles(set, candidates)
		s.evaluate(sets)
		now := s.value(set)
		best, most := []int(nil), 0.0
		for _, next := range sets {
			cost := s.cost(next) - s.cost(set)
			if x := better(now-s.values[key(next)], uint32(cost)); x > most {
				best, most = next, x
			}
		}
		if best == nil {
			return set
		}
		set = best
	}
	return set
}

// nearOf is how many measures a choice is made of, from the best alone by gain for
// cost and by gain.
const nearOf = 12

// promising returns the measures that are tried beside others: the best alone, and
// those of the best pair.
func (s *search) promising() []int {
	nothing := s.value(nil)
	keep := make(map[int]bool)
	for _, i := range s.bestPair() {
		keep[i] = true
	}
	gain := func(i int) float64 { return nothing - s.value([]int{i}) }
	for _, worth := range []func(i int) float64{gain, func(i int) float64 { return gain(i) / float64(max(s.measures[i].Cost, 1)) }} {
		order := slices.Clone(s.tried)
		slices.SortStableFunc(order, func(a, b int) int { return compareFloat(worth(b), worth(a)) })
		for _, i := range order[:min(nearOf, len(order))] {
			keep[i] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(s.tried), func(i int) bool { return !keep[i] })
}

// pairsOf is how many measures are tried in pairs, best alone first.
const pairsOf = 6

// bestPair returns the two that gain most together, of those that gain most alone
// and of those that gain nothing alone: two substitutes may be worth nothing without
// each other.
func (s *search) bestPair() []int {
	order := slices.Clone(s.tried)
	slices.SortStableFunc(order, func(a, b int) int { return compareFloat(s.value([]int{a}), s.value([]int{b})) })
	if len(order) > 2*pairsOf {
		order = append(order[:pairsOf:pairsOf], order[len(order)-pairsOf:]...)
	}
	var sets [][]int
	for i, a := range order {
		for _, b := range order[i+1:] {
			if set := with([]int{a}, b); s.affords(set) {
				sets = append(sets, set)
			}
		}
	}
	s.evaluate(sets)
	var best []int
	for _, set := range sets {
		if best == nil || s.values[key(set)] < s.values[key(best)] {
			best = set
		}
	}
	return best
}

func compareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// exchangeRounds is how often a choice is improved at most.
const exchangeRounds = 4

// exchange replaces one measure by another, or leaves one out and adds what then
// can be afforded, as long as that helps.
func (s *search) exchange(set []int) []int {
	for range exchangeRounds {
		var sets [][]int
		for _, i := range set {
			sets = append(sets, s.singles(without(set, i), slices.DeleteFunc(slices.Clone(s.near), func(j int) bool { return i == j }))...)
		}
		s.evaluate(sets)
		best := set
		for _, next := range sets {
			if s.values[key(next)] < s.values[key(best)] {
				best = next
			}
		}
		if key(best) == key(set) || s.ctx.Err() != nil {
			break
		}
		set = s.greedy(best, func(gain float64, cost uint32) float64 { return gain / float64(max(cost, 1)) })
	}
	return set
}
