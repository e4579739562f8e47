package cascade_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

// TestInvestAgainstAllSubsets: on small instances no subset within the budget is
// worth more than the choice, but in a few, and never by much.
func TestInvestAgainstAllSubsets(t *testing.T) {
	t.Parallel()
	instances := long(12, 30)
	missed, worst := 0, 0.0
	for i := range instances {
		r := rand.New(rand.NewPCG(21, uint64(i)))
		shape := small{services: 6 + r.IntN(8), requirements: 8 + r.IntN(16), unit: 30, spread: true, acyclic: true}
		services, requirements, hits := shape.random(r)
		for v := range hits {
			hits[v] /= 3
		}
		g := mustGraph(t, services, requirements)
		c := cascade.Case{Graph: g, Scenario: cascade.Scenario{Hits: hits}}
		measures := randomMeasures(r, g, 9)
		o := cascade.InvestOptions{
			Options: cascade.Options{Trials: 1024, Seed: uint64(i), Threads: 2}, Budget: 6,
			Objective: []cascade.Objective{cascade.AtWorst, cascade.LostHours}[i%2],
		}
		chosen, value, err := cascade.Search(t.Context(), c, measures, o)
		if err != nil {
			t.Fatal(err)
		}
		if cost(measures, chosen) > 6 {
			t.Fatalf("instance %d: %v costs more than 6", i, chosen)
		}
		nothing, best := value([]int{}), value([]int{})
		for bits := range 1 << len(measures) {
			var set []int
			for m := range measures {
				if bits>>m&1 == 1 {
					set = append(set, m)
				}
			}
			if cost(measures, set) <= 6 && len(set) > 0 {
				best = min(best, value(set))
			}
		}
		if got := value(chosen); got > best {
			missed++
			worst = max(worst, (got-best)/(nothing-best))
		}
	}
	t.Logf("the optimum was missed in %d of %d instances, by at most %.3f of its gain", missed, instances, worst)
	if missed > 1+instances/10 || worst > 0.1 {
		t.Errorf("missed %d of %d, by up to %.3f", missed, instances, worst)
	}
}

func cost(measures []cascade.Measure, set []int) (sum uint32) {
	for _, i := range set {
		sum += measures[i].Cost
	}
	return sum
}

// twoDoors is a mission that falls with either of two services, of two owners: what
// one of them does alone helps little as long as the other is open.
func twoDoors(t *testing.T) (cascade.Case, []cascade.Measure, []string) {
	services := plain(3)
	services[2].Weight, services[2].Mission = 100, true
	c := cascade.Case{
		Graph: mustGraph(t, services, []cascade.Requirement{
			{Service: 2, Name: "both", Need: 2, Suppliers: []int32{0, 1}, Binding: cascade.Always},
		}),
		Scenario: cascade.Scenario{Hits: []cascade.Probability{cascade.Always * 9 / 10, cascade.Always * 9 / 10, 0}},
	}
	measures := []cascade.Measure{
		{ID: "north", Cost: 1, Actions: []cascade.Action{{Services: []int32{0}, Ratio: 1000}}},
		{ID: "south", Cost: 1, Actions: []cascade.Action{{Services: []int32{1}, Ratio: 1000}}},
		{ID: "nothing", Cost: 1, Actions: []cascade.Action{{Services: []int32{2}, Ratio: 1000}}},
	}
	return c, measures, []string{"North", "South", "All"}
}

// TestCollectiveDividend: two doors have to be shut together; the dividend says so.
func TestCollectiveDividend(t *testing.T) {
	t.Parallel()
	c, measures, owners := twoDoors(t)
	o := cascade.InvestOptions{Options: cascade.Options{Trials: 8 * cascade.Lanes, Seed: 5}, Budget: 3, Owners: owners}
	one, err := cascade.Invest(t.Context(), c, measures, o)
	if err != nil {
		t.Fatal(err)
	}
	var chosen []string
	for _, s := range one.Steps {
		chosen = append(chosen, s.Measure)
	}
	if got := strings.Join(chosen, " "); got != "north south" && got != "south north" {
		t.Fatalf("chosen: %s", got)
	}
	// Lost are 0.99 of the trials; one door shut leaves 0.9, two next to nothing.
	d := one.Dividend
	if d == nil || d.Joint < 0.9 || d.Sum > 0.25 || d.Extra-d.Error < 0.6 || d.Extra != 0 && (d.Extra-(d.Joint-d.Sum)) > 1e-9 || len(d.Owner) != 2 {
		t.Errorf("dividend %+v", d)
	}
	if r := one.Steps[0].Reason; r.Mission != "2" || r.Services != 1 || r.Owners != 1 {
		t.Errorf("reason %+v", r)
	}
	for _, threads := range []int{2, 4} {
		o.Threads = threads
		several, err := cascade.Invest(t.Context(), c, measures, o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, several); diff != "" {
			t.Errorf("%d threads (-one +several):\n%s", threads, diff)
		}
	}
	o.Objective = "mission:2"
	byMission, err := cascade.Invest(t.Context(), c, measures, o)
	if err != nil {
		t.Fatal(err)
	}
	if byMission.Before < 20 || byMission.Hash == one.Hash {
		t.Errorf("a mission that takes a day to repair is down %v hours", byMission.Before)
	}
}

