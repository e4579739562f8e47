package vdaf_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/vdaf"
)

// subject is a VDAF with random parameters, a way to draw measurements, and what each adds to the
// result.
type subject struct {
	name    string
	p       *vdaf.Prio3
	measure func(t *rapid.T) []uint64
	add     func(cells, measurement []uint64)
}

func addEach(cells, measurement []uint64) {
	for i, n := range measurement {
		cells[i] += n
	}
}

func drawSubject(t *rapid.T) subject {
	shares := uint8(rapid.SampledFrom([]int{2, 2, 2, 3, 4, 7}).Draw(t, "shares"))
	length := uint32(rapid.IntRange(1, 30).Draw(t, "length"))
	chunk := uint32(rapid.IntRange(1, 40).Draw(t, "chunk length"))
	largest := rapid.SampledFrom([]uint64{1, 2, 3, 4, 7, 8, 100, 1<<40 - 1, 1 << 40}).Draw(t, "largest")
	number := rapid.Uint64Range(0, largest)
	switch kind := rapid.IntRange(0, 6).Draw(t, "kind"); kind {
	case 0:
		return subject{
			"Count", must(vdaf.NewCount(shares)),
			func(t *rapid.T) []uint64 { return []uint64{rapid.Uint64Range(0, 1).Draw(t, "measurement")} }, addEach,
		}
	case 1:
		return subject{
			"Sum", must(vdaf.NewSum(shares, largest)),
			func(t *rapid.T) []uint64 { return []uint64{number.Draw(t, "measurement")} }, addEach,
		}
	case 2, 3:
		s := subject{
			"SumVec", nil,
			func(t *rapid.T) []uint64 {
				return rapid.SliceOfN(number, int(length), int(length)).Draw(t, "measurement")
			}, addEach,
		}
		if kind == 2 {
			s.p = must(vdaf.NewSumVec(shares, length, largest, chunk))
		} else {
			s.name = "SumVecWithMultiproof"
			s.p = must(vdaf.NewSumVecWithMultiproof(shares, length, largest, chunk, 3))
		}
		return s
	case 4:
		return subject{
			"Histogram", must(vdaf.NewHistogram(shares, length, chunk)),
			func(t *rapid.T) []uint64 {
				return []uint64{rapid.Uint64Range(0, uint64(length)-1).Draw(t, "measurement")}
			},
			func(cells, measurement []uint64) { cells[measurement[0]]++ },
		}
	case 5:
		weight := rapid.Uint64Range(1, uint64(length)).Draw(t, "weight")
		return subject{
			"MultihotCountVec", must(vdaf.NewMultihotCountVec(shares, length, weight, chunk)),
			func(t *rapid.T) []uint64 {
				m := make([]uint64, length)
				for range rapid.Uint64Range(0, weight).Draw(t, "bits") {
					m[rapid.IntRange(0, int(length)-1).Draw(t, "bit")] = 1
				}
				return m
			}, addEach,
		}
	default:
		blocks := rapid.SliceOfN(rapid.Uint16Range(1, 12), 1, 20).Draw(t, "blocks")
		return subject{
			"OneHotBlocks", must(vdaf.NewOneHotBlocks(shares, blocks, chunk)),
			func(t *rapid.T) []uint64 {
				m := make([]uint64, len(blocks))
				for i, size := range blocks {
					m[i] = rapid.Uint64Range(0, uint64(size)-1).Draw(t, "measurement")
				}
				return m
			},
			func(cells, measurement []uint64) {
				for i, size := range blocks {
					cells[measurement[i]]++
					cells = cells[size:]
				}
			},
		}
	}
}

func draw32(t *rapid.T, label string) [32]byte {
	return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label))
}

// drawReport shards a measurement with drawn randomness, expanded from a seed.
func drawReport(t *rapid.T, p *vdaf.Prio3, measurement []uint64) *report {
	seed := draw32(t, "seed")
	random := newStream(seed)
	r := &report{nonce: [16]byte(random(16))}
	var err error
	r.public, r.inputs, err = p.Shard(benchContext, measurement, &r.nonce, random(p.RandSize()))
	if err != nil {
		t.Fatalf("shard: %v", err)
	}
	return r
}

