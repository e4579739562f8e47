package cascade_test

import (
	"testing"

	"muster/internal/cascade"
)

// TestNeverRestored: where more cases than a quantile leaves out are not restored within
// what was looked at, pages say how many in place of a time.
func TestNeverRestored(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		hit        float64
		part, most bool
	}{{"few", 0.03, false, false}, {"some", 0.2, true, false}, {"most", 0.9, true, true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := harbour(t)
			s := &cfg.Scenarios[1].Outlook.Scenario
			s.Hits[6], s.Hits[7] = chance(t, row.hit), 0
			s.Repair = make([]cascade.Repair, 8)
			s.Repair[6] = cascade.Repair{Median: 2 * month}
			r, err := cascade.Run(t.Context(), cfg.Register.Graph, *s, cascade.Options{Trials: 4096, Seed: 2, Horizon: month})
			if err != nil {
				t.Fatal(err)
			}
			never := r.Restored.Never
			if never == 0 || never > 0.05 != row.part || never > 0.5 != row.most {
				t.Fatalf("a share of %v is not restored", never)
			}
			p50, p95 := hours(r.Restored.P50), hours(r.Restored.P95)
			deck := "is back after " + p50 + " in half of the cases, and after " + p95 + " in nineteen of twenty."
			if row.part {
				deck, p95 = "is back after "+p50+" in half of the cases; in "+percent(never)+" of the cases it is not back within 30 days.", "not within 30 days"
			}
			if row.most {
				deck, p50 = "In "+percent(never)+" of the cases nine tenths of what was lost is not back within 30 days.", "not within 30 days"
			}
			w := open(t, cfg)
			at := "/result/" + w.run(asked("grid", "4096", "2"))
			w.says("/en"+at, deck, "90 % restored, half of the cases "+p50+" ", "90 % restored, nineteen of twenty "+p95+" ", "90 % not restored within 30 days "+percent(never),
				"Hours down are counted for 30 days and no further: where something stays down longer, averages are too low.")
			if row.part {
				w.says("/fr"+at, "dix-neuf sur vingt pas en 30 jours")
			}
		})
	}
}
