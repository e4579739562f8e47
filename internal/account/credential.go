package account

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/internal/errs"
)

// CredentialKind says what a credential is.
type CredentialKind string

// The kinds.
const (
	KindPasskey  CredentialKind = "passkey"
	KindProvider CredentialKind = "provider" // an identity that a provider vouches for
)

// CredentialKey names a credential: of a passkey its id in base64url, of an identity
// its issuer and its subject there.
type CredentialKey struct {
	Kind   CredentialKind
	Issuer string // of an identity
	ID     string
}

// Credential is something that a person signs in with.
type Credential struct {
	CredentialKey
	Person  PersonID
	Name    string // as the person knows it
	Record  []byte // of a passkey: JSON of public key, counter and flags
	Added   time.Time
	Used    time.Time // last; zero if it never was
	Removed time.Time // zero while it is good
}

// MaxCredentials is how many a person may have that are good.
const MaxCredentials = 20

// maxCredentialName bounds the name of a passkey, in characters.
const maxCredentialName = 64

// passkeyKey returns the key of a passkey by its id.
func passkeyKey(id []byte) CredentialKey {
	return CredentialKey{Kind: KindPasskey, ID: base64.RawURLEncoding.EncodeToString(id)}
}

// addCredential keeps a credential of which there was none before: nobody takes over
// one that is somebody's, or was.
func addCredential(tx Tx, c Credential) error {
	if was, ok, err := tx.Credential(c.CredentialKey); err != nil {
		return err
	} else if ok {
		if was.Person != c.Person || c.Kind == KindPasskey {
			return errs.New(errs.Conflict, "this is bound to somebody already", "use another passkey or another identity")
		}
	}
	there, err := tx.Credentials(c.Person)
	if err != nil {
		return err
	}
	if good := slices.DeleteFunc(there, func(c Credential) bool { return !c.Removed.IsZero() }); len(good) >= MaxCredentials {
		return errs.New(errs.Invalid, fmt.Sprintf("a person has %d passkeys at most", MaxCredentials), "remove one that is not used")
	}
	return tx.PutCredential(c)
}

// Credentials returns what a person can sign in with.
func (s *Service) Credentials(ctx context.Context, id PersonID) ([]Credential, error) {
	var all []Credential
	err := s.view(ctx, "list what a person signs in with", func(r Reader) error {
		credentials, err := r.Credentials(id)
		all = slices.DeleteFunc(credentials, func(c Credential) bool { return !c.Removed.IsZero() })
		return err
	})
	return all, err
}

// RemoveCredential removes something that a person signs in with. The last one stays:
// who would lock herself out is told so.
func (s *Service) RemoveCredential(ctx context.Context, id PersonID, key CredentialKey) error {
	return s.change(ctx, "remove a credential", func(tx Tx) error {
		p, ok, err := tx.Person(id)
		if err != nil {
			return err
		}
		c, known, err := tx.Credential(key)
		if err != nil {
			return err
		}
		if !ok || !known || c.Person != id || !c.Removed.IsZero() {
			return errs.New(errs.NotFound, "there is no such passkey of yours", "")
		}
		all, err := tx.Credentials(id)
		if err != nil {
			return err
		}
		good := 0
		for _, other := range all {
			if other.Removed.IsZero() {
				good++
			}
		}
		if good == 1 {
			return errs.New(errs.Conflict, "this is the only thing that you can sign in with", "add another passkey first")
		}
		c.Removed = s.moment()
		if err := tx.PutCredential(c); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: c.Removed, What: CredentialRemoved, By: p.Name, Person: p.Name, Detail: string(c.Kind)})
	})
}

// Identity is who a provider says that somebody is.
type Identity struct {
	Issuer  string // exactly as the provider writes it
	Subject string // the same person for ever, and nobody else, at that issuer
}

func (i Identity) key() CredentialKey {
	return CredentialKey{Kind: KindProvider, Issuer: i.Issuer, ID: i.Subject}
}

// errUnknown is the one refusal of who is not known, whatever the reason.
func errUnknown(cause error) error {
	return errs.Wrap(cause, errs.Denied, "you could not be signed in", "sign in with what you joined with; if that is lost, ask whoever invited you")
}

var errNotKnown = errors.New("the credential is not known, was removed, or is of somebody who was")

// enter is a person who has proved who she is, within a transaction.
func (s *Service) enter(tx Tx, key CredentialKey, source string, renew func(*Credential) error) (Person, error) {
	c, ok, err := tx.Credential(key)
	if err != nil {
		return Person{}, err
	}
	if !ok || !c.Removed.IsZero() {
		return Person{}, errUnknown(errNotKnown)
	}
	p, ok, err := tx.Person(c.Person)
	if err != nil {
		return Person{}, err
	}
	if !ok || !p.Active() {
		return Person{}, errUnknown(errNotKnown)
	}
	if err := renew(&c); err != nil {
		return Person{}, err
	}
	c.Used = s.moment()
	if err := tx.PutCredential(c); err != nil {
		return Person{}, err
	}
	return p, tx.AddEvent(Event{At: c.Used, What: SignedIn, By: p.Name, Person: p.Name, Detail: string(c.Kind), Source: source})
}
