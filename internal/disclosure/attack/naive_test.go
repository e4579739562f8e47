package attack_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

// byListing returns what every member can have answered to every block: the
// units that it has in some world, of all worlds, that fits every statement.
func byListing(p attack.Problem, blocks []attack.Block) map[string]map[attack.Block][]int {
	chain := p.Chain
	if chain == nil {
		chain = attack.Chain
	}
	var members []string
	for _, cycle := range p.Cycles {
		members = append(members, p.Rosters[cycle]...)
	}
	slices.Sort(members)
	members = slices.Compact(members)
	type cell struct{ member, block int }
	var own []cell // what has to be chosen; the rest follows
	for m, name := range members {
		for b, block := range blocks {
			if derived(block.Kind) || !slices.Contains(p.Rosters[block.Cycle], name) {
				continue
			}
			own = append(own, cell{m, b})
		}
	}
	world := make([][]int, len(members))
	for m := range world {
		world[m] = slices.Repeat([]int{-1}, len(blocks))
	}
	possible := make(map[string]map[attack.Block][]int)
	seen := func() {
		for m, name := range members {
			for b, block := range blocks {
				if derived(block.Kind) && slices.Contains(p.Rosters[block.Cycle], name) {
					world[m][b] = derive(p, blocks, world[m], b)
				}
			}
		}
		for _, s := range p.Statements {
			b := slices.Index(blocks, s.Block)
			total := 0
			for _, name := range s.Members {
				total += s.Weights[world[slices.Index(members, name)][b]]
			}
			if !s.Allowed.Has(total) {
				return
			}
		}
		for _, f := range p.Facts {
			if world[slices.Index(members, f.Member)][slices.Index(blocks, f.Block)] != slices.Index(chain(f.Block.Kind), f.Unit) {
				return
			}
		}
		for m, name := range members {
			for b, block := range blocks {
				if u := world[m][b]; u >= 0 {
					if possible[name] == nil {
						possible[name] = make(map[attack.Block][]int)
					}
					if !slices.Contains(possible[name][block], u) {
						possible[name][block] = append(possible[name][block], u)
						slices.Sort(possible[name][block])
					}
				}
			}
		}
	}
	var fill func(i int)
	fill = func(i int) {
		if i == len(own) {
			seen()
			return
		}
		for u := range chain(blocks[own[i].block].Kind) {
			world[own[i].member][own[i].block] = u
			fill(i + 1)
		}
	}
	fill(0)
	return possible
}

func derived(k framework.Kind) bool {
	return k == framework.KindLowest || k == framework.KindGap || k == framework.KindChange
}

// derive computes a member's unit in a derived block, with the functions of the
// tests rather than those of the package.
func derive(p attack.Problem, blocks []attack.Block, row []int, at int) int {
	b := blocks[at]
	get := func(cycle, subject string, k framework.Kind) int {
		if i := slices.Index(blocks, attack.Block{Cycle: cycle, Subject: subject, Kind: k}); i >= 0 {
			return max(row[i], 0)
		}
		return 0
	}
	before := ""
	if i := slices.Index(p.Cycles, b.Cycle); i > 0 {
		before = p.Cycles[i-1]
	}
	var now, then []int
	for _, o := range blocks {
		if o.Kind == framework.KindLevel && o.Cycle == b.Cycle && o.Subject[:1] == b.Subject[:1] {
			now = append(now, get(b.Cycle, o.Subject, o.Kind))
			then = append(then, get(before, o.Subject, o.Kind))
		}
	}
	switch b.Kind {
	case framework.KindGap:
		return gapOf(get(b.Cycle, b.Subject, framework.KindLevel), get(b.Cycle, b.Subject, framework.KindTarget))
	case framework.KindLowest:
		return lowestOf(now)
	}
	return changeOf(then, now)
}

