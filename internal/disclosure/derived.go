package disclosure

import (
	"slices"
	"sort"
	"strings"

	"muster/internal/framework"
)

// A derived block follows from blocks of which bands are shown, so it says
// something of them. It is shown only with counts for which, whatever those who
// are known answered, every unit of every band stays possible. Which counts these
// are follows from bands that are published already, so that holding a derived
// block back says only that its count was another.
//
// A derived block is cut once at most, and no part of it may be empty.

// band returns the count of exactly those units, and whether they are a band.
func (b BandedBlock) band(first, end int) (int, bool) {
	at := 0
	for _, band := range b.bands {
		if at == first && at+len(band.Units) == end {
			return int(band.Count), true
		}
		at += len(band.Units)
	}
	return 0, false
}

// gapRange returns which cuts of a gap leave everything possible: left are those
// below or unknown, right those that met their target.
//
// Targets are not shown, so a level that is given can go with any gap except the
// highest, which is never below. Those who gave no level are all unknown, and
// must find room on the left whatever the known members answered; and somebody
// must be able to be below.
func (e *engine) gapRange(key blockKey) func(left, right int) bool {
	level, ok := e.blocks[blockKey{key.subject, framework.KindLevel}]
	if !ok {
		return nil
	}
	silent, _ := level.band(0, 1)
	last := len(Chain(framework.KindLevel)) - 1
	canBeBelow := false
	at := 0
	for _, b := range level.bands {
		end := at + len(b.Units)
		if b.Count > 0 && end-at+min(at, 1) > 1 && at < last { // neither silent alone nor the highest alone
			canBeBelow = true
		}
		at = end
	}
	if !canBeBelow {
		return nil
	}
	room := silent + e.rule.Known() + 1
	return func(left, right int) bool { return right > 0 && left >= room }
}

// area returns the level blocks of an area that e has, in the order of their ids.
func (e *engine) area(id string) []BandedBlock {
	var all []BandedBlock
	for key, b := range e.blocks {
		if area, _, _ := strings.Cut(key.subject, "."); area == id && key.kind == framework.KindLevel {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b BandedBlock) int { return strings.Compare(a.subject, b.subject) })
	return all
}

// typical returns counts that the block's bands and the rule's silence allow, and
// go on allowing when some of the members in a band's largest unit, as many as
// are known and one more, are moved anywhere within the band: all of a band in
// its last unit but one in its first, or the other way round where the rule's
// silence asks for it.
func (e *engine) typical(b BandedBlock) []int {
	units := len(Chain(b.kind))
	rule := e.plainRule(b.kind)
	ends, counts := b.ends()
	typical := make([]int, units)
	start := 0
	for i, end := range ends {
		typical[end-1] = counts[i]
		if end-start > 1 && counts[i] > 0 {
			typical[start], typical[end-1] = 1, counts[i]-1
		}
		start = end
	}
	for _, r := range rule.replay(ends, counts) {
		if n := typical[r.first] + typical[r.end-1]; !r.left.Has(1) {
			typical[r.first], typical[r.end-1] = n-1, 1
		}
	}
	return typical
}

// ends returns where the bands end, and their counts.
func (b BandedBlock) ends() (ends, counts []int) {
	at := 0
	for _, band := range b.bands {
		at += len(band.Units)
		ends, counts = append(ends, at), append(counts, int(band.Count))
	}
	return ends, counts
}

// occupied returns which units are in a band that is not empty.
func (b BandedBlock) occupied() []bool {
	units := make([]bool, 0, len(Chain(b.kind)))
	for _, band := range b.bands {
		for range band.Units {
			units = append(units, band.Count > 0)
		}
	}
	return units
}

// lowestRange returns which cuts of an area's lowest level leave everything
// possible: left are those with some outcome at 0 or 1, or with no level at all.
//
// Columns in their typical counts can be arranged so that any number of members
// is left, from the most that one outcome has there to the sum over all, less
// what those who are known take out of each.
func (e *engine) lowestRange(key blockKey) func(left, right int) bool {
	const boundary = 3 // between 1 and 2
	reach := make([]bool, len(Chain(framework.KindLevel)))
	least, most := 0, 0
	for _, b := range e.area(key.subject) {
		for u, ok := range b.occupied() {
			reach[u] = reach[u] || ok
		}
		t := e.typical(b)
		least = max(least, total(t[:boundary]))
		most += max(0, total(t[1:boundary])-e.rule.Known()-1)
	}
	if slices.Contains(reach, false) {
		return nil // a lowest level that no outcome can give
	}
	least += e.rule.Known() + 2
	return func(left, right int) bool { return right > 0 && left >= least && left <= most }
}

