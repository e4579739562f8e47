// Package turboshake implements TurboSHAKE128, the extendable output function of RFC 9861 section
// 2.2: a sponge over Keccak-p[1600,12] with a rate of 168 bytes.
//
// An [XOF] is absorbed and then squeezed. It allocates nothing, so that one value serves all the
// derivations of a report in turn:
//
//	var x turboshake.XOF
//	x.Reset()
//	x.Absorb(message)
//	x.Pad(0x1f)
//	x.Squeeze(output)
//
// It runs in constant time for inputs of a given length.
package turboshake

import "encoding/binary"

// Rate is the number of bytes that one permutation absorbs or yields.
const Rate = 168

// An XOF is one run of TurboSHAKE128. The zero value is ready to absorb. It is not safe for
// concurrent use.
type XOF struct {
	lanes [25]uint64
	// block holds the bytes not yet absorbed, or those squeezed and not yet asked for.
	block [Rate]byte
	// n is the number of bytes of block filled while absorbing, or taken while squeezing.
	n int
}

// Reset makes x ready to absorb a new message.
func (x *XOF) Reset() {
	x.lanes = [25]uint64{}
	x.n = 0
}

// Absorb appends p to the message. It must not be called after Pad.
func (x *XOF) Absorb(p []byte) {
	if x.n > 0 {
		k := copy(x.block[x.n:], p)
		x.n += k
		p = p[k:]
		if x.n < Rate {
			return
		}
		x.absorbBlock(&x.block)
		x.n = 0
	}
	for len(p) >= Rate {
		x.absorbBlock((*[Rate]byte)(p))
		p = p[Rate:]
	}
	x.n = copy(x.block[:], p)
}

// Pad ends the message with the domain separation byte d, between 0x01 and 0x7f, and turns x to
// squeezing.
func (x *XOF) Pad(d byte) {
	clear(x.block[x.n:])
	x.block[x.n] = d
	x.block[Rate-1] ^= 0x80
	x.absorbBlock(&x.block)
	x.extractBlock(&x.block)
	x.n = 0
}

// Squeeze fills p with the next bytes of output. It must not be called before Pad.
func (x *XOF) Squeeze(p []byte) {
	k := copy(p, x.block[x.n:])
	x.n += k
	p = p[k:]
	for len(p) >= Rate {
		permute(&x.lanes)
		x.extractBlock((*[Rate]byte)(p))
		p = p[Rate:]
	}
	if len(p) > 0 {
		permute(&x.lanes)
		x.extractBlock(&x.block)
		x.n = copy(p, x.block[:])
	}
}

func (x *XOF) absorbBlock(b *[Rate]byte) {
	for i := range Rate / 8 {
		x.lanes[i] ^= binary.LittleEndian.Uint64(b[8*i:])
	}
	permute(&x.lanes)
}

func (x *XOF) extractBlock(b *[Rate]byte) {
	for i := range Rate / 8 {
		binary.LittleEndian.PutUint64(b[8*i:], x.lanes[i])
	}
}
