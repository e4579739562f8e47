package vdaf

import "muster/vdaf/internal/field"

// parallelSum is the gadget that adds up the products of pairs of wires; VDAF-20 section A.3 over
// A.1. The circuits that use it share one range check: all elements x of the measurement, in chunks
// of one call each, are tested by the sum of r**(j+1) * x[j] * (x[j] - 1) over the chunk, with r the
// joint randomness of the call.
type parallelSum[E any] struct {
	f     field.Field[E]
	chunk int
}

func (g *parallelSum[E]) eval(in []E, stride int) E {
	return g.f.Weight(g.f.Dot(in, 2*stride, in[stride:], 2*stride, g.chunk))
}

func (g *parallelSum[E]) record(wires []E, size int, measurement, joint []E) {
	f := g.f
	one := f.From(1)
	for k, r := range joint {
		power := r
		for j := range g.chunk {
			var x E
			if i := k*g.chunk + j; i < len(measurement) {
				x = measurement[i]
			}
			wires[2*j*size+k+1] = f.Mul(x, power)
			wires[(2*j+1)*size+k+1] = f.Sub(x, one)
			power = f.Mul(power, r)
		}
	}
}

// query never forms the wires. Wire 2j reads r**(j+1) * x in each call, so its polynomial's value is
// an inner product of every chunk-th element of the measurement with weights * r**(j+1); wire 2j+1
// reads x - 1, whence an inner product with the weights alone, less a constant.
func (g *parallelSum[E]) query(dst, seeds, measurement, joint, weights []E, one E, scratch []E) {
	f := g.f
	first, weights := weights[0], weights[1:]
	calls := len(joint)
	ones := f.Mul(one, f.Sum(weights, 1, calls))
	powers := scratch[:calls]
	copy(powers, weights)
	for j := range g.chunk {
		f.MulVec(powers, joint)
		even, odd := f.Mul(seeds[2*j], first), f.Mul(seeds[2*j+1], first)
		if j < len(measurement) {
			column := measurement[j:]
			n := (len(column) + g.chunk - 1) / g.chunk
			even = f.Add(even, f.Dot(column, g.chunk, powers, 1, n))
			odd = f.Add(odd, f.Dot(column, g.chunk, weights, 1, n))
		}
		dst[2*j], dst[2*j+1] = even, f.Sub(odd, ones)
	}
}

// square is the gadget of Count, x*y, called once on the measurement twice; VDAF-20 section A.1.
type square[E any] struct{ f field.Field[E] }

func (g square[E]) eval(in []E, stride int) E {
	return g.f.Weight(g.f.Mul(in[0], in[stride]))
}

func (g square[E]) record(wires []E, size int, measurement, _ []E) {
	wires[1], wires[size+1] = measurement[0], measurement[0]
}

func (g square[E]) query(dst, seeds, measurement, _, weights []E, _ E, _ []E) {
	x := g.f.Mul(measurement[0], weights[1])
	for j := range dst {
		dst[j] = g.f.Add(g.f.Mul(seeds[j], weights[0]), x)
	}
}

// bitCheck is the gadget of Sum, x*x - x, called on each element; VDAF-20 section A.2.
type bitCheck[E any] struct{ f field.Field[E] }

func (g bitCheck[E]) eval(in []E, _ int) E {
	return g.f.Sub(g.f.Weight(g.f.Mul(in[0], in[0])), in[0])
}

func (g bitCheck[E]) record(wires []E, _ int, measurement, _ []E) {
	copy(wires[1:], measurement)
}

func (g bitCheck[E]) query(dst, seeds, measurement, _, weights []E, _ E, _ []E) {
	sum := g.f.Dot(measurement, 1, weights[1:], 1, len(measurement))
	dst[0] = g.f.Add(g.f.Mul(seeds[0], weights[0]), sum)
}
