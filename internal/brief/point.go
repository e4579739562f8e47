package brief

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/workspace"
)

// Rule is one by which a speaking point is drafted. Its words stand in the message
// files of the pages, and hold references.
type Rule struct {
	ID string
	N  int // the number that decides the plural; -1 where none does
}

// The rules, in the order in which their points are made: what binds us to the
// coalition, where we stand, what moved, what is missing, what we promised, what it
// costs. A rule makes a point only where there is something to say.
const (
	RuleTook     = "took"     // we are one of those who are counted
	RuleTargets  = "targets"  // how many targets are met
	RuleUp       = "up"       // what moved since last year, both ways
	RuleUpAlone  = "upAlone"  // the same where nothing went down
	RuleDown     = "down"     // the same where nothing went up
	RuleStill    = "still"    // the same where nothing moved
	RuleAhead    = "ahead"    // where more than half are surely lower
	RuleGap      = "gap"      // the most urgent gap
	RuleGapAlone = "gapAlone" // the same where how far others are is not known
	RulePromises = "promises" // what became of last year's plan
	RuleMoney    = "money"    // actions that are not paid for
	RulePaid     = "paid"     // all of them are
)

// IsRule reports whether there is a rule of that name.
func IsRule(id string) bool {
	return slices.Contains([]string{RuleTook, RuleTargets, RuleUp, RuleUpAlone, RuleDown, RuleStill, RuleAhead, RuleGap, RuleGapAlone, RulePromises, RuleMoney, RulePaid}, id)
}

// Rules returns those that apply.
func (b *Brief) Rules() []Rule {
	var all []Rule
	add := func(applies bool, id string, n int) {
		if applies {
			all = append(all, Rule{id, n})
		}
	}
	add(b.Release != nil && b.Sealed, RuleTook, b.counted())
	add(b.Targets > 0, RuleTargets, b.TargetsMet)
	switch compared := b.Compared() > 0; {
	case compared && b.Rose > 0 && b.Fell > 0:
		add(true, RuleUp, b.Rose)
	case compared && b.Rose > 0:
		add(true, RuleUpAlone, b.Rose)
	case compared && b.Fell > 0:
		add(true, RuleDown, b.Fell)
	default:
		add(compared, RuleStill, b.Compared())
	}
	add(b.Best != nil, RuleAhead, -1)
	if len(b.Gaps) > 0 {
		further := b.Gaps[0].Band >= 0 && b.Gaps[0].Higher > 0
		add(further, RuleGap, int(b.Gaps[0].Higher))
		add(!further, RuleGapAlone, -1)
	}
	add(len(b.Promises) > 0, RulePromises, b.Promised[StateKept])
	unpaid := b.unpaid()
	add(unpaid > 0, RuleMoney, unpaid)
	add(unpaid == 0 && b.Actions > 0 && b.Funding[assess.FundingUnknown] == 0, RulePaid, b.Actions)
	return all
}

// counted returns how many members stand behind the coalition's numbers.
func (b *Brief) counted() int {
	if b.Release == nil {
		return 0
	}
	return int(b.Release.Participation.Submissions)
}

// unpaid returns how many actions lack money, in part or wholly.
func (b *Brief) unpaid() int { return b.Funding[assess.FundedInPart] + b.Funding[assess.NotFunded] }

// Value is what stands in the place of a reference: a number, or a text in the
// languages that it has.
type Value struct {
	ID     string
	Number int
	Text   framework.Text // nil of a number
}

