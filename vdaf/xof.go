package vdaf

import (
	"encoding/binary"
	"fmt"

	"muster/vdaf/internal/field"
	"muster/vdaf/internal/turboshake"
)

// The usages that keep apart what is derived; VDAF-20 section 7.2.
const (
	usageMeasurementShare = 1 + iota
	usageProofShare
	usageJointRandomness
	usageProveRandomness
	usageQueryRandomness
	usageJointRandomnessSeed
	usageJointRandomnessPart
)

// xofDomain is the domain separation byte of XofTurboShake128; VDAF-20 section 6.2.1.
const xofDomain = 1

// A deriver derives randomness from seeds by XofTurboShake128, bound to one VDAF and one
// application context. It is not safe for concurrent use.
type deriver struct {
	xof turboshake.XOF
	// head is the length and the text of the domain separation tag, up to the seed: u16 length, u8
	// version, u8 class, u32 id, u16 usage, context, u8 length of the seed.
	head  []byte
	bytes []byte
}

// maxContext is what the two-byte length of the domain separation tag leaves for the context.
const maxContext = 1<<16 - 1 - 8

func newDeriver(id ID, ctx []byte) (*deriver, error) {
	if len(ctx) > maxContext {
		return nil, fmt.Errorf("vdaf: an application context of %d bytes; at most %d are allowed", len(ctx), maxContext)
	}
	head := make([]byte, 0, 11+len(ctx))
	head = binary.LittleEndian.AppendUint16(head, uint16(8+len(ctx)))
	head = append(head, Version, 0)
	head = binary.BigEndian.AppendUint32(head, uint32(id))
	head = append(head, 0, 0)
	head = append(head, ctx...)
	head = append(head, SeedSize)
	return &deriver{head: head}, nil
}

// absorb starts a derivation from a seed of SeedSize bytes and a binder in up to three parts.
func (d *deriver) absorb(usage byte, seed, binder1, binder2, binder3 []byte) {
	d.head[9] = usage
	d.xof.Reset()
	d.xof.Absorb(d.head)
	d.xof.Absorb(seed)
	d.xof.Absorb(binder1)
	d.xof.Absorb(binder2)
	d.xof.Absorb(binder3)
	d.xof.Pad(xofDomain)
}

// seed fills dst with what was derived.
func (d *deriver) seed(dst *[SeedSize]byte) { d.xof.Squeeze(dst[:]) }

// squeezeVec fills dst with the elements derived and returns their encoding, which is valid until
// the next derivation. Candidates that are not below the modulus are passed over; VDAF-20 section
// 6.2. For Field128 that is one in 2**59, and for Field64 one in 2**32.
func squeezeVec[E any](d *deriver, f field.Field[E], dst []E) []byte {
	n := len(dst) * f.Size()
	if cap(d.bytes) < n {
		d.bytes = make([]byte, n)
	}
	b := d.bytes[:n]
	d.xof.Squeeze(b)
	if f.Decode(dst, b) {
		return b
	}
	return sampleVec(f, dst, b, d.xof.Squeeze)
}

// sampleVec does what squeezeVec does for a stream of bytes, the first of which are in b, one
// element after the other.
func sampleVec[E any](f field.Field[E], dst []E, b []byte, squeeze func([]byte)) []byte {
	size := f.Size()
	next := b
	candidate := make([]byte, size)
	for i := 0; i < len(dst); {
		if len(next) > 0 {
			copy(candidate, next[:size])
			next = next[size:]
		} else {
			squeeze(candidate)
		}
		if f.Decode(dst[i:i+1], candidate) {
			i++
		}
	}
	return f.Append(b[:0], dst)
}
