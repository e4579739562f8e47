package storetest

import (
	"errors"
	"testing"

	"muster/internal/account"
)

// ExerciseAccounts runs the suite of a database of people: each promise of the comments
// of package account's store.go. open returns an empty one that is the caller's alone.
func ExerciseAccounts(t *testing.T, open func(t *testing.T) account.Store) {
	t.Helper()
	for name, run := range map[string]func(t *testing.T, d accounts){
		"people": people, "invitations": invitations, "credentials": credentials, "sessions": sessions, "events": events,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, accounts{open(t)})
		})
	}
}

type accounts struct{ account.Store }

func (d accounts) do(t *testing.T, fn func(account.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "do", fn); err != nil {
		t.Fatal(err)
	}
}

func (d accounts) refuses(t *testing.T, what string, fn func(account.Tx) error) {
	t.Helper()
	if err := d.InTx(t.Context(), "refuse", fn); err == nil {
		t.Errorf("%s: no error", what)
	}
}

// found returns what a reader finds, and whether it is there.
func found[T any](t *testing.T, d accounts, fn func(account.Reader) (T, bool, error)) (T, bool) {
	t.Helper()
	var got T
	var ok bool
	err := d.View(t.Context(), "find", func(r account.Reader) (err error) {
		got, ok, err = fn(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, ok
}

func listed[T any](t *testing.T, d accounts, fn func(account.Reader) ([]T, error)) []T {
	t.Helper()
	got, _ := found(t, d, func(r account.Reader) ([]T, bool, error) {
		all, err := fn(r)
		return all, true, err
	})
	return got
}

func zora() account.Person {
	return account.Person{ID: "ffeeddccbbaa99887766554433221100", Name: "Zora Été", Grants: []account.Grant{{Role: "coordinator"}, {Role: "engineer", Of: []string{"ostmere", "farhaven"}}}, Added: at(1), Joined: at(2)}
}

func people(t *testing.T, d accounts) {
	d.do(t, func(tx account.Tx) error { return errors.Join(tx.PutPerson(zora()), tx.PutPerson(anna())) })
	all := func(r account.Reader) ([]account.Person, error) { return r.People() }
	same(t, "by name", []account.Person{anna(), zora()}, listed(t, d, all))
	gone := anna()
	gone.Removed, gone.Grants = at(9), []account.Grant{{Role: "auditor"}}
	d.do(t, func(tx account.Tx) error { return tx.PutPerson(gone) })
	same(t, "replaced", []account.Person{gone, zora()}, listed(t, d, all))
	one, ok := found(t, d, func(r account.Reader) (account.Person, bool, error) { return r.Person(zora().ID) })
	same(t, "one", zora(), one)
	_, other := found(t, d, func(r account.Reader) (account.Person, bool, error) { return r.Person("x") })
	same(t, "found", []bool{true, false}, []bool{ok, other})
	d.refuses(t, "two who look alike", func(tx account.Tx) error {
		p := zora()
		p.ID, p.Name = "00000000000000000000000000000001", "ANNA SAND"
		return tx.PutPerson(p)
	})
}

func invitations(t *testing.T, d accounts) {
	i := account.Invitation{Digest: string(make64('a')), Person: anna().ID, Made: at(1), By: "Ada", Expires: at(100), Recovery: true}
	later := account.Invitation{Digest: string(make64('b')), Person: anna().ID, Made: at(2), By: "Ada", Expires: at(100)}
	d.do(t, func(tx account.Tx) error {
		return errors.Join(tx.PutPerson(anna()), tx.PutInvitation(i), tx.PutInvitation(later))
	})
	of := func(r account.Reader) ([]account.Invitation, error) { return r.Invitations(anna().ID) }
	same(t, "the latest first", []account.Invitation{later, i}, listed(t, d, of))
	i.Used = at(5)
	d.do(t, func(tx account.Tx) error { return tx.PutInvitation(i) })
	one, ok := found(t, d, func(r account.Reader) (account.Invitation, bool, error) { return r.Invitation(i.Digest) })
	same(t, "used", i, one)
	same(t, "found", true, ok)
	d.refuses(t, "used twice", func(tx account.Tx) error {
		again := i
		again.Used = at(6)
		return tx.PutInvitation(again)
	})
	d.refuses(t, "used after it expired", func(tx account.Tx) error {
		late := later
		late.Used = at(100)
		return tx.PutInvitation(late)
	})
}

func make64(b byte) []byte {
	all := make([]byte, 64)
	for i := range all {
		all[i] = b
	}
	return all
}

func credentials(t *testing.T, d accounts) {
	passkey := account.Credential{CredentialKey: account.CredentialKey{Kind: account.KindPasskey, ID: "id"}, Person: anna().ID, Name: "phone", Record: []byte(`{"a":1}`), Added: at(1)}
	identity := account.Credential{CredentialKey: account.CredentialKey{Kind: account.KindProvider, Issuer: "https://id.example", ID: "7"}, Person: anna().ID, Name: "provider", Added: at(2), Used: at(3)}
	d.do(t, func(tx account.Tx) error {
		return errors.Join(tx.PutPerson(anna()), tx.PutPerson(zora()), tx.PutCredential(passkey), tx.PutCredential(identity))
	})
	of := func(r account.Reader) ([]account.Credential, error) { return r.Credentials(anna().ID) }
	same(t, "in order", []account.Credential{passkey, identity}, listed(t, d, of))
	passkey.Used, passkey.Removed = at(8), at(9)
	d.do(t, func(tx account.Tx) error { return tx.PutCredential(passkey) })
	one, _ := found(t, d, func(r account.Reader) (account.Credential, bool, error) { return r.Credential(passkey.CredentialKey) })
	same(t, "replaced", passkey, one)
	d.refuses(t, "taken over", func(tx account.Tx) error {
		stolen := passkey
		stolen.Person = zora().ID
		return tx.PutCredential(stolen)
	})
	d.refuses(t, "a passkey without a record", func(tx account.Tx) error {
		c := passkey
		c.ID, c.Record = "other", nil
		return tx.PutCredential(c)
	})
}

func sessions(t *testing.T, d accounts) {
	session := func(digest string, person account.PersonID, expires int) account.Session {
		return account.Session{Digest: digest, Person: person, Began: at(1), Seen: at(1), Expires: at(expires), Value: []byte{0, 1, 2}}
	}
	d.do(t, func(tx account.Tx) error {
		return errors.Join(tx.PutPerson(anna()), tx.PutPerson(zora()),
			tx.PutSession(session("a", anna().ID, 50)), tx.PutSession(session("b", anna().ID, 60)), tx.PutSession(session("c", zora().ID, 70)), tx.PutSession(session("d", zora().ID, 40)))
	})
	there := func(digest string) bool {
		_, ok := found(t, d, func(r account.Reader) (account.Session, bool, error) { return r.Session(digest) })
		return ok
	}
	d.do(t, func(tx account.Tx) error {
		return errors.Join(tx.TouchSession("a", at(5)), tx.TouchSession("x", at(5)))
	})
	got, _ := found(t, d, func(r account.Reader) (account.Session, bool, error) { return r.Session("a") })
	want := session("a", anna().ID, 50)
	want.Seen = at(5)
	same(t, "touched", want, got)
	same(t, "a touch makes none", false, there("x"))
	d.do(t, func(tx account.Tx) error { return tx.ForgetSessions(at(40)) })
	same(t, "expired", []bool{true, true, true, false}, []bool{there("a"), there("b"), there("c"), there("d")})
	d.do(t, func(tx account.Tx) error {
		n, err := tx.EndSessions(anna().ID)
		same(t, "ended", 2, n)
		return errors.Join(err, tx.EndSession("c"), tx.EndSession("x"))
	})
	same(t, "all ended", []bool{false, false, false}, []bool{there("a"), there("b"), there("c")})
}

func events(t *testing.T, d accounts) {
	one := account.Event{At: at(1), What: account.Invited, By: "Ada", Person: "Anna Sand", Detail: "officer (ostmere)"}
	two := account.Event{At: at(1), What: account.SignedIn, By: "Anna Sand", Person: "Anna Sand", Source: "192.0.2.1"}
	d.do(t, func(tx account.Tx) error { return errors.Join(tx.AddEvent(one), tx.AddEvent(two)) })
	same(t, "the latest first", []account.Event{two, one}, listed(t, d, func(r account.Reader) ([]account.Event, error) { return r.Events(10) }))
	same(t, "so many", []account.Event{two}, listed(t, d, func(r account.Reader) ([]account.Event, error) { return r.Events(1) }))
}
