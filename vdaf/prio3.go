package vdaf

import (
	"bytes"
	"errors"
	"fmt"

	"muster/vdaf/internal/field"
)

// Version is the version byte of the wire format, which draft -18 introduced and -20 still uses.
const Version = 18

// Sizes in bytes.
const (
	SeedSize      = 32
	NonceSize     = 16
	VerifyKeySize = 32
)

// Errors that callers tell apart. All others are mistakes of the caller.
var (
	// ErrVerify is a report that decodes and is not valid: its proof or its joint randomness does
	// not hold.
	ErrVerify = errors.New("vdaf: the report is not valid")
	// ErrDecode is a message of the wrong length or with a field element that is not canonical.
	ErrDecode = errors.New("vdaf: malformed message")
)

// ID is the code point of a VDAF; VDAF-20 section 10.
type ID uint32

// The VDAFs of this package. IDOneHotBlocks is ours, from the range for private use;
// IDSumVecWithMultiproof is that of the reference implementation, which is experimental.
const (
	IDCount                ID = 0x00000001
	IDSum                  ID = 0x00000002
	IDSumVec               ID = 0x00000003
	IDHistogram            ID = 0x00000004
	IDMultihotCountVec     ID = 0x00000005
	IDOneHotBlocks         ID = 0xFFFF0001
	IDSumVecWithMultiproof ID = 0xFFFFFFFF
)

// Prio3 is one VDAF with its parameters. It is immutable and safe for concurrent use.
type Prio3 struct {
	id     ID
	shares uint8
	proofs uint8
	size   flpSize
	// element is the size of a field element in bytes.
	element int
	config  []byte
	// largest is the largest value that one measurement adds to a cell of the result.
	largest uint64
	engine  engine
}

// engine is the part of a Prio3 that knows its field.
type engine interface {
	shard(p *Prio3, d *deriver, measurement []uint64, nonce *[NonceSize]byte, rand []byte) (publicShare []byte, inputShares [][]byte, err error)
	newVerifier(p *Prio3, d *deriver, key *[VerifyKeySize]byte, aggregator uint8) verifyEngine
	newCombiner(p *Prio3, d *deriver) combineEngine
	// canonical reports whether b encodes field elements.
	canonical(b []byte) bool
	// add adds the elements encoded in src to those in dst.
	add(dst, src []byte)
	// integers decodes b into dst and returns the first index that does not fit, or -1.
	integers(dst []uint64, b []byte) int
}

// ID returns the code point of the VDAF.
func (p *Prio3) ID() ID { return p.id }

// Shares returns the number of aggregators.
func (p *Prio3) Shares() uint8 { return p.shares }

// RandSize returns the number of random bytes that Shard consumes.
func (p *Prio3) RandSize() int {
	if p.size.joint > 0 {
		return 2 * SeedSize * int(p.shares)
	}
	return SeedSize * int(p.shares)
}

// OutputLen returns the number of cells of the result.
func (p *Prio3) OutputLen() int { return p.size.output }

// PublicShareSize returns the length of a public share in bytes.
func (p *Prio3) PublicShareSize() int {
	if p.size.joint > 0 {
		return SeedSize * int(p.shares)
	}
	return 0
}

// InputShareSize returns the length of an aggregator's input share in bytes. Aggregator 0 is the
// Leader.
func (p *Prio3) InputShareSize(aggregator uint8) int {
	n := SeedSize
	if aggregator == 0 {
		n = p.element * (p.size.measurement + int(p.proofs)*p.size.proof())
	}
	return n + p.seedSize()
}

// VerifierShareSize returns the length of a verifier share in bytes.
func (p *Prio3) VerifierShareSize() int {
	return p.element*int(p.proofs)*p.size.verifier() + p.seedSize()
}

// VerifierMessageSize returns the length of a verifier message in bytes.
func (p *Prio3) VerifierMessageSize() int { return p.seedSize() }

// AggregateSize returns the length of an encoded aggregate, and of an output share, in bytes.
func (p *Prio3) AggregateSize() int { return p.element * p.size.output }

// seedSize is what joint randomness adds to a message.
func (p *Prio3) seedSize() int {
	if p.size.joint > 0 {
		return SeedSize
	}
	return 0
}

// Config returns the VDAF configuration that FromConfig decodes.
func (p *Prio3) Config() []byte { return bytes.Clone(p.config) }

// same reports whether p and q are the same VDAF with the same parameters.
func (p *Prio3) same(q *Prio3) bool {
	return p == q || p != nil && q != nil && p.id == q.id && p.shares == q.shares && bytes.Equal(p.config, q.config)
}

