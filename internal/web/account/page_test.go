package account_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/web"
	page "muster/internal/web/account"
	"muster/internal/workspace/workspacetest"
)

const (
	host   = "answers.example"
	origin = "https://answers.example"
	lead   = "Ada Lindqvist"
)

// site is a surface that several share: its pages say who has signed in.
type site struct {
	*account.Service
	handler http.Handler
	log     *bytes.Buffer
}

func newSite(t testing.TB, store account.Store, now func() time.Time, provider account.Provider) *site {
	t.Helper()
	s := &site{log: new(bytes.Buffer)}
	var err error
	s.Service, err = account.New(account.Config{
		Store: store, Now: now, Rand: rand.Reader, Roles: []account.Role{{Name: "clerk"}}, Provider: provider,
		Site: account.Site{Name: "Ostmere", Host: host, Origin: origin},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := page.Config{
		Accounts: s.Service, Lengths: account.Lengths{Idle: 30 * time.Minute, Longest: 2 * time.Hour}, Brand: "Ostmere", Now: now,
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if provider != nil {
		cfg.Provider = "Ostmere sign-in"
	}
	pages, err := page.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = web.Site(origin, pages.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := page.PersonOf(r.Context())
		fmt.Fprintf(w, "behind: %s %v", p.Name, ok)
	})))
	return s
}

func (s *site) invite(t testing.TB, name string) string {
	t.Helper()
	token, err := s.Invite(t.Context(), lead, account.Invitee{Name: name, Grants: []account.Grant{{Role: "clerk"}}})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// browser is one with cookies and passkeys.
type browser struct {
	site    *site
	cookies map[string]string
	device  *accounttest.Authenticator
}

func (s *site) browser() *browser {
	return &browser{site: s, cookies: make(map[string]string), device: accounttest.New(origin, rand.Reader)}
}

// do sends a request with the browser's cookies and keeps those that come back.
func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	r.Host = host
	r.RemoteAddr = "192.0.2.1:4711"
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	b.site.handler.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return rec
}

func (b *browser) get(t testing.TB, path string, status int) *httptest.ResponseRecorder {
	t.Helper()
	rec := b.do(httptest.NewRequest(http.MethodGet, path, nil))
	if rec.Code != status {
		t.Fatalf("GET %s: %d, want %d\n%s", path, rec.Code, status, rec.Body)
	}
	return rec
}

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

type told struct {
	Flow, Next, Message, Detail string
	Options                     json.RawMessage
}

// ask posts a form as the script does.
func (b *browser) ask(t testing.TB, path string, form url.Values, status int) told {
	t.Helper()
	r := post(path, form)
	r.Header.Set("Accept", "application/json")
	rec := b.do(r)
	var reply told
	if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil || rec.Code != status {
		t.Fatalf("POST %s: %d, want %d: %v\n%s", path, rec.Code, status, err, rec.Body)
	}
	return reply
}

// join opens an invitation and registers a passkey.
func (b *browser) join(t testing.TB, token string) {
	t.Helper()
	rec := b.get(t, "/account/en/join?invitation="+token, http.StatusSeeOther)
	if at := rec.Header().Get("Location"); at != "/account/en/join" {
		t.Errorf("the invitation leads to %s", at)
	}
	b.get(t, "/account/en/join", http.StatusOK)
	c := b.ask(t, "/account/en/join/begin", nil, http.StatusOK)
	b.ask(t, "/account/en/join/finish", url.Values{"flow": {c.Flow}, "name": {"laptop"}, "response": {string(b.device.Create(t, c.Options))}}, http.StatusOK)
}

func (b *browser) signIn(t testing.TB) {
	t.Helper()
	c := b.ask(t, "/account/en/sign-in/begin", nil, http.StatusOK)
	b.ask(t, "/account/en/sign-in/finish", url.Values{"flow": {c.Flow}, "response": {string(b.device.Get(t, c.Options))}}, http.StatusOK)
}

