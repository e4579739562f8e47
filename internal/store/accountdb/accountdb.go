// Package accountdb maps the people of a surface to rows: one SQL text for every
// database that keeps them. A role's own package prepares the statements of [Queries]
// beside its own, and its migrations make the tables, whose names begin with account_:
//
//	write, read, err := db.Prepare(ctx, append(own, accountdb.Queries()...)...)
//	accounts := accountdb.New(db, write, read)
//
// It promises what [account.Store] asks for, on SQLite and on PostgreSQL.
package accountdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/store"
)

// Accounts keeps people in a database: it implements [account.Store]. Its methods may
// be called concurrently.
type Accounts struct {
	db          *store.DB
	write, read store.Statements
}

// New returns the people of an open database, for whose transactions and views the
// statements of [Queries] were prepared.
func New(db *store.DB, write, read store.Statements) Accounts { return Accounts{db, write, read} }

// InTx runs fn in one durable transaction, see [store.DB.InTx].
func (a Accounts) InTx(ctx context.Context, name string, fn func(account.Tx) error) error {
	return a.db.InTx(ctx, name, func(tx *sql.Tx) error { return fn(&Tx{ctx, tx, a.write}) })
}

// View runs fn on what is there at one moment, see [store.DB.View].
func (a Accounts) View(ctx context.Context, name string, fn func(account.Reader) error) error {
	return a.db.View(ctx, name, func(tx *sql.Tx) error { return fn(&Tx{ctx, tx, a.read}) })
}

// Tx is one transaction of people. It lives as long as the function it is given to.
type Tx struct {
	ctx        context.Context
	tx         *sql.Tx
	statements store.Statements
}

var (
	_ account.Store = Accounts{}
	_ account.Tx    = (*Tx)(nil)
)

func (t *Tx) statement(query string) *sql.Stmt { return t.tx.StmtContext(t.ctx, t.statements[query]) }

func (t *Tx) row(query string, args ...any) *sql.Row {
	return t.statement(query).QueryRowContext(t.ctx, args...)
}

func (t *Tx) exec(query string, args ...any) error {
	_, err := t.statement(query).ExecContext(t.ctx, args...)
	return err
}

// The queries of people.
const (
	personColumns     = `id, name, grants, added, joined, removed`
	invitationColumns = `digest, person, made, maker, expires, recovery, used, void`
	credentialColumns = `kind, issuer, id, person, name, record, added, used, removed`

	peopleQuery      = `SELECT ` + personColumns + ` FROM account_people ORDER BY folded`
	personQuery      = `SELECT ` + personColumns + ` FROM account_people WHERE id = $1`
	invitationsQuery = `SELECT ` + invitationColumns + ` FROM account_invitations WHERE person = $1 ORDER BY made DESC, digest`
	invitationQuery  = `SELECT ` + invitationColumns + ` FROM account_invitations WHERE digest = $1`
	credentialsQuery = `SELECT ` + credentialColumns + ` FROM account_credentials WHERE person = $1 ORDER BY added, id`
	credentialQuery  = `SELECT ` + credentialColumns + ` FROM account_credentials WHERE kind = $1 AND issuer = $2 AND id = $3`
	sessionQuery     = `SELECT digest, person, began, seen, expires, value FROM account_sessions WHERE digest = $1`
	eventsQuery      = `SELECT at, what, maker, person, detail, source FROM account_events ORDER BY seq DESC LIMIT $1`

	putPersonQuery = `INSERT INTO account_people (id, name, folded, grants, added, joined, removed) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET grants = excluded.grants, joined = excluded.joined, removed = excluded.removed`
	putInvitationQuery = `INSERT INTO account_invitations (digest, person, made, maker, expires, recovery, used, void) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (digest) DO UPDATE SET used = excluded.used, void = excluded.void`
	putCredentialQuery = `INSERT INTO account_credentials (kind, issuer, id, person, name, record, added, used, removed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (kind, issuer, id) DO UPDATE SET person = excluded.person, name = excluded.name, record = excluded.record, added = excluded.added, used = excluded.used, removed = excluded.removed`
	putSessionQuery = `INSERT INTO account_sessions (digest, person, began, seen, expires, value) VALUES ($1, $2, $3, $4, $5, $6)`
	touchQuery      = `UPDATE account_sessions SET seen = $1 WHERE digest = $2 AND seen < $3`
	endSessionQuery = `DELETE FROM account_sessions WHERE digest = $1`
	endSessionsOf   = `DELETE FROM account_sessions WHERE person = $1`
	forgetQuery     = `DELETE FROM account_sessions WHERE expires <= $1`
	addEventQuery   = `INSERT INTO account_events (at, what, maker, person, detail, source, seq)
		VALUES ($1, $2, $3, $4, $5, $6, (SELECT coalesce(max(seq), 0) + 1 FROM account_events))`
)

// Queries returns the statements that a database prepares for [New].
func Queries() []string {
	return []string{
		peopleQuery, personQuery, invitationsQuery, invitationQuery, credentialsQuery, credentialQuery, sessionQuery, eventsQuery,
		putPersonQuery, putInvitationQuery, putCredentialQuery, putSessionQuery, touchQuery, endSessionQuery, endSessionsOf, forgetQuery, addEventQuery,
	}
}

