package aggregate

import (
	"context"
	"encoding/json"
	"fmt"

	"muster/dap"
	"muster/internal/ledger"
	"muster/vdaf"
)

// runJob takes one job to its end: computes and fixes the request, sends it,
// and commits the answer. The Leader's verification states are not stored: they
// follow from the reports, so after an interruption they are computed again.
func (l *Leader) runJob(ctx context.Context, number int) error {
	room := l.memory.borrow(dap.MaxJobReports)
	defer l.memory.giveBack(room)
	var job Job
	var work []leaderReport
	err := l.Store.InTx(ctx, "read job", func(tx Tx) (err error) {
		job, work, err = l.readJob(tx, number, room)
		return err
	})
	if err != nil {
		return err
	}
	if err := l.initialise(ctx, work); err != nil {
		return err
	}
	request, err := l.request(ctx, job, work)
	if err != nil {
		return err
	}
	if len(request) > 0 {
		response, err := l.peer.AggregationJob(ctx, l.Task.ID, request)
		if err != nil {
			return fmt.Errorf("the Helper: %w", err)
		}
		if err := l.readResponse(ctx, work, response); err != nil {
			return err
		}
	}
	return l.commit(ctx, number, work)
}

// readJob reads a job and its reports into the room given. They are decoded, and
// no more.
func (l *Leader) readJob(tx Tx, number int, room []verified) (Job, []leaderReport, error) {
	job, err := tx.Job(l.Task.ID, number)
	if err != nil {
		return Job{}, nil, err
	}
	var work []leaderReport
	err = tx.JobReports(l.Task.ID, number, func(id dap.ReportID, body []byte) error {
		if body == nil {
			return fmt.Errorf("report %s is on the roster and not stored", id)
		}
		if len(work) == len(room) {
			return fmt.Errorf("there are more than %d of them", len(room))
		}
		r := leaderReport{id: id, verified: &room[len(work)]}
		r.body = append(r.body[:0], body...)
		var err error
		if r.report, err = dap.DecodeAliasing[dap.Report](l.Task.Variant, r.body); err != nil {
			return fmt.Errorf("stored report %s: %w", id, err)
		}
		work = append(work, r)
		return nil
	})
	return job, work, err
}

// leaderReport is one report of a job at the Leader. Its bytes lie in the room of
// the job.
type leaderReport struct {
	id     dap.ReportID
	report dap.Report
	*verified
}

// initialise opens and verifies the Leader's part of every report of a job.
func (l *Leader) initialise(ctx context.Context, work []leaderReport) error {
	now, err := l.latest()
	if err != nil {
		return err
	}
	return l.forEach(ctx, len(work), func(i int, v *vdaf.Verifier) error {
		r := &work[i]
		var share []byte
		share, r.err = l.opener.open(r.report.ReportMetadata, r.report.PublicShare, r.report.LeaderEncryptedInputShare, now)
		if r.err != 0 {
			return nil
		}
		nonce := [vdaf.NonceSize]byte(r.id)
		var err error
		if r.outbound, err = v.LeaderInit(&r.state, &nonce, r.report.PublicShare, share, r.outbound); err != nil {
			r.err = dap.InvalidMessage
		}
		return nil
	})
}

// fixedRequest is what the Leader keeps of a job's request, so that it sends the
// same bytes however often. The rest follows from the stored reports, and would
// be as much again as they are.
type fixedRequest struct {
	Digest   string            `json:"digest"`             // hex SHA-256 of the AggregationJobInitReq; empty if no report is left to send
	Rejected map[string]string `json:"rejected,omitempty"` // what the Leader rejects itself: DAP's name of the error by report
}

// request returns the request of a job, without the reports that the Leader
// itself rejects, and fixes it when it is made for the first time. A job of which
// nothing is left has an empty request.
func (l *Leader) request(ctx context.Context, job Job, work []leaderReport) ([]byte, error) {
	fixed := fixedRequest{Rejected: make(map[string]string)}
	if job.Request != nil {
		if err := json.Unmarshal(job.Request, &fixed); err != nil {
			return nil, fmt.Errorf("the stored request: %w", err)
		}
		if err := applyRejected(work, fixed.Rejected); err != nil {
			return nil, err
		}
	}
	body, err := l.encodeRequest(work)
	if err != nil {
		return nil, err
	}
	digest := ""
	if len(body) > 0 {
		digest = ledger.Digest(body)
	}
	if job.Request != nil {
		if fixed.Digest != digest {
			return nil, fmt.Errorf("the request of job %d is not the one that was fixed: the stored reports or the keys are others", job.Number)
		}
		return body, nil
	}
	fixed.Digest = digest
	for i := range work {
		if r := &work[i]; r.err != 0 {
			fixed.Rejected[r.id.String()] = r.err.String()
		}
	}
	record, err := json.Marshal(fixed)
	if err != nil {
		return nil, err
	}
	return body, l.Store.InTx(ctx, "prepare job", func(tx Tx) error {
		return tx.PutJobRequest(l.Task.ID, job.Number, record)
	})
}

