package workspace_test

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/evidence"
	"muster/internal/framework"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// shelf has pieces of evidence by their paths. One that is slow waits until it is let
// go.
type shelf struct {
	mu     sync.Mutex
	pieces map[string]string
	slow   chan struct{}
}

func (s *shelf) Open(folder, path string) (io.ReadCloser, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.pieces[folder+path]
	if !ok {
		return nil, 0, errs.New(errs.NotFound, "nothing lies at that path", "")
	}
	if path == "slow" {
		return io.NopCloser(&waiting{s.slow, strings.NewReader(body)}), int64(len(body)), nil
	}
	return io.NopCloser(strings.NewReader(body)), int64(len(body)), nil
}

func (s *shelf) put(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces[path] = body
}

type waiting struct {
	until <-chan struct{}
	io.Reader
}

func (w *waiting) Read(p []byte) (int, error) {
	<-w.until
	return w.Reader.Read(p)
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// with opens the pages anew with more of their surroundings.
func (s *site) with(t *testing.T, change func(*page.Config)) *page.Pages {
	t.Helper()
	cfg := page.Config{Service: s.Service, Person: func(*http.Request) workspace.Person { return s.Lead }, Now: today, Rand: &counting{}}
	change(&cfg)
	pages, err := page.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = pages.Handler()
	t.Cleanup(pages.Close)
	return pages
}

// until asks for a page until it has what is wanted.
func (s *site) until(t *testing.T, path, want string) string {
	t.Helper()
	for range 500 {
		if body := s.get(t, path, http.StatusOK); strings.Contains(body, want) {
			return body
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s never says %q:\n%s", path, want, s.get(t, path, http.StatusOK))
	return ""
}

// A piece gets its digest when its place is named; the page finds what is gone and
// changed, keeps a copy on request, and asks no address.
func TestEvidencePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	files := &shelf{pieces: map[string]string{"/srv/decree.pdf": "the decree", "/srv/list": "a list", "/srv/minutes": "minutes"}}
	s.with(t, func(c *page.Config) { c.Pieces = files })
	s.send(t, base+"outcome/A1.1", url.Values{"rev": {"0"}, "level": {"3"}})
	s.send(t, base+"outcome/A1.2", url.Values{"rev": {"0"}, "level": {"2"}})
	s.send(t, base+"outcome/A1.3", url.Values{"rev": {"0"}, "level": {"4"}, "evidence": {"E2"}})
	body := s.get(t, base+"evidence", http.StatusOK)
	if strings.Contains(body, `id="o-A1.2"`) || !strings.Contains(body, `id="o-A1.1"`) || strings.Count(body, "This level asks for more evidence") != 1 {
		t.Errorf("evidence is asked at 3 and 4 alone:\n%s", body)
	}
	for _, place := range []string{"/srv/decree.pdf", "/srv/list", "/srv/minutes", "shelf 4", "https://authority.example/figures"} {
		s.send(t, base+"outcome/A1.1/reference", url.Values{"place": {place}})
	}
	all, err := s.References(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"/srv/decree.pdf": digestOf("the decree"), "/srv/list": digestOf("a list"), "/srv/minutes": digestOf("minutes"), "shelf 4": "", "https://authority.example/figures": ""}
	byPlace := make(map[string]workspace.SavedReference)
	for _, ref := range all {
		if ref.SHA256 != want[ref.Place] {
			t.Errorf("%s has the digest %q, want %q", ref.Place, ref.SHA256, want[ref.Place])
		}
		byPlace[ref.Place] = ref
	}

	piece := func(place, do string) url.Values {
		ref := byPlace[place]
		return url.Values{"outcome": {"A1.1"}, "id": {ref.ID}, "rev": {s.revOf(t, ref.ID)}, "do": {do}}
	}
	// A copy is kept when somebody asks, given out again, and gone when taken out.
	s.send(t, base+"evidence/piece", piece("/srv/decree.pdf", "copy"))
	rec := s.do(httptest.NewRequest(http.MethodGet, base+"evidence/copy/A1.1/"+byPlace["/srv/decree.pdf"].ID, nil))
	if rec.Code != http.StatusOK || rec.Body.String() != "the decree" || !strings.HasPrefix(rec.Header().Get("Content-Disposition"), "attachment;") || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the copy: %d %v %q", rec.Code, rec.Header(), rec.Body)
	}
	s.send(t, base+"evidence/piece", piece("/srv/decree.pdf", "drop"))
	s.get(t, base+"evidence/copy/A1.1/"+byPlace["/srv/decree.pdf"].ID, http.StatusNotFound)

	// Something becomes of the pieces.
	files.put("/srv/list", "another list")
	files.mu.Lock()
	delete(files.pieces, "/srv/minutes")
	files.mu.Unlock()
	if rec := s.do(post(base+"evidence/piece", piece("/srv/list", "copy"))); rec.Code != http.StatusConflict {
		t.Errorf("a copy of another piece: %d", rec.Code)
	}
	s.send(t, base+"evidence/read", url.Values{})
	body = s.until(t, base+"evidence", "3 of 4 do not lead")
	for _, want := range []string{"Nothing is there any more.", "another piece than the one that was hashed", "at an address, which is never asked", "It is the one that is meant"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	s.send(t, base+"evidence/piece", piece("/srv/list", "digest"))
	if body = s.get(t, base+"evidence", http.StatusOK); strings.Contains(body, "another piece than") {
		t.Error("what was taken anew is still said to be another")
	}
	// A folder in which paths begin: what could not be read gets its digest then.
	files.put("/archiveshelf 4", "on the shelf")
	s.send(t, base+"evidence/folder", url.Values{"rev": {"0"}, "folder": {"/archive"}})
	s.send(t, base+"evidence/read", url.Values{})
	s.until(t, base+"evidence", digestOf("on the shelf"))
	if rec := s.do(post(base+"evidence/folder", url.Values{"rev": {"0"}, "folder": {"/other"}})); rec.Code != http.StatusConflict {
		t.Errorf("a folder that somebody else has set meanwhile: %d", rec.Code)
	}
	s.send(t, base+"evidence/piece", piece("/srv/minutes", "remove"))
	if rec := s.do(post(base+"evidence/piece", piece("/srv/minutes", "remove"))); rec.Code != http.StatusNotFound {
		t.Errorf("removed twice: %d", rec.Code)
	}
}

// revOf returns the revision of a reference to evidence of A1.1.
func (s *site) revOf(t *testing.T, id string) string {
	t.Helper()
	all, err := s.References(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range all {
		if ref.ID == id {
			return itoa(int64(ref.Rev))
		}
	}
	return "1"
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

var controls = regexp.MustCompile(`<input type="(hidden|radio)" name="([^"]*)" value="([^"]*)"( checked)?>`)

// formOf returns what the form of a page of conflict sends as it stands.
func formOf(body string) url.Values {
	form := make(url.Values)
	for _, m := range controls.FindAllStringSubmatch(body, -1) {
		if m[1] == "hidden" || m[4] != "" {
			form.Add(m[2], html.UnescapeString(m[3]))
		}
	}
	return form
}

// While a slow piece is read, the page says how far it is, and loads again by itself;
// who closes the pages waits for nothing.
func TestSlowEvidence(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	files := &shelf{pieces: map[string]string{"slow": "a film"}, slow: make(chan struct{})}
	s.with(t, func(c *page.Config) { c.Pieces = files })
	if _, err := s.AddReference(t.Context(), s.Lead, s.survey, assess.Reference{Outcome: "A1.1", Place: "slow"}); err != nil {
		t.Fatal(err)
	}
	s.send(t, base+"evidence/read", url.Values{})
	s.send(t, base+"evidence/read", url.Values{}) // one at a time
	rec := s.do(httptest.NewRequest(http.MethodGet, base+"evidence", nil))
	if rec.Header().Get("Refresh") == "" || !strings.Contains(rec.Body.String(), "Reading: 0 of 1.") {
		t.Errorf("%v\n%s", rec.Header(), rec.Body)
	}
	close(files.slow)
	s.until(t, base+"evidence", digestOf("a film"))
}

// Without a way to read evidence the pages say so, and its place is kept all the same.
func TestEvidenceIsNotRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	s.send(t, base+"outcome/A1.1/reference", url.Values{"place": {"/srv/decree.pdf"}})
	if body := s.get(t, base+"evidence", http.StatusOK); !strings.Contains(body, "These pages read no evidence.") || !strings.Contains(body, "/srv/decree.pdf") {
		t.Error("the page does not say that it reads nothing")
	}
	if rec := s.do(post(base+"evidence/read", url.Values{})); rec.Code != http.StatusConflict {
		t.Errorf("read all the same: %d", rec.Code)
	}
}

// What two people made of a body, a section, a finding, a contribution, a line of the
// plan and the form: what one of them changed is kept, and what both changed is asked.
func TestClashes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, path          string
		first, theirs, mine url.Values
		merged              url.Values // a change that is in nobody's way
		want, chosen        string     // on the page of the clash; on the page after it
		page                string
	}{
		{
			"body", "bodies/body",
			url.Values{"id": {"port"}, "name": {"The Port"}, "kind": {"port"}},
			url.Values{"id": {"port"}, "name": {"Port of Ys"}, "kind": {"port"}},
			url.Values{"id": {"port"}, "name": {"Ys Harbour"}, "kind": {"facility"}},
			url.Values{"id": {"port"}, "name": {"The Port"}, "kind": {"facility"}},
			"Port of Ys", "Ys Harbour", "bodies",
		},
		{
			"section", "bodies/section",
			url.Values{"id": {"one"}, "title": {"One"}, "area": {"A1"}},
			url.Values{"id": {"one"}, "title": {"Uno"}, "area": {"A1"}},
			url.Values{"id": {"one"}, "title": {"Un"}, "area": {"A1"}, "due": {"2031-04-01"}},
			url.Values{"id": {"one"}, "title": {"One"}, "due": {"2031-04-01"}, "area": {"A1"}},
			"Uno", "<strong>Un</strong>", "bodies",
		},
		{
			"finding", "verification/finding",
			url.Values{"outcome": {"A1.1"}, "claimed": {"2"}, "seen": {"the paper"}},
			url.Values{"outcome": {"A1.1"}, "claimed": {"2"}, "seen": {"the paper of May"}},
			url.Values{"outcome": {"A1.1"}, "claimed": {"2"}, "seen": {"both papers"}, "found": {"old"}},
			url.Values{"outcome": {"A1.1"}, "claimed": {"2"}, "seen": {"the paper"}, "found": {"old"}},
			"the paper of May", "both papers", "verification?outcome=A1.1",
		},
		{
			"the plan", "plan/action",
			url.Values{"outcome": {"A1.1"}, "text": {"write it"}, "owner": {"Bo"}},
			url.Values{"outcome": {"A1.1"}, "text": {"write it down"}, "owner": {"Bo"}},
			url.Values{"outcome": {"A1.1"}, "text": {"have it written"}, "owner": {"Bo"}, "cost": {"a day"}},
			url.Values{"outcome": {"A1.1"}, "text": {"write it"}, "owner": {"Bo"}, "cost": {"a day"}},
			"write it down", "have it written", "plan",
		},
		{
			"the form", "needs",
			url.Values{"what-1": {"Power"}, "what-2": {"Water"}},
			url.Values{"what-1": {"Power"}, "hours-1": {"4"}, "what-2": {"Water"}},
			url.Values{"what-1": {"Power"}, "hours-1": {"8"}, "what-2": {"Water"}, "supplier-2": {"The town"}},
			url.Values{"what-1": {"Power"}, "what-2": {"Water"}, "supplier-2": {"The town"}},
			"4 hours", `value="8"`, "needs",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, workspacetest.Pack(t, 6, "kept"))
			s.send(t, base+"outcome/A1.1", url.Values{"rev": {"0"}, "level": {"2"}})
			send := func(form url.Values, rev string) *httptest.ResponseRecorder {
				f := url.Values{"rev": {rev}}
				for name, values := range form {
					f[name] = values
				}
				return s.do(post(base+row.path, f))
			}
			if rec := send(row.first, "0"); rec.Code != http.StatusSeeOther {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			began, key := s.baseOf(t, row.path)
			for _, form := range []url.Values{row.theirs, row.mine, row.merged} {
				if key != "" {
					form.Set("id", key)
				}
			}
			if rec := send(row.theirs, began); rec.Code != http.StatusSeeOther {
				t.Fatalf("theirs: %d %s", rec.Code, rec.Body)
			}
			if rec := send(row.merged, began); rec.Code != http.StatusSeeOther {
				t.Fatalf("what is in nobody's way: %d %s", rec.Code, rec.Body)
			}
			if body := s.get(t, base+row.page, http.StatusOK); !strings.Contains(body, strings.TrimSuffix(row.want, " hours")) {
				t.Error("a merge has lost what the other saved")
			}
			rec := send(row.mine, began)
			if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), row.want) || !strings.Contains(rec.Body.String(), "Somebody was faster") {
				t.Fatalf("a clash: %d %s", rec.Code, rec.Body)
			}
			chosen := formOf(rec.Body.String())
			for name := range chosen {
				if strings.HasPrefix(name, "take-") {
					chosen.Set(name, "mine")
				}
			}
			if rec := s.do(post(base+row.path, chosen)); rec.Code != http.StatusSeeOther {
				t.Fatalf("the decision: %d %s", rec.Code, rec.Body)
			}
			if body := s.get(t, base+row.page, http.StatusOK); !strings.Contains(body, row.chosen) {
				t.Errorf("the choice was not kept: no %q", row.chosen)
			}
		})
	}
}

