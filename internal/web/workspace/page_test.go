package workspace_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/web"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// counting is a source of bytes that are the same in every run.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n = c.n*5 + 13
		p[i] = c.n
	}
	return len(p), nil
}

// site is a workspace with its pages.
type site struct {
	*workspacetest.Workspace
	handler http.Handler
	survey  workspace.SurveyID
	pack    *framework.Pack
	log     *bytes.Buffer
}

// today is the day on which the pages are looked at.
func today() time.Time { return time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC) }

// newSite makes a workspace with the survey of a pack, and its pages.
func newSite(t testing.TB, pack *framework.Pack) *site {
	t.Helper()
	s := &site{Workspace: workspacetest.New(t), pack: pack, log: new(bytes.Buffer)}
	s.survey = s.Load(t, pack)
	s.open(t)
	return s
}

func (s *site) open(t testing.TB) {
	t.Helper()
	pages, err := page.New(page.Config{
		Service: s.Service, Person: func(*http.Request) workspace.Person { return s.Lead }, Now: today, Rand: &counting{},
		Log: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = pages.Handler()
}

// do sends one request and returns the answer.
func (s *site) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	return rec
}

func (s *site) get(t testing.TB, path string, status int) string {
	t.Helper()
	rec := s.do(httptest.NewRequest(http.MethodGet, path, nil))
	if rec.Code != status {
		t.Fatalf("GET %s: %d, want %d\n%s", path, rec.Code, status, rec.Body)
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("GET %s may be kept: %q", path, rec.Header().Get("Cache-Control"))
	}
	return rec.Body.String()
}

func post(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// send posts a form and returns where the browser is led.
func (s *site) send(t testing.TB, path string, form url.Values) string {
	t.Helper()
	rec := s.do(post(path, form))
	if rec.Code != http.StatusSeeOther {
		t.Fatalf("POST %s: %d, want 303\n%s", path, rec.Code, rec.Body)
	}
	return rec.Header().Get("Location")
}

const base = "/en/survey/2031/invented/"

// form returns the form of a question as the page has it now.
func (s *site) form(t testing.TB, outcome string) url.Values {
	t.Helper()
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, outcome)
	if err != nil {
		t.Fatal(err)
	}
	body := s.get(t, base+"area/"+outcome[:2], http.StatusOK)
	want := fmt.Sprintf(`name="rev" value="%d"`, saved.Rev)
	if !strings.Contains(body, want) {
		t.Errorf("the page of %s has no %s", outcome, want)
	}
	return url.Values{"rev": {fmt.Sprint(saved.Rev)}}
}

// Without a script a question is answered by its form, and the browser is back at it.
func TestAnswerByForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	form := s.form(t, "A1.2")
	for name, value := range map[string]string{"level": "3", "target": "4", "target_date": "2032-06-30", "evidence": "E1", "note": "first\r\nsecond", "assignee": "Ines", "flagged": "1"} {
		form.Set(name, value)
	}
	if at := s.send(t, base+"outcome/A1.2", form); at != base+"area/A1#o-A1.2" {
		t.Errorf("led to %s", at)
	}
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.2")
	if err != nil {
		t.Fatal(err)
	}
	want := assess.Entry{Level: framework.Level3, Target: framework.Level4, TargetDate: "2032-06-30", Evidence: framework.E1, Note: "first\nsecond", Assignee: "Ines", Flagged: true}
	if saved.Entry != want {
		t.Errorf("kept %+v, want %+v", saved.Entry, want)
	}
	body := s.get(t, base+"area/A1", http.StatusOK)
	for _, want := range []string{`value="3" checked`, `<textarea id="note-A1.2" name="note" rows="3">first` + "\nsecond</textarea>", "1 of 6"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for choice, want := range map[string]string{"go": base + "area/A1#o-A1.3", "one": base + "area/A1?one=A1.2"} {
		form := s.form(t, "A1.2")
		form.Set("level", "3")
		form.Set(choice, map[string]string{"go": "next", "one": "1"}[choice])
		if at := s.send(t, base+"outcome/A1.2", form); at != want {
			t.Errorf("%s leads to %s, want %s", choice, at, want)
		}
	}
}

// What the script is told is what the page would show.
func TestAnswerByScript(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	r := post(base+"outcome/A2.6", url.Values{"rev": {"0"}, "level": {"4"}})
	r.Header.Set("Accept", "application/json")
	rec := s.do(r)
	var got struct {
		Rev      int64
		State    string
		Next     string
		Unproven bool
		Progress []struct {
			ID    string
			Value int
			Text  string
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
	}
	if got.Rev == 0 || got.State != "done" || !got.Unproven || got.Next != base+"area/A1#o-A1.1" {
		t.Errorf("told %+v", got)
	}
	if len(got.Progress) != 2 || got.Progress[0].ID != "area-A2" || got.Progress[0].Value != 1 || got.Progress[0].Text != "1 of 6" {
		t.Errorf("progress %+v", got.Progress)
	}
}

// Who is second is shown both, decides line by line, and nothing is lost.
func TestConflict(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	ctx := t.Context()
	began, _, err := s.Save(ctx, s.Lead, s.survey, "A1.1", 0, assess.Entry{Level: framework.Level1, Note: "as found"})
	if err != nil {
		t.Fatal(err)
	}
	theirs, _, err := s.Save(ctx, workspace.Lead("Somebody Faster"), s.survey, "A1.1", began.Rev, assess.Entry{Level: framework.Level2, Note: "theirs", Assignee: "Faster"})
	if err != nil {
		t.Fatal(err)
	}
	mine := url.Values{"rev": {fmt.Sprint(began.Rev)}, "level": {"3"}, "note": {"mine"}, "evidence": {"E2"}}
	asked := post(base+"outcome/A1.1", mine)
	asked.Header.Set("Accept", "application/json")
	rec := s.do(asked)
	var told struct {
		Fields             []string
		Base, Mine, Theirs assess.Entry
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &told); err != nil || rec.Code != http.StatusConflict {
		t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
	}
	if strings.Join(told.Fields, " ") != "level note" || told.Base.Note != "as found" || told.Mine.Note != "mine" || told.Theirs.Note != "theirs" {
		t.Errorf("the script is told %+v", told)
	}
	rec = s.do(post(base+"outcome/A1.1", mine))
	body := rec.Body.String()
	if rec.Code != http.StatusConflict {
		t.Fatalf("%d, want 409", rec.Code)
	}
	for _, want := range []string{"Somebody Faster", "as found", ">theirs<", ">mine<", `name="take-level"`, `name="take-note"`, "One more thing"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the conflict does not have %q", want)
		}
	}
	if now, err := s.Entry(ctx, s.Lead, s.survey, "A1.1"); err != nil || now.Rev != theirs.Rev {
		t.Fatalf("a conflict has kept something: %v", err)
	}
	decided := url.Values{"began": {fmt.Sprint(began.Rev)}, "take-level": {"theirs"}, "take-note": {"mine"}}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		decided.Set(m[1], m[2])
	}
	s.send(t, base+"outcome/A1.1", decided)
	now, err := s.Entry(ctx, s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	if want := (assess.Entry{Level: framework.Level2, Note: "mine", Assignee: "Faster", Evidence: framework.E2}); now.Entry != want {
		t.Errorf("kept %+v, want %+v", now.Entry, want)
	}
}

// The second year: what was carried over is confirmed by one button, and stays
// unanswered until then whatever else is saved.
func TestConfirm(t *testing.T) {
	t.Parallel()
	pack := workspacetest.Pack(t, 6, "kept")
	s := newSite(t, pack)
	ctx := t.Context()
	for _, o := range pack.Outcomes() {
		if _, _, err := s.Save(ctx, s.Lead, s.survey, o.ID, 0, assess.Entry{Level: framework.Level2}); err != nil {
			t.Fatal(err)
		}
	}
	second, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: pack, Cycle: "2032", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	const base = "/en/survey/2032/invented/"
	if body := s.get(t, base, http.StatusOK); !strings.Contains(body, "6 of 6 look unchanged since last year. Confirm each with Enter.") {
		t.Error("the second year does not open with what looks unchanged")
	}
	saved, err := s.Entry(ctx, s.Lead, second.ID, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	s.send(t, base+"outcome/A1.1", url.Values{"rev": {fmt.Sprint(saved.Rev)}, "level": {"2"}, "carried": {"1"}, "note": {"seen"}})
	if now, _ := s.Entry(ctx, s.Lead, second.ID, "A1.1"); !now.Entry.Carried || now.Entry.Note != "seen" {
		t.Errorf("a note has confirmed the level: %+v", now.Entry)
	}
	for _, o := range pack.Outcomes() {
		s.send(t, base+"outcome/"+o.ID+"/confirm", url.Values{"rev": {"0"}, "from": {"form"}})
	}
	if body := s.get(t, base, http.StatusOK); !strings.Contains(body, "All 6 outcomes are answered.") {
		t.Error("not everything is confirmed")
	}
}

// Comments, references, bodies, contributions, sections, findings, the chain and the
// plan are kept by their forms, and the pages show them.
func TestForms(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	for _, o := range s.pack.Outcomes() {
		s.send(t, base+"outcome/"+o.ID, url.Values{"rev": {"0"}, "level": {"1"}, "target": {"3"}})
	}
	for _, row := range []struct {
		path string
		form url.Values
		page string
		want string
	}{
		{"outcome/A1.1/comment", url.Values{"text": {"a remark"}}, "area/A1", "a remark"},
		{"outcome/A1.1/reference", url.Values{"place": {"shelf/4"}, "title": {"the decree"}}, "area/A1", "shelf/4"},
		{"bodies/body", url.Values{"rev": {"0"}, "id": {"grid"}, "name": {"The Grid"}, "kind": {"operator"}}, "bodies", "The Grid"},
		{"bodies/section", url.Values{"rev": {"0"}, "id": {"all"}, "title": {"Everything"}, "listed": {"grid"}, "due": {"2031-04-01"}}, "bodies", "1 April 2031"},
		{"outcome/A1.2/contribution", url.Values{"rev": {"0"}, "body": {"grid"}, "level": {"2"}, "note": {"of ours"}}, "area/A1", "of ours"},
		{"verification/finding", url.Values{"rev": {"0"}, "outcome": {"A1.3"}, "seen": {"the paper"}, "claimed": {"1"}, "verified": {"0"}}, "verification", "verified lower than claimed"},
		{"verification/opinion", url.Values{"text": {"sound"}, "digest": {s.findingsDigest(t)}}, "", ""},
		{"signoff/chain", url.Values{"step": {"", ""}, "name": {"Expert", "Minister"}}, "signoff", "It is the turn of: Expert"},
		{"plan/action", url.Values{"rev": {"0"}, "outcome": {"A1.1"}, "text": {"write it down"}, "owner": {"Ines"}, "funding": {"part"}}, "plan", "write it down"},
	} {
		if row.path == "verification/opinion" {
			row.form.Set("digest", s.findingsDigest(t))
			row.page, row.want = "verification", "It holds."
		}
		s.send(t, base+row.path, row.form)
		if body := s.get(t, base+row.page, http.StatusOK); !strings.Contains(body, row.want) {
			t.Errorf("after %s the page %s does not have %q", row.path, row.page, row.want)
		}
	}
	body := s.get(t, base+"check", http.StatusOK)
	if !strings.Contains(body, "1 level differs from the proposal") || !strings.Contains(body, "waits for Expert") {
		t.Errorf("the completeness check misses something:\n%s", body)
	}
	// An approval has to wait; a return needs none.
	digest := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(s.get(t, base+"signoff", http.StatusOK))[1]
	if rec := s.do(post(base+"signoff/decision", url.Values{"step": {"step-1"}, "digest": {digest}, "decision": {"approve"}})); rec.Code != http.StatusConflict {
		t.Errorf("an approval of what is incomplete: %d", rec.Code)
	}
	s.send(t, base+"signoff/decision", url.Values{"step": {"step-1"}, "digest": {digest}, "decision": {"return"}, "reason": {"say why"}})
	if body := s.get(t, base+"signoff", http.StatusOK); !strings.Contains(body, "Returned by Expert:") {
		t.Error("the return is not shown")
	}
	if body := s.get(t, base+"history?kind=decision", http.StatusOK); !strings.Contains(body, "<ins>returned</ins>") {
		t.Error("the history does not say that it was returned")
	}
	s.send(t, base+"outcome/A1.2", func() url.Values { f := s.form(t, "A1.2"); f.Set("level", "1"); f.Set("use", "proposal"); return f }())
	if now, _ := s.Entry(t.Context(), s.Lead, s.survey, "A1.2"); now.Entry.Level != framework.Level2 {
		t.Errorf("the proposal was not taken: %v", now.Entry.Level)
	}
}

func (s *site) findingsDigest(t testing.TB) string {
	t.Helper()
	sum, err := s.FindingsDigest(t.Context(), s.Lead, s.survey)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// What cannot be is refused with its status, and says so to the script, too.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	for _, row := range []struct {
		name, path string
		form       url.Values
		status     int
	}{
		{"a level that cannot be", "outcome/A1.1", url.Values{"rev": {"0"}, "level": {"5"}}, 422},
		{"a day that is none", "outcome/A1.1", url.Values{"rev": {"0"}, "level": {"2"}, "target_date": {"soon"}}, 422},
		{"no revision", "outcome/A1.1", url.Values{"level": {"2"}}, 422},
		{"a revision that never was", "outcome/A1.1", url.Values{"rev": {"99999"}, "level": {"2"}}, 422},
		{"no such outcome", "outcome/Z9.9", url.Values{"rev": {"0"}, "level": {"2"}}, 404},
		{"an empty comment", "outcome/A1.1/comment", url.Values{}, 422},
		{"a note that is too long", "outcome/A1.1", url.Values{"rev": {"0"}, "note": {strings.Repeat("x", 20_001)}}, 422},
		{"a form that is too large", "outcome/A1.1", url.Values{"rev": {"0"}, "note": {strings.Repeat("x", 300<<10)}}, 413},
		{"a decision about something else", "signoff/decision", url.Values{"step": {"a"}, "digest": {strings.Repeat("0", 64)}, "decision": {"approve"}}, 409},
	} {
		if rec := s.do(post(base+row.path, row.form)); rec.Code != row.status {
			t.Errorf("%s: %d, want %d", row.name, rec.Code, row.status)
		}
	}
	for _, path := range []string{"/en/survey/2031/nothing/", "/en/survey/1999/invented/", base + "area/Z9", base + "area/A1?one=Z9", "/de/", base + "nothing"} {
		s.get(t, path, http.StatusNotFound)
	}
	if saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1"); err != nil || saved.Rev != 0 {
		t.Errorf("something was kept: %+v %v", saved, err)
	}
}

