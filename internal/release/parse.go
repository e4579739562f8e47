package release

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// MaxSize bounds what [Parse] reads, in bytes: the largest layout
// with long titles in several languages stays below it.
const MaxSize = 16 << 20

// Parse reads release.json. It accepts the canonical form alone, and
// only a release that could have come from the rule that it names: thresholds
// met, the bands of every block its whole chain in order with counts that sum to
// the submissions and none below the rule's least. Whoever draws what it returns
// needs no further check; whether the coordinator signed it is for
// [keys.Verify]. Its errors are of kind Invalid.
//
// A file of the provisional form, [KindV1], reads as a release that is
// not publishable: it may have been shown, so that what it says counts as known.
func Parse(b []byte) (*Release, error) {
	if len(b) > MaxSize {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the release has %d bytes", len(b)), fmt.Sprintf("at most %d are read", MaxSize))
	}
	var form struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(b, &form); err == nil && form.Kind == KindV1 {
		return parseV1(b)
	}
	var r Release
	if err := keys.DecodeCanonical(b, &r); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the release cannot be read", "")
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
	if r.Kind != Kind {
		return invalid("is of kind %s", errs.Quote(r.Kind))
	}
	if err := r.checkFigures(); err != nil {
		return err
	}
	if err := r.checkContext(); err != nil {
		return err
	}
	if err := r.checkTexts(); err != nil {
		return err
	}
	return r.checkReasons()
}

// checkFigures holds what makes a release more than a file of numbers: enough
// members behind it, and bands that its rule could have made.
func (r *Release) checkFigures() error {
	switch {
	case !hexDigest.MatchString(r.CharterDigest), !hexDigest.MatchString(r.RosterDigest), !hexDigest.MatchString(r.Framework.Digest):
		return invalid("has a digest that is not 64 lower-case hexadecimal digits")
	case len(r.Areas) == 0:
		return invalid("has no area")
	}
	if err := disclosure.Check(r.Participation, r.Thresholds); err != nil {
		if refusal, ok := errors.AsType[*disclosure.Refusal](err); ok {
			return invalid("is of too few members: %s", refusal)
		}
		return err
	}
	if err := r.checkRule(); err != nil {
		return err
	}
	for _, b := range r.blocks() {
		accepted, err := disclosure.Accept(*b.at, b.subject, b.kind, r.Participation.Submissions, r.Rule.MinimumBand)
		if err != nil {
			return errs.New(errs.Invalid, fmt.Sprintf("in the release %s %s", errs.Quote(b.name()), errs.Describe(err).Message), "")
		}
		*b.at = accepted
	}
	return nil
}

// checkRule holds that the rule is known, with parameters that it could have.
func (r *Release) checkRule() error {
	rule, p := r.Rule, r.Participation
	switch {
	case rule.ID != RuleFirst:
		return invalid("was made by the rule %s, which this version does not know", errs.Quote(rule.ID))
	case rule != Rule{ID: RuleFirst, MinimumBand: disclosure.MinimumBand}:
		return invalid("gives the rule %s other parameters than it has", errs.Quote(rule.ID))
	case rule.Opened < 0 || rule.Opened > p.Submissions:
		return invalid("has %d members that opened answers, of %d", rule.Opened, p.Submissions)
	}
	return nil
}

// checkContext holds what the release says around its figures: hosts, days,
// groups, members that joined or left, and what was shown before.
func (r *Release) checkContext() error {
	if len(r.HostedBy) != 2 || coalition.Fold(string(r.HostedBy[0])) == coalition.Fold(string(r.HostedBy[1])) {
		return invalid("does not name two hosts")
	}
	for _, host := range r.HostedBy {
		if id, err := coalition.ParseMemberID(string(host)); err != nil || id != host {
			return invalid("names the host %s, which is no member name", errs.Quote(string(host)))
		}
	}
	if err := r.Calendar.check(); err != nil {
		return err
	}
	p := r.Participation
	if m := r.Turnover; m != nil && (m.Joined < 0 || m.Joined > p.Submissions || m.Left < 0 || m.Left > maxCount) {
		return invalid("has %d members that joined and %d that left, and %d that are counted", m.Joined, m.Left, p.Submissions)
	}
	own := false
	for i, g := range r.Groups {
		if slices.ContainsFunc(r.Groups[:i], func(other Group) bool { return other.Cohort == g.Cohort }) {
			return invalid("lists the group %s twice", errs.Quote(g.Cohort))
		}
		if g.Members < 0 || g.Members > maxCount {
			return invalid("has a group of %d members", g.Members)
		}
		if g.Cohort == r.Cohort {
			own = g.Dropped == "" && g.Members == p.Submissions
		}
	}
	if !own {
		return invalid("is not of one of the groups that it lists as released, with the members that it counts")
	}
	if r.History == nil {
		return invalid("has null in place of a list")
	}
	for i, e := range r.History {
		if !hexDigest.MatchString(e.Release) {
			return invalid("names an earlier release by something that is no digest")
		}
		if i > 0 && !r.History[i-1].before(e) {
			return invalid("lists earlier releases twice or out of order")
		}
	}
	return nil
}

