package framework

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

// untranslatedFrom is from how many characters on a text that reads the same in
// two languages is taken for one that nobody translated. Shorter ones may be
// names, or words that both languages have.
const untranslatedFrom = 20

// warn adds a warning, if anybody wants them.
func (c *checker) warn(n *yaml.Node, message, allowed string) {
	if c.wary {
		c.warnAt(n.Line, n.Column, c.field(), message, allowed)
	}
}

func (c *checker) warnAt(line, column int, field, message, allowed string) {
	if len(c.warnings) < errs.MaxFaults {
		c.warnings = append(c.warnings, errs.Fault{
			File: c.file, Line: line, Column: column, Field: field, Message: message, Allowed: allowed,
		})
	}
}

// compareLanguages warns of what translators overlook in the text at n: one left
// in another language, and numbers that are not those of the first language. A
// threshold that differs between languages makes one outcome two.
func (c *checker) compareLanguages(n *yaml.Node, text Text) {
	if !c.wary || len(text) < 2 {
		return
	}
	original := ""
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		here, ok := text[key.Value]
		if !ok || slices.Contains(seen, key.Value) {
			continue
		}
		for _, before := range seen {
			if here == text[before] && !sameLanguage(key.Value, before) &&
				utf8.RuneCountInString(here) >= untranslatedFrom && strings.ContainsFunc(here, unicode.IsSpace) {
				c.push(key.Value)
				c.warn(value, "the text is the same as in "+errs.Quote(before), "a translation")
				c.pop()
				break
			}
		}
		if original == "" {
			original = key.Value
		} else if want, got := figures(text[original]), figures(here); !slices.Equal(want, got) {
			c.push(key.Value)
			c.warn(value, fmt.Sprintf("the figures are %s, and in %s %s", listed(got), errs.Quote(original), listed(want)), "the same figures in every language")
			c.pop()
		}
		seen = append(seen, key.Value)
	}
}

// sameLanguage reports whether two tags are of one language, as en-GB and en-US
// are, where texts may well be the same.
func sameLanguage(a, b string) bool {
	a, _, _ = strings.Cut(a, "-")
	b, _, _ = strings.Cut(b, "-")
	return a == b
}

// figures returns the runs of digits in text, sorted: sentences have another
// order in another language, and 1,000 another mark between its digits.
func figures(text string) []string {
	runs := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	slices.Sort(runs)
	return runs
}

func listed(figures []string) string {
	if len(figures) == 0 {
		return "none"
	}
	return errs.Quote(strings.Join(figures, " "))
}

// warnOfEchoes warns of descriptors and scale levels that differ from an earlier
// one in capitals, spaces or punctuation alone. Those that are equal are faults.
func (c *checker) warnOfEchoes() {
	type letters = sentence // of which only letters and digits are left, in lower case
	first := make(map[letters]saying, len(c.said))
	inOrder := slices.SortedFunc(maps.Keys(c.said), func(a, b sentence) int {
		x, y := c.said[a], c.said[b]
		return cmp.Or(cmp.Compare(x.line, y.line), cmp.Compare(x.column, y.column))
	})
	for _, s := range inOrder {
		here := c.said[s]
		key := letters{s.language, strings.Map(onlyLetters, s.text)}
		if key.text == "" {
			continue
		}
		if before, ok := first[key]; ok {
			c.warnAt(here.line, here.column, here.field()+"."+s.language,
				fmt.Sprintf("but for capitals, spaces or punctuation the text repeats that of %s on line %d", before.field(), before.line), "a text of its own")
			continue
		}
		first[key] = here
	}
}

func onlyLetters(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return unicode.ToLower(r)
	}
	return -1
}
