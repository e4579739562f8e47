package release

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// Config is what a release is made from.
type Config struct {
	Coalition string
	Cycle     string
	Cohort    string
	Marking   string // such as "SYNTHETIC" or "REHEARSAL"; may be empty
	HostedBy  [2]coalition.MemberID
	Calendar  Calendar
	Pack      *framework.Pack
	Totals    disclosure.Totals // by the layout of Pack

	CohortSize int                  // N: the members of the cohort, as the charter lists them
	Declined   int                  // of these, those that said they take no part
	Members    []coalition.MemberID // whose submissions were added up, in any order

	Colluders int                   // members that may tell each other everything, as the charter says
	Prefer    disclosure.Preference // as the charter says
	Opened    []coalition.MemberID  // who showed answers to others by choice
	History   []Past                // everything that was released before, of every cohort
	Groups    []Group               // nil: the cohort alone

	// The charter's thresholds; zero means the least that every coalition has.
	MinimumBatch   int
	ReleaseMinimum int

	CharterDigest string // hex SHA-256
	RosterDigest  string // hex SHA-256, of the roster as last amended

	Attack attack.Options
}

// Past is an earlier release with what everybody knows besides.
type Past struct {
	Release *Release
	Digest  string               // hex SHA-256 of its file
	Members []coalition.MemberID // its roster
}

// Unsafe says that a release was not made because somebody could have worked out
// an answer from it and from what was released before. It is of kind Conflict.
// Its text names nobody: Result has what was found, for the coordinator alone.
type Unsafe struct{ Result attack.Result }

// Error says what was found without saying of whom.
func (u *Unsafe) Error() string {
	if n := len(u.Result.Findings); n > 0 {
		return fmt.Sprintf("what would be published narrows members' answers in %s", count(n, "place"))
	}
	return fmt.Sprintf("whether what would be published narrows a member's answer could not be decided in %s", count(len(u.Result.Open), "place"))
}

// Unwrap returns the refusal as the kind of error that the rest of muster shows.
func (u *Unsafe) Unwrap() error {
	return errs.New(errs.Conflict, u.Error(), "nothing is released: this is for those who keep muster to look at; the totals stay with the coordinator")
}

// New decides what of the totals may be shown and returns the release. It is the
// one way from totals to a release: thresholds, then the rule, then the attack on
// the outcome and everything that was released before.
//
// It refuses with a [*disclosure.Refusal] where too few took part, with an
// [*Unsafe] where the attack succeeds, and with kind Invalid or Conflict where the
// parts do not fit each other.
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
	members, hosts, err := cfg.members()
	if err != nil {
		return nil, err
	}
	past, err := newPast(cfg)
	if err != nil {
		return nil, err
	}
	application := disclosure.Application{
		Rule:          disclosure.Rule{Hosts: hosts, Colluders: cfg.Colluders, Opened: cfg.opened(members), Prefer: cfg.Prefer},
		Totals:        cfg.Totals,
		Participation: disclosure.Participation{Members: cfg.CohortSize, Submissions: len(members), Hosts: hosts, Declined: cfg.Declined},
		Thresholds: disclosure.Thresholds{
			MinimumBatch:   cmp.Or(cfg.MinimumBatch, coalition.MinimumBatch(cfg.CohortSize)),
			ReleaseMinimum: cmp.Or(cfg.ReleaseMinimum, coalition.ReleaseMinimum),
		},
		Members: members, Previous: past.previous,
	}
	blocks, err := application.Apply()
	if err != nil {
		return nil, err
	}
	if err := past.withstand(cfg, application, blocks); err != nil {
		return nil, err
	}
	r, err := Blank(cfg.Pack)
	if err != nil {
		return nil, err
	}
	r.Show(blocks)
	r.Coalition, r.Cycle, r.Cohort, r.Marking = cfg.Coalition, cfg.Cycle, cfg.Cohort, cfg.Marking
	r.HostedBy, r.Calendar = cfg.HostedBy[:], cfg.Calendar
	r.CharterDigest, r.RosterDigest = cfg.CharterDigest, cfg.RosterDigest
	r.Participation, r.Thresholds = application.Participation, application.Thresholds
	r.Turnover, r.History = past.turnover, past.list
	rule := application.Rule
	r.Rule = Rule{
		ID: RuleCuts, MinimumBand: rule.Least(), Known: rule.Known(), Colluders: rule.Colluders, Opened: rule.Opened, Prefer: rule.Prefer,
	}
	if r.Groups = cfg.Groups; r.Groups == nil {
		r.Groups = []Group{{Cohort: r.Cohort, Members: r.Participation.Submissions}}
	}
	if r.Calendar.Postponed == nil {
		r.Calendar.Postponed = []Postponement{}
	}
	if err := r.Complete(); err != nil {
		return nil, err
	}
	return r, nil
}

