package disclosure_test

import (
	"slices"
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

// TestPartnerBecomesAlly: who moves from one cohort to another ties what was
// released of both, and does not make what allies may tell each other known of the
// partners. Before that no release of the allies passed any more.
func TestPartnerBecomesAlly(t *testing.T) {
	t.Parallel()
	layout := layoutOf(2, 8)
	all := names(50)
	allies, partners := all[:32], all[32:]
	for seed := range uint64(3) {
		s := newState(layout, seed)
		s.year(all)
		answers := s.answers
		allied := issueOf(t, "2026", allies, disclosure.Rule{Hosts: 2}, total(layout, allies, answers, nil), nil)
		guests := issueOf(t, "2026", partners, disclosure.Rule{}, total(layout, partners, answers, nil), nil)
		more := append(slices.Clone(allies), partners[0])
		next := issueOf(t, "2027", more, disclosure.Rule{Hosts: 2}, s.year(more), allied)
		h := disclosure.NewHistory(allied, guests, next)
		if problems, err := h.Problems(); err != nil || len(problems) != 1 {
			t.Fatalf("%d problems, %v: the new ally ties all releases", len(problems), err)
		}
		r, err := h.Attack(attack.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Safe() {
			t.Errorf("seed %d: %d open, findings %+v", seed, len(r.Open), r.Findings)
		}

		// The limits are held to: one partner more that tells breaks bands of four.
		p, err := h.Problem(0)
		if err != nil {
			t.Fatal(err)
		}
		p.Told = []attack.Told{{Cycle: "2026", Members: partners, Most: 3}, {Cycle: "2027", Members: more, Most: 3}}
		if r, err = attack.Run(p, attack.Options{}); err != nil || len(r.Findings) == 0 {
			t.Errorf("seed %d: three partners that tell: %d findings, %v", seed, len(r.Findings), err)
		}
		for _, f := range r.Findings {
			if slices.Contains(f.Members, allies[1]) {
				t.Errorf("seed %d: %s of %v is narrowed by partners", seed, f.Block, f.Members)
			}
		}
	}
}
