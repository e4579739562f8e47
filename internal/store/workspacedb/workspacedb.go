// Package workspacedb keeps a member's workspace in a database: it implements
// [workspace.Store] on an encrypted SQLite file.
//
// What is kept is the history of everything, one row a revision, and which row of
// each key is the newest. The invariants stand in the schema: a row of history is
// never changed or deleted, and two rows never take the place of the same one, so
// that a defect in the code becomes an error and not a lost answer.
package workspacedb

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"muster/internal/errs"
	"muster/internal/store"
	"muster/internal/store/accountdb"
	"muster/internal/workspace"
)

//go:generate go run -C ../../../tools ./archive ../internal/store/workspacedb/schema.zip ../internal/store/workspacedb sqlite/*.sql

//go:embed schema.zip
var schema string // the migrations, compressed

// readers is how many pages are read at the same time.
const readers = 4

// DB is a workspace's database. Its methods may be called concurrently.
type DB struct {
	db          *store.DB
	write, read store.Statements
}

// Config says how to open a workspace's database.
type Config struct {
	Path  string      // the file; made if there is none
	Key   *store.Key  // it is encrypted with; needed
	Fault store.Fault // for tests; nil in production
}

func (c Config) store() (store.Config, error) {
	if c.Key == nil {
		return store.Config{}, errors.New("workspacedb: a workspace has a key")
	}
	return store.Config{Path: c.Path, Key: c.Key, Readers: readers, Grouped: true, Migrations: store.Archive(schema), Fault: c.Fault}, nil
}

// Open opens the database and migrates it to this program's schema.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	c, err := cfg.store()
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	d := &DB{db: db}
	if d.write, d.read, err = db.Prepare(ctx, append(queries(), accountdb.Queries()...)...); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// Restore puts what [DB.Snapshot] wrote where cfg says, where nothing is yet. The
// snapshot is used up. Nobody is signed in there, and no invitation is good any more.
func Restore(ctx context.Context, cfg Config, snapshot string) error {
	c, err := cfg.store()
	if err != nil {
		return err
	}
	return store.RestoreSnapshot(ctx, c, snapshot, func(_ *store.DB, tx *sql.Tx) error { return accountdb.CloseDoors(ctx, tx) })
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

// Snapshot writes an encrypted copy of the database, as it is at one moment, to a
// new file, see [store.DB.Snapshot].
func (d *DB) Snapshot(ctx context.Context, path string) error { return d.db.Snapshot(ctx, path) }

// InTx runs fn in one durable transaction, see [store.DB.InTx].
func (d *DB) InTx(ctx context.Context, name string, fn func(workspace.Tx) error) error {
	return d.db.InTx(ctx, name, func(tx *sql.Tx) error { return fn(&workspaceTx{ctx, tx, d.write}) })
}

// View runs fn on what is there at one moment, see [store.DB.View].
func (d *DB) View(ctx context.Context, name string, fn func(workspace.Reader) error) error {
	return d.db.View(ctx, name, func(tx *sql.Tx) error { return fn(&workspaceTx{ctx, tx, d.read}) })
}

// workspaceTx is one transaction. It lives as long as the function it is given to.
type workspaceTx struct {
	ctx        context.Context
	tx         *sql.Tx
	statements store.Statements
}

var (
	_ workspace.Store = (*DB)(nil)
	_ workspace.Tx    = (*workspaceTx)(nil)
)

func (t *workspaceTx) statement(query string) *sql.Stmt {
	return t.tx.StmtContext(t.ctx, t.statements[query])
}

func (t *workspaceTx) row(query string, args ...any) *sql.Row {
	return t.statement(query).QueryRowContext(t.ctx, args...)
}

func (t *workspaceTx) exec(query string, args ...any) error {
	_, err := t.statement(query).ExecContext(t.ctx, args...)
	return err
}

// The queries. Each is compiled once, see [queries].
const (
	columns = `h.kind, h.survey, h.outcome, h.id, h.rev, h.person, h.at, h.value` // what scan reads
	newest  = `SELECT ` + columns + ` FROM newest n JOIN history h ON h.rev = n.rev WHERE n.kind = $1 AND n.survey = $2`

	currentQuery = newest + ` AND n.outcome = $3 AND n.id = $4`
	listQuery    = newest + ` AND h.value IS NOT NULL ORDER BY n.outcome, n.id`
	listOfQuery  = newest + ` AND n.outcome = $3 AND h.value IS NOT NULL ORDER BY n.id`
	historyQuery = `SELECT ` + columns + ` FROM history h WHERE h.kind = $1 AND h.survey = $2 AND h.outcome = $3 AND h.id = $4 ORDER BY h.base`
	allQuery     = `SELECT ` + columns + ` FROM history h WHERE h.kind = $1 AND h.survey = $2 ORDER BY h.rev`
	atQuery      = `SELECT ` + columns + ` FROM history h WHERE h.kind = $1 AND h.survey = $2 AND h.outcome = $3 AND h.id = $4 AND h.rev = $5`
	packQuery    = `SELECT canonical FROM packs WHERE digest = $1`
	newestQuery  = `SELECT rev FROM newest WHERE kind = $1 AND survey = $2 AND outcome = $3 AND id = $4`

	insertQuery = `INSERT INTO history (kind, survey, outcome, id, base, person, at, value, rev)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT coalesce(max(rev), 0) + 1 FROM history)) RETURNING rev`
	becomeQuery = `INSERT INTO newest (kind, survey, outcome, id, rev) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, survey, outcome, id) DO UPDATE SET rev = excluded.rev`
	copyQuery    = `SELECT body FROM copies WHERE survey = $1 AND outcome = $2 AND id = $3`
	putCopyQuery = `INSERT INTO copies (survey, outcome, id, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (survey, outcome, id) DO UPDATE SET body = excluded.body`
	dropCopyQuery = `DELETE FROM copies WHERE survey = $1 AND outcome = $2 AND id = $3`
	putPackQuery  = `INSERT INTO packs (digest, canonical) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`
)

func queries() []string {
	return []string{
		currentQuery, listQuery, listOfQuery, historyQuery, allQuery, atQuery, packQuery, newestQuery, insertQuery, becomeQuery, putPackQuery,
		copyQuery, putCopyQuery, dropCopyQuery,
	}
}

// scan reads the columns of a row.
func scan(row interface{ Scan(dest ...any) error }) (workspace.Record, error) {
	var (
		r     workspace.Record
		at    int64
		value sql.NullString
	)
	err := row.Scan(&r.Kind, &r.Survey, &r.Outcome, &r.ID, &r.Rev, &r.By, &at, &value)
	r.At = time.UnixMicro(at).UTC()
	if value.Valid {
		r.Value = []byte(value.String)
	}
	return r, err
}

// one reads a row that may be missing.
func one(row *sql.Row) (workspace.Record, bool, error) {
	r, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return workspace.Record{}, false, nil
	}
	return r, err == nil, err
}

