package cascade

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"muster/internal/errs"
)

// A Parameter is something that nobody knows exactly and on which hits, repairs and
// requirements depend.
type Parameter int

// The parameters. Each multiplies what the register and the scenario say, but the
// last, and one is what they say themselves.
const (
	BaseOdds      Parameter = iota // the odds of every hit
	TotalRatio                     // the odds of a hit at the worst level beside those at the best, where controls help in full
	ControlsHelp                   // how far ordinary controls help
	RecoveryRatio                  // the median repair time at the worst level beside that at the best
	RepairTime                     // every median repair time
	BindingOdds                    // the odds that a requirement binds
	BufferLength                   // every buffer
	RestartLag                     // every restart lag
	UnknownLevel                   // the level of an owner of whom nothing is known, from 0, the worst, to 1

	Parameters = int(UnknownLevel) + 1 // how many there are
)

var parameterNames = [Parameters]string{
	"base-odds", "total-odds-ratio", "controls", "recovery-ratio", "repair-time", "binding-odds", "buffer-length", "restart-lag", "unknown-level",
}

func (p Parameter) String() string {
	if p >= 0 && int(p) < Parameters {
		return parameterNames[p]
	}
	return fmt.Sprintf("cascade.Parameter(%d)", int(p))
}

// A Law is what is believed of a parameter.
type Law struct {
	Median    float64
	Low, High float64 // of a lognormal law 5 and 95 per cent, of a uniform one its ends
	Uniform   bool    // else lognormal, each half with its own spread
}

// Check refuses a law that is none.
func (l Law) Check() error {
	ok := l.Low >= 0 && l.Low <= l.Median && l.Median <= l.High && l.High <= 1e6
	if !ok || !l.Uniform && l.Low <= 0 {
		return errs.New(errs.Invalid, fmt.Sprintf("%s, %s to %s is no range", number(l.Median), number(l.Low), number(l.High)), "low, median and high in this order, above 0, at most a million")
	}
	return nil
}

// Laws are what is believed of all parameters.
type Laws [Parameters]Law

func (l *Laws) check() error {
	for p := range l {
		if err := l[p].Check(); err != nil {
			return fmt.Errorf("%s: %w", Parameter(p), err)
		}
	}
	if u := l[UnknownLevel]; u.High > 1 {
		return errs.New(errs.Invalid, fmt.Sprintf("a level of %s", number(u.High)), "allowed: 0 to 1")
	}
	return nil
}

// half, tenth and ninetieth are shares of the 2^64 of a fraction.
const (
	half  = 1 << 63
	tenth = 1<<64/10 - 1
)

// z90 is how many standard deviations on either side hold 90 per cent of a normal
// law, in units of 1/65536.
const z90 = 107797

// at returns the value of which a share u, in units of 2^-64, lies below.
func (t *repairTables) at(l Law, u uint64) float64 {
	if l.Uniform {
		// Each side of the median has one half of the chance.
		x := float64(u>>11) / (1 << 53)
		if u < half {
			return l.Low + float64((l.Median-l.Low)*(2*x))
		}
		return l.Median + float64((l.High-l.Median)*(2*x-1))
	}
	z := t.z(u)
	median, to := log2Of(l.Median), log2Of(l.High)
	if z < 0 {
		to = 2*median - log2Of(l.Low)
	}
	return t.exp2Of(median + (to-median)*z/z90)
}

// z returns the standard normal quantile of a share in units of 2^-64, in units of
// 1/65536.
func (t *repairTables) z(u uint64) int64 {
	v, sign := u-half, int64(1)
	if u < half {
		v, sign = half-1-u, -1
	}
	cell := v >> 54 & (cells/2 - 1)
	between := int64(v >> 38 & (1<<16 - 1))
	z := t.normal[cell]
	return sign * (z + (t.normal[cell+1]-z)*between>>16)
}

// log2Of returns the binary logarithm of x in units of 1/65536.
func log2Of(x float64) int64 {
	fraction, exponent := math.Frexp(x)
	return log2(uint64(fraction*(1<<32))) + int64(exponent-32)*one
}

// exp2Of returns 2^x for x in units of 1/65536.
func (t *repairTables) exp2Of(x int64) float64 {
	at := x & (one - 1)
	cell := at >> 6
	m := t.exp2[cell] + (t.exp2[cell+1]-t.exp2[cell])*(at&63)>>6
	return math.Ldexp(float64(m), int(x>>16)-30)
}

