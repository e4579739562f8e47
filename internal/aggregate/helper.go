package aggregate

import (
	"context"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/ledger"
	"muster/vdaf"
)

// Helper is the host that answers. Its methods may be called concurrently, and
// it implements [Peer].
type Helper struct {
	*host
}

var _ Peer = (*Helper)(nil)

// NewHelper returns the Helper of a task; it continues where the store stands.
func NewHelper(ctx context.Context, cfg Config) (*Helper, error) {
	h, err := newHost(ctx, cfg, dap.RoleHelper)
	if err != nil {
		return nil, err
	}
	return &Helper{host: h}, nil
}

// AggregationJob takes a dap.AggregationJobInitReq and returns the
// dap.AggregationJobResp (DAP-18 4.5.3). The same request gets the same bytes
// again. It works on reports of the frozen roster only, each at most once, and
// on those only whose part has the digest of the member's receipt.
func (h *Helper) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	if task != h.Task.ID {
		return nil, dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(task)
	}
	req, err := h.checkJob(body)
	if err != nil {
		return nil, err
	}
	job := dap.AggregationJobID(dap.JobID(body)).String()
	var stored []byte
	var known bool
	var expected map[dap.ReportID]string
	err = h.Store.InTx(ctx, "look up job", func(tx Tx) (err error) {
		if stored, known, err = tx.Response(task, job); err != nil || known {
			return err
		}
		expected, err = h.expected(tx)
		return err
	})
	if err != nil || known {
		return stored, err
	}
	if err := h.admit(ctx); err != nil {
		return nil, err
	}
	room := h.memory.borrow(len(req.VerifyInits))
	defer h.memory.giveBack(room)
	work, err := h.initialise(ctx, req, expected, room)
	if err != nil {
		return nil, err
	}
	return h.commit(ctx, job, work)
}

// checkJob decodes a request and makes the checks that concern the whole job.
func (h *Helper) checkJob(body []byte) (dap.AggregationJobInitReq, error) {
	refuse := func(t dap.ProblemType, detail string) (dap.AggregationJobInitReq, error) {
		return dap.AggregationJobInitReq{}, dap.NewProblem(t, detail).ForTask(h.Task.ID)
	}
	req, err := dap.Decode[dap.AggregationJobInitReq](h.Task.Variant, body)
	switch {
	case err != nil:
		return refuse(dap.ProblemInvalidMessage, err.Error())
	case len(req.Extensions) > 0:
		return dap.AggregationJobInitReq{}, unsupported(req.Extensions, "no extension of aggregation jobs is known").ForTask(h.Task.ID)
	case len(req.AggParam) > 0:
		return refuse(dap.ProblemInvalidAggregationParameter, "Prio3 takes none")
	case req.VerificationKeyID != 0:
		return refuse(dap.ProblemInvalidMessage, "the task has one verification key, 0")
	}
	return req, nil
}

// helperReport is one report of a job at the Helper.
type helperReport struct {
	id   dap.ReportID
	time dap.Time
	*verified
}

func (r *helperReport) accepted() accepted {
	return accepted{id: r.id, time: r.time, state: &r.state}
}

// initialise opens and verifies the Helper's part of every report of a job, in
// the room given.
func (h *Helper) initialise(ctx context.Context, req dap.AggregationJobInitReq, expected map[dap.ReportID]string, room []verified) ([]helperReport, error) {
	now, err := h.latest()
	if err != nil {
		return nil, err
	}
	work := make([]helperReport, len(req.VerifyInits))
	for i := range work {
		work[i].verified = &room[i]
	}
	return work, h.forEach(ctx, len(work), func(i int, v *vdaf.Verifier) error {
		in, r := &req.VerifyInits[i], &work[i]
		r.id, r.time = in.ReportShare.ReportMetadata.ReportID, in.ReportShare.ReportMetadata.Time
		digest, err := coalition.PartDigest(in.ReportShare.ReportMetadata, in.ReportShare.PublicShare, in.ReportShare.EncryptedInputShare)
		if err != nil {
			return err
		}
		if expected[r.id] != ledger.Hex(digest) {
			r.err = dap.ReportDropped // not on the roster, or not what the member sent
			return nil
		}
		var share []byte
		share, r.err = h.opener.open(in.ReportShare.ReportMetadata, in.ReportShare.PublicShare, in.ReportShare.EncryptedInputShare, now)
		if r.err != 0 {
			return nil
		}
		nonce := [vdaf.NonceSize]byte(r.id)
		if r.outbound, err = v.HelperInit(&r.state, &nonce, in.ReportShare.PublicShare, share, in.Payload, r.outbound); err != nil {
			r.err = dap.VdafVerifyError
		}
		return nil
	})
}