// What somebody wrote is in pages only: in no address, in no log and in no error.
func TestPlantedAnswersStayInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	const secret = "Zanzifar-4711"
	s.Lead = workspace.Lead(secret + "-name")
	forms := map[string]url.Values{
		"outcome/A1.1":              {"rev": {"0"}, "level": {"2"}, "note": {secret}, "reason": {secret}, "assignee": {secret}},
		"outcome/A1.1/comment":      {"text": {secret}},
		"outcome/A1.1/reference":    {"place": {secret}, "title": {secret}},
		"bodies/body":               {"rev": {"0"}, "id": {"b"}, "name": {secret}, "scope": {secret}},
		"verification/finding":      {"rev": {"0"}, "outcome": {"A1.6"}, "claimed": {""}, "seen": {secret}, "found": {secret}},
		"plan/action":               {"rev": {"0"}, "outcome": {"A1.1"}, "text": {secret}, "owner": {secret}, "cost": {secret}},
		"signoff/chain":             {"step": {""}, "name": {secret}},
		"outcome/A1.2/contribution": {"rev": {"0"}, "body": {secret}, "level": {"2"}},
		"outcome/A1.3":              {"rev": {"0"}, "level": {"2"}, "note": {secret + "\x1b[2J"}},
		"outcome/A1.4":              {"rev": {"0"}, "level": {secret}},
		"outcome/A1.5":              {"rev": {secret}, "level": {"2"}},
	}
	kept, refused := 0, 0
	for path, form := range forms {
		rec := s.do(post(base+path, form))
		if strings.Contains(fmt.Sprint(rec.Header()), secret) {
			t.Errorf("%s: a header has it: %v", path, rec.Header())
		}
		switch {
		case rec.Code == http.StatusSeeOther:
			kept++
		case path != "outcome/A1.2/contribution": // which quotes the id of a body that it does not know
			refused++
			// The page gives the form back to who sent it; the refusal's own words quote nothing.
			again := post(base+path, form)
			again.Header.Set("Accept", "application/json")
			if strings.Contains(s.do(again).Body.String(), secret) {
				t.Errorf("%s: the refusal quotes it", path)
			}
		}
	}
	if kept < 7 || refused < 3 {
		t.Fatalf("%d forms were kept and %d refused", kept, refused)
	}
	s.give(t)
	seen := 0
	for path, body := range s.crawl(t, "/en/") {
		if strings.Contains(path, secret) {
			t.Errorf("the address %s has it", path)
		}
		seen += strings.Count(body, secret)
	}
	if seen < 10 {
		t.Errorf("pages show it %d times only: the search would not find it", seen)
	}
	if _, err := s.DB.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.DB.Close(); err != nil { // every page breaks now
		t.Fatal(err)
	}
	if rec := s.do(httptest.NewRequest(http.MethodGet, base, nil)); rec.Code != http.StatusInternalServerError && rec.Code != http.StatusServiceUnavailable {
		t.Errorf("without a database: %d", rec.Code)
	}
	if s.log.Len() == 0 || strings.Contains(s.log.String(), secret) {
		t.Errorf("the log: %q", s.log)
	}
}

