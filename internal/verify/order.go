package verify

import (
	"slices"

	"muster/internal/coalition"
	"muster/internal/ledger"
)

// inOrder holds the places of the cycle's entries to the table of what comes after what.
func (a *auditor) inOrder() {
	cycle := a.b.Manifest.Cycle
	found := ledger.Disorders(a.b.Statements, cycle)
	for i, d := range found {
		if i == maxListed {
			a.fails(StepOrder, "", nil, "and_more")
			break
		}
		later, earlier := a.b.Statements[d.Later], a.b.Statements[d.Earlier]
		a.fails(StepOrder, a.place(d.Later), nil, "disordered", d.Later, what(later), d.Earlier, what(earlier))
	}
	if len(found) > 0 {
		return
	}
	n := 0
	for _, s := range a.b.Statements {
		if s.Cycle == cycle {
			n++
		}
	}
	a.holds(StepOrder, "ordered", n)
}

// phases replays the phases of the cycle, which go on from one charter to the one in its
// place, and holds them to what happened.
func (a *auditor) phases() {
	var list []entry
	for number, s := range a.b.Statements {
		if s.Kind == ledger.KindPhase && s.Cycle == a.b.Manifest.Cycle {
			list = append(list, entry{number, s})
		}
	}
	if a.happened() || len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(x, y entry) int { return x.Number("number") - y.Number("number") })
	at := coalition.Phase(list[0].Fields["from"])
	if at != coalition.Draft {
		a.fails(StepPhases, a.place(list[0].number), nil, "phase_first", phase(at))
		return
	}
	for i, e := range list {
		from, to := coalition.Phase(e.Fields["from"]), coalition.Phase(e.Fields["to"])
		if e.Number("number") != i+1 || from != at {
			a.fails(StepPhases, a.place(e.number), nil, "phase_order", e.Number("number"), phase(from), phase(at))
			return
		}
		if err := coalition.Step(from, to, e.Fields["reason"]); err != nil {
			a.fails(StepPhases, a.place(e.number), err, "phase_step", phase(from), phase(to))
			return
		}
		at = to
	}
	a.holds(StepPhases, "phases", len(list), phase(at))
}

// happened names what was done and the phase that it belongs to and that the record does
// not have, or the other way round. It reports whether there is such a thing; that both
// are there, in their order, is looked at with all entries.
func (a *auditor) happened() bool {
	found := false
	for _, rule := range ledger.Order() {
		if rule.Needs == 0 || rule.Earlier.Kind != ledger.KindPhase && rule.Later.Kind != ledger.KindPhase {
			continue
		}
		later, earlier := -1, -1
		for number, s := range a.b.Statements {
			if s.Cycle != a.b.Manifest.Cycle {
				continue
			}
			if later < 0 && rule.Later.Has(s) {
				later = number
			}
			if earlier < 0 && rule.Earlier.Has(s) {
				earlier = number
			}
		}
		if later >= 0 && earlier < 0 {
			found = true
			wanted := ledger.Statement{Kind: rule.Earlier.Kind, Fields: rule.Earlier.Fields}
			a.fails(StepPhases, a.place(later), nil, "phase_missing", later, what(a.b.Statements[later]), what(wanted))
		}
	}
	return found
}

// what returns what an entry is called.
func what(s ledger.Statement) words {
	w, ok := map[ledger.Kind]words{
		ledger.KindFramework: {"questions", "questions"}, ledger.KindCharter: {"charter", "charte"}, ledger.KindAdoption: {"adoption", "adoption"},
		ledger.KindSilence: {"step of a silence procedure", "étape d’une procédure de silence"}, ledger.KindAddendum: {"postponement", "report"},
		ledger.KindReceipt: {"receipt", "reçu"}, ledger.KindRoster: {"list of submissions", "liste des envois"}, ledger.KindDisagreement: {"disagreement", "désaccord"},
		ledger.KindStrike: {"strike", "radiation"}, ledger.KindAmendment: {"amendment", "rectification"}, ledger.KindShare: {"locked half", "moitié verrouillée"},
		ledger.KindRelease: {"release", "publication"}, ledger.KindApproval: {"approval", "approbation"}, ledger.KindEdition: {"edition", "édition"},
		ledger.KindWipe: {"attestation of wiping", "attestation d’effacement"},
	}[s.Kind]
	switch {
	case s.Kind == ledger.KindPhase:
		to := phase(coalition.Phase(s.Fields["to"]))
		return words{"step to " + to.en, "passage à « " + to.fr + " »"}
	case !ok:
		return words{string(s.Kind), string(s.Kind)}
	}
	return w
}
