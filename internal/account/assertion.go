package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"muster/internal/errs"
)

// Assertion is what a passkey signed, with what verifies it: whoever has the text that
// was signed can check it without this program and without a network.
type Assertion struct {
	Site              string `json:"site"`   // the host that the passkey is bound to
	Origin            string `json:"origin"` // of the page that asked
	Credential        []byte `json:"credential"`
	PublicKey         []byte `json:"public_key"`         // COSE, as it was registered
	AuthenticatorData []byte `json:"authenticator_data"` //
	ClientData        []byte `json:"client_data"`        // clientDataJSON, byte by byte
	Signature         []byte `json:"signature"`
	Name              string `json:"name"` // of the passkey, as its owner calls it
}

// Verify reports, as an error, why the assertion is none over a text: that the
// challenge in the client data is its SHA-256, that it was made at the site by a
// person whom the authenticator had verified, and that the public key verifies it.
// Whose public key it is has to be known otherwise.
func (a Assertion) Verify(text []byte) error {
	parsed, err := protocol.CredentialAssertionResponse{
		PublicKeyCredential: protocol.PublicKeyCredential{
			Credential: protocol.Credential{ID: base64.RawURLEncoding.EncodeToString(a.Credential), Type: string(protocol.PublicKeyCredentialType)},
			RawID:      a.Credential,
		},
		AssertionResponse: protocol.AuthenticatorAssertionResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: a.ClientData},
			AuthenticatorData:     a.AuthenticatorData, Signature: a.Signature,
		},
	}.Parse()
	if err == nil {
		sum := sha256.Sum256(text)
		err = parsed.Verify(base64.RawURLEncoding.EncodeToString(sum[:]), a.Site, "", []string{a.Origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
			false, true, true, a.PublicKey, protocol.SignaturePolicy{ECDSAEncoding: protocol.ECDSASignatureEncodingDER})
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, "the passkey's signature is not one over this", "")
	}
	return nil
}

// BeginAssertion asks a person to sign a text with one of her passkeys. It is a
// Conflict if she has none.
func (s *Service) BeginAssertion(ctx context.Context, id PersonID, text []byte) (Ceremony, error) {
	if s.passkeys == nil {
		return Ceremony{}, errNoSite
	}
	u, err := s.userNow(ctx, id)
	if err != nil {
		return Ceremony{}, err
	}
	if len(u.credentials) == 0 {
		return Ceremony{}, errs.New(errs.Conflict, "you have no passkey to sign with", "add one on the page of your passkeys")
	}
	sum := sha256.Sum256(text)
	assertion, session, err := s.passkeys.BeginLogin(u, about(sum[:]))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin a signature: %w", err)
	}
	return s.ceremony(flow{purpose: toSign, person: id, session: *session, subject: text}, assertion.Response)
}

// FinishAssertion returns the text that was to be signed, and the assertion over it.
func (s *Service) FinishAssertion(ctx context.Context, id PersonID, begun string, response []byte, source string) ([]byte, Assertion, error) {
	f, err := s.answered(begun, toSign, "")
	if err != nil {
		return nil, Assertion{}, err
	}
	if f.person != id {
		return nil, Assertion{}, errRefused(errors.New("begun by somebody else"))
	}
	if err := s.tryAs(id); err != nil {
		return nil, Assertion{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, Assertion{}, errRefused(err)
	}
	var signed Assertion
	var refused error
	err = s.change(ctx, "sign with a passkey", func(tx Tx) error {
		refused = nil
		p, ok, err := tx.Person(id)
		if err != nil {
			return err
		}
		c, known, err := tx.Credential(passkeyKey(parsed.RawID))
		if err != nil {
			return err
		}
		if !ok || !p.Active() || !known || c.Person != id || !c.Removed.IsZero() {
			return errUnknown(errNotKnown)
		}
		u, err := userOf(tx, p)
		if err != nil {
			return err
		}
		record, err := s.passkeys.ValidateLogin(u, f.session, parsed)
		if err != nil {
			return errRefused(err)
		}
		now := s.moment()
		if record.Authenticator.CloneWarning {
			refused = errRefused(errors.New("the counter of the passkey went back"))
			return tx.AddEvent(Event{At: now, What: Copied, By: p.Name, Person: p.Name, Source: source})
		}
		signed = s.assertion(c, record, parsed)
		if c.Record, err = writePasskey(record); err != nil {
			return err
		}
		c.Used = now
		if err := tx.PutCredential(c); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: now, What: Signed, By: p.Name, Person: p.Name, Source: source})
	})
	if err = errors.Join(err, refused); err != nil {
		return nil, Assertion{}, err
	}
	return f.subject, signed, signed.Verify(f.subject)
}

func (s *Service) assertion(c Credential, record *webauthn.Credential, parsed *protocol.ParsedCredentialAssertionData) Assertion {
	raw := parsed.Raw.AssertionResponse
	return Assertion{
		Site: s.site.Host, Origin: s.site.Origin, Credential: record.ID, PublicKey: record.PublicKey, Name: c.Name,
		AuthenticatorData: raw.AuthenticatorData, ClientData: raw.ClientDataJSON, Signature: raw.Signature,
	}
}

// ParseAssertion reads an assertion as it is kept.
func ParseAssertion(body []byte) (Assertion, error) {
	var a Assertion
	if err := json.Unmarshal(body, &a); err != nil {
		return a, errs.New(errs.Invalid, "what is kept is no signature of a passkey", "")
	}
	return a, nil
}
