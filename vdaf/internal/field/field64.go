package field

import (
	"encoding/binary"
	"math/bits"
)

// Size64 is the number of bytes that encode an element of Field64.
const Size64 = 8

// Element64 is an element of Field64, less than the modulus 2**64 - 2**32 + 1.
type Element64 uint64

// Field64 is GF(2**32 * 4294967295 + 1). The zero value is ready to use.
type Field64 struct{}

const (
	modulus64 = 1<<64 - 1<<32 + 1
	// epsilon64 is 2**64 modulo the modulus.
	epsilon64 = 1<<32 - 1
	// generator64 is 7**4294967295, of order 2**32.
	generator64 = Element64(0x185629dcda58878c)
)

// mul64 returns x*w. With the product h*2**96 + m*2**64 + l, where 2**96 is -1 modulo the modulus
// and 2**64 is 2**32 - 1, the result is l - h + m*(2**32 - 1).
func mul64(x, w Element64) Element64 {
	hi, lo := bits.Mul64(uint64(x), uint64(w))
	r, b := bits.Sub64(lo, hi>>32, 0)
	r -= -b & epsilon64
	r, c := bits.Add64(r, (hi&epsilon64)*epsilon64, 0)
	return less64(r, c)
}

// less64 returns the residue of carry*2**64 + r, which must be less than twice the modulus.
func less64(r, carry uint64) Element64 {
	s, b := bits.Sub64(r, modulus64, 0)
	_, b = bits.Sub64(carry, 0, b)
	return Element64(s ^ (s^r)&-b)
}

func add64(x, y Element64) Element64 {
	r, c := bits.Add64(uint64(x), uint64(y), 0)
	return less64(r, c)
}

func sub64(x, y Element64) Element64 {
	r, b := bits.Sub64(uint64(x), uint64(y), 0)
	return Element64(r + -b&modulus64)
}

// Size implements [Field].
func (Field64) Size() int { return Size64 }

// Add implements [Field].
func (Field64) Add(x, y Element64) Element64 { return add64(x, y) }

// Sub implements [Field].
func (Field64) Sub(x, y Element64) Element64 { return sub64(x, y) }

// Mul implements [Field].
func (Field64) Mul(x, w Element64) Element64 { return mul64(x, w) }

// Weight implements [Field]: a weight is the element itself.
func (Field64) Weight(x Element64) Element64 { return x }

// From implements [Field].
func (Field64) From(n uint64) Element64 { return Element64(n) }

// Uint64 implements [Field].
func (Field64) Uint64(x Element64) (uint64, bool) { return uint64(x), true }

// Equal implements [Field].
func (Field64) Equal(x, y Element64) bool { return x^y == 0 }

// Root implements [Field].
func (Field64) Root(log int) Element64 {
	r := generator64
	for range 32 - log {
		r = mul64(r, r)
	}
	return r
}

// Inverse implements [Field] by Fermat.
func (Field64) Inverse(w Element64) Element64 {
	r := Element64(1)
	for i := 63; i >= 0; i-- {
		r = mul64(r, r)
		if uint64(modulus64-2)>>i&1 == 1 {
			r = mul64(r, w)
		}
	}
	return r
}

// Sum implements [Field].
func (Field64) Sum(x []Element64, stride, n int) Element64 {
	var s Element64
	for i := 0; n > 0; n-- {
		s = add64(s, x[i])
		i += stride
	}
	return s
}

// SumBlocks implements [Field].
func (f Field64) SumBlocks(dst, x []Element64, sizes []int, first Element64) {
	for b, n := range sizes {
		dst[b] = add64(first, f.Sum(x, 1, n))
		x = x[n:]
	}
}

// Dot implements [Field].
func (Field64) Dot(x []Element64, xs int, w []Element64, ws, n int) Element64 {
	var s Element64
	for i, j := 0, 0; n > 0; n-- {
		s = add64(s, mul64(x[i], w[j]))
		i += xs
		j += ws
	}
	return s
}

// MulVec implements [Field].
func (Field64) MulVec(x, w []Element64) {
	for i := range x {
		x[i] = mul64(x[i], w[i])
	}
}

// Weigh implements [Field].
func (Field64) Weigh([]Element64) {}

// SubVec implements [Field].
func (Field64) SubVec(x, y []Element64) {
	for i := range x {
		x[i] = sub64(x[i], y[i])
	}
}

// Append implements [Field].
func (Field64) Append(b []byte, x []Element64) []byte {
	for _, e := range x {
		b = binary.LittleEndian.AppendUint64(b, uint64(e))
	}
	return b
}

// Decode implements [Field].
func (Field64) Decode(x []Element64, b []byte) bool {
	ok := uint64(1)
	for i := range x {
		e := binary.LittleEndian.Uint64(b[Size64*i:])
		_, less := bits.Sub64(e, modulus64, 0)
		ok &= less
		x[i] = Element64(e)
	}
	return ok == 1
}

// AddEncoded implements [Field].
func (Field64) AddEncoded(dst, src []byte) {
	for len(dst) >= Size64 && len(src) >= Size64 {
		x, y := binary.LittleEndian.Uint64(dst), binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, uint64(add64(Element64(x), Element64(y))))
		dst, src = dst[Size64:], src[Size64:]
	}
}

func (Field64) lagrange(dst []Element64, t Element64, inverseRoots []Element64) {
	log := bits.TrailingZeros(uint(len(dst)))
	var powers [32]Element64 // t**(len(dst)/2), ..., t**2, t
	for k := log - 1; k >= 0; k-- {
		powers[k] = t
		t = mul64(t, t)
	}
	for k := range log {
		s, step := 1<<k, len(dst)>>(k+1)
		for i := range s {
			u := mul64(dst[i], mul64(powers[k], inverseRoots[i*step]))
			dst[i], dst[i+s] = add64(dst[i], u), sub64(dst[i], u)
		}
	}
}

func (Field64) toMonomial(x, inverseRoots []Element64) {
	for half, step := len(x)/2, 1; half > 0; half, step = half/2, step*2 {
		for start := 0; start < len(x); start += 2 * half {
			lo, hi := x[start:start+half], x[start+half:start+2*half]
			for i := range lo {
				u, v := lo[i], hi[i]
				lo[i] = add64(u, v)
				hi[i] = mul64(sub64(u, v), inverseRoots[i*step])
			}
		}
	}
}

func (Field64) toLagrange(x, roots []Element64) {
	for half, step := 1, len(x)/2; half < len(x); half, step = half*2, step/2 {
		for start := 0; start < len(x); start += 2 * half {
			lo, hi := x[start:start+half], x[start+half:start+2*half]
			for i := range lo {
				u, v := lo[i], mul64(hi[i], roots[i*step])
				lo[i], hi[i] = add64(u, v), sub64(u, v)
			}
		}
	}
}