// expected returns what each report on the roster must be. It is read once.
func (h *Helper) expected(tx Tx) (map[dap.ReportID]string, error) {
	roster, err := h.openRoster(tx)
	if err != nil {
		return nil, err
	}
	h.last.mu.Lock()
	defer h.last.mu.Unlock()
	if roster.digests == nil {
		receipts, err := tx.LastReceipts(h.Task.ID)
		if err != nil {
			return nil, err
		}
		roster.digests = roster.helperParts(receipts)
	}
	return roster.digests, nil
}

// commit settles every report, adds up the accepted ones and stores the
// answer, at once. A report that was settled before is refused as replayed,
// whether it was accepted then or not: nobody may try a report twice.
func (h *Helper) commit(ctx context.Context, job string, work []helperReport) ([]byte, error) {
	var verified []accepted
	for i := range work {
		if work[i].err == 0 {
			verified = append(verified, work[i].accepted())
		}
	}
	all, err := h.add(verified) // here, where it holds up no other job; mostly all of them count
	if err != nil {
		return nil, fmt.Errorf("aggregation job %s: %w", job, err)
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	var response []byte
	err = h.Store.InTx(ctx, "commit job", func(tx Tx) error {
		if _, err := h.openRoster(tx); err != nil {
			return err // wiped meanwhile
		}
		stored, known, err := tx.Response(h.Task.ID, job)
		if err != nil || known {
			response = stored // the same request came twice at the same time
			return err
		}
		_, collected, err := tx.Collection(h.Task.ID)
		if err != nil {
			return err
		}
		var fresh map[dap.ReportID]bool
		if !collected {
			if fresh, err = h.settle(tx, work); err != nil {
				return err
			}
		}
		count := make([]accepted, 0, len(verified))
		var resp dap.AggregationJobResp
		for i := range work {
			r := &work[i]
			e := r.err
			switch {
			case e == dap.ReportDropped:
				// Not on the roster: nothing was opened and nothing is settled.
			case collected:
				e = dap.BatchCollected
			case !fresh[r.id]:
				e = dap.ReportReplayed
			default:
				delete(fresh, r.id) // listed a second time, it is a replay
			}
			if e == 0 {
				count = append(count, r.accepted())
			}
			resp.VerifyResps = append(resp.VerifyResps, verifyResp(r, e))
		}
		counted := all
		if len(count) < len(verified) {
			if counted, err = h.add(count); err != nil {
				return err
			}
		}
		if err := h.addUp(tx, counted); err != nil {
			return err
		}
		if response, err = dap.Encode(h.Task.Variant, resp); err != nil {
			return err
		}
		return tx.PutResponse(h.Task.ID, job, response)
	})
	if err != nil {
		return nil, fmt.Errorf("aggregation job %s: %w", job, err)
	}
	return response, nil
}

// settle settles what was opened, and returns what was not settled before.
func (h *Helper) settle(tx Tx, work []helperReport) (map[dap.ReportID]bool, error) {
	var settle []Settlement
	for i := range work {
		if r := &work[i]; r.err != dap.ReportDropped {
			settle = append(settle, Settlement{Report: r.id, Outcome: Outcome{Accepted: r.err == 0, Error: r.err}})
		}
	}
	return tx.Settle(h.Task.ID, settle)
}

func verifyResp(r *helperReport, e dap.ReportError) dap.VerifyResp {
	if e != 0 {
		return dap.VerifyResp{ReportID: r.id, VerifyRespType: dap.VerifyRespReject, ReportError: e}
	}
	return dap.VerifyResp{ReportID: r.id, VerifyRespType: dap.VerifyRespContinue, Payload: r.outbound}
}
