// Package cascade computes what falls together: a scenario hits some services,
// the loss spreads over what they require of each other, and repair brings it
// back, a hundred thousand times over.
//
//	g, err := cascade.NewGraph(services, requirements)
//	result, err := cascade.Run(ctx, g, cascade.Scenario{Hits: hits}, cascade.Options{Trials: 100_000, Seed: 1})
//
// # The model
//
// A hit [Service] is down from time 0 until its repair, which takes a lognormal
// time. A [Requirement] is a group of suppliers of which a service needs so many;
// it fails on the intervals in which fewer are up. Whether it binds is drawn once
// a trial. If it binds and one of the intervals lasts longer than its buffer, the
// service is down from the interval's start plus the buffer until its end plus the
// service's restart lag. What is down is the least fixed point of these rules: it
// is unique, and services may depend on each other in cycles. Hits are independent
// only given the scenario, which selects who shares the shock.
//
// # What it promises
//
// All of it is integers: times are minutes, probabilities sixteen binary digits,
// losses whole units. One seed gives the same result, and the same hash of it, on
// any processor and any number of threads. Nothing is allocated for a trial, and
// memory does not grow with their number. docs/design/cascade.md has the choices
// and the measurements.
package cascade

import (
	"fmt"
	"math"
	"strconv"
)

// Minutes is a time or a length of time, from the scenario's shock on.
type Minutes int32

// MaxMinutes is the longest time that a model may hold, some 32 years: sums of
// two of them do not overflow.
const MaxMinutes Minutes = 1 << 24

// Hours returns h hours, rounded to minutes. It refuses what is not a number,
// negative or longer than [MaxMinutes].
func Hours(h float64) (Minutes, error) {
	m := math.Round(h * 60)
	if !(m >= 0 && m <= float64(MaxMinutes)) { // not a number fails both
		return 0, fmt.Errorf("%s hours is no length of time from 0 to %d hours", number(h), MaxMinutes/60)
	}
	return Minutes(m), nil
}

// Hours returns m in hours.
func (m Minutes) Hours() float64 { return float64(m) / 60 }

// Probability is a probability, or another share of one, in units of 1/65536.
// Sixteen binary digits are exact in the engines; eight would bias the loss by
// seven per cent.
type Probability uint32

// Always is the probability 1.
const Always Probability = 1 << digits

// Chance returns p, rounded to the nearest unit. It refuses what is not a number
// or lies outside of 0 to 1.
func Chance(p float64) (Probability, error) {
	if !(p >= 0 && p <= 1) {
		return 0, fmt.Errorf("%s is no probability from 0 to 1", number(p))
	}
	return Probability(math.Round(p * float64(Always))), nil
}

// Float returns p as a number from 0 to 1.
func (p Probability) Float() float64 { return float64(p) / float64(Always) }

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// MaxWeight is the greatest weight of a service.
const MaxWeight = 1000

// A Service is something that can be down.
type Service struct {
	ID       string      // unique in its graph
	Weight   uint32      // how much of the whole it is, from 1 (0 counts for nothing) to [MaxWeight]
	Severity Probability // the share of its weight that is lost while it is down, above 0; a manual fallback lowers it
	Repair   Repair      // how long it is down when it is hit
	Restart  Minutes     // how much longer it is down once what it requires is back
	Mission  bool        // a purpose of the whole, of which results speak by name
}

// Repair is a lognormal length of time.
type Repair struct {
	Median Minutes // half of all repairs are shorter; at least 1
	Spread Spread  // the standard deviation of the logarithm
}

// Spread is the standard deviation of a natural logarithm, in units of 1/65536:
// 0 is a fixed time, 1<<16 makes one repair in six longer than 2.7 medians.
type Spread uint32

// MaxSpread is the widest spread, 4: one repair in forty takes 2,500 medians.
const MaxSpread Spread = 4 << 16

// Sigma returns s as a spread. It refuses what is not a number or lies outside
// of 0 to 4.
func Sigma(s float64) (Spread, error) {
	if !(s >= 0 && s <= 4) {
		return 0, fmt.Errorf("%s is no spread from 0 to 4", number(s))
	}
	return Spread(math.Round(s * (1 << 16))), nil
}

// A Requirement is a group of suppliers of which a service needs some.
type Requirement struct {
	Service   int32       // index of the service that requires
	Need      int32       // how many suppliers must be up, from 1 to all of them
	Name      string      // unique among the service's requirements
	Suppliers []int32     // indexes of services, without the service itself, each once
	Binding   Probability // that the service cannot do without, drawn once a trial
	Buffer    Minutes     // how long it can do without all the same
}

// A Scenario is a shock: who can be hit, and how likely each of them is. Hits are
// independent given the scenario; what they have in common (a vendor, a product, a
// region) is in who stands in it.
type Scenario struct {
	Hits   []Probability // for each service of the graph; 0 is not exposed
	Repair []Repair      // for each service how long its repair takes if not as usual; nil, or no median, is as usual
}
