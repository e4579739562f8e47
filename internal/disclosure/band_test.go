package disclosure_test

import (
	"slices"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// compositions calls f with every way to spread total members over n units.
func compositions(n int, total uint64, f func([]uint64)) {
	counts := make([]uint64, n)
	var fill func(i int, rest uint64)
	fill = func(i int, rest uint64) {
		if i == n-1 {
			counts[i] = rest
			f(counts)
			return
		}
		for c := range rest + 1 {
			counts[i] = c
			fill(i+1, rest-c)
		}
	}
	fill(0, total)
}

func TestChainHoldsEveryBucket(t *testing.T) {
	t.Parallel()
	for _, kind := range slices.Concat(framework.OutcomeKinds(), framework.AreaKinds()) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			chain := disclosure.Chain(kind)
			for _, bucket := range kind.Buckets() {
				if bucket == "na" || bucket == "withheld" {
					bucket = disclosure.NoLevel
				}
				if !slices.Contains(chain, bucket) {
					t.Errorf("chain %v has no unit for bucket %s", chain, bucket)
				}
			}
			slices.Sort(chain)
			if len(slices.Compact(chain)) != len(disclosure.Chain(kind)) {
				t.Errorf("chain %v names a unit twice", chain)
			}
		})
	}
	if disclosure.Chain("shoe size") != nil {
		t.Error("an unknown kind has a chain")
	}
}
