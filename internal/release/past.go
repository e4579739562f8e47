package release

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/disclosure"
	"muster/internal/errs"
)

// past is what was released before, as the rule and the attack take it.
type past struct {
	list     []Earlier           // all of it, for the file
	issues   []*disclosure.Issue // those of the same framework, in order of time
	previous *disclosure.Issue   // the last of the same cohort and framework; may be nil
	turnover *Turnover           // since then; nil if previous is
}

// newPast orders the earlier releases and checks that they can be what was
// released before. Releases of other frameworks are listed and not attacked: what
// a member answers to one pack is tied by nothing to what it answers to another.
func newPast(cfg Config) (past, error) {
	p := past{list: []Earlier{}}
	ordered := slices.SortedFunc(slices.Values(cfg.History), func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Release.Calendar.Opens, b.Release.Calendar.Opens), cmp.Compare(a.Release.Cycle, b.Release.Cycle), cmp.Compare(a.Release.Cohort, b.Release.Cohort))
	})
	last := make(map[string]*disclosure.Issue) // by cohort
	for _, earlier := range ordered {
		r := earlier.Release
		name := fmt.Sprintf("the release %s of %s", errs.Quote(r.Cycle), errs.Quote(r.Cohort))
		switch {
		case r.Coalition != cfg.Coalition:
			return past{}, errs.New(errs.Invalid, fmt.Sprintf("%s is of %s and not of %s", name, errs.Quote(r.Coalition), errs.Quote(cfg.Coalition)), "the history is that of one coalition")
		case r.Kind == KindV1:
			return past{}, errs.New(errs.Invalid, name+" has the provisional form, which says too much to count it as known",
				"make it again with this version; if it was shown to anybody, do not release this cohort before its members have changed")
		case r.Calendar.Opens > cfg.Calendar.Opens:
			return past{}, errs.New(errs.Invalid, name+" is of a later cycle than this one", "")
		case r.Cycle == cfg.Cycle && r.Cohort == cfg.Cohort && r.Framework.ID == cfg.Pack.ID:
			return past{}, errs.New(errs.Conflict, name+" is there already: a second one from the same answers could show what the first held back", "")
		}
		p.list = append(p.list, Earlier{Cycle: r.Cycle, Cohort: r.Cohort, Framework: r.Framework.ID, Release: earlier.Digest})
		if r.Framework.ID != cfg.Pack.ID {
			continue
		}
		issue, err := earlier.Issue(last[r.Cohort])
		if err != nil {
			return past{}, fmt.Errorf("%s: %w", name, err)
		}
		last[r.Cohort] = issue
		p.issues = append(p.issues, issue)
	}
	slices.SortFunc(p.list, Earlier.compare)
	if p.previous = last[cfg.Cohort]; p.previous == nil {
		return p, nil
	}
	members, _, err := cfg.members()
	if err != nil {
		return past{}, err
	}
	p.turnover = &Turnover{
		Since: p.previous.Cycle, Joined: missing(members, p.previous.Members), Left: missing(p.previous.Members, members),
	}
	return p, nil
}

// missing returns how many of a are not in b; both are in order.
func missing(a, b []string) int {
	n := 0
	for _, m := range a {
		if _, ok := slices.BinarySearch(b, m); !ok {
			n++
		}
	}
	return n
}

// Issue returns the release as the attack takes it. previous is the issue of the
// same cohort and framework in the cycle before, or nil.
func (p Past) Issue(previous *disclosure.Issue) (*disclosure.Issue, error) {
	r := p.Release
	members := make([]string, len(p.Members))
	for i, m := range p.Members {
		members[i] = string(m)
	}
	slices.Sort(members)
	var blocks []disclosure.BandedBlock
	for _, b := range r.blocks() {
		blocks = append(blocks, *b.at)
	}
	rule := disclosure.Rule{Hosts: r.Participation.Hosts, Colluders: r.Rule.Colluders, Opened: r.Rule.Opened, Prefer: r.Rule.Prefer}
	return disclosure.NewIssue(r.Cycle, r.Cohort, members, rule, blocks, previous)
}

// withstand attacks what would be released together with what was, and returns
// an [*Unsafe] if that succeeds.
func (p past) withstand(cfg Config, a disclosure.Application, blocks []disclosure.BandedBlock) error {
	candidate, err := disclosure.NewIssue(cfg.Cycle, cfg.Cohort, a.Members, a.Rule, blocks, p.previous)
	if err != nil {
		return err
	}
	// What has nobody in common with it was attacked when it was released.
	result, err := disclosure.NewHistory(p.issues...).With(candidate).Tied(candidate).Attack(cfg.Attack)
	if err != nil {
		return err
	}
	if !result.Safe() {
		return &Unsafe{Result: result}
	}
	return nil
}
