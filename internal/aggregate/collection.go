package aggregate

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// CollectionJob takes a dap.CollectionJobReq from the coordinator and returns
// the dap.CollectionJobResp (DAP-18 4.6.1). A batch is collected once: the
// same request gets the same bytes again, any other is refused for good. From
// the moment the Helper is asked, the Leader takes nothing more into the batch.
func (l *Leader) CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	if task != l.Task.ID {
		return nil, dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(task)
	}
	req, err := dap.Decode[dap.CollectionJobReq](l.Task.Variant, body)
	if err != nil {
		return nil, unreadable(task, err)
	}
	if err := l.checkQuery(req); err != nil {
		return nil, err
	}
	if err := l.admitCollection(ctx); err != nil {
		return nil, err
	}
	ask, known, err := l.beginCollection(ctx, req, body)
	if err != nil {
		return nil, err
	}
	if known.Response != nil {
		return known.Response, l.logAnswer(ctx, known.Response)
	}
	share, err := l.askHelper(ctx, ask.request)
	if err != nil {
		return nil, err
	}
	own, err := l.sealShare(req, ask.share)
	if err != nil {
		return nil, err
	}
	response, err := dap.Encode(l.Task.Variant, dap.CollectionJobResp{
		ReportCount: ask.count, Interval: ask.span, LeaderEncryptedAggShare: own, HelperEncryptedAggShare: share,
	})
	if err != nil {
		return nil, err
	}
	err = l.Store.InTx(ctx, "finish collection", func(tx Tx) error {
		known, begun, err := tx.Collection(task)
		if err != nil {
			return err
		}
		if !begun {
			return l.wiped() // meanwhile
		}
		if known.Response != nil { // the same request came twice at the same time
			response = known.Response
			return nil
		}
		return tx.PutCollection(task, Collection{Request: body, Response: response})
	})
	if err != nil {
		return nil, err
	}
	return response, l.logAnswer(ctx, response)
}

// unreadable says why a request of a collection cannot be read: lists of
// extensions have a problem of their own (DAP-18 4.6.2).
func unreadable(task dap.TaskID, err error) error {
	problem := dap.ProblemInvalidMessage
	if errors.Is(err, dap.ErrExtension) {
		problem = dap.ProblemInvalidExtension
	}
	return dap.NewProblem(problem, err.Error()).ForTask(task)
}

// logAnswer enters the Leader's share in the record, again if need be: an
// interruption may have come between the answer and its entry.
func (l *Leader) logAnswer(ctx context.Context, response []byte) error {
	resp, err := dap.Decode[dap.CollectionJobResp](l.Task.Variant, response)
	if err != nil {
		return err
	}
	return l.logShare(ctx, resp.LeaderEncryptedAggShare)
}

// question is what the Leader needs to ask the Helper.
type question struct {
	request []byte // the AggregateShareReq
	share   []byte // the Leader's own, in clear
	count   uint64
	span    dap.Interval
}

// beginCollection marks the batch as collected by this request and computes
// the question; known holds the answer if there is one already.
func (l *Leader) beginCollection(ctx context.Context, req dap.CollectionJobReq, body []byte) (ask question, known Collection, err error) {
	err = l.Store.InTx(ctx, "begin collection", func(tx Tx) error {
		var ok bool
		var err error
		if known, ok, err = tx.Collection(l.Task.ID); err != nil {
			return err
		}
		if ok && !bytes.Equal(known.Request, body) {
			return l.overlap()
		}
		if known.Response != nil {
			return nil
		}
		_, roster, err := l.frozen(tx)
		if err != nil {
			return err
		}
		if err := l.checkOutcomes(tx, roster); err != nil {
			return err
		}
		var checksum dap.Checksum
		if ask.share, ask.count, checksum, ask.span, err = l.total(tx); err != nil {
			return err
		}
		if err := l.checkCount(ask.count, len(roster.Entries)); err != nil {
			return err
		}
		selector := dap.BatchSelector(req.Query)
		ask.request, err = dap.Encode(l.Task.Variant, dap.AggregateShareReq{
			CollectionJobReq: req, BatchSelector: selector, ReportCount: ask.count, Checksum: checksum,
		})
		if err != nil || ok {
			return err
		}
		if err := tx.PutCollection(l.Task.ID, Collection{Request: body}); err != nil {
			return err
		}
		return tx.Advance(l.Task.ID, PhaseFrozen, PhaseCollected)
	})
	return ask, known, err
}

