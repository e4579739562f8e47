package cli

import (
	"cmp"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/silence"
)

// step enters a step of the silence procedure.
func (a *addition) step(file coalition.SignedFile) error {
	if _, err := silence.ReadStep(file, a.cycle.Charter.Coordinator.Key); err != nil {
		return err
	}
	a.steps = append(a.steps, file)
	s, err := a.cycle.Silence(file)
	return a.put([]ledger.Statement{s}, err, file.Body)
}

// adoptions enters how the rounds ended of the procedures whose steps were given.
func (a *addition) adoptions() error {
	byProcedure := make(map[string][]coalition.SignedFile)
	var ids []string
	for _, file := range a.steps {
		s, err := silence.ReadStep(file, a.cycle.Charter.Coordinator.Key)
		if err != nil {
			return err
		}
		if byProcedure[s.Procedure] == nil {
			ids = append(ids, s.Procedure)
		}
		byProcedure[s.Procedure] = append(byProcedure[s.Procedure], file)
	}
	var procedures []silence.Procedure
	for _, id := range ids {
		steps := byProcedure[id]
		number := func(f coalition.SignedFile) int { n, _, _ := silence.Number(f.Body); return n }
		slices.SortFunc(steps, func(x, y coalition.SignedFile) int { return number(x) - number(y) })
		p, err := silence.Replay(a.cycle.Charter.Coordinator.Key, steps)
		if err != nil {
			return errs.Wrap(err, errs.Invalid, errs.Describe(err).Message, "give all steps of the procedure, from step 0 on, in one command")
		}
		procedures = append(procedures, p)
	}
	// The last that is entered of a text is what holds: ends are entered in the order of
	// time, whatever else their procedures did.
	type end struct {
		at int64
		ledger.Statement
	}
	var ends []end
	for _, p := range procedures {
		for i, round := range p.Rounds {
			if round.Subject.Kind == silence.Statement || round.Ended != silence.Adopt && round.Ended != silence.Reopen {
				continue
			}
			s, err := a.cycle.Adoption(string(round.Subject.Kind), round.Subject.Digest, p.ID, i+1, round.Ended == silence.Adopt)
			if err != nil {
				return err
			}
			ends = append(ends, end{round.At, s})
		}
	}
	slices.SortStableFunc(ends, func(x, y end) int { return cmp.Compare(x.at, y.at) })
	for _, e := range ends {
		a.statements = append(a.statements, e.Statement)
	}
	return nil
}
