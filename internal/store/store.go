// Package store opens a role's database and runs its transactions.
//
// A role's own package (hostdb, later workspacedb and coalitiondb) embeds the
// [DB], brings its migrations, and maps rows to the domain's types. All writing
// goes through [DB.InTx]: the transaction has a name, is durable when InTx
// returns nil, and its function may run more than once, so it must not keep
// anything from a run that did not commit.
//
// The engine is SQLite, a file of this machine, or PostgreSQL, a server. What a
// caller of InTx sees is the same: transactions follow each other as if they
// ran one by one. SQLite lets one run at a time; PostgreSQL runs several,
// serializable, and the one that met another is run again.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"muster/internal/errs"
)

// endTimeout bounds a COMMIT or ROLLBACK, which nothing else ends: a server
// that does not answer within it is taken for lost.
const endTimeout = 30 * time.Second

// DB is an open database. Its methods may be called concurrently.
type DB struct {
	pool   *sql.DB
	reader *sql.DB // connections that only read, or nil
	engine engine
	gate   gate
	group  *group // of transactions that are made durable together, or nil
	fault  Fault
}

// Fault is called around every commit; a test returns an error to stop the
// program "just before" or "just after" a transaction became durable.
type Fault func(name string, point FaultPoint) error

// FaultPoint says where in a transaction a [Fault] is asked.
type FaultPoint string

// The points at which a crash leaves different states behind.
const (
	BeforeCommit FaultPoint = "before commit"
	AfterCommit  FaultPoint = "after commit"
)

// Config says how to open a database: Migrations and one of Path, DSN and
// DSNFile. The zero value of every other field is usable.
type Config struct {
	Path        string // the SQLite file; created with mode 0600 if it does not exist
	DSN         DSN    // or a PostgreSQL server
	DSNFile     string // or a file with mode 0600 that holds the connection string of one
	Migrations  fs.FS  // a folder an engine, sqlite and postgres, of numbered SQL files
	Connections int    // to PostgreSQL, at most; zero: 8. SQLite has one that writes
	Readers     int    // connections to SQLite that only read, see [DB.View]; zero: none
	Grouped     bool   // whether transactions on SQLite that wait for each other are made durable together
	Key         *Key   // encrypts the SQLite file; nil: it is not encrypted
	Fault       Fault  // for tests; nil in production

	restoring bool // whether it is opened to complete a restore
}

// Open opens the database and brings its schema up to date. It refuses, with
// kind Invalid, a file that other users of the machine may read, one that does not
// open with the key, a PostgreSQL older than 15 and a remote one without verified
// TLS, and, with kind Conflict,
// a schema that is newer than the migrations of this binary. No error holds
// anything of the connection string.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	e, err := newEngine(cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", place(cfg), err)
	}
	pool := sql.OpenDB(e.connector)
	pool.SetMaxOpenConns(e.connections)
	pool.SetMaxIdleConns(e.connections)
	pool.SetConnMaxIdleTime(e.idle)
	db := &DB{pool: pool, engine: e, gate: newGate(e.connections), fault: cfg.Fault}
	if err := db.prepare(ctx, cfg); err != nil {
		return nil, errors.Join(explain(fmt.Errorf("open %s: %w", place(cfg), err)), pool.Close())
	}
	if cfg.Grouped {
		db.group = new(group)
	}
	if e.reader != nil {
		db.reader = sql.OpenDB(e.reader)
		db.reader.SetMaxOpenConns(e.readers)
		db.reader.SetMaxIdleConns(e.readers)
	}
	return db, nil
}

// place names the database without the connection string.
func place(cfg Config) string {
	switch {
	case cfg.Path != "":
		return cfg.Path
	case cfg.DSNFile != "":
		return "the PostgreSQL database of " + cfg.DSNFile
	case !cfg.DSN.IsZero():
		return "the PostgreSQL database"
	}
	return "the database"
}

// prepare checks the server and migrates, alone.
func (db *DB) prepare(ctx context.Context, cfg Config) error {
	if db.engine.check != nil {
		unlock, err := db.engine.check(ctx, db.pool)
		if err != nil {
			return err
		}
		defer unlock()
		if !cfg.restoring {
			if err := checkRestored(ctx, db.pool); err != nil {
				return err
			}
		}
	}
	return db.migrate(ctx, cfg.Migrations)
}

func (db *DB) migrate(ctx context.Context, migrations fs.FS) error {
	folder, err := fs.Sub(migrations, db.engine.folder)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(db.engine.dialect, db.pool, folder)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	for {
		current, newest, err := provider.GetVersions(ctx)
		if err != nil {
			return fmt.Errorf("read the schema version: %w", err)
		}
		if current > newest {
			return errs.New(errs.Conflict,
				fmt.Sprintf("the database has schema version %d and this program knows versions up to %d", current, newest),
				"a newer program has used this database; use that one")
		}
		_, failed := provider.Up(ctx)
		if failed == nil {
			return nil
		}
		// Another process may have been faster with the same migration: then
		// the schema is further than before, and what is left is tried again.
		reached, err := provider.GetDBVersion(ctx)
		if err != nil || reached <= current {
			return fmt.Errorf("migrate: %w", failed)
		}
	}
}

