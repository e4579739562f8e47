package cascade_test

import (
	"math"
	"testing"

	"muster/internal/cascade"
)

// TestMix: the first outputs of SplitMix64 with the seed 1234567, as published with
// its reference implementation's vectors.
func TestMix(t *testing.T) {
	t.Parallel()
	want := []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}
	state := uint64(1234567)
	for i, w := range want {
		state += gamma
		if got := cascade.Mix(state); got != w {
			t.Errorf("output %d is %d, want %d", i, got, w)
		}
	}
}

// TestRepairTimes: the law is the lognormal one, in its quantiles and its mean.
func TestRepairTimes(t *testing.T) {
	t.Parallel()
	repair := cascade.RepairTimes()
	for _, row := range []struct {
		median cascade.Minutes
		sigma  float64
	}{{60_000, 0.25}, {32_688, 0.53}, {10_000, 1}, {1440, 1.5}} {
		spread, err := cascade.Sigma(row.sigma)
		if err != nil {
			t.Fatal(err)
		}
		r := cascade.Repair{Median: row.median, Spread: spread}
		const n = 1 << 18
		below := make([]int, 81) // of z from -4 to 4
		logs, squares := 0.0, 0.0
		for i := range uint64(n) {
			m := repair(r, cascade.Mix(i*gamma))
			x := math.Log(float64(m)/float64(row.median)) / row.sigma
			logs += x
			squares += x * x
			if at := int(math.Ceil((x + 4) * 10)); at < len(below) {
				below[max(at, 0)]++
			}
		}
		seen := 0
		for i, c := range below {
			seen += c
			z := float64(i-40) / 10
			want := math.Erfc(-z/math.Sqrt2) / 2
			if got := float64(seen) / n; math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/n)+0.0008 {
				t.Errorf("median %d, spread %v: a share of %.5f is below z = %v, want %.5f", row.median, row.sigma, got, z, want)
			}
		}
		if mean, variance := logs/n, squares/n; math.Abs(mean) > 0.01 || math.Abs(variance-1) > 0.01 {
			t.Errorf("median %d, spread %v: the logarithm has mean %.4f and variance %.4f spreads", row.median, row.sigma, mean, variance)
		}
	}
	if got := repair(cascade.Repair{Median: 77}, 12345); got != 77 {
		t.Errorf("without spread a repair takes %d minutes, want 77", got)
	}
}
