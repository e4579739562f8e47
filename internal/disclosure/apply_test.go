package disclosure_test

import (
	"fmt"
	"testing"
	"time"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/framework"
)

func TestYearsWithstandTheAttack(t *testing.T) {
	t.Parallel()
	for _, members := range []int{12, 18, 32, 60} {
		for _, lowest := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d members, lowest %t", members, lowest), func(t *testing.T) {
				t.Parallel()
				layout := layoutOf(2, 8)
				for seed := range uint64(3) {
					s := newState(layout, seed)
					h := disclosure.NewHistory()
					var last *disclosure.Issue
					r := disclosure.Rule{Hosts: 2, Prefer: disclosure.Preference{Lowest: lowest, Target: seed == 1}}
					shown := make(map[framework.Kind]int)
					for year := range 3 {
						last = issueOf(t, fmt.Sprint(2026+year), names(members), r, s.year(names(members)), last)
						h = h.With(last)
						for _, b := range last.Blocks() {
							if b.Shown() {
								shown[b.Kind()]++
							}
						}
					}
					begin := time.Now()
					result, err := h.Attack(attack.Options{})
					if err != nil {
						t.Fatal(err)
					}
					t.Log(shown, len(result.Findings), len(result.Open), result.Examined, time.Since(begin))
					for i, f := range result.Findings {
						if i < 3 {
							t.Errorf("%s of %s: %v of %v, worst %v", f.Kind, f.Block, f.Left, f.Bands, f.Worst)
						}
					}
					for i, f := range result.Open {
						if i < 3 {
							t.Errorf("open %s: %s", f.Block, f.Unit)
						}
					}
				}
			})
		}
	}
}
