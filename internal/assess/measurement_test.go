package assess_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// areaOf returns an area of n outcomes.
func areaOf(id string, n int) framework.Area {
	area := framework.Area{ID: id}
	for i := range n {
		area.Outcomes = append(area.Outcomes, framework.Outcome{ID: fmt.Sprintf("%s.%d", id, i+1)})
	}
	return area
}

// packOf returns a pack with areas A1, A2 and so on, of those sizes.
func packOf(sizes ...int) *framework.Pack {
	pack := &framework.Pack{ID: "sample", Version: "1.0.0"}
	for i, n := range sizes {
		pack.Areas = append(pack.Areas, areaOf(fmt.Sprintf("A%d", i+1), n))
	}
	return pack
}

func layoutOf(t interface{ Fatal(...any) }, pack *framework.Pack) *framework.Layout {
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

// answered returns an assessment of an area: a digit, n, w, or - for no answer.
func answered(area framework.Area, levels string) *assess.Assessment {
	a := &assess.Assessment{Member: "Ostmere", Answers: make(map[string]assess.Answer)}
	for i, c := range levels {
		var level framework.Level
		switch c {
		case '-':
			continue
		case 'n':
			level = framework.NotApplicable
		case 'w':
			level = framework.Withheld
		default:
			level, _ = framework.LevelOf(int(c - '0'))
		}
		a.Answers[area.Outcomes[i].ID] = assess.Answer{Level: level}
	}
	return a
}

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// full returns a complete assessment of packOf(2, 1).
func full() *assess.Assessment {
	return &assess.Assessment{Member: "Ostmere", Answers: map[string]assess.Answer{
		"A1.1": {Level: framework.Level2, Verified: framework.Level1, Evidence: framework.E1, Target: framework.Level3},
		"A1.2": {Level: framework.Level4, Verified: framework.Withheld, Evidence: framework.E3, Target: framework.Level4},
		"A2.1": {Level: framework.Withheld},
	}}
}

func TestMeasurement(t *testing.T) {
	t.Parallel()
	layout := layoutOf(t, packOf(2, 1))
	before := full()
	before.Answers["A1.1"] = assess.Answer{Level: framework.Level1}
	before.Answers["A9.9"] = assess.Answer{Level: framework.Level1} // an outcome that the framework no longer has

	// The blocks stand kind by kind: A1.1, A1.2, A2.1 and for the areas A1, A2.
	want := []uint64{
		2, 4, 6, // level: 2, 4, withheld
		1, 6, 7, // verified: 1, withheld, none
		3, 4, 5, // target: 3, 4, none
		0, 1, 2, // gap: below, met, unknown
		1, 3, 4, // evidence: E1, E3, none
		2, 5, // lowest: 2, none
		3, 4, // change: better, not comparable
	}
	got, err := assess.Measurement(layout, full(), before)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)

	want[len(want)-2] = 4 // no last year
	got, err = assess.Measurement(layout, full(), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want)
}

func TestMeasurementRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		now    func(a *assess.Assessment) *assess.Assessment
		before func(a *assess.Assessment)
		layout func(l *framework.Layout)
		want   string
	}{
		{
			name: "no assessment",
			now:  func(*assess.Assessment) *assess.Assessment { return nil },
			want: "there is no assessment",
		},
		{
			name: "a missing answer",
			now:  func(a *assess.Assessment) *assess.Assessment { delete(a.Answers, "A1.2"); return a },
			want: `"Ostmere" has no answer to A1.2`,
		},
		{
			name: "no answers",
			now:  func(*assess.Assessment) *assess.Assessment { return &assess.Assessment{Member: "Ostmere"} },
			want: `"Ostmere" has no answer to A1.1, A1.2, A2.1`,
		},
		{
			name: "an answer to another framework",
			now: func(a *assess.Assessment) *assess.Assessment {
				a.Answers["B1.1"] = assess.Answer{Level: framework.Level1}
				return a
			},
			want: `"Ostmere" answers "B1.1", which the layout does not have`,
		},
		{
			name: "an answer without level",
			now:  func(a *assess.Assessment) *assess.Assessment { a.Answers["A2.1"] = assess.Answer{}; return a },
			want: `"Ostmere", outcome A2.1: "none" cannot be a level`,
		},
		{
			name: "a level that does not exist",
			now: func(a *assess.Assessment) *assess.Assessment {
				a.Answers["A2.1"] = assess.Answer{Level: framework.Level(99)}
				return a
			},
			want: `"Ostmere", outcome A2.1: "framework.Level(99)" cannot be a level`,
		},
		{
			name: "a target that is no level",
			now: func(a *assess.Assessment) *assess.Assessment {
				a.Answers["A1.1"] = assess.Answer{Level: framework.Level1, Target: framework.Withheld}
				return a
			},
			want: `"Ostmere", outcome A1.1: "withheld" cannot be a target`,
		},
		{
			name: "a verified level that does not exist",
			now: func(a *assess.Assessment) *assess.Assessment {
				a.Answers["A1.1"] = assess.Answer{Level: framework.Level1, Verified: framework.Level(99)}
				return a
			},
			want: `"Ostmere", outcome A1.1: "framework.Level(99)" cannot be a verified level`,
		},
		{
			name: "a grade that does not exist",
			now: func(a *assess.Assessment) *assess.Assessment {
				a.Answers["A1.1"] = assess.Answer{Level: framework.Level1, Evidence: framework.Grade(99)}
				return a
			},
			want: `"Ostmere", outcome A1.1: "framework.Grade(99)" cannot be an evidence grade`,
		},
		{
			name:   "last year's answer without level",
			before: func(a *assess.Assessment) { a.Answers["A1.1"] = assess.Answer{} },
			want:   `"Ostmere", outcome A1.1: "none" cannot be a level`,
		},
		{
			name:   "a layout with a bucket less",
			layout: func(l *framework.Layout) { l.Blocks[0].Buckets = l.Blocks[0].Buckets[:3] },
			want:   `the buckets of block "A1.1/level" are not those of its kind`,
		},
		{
			name: "a layout without the outcome's area",
			layout: func(l *framework.Layout) {
				l.Blocks = slices.DeleteFunc(l.Blocks, func(b framework.Block) bool { return b.Subject == "A2" })
			},
			want: `outcome "A2.1" belongs to no area of the layout`,
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			layout, now, before := layoutOf(t, packOf(2, 1)), full(), full()
			if row.now != nil {
				now = row.now(now)
			}
			if row.before != nil {
				row.before(before)
			}
			if row.layout != nil {
				row.layout(layout)
			}
			got, err := assess.Measurement(layout, now, before)
			if err == nil || got != nil {
				t.Fatalf("got %v, %v; want a refusal", got, err)
			}
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("kind %s", errs.KindOf(err))
			}
			equal(t, errs.Describe(err).Message, row.want)
		})
	}
}

func TestMeasurementNamesTenMissing(t *testing.T) {
	t.Parallel()
	_, err := assess.Measurement(layoutOf(t, packOf(12)), &assess.Assessment{Member: "Ostmere"}, nil)
	want := `"Ostmere" has no answer to A1.1, A1.2, A1.3, A1.4, A1.5, A1.6, A1.7, A1.8, A1.9, A1.10 and 2 more`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func drawAnswer(t *rapid.T) assess.Answer {
	return assess.Answer{
		Level:    rapid.SampledFrom(assess.Levels()).Draw(t, "level"),
		Verified: rapid.SampledFrom(assess.VerifiedLevels()).Draw(t, "verified"),
		Evidence: rapid.SampledFrom(assess.Grades()).Draw(t, "evidence"),
		Target:   rapid.SampledFrom(assess.Targets()).Draw(t, "target"),
	}
}

// TestMeasurementSaysTheAnswers checks for random assessments and layouts in any
// order that every block's bucket is what the answers say.
func TestMeasurementSaysTheAnswers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pack := packOf(rapid.SliceOfN(rapid.IntRange(1, 5), 1, 4).Draw(t, "sizes")...)
		layout := layoutOf(t, pack)
		layout.Blocks = rapid.Permutation(layout.Blocks).Draw(t, "blocks")
		now := &assess.Assessment{Member: "now", Answers: make(map[string]assess.Answer)}
		before := &assess.Assessment{Member: "before", Answers: make(map[string]assess.Answer)}
		for _, outcome := range pack.Outcomes() {
			now.Answers[outcome.ID] = drawAnswer(t)
			if rapid.Bool().Draw(t, "answered before") {
				before.Answers[outcome.ID] = drawAnswer(t)
			}
		}

		measurement, err := assess.Measurement(layout, now, before)
		if err != nil {
			t.Fatal(err)
		}
		if len(measurement) != len(layout.Blocks) {
			t.Fatalf("%d indexes for %d blocks", len(measurement), len(layout.Blocks))
		}
		for i, block := range layout.Blocks {
			answer := now.Answers[block.Subject]
			area, _ := pack.Area(block.Subject)
			var want string
			switch block.Kind {
			case framework.KindLevel:
				want = answer.Level.String()
			case framework.KindVerified:
				want = answer.Verified.String()
			case framework.KindTarget:
				want = answer.Target.String()
			case framework.KindGap:
				want = answer.Gap().String()
			case framework.KindEvidence:
				want = answer.Evidence.String()
			case framework.KindLowest:
				want = assess.Lowest(*area, now).String()
			case framework.KindChange:
				want = assess.AreaChange(*area, now, before).String()
			}
			if got := block.Buckets[measurement[i]]; got != want {
				t.Fatalf("block %s: got %s, want %s", block.Name, got, want)
			}
		}
	})
}

