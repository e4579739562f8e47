package aggregate

import (
	"context"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// StatusConfig says whose status [ReadStatus] reads. It needs no key: what is
// read is what the host's people may see, and no answer, share or key.
type StatusConfig struct {
	Charter coalition.Charter
	Cohort  string
	Store   Store
	Now     func() time.Time
}

// Status is where a host stands with a task.
type Status struct {
	Task     dap.TaskID
	Members  int   // of the cohort
	Minimum  int   // from how many submissions on the batch is collected
	Phase    Phase // empty: the host has not served the task yet
	Deadline time.Time
	Over     bool // whether the deadline is past
	Wipe     time.Time
	Counts   Counts

	Addenda         []coalition.Addendum
	AddendumDigests []string // hex SHA-256, in the same order
	Deliveries      []Delivery
	SetAside        []SetAsideReceipt

	// Roster is what both hosts signed, or this host alone while it is closing;
	// nil before. RosterDigest names it with its amendments.
	Roster       *coalition.Roster
	RosterDigest string
	Amendments   []coalition.Amendment
	Rejected     []coalition.Strike // on the roster or struck from it, by member

	Collection CollectionState
	Driver     *StoredLease // the process that drives the task, if one does
}

// CollectionState says how far the one collection of a batch is.
type CollectionState string

// The states of a collection.
const (
	NotCollected CollectionState = "none"
	Asked        CollectionState = "asked"    // the share may have left
	Answered     CollectionState = "answered" // it has, and the same bytes go to whoever asks again
)

// ReadStatus returns where a host stands, as one transaction sees it. For the
// report of every member it says whether it is stored, and not whether it is
// what the receipt says: the freeze looks at that.
func ReadStatus(ctx context.Context, cfg StatusConfig) (Status, error) {
	return readStatus(ctx, cfg, func(tx Tx, s *Status) (err error) {
		if s.Deliveries, err = tx.Deliveries(s.Task); err != nil {
			return err
		}
		if s.SetAside, err = tx.SetAsides(s.Task); err != nil {
			return err
		}
		return s.readRoster(tx)
	})
}

// ReadNumbers returns a [Status] without anything that names a member.
func ReadNumbers(ctx context.Context, cfg StatusConfig) (Status, error) {
	return readStatus(ctx, cfg, func(Tx, *Status) error { return nil })
}

func readStatus(ctx context.Context, cfg StatusConfig, more func(Tx, *Status) error) (Status, error) {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return Status{}, err
	}
	var s Status
	err = cfg.Store.InTx(ctx, "read status", func(tx Tx) error {
		s = Status{
			Task: task.ID, Members: len(task.Cohort.Members), Minimum: int(task.Configuration.MinBatchSize),
			Wipe: time.Unix(cfg.Charter.Wipe, 0), Collection: NotCollected,
		}
		var err error
		if s.Phase, err = tx.Phase(task.ID); err != nil && errs.KindOf(err) != errs.NotFound {
			return err
		}
		if err := s.readAddenda(tx, cfg); err != nil {
			return err
		}
		if s.Counts, err = tx.Counts(task.ID); err != nil {
			return err
		}
		if err := more(tx, &s); err != nil {
			return err
		}
		return s.readCollection(tx, cfg.Now())
	})
	return s, err
}

func (s *Status) readAddenda(tx Tx, cfg StatusConfig) error {
	signed, err := tx.Addenda(s.Task)
	if err != nil {
		return err
	}
	if s.Deadline, err = cfg.Charter.DeadlineAfter(signed); err != nil {
		return err
	}
	s.Over = !cfg.Now().Before(s.Deadline)
	for _, a := range signed {
		var addendum coalition.Addendum
		if err := keys.DecodeCanonical(a.Body, &addendum); err != nil { // its form was checked above
			return err
		}
		s.Addenda, s.AddendumDigests = append(s.Addenda, addendum), append(s.AddendumDigests, a.Digest())
	}
	return nil
}

// readRoster reads the roster, and of its entries those that were not accepted.
func (s *Status) readRoster(tx Tx) error {
	signed, ok, err := tx.Roster(s.Task)
	if err != nil || !ok {
		return err
	}
	amendments, err := tx.Amendments(s.Task)
	if err != nil {
		return err
	}
	roster, err := coalition.ParseRoster(signed.Body, s.Task)
	if err != nil {
		return err
	}
	rejected, err := tx.Rejected(s.Task)
	if err != nil {
		return err
	}
	for _, e := range roster.Entries {
		id, err := dap.ParseReportID(e.Report)
		if err != nil {
			return err
		}
		if reason, ok := rejected[id]; ok {
			s.Rejected = append(s.Rejected, coalition.Strike{Member: e.Member, Report: e.Report, Reason: reason.String()})
		}
	}
	for i, a := range amendments {
		amendment, err := coalition.ParseAmendment(a.Body, s.Task, signed, amendments[:i])
		if err != nil {
			return err
		}
		if roster, err = roster.Amend(amendment); err != nil {
			return err
		}
		s.Amendments = append(s.Amendments, amendment)
	}
	s.Roster, s.RosterDigest = &roster, coalition.FrozenRoster{Roster: signed, Amendments: amendments}.Digest()
	return nil
}

func (s *Status) readCollection(tx Tx, now time.Time) error {
	c, ok, err := tx.Collection(s.Task)
	if err != nil {
		return err
	}
	switch {
	case ok && c.Response != nil:
		s.Collection = Answered
	case ok:
		s.Collection = Asked
	}
	lease, ok, err := tx.Lease(s.Task)
	if ok && lease.Expires.After(now) {
		s.Driver = &lease
	}
	return err
}

// Standing is the phase of a task and its deadline, and nothing that takes long
// to read.
type Standing struct {
	Phase    Phase
	Deadline time.Time
	Over     bool // whether the deadline is past
}

// ReadStanding returns the little of [ReadStatus] that a program asks for again
// and again.
func ReadStanding(ctx context.Context, cfg StatusConfig) (Standing, error) {
	task, err := cfg.Charter.OpenTask(cfg.Cohort)
	if err != nil {
		return Standing{}, err
	}
	var s Standing
	err = cfg.Store.InTx(ctx, "read standing", func(tx Tx) (err error) {
		if s.Phase, err = tx.Phase(task.ID); err != nil {
			return err
		}
		addenda, err := tx.Addenda(task.ID)
		if err != nil {
			return err
		}
		s.Deadline, err = cfg.Charter.DeadlineAfter(addenda)
		s.Over = !cfg.Now().Before(s.Deadline)
		return err
	})
	return s, err
}
