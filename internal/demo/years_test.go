package demo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"muster/internal/assess"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/packs"
)

func pack(t testing.TB, id string) *framework.Pack {
	t.Helper()
	p, err := framework.Find(packs.FS(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func yearsConfig(t testing.TB) demo.YearsConfig {
	t.Helper()
	return demo.YearsConfig{
		Packs:  []*framework.Pack{pack(t, demo.Core), pack(t, "muster-ports"), pack(t, "muster-ai")},
		Itself: pack(t, "muster-collective"), Seed: 1, Last: 2031,
	}
}

func years(t testing.TB, cfg demo.YearsConfig) []demo.Year {
	t.Helper()
	years, err := demo.Years(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return years
}

func survey(t testing.TB, y demo.Year, cohort, pack string) demo.Survey {
	t.Helper()
	i := slices.IndexFunc(y.Surveys, func(s demo.Survey) bool { return s.Cohort == cohort && s.Pack.ID == pack })
	if i < 0 {
		t.Fatalf("%s of %s is not asked in %s", pack, cohort, y.Cycle)
	}
	return y.Surveys[i]
}

// roster returns who answered, by name.
func roster(s demo.Survey) []string {
	var names []string
	for _, m := range s.Members {
		if m.Now != nil {
			names = append(names, m.Name)
		}
	}
	return names
}

// TestYearsAreGolden fails when one seed no longer gives the same years. Then every
// document that shows them is wrong.
func TestYearsAreGolden(t *testing.T) {
	t.Parallel()
	digest := sha256.New()
	for _, y := range years(t, yearsConfig(t)) {
		fmt.Fprintf(digest, "%s %q %q\n", y.Cycle, y.Hosts, y.Postponed)
		for _, s := range y.Surveys {
			fmt.Fprintf(digest, "%s %s\n", s.Cohort, s.Pack.ID)
			c := &demo.Coalition{Members: s.Members}
			for i := range c.Members {
				c.Members[i].Before = nil // the next year's column of the same answers
			}
			write(t, digest, c, s.Pack)
		}
		fmt.Fprintln(digest, y.Collective)
	}
	if got, want := hex.EncodeToString(digest.Sum(nil)), "510bdadcdb2bff26d8d67f23aabdd99d0133395390f86edfffc0efe5405e2a29"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestEveryNounIsThere holds what the years are invented for.
func TestEveryNounIsThere(t *testing.T) {
	t.Parallel()
	all := years(t, yearsConfig(t))
	var cycles []string
	hosts := make(map[string]bool)
	postponed := 0
	for _, y := range all {
		cycles = append(cycles, y.Cycle)
		for _, host := range y.Hosts {
			if hosts[host] {
				t.Errorf("%s hosts twice", host)
			}
			hosts[host] = true
			for _, p := range []string{demo.Core, "muster-ports", "muster-ai"} {
				if !slices.Contains(roster(survey(t, y, demo.Allies, p)), host) {
					t.Errorf("the host %s answers no %s in %s", host, p, y.Cycle)
				}
			}
		}
		if y.Postponed != "" {
			postponed++
		}
		if len(y.Surveys) != 6 {
			t.Errorf("%d surveys in %s", len(y.Surveys), y.Cycle)
		}
		equal(t, len(y.Collective), len(pack(t, "muster-collective").Outcomes()))
		states := make(map[demo.State]bool)
		for _, s := range y.Surveys {
			for _, m := range s.Members {
				states[m.State] = true
			}
		}
		if !states[demo.Declined] || !states[demo.Late] || !states[demo.Answered] {
			t.Errorf("states in %s: %v", y.Cycle, states)
		}
	}
	equal(t, cycles, []string{"2029", "2030", "2031"})
	equal(t, postponed, 1)
	sizes := func(cohort string) []int {
		var n []int
		for _, y := range all {
			n = append(n, len(survey(t, y, cohort, demo.Core).Members))
		}
		return n
	}
	equal(t, sizes(demo.Allies), []int{30, 32, 32})
	equal(t, sizes(demo.Partners), []int{18, 18, 18})
	allies := make(map[string]bool)
	for _, m := range survey(t, all[2], demo.Allies, demo.Core).Members {
		allies[m.Name] = true
	}
	for _, m := range survey(t, all[2], demo.Partners, demo.Core).Members {
		if allies[m.Name] {
			t.Errorf("%s is ally and partner", m.Name)
		}
	}
	// So that a change may be shown at all, see the disclosure gate.
	equal(t, roster(survey(t, all[2], demo.Allies, demo.Core)), roster(survey(t, all[1], demo.Allies, demo.Core)))
}

// TestYearsCanBeSealed holds every answer of every year to its layout, and what a
// member compares with to what it answered.
func TestYearsCanBeSealed(t *testing.T) {
	t.Parallel()
	cfg := yearsConfig(t)
	for seed := range uint64(3) {
		cfg.Seed = seed
		all := years(t, cfg)
		for y, year := range all {
			for i, s := range year.Surveys {
				layout, err := framework.NewLayout(s.Pack)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range s.Members {
					if m.Now == nil {
						continue
					}
					if _, err := assess.Measurement(layout, m.Now, m.Before); err != nil {
						t.Fatalf("%s of %s in %s: %v", s.Pack.ID, m.Name, year.Cycle, err)
					}
					for id, answer := range m.Now.Answers {
						o, ok := s.Pack.Outcome(id)
						if !ok {
							t.Fatalf("%s answers %s, which %s does not ask", m.Name, id, s.Pack.Version)
						}
						if answer.Level == framework.NotApplicable && o.NotApplicable == nil {
							t.Errorf("%s: %s cannot be not applicable", m.Name, id)
						}
					}
					if y == 0 && m.Before != nil {
						t.Errorf("%s compares with a year that there was not", m.Name)
					}
					if m.Before == nil {
						continue
					}
					then := all[y-1].Surveys[i]
					at := slices.IndexFunc(then.Members, func(o demo.Member) bool { return o.Name == m.Name })
					for id, answer := range m.Before.Answers {
						equal(t, answer, then.Members[at].Now.Answers[id])
					}
				}
			}
		}
	}
}

// TestLevelsMovePlausibly: most stay, more rise than fall.
func TestLevelsMovePlausibly(t *testing.T) {
	t.Parallel()
	moves := make(map[assess.Move]float64)
	comparable := 0.0
	for _, y := range years(t, yearsConfig(t)) {
		for _, s := range y.Surveys {
			for _, m := range s.Members {
				if m.Now == nil || m.Before == nil {
					continue
				}
				for id, now := range m.Now.Answers {
					before, ok := m.Before.Answers[id]
					if !ok {
						continue
					}
					if move := assess.OutcomeChange(&now, &before); move != assess.MoveNotComparable {
						moves[move]++
						comparable++
					}
				}
			}
		}
	}
	within(t, "same", moves[assess.MoveSame]/comparable, 0.60, 0.85)
	within(t, "rose", moves[assess.MoveRose]/comparable, 0.12, 0.35)
	within(t, "fell", moves[assess.MoveFell]/comparable, 0.01, 0.10)
}

func TestPredecessor(t *testing.T) {
	t.Parallel()
	core := pack(t, demo.Core)
	if got := sha256.Sum256(core.Canonical()); got != core.Digest {
		t.Fatal("the digest of a pack is no longer that of its canonical form")
	}
	earlier, err := demo.Predecessor(core)
	if err != nil {
		t.Fatal(err)
	}
	if earlier.Digest == core.Digest || earlier.Version == core.Version {
		t.Error("the predecessor passes for the pack")
	}
	equal(t, len(earlier.Outcomes()), len(core.Outcomes()))
	for _, o := range core.Outcomes() {
		was, ok := earlier.Outcome(o.ID)
		switch o.ID {
		case demo.Added:
			if ok {
				t.Errorf("%s was there before", o.ID)
			}
		case demo.Reworded:
			if was.Question.In("en") == o.Question.In("en") || was.Question.In("fr") == o.Question.In("fr") {
				t.Errorf("%s asked the same", o.ID)
			}
		default:
			equal(t, was, o)
		}
	}
	removed, _ := earlier.Outcome(demo.Removed)
	for _, text := range []framework.Text{removed.Title, removed.Question, removed.Measure, removed.Evidence, removed.Why} {
		if err := text.Check("a text of "+demo.Removed, core.Languages...); err != nil {
			t.Error(err)
		}
	}
	if again, _ := framework.Find(packs.FS(), demo.Core); again.Digest != sha256.Sum256(core.Canonical()) {
		t.Error("the pack itself was changed")
	}
	if _, err := demo.Predecessor(packOf(2, 3)); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a pack without those outcomes: %v", err)
	}
}

func TestYearsRefuse(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(*demo.YearsConfig)
		want   string
	}{
		{"no pack", func(c *demo.YearsConfig) { c.Packs = nil }, "synthetic years need their frameworks"},
		{"no pack of its own", func(c *demo.YearsConfig) { c.Itself = nil }, "synthetic years need their frameworks"},
		{"few allies", func(c *demo.YearsConfig) { c.Allies = 11 }, "a synthetic coalition cannot have 11 allies over the years"},
		{"fewer than none", func(c *demo.YearsConfig) { c.Allies = -1 }, "a synthetic coalition cannot have -1 allies over the years"},
		{"many allies", func(c *demo.YearsConfig) { c.Allies = 41 }, "a synthetic coalition cannot have 41 allies over the years"},
		{"few partners", func(c *demo.YearsConfig) { c.Partners = 7 }, "a synthetic coalition cannot have 7 partners over the years"},
		{"many partners", func(c *demo.YearsConfig) { c.Partners = 21 }, "a synthetic coalition cannot have 21 partners over the years"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := yearsConfig(t)
			row.change(&cfg)
			_, err := demo.Years(cfg)
			if errs.KindOf(err) != errs.Invalid || errs.Describe(err).Message != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}