// TestChangeTurnsRound checks that exchanging the years exchanges better and worse.
func TestChangeTurnsRound(t *testing.T) {
	t.Parallel()
	turned := map[assess.Change]assess.Change{
		assess.ChangeBetter: assess.ChangeWorse, assess.ChangeWorse: assess.ChangeBetter,
		assess.ChangeMixed: assess.ChangeMixed, assess.ChangeSame: assess.ChangeSame,
		assess.ChangeNotComparable: assess.ChangeNotComparable,
	}
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.StringOfN(rapid.RuneFrom([]rune("01234nw-")), 6, 6, -1)
		area := areaOf("A1", 6)
		now, before := answered(area, levels.Draw(t, "now")), answered(area, levels.Draw(t, "before"))
		there, back := assess.AreaChange(area, now, before), assess.AreaChange(area, before, now)
		if back != turned[there] {
			t.Fatalf("%s one way and %s the other", there, back)
		}
		if there := assess.AreaChange(area, now, now); there != assess.ChangeSame && there != assess.ChangeNotComparable {
			t.Fatalf("against itself: %s", there)
		}
	})
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	const tail = "; a 4 asks for E2 or E3"
	rows := []struct {
		name   string
		answer assess.Answer
		want   string
	}{
		{"4 with our own test", assess.Answer{Level: framework.Level4, Evidence: framework.E2}, ""},
		{"4 with someone's check", assess.Answer{Level: framework.Level4, Evidence: framework.E3}, ""},
		{"4 with a document", assess.Answer{Level: framework.Level4, Evidence: framework.E1}, "A1.2: level 4 with evidence E1" + tail},
		{"4 with our word", assess.Answer{Level: framework.Level4, Evidence: framework.E0}, "A1.2: level 4 with evidence E0" + tail},
		{"4 with nothing", assess.Answer{Level: framework.Level4}, "A1.2: level 4 without evidence" + tail},
		{"3 with nothing", assess.Answer{Level: framework.Level3}, ""},
		{"0 with a check", assess.Answer{Level: framework.Level0, Evidence: framework.E3}, ""},
		{"withheld with a document", assess.Answer{Level: framework.Withheld, Evidence: framework.E1}, ""},
		{"verified 4 with nothing", assess.Answer{Level: framework.Level3, Verified: framework.Level4}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := &assess.Assessment{Member: "Ostmere", Answers: map[string]assess.Answer{"A1.2": row.answer}}
			var got []string
			for _, w := range assess.Warnings(packOf(3), a) {
				got = append(got, w.String())
			}
			equal(t, strings.Join(got, "\n"), row.want)
		})
	}
	t.Run("in the framework's order", func(t *testing.T) {
		t.Parallel()
		pack := packOf(12)
		a := answered(pack.Areas[0], strings.Repeat("4", 12))
		var got []string
		for _, w := range assess.Warnings(pack, a) {
			got = append(got, w.Outcome)
		}
		var want []string
		for _, outcome := range pack.Outcomes() {
			want = append(want, outcome.ID)
		}
		equal(t, got, want)
	})
}

func BenchmarkMeasurement(b *testing.B) {
	pack := packOf(5, 5, 5, 5, 4, 4, 4, 4)
	layout := layoutOf(b, pack)
	a := &assess.Assessment{Member: "Ostmere", Answers: make(map[string]assess.Answer)}
	for _, outcome := range pack.Outcomes() {
		a.Answers[outcome.ID] = assess.Answer{Level: framework.Level2, Target: framework.Level3}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := assess.Measurement(layout, a, a); err != nil {
			b.Fatal(err)
		}
	}
}