// changeRange returns which cuts of an area's change leave everything possible:
// right are those who are better, with some outcome risen and none fallen.
//
// It is shown only between two releases of the same members, neither of which
// showed lowest levels. Each year's rows are taken as typical columns, each in
// ascending order, which gives rows in ascending order; whoever is matched with a
// row high enough is better. So of last year's and this year's rows any number of
// pairs can be better from the least to the most that a matching has, less what
// those who are known take out. Rows in which somebody may give no level stand
// aside.
func (e *engine) changeRange(key blockKey) func(left, right int) bool {
	p := e.previous
	if p == nil || p.Rule.Prefer.Lowest || !slices.Equal(p.Members, e.members) {
		return nil
	}
	before := newEngine(p.Rule, p.Members, p.previous)
	for _, b := range p.blocks {
		before.blocks[blockKey{b.subject, b.kind}] = b
	}
	n := len(e.members)
	var was, is [][]int // columns, ascending
	aside := 0
	possible := changes{}
	for _, now := range e.area(key.subject) {
		then, ok := before.blocks[blockKey{now.subject, framework.KindLevel}]
		if !ok {
			continue // a new outcome cannot be compared
		}
		possible.add(then.occupied(), now.occupied())
		t, i := before.typical(then), e.typical(now)
		aside = max(aside, t[0], i[0])
		was, is = append(was, column(t)), append(is, column(i))
	}
	if !possible.all() {
		return nil
	}
	known := 2 * (max(e.rule.Known(), p.Rule.Known()) + 1)
	least, most := better(was, is, aside, n)
	least, most = least+known+aside+1, most-known
	return func(_, right int) bool { return right >= least && right <= most }
}

// changes says which classes of change an area's bands leave to somebody.
type changes struct {
	rise, fall, stay int // outcomes in which somebody can
	both             int // and both rise and fall
}

func (c *changes) add(then, now []bool) {
	var rise, fall, stay bool
	for u := 1; u < len(then); u++ {
		for v := 1; v < len(now); v++ {
			if then[u] && now[v] {
				rise, fall, stay = rise || u < v, fall || u > v, stay || u == v
			}
		}
	}
	for _, x := range []struct {
		can bool
		n   *int
	}{{rise, &c.rise}, {fall, &c.fall}, {stay, &c.stay}, {rise && fall, &c.both}} {
		if x.can {
			*x.n++
		}
	}
}

// all reports whether every class is possible; mixed takes two outcomes.
func (c *changes) all() bool {
	mixed := c.rise > 0 && c.fall > 0 && c.rise+c.fall-c.both > 1
	return mixed && c.stay > 0
}

// column returns the units of a column in ascending order.
func column(counts []int) []int {
	var all []int
	for u, n := range counts {
		for range n {
			all = append(all, u)
		}
	}
	return all
}

// better returns how many of the pairs of a matching of last year's rows with
// this year's are better, the least and the most; of the rows from aside on.
func better(was, is [][]int, aside, n int) (least, most int) {
	// Row i is better with row j and all above from first[i] on; n if with none.
	first := make([]int, 0, n)
	for i := aside; i < n; i++ {
		first = append(first, aside+sort.Search(n-aside, func(j int) bool { return rises(was, is, i, aside+j) }))
	}
	slices.Sort(first)
	// The most: give each row of this year, from the lowest, to somebody still
	// waiting whom it is high enough for.
	next := 0
	for j := aside; j < n; j++ {
		if next < len(first) && first[next] <= j {
			next++
			most++
		}
	}
	// The least: likewise as many as possible that are not better.
	worse, last := 0, len(first)-1
	for j := n - 1; j >= aside; j-- {
		if last >= 0 && first[last] > j {
			last--
			worse++
		}
	}
	return len(first) - worse, most
}

// rises reports whether row j of this year is better than row i of last year.
func rises(was, is [][]int, i, j int) bool {
	rose := false
	for o := range was {
		if is[o][j] < was[o][i] {
			return false
		}
		rose = rose || is[o][j] > was[o][i]
	}
	return rose
}
