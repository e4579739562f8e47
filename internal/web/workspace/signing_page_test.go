package workspace_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

var digestIn = regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`)

// A step that asks for a signature is approved by no button; the sheet says who signed,
// and of a step that does not ask, that nobody did.
func TestSignedStepsOnPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "kept"))
	for _, o := range s.pack.Outcomes() {
		s.send(t, base+"outcome/"+o.ID, url.Values{"rev": {"0"}, "level": {"2"}})
	}
	s.send(t, base+"signoff/chain", url.Values{"step": {"", ""}, "name": {"Expert", "Minister"}, "signed": {"1"}})
	body := s.get(t, base+"signoff", http.StatusOK)
	digest := digestIn.FindStringSubmatch(body)[1]
	s.send(t, base+"signoff/decision", url.Values{"step": {"step-1"}, "digest": {digest}, "decision": {"approve"}})
	body = s.get(t, base+"signoff", http.StatusOK)
	for _, want := range []string{"not signed", "asks for a signature", "muster workspace approve --survey 2031/invented --step 2 --key KEYFILE"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(body, `value="approve"`) {
		t.Error("there is a button that approves without a signature")
	}
	if rec := s.do(post(base+"signoff/decision", url.Values{"step": {"step-2"}, "digest": {digest}, "decision": {"approve"}})); rec.Code != http.StatusConflict {
		t.Errorf("approved without a signature: %d", rec.Code)
	}

	// The key is registered after its words were shown.
	signer, err := keys.Generate(rand.Reader, "Minna Holm")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"rev": {"0"}, "id": {"minna"}, "public": {string(signer.Public())}, "at": {"step-2"}}
	rec := s.do(post(base+"signoff/key", form))
	words := keys.WordLines(signer.Public().Digest())
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), words[0]) || !strings.Contains(rec.Body.String(), words[3]) {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if all, _ := s.Approvers(t.Context(), s.Lead); len(all) != 0 {
		t.Error("it was registered before the words were compared")
	}
	confirmed := formOf(rec.Body.String())
	confirmed.Set("compared", "1")
	s.send(t, base+"signoff/key", confirmed)
	if rec := s.do(post(base+"signoff/key", url.Values{"rev": {"0"}, "id": {"x"}, "public": {"nonsense"}, "at": {"step-2"}})); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("a key that is none: %d", rec.Code)
	}
	request, err := s.RequestApproval(t.Context(), s.Lead, s.survey, "step-2")
	if err != nil {
		t.Fatal(err)
	}
	file, err := request.Approve(signer.Public(), true, "", time.Unix(1, 0)).Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AcceptApproval(t.Context(), s.Lead, file); err != nil {
		t.Fatal(err)
	}
	sheet := s.get(t, base+"signoff/sheet", http.StatusOK)
	signed := "signed by Minna Holm, key " + strings.Join(keys.Words(signer.Public().Digest())[:4], " ")
	if !strings.Contains(sheet, signed) || !strings.Contains(sheet, "not signed") || !strings.Contains(sheet, digest) {
		t.Errorf("the sheet does not say who signed:\n%s", sheet)
	}
	body = s.get(t, base+"signoff", http.StatusOK)
	if !strings.Contains(body, "Everybody has approved") || !strings.Contains(body, strings.Join(words, " ")) {
		t.Error("the page does not say that all have approved, or not with which key")
	}
	if !strings.Contains(body, "signoff/statement/approval-1.json.sig") {
		t.Error("the signed files are not given out")
	}
	statement := s.do(httptest.NewRequest(http.MethodGet, base+"signoff/statement/approval-1.json", nil)).Body.Bytes()
	note := s.do(httptest.NewRequest(http.MethodGet, base+"signoff/statement/approval-1.json.sig", nil)).Body.Bytes()
	if err := keys.Verify(keys.KindApproval, statement, note, signer.Public()); err != nil {
		t.Errorf("the files that are given out: %v", err)
	}
	s.get(t, base+"signoff/statement/approval-2.json", http.StatusNotFound)
	all, _ := s.Approvers(t.Context(), s.Lead)
	s.send(t, base+"signoff/key", url.Values{"rev": {itoa(int64(all[0].Rev))}, "remove": {"minna"}})
	if body = s.get(t, base+"signoff", http.StatusOK); !strings.Contains(body, "registered no longer") || strings.Contains(body, "Everybody has approved") {
		t.Error("a key that was taken off still counts")
	}
}

// sealer seals by recording what it was asked.
type sealer struct {
	service    *workspace.Service
	passphrase string
	files      map[uint64]string
}

func (s *sealer) AsksPassphrase() bool { return true }

func (s *sealer) Seal(_ context.Context, _ workspace.Person, _ workspace.SurveyID, digest, passphrase string) (uint64, error) {
	if passphrase != s.passphrase {
		return 0, errs.New(errs.Denied, "this is not the passphrase of the workspace", "")
	}
	n := uint64(len(s.files) + 1)
	s.files[n] = "sealed " + digest
	return n, nil
}

func (s *sealer) File(_ workspace.SurveyID, n uint64) (string, []byte, error) {
	if body, ok := s.files[n]; ok {
		return "sealed.json", []byte(body), nil
	}
	return "", nil, errs.New(errs.NotFound, "none", "")
}

// The page seals exactly what it shows, when nothing keeps it from that, with the
// passphrase, which is nowhere afterwards.
func TestSealOnPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "kept"))
	const secret = "Zanzifar over calm water"
	with := &sealer{service: s.Service, passphrase: secret, files: make(map[uint64]string)}
	if body := s.get(t, base+"sealing", http.StatusOK); strings.Contains(body, `type="password"`) {
		t.Error("without a sealer the page asks for a passphrase")
	}
	if rec := s.do(post(base+"sealing/seal", url.Values{})); rec.Code != http.StatusConflict {
		t.Errorf("without a sealer: %d", rec.Code)
	}
	s.with(t, func(c *page.Config) { c.Sealer = with })
	if body := s.get(t, base+"sealing", http.StatusOK); !strings.Contains(body, "2 things are to be done first") || strings.Contains(body, `type="password"`) {
		t.Error("an incomplete survey can be sealed")
	}
	for _, o := range s.pack.Outcomes() {
		s.send(t, base+"outcome/"+o.ID, url.Values{"rev": {"0"}, "level": {"2"}})
	}
	if body := s.get(t, base+"sealing", http.StatusOK); strings.Contains(body, `type="password"`) || !strings.Contains(body, "has no charter yet") {
		t.Error("a survey without a charter can be sealed")
	}
	digest := digestOfSurvey(t, s)
	if rec := s.do(post(base+"sealing/seal", url.Values{"digest": {digest}, "passphrase": {"another"}})); rec.Code != http.StatusForbidden || strings.Contains(rec.Body.String(), "another") {
		t.Errorf("another passphrase: %d %s", rec.Code, rec.Body)
	}
	for letter, person := range people() { // none of whom may even try a passphrase
		if letter == 'l' {
			continue
		}
		other := &site{Workspace: s.Workspace, survey: s.survey, pack: s.pack, log: s.log}
		other.with(t, func(c *page.Config) {
			c.Sealer, c.Person = with, func(*http.Request) workspace.Person { return person }
		})
		if rec := other.do(post(base+"sealing/seal", url.Values{"digest": {digest}, "passphrase": {secret}})); rec.Code != http.StatusForbidden || len(with.files) > 0 {
			t.Errorf("%s seals: %d", person.Name, rec.Code)
		}
	}
	at := s.send(t, base+"sealing/seal", url.Values{"digest": {digest}, "passphrase": {secret}})
	if at != base+"sealing#sealed" || with.files[1] != "sealed "+digest {
		t.Errorf("led to %s with %v", at, with.files)
	}
	rec := s.do(httptest.NewRequest(http.MethodGet, base+"sealing/file/1", nil))
	if rec.Code != http.StatusOK || rec.Body.String() != with.files[1] || !strings.Contains(rec.Header().Get("Content-Disposition"), "sealed.json") {
		t.Errorf("the sealed file: %d %v", rec.Code, rec.Header())
	}
	for _, path := range []string{"sealing/file/2", "sealing/file/x"} {
		s.get(t, base+path, http.StatusNotFound)
	}
	if strings.Contains(s.log.String(), secret) {
		t.Error("the log has the passphrase")
	}
}

func digestOfSurvey(t *testing.T, s *site) string {
	t.Helper()
	is, err := s.Sealable(t.Context(), s.Lead, s.survey)
	if err != nil {
		t.Fatal(err)
	}
	return is.Digest
}

// Who has not answered gets a letter with what is open, and the days go into a
// calendar.
func TestReminders(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	ctx := t.Context()
	for _, body := range []assess.Body{{ID: "grid", Name: "The Grid; and, more"}, {ID: "port", Name: "The Port"}} {
		if _, err := s.PutBody(ctx, s.Lead, 0, body); err != nil {
			t.Fatal(err)
		}
	}
	long := "Area one, the first of them, of which the title goes on and on: élan vital à l’œuvre"
	s.send(t, base+"bodies/section", url.Values{"rev": {"0"}, "id": {"one"}, "title": {long}, "area": {"A1"}, "listed": {"grid", "port"}, "due": {"2031-02-01"}})
	for i := range 6 {
		id := "A1." + itoa(int64(i+1))
		if _, err := s.Contribute(ctx, s.Lead, s.survey, id, 0, assess.Contribution{Body: "port", Level: framework.Level2}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Contribute(ctx, s.Lead, s.survey, "A1.3", 0, assess.Contribution{Body: "grid", Level: framework.Level2, Note: "SECRET"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutAction(ctx, s.Lead, s.survey, "", 0, assess.Action{Outcome: "A1.1", Text: "SECRET", Owner: "Bo", Due: "2031-05-01"}); err != nil {
		t.Fatal(err)
	}
	body := s.get(t, base+"letters", http.StatusOK)
	if strings.Count(body, `<article class="letter">`) != 1 || !strings.Contains(body, "5 of 6 are open.") || strings.Contains(body, "Thing A1.3") || !strings.Contains(body, "Thing A1.4") || strings.Contains(body, "SECRET") {
		t.Errorf("letters:\n%s", body)
	}
	if home := s.get(t, "/en/", http.StatusOK); !strings.Contains(home, "waits for 1 body. Due 1 February 2031.") {
		t.Errorf("the home page does not say who is awaited:\n%s", home)
	}
	rec := s.do(httptest.NewRequest(http.MethodGet, base+"reminders.ics", nil))
	ics := rec.Body.String()
	defer func() { // an invented member's says so on every day
		if err := s.Mark(ctx, s.Lead, "SYNTHETIC"); err != nil {
			t.Fatal(err)
		}
		marked := s.do(httptest.NewRequest(http.MethodGet, base+"reminders.ics", nil)).Body.String()
		if days, n := strings.Count(ics, "SUMMARY:"), strings.Count(marked, "SUMMARY:SYNTHETIC: "); n != days || n == 0 {
			t.Errorf("%d of %d days are marked:\n%s", n, days, marked)
		}
	}()
	if rec.Header().Get("Content-Type") != "text/calendar; charset=utf-8" || strings.Contains(ics, "SECRET") {
		t.Errorf("%v\n%s", rec.Header(), ics)
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(ics, "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
		if rest, ok := strings.CutPrefix(line, " "); ok {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, line)
	}
	unfolded := strings.Join(lines, "\n")
	for _, want := range []string{
		"BEGIN:VCALENDAR", "DTSTART;VALUE=DATE:20310201\nDTEND;VALUE=DATE:20310202", `SUMMARY:` + strings.ReplaceAll(long, ",", `\,`),
		`The Grid\; and\, more`, "DTSTART;VALUE=DATE:20310501", "END:VCALENDAR",
	} {
		if !strings.Contains(unfolded, want) {
			t.Errorf("the calendar does not have %q:\n%s", want, unfolded)
		}
	}
	if n := strings.Count(unfolded, "BEGIN:VEVENT"); n != 2 || n != strings.Count(unfolded, "END:VEVENT") {
		t.Errorf("%d events", n)
	}
}

// The form keeps what it is given, unknown included, for each body.
func TestNeedsForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "kept"))
	if _, err := s.PutBody(t.Context(), s.Lead, 0, assess.Body{ID: "grid", Name: "The Grid"}); err != nil {
		t.Fatal(err)
	}
	at := s.send(t, base+"needs", url.Values{
		"rev": {"0"}, "body": {"grid"}, "what-1": {"Power"}, "hours-1": {"0"}, "what-3": {"Pilots"}, "hours-3": {"unknown"}, "supplier-3": {"<b>The port</b>"}, "what-10": {"Clocks"}, "hours-10": {"24"},
	})
	if at != base+"needs?body=grid" {
		t.Errorf("led to %s", at)
	}
	all, err := s.Needs(t.Context(), s.Lead)
	if err != nil {
		t.Fatal(err)
	}
	want := []assess.Need{{What: "Power", Known: true}, {What: "Pilots", Supplier: "<b>The port</b>"}, {What: "Clocks", Hours: 24, Known: true}}
	if got := all["grid"].Needs.Rows; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("kept %+v", got)
	}
	body := s.get(t, base+"needs?body=grid", http.StatusOK)
	for _, want := range []string{`name="what-10"`, `name="hours-1" value="0"`, `name="hours-2" value=""`, "&lt;b&gt;The port&lt;/b&gt;", "3 rows", "unknown"} {
		if !strings.Contains(body, want) {
			t.Errorf("the form does not have %q", want)
		}
	}
	for name, form := range map[string]url.Values{
		"a row of nothing": {"rev": {"0"}, "supplier-1": {"somebody"}},
		"hours in words":   {"rev": {"0"}, "what-1": {"Power"}, "hours-1": {"a day"}},
		"hours below none": {"rev": {"0"}, "what-1": {"Power"}, "hours-1": {"-1"}},
		"rows and nothing": {"rev": {"0"}, "what-1": {"Power"}, "none": {"1"}},
	} {
		if rec := s.do(post(base+"needs", form)); rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	s.get(t, base+"needs?body=nobody", http.StatusNotFound)
	if paper := s.get(t, base+"needs/print?body=grid", http.StatusOK); !strings.Contains(paper, "<td>Clocks</td>") || strings.Contains(paper, "<input") {
		t.Error("the form on paper is not one")
	}
}
