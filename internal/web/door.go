package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Door is the way into pages that are one person's on a machine that others use
// too. It is made anew at every start and known to whoever sees the terminal.
//
// A token in the address is exchanged, once, for a cookie that scripts cannot read
// and that no request from another site carries. A cookie is sent to every port of
// a machine, and so to a server that another user of it runs; therefore all pages
// lie under a path that is drawn too, and the cookie is sent to that path only. Who
// knows the path and has no cookie reads nothing.
type Door struct {
	base   string
	secret [sha256.Size]byte // SHA-256 of the cookie's value

	mu    sync.Mutex
	token string // guarded by mu; empty once it was used
	value string // of the cookie
}

// doorCookie is the name of the cookie.
const doorCookie = "muster"

// tokenParameter is the name of the token in the address.
const tokenParameter = "token"

// NewDoor draws a door.
func NewDoor(rand io.Reader) (*Door, error) {
	var drawn [16 + 16 + 5]byte
	if _, err := io.ReadFull(rand, drawn[:]); err != nil {
		return nil, fmt.Errorf("draw a token: %w", err)
	}
	d := &Door{
		token: hex.EncodeToString(drawn[:16]), value: hex.EncodeToString(drawn[16:32]), base: "/" + hex.EncodeToString(drawn[32:]),
	}
	d.secret = sha256.Sum256([]byte(d.value))
	return d, nil
}

// Base returns the path that the pages are served under, for [Config.Base].
func (d *Door) Base() string { return d.base }

// Address returns the address to open, with the token.
func (d *Door) Address(served net.Addr) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return "http://" + served.String() + d.base + "/?" + url.Values{tokenParameter: {d.token}}.Encode()
}

// Guard answers only requests that name the address that it is served at, come from
// its own pages if they come from any page, and carry the cookie. It answers nothing
// else, whatever the method: another user of the machine and a page from elsewhere
// whose name was made to resolve to it read nothing and change nothing.
func (d *Door) Guard(served net.Addr, h http.Handler) http.Handler {
	hosts, err := loopbackHosts(served)
	guarded := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		switch {
		case err != nil || !slices.Contains(hosts, strings.ToLower(r.Host)):
			plain(w, http.StatusMisdirectedRequest, "this program answers at http://"+hosts[0]+"/ alone")
		case !ownOrigin(r):
			plain(w, http.StatusForbidden, "this request comes from another page")
		case d.knows(r):
			if (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.Query().Has(tokenParameter) {
				http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
				return
			}
			guarded.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == d.base+"/" && d.exchange(r.URL.Query().Get(tokenParameter)):
			http.SetCookie(w, &http.Cookie{Name: doorCookie, Value: d.value, Path: d.base + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, d.base+"/", http.StatusSeeOther)
		default:
			plain(w, http.StatusForbidden, refusal)
		}
	})
}

// refusal is what who has no cookie reads.
const refusal = `Open the address that muster printed in the terminal. It is good for one browser, once; if it was used already, end muster there with Ctrl-C and start it again.

Ouvrez l'adresse que muster a affichée dans le terminal. Elle vaut pour un seul navigateur, une seule fois ; si elle a déjà servi, arrêtez muster avec Ctrl-C et relancez-le.`

// ownOrigin reports whether a request that says where it comes from comes from a
// page of the server that it is sent to.
func ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || origin == "http://"+r.Host
}

func (d *Door) knows(r *http.Request) bool {
	for _, c := range r.CookiesNamed(doorCookie) {
		sum := sha256.Sum256([]byte(c.Value))
		if subtle.ConstantTimeCompare(sum[:], d.secret[:]) == 1 {
			return true
		}
	}
	return false
}

// exchange reports whether a token is the one that was printed, once.
func (d *Door) exchange(token string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(d.token)) != 1 {
		return false
	}
	d.token = ""
	return true
}
