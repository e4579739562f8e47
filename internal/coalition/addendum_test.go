package coalition_test

import (
	"strings"
	"testing"
	"time"

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
		"the second alone":     {second},
		"exchanged":            {second, first},
		"twice":                {first, first},
		"another kind":         {change(func(a *coalition.Addendum) { a.Kind = "muster charter v1" })},
		"another charter":      {change(func(a *coalition.Addendum) { a.Charter = otherDigest })},
		"number 0":             {change(func(a *coalition.Addendum) { a.Number = 0 })},
		"number 2":             {change(func(a *coalition.Addendum) { a.Number = 2 })},
		"a previous one":       {change(func(a *coalition.Addendum) { a.Previous = hexOf("x") })},
		"the same deadline":    {change(func(a *coalition.Addendum) { a.Deadline = deadline })},
		"an earlier deadline":  {change(func(a *coalition.Addendum) { a.Deadline-- }), postpone([]coalition.SignedAddendum{}, 3)},
		"at the wipe":          {change(func(a *coalition.Addendum) { a.Deadline = wipe })},
		"no reason":            {change(func(a *coalition.Addendum) { a.Reason = "" })},
		"a blank reason":       {change(func(a *coalition.Addendum) { a.Reason = " \n" })},
		"an endless reason":    {change(func(a *coalition.Addendum) { a.Reason = strings.Repeat("x", 2001) })},
		"without its body":     {{Signature: first.Signature}},
		"without a signature":  {{Body: first.Body}},
		"another's signature":  {{Body: first.Body, Signature: second.Signature}},
		"bytes behind":         {{Body: append([]byte(nil), append(first.Body, '\n')...), Signature: first.Signature}},
		"not by all":           {resign(t, first, p.coordinator, p.leader)},
		"not by the secretary": {resign(t, first, p.leader, p.helper)},
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
