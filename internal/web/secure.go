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

// Secure sets the headers that every answer has.
func Secure(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", Policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
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
	_, port, err := net.SplitHostPort(served.String())
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port}
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

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // an error means that the other side has gone
}
