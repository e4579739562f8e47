package cascade

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"muster/internal/errs"
)

// A Crowd is what is known of some owners together and of none alone: how many of
// them stand where, outcome by outcome, in bands of levels. How far who is low in
// one outcome is low in others nobody knows from it, so every draw takes a measure
// of that of its own, from not at all to wholly. docs/design/cascade.md has the
// experiment: outcomes by themselves would claim three times the certainty that
// they have.
type Crowd struct {
	Owners   int // how many they are
	Outcomes []CrowdOutcome
}

// CrowdOutcome is one outcome of a crowd.
type CrowdOutcome struct {
	ID       string
	Recovery bool        // it speaks of recovery; else of resistance
	Bands    []CrowdBand // in order, counting all owners
}

// CrowdBand is how many owners stand at one of some neighbouring levels.
type CrowdBand struct {
	Low, High int // levels from 0 to 4; [NoCrowdLevel] is below them, and none at all
	Owners    int
}

// NoCrowdLevel is the level of an owner that gave none.
const NoCrowdLevel = -1

// given returns the lowest level of a band that is taken for one. Where owners without
// a level are in a band with others all are taken to have one: few give none, and
// leaving them out would let whoever is low seem higher.
func (b CrowdBand) given() int {
	if b.High >= 0 {
		return max(b.Low, 0)
	}
	return b.Low
}

const topLevel = 4

func (c *Crowd) check() error {
	invalid := func(format string, args ...any) error {
		return errs.New(errs.Invalid, fmt.Sprintf(format, args...), "")
	}
	for _, o := range c.Outcomes {
		next, sum := NoCrowdLevel, 0
		for _, b := range o.Bands {
			if b.Low != next || b.High < b.Low || b.High > topLevel || b.Owners < 0 {
				return invalid("outcome %s has bands that are not its levels in order", errs.Quote(o.ID))
			}
			next, sum = b.High+1, sum+b.Owners
		}
		if next != topLevel+1 {
			return invalid("outcome %s has bands that are not its levels in order", errs.Quote(o.ID))
		}
		if sum != c.Owners {
			return invalid("outcome %s counts %d of %d owners", errs.Quote(o.ID), sum, c.Owners)
		}
	}
	return nil
}

// Without returns the crowd less one owner whose levels are known, by outcome. It
// refuses one that cannot be among them: then it is another crowd, or another owner.
func (c *Crowd) Without(levels map[string]int) (*Crowd, error) {
	less := &Crowd{Owners: c.Owners - 1}
	for _, o := range c.Outcomes {
		level, ok := levels[o.ID]
		if !ok {
			return nil, errs.New(errs.Invalid, "the member has no answer to "+o.ID, "answer it, or take the release of what was answered")
		}
		o.Bands = slices.Clone(o.Bands)
		i := slices.IndexFunc(o.Bands, func(b CrowdBand) bool { return b.Low <= level && level <= b.High })
		if i < 0 || o.Bands[i].Owners == 0 {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("the release counts nobody where the member stands in %s", o.ID),
				"take the release of the cycle in which these answers were sealed, of the member's own cohort")
		}
		o.Bands[i].Owners--
		less.Outcomes = append(less.Outcomes, o)
	}
	return less, nil
}

// middle is how the crowd stands on average, each band at its middle. A level that
// nothing is known of is below 0.
func (c *Crowd) middle() Level {
	var sum, count [2]float64
	for _, o := range c.Outcomes {
		k := o.kind()
		for _, b := range o.Bands {
			if b.High < 0 {
				continue
			}
			sum[k] += float64(float64(b.given()+b.High) / 2 * float64(b.Owners))
			count[k] += float64(b.Owners)
		}
	}
	return levelOfSums(sum, count)
}

func (o *CrowdOutcome) kind() int {
	if o.Recovery {
		return 1
	}
	return 0
}

func levelOfSums(sum, count [2]float64) Level {
	one := func(k int) float64 {
		if count[k] == 0 {
			return -1
		}
		return sum[k] / (topLevel * count[k])
	}
	return Level{one(0), one(1)}
}

// Stand returns how one owner stands whose levels are known, by outcome, as the
// crowd's owners do: the mean over the outcomes with a level, all alike.
func (c *Crowd) Stand(levels map[string]int) Level {
	var sum, count [2]float64
	for i := range c.Outcomes {
		if l, ok := levels[c.Outcomes[i].ID]; ok && l >= 0 {
			sum[c.Outcomes[i].kind()] += float64(l)
			count[c.Outcomes[i].kind()]++
		}
	}
	return levelOfSums(sum, count)
}

const crowdStream stream = 48

// Draw returns levels of all owners of the crowd as one draw has them, in an order
// that says nothing.
func (c *Crowd) Draw(seed uint64, draw int) []Level { return c.draw(newRepairTables(), seed, draw) }

// draw returns levels of all owners of the crowd, in an order that says nothing.
func (c *Crowd) draw(t *repairTables, seed uint64, draw int) []Level {
	state := start(seed, crowdStream, uint64(draw))
	next := func() uint64 {
		state += golden
		return mix(state)
	}
	normal := func() float64 { return float64(t.z(next())) / one }
	tie := float64(next()>>11) / (1 << 53)
	common, own := math.Sqrt(tie), math.Sqrt(1-tie)
	z := make([]float64, c.Owners)
	for i := range z {
		z[i] = normal()
	}
	sums, counts := make([][2]float64, c.Owners), make([][2]float64, c.Owners)
	score := make([]float64, c.Owners)
	order := make([]int, c.Owners)
	levels := make([]int, 0, c.Owners)
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		levels = levels[:0]
		for _, b := range o.Bands {
			low := b.given()
			for range b.Owners {
				levels = append(levels, low+int(scaled(next(), uint64(b.High-low+1))))
			}
		}
		slices.Sort(levels)
		for j := range order {
			order[j] = j
			score[j] = float64(common*z[j]) + float64(own*normal())
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })
		k := o.kind()
		for rank, j := range order {
			if l := levels[rank]; l >= 0 {
				sums[j][k] += float64(l)
				counts[j][k]++
			}
		}
	}
	all := make([]Level, c.Owners)
	for j := range all {
		all[j] = levelOfSums(sums[j], counts[j])
	}
	return all
}

// hash adds the crowd to a digest.
func (c *Crowd) hash(h *hasher) {
	h.number(uint64(c.Owners), uint64(len(c.Outcomes)))
	for i := range c.Outcomes {
		o := &c.Outcomes[i]
		h.text(o.ID)
		h.number(uint64(o.kind()), uint64(len(o.Bands)))
		for _, b := range o.Bands {
			h.number(uint64(b.Low+1), uint64(b.High+1), uint64(b.Owners))
		}
	}
}