// applyRejected rejects what was rejected when the request was fixed: whether a
// report's time is acceptable depends on the clock, and must not change.
func applyRejected(work []leaderReport, rejected map[string]string) error {
	for i := range work {
		if name, ok := rejected[work[i].id.String()]; ok {
			e, err := dap.ParseReportError(name)
			if err != nil {
				return fmt.Errorf("the stored request: %w", err)
			}
			work[i].err = e
		}
	}
	return nil
}

func (l *Leader) encodeRequest(work []leaderReport) ([]byte, error) {
	req := dap.AggregationJobInitReq{VerifyInits: make([]dap.VerifyInit, 0, len(work))}
	size := 0
	for i := range work {
		r := &work[i]
		if r.err != 0 {
			continue
		}
		const lengths = 64 // of the fields, and the metadata
		size += lengths + len(r.report.PublicShare) + len(r.report.HelperEncryptedInputShare.Enc) + len(r.report.HelperEncryptedInputShare.Payload) + len(r.outbound)
		req.VerifyInits = append(req.VerifyInits, dap.VerifyInit{
			ReportShare: dap.ReportShare{
				ReportMetadata: r.report.ReportMetadata, PublicShare: r.report.PublicShare,
				EncryptedInputShare: r.report.HelperEncryptedInputShare,
			},
			Payload: r.outbound,
		})
	}
	if len(req.VerifyInits) == 0 {
		return nil, nil
	}
	return dap.Append(l.Task.Variant, make([]byte, 0, size), req)
}

// readResponse finishes the verification of each report with the Helper's
// answer. An answer that does not fit the request abandons the job.
func (l *Leader) readResponse(ctx context.Context, work []leaderReport, response []byte) error {
	resp, err := dap.Decode[dap.AggregationJobResp](l.Task.Variant, response)
	if err != nil {
		return fmt.Errorf("the Helper's answer: %w", err)
	}
	var asked []*leaderReport
	for i := range work {
		if work[i].err == 0 {
			asked = append(asked, &work[i])
		}
	}
	if len(resp.VerifyResps) != len(asked) {
		return fmt.Errorf("the Helper answered %d of %d reports", len(resp.VerifyResps), len(asked))
	}
	return l.forEach(ctx, len(asked), func(i int, v *vdaf.Verifier) error {
		r, answer := asked[i], resp.VerifyResps[i]
		if answer.ReportID != r.id {
			return fmt.Errorf("the Helper answered report %s in place of %s", answer.ReportID, r.id)
		}
		switch answer.VerifyRespType {
		case dap.VerifyRespContinue:
			if err := v.LeaderFinish(&r.state, answer.Payload); err != nil {
				// The Helper has added it up: from here the batches differ
				// and the collection will fail, as it must.
				r.err = dap.VdafVerifyError
			}
		case dap.VerifyRespReject:
			r.err = answer.ReportError
		default:
			return fmt.Errorf("the Helper answered %v for report %s", answer.VerifyRespType, r.id)
		}
		return nil
	})
}

// commit settles every report of a job and adds up the accepted ones, at once.
func (l *Leader) commit(ctx context.Context, number int, work []leaderReport) error {
	var add []accepted
	settle := make([]Settlement, len(work))
	for i := range work {
		r := &work[i]
		settle[i] = Settlement{Report: r.id, Outcome: Outcome{Accepted: r.err == 0, Error: r.err}}
		if r.err == 0 {
			add = append(add, accepted{id: r.id, time: r.report.ReportMetadata.Time, state: &r.state})
		}
	}
	all, err := l.add(add) // here, where it holds up no other job
	if err != nil {
		return err
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.Store.InTx(ctx, "commit job", func(tx Tx) error {
		if _, _, err := l.frozen(tx); err != nil {
			return err
		}
		fresh, err := tx.Settle(l.Task.ID, settle)
		if err != nil {
			return err
		}
		for _, s := range settle {
			if !fresh[s.Report] {
				return fmt.Errorf("report %s was settled before its job", s.Report)
			}
		}
		if err := l.addUp(tx, all); err != nil {
			return err
		}
		return tx.FinishJob(l.Task.ID, number)
	})
}
