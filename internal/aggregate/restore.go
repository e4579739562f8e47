package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// This file is about a host whose database was restored from a backup, and has
// forgotten what came after it. What it had signed others have; what it had
// given, others may have.
//
// A Leader that has forgotten can do no harm: the Helper keeps the roster, every
// answer and the one collection. A Helper that has forgotten that it gave its
// sum could give another, and the difference would be somebody's answers. It
// cannot know by itself; so it asks the Leader, and its people ask the
// coordinator. Where either says that the sum has left, the task is locked.

// Other is the other host as one that was restored reaches it. It is not
// trusted: what it hands over carries signatures, its own word alone only locks.
type Other interface {
	Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error)
	Addenda(ctx context.Context, task dap.TaskID) ([]coalition.SignedAddendum, error)
	FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error)
	// Receipt returns the receipt for a report.
	Receipt(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error)
}

// Reconciled says what a host took over from the other.
type Reconciled struct {
	Addenda    int  // that postponed the deadline
	Roster     bool // the roster, that both had signed
	Receipts   int  // of submissions on it
	Amendments int
	Locked     bool // the sum has left: the task gives none and signs nothing any more
}

// lockedRequest stands in place of the request to which a host that was restored
// may have given its sum. No request is equal to it.
const lockedRequest = "locked: this host was restored from a backup, and its sum had left"

// Standing says how far this host is.
func (h *host) Standing(ctx context.Context, task dap.TaskID) (coalition.Standing, error) {
	var s coalition.Standing
	err := h.read(ctx, task, "read standing", func(tx Tx) error {
		phase, err := tx.Phase(task)
		if err != nil {
			return err
		}
		s = coalition.Standing{Phase: string(phase), Collection: string(NotCollected)}
		c, ok, err := tx.Collection(task)
		switch {
		case err != nil:
			return err
		case ok && c.Response != nil:
			s.Collection = string(Answered)
		case ok:
			s.Collection = string(Asked)
		}
		if phase == PhaseOpen || phase == PhaseClosing {
			return nil
		}
		roster, ok, err := tx.Roster(task)
		if ok {
			s.Roster = roster.Digest()
		}
		return err
	})
	return s, err
}

// Addenda returns the addenda that this host has taken, in order.
func (h *host) Addenda(ctx context.Context, task dap.TaskID) (list []coalition.SignedAddendum, err error) {
	err = h.read(ctx, task, "read addenda", func(tx Tx) error {
		list, err = tx.Addenda(task)
		return err
	})
	return list, err
}

// ReceiptOf returns the receipt for a report.
func (h *host) ReceiptOf(ctx context.Context, task dap.TaskID, report dap.ReportID) (coalition.SignedReceipt, error) {
	var r StoredReceipt
	err := h.read(ctx, task, "read receipt", func(tx Tx) error {
		var ok bool
		var err error
		if r, ok, err = tx.Receipt(task, report); err == nil && !ok {
			return errs.New(errs.NotFound, "this host has no receipt for that submission", "")
		}
		return err
	})
	return r.Signed, err
}

// Reconcile brings a Leader that was restored from a backup up to what the
// Helper has of both hosts' signatures. It refuses where that cannot be: where
// this host does not hold what is on the roster. It may be called again.
// Amendments it leaves alone: it asks for them again, and gets the same.
func (l *Leader) Reconcile(ctx context.Context, other Other) (Reconciled, error) {
	standing, err := other.Standing(ctx, l.Task.ID)
	if err != nil {
		return Reconciled{}, fmt.Errorf("the Helper: %w", err)
	}
	done, _, err := l.reconcile(ctx, other, standing, l.leaderHolds)
	return done, err
}

// Reconcile brings a Helper that was restored from a backup up to what the
// Leader has of both hosts' signatures, and locks the task if the Leader has
// this host's sum.
func (h *Helper) Reconcile(ctx context.Context, other Other) (Reconciled, error) {
	standing, err := other.Standing(ctx, h.Task.ID)
	if err != nil {
		return Reconciled{}, fmt.Errorf("the Leader: %w", err)
	}
	if standing.Phase == string(PhaseWiped) {
		locked, err := h.Lock(ctx)
		return Reconciled{Locked: locked}, err
	}
	done, theirs, err := h.reconcile(ctx, other, standing, holdsEverything)
	if err != nil || standing.Roster == "" {
		return done, err
	}
	if done.Amendments, err = h.adoptAmendments(ctx, theirs); err != nil {
		return done, err
	}
	if standing.Collection == string(Answered) {
		done.Locked, err = h.Lock(ctx)
	}
	return done, err
}

