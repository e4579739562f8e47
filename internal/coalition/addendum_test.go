package coalition_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

func TestAddenda(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	at := func(days int64) time.Time { return time.Unix(deadline+days*24*3600, 0) }
	postpone := func(earlier []coalition.SignedAddendum, days int64) coalition.SignedAddendum {
		a, err := c.Postpone(earlier, at(days), "a storm")
		must(t, err)
		signed, err := a.Sign(p.coordinator, p.leader, p.helper)
		must(t, err)
		return signed
	}
	first := postpone(nil, 7)
	second := postpone([]coalition.SignedAddendum{first}, 14)
	for name, row := range map[string]struct {
		addenda []coalition.SignedAddendum
		days    int64
	}{
		"none": {nil, 0}, "one": {[]coalition.SignedAddendum{first}, 7}, "two": {[]coalition.SignedAddendum{first, second}, 14},
	} {
		if got, err := c.DeadlineAfter(row.addenda); err != nil || !got.Equal(at(row.days)) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, at(row.days))
		}
	}

	valid, err := c.Postpone(nil, at(7), "a storm")
	must(t, err)
	change := func(f func(*coalition.Addendum)) coalition.SignedAddendum {
		a := valid
		f(&a)
		signed, err := a.Sign(p.coordinator, p.leader, p.helper)
		must(t, err)
		return signed
	}
	other := c
	other.Cycle = "2027"
	otherDigest, err := other.Digest()
	must(t, err)
	for name, list := range map[string][]coalition.SignedAddendum{
		"the second alone":               {second},
		"exchanged":                      {second, first},
		"twice":                          {first, first},
		"another kind":                   {change(func(a *coalition.Addendum) { a.Kind = "muster charter v1" })},
		"another charter":                {change(func(a *coalition.Addendum) { a.Charter = otherDigest })},
		"number 0":                       {change(func(a *coalition.Addendum) { a.Number = 0 })},
		"number 2":                       {change(func(a *coalition.Addendum) { a.Number = 2 })},
		"a previous one":                 {change(func(a *coalition.Addendum) { a.Previous = hexOf("x") })},
		"the same deadline":              {change(func(a *coalition.Addendum) { a.Deadline = deadline })},
		"an earlier deadline":            {change(func(a *coalition.Addendum) { a.Deadline-- }), postpone([]coalition.SignedAddendum{}, 3)},
		"at the wipe":                    {change(func(a *coalition.Addendum) { a.Deadline = wipe })},
		"no reason":                      {change(func(a *coalition.Addendum) { a.Reason = "" })},
		"a blank reason":                 {change(func(a *coalition.Addendum) { a.Reason = " \n" })},
		"a reason that moves the cursor": {change(func(a *coalition.Addendum) { a.Reason = "a\x1b[2Jstorm" })},
		"an endless reason":              {change(func(a *coalition.Addendum) { a.Reason = strings.Repeat("x", 2001) })},
		"without its body":               {{Signature: first.Signature}},
		"without a signature":            {{Body: first.Body}},
		"another's signature":            {{Body: first.Body, Signature: second.Signature}},
		"bytes behind":                   {{Body: append([]byte(nil), append(first.Body, '\n')...), Signature: first.Signature}},
		"not by all":                     {resign(t, first, p.coordinator, p.leader)},
		"not by the secretary":           {resign(t, first, p.leader, p.helper)},
	} {
		_, err := c.DeadlineAfter(list)
		wantKind(t, name, err, errs.Invalid)
	}
	for name, days := range map[string]int64{"the same": 0, "earlier": -1, "after the wipe": 366} {
		_, err := c.Postpone(nil, at(days), "a storm")
		wantKind(t, "Postpone to "+name, err, errs.Invalid)
	}
	_, err = c.Postpone([]coalition.SignedAddendum{second}, at(30), "a storm")
	wantKind(t, "Postpone after a broken list", err, errs.Invalid)
}

func resign(t *testing.T, a coalition.SignedAddendum, signers ...*keys.Signer) coalition.SignedAddendum {
	t.Helper()
	sig, err := keys.Sign(keys.KindAddendum, a.Body, signers...)
	must(t, err)
	return coalition.SignedAddendum{Body: a.Body, Signature: sig}
}

// An addendum goes round as a charter does: proposed by the coordinator, signed by
// each host on a copy of its own, put together by anyone.
func TestAddendumIsSignedByThree(t *testing.T) {
	t.Parallel()
	c, p := newCharter(t)
	a, err := c.Postpone(nil, time.Unix(deadline+7*24*3600, 0), "a storm")
	must(t, err)
	proposed, err := a.Propose(c, p.coordinator)
	must(t, err)
	_, err = a.Propose(c, p.leader)
	wantKind(t, "proposed by a host", err, errs.Invalid)
	standing := func(s coalition.SignedAddendum) (signed []bool) {
		list, err := s.Signatories(c)
		must(t, err)
		for _, x := range list {
			signed = append(signed, x.Signed)
		}
		return signed
	}
	if diff := cmp.Diff([]bool{true, false, false}, standing(proposed)); diff != "" {
		t.Errorf("proposed (-want +got):\n%s", diff)
	}
	_, err = c.DeadlineAfter([]coalition.SignedAddendum{proposed})
	wantKind(t, "in force before all have signed", err, errs.Invalid)

	byLeader, err := proposed.Approve(c, p.leader)
	must(t, err)
	byHelper, err := proposed.Approve(c, p.helper)
	must(t, err)
	again, err := byHelper.Approve(c, p.helper)
	must(t, err)
	if diff := cmp.Diff(byHelper, again); diff != "" {
		t.Errorf("signed twice (-want +got):\n%s", diff)
	}
	_, err = proposed.Approve(c, newSigner(t, "a00"))
	wantKind(t, "signed by a stranger", err, errs.Denied)
	joined, err := byLeader.Join(c, byHelper.Signature)
	must(t, err)
	if diff := cmp.Diff([]bool{true, true, true}, standing(joined)); diff != "" {
		t.Errorf("joined (-want +got):\n%s", diff)
	}
	got, err := c.DeadlineAfter([]coalition.SignedAddendum{joined})
	must(t, err)
	if got.Unix() != deadline+7*24*3600 {
		t.Errorf("the deadline is %v", got)
	}

	other := c
	other.Cycle = "2027"
	for name, try := range map[string]func() error{
		"read with another charter": func() error { _, err := joined.Read(other); return err },
		"joined with another note": func() error {
			b, err := c.Postpone(nil, time.Unix(deadline+8*24*3600, 0), "a storm")
			must(t, err)
			signed, err := b.Propose(c, p.coordinator)
			must(t, err)
			_, err = joined.Join(c, signed.Signature)
			return err
		},
		"changed after it was signed": func() error {
			changed := joined
			changed.Body = []byte(strings.Replace(string(joined.Body), "a storm", "a Storm", 1))
			_, err := changed.Signatories(c)
			return err
		},
		"too large": func() error {
			_, err := coalition.SignedAddendum{Body: make([]byte, 20<<10)}.Read(c)
			return err
		},
		"a second one that names none before": func() error {
			b := a
			b.Number = 2
			_, err := b.Propose(c, p.coordinator)
			return err
		},
	} {
		wantKind(t, name, try(), errs.Invalid)
	}
}
