package cascade

import (
	"fmt"
	"math"
	"slices"

	"muster/internal/errs"
)

// A Case is a graph under a scenario.
type Case struct {
	Graph    *Graph
	Scenario Scenario
}

// A Measure is something that can be done so that less is lost.
type Measure struct {
	ID      string
	Cost    uint32 // in units of the budget
	Actions []Action
}

// An Action is one thing that a measure does. The zero value of a field changes
// nothing.
type Action struct {
	Services []int32     // of which the next three fields speak
	Ratio    float64     // by how much the odds of their hits are divided; above 0
	Repair   float64     // what share of its time their repair still takes; above 0, at most 1
	Severity Probability // at most this is lost while one of them is down: a manual fallback

	Requirements []int32 // of which the next two speak
	Buffer       Minutes // is at least so long
	Substitutes  []int32 // are suppliers as well; how many are needed stays
}

// check refuses what is not in the graph or not in range.
func (m *Measure) check(g *Graph) error {
	refuse := func(what, allowed string) error {
		return errs.New(errs.Invalid, fmt.Sprintf("measure %s: %s", errs.Quote(m.ID), what), "allowed: "+allowed)
	}
	in := func(list []int32, n int) bool {
		return !slices.ContainsFunc(list, func(i int32) bool { return i < 0 || int(i) >= n })
	}
	for i := range m.Actions {
		a := &m.Actions[i]
		switch {
		case !in(a.Services, len(g.services)) || !in(a.Substitutes, len(g.services)):
			return refuse("a service that is not there", fmt.Sprintf("0 to %d", len(g.services)-1))
		case !in(a.Requirements, len(g.requirements)):
			return refuse("a requirement that is not there", fmt.Sprintf("0 to %d", len(g.requirements)-1))
		case !(a.Ratio >= 0 && a.Ratio <= 1e6):
			return refuse("odds divided by "+number(a.Ratio), "above 0, at most a million")
		case !(a.Repair >= 0 && a.Repair <= 1):
			return refuse("repair that takes "+number(a.Repair)+" of its time", "above 0, at most 1")
		case a.Severity > Always:
			return refuse("a severity of "+number(a.Severity.Float()), "above 0, at most 1")
		case a.Buffer < 0 || a.Buffer > MaxMinutes:
			return refuse(fmt.Sprintf("a buffer of %d minutes", a.Buffer), fmt.Sprintf("0 to %d minutes", MaxMinutes))
		}
	}
	return nil
}

// Apply returns c with measures taken. Services and requirements keep their places,
// so that the case and c have their random bits in common.
func (c Case) Apply(measures ...Measure) (Case, error) {
	return c.apply(measures, func(int32) bool { return true })
}

// apply is Apply on those services alone that are theirs, and on what these
// require.
func (c Case) apply(measures []Measure, theirs func(service int32) bool) (Case, error) {
	g := c.Graph
	services, requirements := slices.Clone(g.services), slices.Clone(g.requirements)
	s := Scenario{Hits: slices.Clone(c.Scenario.Hits), Repair: slices.Clone(c.Scenario.Repair)}
	rewired := false
	for i := range measures {
		if err := measures[i].check(g); err != nil {
			return Case{}, err
		}
		for j := range measures[i].Actions {
			a := &measures[i].Actions[j]
			for _, v := range a.Services {
				if theirs(v) {
					a.onService(v, services, s)
				}
			}
			for _, q := range a.Requirements {
				if theirs(requirements[q].Service) {
					rewired = a.onRequirement(&requirements[q]) || rewired
				}
			}
		}
	}
	if !rewired {
		return Case{g.vary(services, requirements), s}, nil
	}
	changed, err := NewGraph(services, requirements)
	if err != nil {
		return Case{}, fmt.Errorf("take measures: %w", err)
	}
	return Case{changed, s}, nil
}

func (a *Action) onService(v int32, services []Service, s Scenario) {
	if a.Ratio > 0 {
		s.Hits[v] = lessLikely(s.Hits[v], a.Ratio)
	}
	if a.Repair > 0 {
		shorten := func(r *Repair) { r.Median = max(1, Minutes(math.Round(float64(r.Median)*a.Repair))) }
		shorten(&services[v].Repair)
		if s.Repair != nil && s.Repair[v].Median > 0 {
			shorten(&s.Repair[v])
		}
	}
	if a.Severity > 0 {
		services[v].Severity = min(services[v].Severity, a.Severity)
	}
}

// onRequirement reports whether suppliers were added.
func (a *Action) onRequirement(q *Requirement) bool {
	q.Buffer = max(q.Buffer, a.Buffer)
	before := len(q.Suppliers)
	for _, u := range a.Substitutes {
		if u != q.Service && !slices.Contains(q.Suppliers, u) {
			q.Suppliers = append(slices.Clip(q.Suppliers), u)
		}
	}
	return len(q.Suppliers) > before
}

// lessLikely divides the odds of p.
func lessLikely(p Probability, ratio float64) Probability {
	if p == 0 || p >= Always && ratio >= 1 {
		return p // what is certain has no odds
	}
	x := p.Float()
	return Probability(math.Round(float64(x / (x + float64(ratio*(1-x))) * float64(Always))))
}

// vary returns the graph with other numbers: the same services requiring the same
// suppliers. It shares the plan's order with g and has no digest.
func (g *Graph) vary(services []Service, requirements []Requirement) *Graph {
	p := *g.plan
	p.groups = slices.Clone(p.groups)
	for i := range p.groups {
		q := &requirements[p.groups[i].edge]
		p.groups[i].binding, p.groups[i].buffer = q.Binding, q.Buffer
	}
	varied := &Graph{services: services, requirements: requirements, plan: &p}
	same := true
	for i := range services {
		same = same && services[i].Severity == g.services[i].Severity && services[i].Weight == g.services[i].Weight
	}
	if !same {
		p.total, p.costs = 0, nil
		p.weigh(varied)
		return varied
	}
	p.repair, p.restart = slices.Clone(p.repair), slices.Clone(p.restart)
	for v, s := range p.service {
		if services[s].Repair != g.services[s].Repair {
			p.repair[v] = newRepair(services[s].Repair)
		}
		p.restart[v] = services[s].Restart
	}
	return varied
}

// named returns the graph's digest, computed now where it has none yet.
func (g *Graph) named() string {
	if g.digest == "" {
		return g.hash()
	}
	return g.digest
}
