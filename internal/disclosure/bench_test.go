package disclosure_test

import (
	"fmt"
	"slices"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

// BenchmarkApply merges one release of 36 outcomes x 5 blocks and 8 areas x 2
// blocks, the second of a cohort. The limit is 10 ms.
func BenchmarkApply(b *testing.B) {
	for _, n := range []int{12, 32, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			layout := layoutOf(8, 36)
			s := newState(layout, 1)
			rule := disclosure.Rule{Hosts: 2}
			first := issueOf(b, "2026", names(n), rule, s.year(names(n)), nil)
			a := disclosure.Application{
				Rule: rule, Totals: s.year(names(n)), Members: names(n), Previous: first,
				Participation: disclosure.Participation{Members: n, Submissions: n, Hosts: 2},
				Thresholds:    disclosure.Thresholds{MinimumBatch: (2*n + 2) / 3, ReleaseMinimum: 8},
			}
			for b.Loop() {
				if _, err := a.Apply(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAttackArea is a part of [BenchmarkAttack]: one area of 13 outcomes.
func BenchmarkAttackArea(b *testing.B) {
	for _, n := range []int{32, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := fiveYears(b, n, layoutOf(1, 13))
			for b.Loop() {
				r, err := h.Attack(attack.Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(r.Open)), "open")
			}
		})
	}
}

// BenchmarkAttack attacks five years of 106 outcomes in 8 areas, with members
// that join in the third year. The limits are 60 s for 32 members and 10 min for
// 300, on two cores.
func BenchmarkAttack(b *testing.B) {
	for _, n := range []int{32, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := fiveYears(b, n, layoutOf(8, 106))
			for b.Loop() {
				r, err := h.Attack(attack.Options{Workers: 2})
				if err != nil {
					b.Fatal(err)
				}
				if !r.Safe() {
					b.Fatalf("%d findings, %d open", len(r.Findings), len(r.Open))
				}
				b.ReportMetric(float64(r.Examined), "questions")
				b.ReportMetric(float64(r.Worlds), "worlds")
			}
		})
	}
}

func fiveYears(t testing.TB, n int, layout *framework.Layout) *disclosure.History {
	s := newState(layout, uint64(n))
	h := disclosure.NewHistory()
	members := names(n)
	var last *disclosure.Issue
	for year := range 5 {
		if year == 2 {
			members = append(slices.Clone(members), "n1", "n2", "n3")
		}
		last = issueOf(t, fmt.Sprint(2026+year), members, disclosure.Rule{Hosts: 2}, s.year(members), last)
		h = h.With(last)
	}
	return h
}