var href = regexp.MustCompile(`(?:href|action|formaction)="([^"#]*)`)

// crawl follows every link from a page and returns every page by its address.
func (s *site) crawl(t testing.TB, from string) map[string]string {
	t.Helper()
	pages := make(map[string]string)
	for queue := []string{from}; len(queue) > 0; {
		path := strings.ReplaceAll(queue[0], "&amp;", "&")
		queue = queue[1:]
		if _, seen := pages[path]; seen || path == "" || strings.HasPrefix(path, "https:") {
			continue
		}
		rec := s.do(httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code == http.StatusNotFound || rec.Code == http.StatusMethodNotAllowed { // the place of a form
			pages[path] = ""
			continue
		}
		if rec.Code != http.StatusOK {
			t.Errorf("GET %s: %d", path, rec.Code)
		}
		pages[path] = rec.Body.String()
		if !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") {
			continue
		}
		for _, left := range []string{"<no value>", "&lt;no value", "ZgotmplZ", "{{", "%!", "&lt;nil", "<script>", " style=", " onclick"} {
			if strings.Contains(rec.Body.String(), left) {
				t.Errorf("%s: %q is in it", path, left)
			}
		}
		for _, m := range href.FindAllStringSubmatch(rec.Body.String(), -1) {
			queue = append(queue, m[1])
		}
	}
	return pages
}

// The pages are allowed their own script and nothing inline; the coalition's policy is
// as it was.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	rec := s.do(httptest.NewRequest(http.MethodGet, base, nil))
	policy := rec.Header().Get("Content-Security-Policy")
	if policy != web.FormPolicy || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	if strings.Contains(web.Policy, "script") {
		t.Errorf("the other pages may have a script: %q", web.Policy)
	}
}