func (l *Leader) askHelper(ctx context.Context, request []byte) (dap.HpkeCiphertext, error) {
	answer, err := l.peer.AggregateShare(ctx, l.Task.ID, request)
	if err != nil {
		return dap.HpkeCiphertext{}, fmt.Errorf("the Helper: %w", err)
	}
	share, err := dap.Decode[dap.AggregateShare](l.Task.Variant, answer)
	if err != nil {
		return dap.HpkeCiphertext{}, fmt.Errorf("the Helper's answer: %w", err)
	}
	return share.EncryptedAggregateShare, nil
}

// AggregateShare takes a dap.AggregateShareReq from the Leader and returns the
// dap.AggregateShare (DAP-18 4.6.4): once, and the same bytes ever after.
func (h *Helper) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	if task != h.Task.ID {
		return nil, dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(task)
	}
	req, err := dap.Decode[dap.AggregateShareReq](h.Task.Variant, body)
	if err != nil {
		return nil, unreadable(task, err)
	}
	if len(req.CollectionJobReq.AggParam) > 0 { // DAP-18 4.6.4: not that of the jobs, which had none
		return nil, dap.NewProblem(dap.ProblemInvalidMessage, "the aggregation parameter is not that of the aggregation jobs, which had none").ForTask(task)
	}
	if err := h.checkQuery(req.CollectionJobReq); err != nil {
		return nil, err
	}
	if !req.BatchSelector.ConsistentWith(req.CollectionJobReq.Query) {
		return nil, dap.NewProblem(dap.ProblemInvalidMessage, "the selector is not the query's").ForTask(task)
	}
	if err := h.admitCollection(ctx); err != nil {
		return nil, err
	}
	var response []byte
	var sealed dap.HpkeCiphertext
	err = h.Store.InTx(ctx, "give aggregate share", func(tx Tx) error {
		known, ok, err := tx.Collection(task)
		if err != nil {
			return err
		}
		if ok {
			if !bytes.Equal(known.Request, body) {
				return h.overlap()
			}
			response = known.Response
			answer, err := dap.Decode[dap.AggregateShare](h.Task.Variant, response)
			sealed = answer.EncryptedAggregateShare
			return err
		}
		share, err := h.ownShare(tx, req)
		if err != nil {
			return err
		}
		if sealed, err = h.sealShare(req.CollectionJobReq, share); err != nil {
			return err
		}
		if response, err = dap.Encode(h.Task.Variant, dap.AggregateShare{EncryptedAggregateShare: sealed}); err != nil {
			return err
		}
		if err := tx.PutCollection(task, Collection{Request: body, Response: response}); err != nil {
			return err
		}
		return tx.Advance(task, PhaseFrozen, PhaseCollected)
	})
	if err != nil {
		return nil, err
	}
	return response, h.logShare(ctx, sealed)
}

// admit asks whether this task may be opened beside the others of its charter.
func (h *host) admit(ctx context.Context) error {
	if h.Admission == nil {
		return nil // there are no others
	}
	return h.Admission.Admit(ctx, h.Task.ID)
}

// admitCollection is admit for who has given nothing yet: a host that has answered
// repeats its answer, whatever became of other cohorts since.
func (h *host) admitCollection(ctx context.Context) error {
	if h.Admission == nil {
		return nil
	}
	var answered bool
	err := h.Store.InTx(ctx, "look for a collection", func(tx Tx) (err error) {
		_, answered, err = tx.Collection(h.Task.ID)
		return err
	})
	if err != nil || answered {
		return err
	}
	return h.admit(ctx)
}

