package hostdb

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
)

func (t *hostTx) AcquireLease(task dap.TaskID, holder string, now time.Time, ttl time.Duration) (aggregate.StoredLease, bool, error) {
	l := aggregate.StoredLease{Holder: holder, Expires: time.UnixMicro(now.Add(ttl).UnixMicro())}
	err := t.row(`INSERT INTO leases (task_id, holder, token, expires) VALUES ($1, $2, 1, $3)
		ON CONFLICT (task_id) DO UPDATE SET holder = excluded.holder, expires = excluded.expires,
			token = CASE WHEN leases.holder = excluded.holder AND leases.expires > $4 THEN leases.token ELSE leases.token + 1 END
			WHERE leases.holder = excluded.holder OR leases.expires <= $5
		RETURNING token`,
		task.String(), holder, l.Expires.UnixMicro(), now.UnixMicro(), now.Add(-aggregate.LeaseDrift).UnixMicro()).Scan(&l.Token)
	if err == nil {
		return l, true, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return aggregate.StoredLease{}, false, fmt.Errorf("take the lease: %w", err)
	}
	var expires int64
	err = t.row(`SELECT holder, token, expires FROM leases WHERE task_id = $1`, task.String()).Scan(&l.Holder, &l.Token, &expires)
	if err != nil {
		return aggregate.StoredLease{}, false, fmt.Errorf("read the lease: %w", err)
	}
	l.Expires = time.UnixMicro(expires)
	return l, false, nil
}

// RenewLease writes the row even where nothing changes, so that on PostgreSQL,
// too, another that wants the lease waits for the end of this transaction.
func (t *hostTx) RenewLease(task dap.TaskID, token int64, now time.Time, ttl time.Duration) (bool, error) {
	n, err := t.exec(`UPDATE leases SET expires = $3 WHERE task_id = $1 AND token = $2 AND expires > $4`,
		task.String(), token, now.Add(ttl).UnixMicro(), now.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("renew the lease: %w", err)
	}
	return n == 1, nil
}

func (t *hostTx) ReleaseLease(task dap.TaskID, token int64) error {
	if _, err := t.exec(`UPDATE leases SET expires = 0 WHERE task_id = $1 AND token = $2`, task.String(), token); err != nil {
		return fmt.Errorf("give the lease back: %w", err)
	}
	return nil
}
