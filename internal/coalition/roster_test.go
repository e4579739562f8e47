package coalition_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

func entry(member coalition.MemberID, n byte, sequence uint64) coalition.RosterEntry {
	return coalition.RosterEntry{Member: member, Report: dap.ReportID{n}.String(), Sequence: sequence, Receipt: hexOf(string(rune(n)))}
}

func signRoster(t testing.TB, r coalition.Roster, signers ...*keys.Signer) coalition.SignedRoster {
	t.Helper()
	body, err := keys.Canonical(r)
	must(t, err)
	sig, err := keys.Sign(keys.KindRoster, body, signers...)
	must(t, err)
	return coalition.SignedRoster{Body: body, Signature: sig}
}

func TestRoster(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	given := []coalition.RosterEntry{entry("b", 2, 1), entry("Z", 3, 9), entry("a", 1, 1<<53), entry("é", 4, 1)}
	before := slices.Clone(given)
	roster := coalition.NewRoster(receiptTask, given)
	if !slices.Equal(given, before) {
		t.Error("NewRoster sorted its caller's list")
	}
	want := []coalition.RosterEntry{entry("Z", 3, 9), entry("a", 1, 1<<53), entry("b", 2, 1), entry("é", 4, 1)}
	signed := signRoster(t, roster, p.leader, p.helper)
	got, err := signed.Open(receiptTask, p.leader.Public(), p.helper.Public())
	must(t, err)
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if signed.Digest() != hexOf(string(signed.Body)) {
		t.Error("the digest is not that of the body")
	}
	byReport := got.ByReport()
	for _, e := range want {
		if byReport[e.Report] != e {
			t.Errorf("ByReport(%s) = %v", e.Report, byReport[e.Report])
		}
	}
	if len(byReport) != len(want) {
		t.Errorf("ByReport has %d entries", len(byReport))
	}

	empty := signRoster(t, coalition.NewRoster(receiptTask, nil), p.leader, p.helper)
	if got, err := empty.Open(receiptTask, p.leader.Public(), p.helper.Public()); err != nil || len(got.Entries) != 0 {
		t.Errorf("an empty roster: %v, %v", got, err)
	}
}

func TestRosterSignatures(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	stranger := newSigner(t, "stranger")
	roster := coalition.NewRoster(receiptTask, []coalition.RosterEntry{entry("a", 1, 1)})
	for name, signers := range map[string][]*keys.Signer{
		"Leader alone": {p.leader}, "Helper alone": {p.helper}, "with a stranger": {p.leader, stranger}, "coordinator and Helper": {p.coordinator, p.helper},
	} {
		_, err := signRoster(t, roster, signers...).Open(receiptTask, p.leader.Public(), p.helper.Public())
		wantKind(t, name, err, errs.Invalid)
	}
	_, err := signRoster(t, roster, p.leader, p.helper).Open(dap.TaskID{9}, p.leader.Public(), p.helper.Public())
	wantKind(t, "for another task", err, errs.Invalid)
}

func TestParseRosterRefuses(t *testing.T) {
	t.Parallel()
	a, b := entry("a", 1, 1), entry("b", 2, 1)
	change := func(e coalition.RosterEntry, f func(*coalition.RosterEntry)) coalition.RosterEntry {
		f(&e)
		return e
	}
	for name, entries := range map[string][]coalition.RosterEntry{
		"no list":              nil,
		"out of order":         {b, a},
		"a member twice":       {a, change(b, func(e *coalition.RosterEntry) { e.Member = "a" })},
		"a report twice":       {a, change(b, func(e *coalition.RosterEntry) { e.Report = a.Report })},
		"a broken report":      {change(a, func(e *coalition.RosterEntry) { e.Report = "x" })},
		"sequence 0":           {change(a, func(e *coalition.RosterEntry) { e.Sequence = 0 })},
		"no receipt":           {change(a, func(e *coalition.RosterEntry) { e.Receipt = "" })},
		"a receipt in capital": {change(a, func(e *coalition.RosterEntry) { e.Receipt = strings.ToUpper(e.Receipt) })},
	} {
		roster := coalition.NewRoster(receiptTask, nil)
		roster.Entries = entries
		body, err := keys.Canonical(roster)
		must(t, err)
		_, err = coalition.ParseRoster(body, receiptTask)
		wantKind(t, name, err, errs.Invalid)
	}
	body, err := keys.Canonical(coalition.NewRoster(receiptTask, []coalition.RosterEntry{a, b}))
	must(t, err)
	for name, row := range map[string]struct {
		body []byte
		task dap.TaskID
	}{
		"another task":   {body, dap.TaskID{9}},
		"another kind":   {[]byte(strings.Replace(string(body), "muster roster", "muster list", 1)), receiptTask},
		"bytes behind":   {append(slices.Clone(body), ' '), receiptTask},
		"unknown fields": {[]byte(strings.Replace(string(body), `"kind"`, `"extra":1,"kind"`, 1)), receiptTask},
		"empty":          {nil, receiptTask},
	} {
		_, err := coalition.ParseRoster(row.body, row.task)
		wantKind(t, name, err, errs.Invalid)
	}
}