// ownShare returns the Helper's share if its batch is the Leader's and the roster's.
func (h *Helper) ownShare(tx Tx, req dap.AggregateShareReq) ([]byte, error) {
	_, roster, err := h.frozen(tx)
	if err != nil {
		return nil, err
	}
	share, count, checksum, _, err := h.total(tx)
	if err != nil {
		return nil, err
	}
	if err := h.checkCount(count, len(roster.Entries)); err != nil {
		return nil, err
	}
	if count != req.ReportCount || checksum != req.Checksum {
		return nil, dap.NewProblem(dap.ProblemBatchMismatch,
			fmt.Sprintf("the Leader has %d reports, the Helper %d, or not the same", req.ReportCount, count)).ForTask(h.Task.ID)
	}
	return share, nil
}

// checkQuery accepts one query only, that for the whole task: the difference
// of two collections would be somebody's answers.
func (h *host) checkQuery(req dap.CollectionJobReq) error {
	interval, ok := req.Query.BatchInterval()
	switch {
	case !ok:
		return dap.NewProblem(dap.ProblemInvalidMessage, "the task is in time-interval mode").ForTask(h.Task.ID)
	case interval != h.Task.Interval:
		return dap.NewProblem(dap.ProblemBatchInvalid, "only the whole task interval is collected").ForTask(h.Task.ID)
	case len(req.AggParam) > 0:
		return dap.NewProblem(dap.ProblemInvalidAggregationParameter, "Prio3 takes none").ForTask(h.Task.ID)
	case len(req.Extensions) > 0:
		return unsupported(req.Extensions, "no extension of collection jobs is known").ForTask(h.Task.ID)
	}
	return nil
}

// unsupported names the extensions that are not known, which is all of them.
func unsupported(list []dap.Extension, detail string) *dap.Problem {
	p := dap.NewProblem(dap.ProblemUnsupportedExtension, detail)
	for _, e := range list {
		p.UnsupportedExtensions = append(p.UnsupportedExtensions, e.Type)
	}
	return p
}

// checkCount refuses a batch below the charter's minimum, and one that is not
// the roster's.
func (h *host) checkCount(count uint64, roster int) error {
	switch minimum := h.Task.Configuration.MinBatchSize; {
	case count < minimum:
		return errs.Wrap(dap.NewProblem(dap.ProblemInvalidBatchSize, "").ForTask(h.Task.ID), errs.Conflict,
			fmt.Sprintf("%d of %d members took part; the charter collects from %d on, so nothing was opened", count, len(h.Task.Cohort.Members), minimum), "")
	case count != uint64(roster):
		return errs.New(errs.Conflict, fmt.Sprintf("%d submissions were added up and the roster has %d; nothing was opened", count, roster), "")
	}
	return nil
}

func (h *host) overlap() error {
	return errs.Wrap(dap.NewProblem(dap.ProblemBatchOverlap, "").ForTask(h.Task.ID), errs.Conflict,
		"the batch was collected with another request", "a batch is collected once: the difference of two would be one member's answers")
}

func (h *host) sealShare(req dap.CollectionJobReq, share []byte) (dap.HpkeCiphertext, error) {
	aad, err := h.opener.aad.Collection(req)
	if err != nil {
		return dap.HpkeCiphertext{}, err
	}
	return aad.Seal(h.Task.CollectorHPKE, h.role, share)
}

// logShare enters the digest of this host's encrypted aggregate share.
func (h *host) logShare(ctx context.Context, sealed dap.HpkeCiphertext) error {
	b, err := dap.Encode(h.Task.Variant, sealed)
	if err != nil {
		return err
	}
	return h.append(ctx, ledger.Entry{
		ID: fmt.Sprintf("aggregate share %v %s", h.role, h.Task.ID), Kind: "aggregate share",
		Data: map[string]string{"task_id": h.Task.ID.String(), "host": h.role.String(), "share": ledger.Digest(b)},
	})
}
