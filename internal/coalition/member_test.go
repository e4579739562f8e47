package coalition_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/errs"
)

func TestParseMemberID(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("é", coalition.MaxMemberID)
	for name, row := range map[string]struct {
		in, want string
		refusal  string // part of the message
	}{
		"plain":                   {"Ostmere", "Ostmere", ""},
		"words":                   {"Old Calverra", "Old Calverra", ""},
		"punctuation":             {"St. Ilvoren-on-Sea (North) & Co. +1/2 %", "St. Ilvoren-on-Sea (North) & Co. +1/2 %", ""},
		"composed":                {"Åldovar", "Åldovar", ""},
		"decomposed":              {"A\u030aldovar", "\u00c5ldovar", ""},
		"right to left":           {"\u05d0\u05d1\u05d2", "\u05d0\u05d1\u05d2", ""},
		"beyond 16 bits":          {"\U0001f701", "\U0001f701", ""},
		"longest":                 {longest, longest, ""},
		"longest once composed":   {strings.Repeat("e\u0301", coalition.MaxMemberID), longest, ""},
		"empty":                   {"", "", "a member name is empty"},
		"too long":                {longest + "x", "", "is too long"},
		"space before":            {" a", "", "begins or ends with a space"},
		"space behind":            {"a ", "", "begins or ends with a space"},
		"space alone":             {" ", "", "begins or ends with a space"},
		"two spaces":              {"a  b", "", "two spaces in a row"},
		"no-break space":          {"a\u00a0b", "", "a space of another kind"},
		"wide space":              {"a\u3000b", "", "a space of another kind"},
		"thin space":              {"a\u2009b", "", "a space of another kind"},
		"not UTF-8":               {"a\xffb", "", "is not UTF-8"},
		"cut UTF-8":               {"a\xc3", "", "is not UTF-8"},
		"surrogate":               {"a\xed\xa0\x80", "", "is not UTF-8"},
		"NUL":                     {"a\x00b", "", "invisible"},
		"line end":                {"a\nb", "", "invisible"},
		"tabulator":               {"a\tb", "", "invisible"},
		"escape":                  {"a\x1b[2Jb", "", "invisible"},
		"delete":                  {"a\x7fb", "", "invisible"},
		"C1 control":              {"a\u009bb", "", "invisible"},
		"right-to-left override":  {"a\u202eb", "", "invisible"},
		"left-to-right override":  {"a\u202db", "", "invisible"},
		"right-to-left embedding": {"a\u202bb", "", "invisible"},
		"pop direction":           {"a\u202cb", "", "invisible"},
		"isolate":                 {"a\u2066b", "", "invisible"},
		"first strong isolate":    {"a\u2068b", "", "invisible"},
		"right-to-left mark":      {"a\u200fb", "", "invisible"},
		"Arabic letter mark":      {"a\u061cb", "", "invisible"},
		"zero-width space":        {"a\u200bb", "", "invisible"},
		"zero-width joiner":       {"a\u200db", "", "invisible"},
		"word joiner":             {"a\u2060b", "", "invisible"},
		"soft hyphen":             {"a\u00adb", "", "invisible"},
		"byte order mark":         {"\ufeffa", "", "invisible"},
		"line separator":          {"a\u2028b", "", "invisible"},
		"Hangul filler":           {"a\u3164b", "", "invisible"},
		"halfwidth filler":        {"a\uffa0b", "", "invisible"},
		"combining joiner":        {"a\u034fb", "", "invisible"},
		"variation selector":      {"a\ufe0fb", "", "invisible"},
		"variation selector 17":   {"a\U000e0100b", "", "invisible"},
		"tag character":           {"a\U000e0041b", "", "invisible"},
		"private use":             {"a\ue000b", "", "invisible"},
		"unassigned":              {"a\u0378b", "", "invisible"},
		"noncharacter":            {"a\uffffb", "", "invisible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := coalition.ParseMemberID(row.in)
			if string(got) != row.want {
				t.Errorf("ParseMemberID(%+q) = %+q; want %+q", row.in, got, row.want)
			}
			if row.refusal == "" {
				must(t, err)
				return
			}
			wantKind(t, "ParseMemberID", err, errs.Invalid)
			message := errs.Describe(err).Message
			if !strings.Contains(message, row.refusal) {
				t.Errorf("message %q does not say %q", message, row.refusal)
			}
			if strings.ContainsFunc(message, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("message %+q repaints the terminal", message)
			}
		})
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		a, b string
		same bool
	}{
		"case":            {"Ostmere", "oSTMERE", true},
		"normal form":     {"\u00c5ldovar", "a\u030aldovar", true},
		"sharp s":         {"Straße", "STRASSE", true},
		"long s":          {"Oſtmere", "ostmere", true},
		"final sigma":     {"Λευκός", "ΛΕΥΚΌΣ", true},
		"kelvin":          {"\u212aelvin", "kelvin", true},
		"iota below":      {"\u1fb3", "\u03b1\u03b9", true},
		"accent":          {"Oštmere", "Ostmere", false},
		"space":           {"Ost mere", "Ostmere", false},
		"Turkish dotless": {"ı", "i", false},
	} {
		if got := coalition.Fold(row.a) == coalition.Fold(row.b); got != row.same {
			t.Errorf("%s: %q and %q are one member: %v", name, row.a, row.b, got)
		}
	}
}

// A name that was parsed stays as it is, and is found in every case and form.
func TestNamesAreStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(
			rapid.StringN(0, 70, -1),
			rapid.StringOfN(rapid.RuneFrom([]rune("aAeéßſİıσςΣ \u00a0\u0301\u030a\u0345\u1fb3\u202e\u200dﬀ한글")), 0, 70, -1),
		).Draw(t, "name")
		id, err := coalition.ParseMemberID(in)
		folded := coalition.Fold(in)
		if coalition.Fold(folded) != folded {
			t.Fatalf("Fold(%+q) = %+q, which folds to %+q", in, folded, coalition.Fold(folded))
		}
		if err != nil {
			return
		}
		name := string(id)
		if again, err := coalition.ParseMemberID(name); err != nil || again != id {
			t.Fatalf("%+q parsed again is %+q, %v", id, again, err)
		}
		if !norm.NFC.IsNormalString(name) || utf8.RuneCountInString(name) > coalition.MaxMemberID {
			t.Fatalf("%+q is not in NFC or too long", name)
		}
		for _, r := range name {
			if !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Fatalf("%+q holds %U", name, r)
			}
		}
		for _, other := range []string{in, norm.NFD.String(name), norm.NFC.String(name)} {
			if coalition.Fold(other) != coalition.Fold(name) {
				t.Fatalf("%+q and %+q are two members", other, name)
			}
		}
	})
}

// Cherokee is folded to its capital letters (Unicode's CaseFolding.txt), all
// others to small ones.
func TestFoldCherokee(t *testing.T) {
	t.Parallel()
	for r := rune(0x13A0); r <= 0x13FD; r++ {
		if r == 0x13F6 || r == 0x13F7 { // not assigned
			continue
		}
		folded := coalition.Fold(string(r))
		if again := coalition.Fold(folded); again != folded {
			t.Errorf("%U folds to %+q, which folds to %+q", r, folded, again)
		}
		if small := strings.ToLower(string(r)); coalition.Fold(small) != folded {
			t.Errorf("%U and its small letter are two", r)
		}
	}
}
