package disclosure_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
)

// story is an invented coalition over some years, with its releases.
type story struct {
	layout  *framework.Layout
	rule    disclosure.Rule
	issues  []*disclosure.Issue
	members [][]string
	// answers of everybody, by cycle and member, by block's name the position in the chain
	answers map[string]map[string]map[string]int
}

// tell plays years with members that join and leave, and releases each.
func tell(t testing.TB, seed uint64, layout *framework.Layout, n, years int, rule disclosure.Rule) *story {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	s := newState(layout, seed)
	st := &story{layout: layout, rule: rule, answers: make(map[string]map[string]map[string]int)}
	members := names(n)
	next := n
	var last *disclosure.Issue
	for year := range years {
		if year > 0 && rng.IntN(2) == 0 {
			for range min(rng.IntN(4), len(members)-8-rule.Hosts) {
				i := rng.IntN(len(members))
				members = slices.Delete(slices.Clone(members), i, i+1)
			}
			for range rng.IntN(10) {
				members = append(slices.Clone(members), fmt.Sprintf("m%03d", next))
				next++
			}
		}
		cycle := fmt.Sprint(2026 + year)
		totals := s.year(members)
		st.answers[cycle] = s.answers
		last = issueOf(t, cycle, members, rule, totals, last)
		st.issues = append(st.issues, last)
		st.members = append(st.members, members)
	}
	return st
}

// again releases the same years with some answers changed, and reports the first
// block of which something else is shown.
func (st *story) again(t testing.TB, blocks []attack.Block, answers map[string][]string) string {
	t.Helper()
	own := func(k framework.Kind) bool {
		return k != framework.KindGap && k != framework.KindLowest && k != framework.KindChange
	}
	changed := make(map[string]map[string]map[string]int)
	for cycle, byMember := range st.answers {
		changed[cycle] = make(map[string]map[string]int)
		for m, units := range byMember {
			changed[cycle][m] = make(map[string]int)
			for name, u := range units {
				changed[cycle][m][name] = u
			}
		}
	}
	for m, units := range answers {
		for i, b := range blocks {
			if units[i] != "" && own(b.Kind) {
				changed[b.Cycle][m][b.Subject+"/"+string(b.Kind)] = slices.Index(attack.Chain(b.Kind), units[i])
			}
		}
	}
	var last *disclosure.Issue
	for i, issue := range st.issues {
		var before map[string]map[string]int
		if i > 0 {
			before = changed[st.issues[i-1].Cycle]
		}
		totals := total(st.layout, st.members[i], changed[issue.Cycle], before)
		now := issueOf(t, issue.Cycle, st.members[i], st.rule, totals, last)
		last = now
		for j, b := range now.Blocks() {
			if !cmp.Equal(b.Bands(), issue.Blocks()[j].Bands()) {
				return fmt.Sprintf("%s of %s: %v, released was %v", b.Name(), issue.Cycle, b.Bands(), issue.Blocks()[j].Bands())
			}
		}
	}
	return ""
}

