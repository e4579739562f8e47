package vdaf

// ChunkLength returns the chunk length with which a circuit of so many elements is cheapest to send
// and to verify; for OneHotBlocks and Histogram, elements is the number of buckets.
//
// A chunk of c elements makes ceil(elements/c) calls; the wire polynomials have p values, the next
// power of two above the calls; the proof has 2c + 2p - 1 elements. Of the chunk lengths that lead to
// one p only the smallest, ceil(elements/(p-1)), is worth considering. Measured from 30 to 10,000
// elements, the p with the shortest proof verifies fastest, or within 2 % of it, and half and twice
// the p cost little more: the elements themselves dominate.
func ChunkLength(elements int) uint32 {
	var best, shortest int
	for p := 2; p/2 <= elements; p *= 2 {
		chunk := (elements + p - 2) / (p - 1)
		if proof := 2*chunk + 2*p - 1; best == 0 || proof < shortest {
			best, shortest = chunk, proof
		}
	}
	return uint32(best)
}
