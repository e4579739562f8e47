package aggregate

import (
	"context"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// What this file reads are the answers that a host has given: they stay under
// the id that [dap.JobID] derives from the request, so that whoever lost one
// can fetch it (DAP-18 3.2).

// AggregationJobResponse returns the answer of an aggregation job again. It is
// refused as not found if there is no such job, or none any more.
func (h *Helper) AggregationJobResponse(ctx context.Context, task dap.TaskID, id dap.AggregationJobID) ([]byte, error) {
	var response []byte
	err := h.read(ctx, task, "read job response", func(tx Tx) error {
		stored, ok, err := tx.Response(task, id.String())
		if err == nil && !ok {
			return h.unknownJob()
		}
		response = stored
		return err
	})
	return response, err
}

// ForgetAggregationJob drops the stored answer of an aggregation job, which the
// Leader will not ask for again (DAP-18 4.5.5). What became of each report
// stays: the same request again finds every report replayed and adds nothing.
func (h *Helper) ForgetAggregationJob(ctx context.Context, task dap.TaskID, id dap.AggregationJobID) error {
	return h.read(ctx, task, "forget job response", func(tx Tx) error {
		ok, err := tx.ForgetResponse(task, id.String())
		if err == nil && !ok {
			return h.unknownJob()
		}
		return err
	})
}

// AggregateShareResponse returns the aggregate share again that was given for
// the request with that id.
func (h *Helper) AggregateShareResponse(ctx context.Context, task dap.TaskID, id dap.AggregateShareID) ([]byte, error) {
	return h.collection(ctx, task, id)
}

// CollectionResponse returns the answer of a collection job again, or nil
// without error while there is none yet.
func (l *Leader) CollectionResponse(ctx context.Context, task dap.TaskID, id dap.CollectionJobID) ([]byte, error) {
	return l.collection(ctx, task, id)
}

// collection returns the answer of the task's one collection if its request
// has that id.
func (h *host) collection(ctx context.Context, task dap.TaskID, id [16]byte) ([]byte, error) {
	var response []byte
	err := h.read(ctx, task, "read collection", func(tx Tx) error {
		known, ok, err := tx.Collection(task)
		if err == nil && (!ok || dap.JobID(known.Request) != id) {
			return errs.New(errs.NotFound, "there is no such collection here", "")
		}
		response = known.Response
		return err
	})
	return response, err
}

// FrozenRoster returns the roster that both hosts signed with its amendments. It
// is refused with kind Conflict while there is none, and outlives the wipe: names
// of members and digests stay known, submissions do not.
func (h *host) FrozenRoster(ctx context.Context, task dap.TaskID) (coalition.FrozenRoster, error) {
	var frozen coalition.FrozenRoster
	var phase Phase
	err := h.read(ctx, task, "read roster", func(tx Tx) (err error) {
		if phase, err = tx.Phase(task); err != nil {
			return err
		}
		var ok bool
		if frozen.Roster, ok, err = tx.Roster(task); err != nil {
			return err
		}
		if !ok || phase == PhaseOpen || phase == PhaseClosing {
			return h.notFrozen()
		}
		frozen.Amendments, err = tx.Amendments(task)
		return err
	})
	if err != nil {
		return coalition.FrozenRoster{}, err
	}
	if _, err := frozen.Open(task, h.Task.Leader, h.Task.Helper); err != nil {
		if phase == PhaseWiped { // cancelled before the other host had signed
			return coalition.FrozenRoster{}, h.notFrozen()
		}
		return coalition.FrozenRoster{}, err
	}
	return frozen, nil
}

func (h *host) notFrozen() error {
	return errs.New(errs.Conflict, "the roster is not frozen", "nothing is added up before both hosts have signed the roster")
}

// read runs fn in a transaction if the task is this host's.
func (h *host) read(ctx context.Context, task dap.TaskID, name string, fn func(Tx) error) error {
	if task != h.Task.ID {
		return dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(task)
	}
	return h.Store.InTx(ctx, name, fn)
}

func (h *host) unknownJob() error {
	return errs.Wrap(dap.NewProblem(dap.ProblemUnrecognizedAggregationJob, "").ForTask(h.Task.ID), errs.NotFound,
		"there is no such aggregation job here", "")
}
