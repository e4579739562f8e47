package cli

import (
	"context"
	"maps"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
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
	if a.statements, err = unentered(have, a.statements); err != nil {
		return err
	}
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

// unentered leaves out the steps of silence procedures, and how they ended, that the
// ledger has from before there was a charter, or from after: they are the same.
func unentered(have, add []ledger.Statement) ([]ledger.Statement, error) {
	var left []ledger.Statement
	for _, s := range add {
		if s.Kind != ledger.KindSilence && s.Kind != ledger.KindAdoption {
			left = append(left, s)
			continue
		}
		i := slices.IndexFunc(have, func(o ledger.Statement) bool {
			o.Charter = s.Charter
			return o.ID() == s.ID()
		})
		switch {
		case i < 0:
			left = append(left, s)
		case !maps.Equal(have[i].Fields, s.Fields):
			return nil, errs.New(errs.Conflict, "the ledger has another step, or another end, of this silence procedure under the same number", "compare both with the steps that the parties have: a chair signs each step once")
		}
	}
	return left, nil
}