// behind returns what is served behind the guard, or "" where nothing is.
func (b *browser) behind(t testing.TB) string {
	t.Helper()
	rec := b.do(httptest.NewRequest(http.MethodGet, "/en/", nil))
	if rec.Code == http.StatusSeeOther {
		return ""
	}
	return rec.Body.String()
}

// Who was invited joins in a browser, is let through, signs out and in again.
func TestEnter(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	token := s.invite(t, "Ines Calloway")
	b := s.browser()
	if got := b.get(t, "/en/survey/2031/x/?show=mine", http.StatusSeeOther).Header().Get("Location"); got != "/account/en/sign-in?to=%2Fen%2Fsurvey%2F2031%2Fx%2F%3Fshow%3Dmine" {
		t.Errorf("led to %s", got)
	}
	b.cookies["__Host-muster"] = "a token that somebody else chose"
	b.join(t, token)
	first := b.cookies["__Host-muster"]
	if first == "" || first == "a token that somebody else chose" {
		t.Fatalf("the session has the token %q", first)
	}
	if got := b.behind(t); got != "behind: Ines Calloway true" {
		t.Fatalf("behind the guard: %q", got)
	}
	body := b.get(t, "/account/en/you", http.StatusOK).Body.String()
	if !strings.Contains(body, "laptop") || !strings.Contains(body, "Ines Calloway") {
		t.Errorf("her page does not show her passkey:\n%s", body)
	}
	if rec := b.do(post("/account/en/sign-out", nil)); rec.Code != http.StatusSeeOther {
		t.Fatalf("signing out: %d", rec.Code)
	}
	if b.behind(t) != "" {
		t.Error("she is still in")
	}
	b.cookies["__Host-muster"] = first
	if b.behind(t) != "" {
		t.Error("the token of a session that ended lets somebody in")
	}
	b.signIn(t)
	if b.cookies["__Host-muster"] == first {
		t.Error("a sign-in has the token of the session before")
	}
	if got := b.behind(t); got != "behind: Ines Calloway true" {
		t.Errorf("behind the guard: %q", got)
	}
	other := s.browser()
	other.device = b.device
	other.signIn(t)
	if rec := b.do(post("/account/en/sign-out/everywhere", nil)); rec.Code != http.StatusSeeOther {
		t.Fatalf("signing out everywhere: %d", rec.Code)
	}
	if b.behind(t) != "" || other.behind(t) != "" {
		t.Error("one is still in after everywhere")
	}
	for _, secret := range []string{token, first} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log holds a token")
		}
	}
}

// A session is over after a while without a request, and after its longest time,
// whatever the browser keeps.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
		b := s.browser()
		b.join(t, s.invite(t, "Ines Calloway"))
		in := func(want bool, when string) {
			t.Helper()
			if got := b.behind(t) != ""; got != want {
				t.Errorf("%s: in is %v", when, got)
			}
		}
		time.Sleep(29 * time.Minute)
		in(true, "after 29 minutes")
		time.Sleep(31 * time.Minute)
		in(false, "after 31 minutes without a request")
		b.signIn(t)
		for range 5 {
			time.Sleep(20 * time.Minute)
			in(true, "while it is used")
		}
		time.Sleep(20 * time.Minute)
		in(false, "after two hours")
	})
}

// Who was removed is out with her next request, and what she may do now is what she
// may do now.
func TestRemovedIsOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	b := s.browser()
	b.join(t, s.invite(t, "Ines Calloway"))
	if b.behind(t) == "" {
		t.Fatal("she is not in")
	}
	if err := s.Remove(t.Context(), lead, "Ines Calloway"); err != nil {
		t.Fatal(err)
	}
	if b.behind(t) != "" {
		t.Error("she is in after she was removed")
	}
}

