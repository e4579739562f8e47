package field

import (
	"encoding/binary"
	"math/bits"
)

// Size128 is the number of bytes that encode an element of Field128.
const Size128 = 16

// Element128 is an element of Field128, less than the modulus 2**128 - 7*2**66 + 1.
type Element128 struct{ lo, hi uint64 }

// Field128 is GF(2**66 * 4611686018427387897 + 1). The zero value is ready to use.
type Field128 struct{}

// The modulus is high128 * 2**64 + 1.
const high128 = 1<<64 - 28

var (
	// one128 is 2**128, the weight of 1.
	one128 = Element128{1<<64 - 1, 27}
	// square128 is 2**256: Mul by it makes a weight.
	square128 = Element128{1<<64 - 783, 21895}
	// generator128 is 7**4611686018427387897, of order 2**66, as a weight.
	generator128 = Element128{0xf0111fb98c6b9875, 0x50f8f7f554db309c}
)

// mul128 returns x*w / 2**128: Montgomery's product. The modulus is 1 modulo 2**64, so the multiple
// of it that clears the lowest limb is that limb itself. It is subtracted, rather than its negative
// added, and nothing has to be carried out of the limbs that vanish: only the upper halves of the two
// multiples, h and g*2**64 + k, reach the result.
func mul128(x, w Element128) Element128 {
	h, t0 := bits.Mul64(x.lo, w.lo)
	h1, l1 := bits.Mul64(x.lo, w.hi)
	h2, l2 := bits.Mul64(x.hi, w.lo)
	h3, l3 := bits.Mul64(x.hi, w.hi)

	t1, c := bits.Add64(h, l1, 0)
	t2, c := bits.Add64(h1, l3, c)
	t3, _ := bits.Add64(h3, 0, c)
	t1, c = bits.Add64(t1, l2, 0)
	t2, c = bits.Add64(t2, h2, c)
	t3, _ = bits.Add64(t3, 0, c)

	h, l := bits.Mul64(t0, high128)
	t1, b := bits.Sub64(t1, l, 0)
	g, k := bits.Mul64(t1, high128)
	k, c = bits.Add64(k, h, b)
	g, _ = bits.Add64(g, 0, c)
	t2, b = bits.Sub64(t2, k, 0)
	t3, b = bits.Sub64(t3, g, b)

	// The result lies between -modulus and modulus.
	mask := -b
	t2, c = bits.Add64(t2, mask&1, 0)
	t3, _ = bits.Add64(t3, mask&high128, c)
	return Element128{t2, t3}
}

func add128(x, y Element128) Element128 {
	lo, c := bits.Add64(x.lo, y.lo, 0)
	hi, c := bits.Add64(x.hi, y.hi, c)
	return less128(lo, hi, c)
}

// less128 subtracts the modulus from carry*2**128 + hi*2**64 + lo if that is not negative.
func less128(lo, hi, carry uint64) Element128 {
	l, b := bits.Sub64(lo, 1, 0)
	h, b := bits.Sub64(hi, high128, b)
	_, b = bits.Sub64(carry, 0, b)
	mask := -b
	return Element128{l ^ (l^lo)&mask, h ^ (h^hi)&mask}
}

func sub128(x, y Element128) Element128 {
	lo, b := bits.Sub64(x.lo, y.lo, 0)
	hi, b := bits.Sub64(x.hi, y.hi, b)
	mask := -b
	lo, c := bits.Add64(lo, mask&1, 0)
	hi, _ = bits.Add64(hi, mask&high128, c)
	return Element128{lo, hi}
}

// Size implements [Field].
func (Field128) Size() int { return Size128 }

// Add implements [Field].
func (Field128) Add(x, y Element128) Element128 { return add128(x, y) }

// Sub implements [Field].
func (Field128) Sub(x, y Element128) Element128 { return sub128(x, y) }

// Mul implements [Field].
func (Field128) Mul(x, w Element128) Element128 { return mul128(x, w) }

// Weight implements [Field].
func (Field128) Weight(x Element128) Element128 { return mul128(x, square128) }

// From implements [Field].
func (Field128) From(n uint64) Element128 { return Element128{n, 0} }

// Uint64 implements [Field].
func (Field128) Uint64(x Element128) (uint64, bool) { return x.lo, x.hi == 0 }

