package brief_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/brief"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

var today = time.Date(2031, 6, 1, 0, 0, 0, 0, time.UTC)

// standing is an answer with a target, somewhere among thirty.
func standing(outcome string, level, target framework.Level, move assess.Move, lower, higher uint64) workspace.Standing {
	a := assess.Answer{Level: level, Target: target}
	return workspace.Standing{Outcome: outcome, Answer: a, Gap: a.Gap(), Move: move, Band: 1, Lower: lower, Same: 30 - lower - higher, Higher: higher}
}

// full is a brief of everything.
func full(t *testing.T) brief.Config {
	t.Helper()
	pack := workspacetest.Pack(t, 12, "kept")
	promise := func(outcome, text, due string, finished, dropped bool) workspace.Promise {
		return workspace.Promise{SavedAction: workspace.SavedAction{Action: assess.Action{Outcome: outcome, Text: text, Due: due, Finished: finished}}, Dropped: dropped}
	}
	line := func(outcome string, f assess.Funding, nothing bool) workspace.SavedAction {
		return workspace.SavedAction{Action: assess.Action{Outcome: outcome, Text: "do it", Funding: f, Nothing: nothing}}
	}
	return brief.Config{
		Member: "Ostmere", Cycle: "2031", Pack: pack, Release: workspacetest.Release(t, pack, "2031"), Sealed: true, Today: today,
		Comparison: workspace.Comparison{
			Cohort: "allies", Urgent: []string{"A1.2", "A1.3", "A1.4", "A2.1"},
			Standings: []workspace.Standing{
				standing("A1.1", framework.Level4, framework.Level4, assess.MoveRose, 24, 0),
				standing("A1.2", framework.Level0, framework.Level3, assess.MoveFell, 0, 24),
				standing("A1.3", framework.Level1, framework.Level3, assess.MoveSame, 6, 18),
				standing("A1.4", framework.Level1, framework.Level2, assess.MoveSame, 6, 18),
				standing("A2.1", framework.Level2, framework.Level3, assess.MoveNotComparable, 12, 12),
				standing("A2.2", framework.NotApplicable, framework.None, assess.MoveNotComparable, 0, 0),
			},
		},
		Before: []workspace.Promise{
			promise("A1.1", "kept", "2031-01-01", true, false), promise("A1.2", "late", "2031-05-31", false, false),
			promise("A1.3", "due today", "2031-06-01", false, false), promise("A1.4", "no day", "", false, false), promise("A2.1", "given up", "2031-01-01", false, true),
		},
		Plan: []workspace.SavedAction{line("A1.2", assess.NotFunded, false), line("A1.3", assess.Funded, false), line("A1.4", assess.FundedInPart, false), line("A2.1", "", true)},
	}
}

func ids(rules []brief.Rule) string {
	var all []string
	for _, r := range rules {
		all = append(all, fmt.Sprintf("%s/%d", r.ID, r.N))
	}
	return strings.Join(all, " ")
}

func TestFigures(t *testing.T) {
	t.Parallel()
	b := brief.New(full(t))
	got := map[string]any{
		"levels": b.Levels, "other": b.Other, "targets": []int{b.TargetsMet, b.Targets, b.Below}, "moves": []int{b.Rose, b.Fell, b.Same, b.Compared()},
		"answered": []int{b.Answered, b.Outcomes}, "best": b.Best.Outcome, "actions": b.Actions, "funding": b.Funding,
		"promised": []int{b.Promised[brief.StateKept], b.Promised[brief.StateUnderWay], b.Promised[brief.StateLate], b.Promised[brief.StateDropped]},
	}
	want := map[string]any{
		"levels": [5]int{1, 2, 1, 0, 1}, "other": 1, "targets": []int{1, 5, 4}, "moves": []int{1, 1, 2, 4},
		"answered": []int{6, 12}, "best": "A1.1", "actions": 3, "funding": map[assess.Funding]int{assess.NotFunded: 1, assess.Funded: 1, assess.FundedInPart: 1},
		"promised": []int{1, 2, 1, 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var gaps, states []string
	for _, g := range b.Gaps {
		gaps = append(gaps, fmt.Sprintf("%s %d->%d planned %t", g.Outcome, g.Level, g.Target, g.Action != nil))
	}
	if want := "A1.2 0->3 planned true; A1.3 1->3 planned true; A1.4 1->2 planned true"; strings.Join(gaps, "; ") != want {
		t.Errorf("gaps %q, want %q", strings.Join(gaps, "; "), want)
	}
	for _, p := range b.Promises {
		states = append(states, p.Action.Text)
	}
	if want := "late, due today, no day, given up, kept"; strings.Join(states, ", ") != want {
		t.Errorf("promises %q, want %q", strings.Join(states, ", "), want)
	}
	if b.Areas[0].Own != assess.ChangeMixed || b.Areas[1].Own != assess.ChangeNotComparable {
		t.Errorf("areas %v", b.Areas)
	}
}

// A rule makes a point where there is something to say, and nowhere else.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*brief.Config)
		want   string
	}{
		{"everything", func(*brief.Config) {}, "took/30 targets/1 up/1 ahead/-1 gap/24 promises/1 money/2"},
		{"no release", func(c *brief.Config) {
			c.Release = nil
			for i := range c.Comparison.Standings {
				c.Comparison.Standings[i].Band = -1
			}
		}, "targets/1 up/1 gapAlone/-1 promises/1 money/2"},
		{"not sealed", func(c *brief.Config) { c.Sealed = false }, "targets/1 up/1 ahead/-1 gap/24 promises/1 money/2"},
		{"nothing rose", func(c *brief.Config) { c.Comparison.Standings[0].Move = assess.MoveSame }, "took/30 targets/1 down/1 ahead/-1 gap/24 promises/1 money/2"},
		{"nothing fell", func(c *brief.Config) { c.Comparison.Standings[1].Move = assess.MoveSame }, "took/30 targets/1 upAlone/1 ahead/-1 gap/24 promises/1 money/2"},
		{"nothing moved", func(c *brief.Config) {
			c.Comparison.Standings[0].Move, c.Comparison.Standings[1].Move = assess.MoveSame, assess.MoveNotComparable
		}, "took/30 targets/1 still/3 ahead/-1 gap/24 promises/1 money/2"},
		{"half are not more than half", func(c *brief.Config) { c.Comparison.Standings[0].Lower = 15 }, "took/30 targets/1 up/1 gap/24 promises/1 money/2"},
		{"all paid", func(c *brief.Config) { c.Plan = c.Plan[1:2] }, "took/30 targets/1 up/1 ahead/-1 gap/24 promises/1 paid/1"},
		{"nobody knows whether it is paid", func(c *brief.Config) { c.Plan = c.Plan[1:2:2]; c.Plan[0].Action.Funding = "" }, "took/30 targets/1 up/1 ahead/-1 gap/24 promises/1"},
		{"nothing answered", func(c *brief.Config) {
			c.Comparison, c.Before, c.Plan = workspace.Comparison{}, nil, nil
		}, "took/30"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := full(t)
			row.change(&cfg)
			if got := ids(brief.New(cfg).Rules()); got != row.want {
				t.Errorf("%s\nwant %s", got, row.want)
			}
		})
	}
}