// Another page, another name for this machine, and a request without a session change
// and read nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	in := s.browser()
	in.join(t, s.invite(t, "Ines Calloway"))
	rows := []struct {
		name   string
		by     *browser
		change func(*http.Request)
		method string
		status int
	}{
		{"nobody", s.browser(), func(*http.Request) {}, http.MethodGet, http.StatusSeeOther},
		{"nobody who sends", s.browser(), func(*http.Request) {}, http.MethodPost, http.StatusUnauthorized},
		{"a script of nobody", s.browser(), func(r *http.Request) { r.Header.Set("Accept", "application/json") }, http.MethodPost, http.StatusUnauthorized},
		{"another page", in, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, http.MethodPost, http.StatusForbidden},
		{"another page without its name", in, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site"); r.Header.Del("Origin") }, http.MethodPost, http.StatusForbidden},
		{"a page that hides where it is from", in, func(r *http.Request) { r.Header.Set("Origin", "null") }, http.MethodPost, http.StatusForbidden},
		{"a neighbour", in, func(r *http.Request) { r.Header.Set("Origin", "https://other.answers.example") }, http.MethodPost, http.StatusForbidden},
		{"without TLS", in, func(r *http.Request) { r.Header.Set("Origin", "http://answers.example") }, http.MethodPost, http.StatusForbidden},
	}
	for _, row := range rows {
		for _, path := range []string{"/en/", "/account/en/sign-out/everywhere"} {
			if row.by != in && path != "/en/" {
				continue
			}
			r := post(path, nil)
			r.Method = row.method
			row.change(r)
			if rec := row.by.do(r); rec.Code != row.status || strings.Contains(rec.Body.String(), "behind") {
				t.Errorf("%s at %s: %d, want %d\n%.200s", row.name, path, rec.Code, row.status, rec.Body)
			}
		}
	}
	for _, name := range []string{"evil.example", "192.0.2.7", "answers.example:8443", "answers.example.evil", ""} {
		r := httptest.NewRequest(http.MethodGet, "/en/", nil)
		r.Host = name
		r.AddCookie(&http.Cookie{Name: "__Host-muster", Value: in.cookies["__Host-muster"]})
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusMisdirectedRequest {
			t.Errorf("under the name %q: %d", name, rec.Code)
		}
	}
	if in.behind(t) == "" {
		t.Error("somebody else signed her out")
	}
}

// Every answer has the headers that keep a browser from being used against it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	rec := s.browser().get(t, "/account/en/sign-in", http.StatusOK)
	for name, want := range map[string]string{
		"Strict-Transport-Security": "max-age=31536000", "Content-Security-Policy": web.FormPolicy, "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	b := s.browser()
	r := httptest.NewRequest(http.MethodGet, "/account/en/join?invitation=x", nil)
	for _, c := range b.do(r).Result().Cookies() {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("a cookie is open: %s", c)
		}
	}
}

