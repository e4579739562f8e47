package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"muster/internal/errs"
)

// Snapshot writes a copy of the whole database, as it is at one moment, to a new
// file with mode 0600: of SQLite a database file, of PostgreSQL an archive of
// pg_dump, which has to be installed. Others may read and write meanwhile. What
// it has written when it fails is removed.
func (db *DB) Snapshot(ctx context.Context, path string) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if err := db.gate.enter(ctx, 1); err != nil {
		return err
	}
	defer db.gate.leave(1)
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := db.engine.snapshot(ctx, conn, path); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return nil
}

// Mark is run in one transaction with the restore of a snapshot: what it writes is
// in the restored database from its first moment on.
type Mark func(db *DB, tx *sql.Tx) error

// RestoreSnapshot puts what [DB.Snapshot] wrote where cfg says: a file that is
// not there yet, or a PostgreSQL database without tables. It refuses, with kind
// Conflict, to replace anything. The snapshot is used up.
//
// A database that was restored without its mark is opened by nobody, whenever the
// restore is interrupted: a file gets its name when it is marked, and in a
// PostgreSQL database stands a table, until it is marked, at which [Open] refuses.
func RestoreSnapshot(ctx context.Context, cfg Config, path string, mark Mark) error {
	switch {
	case cfg.Path != "":
		return restoreSQLite(ctx, cfg, path, mark)
	case cfg.DSNFile != "" && cfg.DSN.IsZero():
		dsn, err := readDSN(cfg.DSNFile)
		if err != nil {
			return err
		}
		cfg.DSN, cfg.DSNFile = dsn, ""
	}
	return restorePostgres(ctx, cfg, path, mark)
}

// markRestored opens a database and marks it.
func markRestored(ctx context.Context, cfg Config, mark Mark) (err error) {
	cfg.restoring = true
	db, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.InTx(ctx, "mark as restored", func(tx *sql.Tx) error {
		if err := mark(db, tx); err != nil || cfg.Path != "" {
			return err
		}
		_, err := tx.ExecContext(ctx, `DROP TABLE `+restoringTable)
		return err
	})
}

func restoreSQLite(ctx context.Context, cfg Config, from string, mark Mark) (err error) {
	to := cfg.Path
	occupied := func() error {
		return errs.New(errs.Conflict, "there is a database already: "+to, "a restore replaces nothing; give another folder, or move it away")
	}
	if _, err := os.Lstat(to); err == nil {
		return occupied()
	}
	if _, err := os.Stat(from); err != nil { // it would be made
		return err
	}
	cfg.Path = from
	if err := markRestored(ctx, cfg, mark); err != nil {
		return err
	}
	// A mark that is in the log only would stay behind.
	if info, err := os.Stat(from + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("the write-ahead log of %s is not empty", from)
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // nothing was written
	part := to + ".restoring"
	out, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(to); err == nil {
		return occupied()
	}
	return os.Rename(part, to)
}
