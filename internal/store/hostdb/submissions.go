package hostdb

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store"
)

func roleName(role dap.Role) (string, error) {
	switch role {
	case dap.RoleLeader:
		return "leader", nil
	case dap.RoleHelper:
		return "helper", nil
	}
	return "", fmt.Errorf("a task's role is Leader or Helper, not %d", role)
}

func (t *hostTx) CreateTask(task dap.TaskID, role dap.Role) error {
	name, err := roleName(role)
	if err != nil {
		return err
	}
	var stored string
	err = t.row(`INSERT INTO tasks (task_id, role, phase) VALUES ($1, $2, 'open')
		ON CONFLICT (task_id) DO UPDATE SET role = tasks.role RETURNING role`, task.String(), name).Scan(&stored)
	if err != nil {
		return fmt.Errorf("create the task: %w", err)
	}
	if stored != name {
		return errs.New(errs.Conflict, fmt.Sprintf("this database holds the task as %s", stored), "a host takes one role in a task")
	}
	return nil
}

func (t *hostTx) Phase(task dap.TaskID) (aggregate.Phase, error) {
	var phase aggregate.Phase
	err := t.row(`SELECT phase FROM tasks WHERE task_id = $1`, task.String()).Scan(&phase)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, "this host does not know the task", "")
	}
	return phase, err
}

func (t *hostTx) Advance(task dap.TaskID, from, to aggregate.Phase) error {
	if !from.Before(to) {
		return errs.New(errs.Conflict, fmt.Sprintf("a task cannot go from %s to %s", from, to), "a task only moves forward")
	}
	n, err := t.exec(`UPDATE tasks SET phase = $3, sum_left = (sum_left OR $4) WHERE task_id = $1 AND phase = $2`,
		task.String(), string(from), string(to), to == aggregate.PhaseCollected)
	if err != nil {
		return fmt.Errorf("advance the task: %w", err)
	}
	if n == 0 {
		return errs.New(errs.Conflict, fmt.Sprintf("the task is not %s any more", from), "")
	}
	return nil
}

func (t *hostTx) SumLeft(task dap.TaskID) (left bool, err error) {
	err = t.row(`SELECT sum_left FROM tasks WHERE task_id = $1`, task.String()).Scan(&left)
	if errors.Is(err, sql.ErrNoRows) {
		return false, errs.New(errs.NotFound, "this host does not know the task", "")
	}
	return left, err
}

func (t *hostTx) PutReceipt(task dap.TaskID, r aggregate.StoredReceipt) error {
	n, err := t.exec(`INSERT INTO receipts (task_id, member, seq, report_id, body, signature)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (task_id, member, seq) DO NOTHING`,
		task.String(), string(r.Receipt.Member), int64(r.Receipt.Sequence), r.Receipt.Report, r.Signed.Body, r.Signed.Signature)
	if store.IsUnique(err) {
		return errs.New(errs.Conflict, "another receipt for this submission is stored", "seal the answers again")
	}
	if err != nil {
		return fmt.Errorf("store the receipt: %w", err)
	}
	if n == 1 {
		return nil
	}
	var body []byte
	err = t.row(`SELECT body FROM receipts WHERE task_id = $1 AND member = $2 AND seq = $3`,
		task.String(), string(r.Receipt.Member), int64(r.Receipt.Sequence)).Scan(&body)
	if err != nil {
		return fmt.Errorf("read the stored receipt: %w", err)
	}
	if !bytes.Equal(body, r.Signed.Body) {
		return errs.New(errs.Conflict, fmt.Sprintf("%s has another submission with the sequence number %d", r.Receipt.Member, r.Receipt.Sequence),
			"seal again with a higher sequence number")
	}
	return nil
}

func (t *hostTx) HasReceipt(task dap.TaskID, r aggregate.StoredReceipt) (bool, error) {
	var n int
	err := t.row(`SELECT COUNT(*) FROM receipts WHERE task_id = $1 AND member = $2 AND seq = $3 AND body = $4`,
		task.String(), string(r.Receipt.Member), int64(r.Receipt.Sequence), r.Signed.Body).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for the receipt: %w", err)
	}
	return n == 1, nil
}

func (t *hostTx) LastSequence(task dap.TaskID, member coalition.MemberID) (uint64, error) {
	var last sql.NullInt64
	err := t.row(`SELECT MAX(seq) FROM receipts AS r WHERE task_id = $1 AND member = $2
		AND NOT EXISTS (SELECT 1 FROM set_aside AS s WHERE s.task_id = r.task_id AND s.member = r.member AND s.seq = r.seq)`,
		task.String(), string(member)).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("read the last sequence number: %w", err)
	}
	return uint64(last.Int64), nil
}

func (t *hostTx) Receipt(task dap.TaskID, report dap.ReportID) (aggregate.StoredReceipt, bool, error) {
	var r aggregate.StoredReceipt
	err := t.row(`SELECT body, signature FROM receipts WHERE task_id = $1 AND report_id = $2`, task.String(), report.String()).
		Scan(&r.Signed.Body, &r.Signed.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return aggregate.StoredReceipt{}, false, nil
	}
	if err == nil {
		err = keys.DecodeCanonical(r.Signed.Body, &r.Receipt)
	}
	if err != nil {
		return aggregate.StoredReceipt{}, false, fmt.Errorf("read a receipt: %w", err)
	}
	return r, true, nil
}

