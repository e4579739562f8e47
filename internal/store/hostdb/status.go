package hostdb

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
)

// lastReceipts selects what [hostTx.LastReceipts] does: a member's last receipt is the one with the highest number of those
// that were not set aside.
const lastReceipts = `SELECT r.member, r.seq, r.report_id FROM receipts AS r WHERE r.task_id = $1 AND r.seq =
	(SELECT MAX(other.seq) FROM receipts AS other WHERE other.task_id = r.task_id AND other.member = r.member
		AND NOT EXISTS (SELECT 1 FROM set_aside AS s
			WHERE s.task_id = other.task_id AND s.member = other.member AND s.seq = other.seq))`

func (t *hostTx) Counts(task dap.TaskID) (aggregate.Counts, error) {
	var c aggregate.Counts
	for _, n := range []struct {
		into  *int
		query string
	}{
		{&c.Receipts, `SELECT COUNT(*) FROM receipts WHERE task_id = $1`},
		{&c.Members, `SELECT COUNT(*) FROM (` + lastReceipts + `) AS l`},
		{&c.Complete, `SELECT COUNT(*) FROM (` + lastReceipts + `) AS l WHERE EXISTS
			(SELECT 1 FROM reports AS u WHERE u.task_id = $1 AND u.report_id = l.report_id)`},
		{&c.Reports, `SELECT COUNT(*) FROM reports WHERE task_id = $1`},
		{&c.Unclaimed, `SELECT COUNT(*) FROM reports AS u WHERE u.task_id = $1 AND NOT EXISTS
			(SELECT 1 FROM receipts AS r WHERE r.task_id = u.task_id AND r.report_id = u.report_id)`},
		{&c.SetAside, `SELECT COUNT(*) FROM set_aside WHERE task_id = $1`},
		{&c.Jobs, `SELECT COUNT(*) FROM leader_jobs WHERE task_id = $1`},
		{&c.JobsDone, `SELECT COUNT(*) FROM leader_jobs WHERE task_id = $1 AND done`},
		{&c.Accepted, `SELECT COUNT(*) FROM settled_reports WHERE task_id = $1 AND accepted`},
		{&c.Rejected, `SELECT COUNT(*) FROM settled_reports WHERE task_id = $1 AND NOT accepted`},
	} {
		if err := t.row(n.query, task.String()).Scan(n.into); err != nil {
			return aggregate.Counts{}, fmt.Errorf("count: %w", err)
		}
	}
	return c, nil
}

func (t *hostTx) Deliveries(task dap.TaskID) ([]aggregate.Delivery, error) {
	var list []aggregate.Delivery
	err := t.rows(`SELECT l.member, l.seq, EXISTS (SELECT 1 FROM reports AS u WHERE u.task_id = $1 AND u.report_id = l.report_id)
		FROM (`+lastReceipts+`) AS l ORDER BY l.member`, []any{task.String()}, func(rows *sql.Rows) error {
		var d aggregate.Delivery
		var seq int64
		err := rows.Scan(&d.Member, &seq, &d.Report)
		d.Sequence = uint64(seq)
		list = append(list, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

func (t *hostTx) SetAsides(task dap.TaskID) ([]aggregate.SetAsideReceipt, error) {
	var list []aggregate.SetAsideReceipt
	err := t.rows(`SELECT member, seq FROM set_aside WHERE task_id = $1 ORDER BY member, seq`, []any{task.String()}, func(rows *sql.Rows) error {
		var member string
		var seq int64
		err := rows.Scan(&member, &seq)
		list = append(list, aggregate.SetAsideReceipt{Member: coalition.MemberID(member), Sequence: uint64(seq)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what was set aside: %w", err)
	}
	return list, nil
}

func (t *hostTx) Rejected(task dap.TaskID) (map[dap.ReportID]dap.ReportError, error) {
	rejected := make(map[dap.ReportID]dap.ReportError)
	err := t.rows(`SELECT report_error, report_id FROM settled_reports WHERE task_id = $1 AND NOT accepted`, []any{task.String()}, func(rows *sql.Rows) error {
		var name string
		id, err := scanReport(rows, &name)
		if err == nil {
			rejected[id], err = dap.ParseReportError(name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list rejected reports: %w", err)
	}
	return rejected, nil
}

func (t *hostTx) Lease(task dap.TaskID) (aggregate.StoredLease, bool, error) {
	var l aggregate.StoredLease
	var expires int64
	err := t.row(`SELECT holder, token, expires FROM leases WHERE task_id = $1`, task.String()).Scan(&l.Holder, &l.Token, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return aggregate.StoredLease{}, false, nil
	}
	if err != nil {
		return aggregate.StoredLease{}, false, fmt.Errorf("read the lease: %w", err)
	}
	l.Expires = time.UnixMicro(expires)
	return l, true, nil
}
