// Package collective holds what a coalition says of itself: its own networks and
// procedures, assessed once by the coordinator against a pack of their own.
//
// It is no sum of members' answers. Nothing of it was sealed, nothing is held
// back, and disclosure control has nothing to do with it. So it is no release
// but an [Assessment], a signed file that stands beside the releases of a cycle:
// a picture shows it apart, and never in one table with what members said.
//
// [New] makes one from answers, [Parse] reads one strictly. The package is pure.
package collective

import (
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
)

// Kind is the kind of the file.
const Kind = "muster collective v1"

// Assessment is the coalition's answers about itself in one cycle, with
// everything that is needed to show them. As a file it is canonical JSON that the
// coordinator signs as [keys.KindCollective]; docs/spec/collective.md specifies it.
type Assessment struct {
	Kind      string            `json:"kind"`              // [Kind]
	Marking   string            `json:"marking,omitempty"` // "SYNTHETIC" or "REHEARSAL" where that is so
	Coalition string            `json:"coalition"`
	Cycle     string            `json:"cycle"`
	Cohort    string            `json:"cohort"` // whose members may see it
	Framework release.Framework `json:"framework"`
	Scale     release.Scale     `json:"scale"`
	Areas     []Area            `json:"areas"`
}

// Area is an area with its outcomes.
type Area struct {
	ID       string         `json:"id"`
	Title    framework.Text `json:"title"`
	Outcomes []Outcome      `json:"outcomes"`
}

// Outcome is one answer. There is one, so that it is shown as it is.
type Outcome struct {
	ID       string          `json:"id"`
	Title    framework.Text  `json:"title"`
	Question framework.Text  `json:"question"`
	Asked    string          `json:"asked"`    // as in a release, see [release.Asked]
	Level    framework.Level `json:"level"`    // "0" to "4", "na" or "withheld"
	Verified framework.Level `json:"verified"` // what somebody else found, or "none"
	Target   framework.Level `json:"target"`   // "0" to "4" or "none"
	Evidence framework.Grade `json:"evidence"` // "E0" to "E3" or "none"
	Says     framework.Text  `json:"says"`     // the pack's descriptor of that level; empty where there is no level
}

// Answer is what the coordinator says about one outcome.
type Answer struct {
	Level    framework.Level
	Verified framework.Level
	Target   framework.Level
	Evidence framework.Grade
}

// Config is what an assessment is made from.
type Config struct {
	Coalition string
	Cycle     string
	Cohort    string // whose members may see it
	Marking   string
	Pack      *framework.Pack
	Answers   map[string]Answer // by outcome, complete
}

// New returns the assessment. It refuses, with kind Invalid and the outcome's
// name, answers that are missing or that cannot be.
func New(cfg Config) (*Assessment, error) {
	if cfg.Pack == nil {
		return nil, errs.New(errs.Invalid, "an assessment needs its framework", "")
	}
	p := cfg.Pack
	a := &Assessment{
		Kind: Kind, Marking: cfg.Marking, Coalition: cfg.Coalition, Cycle: cfg.Cycle, Cohort: cfg.Cohort,
		Framework: release.Framework{Ref: p.Ref(), Languages: p.Languages, Title: p.Title},
		Scale:     release.Scale{HouseRule: p.Scale.HouseRule, Levels: p.Scale.Levels},
	}
	for i := range p.Areas {
		area := Area{ID: p.Areas[i].ID, Title: p.Areas[i].Title}
		for j := range p.Areas[i].Outcomes {
			o := &p.Areas[i].Outcomes[j]
			answer, ok := cfg.Answers[o.ID]
			if !ok {
				return nil, errs.New(errs.Invalid, "outcome "+o.ID+" has no answer", "")
			}
			asked, err := release.Asked(p, o)
			if err != nil {
				return nil, err
			}
			says := framework.Text{}
			if number, given := answer.Level.Number(); given {
				says = o.Descriptors[number]
			}
			area.Outcomes = append(area.Outcomes, Outcome{
				ID: o.ID, Title: o.Title, Question: o.Question, Asked: asked, Says: says,
				Level: answer.Level, Verified: answer.Verified, Target: answer.Target, Evidence: answer.Evidence,
			})
		}
		a.Areas = append(a.Areas, area)
	}
	if len(cfg.Answers) != len(p.Outcomes()) {
		return nil, errs.New(errs.Invalid, "there are answers to outcomes that the framework does not have", "")
	}
	return a, a.check()
}

