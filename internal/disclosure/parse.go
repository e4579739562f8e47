package disclosure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// MaxReleaseSize bounds what [ParseRelease] reads, in bytes: the largest layout
// with long titles in several languages stays below it.
const MaxReleaseSize = 16 << 20

// ParseRelease reads release.json. It accepts the canonical form alone, and
// only a release that could have come from the rule that it names: thresholds
// met, the bands of every block its whole chain in order with counts that sum to
// the submissions and none of one or two members. Whoever draws what it returns
// needs no further check; whether the coordinator signed it is for
// [keys.Verify]. Its errors are of kind Invalid.
func ParseRelease(b []byte) (*Release, error) {
	if len(b) > MaxReleaseSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the release has %d bytes", len(b)), fmt.Sprintf("at most %d are read", MaxReleaseSize))
	}
	var r Release
	if err := keys.DecodeCanonical(b, &r); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the release cannot be read", "")
	}
	for _, b := range r.blocks() {
		b.at.subject, b.at.kind = b.subject, b.kind
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return &r, nil
}

func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, "the release "+fmt.Sprintf(format, args...), "")
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check holds the invariants of a release.
func (r *Release) check() error {
	switch {
	case r.Kind != ReleaseKind:
		return invalid("is of kind %s", errs.Quote(r.Kind))
	case r.Rule != RuleFirst:
		return invalid("was made by the rule %s, which this version does not know", errs.Quote(r.Rule))
	case !strings.HasPrefix(r.Status, "NOT PUBLISHABLE: "):
		return invalid("does not say that the first rule is not enough to publish by")
	case !hexDigest.MatchString(r.CharterDigest), !hexDigest.MatchString(r.RosterDigest), !hexDigest.MatchString(r.Framework.Digest):
		return invalid("has a digest that is not 64 lower-case hexadecimal digits")
	case len(r.Areas) == 0:
		return invalid("has no area")
	}
	if err := r.Participation.check(); err != nil {
		return err
	}
	if err := r.Thresholds.check(r.Participation); err != nil {
		return err
	}
	if refuse(r.Participation, r.Thresholds) != nil {
		return invalid("is of too few members: %d of %d, %d of them hosts", r.Participation.Submissions, r.Participation.Members, r.Participation.Hosts)
	}
	if err := r.checkTexts(); err != nil {
		return err
	}
	for _, b := range r.blocks() {
		if err := r.checkBlock(b); err != nil {
			return err
		}
	}
	if r.NotShown == nil || !slices.Equal(r.NotShown, r.notShown()) {
		return invalid("does not list the blocks of which it shows nothing")
	}
	return nil
}

// checkBlock holds that the bands are the whole chain, in order, that each is
// large enough or empty, and that together they count every submission.
func (r *Release) checkBlock(b block) error {
	name := errs.Quote(b.at.Name())
	if b.at.subject != b.subject || b.at.kind != b.kind {
		return invalid("has the block %s in the place of %s", name, errs.Quote(b.subject+"/"+string(b.kind)))
	}
	rest := Chain(b.kind)
	left := uint64(r.Participation.Submissions)
	for _, band := range b.at.bands {
		if n := len(band.Units); n == 0 || n > len(rest) || !slices.Equal(band.Units, rest[:n]) {
			return invalid("has bands in %s that are not its units in order", name)
		}
		rest = rest[len(band.Units):]
		if band.Count > 0 && band.Count < uint64(r.Thresholds.MinimumBand) {
			return invalid("has a band of %d in %s", band.Count, name)
		}
		if band.Count > left {
			return invalid("has counts in %s that do not sum to the %d submissions", name, r.Participation.Submissions)
		}
		left -= band.Count
	}
	if len(rest) != 0 {
		return invalid("has bands in %s that are not its units in order", name)
	}
	if left != 0 {
		return invalid("has counts in %s that do not sum to the %d submissions", name, r.Participation.Submissions)
	}
	return nil
}

// checkTexts holds that every text exists in every language and can be printed
// to a terminal: a release may come from someone else.
func (r *Release) checkTexts() error {
	for _, line := range []struct{ name, text string }{
		{"status", r.Status},
		{"coalition", r.Coalition},
		{"cycle", r.Cycle},
		{"cohort", r.Cohort},
		{"framework id", r.Framework.ID},
		{"framework version", r.Framework.Version},
	} {
		if line.text == "" {
			return invalid("has no %s", line.name)
		}
		if !printable(line.text) || strings.Contains(line.text, "\n") {
			return invalid("has a %s that cannot be printed", line.name)
		}
	}
	if !printable(r.Marking) || strings.Contains(r.Marking, "\n") {
		return invalid("has a marking that cannot be printed")
	}
	languages := r.Framework.Languages
	if len(languages) == 0 {
		return invalid("names no language")
	}
	for i, lang := range languages {
		if lang == "" || !printable(lang) || slices.Contains(languages[:i], lang) {
			return invalid("names the language %s twice or wrongly", errs.Quote(lang))
		}
	}
	if err := checkText("method", r.Method, []string{"en"}); err != nil {
		return err
	}
	if err := checkText("framework title", r.Framework.Title, languages); err != nil {
		return err
	}
	if err := checkText("house rule", r.Scale.HouseRule, languages); err != nil {
		return err
	}
	for i, level := range r.Scale.Levels {
		if err := checkText(fmt.Sprintf("name of level %d", i), level, languages); err != nil {
			return err
		}
	}
	subjects := make(map[string]bool)
	checkSubject := func(id string, title framework.Text) error {
		if subjects[id] || !identifier.MatchString(id) {
			return invalid("has the area or outcome %s twice or by no proper id", errs.Quote(id))
		}
		subjects[id] = true
		return checkText("title of "+id, title, languages)
	}
	for i := range r.Areas {
		area := &r.Areas[i]
		if err := checkSubject(area.ID, area.Title); err != nil {
			return err
		}
		if len(area.Outcomes) == 0 {
			return invalid("has no outcome in %s", area.ID)
		}
		for j := range area.Outcomes {
			if err := checkSubject(area.Outcomes[j].ID, area.Outcomes[j].Title); err != nil {
				return err
			}
		}
	}
	return nil
}

// identifier is the form of ids of areas and outcomes: what can stand in a table.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

func checkText(name string, text framework.Text, languages []string) error {
	for _, lang := range languages {
		if text[lang] == "" {
			return invalid("has no %s in %s", name, errs.Quote(lang))
		}
	}
	for lang, s := range text {
		if !printable(s) {
			return invalid("has a %s in %s that cannot be printed", name, errs.Quote(lang))
		}
	}
	return nil
}

// printable reports whether s is valid UTF-8 without the characters that a
// terminal obeys instead of showing: control characters but the line feed, and
// those that hide text or change its direction. A pack holds none of them.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case r == '\n':
			return false
		case unicode.IsControl(r), r == 0x200B, r == 0x2060, r == 0xFEFF, r == 0x2028, r == 0x2029:
			return true
		}
		return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r >= 0xE0000 && r <= 0xE007F
	})
}