func (t *hostTx) LastReceipts(task dap.TaskID) ([]aggregate.StoredReceipt, error) {
	var list []aggregate.StoredReceipt
	err := t.rows(`SELECT body, signature FROM receipts AS r WHERE task_id = $1 AND seq =
		(SELECT MAX(other.seq) FROM receipts AS other WHERE other.task_id = r.task_id AND other.member = r.member
			AND NOT EXISTS (SELECT 1 FROM set_aside AS s
				WHERE s.task_id = other.task_id AND s.member = other.member AND s.seq = other.seq))
		ORDER BY member`, []any{task.String()}, func(rows *sql.Rows) error {
		var r aggregate.StoredReceipt
		if err := rows.Scan(&r.Signed.Body, &r.Signed.Signature); err != nil {
			return err
		}
		if err := keys.DecodeCanonical(r.Signed.Body, &r.Receipt); err != nil {
			return err
		}
		if _, err := dap.ParseReportID(r.Receipt.Report); err != nil {
			return err // the database was changed: the host checked every receipt
		}
		list = append(list, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list receipts: %w", err)
	}
	return list, nil
}

func (t *hostTx) PutRoster(task dap.TaskID, r coalition.SignedRoster) error {
	var stored []byte
	// A signature grows when the note that is stored begins the new one.
	err := t.row(`INSERT INTO rosters (task_id, body, signature) VALUES ($1, $2, $3)
		ON CONFLICT (task_id) DO UPDATE SET signature = excluded.signature
			WHERE rosters.body = excluded.body
			AND substr(excluded.signature, 1, length(rosters.signature)) = rosters.signature
		RETURNING body`, task.String(), r.Body, r.Signature).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return errs.New(errs.Conflict, "another roster is stored, or this one with other signatures", "a roster never changes once it is proposed, and keeps its signatures")
	}
	if err != nil {
		return fmt.Errorf("store the roster: %w", err)
	}
	return nil
}

func (t *hostTx) Roster(task dap.TaskID) (coalition.SignedRoster, bool, error) {
	var r coalition.SignedRoster
	err := t.row(`SELECT body, signature FROM rosters WHERE task_id = $1`, task.String()).Scan(&r.Body, &r.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return coalition.SignedRoster{}, false, nil
	}
	if err != nil {
		return coalition.SignedRoster{}, false, fmt.Errorf("read the roster: %w", err)
	}
	return r, true, nil
}

func (t *hostTx) PutAmendment(task dap.TaskID, number int, a coalition.SignedAmendment) error {
	return t.putNumbered("amendments", task, number, a.Body, a.Signature)
}

func (t *hostTx) Amendments(task dap.TaskID) ([]coalition.SignedAmendment, error) {
	var list []coalition.SignedAmendment
	err := t.numbered("amendments", task, func(body, signature []byte) {
		list = append(list, coalition.SignedAmendment{Body: body, Signature: signature})
	})
	return list, err
}

func (t *hostTx) PutAddendum(task dap.TaskID, number int, a coalition.SignedAddendum) error {
	return t.putNumbered("addenda", task, number, a.Body, a.Signature)
}

func (t *hostTx) Addenda(task dap.TaskID) ([]coalition.SignedAddendum, error) {
	var list []coalition.SignedAddendum
	err := t.numbered("addenda", task, func(body, signature []byte) {
		list = append(list, coalition.SignedAddendum{Body: body, Signature: signature})
	})
	return list, err
}

// putNumbered appends a signed file to a table of numbered ones without a gap.
func (t *hostTx) putNumbered(table string, task dap.TaskID, number int, body, signature []byte) error {
	var stored int
	if err := t.row(`SELECT COUNT(*) FROM `+table+` WHERE task_id = $1`, task.String()).Scan(&stored); err != nil {
		return fmt.Errorf("count %s: %w", table, err)
	}
	if number != stored+1 {
		return errs.New(errs.Conflict, fmt.Sprintf("number %d of the %s does not follow %d", number, table, stored), "")
	}
	if _, err := t.exec(`INSERT INTO `+table+` (task_id, number, body, signature) VALUES ($1, $2, $3, $4)`,
		task.String(), number, body, signature); err != nil {
		return fmt.Errorf("store number %d of the %s: %w", number, table, err)
	}
	return nil
}

func (t *hostTx) numbered(table string, task dap.TaskID, each func(body, signature []byte)) error {
	err := t.rows(`SELECT body, signature FROM `+table+` WHERE task_id = $1 ORDER BY number`, []any{task.String()},
		func(rows *sql.Rows) error {
			var body, signature []byte
			if err := rows.Scan(&body, &signature); err != nil {
				return err
			}
			each(body, signature)
			return nil
		})
	if err != nil {
		return fmt.Errorf("list the %s: %w", table, err)
	}
	return nil
}

func (t *hostTx) PutReport(task dap.TaskID, id dap.ReportID, body []byte) (bool, error) {
	var stored string
	err := t.row(`INSERT INTO reports (task_id, report_id, body) VALUES ($1, $2, $3)
		ON CONFLICT (task_id, report_id) DO UPDATE SET body = reports.body WHERE reports.body = excluded.body
		RETURNING report_id`, task.String(), id.String(), body).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("store a report: %w", err)
	}
	return true, nil
}