// hypercube returns n draws of all parameters: of each, one in every n-th part of its
// chance, in an order of its own (a Latin hypercube).
func (t *repairTables) hypercube(l *Laws, n int, seed uint64) [][Parameters]float64 {
	draws := make([][Parameters]float64, n)
	order := make([]uint64, n)
	for p := range l {
		state := start(seed, hypercubeStream, uint64(p))
		next := func() uint64 {
			state += golden
			return mix(state)
		}
		for i := range order {
			order[i] = uint64(i)
		}
		for i := n - 1; i > 0; i-- {
			j, _ := bits.Mul64(next(), uint64(i+1))
			order[i], order[j] = order[j], order[i]
		}
		part := ^uint64(0) / uint64(n)
		for d := range draws {
			within, _ := bits.Mul64(next(), part)
			draws[d][p] = t.at(l[p], order[d]*part+within)
		}
	}
	return draws
}

const (
	hypercubeStream stream = 32 + iota
	levelStream            // of owners of whom nothing is known
	placeStream            // of those among a crowd
)

// An Outlook is a case and what its numbers hang on. The zero value of everything but
// the case means that controls help in full, all services have one owner, and
// nothing is known of it.
type Outlook struct {
	Case
	Controls []Probability // by service: how far ordinary controls help against the actor; nil is in full
	Owner    []int32       // by service: a number from 0
	Levels   []Level       // by owner; beyond its end nothing is known
	Crowd    *Crowd        // what is known of those of whom Levels says nothing; nil is nothing
}

// Level is how well an owner stands: 0 is the worst, 1 the best, and below 0
// unknown.
type Level struct {
	Resistance float64 // to being hit
	Recovery   float64 // in repairing
}

// check refuses what does not fit the graph.
func (o *Outlook) check() error {
	n := len(o.Graph.services)
	if o.Controls != nil && len(o.Controls) != n || o.Owner != nil && len(o.Owner) != n {
		return errs.New(errs.Invalid, "controls or owners are not those of the services", "one for each service, or none")
	}
	for _, owner := range o.Owner {
		if owner < 0 || int(owner) >= n {
			return errs.New(errs.Invalid, fmt.Sprintf("an owner with the number %d", owner), fmt.Sprintf("allowed: 0 to %d", n-1))
		}
	}
	if o.Crowd != nil {
		if err := o.Crowd.check(); err != nil {
			return err
		}
	}
	for _, l := range o.Levels {
		if !(l.Resistance <= 1 && l.Recovery <= 1) {
			return errs.New(errs.Invalid, "a level above 1", "allowed: 0 to 1, or below 0 where it is unknown")
		}
	}
	return nil
}

// under returns the case with values of the parameters. Who is unknown has the level
// that unknown gives; nil gives them all the one at which they stand on average.
func (o *Outlook) under(t *repairTables, x *[Parameters]float64, unknown func(owner int32, kind uint64) float64) Case {
	g := o.Graph
	if unknown == nil {
		level := o.onAverage(x[UnknownLevel])
		unknown = func(_ int32, kind uint64) float64 { return level.of(kind) }
	}
	services := append([]Service(nil), g.services...)
	requirements := append([]Requirement(nil), g.requirements...)
	s := Scenario{Hits: append([]Probability(nil), o.Scenario.Hits...), Repair: append([]Repair(nil), o.Scenario.Repair...)}
	ratio, recovery := log2Of(x[TotalRatio]), log2Of(x[RecoveryRatio])
	minutes := func(m Minutes, factor float64, least Minutes) Minutes {
		return max(least, Minutes(min(math.Round(float64(m)*factor), float64(MaxMinutes))))
	}
	// The power of a ratio that a level is worth, beside the middle of the scale.
	power := func(log2 int64, share, level float64) float64 {
		return t.exp2Of(int64(math.Round(float64(float64(log2) * float64(share*(0.5-level))))))
	}
	for v := range services {
		owner, controls := int32(0), 1.0
		if o.Owner != nil {
			owner = o.Owner[v]
		}
		if o.Controls != nil {
			controls = o.Controls[v].Float()
		}
		level := Level{-1, -1}
		if int(owner) < len(o.Levels) {
			level = o.Levels[owner]
		}
		if level.Resistance < 0 {
			level.Resistance = unknown(owner, 0)
		}
		if level.Recovery < 0 {
			level.Recovery = unknown(owner, 1)
		}
		if h := s.Hits[v]; h > 0 && h < Always {
			odds := x[BaseOdds] * power(ratio, min(1, controls*x[ControlsHelp]), level.Resistance)
			s.Hits[v] = lessLikely(h, 1/odds)
		}
		factor := x[RepairTime] * power(recovery, 1, level.Recovery)
		services[v].Repair.Median = minutes(services[v].Repair.Median, factor, 1)
		if s.Repair != nil && s.Repair[v].Median > 0 {
			s.Repair[v].Median = minutes(s.Repair[v].Median, factor, 1)
		}
		services[v].Restart = minutes(services[v].Restart, x[RestartLag], 0)
	}
	for i := range requirements {
		q := &requirements[i]
		if q.Binding < Always {
			q.Binding = lessLikely(q.Binding, 1/x[BindingOdds])
		}
		q.Buffer = minutes(q.Buffer, x[BufferLength], 0)
	}
	return Case{g.vary(services, requirements), s}
}

