package demo_test

import (
	"math"
	"testing"

	"muster/internal/assess"
	"muster/internal/demo"
	"muster/internal/framework"
)

// large is a coalition that is large enough for its shares to be steady.
func large(t *testing.T) *demo.Coalition {
	t.Helper()
	return generate(t, demo.Config{Pack: core(), Members: 1000, Seed: 11})
}

// within fails unless low <= got <= high.
func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	t.Logf("%s: %.4f", what, got)
	if !(low <= got && got <= high) {
		t.Errorf("%s is %.4f, not between %v and %v", what, got, low, high)
	}
}

func TestCapability(t *testing.T) {
	t.Parallel()
	var values []float64
	for _, m := range large(t).Members {
		values = append(values, float64(m.Capability)/demo.Full)
	}
	mean, deviation := moments(values)
	within(t, "mean", mean, 0.61, 0.65)
	within(t, "deviation", deviation, 0.15, 0.17)
}

func TestShares(t *testing.T) {
	t.Parallel()
	levels := make(map[framework.Level]float64)
	counts := make(map[string]float64)
	all := 0.0
	pack := core()
	for _, a := range large(t).Now() {
		for id, answer := range a.Answers {
			all++
			levels[answer.Level]++
			if answer.Target == framework.None {
				counts["no target"]++
			}
			counts["gap "+answer.Gap().String()]++
			if answer.Verified.Given() {
				counts["verified"]++
				if answer.Verified > answer.Level {
					t.Errorf("%s: %s is verified at %s and says %s", a.Member, id, answer.Verified, answer.Level)
				}
				if answer.Verified < answer.Level {
					counts["verified lower"]++
				}
			} else if answer.Verified != framework.None && answer.Verified != answer.Level {
				t.Errorf("%s: %s is verified as %s and says %s", a.Member, id, answer.Verified, answer.Level)
			}
			if answer.Level >= framework.Level3 && answer.Level <= framework.Level4 {
				counts["asked for evidence"]++
				if answer.Evidence >= framework.E1 {
					counts["evidence where asked"]++
				}
			}
			if outcome, _ := pack.Outcome(id); outcome.NotApplicable == nil && answer.Level == framework.NotApplicable {
				t.Errorf("%s: %s cannot be not applicable", a.Member, id)
			}
		}
		counts["warnings"] += float64(len(assess.Warnings(pack, a)))
	}
	within(t, "withheld", levels[framework.Withheld]/all, 0.05, 0.10)
	within(t, "not applicable", levels[framework.NotApplicable]/all, 0.01, 0.06)
	for _, l := range []framework.Level{framework.Level0, framework.Level1, framework.Level2, framework.Level3, framework.Level4} {
		within(t, "level "+l.String(), levels[l]/all, 0.01, 0.40)
	}
	within(t, "verified", counts["verified"]/all, 0.20, 0.50)
	within(t, "verified lower", counts["verified lower"]/counts["verified"], 0.15, 0.45)
	within(t, "no target", counts["no target"]/all, 0.05, 0.25)
	within(t, "below target", counts["gap below"]/all, 0.30, 0.70)
	within(t, "target met", counts["gap met"]/all, 0.15, 0.60)
	within(t, "evidence where asked", counts["evidence where asked"]/counts["asked for evidence"], 0.80, 0.99)
	within(t, "warnings a member", counts["warnings"]/1000, 0.1, 3)
}

// TestWithheldOfEveryMember holds the share for every single member, so that it holds
// in any coalition of any size.
func TestWithheldOfEveryMember(t *testing.T) {
	t.Parallel()
	coalition := generate(t, demo.Config{Pack: core(), Members: 100, Seed: 2})
	for _, a := range append(coalition.Now(), coalition.Before()...) {
		withheld := 0
		for _, answer := range a.Answers {
			if answer.Level == framework.Withheld {
				withheld++
			}
		}
		if withheld < 2 || withheld > 3 {
			t.Errorf("%s withholds %d of 36", a.Member, withheld)
		}
	}
}

// TestSmallPacks has too few outcomes for 5 to 10 per cent of a member's.
func TestSmallPacks(t *testing.T) {
	t.Parallel()
	withheld, all := 0.0, 0.0
	for _, a := range generate(t, demo.Config{Pack: packOf(2, 1), Members: 2000, Seed: 2}).Now() {
		for _, answer := range a.Answers {
			all++
			if answer.Level == framework.Withheld {
				withheld++
			}
		}
	}
	within(t, "withheld", withheld/all, 0.05, 0.10)
}

func TestYears(t *testing.T) {
	t.Parallel()
	moves := make(map[assess.Move]float64)
	changes := make(map[assess.Change]float64)
	comparable, areas := 0.0, 0.0
	pack := core()
	for _, m := range large(t).Members {
		if m.Now == nil || m.Before == nil {
			continue
		}
		for id, now := range m.Now.Answers {
			before := m.Before.Answers[id]
			move := assess.OutcomeChange(&now, &before)
			moves[move]++
			if move != assess.MoveNotComparable {
				comparable++
			}
		}
		for _, area := range pack.Areas {
			changes[assess.AreaChange(area, m.Now, m.Before)]++
			areas++
		}
	}
	within(t, "rose", moves[assess.MoveRose]/comparable, 0.10, 0.35)
	within(t, "fell", moves[assess.MoveFell]/comparable, 0.005, 0.08)
	for _, change := range []assess.Change{assess.ChangeWorse, assess.ChangeMixed, assess.ChangeSame, assess.ChangeBetter} {
		within(t, "areas "+change.String(), changes[change]/areas, 0.005, 0.70)
	}
}

// TestCorrelation compares pairs of outcomes of one area with pairs of two areas.
func TestCorrelation(t *testing.T) {
	t.Parallel()
	pack := core()
	columns := make([][]float64, 0, 36)
	areas := make([]string, 0, 36)
	assessments := large(t).Now()
	for _, outcome := range pack.Outcomes() {
		column := make([]float64, 0, len(assessments))
		for _, a := range assessments {
			value := math.NaN()
			if n, ok := a.Answers[outcome.ID].Level.Number(); ok {
				value = float64(n)
			}
			column = append(column, value)
		}
		columns = append(columns, column)
		areas = append(areas, outcome.AreaID())
	}
	var same, different []float64
	for i := range columns {
		for j := range i {
			r := correlation(columns[i], columns[j])
			if areas[i] == areas[j] {
				same = append(same, r)
			} else {
				different = append(different, r)
			}
		}
	}
	inside, _ := moments(same)
	across, _ := moments(different)
	within(t, "inside an area", inside, 0.50, 0.80)
	within(t, "across areas", across, 0.30, 0.60)
	if inside < across+0.1 {
		t.Errorf("inside %.3f, across %.3f", inside, across)
	}
}

func moments(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(deviation)
}

// correlation leaves pairs out of which one is not a number.
func correlation(a, b []float64) float64 {
	var x, y []float64
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	meanX, deviationX := moments(x)
	meanY, deviationY := moments(y)
	sum := 0.0
	for i := range x {
		sum += (x[i] - meanX) * (y[i] - meanY) / float64(len(x))
	}
	return sum / (deviationX * deviationY)
}
