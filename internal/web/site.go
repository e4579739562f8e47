package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Site guards pages that are served to several people under a name of their own, over
// TLS. It answers only requests that name the site and that come from its own pages
// if they come from any: a page from elsewhere, and one whose name was made to resolve
// to this machine, read nothing and change nothing. A browser that was there once goes
// there over TLS only.
func Site(origin string, h http.Handler) http.Handler {
	host := ""
	if u, err := url.Parse(origin); err == nil {
		host = strings.ToLower(u.Host)
	}
	guarded := http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Strict-Transport-Security", "max-age=31536000")
		named := strings.TrimSuffix(strings.ToLower(r.Host), ":443")
		from := r.Header.Get("Origin")
		switch {
		case host == "" || named != strings.TrimSuffix(host, ":443"):
			plain(w, http.StatusMisdirectedRequest, "this program answers at "+origin+"/ alone")
		case from != "" && from != origin:
			plain(w, http.StatusForbidden, "this request comes from another page")
		default:
			guarded.ServeHTTP(w, r)
		}
	})
}

// Source returns what counts as one source of requests: an address of IP, of version 6
// its network of 64 bits, which is what one machine has.
func Source(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		return host
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	return netip.PrefixFrom(addr, 64).Masked().String()
}
