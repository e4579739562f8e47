package account_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	page "muster/internal/web/account"
	"muster/internal/workspace/workspacetest"
)

// provider is an OpenID Connect provider on an address of this machine. It says of
// everybody that he is who a test says.
type provider struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu     sync.Mutex
	asked  url.Values                          // guarded by mu: of the last request for a code
	lie    func(header, claims map[string]any) // guarded by mu: what it says wrong; nil for nothing
	signer *rsa.PrivateKey                     // guarded by mu: another key; nil for its own
	down   bool                                // guarded by mu
}

const (
	clientID = "muster"
	secret   = "a secret that no log may hold"
)

func newProvider(t testing.TB) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewTLSServer(mux)
	t.Cleanup(p.Close)
	return p
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// authorize is what a browser meets at the provider: it says who it is and is sent
// back with a code.
func (p *provider) authorize(t testing.TB, address, subject string) (state, code string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, p.URL+"/authorize?") {
		t.Fatalf("sent to %s: %v", address, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = u.Query()
	p.asked.Set("subject", subject)
	for name, want := range map[string]string{"client_id": clientID, "response_type": "code", "scope": "openid", "redirect_uri": origin + "/account/provider", "code_challenge_method": "S256"} {
		if got := p.asked.Get(name); got != want {
			t.Errorf("the provider is asked with %s %q, want %q", name, got, want)
		}
	}
	if len(p.asked.Get("state")) < 40 || len(p.asked.Get("nonce")) < 40 || len(p.asked.Get("code_challenge")) != 43 {
		t.Errorf("the provider is asked with short secrets: %v", p.asked)
	}
	return p.asked.Get("state"), "the code of " + subject
}

// token exchanges a code, if the client is who it says, and began it.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, password, ok := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if unescaped, err := url.QueryUnescape(password); err == nil {
		password = unescaped
	}
	if !ok || id != clientID || password != secret || encode(sum[:]) != p.asked.Get("code_challenge") || r.PostFormValue("code") != "the code of "+p.asked.Get("subject") {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]any{"error": "invalid_grant", "error_description": "what the provider says about " + r.PostFormValue("code")})
		return
	}
	now := time.Now()
	header := map[string]any{"alg": "RS256", "kid": "1"}
	claims := map[string]any{
		"iss": p.URL, "sub": p.asked.Get("subject"), "aud": clientID, "nonce": p.asked.Get("nonce"), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	if p.lie != nil {
		p.lie(header, claims)
	}
	answer(w, map[string]any{"access_token": "access", "token_type": "Bearer", "id_token": p.sign(header, claims)})
}

