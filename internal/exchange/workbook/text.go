package workbook

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/framework"
)

// textFault says why a text cannot be kept, as a verb phrase, or returns "". most
// is its longest in bytes.
func textFault(s string, most int) string {
	switch {
	case len(s) > most:
		return fmt.Sprintf("has %d bytes", len(s))
	case !framework.Readable(s):
		return "holds a character that cannot be printed" + culprit(s)
	}
	return ""
}

// culprit names the first character that cannot be printed.
func culprit(s string) string {
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return ", which is not UTF-8"
		}
		if !framework.Readable(s[i : i+utf8.RuneLen(r)]) {
			return fmt.Sprintf(", U+%04X", r)
		}
	}
	return ""
}

// units returns how long a text is as spreadsheets count, in UTF-16 units.
func units(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// calculates reports whether some spreadsheet might take a text in CSV for a
// formula: one that begins with = + - @, a tab or a carriage return, also behind
// spaces and quotes, also in their full-width forms.
func calculates(s string) bool {
	s = strings.TrimLeftFunc(s, func(r rune) bool {
		return r != '\t' && r != '\r' && unicode.IsSpace(r) || strings.ContainsRune("\"'`‘’“”", r)
	})
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && strings.ContainsRune("=+-@\t\r＝＋－＠−", r)
}

// guard is what stands before a text in CSV that a spreadsheet would calculate.
const guard = "'"

// cellEnds are what a spreadsheet may be told to take for the end of a cell, or a
// row, whatever the file was written with. A quote that does not stand at the
// beginning of what it then takes for a cell protects nothing.
const cellEnds = ",;\t\n"

// guarded returns a text as it stands in CSV: behind an apostrophe if a spreadsheet
// might calculate it, and also if it begins with an apostrophe itself, so that
// taking one off is always right. So does each part of it behind a separator that
// might be calculated.
func guarded(s string) string {
	if strings.HasPrefix(s, guard) || calculates(s) {
		s = guard + s
	}
	return behind(s, func(part string) string {
		if calculates(part) {
			return guard + part
		}
		return part
	})
}

// unguarded takes the apostrophes off again. It reports false for a text that stands
// bare and would be calculated.
func unguarded(s string) (string, bool) {
	s = behind(s, func(part string) string {
		if rest, ok := strings.CutPrefix(part, guard); ok && calculates(rest) {
			return rest
		}
		return part
	})
	if rest, ok := strings.CutPrefix(s, guard); ok {
		return rest, true
	}
	return s, !calculates(s)
}

// behind changes the parts of a text that stand behind a separator.
func behind(s string, change func(string) string) string {
	if !strings.ContainsAny(s, cellEnds) {
		return s
	}
	var b strings.Builder
	for first := true; ; first = false {
		end := strings.IndexAny(s, cellEnds)
		part := s
		if end >= 0 {
			part = s[:end]
		}
		if !first {
			part = change(part)
		}
		b.WriteString(part)
		if end < 0 {
			return b.String()
		}
		b.WriteByte(s[end])
		s = s[end+1:]
	}
}
