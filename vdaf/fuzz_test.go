package vdaf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"muster/vdaf"
)

// fuzzVector returns the vector of blocks 5, 3 and 2 of this repository, from which the fuzz targets
// take their seeds: a target without a valid seed would find nothing, so its absence is an error.
func fuzzVector(f *testing.F) (*vdaf.Prio3, *vector) {
	f.Helper()
	const name = "Prio3OneHotBlocks_0.json"
	text, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		f.Fatal(err)
	}
	v := new(vector)
	if err := json.Unmarshal(text, v); err != nil {
		f.Fatal(err)
	}
	if len(v.Reports) == 0 || len(v.AggShares) == 0 {
		f.Fatalf("%s: no seeds", name)
	}
	return must(v.newPrio3(name)), v
}

// allowed fails unless err is one that bad input may cause.
func allowed(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, vdaf.ErrDecode) && !errors.Is(err, vdaf.ErrVerify) {
		t.Fatalf("neither ErrDecode nor ErrVerify: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	for _, p := range []*vdaf.Prio3{
		must(vdaf.NewCount(2)),
		must(vdaf.NewSum(2, 7)),
		must(vdaf.NewSumVec(2, 3, 7, 2)),
		must(vdaf.NewSumVecWithMultiproof(2, 3, 7, 2, 3)),
		must(vdaf.NewHistogram(2, 4, 2)),
		must(vdaf.NewMultihotCountVec(2, 4, 2, 2)),
		must(vdaf.NewOneHotBlocks(2, productLayout(2, 1), 7)),
	} {
		f.Add(uint32(p.ID()), p.Config())
	}
	f.Fuzz(func(t *testing.T, id uint32, config []byte) {
		p, err := vdaf.FromConfig(2, vdaf.ID(id), config)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Config(), config) {
			t.Fatalf("%x is read and written as %x", config, p.Config())
		}
		if p.InputShareSize(0) > vdaf.MaxInputShareSize {
			t.Fatalf("a share of %d bytes", p.InputShareSize(0))
		}
	})
}

func FuzzAggregate(f *testing.F) {
	p, v := fuzzVector(f)
	for _, share := range v.AggShares {
		f.Add([]byte(share))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := p.DecodeAggregate(b)
		if err != nil {
			allowed(t, err)
			return
		}
		if got := must(a.MarshalBinary()); !bytes.Equal(got, b) {
			t.Fatalf("%x is read and written as %x", b, got)
		}
	})
}

// FuzzLeaderShare looks at what is accepted through its output share: for OneHotBlocks that is the
// measurement share, read and written again.
func FuzzLeaderShare(f *testing.F) {
	p, v := fuzzVector(f)
	leader := must(p.NewVerifier((*[32]byte)(v.VerifyKey), v.Ctx, 0))
	for _, r := range v.Reports {
		f.Add([]byte(r.Nonce), []byte(r.PublicShare), []byte(r.InputShares[0]))
	}
	f.Fuzz(func(t *testing.T, nonce, public, input []byte) {
		if len(nonce) != vdaf.NonceSize {
			return
		}
		var s vdaf.State
		share, err := leader.Init(&s, (*[16]byte)(nonce), public, input, nil)
		if err != nil {
			allowed(t, err)
			return
		}
		if !bytes.Equal(s.OutputShare(), input[:p.AggregateSize()]) {
			t.Fatalf("measurement share %x became %x", input[:p.AggregateSize()], s.OutputShare())
		}
		if len(share) != p.VerifierShareSize() {
			t.Fatalf("verifier share of %d bytes", len(share))
		}
	})
}

func FuzzHelperShare(f *testing.F) {
	p, v := fuzzVector(f)
	key := (*[32]byte)(v.VerifyKey)
	q := newPair(f, p, key)
	leader, helper := must(p.NewVerifier(key, v.Ctx, 0)), must(p.NewVerifier(key, v.Ctx, 1))
	q.leader, q.helper = leader, helper
	for _, r := range v.Reports {
		initialize, err := leader.LeaderInit(&q.leaderState, (*[16]byte)(r.Nonce), r.PublicShare, r.InputShares[0], nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(r.Nonce), []byte(r.PublicShare), []byte(r.InputShares[1]), initialize)
	}
	f.Fuzz(func(t *testing.T, nonce, public, input, initialize []byte) {
		if len(nonce) != vdaf.NonceSize {
			return
		}
		finish, err := q.helper.HelperInit(&q.helperState, (*[16]byte)(nonce), public, input, initialize, nil)
		if err != nil {
			allowed(t, err)
			if p.NewAggregate().Add(&q.helperState) == nil {
				t.Fatal("a report that was refused can be aggregated")
			}
			return
		}
		if got, err := vdaf.ReencodePingPong(finish, 2); err != nil || !bytes.Equal(got, finish) {
			t.Fatalf("finish %x is read and written as %x: %v", finish, got, err)
		}
	})
}

func FuzzVerifierShares(f *testing.F) {
	p, v := fuzzVector(f)
	for _, r := range v.Reports {
		f.Add([]byte(r.VerifierShares[0][0]), []byte(r.VerifierShares[0][1]))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		message, err := p.VerifierSharesToMessage(v.Ctx, [][]byte{first, second})
		if err != nil {
			allowed(t, err)
			return
		}
		if len(message) != p.VerifierMessageSize() {
			t.Fatalf("verifier message of %d bytes", len(message))
		}
	})
}

func FuzzPingPong(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0}, byte(0))
	f.Add([]byte{0, 0, 0, 0, 2, 7, 7}, byte(0))
	f.Add([]byte{2, 0, 0, 0, 1, 7}, byte(2))
	f.Add([]byte{2, 0, 0, 0, 2, 7}, byte(2))
	f.Fuzz(func(t *testing.T, b []byte, messageType byte) {
		got, err := vdaf.ReencodePingPong(b, messageType)
		if err != nil {
			allowed(t, err)
			return
		}
		if !bytes.Equal(got, b) {
			t.Fatalf("%x is read and written as %x", b, got)
		}
	})
}
