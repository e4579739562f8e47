package disclosure

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// The fixed texts of a release.
const (
	ReleaseKind = "muster release v1"

	// RuleFirst names the rule of [FirstRule].
	RuleFirst = "first"

	// Status stands in every release of the first rule, which no attack has examined.
	Status = "NOT PUBLISHABLE: nobody has yet tried to work out one member's answers from these numbers"

	// TooFew is why a block is not shown, in the words that a page uses.
	TooFew = "too few to show without pointing at someone"
)

// Release is what a cohort's cycle shows of its members' answers, and everything
// that is needed to draw it. As a file, release.json, it is canonical JSON that
// the coordinator signs as [keys.KindRelease]; docs/spec/release.md specifies it.
//
// Its counts are [BandedBlock]s: bands, never totals of single buckets.
type Release struct {
	Kind          string         `json:"kind"`              // [ReleaseKind]
	Status        string         `json:"status"`            // what it may be used for, begins "NOT PUBLISHABLE"
	Marking       string         `json:"marking,omitempty"` // "SYNTHETIC" or "REHEARSAL" where that is so
	Coalition     string         `json:"coalition"`
	Cycle         string         `json:"cycle"`
	Cohort        string         `json:"cohort"`
	Framework     Framework      `json:"framework"`
	CharterDigest string         `json:"charter_digest"` // hex SHA-256 of the charter
	RosterDigest  string         `json:"roster_digest"`  // hex SHA-256 of the roster
	Participation Participation  `json:"participation"`
	Thresholds    Thresholds     `json:"thresholds"`
	Rule          string         `json:"rule"`   // [RuleFirst]
	Method        framework.Text `json:"method"` // the rule as it was applied, in plain words
	Scale         Scale          `json:"scale"`
	Areas         []Area         `json:"areas"`
	NotShown      []NotShown     `json:"not_shown"` // in the order of the areas
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
	ID       string         `json:"id"`
	Title    framework.Text `json:"title"`
	Lowest   BandedBlock    `json:"lowest"` // the lowest level that a member gave in the area
	Change   BandedBlock    `json:"change"` // the area against the previous cycle
	Outcomes []Outcome      `json:"outcomes"`
}

// Outcome is the blocks of an outcome.
type Outcome struct {
	ID       string         `json:"id"`
	Title    framework.Text `json:"title"`
	Level    BandedBlock    `json:"level"`
	Verified BandedBlock    `json:"verified"`
	Target   BandedBlock    `json:"target"`
	Gap      BandedBlock    `json:"gap"`
	Evidence BandedBlock    `json:"evidence"`
}

// NotShown says of which block nothing is shown, and why.
type NotShown struct {
	Block  string `json:"block"` // its name in the layout
	Reason string `json:"reason"`
}

// block is a block of a release with its place.
type block struct {
	subject string
	kind    framework.Kind
	at      *BandedBlock
}

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

// ReleaseConfig is what a release is made from.
type ReleaseConfig struct {
	Coalition     string
	Cycle         string
	Cohort        string
	Marking       string // such as "SYNTHETIC" or "REHEARSAL"; may be empty
	Pack          *framework.Pack
	Totals        Totals // by the layout of Pack
	Participation Participation

	// The charter's thresholds; zero means the least that every coalition has.
	MinimumBatch   int
	ReleaseMinimum int

	CharterDigest string // hex SHA-256
	RosterDigest  string // hex SHA-256, of the roster as last amended
}

// NewRelease applies the first rule and returns the release. It refuses as
// [FirstRule] does, a [*Refusal] where too few took part, and with kind Invalid
// where the parts do not fit each other.
func NewRelease(cfg ReleaseConfig) (*Release, error) {
	if cfg.Pack == nil {
		return nil, errs.New(errs.Invalid, "a release needs the framework of its totals", "")
	}
	layout, err := framework.NewLayout(cfg.Pack)
	if err != nil {
		return nil, err
	}
	if cfg.Totals.Layout == nil || cfg.Totals.Layout.Digest() != layout.Digest() {
		return nil, errs.New(errs.Invalid, "the totals are of another layout than that of "+cfg.Pack.ID+" "+cfg.Pack.Version, "")
	}
	thresholds := Thresholds{MinimumBatch: cfg.MinimumBatch, ReleaseMinimum: cfg.ReleaseMinimum, MinimumBand: MinimumBand}
	if thresholds.MinimumBatch == 0 {
		thresholds.MinimumBatch = coalition.MinimumBatch(cfg.Participation.Members)
	}
	if thresholds.ReleaseMinimum == 0 {
		thresholds.ReleaseMinimum = coalition.ReleaseMinimum
	}
	blocks, err := FirstRule(cfg.Totals, cfg.Participation, thresholds)
	if err != nil {
		return nil, err
	}
	r := newRelease(cfg.Pack, blocks)
	r.Coalition, r.Cycle, r.Cohort, r.Marking = cfg.Coalition, cfg.Cycle, cfg.Cohort, cfg.Marking
	r.CharterDigest, r.RosterDigest = cfg.CharterDigest, cfg.RosterDigest
	r.Participation, r.Thresholds = cfg.Participation, thresholds
	r.Method = method(thresholds)
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

// newRelease returns the part of a release that shows something. It sees bands
// and no totals.
func newRelease(p *framework.Pack, blocks []BandedBlock) *Release {
	byName := make(map[string]BandedBlock, len(blocks))
	for _, b := range blocks {
		byName[b.Name()] = b
	}
	r := &Release{
		Kind:      ReleaseKind,
		Status:    Status,
		Framework: Framework{Ref: p.Ref(), Languages: slices.Clone(p.Languages), Title: p.Title},
		Rule:      RuleFirst,
		Scale:     Scale{HouseRule: p.Scale.HouseRule, Levels: p.Scale.Levels},
	}
	for i := range p.Areas {
		area := Area{ID: p.Areas[i].ID, Title: p.Areas[i].Title}
		for j := range p.Areas[i].Outcomes {
			o := &p.Areas[i].Outcomes[j]
			area.Outcomes = append(area.Outcomes, Outcome{ID: o.ID, Title: o.Title})
		}
		r.Areas = append(r.Areas, area)
	}
	for _, b := range r.blocks() {
		*b.at = byName[b.subject+"/"+string(b.kind)]
	}
	r.NotShown = r.notShown()
	return r
}

// notShown returns which blocks say nothing.
func (r *Release) notShown() []NotShown {
	list := []NotShown{} // an empty list in the file, not null
	for _, b := range r.blocks() {
		if !b.at.Shown() {
			list = append(list, NotShown{Block: b.at.Name(), Reason: TooFew})
		}
	}
	return list
}

// method returns the rule as applied, in plain words.
func method(t Thresholds) framework.Text {
	return framework.Text{"en": fmt.Sprintf(
		"Each member's answers were split into two locked halves, one for each host, which were added up without being joined "+
			"and opened only because at least %d members took part. "+
			"Neighbouring levels are shown together wherever one or two members would otherwise stand alone, "+
			"so that every group that is shown has at least %d members or none; "+
			"nothing is shown of fewer than %d members besides the hosts.",
		t.MinimumBatch, t.MinimumBand, t.ReleaseMinimum)}
}

// Canonical returns the bytes of release.json: RFC 8785 JSON, which the
// coordinator signs.
func (r *Release) Canonical() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return keys.Canonical(r)
}
