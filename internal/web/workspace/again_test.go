package workspace_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/internal/workspace/workspacetest"
)

// Without a script a refusal shows again what was sent, with the fault beside its field.
func TestRefusedFormsComeBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 4, "kept"))
	s.send(t, base+"bodies/body", url.Values{"rev": {"0"}, "id": {"grid"}, "name": {"The Grid"}})
	long := "zz" + strings.Repeat("x", 30_000)
	for _, row := range []struct {
		name, path string
		form       url.Values
		want       []string
	}{
		{"note", "outcome/A1.1", url.Values{"rev": {"0"}, "level": {"3"}, "reason": {"kept words"}, "note": {long}}, []string{long + "</textarea></p><p class=\"notice fault\"", "kept words", `value="3" checked`, "the note is too long"}},
		{"target date", "outcome/A1.1", url.Values{"rev": {"0"}, "target": {"3"}, "target_date": {"2031-02-30"}, "note": {"kept words"}}, []string{`value="2031-02-30"`, "</div><p class=\"notice fault\"", "kept words", "the day of the target is no day"}},
		{"evidence", "outcome/A1.1/reference", url.Values{"place": {"https://user:secret@example.org/"}, "title": {"kept words"}}, []string{"kept words", `aria-describedby="fault"`, "user:secret@example.org", "no https address"}},
		{"comment", "outcome/A1.1/comment", url.Values{"text": {long}}, []string{long, "the comment"}},
		{"contribution", "outcome/A1.1/contribution", url.Values{"rev": {"0"}, "body": {"grid"}, "level": {"2"}, "note": {long}}, []string{long, `value="2" selected`, `name="body" value="grid"`}},
		{"needs", "needs", url.Values{"rev": {"0"}, "body": {"grid"}, "what-1": {"kept words"}, "hours-1": {"many"}}, []string{"kept words", `value="many" aria-invalid="true"`}},
		{"return", "signoff/decision", url.Values{"step": {"none"}, "digest": {strings.Repeat("0", 64)}, "decision": {"return"}, "reason": {"kept words"}}, []string{"kept words", `name="decision" value="return"`}},
		{"units", "bodies/section", url.Values{"rev": {"0"}, "id": {"new"}, "title": {"kept words"}, "listed": {"grid"}, "units-grid": {"many"}}, []string{"kept words", `value="many" aria-invalid="true"`, "is no whole number"}},
		{"key", "signoff/key", url.Values{"rev": {"0"}, "id": {"hedda"}, "public": {"kept words"}, "at": {"head"}, "compared": {"1"}}, []string{`value="kept words" aria-invalid="true"`, "the public key cannot be read"}},
		{"action", "plan/action", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "text": {"kept words"}}, []string{"kept words", "an action needs an owner"}},
	} {
		rec := s.do(post(base+row.path, row.form))
		if rec.Code < 400 || rec.Code >= 500 {
			t.Errorf("%s: %d", row.name, rec.Code)
		}
		body := rec.Body.String()
		for _, want := range row.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %.60q", row.name, want)
			}
		}
		if strings.Contains(body, "when you go back") {
			t.Errorf("%s: the page says that a browser keeps the form", row.name)
		}
		if !strings.Contains(body, `action="`+base+row.path+`"`) {
			t.Errorf("%s: what was typed cannot be sent again", row.name)
		}
	}
	rec := s.do(post(base+"sealing/seal", url.Values{"passphrase": {"never shown"}}))
	if strings.Contains(rec.Body.String(), "never shown") || rec.Code == http.StatusOK {
		t.Errorf("sealing: %d, and the passphrase is on the page", rec.Code)
	}
}
