package attack

import (
	"slices"

	"muster/internal/framework"
)

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

// coupleGap: level and target counts are split by gap, and the parts of each gap
// can be paired. The gap's units are unknown, below, met.
func (m *model) coupleGap(b Block) {
	level, target := Block{b.Cycle, b.Subject, framework.KindLevel}, Block{b.Cycle, b.Subject, framework.KindTarget}
	hasLevel, hasTarget := slices.Contains(m.blocks, level), slices.Contains(m.blocks, target)
	if !hasLevel || !hasTarget {
		return
	}
	const unknown, below, met = 0, 1, 2
	for a := range m.atoms {
		gap, ok := m.counts[place{a, b}]
		if !ok {
			continue
		}
		size := len(m.atoms[a].members)
		split := func(counts []int) [3][]int {
			var parts [3][]int
			for u, n := range counts {
				whole := []term{{n, -1}}
				for g := range parts {
					high := size
					if u == 0 && g != unknown {
						high = 0
					}
					v := m.variable(0, high)
					parts[g] = append(parts[g], v)
					whole = append(whole, term{v, 1})
				}
				m.require(Exactly(0), whole...)
			}
			for g := range parts {
				all := []term{{gap[g], -1}}
				for _, v := range parts[g] {
					all = append(all, term{v, 1})
				}
				m.require(Exactly(0), all...)
			}
			return parts
		}
		l, t := split(m.counts[place{a, level}]), split(m.counts[place{a, target}])
		// Unknown: one of the two is missing, so given levels go with missing targets.
		missing := []term{{t[unknown][0], 1}}
		for u := 1; u < len(l[unknown]); u++ {
			missing = append(missing, term{l[unknown][u], -1})
		}
		m.require(atLeast(0), missing...)
		for v := 1; v < len(l[below]); v++ {
			var under, reach []term
			for w := 1; w <= v; w++ {
				if w < v {
					under = append(under, term{l[below][w], 1})
				}
				under = append(under, term{t[below][w], -1})
				reach = append(reach, term{t[met][w], 1}, term{l[met][w], -1})
			}
			m.require(atLeast(0), under...) // a target of v needs a level below v
			m.require(atLeast(0), reach...) // a level of v meets a target of at most v
		}
	}
}

// coupleChange: in every outcome the pairs of last year's and this year's level
// rise, fall, stay or cannot be compared; and the members can be arranged so that
// of each class as many as counted have the pairs that make it. The change's
// units are not comparable, worse, mixed, same, better.
func (m *model) coupleChange(b Block) {
	const incomparable, worse, mixed, same, better = 0, 1, 2, 3, 4
	before := m.problem.before(b.Cycle)
	var outcomes [][2]Block
	for _, now := range m.levels(b.Cycle, b) {
		then := Block{before, now.Subject, framework.KindLevel}
		if slices.Contains(m.blocks, then) {
			outcomes = append(outcomes, [2]Block{then, now})
		}
	}
	for a := range m.atoms {
		class, ok := m.counts[place{a, b}]
		if !ok {
			continue
		}
		size := len(m.atoms[a].members)
		var some [5][]term // by class, what makes it, over all outcomes
		var risen, fallen []term
		compared := 0
		for _, o := range outcomes {
			then, was := m.counts[place{a, o[0]}]
			if !was {
				continue // joined since
			}
			compared++
			rose, fell, kept := m.pairs(then, m.counts[place{a, o[1]}], size)
			rises, falls, stays := m.part(size, rose), m.part(size, fell), m.part(size, kept)
			part := func(class ...int) (vars [5]int) {
				for i := range vars {
					vars[i] = -1
				}
				for _, c := range class {
					vars[c] = m.variable(0, size)
				}
				return vars
			}
			r, f, s := part(mixed, better), part(worse, mixed), part(worse, mixed, same, better)
			for i, whole := range []struct {
				vars [5]int
				sum  int
			}{{r, rises}, {f, falls}, {s, stays}} {
				all := []term{{whole.sum, -1}}
				for c, v := range whole.vars {
					if v < 0 {
						continue
					}
					all = append(all, term{v, 1})
					switch {
					case i == 0 && c == better, i == 1 && c == worse, i == 2 && c == same:
						some[c] = append(some[c], term{v, 1})
					case i == 0:
						risen = append(risen, term{v, 1})
					case i == 1:
						fallen = append(fallen, term{v, 1})
					}
				}
				m.require(Exactly(0), all...)
			}
			for c := worse; c <= better; c++ {
				room := []term{{class[c], 1}}
				for _, vars := range [][5]int{r, f, s} {
					if vars[c] >= 0 {
						room = append(room, term{vars[c], -1})
					}
				}
				m.require(atLeast(0), room...)
			}
		}
		if compared == 0 {
			m.require(Exactly(size), term{class[incomparable], 1})
			continue
		}
		for _, c := range []int{worse, same, better} {
			m.require(atLeast(0), append(some[c], term{class[c], -1})...)
		}
		m.require(atLeast(0), append(risen, term{class[mixed], -1})...)
		m.require(atLeast(0), append(fallen, term{class[mixed], -1})...)
	}
}

// pairs adds a table of pairs with the two margins and returns those that rise,
// fall and stay.
func (m *model) pairs(then, now []int, size int) (rose, fell, kept []term) {
	columns := make([][]term, len(now))
	for x, n := range then {
		row := []term{{n, -1}}
		for y := range now {
			v := m.variable(0, size)
			row = append(row, term{v, 1})
			columns[y] = append(columns[y], term{v, 1})
			switch {
			case x == 0 || y == 0:
			case x < y:
				rose = append(rose, term{v, 1})
			case x > y:
				fell = append(fell, term{v, 1})
			default:
				kept = append(kept, term{v, 1})
			}
		}
		m.require(Exactly(0), row...)
	}
	for y, n := range now {
		m.require(Exactly(0), append(columns[y], term{n, -1})...)
	}
	return rose, fell, kept
}

// part adds the sum of terms as a number of its own.
func (m *model) part(size int, terms []term) int {
	v := m.variable(0, size)
	m.require(Exactly(0), append(terms, term{v, -1})...)
	return v
}
