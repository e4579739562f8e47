package workspace_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// twoFiles returns the request by which the form brings an addendum.
func twoFiles(t testing.TB, path string, files map[string][]byte) *http.Request {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for field, body := range files {
		part, err := form.CreateFormFile(field, field+".json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

// A postponement is given on the page before sealing, and its day stands on the home, in
// the calendar and there: what was late is no longer.
func TestPostponed(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 2, "kept")
	c, signed := workspacetest.Charter(t, pack, "", "Calverra", "Westmark", "Ostmere")
	survey, err := w.Service.Load(t.Context(), w.Lead, workspace.LoadConfig{Pack: pack, Charter: &signed})
	if err != nil {
		t.Fatal(err)
	}
	was := time.Unix(c.Charter.Deadline, 0).UTC()
	until := was.Add(7 * 24 * time.Hour)
	draft, err := c.Charter.Postpone(nil, until, "a storm has cut a cable")
	if err != nil {
		t.Fatal(err)
	}
	addendum, err := draft.Sign(c.Coordinator, c.Leader, c.Helper)
	if err != nil {
		t.Fatal(err)
	}
	late := func() time.Time { return was.Add(time.Hour) }
	as := func(p workspace.Person) *site {
		pages, err := page.New(page.Config{Service: w.Service, Person: func(*http.Request) workspace.Person { return p }, Now: late, Rand: &counting{}})
		if err != nil {
			t.Fatal(err)
		}
		return &site{Workspace: w, handler: pages.Handler(), survey: survey.ID, pack: pack}
	}
	s := as(w.Lead)
	below := "/en/survey/" + string(survey.ID) + "/"
	for _, role := range []workspace.Role{workspace.RoleReader, workspace.RoleContributor, workspace.RoleApprover, workspace.RoleVerifier} {
		rec := as(workspace.Person{Name: "Somebody", Roles: []workspace.Role{role}}).do(twoFiles(t, below+"sealing/addendum", map[string][]byte{"addendum": addendum.Body, "signature": addendum.Signature}))
		if rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", role, rec.Code)
		}
	}
	if body := as(workspace.Person{Name: "Rita", Roles: []workspace.Role{workspace.RoleReader}}).get(t, below+"sealing", http.StatusOK); strings.Contains(body, "sealing/addendum") || !strings.Contains(body, "as the charter says") {
		t.Error("a reader is offered to postpone, or is not told until when")
	}
	for name, row := range map[string]struct {
		files map[string][]byte
		code  int
	}{
		"one file":         {map[string][]byte{"addendum": addendum.Body}, http.StatusUnprocessableEntity},
		"another's note":   {map[string][]byte{"addendum": addendum.Body, "signature": signed.Signature}, http.StatusUnprocessableEntity},
		"the charter":      {map[string][]byte{"addendum": signed.Body, "signature": signed.Signature}, http.StatusUnprocessableEntity},
		"far too large":    {map[string][]byte{"addendum": bytes.Repeat([]byte("x"), 200<<10), "signature": addendum.Signature}, http.StatusRequestEntityTooLarge},
		"larger than that": {map[string][]byte{"addendum": bytes.Repeat([]byte("x"), 65<<10), "signature": addendum.Signature}, http.StatusRequestEntityTooLarge},
	} {
		if rec := s.do(twoFiles(t, below+"sealing/addendum", row.files)); rec.Code != row.code {
			t.Errorf("%s: %d, want %d", name, rec.Code, row.code)
		}
	}
	day := func(at time.Time) string { return at.Format("2 January 2006") }
	before := s.get(t, below+"sealing", http.StatusOK)
	if !strings.Contains(before, day(was)) || strings.Contains(before, day(until)) {
		t.Error("before it is given the page does not have the charter's day alone")
	}
	rec := s.do(twoFiles(t, below+"sealing/addendum", map[string][]byte{"addendum": addendum.Body, "signature": addendum.Signature}))
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != below+"sealing#deadline" {
		t.Fatalf("%d %v\n%s", rec.Code, rec.Header(), rec.Body)
	}
	for place, want := range map[string]string{
		below + "sealing": "the deadline was postponed", "/en/": day(until), below: day(until), below + "reminders.ics": "DATE:" + until.Format("20060102"),
	} {
		body := s.get(t, place, http.StatusOK)
		if !strings.Contains(body, want) {
			t.Errorf("%s does not have %q", place, want)
		}
		if strings.Contains(body, day(was)) || strings.Contains(body, "DATE:"+was.Format("20060102")) {
			t.Errorf("%s still has the day that was", place)
		}
	}
	if kept, err := w.Addenda(t.Context(), w.Lead, survey.ID); err != nil || len(kept) != 1 || kept[0].Digest() != addendum.Digest() {
		t.Errorf("kept %v: %v", kept, err)
	}
}
