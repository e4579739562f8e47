package attack

import "muster/internal/framework"

// A member computes some of its vectors from others: the lowest level of an area
// from the levels, the gap from level and target, the change from two years'
// levels. Counts of such vectors fit each other exactly if these sums hold, atom
// by atom; the tests compare them with every world listed.
//
// In the order of the chain the first unit is "no level"; levels ascend after it.

// couple adds the sums that tie derived blocks to those that they come from.
func (m *model) couple() {
	stated := make(map[Block]bool)
	for _, i := range m.statements {
		stated[m.problem.Statements[i].Block] = true
	}
	for _, a := range m.atoms {
		for b := range a.units {
			stated[b] = true
		}
	}
	var derived []Block
	for _, b := range m.blocks {
		if stated[b] {
			derived = append(derived, b)
		}
	}
	arranged := make(map[string]int) // by cycle and area, how many blocks need the rows
	for _, b := range derived {
		switch b.Kind {
		case framework.KindGap:
			m.coupleGap(b)
		case framework.KindLowest:
			m.coupleLowest(b)
			arranged[b.Cycle+" "+b.area()]++
		case framework.KindChange:
			m.coupleChange(b)
			arranged[b.Cycle+" "+b.area()]++
			arranged[m.problem.before(b.Cycle)+" "+b.area()]++
		}
	}
	for _, n := range arranged {
		if n > 1 {
			m.exact = false // both ask for an arrangement of the same rows
		}
	}
}

// levels returns the level blocks of b's area in a cycle that the component has.
func (m *model) levels(cycle string, b Block) []Block {
	var all []Block
	for _, other := range m.blocks {
		if other.Cycle == cycle && other.Kind == framework.KindLevel && other.area() == b.area() {
			all = append(all, other)
		}
	}
	return all
}

// coupleLowest: a member's lowest is v where some outcome is at v and none below.
// Columns can be arranged so that the lowest levels are as counted exactly if no
// level is lowest more often than it was given, and no outcome has more members
// up to a level than have their lowest there.
func (m *model) coupleLowest(b Block) {
	levels := m.levels(b.Cycle, b)
	if len(levels) == 0 {
		return
	}
	for a := range m.atoms {
		low, ok := m.counts[place{a, b}]
		if !ok {
			continue
		}
		for v := 1; v < len(low); v++ {
			given := []term{{low[v], -1}}
			for _, l := range levels {
				n := m.counts[place{a, l}]
				given = append(given, term{n[v], 1})
				var upTo []term
				for w := 1; w <= v; w++ {
					upTo = append(upTo, term{low[w], 1}, term{n[w], -1})
				}
				m.require(atLeast(0), upTo...)
			}
			m.require(atLeast(0), given...)
		}
	}
}

// coupleGap: members whose gap is unknown gave no level or have no target, and of
// the others as many pairs of level and target can be below, or met, as the
// largest matching has. Pairing differently changes the number below by at most
// one, so everything between can be had. The gap's units are unknown, below, met.
func (m *model) coupleGap(b Block) {
	level, target := Block{b.Cycle, b.Subject, framework.KindLevel}, Block{b.Cycle, b.Subject, framework.KindTarget}
	for a := range m.atoms {
		gap, l, t := m.counts[place{a, b}], m.counts[place{a, level}], m.counts[place{a, target}]
		if gap == nil || l == nil || t == nil {
			continue
		}
		const unknown, below, met = 0, 1, 2
		m.require(atLeast(0), term{gap[unknown], 1}, term{l[0], -1})
		m.require(atLeast(0), term{gap[unknown], 1}, term{t[0], -1})
		m.require(atLeast(0), term{l[0], 1}, term{t[0], 1}, term{gap[unknown], -1})
		m.ascends(term{gap[below], 1}, l, t)
		for v := 0; v < len(l); v++ { // met: a level of at most v needs a target of at most v
			terms := []term{{gap[met], -1}}
			for w := 1; w < len(l); w++ {
				if w <= v {
					terms = append(terms, term{t[w], 1})
				} else {
					terms = append(terms, term{l[w], 1})
				}
			}
			m.require(atLeast(0), terms...)
		}
	}
}

// ascends requires that n pairs can be made of a lower unit of the first block
// and a higher one of the second.
func (m *model) ascends(n term, lower, higher []int) {
	for v := 1; v < len(lower)+1; v++ { // a second of at most v needs a first below v
		terms := []term{{n.variable, -n.weight}}
		for w := 1; w < len(lower); w++ {
			if w < v {
				terms = append(terms, term{lower[w], 1})
			}
			if w > v {
				terms = append(terms, term{higher[w], 1})
			}
		}
		m.require(atLeast(0), terms...)
	}
}

