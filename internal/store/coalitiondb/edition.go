package coalitiondb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/edition"
)

// The columns and queries of editions.
const (
	releaseColumns = `digest, cycle, cohort, body, members, maker, at`
	actColumns     = `cycle, name, seq, number, deed, digest, request, until, reason, maker, at`

	releasesQuery = `SELECT ` + releaseColumns + ` FROM releases ORDER BY number`
	releaseQuery  = `SELECT ` + releaseColumns + ` FROM releases WHERE digest = $1`
	versionsQuery = `SELECT cycle, name, number, '', maker, at FROM editions WHERE cycle = $1 ORDER BY name, number`
	versionQuery  = `SELECT cycle, name, number, text, maker, at FROM editions WHERE cycle = $1 AND name = $2 AND number = $3`
	actsQuery     = `SELECT ` + actColumns + ` FROM edition_acts WHERE cycle = $1 ORDER BY name, seq`
	allActsQuery  = `SELECT ` + actColumns + ` FROM edition_acts ORDER BY cycle, name, seq`
	fileQuery     = `SELECT body FROM edition_files WHERE digest = $1`

	addReleaseQuery = `INSERT INTO releases (` + releaseColumns + `, number) VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT coalesce(max(number), 0) + 1 FROM releases))`
	addVersionQuery = `INSERT INTO editions (cycle, name, number, text, maker, at) VALUES ($1, $2, $3, $4, $5, $6)`
	addFileQuery    = `INSERT INTO edition_files (digest, body) VALUES ($1, $2)`
	addActQuery     = `INSERT INTO edition_acts (` + actColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
)

func editionQueries() []string {
	return []string{
		releasesQuery, releaseQuery, versionsQuery, versionQuery, actsQuery, allActsQuery, fileQuery,
		addReleaseQuery, addVersionQuery, addFileQuery, addActQuery,
	}
}

// Editions returns the editions, which are kept beside the year: it implements
// [edition.Store].
func (d *DB) Editions() Editions { return Editions{d} }

// Editions is the editions of a database.
type Editions struct{ d *DB }

// InTx runs fn in one durable transaction, see [store.DB.InTx].
func (e Editions) InTx(ctx context.Context, name string, fn func(edition.Tx) error) error {
	return e.d.db.InTx(ctx, name, func(tx *sql.Tx) error { return fn(&coalitionTx{ctx, tx, e.d.write}) })
}

// View runs fn on what is there at one moment, see [store.DB.View].
func (e Editions) View(ctx context.Context, name string, fn func(edition.Reader) error) error {
	return e.d.db.View(ctx, name, func(tx *sql.Tx) error { return fn(&coalitionTx{ctx, tx, e.d.read}) })
}

var (
	_ edition.Store = Editions{}
	_ edition.Tx    = (*coalitionTx)(nil)
)

func scanRelease(row scanner) (edition.Kept, error) {
	var k edition.Kept
	var members string
	var at sql.NullInt64
	if err := row.Scan(&k.Digest, &k.Cycle, &k.Cohort, &k.Body, &members, &k.By, &at); err != nil {
		return k, err
	}
	k.At = moment(at)
	return k, json.Unmarshal([]byte(members), &k.Members)
}

func scanVersion(row scanner) (edition.Version, error) {
	var v edition.Version
	var at sql.NullInt64
	err := row.Scan(&v.Cycle, &v.Name, &v.Number, &v.Text, &v.By, &at)
	v.At = moment(at)
	return v, err
}

func scanAct(row scanner) (edition.Act, error) {
	var a edition.Act
	var request, until, at sql.NullInt64
	err := row.Scan(&a.Cycle, &a.Name, &a.Seq, &a.Number, &a.Deed, &a.Digest, &request, &until, &a.Reason, &a.By, &at)
	a.Request, a.Until, a.At = request.Int64, moment(until), moment(at)
	return a, err
}

// Releases implements [edition.Reader].
func (t *coalitionTx) Releases() ([]edition.Kept, error) { return every(t, scanRelease, releasesQuery) }

// Release implements [edition.Reader].
func (t *coalitionTx) Release(digest string) (edition.Kept, bool, error) {
	return only(t.row(releaseQuery, digest), scanRelease)
}

// Versions implements [edition.Reader].
func (t *coalitionTx) Versions(id cycle.ID) ([]edition.Version, error) {
	return every(t, scanVersion, versionsQuery, string(id))
}

// Version implements [edition.Reader].
func (t *coalitionTx) Version(id cycle.ID, name edition.Name, number int) (edition.Version, bool, error) {
	return only(t.row(versionQuery, string(id), string(name), number), scanVersion)
}

// Acts implements [edition.Reader].
func (t *coalitionTx) Acts(id cycle.ID) ([]edition.Act, error) {
	if id == "" {
		return every(t, scanAct, allActsQuery)
	}
	return every(t, scanAct, actsQuery, string(id))
}

// File implements [edition.Reader].
func (t *coalitionTx) File(digest string) ([]byte, bool, error) {
	var body []byte
	err := t.row(fileQuery, digest).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return body, err == nil, err
}

// AddRelease implements [edition.Tx].
func (t *coalitionTx) AddRelease(k edition.Kept) error {
	members, err := json.Marshal(append([]coalition.MemberID{}, k.Members...))
	if err != nil {
		return err
	}
	return t.exec(addReleaseQuery, k.Digest, string(k.Cycle), k.Cohort, k.Body, string(members), k.By, micros(k.At))
}

// AddVersion implements [edition.Tx].
func (t *coalitionTx) AddVersion(v edition.Version) error {
	return t.exec(addVersionQuery, string(v.Cycle), string(v.Name), v.Number, v.Text, v.By, micros(v.At))
}

// AddAct implements [edition.Tx].
func (t *coalitionTx) AddAct(a edition.Act, file []byte) error {
	if file != nil {
		if _, there, err := t.File(a.Digest); err != nil {
			return err
		} else if !there {
			if err := t.exec(addFileQuery, a.Digest, file); err != nil {
				return err
			}
		}
	}
	request := sql.NullInt64{Int64: a.Request, Valid: a.Request != 0}
	return t.exec(addActQuery, string(a.Cycle), string(a.Name), a.Seq, a.Number, string(a.Deed), a.Digest, request, micros(a.Until), a.Reason, a.By, micros(a.At))
}
