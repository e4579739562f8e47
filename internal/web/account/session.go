package account

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"muster/internal/account"
)

// The names of cookies. The prefix binds them to this host, over TLS, and to no
// other path or domain.
const (
	sessionCookie = "__Host-muster"
	joinCookie    = "__Host-muster-join" // the token of an invitation, while somebody joins
	flowCookie    = "__Host-muster-flow" // what began a sign-in by the provider
)

// What a session holds.
const (
	personKey = "person" // the id of who signed in
	beganKey  = "began"  // when, in microseconds since 1970
)

// newSessions returns sessions that end by the clock of the people's service. What
// the manager measures itself is longer than any of them.
//
// The cookie is sent when somebody follows a link from elsewhere, as from an
// invitation or from the provider (Lax), and with no other request from another site.
// It goes when the browser is closed.
func (p *Pages) newSessions(lengths account.Lengths) *scs.SessionManager {
	return &scs.SessionManager{
		Lifetime: lengths.Longest, Store: sessionStore{p.accounts, lengths}, Codec: sessionCodec{}, HashTokenInStore: true,
		Cookie: scs.SessionCookie{Name: sessionCookie, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode},
		ErrorFunc: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				p.log.Error("session", slog.Any("cause", err))
			}
			http.Error(w, "this could not be done", http.StatusInternalServerError)
		},
	}
}

// sessionStore keeps sessions among the people. The tokens that it is given are
// digests already.
type sessionStore struct {
	accounts *account.Service
	lengths  account.Lengths
}

var _ scs.CtxStore = sessionStore{}

// FindCtx implements [scs.CtxStore].
func (s sessionStore) FindCtx(ctx context.Context, digest string) ([]byte, bool, error) {
	found, ok, err := s.accounts.Session(ctx, digest, s.lengths)
	return found.Value, ok, err
}

// CommitCtx implements [scs.CtxStore]. A session is written once, when it begins: so
// no request that is under way brings one back that was ended.
func (s sessionStore) CommitCtx(ctx context.Context, digest string, value []byte, _ time.Time) error {
	var kept sessionValue
	if err := json.Unmarshal(value, &kept); err != nil {
		return err
	}
	return s.accounts.Begin(ctx, account.Session{Digest: digest, Person: account.PersonID(kept.Person), Value: value}, s.lengths)
}

// DeleteCtx implements [scs.CtxStore].
func (s sessionStore) DeleteCtx(ctx context.Context, digest string) error {
	return s.accounts.End(ctx, digest)
}

// errNoContext says that the manager has called a method that it need not call.
var errNoContext = errors.New("account: a session is used without its request")

// Find implements [scs.Store].
func (sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit implements [scs.Store].
func (sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete implements [scs.Store].
func (sessionStore) Delete(string) error { return errNoContext }

// sessionValue is a session as it is kept.
type sessionValue struct {
	Person   string `json:"person"`
	Began    int64  `json:"began"`    // microseconds since 1970
	Deadline int64  `json:"deadline"` // microseconds since 1970, by the manager's clock
}

// sessionCodec writes sessions as JSON.
type sessionCodec struct{}

// Encode implements [scs.Codec].
func (sessionCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	kept := sessionValue{Deadline: deadline.UnixMicro()}
	kept.Person, _ = values[personKey].(string)
	kept.Began, _ = values[beganKey].(int64)
	return json.Marshal(kept)
}

// Decode implements [scs.Codec].
func (sessionCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var kept sessionValue
	err := json.Unmarshal(b, &kept)
	return time.UnixMicro(kept.Deadline), map[string]any{personKey: kept.Person, beganKey: kept.Began}, err
}

// enter begins a session with a token that nobody has had before.
func (p *Pages) enter(ctx context.Context, person account.Person) error {
	if err := p.sessions.RenewToken(ctx); err != nil {
		return err
	}
	p.sessions.Put(ctx, personKey, string(person.ID))
	p.sessions.Put(ctx, beganKey, p.now().UnixMicro())
	return nil
}

// setCookie keeps something in the browser for the minutes that a ceremony takes; an
// empty value removes it.
func setCookie(w http.ResponseWriter, name, value string) {
	age := 15 * 60
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
