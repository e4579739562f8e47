// Package coalitiondb keeps what the coordinator keeps in a database: it implements
// [cycle.Store], and [account.Store] for the people, on SQLite and on PostgreSQL.
//
// The invariants stand in the schema, each as a constraint or a trigger: what happened
// is added to and neither changed nor deleted, whoever writes to the database through
// it, so that a defect in the code becomes an error and not a year that was different.
package coalitiondb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"slices"
	"time"

	"muster/internal/cycle"
	"muster/internal/store"
	"muster/internal/store/accountdb"
)

//go:generate go run -C ../../../tools ./archive ../internal/store/coalitiondb/schema.zip ../internal/store/coalitiondb postgres/*.sql sqlite/*.sql

//go:embed schema.zip
var schema string // the migrations, compressed

// readers is how many pages are read at the same time from SQLite.
const readers = 4

// DB is a coordinator's database. Its methods may be called concurrently.
type DB struct {
	db          *store.DB
	write, read store.Statements
}

// Config says how to open a coordinator's database: one of Path, DSN and DSNFile.
type Config struct {
	Path    string      // the SQLite file
	DSN     store.DSN   // or a PostgreSQL server
	DSNFile string      // or a file that holds its connection string
	Fault   store.Fault // for tests; nil in production
}

func (c Config) store() store.Config {
	cfg := store.Config{Path: c.Path, DSN: c.DSN, DSNFile: c.DSNFile, Migrations: store.Archive(schema), Fault: c.Fault}
	if c.Path != "" {
		cfg.Readers = readers
	}
	return cfg
}

// Open opens the database and migrates it to this program's schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db, err := store.Open(ctx, cfg.store())
	if err != nil {
		return nil, err
	}
	d := &DB{db: db}
	if d.write, d.read, err = db.Prepare(ctx, slices.Concat(queries(), editionQueries(), accountdb.Queries())...); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// Restore puts what [DB.Snapshot] wrote where cfg says, where nothing is yet. The
// snapshot is used up. Nobody is signed in there, and no invitation is good any more.
func Restore(ctx context.Context, cfg Config, snapshot string) error {
	return store.RestoreSnapshot(ctx, cfg.store(), snapshot, func(_ *store.DB, tx *sql.Tx) error { return accountdb.CloseDoors(ctx, tx) })
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

// Snapshot writes a copy of the database, as it is at one moment, to a new file, see
// [store.DB.Snapshot].
func (d *DB) Snapshot(ctx context.Context, path string) error { return d.db.Snapshot(ctx, path) }

// Accounts returns the people, who are kept beside what they do.
func (d *DB) Accounts() accountdb.Accounts { return accountdb.New(d.db, d.write, d.read) }

// InTx runs fn in one durable transaction, see [store.DB.InTx].
func (d *DB) InTx(ctx context.Context, name string, fn func(cycle.Tx) error) error {
	return d.db.InTx(ctx, name, func(tx *sql.Tx) error { return fn(&coalitionTx{ctx, tx, d.write}) })
}

// View runs fn on what is there at one moment, see [store.DB.View].
func (d *DB) View(ctx context.Context, name string, fn func(cycle.Reader) error) error {
	return d.db.View(ctx, name, func(tx *sql.Tx) error { return fn(&coalitionTx{ctx, tx, d.read}) })
}

// coalitionTx is one transaction. It lives as long as the function it is given to.
type coalitionTx struct {
	ctx        context.Context
	tx         *sql.Tx
	statements store.Statements
}

var (
	_ cycle.Store = (*DB)(nil)
	_ cycle.Tx    = (*coalitionTx)(nil)
)

func (t *coalitionTx) statement(query string) *sql.Stmt {
	return t.tx.StmtContext(t.ctx, t.statements[query])
}

func (t *coalitionTx) row(query string, args ...any) *sql.Row {
	return t.statement(query).QueryRowContext(t.ctx, args...)
}

func (t *coalitionTx) exec(query string, args ...any) error {
	_, err := t.statement(query).ExecContext(t.ctx, args...)
	return err
}

// scanner is a row, of one or of many.
type scanner interface{ Scan(dest ...any) error }

// only reads a row that may be missing.
func only[T any](row *sql.Row, scan func(scanner) (T, error)) (T, bool, error) {
	value, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		var none T
		return none, false, nil
	}
	return value, err == nil, err
}

// every reads all rows of a query.
func every[T any](t *coalitionTx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.statement(query).QueryContext(t.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// micros is a time as it is kept: NULL is none.
func micros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

func moment(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}

// word is a text as it is kept where none is NULL.
func word[T ~string](text T) sql.NullString {
	return sql.NullString{String: string(text), Valid: text != ""}
}
