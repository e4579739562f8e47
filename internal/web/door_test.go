package web_test

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"muster/internal/web"
)

// behindDoor is a page behind a door, which counts what reaches it.
type behindDoor struct {
	door    *web.Door
	handler http.Handler
	address *url.URL
	reached int
}

const secretPage = "what the member answers"

func newDoor(t *testing.T) *behindDoor {
	t.Helper()
	served := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8338}
	door, err := web.NewDoor(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &behindDoor{door: door}
	b.handler = door.Guard(served, web.SecureForms(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.reached++
		fmt.Fprintln(w, secretPage)
	})))
	if b.address, err = url.Parse(door.Address(served)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *behindDoor) do(method, path string, edit func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host = "127.0.0.1:8338"
	if edit != nil {
		edit(r)
	}
	rec := httptest.NewRecorder()
	b.handler.ServeHTTP(rec, r)
	return rec
}

// enter goes through the door and returns the cookie.
func (b *behindDoor) enter(t *testing.T) *http.Cookie {
	t.Helper()
	rec := b.do(http.MethodGet, b.address.RequestURI(), nil)
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != b.door.Base()+"/" || len(rec.Result().Cookies()) != 1 {
		t.Fatalf("the door: %d %v", rec.Code, rec.Header())
	}
	return rec.Result().Cookies()[0]
}

func TestDoor(t *testing.T) {
	t.Parallel()
	b := newDoor(t)
	cookie := b.enter(t)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != b.door.Base()+"/" || cookie.Domain != "" {
		t.Errorf("cookie %+v", cookie)
	}
	if b.reached != 0 {
		t.Error("the token itself opens a page")
	}
	with := func(edit func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			r.AddCookie(cookie)
			if edit != nil {
				edit(r)
			}
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	page := b.door.Base() + "/en/"
	wrong := *cookie
	wrong.Value = strings.Repeat("0", len(cookie.Value))
	for _, row := range []struct {
		name, method, path string
		edit               func(*http.Request)
		status             int
	}{
		{"the person", "GET", page, with(nil), 200},
		{"her form", "POST", page, with(header("Origin", "http://127.0.0.1:8338")), 200},
		{"her form, as newer browsers say it", "POST", page, with(header("Sec-Fetch-Site", "same-origin")), 200},
		{"her token once more", "GET", b.address.RequestURI(), with(nil), 303},
		{"the token once more, by somebody else", "GET", b.address.RequestURI(), nil, 403},
		{"another user of the machine", "GET", page, nil, 403},
		{"another user of the machine, changing something", "POST", page, nil, 403},
		{"another user who guesses", "GET", page, func(r *http.Request) { r.AddCookie(&wrong) }, 403},
		{"another user with a token that he makes up", "GET", b.door.Base() + "/?token=" + strings.Repeat("0", 32), nil, 403},
		{"the root without the path that was drawn", "GET", "/", nil, 403},
		{"a name that was made to resolve to this machine", "GET", page, with(func(r *http.Request) { r.Host = "evil.example:8338" }), 421},
		{"the same, changing something", "POST", page, with(func(r *http.Request) { r.Host = "evil.example:8338" }), 421},
		{"another port of this machine", "GET", page, with(func(r *http.Request) { r.Host = "127.0.0.1:9999" }), 421},
		{"a page from elsewhere", "POST", page, with(header("Origin", "https://evil.example")), 403},
		{"a page of another server of this machine", "POST", page, with(header("Origin", "http://127.0.0.1:9999")), 403},
		{"the same, as newer browsers say it", "POST", page, with(header("Sec-Fetch-Site", "same-site")), 403},
		{"a page that hides where it is from", "POST", page, with(header("Origin", "null")), 403},
		{"a page from elsewhere, reading", "GET", page, with(header("Origin", "https://evil.example")), 403},
	} {
		b.reached = 0
		rec := b.do(row.method, row.path, row.edit)
		if rec.Code != row.status {
			t.Errorf("%s: %d, want %d", row.name, rec.Code, row.status)
		}
		if opened := strings.Contains(rec.Body.String(), secretPage); opened != (row.status == 200) || (b.reached == 1) != (row.status == 200) {
			t.Errorf("%s: the page was reached %d times", row.name, b.reached)
		}
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept", row.name)
		}
	}
}

// Two doors have nothing in common, and what one printed does not open the other.
func TestDoorsDiffer(t *testing.T) {
	t.Parallel()
	a, b := newDoor(t), newDoor(t)
	if a.address.String() == b.address.String() || a.door.Base() == b.door.Base() {
		t.Error("two starts have the same address")
	}
	cookie := a.enter(t)
	if rec := b.do(http.MethodGet, b.door.Base()+"/", func(r *http.Request) { r.AddCookie(cookie) }); rec.Code != http.StatusForbidden {
		t.Errorf("the cookie of another start: %d", rec.Code)
	}
}
