package disclosure_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// A candidate is a rule for one level block that docs/design/disclosure.md
// compares: what it shows of counts, as bands or as rounded counts.
type candidate struct {
	name string
	show func(counts []int, known int) shown
}

type shown struct {
	ends    []int // of bands
	rounded []int // or a rounded count for each unit
}

// text is what is published: everything that an attacker sees.
func (s shown) text(counts []int) string {
	if s.rounded != nil {
		return fmt.Sprint(s.rounded)
	}
	var b strings.Builder
	start := 0
	for _, end := range s.ends {
		fmt.Fprint(&b, end, ":", sum(counts[start:end]), " ")
		start = end
	}
	return b.String()
}

func sum(counts []int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// most is the largest number of bands of 0 or at least so many, a boundary
// between 1 and 2 preferred: without a gate, and so more than such a rule could
// show.
func most(least int) func([]int) shown {
	return func(counts []int) shown {
		best, value := []int{len(counts)}, -1
		for cuts := range 1 << (len(counts) - 1) {
			var ends []int
			start, ok := 0, true
			for end := 1; end <= len(counts); end++ {
				if end < len(counts) && cuts>>(end-1)&1 == 0 {
					continue
				}
				n := sum(counts[start:end])
				ok = ok && (n == 0 || n >= least) && !(n == sum(counts) && end-start == 1)
				ends, start = append(ends, end), end
			}
			v := 10 * len(ends)
			if slices.Contains(ends, 3) {
				v++
			}
			if ok && v > value {
				best, value = ends, v
			}
		}
		return shown{ends: best}
	}
}

// rounding rounds to multiples of three so that the total stays: down, and up
// where the remainder is largest.
func rounding(counts []int) shown {
	rounded := make([]int, len(counts))
	left := sum(counts)
	order := make([]int, len(counts))
	for i, n := range counts {
		order[i], rounded[i] = i, n/3*3
		left -= rounded[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b]%3 - counts[a]%3 })
	for _, i := range order {
		if left >= 2 {
			rounded[i] += 3
			left -= 3
		}
	}
	return shown{rounded: rounded}
}

var candidates = []candidate{
	{"cuts, 3 beyond the known", func(c []int, known int) shown { return shown{ends: disclosure.Cut(framework.KindLevel, c, known)} }},
	{"most bands, 3 beyond the known, before its gate", func(c []int, known int) shown { return most(3 + known)(c) }},
	{"most bands, 2 beyond the known, before its gate", func(c []int, known int) shown { return most(2 + known)(c) }},
	{"rounding to base 3, totals kept", func(c []int, _ int) shown { return rounding(c) }},
}

// utility is how much of the picture one rule leaves.
type utility struct {
	outcomes, visible, bands, broken, judged int
	off                                      float64
}

func (u *utility) add(s shown, counts []int) {
	u.outcomes++
	members := float64(sum(counts))
	truth := float64(counts[1] + counts[2])
	if s.rounded != nil {
		u.visible++
		u.bands += len(s.rounded)
		u.off += math.Abs(float64(s.rounded[1]+s.rounded[2])-truth) / members
		return
	}
	u.bands += len(s.ends)
	if slices.Contains(s.ends, 3) {
		u.visible++
	}
	low, high, start := 0, 0, 0
	for _, end := range s.ends {
		n := sum(counts[start:end])
		if start >= 1 && end <= 3 {
			low += n
		}
		if start < 3 && end > 1 {
			high += n
		}
		start = end
	}
	u.off += math.Abs(float64(low+high)/2-truth) / members
}

// classes lists every vector of counts by what is published of it.
func classes(members int, show func([]int) shown) map[string][][6]uint16 {
	all := make(map[string][][6]uint16)
	compositions(6, uint64(members), func(counts []uint64) {
		var c [6]int
		var kept [6]uint16
		for i, n := range counts {
			c[i], kept[i] = int(n), uint16(n)
		}
		text := show(c[:]).text(c[:])
		all[text] = append(all[text], kept)
	})
	return all
}

// breaks reports whether some answers of the known members, within the bands,
// exclude an answer of one more: the definition, by listing.
func breaks(s shown, counts []int, class [][6]uint16, known int) bool {
	bands := s.ends
	if s.rounded != nil {
		bands = []int{6}
	}
	broken := false
	var guess func(unit, left int, k [6]int)
	guess = func(unit, left int, k [6]int) {
		if broken {
			return
		}
		if unit == 5 {
			k[5] = left
			start := 0
			for _, end := range bands {
				if sum(k[start:end]) > sum(counts[start:end]) {
					return // not within the bands
				}
				start = end
			}
			broken = !slices.ContainsFunc(class, func(n [6]uint16) bool {
				for i := range n {
					if int(n[i]) < k[i] {
						return false
					}
				}
				return true
			})
			return
		}
		for n := range left + 1 {
			k[unit] = n
			guess(unit+1, left-n, k)
		}
	}
	guess(0, known+1, [6]int{})
	return broken
}

const (
	choiceKnown = 3 // two hosts and the reader
	choiceYears = 5
)

// choices computes the table of docs/design/disclosure.md.
func choices(t testing.TB, cohorts []int, enumerate int) []string {
	layout := layoutOf(8, 36)
	var lines []string
	for _, members := range cohorts {
		var drawn [][]int
		s := newState(layout, uint64(members))
		for range choiceYears {
			totals := s.year(names(members))
			for i, b := range layout.Blocks {
				if b.Kind != framework.KindLevel {
					continue
				}
				counts := make([]int, 6)
				for j, n := range totals.Cells[layout.Offset(i) : layout.Offset(i)+len(b.Buckets)] {
					unit := 0
					if j < 5 {
						unit = j + 1
					}
					counts[unit] += int(n)
				}
				drawn = append(drawn, counts)
			}
		}
		for _, c := range candidates {
			show := func(counts []int) shown { return c.show(counts, choiceKnown) }
			var all map[string][][6]uint16
			if members <= enumerate {
				all = classes(members, show)
			}
			var u utility
			for _, counts := range drawn {
				p := show(counts)
				u.add(p, counts)
				if all != nil {
					u.judged++
					if breaks(p, counts, all[p.text(counts)], choiceKnown) {
						u.broken++
					}
				}
			}
			n := float64(u.outcomes)
			broken := "-"
			if u.judged > 0 {
				broken = fmt.Sprintf("%.1f %%", 100*float64(u.broken)/float64(u.judged))
			}
			lines = append(lines, fmt.Sprintf("| %d | %s | %.0f %% | %.1f | %.1f | %s |",
				members, c.name, 100*float64(u.visible)/n, float64(u.bands)/n, 100*u.off/n, broken))
		}
	}
	return lines
}

// TestChoiceOfRule holds the table in docs/design/disclosure.md to what the rules
// do: all of it in a long test, else the smaller cohorts.
func TestChoiceOfRule(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/design/disclosure.md")
	if err != nil {
		t.Fatal(err)
	}
	cohorts, enumerate := []int{12, 18}, 18
	if long() {
		cohorts, enumerate = []int{12, 18, 32, 60, 300}, 32
	}
	for _, line := range choices(t, cohorts, enumerate) {
		t.Log(line)
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("docs/design/disclosure.md does not have the line\n%s", line)
		}
	}
}
