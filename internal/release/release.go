// Package release is release.json: what a cohort's cycle shows of its members'
// answers, in the form in which it is signed, logged, read and drawn.
//
// [New] makes a [Release] of totals: package disclosure decides what of them may
// be shown, and this package puts around it what a reader needs to judge it: who
// took part, what is not shown and why, what was done, in words. [Parse] reads a
// release strictly, of any version. Whoever draws a picture draws it from a
// Release alone, which holds bands and no totals.
//
// The package is pure: it reads no file and no clock, and the same input gives
// the same bytes.
package release

import (
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/keys"
)

// The kinds of release files. [KindV1] was the provisional form: it is read
// and never written.
const (
	Kind   = "muster release v2"
	KindV1 = "muster release v1"
)

// The rules by name.
const (
	RuleCuts  = "cuts"  // [disclosure.Rule]
	RuleFirst = "first" // that of the provisional form: bands of three, no gate
)

// Release is what a cohort's cycle shows of its members' answers, and everything
// that is needed to draw it. As a file, release.json, it is canonical JSON that
// the coordinator signs as [keys.KindRelease]; docs/spec/release.md specifies it.
//
// Its counts are [disclosure.BandedBlock]s: bands, never totals of single buckets.
type Release struct {
	Kind          string                    `json:"kind"` // [Kind]
	Status        Status                    `json:"status"`
	Marking       string                    `json:"marking,omitempty"` // "SYNTHETIC" or "REHEARSAL" where that is so
	Coalition     string                    `json:"coalition"`
	Cycle         string                    `json:"cycle"`
	Cohort        string                    `json:"cohort"`
	HostedBy      []coalition.MemberID      `json:"hosted_by"` // Leader, Helper
	Calendar      Calendar                  `json:"calendar"`
	Framework     Framework                 `json:"framework"`
	CharterDigest string                    `json:"charter_digest"` // hex SHA-256 of the charter
	RosterDigest  string                    `json:"roster_digest"`  // hex SHA-256 of the roster as last amended
	Participation disclosure.Participation  `json:"participation"`
	Turnover      *Turnover                 `json:"turnover,omitempty"` // absent if no earlier release of the cohort is known
	Groups        []Group                   `json:"groups"`             // every group of the charter of which a release was planned
	Thresholds    disclosure.Thresholds     `json:"thresholds"`
	Rule          Rule                      `json:"rule"`
	History       []Earlier                 `json:"history"` // what was shown before and counted as known
	Method        []Statement               `json:"method"`  // what was done, sentence by sentence
	Scale         Scale                     `json:"scale"`
	Areas         []Area                    `json:"areas"`
	NotShown      []NotShown                `json:"not_shown"` // in the order of the areas
	Reasons       map[Reason]framework.Text `json:"reasons"`   // the words of every reason that occurs
}

// Status says whether the release may be shown to its readers.
type Status struct {
	Publishable bool     `json:"publishable"`
	Reasons     []Reason `json:"reasons"` // why not; none where it may
}

// Calendar is when the cycle was open, in seconds since 1970.
type Calendar struct {
	Opens     int64          `json:"opens"`
	Deadline  int64          `json:"deadline"`  // in force, after all postponements
	Postponed []Postponement `json:"postponed"` // in order
}

// Postponement is one addendum to the charter.
type Postponement struct {
	Deadline int64  `json:"deadline"` // the later one
	Reason   string `json:"reason"`   // as coordinator and hosts gave it
}

// Turnover is how the members that are counted differ from those of the earlier
// release of the same cohort: as numbers, never names.
type Turnover struct {
	Since  string `json:"since"`  // the cycle of the earlier release
	Joined int    `json:"joined"` // counted now and not then
	Left   int    `json:"left"`   // counted then and not now
}

// Group is a cohort of the charter of which a release was planned, and what the
// audit of all rosters together decided about it.
type Group struct {
	Cohort  string `json:"cohort"`
	Members int    `json:"members"`           // counted
	Dropped Reason `json:"dropped,omitempty"` // why it is not released
}

