package framework

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// forbidden says what r is, or "" if it may stand in a pack. Refused are the
// characters that a reader cannot see but a program or a terminal obeys: control
// characters, line and paragraph separators, byte order marks, the characters
// that embed, isolate or override the direction of text, tags and noncharacters.
func forbidden(r rune) string {
	switch {
	case r >= 0x20 && r < 0x7F:
		return ""
	case r == '\t':
		return "a tab"
	case r < 0x20 || r >= 0x7F && r < 0xA0:
		return "a control character"
	case r < 0x200B:
		return ""
	case r == 0x200B || r == 0x2060:
		return "an invisible space"
	case r == 0x2028 || r == 0x2029:
		return "a line separator"
	case r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
		return "a character that changes the direction of text"
	case r < 0xE000:
		return ""
	case r == 0xFEFF:
		return "a byte order mark"
	case r >= 0xE0000 && r <= 0xE007F:
		return "an invisible tag character"
	case r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF || unicode.Is(unicode.Co, r):
		return "a character without a meaning of its own"
	}
	return ""
}

// normalise returns text as it is kept: in Unicode normalisation form C, spaces
// in a row made one, line breaks in a row (with spaces around them) made one
// line feed, none at either end. Only the space and the line feed count: other
// spaces, such as the no-break space of French, are text. composed says that
// text is known to be in form C.
func normalise(text string, composed bool) string {
	if !composed && !norm.NFC.IsNormalString(text) {
		text = norm.NFC.String(text)
	}
	if isSpaced(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	gap := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			gap = '\n'
		case c == ' ' && gap == 0:
			gap = ' '
		case c != ' ':
			if gap != 0 && b.Len() > 0 {
				b.WriteByte(gap)
			}
			gap = 0
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isSpaced reports whether the spaces and line feeds of text are as normalise
// leaves them. It is written for the usual answer, yes.
func isSpaced(text string) bool {
	if text == "" {
		return true
	}
	first, last := text[0], text[len(text)-1]
	if first == ' ' || first == '\n' || last == ' ' || last == '\n' || strings.Contains(text, "  ") {
		return false
	}
	return strings.IndexByte(text, '\n') < 0 ||
		!strings.Contains(text, "\n\n") && !strings.Contains(text, " \n") && !strings.Contains(text, "\n ")
}

// readsAs says what a plain scalar is to a YAML reader, of version 1.1 or 1.2,
// that does not know text is wanted; "" if every reader takes it for text. The
// language tag "no" is a truth value to many.
func readsAs(n *yaml.Node) string {
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "a truth value"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!merge":
		return "a merge key"
	}
	v := n.Value
	if len(v) == 0 {
		return "nothing"
	}
	if len(v) <= len("false") {
		switch strings.ToLower(v) {
		case "y", "yes", "n", "no", "on", "off":
			return "a truth value"
		case "=":
			return "a default value"
		}
	}
	if first := v[0]; first >= '0' && first <= '9' || first == '-' || first == '+' || first == '.' {
		// What is left of YAML 1.1: 1_000, 190:20:30, 0b1, 1.e3.
		if !strings.ContainsFunc(v, func(r rune) bool { return (r < '0' || r > '9') && !strings.ContainsRune("_:+-.,eE", r) }) &&
			strings.ContainsAny(v, "_:") {
			return "a number"
		}
	}
	return ""
}
