package coalition

import (
	"cmp"
	"slices"
)

// standing is an outcome and how many members are at the levels that a list is
// about. Where bands count some of them together with those that gave no level,
// it is known only between which numbers that lies.
type standing struct {
	area              *Area
	outcome           *Outcome
	certain, possible int
}

// low returns how many members are at 0 or 1, and whether there is a boundary
// between 1 and 2 to tell.
func low(b Block) (certain, possible int, known bool) {
	atMost, ok := b.Count(noLevel, level1)
	if !ok {
		return 0, 0, false
	}
	if none, ok := b.Count(noLevel, noLevel); ok {
		return atMost - none, atMost - none, true
	}
	if one, ok := b.Count(level1, level1); ok {
		return one, atMost, true
	}
	return 0, atMost, true
}

// high returns how many members are at 3 or 4, and whether the bands tell.
func high(b Block) (count int, known bool) { return b.Count(level3, level4) }

// needs lists the outcomes that tell how many members are at 0 or 1, most first.
func needs(s *Sheet) []standing {
	return rank(s, func(o *Outcome) (int, int, bool) { return low(o.Level) })
}

// strengths lists the outcomes that tell how many members are at 3 or 4, most first.
func strengths(s *Sheet) []standing {
	return rank(s, func(o *Outcome) (int, int, bool) {
		n, ok := high(o.Level)
		return n, n, ok
	})
}

func rank(s *Sheet, of func(*Outcome) (certain, possible int, known bool)) []standing {
	var list []standing
	for i := range s.Areas {
		a := &s.Areas[i]
		for j := range a.Outcomes {
			if certain, possible, ok := of(&a.Outcomes[j]); ok {
				list = append(list, standing{a, &a.Outcomes[j], certain, possible})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b standing) int {
		return cmp.Or(cmp.Compare(b.certain, a.certain), cmp.Compare(b.possible, a.possible))
	})
	return list
}

// shift is an outcome and how many members are at 3 or 4 now and were in the
// cycle before. It is read from both years' bands and says nothing of who moved.
type shift struct {
	area             *Area
	outcome          *Outcome
	now, of          int
	before, beforeOf int
}

// rise orders shifts by how much the share rose, in whole numbers.
func (a shift) rise() int { return a.now*a.beforeOf - a.before*a.of }

// shifts lists the outcomes that ask the same in both sheets and tell in both how
// many members are at 3 or 4, the largest rise first.
func shifts(now, before *Sheet) []shift {
	var list []shift
	if before == nil {
		return nil
	}
	for i := range now.Areas {
		a := &now.Areas[i]
		for j := range a.Outcomes {
			o := &a.Outcomes[j]
			earlier, _, ok := before.Outcome(o.ID)
			if !ok || earlier.Asked != o.Asked {
				continue
			}
			n, known := high(o.Level)
			was, knew := high(earlier.Level)
			if known && knew {
				list = append(list, shift{a, o, n, now.Submissions, was, before.Submissions})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b shift) int { return cmp.Compare(b.rise(), a.rise()) })
	return list
}

// nothing reports whether no member has anything to compare with.
func (b Block) nothing(members int) bool {
	n, ok := b.Count(notComparable, notComparable)
	return ok && n == members
}

// atTarget returns how many members are at their own target or above.
func (o *Outcome) atTarget() (int, bool) { return o.State.Count(stateMet, stateMet) }

// tested returns how many members have a test of their own or someone else's check.
func (o *Outcome) tested() (int, bool) { return o.Evidence.Count(gradeE2, gradeE3) }
