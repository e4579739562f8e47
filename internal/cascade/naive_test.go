package cascade_test

import (
	"fmt"
	"math/rand/v2"

	"muster/internal/cascade"
)

// This file holds the model a second time, written to be read and not to be fast:
// time minute by minute, everything repeated until nothing changes, and random
// bits digit by digit.

// gamma is the increment of SplitMix64.
const gamma uint64 = 0x9e3779b97f4a7c15

// uniform returns the sixteen digits of U of an edge in a lane of a block.
func uniform(seed, s, block, edge uint64, lane int) cascade.Probability {
	begin := cascade.Mix(cascade.Mix(cascade.Mix(seed+gamma)+stream(s)) + block*gamma)
	u := cascade.Probability(0)
	for digit := range uint64(16) {
		word := cascade.Mix(begin + gamma*(edge*128+digit*8+uint64(lane/64)))
		u = u<<1 | cascade.Probability(word>>(lane%64)&1)
	}
	return u
}

// draws is everything that chance decides in a trial.
type draws struct {
	hit    []bool
	repair []cascade.Minutes
	binds  []bool
}

func draw(services []cascade.Service, requirements []cascade.Requirement, hits []cascade.Probability, seed, block uint64, lane int, repair func(cascade.Repair, uint64) cascade.Minutes) draws {
	var d draws
	for i, s := range services {
		d.hit = append(d.hit, uniform(seed, 2, block, uint64(i), lane) < hits[i])
		begin := cascade.Mix(cascade.Mix(cascade.Mix(seed+gamma)+stream(3)) + block*gamma)
		d.repair = append(d.repair, repair(s.Repair, cascade.Mix(begin+gamma*(uint64(i)*512+uint64(lane)))))
	}
	for i, r := range requirements {
		d.binds = append(d.binds, uniform(seed, 1, block, uint64(i), lane) < r.Binding)
	}
	return d
}

// simulate returns which services are down in which minute before the horizon.
func simulate(services []cascade.Service, requirements []cascade.Requirement, d draws, horizon cascade.Minutes) [][]bool {
	down := make([][]bool, len(services))
	for i := range down {
		down[i] = make([]bool, horizon)
		for t := range min(d.repair[i], horizon) {
			down[i][t] = d.hit[i]
		}
	}
	for changed := true; changed; {
		changed = false
		for i, r := range requirements {
			if !d.binds[i] {
				continue
			}
			failed := func(t cascade.Minutes) bool {
				up := int32(0)
				for _, s := range r.Suppliers {
					if !down[s][t] {
						up++
					}
				}
				return up < r.Need
			}
			for from := cascade.Minutes(0); from < horizon; from++ {
				if !failed(from) {
					continue
				}
				to := from
				for to < horizon && failed(to) {
					to++
				}
				if to-from > r.Buffer {
					for t := from + r.Buffer; t < min(to+services[r.Service].Restart, horizon); t++ {
						changed = changed || !down[r.Service][t]
						down[r.Service][t] = true
					}
				}
				from = to
			}
		}
	}
	return down
}

// fallen is simulate without time.
func fallen(services []cascade.Service, requirements []cascade.Requirement, d draws) []bool {
	down := append([]bool(nil), d.hit...)
	for changed := true; changed; {
		changed = false
		for i, r := range requirements {
			up := int32(0)
			for _, s := range r.Suppliers {
				if !down[s] {
					up++
				}
			}
			if d.binds[i] && up < r.Need && !down[r.Service] {
				down[r.Service], changed = true, true
			}
		}
	}
	return down
}

// spans returns the intervals of minutes that are true.
func spans(down []bool) []cascade.Span {
	var s []cascade.Span
	for t, is := range down {
		at := cascade.Minutes(t)
		switch {
		case is && len(s) > 0 && s[len(s)-1].To == at:
			s[len(s)-1].To++
		case is:
			s = append(s, cascade.Span{From: at, To: at + 1})
		}
	}
	return s
}

// worst returns the most that is lost in any minute.
func worst(services []cascade.Service, down [][]bool) uint64 {
	most := uint64(0)
	for t := range down[0] {
		lost := uint64(0)
		for i, s := range services {
			if down[i][t] {
				lost += uint64(s.Weight) * uint64(s.Severity)
			}
		}
		most = max(most, lost)
	}
	return most
}

// small describes random small graphs.
type small struct {
	services, requirements int
	unit                   cascade.Minutes // of which all times are multiples
	spread                 bool            // repair times vary
	acyclic                bool
}

// random returns a graph with substitutes, buffers, lags and, unless it is to be
// acyclic, cycles; and who can be hit.
func (s small) random(r *rand.Rand) ([]cascade.Service, []cascade.Requirement, []cascade.Probability) {
	var (
		services     []cascade.Service
		requirements []cascade.Requirement
		hits         []cascade.Probability
	)
	for i := range s.services {
		service := cascade.Service{
			ID: fmt.Sprintf("s%d", i), Weight: uint32(1 + r.IntN(5)), Severity: cascade.Probability(1 + r.IntN(1<<16)),
			Repair:  cascade.Repair{Median: s.unit * cascade.Minutes(1+r.IntN(12))},
			Restart: s.unit * cascade.Minutes(max(0, r.IntN(5)-2)),
		}
		if s.spread {
			service.Repair.Spread = cascade.Spread(r.IntN(1 << 16))
		}
		services = append(services, service)
		hit := cascade.Probability(r.IntN(1 << 16))
		switch r.IntN(5) {
		case 0:
			hit = 0
		case 1:
			hit = []cascade.Probability{1, cascade.Always - 1, cascade.Always}[r.IntN(3)]
		}
		hits = append(hits, hit)
	}
	for i := range s.requirements {
		service := r.IntN(s.services)
		suppliers := r.Perm(s.services)[:1+r.IntN(min(4, s.services-1))]
		q := cascade.Requirement{Service: int32(service), Name: fmt.Sprintf("r%d", i), Binding: cascade.Probability(r.IntN(1<<16 + 1))}
		for _, u := range suppliers {
			if u != service && (!s.acyclic || u < service) {
				q.Suppliers = append(q.Suppliers, int32(u))
			}
		}
		if len(q.Suppliers) == 0 {
			continue
		}
		if r.IntN(4) == 0 {
			q.Binding = cascade.Always
		}
		q.Need = int32(1 + r.IntN(len(q.Suppliers)))
		q.Buffer = s.unit * cascade.Minutes(max(0, r.IntN(8)-3))
		requirements = append(requirements, q)
	}
	return services, requirements, hits
}

// stream returns the offset of a purpose's counters; products wrap.
func stream(s uint64) uint64 { return s * gamma }
