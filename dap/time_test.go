package dap_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"muster/dap"
)

func TestTimeFromUnix(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		seconds   int64
		precision uint64
		want      dap.Time
		refused   bool
	}{
		{"the draft's example", 1234567890, 10, 123456789, false},
		{"the draft's bucket", 1729629081, 1000, 1729629, false},
		{"rounded down", 604799, 604800, 0, false},
		{"next unit", 604800, 604800, 1, false},
		{"epoch", 0, 1, 0, false},
		{"largest", math.MaxInt64, 1, math.MaxInt64, false},
		{"large precision", math.MaxInt64, math.MaxUint64, 0, false},
		{"before the epoch", -1, 10, 0, true},
		{"no precision", 5, 0, 0, true},
	}
	for _, test := range tests {
		got, err := dap.TimeFromUnix(test.seconds, test.precision)
		if got != test.want || (err != nil) != test.refused {
			t.Errorf("%s: %d, %v", test.name, got, err)
		}
	}
}

func TestTimeUnix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		time      dap.Time
		precision uint64
		want      int64
		refused   bool
	}{
		{"the draft's example", 123456789, 10, 1234567890, false},
		{"largest", math.MaxInt64, 1, math.MaxInt64, false},
		{"overflows", math.MaxInt64 + 1, 1, 0, true},
		{"product overflows", 1 << 32, 1 << 32, 0, true},
		{"precision overflows", 1, math.MaxUint64, 0, true},
		{"none of it", 0, math.MaxUint64, 0, false},
		{"no precision", 1, 0, 0, true},
	} {
		got, err := test.time.Unix(test.precision)
		if got != test.want || (err != nil) != test.refused {
			t.Errorf("%s: %d, %v", test.name, got, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Min(0).Draw(t, "seconds")
		precision := rapid.Uint64Range(1, 1<<40).Draw(t, "precision")
		unit := must(dap.TimeFromUnix(seconds, precision))
		start := must(unit.Unix(precision))
		if start > seconds || uint64(seconds-start) >= precision {
			t.Fatalf("%d lies not in the unit from %d", seconds, start)
		}
	})
}

// TestIntervalAgainstIntegers compares with integers that do not overflow.
func TestIntervalAgainstIntegers(t *testing.T) {
	t.Parallel()
	n := func(v uint64) *big.Int { return new(big.Int).SetUint64(v) }
	edge := rapid.OneOf(rapid.Uint64Range(0, 20), rapid.Uint64Range(math.MaxUint64-20, math.MaxUint64), rapid.Uint64())
	rapid.Check(t, func(t *rapid.T) {
		interval := func(name string) (dap.Interval, *big.Int, *big.Int) {
			i := dap.Interval{Start: dap.Time(edge.Draw(t, name+" start")), Duration: dap.Duration(edge.Draw(t, name+" duration"))}
			start := n(uint64(i.Start))
			return i, start, new(big.Int).Add(start, n(uint64(i.Duration)))
		}
		a, aStart, aEnd := interval("a")
		b, bStart, bEnd := interval("b")
		when := edge.Draw(t, "time")

		want := 0
		if n(when).Cmp(aStart) < 0 {
			want = -1
		} else if n(when).Cmp(aEnd) >= 0 {
			want = +1
		}
		if got := a.Compare(dap.Time(when)); got != want || a.Contains(dap.Time(when)) != (want == 0) {
			t.Fatalf("Compare = %d, want %d", got, want)
		}
		if got, want := a.ContainsInterval(b), bStart.Cmp(aStart) >= 0 && bEnd.Cmp(aEnd) <= 0; got != want {
			t.Fatalf("ContainsInterval = %v, want %v", got, want)
		}
		end, err := a.End()
		if fits := aEnd.IsUint64(); fits != (err == nil) || fits && n(uint64(end)).Cmp(aEnd) != 0 {
			t.Fatalf("End = %d, %v; want %s", end, err, aEnd)
		}
		made, err := dap.NewInterval(a.Start, b.Start)
		if (err == nil) != (a.Start <= b.Start) || err == nil && (made.Start != a.Start || must(made.End()) != b.Start) {
			t.Fatalf("NewInterval = %v, %v", made, err)
		}

		extended, err := a.Extend(dap.Time(when))
		lo, hi := n(when), new(big.Int).Add(n(when), big.NewInt(1))
		if a.Duration > 0 {
			if aStart.Cmp(lo) < 0 {
				lo = aStart
			}
			if aEnd.Cmp(hi) > 0 {
				hi = aEnd
			}
		}
		if !hi.IsUint64() {
			if err == nil {
				t.Fatalf("Extend = %v, but the end is %s", extended, hi)
			}
		} else if err != nil || n(uint64(extended.Start)).Cmp(lo) != 0 || n(uint64(must(extended.End()))).Cmp(hi) != 0 {
			t.Fatalf("Extend = %v, %v; want %s to %s", extended, err, lo, hi)
		}
	})
}

func TestIntervalHalfOpen(t *testing.T) {
	t.Parallel()
	i := dap.Interval{Start: 123456789, Duration: 11}
	for when, want := range map[dap.Time]int{123456788: -1, 123456789: 0, 123456799: 0, 123456800: +1} {
		if got := i.Compare(when); got != want {
			t.Errorf("Compare(%d) = %d, want %d", when, got, want)
		}
	}
	if empty := (dap.Interval{Start: 5}); empty.Contains(5) || empty.Compare(4) != -1 || empty.Compare(5) != +1 {
		t.Error("an interval without duration contains something")
	}
}