func TestDiffRosters(t *testing.T) {
	t.Parallel()
	a, b, c := entry("Aldovar", 1, 1), entry("Calverra", 2, 2), entry("Ostmere", 3, 1)
	replaced := entry("Calverra", 4, 3)
	exchanged := entry("Calverra", 5, 2)
	for name, row := range map[string]struct {
		a, b []coalition.RosterEntry
		want string
	}{
		"the same":              {[]coalition.RosterEntry{a, b}, []coalition.RosterEntry{b, a}, ""},
		"both empty":            {nil, nil, ""},
		"missing at the second": {[]coalition.RosterEntry{a, b}, []coalition.RosterEntry{a}, "Calverra is missing at B"},
		"missing at the first":  {[]coalition.RosterEntry{b}, []coalition.RosterEntry{a, b}, "Aldovar is missing at A"},
		"replaced":              {[]coalition.RosterEntry{b}, []coalition.RosterEntry{replaced}, "Calverra has submission 2 at A and 3 at B"},
		"exchanged":             {[]coalition.RosterEntry{b}, []coalition.RosterEntry{exchanged}, "Calverra has two different submissions 2, one at A and one at B"},
		"several": {
			[]coalition.RosterEntry{b, c},
			[]coalition.RosterEntry{a, replaced},
			"Aldovar is missing at A; Calverra has submission 2 at A and 3 at B; Ostmere is missing at B",
		},
	} {
		if got := coalition.DiffRosters(coalition.NewRoster(receiptTask, row.a), coalition.NewRoster(receiptTask, row.b), "A", "B"); got != row.want {
			t.Errorf("%s: %q; want %q", name, got, row.want)
		}
	}
}

// Amendments follow one another, strike what is there, and need both signatures.
func TestAmendments(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	a, b, c := entry("a", 1, 1), entry("b", 2, 1), entry("c", 3, 1)
	roster := signRoster(t, coalition.NewRoster(receiptTask, []coalition.RosterEntry{a, b, c}), p.leader, p.helper)
	strike := func(e coalition.RosterEntry) coalition.Strike {
		return coalition.Strike{Member: e.Member, Report: e.Report, Reason: "vdaf_verify_error"}
	}
	sign := func(am coalition.Amendment, signers ...*keys.Signer) coalition.SignedAmendment {
		body, err := keys.Canonical(am)
		must(t, err)
		sig, err := keys.Sign(keys.KindAmendment, body, signers...)
		must(t, err)
		return coalition.SignedAmendment{Body: body, Signature: sig}
	}
	open := func(list ...coalition.SignedAmendment) (coalition.Roster, error) {
		return coalition.FrozenRoster{Roster: roster, Amendments: list}.Open(receiptTask, p.leader.Public(), p.helper.Public())
	}
	first := coalition.NewAmendment(receiptTask, roster, nil, []coalition.Strike{strike(b)})
	signedFirst := sign(first, p.leader, p.helper)
	second := coalition.NewAmendment(receiptTask, roster, []coalition.SignedAmendment{signedFirst}, []coalition.Strike{strike(c)})
	signedSecond := sign(second, p.leader, p.helper)

	left, err := open(signedFirst, signedSecond)
	must(t, err)
	if diff := cmp.Diff([]coalition.RosterEntry{a}, left.Entries); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if got := (coalition.FrozenRoster{Roster: roster, Amendments: []coalition.SignedAmendment{signedFirst}}).Digest(); got != signedFirst.Digest() {
		t.Errorf("digest %s", got)
	}
	change := func(am coalition.Amendment, f func(*coalition.Amendment)) coalition.SignedAmendment {
		am.Struck = slices.Clone(am.Struck)
		f(&am)
		return sign(am, p.leader, p.helper)
	}
	for name, list := range map[string][]coalition.SignedAmendment{
		"the second alone":     {signedSecond},
		"exchanged":            {signedSecond, signedFirst},
		"twice":                {signedFirst, signedFirst},
		"not by the Helper":    {sign(first, p.leader)},
		"not by the Leader":    {sign(first, p.helper)},
		"another kind":         {change(first, func(a *coalition.Amendment) { a.Kind = "muster roster v1" })},
		"another task":         {change(first, func(a *coalition.Amendment) { a.Task = dap.TaskID{9}.String() })},
		"another roster":       {change(first, func(a *coalition.Amendment) { a.Roster = hexOf("x") })},
		"number 2":             {change(first, func(a *coalition.Amendment) { a.Number = 2 })},
		"a previous one":       {change(first, func(a *coalition.Amendment) { a.Previous = hexOf("x") })},
		"strikes nothing":      {change(first, func(a *coalition.Amendment) { a.Struck = []coalition.Strike{} })},
		"has no list":          {change(first, func(a *coalition.Amendment) { a.Struck = nil })},
		"strikes a stranger":   {change(first, func(a *coalition.Amendment) { a.Struck[0].Member = "x" })},
		"strikes another":      {change(first, func(a *coalition.Amendment) { a.Struck[0].Report = c.Report })},
		"strikes twice":        {change(first, func(a *coalition.Amendment) { a.Struck = append(a.Struck, a.Struck[0]) })},
		"strikes out of order": {change(first, func(a *coalition.Amendment) { a.Struck = []coalition.Strike{strike(c), strike(b)} })},
		"strikes again": {signedFirst, sign(coalition.NewAmendment(receiptTask, roster, []coalition.SignedAmendment{signedFirst},
			[]coalition.Strike{strike(b)}), p.leader, p.helper)},
	} {
		_, err := open(list...)
		wantKind(t, name, err, errs.Invalid)
	}
}