// scanner is a row, of one or of many.
type scanner interface{ Scan(dest ...any) error }

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
func every[T any](t *Tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
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

func scanPerson(row scanner) (account.Person, error) {
	var (
		p                      account.Person
		grants                 string
		added, joined, removed sql.NullInt64
	)
	if err := row.Scan(&p.ID, &p.Name, &grants, &added, &joined, &removed); err != nil {
		return p, err
	}
	p.Added, p.Joined, p.Removed = moment(added), moment(joined), moment(removed)
	if err := json.Unmarshal([]byte(grants), &p.Grants); err != nil {
		return p, fmt.Errorf("the roles of a person cannot be read: %w", err)
	}
	return p, nil
}

func scanInvitation(row scanner) (account.Invitation, error) {
	var (
		i                         account.Invitation
		made, expires, used, void sql.NullInt64
	)
	err := row.Scan(&i.Digest, &i.Person, &made, &i.By, &expires, &i.Recovery, &used, &void)
	i.Made, i.Expires, i.Used, i.Void = moment(made), moment(expires), moment(used), moment(void)
	return i, err
}

func scanCredential(row scanner) (account.Credential, error) {
	var (
		c                    account.Credential
		record               sql.NullString
		added, used, removed sql.NullInt64
	)
	err := row.Scan(&c.Kind, &c.Issuer, &c.ID, &c.Person, &c.Name, &record, &added, &used, &removed)
	c.Added, c.Used, c.Removed = moment(added), moment(used), moment(removed)
	if record.Valid {
		c.Record = []byte(record.String)
	}
	return c, err
}

func scanSession(row scanner) (account.Session, error) {
	var (
		s                    account.Session
		began, seen, expires sql.NullInt64
	)
	err := row.Scan(&s.Digest, &s.Person, &began, &seen, &expires, &s.Value)
	s.Began, s.Seen, s.Expires = moment(began), moment(seen), moment(expires)
	return s, err
}

func scanEvent(row scanner) (account.Event, error) {
	var (
		e  account.Event
		at sql.NullInt64
	)
	err := row.Scan(&at, &e.What, &e.By, &e.Person, &e.Detail, &e.Source)
	e.At = moment(at)
	return e, err
}

// People implements [account.Reader].
func (t *Tx) People() ([]account.Person, error) { return every(t, scanPerson, peopleQuery) }

// Person implements [account.Reader].
func (t *Tx) Person(id account.PersonID) (account.Person, bool, error) {
	return only(t.row(personQuery, id), scanPerson)
}

// Invitations implements [account.Reader].
func (t *Tx) Invitations(id account.PersonID) ([]account.Invitation, error) {
	return every(t, scanInvitation, invitationsQuery, id)
}

// Invitation implements [account.Reader].
func (t *Tx) Invitation(digest string) (account.Invitation, bool, error) {
	return only(t.row(invitationQuery, digest), scanInvitation)
}

// Credentials implements [account.Reader].
func (t *Tx) Credentials(id account.PersonID) ([]account.Credential, error) {
	return every(t, scanCredential, credentialsQuery, id)
}

// Credential implements [account.Reader].
func (t *Tx) Credential(key account.CredentialKey) (account.Credential, bool, error) {
	return only(t.row(credentialQuery, key.Kind, key.Issuer, key.ID), scanCredential)
}

// Session implements [account.Reader].
func (t *Tx) Session(digest string) (account.Session, bool, error) {
	return only(t.row(sessionQuery, digest), scanSession)
}

// Events implements [account.Reader].
func (t *Tx) Events(most int) ([]account.Event, error) {
	return every(t, scanEvent, eventsQuery, most)
}

// PutPerson implements [account.Tx].
func (t *Tx) PutPerson(p account.Person) error {
	grants, err := json.Marshal(p.Grants)
	if err != nil {
		return err
	}
	return t.exec(putPersonQuery, p.ID, p.Name, coalition.Fold(p.Name), string(grants), micros(p.Added), micros(p.Joined), micros(p.Removed))
}

// PutInvitation implements [account.Tx].
func (t *Tx) PutInvitation(i account.Invitation) error {
	return t.exec(putInvitationQuery, i.Digest, i.Person, micros(i.Made), i.By, micros(i.Expires), i.Recovery, micros(i.Used), micros(i.Void))
}

// PutCredential implements [account.Tx].
func (t *Tx) PutCredential(c account.Credential) error {
	record := sql.NullString{String: string(c.Record), Valid: c.Record != nil}
	return t.exec(putCredentialQuery, c.Kind, c.Issuer, c.ID, c.Person, c.Name, record, micros(c.Added), micros(c.Used), micros(c.Removed))
}

// PutSession implements [account.Tx].
func (t *Tx) PutSession(s account.Session) error {
	return t.exec(putSessionQuery, s.Digest, s.Person, micros(s.Began), micros(s.Seen), micros(s.Expires), s.Value)
}

// TouchSession implements [account.Tx].
func (t *Tx) TouchSession(digest string, seen time.Time) error {
	return t.exec(touchQuery, micros(seen), digest, micros(seen))
}

// EndSession implements [account.Tx].
func (t *Tx) EndSession(digest string) error { return t.exec(endSessionQuery, digest) }

// EndSessions implements [account.Tx].
func (t *Tx) EndSessions(id account.PersonID) (int, error) {
	result, err := t.statement(endSessionsOf).ExecContext(t.ctx, id)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// ForgetSessions implements [account.Tx].
func (t *Tx) ForgetSessions(expired time.Time) error {
	return t.exec(forgetQuery, micros(expired))
}

// AddEvent implements [account.Tx].
func (t *Tx) AddEvent(e account.Event) error {
	return t.exec(addEventQuery, micros(e.At), e.What, e.By, e.Person, e.Detail, e.Source)
}

// CloseDoors ends what must not come back with a backup: who is signed in, and
// invitations, which may have been used since.
func CloseDoors(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM account_sessions`)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE account_invitations SET void = made WHERE used IS NULL AND void IS NULL`)
	}
	return err
}
