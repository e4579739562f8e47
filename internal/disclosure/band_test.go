package disclosure_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

func TestMerge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		counts []uint64
		prefer int
		want   []int
	}{
		{"every unit large enough", []uint64{3, 3, 3, 3, 3, 3}, 3, []int{1, 2, 3, 4, 5, 6}},
		{"empty units stand alone", []uint64{0, 0, 31, 0, 0, 0}, 3, []int{1, 2, 3, 4, 5, 6}},
		{"one and two together", []uint64{4, 1, 2, 8, 11, 5}, 3, []int{1, 3, 4, 5, 6}},
		{"a boundary between 1 and 2 before a fine low end", []uint64{4, 5, 1, 5, 5, 8}, 3, []int{1, 3, 4, 5, 6}},
		{"a fine low end where the boundary costs a band", []uint64{10, 10, 1, 2, 5, 8}, 3, []int{1, 2, 4, 5, 6}},
		{"without a preference the fine low end", []uint64{4, 1, 3, 4}, 0, []int{1, 3, 4}},
		{"one dissenter at the end", []uint64{0, 0, 0, 0, 30, 1}, 3, []int{1, 2, 3, 4, 6}},
		{"dissenters at both ends", []uint64{1, 0, 0, 0, 29, 1}, 3, []int{6}},
		{"nobody", []uint64{0, 0, 0}, 0, []int{1, 2, 3}},
		{"one member has no way", []uint64{0, 1, 0}, 0, nil},
		{"two members have no way", []uint64{1, 0, 1}, 0, nil},
		{"nothing", nil, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, disclosure.Merge(tt.counts, tt.prefer)); diff != "" {
				t.Errorf("Merge(%v, %d): -want +got\n%s", tt.counts, tt.prefer, diff)
			}
		})
	}
}

// cuts returns every way to cut counts into bands that the rule allows.
func cuts(counts []uint64) [][]int {
	var all [][]int
	n := len(counts)
	for boundaries := range 1 << max(n-1, 0) {
		var ends []int
		var sum uint64
		allowed := true
		for i, c := range counts {
			sum += c
			if i == n-1 || boundaries>>i&1 == 1 {
				allowed = allowed && (sum == 0 || sum >= 3)
				ends, sum = append(ends, i+1), 0
			}
		}
		if allowed {
			all = append(all, ends)
		}
	}
	return all
}

// bestCut is the documented order, written down without dynamic programming.
func bestCut(counts []uint64, prefer int) []int {
	all := cuts(counts)
	if len(all) == 0 {
		return nil
	}
	return slices.MinFunc(all, func(a, b []int) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		if hasA, hasB := prefer > 0 && slices.Contains(a, prefer), prefer > 0 && slices.Contains(b, prefer); hasA != hasB {
			if hasA {
				return -1
			}
			return 1
		}
		return slices.Compare(a, b)
	})
}

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

func TestMergeIsTheBestOfAllCuts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		units, prefer int
		most          uint64
	}{
		{3, 0, 20},
		{5, 0, 12},
		{6, 3, 12},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d units", tt.units), func(t *testing.T) {
			t.Parallel()
			for total := range tt.most + 1 {
				compositions(tt.units, total, func(counts []uint64) {
					got, want := disclosure.Merge(counts, tt.prefer), bestCut(counts, tt.prefer)
					if !slices.Equal(got, want) {
						t.Fatalf("Merge(%v, %d) = %v, best of all is %v", counts, tt.prefer, got, want)
					}
				})
			}
		})
	}
}

func TestMergeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Uint64Range(0, 9), 1, 9).Draw(t, "counts")
		prefer := rapid.IntRange(0, len(counts)-1).Draw(t, "prefer")
		before := slices.Clone(counts)
		got := disclosure.Merge(counts, prefer)
		if !slices.Equal(counts, before) {
			t.Fatalf("Merge changed its counts to %v", counts)
		}
		if want := bestCut(counts, prefer); !slices.Equal(got, want) {
			t.Fatalf("Merge(%v, %d) = %v, best of all is %v", counts, prefer, got, want)
		}
	})
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
