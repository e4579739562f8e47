package workspace_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// upload returns the request by which a form brings a file.
func upload(t testing.TB, path, field string, file []byte) *http.Request {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile(field, "release.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

// give keeps the release of the survey by the form of the page.
func (s *site) give(t testing.TB) {
	t.Helper()
	rec := s.do(upload(t, base+"standing", "release", workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle)))
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != base+"standing" {
		t.Fatalf("%d %v\n%s", rec.Code, rec.Header(), rec.Body)
	}
}

// strip is an outcome on the page after the release, as an independent reader finds it.
type strip struct {
	parts, dots int
	own         string // the text of the part with the dot
	row         string
}

var (
	rows  = regexp.MustCompile(`(?s)<li><p class="what">.*?</li>`)
	which = regexp.MustCompile(`<span class="id">([^<]*)</span>`)
	part  = regexp.MustCompile(`(?s)<svg class="l\d\d" x="([0-9.]+)%" width="([0-9.]+)%".*?</svg>`)
	dot   = regexp.MustCompile(`<circle cx="([0-9.]+)%"`)
	label = regexp.MustCompile(`<text class="u"[^>]*>([^<]*)<`)
)

func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func strips(body string) map[string]strip {
	all := make(map[string]strip)
	for _, row := range rows.FindAllString(body, -1) {
		s := strip{row: row, dots: strings.Count(row, "<circle")}
		for _, p := range part.FindAllStringSubmatch(row, -1) {
			s.parts++
			from, width := number(p[1]), number(p[2])
			if at := dot.FindStringSubmatch(row); at != nil && from < number(at[1]) && number(at[1]) < from+width {
				s.own = label.FindStringSubmatch(p[0])[1]
			}
		}
		all[which.FindStringSubmatch(row)[1]] = s
	}
	return all
}

// Before there is a release, the page says what to do; with one, every strip that is
// shown has this member's own dot, at its level and nowhere else.
func TestOwnDotOnEveryStrip(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	body := s.get(t, base+"standing", http.StatusOK)
	for _, want := range []string{"is not here yet", `enctype="multipart/form-data"`, `type="file"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the empty page does not have %q", want)
		}
	}
	if len(strips(body)) > 0 {
		t.Error("there are strips without a release")
	}
	given := make(map[string]framework.Level)
	for i, o := range s.pack.Outcomes() {
		e := assess.Entry{Target: framework.Level4}
		e.Level, _ = framework.LevelOf(i % 5)
		switch i {
		case 9:
			e.Level, e.Target = framework.Withheld, framework.None
		case 10:
			continue
		}
		given[o.ID] = e.Level
		if _, _, err := s.Save(t.Context(), s.Lead, s.survey, o.ID, 0, e); err != nil {
			t.Fatal(err)
		}
	}
	s.give(t)
	body = s.get(t, base+"standing", http.StatusOK)
	found := strips(body)
	if len(found) != 12 {
		t.Fatalf("%d outcomes are on the page", len(found))
	}
	r := workspacetest.Release(t, s.pack, workspacetest.Cycle)
	shown := 0
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			got, level := found[o.ID], given[o.ID]
			bands, alone := 0, false
			for _, b := range o.Level.Bands() {
				if b.Count > 0 {
					bands++
				} else if slices.Contains(b.Units, level.String()) {
					alone = true // nobody who is counted is there
				}
			}
			if o.Level.Shown() && got.parts != bands {
				t.Errorf("%s: %d parts for %d bands with somebody in them", o.ID, got.parts, bands)
			}
			switch {
			case !o.Level.Shown():
				if got.parts != 0 || !strings.Contains(got.row, "hidden-block") {
					t.Errorf("%s: shown, and the release shows nothing: %s", o.ID, got.row)
				}
			case level == framework.None:
				if got.dots != 0 || !strings.Contains(got.row, "not answered") {
					t.Errorf("%s: a dot without an answer: %s", o.ID, got.row)
				}
			default:
				shown++
				if got.dots != 1 {
					t.Errorf("%s: %d dots", o.ID, got.dots)
				}
				if alone && got.own != "" || level.Given() && !alone && !covers(got.own, level.String()) || level == framework.Withheld && !strings.HasPrefix(got.own, "–") {
					t.Errorf("%s: the dot of level %s is over %q", o.ID, level, got.own)
				}
			}
		}
	}
	if shown < 8 {
		t.Errorf("only %d strips have been looked at", shown)
	}
	// The most urgent are those of Compare, and three.
	c, err := s.Compare(t.Context(), s.Lead, s.survey, r)
	if err != nil {
		t.Fatal(err)
	}
	var urgent []string
	for _, m := range regexp.MustCompile(`<li><h3><span class="id">([^<]*)</span>`).FindAllStringSubmatch(body, -1) {
		urgent = append(urgent, m[1])
	}
	if fmt.Sprint(urgent) != fmt.Sprint(c.Urgent[:3]) {
		t.Errorf("urgent %v, want %v", urgent, c.Urgent[:3])
	}
	if !strings.Contains(body, "Nothing of this survey was sealed here") {
		t.Error("the page does not say that nothing was sealed")
	}
}

// covers reports whether the label of a band holds a level.
func covers(band, level string) bool {
	first, last, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(band, "–,"), "–"), "–")
	if !joined {
		last = first
	}
	return first <= level && level <= last && first != ""
}

// The page says what moved since the year before, and where the targets are.
func TestStandingMoves(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	ctx := t.Context()
	for _, o := range s.pack.Outcomes() {
		if _, _, err := s.Save(ctx, s.Lead, s.survey, o.ID, 0, assess.Entry{Level: framework.Level2}); err != nil {
			t.Fatal(err)
		}
	}
	second, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: s.pack, Cycle: "2032", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	for outcome, e := range map[string]assess.Entry{
		"A1.1": {Level: framework.Level3, Target: framework.Level3}, "A1.2": {Level: framework.Level1, Target: framework.Level2}, "A1.3": {Level: framework.Level2},
	} {
		saved, err := s.Entry(ctx, s.Lead, second.ID, outcome)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Save(ctx, s.Lead, second.ID, outcome, saved.Rev, e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.KeepRelease(ctx, s.Lead, second.ID, workspacetest.ReleaseFile(t, s.pack, "2032")); err != nil {
		t.Fatal(err)
	}
	found := strips(s.get(t, "/en/survey/2032/invented/standing", http.StatusOK))
	for outcome, words := range map[string][]string{
		"A1.1": {"up from 2", "target 3 met"}, "A1.2": {"down from 2", "below target 2"}, "A1.3": {"as last year"}, "A1.4": {"not answered"},
	} {
		for _, want := range words {
			if !strings.Contains(found[outcome].row, want) {
				t.Errorf("%s does not say %q: %s", outcome, want, found[outcome].row)
			}
		}
	}
}

// What is no release of this survey is refused in words, and nothing of it is kept.
func TestReleaseIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	const secret = "Zanzifar-4711"
	own := workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle)
	to := base + "standing"
	raw := func(kind string, body []byte) *http.Request {
		r := httptest.NewRequest(http.MethodPost, to, bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return r
	}
	for _, row := range []struct {
		name    string
		request *http.Request
		status  int
		says    string
	}{
		{"another cycle", upload(t, to, "release", workspacetest.ReleaseFile(t, s.pack, "2030")), 409, "in the cycle"},
		{"another pack", upload(t, to, "release", workspacetest.ReleaseFile(t, workspacetest.Pack(t, 6, "elsewhere"), workspacetest.Cycle)), 409, "in the cycle"},
		{"somebody's notes", upload(t, to, "release", []byte(secret)), 422, "the file is no release"},
		{"a file that says it is something else", upload(t, to, "release", []byte(`{"kind":"`+secret+`"}`)), 422, "the file is no release"},
		{"a file that was changed", upload(t, to, "release", append(bytes.Clone(own), '\n')), 422, "the release cannot be read"},
		{"a file that is too large", upload(t, to, "release", make([]byte, release.MaxSize+1)), 413, "larger than any release"},
		{"a body that is too large", raw("application/json", make([]byte, release.MaxSize+1<<20)), 413, "larger than any release"},
		{"no file", upload(t, to, "another", own), 422, "choose release.json"},
		{"an empty file", upload(t, to, "release", nil), 422, "the file is no release"},
		{"a form of another kind", raw("application/x-www-form-urlencoded", []byte("release=x")), 422, "choose release.json"},
		{"no kind", raw("", own), 422, "choose release.json"},
		{"a form without end", raw("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"release\"\r\n\r\n"+secret)), 422, "choose release.json"},
	} {
		rec := s.do(row.request)
		if body := rec.Body.String(); rec.Code != row.status || !strings.Contains(body, row.says) || strings.Contains(body, secret) {
			t.Errorf("%s: %d, want %d and %q\n%s", row.name, rec.Code, row.status, row.says, body)
		}
		if rec.Code < 400 || strings.Contains(s.get(t, to, http.StatusOK), "<circle") {
			t.Fatalf("%s: something was kept", row.name)
		}
	}
	if s.log.Len() > 0 {
		t.Errorf("the log: %s", s.log)
	}
	if rec := s.do(raw("application/json", own)); rec.Code != http.StatusSeeOther {
		t.Errorf("a body of JSON: %d", rec.Code)
	}
}

// Keeping a release writes no file beside the workspace's own: a form's file is not
// put into the folder for temporary ones. The test has that folder for itself, so it
// does not run beside others.
func TestReleaseLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	large := append(workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle), bytes.Repeat([]byte(" "), 12<<20)...)
	if rec := s.do(upload(t, base+"standing", "release", large)); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", rec.Code)
	}
	s.give(t)
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), "multipart-") {
			t.Errorf("there is a file %s", entry.Name())
		}
	}
}
