package account_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/workspace/workspacetest"
)

// What signing in refuses is in the language of the page, for browsers and for scripts.
func TestRefusalsSpeakFrench(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.New(t).DB.Accounts(), time.Now, nil)
	in := s.browser()
	in.join(t, s.invite(t, "Ines Calloway"))
	for _, row := range []struct {
		name, path string
		by         *browser
		form       url.Values
		want       string
	}{
		{"invitation", "join", s.browser(), url.Values{"invitation": {"guess"}}, "cette invitation n’est pas valable\u00a0: elle a servi, a expiré, a été remplacée, ou n’en a jamais été une"},
		{"nobody", "you/remove", s.browser(), nil, "vous n’êtes pas connecté"},
		{"a ceremony that never was", "sign-in/finish", s.browser(), url.Values{"flow": {"none"}, "response": {"{}"}}, "le délai est passé, ou la réponse a déjà été donnée"},
		{"another's passkey", "you/remove", in, url.Values{"passkey": {"none"}}, "vous n’avez pas cette clé d’accès"},
		{"too large", "you/remove", in, url.Values{"id": {strings.Repeat("x", 1<<20)}}, "le formulaire est trop volumineux"},
	} {
		path := "/account/fr/" + row.path
		rec := row.by.do(post(path, row.form))
		if shown := rec.Body.String(); rec.Code < 400 || !strings.Contains(shown, row.want) || strings.Contains(shown, `<span lang="en"`) {
			t.Errorf("%s: %d, the page lacks %q\n%s", row.name, rec.Code, row.want, shown)
		}
		if reply := row.by.ask(t, path, row.form, rec.Code); !strings.HasPrefix(reply.Detail, row.want) {
			t.Errorf("%s: the script is told %q", row.name, reply.Detail)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/account/fr/nothing", nil)
	if rec := in.do(r); rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "cette page n’existe pas.") {
		t.Errorf("a page that is none: %d\n%s", rec.Code, rec.Body)
	}
	if reply := in.ask(t, "/account/fr/you/remove", url.Values{"passkey": {"none"}}, http.StatusNotFound); strings.Contains(reply.Detail, ";") {
		t.Errorf("a refusal without a hint: %q", reply.Detail)
	}
}