// baseOf returns the revision that a form of that path begins with now, and the id that
// it was given.
func (s *site) baseOf(t *testing.T, path string) (rev, id string) {
	t.Helper()
	ctx := t.Context()
	var n workspace.Revision
	var err error
	switch path {
	case "bodies/body":
		var all []workspace.SavedBody
		if all, err = s.Bodies(ctx, s.Lead); err == nil {
			n = all[0].Rev
		}
	case "bodies/section":
		var all []workspace.SavedSection
		if all, err = s.Sections(ctx, s.Lead, s.survey); err == nil {
			n = all[0].Rev
		}
	case "verification/finding":
		var all map[string]workspace.SavedFinding
		if all, err = s.Findings(ctx, s.Lead, s.survey); err == nil {
			n = all["A1.1"].Rev
		}
	case "plan/action":
		var all []workspace.SavedAction
		if all, err = s.Actions(ctx, s.Lead, s.survey); err == nil {
			n, id = all[0].Rev, all[0].ID
		}
	case "needs":
		var all map[string]workspace.SavedNeeds
		if all, err = s.Needs(ctx, s.Lead); err == nil {
			n = all[""].Rev
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return itoa(int64(n)), id
}

// A contribution that two changed is asked, too.
func TestContributionClash(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	ctx := t.Context()
	if _, err := s.PutBody(ctx, s.Lead, 0, assess.Body{ID: "grid", Name: "The Grid"}); err != nil {
		t.Fatal(err)
	}
	began, err := s.Contribute(ctx, s.Lead, s.survey, "A1.1", 0, assess.Contribution{Body: "grid", Level: framework.Level1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Contribute(ctx, s.Lead, s.survey, "A1.1", began.Rev, assess.Contribution{Body: "grid", Level: framework.Level2}); err != nil {
		t.Fatal(err)
	}
	rec := s.do(post(base+"outcome/A1.1/contribution", url.Values{"rev": {itoa(int64(began.Rev))}, "body": {"grid"}, "level": {"4"}, "note": {"seen"}}))
	if rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "Yours, not saved") {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	s.send(t, base+"outcome/A1.1/contribution", formOf(rec.Body.String())) // theirs
	all, err := s.Contributions(ctx, s.Lead, s.survey, "A1.1")
	if err != nil || all[0].Level != framework.Level2 || all[0].Note != "seen" {
		t.Errorf("%+v %v", all, err)
	}
}

// Who has the file on her own machine gives its digest; where the file is also here, the
// two have to be the same.
func TestDigestGiven(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "kept"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "here.pdf"), []byte("the plan"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.with(t, func(c *page.Config) { c.Pieces = evidence.New(evidence.Config{Within: []string{dir}}) })
	sum := sha256.Sum256([]byte("the plan"))
	given := hex.EncodeToString(sum[:])
	body := s.get(t, base+"area/A1", http.StatusOK)
	if !strings.Contains(body, `name="sha256"`) || regexp.MustCompile(`<input[^>]*type="file"[^>]*name=`).MatchString(body) {
		t.Error("the page does not ask for a digest, or would send a file")
	}
	add := func(place, digest string) int {
		return s.do(post(base+"outcome/A1.1/reference", url.Values{"place": {place}, "sha256": {digest}})).Code
	}
	for _, row := range []struct {
		place, digest string
		want          int
	}{
		{"/elsewhere/plan.pdf", strings.ToUpper(given), http.StatusSeeOther},
		{"/elsewhere/other.pdf", "abc", http.StatusUnprocessableEntity},
		{"/elsewhere/none.pdf", "", http.StatusSeeOther},
		{filepath.Join(dir, "here.pdf"), strings.Repeat("0", 64), http.StatusConflict},
		{filepath.Join(dir, "here.pdf"), given, http.StatusSeeOther},
	} {
		if got := add(row.place, row.digest); got != row.want {
			t.Errorf("%s with %q: %d, want %d", row.place, row.digest, got, row.want)
		}
	}
	all, err := s.References(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	kept := make(map[string]string)
	for _, ref := range all {
		kept[filepath.Base(ref.Place)] = ref.SHA256
	}
	if len(kept) != 3 || kept["plan.pdf"] != given || kept["none.pdf"] != "" || kept["here.pdf"] != given {
		t.Errorf("kept %v", kept)
	}
}
