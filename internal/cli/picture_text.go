package cli

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// runeWidth returns how many columns of a terminal a character takes.
func runeWidth(r rune) int {
	if r < unicode.MaxASCII {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// textWidth returns how many columns text takes.
func textWidth(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// cut returns text in at most width columns, ending in "…" where some is missing.
func cut(text string, width int) string {
	if textWidth(text) <= width {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if width -= runeWidth(r); width < 1 {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ") + "…"
}

// pad fills text with spaces to width columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(width-textWidth(text), 0))
}

// padLeft does the same with the spaces in front.
func padLeft(text string, width int) string {
	return strings.Repeat(" ", max(width-textWidth(text), 0)) + text
}

// banner puts text into a bar that nobody overlooks.
func banner(text string, width int) string {
	text = " " + text + " "
	fill := max(width-textWidth(text), 2)
	return strings.Repeat("▓", fill/2) + text + strings.Repeat("▓", fill-fill/2)
}

// wrap breaks text at spaces into lines of at most width columns; a longer word
// has a line of its own. A no-break space does not break.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
		switch {
		case line == "":
			line = word
		case textWidth(line)+1+textWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// apportion returns how many of marks marks each count gets: in proportion, at
// least one where the count is not zero, together all of them. Of equal claims
// the first is met.
func apportion(counts []uint64, marks int) []int {
	var total uint64
	shares := make([]int, len(counts))
	for i, n := range counts {
		total += n
		if n > 0 {
			shares[i] = 1
			marks--
		}
	}
	for ; marks > 0 && total > 0; marks-- {
		// The count that each of its marks so far stands for most of.
		next := 0
		for i, n := range counts {
			if n*uint64(2*shares[next]+1) > counts[next]*uint64(2*shares[i]+1) {
				next = i
			}
		}
		shares[next]++
	}
	return shares
}

// toASCII returns text for a terminal that shows nothing else: signs become
// ones of the same width, letters lose their accents, all else is "?".
func toASCII(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case r < unicode.MaxASCII:
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r):
		default:
			b.WriteByte(asciiSign(r))
		}
	}
	return b.String()
}

func asciiSign(r rune) byte {
	switch r {
	case '·', '┄':
		return '.'
	case '─', '–', '—':
		return '-'
	case '░':
		return ':'
	case '▒':
		return '+'
	case '▓':
		return '%'
	case '█':
		return '#'
	case '━':
		return '='
	case '├':
		return '['
	case '┤':
		return ']'
	case '…':
		return '~'
	case '’', '‘':
		return '\''
	case '“', '”', '«', '»':
		return '"'
	case '\u00a0', '\u202f':
		return ' '
	}
	return '?'
}
