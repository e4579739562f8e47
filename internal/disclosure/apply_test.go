package disclosure_test

import (
	"fmt"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
)

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("m%03d", i)
	}
	return all
}

func TestIssueWithstandsTheAttack(t *testing.T) {
	t.Parallel()
	_, layout := harbour(t)
	for seed := range uint64(20) {
		n := 12 + int(seed)
		a := disclosure.Application{
			Rule: disclosure.Rule{Hosts: 2}, Totals: totals(layout, n, seed),
			Participation: disclosure.Participation{Members: n, Submissions: n, Hosts: 2},
			Thresholds:    disclosure.Thresholds{MinimumBatch: (2*n + 2) / 3, ReleaseMinimum: 8},
			Members:       names(n),
		}
		blocks, err := a.Apply()
		if err != nil {
			t.Fatal(err)
		}
		issue, err := disclosure.NewIssue("2026", "all", a.Members, a.Rule, blocks, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := disclosure.NewHistory(issue).Attack(attack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Safe() {
			t.Errorf("%d members, seed %d: %+v", n, seed, r)
		}
	}
}