// Equal implements [Field].
func (Field128) Equal(x, y Element128) bool { return (x.lo^y.lo)|(x.hi^y.hi) == 0 }

// Root implements [Field].
func (Field128) Root(log int) Element128 {
	r := generator128
	for range 66 - log {
		r = mul128(r, r)
	}
	return r
}

// Inverse implements [Field] by Fermat: the exponent is the modulus less 2, whose low limb is all
// ones and whose high limb is high128 - 1.
func (Field128) Inverse(w Element128) Element128 {
	r := one128
	for _, limb := range [2]uint64{high128 - 1, 1<<64 - 1} {
		for i := 63; i >= 0; i-- {
			r = mul128(r, r)
			if limb>>i&1 == 1 {
				r = mul128(r, w)
			}
		}
	}
	return r
}

// MulVec implements [Field].
func (Field128) MulVec(x, w []Element128) {
	w = w[:len(x)]
	for i := range x {
		x[i] = mul128(x[i], w[i])
	}
}

// Weigh implements [Field].
func (Field128) Weigh(x []Element128) {
	for i := range x {
		x[i] = mul128(x[i], square128)
	}
}

// SubVec implements [Field].
func (Field128) SubVec(x, y []Element128) {
	y = y[:len(x)]
	for i := range x {
		x[i] = sub128(x[i], y[i])
	}
}

// Append implements [Field].
func (Field128) Append(b []byte, x []Element128) []byte {
	for i := range x {
		b = binary.LittleEndian.AppendUint64(b, x[i].lo)
		b = binary.LittleEndian.AppendUint64(b, x[i].hi)
	}
	return b
}

// Decode implements [Field].
func (Field128) Decode(x []Element128, b []byte) bool {
	ok := uint64(1)
	for i := range x {
		e := (*[Size128]byte)(b[Size128*i:])
		lo, hi := binary.LittleEndian.Uint64(e[:8]), binary.LittleEndian.Uint64(e[8:])
		_, less := bits.Sub64(lo, 1, 0)
		_, less = bits.Sub64(hi, high128, less)
		ok &= less
		x[i] = Element128{lo, hi}
	}
	return ok == 1
}

// AddEncoded implements [Field].
func (Field128) AddEncoded(dst, src []byte) {
	for len(dst) >= Size128 && len(src) >= Size128 {
		z := add128(
			Element128{binary.LittleEndian.Uint64(dst), binary.LittleEndian.Uint64(dst[8:])},
			Element128{binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])})
		binary.LittleEndian.PutUint64(dst, z.lo)
		binary.LittleEndian.PutUint64(dst[8:], z.hi)
		dst, src = dst[Size128:], src[Size128:]
	}
}

func (Field128) lagrange(dst []Element128, t Element128, inverseRoots []Element128) {
	log := bits.TrailingZeros(uint(len(dst)))
	var powers [66]Element128 // t**(len(dst)/2), ..., t**2, t
	for k := log - 1; k >= 0; k-- {
		powers[k] = t
		t = mul128(t, t)
	}
	for k := range log {
		s, step := 1<<k, len(dst)>>(k+1)
		for i := range s {
			u := mul128(dst[i], mul128(powers[k], inverseRoots[i*step]))
			dst[i], dst[i+s] = add128(dst[i], u), sub128(dst[i], u)
		}
	}
}

func (Field128) toMonomial(x, inverseRoots []Element128) {
	for half, step := len(x)/2, 1; half > 0; half, step = half/2, step*2 {
		for start := 0; start < len(x); start += 2 * half {
			lo, hi := x[start:start+half], x[start+half:start+2*half]
			for i := range lo {
				u, v := lo[i], hi[i]
				lo[i] = add128(u, v)
				hi[i] = mul128(sub128(u, v), inverseRoots[i*step])
			}
		}
	}
}

func (Field128) toLagrange(x, roots []Element128) {
	for half, step := 1, len(x)/2; half < len(x); half, step = half*2, step/2 {
		for start := 0; start < len(x); start += 2 * half {
			lo, hi := x[start:start+half], x[start+half:start+2*half]
			for i := range lo {
				u, v := lo[i], mul128(hi[i], roots[i*step])
				lo[i], hi[i] = add128(u, v), sub128(u, v)
			}
		}
	}
}