// places returns the owners of whom nothing is known, each with its place among the
// crowd. The crowd's draws are exchangeable; which owners have a place where there
// are more of them than the crowd has depends on the draw.
func (o *Outlook) places(seed uint64, draw int) map[int32]int {
	if o.Crowd == nil {
		return nil
	}
	unknown := o.unknown()
	begin := start(seed, placeStream, uint64(draw))
	slices.SortFunc(unknown, func(a, b int32) int {
		return cmp.Compare(mix(begin+uint64(a)*golden), mix(begin+uint64(b)*golden))
	})
	place := make(map[int32]int)
	for at, owner := range unknown[:min(len(unknown), o.Crowd.Owners)] {
		place[owner] = at
	}
	return place
}

// unknown returns the owners of whom nothing is known alone, or only one of two
// levels, in the order of their services.
func (o *Outlook) unknown() (owners []int32) {
	list := o.Owner
	if list == nil {
		list = []int32{0} // all services have one owner
	}
	seen := make(map[int32]bool)
	for _, owner := range list {
		known := int(owner) < len(o.Levels) && o.Levels[owner].Resistance >= 0 && o.Levels[owner].Recovery >= 0
		if !seen[owner] && !known {
			owners = append(owners, owner)
		}
		seen[owner] = true
	}
	return owners
}

// onAverage is how owners stand of whom nothing is known alone. Any of them may be
// among the crowd, as in the draws: where there are more of them than the crowd has,
// its average counts for as many as it has, and level for the others.
func (o *Outlook) onAverage(level float64) Level {
	if o.Crowd == nil {
		return Level{level, level}
	}
	n := len(o.unknown())
	in := min(n, o.Crowd.Owners)
	one := func(middle float64) float64 {
		switch {
		case middle < 0 || in == 0:
			return level
		case in == n:
			return middle
		}
		return (float64(float64(in)*middle) + float64(float64(n-in)*level)) / float64(n)
	}
	middle := o.Crowd.middle()
	return Level{one(middle.Resistance), one(middle.Recovery)}
}

// of returns resistance for kind 0 and recovery for kind 1.
func (l Level) of(kind uint64) float64 {
	if kind == 0 {
		return l.Resistance
	}
	return l.Recovery
}

// medians are the values of which one half lies below.
func (t *repairTables) medians(l *Laws) (x [Parameters]float64) {
	for p := range l {
		x[p] = t.at(l[p], half)
	}
	return x
}

// Likeliest returns the case at the median of every parameter: the case itself where
// these change nothing, as those of the default file do where nothing is known of owners.
func (o Outlook) Likeliest(l Laws) (Case, error) {
	if err := o.check(); err != nil {
		return Case{}, err
	}
	if err := l.check(); err != nil {
		return Case{}, err
	}
	t := newRepairTables()
	x := t.medians(&l)
	if c := o.under(t, &x, nil); !c.equal(o.Case) {
		return c, nil
	}
	return o.Case, nil
}

// equal compares cases of which one is the other with other numbers.
func (c Case) equal(other Case) bool {
	return slices.Equal(c.Scenario.Hits, other.Scenario.Hits) && slices.Equal(c.Scenario.Repair, other.Scenario.Repair) &&
		slices.Equal(c.Graph.services, other.Graph.services) &&
		slices.EqualFunc(c.Graph.requirements, other.Graph.requirements, func(a, b Requirement) bool {
			return a.Binding == b.Binding && a.Buffer == b.Buffer
		})
}

// drawn returns the case of a draw; unknown owners have levels of their own in it.
func (o *Outlook) drawn(t *repairTables, l *Laws, x *[Parameters]float64, seed uint64, draw int) Case {
	begin := start(seed, levelStream, uint64(draw))
	place := o.places(seed, draw)
	var levels []Level
	if o.Crowd != nil {
		levels = o.Crowd.draw(t, seed, draw)
	}
	return o.under(t, x, func(owner int32, kind uint64) float64 {
		if at, ok := place[owner]; ok {
			if l := levels[at].of(kind); l >= 0 {
				return l
			}
		}
		return t.at(l[UnknownLevel], mix(begin+(uint64(owner)*2+kind)*golden))
	})
}