// byAttack returns the same from the attack's findings, and what it leaves open.
func byAttack(t testing.TB, p attack.Problem) (map[string]map[attack.Block][]string, []attack.Open) {
	t.Helper()
	r, err := attack.Run(p, attack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]map[attack.Block][]string)
	for _, f := range r.Findings {
		if f.Kind == attack.Pointed {
			continue
		}
		for _, m := range f.Members {
			if found[m] == nil {
				found[m] = make(map[attack.Block][]string)
			}
			found[m][f.Block] = f.Left
		}
	}
	return found, r.Open
}

// agree compares the attack with the listing, for every member and block whose
// answer is not known, and returns how many answers were narrowed. What the
// attack leaves open may be either.
func agree(t testing.TB, p attack.Problem, blocks []attack.Block) int {
	t.Helper()
	chain := p.Chain
	if chain == nil {
		chain = attack.Chain
	}
	found, open := byAttack(t, p)
	narrowed := 0
	for m, byBlock := range byListing(p, blocks) {
		for b, units := range byBlock {
			if slices.ContainsFunc(p.Facts, func(f attack.Fact) bool { return f.Member == m && f.Block == b }) {
				continue
			}
			var names, bands []string
			for _, u := range units {
				names = append(names, chain(b.Kind)[u])
			}
			for u, unit := range chain(b.Kind) {
				empty := slices.ContainsFunc(p.Statements, func(s attack.Statement) bool {
					n, only := s.Allowed.Only()
					return !s.Implied && s.Block == b && slices.Contains(s.Members, m) && slices.Max(s.Weights) == 1 && only && n == 0 && s.Weights[u] == 1
				})
				if !empty {
					bands = append(bands, unit)
				}
			}
			left, ok := found[m][b]
			if !ok {
				left = bands
			}
			left = slices.DeleteFunc(slices.Clone(left), func(unit string) bool {
				return !slices.Contains(names, unit) && slices.ContainsFunc(open, func(o attack.Open) bool {
					return o.Block == b && o.Unit == unit && slices.Contains(o.Members, m)
				})
			})
			if diff := cmp.Diff(names, left); diff != "" {
				t.Errorf("%s, %s: -listed +attack\n%s", m, b, diff)
			}
			if len(names) < len(bands) || len(names) == 1 {
				narrowed++
			}
		}
	}
	return narrowed
}

func level(cycle, subject string) attack.Block {
	return attack.Block{Cycle: cycle, Subject: subject, Kind: framework.KindLevel}
}

// statements puts tables together.
func statements(t testing.TB, tables ...attack.Table) []attack.Statement {
	t.Helper()
	var all []attack.Statement
	for _, table := range tables {
		s, err := table.Statements()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s...)
	}
	return all
}

