package aggregate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/vdaf"
)

// Peer is the Helper as the Leader reaches it. Bodies are DAP messages; a call
// with the same body again has the same answer, so a caller that is not sure
// repeats it. The Helper is not trusted.
type Peer interface {
	// CosignRoster hands over the Leader's roster with its signature and
	// returns it with both, or refuses in words if the lists differ.
	CosignRoster(ctx context.Context, r coalition.SignedRoster) (coalition.SignedRoster, error)
	// CosignAmendment does the same with an amendment to the roster.
	CosignAmendment(ctx context.Context, a coalition.SignedAmendment) (coalition.SignedAmendment, error)
	// AggregationJob takes an AggregationJobInitReq and returns the AggregationJobResp.
	AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	// AggregateShare takes an AggregateShareReq and returns the AggregateShare.
	AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
}

// Leader is the host that takes uploads and drives aggregation. Uploads,
// receipts and collection jobs may come concurrently; Freeze, Aggregate and
// Amend are called by one driver. Where several processes could be that one, a
// [Lease] sees to it that one of them is.
type Leader struct {
	*host
	peer Peer
}

// NewLeader returns the Leader of a task; it continues where the store stands.
func NewLeader(ctx context.Context, cfg Config, peer Peer) (*Leader, error) {
	h, err := newHost(ctx, cfg, dap.RoleLeader)
	if err != nil {
		return nil, err
	}
	return &Leader{host: h, peer: peer}, nil
}

// Upload takes a dap.UploadRequest and returns a dap.UploadErrors, or nothing
// if all reports were taken (DAP-18 4.4.2). What is taken is durable. The same
// report again is no error.
func (l *Leader) Upload(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	if task != l.Task.ID {
		return nil, dap.NewProblem(dap.ProblemUnrecognizedTask, "").ForTask(task)
	}
	req, err := dap.Decode[dap.UploadRequest](l.Task.Variant, body)
	if err != nil {
		return nil, dap.NewProblem(dap.ProblemInvalidMessage, err.Error()).ForTask(task)
	}
	now, err := l.latest()
	if err != nil {
		return nil, err
	}
	var refused dap.UploadErrors
	err = l.Store.InTx(ctx, "upload", func(tx Tx) error {
		refused.Status = nil
		closed := l.requireOpen(tx)
		if closed != nil && errs.KindOf(closed) != errs.Conflict {
			return closed
		}
		stored, err := tx.ReportCount(l.Task.ID)
		if err != nil {
			return err
		}
		full := stored+len(req.Reports) > MaxSubmissions*len(l.Task.Cohort.Members)
		for _, report := range req.Reports {
			e := l.checkUpload(report, now)
			if e == 0 && (closed != nil || full) {
				e = dap.ReportDropped
			}
			if e == 0 {
				if e, err = l.keep(tx, report); err != nil {
					return err
				}
			}
			if e != 0 {
				refused.Status = append(refused.Status, dap.ReportUploadStatus{ID: report.ReportMetadata.ReportID, Error: e})
			}
		}
		return nil
	})
	if err != nil || len(refused.Status) == 0 {
		return nil, err
	}
	return dap.Encode(l.Task.Variant, refused)
}

// checkUpload makes the checks that need no decryption.
func (l *Leader) checkUpload(report dap.Report, now dap.Time) dap.ReportError {
	if e := l.opener.checkTime(report.ReportMetadata.Time, now); e != 0 {
		return e
	}
	switch {
	case l.opener.keys[report.LeaderEncryptedInputShare.ConfigID] == nil:
		return dap.OutdatedConfig.In(l.Task.Variant)
	case len(report.ReportMetadata.PublicExtensions) > 0, len(report.PublicShare) != l.Task.VDAF.PublicShareSize():
		return dap.InvalidMessage
	}
	return 0
}

func (l *Leader) keep(tx Tx, report dap.Report) (dap.ReportError, error) {
	b, err := dap.Encode(l.Task.Variant, report)
	if err != nil {
		return 0, err
	}
	kept, err := tx.PutReport(l.Task.ID, report.ReportMetadata.ReportID, b)
	if err == nil && !kept {
		return dap.ReportReplayed, nil
	}
	return 0, err
}

// Aggregate verifies and adds up every report on the frozen roster. It may be
// interrupted anywhere and called again; a finished task is no error. It
// returns an error of kind Conflict, naming members, if a submission was not
// accepted: then the totals are not opened before the roster is amended.
func (l *Leader) Aggregate(ctx context.Context) error {
	return l.drive(ctx, func(l *Leader) error { return l.aggregate(ctx) })
}

