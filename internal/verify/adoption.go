package verify

import (
	"fmt"
	"slices"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/silence"
)

// settled is how the record has it that a text stands under the silence procedure.
type settled string

// How a text stands. The first three follow from the steps.
const (
	byAdoption  settled = "adopted"
	contradicts settled = "contradicts" // the entry of how it ended is not how the steps end
	reopened    settled = "reopened"
	unshown     settled = "said" // adopted, says the coordinator; the steps are not in the bundle
	bare        settled = "bare" // likewise; the record has no steps
	unsettled   settled = "none"
)

// settle returns how a text stands, and the procedure that adopted it, if its steps are
// here. The last procedure over a text decides: it takes back what one before it adopted.
func (a *auditor) settle(c *cycle, kind silence.SubjectKind, digest string) (settled, *silence.Procedure) {
	var list []ledger.Statement
	for _, s := range a.b.Statements {
		if s.Cycle == a.b.Manifest.Cycle && (s.Charter == c.digest || s.Charter == "") {
			list = append(list, s)
		}
	}
	last := ledger.LastWord(list, string(kind), digest)
	said := a.outcome(c, string(kind), digest, "")
	for i := range c.procedures {
		p := &c.procedures[i]
		if last.Procedure != "" && p.ID != last.Procedure {
			continue
		}
		switch {
		case p.CheckAdopted(kind, digest) != nil:
			continue
		case a.outcome(c, string(kind), digest, p.ID) == "reopened":
			return contradicts, nil
		}
		return byAdoption, p
	}
	switch {
	case said == "reopened", said != "" && last.Outcome == "reopened" && a.outcome(c, string(kind), digest, last.Procedure) == "":
		return reopened, nil // the second: another procedure, whose end was not entered but as its step
	case said == "":
		return unsettled, nil
	}
	var of []string // the procedures that had this text under silence
	for _, e := range a.of(c, ledger.KindSilence) {
		if e.Fields["text"] == digest {
			of = append(of, e.Fields["procedure"])
		}
	}
	if len(of) == 0 {
		return bare, nil
	}
	for _, id := range of {
		if !slices.ContainsFunc(c.procedures, func(p silence.Procedure) bool { return p.ID == id }) {
			return unshown, nil
		}
	}
	return contradicts, nil
}

// adoption looks for the adoption of the charter.
func (a *auditor) adoption(c *cycle) {
	a.procedures(c)
	switch as, p := a.settle(c, silence.Charter, c.digest); as {
	case byAdoption:
		left := 0
		for _, cohort := range c.charter.Cohorts {
			left += leftOut(cohort, p)
		}
		switch {
		case left > 0:
			a.fails(StepAdoption, "", nil, "adoption_left_out", left)
		case p.Last > c.charter.Opens:
			a.fails(StepAdoption, "", nil, "adoption_late", seconds(p.Last), seconds(c.charter.Opens))
		case tooShort(c, p):
			a.fails(StepAdoption, "", nil, "adoption_short", silent(p))
		default:
			a.holds(StepAdoption, "adopted", len(p.Parties), len(p.Rounds), silent(p), seconds(p.Last))
		}
	case contradicts:
		a.fails(StepAdoption, "", nil, "adoption_contradicts")
	case reopened:
		a.fails(StepAdoption, "", nil, "adoption_reopened")
	case bare:
		a.unchecked(StepAdoption, "adoption_bare")
	case unshown:
		a.unchecked(StepAdoption, "adoption_said")
	default:
		a.notAdopted(c)
	}
}

// editionAdoption looks for the adoption of an edition, as for that of a charter: the
// members whose answers it is drawn from must have been parties.
func (a *auditor) editionAdoption(c *cycle, e entry, from *task) {
	audience := e.Fields["audience"]
	switch as, p := a.settle(c, silence.Edition, e.Fields["digest"]); as {
	case byAdoption:
		if from != nil {
			if left := leftOut(from.cohort, p); left > 0 {
				a.fails(StepEditions, a.place(e.number), nil, "edition_left_out", left, audience)
				return
			}
		}
		if tooShort(c, p) {
			a.fails(StepEditions, a.place(e.number), nil, "edition_short", audience, silent(p))
			return
		}
		a.holds(StepEditions, "edition_adopted", audience, len(p.Parties), len(p.Rounds), silent(p), seconds(p.Last))
	case contradicts:
		a.fails(StepEditions, a.place(e.number), nil, "edition_contradicts", audience)
	case reopened:
		a.fails(StepEditions, a.place(e.number), nil, "edition_reopened", audience)
	case bare:
		a.unchecked(StepEditions, "edition_bare", audience)
	case unshown:
		a.unchecked(StepEditions, "edition_said", audience)
	default:
		a.unchecked(StepEditions, "edition_unadopted", audience)
	}
}

// shortest is how long a text of a cycle that is not marked is under silence at least:
// in less nobody who sleeps can break it.
const shortest = 24 * time.Hour

// tooShort reports whether the silence that adopted a text left somebody too little time.
func tooShort(c *cycle, p *silence.Procedure) bool {
	return c.charter.Marking == "" && time.Duration(p.Rounds[len(p.Rounds)-1].Least)*time.Second < shortest
}

