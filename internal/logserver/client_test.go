package logserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/logserver"
)

// What a server gives is bounded in size and time, and no redirect is followed.
func TestClient(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/whole", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("0123456789")) })
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("0123456789a")) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("/short", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Write([]byte("012"))
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	mux.HandleFunc("/hangs", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(hang)
	c := logserver.Client{URL: server.URL, HTTP: &http.Client{
		Timeout: 500 * time.Millisecond, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, row := range []struct {
		name string
		kind errs.Kind
		want string
	}{
		{"whole", 0, ""},
		{"long", errs.Invalid, "longer than 10 bytes"},
		{"missing", errs.NotFound, "is not at the ledger"},
		{"broken", errs.Unavailable, "answers with status 500"},
		{"short", errs.Unavailable, "did not answer to the end"},
		{"moved", errs.Unavailable, "answers with status 302"},
		{"hangs", errs.Unavailable, "cannot be reached"},
	} {
		t.Run(row.name, func(t *testing.T) {
			body, err := c.Resource(t.Context(), row.name, 10)
			switch {
			case row.want == "" && (err != nil || string(body) != "0123456789"):
				t.Errorf("%q, %v", body, err)
			case row.want != "" && (err == nil || errs.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.want)):
				t.Errorf("%v, not %q", err, row.want)
			}
		})
	}
}
