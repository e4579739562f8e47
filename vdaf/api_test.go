package vdaf_test

import (
	"bytes"
	"encoding"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/vdaf"
)

var (
	_ encoding.BinaryMarshaler = (*vdaf.Aggregate)(nil)
	_ encoding.BinaryAppender  = (*vdaf.Aggregate)(nil)
)

func TestParametersRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func() (*vdaf.Prio3, error)
	}{
		{"no share", func() (*vdaf.Prio3, error) { return vdaf.NewCount(0) }},
		{"one share", func() (*vdaf.Prio3, error) { return vdaf.NewCount(1) }},
		{"sum up to nothing", func() (*vdaf.Prio3, error) { return vdaf.NewSum(2, 0) }},
		{"sum beyond the field", func() (*vdaf.Prio3, error) { return vdaf.NewSum(2, 1<<63) }},
		{"vector of nothing", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, 0, 1, 1) }},
		{"vector up to nothing", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, 1, 0, 1) }},
		{"vector too long", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, vdaf.MaxLength+1, 1, 100) }},
		{"vector of too many bits", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, vdaf.MaxLength, 1<<60, 100) }},
		{"no chunk", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, 1, 1, 0) }},
		{"chunk too long", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, 1, 1, vdaf.MaxLength+1) }},
		{"chunks that make the proof too long", func() (*vdaf.Prio3, error) { return vdaf.NewSumVec(2, vdaf.MaxLength, 1, 1) }},
		{"two proofs over Field64", func() (*vdaf.Prio3, error) { return vdaf.NewSumVecWithMultiproof(2, 1, 1, 1, 2) }},
		{"proofs beyond the field", func() (*vdaf.Prio3, error) { return vdaf.NewSumVecWithMultiproof(2, 1, 1<<63, 1, 3) }},
		{"histogram of nothing", func() (*vdaf.Prio3, error) { return vdaf.NewHistogram(2, 0, 1) }},
		{"histogram with the longest length there is", func() (*vdaf.Prio3, error) { return vdaf.NewHistogram(2, 1<<32-1, 1<<32-1) }},
		{"weight of nothing", func() (*vdaf.Prio3, error) { return vdaf.NewMultihotCountVec(2, 3, 0, 1) }},
		{"weight above the length", func() (*vdaf.Prio3, error) { return vdaf.NewMultihotCountVec(2, 3, 4, 1) }},
		{"no blocks", func() (*vdaf.Prio3, error) { return vdaf.NewOneHotBlocks(2, nil, 1) }},
		{"an empty block", func() (*vdaf.Prio3, error) { return vdaf.NewOneHotBlocks(2, []uint16{3, 0}, 1) }},
		{"too many blocks", func() (*vdaf.Prio3, error) {
			return vdaf.NewOneHotBlocks(2, equalBlocks(vdaf.MaxBlocks+1, 1), 100)
		}},
		{"too many bits", func() (*vdaf.Prio3, error) {
			return vdaf.NewOneHotBlocks(2, equalBlocks(4, 1<<16-1), 100)
		}},
	} {
		if p, err := tt.make(); err == nil {
			t.Errorf("%s: accepted, with a share of %d bytes", tt.name, p.InputShareSize(0))
		}
	}
	// The limits themselves are allowed.
	must(vdaf.NewOneHotBlocks(2, equalBlocks(vdaf.MaxBlocks, 4), 100))
	must(vdaf.NewHistogram(255, vdaf.MaxLength, vdaf.ChunkLength(vdaf.MaxLength)))
	must(vdaf.NewSum(2, 1<<63-1))
}

