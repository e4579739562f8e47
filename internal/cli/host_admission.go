package cli

import (
	"context"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
)

// frozenRosters is what an admission reads: a host's frozen rosters by task.
type frozenRosters interface {
	// FrozenRoster refuses with kind Conflict while the roster is not frozen.
	FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error)
}

// admission repeats the audit of the groups on the frozen rosters of all cohorts,
// as they are after their amendments: each host by itself, from what both signed.
type admission struct {
	charter coalition.Charter
	rosters frozenRosters
}

// Admit says whether a task may be opened beside the others of the charter.
func (a admission) Admit(ctx context.Context, task dap.TaskID) error {
	rosters := make(map[string][]coalition.MemberID, len(a.charter.Cohorts))
	asked := ""
	for _, cohort := range a.charter.Cohorts {
		opened, err := a.charter.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		if opened.ID == task {
			asked = cohort.ID
		}
		frozen, err := a.rosters.FrozenRoster(ctx, opened.ID)
		if err != nil {
			if errs.KindOf(err) == errs.Internal {
				return err
			}
			return errs.Wrap(err, errs.Unavailable, fmt.Sprintf("the roster of %s is not frozen yet, and all are audited together before anything is added up", errs.Quote(cohort.ID)),
				"muster host freeze freezes every cohort; then repeat the command")
		}
		roster, err := frozen.Open(opened.ID, a.charter.Leader.Key, a.charter.Helper.Key)
		if err != nil {
			return err
		}
		rosters[cohort.ID] = []coalition.MemberID{}
		for _, e := range roster.Entries {
			rosters[cohort.ID] = append(rosters[cohort.ID], e.Member)
		}
	}
	decisions, err := disclosure.AuditRosters(a.charter, rosters)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		if d.Cohort == asked && d.Dropped {
			return errs.New(errs.Conflict, fmt.Sprintf("%s is not added up this cycle: %s", errs.Quote(d.Cohort), d.Because[0]), "its members' answers are counted in the other cohorts that they belong to")
		}
	}
	return nil
}

// FrozenRoster reads a roster of this host's.
func (r *runningHost) FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	if leader, ok := r.leaders[task]; ok {
		return leader.FrozenRoster(ctx, task)
	}
	if helper, ok := r.helpers[task]; ok {
		return helper.FrozenRoster(ctx, task)
	}
	return coalition.FrozenRoster{}, errs.New(errs.NotFound, "this host has no such task", "")
}
