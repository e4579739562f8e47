package vdaf_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"muster/vdaf"
)

// unhex decodes annotated hex: text from // to the end of a line is a comment.
func unhex(text string) []byte {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		for _, field := range strings.Fields(line) {
			b.WriteString(field)
		}
	}
	return must(hex.DecodeString(b.String()))
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		p    *vdaf.Prio3
		id   vdaf.ID
		want string
	}{
		{"Count", must(vdaf.NewCount(2)), 1, ``},
		{"Sum", must(vdaf.NewSum(2, 1000)), 2, `00000000000003e8 // max_measurement`},
		{"SumVec", must(vdaf.NewSumVec(2, 20, 255, 9)), 3, `
			00000014         // length
			00000000000000ff // max_measurement
			00000009         // chunk_length`},
		{"Histogram", must(vdaf.NewHistogram(2, 100, 10)), 4, `
			00000064 // length
			0000000a // chunk_length`},
		{"MultihotCountVec", must(vdaf.NewMultihotCountVec(2, 10, 2, 3)), 5, `
			0000000a         // length
			00000003         // chunk_length
			0000000000000002 // max_weight`},
		{"OneHotBlocks", must(vdaf.NewOneHotBlocks(2, []uint16{5, 3, 3, 3, 260, 5}, 4)), 0xffff0001, `
			00000004  // chunk_length
			0010      // runs, 16 bytes
			0005 0001 // a block of 5
			0003 0003 // three blocks of 3
			0104 0001 // a block of 260
			0005 0001 // a block of 5`},
		{"SumVecWithMultiproof", must(vdaf.NewSumVecWithMultiproof(2, 20, 255, 9, 3)), 0xffffffff, `
			00000014         // length
			00000000000000ff // max_measurement
			00000009         // chunk_length
			03               // proofs`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := unhex(tt.want)
			if tt.p.ID() != tt.id || !bytes.Equal(tt.p.Config(), want) {
				t.Fatalf("VDAF %08x, configuration %x; want %08x, %x", uint32(tt.p.ID()), tt.p.Config(), uint32(tt.id), want)
			}
			p, err := vdaf.FromConfig(tt.p.Shares(), tt.id, want)
			if err != nil {
				t.Fatal(err)
			}
			if p.InputShareSize(0) != tt.p.InputShareSize(0) || p.OutputLen() != tt.p.OutputLen() {
				t.Errorf("what was decoded has other lengths")
			}
			for n := range want {
				if _, err := vdaf.FromConfig(2, tt.id, want[:n]); !errors.Is(err, vdaf.ErrDecode) {
					t.Errorf("cut to %d bytes: %v", n, err)
				}
			}
			if _, err := vdaf.FromConfig(2, tt.id, append(want, 0)); !errors.Is(err, vdaf.ErrDecode) {
				t.Errorf("with a trailing byte: %v", err)
			}
		})
	}
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	many := func(run string, n int) string { return strings.Repeat(run, n) }
	for _, tt := range []struct {
		name, config string
	}{
		{"adjacent runs of one size", `00000004 0008 00050001 00050001`},
		{"a run of nothing", `00000004 0008 00050000 00030001`},
		{"an empty block", `00000004 0004 00000001`},
		{"no runs", `00000004 0000`},
		{"a run too short", `00000004 0003 000500`},
		{"runs longer than their length", `00000004 0004 00050001 00030001`},
		{"runs shorter than their length", `00000004 0008 00050001`},
		{"too many blocks in one run", `00000004 0004 00011001`},
		{"too many blocks in many runs", `00000004 0010 0001 0800 0002 0700 0001 00ff 0002 0002`},
		{"more runs than are allowed", `00000004 4004` + many(`0001 0001 0002 0001`, 2048) + `00010001`},
		{"too many bits", `00000004 0004 0100 0100`},
		{"no chunk", `00000000 0004 00050001`},
		{"a chunk beyond all reason", `ffffffff 0004 00050001`},
	} {
		if _, err := vdaf.FromConfig(2, vdaf.IDOneHotBlocks, unhex(tt.config)); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
	}
	for _, id := range []vdaf.ID{0, 6, 0xffff0000, 0xffff0002} {
		if _, err := vdaf.FromConfig(2, id, nil); !errors.Is(err, vdaf.ErrDecode) {
			t.Errorf("VDAF %08x: %v", uint32(id), err)
		}
	}
	if _, err := vdaf.FromConfig(1, vdaf.IDCount, nil); err == nil {
		t.Error("one share accepted")
	}
}

// A configuration from elsewhere cannot make us reserve memory for more than a share of 1 MiB.
func TestHostileConfigIsCheap(t *testing.T) {
	for _, tt := range []struct {
		name   string
		id     vdaf.ID
		config string
	}{
		{"SumVec of 2**32-1 elements", vdaf.IDSumVec, `ffffffff 7fffffffffffffff ffffffff`},
		{"SumVec of many wide elements", vdaf.IDSumVec, `00004e20 7fffffffffffffff 00000001`},
		{"Histogram with the shortest chunks", vdaf.IDHistogram, `00004e20 00000001`},
		{"MultihotCountVec of 2**32-1 bits", vdaf.IDMultihotCountVec, `ffffffff 00000001 00000000ffffffff`},
		{"OneHotBlocks of the largest blocks", vdaf.IDOneHotBlocks, `00000001 0004 ffff ffff`},
		{"multiproof with all proofs", vdaf.IDSumVecWithMultiproof, `00004e20 0000000000000001 00000001 ff`},
	} {
		config := unhex(tt.config)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := vdaf.FromConfig(2, tt.id, config); err == nil {
			t.Errorf("%s: accepted", tt.name)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<18 {
			t.Errorf("%s: %d bytes allocated before it was refused", tt.name, n)
		}
	}
}
