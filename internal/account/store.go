package account

import (
	"context"
	"time"
)

// Store keeps people. Its methods may be called concurrently.
type Store interface {
	// InTx runs fn in one transaction. When it returns nil, everything that fn
	// did is durable; otherwise nothing of it happened. fn may run more than once, and
	// transactions follow each other as if they ran one by one.
	InTx(ctx context.Context, name string, fn func(Tx) error) error

	// View runs fn on what was there at one moment. fn may run more than once.
	View(ctx context.Context, name string, fn func(Reader) error) error
}

// Reader reads what is kept, within the function that it was given to. Of what is not
// there it returns false and no error.
type Reader interface {
	// People returns everybody who was ever invited, by name.
	People() ([]Person, error)

	// Person returns one of them.
	Person(id PersonID) (Person, bool, error)

	// Invitations returns those of a person, the latest first.
	Invitations(id PersonID) ([]Invitation, error)

	// Invitation returns one by the hex SHA-256 of its token.
	Invitation(digest string) (Invitation, bool, error)

	// Credentials returns what a person signs in or signed in with, in the order in
	// which it was added.
	Credentials(id PersonID) ([]Credential, error)

	// Credential returns one by its key.
	Credential(key CredentialKey) (Credential, bool, error)

	// Session returns one by the digest of its token.
	Session(digest string) (Session, bool, error)

	// Events returns the latest so many, the latest first.
	Events(most int) ([]Event, error)
}

// Tx reads and writes, within the function that it was given to. Each Put replaces
// what has the same key.
type Tx interface {
	Reader

	PutPerson(p Person) error
	PutInvitation(i Invitation) error
	PutCredential(c Credential) error
	AddEvent(e Event) error

	// PutSession adds a session; TouchSession says when one was last used and adds
	// none; EndSession ends one if it is there.
	PutSession(s Session) error
	TouchSession(digest string, seen time.Time) error
	EndSession(digest string) error

	// EndSessions ends those of a person and returns how many there were;
	// ForgetSessions removes those that had expired by then.
	EndSessions(id PersonID) (int, error)
	ForgetSessions(expired time.Time) error
}
