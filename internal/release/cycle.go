package release

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// Cycle is what the coordinator holds when a cohort of a cycle was collected.
type Cycle struct {
	Charter coalition.SignedCharter
	Addenda []coalition.SignedAddendum // in order
	Cohort  string
	Roster  coalition.FrozenRoster
	Others  map[string]coalition.FrozenRoster // of the charter's other cohorts, by id
	Pack    *framework.Pack
	Totals  disclosure.Totals

	Declined int                  // members that said they take no part
	Opened   []coalition.MemberID // who showed answers to others by choice
	History  []Past
	Attack   attack.Options
}

// New makes the release of the cycle, see [New]. It opens charter, addenda and
// rosters, so that what the file says of them is what was signed, and audits all
// rosters together: the release of a cohort that the audit drops is refused with
// kind Conflict.
func (c Cycle) New() (*Release, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return New(cfg)
}

func (c Cycle) config() (Config, error) {
	charter, err := c.Charter.Open()
	if err != nil {
		return Config{}, err
	}
	task, err := charter.OpenTask(c.Cohort)
	if err != nil {
		return Config{}, err
	}
	if !slices.Contains(charter.Releases, c.Cohort) {
		return Config{}, errs.New(errs.Denied, fmt.Sprintf("the charter plans no release of %s", errs.Quote(c.Cohort)), "what is released is fixed before anything is opened")
	}
	if ref := c.Pack.Ref(); charter.Framework != (coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}) {
		return Config{}, errs.New(errs.Invalid, fmt.Sprintf("the framework is %s %s and the charter is for %s %s", ref.ID, ref.Version, charter.Framework.ID, charter.Framework.Version),
			"give the pack that the charter names with --framework")
	}
	calendar, err := newCalendar(charter, c.Addenda)
	if err != nil {
		return Config{}, err
	}
	members, err := openRoster(charter, c.Cohort, c.Roster)
	if err != nil {
		return Config{}, err
	}
	groups, err := c.groups(charter, members)
	if err != nil {
		return Config{}, err
	}
	return Config{
		Coalition: charter.Coalition, Cycle: charter.Cycle, Cohort: c.Cohort, Marking: charter.Marking,
		HostedBy: [2]coalition.MemberID{charter.Leader.Member, charter.Helper.Member}, Calendar: calendar,
		Pack: c.Pack, Totals: c.Totals, CohortSize: len(task.Cohort.Members), Declined: c.Declined, Members: members,
		Colluders: charter.Disclosure.Colluders,
		Prefer:    disclosure.Preference{Lowest: charter.Disclosure.Lowest, Target: charter.Disclosure.Target},
		Opened:    c.Opened, History: c.History, Groups: groups,
		MinimumBatch: task.Cohort.MinimumBatch, ReleaseMinimum: task.Cohort.ReleaseMinimum,
		CharterDigest: c.Charter.Digest(), RosterDigest: c.Roster.Digest(), Attack: c.Attack,
	}, nil
}

// newCalendar returns the days of a cycle after its addenda, which it checks.
func newCalendar(charter coalition.Charter, addenda []coalition.SignedAddendum) (Calendar, error) {
	deadline, err := charter.DeadlineAfter(addenda)
	if err != nil {
		return Calendar{}, err
	}
	c := Calendar{Opens: charter.Opens, Deadline: deadline.Unix(), Postponed: []Postponement{}}
	for _, signed := range addenda {
		var a coalition.Addendum
		if err := keys.DecodeCanonical(signed.Body, &a); err != nil {
			return Calendar{}, errs.Wrap(err, errs.Invalid, "the addendum cannot be read", "")
		}
		c.Postponed = append(c.Postponed, Postponement{Deadline: a.Deadline, Reason: a.Reason})
	}
	return c, nil
}

// openRoster returns whose submissions count, after both hosts' signatures were
// checked.
func openRoster(charter coalition.Charter, cohort string, frozen coalition.FrozenRoster) ([]coalition.MemberID, error) {
	task, err := charter.OpenTask(cohort)
	if err != nil {
		return nil, err
	}
	roster, err := frozen.Open(task.ID, charter.Leader.Key, charter.Helper.Key)
	if err != nil {
		return nil, err
	}
	members := make([]coalition.MemberID, len(roster.Entries))
	for i, e := range roster.Entries {
		members[i] = e.Member
		if _, ok := task.MemberKey(e.Member); !ok {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the roster lists %s, who is not of the cohort %s", e.Member, errs.Quote(cohort)), "")
		}
	}
	return members, nil
}

// groups audits the rosters of all cohorts together and says what becomes of
// each.
func (c Cycle) groups(charter coalition.Charter, members []coalition.MemberID) ([]Group, error) {
	rosters := map[string][]coalition.MemberID{c.Cohort: members}
	for _, cohort := range charter.Cohorts {
		if cohort.ID == c.Cohort {
			continue
		}
		frozen, ok := c.Others[cohort.ID]
		if !ok {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the roster of %s is missing: all rosters of a charter are audited together", errs.Quote(cohort.ID)), "")
		}
		var err error
		if rosters[cohort.ID], err = openRoster(charter, cohort.ID, frozen); err != nil {
			return nil, err
		}
	}
	decided, err := disclosure.AuditRosters(charter, rosters)
	if err != nil {
		return nil, err
	}
	var groups []Group
	for _, d := range decided {
		if !slices.Contains(charter.Releases, d.Cohort) {
			continue
		}
		g := Group{Cohort: d.Cohort, Members: len(rosters[d.Cohort])}
		switch {
		case d.Dropped:
			g.Dropped = GroupDifferent
		case d.Small && d.Cohort != c.Cohort: // its own smallness is a refusal with numbers
			g.Dropped = GroupSmall
		}
		groups = append(groups, g)
		if d.Cohort == c.Cohort && d.Dropped {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("%s was dropped: %s", errs.Quote(c.Cohort), d.Because[0]), "its totals should never have been opened")
		}
	}
	return groups, nil
}
