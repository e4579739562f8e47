package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// View runs fn in a transaction that only reads: what was there at one moment. Where
// the database has readers of its own it neither waits for a transaction of
// [DB.InTx] nor keeps one waiting; else it is one. fn may run more than once.
func (db *DB) View(ctx context.Context, name string, fn func(*sql.Tx) error) error {
	if db.reader == nil {
		return db.InTx(ctx, name, fn)
	}
	for attempt := 1; ; attempt++ {
		err := db.read(ctx, name, fn)
		if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			return fmt.Errorf("%w: %w", err, ctx.Err()) // an engine says that it was interrupted, not by what
		}
		if db.engine.judge(err, nil) == done || attempt == db.engine.attempts {
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(10 * time.Millisecond << (attempt - 1)):
		}
	}
}

func (db *DB) read(ctx context.Context, name string, fn func(*sql.Tx) error) error {
	// Its connections only read (query_only), which sql.TxOptions would have said again,
	// and taken back, in every transaction.
	tx, err := db.reader.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%s: begin: %w", name, err)
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to keep
	if err := fn(tx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
