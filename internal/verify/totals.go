package verify

import (
	"bytes"
	"slices"

	"muster/dap"
	"muster/internal/collect"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/release"
)

// Collector is what the coordinator gives an auditor whom it admits to the totals,
// until the wipe: its collector key, and the Leader's answers. Whoever has them sees
// totals before disclosure control, small cells included.
type Collector struct {
	HPKE    *dap.HpkeKeypair
	Answers map[string][]byte // the Leader's answer to the collection, by task
}

// totals opens the shares with the collector key and holds the release to what they
// give.
func (a *auditor) totals() {
	if a.cfg.Collector == nil {
		return
	}
	a.report.Note = sentence("sees_small")
	for _, c := range a.cycles {
		for i := range c.releases {
			r := &c.releases[i]
			if err := a.total(c, r); err != nil {
				a.fails(StepTotals, file(r.Fields["digest"]), err, "totals_differ", r.task.cohort.ID)
			}
		}
	}
	if !slices.ContainsFunc(a.report.Findings, func(f Finding) bool { return f.Step == StepTotals }) {
		a.unchecked(StepTotals, "totals_none")
	}
}

func (a *auditor) total(c *cycle, r *released) error {
	t := r.task
	answer, ok := a.cfg.Collector.Answers[t.ID.String()]
	switch {
	case !ok:
		a.unchecked(StepTotals, "totals_answer", t.cohort.ID)
		return nil
	case c.pack == nil:
		a.unchecked(StepTotals, "totals_pack", t.cohort.ID)
		return nil
	case t.frozen == nil:
		a.unchecked(StepTotals, "totals_roster", t.cohort.ID)
		return nil
	}
	if err := a.shareDigests(c, t, answer); err != nil {
		return err
	}
	layout, err := framework.NewLayout(c.pack)
	if err != nil {
		return err
	}
	collector, err := collect.New(collect.Config{Charter: c.charter, Cohort: t.cohort.ID, HPKE: a.cfg.Collector.HPKE, Layout: layout})
	if err != nil {
		return err
	}
	aggregate, err := collector.Open(answer, *t.frozen)
	if err != nil {
		return err
	}
	a.holds(StepTotals, "totals_opened", t.cohort.ID, int(aggregate.Count))
	if r.file.Turnover != nil {
		a.unchecked(StepTotals, "totals_previous", t.cohort.ID)
		return nil
	}
	return a.sameBands(c, r, layout, aggregate)
}

// shareDigests holds the encrypted shares in an answer to what the hosts entered.
func (a *auditor) shareDigests(c *cycle, t *task, answer []byte) error {
	resp, err := dap.Decode[dap.CollectionJobResp](t.Variant, answer)
	if err != nil {
		return errs.Wrap(err, errs.Invalid, "the Leader's answer cannot be read", "")
	}
	for host, share := range map[string]dap.HpkeCiphertext{"leader": resp.LeaderEncryptedAggShare, "helper": resp.HelperEncryptedAggShare} {
		b, err := dap.Encode(t.Variant, share)
		if err != nil {
			return err
		}
		entered := slices.ContainsFunc(a.ofTask(c, ledger.KindShare, t), func(e entry) bool {
			return e.Fields["host"] == host && e.Fields["share"] == ledger.Digest(b)
		})
		if !entered {
			return errs.New(errs.Invalid, "the share of the "+host+" is not the one that it entered", "")
		}
	}
	return nil
}

// sameBands takes the totals through the rule again, and compares with the release.
func (a *auditor) sameBands(c *cycle, r *released, layout *framework.Layout, aggregate *collect.Aggregate) error {
	names := make([]string, len(r.task.members))
	for i, m := range r.task.members {
		names[i] = string(m)
	}
	slices.Sort(names)
	blocks, err := disclosure.Application{
		Rule:          disclosure.Rule{Hosts: r.file.Participation.Hosts, Colluders: r.file.Rule.Colluders, Opened: r.file.Rule.Opened, Prefer: r.file.Rule.Prefer},
		Totals:        disclosure.Totals{Layout: layout, Submissions: aggregate.Count, Cells: aggregate.Cells},
		Participation: r.file.Participation, Thresholds: r.file.Thresholds, Members: names,
	}.Apply()
	if err != nil {
		return err
	}
	made, err := release.Blank(c.pack)
	if err != nil {
		return err
	}
	made.Show(blocks)
	want, err := keys.Canonical(made.Areas)
	if err != nil {
		return err
	}
	got, err := keys.Canonical(r.file.Areas)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, got) {
		return errs.New(errs.Conflict, "the totals in the hosts' shares give another release", "")
	}
	a.holds(StepTotals, "totals_same", r.task.cohort.ID)
	return nil
}
