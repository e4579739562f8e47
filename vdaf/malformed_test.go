package vdaf_test

import (
	"errors"
	"math/big"
	"testing"

	"muster/vdaf"
)

// modulus128 is the modulus of Field128.
func modulus128() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(4611686018427387897), 66)
	return p.Add(p, big.NewInt(1))
}

// encode128 encodes integers, negative ones too, as elements of Field128.
func encode128(values ...*big.Int) []byte {
	var b []byte
	for _, v := range values {
		var e [16]byte
		new(big.Int).Mod(v, modulus128()).FillBytes(e[:])
		for i := len(e) - 1; i >= 0; i-- {
			b = append(b, e[i])
		}
	}
	return b
}

func ints(values ...int64) []*big.Int {
	out := make([]*big.Int, len(values))
	for i, v := range values {
		out[i] = big.NewInt(v)
	}
	return out
}

// A client that follows the protocol with a measurement that is not one-hot in each block is caught
// when the verifier shares are combined, and no earlier.
func TestMalformedMeasurements(t *testing.T) {
	t.Parallel()
	half := new(big.Int).ModInverse(big.NewInt(2), modulus128())
	zero := big.NewInt(0)
	// Blocks of 5, 3 and 2 buckets. A row gives the first block; the others are valid.
	for _, tt := range []struct {
		name  string
		first []*big.Int
		valid bool
	}{
		{"the first level", ints(1, 0, 0, 0, 0), true},
		{"the last level", ints(0, 0, 0, 0, 1), true},
		{"two levels", ints(1, 1, 0, 0, 0), false},
		{"no level", ints(0, 0, 0, 0, 0), false},
		{"2 and -1", ints(2, -1, 0, 0, 0), false},
		{"31 votes", ints(31, 0, 0, 0, 0), false},
		{"31 votes and -30", ints(31, -30, 0, 0, 0), false},
		{"halves", []*big.Int{half, half, zero, zero, zero}, false},
		{"all ones", ints(1, 1, 1, 1, 1), false},
		{"minus one", ints(-1, 0, 0, 0, 0), false},
		{"1, 1, -1", ints(1, 1, -1, 0, 0), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, chunk := range []uint32{1, 3, 4, 10, 16} {
				p := must(vdaf.NewOneHotBlocks(2, []uint16{5, 3, 2}, chunk))
				checkEncoded(t, p, append(tt.first, ints(0, 1, 0, 1, 0)...), tt.valid)
			}
		})
	}
}

// An empty block beside one with two bits keeps the total right; MultihotCountVec would accept it.
func TestMisplacedBit(t *testing.T) {
	t.Parallel()
	p := must(vdaf.NewOneHotBlocks(2, []uint16{3, 3, 3}, 3))
	checkEncoded(t, p, ints(1, 0, 0, 0, 1, 0, 0, 0, 1), true)
	checkEncoded(t, p, ints(1, 1, 0, 0, 0, 0, 0, 0, 1), false)
	checkEncoded(t, p, ints(1, 0, 0, 1, 1, 0, 0, 0, 0), false)
}

// One bad block among many good ones is enough, wherever it is.
func TestOneBadBlock(t *testing.T) {
	t.Parallel()
	blocks := productLayout(6, 2)
	p := must(vdaf.NewOneHotBlocks(2, blocks, vdaf.ChunkLength(bitsOf(blocks))))
	for bad := -1; bad < len(blocks); bad++ {
		var values []*big.Int
		for i, size := range blocks {
			block := make([]int64, size)
			block[i%int(size)] = 1
			if i == bad {
				block[(i+1)%int(size)] = 1
			}
			values = append(values, ints(block...)...)
		}
		checkEncoded(t, p, values, bad < 0)
	}
}

func checkEncoded(t *testing.T, p *vdaf.Prio3, values []*big.Int, valid bool) {
	t.Helper()
	r := &report{nonce: [16]byte(randomBytes(16))}
	var err error
	r.public, r.inputs, err = p.ShardEncoded(benchContext, encode128(values...), &r.nonce, randomBytes(p.RandSize()))
	if err != nil {
		t.Fatal(err)
	}
	q := newPair(t, p, (*[32]byte)(randomBytes(32)))
	initialize, err := q.leader.LeaderInit(&q.leaderState, &r.nonce, r.public, r.inputs[0], nil)
	if err != nil {
		t.Fatalf("the Leader does not get as far as its verifier share: %v", err)
	}
	_, err = q.helper.HelperInit(&q.helperState, &r.nonce, r.public, r.inputs[1], initialize, nil)
	if valid && err != nil || !valid && !errors.Is(err, vdaf.ErrVerify) {
		t.Errorf("%v: error %v, valid %v", values, err, valid)
	}
	if err := p.NewAggregate().Add(&q.helperState); (err == nil) != valid {
		t.Errorf("%v: adding it to an aggregate: error %v, valid %v", values, err, valid)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