// Lock sees to it that this host gives no sum and signs no amendment any more,
// unless the sum is known and the same bytes go to whoever asks again. It
// returns whether it had to.
func (h *host) Lock(ctx context.Context) (locked bool, err error) {
	err = h.Store.InTx(ctx, "lock", func(tx Tx) error {
		locked = false
		phase, err := tx.Phase(h.Task.ID)
		if err != nil {
			return err
		}
		_, known, err := tx.Collection(h.Task.ID)
		if err != nil || known || phase == PhaseWiped {
			return err
		}
		locked = true
		if err := tx.PutCollection(h.Task.ID, Collection{Request: []byte(lockedRequest)}); err != nil {
			return err
		}
		return tx.Advance(h.Task.ID, phase, PhaseCollected)
	})
	return locked, err
}

// reconcile takes over the postponements that the other host has, and the roster,
// with the receipts that belong to it, if it has one.
func (h *host) reconcile(ctx context.Context, other Other, standing coalition.Standing, holds func(Tx, []StoredReceipt) (map[dap.ReportID]bool, error)) (done Reconciled, theirs coalition.FrozenRoster, err error) {
	addenda, err := other.Addenda(ctx, h.Task.ID)
	if err != nil {
		return done, theirs, fmt.Errorf("the other host's postponements: %w", err)
	}
	if done.Addenda, err = h.adoptAddenda(ctx, addenda); err != nil || standing.Roster == "" {
		return done, theirs, err // without a roster the other has signed nothing else that this host could have forgotten
	}
	if theirs, err = other.FrozenRoster(ctx, h.Task.ID); err != nil {
		return done, theirs, fmt.Errorf("the other host's roster: %w", err)
	}
	if _, err := theirs.Open(h.Task.ID, h.Task.Leader, h.Task.Helper); err != nil {
		return done, theirs, err
	}
	roster, err := coalition.ParseRoster(theirs.Roster.Body, h.Task.ID)
	if err != nil {
		return done, theirs, err
	}
	if done.Receipts, err = h.fetchReceipts(ctx, other, roster); err != nil {
		return done, theirs, err
	}
	done.Roster, err = h.adoptRoster(ctx, theirs.Roster, roster, holds)
	return done, theirs, err
}

// adoptAddenda takes over the postponements that came after the backup: all three
// have signed them, so whoever hands them over need not be believed. Without them
// a Helper would refuse members until the new deadline, and a Leader would close
// too early.
func (h *host) adoptAddenda(ctx context.Context, theirs []coalition.SignedAddendum) (adopted int, err error) {
	var own []coalition.SignedAddendum
	err = h.Store.InTx(ctx, "restore addenda", func(tx Tx) error {
		adopted = 0
		phase, err := tx.Phase(h.Task.ID)
		if err != nil {
			return err
		}
		if own, err = tx.Addenda(h.Task.ID); err != nil {
			return err
		}
		for i := range min(len(own), len(theirs)) {
			if !bytes.Equal(own[i].Body, theirs[i].Body) {
				return errs.New(errs.Conflict, fmt.Sprintf("the other host has another postponement %d than this backup, with the digest %s", i+1, theirs[i].Digest()),
					"ask the coordinator and its engineer which of them counts; nothing was changed here")
			}
		}
		if len(theirs) <= len(own) || phase != PhaseOpen && phase != PhaseClosing {
			return nil // a list that is fixed has no deadline to come
		}
		if _, err := h.Task.charter.DeadlineAfter(theirs); err != nil {
			return fmt.Errorf("the other host's postponements: %w", err)
		}
		if phase == PhaseClosing { // it was proposed and refused, else the other host could not have postponed
			if err := tx.WithdrawRoster(h.Task.ID); err != nil {
				return err
			}
		}
		for i := len(own); i < len(theirs); i++ {
			if err := tx.PutAddendum(h.Task.ID, i+1, theirs[i]); err != nil {
				return err
			}
			adopted++
		}
		return nil
	})
	if err == nil { // also those that a call before had no time to enter
		err = h.logAddenda(ctx)
	}
	return adopted, err
}

