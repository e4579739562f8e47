package assess_test

import (
	"strconv"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
)

// everyLevel holds every value of a level, none included.
var everyLevel = []framework.Level{
	framework.None, framework.Level0, framework.Level1, framework.Level2, framework.Level3, framework.Level4,
	framework.NotApplicable, framework.Withheld,
}

// number reads a level's name, so that the tests do not compare as the code does.
func number(l framework.Level) (int, bool) {
	n, err := strconv.Atoi(l.String())
	return n, err == nil
}

func TestGap(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name          string
		level, target framework.Level
		want          assess.Gap
	}{
		{"one below", framework.Level2, framework.Level3, assess.GapBelow},
		{"far below", framework.Level0, framework.Level4, assess.GapBelow},
		{"equal", framework.Level3, framework.Level3, assess.GapMet},
		{"above", framework.Level4, framework.Level2, assess.GapMet},
		{"both lowest", framework.Level0, framework.Level0, assess.GapMet},
		{"no target", framework.Level4, framework.None, assess.GapUnknown},
		{"not applicable", framework.NotApplicable, framework.Level1, assess.GapUnknown},
		{"withheld", framework.Withheld, framework.Level0, assess.GapUnknown},
		{"nothing", framework.None, framework.None, assess.GapUnknown},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := (assess.Answer{Level: row.level, Target: row.target}).Gap(); got != row.want {
				t.Errorf("level %s, target %s: got %s, want %s", row.level, row.target, got, row.want)
			}
		})
	}
}

func TestGapOfEveryPair(t *testing.T) {
	t.Parallel()
	for _, level := range everyLevel {
		for _, target := range everyLevel {
			l, given := number(level)
			to, set := number(target)
			want := "unknown"
			if given && set && l < to {
				want = "below"
			} else if given && set {
				want = "met"
			}
			if got := (assess.Answer{Level: level, Target: target}).Gap().String(); got != want {
				t.Errorf("level %s, target %s: got %s, want %s", level, target, got, want)
			}
		}
	}
}

func TestOutcomeChangeOfEveryPair(t *testing.T) {
	t.Parallel()
	for _, now := range everyLevel {
		for _, before := range everyLevel {
			n, given := number(now)
			b, was := number(before)
			want := "not_comparable"
			switch {
			case !given || !was:
			case n > b:
				want = "rose"
			case n < b:
				want = "fell"
			default:
				want = "same"
			}
			got := assess.OutcomeChange(&assess.Answer{Level: now}, &assess.Answer{Level: before})
			if got.String() != want {
				t.Errorf("now %s, before %s: got %s, want %s", now, before, got, want)
			}
		}
	}
	answer := &assess.Answer{Level: framework.Level2}
	for name, got := range map[string]assess.Move{
		"no answer now":    assess.OutcomeChange(nil, answer),
		"no answer before": assess.OutcomeChange(answer, nil),
		"no answers":       assess.OutcomeChange(nil, nil),
	} {
		if got != assess.MoveNotComparable {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestAreaChange(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name        string
		now, before string // levels by outcome: a digit, n, w, or - for no answer
		want        assess.Change
	}{
		{"none moved", "123", "123", assess.ChangeSame},
		{"one rose", "124", "123", assess.ChangeBetter},
		{"one fell", "122", "123", assess.ChangeWorse},
		{"rose and fell", "213", "123", assess.ChangeMixed},
		{"rose much, fell little", "410", "011", assess.ChangeMixed},
		{"one comparable, rose", "n4w", "n33", assess.ChangeBetter},
		{"one comparable, same", "n3w", "n33", assess.ChangeSame},
		{"the rise is not comparable", "42", "w3", assess.ChangeWorse},
		{"none comparable", "nw4", "4w-", assess.ChangeNotComparable},
		{"no last year", "444", "---", assess.ChangeNotComparable},
		{"nothing this year", "---", "444", assess.ChangeNotComparable},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			area := areaOf("A1", len(row.now))
			if got := assess.AreaChange(area, answered(area, row.now), answered(area, row.before)); got != row.want {
				t.Errorf("now %s, before %s: got %s, want %s", row.now, row.before, got, row.want)
			}
		})
	}
	t.Run("no assessments", func(t *testing.T) {
		t.Parallel()
		area := areaOf("A1", 2)
		if got := assess.AreaChange(area, answered(area, "12"), nil); got != assess.ChangeNotComparable {
			t.Errorf("no previous assessment: got %s", got)
		}
		if got := assess.AreaChange(area, nil, nil); got != assess.ChangeNotComparable {
			t.Errorf("no assessment: got %s", got)
		}
	})
}

