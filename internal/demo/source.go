package demo

import (
	"math/bits"
	"math/rand/v2"
	"slices"
)

// source draws integers. It uses a generator whose numbers are fixed for ever
// (PCG-DXSM) and none of the functions on top of it, whose numbers are not promised.
type source struct{ pcg *rand.PCG }

// The streams of one seed that are not a member's. A member's is its place in the
// list of names.
const (
	streamCoalition = 1<<32 + iota // what is easy and what is hard for everybody
	streamCast                     // who declines, joined, is late
	streamItself                   // what the coalition says of itself
)

// newSource returns the stream of a seed. Streams of one seed are independent: the
// multiplication spreads neighbouring numbers over the generator's state.
func newSource(seed, stream uint64) *source {
	// The constants are those of SplitMix64.
	z := (stream + 1) * 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return &source{rand.NewPCG(seed, z^z>>31)}
}

// below returns a number of [0, n). Some numbers are likelier than others by less
// than n in 2⁶⁴.
func (s *source) below(n int) int {
	high, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(high)
}

// between returns a number of [low, high].
func (s *source) between(low, high int) int { return low + s.below(high-low+1) }

// chance returns true in n of a thousand cases.
func (s *source) chance(n int) bool { return s.below(1000) < n }

// pick returns an index, each with the probability of its weight. At least one
// weight is positive.
func (s *source) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := s.below(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	panic("demo: no weight is positive")
}

// bell returns a number around 0 with the given standard deviation, from a curve
// like the normal one that ends at 3.5 deviations: the sum of four uniform numbers.
func (s *source) bell(deviation int) int {
	const width = 1 << 16
	sum := -2 * width
	for range 4 {
		sum += s.below(width)
	}
	// Four uniform numbers of [0, 1) have a standard deviation of 0.57735.
	return int(int64(sum) * int64(deviation) * 100_000 / (57_735 * width))
}

// beta returns a number of [0, Full) from the beta distribution with the parameters
// 5 and 3, whose mean is 0.625 and whose standard deviation is 0.16: the fifth
// smallest of seven uniform numbers has that distribution.
func (s *source) beta() int {
	var draws [7]int
	for i := range draws {
		draws[i] = s.below(Full)
	}
	slices.Sort(draws[:])
	return draws[4]
}
