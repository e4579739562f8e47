package field_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"muster/vdaf/internal/field"
)

// subject is a field under test with its modulus and the generator of its large subgroup, as
// VDAF-20 section 6.1.4 states them.
type subject[E any] struct {
	f         field.Field[E]
	modulus   *big.Int
	generator *big.Int
	order     int // log2 of the generator's order
}

func subject64() subject[field.Element64] {
	cofactor := big.NewInt(4294967295)
	p := new(big.Int).Lsh(cofactor, 32)
	p.Add(p, big.NewInt(1))
	return subject[field.Element64]{field.Field64{}, p, new(big.Int).Exp(big.NewInt(7), cofactor, p), 32}
}

func subject128() subject[field.Element128] {
	cofactor := big.NewInt(4611686018427387897)
	p := new(big.Int).Lsh(cofactor, 66)
	p.Add(p, big.NewInt(1))
	return subject[field.Element128]{field.Field128{}, p, new(big.Int).Exp(big.NewInt(7), cofactor, p), 66}
}

func (s subject[E]) int(x E) *big.Int {
	b := s.f.Append(nil, []E{x})
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return new(big.Int).SetBytes(b)
}

func (s subject[E]) element(t interface{ Fatalf(string, ...any) }, n *big.Int) E {
	b := make([]byte, s.f.Size())
	n.FillBytes(b)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	x := make([]E, 1)
	if !s.f.Decode(x, b) {
		t.Fatalf("%v does not decode", n)
	}
	return x[0]
}

// draw takes an element, the edges of the limbs more often than chance would.
func (s subject[E]) draw(t *rapid.T, label string) (E, *big.Int) {
	n := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), s.f.Size(), s.f.Size()).Draw(t, label))
	if rapid.Bool().Draw(t, label+" at an edge") {
		n.Lsh(big.NewInt(1), uint(32*rapid.IntRange(0, s.f.Size()/4).Draw(t, label+" limb")))
		n.Add(n, big.NewInt(rapid.Int64Range(-64, 64).Draw(t, label+" offset")))
		if rapid.Bool().Draw(t, label+" from above") {
			n.Sub(s.modulus, n)
		}
	}
	n.Mod(n, s.modulus)
	return s.element(t, n), n
}

func (s subject[E]) drawVec(t *rapid.T, n int, label string) ([]E, []*big.Int) {
	x, ints := make([]E, n), make([]*big.Int, n)
	for i := range x {
		x[i], ints[i] = s.draw(t, label)
	}
	return x, ints
}

func (s subject[E]) expect(t *rapid.T, what string, got E, want *big.Int) {
	if s.int(got).Cmp(new(big.Int).Mod(want, s.modulus)) != 0 {
		t.Fatalf("%s: got %v, want %v", what, s.int(got), new(big.Int).Mod(want, s.modulus))
	}
}

func both(t *testing.T, f64 func(*testing.T, subject[field.Element64]), f128 func(*testing.T, subject[field.Element128])) {
	t.Run("Field64", func(t *testing.T) { t.Parallel(); f64(t, subject64()) })
	t.Run("Field128", func(t *testing.T) { t.Parallel(); f128(t, subject128()) })
}

func TestArithmetic(t *testing.T) {
	t.Parallel()
	both(t, testArithmetic[field.Element64], testArithmetic[field.Element128])
}

func testArithmetic[E any](t *testing.T, s subject[E]) {
	rapid.Check(t, func(t *rapid.T) {
		f := s.f
		x, xi := s.draw(t, "x")
		y, yi := s.draw(t, "y")
		z := func() *big.Int { return new(big.Int) }
		s.expect(t, "x + y", f.Add(x, y), z().Add(xi, yi))
		s.expect(t, "x - y", f.Sub(x, y), z().Sub(xi, yi))
		s.expect(t, "x * y", f.Mul(x, f.Weight(y)), z().Mul(xi, yi))
		s.expect(t, "x * y, elements", f.Weight(f.Mul(x, y)), z().Mul(xi, yi))
		s.expect(t, "x * y * y", f.Mul(x, f.Mul(f.Weight(y), f.Weight(y))), z().Mul(xi, z().Mul(yi, yi)))
		if f.Equal(x, y) != (xi.Cmp(yi) == 0) {
			t.Fatalf("Equal(%v, %v) is %v", xi, yi, f.Equal(x, y))
		}
		if n, ok := f.Uint64(x); ok != xi.IsUint64() || ok && n != xi.Uint64() {
			t.Fatalf("Uint64(%v) is %d, %v", xi, n, ok)
		}
		if xi.Sign() != 0 {
			s.expect(t, "y / x", f.Mul(y, f.Inverse(f.Weight(x))), z().Mul(yi, z().ModInverse(xi, s.modulus)))
		}
	})
}