// TestReleasesWithstandTheAttack: whatever known members answered, everybody else
// can have answered anything within the bands. Every world that the attack relies
// on is released again, and must give exactly the same releases: so what it takes
// as possible is possible, the rule included.
func TestReleasesWithstandTheAttack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		n, areas, outcomes int
		stories, long      uint64 // coalitions of three years, and in a long test
	}{
		{11, 1, 3, 8, 600},
		{12, 1, 3, 8, 600},
		{16, 1, 3, 8, 600},
		{10, 2, 6, 4, 240},
		{12, 2, 6, 4, 240},
		{18, 2, 6, 4, 240},
		{32, 2, 6, 4, 240},
		{60, 2, 6, 4, 240},
		{150, 1, 4, 4, 60}, // change and lowest level are shown
	} {
		n, stories := row.n, row.stories
		if long() {
			stories = row.long
		}
		t.Run(fmt.Sprintf("%d members, %d outcomes", n, row.outcomes), func(t *testing.T) {
			t.Parallel()
			seen := make(map[framework.Kind]int)
			worlds := 0
			for seed := range stories {
				rule := disclosure.Rule{Hosts: int(seed % 3), Colluders: int(seed / 2 % 2)}
				rule.Prefer.Lowest, rule.Prefer.Target = seed%4 == 1, seed%4 == 2
				if n <= 11 {
					rule.Hosts = 0
				}
				st := tell(t, seed+uint64(n)<<32, layoutOf(row.areas, row.outcomes), n, 3, rule)
				for _, issue := range st.issues {
					for _, b := range issue.Blocks() {
						if b.Shown() {
							seen[b.Kind()]++
						}
					}
				}
				r, err := disclosure.NewHistory(st.issues...).Attack(attack.Options{
					Witness: func(blocks []attack.Block, answers map[string][]string) {
						if worlds++; worlds%7 != 0 && !long() {
							return
						}
						if other := st.again(t, blocks, answers); other != "" {
							t.Errorf("seed %d: a world of the attack releases something else: %s", seed, other)
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range r.Findings[:min(3, len(r.Findings))] {
					t.Errorf("seed %d: %s of %s: %v of %v, worst %v, from %d statements", seed, f.Kind, f.Block, f.Left, f.Bands, f.Worst, len(f.From))
				}
				for _, o := range r.Open[:min(3, len(r.Open))] {
					t.Errorf("seed %d: open: %s of %s", seed, o.Unit, o.Block)
				}
			}
			t.Log(seen, worlds, "worlds")
			for _, k := range []framework.Kind{framework.KindLevel, framework.KindVerified, framework.KindEvidence, framework.KindTarget} {
				if n >= 18 && seen[k] == 0 {
					t.Errorf("no %s was ever shown", k)
				}
			}
			if n >= 150 && (seen[framework.KindChange] == 0 || seen[framework.KindLowest] == 0 || seen[framework.KindGap] == 0) {
				t.Errorf("a block that follows from others was never shown: %v", seen)
			}
		})
	}
}

// TestStatementsAreTheRule: counts satisfy what an issue says exactly if they
// would have led to it. All counts are listed.
func TestStatementsAreTheRule(t *testing.T) {
	t.Parallel()
	for _, n := range []int{9, 12, 14} {
		for _, kind := range []framework.Kind{framework.KindLevel, framework.KindEvidence} {
			t.Run(fmt.Sprint(n, " ", kind), func(t *testing.T) {
				t.Parallel()
				layout := layoutOf(1, 1)
				units := len(disclosure.Chain(kind))
				rule := disclosure.Rule{Hosts: 1}
				say := make(map[string][]attack.Statement) // by what is shown
				text := func(counts []int) string {
					return shown{ends: disclosure.Cut(kind, counts, rule.Known())}.text(counts)
				}
				type vector struct {
					counts []int
					text   string
				}
				var all []vector
				compositions(units, uint64(n), func(c []uint64) {
					counts := make([]int, units)
					for i := range c {
						counts[i] = int(c[i])
					}
					v := vector{counts, text(counts)}
					all = append(all, v)
					if say[v.text] == nil {
						issue := issueOf(t, "2026", names(n), rule, one(layout, kind, counts), nil)
						p, err := disclosure.NewHistory(issue).Problem(0)
						if err != nil {
							t.Fatal(err)
						}
						say[v.text] = slices.DeleteFunc(p.Statements, func(s attack.Statement) bool { return s.Block.Kind != kind })
						if len(say[v.text]) == 0 {
							t.Fatalf("nothing is said of %v", counts)
						}
					}
				})
				for published, statements := range say {
					for _, v := range all {
						fits := !slices.ContainsFunc(statements, func(s attack.Statement) bool {
							sum := 0
							for u, w := range s.Weights {
								sum += w * v.counts[u]
							}
							return !s.Allowed.Has(sum)
						})
						if fits != (v.text == published) {
							t.Fatalf("%v shows %s; it fits what %s says: %t", v.counts, v.text, published, fits)
						}
					}
				}
			})
		}
	}
}

// TestColludersAreTheWorst: a rule made for fewer known members than there are
// is broken, by the attack, exactly where listing all counts says so.
func TestColludersAreTheWorst(t *testing.T) {
	t.Parallel()
	tries := 40
	if long() {
		tries = 1000
	}
	layout := layoutOf(1, 1)
	for colluders := 1; colluders <= 4; colluders++ {
		t.Run(fmt.Sprint(colluders, " known"), func(t *testing.T) {
			t.Parallel()
			const n = 12
			rule := disclosure.Rule{} // reckons with one, the reader
			rng := rand.New(rand.NewPCG(uint64(colluders), 3))
			show := func(counts []int) shown {
				return shown{ends: disclosure.Cut(framework.KindLevel, counts, rule.Known())}
			}
			all := classes(n, show)
			broken := 0
			for range tries {
				counts := make([]int, 6)
				favourite := rng.IntN(6)
				for range n {
					counts[[]int{favourite, rng.IntN(6)}[rng.IntN(2)]]++
				}
				p := show(counts)
				issue := issueOf(t, "2026", names(n), rule, one(layout, framework.KindLevel, counts), nil)
				problem, err := disclosure.NewHistory(issue).Problem(colluders)
				if err != nil {
					t.Fatal(err)
				}
				problem.Statements = slices.DeleteFunc(problem.Statements, func(s attack.Statement) bool { return s.Block.Kind != framework.KindLevel })
				r, err := attack.Run(problem, attack.Options{})
				if err != nil {
					t.Fatal(err)
				}
				want := breaks(p, counts, all[p.text(counts)], colluders) || within(p, counts, colluders)
				if r.Safe() == want {
					t.Errorf("%v, shown %s: broken by listing %t, the attack found %+v", counts, p.text(counts), want, r.Findings)
				}
				if want {
					broken++
				}
			}
			if broken == 0 && colluders > 1 || broken > 0 && colluders == 1 {
				t.Errorf("%d of %d are broken", broken, tries)
			}
		})
	}
}

// within reports whether so many members can be all of a band: then they know
// that nobody else is in it.
func within(p shown, counts []int, known int) bool {
	start := 0
	for _, end := range p.ends {
		if n := sum(counts[start:end]); n > 0 && n <= known {
			return true
		}
		start = end
	}
	return false
}

// one returns totals with these counts in the first block of the kind, and
// everybody silent in all others.
func one(l *framework.Layout, kind framework.Kind, counts []int) disclosure.Totals {
	t := disclosure.Totals{Layout: l, Submissions: uint64(sum(counts)), Cells: make([]uint64, l.Bits())}
	done := false
	for i, b := range l.Blocks {
		if b.Kind == kind && !done {
			done = true
			for u, n := range counts {
				t.Cells[l.Offset(i)+bucketOf(b, u)] += uint64(n)
			}
			continue
		}
		t.Cells[l.Offset(i)+bucketOf(b, 0)] += t.Submissions
	}
	return t
}

// TestDegenerateCohorts: the ends of what can happen, at and around every threshold.
func TestDegenerateCohorts(t *testing.T) {
	t.Parallel()
	layout := layoutOf(1, 2)
	fill := func(units func(member, block int) int, n int) disclosure.Totals {
		answers := make(map[string]map[string]int)
		for m, name := range names(n) {
			answers[name] = make(map[string]int)
			for i, b := range layout.Blocks {
				answers[name][b.Name] = min(units(m, i), len(disclosure.Chain(b.Kind))-1)
			}
		}
		return total(layout, names(n), answers, nil)
	}
	tests := map[string]func(m, block int) int{
		"all equal":     func(int, int) int { return 3 },
		"all at best":   func(int, int) int { return 5 },
		"all withheld":  func(int, int) int { return 0 },
		"one dissenter": func(m, _ int) int { return 3 + 2*b2i(m == 0) },
		"one withholds": func(m, _ int) int { return 4 * b2i(m > 0) },
		"two camps":     func(m, _ int) int { return 1 + 4*(m%2) },
		"everything":    func(m, _ int) int { return m % 6 },
	}
	for name, units := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{8, 9, 10, 11, 12, 13, 18, 31, 32, 33} {
				for hosts := range min(3, n-7) {
					rule := disclosure.Rule{Hosts: hosts}
					issue := issueOf(t, "2026", names(n), rule, fill(units, n), nil)
					for _, b := range issue.Blocks() {
						occupied := 0
						for _, band := range b.Bands() {
							if band.Count > 0 && band.Count < uint64(rule.Least()) && b.Shown() {
								t.Errorf("%d members: %s has a band of %d", n, b.Name(), band.Count)
							}
							if band.Count == 0 && band.Units[0] == disclosure.Chain(b.Kind())[0] {
								t.Errorf("%d members: %s shows that nobody is silent", n, b.Name())
							}
							if band.Count > 0 {
								occupied++
								if band.Count == uint64(n) && len(band.Units) == 1 {
									t.Errorf("%d members: %s shows that all are %v", n, b.Name(), band.Units)
								}
							}
						}
					}
					r, err := disclosure.NewHistory(issue).Attack(attack.Options{})
					if err != nil {
						t.Fatal(err)
					}
					if !r.Safe() {
						t.Errorf("%d members, %d hosts: %+v", n, hosts, r)
					}
				}
			}
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestEditionsOnlyCoarsen: an edition's bands are the release's, taken together.
func TestEditionsOnlyCoarsen(t *testing.T) {
	t.Parallel()
	st := tell(t, 3, layoutOf(2, 6), 60, 1, disclosure.Rule{Hosts: 2})
	for _, b := range st.issues[0].Blocks() {
		public := b.Coarsen(func(left, right string) bool { return left == "1" && right == "2" })
		if public.Total() != b.Total() || public.Name() != b.Name() || len(public.Bands()) > 2 {
			t.Errorf("%s: %v of %v", b.Name(), public.Bands(), b.Bands())
		}
		for _, band := range public.Bands() {
			if n, ok := b.Count(band.Units[0], band.Units[len(band.Units)-1]); !ok || n != band.Count {
				t.Errorf("%s: the edition's band %v is none of %v", b.Name(), band, b.Bands())
			}
		}
		if same := b.Coarsen(func(string, string) bool { return true }); !cmp.Equal(same.Bands(), b.Bands()) {
			t.Errorf("%s changes where every boundary is kept", b.Name())
		}
	}
}

// TestForeignBandsAreRefused: bands that the rule makes of no counts are no issue's,
// whoever signed them.
func TestForeignBandsAreRefused(t *testing.T) {
	t.Parallel()
	type bands = map[int]int // by where a band ends, its count
	for _, row := range []struct {
		name string
		kind framework.Kind
		want bool
		of   bands
	}{
		{"by the rule", framework.KindLevel, true, bands{1: 6, 3: 8, 4: 0, 6: 8}},
		{"nothing shown", framework.KindLevel, true, bands{6: 22}},
		{"a band that is too small", framework.KindLevel, false, bands{3: 5, 6: 17}},
		{"nobody silent", framework.KindLevel, false, bands{1: 0, 3: 11, 6: 11}},
		{"all in one unit", framework.KindLevel, false, bands{4: 0, 5: 22, 6: 0}},
		{"a boundary that the rule would show", framework.KindLevel, false, bands{3: 11, 5: 0, 6: 11}},
		{"a boundary that it never tries", framework.KindGap, false, bands{1: 11, 3: 11}},
		{"a gap outside of its range", framework.KindGap, false, bands{2: 3, 3: 19}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			layout := layoutOf(1, 1)
			rule := disclosure.Rule{Hosts: 2}
			sound := issueOf(t, "2026", names(22), rule, one(layout, framework.KindLevel, []int{6, 4, 4, 0, 4, 4}), nil)
			blocks := sound.Blocks()
			at := slices.IndexFunc(blocks, func(b disclosure.BandedBlock) bool { return b.Kind() == row.kind })
			var parts []string
			chain, start := disclosure.Chain(row.kind), 0
			for end := range len(chain) + 1 {
				if n, ok := row.of[end]; ok {
					parts = append(parts, fmt.Sprintf(`{"units":["%s"],"count":%d}`, strings.Join(chain[start:end], `","`), n))
					start = end
				}
			}
			var read disclosure.BandedBlock
			if err := json.Unmarshal([]byte(`{"bands":[`+strings.Join(parts, ",")+`]}`), &read); err != nil {
				t.Fatal(err)
			}
			accepted, err := disclosure.Accept(read, blocks[at].Subject(), row.kind, 22, 0)
			if err != nil {
				t.Fatal(err)
			}
			blocks[at] = accepted
			_, err = disclosure.NewIssue("2026", "all", sound.Members, rule, blocks, nil)
			if row.want && err != nil || !row.want && (errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "does not make")) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestWhatSaysNothingIsNoStatement: a cut that would not have been made whatever the
// counts says nothing, and ties no blocks together. Before that the changes of two
// years, neither of which could ever be shown, were searched together, and a
// release was refused because the search ended open.
func TestWhatSaysNothingIsNoStatement(t *testing.T) {
	t.Parallel()
	const seed, n = 18, 11
	st := tell(t, seed+n<<32, layoutOf(1, 3), n, 3, disclosure.Rule{Colluders: 1, Prefer: disclosure.Preference{Target: true}})
	h := disclosure.NewHistory(st.issues...)
	p, err := h.Problem(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Statements {
		if s.Implied && s.Allowed.Covers(0, len(s.Members)) {
			t.Errorf("of %s it is said that a count is %s", s.Block, s.Allowed)
		}
	}
	r, err := h.Attack(attack.Options{})
	if err != nil || !r.Safe() {
		t.Errorf("%d findings, open %v, %v", len(r.Findings), r.Open, err)
	}
}

// TestHeldBlocksAreRefused: what an issue says is computed from its rule, so blocks
// of another rule cannot pass for it.
func TestHeldBlocksAreRefused(t *testing.T) {
	t.Parallel()
	st := tell(t, 3, layoutOf(2, 6), 60, 1, disclosure.Rule{Hosts: 2, Prefer: disclosure.Preference{Target: true}})
	issue := st.issues[0]
	_, err := disclosure.NewIssue("2026", "all", issue.Members, disclosure.Rule{Hosts: 2}, issue.Blocks(), nil)
	if err == nil || !strings.Contains(err.Error(), "holds back") {
		t.Errorf("targets of a rule that holds them back: %v", err)
	}
	_, err = disclosure.NewIssue("2026", "all", issue.Members[1:], issue.Rule, issue.Blocks(), nil)
	if err == nil || !strings.Contains(err.Error(), "roster") {
		t.Errorf("a roster one short: %v", err)
	}
}
