package aggregate

import (
	"cmp"
	"context"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// PutReceipt takes a member's receipt, see [host.Acknowledge].
func (h *host) PutReceipt(ctx context.Context, signed coalition.SignedReceipt) error {
	_, err := h.Acknowledge(ctx, signed)
	return err
}

// Acknowledge takes a member's receipt. It is acknowledged when there is no
// error; the submission counts when both hosts have acknowledged it, and as long
// as it is the member's last. A receipt that this host holds is acknowledged
// again whenever it comes, by the same signed bytes: whoever lost the answer at the
// deadline must not believe that it was late.
func (h *host) Acknowledge(ctx context.Context, signed coalition.SignedReceipt) (coalition.Acknowledgement, error) {
	receipt, err := signed.Open(h.Task.ID, func(id coalition.MemberID) (keys.Public, bool) {
		key, ok := h.Task.members[id]
		return key, ok
	})
	if err != nil {
		return coalition.Acknowledgement{}, err
	}
	last := uint64(0)
	err = h.Store.InTx(ctx, "put receipt", func(tx Tx) error {
		stored := StoredReceipt{Receipt: receipt, Signed: signed}
		if closed := h.requireOpen(tx); closed != nil {
			if errs.KindOf(closed) != errs.Conflict {
				return closed
			}
			if known, err := tx.HasReceipt(h.Task.ID, stored); err != nil || !known {
				return cmp.Or(err, closed)
			}
		} else {
			if err := tx.PutReceipt(h.Task.ID, stored); err != nil {
				return err
			}
			if err := h.checkBound(tx, receipt.Member); err != nil {
				return err
			}
		}
		var err error
		last, err = tx.LastSequence(h.Task.ID, receipt.Member)
		return err
	})
	if err != nil {
		return coalition.Acknowledgement{}, err
	}
	return receipt.Acknowledge(signed.Digest(), last, h.role, h.Signer)
}

// requireOpen refuses what comes after the deadline or after the host fixed its list.
func (h *host) requireOpen(tx Tx) error {
	phase, err := tx.Phase(h.Task.ID)
	if err != nil {
		return err
	}
	deadline, err := h.deadline(tx)
	if err != nil {
		return err
	}
	if phase != PhaseOpen || !h.Now().Before(deadline) {
		return errs.New(errs.Conflict, "submissions closed at "+deadline.UTC().Format(time.RFC3339), "nothing is taken after the deadline; ask the coordinator about a postponement")
	}
	return nil
}
