package account

import (
	"context"
	"crypto/subtle"
	"errors"

	"muster/internal/errs"
)

// Provider vouches for people, as an OpenID Connect provider does. It is not trusted
// to say who may enter: an identity that nobody's invitation was bound to is nobody.
type Provider interface {
	// Address returns where a browser is sent. The three values come back or are
	// checked: state by who sent it, nonce in what the provider signs, verifier by the
	// provider when the code is redeemed.
	Address(ctx context.Context, state, nonce, verifier string) (string, error)

	// Redeem exchanges a code for who the person is. It is Denied if what the provider
	// says is not signed by it, is for somebody else, has expired, or has another nonce;
	// Unavailable if it does not answer.
	Redeem(ctx context.Context, code, nonce, verifier string) (Identity, error)
}

// BeginProvider begins a sign-in by the provider, or, with the token of an invitation,
// the binding to it. It returns what names the flow, which only the browser that began
// it may have, and where that browser goes.
func (s *Service) BeginProvider(ctx context.Context, token, source string) (begun, address string, err error) {
	if err := s.try(source); err != nil {
		return "", "", err
	}
	if s.provider == nil {
		return "", "", errs.New(errs.NotFound, "nobody but passkeys vouches for people here", "")
	}
	if token != "" {
		err := s.view(ctx, "look at an invitation", func(r Reader) error {
			_, _, err := s.invited(r, token, s.moment())
			return err
		})
		if err != nil {
			return "", "", err
		}
	}
	f := flow{purpose: byProvider, token: token}
	for _, value := range []*string{&f.state, &f.nonce, &f.verifier} {
		if *value, err = s.token(); err != nil {
			return "", "", err
		}
	}
	if address, err = s.provider.Address(ctx, f.state, f.nonce, f.verifier); err != nil {
		return "", "", err
	}
	begun, err = s.beginFlow(f)
	return begun, address, err
}

// FinishProvider ends it with what came back, and returns who has signed in. joined
// says whether an invitation was used for it.
func (s *Service) FinishProvider(ctx context.Context, begun, state, code, source string) (p Person, joined bool, err error) {
	if err := s.try(source); err != nil {
		return p, false, err
	}
	if s.provider == nil {
		return p, false, errs.New(errs.NotFound, "nobody but passkeys vouches for people here", "")
	}
	f, err := s.flows.end(begun, byProvider, s.now())
	if err != nil {
		return p, false, err
	}
	if subtle.ConstantTimeCompare([]byte(state), []byte(f.state)) != 1 || code == "" {
		return p, false, errUnknown(errors.New("the provider's answer is not to this request"))
	}
	identity, err := s.provider.Redeem(ctx, code, f.nonce, f.verifier)
	if err != nil {
		return p, false, err
	}
	if identity.Issuer == "" || identity.Subject == "" || len(identity.Subject) > 255 { // OpenID Connect Core 2
		return p, false, errUnknown(errors.New("the provider names nobody"))
	}
	if f.token != "" {
		err = s.change(ctx, "join", func(tx Tx) (err error) {
			p, err = s.join(tx, f.token, Credential{CredentialKey: identity.key(), Name: "provider"}, source)
			return err
		})
		return p, err == nil, err
	}
	err = s.change(ctx, "sign in", func(tx Tx) (err error) {
		p, err = s.enter(tx, identity.key(), source, func(*Credential) error { return nil })
		return err
	})
	return p, false, err
}
