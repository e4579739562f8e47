package coalition_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/release"
	"muster/internal/web"
	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
)

func TestHomeIsInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	w := open(t, "three-cycles")
	for accept, want := range map[string]string{"": "/en/allies/2026/", "fr-BE,fr;q=0.9": "/fr/allies/2026/", "de": "/en/allies/2026/"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", accept)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if got := rec.Header().Get("Location"); rec.Code != http.StatusFound || got != want {
			t.Errorf("%q: answered %d to %s, want %s", accept, rec.Code, got, want)
		}
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := open(t, "three-cycles")
	for _, path := range []string{
		"/en/", "/en/allies/", "/de/allies/2026/", "/en/others/2026/", "/en/allies/1999/", "/en/allies/2026/pack/", "/en/allies/2026/pack/none/",
		"/en/allies/2026/pack/muster-core/A9.9", "/en/allies/2026/itself/none/", "/en/allies/2026/file/", "/en/allies/2026/file/none.csv",
		"/en/allies/2026/file/muster-core.A9.9.csv", "/en/allies/2026/file/..%2f..%2fsecret", "/fr/allies/2026/method/", "/favicon.ico",
		"/en/allies/2026/file/muster-core.A1.1", "/asset/none.css", "/en/%00/2026/",
	} {
		body := w.get(t, path, http.StatusNotFound)
		if strings.HasPrefix(path, "/fr/") && !strings.Contains(body, `<html lang="fr"`) {
			t.Errorf("%s: not in the language of the path", path)
		}
	}
}

// Every answer carries the headers, and no page holds what they forbid.
func TestPagesKeepThePolicy(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	for _, p := range w.Paths("en") {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, p.Path, nil))
		if got := rec.Header().Get("Content-Security-Policy"); got != web.Policy {
			t.Errorf("%s: policy %q", p.Path, got)
		}
		if got := rec.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", p.Path, got)
		}
		for _, forbidden := range []string{"<script", " style=", "<style", "javascript:", " onclick", "http://", "https://"} {
			if strings.Contains(rec.Body.String(), forbidden) {
				t.Errorf("%s holds %q", p.Path, forbidden)
			}
		}
	}
	var b bytes.Buffer
	if err := w.pages.WriteFile(&b, coalition.FileConfig{}); err != nil {
		t.Fatal(err)
	}
	for _, forbidden := range []string{"<script", " style=", "<link", "<img", "javascript:", "http://", "https://", "/asset/"} {
		if strings.Contains(b.String(), forbidden) {
			t.Errorf("the file holds %q", forbidden)
		}
	}
}

func TestLanguageSwitchKeepsTheChoice(t *testing.T) {
	t.Parallel()
	w := open(t, "three-cycles")
	body := w.get(t, "/en/allies/2026/pack/muster-core/?area=A2&show=well&sort=target&tables=open", http.StatusOK)
	if want := `href="/fr/allies/2026/pack/muster-core/?area=A2&amp;show=well&amp;sort=target&amp;tables=open"`; !strings.Contains(body, want) {
		t.Errorf("no link %s", want)
	}
	if !strings.Contains(body, `<option value="A2" selected>`) || !strings.Contains(body, `value="open" checked`) {
		t.Error("the form forgets what was chosen")
	}
}

