package rehearse_test

import (
	"slices"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/ledger"
	"muster/internal/rehearse"
)

// checkBundle checks the bundle of a rehearsal as its reader does, with its policy
// alone, and returns it.
func checkBundle(t *testing.T, r *rehearse.Result) *ledger.Bundle {
	t.Helper()
	b, err := ledger.OpenBundle(t.Context(), ledger.Members(r.Bundle))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Policy.Verify(b.Checkpoint, time.Now().AddDate(10, 0, 0)); err != nil {
		t.Error(err)
	}
	file, ok := b.Signed(b.Of(ledger.KindCharter)[0])
	if !ok {
		t.Fatal("the bundle has no charter")
	}
	c, err := coalition.SignedCharter(file).Open()
	if err != nil {
		t.Fatal(err)
	}
	if c.Witnesses.Log != r.Policy.Log || !slices.Equal(c.Witnesses.Keys, r.Policy.Witnesses) {
		t.Error("the charter names another ledger, or other witnesses")
	}
	for i, s := range b.Statements {
		if err := s.Verify(ledger.PartiesOf(c)); err != nil {
			t.Errorf("entry %d, %s: %v", i, s.Kind, err)
		}
	}
	for _, s := range b.Of(ledger.KindRoster) {
		if err := ledger.CheckReceipts(s, b.Of(ledger.KindReceipt)); err != nil {
			t.Error(err)
		}
	}
	task, err := c.OpenTask(c.Cohorts[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, receipt := range b.Receipts[task.ID.String()] {
		if _, err := receipt.Open(task.ID, task.MemberKey); err != nil {
			t.Error(err)
		}
	}
	return b
}

// count returns how many entries there are of a kind.
func count(b *ledger.Bundle, kind ledger.Kind) int { return len(b.Of(kind)) }
