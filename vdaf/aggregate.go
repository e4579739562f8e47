package vdaf

import (
	"errors"
	"fmt"
)

// An Aggregate is one aggregator's share of the sum of the reports that it verified. It is not safe
// for concurrent use; goroutines keep their own and merge them.
type Aggregate struct {
	p *Prio3
	// sum is kept as it is encoded.
	sum []byte
}

// NewAggregate returns the aggregate of no reports.
func (p *Prio3) NewAggregate() *Aggregate {
	return &Aggregate{p, make([]byte, p.AggregateSize())}
}

// DecodeAggregate decodes an aggregate share. It is ErrDecode if b has the wrong length or an
// element that is not canonical.
func (p *Prio3) DecodeAggregate(b []byte) (*Aggregate, error) {
	if len(b) != p.AggregateSize() || !p.engine.canonical(b) {
		return nil, fmt.Errorf("aggregate share: %w", ErrDecode)
	}
	return &Aggregate{p, append([]byte(nil), b...)}, nil
}

// Add adds the output share of a verified report. It refuses any other state.
func (a *Aggregate) Add(s *State) error {
	if s.phase != phaseVerified {
		return errors.New("vdaf: only a verified report is aggregated")
	}
	if !a.p.same(s.p) {
		return errMixed
	}
	a.p.engine.add(a.sum, s.out)
	return nil
}

// Merge adds the reports of b.
func (a *Aggregate) Merge(b *Aggregate) error {
	if !a.p.same(b.p) {
		return errMixed
	}
	a.p.engine.add(a.sum, b.sum)
	return nil
}

var errMixed = errors.New("vdaf: the aggregate is of another VDAF or has other parameters")

// AppendBinary implements [encoding.BinaryAppender].
func (a *Aggregate) AppendBinary(b []byte) ([]byte, error) { return append(b, a.sum...), nil }

// MarshalBinary implements [encoding.BinaryMarshaler].
func (a *Aggregate) MarshalBinary() ([]byte, error) { return a.AppendBinary(nil) }

// Unshard adds up the aggregates of all aggregators and returns the cells of the result. measurements
// is the number of reports. A cell larger than so many reports can make it, as a false aggregate
// leaves behind, is an error.
func (p *Prio3) Unshard(shares []*Aggregate, measurements uint64) ([]uint64, error) {
	if len(shares) != int(p.shares) {
		return nil, fmt.Errorf("vdaf: %d aggregates of %d", len(shares), p.shares)
	}
	total := p.NewAggregate()
	for _, share := range shares {
		if err := total.Merge(share); err != nil {
			return nil, err
		}
	}
	cells := make([]uint64, p.OutputLen())
	if i := p.engine.integers(cells, total.sum); i >= 0 {
		return nil, fmt.Errorf("vdaf: cell %d of the result does not fit 64 bits", i)
	}
	for i, n := range cells {
		// n > measurements*largest, without the overflow.
		if n/p.largest > measurements || n/p.largest == measurements && n%p.largest > 0 {
			return nil, fmt.Errorf("vdaf: cell %d of the result is %d, more than %d reports can make it", i, n, measurements)
		}
	}
	return cells, nil
}
