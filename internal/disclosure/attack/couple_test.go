package attack_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
)

// short is a chain of silence and some levels; everything else has its own chain.
func short(levels int) func(framework.Kind) []string {
	return func(k framework.Kind) []string {
		switch k {
		case framework.KindLevel, framework.KindVerified, framework.KindTarget, framework.KindLowest:
			return attack.Chain(k)[:levels+1]
		}
		return attack.Chain(k)
	}
}

// world computes a member's derived units from its own, by position in the chain.
func lowestOf(row []int) int {
	lowest := 0
	for _, u := range row {
		if u > 0 && (lowest == 0 || u < lowest) {
			lowest = u
		}
	}
	return lowest
}

func gapOf(level, target int) int {
	switch {
	case level == 0 || target == 0:
		return 0
	case level < target:
		return 1
	}
	return 2
}

func changeOf(then, now []int) int {
	var rose, fell, compared bool
	for i := range then {
		if then[i] == 0 || now[i] == 0 {
			continue
		}
		compared = true
		rose, fell = rose || now[i] > then[i], fell || now[i] < then[i]
	}
	switch {
	case !compared:
		return 0
	case rose && fell:
		return 2
	case fell:
		return 1
	case rose:
		return 4
	}
	return 3
}

// rows calls f with every row of that many units below limit.
func rows(length, limit int, f func([]int)) {
	row := make([]int, length)
	var fill func(int)
	fill = func(i int) {
		if i == length {
			f(row)
			return
		}
		for u := range limit {
			row[i] = u
			fill(i + 1)
		}
	}
	fill(0)
}

// listed is every vector of counts that some members can have: all multisets of
// rows, each row counting one in some cells.
func listed(members, cells int, types [][]int) map[string]bool {
	// One member more at a time; two multisets with the same counts are the same.
	states := map[string][]int{fmt.Sprint(make([]int, cells)): make([]int, cells)}
	for range members {
		next := make(map[string][]int)
		for _, counts := range states {
			for _, t := range types {
				n := slices.Clone(counts)
				for _, cell := range t {
					n[cell]++
				}
				next[fmt.Sprint(n)] = n
			}
		}
		states = next
	}
	all := make(map[string]bool)
	for key := range states {
		all[key] = true
	}
	return all
}

// layout says how cells are divided into blocks.
type cells struct {
	blocks []attack.Block
	units  []int
	from   []int
	total  int
}

func newCells(chain func(framework.Kind) []string, blocks ...attack.Block) *cells {
	c := &cells{blocks: blocks}
	for _, b := range blocks {
		c.from = append(c.from, c.total)
		c.units = append(c.units, len(chain(b.Kind)))
		c.total += len(chain(b.Kind))
	}
	return c
}

// every calls f with all counts in which every block counts the members.
func (c *cells) every(members int, f func([]int)) {
	counts := make([]int, c.total)
	var fill func(block, unit, left int)
	fill = func(block, unit, left int) {
		if block == len(c.blocks) {
			f(counts)
			return
		}
		at := c.from[block] + unit
		if unit == c.units[block]-1 {
			counts[at] = left
			fill(block+1, 0, members)
			return
		}
		for n := range left + 1 {
			counts[at] = n
			fill(block, unit+1, left-n)
		}
	}
	fill(0, 0, members)
}

func TestCouplingIsExact(t *testing.T) {
	t.Parallel()
	at := func(cycle, subject string, kind framework.Kind) attack.Block {
		return attack.Block{Cycle: cycle, Subject: subject, Kind: kind}
	}
	tests := []struct {
		name    string
		levels  int
		members int
		blocks  []attack.Block
		own     int // the first blocks are the member's own; the last is computed
		derive  func([]int) int
		every   int // of the vectors that do not fit one in so many is tried
	}{
		{
			"lowest of two", 3, 3,
			[]attack.Block{at("2", "A.1", "level"), at("2", "A.2", "level"), at("2", "A", "lowest")},
			2,
			lowestOf, 41,
		},
		{
			"lowest of three", 2, 3,
			[]attack.Block{at("2", "A.1", "level"), at("2", "A.2", "level"), at("2", "A.3", "level"), at("2", "A", "lowest")},
			3,
			lowestOf, 41,
		},
		{
			"gap", 3, 5,
			[]attack.Block{at("2", "A.1", "level"), at("2", "A.1", "target"), at("2", "A.1", "gap")},
			2,
			func(r []int) int { return gapOf(r[0], r[1]) }, 41,
		},
		{
			"change of one", 3, 5,
			[]attack.Block{at("1", "A.1", "level"), at("2", "A.1", "level"), at("2", "A", "change")},
			2,
			func(r []int) int { return changeOf(r[:1], r[1:]) }, 41,
		},
		{
			"change of two", 2, 3,
			[]attack.Block{at("1", "A.1", "level"), at("1", "A.2", "level"), at("2", "A.1", "level"), at("2", "A.2", "level"), at("2", "A", "change")},
			4,
			func(r []int) int { return changeOf(r[:2], r[2:]) }, 401,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			chain := short(tt.levels)
			c := newCells(chain, tt.blocks...)
			var types [][]int
			rows(tt.own, tt.levels+1, func(row []int) {
				var cells []int
				for i, u := range append(slices.Clone(row), tt.derive(row)) {
					cells = append(cells, c.from[i]+u)
				}
				types = append(types, cells)
			})
			real := listed(tt.members, c.total, types)
			members := make([]string, tt.members)
			for i := range members {
				members[i] = fmt.Sprint("m", i)
			}
			tried, fitting, seen := 0, 0, [2]int{}
			c.every(tt.members, func(counts []int) {
				// All of them in a long test, else as many as there is time for: some
				// hundreds of those that fit, and of the others one in so many.
				is := real[fmt.Sprint(counts)]
				stride := tt.every
				if is {
					stride = 1 + len(real)/300
				}
				if seen[b2i(is)]++; seen[b2i(is)]%stride != 0 && !long() {
					return
				}
				p := attack.Problem{
					Cycles: []string{"1", "2"}, Rosters: map[string][]string{"1": members, "2": members},
					Blocks: tt.blocks, Chain: chain,
				}
				for i, b := range tt.blocks {
					for u := range c.units[i] {
						p.Statements = append(p.Statements, attack.Count("table", b, members, c.units[i], u, u, counts[c.from[i]+u]))
					}
				}
				_, err := attack.Run(p, attack.Options{})
				fits := err == nil
				if !fits && errs.KindOf(err) != errs.Conflict {
					t.Fatal(err)
				}
				if want := real[fmt.Sprint(counts)]; fits != want {
					t.Fatalf("counts %v: fit %t, and listing every world says %t", counts, fits, want)
				}
				tried++
				if fits {
					fitting++
				}
			})
			if long() && fitting != len(real) || fitting == 0 || fitting == tried {
				t.Errorf("%d of %d vectors fit, %d are listed", fitting, tried, len(real))
			}
		})
	}
}

// long reports whether long tests do all they can.
func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
