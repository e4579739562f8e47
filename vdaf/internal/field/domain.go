package field

import "math/bits"

// A Domain is the set of the powers of the principal root of unity of order n, a power of two of at
// least 2. A polynomial of degree below n is given by its values there, in the order of the powers:
// the Lagrange basis of VDAF-20 section 6.1.3.2.
//
// A Domain is immutable and safe for concurrent use.
type Domain[E any] struct {
	f   Field[E]
	log int
	// root is the root of order 2n that leads from the domain to the odd powers; all are weights.
	root, inverseRoot E
	// roots[i] is the i-th power of the root of order n, inverseRoots[i] its inverse; i < n/2.
	roots, inverseRoots []E
	// twist[i] is root**k / n, where k is i with its bits reversed.
	twist []E
	one   E
	invN  E
}

// NewDomain returns the domain of n points.
func NewDomain[E any](f Field[E], n int) *Domain[E] {
	if n < 2 || n&(n-1) != 0 {
		panic("field: the size of a domain is a power of two")
	}
	log := bits.TrailingZeros(uint(n))
	d := &Domain[E]{
		f:            f,
		log:          log,
		root:         f.Root(log + 1),
		roots:        make([]E, n/2),
		inverseRoots: make([]E, n/2),
		twist:        make([]E, n),
		one:          f.Weight(f.From(1)),
		invN:         f.Inverse(f.Weight(f.From(uint64(n)))),
	}
	d.inverseRoot = f.Inverse(d.root)
	root, inverseRoot := f.Mul(d.root, d.root), f.Mul(d.inverseRoot, d.inverseRoot)
	r, ir := d.one, d.one
	for i := range d.roots {
		d.roots[i], d.inverseRoots[i] = r, ir
		r, ir = f.Mul(r, root), f.Mul(ir, inverseRoot)
	}
	t := d.invN
	for k := range n {
		d.twist[bits.Reverse(uint(k))>>(bits.UintSize-log)] = t
		t = f.Mul(t, d.root)
	}
	return d
}

// Size returns the number of points.
func (d *Domain[E]) Size() int { return 1 << d.log }

// Root returns, as weights, the root of unity of order 2n and its inverse.
func (d *Domain[E]) Root() (root, inverse E) { return d.root, d.inverseRoot }

// PowerOfSize returns the weight t**n. It is 1 exactly if t is one of the points.
func (d *Domain[E]) PowerOfSize(t E) E {
	for range d.log {
		t = d.f.Mul(t, t)
	}
	return t
}

// Weights fills dst, of length n, with the weights that evaluate a polynomial at t, itself a weight:
// the inner product of a polynomial's values and dst is its value at t.
//
// With w the root of order n, the i-th weight is the sum of (t/w**i)**k over k < n, divided by n;
// the sum is the product of 1 + (t/w**i)**(n/2), 1 + (t/w**i)**(n/4), and so on to 1 + t/w**i. The
// first factor takes two values, the second four: the inner loop doubles the list with every
// factor. That is 2n multiplications, no division and no transform.
func (d *Domain[E]) Weights(dst []E, t E) {
	dst[0] = d.invN
	d.f.lagrange(dst[:d.Size()], t, d.inverseRoots)
}

// Odd replaces the values x of a polynomial by its values at the odd powers of the root of order
// 2n, in order. The polynomial passes through its coefficients, kept in bit-reversed order: the one
// transform leaves them so and the other takes them so, and nobody has to sort them.
func (d *Domain[E]) Odd(x []E) {
	x = x[:d.Size()]
	d.f.toMonomial(x, d.inverseRoots)
	d.f.MulVec(x, d.twist)
	d.f.toLagrange(x, d.roots)
}
