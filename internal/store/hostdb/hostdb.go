// Package hostdb keeps a host's tasks in a database: it implements
// [aggregate.Store] on SQLite and on PostgreSQL.
//
// Aggregate shares are sealed in their column under the cycle key, which lies
// outside the database and its backups; whoever copies the file finds who
// submitted and when, and ciphertexts. Destroying the cycle key ends that part
// of the past.
//
// The invariants stand in the schema, each as a constraint with its reason, so
// that a defect in the code becomes an error and not a wrong number.
package hostdb

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/store"
)

//go:generate go run -C ../../../tools ./archive ../internal/store/hostdb/schema.zip ../internal/store/hostdb postgres/*.sql sqlite/*.sql

//go:embed schema.zip
var schema string // the migrations, compressed

// CycleKeySize is the length of a cycle key in bytes.
const CycleKeySize = 32

// DB is a host's database.
type DB struct {
	db   *store.DB
	seal cipher.AEAD
}

// Config says how to open a host's database: the cycle key, and one of Path, DSN
// and DSNFile.
type Config struct {
	Path     string             // the SQLite file
	DSN      store.DSN          // or a PostgreSQL server
	DSNFile  string             // or a file that holds its connection string
	CycleKey [CycleKeySize]byte // seals shares; kept elsewhere
	Fault    store.Fault        // for tests; nil in production
}

// Open opens the database and migrates it to this program's schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	block, err := aes.NewCipher(cfg.CycleKey[:])
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, store.Config{
		Path: cfg.Path, DSN: cfg.DSN, DSNFile: cfg.DSNFile, Migrations: store.Archive(schema), Fault: cfg.Fault,
	})
	if err != nil {
		return nil, err
	}
	return &DB{db: db, seal: seal}, nil
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

// InTx runs fn in one durable transaction, see [store.DB.InTx].
func (d *DB) InTx(ctx context.Context, name string, fn func(aggregate.Tx) error) error {
	return d.inTx(ctx, name, func(tx *hostTx) error { return fn(tx) })
}

func (d *DB) inTx(ctx context.Context, name string, fn func(*hostTx) error) error {
	return d.db.InTx(ctx, name, func(tx *sql.Tx) error {
		return fn(&hostTx{ctx: ctx, tx: tx, seal: d.seal, rebind: d.db.Rebind})
	})
}

// Erase sees to it that nothing that was deleted is left, see [store.DB.Erase].
func (d *DB) Erase(ctx context.Context) error { return d.db.Erase(ctx) }

// hostTx is one transaction. It lives as long as the function it is given to.
type hostTx struct {
	ctx    context.Context
	tx     *sql.Tx
	seal   cipher.AEAD
	rebind func(query string) string
}

var _ aggregate.Tx = (*hostTx)(nil)

func (t *hostTx) exec(query string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, t.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *hostTx) row(query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, t.rebind(query), args...)
}

// rows runs a query and calls scan for every row.
func (t *hostTx) rows(query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := t.tx.QueryContext(t.ctx, t.rebind(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// perStatement is how many rows or ids one statement takes: those of a job, and
// few enough parameters for either engine.
const perStatement = dap.MaxJobReports

// bulk inserts rows with as few statements as it takes: one a row would cost
// PostgreSQL a round trip each. A row is written as "($1, ?, ?, TRUE)", where $1
// is the task and each question mark takes one of the values. tail follows the
// rows.
func (t *hostTx) bulk(insert, row string, task dap.TaskID, values []any, tail string, scan func(*sql.Rows) error) error {
	parts := strings.Split(row, "?")
	for some := range slices.Chunk(values, perStatement*(len(parts)-1)) {
		query := append(make([]byte, 0, len(insert)+len(tail)+len(some)*(len(row)+6)), insert...)
		for i := range some {
			part := i % (len(parts) - 1)
			switch {
			case i == 0:
				query = append(query, " VALUES "...)
			case part == 0:
				query = append(append(query, parts[len(parts)-1]...), ", "...)
			}
			query = append(append(query, parts[part]...), '$')
			query = strconv.AppendInt(query, int64(i+2), 10)
		}
		query = append(append(append(query, parts[len(parts)-1]...), ' '), tail...)
		args := append([]any{task.String()}, some...)
		var err error
		if scan == nil {
			_, err = t.exec(string(query), args...)
		} else {
			err = t.rows(string(query), args, scan)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// positions returns a JSON object that gives each report's place in the list: one
// parameter in place of hundreds, of which json_each makes rows on either engine.
// An id that is listed twice makes two rows.
func positions(reports []dap.ReportID) string {
	list := make([]byte, 0, 32*len(reports)+2)
	for i, id := range reports {
		list = append(list, ",\""...)
		list = append(append(list, id.String()...), "\":"...) // base64url: nothing to escape
		list = strconv.AppendInt(list, int64(i), 10)
	}
	if len(list) == 0 {
		return "{}"
	}
	list[0] = '{'
	return string(append(list, '}'))
}

// attempt calls fn, and where it fails undoes what it did: the transaction goes
// on without it.
func (t *hostTx) attempt(fn func() error) error {
	if _, err := t.exec(`SAVEPOINT attempt`); err != nil {
		return err
	}
	failed := fn()
	if failed != nil {
		if _, err := t.exec(`ROLLBACK TO SAVEPOINT attempt`); err != nil {
			return errors.Join(failed, err)
		}
	}
	if _, err := t.exec(`RELEASE SAVEPOINT attempt`); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// each runs a query for some of the reports at a time: it ends in the list of
// their ids, and its first parameter is the task.
func (t *hostTx) each(query string, task dap.TaskID, reports []dap.ReportID, scan func(*sql.Rows) error) error {
	for some := range slices.Chunk(reports, perStatement) {
		args := []any{task.String()}
		var list strings.Builder
		for i, id := range some {
			if i > 0 {
				list.WriteString(", ")
			}
			list.WriteByte('$')
			list.WriteString(strconv.Itoa(i + 2))
			args = append(args, id.String())
		}
		if err := t.rows(query+" ("+list.String()+")", args, scan); err != nil {
			return err
		}
	}
	return nil
}

// sealColumn encrypts a value for its place: moved to another row it does not open.
func (t *hostTx) sealColumn(place string, value []byte) []byte {
	return t.seal.Seal(nil, nil, value, []byte(place))
}

func (t *hostTx) openColumn(place string, sealed []byte) ([]byte, error) {
	value, err := t.seal.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("%s does not open: another cycle key, or a changed database: %w", place, err)
	}
	return value, nil
}