// Shard splits a measurement into one input share for each aggregator and a public share for all;
// VDAF-20 section 7.2.1. The nonce must not repeat under one verification key, and rand is RandSize
// fresh random bytes, or the shares reveal the measurement. The measurement is
//
//	Count              {0} or {1}
//	Sum                {n}
//	SumVec             the numbers
//	Histogram          {index}
//	MultihotCountVec   the bits, each 0 or 1
//	OneHotBlocks       the index of the bit that is set, for each block
func (p *Prio3) Shard(ctx []byte, measurement []uint64, nonce *[NonceSize]byte, rand []byte) (publicShare []byte, inputShares [][]byte, err error) {
	if len(rand) != p.RandSize() {
		return nil, nil, fmt.Errorf("vdaf: %d random bytes; Shard takes %d", len(rand), p.RandSize())
	}
	d, err := newDeriver(p.id, ctx)
	if err != nil {
		return nil, nil, err
	}
	return p.engine.shard(p, d, measurement, nonce, rand)
}

// scheme is the engine for one field.
type scheme[E any] struct {
	flp *flp[E]
	f   field.Field[E]
}

func (s *scheme[E]) shard(p *Prio3, d *deriver, measurement []uint64, nonce *[NonceSize]byte, rand []byte) ([]byte, [][]byte, error) {
	encoded := make([]E, s.flp.measurement)
	if err := s.flp.circuit.encode(encoded, measurement); err != nil {
		return nil, nil, err
	}
	public, inputs := s.shardEncoded(p, d, encoded, nonce, rand)
	return public, inputs, nil
}

// shardEncoded shards an encoded measurement, valid or not.
func (s *scheme[E]) shardEncoded(p *Prio3, d *deriver, measurement []E, nonce *[NonceSize]byte, rand []byte) ([]byte, [][]byte) {
	next := func() []byte {
		seed := rand[:SeedSize]
		rand = rand[SeedSize:]
		return seed
	}
	withJoint := s.flp.joint > 0

	var public []byte
	parts := make([][SeedSize]byte, p.shares)
	inputs := make([][]byte, p.shares)
	leader := append([]E(nil), measurement...)
	helper := make([]E, len(measurement))
	for j := 1; j < int(p.shares); j++ {
		seed := next()
		inputs[j] = append(inputs[j], seed...)
		d.absorb(usageMeasurementShare, seed, []byte{byte(j)}, nil, nil)
		encoded := squeezeVec(d, s.f, helper)
		s.f.SubVec(leader, helper)
		if withJoint {
			blind := next()
			inputs[j] = append(inputs[j], blind...)
			d.absorb(usageJointRandomnessPart, blind, []byte{byte(j)}, nonce[:], encoded)
			d.seed(&parts[j])
		}
	}
	inputs[0] = s.f.Append(make([]byte, 0, p.InputShareSize(0)), leader)

	joint := make([]E, s.flp.joint*int(p.proofs))
	var blind []byte
	if withJoint {
		blind = next()
		d.absorb(usageJointRandomnessPart, blind, []byte{0}, nonce[:], inputs[0])
		d.seed(&parts[0])
		for j := range parts {
			public = append(public, parts[j][:]...)
		}
		var seed [SeedSize]byte
		d.jointSeed(&seed, public)
		jointVec(d, s.f, joint, &seed, p.proofs)
	}

	proveRand := make([]E, s.flp.proveRand()*int(p.proofs))
	d.absorb(usageProveRandomness, next(), []byte{p.proofs}, nil, nil)
	squeezeVec(d, s.f, proveRand)
	proofs := make([]E, s.flp.proof()*int(p.proofs))
	for i := range int(p.proofs) {
		s.flp.prove(part(proofs, i, s.flp.proof()), measurement,
			part(proveRand, i, s.flp.proveRand()), part(joint, i, s.flp.joint))
	}
	helper = make([]E, len(proofs))
	for j := 1; j < int(p.shares); j++ {
		d.absorb(usageProofShare, inputs[j][:SeedSize], []byte{p.proofs, byte(j)}, nil, nil)
		squeezeVec(d, s.f, helper)
		s.f.SubVec(proofs, helper)
	}
	inputs[0] = append(s.f.Append(inputs[0], proofs), blind...)
	return public, inputs
}

// part returns the i-th part of length n of x.
func part[E any](x []E, i, n int) []E { return x[i*n : (i+1)*n] }

// jointSeed derives the joint randomness seed from the parts of all aggregators.
func (d *deriver) jointSeed(dst *[SeedSize]byte, parts []byte) {
	var zero [SeedSize]byte
	d.absorb(usageJointRandomnessSeed, zero[:], parts, nil, nil)
	d.seed(dst)
}

// jointVec fills dst with the joint randomness, as weights.
func jointVec[E any](d *deriver, f field.Field[E], dst []E, seed *[SeedSize]byte, proofs uint8) {
	d.absorb(usageJointRandomness, seed[:], []byte{proofs}, nil, nil)
	squeezeVec(d, f, dst)
	f.Weigh(dst)
}

func (s *scheme[E]) canonical(b []byte) bool {
	return s.f.Decode(make([]E, len(b)/s.f.Size()), b)
}

func (s *scheme[E]) add(dst, src []byte) { s.f.AddEncoded(dst, src) }

func (s *scheme[E]) integers(dst []uint64, b []byte) int {
	x := make([]E, len(dst))
	s.f.Decode(x, b)
	for i := range x {
		n, ok := s.f.Uint64(x[i])
		if !ok {
			return i
		}
		dst[i] = n
	}
	return -1
}
