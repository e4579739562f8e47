package verify

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
	"muster/internal/silence"
)

// entry is a statement with its number in the ledger.
type entry struct {
	number int
	ledger.Statement
}

// cycle is what the bundle has under one charter.
type cycle struct {
	signed   coalition.SignedCharter
	charter  coalition.Charter
	digest   string
	at       int // the number of its entry
	deadline time.Time
	addenda  []coalition.SignedAddendum // nil if one is not in the bundle
	tasks    []task
	pack     *framework.Pack // nil if it is not here
	releases []released
}

// task is a cohort of a cycle.
type task struct {
	coalition.OpenedTask
	cohort  coalition.Cohort
	keys    map[coalition.MemberID]keys.Public // of the cohort's members
	roster  *entry
	frozen  *coalition.FrozenRoster // nil if roster or amendments are not in the bundle, or do not fit
	members []coalition.MemberID    // whose submissions count; nil without frozen
	count   int                     // of the roster as amended, as the entries say
	digest  string                  // of the roster as amended, as the entries say
}

// key returns the key of a member of the cohort.
func (t *task) key(id coalition.MemberID) (keys.Public, bool) {
	key, ok := t.keys[id]
	return key, ok
}

// released is a release of a cycle.
type released struct {
	entry
	task *task
	file *release.Release // nil if it is not in the bundle, or cannot be read
}

// of returns the entries of a kind under a charter, or those of the cycle that came
// before it.
func (a *auditor) of(c *cycle, kind ledger.Kind) []entry {
	var list []entry
	for number, s := range a.b.Statements {
		if s.Kind == kind && s.Cycle == a.b.Manifest.Cycle && (s.Charter == c.digest || s.Charter == "") {
			list = append(list, entry{number, s})
		}
	}
	return list
}

// ofTask returns those of a task.
func (a *auditor) ofTask(c *cycle, kind ledger.Kind, t *task) []entry {
	return slices.DeleteFunc(a.of(c, kind), func(e entry) bool { return e.Fields["task_id"] != t.ID.String() })
}

func statements(list []entry) []ledger.Statement {
	out := make([]ledger.Statement, len(list))
	for i, e := range list {
		out[i] = e.Statement
	}
	return out
}

// charters opens the charters of the cycle.
func (a *auditor) charters() {
	for number, s := range a.b.Statements {
		if s.Kind != ledger.KindCharter || s.Cycle != a.b.Manifest.Cycle {
			continue
		}
		body, ok := a.b.Signed(s)
		if !ok {
			a.unchecked(StepCharter, "charter_absent", s.Fields["digest"])
			continue
		}
		c := &cycle{signed: coalition.SignedCharter(body), digest: s.Fields["digest"], at: number}
		var err error
		if c.charter, err = c.signed.Open(); err != nil {
			a.fails(StepCharter, file(c.digest), err, "charter_unsigned")
			continue
		}
		if err := a.openTasks(c); err != nil {
			a.fails(StepCharter, file(c.digest), err, "charter_unsigned")
			continue
		}
		a.by[c.digest] = c
		a.cycles = append(a.cycles, c)
		a.charter(c, entry{number, s})
		a.charterWitnesses(c)
	}
	if a.cfg.Charter != "" && a.by[a.cfg.Charter] == nil {
		a.fails(StepCharter, "", nil, "charter_other", a.cfg.Charter)
	}
}

func (a *auditor) openTasks(c *cycle) error {
	c.deadline = time.Unix(c.charter.Deadline, 0)
	for _, cohort := range c.charter.Cohorts {
		opened, err := c.charter.OpenTask(cohort.ID)
		if err != nil {
			return err
		}
		members := make(map[coalition.MemberID]keys.Public, len(cohort.Members))
		for _, m := range cohort.Members {
			members[m.ID] = m.Key
		}
		c.tasks = append(c.tasks, task{OpenedTask: opened, cohort: cohort, keys: members})
	}
	return nil
}

// charter holds a charter's entry to the charter, and the charter to the audit of
// its groups.
func (a *auditor) charter(c *cycle, e entry) {
	ch := c.charter
	members := 0
	for _, cohort := range ch.Cohorts {
		members += len(cohort.Members)
	}
	says := map[string]string{"framework": ch.Framework.Digest, "layout": ledger.Digest(ch.Layout), "members": strconv.Itoa(members), "marking": ch.Marking}
	good := ch.Cycle == a.b.Manifest.Cycle
	if !good {
		a.fails(StepCharter, file(c.digest), nil, "charter_cycle", ch.Cycle)
	}
	for name, want := range says {
		if e.Fields[name] != want {
			good = false
			a.fails(StepCharter, a.place(e.number), nil, "charter_entry", name)
		}
	}
	if good {
		a.holds(StepCharter, "charter_signed", ch.Coalition, ch.Cycle, members, string(ch.Leader.Member), string(ch.Helper.Member))
	}
	if a.cfg.Charter == c.digest {
		a.holds(StepCharter, "charter_same")
	}
	if err := disclosure.RequireSafe(ch); err != nil {
		a.fails(StepCharter, file(c.digest), err, "charter_groups")
	}
}

