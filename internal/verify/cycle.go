package verify

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
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
	at       int    // the number of its entry
	by       *cycle // that under the charter in its place; nil: it is in force
	deadline time.Time
	tasks    []task
	pack     *framework.Pack // nil if it is not here
	releases []released

	procedures []silence.Procedure // of silence, whose steps are in the bundle
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

// released is a release of a cycle that is in the bundle and says what charter and record
// say; of others nothing is looked at further.
type released struct {
	entry
	task    *task
	file    *release.Release
	counted []coalition.MemberID // by the bundle's overlaps, under names of nobody; nil where it has none
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
			a.resting = true
			a.fails(StepCharter, a.place(number), nil, "charter_absent", s.Fields["digest"])
			continue
		}
		c := &cycle{signed: coalition.SignedCharter(body), digest: s.Fields["digest"], at: number}
		var err error
		if c.charter, err = c.signed.Open(); err == nil {
			err = a.openTasks(c)
		}
		if err != nil {
			a.resting = true
			a.fails(StepCharter, file(c.digest), err, "charter_unsigned")
			continue
		}
		a.by[c.digest] = c
		a.cycles = append(a.cycles, c)
	}
	for i, c := range a.cycles {
		j := slices.IndexFunc(a.cycles[i+1:], c.gaveWay)
		if j >= 0 {
			c.by = a.cycles[i+1+j]
		}
	}
	for _, c := range a.cycles {
		a.under(c, func() {
			a.charter(c, entry{c.at, a.b.Statements[c.at]})
			a.charterWitnesses(c)
		})
	}
	if a.cfg.Charter != "" && !slices.ContainsFunc(a.cycles, a.known) {
		a.fails(StepCharter, "", nil, "charter_other", a.cfg.Charter)
	}
}

// gaveWay reports whether a later charter of the cycle is in the place of this one: it
// asks a cohort of the same name the same. Others of the cycle ask something else.
func (c *cycle) gaveWay(later *cycle) bool {
	return later.charter.Framework.ID == c.charter.Framework.ID && slices.ContainsFunc(c.charter.Cohorts, func(one coalition.Cohort) bool {
		return slices.ContainsFunc(later.charter.Cohorts, func(o coalition.Cohort) bool { return o.ID == one.ID })
	})
}

// under has what is found said of one charter, where the cycle has several.
func (a *auditor) under(c *cycle, check func()) {
	if len(a.cycles) > 1 {
		a.current = c
	}
	check()
	a.current = nil
}

// called returns what a charter is called where there are several.
func (c *cycle) called() words {
	if c.by != nil {
		return words{"charter " + c.digest[:8] + "…, replaced", "charte " + c.digest[:8] + "…, remplacée"}
	}
	return words{"charter " + c.digest[:8] + "…, in force", "charte " + c.digest[:8] + "…, en vigueur"}
}

// known reports whether a charter is the one that the reader has from elsewhere, by its
// digest or the words for it.
func (a *auditor) known(c *cycle) bool {
	return a.cfg.Charter == c.digest || a.cfg.Charter == strings.Join(keys.Words(sha256.Sum256(c.signed.Body)), " ")
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
	if a.known(c) {
		a.holds(StepCharter, "charter_same")
	} else {
		a.unchecked(StepCharter, "charter_keys", c.digest)
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
	pack, code, err := a.pack(ref)
	switch {
	case err != nil:
		a.fails(StepFramework, file(ref.Digest), err, "framework_unread", ref.ID, ref.Version)
		return
	case pack == nil:
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
	a.holds(StepFramework, code, ref.ID, ref.Version)
}

// pack returns the questions of a charter, and the sentence that says where they are
// from: the reader's own, else the bundle's, whose digest is the charter's. It is nil
// where neither has them.
func (a *auditor) pack(ref coalition.FrameworkRef) (*framework.Pack, string, error) {
	if a.cfg.Packs != nil {
		if pack, err := framework.Find(a.cfg.Packs, ref.ID); err == nil && pack.Ref().Digest == ref.Digest {
			return pack, "framework_same", nil
		}
	}
	body, ok := a.b.Files[ref.Digest]
	if !ok {
		return nil, "", nil
	}
	pack, err := framework.Read(file(ref.Digest), bytes.NewReader(body))
	if err == nil && pack.Ref().Digest != ref.Digest {
		err = errs.New(errs.Invalid, "the questions are written in another form than the one that the digest is of", "")
	}
	return pack, "framework_bundle", err
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

// seenBy says so where no witness had seen an entry by a moment. Nobody is accused: a
// witness may have been late. Where nobody has seen anything that is said once.
func (a *auditor) seenBy(e entry, by int64, code string) {
	seen, ok := a.latest(e.number)
	if !ok || !seen.Add(-skew).After(time.Unix(by, 0)) {
		return
	}
	a.add(StepTimes, Unchecked, a.place(e.number), "", code, seconds(by), moment(seen))
}

// seenTimes holds what has a time to what witnesses saw.
func (a *auditor) seenTimes(c *cycle) {
	if len(a.times) == 0 {
		a.unchecked(StepTimes, "time_nobody")
		return
	}
	a.seenBy(entry{c.at, a.b.Statements[c.at]}, c.charter.Opens, "time_charter")
	for _, e := range a.of(c, ledger.KindAdoption) {
		if e.Fields["digest"] == c.digest && e.Fields["outcome"] == "adopted" {
			a.seenBy(e, c.charter.Opens, "time_adoption")
		}
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
