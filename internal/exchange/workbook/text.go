package workbook

import (
	"fmt"
	"strings"
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
