package framework

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// encoding reports what no text file may hold, and returns whether the file can
// be read on: it is UTF-8 without a byte order mark and its lines end as lines
// do. It looks at every byte once.
func (c *checker) encoding(data []byte) bool {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		c.faultAt(1, 1, "", "the file is UTF-16", "UTF-8; save it again in that encoding")
		return false
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		c.faultAt(1, 1, "", "the file begins with a byte order mark", "UTF-8 without one; save it again in that encoding")
		return false
	}
	readable := true
	c.composed = true
	for i := 0; i < len(data); {
		if len(data)-i >= 8 && printable(binary.LittleEndian.Uint64(data[i:])) {
			i += 8
			continue
		}
		if b := data[i]; b >= 0x20 && b < 0x7F || b == '\n' {
			i++
			continue
		}
		if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
			i += 2
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		c.composed = c.composed && neverDecomposed(r)
		what := forbidden(r)
		if what == "" && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		line, column := place(data, i)
		switch {
		case r == 0:
			c.faultAt(line, column, "", "a NUL byte", "text in UTF-8")
			return false
		case r == utf8.RuneError && size == 1:
			c.faultAt(line, column, "", fmt.Sprintf("byte %#x is not UTF-8", data[i]), "text in UTF-8")
			return false
		default:
			c.faultAt(line, column, "", fmt.Sprintf("%s (%U)", what, r), "visible characters, spaces and line breaks")
			// To YAML these are white space, or end lines.
			if r < 0xA0 || r == 0x2028 || r == 0x2029 {
				readable = false
			}
			if c.full() {
				return false
			}
		}
		i += size
	}
	return readable
}

// printable reports whether all eight bytes of word are from 0x20 to 0x7E.
func printable(word uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	below := word - 0x20*ones // borrows, hence a high bit, at the first byte below 0x20
	above := word + ones      // carries into the high bit at 0x7F
	return (word|below|above)&highs == 0
}

// neverDecomposed reports whether r is among the characters, those of most texts
// in Latin script, that stand for themselves in Unicode normalisation form C
// whatever is before and after.
func neverDecomposed(r rune) bool {
	return r < 0x0300 || r >= 0x2002 && r <= 0x203F || r >= 0x2080 && r <= 0x20BF
}

// place returns the line and the column, in characters from 1, of data[at].
func place(data []byte, at int) (line, column int) {
	line = 1 + bytes.Count(data[:at], []byte{'\n'})
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return line, 1 + utf8.RuneCount(data[start:at])
}