func TestMeasurementsRefused(t *testing.T) {
	t.Parallel()
	blocks := must(vdaf.NewOneHotBlocks(2, []uint16{3, 2}, 2))
	multihot := must(vdaf.NewMultihotCountVec(2, 3, 2, 2))
	vec := must(vdaf.NewSumVec(2, 2, 5, 2))
	histogram := must(vdaf.NewHistogram(2, 4, 2))
	sum := must(vdaf.NewSum(2, 5))
	count := must(vdaf.NewCount(2))
	for _, tt := range []struct {
		name        string
		p           *vdaf.Prio3
		measurement []uint64
	}{
		{"a block too few", blocks, []uint64{1}},
		{"a block too many", blocks, []uint64{1, 1, 1}},
		{"an index outside its block", blocks, []uint64{1, 2}},
		{"an index far outside", blocks, []uint64{1<<64 - 1, 1}},
		{"too many bits set", multihot, []uint64{1, 1, 1}},
		{"a 2", multihot, []uint64{2, 0, 0}},
		{"a bit too few", multihot, []uint64{1, 0}},
		{"a number too large", vec, []uint64{5, 6}},
		{"a number too few", vec, []uint64{5}},
		{"a bucket that is not there", histogram, []uint64{4}},
		{"two buckets", histogram, []uint64{1, 1}},
		{"a sum too large", sum, []uint64{6}},
		{"no sum", sum, nil},
		{"a count of two", count, []uint64{2}},
	} {
		nonce := [16]byte{}
		if _, _, err := tt.p.Shard(nil, tt.measurement, &nonce, randomBytes(tt.p.RandSize())); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
	nonce := [16]byte{}
	for _, n := range []int{0, blocks.RandSize() - 1, blocks.RandSize() + 1} {
		if _, _, err := blocks.Shard(nil, []uint64{0, 0}, &nonce, make([]byte, n)); err == nil {
			t.Errorf("%d random bytes accepted", n)
		}
	}
	if _, _, err := blocks.Shard(make([]byte, 1<<16), []uint64{0, 0}, &nonce, randomBytes(blocks.RandSize())); err == nil {
		t.Errorf("a context of 64 KiB accepted")
	}
}

// Messages of every wrong length, and elements that are not canonical, are ErrDecode.
func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{3, 2}, 2))
	r, q := newReport(t, p, []uint64{2, 1}), newPair(t, p, new([32]byte))
	var s vdaf.State
	initialize := must(q.leader.LeaderInit(&s, &r.nonce, r.public, r.inputs[0], nil))
	finish := must(q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], initialize, nil))
	share := must(q.leader.Init(&s, &r.nonce, r.public, r.inputs[0], nil))
	aggregate := must(p.NewAggregate().MarshalBinary())

	// overflow sets the i-th field element to all ones.
	overflow := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		copy(b[16*i:], bytes.Repeat([]byte{0xff}, 16))
		return b
	}
	decode := map[string]struct {
		valid  []byte
		fields int // the number of field elements at the start
		run    func(b []byte) error
	}{
		"public share": {r.public, 0, func(b []byte) error {
			_, err := q.leader.Init(&s, &r.nonce, b, r.inputs[0], nil)
			return err
		}},
		"Leader's share": {r.inputs[0], (len(r.inputs[0]) - 32) / 16, func(b []byte) error {
			_, err := q.leader.Init(&s, &r.nonce, r.public, b, nil)
			return err
		}},
		"Helper's share": {r.inputs[1], 0, func(b []byte) error {
			_, err := q.helper.Init(&s, &r.nonce, r.public, b, nil)
			return err
		}},
		"verifier share": {share, (len(share) - 32) / 16, func(b []byte) error {
			_, err := p.VerifierSharesToMessage(benchContext, [][]byte{b, initialize[5:]})
			if errors.Is(err, vdaf.ErrVerify) {
				return nil // it did decode
			}
			return err
		}},
		"verifier message": {finish[5:], 0, func(b []byte) error {
			if _, err := q.leader.Init(&s, &r.nonce, r.public, r.inputs[0], nil); err != nil {
				return err
			}
			return s.Next(b)
		}},
		"initialize": {initialize, 0, func(b []byte) error {
			_, err := q.helper.HelperInit(&s, &r.nonce, r.public, r.inputs[1], b, nil)
			return err
		}},
		"finish": {finish, 0, func(b []byte) error {
			if _, err := q.leader.LeaderInit(&s, &r.nonce, r.public, r.inputs[0], nil); err != nil {
				return err
			}
			return q.leader.LeaderFinish(&s, b)
		}},
		"aggregate": {aggregate, len(aggregate) / 16, func(b []byte) error {
			_, err := p.DecodeAggregate(b)
			return err
		}},
	}
	for name, tt := range decode {
		if err := tt.run(tt.valid); err != nil {
			t.Errorf("%s: as it should be: %v", name, err)
		}
		for n := range len(tt.valid) {
			if err := tt.run(tt.valid[:n]); !errors.Is(err, vdaf.ErrDecode) {
				t.Fatalf("%s: cut to %d of %d bytes: %v", name, n, len(tt.valid), err)
			}
		}
		if err := tt.run(append(bytes.Clone(tt.valid), 0)); !errors.Is(err, vdaf.ErrDecode) {
			t.Errorf("%s: with a trailing byte: %v", name, err)
		}
		for i := range tt.fields {
			if err := tt.run(overflow(tt.valid, i)); !errors.Is(err, vdaf.ErrDecode) {
				t.Errorf("%s: element %d is 2**128-1: %v", name, i, err)
			}
		}
	}
}

