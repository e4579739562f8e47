package aggregate

import (
	"context"
	"fmt"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// MaxSubmissions is how many submissions of one member a host takes in a cycle:
// enough for every correction, and a bound on what a member, or a stranger who
// uploads without a receipt, can make a host store.
const MaxSubmissions = 100

// SetAside makes one submission of a member count for nothing at this host, for
// good. It is how the hosts' people settle a difference of their lists when the
// member cannot: a delivery that reached one host only, or a receipt without
// its report. Where an earlier submission is complete at both hosts, that one
// counts again. It is refused once the host has fixed its list, and entered in
// the record.
func (h *host) SetAside(ctx context.Context, member coalition.MemberID, sequence uint64) error {
	var digest string
	err := h.Store.InTx(ctx, "set aside", func(tx Tx) error {
		phase, err := tx.Phase(h.Task.ID)
		if err != nil {
			return err
		}
		if phase != PhaseOpen {
			return errs.New(errs.Conflict, "the list of submissions is fixed; none can be set aside any more", "")
		}
		digest, err = tx.SetAside(h.Task.ID, member, sequence)
		return err
	})
	if err != nil {
		return err
	}
	return h.append(ctx, ledger.Entry{
		ID: fmt.Sprintf("set aside %v %s", h.role, digest), Kind: "submission set aside",
		Data: map[string]string{"task_id": h.Task.ID.String(), "host": h.role.String(), "receipt": digest},
	})
}

// withdraw opens the Leader's task again after the Helper refused its roster.
// The Helper has signed nothing, so the lists may still change: by a
// postponement that lets a member finish its delivery, or by SetAside.
func (l *Leader) withdraw(ctx context.Context) error {
	return l.Store.InTx(ctx, "withdraw roster", func(tx Tx) error { return tx.WithdrawRoster(l.Task.ID) })
}

// logDisagreement enters that the hosts' lists differ: the digests of both, and
// nobody's name.
func (h *Helper) logDisagreement(ctx context.Context, own, theirs coalition.SignedRoster) error {
	return h.append(ctx, ledger.Entry{
		ID: fmt.Sprintf("disagreement %s %s", theirs.Digest(), own.Digest()), Kind: "disagreement",
		Data: map[string]string{"task_id": h.Task.ID.String(), "leader": theirs.Digest(), "helper": own.Digest()},
	})
}

// checkBound refuses, after a receipt was stored, that a member has more than
// it may have; the transaction takes the receipt back. One that was stored
// before is no more than it was.
func (h *host) checkBound(tx Tx, member coalition.MemberID) error {
	n, err := tx.ReceiptCount(h.Task.ID, member)
	if err != nil || n <= MaxSubmissions {
		return err
	}
	return errs.New(errs.Conflict, fmt.Sprintf("%s has sent %d submissions this cycle, and no more are taken", member, MaxSubmissions),
		"the last one counts; ask the hosts")
}
