package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Ceremony is what a browser is asked to do with a passkey.
type Ceremony struct {
	Flow    string          `json:"flow"`    // names it, for its end
	Options json.RawMessage `json:"options"` // publicKey, as WebAuthn has it in JSON
}

// user is a person as the library wants her.
type user struct {
	person      Person
	credentials []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return []byte(u.person.ID) }
func (u user) WebAuthnName() string                       { return u.person.Name }
func (u user) WebAuthnDisplayName() string                { return u.person.Name }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// userOf returns a person with the passkeys that are good.
func userOf(r Reader, p Person) (user, error) {
	u := user{person: p}
	all, err := r.Credentials(p.ID)
	if err != nil {
		return u, err
	}
	for _, c := range all {
		if c.Kind != KindPasskey || !c.Removed.IsZero() {
			continue
		}
		record, err := readPasskey(c)
		if err != nil {
			return u, err
		}
		u.credentials = append(u.credentials, record)
	}
	return u, nil
}

func readPasskey(c Credential) (webauthn.Credential, error) {
	var record webauthn.Credential
	if err := json.Unmarshal(c.Record, &record); err != nil {
		return record, errors.New("account: a passkey that is kept cannot be read")
	}
	return record, nil
}

func writePasskey(record *webauthn.Credential) ([]byte, error) {
	record.Attestation = webauthn.CredentialAttestation{} // nobody attests anything here
	return json.Marshal(record)
}

// BeginJoin begins the registration of a passkey by who has an invitation. It does not
// use the invitation up.
func (s *Service) BeginJoin(ctx context.Context, token, source string) (Ceremony, error) {
	if err := s.try(source); err != nil {
		return Ceremony{}, err
	}
	var u user
	err := s.view(ctx, "look at an invitation", func(r Reader) error {
		p, _, err := s.invited(r, token, s.moment())
		u = user{person: p}
		return err
	})
	if err != nil {
		return Ceremony{}, err
	}
	return s.beginRegistration(u, flow{purpose: toJoin, person: u.person.ID, token: token})
}

// FinishJoin ends it: the invitation is used up, and the person signs in with that
// passkey from now on. name is what she calls it.
func (s *Service) FinishJoin(ctx context.Context, begun, name string, response []byte, source string) (Person, error) {
	f, err := s.answered(begun, toJoin, source)
	if err != nil {
		return Person{}, err
	}
	c, err := s.finishRegistration(f, name, response)
	if err != nil {
		return Person{}, err
	}
	var p Person
	err = s.change(ctx, "join", func(tx Tx) (err error) {
		p, err = s.join(tx, f.token, c, source)
		return err
	})
	return p, err
}

// BeginAdd begins the registration of one more passkey.
func (s *Service) BeginAdd(ctx context.Context, id PersonID) (Ceremony, error) {
	u, err := s.userNow(ctx, id)
	if err != nil {
		return Ceremony{}, err
	}
	return s.beginRegistration(u, flow{purpose: toAdd, person: id})
}

// FinishAdd ends it.
func (s *Service) FinishAdd(ctx context.Context, id PersonID, begun, name string, response []byte) error {
	f, err := s.answered(begun, toAdd, "")
	if err != nil {
		return err
	}
	if f.person != id {
		return errRefused(errors.New("begun by somebody else"))
	}
	c, err := s.finishRegistration(f, name, response)
	if err != nil {
		return err
	}
	return s.change(ctx, "add a passkey", func(tx Tx) error {
		p, ok, err := tx.Person(id)
		if err != nil {
			return err
		}
		if !ok || !p.Active() {
			return errUnknown(errNotKnown)
		}
		c.Person, c.Added = id, s.moment()
		if err := addCredential(tx, c); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: c.Added, What: CredentialAdded, By: p.Name, Person: p.Name, Detail: string(KindPasskey)})
	})
}

func (s *Service) beginRegistration(u user, f flow) (Ceremony, error) {
	if s.passkeys == nil {
		return Ceremony{}, errNoSite
	}
	drawn, err := s.challenge()
	if err != nil {
		return Ceremony{}, err
	}
	var exclude []protocol.CredentialDescriptor
	for _, c := range u.credentials {
		exclude = append(exclude, c.Descriptor())
	}
	creation, session, err := s.passkeys.BeginRegistration(u, webauthn.WithExclusions(exclude), func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = drawn
		return nil
	})
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a registration: %w", err)
	}
	f.session = *session
	return s.ceremony(f, creation.Response)
}

// ceremony keeps a flow and writes what the browser is asked.
func (s *Service) ceremony(f flow, options any) (Ceremony, error) {
	body, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, err
	}
	name, err := s.beginFlow(f)
	return Ceremony{Flow: name, Options: body}, err
}

