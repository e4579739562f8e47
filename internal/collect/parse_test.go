package collect_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/collect"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// collected returns totals as they are after a collection.
func collected(t testing.TB, l *framework.Layout, n uint64, seed uint64) *collect.Aggregate {
	t.Helper()
	a, err := collect.NewAggregate(l, n, totals(l, n, rand.New(rand.NewPCG(seed, 0))))
	must(t, err)
	a.CycleMarking, a.Task, a.Roster = "SYNTHETIC", strings.Repeat("A", 43), strings.Repeat("0", 64)
	return a
}

func TestParseAggregate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := newLayout(t, "sample", rapid.SliceOfN(rapid.IntRange(1, 4), 1, 4).Draw(rt, "outcomes")...)
		a := collected(t, l, rapid.Uint64Range(0, 300).Draw(rt, "members"), rapid.Uint64().Draw(rt, "seed"))
		if rapid.Bool().Draw(rt, "real") {
			a.CycleMarking = ""
		}
		body, err := keys.Canonical(a)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := collect.ParseAggregate(l, body)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(a, got); diff != "" {
			rt.Fatalf("read again (-want +got):\n%s", diff)
		}
	})
}

func TestParseAggregateRefuses(t *testing.T) {
	t.Parallel()
	l := newLayout(t, "sample", 2)
	body, err := keys.Canonical(collected(t, l, 10, 1))
	must(t, err)
	replace := func(old, with string) string {
		if !strings.Contains(string(body), old) {
			t.Fatalf("%q is not in %s", old, body)
		}
		return strings.Replace(string(body), old, with, 1)
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"null":                 "null",
		"a line end":           string(body) + "\n",
		"another member":       replace("{", `{"also":1,`),
		"without its marking":  replace("BEFORE DISCLOSURE CONTROL", "AFTER DISCLOSURE CONTROL"),
		"another count":        replace(`"count":10`, `"count":11`),
		"a count of none":      replace(`"count":10`, `"count":0`),
		"a count too large":    replace(`"count":10`, `"count":18446744073709551615`),
		"another bucket":       replace(`"withheld"`, `"unheld"`),
		"one bucket more":      replace(`"worse":`, `"worst":0,"worse":`),
		"one subject more":     replace(`"outcomes":{`, `"outcomes":{"A0.0":{},`),
		"a subject less":       replace(`"A1.1"`, `"A1.3"`),
		"a fraction":           replace(`"count":10`, `"count":10.5`),
		"a negative":           replace(`"count":10`, `"count":-10`),
		"another layout's":     string(must1(keys.Canonical(collected(t, newLayout(t, "sample", 3), 10, 1)))(t)),
		"areas among outcomes": replace(`"areas"`, `"Areas"`),
	} {
		if _, err := collect.ParseAggregate(l, []byte(text)); errs.KindOf(err) != errs.Invalid && errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func must1(b []byte, err error) func(testing.TB) []byte {
	return func(t testing.TB) []byte {
		t.Helper()
		must(t, err)
		return b
	}
}

// FuzzAggregate: what is accepted has one form, and sums that hold.
func FuzzAggregate(f *testing.F) {
	l := newLayout(f, "sample", 1)
	for n := range uint64(4) {
		body, err := keys.Canonical(collected(f, l, n, n))
		must(f, err)
		if _, err := collect.ParseAggregate(l, body); err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := collect.ParseAggregate(l, b)
		if err != nil {
			if errs.KindOf(err) == errs.Internal {
				t.Fatalf("refused without words: %v", err)
			}
			return
		}
		if again, err := keys.Canonical(a); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("accepted in another form: %v\n%s", err, again)
		}
		if b, wrong := l.WrongSum(a.Cells, a.Count); wrong {
			t.Fatalf("%s does not sum to %d", b.Name, a.Count)
		}
	})
}
