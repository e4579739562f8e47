package assess

import (
	"fmt"

	"muster/internal/framework"
)

// Gap says where an answer stands to its target.
type Gap uint8

// The gaps. The zero value is unknown.
const (
	GapUnknown Gap = iota // not applicable, withheld, or no target
	GapBelow              // the level is lower than the target
	GapMet                // the level is the target or higher
)

var gapNames = [...]string{GapUnknown: "unknown", GapBelow: "below", GapMet: "met"}

// String returns the gap as the layout's buckets name it.
func (g Gap) String() string { return name(gapNames[:], "Gap", uint8(g)) }

// Gap returns where the answer stands to its target.
func (a Answer) Gap() Gap {
	level, given := a.Level.Number()
	target, set := a.Target.Number()
	switch {
	case !given || !set:
		return GapUnknown
	case level < target:
		return GapBelow
	}
	return GapMet
}

// Move says how the level of one outcome stands to last cycle's.
type Move uint8

// The moves. The zero value is not comparable.
const (
	MoveNotComparable Move = iota // no answer, not applicable or withheld on either side
	MoveFell
	MoveSame
	MoveRose
)

var moveNames = [...]string{
	MoveNotComparable: "not_comparable", MoveFell: "fell", MoveSame: "same", MoveRose: "rose",
}

func (m Move) String() string { return name(moveNames[:], "Move", uint8(m)) }

// OutcomeChange returns how an outcome's level moved from before to now. Either
// may be nil: then it is not comparable.
func OutcomeChange(now, before *Answer) Move {
	if now == nil || before == nil {
		return MoveNotComparable
	}
	n, given := now.Level.Number()
	b, was := before.Level.Number()
	switch {
	case !given || !was:
		return MoveNotComparable
	case n > b:
		return MoveRose
	case n < b:
		return MoveFell
	}
	return MoveSame
}

// Change says how an area moved since last cycle.
type Change uint8

// The changes. The zero value is not comparable.
const (
	ChangeNotComparable Change = iota // no outcome of the area is comparable
	ChangeWorse                       // some fell, none rose
	ChangeMixed                       // some fell, some rose
	ChangeSame                        // none moved
	ChangeBetter                      // some rose, none fell
)

var changeNames = [...]string{
	ChangeNotComparable: "not_comparable", ChangeWorse: "worse", ChangeMixed: "mixed",
	ChangeSame: "same", ChangeBetter: "better",
}

// String returns the change as the layout's buckets name it.
func (c Change) String() string { return name(changeNames[:], "Change", uint8(c)) }

// change sums up the moves of an area's outcomes. The zero value has seen none.
type change struct{ comparable, rose, fell bool }

func (c *change) add(m Move) {
	switch m {
	case MoveNotComparable:
		return
	case MoveRose:
		c.rose = true
	case MoveFell:
		c.fell = true
	}
	c.comparable = true
}

func (c *change) value() Change {
	switch {
	case !c.comparable:
		return ChangeNotComparable
	case c.rose && c.fell:
		return ChangeMixed
	case c.rose:
		return ChangeBetter
	case c.fell:
		return ChangeWorse
	}
	return ChangeSame
}

// ChangeOf sums up how the outcomes of an area moved, as what is sealed of it does.
func ChangeOf(moves ...Move) Change {
	var sum change
	for _, m := range moves {
		sum.add(m)
	}
	return sum.value()
}

// AreaChange returns how an area moved from before to now. It looks at the
// comparable outcomes only; the area is not comparable only if none of them is.
// Either assessment may be nil. [Measurement] seals the same, area by area of a
// layout; this is for who has the framework at hand, as a member's own pages and
// the statistics of the demo do.
func AreaChange(area framework.Area, now, before *Assessment) Change {
	return changeOf(ids(area), now, before)
}

func changeOf(outcomes []string, now, before *Assessment) Change {
	moves := make([]Move, len(outcomes))
	for i, id := range outcomes {
		moves[i] = OutcomeChange(now.answer(id), before.answer(id))
	}
	return ChangeOf(moves...)
}

// Lowest returns the lowest of the levels given in an area, or none if none was
// given: not applicable and withheld are no levels, and neither is a missing answer.
// It is to [Measurement] what [AreaChange] is.
func Lowest(area framework.Area, now *Assessment) framework.Level {
	return lowestOf(ids(area), now)
}

func lowestOf(outcomes []string, now *Assessment) framework.Level {
	lowest := framework.None
	for _, id := range outcomes {
		answer := now.answer(id)
		if answer == nil || !answer.Level.Given() {
			continue
		}
		// The values of levels ascend with the scale.
		if lowest == framework.None || answer.Level < lowest {
			lowest = answer.Level
		}
	}
	return lowest
}

func ids(area framework.Area) []string {
	ids := make([]string, len(area.Outcomes))
	for i := range area.Outcomes {
		ids[i] = area.Outcomes[i].ID
	}
	return ids
}

func name(names []string, kind string, value uint8) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("assess.%s(%d)", kind, value)
}
