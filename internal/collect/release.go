package collect

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// ReleaseConfig is what a release is made from.
type ReleaseConfig struct {
	Charter   coalition.Charter
	Cohort    string
	Pack      *framework.Pack
	Aggregate *Aggregate
	Frozen    coalition.FrozenRoster
	Declined  []coalition.MemberID // members that said they take no part this year
}

// SignedRelease is a release and the file that holds it.
type SignedRelease struct {
	Release   *disclosure.Release
	Body      []byte
	Signature []byte // the coordinator's; the hosts add theirs
}

// NewRelease takes totals through disclosure control and signs what comes out as
// the coordinator. It refuses with a [*disclosure.Refusal] where too few took
// part, and with kind Conflict totals of another task or roster.
func NewRelease(cfg ReleaseConfig, coordinator *keys.Signer) (*SignedRelease, error) {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return nil, err
	}
	if coordinator.Public() != cfg.Charter.Coordinator.Key {
		return nil, errs.New(errs.Denied, "this key is not the charter's coordinator", "")
	}
	a := cfg.Aggregate
	if a.Task != task.ID.String() {
		return nil, errs.New(errs.Conflict, "the totals are of another cycle or cohort than the charter's "+cfg.Cohort, "give the aggregate.json that was collected under this charter")
	}
	roster, err := openFrozen(cfg.Charter, task, cfg.Frozen)
	if err != nil {
		return nil, err
	}
	digest, err := cfg.Charter.Digest()
	if err != nil {
		return nil, err
	}
	participation, err := cfg.participation(task, roster)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Roster != cfg.Frozen.Digest():
		return nil, errs.New(errs.Conflict, "the totals are not of this roster with these amendments", "give the roster.json and the amendments that lie beside the aggregate.json")
	case a.Count != uint64(len(roster.Entries)):
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the totals are of %d submissions and the roster has %d", a.Count, len(roster.Entries)), "")
	}
	release, err := disclosure.NewRelease(disclosure.ReleaseConfig{
		Coalition: cfg.Charter.Coalition, Cycle: cfg.Charter.Cycle, Cohort: cfg.Cohort, Marking: cfg.Charter.Marking,
		Pack:          cfg.Pack,
		Totals:        disclosure.Totals{Layout: a.Layout, Submissions: a.Count, Cells: a.Cells},
		Participation: participation, MinimumBatch: task.Cohort.MinimumBatch, ReleaseMinimum: task.Cohort.ReleaseMinimum,
		CharterDigest: digest, RosterDigest: cfg.Frozen.Digest(),
	})
	if err != nil {
		return nil, err
	}
	body, err := keys.Canonical(release)
	if err != nil {
		return nil, err
	}
	sig, err := keys.Sign(keys.KindRelease, body, coordinator)
	return &SignedRelease{Release: release, Body: body, Signature: sig}, err
}

// participation counts the cohort.
func (cfg ReleaseConfig) participation(task coalition.OpenedTask, roster coalition.Roster) (disclosure.Participation, error) {
	p := disclosure.Participation{Members: len(task.Cohort.Members), Submissions: len(roster.Entries)}
	took := make(map[coalition.MemberID]bool, len(roster.Entries))
	for _, e := range roster.Entries {
		took[e.Member] = true
		if e.Member == cfg.Charter.Leader.Member || e.Member == cfg.Charter.Helper.Member {
			p.Hosts++
		}
	}
	for i, id := range cfg.Declined {
		_, ok := task.MemberKey(id)
		switch {
		case !ok:
			return p, errs.New(errs.Invalid, fmt.Sprintf("%s is not in the cohort and cannot have declined", errs.Quote(string(id))), "")
		case took[id]:
			return p, errs.New(errs.Invalid, fmt.Sprintf("%s took part and cannot have declined", id), "")
		case slices.Contains(cfg.Declined[:i], id):
			return p, errs.New(errs.Invalid, fmt.Sprintf("%s declined twice", id), "")
		}
		p.Declined++
	}
	return p, nil
}
