package field

import "math/bits"

// Sums and inner products over Field128 are where verification spends its arithmetic. Reducing
// every term would double their cost, so terms are added up as plain integers and the total is
// reduced once. The limbs of the total live in local variables: the compiler keeps a struct of five
// words in memory, where each addition would wait for the last store.

// Sum implements [Field]. The third limb counts carries.
func (Field128) Sum(x []Element128, stride, n int) Element128 {
	var s0, s1, s2, c uint64
	for i := 0; n > 0; n-- {
		s0, c = bits.Add64(s0, x[i].lo, 0)
		s1, c = bits.Add64(s1, x[i].hi, c)
		s2 += c
		i += stride
	}
	return fold128(s0, s1, s2)
}

// SumBlocks implements [Field].
func (Field128) SumBlocks(dst, x []Element128, sizes []int, first Element128) {
	for b, n := range sizes {
		s0, s1, s2, c := first.lo, first.hi, uint64(0), uint64(0)
		for _, e := range x[:n] {
			s0, c = bits.Add64(s0, e.lo, 0)
			s1, c = bits.Add64(s1, e.hi, c)
			s2 += c
		}
		x = x[n:]
		dst[b] = fold128(s0, s1, s2)
	}
}

// Dot implements [Field].
func (Field128) Dot(x []Element128, xs int, w []Element128, ws, n int) Element128 {
	var s0, s1, s2, s3, s4, c uint64
	for i, j := 0, 0; n > 0; n-- {
		a, b := x[i], w[j]
		h, l := bits.Mul64(a.lo, b.lo)
		h1, l1 := bits.Mul64(a.lo, b.hi)
		h2, l2 := bits.Mul64(a.hi, b.lo)
		h3, l3 := bits.Mul64(a.hi, b.hi)

		h, c = bits.Add64(h, l1, 0)
		l3, c = bits.Add64(l3, h1, c)
		h3 += c
		h, c = bits.Add64(h, l2, 0)
		l3, c = bits.Add64(l3, h2, c)
		h3 += c

		s0, c = bits.Add64(s0, l, 0)
		s1, c = bits.Add64(s1, h, c)
		s2, c = bits.Add64(s2, l3, c)
		s3, c = bits.Add64(s3, h3, c)
		s4 += c
		i += xs
		j += ws
	}

	// Montgomery's reduction as in mul128, over five limbs.
	h, l := bits.Mul64(s0, high128)
	s1, b := bits.Sub64(s1, l, 0)
	s2, b = bits.Sub64(s2, h, b)
	s3, b = bits.Sub64(s3, 0, b)
	s4, b1 := bits.Sub64(s4, 0, b)
	h, l = bits.Mul64(s1, high128)
	s2, b = bits.Sub64(s2, l, 0)
	s3, b = bits.Sub64(s3, h, b)
	s4, b2 := bits.Sub64(s4, 0, b)

	// At most one borrow is left, and then the value lies between -modulus and 0: add the modulus.
	mask := -(b1 | b2)
	s2, c = bits.Add64(s2, mask&1, 0)
	s3, c = bits.Add64(s3, mask&high128, c)
	s4 += c
	return fold128(s2, s3, s4)
}

// fold128 reduces s2*2**128 + s1*2**64 + s0, for s2 below 2**32. As 2**128 is 28*2**64 - 1 modulo
// the modulus, the upper limb is worth 28*s2 in the middle limb less s2 in the lowest.
func fold128(s0, s1, s2 uint64) Element128 {
	z := less128(s0, s1, 0)
	return add128(z, Element128{-s2, 28*s2 - 1 + isZero(s2)})
}

// isZero returns 1 if x is zero and 0 otherwise.
func isZero(x uint64) uint64 { return 1 ^ (x|-x)>>63 }
