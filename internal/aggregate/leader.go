package aggregate

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
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
// report again is no error. Where the host holds as many as it may, it goes on
// taking those whose receipt it has: of these there is a bound already.
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
		var claimed map[dap.ReportID]bool
		if full {
			if claimed, err = tx.Claimed(l.Task.ID, reportIDs(req.Reports)); err != nil {
				return err
			}
		}
		for _, report := range req.Reports {
			e := l.checkUpload(report, now)
			if e == 0 {
				kept := closed == nil && (!full || claimed[report.ReportMetadata.ReportID])
				if e, err = l.keep(tx, report, !kept); err != nil {
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

func reportIDs(reports []dap.Report) []dap.ReportID {
	ids := make([]dap.ReportID, len(reports))
	for i, r := range reports {
		ids[i] = r.ReportMetadata.ReportID
	}
	return ids
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

// keep stores a report. Where nothing more is taken it knows those again that it
// has: the same upload has the same answer, also after the deadline.
func (l *Leader) keep(tx Tx, report dap.Report, closed bool) (dap.ReportError, error) {
	b, err := dap.Encode(l.Task.Variant, report)
	if err != nil {
		return 0, err
	}
	id := report.ReportMetadata.ReportID
	if closed {
		stored, err := tx.Reports(l.Task.ID, []dap.ReportID{id})
		if err == nil && !bytes.Equal(stored[id], b) {
			return dap.ReportDropped, nil
		}
		return 0, err
	}
	kept, err := tx.PutReport(l.Task.ID, id, b)
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
	if err := l.admit(ctx); err != nil {
		return err
	}
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
	if err := l.runJobs(ctx, open, len(jobs)); err != nil {
		return err
	}
	return l.requireAllAccepted(ctx)
}

// jobsAtOnce is how many jobs are under way at the same time: while one waits
// for the database or the Helper, another uses the processors.
const jobsAtOnce = 3

// runJobs takes jobs to their end. The first error stops the others, which go on
// when they are run again. total is how many jobs there are with those done before.
func (l *Leader) runJobs(ctx context.Context, numbers []int, total int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		next   atomic.Int64
		done   atomic.Int64
		wg     sync.WaitGroup
		failed = make(chan error, jobsAtOnce)
	)
	done.Store(int64(total - len(numbers)))
	for range min(jobsAtOnce, len(numbers)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(numbers); i = next.Add(1) - 1 {
				if err := l.runJob(ctx, numbers[i]); err != nil {
					failed <- fmt.Errorf("aggregation job %d: %w", numbers[i], err)
					stop()
					return
				}
				if n := done.Add(1); l.Progress != nil {
					l.Progress(int(n), total)
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
