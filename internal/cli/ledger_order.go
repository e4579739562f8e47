package cli

import (
	"maps"
	"slices"
	"strconv"
	"time"

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
	switch {
	case len(a.releases) > 0 && !slices.ContainsFunc(a.releases, func(r coalition.SignedFile) bool { return approved(a.cycle.Charter, r) != coalition.Released }):
		return coalition.Released
	case len(a.releases) > 0:
		return coalition.Review
	case has(ledger.KindRoster):
		return coalition.Closed
	}
	return ""
}

// inOrder puts what is entered in order, and refuses what the ledger can take in no more,
// or not yet.
func (a *addition) inOrder(env Env) (err error) {
	cycle, have := a.cycle.Charter.Cycle, a.have
	if a.statements, err = unentered(have, ledger.Sorted(a.statements)); err != nil {
		return err
	}
	if err := ledger.Fits(have, a.statements, cycle); err != nil {
		return err
	}
	a.warnRoster(env)
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

// warnRoster says so where a roster is entered a day or more after the deadline that the
// ledger knows: days are what a deadline is postponed by, and behind a roster no
// postponement can be entered any more.
func (a *addition) warnRoster(env Env) {
	charter := a.cycle.Charter
	of := func(s ledger.Statement, kind ledger.Kind) bool {
		return s.Kind == kind && s.Charter == a.cycle.Signed.Digest()
	}
	deadline, number := time.Unix(charter.Deadline, 0), 0
	for _, s := range slices.Concat(a.have, a.statements) {
		if at, err := strconv.ParseInt(s.Fields["deadline"], 10, 64); err == nil && of(s, ledger.KindAddendum) && s.Number("number") > number {
			deadline, number = time.Unix(at, 0), s.Number("number")
		}
	}
	known := make(map[string]bool, len(a.have))
	for _, s := range a.have {
		known[s.ID()] = true
	}
	entered := slices.ContainsFunc(a.statements, func(s ledger.Statement) bool { return of(s, ledger.KindRoster) && !known[s.ID()] })
	if entered && env.Now().Sub(deadline) >= 24*time.Hour {
		warn(env, "the roster is entered a day or more after the deadline that the ledger knows, %s: if that was postponed, the addendum cannot be entered any more", dayText(deadline))
	}
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
