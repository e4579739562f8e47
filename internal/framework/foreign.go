package framework

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/errs"
)

// Check holds of a text that did not come from [Read] that it exists in each of
// the languages and can be printed in all that it has. Its error begins with the
// name that the text is called by.
func (t Text) Check(name string, languages ...string) error {
	for _, lang := range languages {
		if t[lang] == "" {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is not there in %s", name, errs.Quote(lang)), "")
		}
	}
	for lang, s := range t {
		if !Readable(lang) || !Readable(s) {
			return errs.New(errs.Invalid, fmt.Sprintf("%s in %s cannot be printed", name, errs.Quote(lang)), "")
		}
	}
	return nil
}

// CheckLanguages refuses a list of languages that is empty, names one twice, or
// by a tag that cannot be printed.
func CheckLanguages(languages []string) error {
	if len(languages) == 0 {
		return errs.New(errs.Invalid, "no language is named", "")
	}
	for i, lang := range languages {
		if !ReadableLine(lang) || slices.Contains(languages[:i], lang) {
			return errs.New(errs.Invalid, fmt.Sprintf("the language %s is named twice or wrongly", errs.Quote(lang)), "")
		}
	}
	return nil
}

// ReadableLine reports whether s is [Readable], not empty, and one line.
func ReadableLine(s string) bool {
	return s != "" && Readable(s) && !strings.Contains(s, "\n")
}

// Pasted returns a text that somebody typed, or pasted from a document or a table, as
// it can be kept: a tab is a space, what ends a line or a page is a line end, and
// spaces without width and byte order marks are left out. All else stays, also what
// [Readable] refuses, and so does what is no UTF-8.
func Pasted(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch r {
		case '\t':
			return ' '
		case '\v', '\f', '\r', 0x85, 0x2028, 0x2029:
			return '\n'
		case 0x200B, 0x2060, 0xFEFF:
			return -1
		}
		return r
	}, s)
}

// Readable reports whether s is valid UTF-8 without the characters that a pack
// may not hold: those that a terminal obeys instead of showing, or that hide text
// or change its direction.
func Readable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && forbidden(r) != "" })
}
