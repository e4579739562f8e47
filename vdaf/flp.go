package vdaf

import (
	"math/bits"

	"muster/vdaf/internal/field"
)

// A circuit decides which encoded measurements are valid; VDAF-20 section 7.3.2. All but the gadget
// calls is affine in the measurement, so that each aggregator can evaluate it on its share.
type circuit[E any] interface {
	// encode writes the encoding of a measurement to dst, which is zero.
	encode(dst []E, measurement []uint64) error
	// outputs writes the circuit's outputs to dst, given the encoded measurement, the results of the
	// gadget calls in gadget[0], gadget[2], gadget[4], ..., and the constant 1: an aggregator passes
	// its shares of all three. The measurement is valid if all outputs are zero.
	outputs(dst, measurement, gadget []E, one E)
	// truncate returns the part of the encoded measurement that is aggregated, in dst or in
	// measurement itself.
	truncate(dst, measurement []E) []E
}

// A gadget is the one non-affine part of a circuit, of degree 2. Its k-th call, counted from 1, reads
// its wires from the measurement.
type gadget[E any] interface {
	// eval returns the gadget's value on the wires in[0], in[stride], in[2*stride], ...
	eval(in []E, stride int) E
	// record writes the value of wire j in call k to wires[j*size+k].
	record(wires []E, size int, measurement []E, joint []E)
	// query writes to dst the values at a point of the wire polynomials, whose values are the seeds
	// at the first point of the domain, the wires at the next, and zero at the rest. weights
	// evaluates at that point; one is the aggregator's share of 1; scratch has room for an element
	// per call.
	query(dst, seeds, measurement, joint, weights []E, one E, scratch []E)
}

// flpSize holds the lengths that a circuit and its gadget determine, in elements.
type flpSize struct {
	measurement, output, eval, joint int
	arity, calls                     int
}

// points is the number of values of a wire polynomial: one for each call and one for the seed,
// rounded up to a power of two.
func (n flpSize) points() int { return 1 << bits.Len(uint(n.calls)) }

// The gadget polynomial has degree 2*(points-1).
func (n flpSize) gadgetPoly() int { return 2*n.points() - 1 }

func (n flpSize) proof() int     { return n.arity + n.gadgetPoly() }
func (n flpSize) verifier() int  { return n.arity + 2 }
func (n flpSize) proveRand() int { return n.arity }

// queryRand is the number of random elements of a query: one for each output, if there are several, and
// the point at which the polynomials are compared.
func (n flpSize) queryRand() int {
	if n.eval > 1 {
		return n.eval + 1
	}
	return 1
}

// An flp is the fully linear proof system of VDAF-20 section 7.3 for one circuit. It is immutable.
type flp[E any] struct {
	flpSize
	f       field.Field[E]
	circuit circuit[E]
	gadget  gadget[E]
	domain  *field.Domain[E]
	// restore are the weights that give the last value of a gadget polynomial from the others.
	restore []E
	half    E // the weight 1/2
	one     E // the weight 1
}

func newFLP[E any](f field.Field[E], n flpSize, c circuit[E], g gadget[E]) *flp[E] {
	p := &flp[E]{
		flpSize: n,
		f:       f,
		circuit: c,
		gadget:  g,
		domain:  field.NewDomain(f, n.points()),
		restore: make([]E, n.gadgetPoly()),
		half:    f.Inverse(f.Weight(f.From(2))),
		one:     f.Weight(f.From(1)),
	}
	// With w the root of order 2*points, the values v[i] at w**i of a polynomial that is one degree
	// short of them satisfy: the sum of v[i] * w**i is zero. So the last is minus the sum of
	// v[i] * w**(i+1).
	var zero E
	root, _ := p.domain.Root()
	w := p.one
	for i := range p.restore {
		w = f.Mul(w, root)
		p.restore[i] = f.Sub(zero, w)
	}
	return p
}

// prove writes the proof that a measurement is valid to dst: the wire seeds, which are the prover's
// randomness, and the values of the gadget polynomial. joint are weights.
func (p *flp[E]) prove(dst, measurement, seeds, joint []E) {
	n := p.points()
	wires := make([]E, p.arity*n)
	for j, seed := range seeds {
		wires[j*n] = seed
	}
	p.gadget.record(wires, n, measurement, joint)

	copy(dst, seeds)
	dst = dst[p.arity:]
	for k := range n {
		dst[2*k] = p.gadget.eval(wires[k:], n)
	}
	for j := range p.arity {
		p.domain.Odd(wires[j*n : (j+1)*n])
	}
	for k := range n - 1 {
		dst[2*k+1] = p.gadget.eval(wires[k:], n)
	}
}

// queryScratch is what query works in.
type queryScratch[E any] struct {
	even, odd, calls, outputs, poly []E
}

func (p *flp[E]) newQueryScratch() queryScratch[E] {
	return queryScratch[E]{
		even:    make([]E, p.points()),
		odd:     make([]E, p.points()),
		calls:   make([]E, p.calls),
		outputs: make([]E, p.eval),
		poly:    make([]E, 2*p.points()),
	}
}

// query writes an aggregator's share of the verifier to dst, from its shares of the measurement, the
// proof and the constant 1. joint are weights, rand are elements. It reports false if the point
// that the randomness names is one of those that the wires are read from: the answer would give a
// wire away.
func (p *flp[E]) query(dst, measurement, proof, rand, joint []E, one E, s *queryScratch[E]) bool {
	f := p.f
	seeds, poly := proof[:p.arity], s.poly
	copy(poly, proof[p.arity:])
	poly[len(poly)-1] = f.Dot(poly, 1, p.restore, 1, len(p.restore))

	p.circuit.outputs(s.outputs, measurement, poly[2:], one)
	if p.eval > 1 {
		dst[0] = f.Weight(f.Dot(s.outputs, 1, rand, 1, p.eval))
		rand = rand[p.eval:]
	} else {
		dst[0] = s.outputs[0]
	}

	t := f.Weight(rand[0])
	power := p.domain.PowerOfSize(t)
	if f.Equal(power, p.one) {
		return false
	}
	p.domain.Weights(s.even, t)
	p.gadget.query(dst[1:1+p.arity], seeds, measurement, joint, s.even, one, s.calls)

	// The gadget polynomial is known at twice as many points. It is a mean of the polynomial through
	// its even values and the one through its odd values, weighted by (1 + t**n)/2 and (1 - t**n)/2:
	// the first is 1 at the even points and 0 at the odd ones.
	_, inverse := p.domain.Root()
	p.domain.Weights(s.odd, f.Mul(t, inverse))
	n := p.points()
	even := f.Mul(f.Dot(poly, 2, s.even, 1, n), f.Add(p.one, power))
	odd := f.Mul(f.Dot(poly[1:], 2, s.odd, 1, n), f.Sub(p.one, power))
	dst[1+p.arity] = f.Mul(f.Add(even, odd), p.half)
	return true
}

// decide reports whether the sum of all verifier shares accepts.
func (p *flp[E]) decide(verifier []E) bool {
	var zero E
	valid := p.f.Equal(verifier[0], zero)
	wires, value := verifier[1:1+p.arity], verifier[1+p.arity]
	return p.f.Equal(p.gadget.eval(wires, 1), value) && valid
}
