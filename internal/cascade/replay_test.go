package cascade_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
)

const hour cascade.Minutes = 60

func outage(id string, repair, restart cascade.Minutes) cascade.Service {
	return cascade.Service{ID: id, Weight: 1, Severity: cascade.Always, Repair: cascade.Repair{Median: repair}, Restart: restart}
}

func TestReplays(t *testing.T) {
	t.Parallel()
	for _, r := range cascade.Replays() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			s := cascade.Scenario{Hits: make([]cascade.Probability, len(r.Services))}
			for _, i := range r.Hit {
				s.Hits[i] = cascade.Always
			}
			if once, err := r.Run(); err != nil || cmp.Diff(r.Reported, once) != "" {
				t.Errorf("the replay itself: %v, %v", once, err)
			}
			got, _ := cascade.DownByEvent(mustGraph(t, r.Services, r.Requirements), s, 60*24*hour, 60, 1, 0)
			for lane := range got {
				if diff := cmp.Diff(r.Reported, got[lane]); diff != "" {
					t.Fatalf("calibrated on: %s\ntrial %d (-reported +replayed):\n%s", r.Source, lane, diff)
				}
			}
		})
	}
}

// TestRepairOfModems: some 2,000 of 5,800 turbines were without remote control
// about a month after 24 February 2022, and 95 % were back by 19 April; a lognormal
// law with median 22.7 days and spread 0.53 goes through both points.
func TestRepairOfModems(t *testing.T) {
	t.Parallel()
	spread, err := cascade.Sigma(0.53)
	if err != nil {
		t.Fatal(err)
	}
	repair := cascade.RepairTimes()
	const n = 1 << 16
	month, april := 0, 0
	for i := range uint64(n) {
		m := repair(cascade.Repair{Median: 32_688, Spread: spread}, cascade.Mix(i))
		if m > 28*24*hour {
			month++
		}
		if m <= 54*24*hour {
			april++
		}
	}
	if share := float64(month) / n; share < 0.33 || share > 0.36 {
		t.Errorf("a share of %.3f is down after four weeks, want 2,000 of 5,800", share)
	}
	if share := float64(april) / n; share < 0.94 || share > 0.96 {
		t.Errorf("a share of %.3f is back after 54 days, want 0.95", share)
	}
}

// TestVolumeOfMaersk: in June 2017 45,000 computers and 4,000 servers were rebuilt
// in ten days while volume fell by a fifth: a severity of 0.2, calibrated on that.
func TestVolumeOfMaersk(t *testing.T) {
	t.Parallel()
	services := []cascade.Service{outage("shipping line", 240*hour, 0)}
	services[0].Severity = cascade.Always / 5
	got := run(t, mustGraph(t, services, nil), hitAll(1, cascade.Always), cascade.Options{Trials: 1})
	if got.Worst.Mean < 0.1999 || got.Worst.Mean > 0.2 || got.Restored.P50 != 240 {
		t.Errorf("%v lost, restored after %v hours; want 0.2 and 240", got.Worst.Mean, got.Restored.P50)
	}
}