// InTx runs fn in one transaction. When it returns nil the transaction is
// durable; otherwise nothing of it happened, except after an [AfterCommit]
// fault, and except where the connection to PostgreSQL broke while it was
// committing: then the error is of kind Unavailable and says that it is not
// known. A disk that is full or broken is of kind Unavailable, too, and says so.
// fn may run more than once; name is for errors, metrics and faults. If
// fn panics, nothing of its run happened and the panic goes on.
//
// fn must not call InTx, and must return an error that a statement gave it:
// PostgreSQL takes nothing more into such a transaction.
func (db *DB) InTx(ctx context.Context, name string, fn func(*sql.Tx) error) error {
	places := 1
	for attempt := 1; ; attempt++ {
		next, err := db.attempt(ctx, name, places, fn)
		if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
			return fmt.Errorf("%w: %w", err, ctx.Err()) // an engine says that it was interrupted, not by what
		}
		if next == done || attempt == db.engine.attempts {
			return explain(err)
		}
		if next == contended {
			places = db.engine.connections // what it met in this process, it does not meet again
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", err, ctx.Err())
		case <-time.After(min(10*time.Millisecond<<(attempt-1), time.Second)):
		}
	}
}

// attempt runs a transaction once, alone or with those of others.
func (db *DB) attempt(ctx context.Context, name string, places int, fn func(*sql.Tx) error) (verdict, error) {
	if db.group != nil {
		return db.together(ctx, name, fn)
	}
	return db.admit(ctx, name, places, fn)
}

// admit runs a transaction that takes so many of the places there are.
func (db *DB) admit(ctx context.Context, name string, places int, fn func(*sql.Tx) error) (verdict, error) {
	if err := db.gate.enter(ctx, places); err != nil {
		return done, fmt.Errorf("%s: begin: %w", name, err)
	}
	defer db.gate.leave(places)
	return db.once(ctx, name, fn)
}

// once runs fn in one transaction, and says whether that is worth repeating.
func (db *DB) once(ctx context.Context, name string, fn func(*sql.Tx) error) (verdict, error) {
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return db.engine.judge(err, nil), fmt.Errorf("%s: begin: %w", name, err)
	}
	defer func() { _ = conn.Close() }()
	var raw any // the driver's connection, to ask whether it is still one
	if err := conn.Raw(func(c any) error { raw = c; return nil }); err != nil {
		return db.engine.judge(err, nil), fmt.Errorf("%s: begin: %w", name, err)
	}

	// The caller's context ends the transaction up to the moment at which the
	// commit begins. From there on only its outcome can be waited for.
	txCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	detach := context.AfterFunc(ctx, cancel)
	defer detach()

	tx, err := conn.BeginTx(txCtx, &sql.TxOptions{Isolation: db.engine.isolation})
	if err != nil {
		return db.engine.judge(err, raw), fmt.Errorf("%s: begin: %w", name, err)
	}
	// Without effect after Commit. Its own error adds nothing: the transaction
	// is gone either way, also when fn panics or ends its goroutine.
	defer func() {
		bound := time.AfterFunc(endTimeout, cancel)
		defer bound.Stop()
		_ = tx.Rollback()
	}()
	if err := fn(tx); err != nil {
		return db.engine.judge(err, raw), fmt.Errorf("%s: %w", name, err)
	}
	if err := db.at(name, BeforeCommit); err != nil {
		return done, err
	}
	if !detach() {
		return done, fmt.Errorf("%s: commit: %w", name, context.Cause(ctx))
	}
	bound := time.AfterFunc(endTimeout, cancel)
	defer bound.Stop()
	if err := tx.Commit(); err != nil {
		if db.engine.undecided(err) {
			return done, errs.Wrap(fmt.Errorf("%s: commit: %w", name, err), errs.Unavailable,
				"the connection to the database broke during a commit: whether it happened is not known", "try again: every step may run twice")
		}
		return db.engine.judge(err, raw), fmt.Errorf("%s: commit: %w", name, err)
	}
	return done, db.at(name, AfterCommit)
}

func (db *DB) at(name string, point FaultPoint) error {
	if db.fault == nil {
		return nil
	}
	if err := db.fault(name, point); err != nil {
		return fmt.Errorf("%s: %s: %w", name, point, err)
	}
	return nil
}

// Erase rewrites the tables, so that their files hold nothing any more of what
// was deleted. Nothing else happens in the database meanwhile. PostgreSQL's
// write-ahead log and backups are not its tables: what must not outlive there is
// stored as a ciphertext only.
func (db *DB) Erase(ctx context.Context) error {
	if err := db.gate.enter(ctx, db.engine.connections); err != nil {
		return err
	}
	defer db.gate.leave(db.engine.connections)
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return explain(db.engine.erase(ctx, conn))
}

// Rebind turns the numbered placeholders $1, $2 of the shared SQL text into the
// engine's. SQLite takes $1 for a name and numbers names as they first appear,
// so "SET phase = $2 WHERE id = $1" would bind the wrong way round.
func (db *DB) Rebind(query string) string { return db.engine.rebind(query) }

// Close closes the database.
func (db *DB) Close() error {
	if db.reader == nil {
		return db.pool.Close()
	}
	return errors.Join(db.reader.Close(), db.pool.Close()) // the last one empties the write-ahead log
}

// IsUnique reports whether err is the violation of a uniqueness constraint.
func IsUnique(err error) bool { return sqliteUnique(err) || postgresUnique(err) }
