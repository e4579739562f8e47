package aggregate

import (
	"context"

	"muster/dap"
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