// What comes out is the plain sum of what went in, for every VDAF and number of shares.
func TestAggregateIsPlainSum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t)
		p, key := s.p, draw32(t, "verification key")
		verifiers := make([]*vdaf.Verifier, p.Shares())
		aggregates := make([]*vdaf.Aggregate, p.Shares())
		late := make([]*vdaf.Aggregate, p.Shares())
		for j := range verifiers {
			verifiers[j] = must(p.NewVerifier(&key, benchContext, uint8(j)))
			aggregates[j], late[j] = p.NewAggregate(), p.NewAggregate()
		}
		states := make([]vdaf.State, p.Shares())
		want := make([]uint64, p.OutputLen())
		n := rapid.IntRange(0, 5).Draw(t, "reports")
		for i := range n {
			measurement := s.measure(t)
			s.add(want, measurement)
			r := drawReport(t, p, measurement)
			shares := make([][]byte, p.Shares())
			for j, v := range verifiers {
				var err error
				if shares[j], err = v.Init(&states[j], &r.nonce, r.public, r.inputs[j], nil); err != nil {
					t.Fatalf("%s: aggregator %d: %v", s.name, j, err)
				}
				checkSize(t, "input share", len(r.inputs[j]), p.InputShareSize(uint8(j)))
				checkSize(t, "verifier share", len(shares[j]), p.VerifierShareSize())
			}
			checkSize(t, "public share", len(r.public), p.PublicShareSize())
			message, err := p.VerifierSharesToMessage(benchContext, shares)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			checkSize(t, "verifier message", len(message), p.VerifierMessageSize())
			for j := range states {
				if err := states[j].Next(message); err != nil {
					t.Fatalf("%s: aggregator %d: %v", s.name, j, err)
				}
				into := aggregates[j]
				if i%2 == 1 {
					into = late[j]
				}
				if err := into.Add(&states[j]); err != nil {
					t.Fatal(err)
				}
			}
		}
		for j := range aggregates {
			if err := aggregates[j].Merge(late[j]); err != nil {
				t.Fatal(err)
			}
			b := must(aggregates[j].MarshalBinary())
			checkSize(t, "aggregate", len(b), p.AggregateSize())
			aggregates[j] = must(p.DecodeAggregate(b))
		}
		got, err := p.Unshard(aggregates, uint64(n))
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: the aggregate is not the sum (-want +got):\n%s", s.name, diff)
		}
	})
}

func checkSize(t *rapid.T, what string, got, want int) {
	if got != want {
		t.Fatalf("%s of %d bytes, announced as %d", what, got, want)
	}
}

// A change of any one byte of anything that is sent makes one of the two aggregators refuse.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		p           *vdaf.Prio3
		measurement []uint64
	}{
		{"Count", must(vdaf.NewCount(2)), []uint64{1}},
		{"Sum", must(vdaf.NewSum(2, 5)), []uint64{3}},
		{"SumVec", must(vdaf.NewSumVec(2, 2, 5, 3)), []uint64{3, 5}},
		{"SumVecWithMultiproof", must(vdaf.NewSumVecWithMultiproof(2, 2, 5, 3, 3)), []uint64{3, 5}},
		{"MultihotCountVec", must(vdaf.NewMultihotCountVec(2, 4, 2, 3)), []uint64{0, 1, 0, 1}},
		{"OneHotBlocks", must(vdaf.NewOneHotBlocks(2, []uint16{3, 2, 2}, 3)), []uint64{2, 0, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := tt.p
			r, q := newReport(t, p, tt.measurement), newPair(t, p, (*[32]byte)(randomBytes(32)))
			if err := q.verify(r); err != nil {
				t.Fatal(err)
			}
			flip := func(name string, b []byte, run func() error) {
				for i := range b {
					for _, mask := range []byte{0x01, 0x80, 0xff} {
						b[i] ^= mask
						err := run()
						b[i] ^= mask
						if err == nil {
							t.Errorf("byte %d of the %s changed by %02x, and nobody noticed", i, name, mask)
						}
					}
				}
			}
			flip("public share", r.public, func() error { return q.verify(r) })
			flip("Leader's share", r.inputs[0], func() error { return q.verify(r) })
			flip("Helper's share", r.inputs[1], func() error { return q.verify(r) })

			initialize := must(q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], nil))
			helper := func() error {
				finish, err := q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], initialize, nil)
				if err != nil {
					return err
				}
				if _, err := q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], nil); err != nil {
					return err
				}
				return q.leader.LeaderFinish(&q.leaderState, finish)
			}
			flip("message initialize", initialize, helper)
			finish := must(q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], initialize, nil))
			flip("message finish", finish, func() error {
				if _, err := q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], nil); err != nil {
					return fmt.Errorf("this should not fail: %w", err)
				}
				return q.leader.LeaderFinish(&q.leaderState, finish)
			})
		})
	}
}
