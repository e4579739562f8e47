// Package field implements the two prime fields of VDAF-20 section 6.1.4, Field64 and Field128,
// and the operations on vectors of their elements that a proof needs.
//
// # Weights
//
// An element is kept as the residue itself, the way it is encoded, so that reading and writing
// shares costs nothing. A multiplier is prepared once by [Field.Weight] and then used many times:
// the second operand of Mul, Dot and their kin is a weight. For Field128 a weight is the Montgomery
// form; for Field64 it is the element itself. Three rules are all there is to know:
//
//	Mul(element, weight) is an element
//	Mul(weight, weight)  is a weight
//	Weight(Mul(element, element)) is an element: their product
//
// Sums of elements are elements, and sums of weights are weights.
//
// All operations run in constant time: they take no branch and touch no address that depends on
// the value of an element, Decode's verdict aside.
package field

// Field is the arithmetic of one field, with E its element type.
type Field[E any] interface {
	// Size is the number of bytes that encode an element.
	Size() int
	// Add returns x + y.
	Add(x, y E) E
	// Sub returns x - y.
	Sub(x, y E) E
	// Mul returns x times the weight w.
	Mul(x, w E) E
	// Weight prepares x as a multiplier.
	Weight(x E) E
	// From returns n, which must be less than the modulus.
	From(n uint64) E
	// Uint64 returns x as an integer, and whether it fits.
	Uint64(x E) (uint64, bool)
	// Equal reports whether x and y are the same.
	Equal(x, y E) bool
	// Root returns, as a weight, the principal root of unity of order 2**log; VDAF-20 section 6.1.2.
	Root(log int) E
	// Inverse returns the weight 1/w of the weight w, which must not be zero.
	Inverse(w E) E

	// Sum returns x[0] + x[stride] + ... of n terms.
	Sum(x []E, stride, n int) E
	// SumBlocks cuts x into blocks of the given sizes and writes first plus the sum of each to dst.
	SumBlocks(dst, x []E, sizes []int, first E)
	// Dot returns the inner product of n elements of x and n weights of w, taken xs and ws apart.
	Dot(x []E, xs int, w []E, ws, n int) E
	// MulVec multiplies each x[i] by the weight w[i].
	MulVec(x, w []E)
	// Weigh replaces each element of x by its weight.
	Weigh(x []E)
	// SubVec subtracts y[i] from each x[i].
	SubVec(x, y []E)

	// Append appends the encoding of x to b.
	Append(b []byte, x []E) []byte
	// Decode reads len(x) elements from b, which must be len(x) times Size long, and reports
	// whether each is less than the modulus.
	Decode(x []E, b []byte) bool
	// AddEncoded adds the encoded elements of src to those of dst. Both must be of equal length
	// and canonical.
	AddEncoded(dst, src []byte)

	// lagrange, toMonomial and toLagrange are the inner loops of Domain.
	lagrange(dst []E, t E, inverseRoots []E)
	toMonomial(x []E, inverseRoots []E)
	toLagrange(x []E, roots []E)
}
