package cascade

import (
	"cmp"
	"slices"
)

// span is a time in which something is down, from from until before to.
type span struct{ from, to Minutes }

// join sorts intervals and joins those that touch or overlap, in place.
func join(s []span) []span {
	if len(s) < 2 {
		return s
	}
	// Few, and mostly sorted already.
	for i := 1; i < len(s); i++ {
		for j := i; j > 0 && s[j].from < s[j-1].from; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	last := 0
	for _, next := range s[1:] {
		if next.from <= s[last].to {
			s[last].to = max(s[last].to, next.to)
		} else {
			last++
			s[last] = next
		}
	}
	return s[:last+1]
}

// crossing is a moment at which a supplier goes down or comes back.
type crossing struct {
	at   Minutes
	down bool
}

// failures returns the intervals in which so many suppliers of g are down in a
// lane that it fails. They are overwritten by the next call.
func (e *event) failures(g *group, lane int) []span {
	sweep := e.crossing[:0]
	for _, u := range e.plan.suppliers(g) {
		if e.nodes[u].lanes>>lane&1 == 0 {
			continue
		}
		first, more := e.down(u, lane)
		sweep = append(sweep, crossing{first.from, true}, crossing{first.to, false})
		for _, i := range more {
			sweep = append(sweep, crossing{i.from, true}, crossing{i.to, false})
		}
	}
	e.crossing = sweep
	// At one moment those that go down come first, so that a failure that one
	// supplier hands to another is not cut in two.
	slices.SortFunc(sweep, func(a, b crossing) int {
		if a.at != b.at || a.down == b.down {
			return cmp.Compare(a.at, b.at)
		}
		if a.down {
			return -1
		}
		return 1
	})
	s := e.join[:0]
	down := uint32(0)
	for _, c := range sweep {
		if c.down {
			if down++; down == g.fails {
				s = append(s, span{from: c.at})
			}
			continue
		}
		if down == g.fails {
			last := &s[len(s)-1]
			if last.to = c.at; last.from == last.to {
				s = s[:len(s)-1]
			}
		}
		down--
	}
	e.join = s
	return s
}
