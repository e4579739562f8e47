package workspace_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	page "muster/internal/web/workspace"
	"muster/internal/workspace"
)

// TestBeside: what lies beside the pages is shown to who sees all answers, whatever is
// asked of it, and to nobody else.
func TestBeside(t *testing.T) {
	t.Parallel()
	s := shared(t)
	const secret = "what follows from all answers"
	falls := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s: %s", r.Method, r.URL.EscapedPath(), secret)
	})
	for letter, person := range people() {
		for _, base := range []string{"", "/abcdef"} {
			pages, err := page.New(page.Config{
				Service: s.Service, Person: func(*http.Request) workspace.Person { return person }, Now: today, Rand: &counting{}, Beside: falls, Base: base,
			})
			if err != nil {
				t.Fatal(err)
			}
			handler := pages.Handler()
			do := func(method, path string) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest(method, base+path, nil))
				return w
			}
			sees := strings.ContainsRune("lvar", rune(letter))
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, path := range []string{"/cascade/", "/cascade/en/", "/cascade/fr/scenario/a%2Fb/", "/cascade/survey/x/y/z"} {
					w := do(method, path)
					want := fmt.Sprintf("%s %s%s: %s", method, base, path, secret)
					if got := w.Body.String(); sees && got != want {
						t.Errorf("%c at %s: %d %.300s", letter, path, w.Code, got)
					} else if !sees && (w.Code != http.StatusForbidden || strings.Contains(got, secret)) {
						t.Errorf("%c at %s: %d %.300s", letter, path, w.Code, got)
					}
				}
			}
			link := `href="` + base + `/cascade/en/"`
			if body := do(http.MethodGet, "/en/").Body.String(); strings.Contains(body, link) != sees {
				t.Errorf("%c is led there: %t", letter, !sees)
			}
			pages.Close()
		}
	}
	// A workspace without a register has no such pages.
	w := httptest.NewRecorder()
	s.as(t, people()['l']).handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/cascade/en/", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("nothing lies there: %d", w.Code)
	}
}
