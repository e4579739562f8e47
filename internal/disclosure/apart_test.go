package disclosure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/disclosure"
	"muster/internal/disclosure/attack"
)

// TestCohortsWithNobodyInCommon: what is reckoned as known among the ones is not
// known among the others, and nothing of the ones says anything of the others.
func TestCohortsWithNobodyInCommon(t *testing.T) {
	t.Parallel()
	layout := layoutOf(2, 5)
	all := names(46)
	allies, partners := all[:30], all[30:]
	allied := issueOf(t, "2026", allies, disclosure.Rule{Hosts: 2}, newState(layout, 4).year(allies), nil)
	guests := issueOf(t, "2026", partners, disclosure.Rule{}, newState(layout, 5).year(partners), nil)
	run := func(h *disclosure.History) attack.Result {
		r, err := h.Attack(attack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, other := run(disclosure.NewHistory(allied)), run(disclosure.NewHistory(guests))
	if !one.Safe() || !other.Safe() {
		t.Fatalf("unsafe by themselves: %+v, %+v", one, other)
	}
	both := disclosure.NewHistory(allied).With(guests)
	r := run(both)
	if !r.Safe() || r.Examined != one.Examined+other.Examined {
		t.Errorf("both: %d findings, %d questions; apart %d and %d", len(r.Findings), r.Examined, one.Examined, other.Examined)
	}
	if got := run(both.Tied(guests)); !cmp.Equal(got, other) {
		t.Errorf("what is tied to the guests: %+v, want %+v", got, other)
	}

	// One member in common, and the attack takes them together: it reckons with as
	// many known members as the rule that reckons with most.
	mixed := append([]string{allies[29]}, partners...)
	common := issueOf(t, "2027", mixed, disclosure.Rule{}, newState(layout, 6).year(mixed), nil)
	tied := disclosure.NewHistory(allied, guests).With(common)
	p, err := tied.Tied(allied).Problem(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(p.Rosters["2026"]), len(all); got != want {
		t.Errorf("%d members of 2026 are tied, want %d", got, want)
	}
}