func (t *hostTx) Claimed(task dap.TaskID, ids []dap.ReportID) (map[dap.ReportID]bool, error) {
	claimed := make(map[dap.ReportID]bool, len(ids))
	err := t.each(`SELECT report_id FROM receipts WHERE task_id = $1 AND report_id IN`, task, ids, func(rows *sql.Rows) error {
		id, err := scanReport(rows)
		claimed[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for receipts: %w", err)
	}
	return claimed, nil
}

func (t *hostTx) Reports(task dap.TaskID, ids []dap.ReportID) (map[dap.ReportID][]byte, error) {
	bodies := make(map[dap.ReportID][]byte, len(ids))
	err := t.each(`SELECT body, report_id FROM reports WHERE task_id = $1 AND report_id IN`, task, ids, func(rows *sql.Rows) error {
		var body []byte
		id, err := scanReport(rows, &body)
		bodies[id] = body
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", err)
	}
	return bodies, nil
}

func (t *hostTx) Settle(task dap.TaskID, reports []aggregate.Settlement) (map[dap.ReportID]bool, error) {
	for _, r := range reports {
		// What is written must be readable: Settled reads all or nothing.
		name := errorName(r.Outcome)
		if known, err := dap.ParseReportError(name); known != r.Outcome.Error || (err == nil) == r.Outcome.Accepted {
			return nil, fmt.Errorf("settle a report: accepted is %t and the error %v", r.Outcome.Accepted, r.Outcome.Error)
		}
	}
	// The task is asked for once: a reference in the schema would ask for it
	// again for every row.
	if _, err := t.Phase(task); err != nil {
		return nil, err
	}
	// Nearly always all of them are fresh, and to just insert them costs half.
	err := t.attempt(func() error { return t.settle(task, reports) })
	if err == nil {
		fresh := make(map[dap.ReportID]bool, len(reports))
		for _, r := range reports {
			fresh[r.Report] = true
		}
		return fresh, nil
	}
	if !store.IsUnique(err) {
		return nil, fmt.Errorf("settle reports: %w", err)
	}
	fresh, err := t.settleFresh(task, reports)
	if err != nil {
		return nil, fmt.Errorf("settle reports: %w", err)
	}
	return fresh, nil
}

// errorName is the error of an outcome as it is stored.
func errorName(o aggregate.Outcome) string {
	if o.Accepted {
		return ""
	}
	return o.Error.String()
}

// settle settles reports of which none was settled and none is listed twice.
func (t *hostTx) settle(task dap.TaskID, reports []aggregate.Settlement) error {
	var accepted []dap.ReportID
	var rejected []any
	for _, r := range reports {
		if r.Outcome.Accepted {
			accepted = append(accepted, r.Report)
		} else {
			rejected = append(rejected, r.Report.String(), errorName(r.Outcome))
		}
	}
	for some := range slices.Chunk(accepted, perStatement) {
		_, err := t.exec(`INSERT INTO settled_reports (task_id, report_id, accepted, report_error)
			SELECT $1, key, TRUE, '' FROM json_each($2)`, task.String(), positions(some))
		if err != nil {
			return err
		}
	}
	return t.bulk(insertSettled, "($1, ?, FALSE, ?)", task, rejected, "", nil)
}

const insertSettled = `INSERT INTO settled_reports (task_id, report_id, accepted, report_error)`

// settleFresh settles those that were not settled before, and returns them.
func (t *hostTx) settleFresh(task dap.TaskID, reports []aggregate.Settlement) (map[dap.ReportID]bool, error) {
	var rows []any
	for _, r := range reports {
		rows = append(rows, r.Report.String(), r.Outcome.Accepted, errorName(r.Outcome))
	}
	fresh := make(map[dap.ReportID]bool, len(reports))
	return fresh, t.bulk(insertSettled, "($1, ?, ?, ?)", task, rows,
		`ON CONFLICT (task_id, report_id) DO NOTHING RETURNING report_id`, func(rows *sql.Rows) error {
			id, err := scanReport(rows)
			fresh[id] = true
			return err
		})
}

func (t *hostTx) Settled(task dap.TaskID) (map[dap.ReportID]aggregate.Outcome, error) {
	settled := make(map[dap.ReportID]aggregate.Outcome)
	err := t.rows(`SELECT accepted, report_error, report_id FROM settled_reports WHERE task_id = $1`,
		[]any{task.String()}, func(rows *sql.Rows) error {
			var outcome aggregate.Outcome
			var name string
			report, err := scanReport(rows, &outcome.Accepted, &name)
			if err == nil && !outcome.Accepted {
				outcome.Error, err = dap.ParseReportError(name)
			}
			settled[report] = outcome
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list settled reports: %w", err)
	}
	return settled, nil
}