func (c Calendar) check() error {
	if c.Postponed == nil {
		return invalid("has null in place of a list")
	}
	if c.Opens < 0 || c.Deadline <= c.Opens || c.Deadline >= maxTime {
		return invalid("does not open before its deadline")
	}
	last := c.Opens
	for _, p := range c.Postponed {
		if p.Deadline <= last || strings.TrimSpace(p.Reason) == "" || !printable(p.Reason) {
			return invalid("has a postponement without a reason, or to an earlier day")
		}
		last = p.Deadline
	}
	if len(c.Postponed) > 0 && last != c.Deadline {
		return invalid("has another deadline than that of its last postponement")
	}
	return nil
}

// maxCount keeps every count an exact number in JSON.
const maxCount = 1 << 31

// maxTime keeps times exact in JSON; it lies some centuries ahead.
const maxTime = 1 << 36

// before orders earlier releases.
func (e Earlier) before(other Earlier) bool {
	return cmp.Or(
		strings.Compare(e.Cycle, other.Cycle), strings.Compare(e.Cohort, other.Cohort),
		strings.Compare(e.Framework, other.Framework), strings.Compare(e.Release, other.Release),
	) < 0
}

// checkReasons holds that the release says of everything that it does not show
// why, in words, and of nothing else.
func (r *Release) checkReasons() error {
	if r.NotShown == nil || !slices.Equal(r.NotShown, r.notShown()) {
		return invalid("does not list the blocks of which it shows nothing, with the reasons that they have")
	}
	if want := r.status(); r.Status.Publishable != want.Publishable || r.Status.Reasons == nil || !slices.Equal(r.Status.Reasons, want.Reasons) {
		return invalid("has another status than its rule and its marking give")
	}
	given := r.given()
	if len(given) != len(r.Reasons) {
		return invalid("gives words for other reasons than it has")
	}
	for _, reason := range given {
		words, ok := r.Reasons[reason]
		if !ok || reason.Words() == nil {
			return invalid("gives the reason %s without words or without knowing it", errs.Quote(string(reason)))
		}
		if err := checkText("reason "+string(reason), words, ownLanguages()); err != nil {
			return err
		}
	}
	return nil
}

// ownLanguages are those of every sentence that muster writes into a release.
func ownLanguages() []string { return []string{"en", "fr"} }

// checkTexts holds that every text exists in every language and can be printed
// to a terminal: a release may come from someone else.
func (r *Release) checkTexts() error {
	for _, line := range []struct{ name, text string }{
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
	for _, g := range r.Groups {
		if g.Cohort == "" || !printable(g.Cohort) || strings.Contains(g.Cohort, "\n") {
			return invalid("lists a group without a name that can be printed")
		}
	}
	for _, e := range r.History {
		for _, text := range []string{e.Cycle, e.Cohort, e.Framework} {
			if text == "" || !printable(text) || strings.Contains(text, "\n") {
				return invalid("names an earlier release by words that cannot be printed")
			}
		}
	}
	if m := r.Turnover; m != nil && (m.Since == "" || !printable(m.Since) || strings.Contains(m.Since, "\n")) {
		return invalid("compares with a cycle without a name that can be printed")
	}
	if m := r.Marking; m != "" && m != coalition.MarkingSynthetic && m != coalition.MarkingRehearsal {
		return invalid("has the marking %s, which this version does not know", errs.Quote(m))
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
	if len(r.Method) == 0 {
		return invalid("does not say how it was made")
	}
	for i, statement := range r.Method {
		if !identifier.MatchString(statement.ID) || slices.ContainsFunc(r.Method[:i], func(other Statement) bool { return other.ID == statement.ID }) {
			return invalid("has the sentence %s twice or by no proper id", errs.Quote(statement.ID))
		}
		if err := checkText("sentence "+statement.ID, statement.Text, ownLanguages()); err != nil {
			return err
		}
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
			o := &area.Outcomes[j]
			if err := checkSubject(o.ID, o.Title); err != nil {
				return err
			}
			if r.Kind == KindV1 { // knew neither
				continue
			}
			if err := checkText("question of "+o.ID, o.Question, languages); err != nil {
				return err
			}
			if !hexDigest.MatchString(o.Asked) {
				return invalid("has a digest that is not 64 lower-case hexadecimal digits")
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