// Values returns every figure that a speaking point of this brief may refer to, in the
// order in which a person is shown them. What there is nothing of, as a third gap
// where there are two, is not among them; [Known] tells it from what was mistyped.
func (b *Brief) Values() []Value {
	var all []Value
	number := func(id string, n int) { all = append(all, Value{ID: id, Number: n}) }
	text := func(id string, t framework.Text) { all = append(all, Value{ID: id, Text: t}) }
	plain := func(id, s string) { text(id, framework.Text{b.Pack.Languages[0]: s}) }
	plain("member", b.Member)
	plain("cycle", b.Cycle)
	if b.Release != nil {
		plain("coalition", b.Release.Coalition)
		number("counted", b.counted())
		number("members", int(b.Release.Participation.Members))
	}
	number("outcomes", b.Outcomes)
	number("answered", b.Answered)
	number("targets", b.Targets)
	number("targets.met", b.TargetsMet)
	number("targets.below", b.Below)
	if b.Compared() > 0 {
		number("compared", b.Compared())
		number("rose", b.Rose)
		number("fell", b.Fell)
		number("same", b.Same)
	}
	title := func(outcome string) framework.Text {
		o, ok := b.Pack.Outcome(outcome)
		if !ok {
			return nil
		}
		return o.Title
	}
	for i, g := range b.Gaps {
		id := fmt.Sprintf("gap%d.", i+1)
		plain(id+"id", g.Outcome)
		text(id+"title", title(g.Outcome))
		number(id+"level", g.Level)
		number(id+"target", g.Target)
		if g.Band >= 0 {
			number(id+"higher", int(g.Higher))
		}
	}
	if b.Best != nil {
		level, _ := b.Best.Answer.Level.Number()
		plain("best.id", b.Best.Outcome)
		text("best.title", title(b.Best.Outcome))
		number("best.level", level)
		number("best.lower", int(b.Best.Lower))
	}
	if len(b.Promises) > 0 {
		number("promises", len(b.Promises))
		number("promises.kept", b.Promised[StateKept])
		number("promises.underway", b.Promised[StateUnderWay])
		number("promises.late", b.Promised[StateLate])
		number("promises.dropped", b.Promised[StateDropped])
	}
	number("actions", b.Actions)
	number("actions.paid", b.Funding[assess.Funded])
	number("actions.part", b.Funding[assess.FundedInPart])
	number("actions.unpaid", b.Funding[assess.NotFunded])
	number("actions.short", b.unpaid())
	return all
}

// references are the names of all values of any brief.
var references = regexp.MustCompile(`^(member|cycle|coalition|counted|members|outcomes|answered|targets(\.met|\.below)?|compared|rose|fell|same|` +
	`gap[123]\.(id|title|level|target|higher)|best\.(id|title|level|lower)|promises(\.kept|\.underway|\.late|\.dropped)?|actions(\.paid|\.part|\.unpaid|\.short)?)$`)

// Known reports whether some brief has a figure of that name.
func Known(reference string) bool { return references.MatchString(reference) }

// reference is a name in braces.
var reference = regexp.MustCompile(`\{([A-Za-z0-9.]+)\}`)

// Fill puts what value returns in the place of every reference of a text. A reference
// for which it returns false stays as it is, and its name is returned.
func Fill(text string, value func(string) (string, bool)) (filled string, missing []string) {
	filled = reference.ReplaceAllStringFunc(text, func(found string) string {
		name := found[1 : len(found)-1]
		with, ok := value(name)
		if !ok {
			missing = append(missing, name)
			return found
		}
		return with
	})
	return filled, missing
}

// Check refuses, with kind Invalid, points that refer to what no brief has, and points
// that no longer fit on two pages.
func Check(points []workspace.Point) error {
	for i, p := range points {
		for _, found := range reference.FindAllStringSubmatch(p.Text, -1) {
			if !Known(found[1]) {
				return errs.New(errs.Invalid, fmt.Sprintf("speaking point %d refers to %s, which is no figure of a brief", i+1, errs.Quote(found[0])), "choose one of the figures that are listed beside the points")
			}
		}
	}
	return nil
}

// typed is a number that somebody wrote: digits that stand alone, and are neither part
// of a name such as NIS2 or A1.2 nor a year.
var typed = regexp.MustCompile(`(^|[\s(«“"'])[0-9]+([.,][0-9]+)?( ?%|[\s.,;:!?)»”"']|$)`)

// Typed reports whether a point holds a number that was typed: it does not follow when
// the figures change. A year is none.
func Typed(text string) bool {
	text = reference.ReplaceAllString(text, "x")
	return slices.ContainsFunc(typed.FindAllString(text, -1), func(found string) bool {
		digits := strings.Trim(found, " \n\t().,;:!?«»“”\"'")
		return !(len(digits) == 4 && (strings.HasPrefix(digits, "20") || strings.HasPrefix(digits, "19")))
	})
}

// publicStatements are the sentences of a release's method that say what was done and
// how many took part, and nothing of how anybody stands.
var publicStatements = []string{"halves", "opened", "attack"}

// Public returns what of the release may be said in public: its own published words on
// how it was made. It is empty where the release is not to be published.
func (b *Brief) Public() []release.Statement {
	if b.Release == nil || !b.Release.Status.Publishable {
		return nil
	}
	var all []release.Statement
	for _, s := range b.Release.Method {
		if slices.Contains(publicStatements, s.ID) {
			all = append(all, s)
		}
	}
	return all
}
