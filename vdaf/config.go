package vdaf

import (
	"encoding/binary"
	"fmt"
)

// The VDAF configurations are those of DAP-18, "VDAF Configuration Encodings", in TLS
// presentation, big-endian:
//
//	Count               Empty
//	Sum                 u64 max_measurement
//	SumVec              u32 length, u64 max_measurement, u32 chunk_length
//	Histogram           u32 length, u32 chunk_length
//	MultihotCountVec    u32 length, u32 chunk_length, u64 max_weight
//
// and ours for the two that DAP does not know:
//
//	OneHotBlocks            u32 chunk_length, Run runs<4..16384>; Run: u16 size, u16 repeat
//	SumVecWithMultiproof    u32 length, u64 max_measurement, u32 chunk_length, u8 proofs
//
// where a run is so many blocks of one size and adjacent runs differ in size, so that a list of
// blocks has one encoding.

// runSize is the length of a Run. The 16384 bytes that the runs may take are MaxBlocks of them.
const runSize = 4

func configCount() []byte { return []byte{} }

func configSum(largest uint64) []byte { return binary.BigEndian.AppendUint64(nil, largest) }

func configSumVec(length uint32, largest uint64, chunk uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, length)
	b = binary.BigEndian.AppendUint64(b, largest)
	return binary.BigEndian.AppendUint32(b, chunk)
}

func configSumVecWithMultiproof(length uint32, largest uint64, chunk uint32, proofs uint8) []byte {
	return append(configSumVec(length, largest, chunk), proofs)
}

func configHistogram(length, chunk uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, length), chunk)
}

func configMultihotCountVec(length uint32, largest uint64, chunk uint32) []byte {
	return binary.BigEndian.AppendUint64(configHistogram(length, chunk), largest)
}

func configOneHotBlocks(blocks []uint16, chunk uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, chunk)
	b = append(b, 0, 0)
	for i := 0; i < len(blocks); {
		n := i + 1
		for n < len(blocks) && blocks[n] == blocks[i] {
			n++
		}
		b = binary.BigEndian.AppendUint16(b, blocks[i])
		b = binary.BigEndian.AppendUint16(b, uint16(n-i))
		i = n
	}
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-6))
	return b
}

// FromConfig returns the VDAF of a code point and an encoded configuration. It is ErrDecode if the
// code point is not known, or config is not the one encoding of its parameters; parameters that
// decode and are not allowed are another error. Config returns the same bytes.
func FromConfig(shares uint8, id ID, config []byte) (*Prio3, error) {
	r := reader{b: config}
	var p *Prio3
	var err error
	switch id {
	case IDCount:
		if r.end() {
			p, err = NewCount(shares)
		}
	case IDSum:
		if largest := r.uint64(); r.end() {
			p, err = NewSum(shares, largest)
		}
	case IDSumVec:
		if length, largest, chunk := r.uint32(), r.uint64(), r.uint32(); r.end() {
			p, err = NewSumVec(shares, length, largest, chunk)
		}
	case IDSumVecWithMultiproof:
		if length, largest, chunk, proofs := r.uint32(), r.uint64(), r.uint32(), r.uint8(); r.end() {
			p, err = NewSumVecWithMultiproof(shares, length, largest, chunk, proofs)
		}
	case IDHistogram:
		if length, chunk := r.uint32(), r.uint32(); r.end() {
			p, err = NewHistogram(shares, length, chunk)
		}
	case IDMultihotCountVec:
		if length, chunk, largest := r.uint32(), r.uint32(), r.uint64(); r.end() {
			p, err = NewMultihotCountVec(shares, length, largest, chunk)
		}
	case IDOneHotBlocks:
		chunk := r.uint32()
		if blocks := r.runs(); r.end() {
			p, err = NewOneHotBlocks(shares, blocks, chunk)
		}
	default:
		return nil, fmt.Errorf("VDAF 0x%08x is not known: %w", uint32(id), ErrDecode)
	}
	if p == nil && err == nil {
		err = fmt.Errorf("configuration of VDAF 0x%08x: %w", uint32(id), ErrDecode)
	}
	return p, err
}

// reader reads integers off the front of b. What is asked of it beyond the end is zero, and marks it
// as failed.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) next(n int) []byte {
	if len(r.b) < n {
		r.failed, r.b = true, nil
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint8() uint8   { return r.next(1)[0] }
func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.next(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.next(4)) }
func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.next(8)) }

// end reports whether everything was read and nothing is left.
func (r *reader) end() bool { return !r.failed && len(r.b) == 0 }

// runs reads the blocks of a OneHotBlocks configuration, never more than MaxBlocks.
func (r *reader) runs() []uint16 {
	n := int(r.uint16())
	if n != len(r.b) || n < runSize || n%runSize != 0 {
		r.failed = true
		return nil
	}
	var blocks []uint16
	var last uint16
	for len(r.b) > 0 {
		size, repeat := r.uint16(), r.uint16()
		if size == 0 || repeat == 0 || size == last || len(blocks)+int(repeat) > MaxBlocks {
			r.failed = true
			return nil
		}
		for range repeat {
			blocks = append(blocks, size)
		}
		last = size
	}
	return blocks
}