// Complete fills in what follows from the rest of a release: its status, what is
// not shown and why, the words for it, and what was done. It is for whoever has
// changed what a release shows, as one does who takes bands together. It refuses,
// with kind Invalid, a release that could not be read back.
func (r *Release) Complete() error {
	r.Status = r.status()
	r.NotShown = r.notShown()
	r.Method = r.method()
	r.Reasons = r.reasons()
	return r.check()
}

// members returns the roster in order, each once, and how many of it are hosts.
func (cfg Config) members() (members []string, hosts int, err error) {
	for _, m := range cfg.Members {
		members = append(members, string(m))
		if m == cfg.HostedBy[0] || m == cfg.HostedBy[1] {
			hosts++
		}
	}
	slices.Sort(members)
	for i := 1; i < len(members); i++ {
		if members[i] == members[i-1] {
			return nil, 0, errs.New(errs.Invalid, "the roster names "+errs.Quote(members[i])+" twice", "")
		}
	}
	return members, hosts, nil
}

// opened returns how many members of the roster, hosts aside, showed answers to
// others: a host is known anyway, and who is not on the roster has no answer here.
func (cfg Config) opened(members []string) int {
	open := make(map[coalition.MemberID]bool)
	for _, m := range cfg.Opened {
		if _, on := slices.BinarySearch(members, string(m)); on && m != cfg.HostedBy[0] && m != cfg.HostedBy[1] {
			open[m] = true
		}
	}
	return len(open)
}

// Blank returns a release of that framework which shows nothing yet and is of
// nobody: every block is the zero value. It sees no totals.
func Blank(p *framework.Pack) (*Release, error) {
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
	return r, nil
}

// Show puts each block in its place; those that the framework does not have are
// left aside.
func (r *Release) Show(blocks []disclosure.BandedBlock) {
	byName := make(map[string]disclosure.BandedBlock, len(blocks))
	for _, b := range blocks {
		byName[b.Name()] = b
	}
	for _, b := range r.blocks() {
		if shown, ok := byName[b.name()]; ok {
			*b.at = shown
		}
	}
}

// status says whether the release may be shown. It depends on nothing that is
// secret.
func (r *Release) status() Status {
	reasons := []Reason{}
	if r.Kind == KindV1 {
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
	if r.held(k) {
		return NotBoth
	}
	switch {
	case k != framework.KindChange || r.Kind == KindV1:
	case r.Turnover == nil:
		return First
	case r.Turnover.moved():
		return Moved
	}
	return TooFew
}

// held reports whether the rule shows no block of that kind, whatever it counts,
// because another that follows from the same answers is shown instead.
func (r *Release) held(k framework.Kind) bool {
	if r.Kind == KindV1 {
		return false
	}
	switch k {
	case framework.KindLowest:
		return !r.Rule.Prefer.Lowest
	case framework.KindChange:
		return r.Rule.Prefer.Lowest
	case framework.KindTarget:
		return !r.Rule.Prefer.Target
	case framework.KindGap:
		return r.Rule.Prefer.Target
	}
	return false
}

// moved reports whether anybody joined or left: then the change of the cohort
// could be theirs.
func (t Turnover) moved() bool { return t.Joined+t.Left > 0 }

// Canonical returns the bytes of release.json: RFC 8785 JSON, which the
// coordinator signs.
func (r *Release) Canonical() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return keys.Canonical(r)
}
