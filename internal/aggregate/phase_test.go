package aggregate_test

import (
	"testing"

	"muster/internal/aggregate"
)

// TestPhases draws the table by hand: which phase may follow which.
func TestPhases(t *testing.T) {
	t.Parallel()
	order := []aggregate.Phase{aggregate.PhaseOpen, aggregate.PhaseClosing, aggregate.PhaseFrozen, aggregate.PhaseCollected, aggregate.PhaseWiped}
	rows := aggregate.Phases()
	if len(rows) != len(order) {
		t.Fatalf("%d phases, want %d", len(rows), len(order))
	}
	for i, p := range order {
		if rows[i].Phase != p || rows[i].Means == "" {
			t.Errorf("row %d is %+v, want %s", i, rows[i], p)
		}
		for j, q := range order {
			if p.Before(q) != (i < j) {
				t.Errorf("%s before %s: %t", p, q, p.Before(q))
			}
		}
		if p.Before("gone") || aggregate.Phase("gone").Before(p) {
			t.Errorf("a phase that does not exist stands in order with %s", p)
		}
	}
}