// Who signs in is led on within this site, and nowhere else.
func TestLedOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	b := s.browser()
	b.join(t, s.invite(t, "Ines Calloway"))
	for to, want := range map[string]string{
		"/en/survey/2031/x/?show=mine": "/en/survey/2031/x/?show=mine", "": "/", "https://evil.example/": "/", "//evil.example/": "/", `/\evil.example`: "/",
		"javascript:alert(1)": "/", "/account/en/sign-in": "/", "/x/../account/en/sign-out": "/", "en/": "/", "/en/#o-A1.1": "/en/",
	} {
		rec := b.get(t, "/account/en/sign-in?"+url.Values{"to": {to}}.Encode(), http.StatusSeeOther)
		if got := rec.Header().Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

// A passkey is added by who has just signed in, and by nobody who finds an open
// browser.
func TestAddPasskey(t *testing.T) {
	t.Parallel()
	var now time.Time
	start := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	now = start
	s := newSite(t, workspacetest.New(t).DB.Accounts(), func() time.Time { return now }, nil)
	b := s.browser()
	b.join(t, s.invite(t, "Ines Calloway"))
	second := accounttest.New(origin, rand.Reader)
	c := b.ask(t, "/account/en/you/add/begin", url.Values{"name": {"key"}}, http.StatusOK)
	if told := b.ask(t, "/account/en/you/add/finish", url.Values{"flow": {c.Flow}, "name": {"key"}, "response": {string(second.Create(t, c.Options))}}, http.StatusOK); told.Next != "/account/en/you" {
		t.Errorf("led to %q", told.Next)
	}
	body := b.get(t, "/account/fr/you", http.StatusOK).Body.String()
	ids := regexp.MustCompile(`name="id" value="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d passkeys can be removed\n%s", len(ids), body)
	}
	now = start.Add(16 * time.Minute)
	if told := b.ask(t, "/account/en/you/add/begin", nil, http.StatusForbidden); !strings.Contains(told.Detail, "a while ago") {
		t.Errorf("told %+v", told)
	}
	if rec := b.do(post("/account/en/you/remove", url.Values{"kind": {"passkey"}, "id": {ids[0][1]}})); rec.Code != http.StatusSeeOther {
		t.Errorf("removing: %d", rec.Code)
	}
	if rec := b.do(post("/account/en/you/remove", url.Values{"kind": {"passkey"}, "id": {ids[1][1]}})); rec.Code != http.StatusConflict {
		t.Errorf("removing the last one: %d", rec.Code)
	}
}

// Tokens that are none end after some tries with 429.
func TestTooManyTries(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	b := s.browser()
	for i := range 1000 {
		rec := b.do(post("/account/en/join", url.Values{"invitation": {fmt.Sprint("guess ", i)}}))
		if rec.Code == http.StatusTooManyRequests {
			if rec.Header().Get("Retry-After") == "" || i < 30 {
				t.Errorf("after %d tries, wait %q", i, rec.Header().Get("Retry-After"))
			}
			return
		}
		if rec.Code != http.StatusForbidden {
			t.Fatalf("try %d: %d", i, rec.Code)
		}
	}
	t.Error("a thousand tries were answered")
}

// The pages speak both languages, with the invitation that was pasted.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	token := s.invite(t, "Ines Calloway")
	for lang, want := range map[string][]string{"en": {"Sign in", "Welcome, Ines Calloway"}, "fr": {"Se connecter", "Bienvenue, Ines Calloway"}} {
		b := s.browser()
		if body := b.get(t, "/account/"+lang+"/sign-in", http.StatusOK).Body.String(); !strings.Contains(body, want[0]) || !strings.Contains(body, "<noscript>") {
			t.Errorf("%s: the page of sign-in says\n%s", lang, body)
		}
		if body := b.get(t, "/account/"+lang+"/join", http.StatusOK).Body.String(); !strings.Contains(body, `name="invitation"`) {
			t.Errorf("%s: nothing asks for the invitation\n%s", lang, body)
		}
		if rec := b.do(post("/account/"+lang+"/join", url.Values{"invitation": {origin + "/account/en/join?invitation=" + token}})); rec.Code != http.StatusSeeOther {
			t.Fatalf("%s: giving the invitation: %d\n%s", lang, rec.Code, rec.Body)
		}
		if body := b.get(t, "/account/"+lang+"/join", http.StatusOK).Body.String(); !strings.Contains(body, want[1]) || strings.Contains(body, token) {
			t.Errorf("%s: the page of who was invited says\n%s", lang, body)
		}
		b.get(t, "/account/"+lang+"/nothing", http.StatusNotFound)
		b.get(t, "/account/de/sign-in", http.StatusNotFound)
		b.get(t, "/account/"+lang+"/you", http.StatusForbidden)
	}
}

// Every message is used.
func TestMessagesAreUsed(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "template/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	kit, err := web.New(web.Config{Locales: []fs.FS{os.DirFS("locale")}})
	if err != nil {
		t.Fatal(err)
	}
	composed := regexp.MustCompile(`^(kit|list|date|month)\b`)
	for _, id := range kit.Printer("en").Messages() {
		if !composed.MatchString(id) && !strings.Contains(sources.String(), `"`+id+`"`) {
			t.Errorf("nothing says %s", id)
		}
	}
}
