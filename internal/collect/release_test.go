package collect_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/collect"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/packs"
)

func TestNewRelease(t *testing.T) {
	t.Parallel()
	pack, err := framework.Find(packs.FS(), "muster-core")
	must(t, err)
	l, err := framework.NewLayout(pack)
	must(t, err)
	c := newCycle(t, l, "release", dap.SuiteX25519)
	frozen := amended(t, c, 11, 4)
	totalsOf := func(f coalition.FrozenRoster, n uint64) *collect.Aggregate {
		a, err := collect.NewAggregate(l, n, totals(l, n, rand.New(rand.NewPCG(1, 2))))
		must(t, err)
		a.CycleMarking, a.Task, a.Roster = c.Charter.Marking, c.Task(t).ID.String(), f.Digest()
		return a
	}
	cfg := collect.ReleaseConfig{
		Charter: c.Charter, Cohort: coalitiontest.Cohort, Pack: pack, Aggregate: totalsOf(frozen, 10), Frozen: frozen, Declined: []coalition.MemberID{"m11"},
	}
	got, err := collect.NewRelease(cfg, c.Coordinator)
	must(t, err)
	want := disclosure.Participation{Members: 12, Submissions: 10, Hosts: 2, Declined: 1}
	if diff := cmp.Diff(want, got.Release.Participation); diff != "" {
		t.Errorf("participation (-want +got):\n%s", diff)
	}
	must(t, keys.Verify(keys.KindRelease, got.Body, got.Signature, c.Coordinator.Public()))
	digest, err := c.Charter.Digest()
	must(t, err)
	if got.Release.CharterDigest != digest || got.Release.RosterDigest != frozen.Digest() {
		t.Error("the release names another charter or roster")
	}
	again, err := collect.NewRelease(cfg, c.Coordinator)
	must(t, err)
	if !bytes.Equal(again.Body, got.Body) || !bytes.Equal(again.Signature, got.Signature) {
		t.Error("made again it is another")
	}

	with := func(change func(*collect.ReleaseConfig)) collect.ReleaseConfig {
		other := cfg
		change(&other)
		return other
	}
	aggregate := func(change func(*collect.Aggregate)) collect.ReleaseConfig {
		a := *cfg.Aggregate
		change(&a)
		return with(func(c *collect.ReleaseConfig) { c.Aggregate = &a })
	}
	few := amended(t, c, 9)
	for name, row := range map[string]struct {
		cfg     collect.ReleaseConfig
		message string
	}{
		"totals of another task":     {aggregate(func(a *collect.Aggregate) { a.Task = strings.Repeat("A", 43) }), "another cycle or cohort"},
		"totals of nothing":          {aggregate(func(a *collect.Aggregate) { a.Task = "" }), "another cycle or cohort"},
		"totals of another roster":   {aggregate(func(a *collect.Aggregate) { a.Roster = strings.Repeat("0", 64) }), "not of this roster"},
		"a roster without amendment": {with(func(c *collect.ReleaseConfig) { c.Frozen.Amendments = nil }), "not of this roster"},
		"one too many":               {with(func(r *collect.ReleaseConfig) { r.Aggregate = totalsOf(frozen, 11) }), "11 submissions and the roster has 10"},
		"a roster one host signed":   {with(func(r *collect.ReleaseConfig) { r.Frozen = roster(t, c, 10, c.Leader) }), "not signed by"},
		"declined and took part":     {with(func(c *collect.ReleaseConfig) { c.Declined = []coalition.MemberID{"m03"} }), "took part"},
		"declined twice":             {with(func(c *collect.ReleaseConfig) { c.Declined = []coalition.MemberID{"m11", "m11"} }), "twice"},
		"a stranger declined":        {with(func(c *collect.ReleaseConfig) { c.Declined = []coalition.MemberID{"x"} }), "not in the cohort"},
		"another cohort":             {with(func(c *collect.ReleaseConfig) { c.Cohort = "x" }), "no cohort"},
		"too few besides the hosts":  {with(func(r *collect.ReleaseConfig) { r.Frozen, r.Aggregate = few, totalsOf(few, 9) }), "7 are left"},
	} {
		_, err := collect.NewRelease(row.cfg, c.Coordinator)
		if d := errs.Describe(err); d.Kind == errs.Internal || !strings.Contains(d.Message, row.message) {
			t.Errorf("%s: %v %q; want %q", name, d.Kind, d.Message, row.message)
		}
		if _, refused := errors.AsType[*disclosure.Refusal](err); refused != (name == "too few besides the hosts") {
			t.Errorf("%s: refused by disclosure control: %v", name, refused)
		}
	}
	if _, err := collect.NewRelease(cfg, c.Leader); errs.KindOf(err) != errs.Denied {
		t.Errorf("released by a host: %v", err)
	}
}
