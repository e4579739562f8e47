package account

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"muster/internal/account"
	"muster/internal/errs"
)

// OpenIDConfig says which provider vouches for people.
type OpenIDConfig struct {
	Issuer       string // exactly as the provider writes it
	ClientID     string
	ClientSecret string
	Return       string           // the address that the provider sends people back to
	Authorities  *x509.CertPool   // that its certificate may come from; nil for those of the machine
	Now          func() time.Time // time.Now outside tests
}

// ReturnPath is where a provider sends people back to, below the origin of the site.
const ReturnPath = Base + "/provider"

// OpenID is a provider by OpenID Connect: the code flow with PKCE, state and nonce. It
// implements [account.Provider], and is asked for its own description when it is first
// needed, so that a provider that is down keeps nobody with a passkey out.
type OpenID struct {
	cfg    OpenIDConfig
	client *http.Client

	mu       sync.Mutex
	provider *oidc.Provider // guarded by mu; nil until it has answered
}

// What a provider may take, and say.
const (
	providerTimeout = 10 * time.Second
	maxProvider     = 1 << 20
)

// NewOpenID returns a provider. Nothing is asked yet.
func NewOpenID(cfg OpenIDConfig) *OpenID {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: cfg.Authorities, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: providerTimeout, ResponseHeaderTimeout: providerTimeout, MaxIdleConns: 4, IdleConnTimeout: time.Minute,
	}
	return &OpenID{cfg: cfg, client: &http.Client{
		Transport: bounded{transport}, Timeout: providerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // nobody sends a secret elsewhere
	}}
}

// bounded bounds what an answer may say.
type bounded struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxProvider), response.Body}
	}
	return response, err
}

// ready returns the provider, asked for its description once.
func (o *OpenID) ready(ctx context.Context) (*oidc.Provider, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider != nil {
		return o.provider, nil
	}
	// The keys are fetched with this context later on: it is not the request's.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.client), o.cfg.Issuer)
	if err != nil {
		return nil, errs.Wrap(err, errs.Unavailable, "the provider of sign-in cannot be asked", "try again later, or sign in with a passkey")
	}
	o.provider = p
	return p, nil
}

func (o *OpenID) oauth(p *oidc.Provider) oauth2.Config {
	return oauth2.Config{ClientID: o.cfg.ClientID, ClientSecret: o.cfg.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: o.cfg.Return, Scopes: []string{oidc.ScopeOpenID}}
}

// Address implements [account.Provider].
func (o *OpenID) Address(ctx context.Context, state, nonce, verifier string) (string, error) {
	p, err := o.ready(ctx)
	if err != nil {
		return "", err
	}
	oauth := o.oauth(p)
	return oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), nil
}

// errNoIdentity is the refusal of what a provider says.
func errNoIdentity(cause error) error {
	return errs.Wrap(cause, errs.Denied, "the provider's answer was not accepted", "try again; if it stays so, ask whoever runs it")
}

// Redeem implements [account.Provider].
func (o *OpenID) Redeem(ctx context.Context, code, nonce, verifier string) (account.Identity, error) {
	p, err := o.ready(ctx)
	if err != nil {
		return account.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, o.client)
	oauth := o.oauth(p)
	token, err := oauth.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok { // its text holds the provider's answer
			return account.Identity{}, errNoIdentity(fmt.Errorf("the code was refused with status %d", refused.Response.StatusCode))
		}
		return account.Identity{}, errs.Wrap(err, errs.Unavailable, "the provider of sign-in cannot be asked", "try again later, or sign in with a passkey")
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return account.Identity{}, errNoIdentity(errors.New("there is no identity token"))
	}
	verified, err := p.VerifierContext(ctx, &oidc.Config{ClientID: o.cfg.ClientID, Now: o.cfg.Now}).Verify(ctx, raw)
	if err != nil {
		return account.Identity{}, errNoIdentity(err)
	}
	switch {
	case verified.Issuer != o.cfg.Issuer: // which the verifier has compared, but for one issuer that it knows by two names
		return account.Identity{}, errNoIdentity(errors.New("the identity is of another issuer"))
	case nonce == "" || verified.Nonce != nonce:
		return account.Identity{}, errNoIdentity(errors.New("the identity has another nonce"))
	}
	return account.Identity{Issuer: verified.Issuer, Subject: verified.Subject}, nil
}