// TestNaiveOutputsGiveAnswersAway: each row is something that is published today.
func TestNaiveOutputsGiveAnswersAway(t *testing.T) {
	t.Parallel()
	five := []string{"a", "b", "c", "d", "e"}
	counts := func(subject string, cells map[string]string) attack.Row {
		return attack.Row{Subject: subject, Kind: framework.KindLevel, Counts: cells}
	}
	full := func(given map[string]string) map[string]string {
		cells := map[string]string{"none": "0", "0": "0", "1": "0", "2": "0", "3": "0", "4": "0"}
		for unit, n := range given {
			cells[unit] = n
		}
		return cells
	}
	mean := func(m string) attack.Row { return attack.Row{Subject: "A.1", Kind: framework.KindLevel, Mean: m} }
	one := level("2026", "A.1")
	two := level("2027", "A.1")
	change := attack.Block{Cycle: "2027", Subject: "A", Kind: framework.KindChange}
	lowest := attack.Block{Cycle: "2026", Subject: "A", Kind: framework.KindLowest}
	other := level("2026", "A.2")
	tests := []struct {
		name   string
		blocks []attack.Block
		tables []attack.Table
		facts  []attack.Fact
		chain  func(framework.Kind) []string
		who    string
		block  attack.Block
		want   []string
	}{
		{
			name: "a mean at the end of the scale", blocks: []attack.Block{one},
			tables: []attack.Table{{Source: "means", Cycle: "2026", Members: five, Rows: []attack.Row{mean("4.0")}}},
			who:    "a", block: one, want: []string{"4"},
		},
		{
			name: "means with and without one member", blocks: []attack.Block{one},
			tables: []attack.Table{
				{Source: "before", Cycle: "2026", Members: five[:4], Rows: []attack.Row{mean("2.25")}},
				{Source: "after", Cycle: "2026", Members: five, Rows: []attack.Row{mean("2.0")}},
			},
			who: "e", block: one, want: []string{"1"},
		},
		{
			name: "a cell of one, read by the one in it", blocks: []attack.Block{one},
			tables: []attack.Table{{Source: "counts", Cycle: "2026", Members: five, Rows: []attack.Row{counts("A.1", full(map[string]string{"0": "1", "3": "4"}))}}},
			facts:  []attack.Fact{{Member: "c", Block: one, Unit: "0"}},
			who:    "a", block: one, want: []string{"3"},
		},
		{
			name: "counts with and without a late member", blocks: []attack.Block{one},
			tables: []attack.Table{
				{Source: "at the deadline", Cycle: "2026", Members: five[:4], Rows: []attack.Row{counts("A.1", full(map[string]string{"1": "2", "3": "2"}))}},
				{Source: "a week later", Cycle: "2026", Members: five, Rows: []attack.Row{counts("A.1", full(map[string]string{"1": "3", "3": "2"}))}},
			},
			who: "e", block: one, want: []string{"1"},
		},
		{
			name: "overlapping groups", blocks: []attack.Block{one},
			tables: []attack.Table{
				{Source: "all", Cycle: "2026", Members: five, Rows: []attack.Row{counts("A.1", full(map[string]string{"0": "2", "2": "3"}))}},
				{Source: "coast", Cycle: "2026", Members: []string{"a", "b", "c"}, Rows: []attack.Row{counts("A.1", full(map[string]string{"0": "1", "2": "2"}))}},
				{Source: "north", Cycle: "2026", Members: []string{"b", "c", "d", "e"}, Rows: []attack.Row{counts("A.1", full(map[string]string{"0": "1", "2": "3"}))}},
			},
			who: "a", block: one, want: []string{"0"},
		},
		{
			name: "levels of two years and the change", blocks: []attack.Block{one, two, change}, chain: short(4),
			tables: []attack.Table{
				{Source: "2026", Cycle: "2026", Members: []string{"a", "b", "c"}, Rows: []attack.Row{counts("A.1", map[string]string{"0": "0", "1": "2", "2": "0", "3": "1"})}},
				{Source: "2027", Cycle: "2027", Members: []string{"a", "b", "c", "d"}, Rows: []attack.Row{
					counts("A.1", map[string]string{"0": "0", "1": "2", "2": "1", "3": "1"}),
					{Subject: "A", Kind: framework.KindChange, Counts: map[string]string{"same": "3", "not_comparable": "1"}},
				}},
			},
			who: "d", block: two, want: []string{"2"},
		},
		{
			name: "a cell left out beside its total", blocks: []attack.Block{one},
			tables: []attack.Table{
				{Source: "all", Cycle: "2026", Members: five, Rows: []attack.Row{counts("A.1", full(map[string]string{"1": "<3", "3": "4"}))}},
				{Source: "without the islands", Cycle: "2026", Members: five[:4], Rows: []attack.Row{counts("A.1", full(map[string]string{"3": "4"}))}},
			},
			who: "e", block: one, want: []string{"1"},
		},
		{
			name: "levels and the lowest of an area", blocks: []attack.Block{one, other, lowest}, chain: short(3),
			tables: []attack.Table{{Source: "2026", Cycle: "2026", Members: []string{"a", "b", "c"}, Rows: []attack.Row{
				counts("A.1", map[string]string{"0": "1", "1": "2"}),
				{Subject: "A", Kind: framework.KindLowest, Counts: map[string]string{"1": "3"}},
			}}},
			who: "a", block: one, want: nil, // no answers fit: a row at 0 has its lowest at 0
		},
		{
			name: "the lowest of an area excludes", blocks: []attack.Block{one, other, lowest}, chain: short(3),
			tables: []attack.Table{{Source: "2026", Cycle: "2026", Members: []string{"a", "b", "c"}, Rows: []attack.Row{
				{Subject: "A", Kind: framework.KindLowest, Counts: map[string]string{"2": "3"}},
			}}},
			who: "a", block: other, want: []string{"none", "2"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := attack.Problem{
				Blocks: tt.blocks, Rosters: make(map[string][]string), Facts: tt.facts,
				Statements: shorten(statements(t, tt.tables...), tt.chain), Chain: tt.chain,
			}
			for _, table := range tt.tables {
				if !slices.Contains(p.Cycles, table.Cycle) {
					p.Cycles = append(p.Cycles, table.Cycle)
				}
				for _, m := range table.Members {
					if !slices.Contains(p.Rosters[table.Cycle], m) {
						p.Rosters[table.Cycle] = append(p.Rosters[table.Cycle], m)
					}
				}
				slices.Sort(p.Rosters[table.Cycle])
			}
			if tt.want == nil {
				if _, err := attack.Run(p, attack.Options{}); err == nil {
					t.Error("statements that no answers fit pass")
				}
				return
			}
			found, open := byAttack(t, p)
			if len(open) > 0 {
				t.Errorf("open: %v", open)
			}
			if diff := cmp.Diff(tt.want, found[tt.who][tt.block]); diff != "" {
				t.Errorf("%s, %s: -want +got\n%s", tt.who, tt.block, diff)
			}
			if agree(t, p, tt.blocks) == 0 {
				t.Error("nothing is narrowed by listing")
			}
		})
	}
}