// framework holds the framework's entry to the charter, and the charter's layout to
// the pack, where it is here.
func (a *auditor) framework(c *cycle) {
	ref := c.charter.Framework
	entries := a.of(c, ledger.KindFramework)
	i := slices.IndexFunc(entries, func(e entry) bool { return e.Fields["digest"] == ref.Digest })
	switch {
	case i < 0:
		a.fails(StepFramework, file(c.digest), nil, "framework_missing", ref.ID, ref.Version)
		return
	case entries[i].Fields["id"] != ref.ID || entries[i].Fields["version"] != ref.Version:
		a.fails(StepFramework, a.place(entries[i].number), nil, "framework_other", ref.ID, ref.Version)
		return
	}
	if a.cfg.Packs == nil {
		a.unchecked(StepFramework, "framework_absent", ref.ID, ref.Version)
		return
	}
	pack, err := framework.Find(a.cfg.Packs, ref.ID)
	if err != nil || pack.Ref().Digest != ref.Digest {
		a.unchecked(StepFramework, "framework_absent", ref.ID, ref.Version)
		return
	}
	layout, err := framework.NewLayout(pack)
	var canonical []byte
	if err == nil {
		canonical, err = layout.Canonical()
	}
	if err != nil || !bytes.Equal(canonical, c.charter.Layout) {
		a.fails(StepFramework, file(c.digest), err, "framework_layout", ref.ID, ref.Version)
		return
	}
	c.pack = pack
	a.holds(StepFramework, "framework_same", ref.ID, ref.Version)
}

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
	case said == "adopted":
		a.unchecked(StepAdoption, "adoption_said")
	default:
		a.unchecked(StepAdoption, "adoption_none")
	}
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

// stepTimes holds the times of steps to what witnesses saw.
func (a *auditor) stepTimes(entries []entry, files []coalition.SignedFile, c *cycle) {
	for i, e := range entries {
		s, err := silence.ReadStep(files[i], c.charter.Coordinator.Key)
		if err == nil {
			a.notBefore(e, s.At, "time_step")
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

// phases replays the phases of the cycle.
func (a *auditor) phases(c *cycle) {
	list := a.of(c, ledger.KindPhase)
	if len(list) == 0 {
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

// deadline holds the postponements to the charter.
func (a *auditor) deadline(c *cycle) {
	list := a.of(c, ledger.KindAddendum)
	slices.SortFunc(list, func(x, y entry) int { return x.Number("number") - y.Number("number") })
	last, whole := c.charter.Deadline, true
	var signed []coalition.SignedAddendum
	for i, e := range list {
		deadline, err := strconv.ParseInt(e.Fields["deadline"], 10, 64)
		if err != nil || e.Number("number") != i+1 || deadline <= last || deadline >= c.charter.Wipe {
			a.fails(StepDeadline, a.place(e.number), err, "addendum_wrong", i+1)
			return
		}
		last = deadline
		body, ok := a.b.Signed(e.Statement)
		whole = whole && ok
		if ok {
			one, err := coalition.SignedAddendum(body).Read(c.charter)
			if err != nil || one.Deadline != deadline || one.Reason != e.Fields["reason"] || one.Number != i+1 {
				a.fails(StepDeadline, file(e.Fields["digest"]), err, "addendum_wrong", i+1)
				return
			}
			signed = append(signed, coalition.SignedAddendum(body))
		}
	}
	c.deadline = time.Unix(last, 0)
	if whole && len(signed) > 0 {
		if _, err := c.charter.DeadlineAfter(signed); err != nil {
			a.fails(StepDeadline, file(list[0].Fields["digest"]), err, "addendum_wrong", 1)
			return
		}
		c.addenda = signed
	}
	a.holds(StepDeadline, "deadline", len(list), moment(c.deadline))
}

// notBefore names an entry that a witness had seen before the moment that it is of.
func (a *auditor) notBefore(e entry, at int64, code string) bool {
	seen, ok := a.latest(e.number)
	if !ok || !seen.Add(skew).Before(time.Unix(at, 0)) {
		return true
	}
	a.fails(StepTimes, a.place(e.number), a.says(e.number), code, moment(seen), seconds(at))
	return false
}

// seenTimes holds what has a time to what witnesses saw.
func (a *auditor) seenTimes(c *cycle) {
	if len(a.times) == 0 {
		a.unchecked(StepTimes, "time_nobody")
		return
	}
	good := true
	for _, e := range a.of(c, ledger.KindRoster) {
		good = a.notBefore(e, c.deadline.Unix(), "time_roster") && good
	}
	for _, e := range a.of(c, ledger.KindWipe) {
		body, ok := a.b.Signed(e.Statement)
		if !ok {
			continue
		}
		if w, err := coalition.OpenWipeAttestation(body, c.charter); err == nil {
			good = a.notBefore(e, w.Time, "time_wipe") && good
		}
	}
	if good && !slices.ContainsFunc(a.report.Findings, func(f Finding) bool { return f.Step == StepTimes && f.Verdict == Fails }) {
		if first, ok := a.latest(c.at); ok {
			a.holds(StepTimes, "times", moment(first))
		} else {
			a.unchecked(StepTimes, "time_nobody")
		}
	}
}
