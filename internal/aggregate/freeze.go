package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// Freeze fixes the roster after the deadline: the Leader lists what it holds,
// the Helper compares with its own list, and both sign. It may be interrupted
// and called again. If the lists differ it returns an error of kind Conflict
// that names the members, and the record says that they differ; nothing is
// opened, and nothing is guessed. The task is open again then, for a
// postponement or [Leader.SetAside].
func (l *Leader) Freeze(ctx context.Context) (coalition.SignedRoster, error) {
	var roster coalition.SignedRoster
	err := l.drive(ctx, func(l *Leader) (err error) {
		roster, err = l.freeze(ctx)
		return err
	})
	return roster, err
}

func (l *Leader) freeze(ctx context.Context) (coalition.SignedRoster, error) {
	var proposal coalition.SignedRoster
	var phase Phase
	err := l.Store.InTx(ctx, "propose roster", func(tx Tx) (err error) {
		if phase, err = tx.Phase(l.Task.ID); err != nil {
			return err
		}
		if phase != PhaseOpen {
			proposal, _, err = tx.Roster(l.Task.ID)
			return err
		}
		if proposal, _, err = l.propose(tx, l.leaderHolds); err != nil {
			return err
		}
		return tx.Advance(l.Task.ID, PhaseOpen, PhaseClosing)
	})
	if err != nil {
		return coalition.SignedRoster{}, err
	}
	if phase == PhaseOpen || phase == PhaseClosing {
		if proposal, err = l.settleRoster(ctx, proposal); err != nil {
			return coalition.SignedRoster{}, err
		}
	}
	return proposal, l.logRoster(ctx, proposal)
}

// settleRoster obtains the Helper's signature and freezes the task.
func (l *Leader) settleRoster(ctx context.Context, proposal coalition.SignedRoster) (coalition.SignedRoster, error) {
	signed, err := l.peer.CosignRoster(ctx, proposal)
	if errs.KindOf(err) == errs.Conflict {
		return coalition.SignedRoster{}, errors.Join(fmt.Errorf("the Helper: %w", err), l.withdraw(ctx))
	}
	if err != nil {
		return coalition.SignedRoster{}, fmt.Errorf("the Helper: %w", err)
	}
	if !bytes.Equal(signed.Body, proposal.Body) {
		return coalition.SignedRoster{}, errs.New(errs.Conflict, "the Helper signed another roster than the one proposed", "nothing was opened; compare the two lists")
	}
	if _, err := signed.Open(l.Task.ID, l.Task.Leader, l.Task.Helper); err != nil {
		return coalition.SignedRoster{}, err
	}
	return signed, l.Store.InTx(ctx, "freeze roster", func(tx Tx) error {
		if err := tx.PutRoster(l.Task.ID, signed); err != nil {
			return err
		}
		return tx.Advance(l.Task.ID, PhaseClosing, PhaseFrozen)
	})
}

// CosignRoster compares the Leader's roster with the Helper's own receipts and
// signs it if they agree. After that the Helper takes no receipt any more.
func (h *Helper) CosignRoster(ctx context.Context, proposal coalition.SignedRoster) (coalition.SignedRoster, error) {
	theirs, err := coalition.ParseRoster(proposal.Body, h.Task.ID)
	if err != nil {
		return coalition.SignedRoster{}, err
	}
	if err := keys.Verify(keys.KindRoster, proposal.Body, proposal.Signature, h.Task.Leader); err != nil {
		return coalition.SignedRoster{}, err
	}
	var signed, differing coalition.SignedRoster
	var receipts []StoredReceipt
	err = h.Store.InTx(ctx, "cosign roster", func(tx Tx) error {
		differing = coalition.SignedRoster{}
		phase, err := tx.Phase(h.Task.ID)
		if err != nil {
			return err
		}
		if phase != PhaseOpen {
			signed, _, err = tx.Roster(h.Task.ID)
			if err == nil && !bytes.Equal(signed.Body, proposal.Body) {
				return errs.New(errs.Conflict, "this host has signed another roster", "a roster never changes once both have signed")
			}
			return err
		}
		var own coalition.SignedRoster
		if own, receipts, err = h.propose(tx, holdsEverything); err != nil {
			return err
		}
		if !bytes.Equal(own.Body, proposal.Body) {
			differing = own
			return h.differ(own, theirs)
		}
		signed.Body = proposal.Body
		if signed.Signature, err = keys.Cosign(keys.KindRoster, proposal.Body, proposal.Signature, h.Signer); err != nil {
			return err
		}
		if err := tx.PutRoster(h.Task.ID, signed); err != nil {
			return err
		}
		return tx.Advance(h.Task.ID, PhaseOpen, PhaseFrozen)
	})
	if differing.Body != nil {
		return coalition.SignedRoster{}, errors.Join(err, h.logDisagreement(ctx, differing, proposal))
	}
	if err != nil {
		return coalition.SignedRoster{}, err
	}
	if err := h.logRoster(ctx, signed); err != nil {
		return coalition.SignedRoster{}, err
	}
	h.last.expect(receipts)
	return signed, nil
}

