// Package cells makes texts harmless that a spreadsheet reads from CSV: titles, names and
// notes come from what others wrote, and a cell that begins like a formula is calculated
// on the machine of whoever opens the file.
package cells

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Calculates reports whether some spreadsheet might take a text in CSV for a
// formula: one that begins with = + - @, a tab or a carriage return, also behind
// spaces and quotes, also in their full-width forms.
func Calculates(s string) bool {
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

// Guard returns a text as it stands in CSV: behind an apostrophe if a spreadsheet
// might calculate it, and also if it begins with an apostrophe itself, so that
// taking one off is always right. So does each part of it behind a separator that
// might be calculated.
func Guard(s string) string {
	if strings.HasPrefix(s, guard) || Calculates(s) {
		s = guard + s
	}
	return behind(s, func(part string) string {
		if Calculates(part) {
			return guard + part
		}
		return part
	})
}

// Unguard takes the apostrophes of [Guard] off again. It reports false for a text that stands
// bare and would be calculated.
func Unguard(s string) (string, bool) {
	s = behind(s, func(part string) string {
		if rest, ok := strings.CutPrefix(part, guard); ok && Calculates(rest) {
			return rest
		}
		return part
	})
	if rest, ok := strings.CutPrefix(s, guard); ok {
		return rest, true
	}
	return s, !Calculates(s)
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
