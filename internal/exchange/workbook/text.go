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

// joined returns a text with line ends as they are kept: a spreadsheet may write
// CR LF within a cell where LF was.
func joined(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

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

// guarded returns a text as it stands in CSV: behind an apostrophe if a spreadsheet
// might calculate it, and also if it begins with an apostrophe itself, so that
// taking one off is always right.
func guarded(s string) string {
	if strings.HasPrefix(s, guard) || calculates(s) {
		return guard + s
	}
	return s
}

// unguarded takes the apostrophe off again. It reports false for a text that stands
// bare and would be calculated.
func unguarded(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, guard); ok {
		return rest, true
	}
	return s, !calculates(s)
}