func (h *Helper) differ(own coalition.SignedRoster, theirs coalition.Roster) error {
	ours, err := coalition.ParseRoster(own.Body, h.Task.ID)
	if err != nil {
		return err
	}
	return errs.New(errs.Conflict, "the hosts' lists differ: "+coalition.DiffRosters(theirs, ours, "the Leader", "the Helper")+"; nothing was opened",
		"a submission counts when both hosts have acknowledged its receipt: postpone, so that the member can deliver it again, or set it aside at the host that holds it")
}

// propose builds and signs this host's roster: for each member its last
// submission that the host holds. It refuses before the deadline, and returns
// the receipts that it has read, too.
func (h *host) propose(tx Tx, holds func(Tx, []StoredReceipt) (map[dap.ReportID]bool, error)) (coalition.SignedRoster, []StoredReceipt, error) {
	deadline, err := h.deadline(tx)
	if err != nil {
		return coalition.SignedRoster{}, nil, err
	}
	if h.Now().Before(deadline) {
		return coalition.SignedRoster{}, nil, errs.New(errs.Conflict, "the roster is frozen after the deadline, "+deadline.UTC().Format("2006-01-02 15:04 UTC"), "")
	}
	receipts, err := tx.LastReceipts(h.Task.ID)
	if err != nil {
		return coalition.SignedRoster{}, nil, err
	}
	held, err := holds(tx, receipts)
	if err != nil {
		return coalition.SignedRoster{}, nil, err
	}
	var entries []coalition.RosterEntry
	for _, r := range receipts {
		if !held[r.Receipt.ReportID()] {
			continue
		}
		entries = append(entries, coalition.RosterEntry{
			Member: r.Receipt.Member, Report: r.Receipt.Report, Sequence: r.Receipt.Sequence, Receipt: r.Signed.Digest(),
		})
	}
	body, err := keys.Canonical(coalition.NewRoster(h.Task.ID, entries))
	if err != nil {
		return coalition.SignedRoster{}, nil, err
	}
	sig, err := keys.Sign(keys.KindRoster, body, h.Signer)
	if err != nil {
		return coalition.SignedRoster{}, nil, err
	}
	signed := coalition.SignedRoster{Body: body, Signature: sig}
	if h.role == dap.RoleHelper {
		return signed, receipts, nil // stored once it agrees with the Leader's
	}
	return signed, nil, tx.PutRoster(h.Task.ID, signed)
}

// leaderHolds says which receipts' reports the Leader has, byte for byte.
func (l *Leader) leaderHolds(tx Tx, receipts []StoredReceipt) (map[dap.ReportID]bool, error) {
	held := make(map[dap.ReportID]bool, len(receipts))
	for some := range slices.Chunk(receipts, dap.MaxJobReports) {
		ids := make([]dap.ReportID, len(some))
		for i, r := range some {
			ids[i] = r.Receipt.ReportID()
		}
		bodies, err := tx.Reports(l.Task.ID, ids)
		if err != nil {
			return nil, err
		}
		for i, r := range some {
			body, ok := bodies[ids[i]]
			if !ok {
				continue
			}
			report, err := dap.Decode[dap.Report](l.Task.Variant, body)
			if err != nil {
				return nil, err
			}
			digest, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
			if err != nil {
				return nil, err
			}
			held[ids[i]] = ledger.Hex(digest) == r.Receipt.Leader
		}
	}
	return held, nil
}

// holdsEverything: the Helper sees its parts only when the Leader sends them.
func holdsEverything(_ Tx, receipts []StoredReceipt) (map[dap.ReportID]bool, error) {
	held := make(map[dap.ReportID]bool, len(receipts))
	for _, r := range receipts {
		held[r.Receipt.ReportID()] = true
	}
	return held, nil
}

// frozen returns the roster that both hosts signed with its amendments, and
// what is left on it. It refuses as long as the task is not frozen. The caller
// changes neither.
func (h *host) frozen(tx Tx) (coalition.FrozenRoster, coalition.Roster, error) {
	opened, err := h.openRoster(tx)
	if err != nil {
		return coalition.FrozenRoster{}, coalition.Roster{}, err
	}
	return opened.frozen, opened.roster, nil
}

