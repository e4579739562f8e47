package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// RestoreSnapshot puts what [DB.Snapshot] wrote where cfg says: a file that is
// not there yet, or a PostgreSQL database without tables. It refuses, with kind
// Conflict, to replace anything.
func RestoreSnapshot(ctx context.Context, cfg Config, path string) error {
	switch {
	case cfg.Path != "":
		return restoreSQLite(cfg.Path, path)
	case cfg.DSNFile != "" && cfg.DSN.IsZero():
		var err error
		if cfg.DSN, err = readDSN(cfg.DSNFile); err != nil {
			return err
		}
	}
	return restorePostgres(ctx, cfg, path)
}

func restoreSQLite(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // nothing was written
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return errs.New(errs.Conflict, "there is a database already: "+to, "a restore replaces nothing; give another folder, or move it away")
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(to))
		}
	}()
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
