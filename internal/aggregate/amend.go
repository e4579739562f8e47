package aggregate

import (
	"bytes"
	"context"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// Amend strikes from the roster every submission that was not accepted, with
// the Helper's signature, and returns the roster with its amendments. It is
// called after [Leader.Aggregate] refused, by decision of the hosts; where
// everything was accepted it changes nothing. It may be interrupted and called
// again. Once a batch is collected no amendment is signed any more.
func (l *Leader) Amend(ctx context.Context) (coalition.FrozenRoster, error) {
	var roster coalition.FrozenRoster
	err := l.drive(ctx, func(l *Leader) (err error) {
		roster, err = l.amend(ctx)
		return err
	})
	return roster, err
}

func (l *Leader) amend(ctx context.Context) (coalition.FrozenRoster, error) {
	var frozen coalition.FrozenRoster
	var proposal coalition.SignedAmendment
	err := l.Store.InTx(ctx, "propose amendment", func(tx Tx) error {
		var roster coalition.Roster
		var err error
		if frozen, roster, err = l.frozen(tx); err != nil {
			return err
		}
		struck, err := l.notAccepted(tx, roster)
		if err != nil || len(struck) == 0 {
			proposal = coalition.SignedAmendment{}
			return err
		}
		if proposal.Body, err = keys.Canonical(coalition.NewAmendment(l.Task.ID, frozen.Roster, frozen.Amendments, struck)); err != nil {
			return err
		}
		proposal.Signature, err = keys.Sign(keys.KindAmendment, proposal.Body, l.Signer)
		return err
	})
	if err != nil {
		return coalition.FrozenRoster{}, err
	}
	if proposal.Body != nil {
		if frozen, err = l.settleAmendment(ctx, frozen, proposal); err != nil {
			return coalition.FrozenRoster{}, err
		}
	}
	return frozen, l.logAmendments(ctx, frozen)
}

// NotAccepted returns what [Leader.Amend] would strike, and how many submissions
// would be left. It changes nothing, and refuses while some are not settled.
func (l *Leader) NotAccepted(ctx context.Context) (struck []coalition.Strike, left int, err error) {
	err = l.Store.InTx(ctx, "read what was not accepted", func(tx Tx) error {
		_, roster, err := l.frozen(tx)
		if err != nil {
			return err
		}
		struck, err = l.notAccepted(tx, roster)
		left = len(roster.Entries) - len(struck)
		return err
	})
	return struck, left, err
}

// notAccepted lists the submissions on the roster that were settled as
// rejected. It refuses while some are not settled.
func (l *Leader) notAccepted(tx Tx, roster coalition.Roster) ([]coalition.Strike, error) {
	settled, err := tx.Settled(l.Task.ID)
	if err != nil {
		return nil, err
	}
	var struck []coalition.Strike
	for _, e := range roster.Entries {
		id, err := dap.ParseReportID(e.Report)
		if err != nil {
			return nil, err
		}
		outcome, ok := settled[id]
		if !ok {
			return nil, errs.New(errs.Conflict, fmt.Sprintf("the submission of %s is not yet verified", e.Member), "amend when all are")
		}
		if !outcome.Accepted {
			struck = append(struck, coalition.Strike{Member: e.Member, Report: e.Report, Reason: outcome.Error.String()})
		}
	}
	return struck, nil
}

// settleAmendment obtains the Helper's signature and stores the amendment.
func (l *Leader) settleAmendment(ctx context.Context, frozen coalition.FrozenRoster, proposal coalition.SignedAmendment) (coalition.FrozenRoster, error) {
	signed, err := l.peer.CosignAmendment(ctx, proposal)
	if err != nil {
		return frozen, fmt.Errorf("the Helper: %w", err)
	}
	if !bytes.Equal(signed.Body, proposal.Body) {
		return frozen, errs.New(errs.Conflict, "the Helper signed another amendment than the one proposed", "nothing was opened")
	}
	if err := keys.Verify(keys.KindAmendment, signed.Body, signed.Signature, l.Task.Leader, l.Task.Helper); err != nil {
		return frozen, err
	}
	frozen.Amendments = append(frozen.Amendments, signed)
	return frozen, l.Store.InTx(ctx, "store amendment", func(tx Tx) error {
		return tx.PutAmendment(l.Task.ID, len(frozen.Amendments), signed)
	})
}

// CosignAmendment checks that this host, too, has not accepted what the Leader
// wants struck, and signs. An output share that was added up cannot be taken
// out again, and a host whose aggregate share has left signs nothing more: the
// difference of two totals would be somebody's answers.
func (h *Helper) CosignAmendment(ctx context.Context, proposal coalition.SignedAmendment) (coalition.SignedAmendment, error) {
	if err := keys.Verify(keys.KindAmendment, proposal.Body, proposal.Signature, h.Task.Leader); err != nil {
		return coalition.SignedAmendment{}, err
	}
	var signed coalition.SignedAmendment
	var frozen coalition.FrozenRoster
	err := h.Store.InTx(ctx, "cosign amendment", func(tx Tx) error {
		var roster coalition.Roster
		var err error
		if frozen, roster, err = h.frozen(tx); err != nil {
			return err
		}
		for _, known := range frozen.Amendments {
			if bytes.Equal(known.Body, proposal.Body) {
				signed = known
				return nil
			}
		}
		_, collected, err := tx.Collection(h.Task.ID)
		if err != nil {
			return err
		}
		if collected {
			return errs.New(errs.Conflict, "the batch was collected; no amendment is signed any more", "a batch is collected once: the difference of two would be one member's answers")
		}
		a, err := coalition.ParseAmendment(proposal.Body, h.Task.ID, frozen.Roster, frozen.Amendments)
		if err != nil {
			return err
		}
		left, err := roster.Amend(a)
		if err != nil {
			return err
		}
		if err := h.checkAmended(tx, left); err != nil {
			return err
		}
		if err := h.strike(tx, a); err != nil {
			return err
		}
		signed.Body = proposal.Body
		if signed.Signature, err = keys.Cosign(keys.KindAmendment, proposal.Body, proposal.Signature, h.Signer); err != nil {
			return err
		}
		frozen.Amendments = append(frozen.Amendments, signed)
		return tx.PutAmendment(h.Task.ID, a.Number, signed)
	})
	if err != nil {
		return coalition.SignedAmendment{}, err
	}
	return signed, h.logAmendments(ctx, frozen)
}

// checkAmended wants everything that stays on the roster added up, and enough
// of it: before that, what failed is not known, and a Leader that strikes down
// to a few would learn their answers together with the coordinator.
func (h *Helper) checkAmended(tx Tx, left coalition.Roster) error {
	if err := h.checkOutcomes(tx, left); err != nil {
		return err
	}
	return h.checkCount(uint64(len(left.Entries)), len(left.Entries))
}

// strike settles what is struck, so that it can never be accepted later. A
// submission that this host has accepted cannot be struck.
func (h *Helper) strike(tx Tx, a coalition.Amendment) error {
	settled, err := tx.Settled(h.Task.ID)
	if err != nil {
		return err
	}
	var dropped []Settlement
	for _, s := range a.Struck {
		id, err := dap.ParseReportID(s.Report)
		if err != nil {
			return err
		}
		outcome, ok := settled[id]
		if ok && outcome.Accepted {
			return errs.New(errs.Conflict, fmt.Sprintf("this host has added up the submission of %s and cannot strike it", s.Member),
				"the hosts disagree about it; this cycle's totals cannot be opened")
		}
		if !ok {
			dropped = append(dropped, Settlement{Report: id, Outcome: Outcome{Error: dap.ReportDropped}})
		}
	}
	_, err = tx.Settle(h.Task.ID, dropped)
	return err
}

// logAmendments enters the digest of every amendment and how many submissions
// it strikes, and nobody's name.
func (h *host) logAmendments(ctx context.Context, f coalition.FrozenRoster) error {
	for i, signed := range f.Amendments {
		a, err := coalition.ParseAmendment(signed.Body, h.Task.ID, f.Roster, f.Amendments[:i])
		if err != nil {
			return err
		}
		err = h.append(ctx, ledger.Entry{
			ID: fmt.Sprintf("amendment %d %s", a.Number, h.Task.ID), Kind: "amendment",
			Data: map[string]string{
				"task_id": h.Task.ID.String(), "roster": a.Roster, "amendment": signed.Digest(), "struck": fmt.Sprint(len(a.Struck)),
			},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