// A hostile release is text and nothing else, wherever it stands.
func TestHostileTextsStayText(t *testing.T) {
	t.Parallel()
	pack := harbour(t)
	const evil = `"><script>alert(1)</script>`
	pack.Title["en"], pack.Areas[0].Title["en"], pack.Areas[0].Outcomes[0].Title["en"] = "Ports "+evil, "=cmd|' /C calc'!A0", "@SUM(1+1) "+evil
	pack.Scale.Levels[1]["en"], pack.Scale.HouseRule["en"] = evil, evil
	cfg := picturetest.Config{Packs: nil, Cycles: 1, Seed: 1}
	cfg.Packs = append(cfg.Packs, pack)
	cfg.Cohorts = []picturetest.Cohort{{ID: `members "><b>`, Members: 40}}
	cfg.Marking = "SYNTHETIC"
	picture, err := cfg.Picture(nil)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := coalition.New(picture)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{handler: pages.Handler(), World: picturetest.World{Config: picture}}
	for _, path := range []string{"", "pack/harbour-lights/", "pack/harbour-lights/L1.1", "method"} {
		body := w.get(t, "/en/members%20%22%3E%3Cb%3E/2026/"+path, http.StatusOK)
		if strings.Contains(body, "<script") || strings.Contains(body, "<b>") {
			t.Errorf("%s: a title became a tag", path)
		}
		readPage(t, body)
	}
	file := w.get(t, "/en/members%20%22%3E%3Cb%3E/2026/file/harbour-lights.csv", http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, field := range row {
			if field != "" && strings.ContainsRune("=+-@", rune(field[0])) {
				t.Errorf("a spreadsheet would run %q", field)
			}
		}
	}
	var b bytes.Buffer
	if err := pages.WriteFile(&b, coalition.FileConfig{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<script") {
		t.Error("a title became a script in the file")
	}
}

// The CSV files hold the bands of the release, every one, and nothing else.
func TestCSVIsTheRelease(t *testing.T) {
	t.Parallel()
	w := open(t, "few")
	want := make(map[string]int) // rows by what they say
	for _, r := range w.releases {
		why := make(map[string]string)
		for _, n := range r.NotShown {
			why[n.Block] = r.Reasons[n.Reason]["en"]
		}
		for _, s := range subjects(r, "en") {
			lead := strings.Join([]string{r.Marking, r.Coalition, r.Cohort, r.Cycle, r.Framework.ID, r.Framework.Version}, "|") + "|" + s.id + "|" + s.title + "|" + s.kind
			if !s.block.shown() {
				want[fmt.Sprintf("%s||||%d|%s", lead, s.of, why[s.id+"/"+s.kind])]++
				continue
			}
			for _, b := range s.block.Bands {
				want[fmt.Sprintf("%s|%s|%s|%d|%d|", lead, b.Units[0], b.Units[len(b.Units)-1], b.Count, s.of)]++
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.get(t, "/en/members/2026/file/all.csv", http.StatusOK), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		id := row[7]
		if id == "" {
			id = row[6]
		}
		key := strings.Join(append(append(append([]string{}, row[:6]...), id), row[8:]...), "|")
		want[key]--
		if want[key] < 0 {
			t.Errorf("the row %q is in no release", key)
		}
	}
	for key, n := range want {
		if n > 0 {
			t.Errorf("the file lacks %q", key)
		}
	}
	one := w.get(t, "/en/members/2026/file/muster-core.A1.1.csv", http.StatusOK)
	if n := strings.Count(one, ",A1.1,"); n == 0 || n != strings.Count(one, "\n")-1 {
		t.Errorf("the file of one outcome has %d rows of it of %d", n, strings.Count(one, "\n")-1)
	}
	for _, cycle := range []string{"2024", "2025", "2026"} {
		if !strings.Contains(one, ","+cycle+",") {
			t.Errorf("the file of one outcome lacks %s", cycle)
		}
	}
}

// release.json is handed on byte for byte: who has the key can check its signature.
func TestReleaseIsHandedOn(t *testing.T) {
	t.Parallel()
	r, _ := planted(t, "allies", 90_000, 1)
	body, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	s, err := coalition.ReadSheet(body)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := coalition.New(coalition.Config{Sheets: []*coalition.Sheet{s}})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	pages.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/fr/allies/2026/file/harbour-lights.json", nil))
	if !bytes.Equal(rec.Body.Bytes(), body) {
		t.Error("other bytes than the release's")
	}
	if got, want := rec.Header().Get("Content-Disposition"), `attachment; filename="SYNTHETIC-allies-2026-harbour-lights.json"`; got != want {
		t.Errorf("named %s, want %s", got, want)
	}
}

func TestPicturesThatAreRefused(t *testing.T) {
	t.Parallel()
	sheet := func(change func(*release.Release)) *coalition.Sheet {
		r, _ := planted(t, "allies", 90_000, 1)
		change(r)
		s, err := coalition.NewSheet(r)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := func(*release.Release) {}
	for _, row := range []struct {
		name   string
		sheets []*coalition.Sheet
		want   string
	}{
		{"none", nil, "a picture needs a release"},
		{"twice", []*coalition.Sheet{sheet(same), sheet(same)}, `there are two releases of harbour-lights for "allies" in the cycle "2026"`},
		{"two coalitions", []*coalition.Sheet{sheet(same), sheet(func(r *release.Release) { r.Coalition, r.Cycle = "Another", "2025" })}, `a release is of "Another", another of "Coalition of the Sea of Lanthery"`},
		{"two markings", []*coalition.Sheet{sheet(same), sheet(func(r *release.Release) { r.Marking, r.Cycle = "", "2025" })}, `a release is marked "", another "SYNTHETIC"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := coalition.New(coalition.Config{Sheets: row.sheets})
			if err == nil || errs.KindOf(err) != errs.Invalid || err.Error() != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if _, err := coalition.ReadSheet([]byte(`{}`)); errs.KindOf(err) != errs.Invalid {
		t.Errorf("an empty release: %v", err)
	}
	if _, err := coalition.ReadCollective([]byte(`{}`)); errs.KindOf(err) != errs.Invalid {
		t.Errorf("an empty assessment: %v", err)
	}
}

// What the coalition says of itself stands beside the releases of the cohort that
// may see it, however few it has, and nowhere else.
func TestItselfIsForOneCohort(t *testing.T) {
	t.Parallel()
	itself := func(cohort string) *coalition.Collective {
		c := *open(t, "three-cycles").Config.Itself[2]
		c.Cohort = cohort
		return &c
	}
	sheets := open(t, "three-cycles").Config.Sheets
	pages, err := coalition.New(coalition.Config{Sheets: sheets, Itself: []*coalition.Collective{itself("partners")}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/en/partners/2026/itself/muster-collective/": http.StatusOK,
		"/en/allies/2026/itself/muster-collective/":   http.StatusNotFound,
	} {
		rec := httptest.NewRecorder()
		pages.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
	_, err = coalition.New(coalition.Config{Sheets: sheets, Itself: []*coalition.Collective{itself("others")}})
	const want = `the coalition assessed itself for "others" in the cycle "2026", of which there is no release of theirs`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestFileOfACohort(t *testing.T) {
	t.Parallel()
	pages := small(t)
	for _, row := range []struct {
		name    string
		cfg     coalition.FileConfig
		has     []string
		not     []string
		refused string
	}{
		{"the largest, both languages", coalition.FileConfig{}, []string{"30 of 32 allies took part", "30 alliés sur 32 ont participé", `id="lang-fr"`}, []string{"partners-"}, ""},
		{"another, one language", coalition.FileConfig{Cohort: "partners", Languages: []string{"fr"}}, []string{"15 partenaires sur 18 ont participé"}, []string{`id="lang-`, "allies took part", "allies-"}, ""},
		{"an earlier cycle", coalition.FileConfig{Cycle: "2025", Languages: []string{"en"}}, []string{"Cycle 2025"}, []string{"Cycle 2026"}, ""},
		{"nobody", coalition.FileConfig{Cohort: "others"}, nil, nil, `there is no release for "others"`},
		{"never", coalition.FileConfig{Cycle: "1999"}, nil, nil, `there is no release of the cycle "1999" for "allies"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			err := pages.WriteFile(&b, row.cfg)
			if row.refused != "" {
				if errs.KindOf(err) != errs.NotFound || err.Error() != row.refused || b.Len() > 0 {
					t.Errorf("got %v with %d bytes, want %q", err, b.Len(), row.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range row.has {
				if !strings.Contains(b.String(), want) {
					t.Errorf("does not hold %q", want)
				}
			}
			for _, not := range row.not {
				if strings.Contains(b.String(), not) {
					t.Errorf("holds %q", not)
				}
			}
			readPage(t, b.String())
			// Every link within the file leads somewhere.
			for _, m := range href.FindAllStringSubmatch(b.String(), -1) {
				if m[1] != "" {
					t.Errorf("the file links to %s", m[1])
				}
			}
			for _, part := range strings.Split(b.String(), `href="#`)[1:] {
				id, _, _ := strings.Cut(part, `"`)
				if !strings.Contains(b.String(), `id="`+id+`"`) {
					t.Errorf("a link leads to %q, which is not there", id)
				}
			}
		})
	}
}

// Pages may be served below another path.
func TestBase(t *testing.T) {
	t.Parallel()
	cfg := open(t, "first-cycle").Config
	cfg.Base = "/picture"
	pages, err := coalition.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{handler: pages.Handler()}
	body := w.get(t, "/picture/en/allies/2026/", http.StatusOK)
	for _, m := range href.FindAllStringSubmatch(body, -1) {
		if m[1] != "" && !strings.HasPrefix(m[1], "/picture/") {
			t.Errorf("a link leads to %s", m[1])
		}
		if m[1] != "" {
			w.get(t, m[1], http.StatusOK)
		}
	}
	if n := strconv.Itoa(strings.Count(body, `href="/picture/asset/`)); n != "2" {
		t.Errorf("%s assets below the path", n)
	}
}
