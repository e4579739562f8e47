package disclosure_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// The tests of this file hold the rule to its definition by listing, without the
// attack: whatever members are known, and one more, answered within the bands, some
// counts have it that would have been released in the same way.

// TestEveryVectorByListing: all counts of a cohort that can be, for several numbers
// of known members, and all answers of these and one more.
func TestEveryVectorByListing(t *testing.T) {
	t.Parallel()
	last := 12
	if long() {
		last = 18
	}
	for _, kind := range []framework.Kind{framework.KindLevel, framework.KindEvidence} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			units := len(disclosure.Chain(kind))
			publications, assignments := 0, 0
			for n := 8; n <= last; n++ {
				for known := 1; known <= 4; known++ {
					type publication struct {
						ends []int
						one  []int   // some counts that led to it
						all  [][]int // all of them
					}
					by := make(map[string]*publication)
					compositions(units, uint64(n), func(c []uint64) {
						counts := make([]int, units)
						for i := range c {
							counts[i] = int(c[i])
						}
						ends := disclosure.Cut(kind, counts, known)
						key := shown{ends: ends}.text(counts)
						if by[key] == nil {
							by[key] = &publication{ends: ends, one: counts}
						}
						by[key].all = append(by[key].all, counts)
					})
					for _, p := range by {
						publications++
						compositions(units, uint64(known+1), func(k []uint64) {
							start := 0
							for _, end := range p.ends {
								inside := 0
								for _, x := range k[start:end] {
									inside += int(x)
								}
								if inside > sum(p.one[start:end]) {
									return // not within the bands
								}
								start = end
							}
							assignments++
							if !slices.ContainsFunc(p.all, func(counts []int) bool {
								for u, x := range k {
									if counts[u] < int(x) {
										return false
									}
								}
								return true
							}) {
								t.Fatalf("%d members, %d known: %v as shown of %v are in no counts that are shown so", n, known, k, p.one)
							}
						})
					}
				}
			}
			t.Log(publications, "publications,", assignments, "assignments")
			if publications < 100 {
				t.Errorf("%d publications", publications)
			}
		})
	}
}

// marginals is how many members a column has in the three parts that the lowest
// level asks for: no level, 0 or 1, 2 and above.
type marginals [3]int

func part(unit int) int { return b2i(unit > 0) + b2i(unit > 2) }

// lefts returns, as a set of bits, how many members can have some outcome at 0 or
// 1 or no level at all, when two columns have these marginals: every table of
// three by three is tried.
func lefts(a, b marginals) uint64 {
	var set uint64
	for nn := range min(a[0], b[0]) + 1 {
		for nl := range min(a[0]-nn, b[1]) + 1 {
			for ln := range min(a[1], b[0]-nn) + 1 {
				for ll := range min(a[1]-ln, b[1]-nl) + 1 {
					nh, lh := a[0]-nn-nl, a[1]-ln-ll
					hh := b[2] - nh - lh
					if hh < 0 || b[0]-nn-ln+b[1]-nl-ll+hh != a[2] {
						continue
					}
					set |= 1 << (nn + nl + ln + ll + lh + b[1] - nl - ll)
				}
			}
		}
	}
	return set
}

