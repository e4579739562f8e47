package cascade_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"muster/internal/cascade"
)

// peak returns how much heap something takes at most beyond what was there before, what
// the collector has not cleared yet included.
func peak(do func()) uint64 {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, most := make(chan struct{}), make(chan uint64)
	look := func(most uint64) uint64 {
		runtime.ReadMemStats(&now)
		return max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
	}
	go func() { // ends before peak does
		seen := uint64(0)
		for {
			select {
			case <-stop:
				most <- look(seen)
				return
			case <-time.After(time.Millisecond):
				seen = look(seen)
			}
		}
	}()
	do()
	close(stop)
	return <-most
}

// TestMemoryAtAllianceSize: graph, run, comparison, draws and sketches of an alliance,
// 2,000 services and 15,000 dependencies, stay under 64 MiB of heap together with their
// garbage. Draws are fewer by default; with MUSTER_LONG=1 they are all.
func TestMemoryAtAllianceSize(t *testing.T) {
	const most = 64 << 20
	draws, trials := 10, 1<<13
	if os.Getenv("MUSTER_LONG") == "1" {
		draws, trials = 200, 1<<17
	}
	build := func() cascade.Case {
		g, s := layered(t, 2000, 20, 7.5, 0.10, 0.02, true)
		return cascade.Case{Graph: g, Scenario: s}
	}
	options := cascade.Options{Trials: trials, Threads: 2, Top: 5, Seed: 1}
	rows := []struct {
		name string
		do   func() error
	}{
		{"a run", func() error {
			c := build()
			_, err := cascade.Run(t.Context(), c.Graph, c.Scenario, options)
			return err
		}},
		{"a comparison", func() error {
			c := build()
			after, err := c.Apply(cascade.Measure{ID: "repair", Cost: 1, Actions: []cascade.Action{{Services: []int32{1, 2, 3}, Ratio: 4}}})
			if err == nil {
				_, err = cascade.Compare(t.Context(), c, after, options)
			}
			return err
		}},
		{"draws", func() error {
			o := options
			o.Trials = 0
			_, err := cascade.Uncertainty(t.Context(), cascade.Outlook{Case: build()}, laws(), cascade.UncertainOptions{Options: o, Draws: draws})
			return err
		}},
	}
	for _, row := range rows {
		var err error
		used := peak(func() { err = row.do() })
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.1f MiB", row.name, float64(used)/(1<<20))
		if used > most {
			t.Errorf("%s takes %d bytes of heap, more than %d", row.name, used, most)
		}
		if used < 1<<20 {
			t.Errorf("%s takes %d bytes: nothing was measured", row.name, used)
		}
	}
}