// shorten cuts weights to shorter chains.
func shorten(all []attack.Statement, chain func(framework.Kind) []string) []attack.Statement {
	if chain == nil {
		return all
	}
	for i := range all {
		all[i].Weights = all[i].Weights[:len(chain(all[i].Block.Kind))]
	}
	return all
}

// TestAttackAgreesWithListing: whatever is said of small coalitions.
func TestAttackAgreesWithListing(t *testing.T) {
	t.Parallel()
	tries := 40
	if long() {
		tries = 3000
	}
	scenes := []struct {
		name    string
		levels  int
		members int
		blocks  []attack.Block
		open    bool // the sums are not exact: something may stay open
	}{
		{"one block", 3, 5, []attack.Block{level("1", "A.1")}, false},
		{"gap", 2, 4, []attack.Block{level("1", "A.1"), {Cycle: "1", Subject: "A.1", Kind: "target"}, {Cycle: "1", Subject: "A.1", Kind: "gap"}}, false},
		{"lowest", 2, 4, []attack.Block{level("1", "A.1"), level("1", "A.2"), {Cycle: "1", Subject: "A", Kind: "lowest"}}, false},
		{"change", 2, 4, []attack.Block{level("1", "A.1"), level("2", "A.1"), {Cycle: "2", Subject: "A", Kind: "change"}}, false},
		{"two changes", 2, 3, []attack.Block{level("1", "A.1"), level("2", "A.1"), level("3", "A.1"), {Cycle: "2", Subject: "A", Kind: "change"}, {Cycle: "3", Subject: "A", Kind: "change"}}, true},
		{"lowest and change", 2, 2, []attack.Block{level("1", "A.1"), level("1", "A.2"), level("2", "A.1"), level("2", "A.2"), {Cycle: "2", Subject: "A", Kind: "lowest"}, {Cycle: "2", Subject: "A", Kind: "change"}}, true},
	}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			rng := newRand(scene.name)
			narrowed := 0
			for range tries {
				p := randomProblem(rng, scene.blocks, short(scene.levels), scene.members)
				narrowed += agree(t, p, scene.blocks)
				if _, open := byAttack(t, p); len(open) > 0 && !scene.open {
					t.Errorf("open: %v", open)
				}
				if t.Failed() {
					for _, s := range p.Statements {
						t.Log(fmt.Sprint(s.Block, s.Members, s.Weights, s.Allowed))
					}
					t.FailNow()
				}
			}
			if narrowed == 0 {
				t.Error("nothing was ever narrowed")
			}
		})
	}
}
