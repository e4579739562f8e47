package disclosure

import (
	"slices"

	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

// Rule is disclosure control as a charter fixes it before anything is opened.
// The zero value is usable: the attacker is one reader, nobody colludes.
//
// The rule cuts each chain at its boundaries in a fixed order, the most telling
// first, and makes a cut only if each of the two parts of the band that it cuts
// holds nobody or at least [Rule.Least] members. So a boundary that is missing
// says of two numbers that one of them was too small, and no more; whatever
// [Rule.Known] members and one more answered within the bands stays possible.
// docs/design/disclosure.md has the proof, and the tests list every world.
type Rule struct {
	Hosts     int `json:"hosts"`     // hosts in the cohort that took part: they know their answers
	Colluders int `json:"colluders"` // members that may tell each other everything
	Opened    int `json:"opened"`    // members that showed answers to others by choice

	// Prefer says which of two blocks that follow from each other is shown.
	Prefer Preference `json:"prefer"`
}

// Preference chooses between blocks of which only one can be shown, because both
// follow from the levels: lowest level or change of an area, target or gap of an
// outcome. It is fixed before anything is opened, so that choosing says nothing.
type Preference struct {
	Lowest bool `json:"lowest"` // lowest level instead of change
	Target bool `json:"target"` // target instead of gap
}

// Known returns how many members' answers the rule reckons that one person knows:
// the hosts', its own, the colluders' and those that were opened.
func (r Rule) Known() int { return r.Hosts + 1 + r.Colluders + r.Opened }

// Least returns how many members a band holds that is not empty:
// [MinimumBand] besides those that are known.
func (r Rule) Least() int { return MinimumBand + r.Known() }

// held reports whether blocks of the kind are never shown under this rule.
func (r Rule) held(k framework.Kind) bool {
	switch k {
	case framework.KindLowest:
		return !r.Prefer.Lowest
	case framework.KindChange:
		return r.Prefer.Lowest
	case framework.KindTarget:
		return !r.Prefer.Target
	case framework.KindGap:
		return r.Prefer.Target
	}
	return false
}

// boundaries returns the positions in the kind's chain where it may be cut, in
// the order in which the cuts are tried.
func boundaries(k framework.Kind) []int {
	switch k {
	case framework.KindLevel, framework.KindVerified, framework.KindTarget:
		return []int{3, 4, 1, 5, 2} // 1|2 is where what is written and approved begins
	case framework.KindEvidence:
		return []int{3, 1, 4, 2} // E1|E2: our own word and documents, or a test
	case framework.KindLowest:
		return []int{3}
	case framework.KindGap:
		return []int{2} // below|met
	case framework.KindChange:
		return []int{4} // same|better
	}
	return nil
}

// Tried reports whether the rule tries the boundary between two neighbouring units
// of the kind's chain at all. One that it does not is never shown, whatever is
// counted.
func Tried(k framework.Kind, left, right string) bool {
	chain := Chain(k)
	at := slices.Index(chain, left) + 1
	return at > 0 && at < len(chain) && chain[at] == right && slices.Contains(boundaries(k), at)
}

// chainRule is the rule for one block.
type chainRule struct {
	units   int
	order   []int
	least   int
	members int // all that the block counts

	// newcomers: so few members joined or left that nobody may be known to be in
	// the one band that holds everybody.
	newcomers bool

	// outside of a derived block says whether the two parts of a cut are such
	// that the blocks that it comes from leave everything possible; nil is always.
	outside func(left, right int) bool
}

// may reports whether the band of units first to end may be cut at a boundary,
// its parts holding left and right members.
//
// The first unit, of those who say nothing, is never shown to be empty: whoever
// prefers not to say must not stand out from a coalition that is known to answer
// everything. A single unit that holds everybody is never shown, nor, where few
// are new, any band that does.
func (c *chainRule) may(first, at, end, left, right int) bool {
	enough := func(n int) bool { return n == 0 || n >= c.least }
	switch {
	case !enough(left) || !enough(right):
		return false
	case left == 0 && first == 0:
		return false
	case left == c.members && (c.newcomers || at-first == 1), right == c.members && (c.newcomers || end-at == 1):
		return false
	}
	return c.outside == nil || c.outside(left, right)
}

// cut returns the positions at which the counts are cut, ascending.
func (c *chainRule) cut(counts []int) []int {
	cuts := []int{0, c.units}
	for _, at := range c.order {
		i, _ := slices.BinarySearch(cuts, at)
		first, end := cuts[i-1], cuts[i]
		if c.may(first, at, end, total(counts[first:at]), total(counts[at:end])) {
			cuts = slices.Insert(cuts, i, at)
		}
	}
	return cuts[1 : len(cuts)-1]
}

func total(counts []int) int {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

// refused is what the rule says by not making a cut: how many members of the
// final band are left of it.
type refused struct {
	first, at, end int           // the final band and the boundary
	left           attack.Values // what the part of the final band left of it can hold
}

// replay follows the rule over what was published, the bands' ends and counts, and
// returns what each boundary that is missing says. It sees nothing but what
// everybody sees.
func (c *chainRule) replay(ends, counts []int) []refused {
	published := append([]int{0}, ends...)
	prefix := make([]int, len(published))
	for i, n := range counts {
		prefix[i+1] = prefix[i] + n
	}
	cuts := []int{0, c.units}
	var all []refused
	for _, at := range c.order {
		i, _ := slices.BinarySearch(cuts, at)
		if slices.Contains(published, at) {
			cuts = slices.Insert(cuts, i, at)
			continue
		}
		first, end := cuts[i-1], cuts[i]
		// The final band around the boundary, and what of the band of then lies beside it.
		b, _ := slices.BinarySearch(published, at)
		f, _ := slices.BinarySearch(published, first)
		e, _ := slices.BinarySearch(published, end)
		before, beyond := prefix[b-1]-prefix[f], prefix[e]-prefix[b]
		inside := counts[b-1]
		all = append(all, refused{
			first: published[b-1], at: at, end: published[b],
			left: attack.ValuesWhere(0, inside, func(n int) bool {
				return !c.may(first, at, end, before+n, inside-n+beyond)
			}),
		})
	}
	return all
}

// gives reports whether there are counts that the rule cuts into these bands: it
// makes each of the cuts that were published, where it was made, and each boundary
// that is missing can have been refused.
func (c *chainRule) gives(ends, counts []int) bool {
	published := append([]int{0}, ends...)
	prefix := make(map[int]int, len(published))
	for i, n := range counts {
		prefix[ends[i]] = prefix[published[i]] + n
	}
	cuts := []int{0, c.units}
	for _, at := range c.order {
		if !slices.Contains(published, at) {
			continue
		}
		i, _ := slices.BinarySearch(cuts, at)
		first, end := cuts[i-1], cuts[i]
		if !c.may(first, at, end, prefix[at]-prefix[first], prefix[end]-prefix[at]) {
			return false
		}
		cuts = slices.Insert(cuts, i, at)
	}
	refusals := c.replay(ends, counts)
	return slices.Equal(cuts, published) && !slices.ContainsFunc(refusals, func(r refused) bool { return r.left.Empty() })
}

// Cut returns the ends of the bands into which the rule cuts the counts of a
// block that stands for itself, when that many members' answers are known.
func Cut(k framework.Kind, counts []int, known int) []int {
	return CutInOrder(boundaries(k), counts, known)
}

// CutInOrder is [Cut] of a chain of any units, whose boundaries are tried in the
// order given: those after so many units. What it cuts is as safe as any block,
// because the proof asks nothing of a chain but that its order is fixed.
func CutInOrder(order, counts []int, known int) []int {
	c := chainRule{units: len(counts), order: order, least: MinimumBand + known, members: total(counts)}
	return append(c.cut(counts), len(counts))
}
