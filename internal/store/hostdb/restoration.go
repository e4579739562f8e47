package hostdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"muster/internal/store"
)

// Restoration says that a database came from a backup.
type Restoration struct {
	Backup    string // hex SHA-256 of the backup's manifest
	Restored  time.Time
	Taken     time.Time // when the backup was
	Statement Statement
}

// Statement is what the coordinator said of its collection when a backup was
// restored.
type Statement string

// The statements.
const (
	Collected    Statement = "collected"
	NotCollected Statement = "not collected"
	NotAsked     Statement = "not asked" // it does not matter: at a Leader, or after this host had given its sum
)

// PutRestoration records that this database was restored, and that the other
// host has yet to be asked.
func (d *DB) PutRestoration(ctx context.Context, r Restoration) error {
	return d.inTx(ctx, "record a restoration", func(tx *hostTx) error { return tx.putRestoration(r) })
}

func (t *hostTx) putRestoration(r Restoration) error {
	_, err := t.exec(`INSERT INTO restorations (backup, restored, taken, statement) VALUES ($1, $2, $3, $4)`,
		r.Backup, r.Restored.UnixMicro(), r.Taken.UnixMicro(), string(r.Statement))
	if err != nil {
		return fmt.Errorf("record a restoration: %w", err)
	}
	return nil
}

// PendingRestoration returns the last restoration after which the other host was
// not asked yet, or ok false.
func (d *DB) PendingRestoration(ctx context.Context) (r Restoration, ok bool, err error) {
	err = d.inTx(ctx, "read restorations", func(tx *hostTx) error {
		var restored, taken int64
		err := tx.row(`SELECT backup, restored, taken, statement FROM restorations WHERE NOT reconciled ORDER BY restored DESC LIMIT 1`).
			Scan(&r.Backup, &restored, &taken, &r.Statement)
		if errors.Is(err, sql.ErrNoRows) {
			ok = false
			return nil
		}
		r.Restored, r.Taken, ok = time.UnixMicro(restored), time.UnixMicro(taken), true
		return err
	})
	return r, ok, err
}

// FinishRestorations records that the other host was asked.
func (d *DB) FinishRestorations(ctx context.Context) error {
	return d.inTx(ctx, "finish restorations", func(tx *hostTx) error {
		_, err := tx.exec(`UPDATE restorations SET reconciled = TRUE WHERE NOT reconciled`)
		return err
	})
}

// Snapshot writes a copy of the whole database, as it is at one moment, to a new
// file with mode 0600. Others may read and write meanwhile.
func (d *DB) Snapshot(ctx context.Context, path string) error { return d.db.Snapshot(ctx, path) }

// RestoreSnapshot puts a snapshot where cfg says, and records that it was
// restored: there is no moment at which the database could be served without
// this. It refuses where there is a database already, and uses the snapshot up.
func RestoreSnapshot(ctx context.Context, cfg Config, path string, r Restoration) error {
	to := store.Config{Path: cfg.Path, DSN: cfg.DSN, DSNFile: cfg.DSNFile, Migrations: store.Archive(schema)}
	return store.RestoreSnapshot(ctx, to, path, func(db *store.DB, tx *sql.Tx) error {
		return (&hostTx{ctx: ctx, tx: tx, rebind: db.Rebind}).putRestoration(r)
	})
}
