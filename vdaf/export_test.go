package vdaf

import "muster/vdaf/internal/field"

// NewSumVecWithMultiproof128 is SumVecWithMultiproof over Field128, and NewSumVecWithMultiproof64
// with any number of proofs: the reference implementation has both.
func NewSumVecWithMultiproof128(shares uint8, length uint32, largest uint64, chunk uint32, proofs uint8) (*Prio3, error) {
	p := &Prio3{id: IDSumVecWithMultiproof, shares: shares, proofs: proofs, largest: largest}
	return buildSumVec(p, field.Field128{}, length, chunk)
}

func NewSumVecWithMultiproof64(shares uint8, length uint32, largest uint64, chunk uint32, proofs uint8) (*Prio3, error) {
	p := &Prio3{id: IDSumVecWithMultiproof, shares: shares, proofs: proofs, largest: largest}
	return buildSumVec(p, field.Field64{}, length, chunk)
}

// OutputShare returns the output share of a verified state.
func (s *State) OutputShare() []byte { return s.out }

// ShardEncoded shards an encoded measurement over Field128, which may be anything but valid.
func (p *Prio3) ShardEncoded(ctx, encoded []byte, nonce *[NonceSize]byte, rand []byte) (publicShare []byte, inputShares [][]byte, err error) {
	s := p.engine.(*scheme[field.Element128])
	measurement := make([]field.Element128, len(encoded)/field.Size128)
	if len(measurement) != p.size.measurement || !s.f.Decode(measurement, encoded) {
		return nil, nil, ErrDecode
	}
	d, err := newDeriver(p.id, ctx)
	if err != nil {
		return nil, nil, err
	}
	publicShare, inputShares = s.shardEncoded(p, d, measurement, nonce, rand)
	return publicShare, inputShares, nil
}

// SampleVec64 samples elements of Field64 from a stream, of which the first bytes are in b.
func SampleVec64(n int, b []byte, squeeze func([]byte)) []byte {
	return sampleVec(field.Field64{}, make([]field.Element64, n), b, squeeze)
}

// ReencodePingPong parses a message and encodes what was parsed.
func ReencodePingPong(b []byte, messageType byte) ([]byte, error) {
	payload, err := parsePingPong(b, messageType)
	if err != nil {
		return nil, err
	}
	return append(appendPingPong(nil, messageType, len(payload)), payload...), nil
}

// QueryAt queries a proof of zeros with the test point t, and reports whether the point was taken.
func (p *Prio3) QueryAt(t uint64) bool {
	s := p.engine.(*scheme[field.Element128])
	n, scratch := s.flp.flpSize, s.flp.newQueryScratch()
	rand := make([]field.Element128, n.queryRand())
	rand[len(rand)-1] = s.f.From(t)
	vec := func(n int) []field.Element128 { return make([]field.Element128, n) }
	return s.flp.query(vec(n.verifier()), vec(n.measurement), vec(n.proof()), rand, vec(n.joint), s.f.From(1), &scratch)
}
