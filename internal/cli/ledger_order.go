package cli

import (
	"context"
	"slices"

	"muster/internal/coalition"
	"muster/internal/ledger"
)

// implied returns the phase that what is entered brings the cycle to, as the
// coordinator's own commands enter it: a roster closes it, a release is made of what
// was added up. It is none where nothing follows.
func (a *addition) implied() coalition.Phase {
	has := func(kind ledger.Kind) bool {
		return slices.ContainsFunc(a.statements, func(s ledger.Statement) bool { return s.Kind == kind })
	}
	approvals := 0
	for _, s := range a.statements {
		if s.Kind == ledger.KindApproval {
			approvals++
		}
	}
	switch {
	case approvals == 2:
		return coalition.Released
	case has(ledger.KindRelease):
		return coalition.Review
	case has(ledger.KindRoster):
		return coalition.Closed
	}
	return ""
}

// inOrder puts what is entered in order, and refuses what the ledger can take in no more,
// or not yet.
func (a *addition) inOrder(ctx context.Context, env Env, folder *ledgerFolder) error {
	a.statements = ledger.Sorted(a.statements)
	_, have, err := folder.folder().Check(ctx, folder.policy, env.Now())
	if err != nil {
		return err
	}
	cycle := a.cycle.Charter.Cycle
	if err := ledger.Fits(have, a.statements, cycle); err != nil {
		return err
	}
	adopted := func(s ledger.Statement) bool {
		return s.Kind == ledger.KindAdoption && s.Cycle == cycle && s.Fields["subject"] == "charter" && s.Fields["outcome"] == "adopted"
	}
	opens := func(s ledger.Statement) bool {
		return s.Kind == ledger.KindPhase && s.Fields["to"] == string(coalition.Open)
	}
	if slices.ContainsFunc(a.statements, opens) && !slices.ContainsFunc(have, adopted) && !slices.ContainsFunc(a.statements, adopted) {
		warn(env, "the ledger does not say that the charter of %s was adopted, and whoever checks the cycle will say so: enter the steps of its silence procedure before the cycle opens", cycle)
	}
	return nil
}
