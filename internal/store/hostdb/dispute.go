package hostdb

import (
	"database/sql"
	"errors"
	"fmt"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

func (t *hostTx) SetAside(task dap.TaskID, member coalition.MemberID, sequence uint64) (string, error) {
	var body []byte
	err := t.row(`SELECT body FROM receipts WHERE task_id = $1 AND member = $2 AND seq = $3`,
		task.String(), string(member), int64(sequence)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errs.New(errs.NotFound, fmt.Sprintf("this host holds no submission %d of %s", sequence, member), "")
	}
	if err != nil {
		return "", fmt.Errorf("read the receipt: %w", err)
	}
	_, err = t.exec(`INSERT INTO set_aside (task_id, member, seq) VALUES ($1, $2, $3) ON CONFLICT (task_id, member, seq) DO NOTHING`,
		task.String(), string(member), int64(sequence))
	if err != nil {
		return "", fmt.Errorf("set the receipt aside: %w", err)
	}
	return coalition.SignedReceipt{Body: body}.Digest(), nil
}

func (t *hostTx) WithdrawRoster(task dap.TaskID) error {
	n, err := t.exec(`UPDATE tasks SET phase = 'open' WHERE task_id = $1 AND phase = 'closing'`, task.String())
	if err == nil && n == 1 {
		_, err = t.exec(`DELETE FROM rosters WHERE task_id = $1`, task.String())
	}
	if err != nil {
		return fmt.Errorf("withdraw the roster: %w", err)
	}
	return nil
}

func (t *hostTx) ReceiptCount(task dap.TaskID, member coalition.MemberID) (int, error) {
	var n int
	err := t.row(`SELECT COUNT(*) FROM receipts WHERE task_id = $1 AND member = $2`, task.String(), string(member)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count receipts: %w", err)
	}
	return n, nil
}

func (t *hostTx) ReportCount(task dap.TaskID) (int, error) {
	var n int
	if err := t.row(`SELECT COUNT(*) FROM reports WHERE task_id = $1`, task.String()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count reports: %w", err)
	}
	return n, nil
}
