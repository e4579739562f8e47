package web

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// Policy is the content security policy of every page: the kit's own stylesheet,
// font and icon, forms that come back, and nothing else; no script at all.
const Policy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// FormPolicy is [Policy] for pages on which a person changes something: their own
// script from the same server, which may ask that server alone. Nothing inline, and
// nothing is evaluated.
const FormPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Secure sets the headers that every answer has.
func Secure(h http.Handler) http.Handler { return secure(Policy, "no-referrer", h) }

// SecureForms is [Secure] for pages on which a person changes something. A form says
// where it comes from only to who may know its address, so their own server may; no
// other does.
func SecureForms(h http.Handler) http.Handler { return secure(FormPolicy, "same-origin", h) }

func secure(policy, referrer string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", referrer)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		header.Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// Loopback answers only requests that name the address that it is served at. A
// page from elsewhere whose name was made to resolve to this machine names its
// own and is refused with 421, so that it reads nothing. Requests that change
// something do not exist here: every method but GET and HEAD is refused too.
func Loopback(served net.Addr, h http.Handler) http.Handler {
	hosts, err := loopbackHosts(served)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case err != nil || !slices.Contains(hosts, strings.ToLower(r.Host)):
			plain(w, http.StatusMisdirectedRequest, "this program answers at http://"+hosts[0]+"/ alone")
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "nothing here can be changed")
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// LoopbackForms is [Loopback] for pages of which something can be asked: requests that
// change something are answered where they come from the pages themselves.
func LoopbackForms(served net.Addr, h http.Handler) http.Handler {
	hosts, err := loopbackHosts(served)
	guarded := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case err != nil || !slices.Contains(hosts, strings.ToLower(r.Host)):
			plain(w, http.StatusMisdirectedRequest, "this program answers at http://"+hosts[0]+"/ alone")
		case !ownOrigin(r):
			plain(w, http.StatusForbidden, "this request comes from another page")
		default:
			guarded.ServeHTTP(w, r)
		}
	})
}

// loopbackHosts returns what a browser on this machine may call the address.
func loopbackHosts(served net.Addr) ([]string, error) {
	_, port, err := net.SplitHostPort(served.String())
	return []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}, err
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // an error means that the other side has gone
}