func (s *Service) finishRegistration(f flow, name string, response []byte) (Credential, error) {
	switch {
	case name == "":
		name = "passkey"
	case utf8.RuneCountInString(name) > maxCredentialName || coalition.NameFault(name) != "":
		return Credential{}, errs.New(errs.Invalid, "the passkey cannot have that name", fmt.Sprintf("1 to %d characters that can be seen", maxCredentialName))
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Credential{}, errRefused(err)
	}
	record, err := s.passkeys.CreateCredential(user{person: Person{ID: f.person}}, f.session, parsed)
	if err != nil {
		return Credential{}, errRefused(err)
	}
	c := Credential{CredentialKey: passkeyKey(record.ID), Name: name}
	c.Record, err = writePasskey(record)
	return c, err
}

// BeginSignIn begins a sign-in by whoever has a passkey of this site.
func (s *Service) BeginSignIn(_ context.Context, source string) (Ceremony, error) {
	if err := s.try(source); err != nil {
		return Ceremony{}, err
	}
	if s.passkeys == nil {
		return Ceremony{}, errNoSite
	}
	drawn, err := s.challenge()
	if err != nil {
		return Ceremony{}, err
	}
	assertion, session, err := s.passkeys.BeginDiscoverableLogin(about(drawn))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a sign-in: %w", err)
	}
	return s.ceremony(flow{purpose: toSignIn, session: *session}, assertion.Response)
}

// about sets what a passkey is asked to sign.
func about(challenge []byte) webauthn.LoginOption {
	return func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.Challenge = challenge
		return nil
	}
}

// FinishSignIn ends it and returns who has signed in.
func (s *Service) FinishSignIn(ctx context.Context, begun string, response []byte, source string) (Person, error) {
	f, err := s.answered(begun, toSignIn, source)
	if err != nil {
		return Person{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return Person{}, errRefused(err)
	}
	if err := s.tryAs(PersonID(parsed.Response.UserHandle)); err != nil {
		return Person{}, err
	}
	return s.present(ctx, parsed, source, func(u user) (*webauthn.Credential, error) {
		_, record, err := s.passkeys.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return u, nil }, f.session, parsed)
		return record, err
	})
}

// present checks what a passkey has signed against the person whose it is, and keeps
// its counter. A copy of a passkey is refused, and that is kept, too.
func (s *Service) present(ctx context.Context, parsed *protocol.ParsedCredentialAssertionData, source string, check func(user) (*webauthn.Credential, error)) (Person, error) {
	var p Person
	var refused error
	err := s.change(ctx, "sign in", func(tx Tx) error {
		refused = nil
		c, ok, err := tx.Credential(passkeyKey(parsed.RawID))
		if err != nil {
			return err
		}
		if !ok || !c.Removed.IsZero() {
			return errUnknown(errNotKnown)
		}
		owner, _, err := tx.Person(c.Person)
		if err != nil {
			return err
		}
		u, err := userOf(tx, owner)
		if err != nil {
			return err
		}
		record, err := check(u)
		if err != nil {
			return errRefused(err)
		}
		if record.Authenticator.CloneWarning {
			refused = errRefused(errors.New("the counter of the passkey went back"))
			return tx.AddEvent(Event{At: s.moment(), What: Copied, By: owner.Name, Person: owner.Name, Source: source})
		}
		p, err = s.enter(tx, c.CredentialKey, source, func(c *Credential) (err error) {
			c.Record, err = writePasskey(record)
			return err
		})
		return err
	})
	return p, errors.Join(err, refused)
}

// errRefused says that what a browser sent does not prove anything. The cause is for
// the log and holds nothing secret.
func errRefused(cause error) error {
	return errs.Wrap(cause, errs.Denied, "the passkey was not accepted", "try again; if it stays so, ask whoever invited you")
}

// answered returns the flow that an answer is about.
func (s *Service) answered(begun string, want purpose, source string) (flow, error) {
	if source != "" {
		if err := s.try(source); err != nil {
			return flow{}, err
		}
	}
	if s.passkeys == nil {
		return flow{}, errNoSite
	}
	return s.flows.end(begun, want, s.now())
}

// userNow returns a person who belongs to the surface, with her passkeys.
func (s *Service) userNow(ctx context.Context, id PersonID) (user, error) {
	var u user
	err := s.view(ctx, "read the passkeys of a person", func(r Reader) error {
		p, ok, err := r.Person(id)
		if err != nil {
			return err
		}
		if !ok || !p.Active() {
			return errUnknown(errNotKnown)
		}
		u, err = userOf(r, p)
		return err
	})
	return u, err
}