// A state can be aggregated after it was verified and only then, and a failure leaves nothing behind.
func TestStates(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{3, 2}, 2))
	r, q := newReport(t, p, []uint64{2, 1}), newPair(t, p, new([32]byte))
	a := p.NewAggregate()
	refused := func(when string, s *vdaf.State) {
		t.Helper()
		if err := a.Add(s); err == nil {
			t.Errorf("%s: the state was aggregated", when)
		}
	}
	var s vdaf.State
	refused("before it held a report", &s)
	if err := s.Next(make([]byte, 32)); err == nil {
		t.Error("a state without a report took a message")
	}
	initialize := must(q.leader.LeaderInit(&s, &r.nonce, r.public, r.inputs[0], nil))
	refused("before the message", &s)
	if err := s.Next(make([]byte, 32)); !errors.Is(err, vdaf.ErrVerify) {
		t.Errorf("a wrong message: %v", err)
	}
	refused("after a wrong message", &s)
	finish := must(q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], initialize, nil))
	if err := q.leader.LeaderFinish(&s, finish); err == nil {
		t.Error("the right message after a wrong one was accepted")
	}
	if err := q.verify(r); err != nil {
		t.Fatal(err)
	}
	if err := a.Add(&q.leaderState); err != nil {
		t.Errorf("a verified state: %v", err)
	}
	if err := q.leader.LeaderFinish(&q.leaderState, finish); err == nil {
		t.Error("a state took two messages")
	}
	// The same states fail at every later step.
	if err := q.verify(r); err != nil {
		t.Fatal(err)
	}
	if _, err := q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, nil, nil); err == nil {
		t.Error("an empty share was accepted")
	}
	refused("after a report that does not decode", &q.leaderState)
	if _, err := q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], nil, nil); err == nil {
		t.Error("an empty message was accepted")
	}
	refused("after a message that does not decode", &q.helperState)
	nonce := r.nonce
	nonce[0] ^= 1
	if _, err := q.helper.HelperInit(&q.helperState, &nonce, r.public, r.inputs[1], initialize, nil); !errors.Is(err, vdaf.ErrVerify) {
		t.Errorf("another nonce: %v", err)
	}
	refused("after a report that is not valid", &q.helperState)

	// A message that does not decode ends the report, even if the right one comes after it.
	must(q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], nil))
	if err := q.leader.LeaderFinish(&q.leaderState, nil); !errors.Is(err, vdaf.ErrDecode) {
		t.Errorf("an empty message: %v", err)
	}
	if err := q.leader.LeaderFinish(&q.leaderState, finish); err == nil {
		t.Error("the right message after an empty one was accepted")
	}
}

