package disclosure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/internal/coalition"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
)

// Decision is what the audit of all groups together says of one cohort.
type Decision struct {
	Cohort  string             `json:"cohort"`
	Members int                `json:"members"` // that are counted
	Small   bool               `json:"small"`   // too few besides the hosts for a release: the coordinator has its totals alone
	Dropped bool               `json:"dropped"` // not opened at all
	Because []attack.Isolation `json:"because"` // why it was dropped: sums over groups that isolate too few
	Shares  []Shared           `json:"shares"`  // with which other cohorts of the charter
}

// Shared is how many members a cohort has in common with another. The rule shows
// each cohort as if it were alone; the attack judges both together, and may keep
// the later release from being made.
type Shared struct {
	Cohort  string `json:"cohort"`
	Members int    `json:"members"`
}

// AuditCharter audits the cohorts that a charter plans, as if every member took
// part. It runs before anything is opened.
func AuditCharter(c coalition.Charter) ([]Decision, error) {
	rosters := make(map[string][]coalition.MemberID, len(c.Cohorts))
	for _, cohort := range c.Cohorts {
		for _, m := range cohort.Members {
			rosters[cohort.ID] = append(rosters[cohort.ID], m.ID)
		}
	}
	return AuditRosters(c, rosters)
}

// AuditRosters audits the rosters of all cohorts of a charter together: whether
// by adding and subtracting their totals fewer than [coalition.ReleaseMinimum]
// members can be isolated, besides the hosts and the colluders that the charter
// reckons with. Where they can, groups are dropped until they cannot: of those in
// the sum that was found the one with fewest members, of equal ones the last by
// name. So both hosts come to the same decision from the same rosters.
//
// A cohort of its own that is too small for a release is not dropped: it is not
// released, and the coordinator alone has its totals.
//
// The decisions are in the charter's order. rosters must have every cohort.
func AuditRosters(c coalition.Charter, rosters map[string][]coalition.MemberID) ([]Decision, error) {
	hosts := []string{coalition.Fold(string(c.Leader.Member)), coalition.Fold(string(c.Helper.Member))}
	decisions := make([]Decision, len(c.Cohorts))
	var groups []attack.Group
	for i, cohort := range c.Cohorts {
		roster, ok := rosters[cohort.ID]
		if !ok {
			return nil, errs.New(errs.Invalid, fmt.Sprintf("the roster of %s is missing: all rosters of a charter are audited together", errs.Quote(cohort.ID)), "")
		}
		group := attack.Group{Name: cohort.ID}
		left := 0
		for _, m := range roster {
			name := coalition.Fold(string(m)) // one member may be written in two ways in two cohorts
			group.Members = append(group.Members, name)
			if !slices.Contains(hosts, name) {
				left++
			}
		}
		decisions[i] = Decision{Cohort: cohort.ID, Members: len(roster), Small: left < cohort.ReleaseMinimum, Because: []attack.Isolation{}}
		groups = append(groups, group)
	}
	for i := range decisions {
		decisions[i].Shares = shared(groups, i)
	}
	for {
		found, err := attack.Audit(attack.AuditConfig{
			Groups: groups, Known: hosts, Colluders: c.Disclosure.Colluders, Least: coalition.ReleaseMinimum,
		})
		if err != nil {
			return nil, err
		}
		drop := worst(found, groups)
		if drop == "" {
			return decisions, nil
		}
		i := slices.IndexFunc(decisions, func(d Decision) bool { return d.Cohort == drop })
		decisions[i].Dropped = true
		for _, isolation := range found {
			if len(isolation.Terms) > 1 && slices.ContainsFunc(isolation.Terms, func(p attack.Part) bool { return p.Group == drop }) {
				decisions[i].Because = append(decisions[i].Because, isolation)
			}
		}
		groups = slices.DeleteFunc(groups, func(g attack.Group) bool { return g.Name == drop })
	}
}

// shared returns with which other groups a group has members in common.
func shared(groups []attack.Group, at int) []Shared {
	all := []Shared{}
	for i, other := range groups {
		n := 0
		for _, m := range other.Members {
			if i != at && slices.Contains(groups[at].Members, m) {
				n++
			}
		}
		if n > 0 {
			all = append(all, Shared{other.Name, n})
		}
	}
	return all
}

// worst returns the group to drop of those whose totals isolate somebody together,
// or "" if none do.
func worst(found []attack.Isolation, groups []attack.Group) string {
	var involved []attack.Group
	for _, isolation := range found {
		if len(isolation.Terms) < 2 {
			continue
		}
		for _, part := range isolation.Terms {
			i := slices.IndexFunc(groups, func(g attack.Group) bool { return g.Name == part.Group })
			involved = append(involved, groups[i])
		}
	}
	if len(involved) == 0 {
		return ""
	}
	return slices.MinFunc(involved, func(a, b attack.Group) int {
		return cmp.Or(cmp.Compare(len(a.Members), len(b.Members)), -strings.Compare(a.Name, b.Name))
	}).Name
}

// RequireSafe refuses, with kind Invalid, a charter that nobody should sign or
// seal for: where the answers are real, no cohort may be too small for a release,
// and no cohort may have to be dropped even if every member takes part.
func RequireSafe(c coalition.Charter) error {
	if c.Marking != "" {
		return nil // the answers are invented, or everybody's who rehearses
	}
	decisions, err := AuditCharter(c)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		if d.Dropped {
			return errs.New(errs.Invalid, fmt.Sprintf("the cohort %s cannot be added up beside the others: %s", errs.Quote(d.Cohort), d.Because[0]),
				fmt.Sprintf("what any sum of totals isolates has at least %d members besides the hosts", d.Because[0].Needed))
		}
		if d.Small {
			return errs.New(errs.Invalid, fmt.Sprintf("the cohort %s has %s; it can never be released, and its totals point at single members",
				errs.Quote(d.Cohort), count(d.Members, "member")), fmt.Sprintf("at least %d besides the hosts", releaseMinimum(c, d.Cohort)))
		}
	}
	return nil
}

func releaseMinimum(c coalition.Charter, cohort string) int {
	i := slices.IndexFunc(c.Cohorts, func(other coalition.Cohort) bool { return other.ID == cohort })
	return c.Cohorts[i].ReleaseMinimum
}
