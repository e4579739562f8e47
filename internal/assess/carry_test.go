package assess_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/framework"
)

func TestCarry(t *testing.T) {
	t.Parallel()
	pack := packOf(1)
	id := pack.Outcomes()[0].ID
	const empty, carries, assignee = "", "carried", "assignee"
	for name, row := range map[string]struct {
		entry   assess.Entry
		changed bool
		want    string
	}{
		"a level":                          {assess.Entry{Level: framework.Level2, Note: "x", Assignee: "Bo"}, false, carries},
		"a question that changed":          {assess.Entry{Level: framework.Level2, Assignee: "Bo"}, true, assignee},
		"a question that changed, nobody":  {assess.Entry{Level: framework.Level2}, true, empty},
		"flagged":                          {assess.Entry{Level: framework.Level2, Flagged: true, Assignee: "Bo"}, false, assignee},
		"withheld":                         {assess.Entry{Level: framework.Withheld, Assignee: "Bo"}, false, assignee},
		"unanswered":                       {assess.Entry{Note: "x", Assignee: "Bo"}, false, assignee},
		"never confirmed":                  {assess.Entry{Level: framework.Level2, Carried: true, Assignee: "Bo"}, false, assignee},
		"not applicable, why not":          {assess.Entry{Level: framework.NotApplicable, Assignee: "Bo"}, false, assignee},
		"not applicable":                   {assess.Entry{Level: framework.NotApplicable, Reason: "no coast"}, false, carries},
		"not applicable and flagged":       {assess.Entry{Level: framework.NotApplicable, Reason: "no coast", Flagged: true}, false, empty},
		"3 without evidence":               {assess.Entry{Level: framework.Level3}, false, empty},
		"3 on our word":                    {assess.Entry{Level: framework.Level3, Evidence: framework.E0}, false, empty},
		"3 with a document":                {assess.Entry{Level: framework.Level3, Evidence: framework.E1}, false, carries},
		"4 with a document":                {assess.Entry{Level: framework.Level4, Evidence: framework.E1}, false, empty},
		"4 that we tested":                 {assess.Entry{Level: framework.Level4, Evidence: framework.E2}, false, empty},
		"4 that somebody else has checked": {assess.Entry{Level: framework.Level4, Evidence: framework.E3, Assignee: "Bo"}, false, assignee},
		"a target to come":                 {assess.Entry{Level: framework.Level1, Target: framework.Level3, TargetDate: "2032-03-01"}, false, carries},
		"a target past":                    {assess.Entry{Level: framework.Level1, Target: framework.Level3, TargetDate: "2032-02-29", Assignee: "Bo"}, false, assignee},
	} {
		got := assess.Carry(pack, map[string]assess.Entry{id: row.entry, "Z9.9": {Level: framework.Level1}}, assess.Carrying{Same: func(string) bool { return !row.changed }, Day: "2032-03-01"})
		want := map[string]assess.Entry{}
		switch row.want {
		case carries:
			e := row.entry
			e.Carried = true
			want[id] = e
			if back := got[id].Confirm(); back != row.entry {
				t.Errorf("%s: confirmed %+v", name, back)
			}
		case assignee:
			want[id] = assess.Entry{Assignee: "Bo"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, e := range got {
			if e.Answered() {
				t.Errorf("%s: what is carried over counts", name)
			}
		}
	}
}

// Whatever was answered, nothing is carried that cannot be unchanged, nothing that is
// carried counts, and no reason is about what the bodies will give.
func TestCarryNothingSilently(t *testing.T) {
	t.Parallel()
	pack := packOf(3, 2)
	rapid.Check(t, func(t *rapid.T) {
		before, same, broken := make(map[string]assess.Entry), make(map[string]bool), make(map[string]bool)
		for _, o := range pack.Outcomes() {
			same[o.ID], broken[o.ID] = rapid.IntRange(0, 4).Draw(t, "same") > 0, rapid.IntRange(0, 4).Draw(t, "broken") == 0
			before[o.ID] = assess.Entry{
				Level: rapid.SampledFrom(append(assess.Levels(), framework.None)).Draw(t, "level"), Evidence: rapid.SampledFrom(assess.Grades()).Draw(t, "grade"),
				Target: framework.Level3, TargetDate: rapid.SampledFrom([]string{"", "2031-12-31", "2032-01-01", "2032-01-02"}).Draw(t, "day"),
				Reason: rapid.SampledFrom([]string{"", "why"}).Draw(t, "reason"), About: rapid.SampledFrom([]string{"", "2/1"}).Draw(t, "about"),
				Note: "n", Assignee: "Bo", Flagged: rapid.Bool().Draw(t, "flagged"), Carried: rapid.IntRange(0, 4).Draw(t, "carried") == 0,
			}
		}
		got := assess.Carry(pack, before, assess.Carrying{
			Same: func(o string) bool { return same[o] }, Broken: func(o string) bool { return broken[o] }, Day: "2032-01-01",
		})
		for _, o := range pack.Outcomes() {
			was, now := before[o.ID], got[o.ID]
			number, _ := was.Level.Number()
			proven := was.Level.Given() && (number < 3 || number == 3 && was.Evidence != framework.NoEvidence && was.Evidence != framework.E0)
			unchanged := same[o.ID] && !broken[o.ID] && !was.Flagged && !was.Carried && number < 4 && was.TargetDate != "2031-12-31" &&
				(proven || was.Level == framework.NotApplicable && was.Reason != "")
			want := assess.Entry{Assignee: "Bo"}
			if unchanged {
				want = was
				want.Carried, want.About = true, ""
				if was.Level != framework.NotApplicable {
					want.Reason = ""
				}
			}
			if now != want {
				t.Fatalf("%+v is carried as %+v, want %+v", was, now, want)
			}
		}
	})
}