// Rule is the rule that was applied, with its parameters.
type Rule struct {
	ID          string                `json:"id"`
	MinimumBand int                   `json:"minimum_band"` // members of a band that is not empty
	Known       int                   `json:"known"`        // members whose answers somebody may know: hosts of the cohort, one reader, colluders, those that opened theirs
	Colluders   int                   `json:"colluders"`    // of these, members that tell each other their answers
	Opened      int                   `json:"opened"`       // of these, members that showed answers to others by choice
	Prefer      disclosure.Preference `json:"prefer"`       // which of two blocks that follow from each other is shown
}

// Earlier is a release that had been made before, of whatever cycle and cohort.
type Earlier struct {
	Cycle     string `json:"cycle"`
	Cohort    string `json:"cohort"`
	Framework string `json:"framework"` // id of the pack
	Release   string `json:"release"`   // hex SHA-256 of its file
}

// Framework is the pack that was used, with what a reader calls it by.
type Framework struct {
	framework.Ref
	Languages []string       `json:"languages"` // of every text of the pack, the first is the default
	Title     framework.Text `json:"title"`
}

// Scale is the meaning of the levels, printed with every picture.
type Scale struct {
	HouseRule framework.Text                        `json:"house_rule"`
	Levels    [framework.Descriptors]framework.Text `json:"levels"` // level 0 first
}

// Area is the blocks of an area and its outcomes.
type Area struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Lowest   disclosure.BandedBlock `json:"lowest"` // the lowest level that a member gave in the area
	Change   disclosure.BandedBlock `json:"change"` // the area against the previous cycle
	Outcomes []Outcome              `json:"outcomes"`
}

// Outcome is the blocks of an outcome.
type Outcome struct {
	ID       string                 `json:"id"`
	Title    framework.Text         `json:"title"`
	Question framework.Text         `json:"question"`
	Asked    string                 `json:"asked"` // what was asked, see [Asked]; two outcomes may be compared if it is the same
	Level    disclosure.BandedBlock `json:"level"`
	Verified disclosure.BandedBlock `json:"verified"`
	Target   disclosure.BandedBlock `json:"target"`
	Gap      disclosure.BandedBlock `json:"gap"`
	Evidence disclosure.BandedBlock `json:"evidence"`
}

// NotShown says of which block nothing is shown, and why.
type NotShown struct {
	Block  string `json:"block"` // its name in the layout
	Reason Reason `json:"reason"`
}

// Asked returns the hex SHA-256 of what an outcome asks: question, measure and
// descriptors, in the pack's first language. A framework may keep an id and ask
// something else under it, so levels of two years stand side by side only where
// this is equal.
func Asked(p *framework.Pack, o *framework.Outcome) (string, error) {
	lang := p.Languages[0]
	texts := []string{o.Question.In(lang), o.Measure.In(lang)}
	for _, d := range o.Descriptors {
		texts = append(texts, d.In(lang))
	}
	b, err := keys.Canonical(texts)
	return keys.Digest(b), err
}

// block is a block of a release with its place.
type block struct {
	subject string
	kind    framework.Kind
	at      *disclosure.BandedBlock
}

// name returns the block's name in the layout.
func (b block) name() string { return b.subject + "/" + string(b.kind) }

// blocks returns the area's own blocks in layout order.
func (a *Area) blocks() []block {
	return []block{{a.ID, framework.KindLowest, &a.Lowest}, {a.ID, framework.KindChange, &a.Change}}
}

// blocks returns the outcome's blocks in layout order.
func (o *Outcome) blocks() []block {
	return []block{
		{o.ID, framework.KindLevel, &o.Level},
		{o.ID, framework.KindVerified, &o.Verified},
		{o.ID, framework.KindTarget, &o.Target},
		{o.ID, framework.KindGap, &o.Gap},
		{o.ID, framework.KindEvidence, &o.Evidence},
	}
}

// blocks returns every block of the release: of each area its own, then those
// of its outcomes.
func (r *Release) blocks() []block {
	var all []block
	for i := range r.Areas {
		all = append(all, r.Areas[i].blocks()...)
		for j := range r.Areas[i].Outcomes {
			all = append(all, r.Areas[i].Outcomes[j].blocks()...)
		}
	}
	return all
}
