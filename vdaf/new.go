package vdaf

import (
	"fmt"
	"math/bits"

	"muster/vdaf/internal/field"
)

// Limits on parameters, so that a configuration from elsewhere cannot ask for much memory.
const (
	// MaxLength is the largest number of elements of a vector.
	MaxLength = 20_000
	// MaxBlocks is the largest number of blocks.
	MaxBlocks = 4096
	// MaxInputShareSize is the largest size of the Leader's input share in bytes; it bounds what the
	// chunk length and the number of proofs can add.
	MaxInputShareSize = 1 << 20
)

// NewCount returns Prio3Count: how many measurements are 1. VDAF-20 section 7.4.1.
func NewCount(shares uint8) (*Prio3, error) {
	p := &Prio3{id: IDCount, shares: shares, proofs: 1, largest: 1, config: configCount()}
	return build(p, field.Field64{}, countSize(), newCountFLP)
}

// NewSum returns Prio3Sum: the sum of integers from 0 to maxMeasurement, which must be positive and
// less than 2**63. VDAF-20 section 7.4.2.
func NewSum(shares uint8, maxMeasurement uint64) (*Prio3, error) {
	if maxMeasurement == 0 || bits.Len64(maxMeasurement) > 63 {
		return nil, fmt.Errorf("vdaf: a largest measurement of %d; 1 to 2**63 - 1 are allowed", maxMeasurement)
	}
	p := &Prio3{id: IDSum, shares: shares, proofs: 1, largest: maxMeasurement, config: configSum(maxMeasurement)}
	return build(p, field.Field64{}, sumSize(maxMeasurement), func(f field.Field[field.Element64]) *flp[field.Element64] {
		return newSumFLP(f, maxMeasurement)
	})
}

// NewSumVec returns Prio3SumVec: the sum of vectors of integers from 0 to maxMeasurement, which must
// be positive. VDAF-20 section 7.4.3.
func NewSumVec(shares uint8, length uint32, maxMeasurement uint64, chunkLength uint32) (*Prio3, error) {
	p := &Prio3{
		id: IDSumVec, shares: shares, proofs: 1, largest: maxMeasurement,
		config: configSumVec(length, maxMeasurement, chunkLength),
	}
	return buildSumVec(p, field.Field128{}, length, chunkLength)
}

// NewSumVecWithMultiproof returns the experimental Prio3SumVecWithMultiproof of the reference
// implementation: SumVec over Field64, with several proofs in place of the larger field. Three at
// least are needed for soundness; VDAF-20 section 9.7.
func NewSumVecWithMultiproof(shares uint8, length uint32, maxMeasurement uint64, chunkLength uint32, proofs uint8) (*Prio3, error) {
	if proofs < 3 {
		return nil, fmt.Errorf("vdaf: %d proofs; Field64 needs at least 3", proofs)
	}
	if bits.Len64(maxMeasurement) > 63 {
		return nil, fmt.Errorf("vdaf: a largest measurement of %d; 1 to 2**63 - 1 are allowed", maxMeasurement)
	}
	p := &Prio3{
		id: IDSumVecWithMultiproof, shares: shares, proofs: proofs, largest: maxMeasurement,
		config: configSumVecWithMultiproof(length, maxMeasurement, chunkLength, proofs),
	}
	return buildSumVec(p, field.Field64{}, length, chunkLength)
}

func buildSumVec[E any](p *Prio3, f field.Field[E], length, chunkLength uint32) (*Prio3, error) {
	if p.largest == 0 {
		return nil, fmt.Errorf("vdaf: a largest measurement of 0; it must be positive")
	}
	if err := checkVector(length, chunkLength); err != nil {
		return nil, err
	}
	n := sumVecSize(int(length), p.largest, chunkLength)
	return build(p, f, n, func(f field.Field[E]) *flp[E] {
		return newSumVecFLP(f, int(length), p.largest, chunkLength)
	})
}