// TestRanking: of many measures those are tried that matter.
func TestRanking(t *testing.T) {
	t.Parallel()
	c, measures, _ := twoDoors(t)
	var many []cascade.Measure
	for i := range 100 {
		many = append(many, measures[2])
		many[i].ID = fmt.Sprint(i)
	}
	many = append(many, measures[0], measures[1])
	order, err := cascade.Rank(c, many, 1)
	if err != nil {
		t.Fatal(err)
	}
	if order[0]+order[1] != 201 {
		t.Errorf("first come %v", order[:4])
	}
	v, err := cascade.Invest(t.Context(), c, many, cascade.InvestOptions{Options: cascade.Options{Trials: 1024}, Budget: 2, Confirm: 5})
	if err != nil {
		t.Fatal(err)
	}
	if v.Measures != 102 || v.Confirmed != 5 || len(v.Steps) != 2 {
		t.Errorf("%d of %d confirmed, %d chosen", v.Confirmed, v.Measures, len(v.Steps))
	}
}

// TestInvestStopped: a search that is stopped says the best that it tried until then,
// wherever it is stopped, and names it by no hash.
func TestInvestStopped(t *testing.T) {
	t.Parallel()
	c, measures, owners := twoDoors(t)
	found := make(map[int]bool)
	for after := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		o := cascade.InvestOptions{Options: cascade.Options{Trials: 8 * cascade.Lanes, Seed: 5, Progress: func(int, int) {
			if calls++; calls > after {
				cancel()
			}
		}}, Budget: 3, Owners: owners}
		v, err := cascade.Invest(ctx, c, measures, o)
		cancel()
		switch {
		case err != nil:
			t.Fatalf("stopped after %d: %v", after, err)
		case v.Complete != (v.Hash != ""):
			t.Errorf("stopped after %d: complete %v with the hash %q", after, v.Complete, v.Hash)
		case !v.Complete && (v.Trials != cascade.Lanes || v.Tried < 4 || len(v.Steps) == 0):
			t.Errorf("stopped after %d: %d trials, %d sets tried, steps %+v", after, v.Trials, v.Tried, v.Steps)
		case v.Before < 0.9 || v.Before > 1:
			t.Errorf("stopped after %d: %v is lost before", after, v.Before)
		}
		found[len(v.Steps)] = true
		if v.Complete {
			break
		}
	}
	if !found[1] || !found[2] {
		t.Errorf("choices of %v measures; one at first, two in the end", found)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cascade.Invest(ctx, c, measures, cascade.InvestOptions{Options: cascade.Options{Trials: 512}, Budget: 3}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped before anything was tried: %v", err)
	}
}

func TestInvestRefuses(t *testing.T) {
	t.Parallel()
	c, measures, owners := twoDoors(t)
	rows := []struct {
		name     string
		measures []cascade.Measure
		options  cascade.InvestOptions
		want     string
	}{
		{"no measure", nil, cascade.InvestOptions{Options: cascade.Options{Trials: 1}}, "there is no measure to choose from"},
		{"no trial", measures, cascade.InvestOptions{}, "there cannot be 0 trials"},
		{"objective", measures, cascade.InvestOptions{Options: cascade.Options{Trials: 1}, Objective: "mission:0"}, `"mission:0" is nothing to aim at`},
		{"engine", measures, cascade.InvestOptions{Options: cascade.Options{Trials: 1, Engine: cascade.Static}}, "the engine static knows no time"},
		{"owners", measures, cascade.InvestOptions{Options: cascade.Options{Trials: 1}, Owners: owners[:2]}, "there are 2 owners for 3 services"},
	}
	for _, row := range rows {
		if _, err := cascade.Invest(t.Context(), c, row.measures, row.options); err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}
