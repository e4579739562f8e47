package release

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

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
			return inRelease(errs.New(errs.Invalid, errs.Quote(b.name())+" "+errs.Describe(err).Message, ""))
		}
		*b.at = accepted
	}
	return nil
}

// checkRule holds that the rule is known, with parameters that it could have.
func (r *Release) checkRule() error {
	rule, p := r.Rule, r.Participation
	if r.Kind == KindV1 {
		if rule != (Rule{ID: RuleFirst, MinimumBand: disclosure.MinimumBand}) {
			return invalid("was made by the rule %s, which its form does not know", errs.Quote(rule.ID))
		}
		return nil
	}
	if rule.ID != RuleCuts {
		return invalid("was made by the rule %s, which this version does not know", errs.Quote(rule.ID))
	}
	if rule.Colluders < 0 || rule.Colluders > p.Submissions || rule.Opened < 0 || rule.Opened > p.Submissions-p.Hosts {
		return invalid("reckons with %d colluders and %d members that opened answers, of %d", rule.Colluders, rule.Opened, p.Submissions)
	}
	applied := disclosure.Rule{Hosts: p.Hosts, Colluders: rule.Colluders, Opened: rule.Opened}
	if rule.Known != applied.Known() || rule.MinimumBand != applied.Least() {
		return invalid("counts %d members as known and has bands of %d: with its hosts and colluders these are %d and %d",
			rule.Known, rule.MinimumBand, applied.Known(), applied.Least())
	}
	for _, b := range r.blocks() {
		if r.held(b.kind) && b.at.Shown() {
			return invalid("shows %s, which its rule holds back", errs.Quote(b.name()))
		}
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
		if i > 0 && r.History[i-1].compare(e) >= 0 {
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
		if p.Deadline <= last || strings.TrimSpace(p.Reason) == "" || !framework.Readable(p.Reason) {
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

// compare orders earlier releases as the file lists them.
func (e Earlier) compare(other Earlier) int {
	return cmp.Or(
		strings.Compare(e.Cycle, other.Cycle), strings.Compare(e.Cohort, other.Cohort),
		strings.Compare(e.Framework, other.Framework), strings.Compare(e.Release, other.Release),
	)
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
		if err := words.Check("the reason "+string(reason), ownLanguages()...); err != nil {
			return inRelease(err)
		}
	}
	return nil
}

// ownLanguages are those of every sentence that muster writes into a release.
func ownLanguages() []string { return []string{"en", "fr"} }

// checkTexts holds that every text exists in every language and can be printed
// to a terminal: a release may come from someone else.
func (r *Release) checkTexts() error {
	for _, line := range r.lines() {
		if !framework.ReadableLine(line.text) {
			return invalid("has no %s, or one that cannot be printed on one line", line.name)
		}
	}
	if m := r.Marking; m != "" && m != coalition.MarkingSynthetic && m != coalition.MarkingRehearsal {
		return invalid("has the marking %s, which this version does not know", errs.Quote(m))
	}
	languages := r.Framework.Languages
	if err := framework.CheckLanguages(languages); err != nil {
		return inRelease(err)
	}
	if len(r.Method) == 0 {
		return invalid("does not say how it was made")
	}
	for i, statement := range r.Method {
		if !identifier.MatchString(statement.ID) || slices.ContainsFunc(r.Method[:i], func(other Statement) bool { return other.ID == statement.ID }) {
			return invalid("has the sentence %s twice or by no proper id", errs.Quote(statement.ID))
		}
		if err := statement.Text.Check("the sentence "+statement.ID, ownLanguages()...); err != nil {
			return inRelease(err)
		}
	}
	if err := r.Scale.Check(languages); err != nil {
		return inRelease(err)
	}
	if err := r.Framework.Title.Check("the framework's title", languages...); err != nil {
		return inRelease(err)
	}
	return r.checkSubjects(languages)
}

// lines returns every text of one line that the release cannot do without.
func (r *Release) lines() []struct{ name, text string } {
	type line = struct{ name, text string }
	lines := []line{
		{"coalition", r.Coalition},
		{"cycle", r.Cycle},
		{"cohort", r.Cohort},
		{"framework id", r.Framework.ID},
		{"framework version", r.Framework.Version},
	}
	for _, g := range r.Groups {
		lines = append(lines, line{"name of a group", g.Cohort})
	}
	for _, e := range r.History {
		lines = append(lines, line{"cycle of an earlier release", e.Cycle}, line{"cohort of an earlier release", e.Cohort}, line{"framework of an earlier release", e.Framework})
	}
	if r.Turnover != nil {
		lines = append(lines, line{"cycle to compare with", r.Turnover.Since})
	}
	return lines
}

// checkSubjects holds that areas and outcomes are named once, with their texts.
func (r *Release) checkSubjects(languages []string) error {
	subjects := make(map[string]bool)
	check := func(id string, title framework.Text) error {
		if subjects[id] || !identifier.MatchString(id) {
			return invalid("has the area or outcome %s twice or by no proper id", errs.Quote(id))
		}
		subjects[id] = true
		return inRelease(title.Check("the title of "+id, languages...))
	}
	for i := range r.Areas {
		area := &r.Areas[i]
		if err := check(area.ID, area.Title); err != nil {
			return err
		}
		if len(area.Outcomes) == 0 {
			return invalid("has no outcome in %s", area.ID)
		}
		for j := range area.Outcomes {
			o := &area.Outcomes[j]
			if err := check(o.ID, o.Title); err != nil {
				return err
			}
			if r.Kind == KindV1 { // knew neither
				continue
			}
			if err := o.Question.Check("the question of "+o.ID, languages...); err != nil {
				return inRelease(err)
			}
			if !hexDigest.MatchString(o.Asked) {
				return invalid("has a digest that is not 64 lower-case hexadecimal digits")
			}
		}
	}
	return nil
}

// Check holds that house rule and levels are there in every language.
func (s Scale) Check(languages []string) error {
	if err := s.HouseRule.Check("the house rule", languages...); err != nil {
		return err
	}
	for i, level := range s.Levels {
		if err := level.Check(fmt.Sprintf("the name of level %d", i), languages...); err != nil {
			return err
		}
	}
	return nil
}

// inRelease says of an error that it is the release's; nil stays nil.
func inRelease(err error) error {
	if err == nil {
		return nil
	}
	return errs.New(errs.Invalid, "in the release "+errs.Describe(err).Message, "")
}

// IsDigest reports whether s is a SHA-256 as muster's files write it: 64
// lower-case hexadecimal digits.
func IsDigest(s string) bool { return hexDigest.MatchString(s) }

// IsIdentifier reports whether s can be the id of an area or outcome: up to 32
// letters, digits, dots, underscores and hyphens, a letter or digit first.
func IsIdentifier(s string) bool { return identifier.MatchString(s) }

// identifier is the form of ids of areas and outcomes: what can stand in a table.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)