// Whatever a brief is of, each of its figures has a name that a point may use, once,
// and without a release nothing is said of the coalition.
func TestValuesAreKnown(t *testing.T) {
	t.Parallel()
	cfg := full(t)
	rapid.Check(t, func(rt *rapid.T) {
		cfg := cfg
		n := rapid.IntRange(0, len(cfg.Comparison.Standings)).Draw(rt, "answers")
		cfg.Comparison.Standings = cfg.Comparison.Standings[:n]
		var urgent []string
		for _, s := range cfg.Comparison.Standings {
			if s.Gap == assess.GapBelow {
				urgent = append(urgent, s.Outcome)
			}
		}
		cfg.Comparison.Urgent = urgent
		cfg.Before = cfg.Before[:rapid.IntRange(0, len(cfg.Before)).Draw(rt, "promises")]
		alone := rapid.Bool().Draw(rt, "alone")
		if alone {
			cfg.Release = nil
		}
		b := brief.New(cfg)
		seen := make(map[string]bool)
		for _, v := range b.Values() {
			if !brief.Known(v.ID) || seen[v.ID] {
				rt.Errorf("%s is not known, or there twice", v.ID)
			}
			seen[v.ID] = true
		}
		if alone && (seen["coalition"] || seen["counted"] || seen["members"] || b.Best != nil || len(b.Public()) > 0) {
			rt.Error("something is said of the coalition without a release")
		}
	})
}

func TestFill(t *testing.T) {
	t.Parallel()
	value := func(id string) (string, bool) {
		if id == "targets.met" {
			return "7", true
		}
		return "", false
	}
	for _, row := range []struct{ text, want, missing string }{
		{"We meet {targets.met}.", "We meet 7.", ""},
		{"{targets.met}{targets.met}", "77", ""},
		{"{gap3.title} and {rose}", "{gap3.title} and {rose}", "gap3.title rose"},
		{"{ not one } {} {a b}", "{ not one } {} {a b}", ""},
		{"{{targets.met}}", "{7}", ""},
	} {
		got, missing := brief.Fill(row.text, value)
		if got != row.want || strings.Join(missing, " ") != row.missing {
			t.Errorf("%q: %q, missing %v", row.text, got, missing)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := brief.Check([]workspace.Point{{Text: "{targets.met} and {gap3.higher}"}}); err != nil {
		t.Error(err)
	}
	err := brief.Check([]workspace.Point{{Text: "fine"}, {Text: "{target.met}"}})
	if err == nil || !strings.Contains(err.Error(), `speaking point 2 refers to "{target.met}"`) {
		t.Errorf("%v", err)
	}
}

func TestTyped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"we meet 7 targets": true, "12 % of all": true, "half (3) done": true, "by 2,5": true,
		"we meet {targets.met}": false, "since 2031": false, "NIS2 and A1.2": false, "none at all": false,
	} {
		if got := brief.Typed(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// In public is said what the release says of how it was made, and nothing of a release
// that is not to be published.
func TestPublic(t *testing.T) {
	t.Parallel()
	cfg := full(t)
	b := brief.New(cfg)
	own := make(map[string]bool)
	for _, s := range cfg.Release.Method {
		own[s.Text["en"]] = true
	}
	said := b.Public()
	if cfg.Release.Status.Publishable == (len(said) == 0) {
		t.Fatalf("%d sentences of a release that is publishable: %t", len(said), cfg.Release.Status.Publishable)
	}
	for _, s := range said {
		if !own[s.Text["en"]] {
			t.Errorf("%q is no sentence of the release", s.Text["en"])
		}
	}
	hidden := *cfg.Release
	hidden.Status.Publishable = !hidden.Status.Publishable
	cfg.Release = &hidden
	if got := brief.New(cfg).Public(); (len(got) > 0) != hidden.Status.Publishable {
		t.Errorf("%d sentences of one that is publishable: %t", len(got), hidden.Status.Publishable)
	}
}
