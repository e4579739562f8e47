package exchange

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"muster/internal/errs"
)

// plain returns text as it would be without the accidents of typing: compatible
// forms joined (a full-width digit is a digit), in lower case, without spaces,
// quotes and invisible characters around it. It serves suggestions alone.
func plain(text string) string {
	text = strings.ToLower(norm.NFKC.String(text))
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`"'`, r)
	})
}

// aliases are what people write for a value, in the form of [plain].
var aliases = map[string]string{
	"n/a": "na", "n.a.": "na", "n.a": "na", "not applicable": "na",
	"prefer not to say": "withheld", "we prefer not to say": "withheld",
	"none": "", "null": "", "nil": "",
}

// meant returns "; did you mean …?" if text differs from one of the cells in
// spelling only, and "" if not.
func meant(cells []string, text string) string {
	guess := plain(text)
	if alias, ok := aliases[guess]; ok {
		guess = alias
	}
	i := slices.IndexFunc(cells, func(cell string) bool { return strings.ToLower(cell) == guess })
	switch {
	case i < 0:
		return ""
	case cells[i] == "":
		return "; leave the cell empty for none"
	}
	return fmt.Sprintf("; did you mean %s?", errs.Quote(cells[i]))
}

// maxEdits is how many characters may differ between an unknown outcome and the
// one that is suggested.
const maxEdits = 2

// nearest returns the outcome that differs least from text, or "" if all differ
// too much. Among equals it prefers one that the file does not have yet, then the
// framework's order.
func (f *file) nearest(text string) string {
	guess := []rune(plain(text))
	best, least, missing := "", maxEdits+1, false
	for _, id := range f.outcomes {
		candidate := []rune(strings.ToLower(id))
		if abs(len(candidate)-len(guess)) > maxEdits {
			continue
		}
		edits := distance(guess, candidate)
		if edits >= len(candidate) {
			continue
		}
		_, present := f.first[id]
		if edits < least || edits == least && edits <= maxEdits && !present && !missing {
			best, least, missing = id, edits, !present
		}
	}
	return best
}

// distance returns how many characters must be inserted, deleted or replaced to
// make b of a.
func distance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			replaced := diagonal
			if x != y {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