func (l *Leader) aggregate(ctx context.Context) error {
	jobs, err := l.plan(ctx)
	if err != nil {
		return err
	}
	var open []int
	for _, job := range jobs {
		if !job.Done {
			open = append(open, job.Number)
		}
	}
	if err := l.runJobs(ctx, open); err != nil {
		return err
	}
	return l.requireAllAccepted(ctx)
}

// jobsAtOnce is how many jobs are under way at the same time: while one waits
// for the database or the Helper, another uses the processors.
const jobsAtOnce = 3

// runJobs takes jobs to their end. The first error stops the others, which go on
// when they are run again.
func (l *Leader) runJobs(ctx context.Context, numbers []int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		next   atomic.Int64
		wg     sync.WaitGroup
		failed = make(chan error, jobsAtOnce)
	)
	for range min(jobsAtOnce, len(numbers)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(numbers); i = next.Add(1) - 1 {
				if err := l.runJob(ctx, numbers[i]); err != nil {
					failed <- fmt.Errorf("aggregation job %d: %w", numbers[i], err)
					stop()
					return
				}
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed // the first, or nil
}

// plan stores, once, which reports go into which job: those on the roster, in
// its order, at most [dap.MaxJobReports] a job.
func (l *Leader) plan(ctx context.Context) ([]Job, error) {
	perJob, err := l.reportsPerJob()
	if err != nil {
		return nil, err
	}
	var jobs []Job
	err = l.Store.InTx(ctx, "plan jobs", func(tx Tx) error {
		_, roster, err := l.frozen(tx)
		if err != nil {
			return err
		}
		if jobs, err = tx.Jobs(l.Task.ID); err != nil || len(jobs) > 0 {
			return err
		}
		ids := make([]dap.ReportID, len(roster.Entries))
		for i, e := range roster.Entries {
			if ids[i], err = dap.ParseReportID(e.Report); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(ids, perJob) {
			jobs = append(jobs, Job{Number: len(jobs), Reports: chunk})
		}
		return tx.PlanJobs(l.Task.ID, jobs)
	})
	return jobs, err
}

// reportsPerJob keeps a request of full-sized reports under [dap.MaxJobSize].
func (l *Leader) reportsPerJob() (int, error) {
	const overhead = 1 << 10 // metadata, lengths, HPKE encapsulation of up to 1,120 bytes
	size := l.Task.VDAF.VerifierShareSize() + l.Task.VDAF.PublicShareSize() + l.Task.VDAF.InputShareSize(1) + 2*overhead
	n := min(dap.MaxJobReports, dap.MaxJobSize/size)
	if n == 0 {
		return 0, fmt.Errorf("aggregate: a verification message of %d bytes does not fit a job", size)
	}
	return n, nil
}

// runJob takes one job to its end: computes and fixes the request, sends it,
// and commits the answer. The Leader's verification states are not stored: they
// follow from the reports, so after an interruption they are computed again.
func (l *Leader) runJob(ctx context.Context, number int) error {
	var job Job
	var work []leaderReport
	err := l.Store.InTx(ctx, "read job", func(tx Tx) (err error) {
		work = work[:0]
		if job, err = tx.Job(l.Task.ID, number); err != nil {
			return err
		}
		return tx.JobReports(l.Task.ID, number, func(id dap.ReportID, body []byte) error {
			if body == nil {
				return fmt.Errorf("report %s is on the roster and not stored", id)
			}
			report, err := dap.Decode[dap.Report](l.Task.Variant, body)
			if err != nil {
				return fmt.Errorf("stored report %s: %w", id, err)
			}
			work = append(work, leaderReport{id: id, report: report})
			return nil
		})
	})
	if err != nil {
		return err
	}
	room := l.memory.borrow(len(work))
	defer l.memory.giveBack(room)
	if err := l.initialise(ctx, work, room); err != nil {
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

// leaderReport is one report of a job at the Leader.
type leaderReport struct {
	id     dap.ReportID
	report dap.Report
	*verified
}

// initialise opens and verifies the Leader's part of every report of a job, in
// the room given.
func (l *Leader) initialise(ctx context.Context, work []leaderReport, room []verified) error {
	now, err := l.latest()
	if err != nil {
		return err
	}
	for i := range work {
		work[i].verified = &room[i]
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
	var req dap.AggregationJobInitReq
	for i := range work {
		r := &work[i]
		if r.err != 0 {
			continue
		}
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
	return dap.Encode(l.Task.Variant, req)
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

// requireAllAccepted refuses to go on when a report on the roster was rejected.
func (l *Leader) requireAllAccepted(ctx context.Context) error {
	return l.Store.InTx(ctx, "check outcomes", func(tx Tx) error {
		_, roster, err := l.frozen(tx)
		if err != nil {
			return err
		}
		return l.checkOutcomes(tx, roster)
	})
}
