package hostdb

import (
	"fmt"

	"muster/dap"
)

func (t *hostTx) Wipe(task dap.TaskID, atMost int) (left bool, err error) {
	for _, of := range []struct{ table, key string }{
		{"reports", "report_id"},
		{"set_aside", "member"}, // before the receipts that they are of
		{"receipts", "report_id"},
		{"leader_job_reports", "report_id"}, // before the jobs that they are of
		{"leader_jobs", "number"},
		{"helper_jobs", "job_id"},
		{"batch_buckets", "start"},
		{"collections", "task_id"},
	} {
		n, err := t.exec(`DELETE FROM `+of.table+` WHERE task_id = $1 AND `+of.key+` IN
			(SELECT `+of.key+` FROM `+of.table+` WHERE task_id = $1 LIMIT CAST($2 AS BIGINT))`, task.String(), atMost)
		if err != nil {
			return false, fmt.Errorf("wipe %s: %w", of.table, err)
		}
		if int(n) >= atMost { // and what is referred to by the rest waits for it
			return true, nil
		}
	}
	return false, nil
}