func (t *workspaceTx) all(query string, args ...any) ([]workspace.Record, error) {
	rows, err := t.statement(query).QueryContext(t.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []workspace.Record
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// Current implements [workspace.Reader].
func (t *workspaceTx) Current(k workspace.Key) (workspace.Record, bool, error) {
	return one(t.row(currentQuery, k.Kind, k.Survey, k.Outcome, k.ID))
}

// List implements [workspace.Reader].
func (t *workspaceTx) List(kind workspace.Kind, survey workspace.SurveyID, outcome string) ([]workspace.Record, error) {
	if outcome == "" {
		return t.all(listQuery, kind, survey)
	}
	return t.all(listOfQuery, kind, survey, outcome)
}

// History implements [workspace.Reader].
func (t *workspaceTx) History(k workspace.Key) ([]workspace.Record, error) {
	return t.all(historyQuery, k.Kind, k.Survey, k.Outcome, k.ID)
}

// All implements [workspace.Reader].
func (t *workspaceTx) All(kind workspace.Kind, survey workspace.SurveyID) ([]workspace.Record, error) {
	return t.all(allQuery, kind, survey)
}

// At implements [workspace.Reader].
func (t *workspaceTx) At(k workspace.Key, rev workspace.Revision) (workspace.Record, bool, error) {
	return one(t.row(atQuery, k.Kind, k.Survey, k.Outcome, k.ID, rev))
}

// Pack implements [workspace.Reader].
func (t *workspaceTx) Pack(digest string) ([]byte, bool, error) {
	var canonical []byte
	err := t.row(packQuery, digest).Scan(&canonical)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return canonical, err == nil, err
}

// Put implements [workspace.Tx].
func (t *workspaceTx) Put(r workspace.Record, base workspace.Revision) (workspace.Revision, error) {
	var current workspace.Revision
	err := t.row(newestQuery, r.Kind, r.Survey, r.Outcome, r.ID).Scan(&current)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	if current != base {
		return 0, errs.New(errs.Conflict, "somebody else has changed it meanwhile", "load it again, and decide about what it is now")
	}
	value := sql.NullString{String: string(r.Value), Valid: r.Value != nil}
	var rev workspace.Revision
	err = t.row(insertQuery, r.Kind, r.Survey, r.Outcome, r.ID, base, r.By, r.At.UnixMicro(), value).Scan(&rev)
	if err != nil {
		return 0, err
	}
	return rev, t.exec(becomeQuery, r.Kind, r.Survey, r.Outcome, r.ID, rev)
}

// PutPack implements [workspace.Tx].
func (t *workspaceTx) PutPack(digest string, canonical []byte) error {
	return t.exec(putPackQuery, digest, canonical)
}

// Copy implements [workspace.Reader].
func (t *workspaceTx) Copy(k workspace.Key) ([]byte, bool, error) {
	var body []byte
	err := t.row(copyQuery, k.Survey, k.Outcome, k.ID).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if body == nil { // an empty piece
		body = []byte{}
	}
	return body, err == nil, err
}

// PutCopy implements [workspace.Tx].
func (t *workspaceTx) PutCopy(k workspace.Key, body []byte) error {
	if body == nil {
		return t.exec(dropCopyQuery, k.Survey, k.Outcome, k.ID)
	}
	return t.exec(putCopyQuery, k.Survey, k.Outcome, k.ID, body)
}

// Summary says how far a database is.
type Summary struct {
	Revisions int64 `json:"revisions"` // how many there are
	Newest    int64 `json:"newest"`    // the highest
}

// Check reads the structure of the whole database and returns how far it is. It is
// Invalid if that is damaged. Encryption alone does not notice a block that was
// changed, and neither does Check where the block holds text only.
func (d *DB) Check(ctx context.Context) (Summary, error) {
	var s Summary
	err := d.db.View(ctx, "check the database", func(tx *sql.Tx) error {
		var result string
		if err := tx.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&result); err != nil {
			return err
		}
		if result != "ok" {
			return errs.New(errs.Invalid, "the database of the workspace is damaged", "restore it from a backup")
		}
		return tx.QueryRowContext(ctx, `SELECT count(*), coalesce(max(rev), 0) FROM history`).Scan(&s.Revisions, &s.Newest)
	})
	return s, err
}