// fetchReceipts takes over the receipts of a roster that this host does not
// have. Their members signed them, and this host had, too, signed their digests.
func (h *host) fetchReceipts(ctx context.Context, other Other, roster coalition.Roster) (fetched int, err error) {
	for _, e := range roster.Entries {
		id, err := dap.ParseReportID(e.Report)
		if err != nil {
			return fetched, err
		}
		if _, err = h.ReceiptOf(ctx, h.Task.ID, id); err == nil {
			continue
		}
		if errs.KindOf(err) != errs.NotFound {
			return fetched, err
		}
		if phase, err := h.Phase(ctx); err != nil || phase == PhaseWiped {
			return fetched, err // a wiped host has none, and needs none
		}
		signed, err := other.Receipt(ctx, h.Task.ID, id)
		if err != nil {
			return fetched, fmt.Errorf("the receipt of %s: %w", e.Member, err)
		}
		receipt, err := signed.Open(h.Task.ID, func(id coalition.MemberID) (keys.Public, bool) {
			key, ok := h.Task.members[id]
			return key, ok
		})
		if err != nil {
			return fetched, err
		}
		if signed.Digest() != e.Receipt || receipt.Report != e.Report {
			return fetched, errs.New(errs.Conflict, fmt.Sprintf("the other host has another receipt of %s than the roster lists", e.Member), "ask its engineer; nothing was changed here")
		}
		err = h.Store.InTx(ctx, "restore receipt", func(tx Tx) error {
			return tx.PutReceipt(h.Task.ID, StoredReceipt{Receipt: receipt, Signed: signed})
		})
		if err != nil {
			return fetched, err
		}
		fetched++
	}
	return fetched, nil
}

// adoptRoster takes over the roster that this host has signed and forgotten.
func (h *host) adoptRoster(ctx context.Context, signed coalition.SignedRoster, roster coalition.Roster, holds func(Tx, []StoredReceipt) (map[dap.ReportID]bool, error)) (adopted bool, err error) {
	err = h.Store.InTx(ctx, "restore roster", func(tx Tx) error {
		adopted = false
		phase, err := tx.Phase(h.Task.ID)
		if err != nil || phase == PhaseWiped {
			return err
		}
		own, ok, err := tx.Roster(h.Task.ID)
		if err != nil {
			return err
		}
		if ok && phase != PhaseClosing {
			if !bytes.Equal(own.Body, signed.Body) {
				return errs.New(errs.Conflict, "the other host has another roster than this backup, and both hosts signed both", "this cycle's totals cannot be opened; ask its engineer")
			}
			return nil
		}
		if err := h.checkHeld(tx, roster, holds); err != nil {
			return err
		}
		if phase == PhaseClosing {
			if err := tx.WithdrawRoster(h.Task.ID); err != nil {
				return err
			}
			phase = PhaseOpen
		}
		adopted = true
		if err := tx.PutRoster(h.Task.ID, signed); err != nil {
			return err
		}
		return tx.Advance(h.Task.ID, phase, PhaseFrozen)
	})
	return adopted, err
}

// checkHeld refuses, naming members, unless this host holds every submission on
// the roster. What it holds of a member besides, and newer, was set aside.
func (h *host) checkHeld(tx Tx, roster coalition.Roster, holds func(Tx, []StoredReceipt) (map[dap.ReportID]bool, error)) error {
	listed := make(map[coalition.MemberID]uint64, len(roster.Entries))
	for _, e := range roster.Entries {
		listed[e.Member] = e.Sequence
	}
	for {
		last, err := tx.LastReceipts(h.Task.ID)
		if err != nil {
			return err
		}
		newer := false
		for _, r := range last {
			if sequence, ok := listed[r.Receipt.Member]; ok && r.Receipt.Sequence > sequence {
				newer = true
				if _, err := tx.SetAside(h.Task.ID, r.Receipt.Member, r.Receipt.Sequence); err != nil {
					return err
				}
			}
		}
		if newer {
			continue
		}
		held, err := holds(tx, last)
		if err != nil {
			return err
		}
		var missing []string
		for _, e := range roster.Entries {
			if id, err := dap.ParseReportID(e.Report); err != nil || !held[id] {
				missing = append(missing, string(e.Member))
			}
		}
		if len(missing) > 0 {
			return errs.New(errs.Conflict, "this backup does not have the submissions of "+strings.Join(missing, ", ")+", which are on the roster that both hosts signed",
				"restore a later backup; without one this cycle's totals cannot be opened, and the coordinator may propose a new charter")
		}
		return nil
	}
}

