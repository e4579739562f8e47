package collect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/keys"
)

// amended returns the roster of n members with amendments that strike some, one
// each.
func amended(t testing.TB, c *coalitiontest.Cycle, n int, struck ...int) coalition.FrozenRoster {
	t.Helper()
	f := roster(t, c, n, c.Leader, c.Helper)
	opened, err := f.Roster.Open(c.Task(t).ID, c.Leader.Public(), c.Helper.Public())
	must(t, err)
	for _, i := range struck {
		e := opened.Entries[i]
		body, err := keys.Canonical(coalition.NewAmendment(c.Task(t).ID, f.Roster, f.Amendments, []coalition.Strike{{Member: e.Member, Report: e.Report, Reason: "vdaf_verify_error"}}))
		must(t, err)
		sig, err := keys.Sign(keys.KindAmendment, body, c.Leader, c.Helper)
		must(t, err)
		f.Amendments = append(f.Amendments, coalition.SignedAmendment{Body: body, Signature: sig})
	}
	return f
}

func TestAgree(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 1)
	c := newCycle(t, l, "agree", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	whole := amended(t, c, 10)
	struck := amended(t, c, 10, 3)
	for name, both := range map[string]coalition.FrozenRoster{"a roster": whole, "an amended one": struck, "amended twice": amended(t, c, 10, 3, 5)} {
		got, err := collector.Agree(both, both)
		must(t, err)
		if diff := cmp.Diff(both, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	changed := whole
	changed.Roster.Body = []byte(strings.Replace(string(whole.Roster.Body), "m03", "m11", 1))
	oneSigned := roster(t, c, 10, c.Leader)
	foreign := roster(t, newCycle(t, l, "another", dap.SuiteX25519), 10)
	twisted := amended(t, c, 10, 3, 5)
	twisted.Amendments[0], twisted.Amendments[1] = twisted.Amendments[1], twisted.Amendments[0]
	orders := amended(t, c, 10, 5, 3)
	for name, row := range map[string]struct {
		leader, helper coalition.FrozenRoster
		kind           errs.Kind
		message        string
	}{
		"the Helper lacks an amendment":  {struck, whole, errs.Conflict, "the hosts' lists differ: m03 is missing at m00; nothing was opened"},
		"the Leader keeps one back":      {whole, struck, errs.Conflict, "the hosts' lists differ: m03 is missing at m01; nothing was opened"},
		"two rosters":                    {whole, amended(t, c, 9), errs.Conflict, "m09 is missing at m01; nothing was opened"},
		"the same by another way":        {amended(t, c, 10, 3, 5), orders, errs.Conflict, "the same submissions by different rosters or amendments; nothing was opened"},
		"the Leader shows nothing":       {coalition.FrozenRoster{}, whole, errs.Invalid, "what m00, the Leader, shows is no roster that both hosts signed"},
		"the Helper shows nothing":       {whole, coalition.FrozenRoster{}, errs.Invalid, "what m01, the Helper, shows is no roster that both hosts signed"},
		"the Helper changed it":          {whole, changed, errs.Invalid, "what m01, the Helper, shows"},
		"signed by the Leader alone":     {oneSigned, oneSigned, errs.Invalid, "not signed by"},
		"another cycle's":                {foreign, foreign, errs.Invalid, "nothing was opened"},
		"amendments in another order":    {twisted, twisted, errs.Invalid, "does not follow"},
		"an amendment of another roster": {coalition.FrozenRoster{Roster: whole.Roster, Amendments: amended(t, c, 9, 3).Amendments}, whole, errs.Invalid, "does not follow"},
	} {
		_, err := collector.Agree(row.leader, row.helper)
		if d := errs.Describe(err); d.Kind != row.kind || !strings.Contains(d.Message, row.message) || d.Hint == "" {
			t.Errorf("%s: %v %q, hint %q; want %v %q", name, d.Kind, d.Message, d.Hint, row.kind, row.message)
		}
	}
}

// Two hosts together can sign a list of strangers; their names may be anything.
func TestStrangersOnTheRoster(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 1)
	c := newCycle(t, l, "strangers", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	f := roster(t, c, 9, c.Leader, c.Helper)
	opened, err := f.Roster.Open(c.Task(t).ID, c.Leader.Public(), c.Helper.Public())
	must(t, err)
	opened.Entries[8].Member = "m08\x1b[2J"
	body, err := keys.Canonical(opened)
	must(t, err)
	sig, err := keys.Sign(keys.KindRoster, body, c.Leader, c.Helper)
	must(t, err)
	f.Roster = coalition.SignedRoster{Body: body, Signature: sig}
	_, err = collector.Agree(f, f)
	if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, "not in the cohort") || strings.Contains(d.Message, "\x1b") {
		t.Errorf("%v %q", d.Kind, d.Message)
	}
	if err := collector.CheckSize(f); errs.KindOf(err) != errs.Invalid {
		t.Errorf("counted: %v", err)
	}
}

func TestCheckSize(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 1)
	c := newCycle(t, l, "size", dap.SuiteX25519)
	collector, err := collect.New(config(c, l))
	must(t, err)
	must(t, collector.CheckSize(amended(t, c, 8)))
	err = collector.CheckSize(amended(t, c, 8, 2))
	if d := errs.Describe(err); d.Kind != errs.Conflict || d.Message != "7 of 12 members took part; the charter opens totals from 8 on, so nothing was opened" {
		t.Errorf("%v %q", d.Kind, d.Message)
	}
}
