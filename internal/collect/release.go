package collect

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
)

// ReleaseConfig is what a release is made from.
type ReleaseConfig struct {
	Charter   coalition.Charter
	Addenda   []coalition.SignedAddendum // in order
	Cohort    string
	Pack      *framework.Pack
	Aggregate *Aggregate
	Frozen    coalition.FrozenRoster
	Others    map[string]coalition.FrozenRoster // of the charter's other cohorts, by id
	Declined  []coalition.MemberID              // members that said they take no part this year
	Opened    []coalition.MemberID              // members that showed answers to others by choice
	History   []release.Past                    // everything that was released before, of every cohort
	Attack    attack.Options
}

// SignedRelease is a release and the file that holds it.
type SignedRelease struct {
	Release   *release.Release
	Body      []byte
	Signature []byte // the coordinator's; the hosts add theirs
}

// NewRelease takes totals through disclosure control and signs what comes out as
// the coordinator. It is the one way from collected totals to a release: the
// rosters of all cohorts are audited together, thresholds are held, bands are cut,
// and what would be published is attacked with everything that was before.
//
// It refuses with a [*disclosure.Refusal] where too few took part, with a
// [*release.Unsafe] where the attack succeeds, and with kind Conflict totals of
// another task or roster, and a cohort that the audit drops.
func NewRelease(cfg ReleaseConfig, coordinator *keys.Signer) (*SignedRelease, error) {
	charter := cfg.Charter
	task, err := charter.OpenTask(cfg.Cohort)
	if err != nil {
		return nil, err
	}
	if coordinator.Public() != charter.Coordinator.Key {
		return nil, errs.New(errs.Denied, "this key is not the charter's coordinator", "")
	}
	if !slices.Contains(charter.Releases, cfg.Cohort) {
		return nil, errs.New(errs.Denied, "the charter plans no release of "+errs.Quote(cfg.Cohort), "what is released is fixed before anything is opened")
	}
	a := cfg.Aggregate
	if a.Task != task.ID.String() {
		return nil, errs.New(errs.Conflict, "the totals are of another cycle or cohort than the charter's "+cfg.Cohort, "give the aggregate.json that was collected under this charter")
	}
	roster, err := openFrozen(charter, task, cfg.Frozen)
	if err != nil {
		return nil, err
	}
	digest, err := charter.Digest()
	if err != nil {
		return nil, err
	}
	if err := cfg.checkDeclined(task, roster); err != nil {
		return nil, err
	}
	switch {
	case a.Roster != cfg.Frozen.Digest():
		return nil, errs.New(errs.Conflict, "the totals are not of this roster with these amendments", "give the roster.json and the amendments that lie beside the aggregate.json")
	case a.Count != uint64(len(roster.Entries)):
		return nil, errs.New(errs.Conflict, fmt.Sprintf("the totals are of %d submissions and the roster has %d", a.Count, len(roster.Entries)), "")
	}
	calendar, err := newCalendar(charter, cfg.Addenda)
	if err != nil {
		return nil, err
	}
	groups, err := cfg.groups(roster)
	if err != nil {
		return nil, err
	}
	made, err := release.New(release.Config{
		Coalition: charter.Coalition, Cycle: charter.Cycle, Cohort: cfg.Cohort, Marking: charter.Marking,
		HostedBy: [2]coalition.MemberID{charter.Leader.Member, charter.Helper.Member}, Calendar: calendar,
		Pack:   cfg.Pack,
		Totals: disclosure.Totals{Layout: a.Layout, Submissions: a.Count, Cells: a.Cells}, CohortSize: len(task.Cohort.Members),
		Declined: len(cfg.Declined), Members: members(roster), Opened: cfg.Opened, History: cfg.History, Groups: groups,
		Colluders:    charter.Disclosure.Colluders,
		Prefer:       disclosure.Preference{Lowest: charter.Disclosure.Lowest, Target: charter.Disclosure.Target},
		MinimumBatch: task.Cohort.MinimumBatch, ReleaseMinimum: task.Cohort.ReleaseMinimum,
		CharterDigest: digest, RosterDigest: cfg.Frozen.Digest(), Attack: cfg.Attack,
	})
	if err != nil {
		return nil, err
	}
	body, err := made.Canonical()
	if err != nil {
		return nil, err
	}
	sig, err := keys.Sign(keys.KindRelease, body, coordinator)
	return &SignedRelease{Release: made, Body: body, Signature: sig}, err
}

// newCalendar returns the days of a cycle after its addenda, which it checks.
func newCalendar(charter coalition.Charter, addenda []coalition.SignedAddendum) (release.Calendar, error) {
	deadline, err := charter.DeadlineAfter(addenda)
	if err != nil {
		return release.Calendar{}, err
	}
	c := release.Calendar{Opens: charter.Opens, Deadline: deadline.Unix(), Postponed: []release.Postponement{}}
	for _, signed := range addenda {
		var a coalition.Addendum
		if err := keys.DecodeCanonical(signed.Body, &a); err != nil {
			return release.Calendar{}, errs.Wrap(err, errs.Invalid, "the addendum cannot be read", "")
		}
		c.Postponed = append(c.Postponed, release.Postponement{Deadline: a.Deadline, Reason: a.Reason})
	}
	return c, nil
}

// groups audits the rosters of all cohorts together, as they are after their
// amendments, and says what becomes of each of which a release was planned.
func (cfg ReleaseConfig) groups(roster coalition.Roster) ([]release.Group, error) {
	rosters := map[string][]coalition.MemberID{cfg.Cohort: members(roster)}
	for id, frozen := range cfg.Others {
		task, err := cfg.Charter.OpenTask(id)
		if err != nil {
			return nil, err
		}
		other, err := openFrozen(cfg.Charter, task, frozen)
		if err != nil {
			return nil, err
		}
		rosters[id] = members(other)
	}
	decisions, err := disclosure.AuditRosters(cfg.Charter, rosters)
	if err != nil {
		return nil, err
	}
	var groups []release.Group
	for _, d := range decisions {
		own := d.Cohort == cfg.Cohort
		if own && d.Dropped {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("%s is dropped: %s", errs.Quote(d.Cohort), d.Because[0]), "its totals are not shown to anybody")
		}
		if !slices.Contains(cfg.Charter.Releases, d.Cohort) {
			continue
		}
		g := release.Group{Cohort: d.Cohort, Members: d.Members}
		switch {
		case d.Dropped:
			g.Dropped = release.GroupDifferent
		case d.Small && !own: // its own smallness is a refusal, with numbers
			g.Dropped = release.GroupSmall
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func members(roster coalition.Roster) []coalition.MemberID {
	list := make([]coalition.MemberID, len(roster.Entries))
	for i, e := range roster.Entries {
		list[i] = e.Member
	}
	return list
}

// checkDeclined holds that who declined is of the cohort and took no part.
func (cfg ReleaseConfig) checkDeclined(task coalition.OpenedTask, roster coalition.Roster) error {
	took := members(roster)
	for i, id := range cfg.Declined {
		_, ok := task.MemberKey(id)
		switch {
		case !ok:
			return errs.New(errs.Invalid, fmt.Sprintf("%s is not in the cohort and cannot have declined", errs.Quote(string(id))), "")
		case slices.Contains(took, id):
			return errs.New(errs.Invalid, fmt.Sprintf("%s took part and cannot have declined", id), "")
		case slices.Contains(cfg.Declined[:i], id):
			return errs.New(errs.Invalid, fmt.Sprintf("%s declined twice", id), "")
		}
	}
	return nil
}
