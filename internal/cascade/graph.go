package cascade

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"muster/internal/errs"
)

// The limits of a graph.
const (
	MaxServices     = 1 << 22
	MaxRequirements = 1 << 26
	MaxSuppliers    = 1 << 10 // of one requirement
)

// A Graph is an immutable network of services and what they require of each
// other. It may be used by many goroutines.
type Graph struct {
	services     []Service
	requirements []Requirement
	digest       string
	plan         *plan
}

// A Fault is one thing wrong with the input of [NewGraph].
type Fault struct {
	Service     int    // index, or -1 if the fault is a requirement's
	Requirement int    // index, or -1 if the fault is a service's
	Field       string // of the struct, in lower case
	Message     string
	Allowed     string
}

// Faults is every fault found, at most [errs.MaxFaults].
type Faults []Fault

func (f Faults) Error() string {
	first := f[0].Message
	if f[0].Allowed != "" {
		first += "; allowed: " + f[0].Allowed
	}
	if len(f) == 1 {
		return first
	}
	return fmt.Sprintf("%s (and %d more)", first, len(f)-1)
}

// NewGraph returns the graph of services and requirements, which it keeps and
// which must not be changed afterwards, or every fault in them as [Faults]. A
// requirement on a service that stands nowhere, of more suppliers than it has, of
// none, of itself or twice of the same one is a fault; a cycle is none.
func NewGraph(services []Service, requirements []Requirement) (*Graph, error) {
	c := checker{services: services, requirements: requirements}
	if faults := c.check(); len(faults) > 0 {
		return nil, faults
	}
	g := &Graph{services: services, requirements: requirements}
	g.digest = g.hash()
	g.plan = newPlan(g)
	return g, nil
}

// Services returns the services, not to be changed.
func (g *Graph) Services() []Service { return g.services }

// Requirements returns the requirements, not to be changed.
func (g *Graph) Requirements() []Requirement { return g.requirements }

// Digest returns the SHA-256 of everything in the graph, in hexadecimal digits.
func (g *Graph) Digest() string { return g.digest }

// Dependencies returns how many pairs of a requirement and a supplier there are.
func (g *Graph) Dependencies() int {
	n := 0
	for i := range g.requirements {
		n += len(g.requirements[i].Suppliers)
	}
	return n
}

// hash returns the digest: every field in order, numbers as eight bytes, strings
// and lists behind their length.
func (g *Graph) hash() string {
	h := newHasher("muster cascade graph v1")
	h.number(uint64(len(g.services)))
	for i := range g.services {
		s := &g.services[i]
		h.text(s.ID)
		mission := uint64(0)
		if s.Mission {
			mission = 1
		}
		h.number(uint64(s.Weight), uint64(s.Severity), uint64(s.Repair.Median), uint64(s.Repair.Spread), uint64(s.Restart), mission)
	}
	h.number(uint64(len(g.requirements)))
	for i := range g.requirements {
		r := &g.requirements[i]
		h.text(r.Name)
		h.number(uint64(r.Service), uint64(r.Need), uint64(r.Binding), uint64(r.Buffer), uint64(len(r.Suppliers)))
		for _, s := range r.Suppliers {
			h.number(uint64(s))
		}
	}
	return h.sum()
}

// hasher writes numbers and texts into a SHA-256 without ambiguity.
type hasher struct {
	hash.Hash
	buffer []byte
}

func newHasher(label string) *hasher {
	h := &hasher{Hash: sha256.New()}
	h.text(label)
	return h
}

func (h *hasher) number(xs ...uint64) {
	for _, x := range xs {
		h.buffer = binary.BigEndian.AppendUint64(h.buffer, x)
	}
	if len(h.buffer) > 1<<12 {
		h.flush()
	}
}

func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	h.buffer = append(h.buffer, s...)
}

func (h *hasher) flush() {
	h.Write(h.buffer)
	h.buffer = h.buffer[:0]
}

func (h *hasher) sum() string {
	h.flush()
	return hex.EncodeToString(h.Sum(nil))
}

// checker looks for what a graph may not hold.
type checker struct {
	services     []Service
	requirements []Requirement
	faults       Faults
}

func (c *checker) check() Faults {
	switch {
	case len(c.services) == 0:
		return Faults{{Service: -1, Requirement: -1, Message: "there is no service", Allowed: "one service or more"}}
	case len(c.services) > MaxServices:
		return Faults{{Service: -1, Requirement: -1, Message: fmt.Sprintf("there are %d services", len(c.services)), Allowed: fmt.Sprintf("at most %d", MaxServices)}}
	case len(c.requirements) > MaxRequirements:
		return Faults{{Service: -1, Requirement: -1, Message: fmt.Sprintf("there are %d requirements", len(c.requirements)), Allowed: fmt.Sprintf("at most %d", MaxRequirements)}}
	}
	known := make(map[string]int, len(c.services))
	weight := uint64(0)
	for i := range c.services {
		s := &c.services[i]
		if first, ok := known[s.ID]; ok {
			c.service(i, "id", fmt.Sprintf("service %s stands there twice, as number %d and %d", errs.Quote(s.ID), first+1, i+1), "each service once")
		}
		known[s.ID] = i
		weight += uint64(s.Weight)
		c.checkService(i)
	}
	if weight == 0 {
		c.service(0, "weight", "no service has a weight", "a weight from 1 for one service or more")
	}
	stamps := make([]int, len(c.services))
	for i := range c.requirements {
		c.checkRequirement(i, stamps)
	}
	if len(c.faults) == 0 {
		c.checkNames()
	}
	return c.faults
}