// adoptAmendments takes over the amendments that this host has signed and
// forgotten.
func (h *Helper) adoptAmendments(ctx context.Context, theirs coalition.FrozenRoster) (adopted int, err error) {
	err = h.Store.InTx(ctx, "restore amendments", func(tx Tx) error {
		adopted = 0
		phase, err := tx.Phase(h.Task.ID)
		if err != nil || phase == PhaseWiped {
			return err
		}
		own, err := tx.Amendments(h.Task.ID)
		if err != nil {
			return err
		}
		for i, signed := range theirs.Amendments {
			if i < len(own) {
				if !bytes.Equal(own[i].Body, signed.Body) {
					return errs.New(errs.Conflict, fmt.Sprintf("the other host has another amendment %d than this backup", i+1), "this cycle's totals cannot be opened; ask its engineer")
				}
				continue
			}
			a, err := coalition.ParseAmendment(signed.Body, h.Task.ID, theirs.Roster, theirs.Amendments[:i])
			if err != nil {
				return err
			}
			if err := h.strike(tx, a); err != nil {
				return err
			}
			if err := tx.PutAmendment(h.Task.ID, a.Number, signed); err != nil {
				return err
			}
			adopted++
		}
		return nil
	})
	return adopted, err
}

// Again hands the roster and every finished job to the Helper once more: one
// that was restored from a backup has forgotten them. It changes nothing at the
// Leader, and refuses if the Helper now answers otherwise than before. It is
// called before [Leader.Aggregate], by decision of the hosts.
func (l *Leader) Again(ctx context.Context) error {
	return l.drive(ctx, func(l *Leader) error {
		var signed coalition.SignedRoster
		var jobs []Job
		err := l.Store.InTx(ctx, "read jobs", func(tx Tx) error {
			opened, err := l.openRoster(tx)
			if err != nil {
				return err
			}
			signed = opened.frozen.Roster
			jobs, err = tx.Jobs(l.Task.ID)
			return err
		})
		if err != nil {
			return err
		}
		if _, err := l.peer.CosignRoster(ctx, signed); err != nil {
			return fmt.Errorf("the Helper: %w", err)
		}
		for i, job := range jobs {
			if !job.Done {
				continue
			}
			if err := l.repeatJob(ctx, job.Number); err != nil {
				return fmt.Errorf("aggregation job %d: %w", job.Number, err)
			}
			if l.Progress != nil {
				l.Progress(i+1, len(jobs))
			}
		}
		return nil
	})
}

// repeatJob sends a finished job once more and compares the answer.
func (l *Leader) repeatJob(ctx context.Context, number int) error {
	room := l.memory.borrow(dap.MaxJobReports)
	defer l.memory.giveBack(room)
	var job Job
	var work []leaderReport
	var settled map[dap.ReportID]Outcome
	err := l.Store.InTx(ctx, "read job", func(tx Tx) (err error) {
		if job, work, err = l.readJob(tx, number, room); err != nil {
			return err
		}
		settled, err = tx.Settled(l.Task.ID)
		return err
	})
	if err != nil {
		return err
	}
	if err := l.initialise(ctx, work); err != nil {
		return err
	}
	request, err := l.request(ctx, job, work)
	if err != nil || len(request) == 0 {
		return err
	}
	response, err := l.peer.AggregationJob(ctx, l.Task.ID, request)
	if err != nil {
		return fmt.Errorf("the Helper: %w", err)
	}
	if err := l.readResponse(ctx, work, response); err != nil {
		return err
	}
	var other []error
	for i := range work {
		r := &work[i]
		if was := settled[r.id]; was.Accepted != (r.err == 0) {
			other = append(other, fmt.Errorf("submission %s", r.id))
		}
	}
	if len(other) > 0 {
		return errs.Wrap(errors.Join(other...), errs.Conflict, fmt.Sprintf("asked again, the Helper answers otherwise about %d submissions", len(other)),
			"this cycle's totals cannot be opened; ask its engineer what it was restored to")
	}
	return nil
}
