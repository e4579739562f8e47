package aggregate

import (
	"context"
	"fmt"
	"time"

	"muster/dap"
	"muster/internal/coalition"
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
	err := wiping{task: h.Task.ID, charter: h.Task.charter, role: h.role, store: h.Store, log: h.Log, now: h.Now}.run(ctx, why)
	if err == nil {
		h.last.forget()
	}
	return err
}

// WipeConfig says which task [Wipe] wipes. It holds no key of the cycle.
type WipeConfig struct {
	Charter coalition.Charter
	Cohort  string
	Role    dap.Role
	Store   Store
	Log     Log // may be nil
	Now     func() time.Time
}

// Wipe does what the method of a Leader or a Helper does, and needs none of the
// keys that are destroyed with it: so it can be called again when an
// interruption came between. A task that the host never served is wiped, too, so
// that it cannot begin.
func Wipe(ctx context.Context, cfg WipeConfig, why Ending) error {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return err
	}
	err = cfg.Store.InTx(ctx, "create task", func(tx Tx) error { return tx.CreateTask(task.ID, cfg.Role) })
	if err != nil {
		return err
	}
	return wiping{task: task.ID, charter: cfg.Charter, role: cfg.Role, store: cfg.Store, log: cfg.Log, now: cfg.Now}.run(ctx, why)
}

// wiping is one wipe.
type wiping struct {
	task    dap.TaskID
	charter coalition.Charter
	role    dap.Role
	store   Store
	log     Log
	now     func() time.Time
}

func (w wiping) run(ctx context.Context, why Ending) error {
	if why != CycleOver && why != CycleCancelled {
		return fmt.Errorf("aggregate: wipe a cycle that is %q", why)
	}
	err := w.store.InTx(ctx, "begin wipe", func(tx Tx) error {
		phase, err := tx.Phase(w.task)
		if err != nil || phase == PhaseWiped {
			return err
		}
		if why == CycleOver {
			if err := w.requireOver(phase); err != nil {
				return err
			}
		}
		// First of all, so that nothing comes in any more.
		return tx.Advance(w.task, phase, PhaseWiped)
	})
	for left := true; err == nil && left; {
		err = w.store.InTx(ctx, "wipe", func(tx Tx) (err error) {
			left, err = tx.Wipe(w.task, wipeAtOnce)
			return err
		})
	}
	if err != nil {
		return err
	}
	if err := w.store.Erase(ctx); err != nil {
		return fmt.Errorf("erase what was deleted: %w", err)
	}
	if w.log == nil {
		return nil
	}
	err = w.log.Append(ctx, ledger.Entry{
		ID: fmt.Sprintf("wipe %v %s", w.role, w.task), Kind: "wipe",
		Data: map[string]string{"task_id": w.task.String(), "host": w.role.String()},
	})
	if err != nil {
		return fmt.Errorf("log wipe: %w", err)
	}
	return nil
}

func (w wiping) requireOver(phase Phase) error {
	day := time.Unix(w.charter.Wipe, 0)
	switch {
	case w.now().Before(day):
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