// TestAreaChangeOfEverySmallArea looks at every area of up to three outcomes.
func TestAreaChangeOfEverySmallArea(t *testing.T) {
	t.Parallel()
	const values = "01234nw-"
	for size := range 4 {
		area := areaOf("A1", size)
		pairs := 1 << (6 * size) // eight values now, eight before
		for code := range pairs {
			var now, before []byte
			rose, fell, comparable := 0, 0, 0
			for rest, i := code, 0; i < size; i, rest = i+1, rest>>6 {
				n, b := values[rest&7], values[rest>>3&7]
				now, before = append(now, n), append(before, b)
				if n > '4' || b > '4' || n == '-' || b == '-' {
					continue
				}
				comparable++
				if n > b {
					rose++
				}
				if n < b {
					fell++
				}
			}
			want := "same"
			if rose > 0 {
				want = "better"
			}
			if fell > 0 {
				want = "worse"
			}
			if rose*fell > 0 {
				want = "mixed"
			}
			if comparable == 0 {
				want = "not_comparable"
			}
			got := assess.AreaChange(area, answered(area, string(now)), answered(area, string(before)))
			if got.String() != want {
				t.Fatalf("now %s, before %s: got %s, want %s", now, before, got, want)
			}
		}
	}
}

// TestLowestOfEverySmallArea looks at every area of up to four outcomes.
func TestLowestOfEverySmallArea(t *testing.T) {
	t.Parallel()
	const values = "01234nw-"
	for size := range 5 {
		area := areaOf("A1", size)
		for code := range 1 << (3 * size) {
			var now []byte
			want := "none"
			for rest, i := code, 0; i < size; i, rest = i+1, rest>>3 {
				n := values[rest&7]
				now = append(now, n)
				if '0' <= n && n <= '4' && (want == "none" || string(n) < want) {
					want = string(n)
				}
			}
			if got := assess.Lowest(area, answered(area, string(now))); got.String() != want {
				t.Fatalf("%s: got %s, want %s", now, got, want)
			}
		}
	}
	if got := assess.Lowest(areaOf("A1", 2), nil); got != framework.None {
		t.Errorf("no assessment: got %s", got)
	}
}

// TestNamesAreTheBuckets holds the names of the enumerations and the buckets of the
// layout together.
func TestNamesAreTheBuckets(t *testing.T) {
	t.Parallel()
	rows := []struct {
		kind  framework.Kind
		names []string
	}{
		{framework.KindLevel, names(assess.Levels())},
		{framework.KindVerified, names(assess.VerifiedLevels())},
		{framework.KindTarget, names(assess.Targets())},
		{framework.KindEvidence, names(assess.Grades())},
		{framework.KindGap, names([]assess.Gap{assess.GapBelow, assess.GapMet, assess.GapUnknown})},
		{framework.KindLowest, names(assess.Targets())},
		{framework.KindChange, names([]assess.Change{
			assess.ChangeWorse, assess.ChangeMixed, assess.ChangeSame, assess.ChangeBetter, assess.ChangeNotComparable,
		})},
	}
	for _, row := range rows {
		t.Run(string(row.kind), func(t *testing.T) {
			t.Parallel()
			equal(t, row.names, row.kind.Buckets())
		})
	}
	for name, want := range map[string]string{
		assess.Gap(9).String():    "assess.Gap(9)",
		assess.Move(9).String():   "assess.Move(9)",
		assess.Change(9).String(): "assess.Change(9)",
	} {
		if name != want {
			t.Errorf("a value that does not exist is named %q", name)
		}
	}
}

func names[T interface{ String() string }](values []T) []string {
	var names []string
	for _, v := range values {
		names = append(names, v.String())
	}
	return names
}
