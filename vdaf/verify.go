package vdaf

import (
	"crypto/subtle"
	"errors"
	"fmt"
)

// A Verifier verifies reports on behalf of one aggregator, under one verification key and
// application context. It owns the memory that it works in and allocates nothing for a report. One
// goroutine may use it at a time; to verify in parallel, give each goroutine its own.
type Verifier struct {
	p          *Prio3
	aggregator uint8
	engine     verifyEngine
	// share is room for the Helper's own verifier share, and pair holds it and the Leader's.
	share []byte
	pair  [2][]byte
}

// verifyEngine is the part of a Verifier that knows its field.
type verifyEngine interface {
	// init appends the verifier share to dst, and fills out with the output share and seed with the
	// joint randomness seed.
	init(nonce *[NonceSize]byte, publicShare, inputShare, dst, out []byte, seed *[SeedSize]byte) ([]byte, error)
	combineEngine
}

// combineEngine appends the verifier message for all verifier shares to dst.
type combineEngine interface {
	combine(dst []byte, shares [][]byte) ([]byte, error)
}

// NewVerifier returns a Verifier for an aggregator. Aggregator 0 is the Leader. The key is shared by
// the aggregators and unknown to clients.
func (p *Prio3) NewVerifier(verifyKey *[VerifyKeySize]byte, ctx []byte, aggregator uint8) (*Verifier, error) {
	if aggregator >= p.shares {
		return nil, fmt.Errorf("vdaf: aggregator %d of %d", aggregator, p.shares)
	}
	d, err := newDeriver(p.id, ctx)
	if err != nil {
		return nil, err
	}
	return &Verifier{
		p:          p,
		aggregator: aggregator,
		engine:     p.engine.newVerifier(p, d, verifyKey, aggregator),
		share:      make([]byte, 0, p.VerifierShareSize()),
	}, nil
}

// State is what an aggregator keeps of a report while it is verified: its output share, and the
// joint randomness seed that the verifier message must confirm. The zero value is ready for
// [Verifier.Init], and a State can be used again for another report.
type State struct {
	p     *Prio3
	phase phase
	out   []byte
	seed  [SeedSize]byte
}

// phase is how far a report has come.
type phase uint8

const (
	phaseNone     phase = iota // no report, or one that failed
	phaseWaiting               // for the verifier message
	phaseVerified              // the output share may be aggregated
)

// Init begins the verification of a report and appends this aggregator's verifier share to dst;
// VDAF-20 section 7.2.2, verify_init. A share that does not decode is ErrDecode. On error s holds
// no report.
func (v *Verifier) Init(s *State, nonce *[NonceSize]byte, publicShare, inputShare, dst []byte) ([]byte, error) {
	s.p, s.phase = v.p, phaseNone
	if len(publicShare) != v.p.PublicShareSize() {
		return nil, fmt.Errorf("public share of %d bytes, want %d: %w", len(publicShare), v.p.PublicShareSize(), ErrDecode)
	}
	if want := v.p.InputShareSize(v.aggregator); len(inputShare) != want {
		return nil, fmt.Errorf("input share of %d bytes, want %d: %w", len(inputShare), want, ErrDecode)
	}
	if n := v.p.AggregateSize(); cap(s.out) < n {
		s.out = make([]byte, n)
	} else {
		s.out = s.out[:n]
	}
	dst, err := v.engine.init(nonce, publicShare, inputShare, dst, s.out, &s.seed)
	if err != nil {
		return nil, err
	}
	s.phase = phaseWaiting
	return dst, nil
}

// VerifierSharesToMessage combines the verifier shares of all aggregators, in order, into the
// verifier message that each of them passes to [State.Next]; VDAF-20 section 7.2.2. It is ErrVerify
// if the proof does not hold, and ErrDecode if a share does not decode.
func (p *Prio3) VerifierSharesToMessage(ctx []byte, shares [][]byte) (message []byte, err error) {
	d, err := newDeriver(p.id, ctx)
	if err != nil {
		return nil, err
	}
	return p.engine.newCombiner(p, d).combine(nil, shares)
}

// Next ends the verification of a report: the joint randomness that this aggregator used must be
// that of the message; VDAF-20 section 7.2.2, verify_next. It is ErrVerify if it is not, and then s
// holds no report.
func (s *State) Next(message []byte) error {
	if s.phase != phaseWaiting {
		return errors.New("vdaf: no report waits for a verifier message")
	}
	s.phase = phaseNone
	n := s.p.VerifierMessageSize()
	if len(message) != n {
		return fmt.Errorf("verifier message of %d bytes, want %d: %w", len(message), n, ErrDecode)
	}
	if subtle.ConstantTimeCompare(message, s.seed[:n]) != 1 {
		return ErrVerify
	}
	s.phase = phaseVerified
	return nil
}

// combiner combines verifier shares over one field.
type combiner[E any] struct {
	p         *Prio3
	scheme    *scheme[E]
	d         *deriver
	sum, term []E
	parts     []byte
}

func (s *scheme[E]) newCombiner(p *Prio3, d *deriver) combineEngine {
	c := s.combiner(p, d)
	return &c
}

func (s *scheme[E]) combiner(p *Prio3, d *deriver) combiner[E] {
	n := int(p.proofs) * s.flp.verifier()
	return combiner[E]{p, s, d, make([]E, n), make([]E, n), make([]byte, 0, p.PublicShareSize())}
}