func (p *provider) sign(header, claims map[string]any) string {
	part := func(v any) string {
		var b bytes.Buffer
		_ = json.NewEncoder(&b).Encode(v)
		return encode(bytes.TrimSpace(b.Bytes()))
	}
	text := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	key := p.key
	if p.signer != nil {
		key = p.signer
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	switch {
	case err != nil:
		return ""
	case header["alg"] == "none":
		signature = nil
	case header["alg"] == "HS256": // with what everybody knows, in place of a secret
		mac := hmac.New(sha256.New, x509.MarshalPKCS1PublicKey(&p.key.PublicKey))
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	}
	return text + "." + encode(signature)
}

func (p *provider) openID() *page.OpenID {
	pool := x509.NewCertPool()
	pool.AddCert(p.Certificate())
	return page.NewOpenID(page.OpenIDConfig{
		Issuer: p.URL, ClientID: clientID, ClientSecret: secret, Return: origin + page.ReturnPath, Authorities: pool, Now: time.Now,
	})
}

// by goes through the provider and returns what the browser meets when it is back.
func (b *browser) by(t testing.TB, p *provider, query, subject string) *httptest.ResponseRecorder {
	t.Helper()
	rec := b.do(httptest.NewRequest(http.MethodGet, "/account/en/provider"+query, nil))
	if rec.Code != http.StatusSeeOther {
		return rec
	}
	state, code := p.authorize(t, rec.Header().Get("Location"), subject)
	return b.do(httptest.NewRequest(http.MethodGet, "/account/provider?"+url.Values{"state": {state}, "code": {code}}.Encode(), nil))
}

// Who was invited joins by the provider of the organisation, and signs in by it.
func TestOpenID(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, p.openID())
	if rec := s.browser().by(t, p, "", "17"); rec.Code != http.StatusForbidden {
		t.Errorf("somebody whom nobody invited: %d", rec.Code)
	}
	b := s.browser()
	b.get(t, "/account/en/join?invitation="+s.invite(t, "Ines Calloway"), http.StatusSeeOther)
	if body := b.get(t, "/account/en/join", http.StatusOK).Body.String(); !strings.Contains(body, "Join with Ostmere sign-in") {
		t.Errorf("the provider is not offered\n%s", body)
	}
	if rec := b.by(t, p, "?join=1", "17"); rec.Code != http.StatusSeeOther {
		t.Fatalf("joining: %d\n%s", rec.Code, rec.Body)
	}
	if got := b.behind(t); got != "behind: Ines Calloway true" {
		t.Errorf("behind the guard: %q", got)
	}
	other := s.browser()
	if rec := other.by(t, p, "", "17"); rec.Code != http.StatusSeeOther || other.behind(t) == "" {
		t.Errorf("signing in: %d", rec.Code)
	}
	if rec := s.browser().by(t, p, "", "18"); rec.Code != http.StatusForbidden {
		t.Errorf("somebody else: %d", rec.Code)
	}
	// An answer in a browser that has not asked is nobody's sign-in.
	begun := s.browser()
	rec := begun.do(httptest.NewRequest(http.MethodGet, "/account/en/provider", nil))
	state, code := p.authorize(t, rec.Header().Get("Location"), "17")
	victim := s.browser()
	if rec := victim.do(httptest.NewRequest(http.MethodGet, "/account/provider?"+url.Values{"state": {state}, "code": {code}}.Encode(), nil)); rec.Code != http.StatusConflict || victim.behind(t) != "" {
		t.Errorf("a link signs somebody in: %d", rec.Code)
	}
	if rec := begun.do(httptest.NewRequest(http.MethodGet, "/account/provider?"+url.Values{"state": {state + "x"}, "code": {code}}.Encode(), nil)); rec.Code != http.StatusForbidden {
		t.Errorf("another state: %d", rec.Code)
	}
	if rec := begun.do(httptest.NewRequest(http.MethodGet, "/account/provider?error=access_denied&error_description=words", nil)); rec.Code != http.StatusForbidden || strings.Contains(rec.Body.String(), "words") {
		t.Errorf("a refusal: %d", rec.Code)
	}
	for _, text := range []string{secret, code, state, "the provider says"} {
		if strings.Contains(s.log.String(), text) {
			t.Errorf("the log holds %q", text)
		}
	}
}

// What a provider says wrong lets nobody in.
func TestOpenIDRefuses(t *testing.T) {
	t.Parallel()
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(map[string]any, map[string]any) {
		return func(_, claims map[string]any) { claims[name] = value }
	}
	for name, lie := range map[string]func(header, claims map[string]any){
		"another nonce":     claim("nonce", "another"),
		"no nonce":          func(_, claims map[string]any) { delete(claims, "nonce") },
		"for somebody else": claim("aud", "another client"),
		"another issuer":    claim("iss", "https://id.example"),
		"expired":           claim("exp", time.Now().Add(-time.Hour).Unix()),
		"not yet":           claim("nbf", time.Now().Add(time.Hour).Unix()),
		"nobody":            claim("sub", ""),
		"not signed":        func(header, _ map[string]any) { header["alg"] = "none" },
		"with a public key": func(header, _ map[string]any) { header["alg"] = "HS256" },
		"another key":       nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, p.openID())
			b := s.browser()
			b.get(t, "/account/en/join?invitation="+s.invite(t, "Ines Calloway"), http.StatusSeeOther)
			p.mu.Lock()
			if p.lie = lie; lie == nil {
				p.signer = foreign
			}
			p.mu.Unlock()
			rec := b.by(t, p, "?join=1", "17")
			if rec.Code != http.StatusForbidden || b.behind(t) != "" {
				t.Errorf("%d\n%s", rec.Code, rec.Body)
			}
			// The invitation is still good.
			p.mu.Lock()
			p.lie, p.signer = nil, nil
			p.mu.Unlock()
			if rec := b.by(t, p, "?join=1", "17"); rec.Code != http.StatusSeeOther {
				t.Errorf("afterwards: %d\n%s", rec.Code, rec.Body)
			}
		})
	}
}

// A provider that is down keeps nobody with a passkey out, and is asked again.
func TestOpenIDIsDown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.down = true
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, p.openID())
	b := s.browser()
	b.join(t, s.invite(t, "Ines Calloway"))
	if rec := s.browser().by(t, p, "", "17"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("while it is down: %d", rec.Code)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	if rec := s.browser().by(t, p, "", "17"); rec.Code != http.StatusForbidden { // it vouches, and nobody invited him
		t.Errorf("when it is back: %d", rec.Code)
	}
}
