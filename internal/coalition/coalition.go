// Package coalition is the vocabulary that every other package speaks: members,
// the phases of a cycle, the charter that defines one, receipts and the roster.
// It holds types, their invariants and pure functions, and knows neither
// answers nor databases nor the network.
//
// A [Charter] fixes a cycle before it opens. A [Receipt] is a member's word
// that it sent one submission. A [Roster] is both hosts' word on which
// submissions count.
package coalition

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"muster/internal/errs"
)

// MemberID names a member throughout a cycle: the name by which the charter
// lists it, in Unicode NFC. Packages that need no names treat it as opaque.
type MemberID string

// MaxMemberID is the longest member name, in characters.
const MaxMemberID = 64

// ParseMemberID returns name in NFC, or says why it cannot be a member's name.
func ParseMemberID(name string) (MemberID, error) {
	if utf8.ValidString(name) {
		name = norm.NFC.String(name)
	}
	if name == "" {
		return "", errs.New(errs.Invalid, "a member name is empty", "")
	}
	if fault := NameFault(name); fault != "" {
		return "", errs.New(errs.Invalid, "the member name "+errs.Quote(name)+" "+fault,
			fmt.Sprintf("1 to %d characters that can be seen, with single spaces between words", MaxMemberID))
	}
	return MemberID(name), nil
}

// NameFault says what is wrong with a name in NFC as a verb phrase, such as "is
// too long", or returns "". A name is read by people and compared by them: two
// names that look the same must not both be possible.
func NameFault(name string) string {
	if !utf8.ValidString(name) {
		return "is not UTF-8"
	}
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "is empty"
	case n > MaxMemberID:
		return "is too long"
	case strings.TrimSpace(name) != name:
		return "begins or ends with a space"
	case strings.ContainsFunc(name, unseen):
		return "holds a control, direction or invisible character"
	case strings.Contains(name, "  "), strings.ContainsFunc(name, oddSpace):
		return "holds two spaces in a row or a space of another kind"
	}
	return ""
}

// unseen reports whether a character leaves no trace on a page, moves others, or has
// no agreed meaning.
func unseen(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func oddSpace(r rune) bool { return r != ' ' && unicode.Is(unicode.Zs, r) }

// Fold returns the key under which two spellings are one member: NFC, then case
// folding, then NFC again because folding can leave it.
func Fold(name string) string {
	return norm.NFC.String(strings.Map(foldCherokee, cases.Fold().String(norm.NFC.String(name))))
}

// foldCherokee takes small Cherokee letters to capital ones, as Unicode's case
// folding does. Package cases exchanges the two, so that a name and its folding
// would be two members.
func foldCherokee(r rune) rune {
	switch {
	case 0xAB70 <= r && r <= 0xABBF:
		return r - 0xAB70 + 0x13A0
	case 0x13F8 <= r && r <= 0x13FD:
		return r - 8
	}
	return r
}

// The thresholds of a cohort of n members.
const ReleaseMinimum = 8 // members of a released total besides the hosts

// MinimumBatch returns ceil(2n/3), the least number of submissions of a cohort
// of n members that may be collected.
func MinimumBatch(n int) int { return (2*n + 2) / 3 }
