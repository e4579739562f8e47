// Package account holds the people of a surface that several share: who they are,
// how each of them proves it, as what, and for how long.
//
// Nobody enters without an invitation, which is a token that is used once and
// expires. Whoever has it registers a passkey, or is bound to the identity that a
// provider of the organisation vouches for; from then on she signs in with that and
// with nothing else. There is no password and no question that recovers anything:
// who has lost her passkey is invited again by whoever runs the machine, which
// removes everything that she signed in with before, and is written down.
//
//	token, err := service.Invite(ctx, "Ada Lindqvist", account.Invitee{Name: "Ines Calloway", Grants: grants})
//	ceremony, err := service.BeginJoin(ctx, token, source)
//	person, err := service.FinishJoin(ctx, ceremony.Flow, response, source)
//
// What a role allows is decided by whoever uses this package; here a role is a name
// and a list of what it is limited to.
//
// The package promises that an invitation is used once, whoever is faster; that no
// token is kept, only its digest; that who was removed or recovered is signed out at
// once; that a passkey of which there are two copies is refused when it is noticed;
// that everything of this is an [Event]; and that no error and no event holds a token
// or an answer of a ceremony.
package account

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"muster/internal/errs"
)

// Site is the surface that people sign in at. A passkey is bound to its host.
type Site struct {
	Name   string // as a browser shows it when it asks for a passkey
	Host   string // the name of the host without its port; an address of IP has no passkeys
	Origin string // scheme, host and port, such as https://answers.example:8443
}

// Config is what a [Service] works with.
type Config struct {
	Store    Store
	Now      func() time.Time // time.Now outside tests
	Rand     io.Reader        // crypto/rand outside tests
	Roles    []Role           // that there are
	Site     Site             // zero where nobody signs in, as in a command
	Provider Provider         // nil where nobody vouches but passkeys
	Limits   Limits           // zero fields are what [DefaultLimits] says
	Command  string           // that has the commands about people, for hints; empty: muster workspace
}

// Service is the people of a surface. Its methods may be called concurrently.
type Service struct {
	store    Store
	now      func() time.Time
	roles    []Role
	site     Site
	provider Provider
	passkeys *webauthn.WebAuthn // nil without a site
	command  string
	flows    flows
	tries    *limiter // to enter, by source and by person
	requests *limiter // of who has entered

	mu   sync.Mutex
	rand io.Reader // guarded by mu
}

// New returns the people that are kept in a store. It is Invalid if nobody could have
// a passkey at the site.
func New(cfg Config) (*Service, error) {
	limits := cfg.Limits.orDefault()
	s := &Service{
		command: cmp.Or(cfg.Command, "muster workspace"), store: cfg.Store, now: cfg.Now, rand: cfg.Rand, roles: cfg.Roles, site: cfg.Site, provider: cfg.Provider,
		tries: newLimiter(limits.Tries, limits.Refill), requests: newLimiter(limits.Requests, limits.RequestRefill),
	}
	if cfg.Site.Host == "" {
		return s, nil
	}
	var err error
	s.passkeys, err = webauthn.New(&webauthn.Config{
		RPID: cfg.Site.Host, RPDisplayName: cfg.Site.Name, RPOrigins: []string{cfg.Site.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		// What a browser adds unasked is not looked at; refusing it would refuse the person.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "nobody can have a passkey at "+errs.Quote(cfg.Site.Origin), "a passkey needs the name of a host; an address of IP does not do")
	}
	return s, nil
}

// token is what is given to somebody once: 32 random bytes as text that an address
// may hold.
func (s *Service) token() (string, error) {
	var b [32]byte
	if err := s.read(b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func (s *Service) read(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.rand, b); err != nil {
		return fmt.Errorf("draw a token: %w", err)
	}
	return nil
}

// challenge draws what a ceremony is about.
func (s *Service) challenge() ([]byte, error) {
	b := make([]byte, 32)
	return b, s.read(b)
}

// tokenDigest is what is kept of a token.
func tokenDigest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// moment is now as a store keeps it.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// Site returns where people sign in.
func (s *Service) Site() Site { return s.site }

// errNoSite says that a ceremony was asked for where there is nothing to sign in at.
var errNoSite = errors.New("account: there is no site to sign in at")

func (s *Service) change(ctx context.Context, name string, fn func(Tx) error) error {
	return s.store.InTx(ctx, name, fn)
}

func (s *Service) view(ctx context.Context, name string, fn func(Reader) error) error {
	return s.store.View(ctx, name, fn)
}