// checkNames looks for names that a service has twice. Each service is looked at
// by itself: one map of all names would be larger than the graph.
func (c *checker) checkNames() {
	starts, order := byService(len(c.services), c.requirements)
	names := make(map[string]bool)
	for s := range c.services {
		own := order[starts[s]:starts[s+1]]
		clear(names)
		for _, i := range own {
			if name := c.requirements[i].Name; names[name] {
				c.requirement(int(i), "name", c.who(int(i))+" stands there twice", "each name once for a service")
			} else if len(own) > 1 {
				names[name] = true
			}
		}
	}
}

// byService returns the requirements' indexes ordered by their service, those of
// service s at order[starts[s]:starts[s+1]].
func byService(services int, requirements []Requirement) (starts, order []uint32) {
	starts = make([]uint32, services+2)
	for i := range requirements {
		starts[requirements[i].Service+2]++
	}
	for s := 2; s < len(starts); s++ {
		starts[s] += starts[s-1]
	}
	order = make([]uint32, len(requirements))
	for i := range requirements {
		next := &starts[requirements[i].Service+1]
		order[*next] = uint32(i)
		*next++
	}
	return starts[:services+1], order
}

func (c *checker) who(i int) string {
	r := &c.requirements[i]
	return fmt.Sprintf("requirement %s of service %s", errs.Quote(r.Name), errs.Quote(c.services[r.Service].ID))
}

func (c *checker) service(i int, field, message, allowed string) {
	c.add(Fault{Service: i, Requirement: -1, Field: field, Message: message, Allowed: allowed})
}

func (c *checker) requirement(i int, field, message, allowed string) {
	c.add(Fault{Service: -1, Requirement: i, Field: field, Message: message, Allowed: allowed})
}

func (c *checker) add(f Fault) {
	if len(c.faults) < errs.MaxFaults {
		c.faults = append(c.faults, f)
	}
}

func (c *checker) checkService(i int) {
	s := &c.services[i]
	name := func() string { return "service " + errs.Quote(s.ID) }
	if s.ID == "" || strings.TrimSpace(s.ID) != s.ID {
		c.service(i, "id", fmt.Sprintf("the id of service number %d is %s", i+1, errs.Quote(s.ID)), "text without spaces around it")
	}
	if s.Weight > MaxWeight {
		c.service(i, "weight", fmt.Sprintf("%s has the weight %d", name(), s.Weight), fmt.Sprintf("0 to %d", MaxWeight))
	}
	if s.Severity == 0 || s.Severity > Always {
		c.service(i, "severity", fmt.Sprintf("%s has the severity %s", name(), number(s.Severity.Float())), "above 0, at most 1")
	}
	if s.Repair.Median < 1 || s.Repair.Median > MaxMinutes {
		c.service(i, "repair", fmt.Sprintf("%s has a median repair time of %d minutes", name(), s.Repair.Median), fmt.Sprintf("1 to %d minutes", MaxMinutes))
	}
	if s.Repair.Spread > MaxSpread {
		c.service(i, "repair", fmt.Sprintf("%s has the spread %s", name(), number(float64(s.Repair.Spread)/(1<<16))), "0 to 4")
	}
	if s.Restart < 0 || s.Restart > MaxMinutes {
		c.service(i, "restart", fmt.Sprintf("%s has a restart lag of %d minutes", name(), s.Restart), fmt.Sprintf("0 to %d minutes", MaxMinutes))
	}
}

func (c *checker) checkRequirement(i int, stamps []int) {
	r := &c.requirements[i]
	if r.Service < 0 || int(r.Service) >= len(c.services) {
		c.requirement(i, "service", fmt.Sprintf("requirement %s is one of service number %d, which is not there", errs.Quote(r.Name), r.Service+1), fmt.Sprintf("1 to %d", len(c.services)))
		return
	}
	n := len(r.Suppliers)
	if n == 0 || n > MaxSuppliers {
		c.requirement(i, "suppliers", fmt.Sprintf("%s has %d suppliers", c.who(i), n), fmt.Sprintf("1 to %d", MaxSuppliers))
	} else if r.Need < 1 || int(r.Need) > n {
		c.requirement(i, "need", fmt.Sprintf("%s needs %d of %d suppliers", c.who(i), r.Need, n), fmt.Sprintf("1 to %d", n))
	}
	for _, s := range r.Suppliers {
		switch {
		case s < 0 || int(s) >= len(c.services):
			c.requirement(i, "suppliers", fmt.Sprintf("%s has service number %d as supplier, which is not there", c.who(i), s+1), fmt.Sprintf("1 to %d", len(c.services)))
		case s == r.Service:
			c.requirement(i, "suppliers", c.who(i)+" has the service itself as supplier", "another service")
		case stamps[s] == i+1:
			c.requirement(i, "suppliers", fmt.Sprintf("%s has supplier %s twice", c.who(i), errs.Quote(c.services[s].ID)), "each supplier once")
		default:
			stamps[s] = i + 1
		}
	}
	if r.Binding > Always {
		c.requirement(i, "binding", fmt.Sprintf("%s binds with probability %s", c.who(i), number(r.Binding.Float())), "0 to 1")
	}
	if r.Buffer < 0 || r.Buffer > MaxMinutes {
		c.requirement(i, "buffer", fmt.Sprintf("%s has a buffer of %d minutes", c.who(i), r.Buffer), fmt.Sprintf("0 to %d minutes", MaxMinutes))
	}
}