func (c *combiner[E]) combine(dst []byte, shares [][]byte) ([]byte, error) {
	if len(shares) != int(c.p.shares) {
		return nil, fmt.Errorf("vdaf: %d verifier shares of %d", len(shares), c.p.shares)
	}
	f := c.scheme.f
	clear(c.sum)
	c.parts = c.parts[:0]
	for j, share := range shares {
		if len(share) != c.p.VerifierShareSize() {
			return nil, fmt.Errorf("verifier share %d of %d bytes, want %d: %w", j, len(share), c.p.VerifierShareSize(), ErrDecode)
		}
		n := len(c.term) * f.Size()
		if !f.Decode(c.term, share[:n]) {
			return nil, fmt.Errorf("verifier share %d: %w", j, ErrDecode)
		}
		for i := range c.sum {
			c.sum[i] = f.Add(c.sum[i], c.term[i])
		}
		c.parts = append(c.parts, share[n:]...)
	}
	flp := c.scheme.flp
	for i := range int(c.p.proofs) {
		if !flp.decide(part(c.sum, i, flp.verifier())) {
			return nil, ErrVerify
		}
	}
	if flp.joint == 0 {
		return dst, nil
	}
	var seed [SeedSize]byte
	c.d.jointSeed(&seed, c.parts)
	return append(dst, seed[:]...), nil
}

// verification is the engine of a Verifier over one field.
type verification[E any] struct {
	combiner[E]
	key        [VerifyKeySize]byte
	aggregator uint8
	one        E // this aggregator's share of 1

	measurement, proofs, joint, rand, verifier, out []E
	publicShare                                     []byte
	query                                           queryScratch[E]
}

func (s *scheme[E]) newVerifier(p *Prio3, d *deriver, key *[VerifyKeySize]byte, aggregator uint8) verifyEngine {
	f, proofs := s.f, int(p.proofs)
	return &verification[E]{
		combiner:    s.combiner(p, d),
		key:         *key,
		aggregator:  aggregator,
		one:         f.Mul(f.From(1), f.Inverse(f.Weight(f.From(uint64(p.shares))))),
		measurement: make([]E, s.flp.measurement),
		proofs:      make([]E, proofs*s.flp.proof()),
		joint:       make([]E, proofs*s.flp.joint),
		rand:        make([]E, proofs*s.flp.queryRand()),
		verifier:    make([]E, proofs*s.flp.verifier()),
		out:         make([]E, s.flp.output),
		publicShare: make([]byte, 0, p.PublicShareSize()),
		query:       s.flp.newQueryScratch(),
	}
}

func (v *verification[E]) init(nonce *[NonceSize]byte, publicShare, inputShare, dst, out []byte, seed *[SeedSize]byte) ([]byte, error) {
	f, flp, d := v.scheme.f, v.scheme.flp, v.d
	encoded, blind, err := v.expand(inputShare)
	if err != nil {
		return nil, err
	}
	f.Append(out[:0], flp.circuit.truncate(v.out, v.measurement))

	if flp.joint > 0 {
		// The aggregator trusts no one else for its own part of the joint randomness.
		v.publicShare = append(v.publicShare[:0], publicShare...)
		own := (*[SeedSize]byte)(v.publicShare[SeedSize*int(v.aggregator):])
		d.absorb(usageJointRandomnessPart, blind, []byte{v.aggregator}, nonce[:], encoded)
		d.seed(own)
		d.jointSeed(seed, v.publicShare)
		jointVec(d, f, v.joint, seed, v.p.proofs)
	}
	d.absorb(usageQueryRandomness, v.key[:], []byte{v.p.proofs}, nonce[:], nil)
	squeezeVec(d, f, v.rand)

	for i := range int(v.p.proofs) {
		if !flp.query(part(v.verifier, i, flp.verifier()), v.measurement, part(v.proofs, i, flp.proof()),
			part(v.rand, i, flp.queryRand()), part(v.joint, i, flp.joint), v.one, &v.query) {
			return nil, ErrVerify
		}
	}
	dst = f.Append(dst, v.verifier)
	if flp.joint > 0 {
		dst = append(dst, v.publicShare[SeedSize*int(v.aggregator):][:SeedSize]...)
	}
	return dst, nil
}

// expand fills the measurement and proof shares from an input share, and returns the encoding of
// the measurement share, valid until the next derivation, and the blind.
func (v *verification[E]) expand(inputShare []byte) (encoded, blind []byte, err error) {
	f, d := v.scheme.f, v.d
	if v.aggregator > 0 {
		seed := inputShare[:SeedSize]
		d.absorb(usageProofShare, seed, []byte{v.p.proofs, v.aggregator}, nil, nil)
		squeezeVec(d, f, v.proofs)
		d.absorb(usageMeasurementShare, seed, []byte{v.aggregator}, nil, nil)
		return squeezeVec(d, f, v.measurement), inputShare[SeedSize:], nil
	}
	n := len(v.measurement) * f.Size()
	encoded, rest := inputShare[:n], inputShare[n:]
	n = len(v.proofs) * f.Size()
	if !f.Decode(v.measurement, encoded) || !f.Decode(v.proofs, rest[:n]) {
		return nil, nil, fmt.Errorf("input share: %w", ErrDecode)
	}
	return encoded, rest[n:], nil
}