// Count has no joint randomness and an empty message: what the Helper refused must not be let through
// by a message that anybody can guess.
func TestRefusedCountStaysRefused(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewCount(2))
	r, q := newReport(t, p, []uint64{1}), newPair(t, p, new([32]byte))
	r.inputs[1][0] ^= 1
	if err := q.verify(r); !errors.Is(err, vdaf.ErrVerify) {
		t.Fatalf("a changed share: %v", err)
	}
	if err := q.helperState.Next(nil); err == nil {
		t.Error("a report that was refused took a message")
	}
	if err := p.NewAggregate().Add(&q.helperState); err == nil {
		t.Error("a report that was refused was aggregated")
	}
}

func TestPingPongIsForTwo(t *testing.T) {
	t.Parallel()
	three := must(vdaf.NewHistogram(3, 4, 2))
	r, q := newReport(t, three, []uint64{1}), newPair(t, three, new([32]byte))
	if err := q.verify(r); err == nil {
		t.Error("ping-pong among three aggregators")
	}
	two := must(vdaf.NewHistogram(2, 4, 2))
	r, q = newReport(t, two, []uint64{1}), newPair(t, two, new([32]byte))
	if err := q.verify(r); err != nil {
		t.Fatal(err)
	}
	q.leader, q.helper = q.helper, q.leader
	if err := q.verify(r); err == nil {
		t.Error("the Helper acted as the Leader")
	}
	if err := two.NewAggregate().Add(&q.leaderState); err == nil {
		t.Error("a step that was refused left the report before it in the state")
	}
	if _, err := two.NewVerifier(new([32]byte), nil, 2); err == nil {
		t.Error("a third aggregator of two")
	}
}

func TestAggregatesDoNotMix(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{3, 2}, 2))
	other := must(vdaf.NewOneHotBlocks(2, []uint16{2, 3}, 2))
	again := must(vdaf.FromConfig(2, p.ID(), p.Config()))
	r, q := newReport(t, p, []uint64{2, 1}), newPair(t, p, new([32]byte))
	if err := q.verify(r); err != nil {
		t.Fatal(err)
	}
	if err := other.NewAggregate().Add(&q.leaderState); err == nil {
		t.Error("a report was added to an aggregate of other blocks")
	}
	if err := other.NewAggregate().Merge(p.NewAggregate()); err == nil {
		t.Error("aggregates of different blocks were merged")
	}
	leader, helper := again.NewAggregate(), p.NewAggregate()
	if err := errors.Join(leader.Add(&q.leaderState), helper.Add(&q.helperState)); err != nil {
		t.Errorf("the same parameters read again: %v", err)
	}
	if _, err := p.Unshard([]*vdaf.Aggregate{leader}, 1); err == nil {
		t.Error("one aggregate of two was enough")
	}
	if _, err := p.Unshard([]*vdaf.Aggregate{leader, other.NewAggregate()}, 1); err == nil {
		t.Error("aggregates of different blocks were unsharded")
	}
	if _, err := p.Unshard([]*vdaf.Aggregate{leader, p.NewAggregate()}, 1); err == nil {
		t.Error("a share of the result passed for the result")
	}
	if _, err := p.Unshard([]*vdaf.Aggregate{leader, helper}, 0); err == nil {
		t.Error("no report made a cell of 1")
	}
	got, err := p.Unshard([]*vdaf.Aggregate{leader, helper}, 1)
	if diff := cmp.Diff([]uint64{0, 0, 1, 0, 1}, got); err != nil || diff != "" {
		t.Errorf("error %v, result (-want +got):\n%s", err, diff)
	}
}

