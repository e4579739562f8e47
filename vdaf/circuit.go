package vdaf

import (
	"fmt"
	"math/bits"

	"muster/vdaf/internal/field"
)

// rangeSize returns the lengths of a circuit that checks by parallelSum, in chunks, that all of so
// many elements are bits.
func rangeSize(elements, output, eval int, chunk uint32) flpSize {
	calls := (elements + int(chunk) - 1) / int(chunk)
	return flpSize{
		measurement: elements,
		output:      output,
		eval:        eval,
		joint:       calls,
		arity:       2 * int(chunk),
		calls:       calls,
	}
}

func newRangeFLP[E any](f field.Field[E], n flpSize, c circuit[E]) *flp[E] {
	return newFLP(f, n, c, &parallelSum[E]{f: f, chunk: n.arity / 2})
}

// count accepts 0 and 1; VDAF-20 section 7.4.1.
type count[E any] struct{ f field.Field[E] }

func countSize() flpSize {
	return flpSize{measurement: 1, output: 1, eval: 1, arity: 2, calls: 1}
}

func newCountFLP[E any](f field.Field[E]) *flp[E] {
	return newFLP(f, countSize(), count[E]{f}, square[E]{f})
}

func (c count[E]) encode(dst []E, m []uint64) error {
	if len(m) != 1 || m[0] > 1 {
		return fmt.Errorf("vdaf: a count is measured by one number, 0 or 1")
	}
	dst[0] = c.f.From(m[0])
	return nil
}

func (c count[E]) outputs(dst, measurement, gadget []E, _ E) {
	dst[0] = c.f.Sub(gadget[0], measurement[0])
}

func (c count[E]) truncate(_, measurement []E) []E { return measurement }

// bounded encodes an integer from 0 to max in bits: all but the last weigh a power of two, the last
// so much that all together weigh max. Any choice of bits is thus in range; VDAF-20 section 7.4.2.
type bounded[E any] struct {
	f       field.Field[E]
	max     uint64
	rest    uint64 // what the bits before the last weigh together
	weights []E
}

func newBounded[E any](f field.Field[E], largest uint64) bounded[E] {
	n := bits.Len64(largest)
	b := bounded[E]{f: f, max: largest, rest: 1<<(n-1) - 1, weights: make([]E, n)}
	for i := range n - 1 {
		b.weights[i] = f.Weight(f.From(1 << i))
	}
	b.weights[n-1] = f.Weight(f.From(largest - b.rest))
	return b
}

// encode writes n, which must be at most max, to dst, without a branch on its value.
func (b *bounded[E]) encode(dst []E, n uint64) {
	_, last := bits.Sub64(b.rest, n, 0) // 1 if n is more than the rest can hold
	n -= -last & (b.max - b.rest)
	for i := range len(b.weights) - 1 {
		dst[i] = b.f.From(n >> i & 1)
	}
	dst[len(b.weights)-1] = b.f.From(last)
}

func (b *bounded[E]) decode(x []E) E {
	return b.f.Dot(x, 1, b.weights, 1, len(b.weights))
}

// sum accepts the encodings of 0 to a maximum; VDAF-20 section 7.4.2.
type sum[E any] struct{ bounded[E] }

func sumSize(largest uint64) flpSize {
	n := bits.Len64(largest)
	return flpSize{measurement: n, output: 1, eval: n, arity: 1, calls: n}
}

func newSumFLP[E any](f field.Field[E], largest uint64) *flp[E] {
	return newFLP(f, sumSize(largest), &sum[E]{newBounded(f, largest)}, bitCheck[E]{f})
}

func (c *sum[E]) encode(dst []E, m []uint64) error {
	if len(m) != 1 || m[0] > c.max {
		return fmt.Errorf("vdaf: a sum is measured by one number of at most %d", c.max)
	}
	c.bounded.encode(dst, m[0])
	return nil
}

func (c *sum[E]) outputs(dst, _, gadget []E, _ E) {
	for i := range dst {
		dst[i] = gadget[2*i]
	}
}

func (c *sum[E]) truncate(dst, measurement []E) []E {
	dst[0] = c.decode(measurement)
	return dst[:1]
}

// sumVec accepts vectors of numbers from 0 to a maximum; VDAF-20 section 7.4.3.
type sumVec[E any] struct {
	bounded[E]
	length, calls int
}

func sumVecSize(length int, largest uint64, chunk uint32) flpSize {
	return rangeSize(length*bits.Len64(largest), length, 1, chunk)
}

