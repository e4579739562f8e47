package aggregate

import (
	"context"
	"fmt"
	"time"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// Ending is why a host wipes a task.
type Ending string

// The reasons to wipe.
const (
	CycleOver      Ending = "over"      // the batch was collected, and the charter's day of wiping has come
	CycleCancelled Ending = "cancelled" // the coalition has cancelled the cycle: at any time, and nothing is collected any more
)

// wipeAtOnce is how many rows of a kind one transaction deletes.
const wipeAtOnce = 1000

// Wipe deletes what this host holds of the task's submissions: reports,
// receipts, jobs, its share of the totals and its answers. What stays is the
// roster with its amendments, and what became of each report, against replay.
// Then it enters in the record that it has done so: stated, not proven.
//
// It is refused, with kind Conflict, before the charter's day and before the
// collection, unless the cycle was cancelled. It may be interrupted anywhere and
// called again. Keys are destroyed by the caller: cycle key, HPKE keys, seed.
// What a database keeps besides its tables, as PostgreSQL does in its
// write-ahead log, is ciphertext under those keys.
func (h *host) Wipe(ctx context.Context, why Ending) error {
	if why != CycleOver && why != CycleCancelled {
		return fmt.Errorf("aggregate: wipe a cycle that is %q", why)
	}
	err := h.Store.InTx(ctx, "begin wipe", func(tx Tx) error {
		phase, err := tx.Phase(h.Task.ID)
		if err != nil || phase == PhaseWiped {
			return err
		}
		if why == CycleOver {
			if err := h.requireOver(phase); err != nil {
				return err
			}
		}
		// First of all, so that nothing comes in any more.
		return tx.Advance(h.Task.ID, phase, PhaseWiped)
	})
	for left := true; err == nil && left; {
		err = h.Store.InTx(ctx, "wipe", func(tx Tx) (err error) {
			left, err = tx.Wipe(h.Task.ID, wipeAtOnce)
			return err
		})
	}
	if err != nil {
		return err
	}
	h.last.forget()
	if err := h.Store.Erase(ctx); err != nil {
		return fmt.Errorf("erase what was deleted: %w", err)
	}
	return h.append(ctx, ledger.Entry{
		ID: fmt.Sprintf("wipe %v %s", h.role, h.Task.ID), Kind: "wipe",
		Data: map[string]string{"task_id": h.Task.ID.String(), "host": h.role.String()},
	})
}

func (h *host) requireOver(phase Phase) error {
	day := time.Unix(h.Task.charter.Wipe, 0)
	switch {
	case h.Now().Before(day):
		return errs.New(errs.Conflict, "the charter wipes at "+day.UTC().Format("2006-01-02 15:04 UTC"), "a cycle that was cancelled is wiped at any time")
	case phase != PhaseCollected:
		return errs.New(errs.Conflict, "the batch was not collected", "what is wiped now can never be collected; cancel the cycle if that is meant")
	}
	return nil
}

func (l *lastRoster) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = nil
}

// wiped is what a host answers whose task is wiped.
func (h *host) wiped() error {
	return errs.Wrap(dap.NewProblem(dap.ProblemBatchInvalid, "the task is wiped").ForTask(h.Task.ID), errs.Conflict,
		"the submissions of this task are wiped", "what was not collected before cannot be collected any more")
}