// One Prio3 serves any number of goroutines, each with its own Verifiers and Aggregates.
func TestParallel(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, productLayout(4, 1), 9))
	key := [32]byte(randomBytes(32))
	const workers, reports = 8, 20
	aggregates := [2][]*vdaf.Aggregate{make([]*vdaf.Aggregate, workers), make([]*vdaf.Aggregate, workers)}
	var group sync.WaitGroup
	for w := range workers {
		aggregates[0][w], aggregates[1][w] = p.NewAggregate(), p.NewAggregate()
		group.Go(func() {
			q := newPair(t, p, &key)
			for range reports {
				r := newReport(t, p, make([]uint64, len(productLayout(4, 1))))
				err := errors.Join(q.verify(r), aggregates[0][w].Add(&q.leaderState), aggregates[1][w].Add(&q.helperState))
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	shares := []*vdaf.Aggregate{p.NewAggregate(), p.NewAggregate()}
	for j := range shares {
		for _, a := range aggregates[j] {
			if err := shares[j].Merge(a); err != nil {
				t.Fatal(err)
			}
		}
	}
	cells := must(p.Unshard(shares, workers*reports))
	for _, size := range productLayout(4, 1) {
		if cells[0] != workers*reports {
			t.Errorf("a first bucket holds %d of %d reports", cells[0], workers*reports)
		}
		cells = cells[size:]
	}
}

// Verification allocates nothing for a report, whatever its length.
func TestVerifyAllocatesNothing(t *testing.T) {
	for _, tt := range []struct {
		name        string
		p           *vdaf.Prio3
		measurement []uint64
	}{
		{"Count", must(vdaf.NewCount(2)), []uint64{1}},
		{"Sum", must(vdaf.NewSum(2, 1000)), []uint64{77}},
		{"SumVec", must(vdaf.NewSumVec(2, 50, 3, 10)), make([]uint64, 50)},
		{"MultihotCountVec", must(vdaf.NewMultihotCountVec(2, 50, 3, 10)), make([]uint64, 50)},
		{"OneHotBlocks", must(vdaf.NewOneHotBlocks(2, equalBlocks(106, 5), 18)), make([]uint64, 106)},
	} {
		r, q := newReport(t, tt.p, tt.measurement), newPair(t, tt.p, new([32]byte))
		a := tt.p.NewAggregate()
		allocs := testing.AllocsPerRun(20, func() {
			if err := errors.Join(q.verify(r), a.Add(&q.leaderState)); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for a report", tt.name, allocs)
		}
	}
}

// The chunk length chosen has the shortest proof of all.
func TestChunkLength(t *testing.T) {
	t.Parallel()
	for _, n := range []uint32{1, 2, 3, 4, 5, 15, 16, 17, 30, 100, 530, 1110} {
		shortest := must(vdaf.NewHistogram(2, n, 1)).InputShareSize(0)
		for chunk := uint32(2); chunk <= n; chunk++ {
			shortest = min(shortest, must(vdaf.NewHistogram(2, n, chunk)).InputShareSize(0))
		}
		chunk := vdaf.ChunkLength(int(n))
		if got := must(vdaf.NewHistogram(2, n, chunk)).InputShareSize(0); got != shortest {
			t.Errorf("%d elements: a share of %d bytes with chunks of %d; %d are possible", n, got, chunk, shortest)
		}
	}
	if got := vdaf.ChunkLength(530); got != 18 {
		t.Errorf("106 blocks of 5: chunks of %d, want 18", got)
	}
}

// A test point at which the wires are read would give them away, so it is refused.
func TestPointOfTheDomain(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{5, 3}, 3))
	if p.QueryAt(1) {
		t.Error("1 is a root of unity and was taken as the test point")
	}
	if !p.QueryAt(2) {
		t.Error("2 is no root of unity of small order and was refused")
	}
}

// Candidates that are not below the modulus are passed over, at the start, in the middle and where
// the bytes drawn at first no longer suffice.
func TestSampling(t *testing.T) {
	t.Parallel()
	element := func(n byte) []byte { return []byte{n, 0, 0, 0, 0, 0, 0, 0} }
	reject := bytes.Repeat([]byte{0xff}, 8)
	first := bytes.Join([][]byte{reject, element(1), reject, element(2)}, nil)
	rest := bytes.Join([][]byte{reject, element(3), element(4), element(5)}, nil)
	got := vdaf.SampleVec64(4, first, func(b []byte) {
		n := copy(b, rest)
		rest = rest[n:]
	})
	want := bytes.Join([][]byte{element(1), element(2), element(3), element(4)}, nil)
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if !bytes.Equal(rest, element(5)) {
		t.Errorf("%x is left of the stream", rest)
	}
}