func newSumVecFLP[E any](f field.Field[E], length int, largest uint64, chunk uint32) *flp[E] {
	n := sumVecSize(length, largest, chunk)
	return newRangeFLP(f, n, &sumVec[E]{newBounded(f, largest), length, n.calls})
}

func (c *sumVec[E]) encode(dst []E, m []uint64) error {
	if len(m) != c.length {
		return fmt.Errorf("vdaf: %d numbers for a vector of %d", len(m), c.length)
	}
	for i, n := range m {
		if n > c.max {
			return fmt.Errorf("vdaf: number %d of the vector is more than %d", i, c.max)
		}
		c.bounded.encode(dst[i*len(c.weights):], n)
	}
	return nil
}

func (c *sumVec[E]) outputs(dst, _, gadget []E, _ E) {
	dst[0] = c.f.Sum(gadget, 2, c.calls)
}

func (c *sumVec[E]) truncate(dst, measurement []E) []E {
	for i := range c.length {
		dst[i] = c.decode(measurement[i*len(c.weights):])
	}
	return dst[:c.length]
}

// multihot accepts vectors of bits of which at most so many are set; VDAF-20 section 7.4.5. The
// encoding ends with the number of bits set.
type multihot[E any] struct {
	weight        bounded[E]
	length, calls int
}

func multihotSize(length int, largest uint64, chunk uint32) flpSize {
	return rangeSize(length+bits.Len64(largest), length, 2, chunk)
}

func newMultihotFLP[E any](f field.Field[E], length int, largest uint64, chunk uint32) *flp[E] {
	n := multihotSize(length, largest, chunk)
	return newRangeFLP(f, n, &multihot[E]{newBounded(f, largest), length, n.calls})
}

func (c *multihot[E]) encode(dst []E, m []uint64) error {
	if len(m) != c.length {
		return fmt.Errorf("vdaf: %d bits for a vector of %d", len(m), c.length)
	}
	var weight uint64
	for i, bit := range m {
		if bit > 1 {
			return fmt.Errorf("vdaf: element %d of the vector is neither 0 nor 1", i)
		}
		weight += bit
		dst[i] = c.weight.f.From(bit)
	}
	if weight > c.weight.max {
		return fmt.Errorf("vdaf: more than %d bits of the vector are set", c.weight.max)
	}
	c.weight.encode(dst[c.length:], weight)
	return nil
}

func (c *multihot[E]) outputs(dst, measurement, gadget []E, _ E) {
	f := c.weight.f
	dst[0] = f.Sum(gadget, 2, c.calls)
	dst[1] = f.Sub(f.Sum(measurement, 1, c.length), c.weight.decode(measurement[c.length:]))
}

func (c *multihot[E]) truncate(_, measurement []E) []E { return measurement[:c.length] }

// oneHot accepts vectors of bits, cut into blocks, of which each has exactly one bit set. A single
// block is the Histogram of VDAF-20 section 7.4.4; several are our OneHotBlocks, argued in
// docs/design/one-hot-blocks.md.
type oneHot[E any] struct {
	f             field.Field[E]
	blocks        []int
	length, calls int
}

func oneHotSize(length, blocks int, chunk uint32) flpSize {
	return rangeSize(length, length, 1+blocks, chunk)
}

func newOneHotFLP[E any](f field.Field[E], blocks []int, chunk uint32) *flp[E] {
	var length int
	for _, size := range blocks {
		length += size
	}
	n := oneHotSize(length, len(blocks), chunk)
	return newRangeFLP(f, n, &oneHot[E]{f, blocks, length, n.calls})
}

func (c *oneHot[E]) encode(dst []E, m []uint64) error {
	if len(m) != len(c.blocks) {
		return fmt.Errorf("vdaf: %d indices for %d blocks", len(m), len(c.blocks))
	}
	for b, size := range c.blocks {
		if m[b] >= uint64(size) {
			return fmt.Errorf("vdaf: the index into block %d is not below its size of %d", b, size)
		}
		for i := range size {
			dst[i] = c.f.From(equal(m[b], uint64(i)))
		}
		dst = dst[size:]
	}
	return nil
}

// equal returns 1 if x and y are equal and 0 otherwise, in constant time.
func equal(x, y uint64) uint64 {
	d := x ^ y
	return 1 ^ (d|-d)>>63
}

func (c *oneHot[E]) outputs(dst, measurement, gadget []E, one E) {
	var zero E
	dst[0] = c.f.Sum(gadget, 2, c.calls)
	c.f.SumBlocks(dst[1:], measurement, c.blocks, c.f.Sub(zero, one))
}

func (c *oneHot[E]) truncate(_, measurement []E) []E { return measurement }
