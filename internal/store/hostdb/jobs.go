package hostdb

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
)

func (t *hostTx) PlanJobs(task dap.TaskID, jobs []aggregate.Job) error {
	var planned int64
	if err := t.row(`SELECT COUNT(*) FROM leader_jobs WHERE task_id = $1`, task.String()).Scan(&planned); err != nil {
		return fmt.Errorf("count the planned jobs: %w", err)
	}
	if planned > 0 {
		return errs.New(errs.Conflict, "the aggregation jobs of the task are planned", "")
	}
	var rows []any
	for _, job := range jobs {
		rows = append(rows, job.Number)
	}
	if err := t.bulk(`INSERT INTO leader_jobs (task_id, number)`, "($1, ?)", task, rows, "", nil); err != nil {
		return fmt.Errorf("plan %d jobs: %w", len(jobs), err)
	}
	for _, job := range jobs {
		_, err := t.exec(`INSERT INTO leader_job_reports (task_id, number, position, report_id)
			SELECT $1, CAST($2 AS BIGINT), CAST(CAST(value AS TEXT) AS BIGINT), key FROM json_each($3)`,
			task.String(), job.Number, positions(job.Reports))
		if err != nil {
			return fmt.Errorf("plan the reports of job %d: %w", job.Number, err)
		}
	}
	return nil
}

