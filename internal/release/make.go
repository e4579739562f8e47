package release

import (
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// Config is what a release is made from.
type Config struct {
	Coalition     string
	Cycle         string
	Cohort        string
	Marking       string // such as "SYNTHETIC" or "REHEARSAL"; may be empty
	HostedBy      [2]coalition.MemberID
	Calendar      Calendar
	Pack          *framework.Pack
	Totals        disclosure.Totals // by the layout of Pack
	Participation disclosure.Participation
	Turnover      *Turnover // nil if no earlier release of the cohort is known
	Groups        []Group   // nil: the cohort alone
	History       []Earlier

	// The charter's thresholds; zero means the least that every coalition has.
	MinimumBatch   int
	ReleaseMinimum int

	CharterDigest string // hex SHA-256
	RosterDigest  string // hex SHA-256, of the roster as last amended
}

// New applies the first rule and returns the release. It refuses as
// [disclosure.FirstRule] does, a [*disclosure.Refusal] where too few took part, and with kind Invalid
// where the parts do not fit each other.
func New(cfg Config) (*Release, error) {
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
	thresholds := disclosure.Thresholds{MinimumBatch: cfg.MinimumBatch, ReleaseMinimum: cfg.ReleaseMinimum}
	if thresholds.MinimumBatch == 0 {
		thresholds.MinimumBatch = coalition.MinimumBatch(cfg.Participation.Members)
	}
	if thresholds.ReleaseMinimum == 0 {
		thresholds.ReleaseMinimum = coalition.ReleaseMinimum
	}
	blocks, err := disclosure.FirstRule(cfg.Totals, cfg.Participation, thresholds)
	if err != nil {
		return nil, err
	}
	r, err := newRelease(cfg.Pack, blocks)
	if err != nil {
		return nil, err
	}
	r.Coalition, r.Cycle, r.Cohort, r.Marking = cfg.Coalition, cfg.Cycle, cfg.Cohort, cfg.Marking
	r.HostedBy, r.Calendar = cfg.HostedBy[:], cfg.Calendar
	r.CharterDigest, r.RosterDigest = cfg.CharterDigest, cfg.RosterDigest
	r.Participation, r.Turnover, r.Thresholds = cfg.Participation, cfg.Turnover, thresholds
	r.Rule = Rule{ID: RuleFirst, MinimumBand: disclosure.MinimumBand}
	r.Groups = cfg.Groups
	if r.Groups == nil {
		r.Groups = []Group{{Cohort: r.Cohort, Members: r.Participation.Submissions}}
	}
	if r.History = slices.Clone(cfg.History); r.History == nil {
		r.History = []Earlier{} // an empty list in the file, not null
	}
	if r.Calendar.Postponed == nil {
		r.Calendar.Postponed = []Postponement{}
	}
	r.Status = r.status()
	r.NotShown = r.notShown()
	r.Method = r.method()
	r.Reasons = r.reasons()
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

// newRelease returns the part of a release that shows something. It sees bands
// and no totals.
func newRelease(p *framework.Pack, blocks []disclosure.BandedBlock) (*Release, error) {
	byName := make(map[string]disclosure.BandedBlock, len(blocks))
	for _, b := range blocks {
		byName[b.Name()] = b
	}
	r := &Release{
		Kind:      Kind,
		Framework: Framework{Ref: p.Ref(), Languages: slices.Clone(p.Languages), Title: p.Title},
		Scale:     Scale{HouseRule: p.Scale.HouseRule, Levels: p.Scale.Levels},
	}
	for i := range p.Areas {
		area := Area{ID: p.Areas[i].ID, Title: p.Areas[i].Title}
		for j := range p.Areas[i].Outcomes {
			o := &p.Areas[i].Outcomes[j]
			asked, err := Asked(p, o)
			if err != nil {
				return nil, err
			}
			area.Outcomes = append(area.Outcomes, Outcome{ID: o.ID, Title: o.Title, Question: o.Question, Asked: asked})
		}
		r.Areas = append(r.Areas, area)
	}
	for _, b := range r.blocks() {
		*b.at = byName[b.name()]
	}
	return r, nil
}

// status says whether the release may be shown. It depends on nothing that is
// secret.
func (r *Release) status() Status {
	reasons := []Reason{}
	if r.Rule.ID == RuleFirst {
		reasons = append(reasons, Provisional)
	}
	if r.Marking == coalition.MarkingRehearsal {
		reasons = append(reasons, Rehearsed)
	}
	return Status{Publishable: len(reasons) == 0, Reasons: reasons}
}

// notShown returns which blocks say nothing.
func (r *Release) notShown() []NotShown {
	list := []NotShown{} // an empty list in the file, not null
	for _, b := range r.blocks() {
		if !b.at.Shown() {
			list = append(list, NotShown{Block: b.at.Name(), Reason: r.whyNot(b.kind)})
		}
	}
	return list
}

// whyNot returns the reason for which a block of that kind shows nothing. A
// reason is published, so it must not say more than the bands do: it follows
// from the kind and from what everybody knows, never from the totals.
func (r *Release) whyNot(k framework.Kind) Reason {
	if k == framework.KindChange && r.Turnover != nil && r.Turnover.few() {
		return FewMoved
	}
	return TooFew
}

// FewMovers is the largest number of members that, having joined or left since
// the earlier release, could be singled out by the difference of the two.
const FewMovers = 7

// few reports whether so few members joined or left that the change of the
// cohort could be theirs.
func (t Turnover) few() bool { return 0 < t.Joined+t.Left && t.Joined+t.Left <= FewMovers }

// Canonical returns the bytes of release.json: RFC 8785 JSON, which the
// coordinator signs.
func (r *Release) Canonical() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return keys.Canonical(r)
}
