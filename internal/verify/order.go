package verify

import (
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
