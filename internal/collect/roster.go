package collect

import (
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Agree compares the roster and the amendments that the two hosts show, each of
// which both must have signed, and returns what both show. Where they differ it
// says in whose list who is missing, with kind Conflict: a host that keeps an
// amendment back, or shows an older state, must not decide what is opened.
func (c *Collector) Agree(leader, helper coalition.FrozenRoster) (coalition.FrozenRoster, error) {
	charter := c.cfg.Charter
	var left [2]coalition.Roster
	for i, side := range []struct {
		host  coalition.MemberID
		role  string
		shown coalition.FrozenRoster
	}{{charter.Leader.Member, "Leader", leader}, {charter.Helper.Member, "Helper", helper}} {
		roster, err := openFrozen(charter, c.task, side.shown)
		if err != nil {
			return coalition.FrozenRoster{}, errs.Wrap(err, errs.Invalid,
				fmt.Sprintf("what %s, the %s, shows is no roster that both hosts signed: %s; nothing was opened", side.host, side.role, errs.Describe(err).Message),
				"ask both hosts for muster host status")
		}
		left[i] = roster
	}
	same := leader.Roster.Digest() == helper.Roster.Digest() && slices.EqualFunc(leader.Amendments, helper.Amendments,
		func(a, b coalition.SignedAmendment) bool { return a.Digest() == b.Digest() })
	if same {
		return leader, nil
	}
	if words := coalition.DiffRosters(left[0], left[1], string(charter.Leader.Member), string(charter.Helper.Member)); words != "" {
		return coalition.FrozenRoster{}, errs.New(errs.Conflict, "the hosts' lists differ: "+words+"; nothing was opened",
			"an amendment may be on its way: the Leader repeats muster host amend; if the lists still differ, ask both hosts")
	}
	return coalition.FrozenRoster{}, errs.New(errs.Conflict, "the hosts' lists hold the same submissions by different rosters or amendments; nothing was opened", "ask both hosts for muster host status")
}

// CheckSize refuses, before anything is asked, a roster of too few.
func (c *Collector) CheckSize(frozen coalition.FrozenRoster) error {
	roster, err := openFrozen(c.cfg.Charter, c.task, frozen)
	if err != nil {
		return err
	}
	if n, least := len(roster.Entries), c.task.Cohort.MinimumBatch; n < least {
		return errs.New(errs.Conflict, fmt.Sprintf("%d of %d members took part; the charter opens totals from %d on, so nothing was opened", n, len(c.task.Cohort.Members), least),
			"a cohort is opened when two thirds of it have taken part")
	}
	return nil
}

// openFrozen opens a roster with its amendments, and wants everybody on it to be
// of the cohort: two hosts together can sign anything.
func openFrozen(c coalition.Charter, task coalition.OpenedTask, f coalition.FrozenRoster) (coalition.Roster, error) {
	roster, err := f.Open(task.ID, c.Leader.Key, c.Helper.Key)
	if err != nil {
		return coalition.Roster{}, err
	}
	for _, e := range roster.Entries {
		if _, ok := task.MemberKey(e.Member); !ok {
			return coalition.Roster{}, errs.New(errs.Invalid, fmt.Sprintf("the roster lists %s, who is not in the cohort", errs.Quote(string(e.Member))), "")
		}
	}
	return roster, nil
}