// TestLowestByListing: of an area with two outcomes whose levels and lowest levels
// are shown, or are not, every pair of rows that fits the bands is part of a world
// that would have been released in the same way. The worlds are listed without the
// attack: all counts of both columns, all ways to put the columns together.
func TestLowestByListing(t *testing.T) {
	t.Parallel()
	tries := 40
	if long() {
		tries = 200
	}
	layout := layoutOf(1, 2)
	rule := disclosure.Rule{Prefer: disclosure.Preference{Lowest: true}} // a reader: rows of one known and one victim
	areas, rowsTried := 0, 0
	for _, n := range []int{16, 18, 20} {
		text := func(counts []int) string {
			return shown{ends: disclosure.Cut(framework.KindLevel, counts, rule.Known())}.text(counts)
		}
		classes := make(map[string][][]int)
		compositions(6, uint64(n), func(c []uint64) {
			counts := make([]int, 6)
			for i := range c {
				counts[i] = int(c[i])
			}
			key := text(counts)
			classes[key] = append(classes[key], counts)
		})
		rng := rand.New(rand.NewPCG(uint64(n), 11))
		for range tries {
			var columns [2][]int
			for o := range columns {
				columns[o] = make([]int, 6)
				favourite := 1 + rng.IntN(2) // many low, or no range is left
				for range n {
					columns[o][[]int{favourite, favourite, rng.IntN(6), 3 + rng.IntN(3)}[rng.IntN(4)]]++
				}
			}
			// What is shown of the lowest level, by how many are at 0 or 1.
			release := func(left int) []disclosure.BandedBlock {
				totals := disclosure.Totals{Layout: layout, Submissions: uint64(n), Cells: make([]uint64, layout.Bits())}
				o := 0
				for i, b := range layout.Blocks {
					switch b.Kind {
					case framework.KindLevel:
						for u, count := range columns[o] {
							totals.Cells[layout.Offset(i)+bucketOf(b, u)] += uint64(count)
						}
						o++
					case framework.KindLowest:
						totals.Cells[layout.Offset(i)+bucketOf(b, 2)] += uint64(left)
						totals.Cells[layout.Offset(i)+bucketOf(b, 3)] += uint64(n - left)
					default:
						totals.Cells[layout.Offset(i)+bucketOf(b, 0)] += uint64(n)
					}
				}
				return issueOf(t, "2026", names(n), rule, totals, nil).Blocks()
			}
			var held uint64
			var published []uint64
			for left := range n + 1 {
				i := slices.IndexFunc(layout.Blocks, func(b framework.Block) bool { return b.Kind == framework.KindLowest })
				if release(left)[i].Shown() {
					published = append(published, 1<<left)
				} else {
					held |= 1 << left
				}
			}
			if len(published) == 0 {
				continue // of these levels no lowest level is ever shown, so nothing is said of it
			}
			areas++
			published = append(published, held)
			class0, class1 := classes[text(columns[0])], classes[text(columns[1])]
			rest := func(class [][]int, units ...int) map[marginals]bool {
				out := make(map[marginals]bool)
				for _, counts := range class {
					left := slices.Clone(counts)
					for _, u := range units {
						left[u]--
					}
					if slices.Min(left) < 0 {
						continue
					}
					var m marginals
					for u, k := range left {
						m[part(u)] += k
					}
					out[m] = true
				}
				return out
			}
			fits := func(column []int, units ...int) bool { // within the bands
				ends, start := disclosure.Cut(framework.KindLevel, column, rule.Known()), 0
				for _, end := range ends {
					inside := 0
					for _, u := range units {
						inside += b2i(u >= start && u < end)
					}
					if inside > sum(column[start:end]) {
						return false
					}
					start = end
				}
				return true
			}
			memo := make(map[string]uint64)
			pairs(36, func(x, y int) {
				a, b, c, d := x/6, x%6, y/6, y%6
				if !fits(columns[0], a, c) || !fits(columns[1], b, d) {
					return
				}
				rowsTried++
				key := fmt.Sprint(min(a, c), max(a, c), min(b, d), max(b, d))
				others, ok := memo[key]
				if !ok {
					for m0 := range rest(class0, a, c) {
						for m1 := range rest(class1, b, d) {
							others |= lefts(m0, m1)
						}
					}
					memo[key] = others
				}
				own := 0
				for _, r := range [][2]int{{a, b}, {c, d}} {
					own += b2i(part(r[0]) == 1 || part(r[1]) == 1 || r[0] == 0 && r[1] == 0)
				}
				for _, p := range published {
					if others<<own&p == 0 {
						t.Fatalf("%d members, levels %v and %v: rows %v and %v fit none of the counts %b", n, columns[0], columns[1], [2]int{a, b}, [2]int{c, d}, p)
					}
				}
			})
		}
	}
	t.Log(areas, "areas,", rowsTried, "pairs of rows")
	if areas == 0 || rowsTried == 0 {
		t.Error("no lowest level was ever shown")
	}
}

// pairs calls f with every pair of n things, the order aside.
func pairs(n int, f func(x, y int)) {
	for x := range n {
		for y := range x + 1 {
			f(x, y)
		}
	}
}
