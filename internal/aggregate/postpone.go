package aggregate

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// Postpone takes an addendum that moves the deadline. It is refused once the
// host has fixed its list of submissions. The same addendum again is no error.
// Both hosts need it: the one that lacks it would freeze too early, and the
// other would refuse its roster.
func (h *host) Postpone(ctx context.Context, signed coalition.SignedAddendum) error {
	var number int
	err := h.Store.InTx(ctx, "postpone", func(tx Tx) error {
		addenda, err := tx.Addenda(h.Task.ID)
		if err != nil {
			return err
		}
		for i, known := range addenda {
			if bytes.Equal(known.Body, signed.Body) {
				number = i + 1
				return nil
			}
		}
		number = len(addenda) + 1
		if _, err := h.Task.charter.DeadlineAfter(append(addenda, signed)); err != nil {
			return err
		}
		phase, err := tx.Phase(h.Task.ID)
		if err != nil {
			return err
		}
		if phase != PhaseOpen {
			return errs.New(errs.Conflict, "the list of submissions is fixed; the deadline cannot be moved any more", "")
		}
		return tx.PutAddendum(h.Task.ID, number, signed)
	})
	if err != nil {
		return err
	}
	return h.logAddendum(ctx, number, signed)
}

func (h *host) logAddendum(ctx context.Context, number int, signed coalition.SignedAddendum) error {
	return h.append(ctx, ledger.Entry{
		ID: fmt.Sprintf("addendum %d %s", number, h.Task.ID), Kind: "addendum",
		Data: map[string]string{"task_id": h.Task.ID.String(), "addendum": signed.Digest()},
	})
}

// logAddenda enters all addenda that the host has taken. An entry that is there
// stays as it is.
func (h *host) logAddenda(ctx context.Context) error {
	var addenda []coalition.SignedAddendum
	err := h.Store.InTx(ctx, "addenda to enter", func(tx Tx) (err error) {
		addenda, err = tx.Addenda(h.Task.ID)
		return err
	})
	for i := 0; err == nil && i < len(addenda); i++ {
		err = h.logAddendum(ctx, i+1, addenda[i])
	}
	return err
}

// deadline returns the deadline that is in force.
func (h *host) deadline(tx Tx) (time.Time, error) {
	addenda, err := tx.Addenda(h.Task.ID)
	if err != nil {
		return time.Time{}, err
	}
	return h.Task.charter.DeadlineAfter(addenda)
}
