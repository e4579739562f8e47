package vdaf_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"muster/vdaf"
)

// newStream returns a source of bytes that a seed determines.
func newStream(seed [32]byte) func(n int) []byte {
	source := rand.NewChaCha8(seed)
	return func(n int) []byte {
		b := make([]byte, n)
		source.Read(b)
		return b
	}
}

// The Helper's share is drawn before the measurement is looked at: two measurements sharded with the
// same randomness give the Helper the same bytes.
func TestHelperShareIgnoresTheMeasurement(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{5, 3, 7}, 4))
	nonce, random := [16]byte{}, randomBytes(p.RandSize())
	_, first, err := p.Shard(benchContext, []uint64{0, 0, 0}, &nonce, random)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := p.Shard(benchContext, []uint64{4, 2, 6}, &nonce, random)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first[1], second[1]) {
		t.Error("the Helper's shares of two measurements differ")
	}
	if bytes.Equal(first[0], second[0]) {
		t.Error("the Leader's shares of two measurements do not differ")
	}
}

// excess is the chi-square statistic of counts against equal frequencies, in standard deviations
// above its mean.
func excess(counts []int) float64 {
	var total int
	for _, n := range counts {
		total += n
	}
	expected := float64(total) / float64(len(counts))
	var chi float64
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	freedom := float64(len(counts) - 1)
	return (chi - freedom) / math.Sqrt(2*freedom)
}

// Over fresh randomness every byte of the Leader's share, and of the share of the public, is uniform,
// whatever the measurement. The blinds and seeds are hashed, so this is about the arithmetic of the
// measurement and proof shares.
func TestLeaderShareIsUniform(t *testing.T) {
	t.Parallel()
	const reports, bound = 4000, 6
	p := must(vdaf.NewOneHotBlocks(2, []uint16{3, 2}, 2))
	for _, tt := range []struct {
		name        string
		measurement []uint64
	}{
		{"the first of each block", []uint64{0, 0}},
		{"the last of each block", []uint64{2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			random := newStream([32]byte{1})
			share := make([][256]int, p.InputShareSize(0))
			public := make([][256]int, p.PublicShareSize())
			for range reports {
				nonce := [16]byte(random(16))
				pub, inputs, err := p.Shard(benchContext, tt.measurement, &nonce, random(p.RandSize()))
				if err != nil {
					t.Fatal(err)
				}
				for i, b := range inputs[0] {
					share[i][b]++
				}
				for i, b := range pub {
					public[i][b]++
				}
			}
			for i := range share {
				if e := excess(share[i][:]); math.Abs(e) > bound {
					t.Errorf("byte %d of the Leader's share is %.1f standard deviations from uniform", i, e)
				}
			}
			for i := range public {
				if e := excess(public[i][:]); math.Abs(e) > bound {
					t.Errorf("byte %d of the public share is %.1f standard deviations from uniform", i, e)
				}
			}
		})
	}
}

// The statistic does tell: bytes of which the top bit never varies are far outside the bound.
func TestExcessCanFail(t *testing.T) {
	t.Parallel()
	var counts [256]int
	random := newStream([32]byte{2})
	for _, b := range random(4000) {
		counts[b%128]++
	}
	if e := excess(counts[:]); e < 20 {
		t.Errorf("bytes of seven random bits are %.1f standard deviations from uniform", e)
	}
}