func (t *hostTx) Jobs(task dap.TaskID) ([]aggregate.Job, error) {
	var jobs []aggregate.Job
	err := t.rows(`SELECT number, done FROM leader_jobs WHERE task_id = $1 ORDER BY number`, []any{task.String()},
		func(rows *sql.Rows) error {
			var job aggregate.Job
			err := rows.Scan(&job.Number, &job.Done)
			jobs = append(jobs, job)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	at := 0
	err = t.rows(`SELECT number, report_id FROM leader_job_reports WHERE task_id = $1 ORDER BY number, position`, []any{task.String()},
		func(rows *sql.Rows) error {
			var number int
			id, err := scanReport(rows, &number)
			if err != nil {
				return err
			}
			for jobs[at].Number != number { // a report has a job, which is in the same order
				at++
			}
			jobs[at].Reports = append(jobs[at].Reports, id)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("list the reports of the jobs: %w", err)
	}
	return jobs, nil
}

// scanReport scans a row whose last column is a report's id.
func scanReport(rows *sql.Rows, before ...any) (dap.ReportID, error) {
	var text string
	if err := rows.Scan(append(before, &text)...); err != nil {
		return dap.ReportID{}, err
	}
	return dap.ParseReportID(text)
}

func (t *hostTx) Job(task dap.TaskID, number int) (aggregate.Job, error) {
	job := aggregate.Job{Number: number}
	err := t.row(`SELECT request, done FROM leader_jobs WHERE task_id = $1 AND number = $2`, task.String(), number).
		Scan(&job.Request, &job.Done)
	if err != nil {
		return aggregate.Job{}, fmt.Errorf("read job %d: %w", number, err)
	}
	return job, nil
}

func (t *hostTx) JobReports(task dap.TaskID, number int, each func(id dap.ReportID, body []byte) error) error {
	var body sql.RawBytes // a copy less of what is most of a job
	err := t.rows(`SELECT r.body, j.report_id FROM leader_job_reports AS j
		LEFT JOIN reports AS r ON r.task_id = j.task_id AND r.report_id = j.report_id
		WHERE j.task_id = $1 AND j.number = $2 ORDER BY j.position`,
		[]any{task.String(), number}, func(rows *sql.Rows) error {
			id, err := scanReport(rows, &body)
			if err != nil {
				return err
			}
			return each(id, body)
		})
	if err != nil {
		return fmt.Errorf("read the reports of job %d: %w", number, err)
	}
	return nil
}

func (t *hostTx) PutJobRequest(task dap.TaskID, number int, request []byte) error {
	n, err := t.exec(`UPDATE leader_jobs SET request = $3 WHERE task_id = $1 AND number = $2 AND request IS NULL`,
		task.String(), number, request)
	if err != nil {
		return fmt.Errorf("store the request of job %d: %w", number, err)
	}
	if n == 0 {
		return errs.New(errs.Conflict, fmt.Sprintf("job %d has a request", number), "")
	}
	return nil
}

func (t *hostTx) FinishJob(task dap.TaskID, number int) error {
	n, err := t.exec(`UPDATE leader_jobs SET done = TRUE WHERE task_id = $1 AND number = $2 AND NOT done`, task.String(), number)
	if err != nil {
		return fmt.Errorf("finish job %d: %w", number, err)
	}
	if n == 0 {
		return errs.New(errs.Conflict, fmt.Sprintf("job %d is finished", number), "")
	}
	return nil
}

func (t *hostTx) PutResponse(task dap.TaskID, id string, response []byte) error {
	if _, err := t.exec(`INSERT INTO helper_jobs (task_id, job_id, response) VALUES ($1, $2, $3)`, task.String(), id, response); err != nil {
		return fmt.Errorf("store the response of job %s: %w", id, err)
	}
	return nil
}

func (t *hostTx) Response(task dap.TaskID, id string) ([]byte, bool, error) {
	var response []byte
	err := t.row(`SELECT response FROM helper_jobs WHERE task_id = $1 AND job_id = $2`, task.String(), id).Scan(&response)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the response of job %s: %w", id, err)
	}
	return response, true, nil
}

func (t *hostTx) ForgetResponse(task dap.TaskID, id string) (bool, error) {
	n, err := t.exec(`DELETE FROM helper_jobs WHERE task_id = $1 AND job_id = $2`, task.String(), id)
	if err != nil {
		return false, fmt.Errorf("forget the response of job %s: %w", id, err)
	}
	return n == 1, nil
}

func bucketPlace(task dap.TaskID, start dap.Time) string {
	return fmt.Sprintf("batch_buckets/%s/%d/share", task, start)
}

func (t *hostTx) scanBucket(task dap.TaskID, scan func(...any) error) (aggregate.Bucket, error) {
	var b aggregate.Bucket
	var start, count int64
	var sealed, checksum []byte
	if err := scan(&start, &sealed, &count, &checksum); err != nil {
		return aggregate.Bucket{}, err
	}
	b.Start, b.Count = dap.Time(start), uint64(count)
	copy(b.Checksum[:], checksum)
	var err error
	b.Share, err = t.openColumn(bucketPlace(task, b.Start), sealed)
	return b, err
}

func (t *hostTx) Bucket(task dap.TaskID, start dap.Time) (aggregate.Bucket, bool, error) {
	row := t.row(`SELECT start, share, count, checksum FROM batch_buckets WHERE task_id = $1 AND start = $2`,
		task.String(), int64(start))
	b, err := t.scanBucket(task, row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return aggregate.Bucket{}, false, nil
	}
	if err != nil {
		return aggregate.Bucket{}, false, fmt.Errorf("read a batch bucket: %w", err)
	}
	return b, true, nil
}

func (t *hostTx) PutBucket(task dap.TaskID, b aggregate.Bucket) error {
	_, err := t.exec(`INSERT INTO batch_buckets (task_id, start, share, count, checksum) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (task_id, start) DO UPDATE SET share = excluded.share, count = excluded.count, checksum = excluded.checksum`,
		task.String(), int64(b.Start), t.sealColumn(bucketPlace(task, b.Start), b.Share), int64(b.Count), b.Checksum[:])
	if err != nil {
		return fmt.Errorf("store a batch bucket: %w", err)
	}
	return nil
}

func (t *hostTx) Buckets(task dap.TaskID) ([]aggregate.Bucket, error) {
	var buckets []aggregate.Bucket
	err := t.rows(`SELECT start, share, count, checksum FROM batch_buckets WHERE task_id = $1 ORDER BY start`,
		[]any{task.String()}, func(rows *sql.Rows) error {
			b, err := t.scanBucket(task, rows.Scan)
			buckets = append(buckets, b)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list batch buckets: %w", err)
	}
	return buckets, nil
}

func (t *hostTx) PutCollection(task dap.TaskID, c aggregate.Collection) error {
	stored, ok, err := t.Collection(task)
	switch {
	case err != nil:
		return err
	case !ok:
		_, err = t.exec(`INSERT INTO collections (task_id, request, response) VALUES ($1, $2, $3)`, task.String(), c.Request, c.Response)
	case !bytes.Equal(stored.Request, c.Request):
		return errs.New(errs.Conflict, "the batch was collected with another request", "a batch is collected once")
	case stored.Response != nil:
		return errs.New(errs.Conflict, "the batch was collected", "a batch is collected once")
	default:
		_, err = t.exec(`UPDATE collections SET response = $2 WHERE task_id = $1 AND response IS NULL`, task.String(), c.Response)
	}
	if err != nil {
		return fmt.Errorf("store the collection: %w", err)
	}
	return nil
}

func (t *hostTx) Collection(task dap.TaskID) (aggregate.Collection, bool, error) {
	var c aggregate.Collection
	err := t.row(`SELECT request, response FROM collections WHERE task_id = $1`, task.String()).Scan(&c.Request, &c.Response)
	if errors.Is(err, sql.ErrNoRows) {
		return aggregate.Collection{}, false, nil
	}
	if err != nil {
		return aggregate.Collection{}, false, fmt.Errorf("read the collection: %w", err)
	}
	return c, true, nil
}