// coupleChange: in every outcome the pairs of last year's and this year's level
// rise, fall, stay or cannot be compared; and the members can be arranged so that
// of each class as many as counted have the pairs that make it. The change's
// units are not comparable, worse, mixed, same, better.
func (m *model) coupleChange(b Block) {
	const incomparable, worse, mixed, same, better = 0, 1, 2, 3, 4
	before := m.problem.before(b.Cycle)
	for a := range m.atoms {
		class, ok := m.counts[place{a, b}]
		if !ok {
			continue
		}
		size := len(m.atoms[a].members)
		var better1, worse1, ups, downs, stayed []term // over all outcomes, what makes each class
		for _, now := range m.levels(b.Cycle, b) {
			then, was := m.counts[place{a, Block{before, now.Subject, framework.KindLevel}}]
			if !was {
				continue // joined since, or the outcome is new
			}
			rose, fell, kept := m.pairs(then, m.counts[place{a, now}], size)
			stayed = append(stayed, term{kept, 1})
			// Who rose somewhere is better or mixed, who fell is worse or mixed; nobody
			// does both in one outcome.
			up, down := m.variable(0, size), m.variable(0, size) // the mixed that rose here, and that fell
			m.require(atLeast(0), term{class[mixed], 1}, term{up, -1}, term{down, -1})
			m.require(Between(0, size), term{rose, 1}, term{up, -1})
			m.require(Between(0, size), term{fell, 1}, term{down, -1})
			m.require(atLeast(0), term{class[better], 1}, term{up, 1}, term{rose, -1})
			m.require(atLeast(0), term{class[worse], 1}, term{down, 1}, term{fell, -1})
			m.require(atMost(size), term{class[incomparable], 1}, term{rose, 1}, term{fell, 1}, term{kept, 1})
			better1 = append(better1, term{rose, 1}, term{up, -1})
			worse1 = append(worse1, term{fell, 1}, term{down, -1})
			ups, downs = append(ups, term{up, 1}), append(downs, term{down, 1})
		}
		if len(stayed) == 0 {
			m.require(Exactly(size), term{class[incomparable], 1})
			continue
		}
		m.require(atLeast(0), append(better1, term{class[better], -1})...)
		m.require(atLeast(0), append(worse1, term{class[worse], -1})...)
		m.require(atLeast(0), append(ups, term{class[mixed], -1})...)
		m.require(atLeast(0), append(downs, term{class[mixed], -1})...)
		m.require(atLeast(0), append(stayed, term{class[same], -1})...)
	}
}

// pairs adds how many pairs of two years' levels rise, fall and stay, with what
// the counts of both years leave to them. Those who stayed at a unit are taken
// away first; the others must be paired so that nobody stays.
func (m *model) pairs(then, now []int, size int) (rose, fell, kept int) {
	rose, fell, kept = m.variable(0, size), m.variable(0, size), m.variable(0, size)
	apart := m.variable(0, size) // cannot be compared
	m.require(Exactly(size), term{rose, 1}, term{fell, 1}, term{kept, 1}, term{apart, 1})
	m.require(atLeast(0), term{apart, 1}, term{then[0], -1})
	m.require(atLeast(0), term{apart, 1}, term{now[0], -1})
	m.require(atLeast(0), term{then[0], 1}, term{now[0], 1}, term{apart, -1})
	from, to := make([]int, len(then)), make([]int, len(now)) // who moved, by where from and where to
	stayed := []term{{kept, -1}}
	left, came := []term{{rose, -1}, {fell, -1}}, []term{{rose, -1}, {fell, -1}}
	for u := 1; u < len(then); u++ {
		v := m.variable(0, size)
		from[u], to[u] = m.variable(0, size), m.variable(0, size)
		m.require(atLeast(0), term{then[u], 1}, term{v, -1}, term{from[u], -1})
		m.require(atLeast(0), term{now[u], 1}, term{v, -1}, term{to[u], -1})
		m.require(atLeast(0), term{rose, 1}, term{fell, 1}, term{from[u], -1}, term{to[u], -1})
		stayed = append(stayed, term{v, 1})
		left, came = append(left, term{from[u], 1}), append(came, term{to[u], 1})
	}
	m.require(Exactly(0), stayed...)
	m.require(Exactly(0), left...)
	m.require(Exactly(0), came...)
	m.ascends(term{rose, 1}, from, to)
	m.ascends(term{fell, 1}, to, from)
	return rose, fell, kept
}
