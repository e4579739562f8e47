package verify

import (
	"encoding/json"
	"slices"

	"muster/dap"
	"muster/internal/coalition"
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
	members, err := a.listed(r.RosterDigest)
	if err == nil && members != nil && len(members) != r.Participation.Submissions {
		err = errs.New(errs.Invalid, "the earlier release counts other submissions than its list", "")
	}
	return release.Past{Release: r, Digest: e.Release, Members: members}, err
}

// listed returns whose submissions count by a roster as last amended, of which the digest
// is given, or nothing where the bundle does not have it. Who signed it is not looked at:
// its digest stands in what is signed.
func (a *auditor) listed(digest string) ([]coalition.MemberID, error) {
	var amendments []coalition.SignedAmendment
	for {
		body, ok := a.b.Files[digest]
		if !ok {
			return nil, nil
		}
		var head struct {
			Kind     string `json:"kind"`
			Task     string `json:"task_id"`
			Roster   string `json:"roster"`
			Previous string `json:"previous"`
		}
		if err := json.Unmarshal(body, &head); err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "an earlier list of submissions cannot be read", "")
		}
		task, err := dap.ParseTaskID(head.Task)
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, "an earlier list of submissions cannot be read", "")
		}
		if head.Roster == "" {
			return onList(body, task, amendments)
		}
		amendments = slices.Insert(amendments, 0, coalition.SignedAmendment{Body: body})
		if digest = head.Previous; digest == "" {
			digest = head.Roster
		}
		if len(amendments) > maxAmendments {
			return nil, errs.New(errs.Invalid, "an earlier list of submissions has more amendments than there can be", "")
		}
	}
}

// maxAmendments bounds how far a list is followed.
const maxAmendments = 1000

// onList returns who is on a roster and was not struck from it.
func onList(body []byte, task dap.TaskID, amendments []coalition.SignedAmendment) ([]coalition.MemberID, error) {
	roster, err := coalition.ParseRoster(body, task)
	if err != nil {
		return nil, err
	}
	struck := make(map[coalition.MemberID]bool)
	for i, signed := range amendments {
		amendment, err := coalition.ParseAmendment(signed.Body, task, coalition.SignedRoster{Body: body}, amendments[:i])
		if err != nil {
			return nil, err
		}
		for _, s := range amendment.Struck {
			struck[s.Member] = true
		}
	}
	members := []coalition.MemberID{}
	for _, e := range roster.Entries {
		if !struck[e.Member] {
			members = append(members, e.Member)
		}
	}
	return members, nil
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
