package attack

import (
	"slices"

	"muster/internal/framework"
)

// recipe says how a member computes its unit in a derived block from its own:
// which columns of its row go in, this year's and, for the change, last year's.
type recipe struct {
	kind framework.Kind
	now  []int // columns of the component
	then []int // beside each of now, last year's column of the same outcome
}

// recipes returns, by position in the component's blocks, how the derived ones
// are computed; nil for a member's own, and for derived ones of which the
// component has no source.
func (c *component) recipes() []*recipe {
	all := make([]*recipe, len(c.blocks))
	find := func(b Block) int { return slices.Index(c.blocks, b) }
	for i, b := range c.blocks {
		r := &recipe{kind: b.Kind}
		switch b.Kind {
		case framework.KindGap:
			level, target := find(Block{b.Cycle, b.Subject, framework.KindLevel}), find(Block{b.Cycle, b.Subject, framework.KindTarget})
			if level < 0 || target < 0 {
				continue
			}
			r.now = []int{level, target}
		case framework.KindLowest, framework.KindChange:
			for j, l := range c.blocks {
				if l.Cycle != b.Cycle || l.Kind != framework.KindLevel || l.area() != b.area() {
					continue
				}
				last := find(Block{c.problem.before(b.Cycle), l.Subject, framework.KindLevel})
				if b.Kind == framework.KindChange && last < 0 {
					continue
				}
				r.now, r.then = append(r.now, j), append(r.then, last)
			}
			if b.Kind == framework.KindLowest && len(r.now) == 0 {
				continue
			}
		default:
			continue
		}
		all[i] = r
	}
	return all
}

// of computes the unit from a member's row; -1 in a row stands for no answer
// because the member was not on the roster.
func (r *recipe) of(row []int) int {
	switch r.kind {
	case framework.KindGap:
		level, target := row[r.now[0]], row[r.now[1]]
		switch {
		case level == 0 || target == 0:
			return 0
		case level < target:
			return 1
		}
		return 2
	case framework.KindLowest:
		lowest := 0
		for _, at := range r.now {
			if u := row[at]; u > 0 && (lowest == 0 || u < lowest) {
				lowest = u
			}
		}
		return lowest
	}
	var rose, fell, compared bool
	for i, at := range r.now {
		now, then := row[at], row[r.then[i]]
		if now <= 0 || then <= 0 {
			continue
		}
		compared = true
		rose, fell = rose || now > then, fell || now < then
	}
	const incomparable, worse, mixed, same, better = 0, 1, 2, 3, 4
	switch {
	case !compared:
		return incomparable
	case rose && fell:
		return mixed
	case fell:
		return worse
	case rose:
		return better
	}
	return same
}
