package cascade

// Random bits. Every yes-or-no of a run is U < p for a U of sixteen binary
// digits that depends on nothing but (seed, block, edge, lane): not on the
// engine, not on what else was drawn, not on the number of threads. So two runs
// with one seed differ only where their inputs do (common random numbers), a
// larger p never turns a yes into a no, and the engines agree trial by trial.
//
// Word n of edge e in a block is SplitMix64 at counter e<<7|n: n counts eight
// words of lanes a digit, most significant digit first. Digits are drawn until
// every lane that is asked for is decided, some log2(lanes)+1.3 of them.
//
// Two blocks begin at pseudorandom places of one cycle of 2^64. That a pair of
// them meets has a chance of about blocks² · edges · 2^7 / 2^64, 2^-18 for a
// hundred thousand edges and a million trials; then some edges of one block
// would be drawn like others of another.

// golden is the increment of SplitMix64 (Steele, Lea, Flood 2014): odd, and
// near 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

const (
	// Lanes is how many trials a block has, one a bit.
	Lanes = 512

	blockWords = Lanes / 64
	digits     = 16 // of a probability, binary

	// Multiples of golden, as counters wrap: of two and three words, of one
	// digit, of four words, and of one edge, which owns eight words of sixteen
	// digits.
	golden2     = golden * 2 & (1<<64 - 1)
	golden3     = golden * 3 & (1<<64 - 1)
	golden4     = golden * 4 & (1<<64 - 1)
	digitStride = golden * blockWords & (1<<64 - 1)
	edgeStride  = golden * blockWords * digits & (1<<64 - 1)
)

// mix is the output function of SplitMix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// stream names what the bits of a block are for, so that no two purposes share
// any.
type stream uint64

const (
	bindingStream stream = iota + 1 // does a requirement bind
	hitStream                       // is a service hit
	repairStream                    // how long does its repair take
)

// start returns where a stream's counter begins in a block of trials.
func start(seed uint64, s stream, block uint64) uint64 {
	return mix(mix(mix(seed+golden)+uint64(s)*golden) + block*golden)
}

// live returns, of the 64 lanes of one word, those in pending whose U is below
// p. state is the counter of the word's first digit: the stream's start, the
// edge, and the word in the block.
func live(state uint64, p Probability, pending uint64) uint64 {
	if p >= Always {
		return pending
	}
	return decide(state, uint32(p)<<(32-digits), pending)
}

// decide is live from some digit on: rest is what p has left, its most
// significant digit first.
func decide(state uint64, rest uint32, pending uint64) (yes uint64) {
	for ; rest != 0 && pending != 0; rest <<= 1 {
		digit := -uint64(rest >> 31) // all ones where the digit of p is 1
		equal := pending & (mix(state) ^ ^digit)
		yes |= (pending ^ equal) & digit
		pending = equal
		state += digitStride
	}
	return yes
}

// together is how many digits live4 draws before it asks which words still have
// an undecided lane: asking costs more than drawing while most of them have.
const together = 4

// live4 is live for four words beside each other and a p below [Always]. Their
// multiplications do not wait for one another.
func live4(state uint64, p Probability, a, b, c, d uint64) (ya, yb, yc, yd uint64) {
	rest := uint32(p) << (32 - digits)
	for range together {
		digit := -uint64(rest >> 31)
		not := ^digit

		equal := a & (mix(state) ^ not)
		ya |= (a ^ equal) & digit
		a = equal

		equal = b & (mix(state+golden) ^ not)
		yb |= (b ^ equal) & digit
		b = equal

		equal = c & (mix(state+golden2) ^ not)
		yc |= (c ^ equal) & digit
		c = equal

		equal = d & (mix(state+golden3) ^ not)
		yd |= (d ^ equal) & digit
		d = equal

		rest <<= 1
		state += digitStride
	}
	if a != 0 {
		ya |= decide(state, rest, a)
	}
	if b != 0 {
		yb |= decide(state+golden, rest, b)
	}
	if c != 0 {
		yc |= decide(state+golden2, rest, c)
	}
	if d != 0 {
		yd |= decide(state+golden3, rest, d)
	}
	return ya, yb, yc, yd
}