func TestVectors(t *testing.T) {
	t.Parallel()
	both(t, testVectors[field.Element64], testVectors[field.Element128])
}

func testVectors[E any](t *testing.T, s subject[E]) {
	rapid.Check(t, func(t *rapid.T) {
		f := s.f
		n := rapid.IntRange(0, 40).Draw(t, "n")
		xs, ws := rapid.IntRange(1, 3).Draw(t, "xs"), rapid.IntRange(1, 3).Draw(t, "ws")
		x, xi := s.drawVec(t, n*xs, "x")
		w, wi := s.drawVec(t, n*ws, "w")
		sum, dot := new(big.Int), new(big.Int)
		for i := range n {
			sum.Add(sum, xi[i*xs])
			dot.Add(dot, new(big.Int).Mul(xi[i*xs], wi[i*ws]))
		}
		s.expect(t, "Sum", f.Sum(x, xs, n), sum)
		s.expect(t, "Dot", f.Weight(f.Dot(x, xs, w, ws, n)), dot)
		f.Weigh(w)
		s.expect(t, "Dot", f.Dot(x, xs, w, ws, n), dot)

		sizes := rapid.SliceOfN(rapid.IntRange(0, 9), 0, 6).Draw(t, "sizes")
		first, firsti := s.draw(t, "first")
		var total int
		for _, size := range sizes {
			total += size
		}
		block, blocki := s.drawVec(t, total, "block")
		blockSums := make([]E, len(sizes))
		f.SumBlocks(blockSums, block, sizes, first)
		for i, size := range sizes {
			want := new(big.Int).Set(firsti)
			for _, n := range blocki[:size] {
				want.Add(want, n)
			}
			blocki = blocki[size:]
			s.expect(t, "SumBlocks", blockSums[i], want)
		}

		a, ai := s.drawVec(t, n, "a")
		b, bi := s.drawVec(t, n, "b")
		product, difference := append([]E(nil), a...), append([]E(nil), a...)
		f.SubVec(difference, b)
		encoded := f.Append(nil, a)
		f.AddEncoded(encoded, f.Append(nil, b))
		sums := make([]E, n)
		if !f.Decode(sums, encoded) {
			t.Fatalf("AddEncoded left something that does not decode")
		}
		f.Weigh(b)
		f.MulVec(product, b)
		for i := range n {
			s.expect(t, "MulVec", product[i], new(big.Int).Mul(ai[i], bi[i]))
			s.expect(t, "SubVec", difference[i], new(big.Int).Sub(ai[i], bi[i]))
			s.expect(t, "AddEncoded", sums[i], new(big.Int).Add(ai[i], bi[i]))
		}
	})
}

// Sums of many terms, each as large as can be, must not overflow what gathers them.
func TestLongSums(t *testing.T) {
	t.Parallel()
	both(t, testLongSums[field.Element64], testLongSums[field.Element128])
}

func testLongSums[E any](t *testing.T, s subject[E]) {
	const n = 1 << 16
	x := make([]E, n)
	for i := range x {
		x[i] = s.element(t, new(big.Int).Sub(s.modulus, big.NewInt(1)))
	}
	if got := s.int(s.f.Sum(x, 1, n)); got.Cmp(new(big.Int).Sub(s.modulus, big.NewInt(n))) != 0 {
		t.Errorf("Sum of %d times -1 is %v", n, got)
	}
	if got := s.int(s.f.Weight(s.f.Dot(x, 1, x, 1, n))); got.Cmp(big.NewInt(n)) != 0 {
		t.Errorf("Dot of %d times -1 and -1 is %v", n, got)
	}
}

