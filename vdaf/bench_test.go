package vdaf_test

import (
	"crypto/rand"
	"testing"

	"github.com/cloudflare/circl/vdaf/prio3/mhcv"

	"muster/vdaf"
)

// productLayout returns the blocks of a coalition's measurement: for each outcome level, verified
// level, target, gap and evidence, then for each area lowest level and change, kind by kind.
func productLayout(outcomes, areas int) []uint16 {
	var blocks []uint16
	for _, kind := range []struct {
		n    int
		size uint16
	}{{outcomes, 7}, {outcomes, 8}, {outcomes, 6}, {outcomes, 3}, {outcomes, 5}, {areas, 6}, {areas, 5}} {
		for range kind.n {
			blocks = append(blocks, kind.size)
		}
	}
	return blocks
}

func equalBlocks(n int, size uint16) []uint16 {
	blocks := make([]uint16, n)
	for i := range blocks {
		blocks[i] = size
	}
	return blocks
}

func bitsOf(blocks []uint16) int {
	var n int
	for _, size := range blocks {
		n += int(size)
	}
	return n
}

var benchContext = []byte("dap-18 and the thirty-two bytes of a task")

// report is a report of a valid measurement.
type report struct {
	nonce  [16]byte
	public []byte
	inputs [][]byte
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func newReport(tb testing.TB, p *vdaf.Prio3, measurement []uint64) *report {
	tb.Helper()
	r := &report{nonce: [16]byte(randomBytes(16))}
	var err error
	r.public, r.inputs, err = p.Shard(benchContext, measurement, &r.nonce, randomBytes(p.RandSize()))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// pair is a Leader and a Helper with the memory that a report takes.
type pair struct {
	leader, helper           *vdaf.Verifier
	leaderState, helperState vdaf.State
	initialize, finish       []byte
}

func newPair(tb testing.TB, p *vdaf.Prio3, key *[32]byte) *pair {
	tb.Helper()
	leader, err := p.NewVerifier(key, benchContext, 0)
	if err != nil {
		tb.Fatal(err)
	}
	helper, err := p.NewVerifier(key, benchContext, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return &pair{leader: leader, helper: helper}
}

func (q *pair) verify(r *report) (err error) {
	if q.initialize, err = q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], q.initialize[:0]); err != nil {
		return err
	}
	if q.finish, err = q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], q.initialize, q.finish[:0]); err != nil {
		return err
	}
	return q.leader.LeaderFinish(&q.leaderState, q.finish)
}

type layout struct {
	name   string
	blocks []uint16
}

func layouts() []layout {
	return []layout{
		{"106x5", equalBlocks(106, 5)},
		{"36outcomes", productLayout(36, 8)},
		{"106outcomes", productLayout(106, 22)},
	}
}

func (l layout) prio3(tb testing.TB) *vdaf.Prio3 {
	tb.Helper()
	p, err := vdaf.NewOneHotBlocks(2, l.blocks, vdaf.ChunkLength(bitsOf(l.blocks)))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// circlReport is a report of circl's Prio3MultihotCountVec with as many elements. The types of its
// parts are internal to circl, hence closures.
func newCircl(tb testing.TB, blocks []uint16) (shard, verify func()) {
	tb.Helper()
	n := uint(bitsOf(blocks))
	m, err := mhcv.New(2, n, uint(len(blocks)), uint(vdaf.ChunkLength(int(n))), benchContext)
	if err != nil {
		tb.Fatal(err)
	}
	measurement := make([]bool, n)
	for i, start := 0, 0; i < len(blocks); i++ {
		measurement[start] = true
		start += int(blocks[i])
	}
	params := m.Params()
	key := mhcv.VerifyKey(randomBytes(len(mhcv.VerifyKey{})))
	nonce := mhcv.Nonce(randomBytes(len(mhcv.Nonce{})))
	random := randomBytes(int(params.RandSize()))
	public, inputs, err := m.Shard(measurement, &nonce, random)
	if err != nil {
		tb.Fatal(err)
	}
	check := func(err error) {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return func() {
			_, _, err := m.Shard(measurement, &nonce, random)
			check(err)
		}, func() {
			leaderState, leaderShare, err := m.PrepInit(&key, &nonce, 0, public, inputs[0])
			check(err)
			helperState, helperShare, err := m.PrepInit(&key, &nonce, 1, public, inputs[1])
			check(err)
			message, err := m.PrepSharesToPrep([]mhcv.PrepShare{*leaderShare, *helperShare})
			check(err)
			_, err = m.PrepNext(helperState, message)
			check(err)
			_, err = m.PrepNext(leaderState, message)
			check(err)
		}
}

// BenchmarkVerify is the verification of one report by Leader and Helper together.
func BenchmarkVerify(b *testing.B) {
	for _, l := range layouts() {
		b.Run(l.name+"/ours", func(b *testing.B) {
			p := l.prio3(b)
			r, q := newReport(b, p, make([]uint64, len(l.blocks))), newPair(b, p, new([32]byte))
			b.ReportAllocs()
			for b.Loop() {
				if err := q.verify(r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(l.name+"/circl", func(b *testing.B) {
			_, verify := newCircl(b, l.blocks)
			b.ReportAllocs()
			for b.Loop() {
				verify()
			}
		})
	}
}

// BenchmarkShard is what a member's machine does once a cycle.
func BenchmarkShard(b *testing.B) {
	for _, l := range layouts() {
		b.Run(l.name+"/ours", func(b *testing.B) {
			p := l.prio3(b)
			measurement := make([]uint64, len(l.blocks))
			nonce, random := [16]byte{}, randomBytes(p.RandSize())
			for b.Loop() {
				if _, _, err := p.Shard(benchContext, measurement, &nonce, random); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(l.name+"/circl", func(b *testing.B) {
			shard, _ := newCircl(b, l.blocks)
			for b.Loop() {
				shard()
			}
		})
	}
}

// BenchmarkVerifyParallel gives each processor its own pair of aggregators.
func BenchmarkVerifyParallel(b *testing.B) {
	for _, l := range layouts() {
		b.Run(l.name, func(b *testing.B) {
			p := l.prio3(b)
			r := newReport(b, p, make([]uint64, len(l.blocks)))
			b.RunParallel(func(pb *testing.PB) {
				q := newPair(b, p, new([32]byte))
				for pb.Next() {
					if err := q.verify(r); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkAggregate adds one output share.
func BenchmarkAggregate(b *testing.B) {
	l := layouts()[0]
	p := l.prio3(b)
	r, q := newReport(b, p, make([]uint64, len(l.blocks))), newPair(b, p, new([32]byte))
	if err := q.verify(r); err != nil {
		b.Fatal(err)
	}
	a := p.NewAggregate()
	for b.Loop() {
		if err := a.Add(&q.leaderState); err != nil {
			b.Fatal(err)
		}
	}
}
