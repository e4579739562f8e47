package verify

import (
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/silence"
)

// adoption replays the silence procedures of the cycle, where their steps are here,
// and looks for the adoption of the charter.
func (a *auditor) adoption(c *cycle) {
	procedures, whole := a.procedures(c)
	a.acknowledged(c, procedures)
	said := a.outcome(c, "charter", c.digest)
	adopted := slices.IndexFunc(procedures, func(p silence.Procedure) bool { return p.CheckAdopted(silence.Charter, c.digest) == nil })
	switch {
	case adopted >= 0 && said == "reopened":
		a.fails(StepAdoption, "", nil, "adoption_contradicts")
	case adopted >= 0:
		p := procedures[adopted]
		left := a.leftOut(c, &p)
		switch {
		case left > 0:
			a.fails(StepAdoption, "", nil, "adoption_left_out", left)
		case p.Last > c.charter.Opens:
			a.fails(StepAdoption, "", nil, "adoption_late", seconds(p.Last), seconds(c.charter.Opens))
		default:
			a.holds(StepAdoption, "adopted", len(p.Parties), len(p.Rounds), seconds(p.Last))
		}
	case said == "reopened":
		a.fails(StepAdoption, "", nil, "adoption_reopened")
	case said == "adopted" && len(procedures) > 0 && whole:
		a.fails(StepAdoption, "", nil, "adoption_contradicts")
	case said == "adopted" && len(a.of(c, ledger.KindSilence)) == 0:
		a.unchecked(StepAdoption, "adoption_bare")
	case said == "adopted":
		a.unchecked(StepAdoption, "adoption_said")
	default:
		a.notAdopted(c)
	}
}

// replacing returns the charter that one is in the place of, or nil.
func (a *auditor) replacing(c *cycle) *cycle {
	i := slices.IndexFunc(a.cycles, func(o *cycle) bool { return o.by == c })
	if i < 0 {
		return nil
	}
	return a.cycles[i]
}

// notAdopted judges a charter of whose adoption the record says nothing: it is wrong if
// the cycle went on all the same.
func (a *auditor) notAdopted(c *cycle) {
	if old := a.replacing(c); old != nil && a.outcome(old, "charter", old.digest) == "adopted" {
		a.unchecked(StepAdoption, "adoption_replaced", old.digest[:8])
		return
	}
	for number, s := range a.b.Statements {
		to := coalition.Phase(s.Fields["to"])
		if s.Kind == ledger.KindPhase && s.Cycle == a.b.Manifest.Cycle && (to == coalition.Adopted || to == coalition.Open) {
			a.fails(StepAdoption, a.place(number), nil, "adoption_missing", phase(to))
			return
		}
	}
	a.unchecked(StepAdoption, "adoption_none")
}

// outcome returns what the last entry of an adoption says of a document.
func (a *auditor) outcome(c *cycle, subject, digest string) string {
	outcome, last := "", -1
	for _, e := range a.of(c, ledger.KindAdoption) {
		if e.Fields["subject"] == subject && e.Fields["digest"] == digest && e.Number("number") > last {
			outcome, last = e.Fields["outcome"], e.Number("number")
		}
	}
	return outcome
}

// procedures replays the procedures whose steps are entered. whole is false where
// files of steps are not in the bundle.
func (a *auditor) procedures(c *cycle) (list []silence.Procedure, whole bool) {
	byID := make(map[string][]entry)
	var ids []string
	for _, e := range a.of(c, ledger.KindSilence) {
		id := e.Fields["procedure"]
		if byID[id] == nil {
			ids = append(ids, id)
		}
		byID[id] = append(byID[id], e)
	}
	whole = true
	for _, id := range ids {
		steps := byID[id]
		slices.SortFunc(steps, func(x, y entry) int { return x.Number("number") - y.Number("number") })
		var files []coalition.SignedFile
		for n, e := range steps {
			if e.Number("number") != n {
				a.fails(StepAdoption, a.place(e.number), nil, "step_missing", n)
				files = nil
				break
			}
			body, ok := a.b.Signed(e.Statement)
			if !ok {
				whole = false
				files = nil
				break
			}
			files = append(files, body)
		}
		if files == nil {
			continue
		}
		p, err := silence.Replay(c.charter.Coordinator.Key, files)
		if err == nil {
			err = a.stepEntries(c, steps, files)
		}
		if err != nil {
			a.fails(StepAdoption, a.place(steps[0].number), err, "step_wrong")
			continue
		}
		list = append(list, p)
		a.stepTimes(steps, files, c)
	}
	return list, whole
}

// stepEntries holds the entries of steps to the steps.
func (a *auditor) stepEntries(c *cycle, entries []entry, files []coalition.SignedFile) error {
	for i, e := range entries {
		s, err := silence.ReadStep(files[i], c.charter.Coordinator.Key)
		if err != nil {
			return err
		}
		subject, text := "", ""
		if s.Subject != nil {
			subject, text = string(s.Subject.Kind), s.Subject.Digest
		}
		if e.Fields["procedure"] != s.Procedure || e.Fields["act"] != string(s.Act) || e.Fields["subject"] != subject || e.Fields["text"] != text {
			return errs.New(errs.Invalid, "the entry says another thing than the step", "")
		}
	}
	return nil
}

// stepTimes holds the times of steps to what witnesses saw: none before its date, and
// what puts a text under silence while the silence lasts, or it may have been written
// afterwards.
func (a *auditor) stepTimes(entries []entry, files []coalition.SignedFile, c *cycle) {
	for i, e := range entries {
		s, err := silence.ReadStep(files[i], c.charter.Coordinator.Key)
		if err != nil {
			continue
		}
		a.notBefore(e, s.At, "time_step")
		if s.Act == silence.Put || s.Act == silence.Extend {
			a.seenBy(e, s.Until, "time_silence")
		}
	}
}

// leftOut counts the members of the charter that were no party, or by another key.
func (a *auditor) leftOut(c *cycle, p *silence.Procedure) int {
	n := 0
	for _, cohort := range c.charter.Cohorts {
		for _, m := range cohort.Members {
			if key, ok := p.Party(m.ID); !ok || key != m.Key {
				n++
			}
		}
	}
	return n
}

// acknowledged holds what a chair acknowledged against the steps.
func (a *auditor) acknowledged(c *cycle, procedures []silence.Procedure) {
	for i, signed := range a.cfg.Acknowledgements {
		ack, err := silence.ReadAcknowledgement(signed, c.charter.Coordinator.Key)
		if err != nil {
			a.unchecked(StepAdoption, "ack_other", i+1)
			continue
		}
		at := slices.IndexFunc(procedures, func(p silence.Procedure) bool { return p.ID == ack.Procedure })
		if at < 0 {
			a.unchecked(StepAdoption, "ack_steps", i+1)
			continue
		}
		switch err := procedures[at].CheckAcknowledgement(c.charter.Coordinator.Key, signed); {
		case errs.KindOf(err) == errs.Conflict:
			a.fails(StepAdoption, "", err, "ack_contradicts", i+1)
		case err != nil:
			a.unchecked(StepAdoption, "ack_steps", i+1)
		default:
			a.holds(StepAdoption, "ack_fits", i+1)
		}
	}
}