// silent says how long the silence that adopted a text was for whoever had least of it.
func silent(p *silence.Procedure) words {
	least := p.Rounds[len(p.Rounds)-1].Least
	for _, unit := range []struct {
		seconds int64
		words
	}{{86400, words{"%d days", "%d jours"}}, {3600, words{"%d hours", "%d heures"}}, {60, words{"%d minutes", "%d minutes"}}} {
		if least >= 2*unit.seconds {
			return words{fmt.Sprintf(unit.en, least/unit.seconds), fmt.Sprintf(unit.fr, least/unit.seconds)}
		}
	}
	return words{fmt.Sprintf("%d s", least), fmt.Sprintf("%d s", least)}
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
	if old := a.replacing(c); old != nil && a.outcome(old, "charter", old.digest, "") == "adopted" {
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

// ended returns how a procedure ended.
func ended(outcome string) words {
	if outcome == "adopted" {
		return words{"adopted", "adoptée"}
	}
	return words{"opened again", "rouverte"}
}

// outcome returns what the last entry of an adoption says of a document, of those of a
// procedure where one is named. Entries of the first form name none.
func (a *auditor) outcome(c *cycle, subject, digest, procedure string) string {
	outcome := ""
	for _, e := range a.of(c, ledger.KindAdoption) {
		of := procedure == "" || e.Fields["procedure"] == "" || e.Fields["procedure"] == procedure
		if of && e.Fields["subject"] == subject && e.Fields["digest"] == digest {
			outcome = e.Fields["outcome"]
		}
	}
	return outcome
}

// procedures replays the procedures whose steps are entered and in the bundle.
func (a *auditor) procedures(c *cycle) {
	byID := make(map[string][]entry)
	var ids []string
	for _, e := range a.of(c, ledger.KindSilence) {
		id := e.Fields["procedure"]
		if byID[id] == nil {
			ids = append(ids, id)
		}
		byID[id] = append(byID[id], e)
	}
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
		c.procedures = append(c.procedures, p)
		a.stepTimes(steps, files, c)
	}
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

// leftOut counts the members of a cohort that were no party, or by another key.
func leftOut(cohort coalition.Cohort, p *silence.Procedure) int {
	n := 0
	for _, m := range cohort.Members {
		if key, ok := p.Party(m.ID); !ok || key != m.Key {
			n++
		}
	}
	return n
}

// acknowledged holds what a chair acknowledged against the steps.
func (a *auditor) acknowledged() {
	for i, signed := range a.cfg.Acknowledgements {
		a.acknowledgement(i+1, signed)
	}
}

func (a *auditor) acknowledgement(number int, signed coalition.SignedFile) {
	by := false
	for _, c := range a.cycles {
		ack, err := silence.ReadAcknowledgement(signed, c.charter.Coordinator.Key)
		if err != nil {
			continue
		}
		by = true
		at := slices.IndexFunc(c.procedures, func(p silence.Procedure) bool { return p.ID == ack.Procedure })
		if at < 0 {
			if a.byEntries(c, number, ack) {
				return
			}
			continue
		}
		p := c.procedures[at]
		switch err := p.CheckAcknowledgement(c.charter.Coordinator.Key, signed); {
		case errs.KindOf(err) == errs.Conflict:
			a.fails(StepAdoption, "", err, "ack_contradicts", number)
		case err != nil && (p.State == silence.Adopted || p.State == silence.Withdrawn):
			a.fails(StepAdoption, "", err, "ack_round", number)
		case err != nil:
			a.unchecked(StepAdoption, "ack_steps", number)
		default:
			a.holds(StepAdoption, "ack_fits", number)
		}
		return
	}
	if by {
		a.unchecked(StepAdoption, "ack_steps", number)
	} else {
		a.unchecked(StepAdoption, "ack_other", number)
	}
}

// byEntries holds an acknowledgement to the entries of the steps, where the steps are not
// in the bundle: whoever made it may be the one whom the acknowledgement accuses. Entries
// have no times, so what was counted late is not judged. It reports whether it said
// something.
func (a *auditor) byEntries(c *cycle, number int, ack silence.Acknowledgement) bool {
	steps := slices.DeleteFunc(a.of(c, ledger.KindSilence), func(e entry) bool { return e.Fields["procedure"] != ack.Procedure })
	slices.SortFunc(steps, func(x, y entry) int { return x.Number("number") - y.Number("number") })
	put, end := -1, -1 // that of the acknowledgement, and what ended it
	for i, e := range steps {
		if e.Number("number") != i {
			return false // one is missing, which is said of it elsewhere
		}
		switch act := silence.Act(e.Fields["act"]); {
		case act == silence.Put && e.Fields["digest"] == ack.Round:
			put = i
		case put >= 0 && end < 0 && slices.Contains([]silence.Act{silence.Put, silence.Adopt, silence.Reopen, silence.Withdraw}, act):
			end = i
		}
	}
	over := len(steps) > 0 && slices.Contains([]silence.Act{silence.Adopt, silence.Withdraw}, silence.Act(steps[len(steps)-1].Fields["act"]))
	switch {
	case put < 0 && over:
		a.fails(StepAdoption, a.place(steps[len(steps)-1].number), nil, "ack_round", number)
	case end >= 0 && ack.Counts == silence.InTime && silence.Act(steps[end].Fields["act"]) == silence.Adopt:
		a.fails(StepAdoption, a.place(steps[end].number), nil, "ack_contradicts", number)
	default:
		return false
	}
	return true
}

// stepsLeftOut finds steps that are not in a bundle that has the list with names: whoever
// may see that may see who was party.
func (a *auditor) stepsLeftOut(c *cycle) {
	if !slices.ContainsFunc(c.tasks, func(t task) bool { return t.frozen != nil }) {
		return
	}
	absent := slices.DeleteFunc(a.of(c, ledger.KindSilence), func(e entry) bool { _, ok := a.b.Signed(e.Statement); return ok })
	if len(absent) > 0 {
		a.fails(StepAdoption, a.place(absent[0].number), nil, "steps_left_out", len(absent))
	}
}