// openedRoster is a roster whose signatures were checked. Its fields do not change.
type openedRoster struct {
	frozen  coalition.FrozenRoster
	roster  coalition.Roster
	digests map[dap.ReportID]string // at the Helper, see there; guarded by the mutex of lastRoster
}

// lastRoster is the roster that was opened last. A frozen roster never changes,
// so that with the same amendments it need not be read again, which for many
// members is most of the work of a short transaction.
type lastRoster struct {
	mu     sync.Mutex
	opened *openedRoster
}

// remember keeps a roster that was opened when it was frozen.
func (l *lastRoster) remember(r coalition.SignedRoster, opened coalition.Roster) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		l.opened = &openedRoster{frozen: coalition.FrozenRoster{Roster: r}, roster: opened}
	}
}

// expect keeps what the receipts on the roster say of the Helper's parts.
func (l *lastRoster) expect(receipts []StoredReceipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened != nil && l.opened.digests == nil && receipts != nil {
		l.opened.digests = l.opened.helperParts(receipts)
	}
}

// helperParts returns the digest of the Helper's part of every report on the
// roster, as the member's receipt has it.
func (o *openedRoster) helperParts(receipts []StoredReceipt) map[dap.ReportID]string {
	listed := o.roster.ByReport()
	digests := make(map[dap.ReportID]string, len(listed))
	for _, r := range receipts {
		if e, ok := listed[r.Receipt.Report]; ok && e.Receipt == r.Signed.Digest() {
			digests[r.Receipt.ReportID()] = r.Receipt.Helper
		}
	}
	return digests
}

func (h *host) openRoster(tx Tx) (*openedRoster, error) {
	phase, err := tx.Phase(h.Task.ID)
	if err != nil {
		return nil, err
	}
	if phase == PhaseWiped {
		return nil, h.wiped()
	}
	if phase != PhaseFrozen && phase != PhaseCollected {
		return nil, h.notFrozen()
	}
	amendments, err := tx.Amendments(h.Task.ID)
	if err != nil {
		return nil, err
	}
	h.last.mu.Lock()
	defer h.last.mu.Unlock()
	if o := h.last.opened; o != nil && slices.EqualFunc(o.frozen.Amendments, amendments, sameAmendment) {
		return o, nil
	}
	o := &openedRoster{frozen: coalition.FrozenRoster{Amendments: slices.Clip(amendments)}}
	var ok bool
	if o.frozen.Roster, ok, err = tx.Roster(h.Task.ID); err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("aggregate: a frozen task has no roster")
	}
	if o.roster, err = o.frozen.Open(h.Task.ID, h.Task.Leader, h.Task.Helper); err != nil {
		return nil, err
	}
	h.last.opened = o
	return o, nil
}

func sameAmendment(a, b coalition.SignedAmendment) bool {
	return bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Signature, b.Signature)
}

// checkOutcomes refuses unless every report on the roster was accepted: with
// kind Unavailable while some are not yet verified, with kind Conflict, naming
// members, where one was not accepted.
func (h *host) checkOutcomes(tx Tx, roster coalition.Roster) error {
	settled, err := tx.Settled(h.Task.ID)
	if err != nil {
		return err
	}
	open := 0
	var refused []string
	for _, e := range roster.Entries {
		id, err := dap.ParseReportID(e.Report)
		if err != nil {
			return err
		}
		if outcome, ok := settled[id]; !ok {
			open++
		} else if !outcome.Accepted {
			refused = append(refused, fmt.Sprintf("%s (%v)", e.Member, outcome.Error))
		}
	}
	if len(refused) > 0 {
		return errs.New(errs.Conflict, "not accepted: "+strings.Join(refused, ", ")+"; nothing was opened",
			"the hosts strike them from the roster by an amendment that both sign, or nothing is opened")
	}
	if open > 0 {
		return errs.New(errs.Unavailable, fmt.Sprintf("%d of %d submissions are not yet verified; nothing was opened", open, len(roster.Entries)),
			"the Leader is still adding up, or goes on with muster host freeze: ask again later")
	}
	return nil
}

// logRoster enters the roster's digest and size, and nobody's name; before it the
// postponements that led to it, if the host died between taking and entering one.
func (h *host) logRoster(ctx context.Context, r coalition.SignedRoster) error {
	roster, err := r.Open(h.Task.ID, h.Task.Leader, h.Task.Helper)
	if err != nil {
		return err
	}
	if err := h.logAddenda(ctx); err != nil {
		return err
	}
	h.last.remember(r, roster)
	return h.append(ctx, ledger.Entry{
		ID: "roster " + h.Task.ID.String(), Kind: "roster",
		Data: map[string]string{
			"task_id": h.Task.ID.String(), "roster": r.Digest(), "submissions": fmt.Sprint(len(roster.Entries)),
		},
	})
}
