package verify

import (
	"slices"

	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/release"
)

// history returns what was released before the cycle and is here: what the reader
// brought, and what the bundle has of the releases that its own reckon with, whose digests
// stand in those.
func (a *auditor) history() []release.Past {
	list := slices.Clone(a.cfg.History)
	for _, c := range a.cycles {
		for _, r := range c.releases {
			for _, e := range r.file.History {
				if a.b.Files[e.Release] == nil || slices.ContainsFunc(list, func(p release.Past) bool { return p.Digest == e.Release }) || a.ofCycle(e.Release) {
					continue
				}
				past, err := a.past(e)
				switch {
				case err != nil:
					a.fails(StepAttack, file(e.Release), err, "history_wrong", e.Cycle, e.Cohort)
				case past.Members != nil: // without names it cannot be compared with others
					list = append(list, past)
				}
			}
		}
	}
	elsewhere := 0
	for _, past := range list {
		if !a.recorded(past) {
			elsewhere++
		}
	}
	if elsewhere > 0 {
		a.unchecked(StepAttack, "history_elsewhere", elsewhere)
	}
	return list
}

// ofCycle reports whether a release is one of the bundle's cycle.
func (a *auditor) ofCycle(digest string) bool {
	_, ok := a.b.Named(ledger.KindRelease, digest)
	return ok
}

// past reads an earlier release that the bundle has, and whose submissions it counts.
func (a *auditor) past(e release.Earlier) (release.Past, error) {
	r, err := release.Parse(a.b.Files[e.Release])
	if err != nil {
		return release.Past{}, err
	}
	if r.Cycle != e.Cycle || r.Cohort != e.Cohort || r.Framework.ID != e.Framework {
		return release.Past{}, errs.New(errs.Invalid, "the earlier release is of another cycle, cohort or questions than the later one says", "")
	}
	members, err := ledger.Listed(a.b.Files, r.RosterDigest)
	if err == nil && members == nil {
		members = a.b.Manifest.Counted(e.Release)
	}
	if err == nil && members != nil && len(members) != r.Participation.Submissions {
		err = errs.New(errs.Invalid, "the earlier release counts other submissions than its list", "")
	}
	return release.Past{Release: r, Digest: e.Release, Members: members}, err
}

// recorded holds an earlier release to the record, and reports whether the record has its
// charter at all: one of another record follows from the later release alone.
func (a *auditor) recorded(past release.Past) bool {
	known := false
	for _, s := range a.b.Statements {
		if s.Cycle != past.Release.Cycle {
			continue
		}
		if s.Kind == ledger.KindRelease && s.Fields["digest"] == past.Digest {
			return true
		}
		known = known || s.Kind == ledger.KindCharter && s.Fields["digest"] == past.Release.CharterDigest
	}
	if known {
		a.fails(StepAttack, "", nil, "history_other", past.Release.Cycle, past.Release.Cohort)
	}
	return known
}

// forgotten names releases of earlier cycles in the record that a release of this one
// does not reckon with.
func (a *auditor) forgotten(c *cycle, r *released) {
	marked := make(map[string]string) // charters and their markings
	for _, s := range a.b.Statements {
		if s.Kind == ledger.KindCharter {
			marked[s.Fields["digest"]] = s.Fields["marking"]
		}
	}
	for number, s := range a.b.Statements[:r.number] {
		marking, ok := marked[s.Charter]
		if s.Kind != ledger.KindRelease || s.Cycle == a.b.Manifest.Cycle || !ok || marking != c.charter.Marking {
			continue
		}
		if !slices.ContainsFunc(r.file.History, func(e release.Earlier) bool { return e.Release == s.Fields["digest"] }) {
			a.fails(StepAttack, file(r.Fields["digest"]), nil, "history_forgot", number, s.Cycle)
		}
	}
}