// NewHistogram returns Prio3Histogram: how many measurements fall into each bucket. VDAF-20 section
// 7.4.4.
func NewHistogram(shares uint8, length, chunkLength uint32) (*Prio3, error) {
	if err := checkVector(length, chunkLength); err != nil {
		return nil, err
	}
	p := &Prio3{id: IDHistogram, shares: shares, proofs: 1, largest: 1, config: configHistogram(length, chunkLength)}
	return buildOneHot(p, []int{int(length)}, chunkLength)
}

// NewMultihotCountVec returns Prio3MultihotCountVec: the sum of vectors of bits of which at most
// maxWeight are set, which must be positive and at most length. VDAF-20 section 7.4.5.
func NewMultihotCountVec(shares uint8, length uint32, maxWeight uint64, chunkLength uint32) (*Prio3, error) {
	if err := checkVector(length, chunkLength); err != nil {
		return nil, err
	}
	if maxWeight == 0 || maxWeight > uint64(length) {
		return nil, fmt.Errorf("vdaf: a largest weight of %d; 1 to %d are allowed", maxWeight, length)
	}
	p := &Prio3{
		id: IDMultihotCountVec, shares: shares, proofs: 1, largest: 1,
		config: configMultihotCountVec(length, maxWeight, chunkLength),
	}
	n := multihotSize(int(length), maxWeight, chunkLength)
	return build(p, field.Field128{}, n, func(f field.Field[field.Element128]) *flp[field.Element128] {
		return newMultihotFLP(f, int(length), maxWeight, chunkLength)
	})
}

// NewOneHotBlocks returns Prio3OneHotBlocks: how many measurements fall into each bucket of each of
// several blocks, whose numbers of buckets are given. A report that has any block without exactly
// one bucket is not valid.
func NewOneHotBlocks(shares uint8, blocks []uint16, chunkLength uint32) (*Prio3, error) {
	if len(blocks) == 0 || len(blocks) > MaxBlocks {
		return nil, fmt.Errorf("vdaf: %d blocks; 1 to %d are allowed", len(blocks), MaxBlocks)
	}
	sizes := make([]int, len(blocks))
	var length uint32
	for i, size := range blocks {
		if size == 0 {
			return nil, fmt.Errorf("vdaf: block %d is empty", i)
		}
		sizes[i] = int(size)
		length += uint32(size)
	}
	if err := checkVector(length, chunkLength); err != nil {
		return nil, err
	}
	p := &Prio3{id: IDOneHotBlocks, shares: shares, proofs: 1, largest: 1, config: configOneHotBlocks(blocks, chunkLength)}
	return buildOneHot(p, sizes, chunkLength)
}

func buildOneHot(p *Prio3, blocks []int, chunkLength uint32) (*Prio3, error) {
	var length int
	for _, size := range blocks {
		length += size
	}
	n := oneHotSize(length, len(blocks), chunkLength)
	return build(p, field.Field128{}, n, func(f field.Field[field.Element128]) *flp[field.Element128] {
		return newOneHotFLP(f, blocks, chunkLength)
	})
}

// checkVector bounds a vector before anything is computed from its length.
func checkVector(length, chunkLength uint32) error {
	if length == 0 || length > MaxLength {
		return fmt.Errorf("vdaf: a vector of %d elements; 1 to %d are allowed", length, MaxLength)
	}
	if chunkLength == 0 || chunkLength > MaxLength {
		return fmt.Errorf("vdaf: a chunk length of %d; 1 to %d are allowed", chunkLength, MaxLength)
	}
	return nil
}

// build completes p over the field f, once its size is known to be bearable.
func build[E any](p *Prio3, f field.Field[E], n flpSize, newFLP func(field.Field[E]) *flp[E]) (*Prio3, error) {
	if p.shares < 2 {
		return nil, fmt.Errorf("vdaf: %d shares; 2 to 255 are allowed", p.shares)
	}
	p.size, p.element = n, f.Size()
	if size := p.InputShareSize(0); size > MaxInputShareSize {
		return nil, fmt.Errorf("vdaf: an input share of %d bytes; at most %d are allowed", size, MaxInputShareSize)
	}
	p.engine = &scheme[E]{newFLP(f), f}
	return p, nil
}