// Canonical returns the bytes of the file: RFC 8785 JSON, which the coordinator
// signs.
func (a *Assessment) Canonical() ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	return keys.Canonical(a)
}

// maxSize bounds what [Parse] reads, in bytes.
const maxSize = 16 << 20

// Parse reads an assessment. It accepts the canonical form alone; whether the
// coordinator signed it is for [keys.Verify]. Its errors are of kind Invalid.
func Parse(b []byte) (*Assessment, error) {
	if len(b) > maxSize {
		return nil, invalid("is too large")
	}
	var a Assessment
	if err := keys.DecodeCanonical(b, &a); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the coalition's own assessment cannot be read", "")
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return &a, nil
}

func invalid(what string) error {
	return errs.New(errs.Invalid, "the coalition's own assessment "+what, "")
}

func (a *Assessment) check() error {
	if a.Kind != Kind {
		return invalid("is of kind " + errs.Quote(a.Kind))
	}
	for _, line := range []string{a.Coalition, a.Cycle, a.Cohort, a.Framework.ID, a.Framework.Version} {
		if !framework.ReadableLine(line) {
			return invalid("has a coalition, cycle, cohort or framework that cannot be printed on one line")
		}
	}
	if m := a.Marking; m != "" && m != coalition.MarkingSynthetic && m != coalition.MarkingRehearsal {
		return invalid("has the marking " + errs.Quote(m) + ", which this version does not know")
	}
	if !release.IsDigest(a.Framework.Digest) {
		return invalid("names a framework without its digest")
	}
	languages := a.Framework.Languages
	if err := framework.CheckLanguages(languages); err != nil {
		return err
	}
	if err := a.Framework.Title.Check("the framework's title", languages...); err != nil {
		return err
	}
	if err := a.Scale.Check(languages); err != nil {
		return err
	}
	if len(a.Areas) == 0 {
		return invalid("has no area")
	}
	seen := make(map[string]bool)
	for i := range a.Areas {
		area := &a.Areas[i]
		if !release.IsIdentifier(area.ID) || seen[area.ID] || len(area.Outcomes) == 0 {
			return invalid("has an area without outcomes, twice, or by no proper id: " + errs.Quote(area.ID))
		}
		seen[area.ID] = true
		if err := area.Title.Check("the title of "+area.ID, languages...); err != nil {
			return err
		}
		for j := range area.Outcomes {
			o := &area.Outcomes[j]
			if !release.IsIdentifier(o.ID) || seen[o.ID] {
				return invalid("has an outcome twice or by no proper id: " + errs.Quote(o.ID))
			}
			seen[o.ID] = true
			if err := o.check(languages); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Outcome) check(languages []string) error {
	if err := o.Title.Check("the title of "+o.ID, languages...); err != nil {
		return err
	}
	if err := o.Question.Check("the question of "+o.ID, languages...); err != nil {
		return err
	}
	switch {
	case !release.IsDigest(o.Asked):
		return invalid("has no digest of what " + o.ID + " asks")
	case o.Level == framework.None:
		return invalid("has no level at " + o.ID)
	case o.Target != framework.None && !o.Target.Given():
		return invalid("has a target at " + o.ID + " that is no level")
	}
	if !o.Level.Given() {
		if len(o.Says) > 0 || o.Says == nil {
			return invalid("describes a level at " + o.ID + " that is not given")
		}
		return nil
	}
	return o.Says.Check("what level "+o.Level.String()+" of "+o.ID+" says", languages...)
}