func TestDecodeRefusesTheModulus(t *testing.T) {
	t.Parallel()
	both(t, testDecode[field.Element64], testDecode[field.Element128])
}

func testDecode[E any](t *testing.T, s subject[E]) {
	largest := new(big.Int).Lsh(big.NewInt(1), uint(8*s.f.Size()))
	largest.Sub(largest, big.NewInt(1))
	for _, tt := range []struct {
		name  string
		value *big.Int
		want  bool
	}{
		{"zero", new(big.Int), true},
		{"modulus - 1", new(big.Int).Sub(s.modulus, big.NewInt(1)), true},
		{"modulus", s.modulus, false},
		{"modulus + 1", new(big.Int).Add(s.modulus, big.NewInt(1)), false},
		{"all ones", largest, false},
	} {
		size := s.f.Size()
		b := make([]byte, 3*size)
		tt.value.FillBytes(b[size : 2*size])
		for i, j := size, 2*size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		if got := s.f.Decode(make([]E, 3), b); got != tt.want {
			t.Errorf("%s: Decode says %v", tt.name, got)
		}
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	both(t, testRoots[field.Element64], testRoots[field.Element128])
}

func testRoots[E any](t *testing.T, s subject[E]) {
	one := s.f.From(1)
	for log := 0; log <= s.order; log++ {
		exponent := new(big.Int).Lsh(big.NewInt(1), uint(s.order-log))
		want := new(big.Int).Exp(s.generator, exponent, s.modulus)
		if got := s.int(s.f.Mul(one, s.f.Root(log))); got.Cmp(want) != 0 {
			t.Errorf("root of order 2**%d is %v, want %v", log, got, want)
		}
	}
}

// A polynomial given by its coefficients is evaluated in three ways: by Horner's rule, from its
// values on the domain, and at the odd powers by transforms.
func TestDomain(t *testing.T) {
	t.Parallel()
	both(t, testDomain[field.Element64], testDomain[field.Element128])
}

func testDomain[E any](t *testing.T, s subject[E]) {
	domains := make([]*field.Domain[E], 8)
	for i := range domains {
		domains[i] = field.NewDomain(s.f, 2<<i)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := s.f
		d := domains[rapid.IntRange(0, len(domains)-1).Draw(t, "domain")]
		n := d.Size()
		coefficients := make([]E, n)
		for i := range coefficients {
			coefficients[i] = f.From(rapid.Uint64Range(0, 1<<32).Draw(t, "coefficient"))
			coefficients[i] = f.Weight(f.Weight(coefficients[i])) // spread over the field
		}
		horner := func(w E) E {
			var y E
			for i := n - 1; i >= 0; i-- {
				y = f.Add(f.Mul(y, w), coefficients[i])
			}
			return y
		}
		root, inverse := d.Root()
		one := f.Weight(f.From(1))
		if !f.Equal(f.Mul(root, inverse), one) {
			t.Fatalf("root and inverse do not cancel")
		}
		even, odd := make([]E, n), make([]E, n)
		for i, w := 0, one; i < n; i++ {
			even[i] = horner(w)
			w = f.Mul(w, root)
			odd[i] = horner(w)
			w = f.Mul(w, root)
		}
		point, _ := s.draw(t, "point")
		point = f.Weight(point)
		weights := make([]E, n)
		d.Weights(weights, point)
		if got, want := f.Dot(even, 1, weights, 1, n), horner(point); !f.Equal(got, want) {
			t.Fatalf("n = %d: value by weights is %v, by coefficients %v", n, s.int(got), s.int(want))
		}
		d.Odd(even)
		for i := range n {
			if !f.Equal(even[i], odd[i]) {
				t.Fatalf("n = %d: odd value %d is %v, want %v", n, i, s.int(even[i]), s.int(odd[i]))
			}
		}
		if p := d.PowerOfSize(f.Mul(root, root)); !f.Equal(p, one) {
			t.Fatalf("a point of the domain to the power of n is not 1")
		}
		if p := d.PowerOfSize(root); f.Equal(p, one) {
			t.Fatalf("a point beside the domain to the power of n is 1")
		}
	})
}
