package coordinator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/edition"
	page "muster/internal/web/coordinator"
)

// access says who may use a page: the people of a world by their first letters, and
// what a request of it is.
type access struct {
	may  string // c, s, l, h, o, v, d, a: see people
	path string // in place of the pattern's own
	form url.Values
}

// everybody may use a page.
const everybody = "cslhovda"

// routes is every page and who may use it. A page without a row fails the test: whoever
// adds one decides here who may use it.
func routes(w *cycletest.World) map[string]access {
	const c = "/{lang}/cycle/{cycle}"
	key := string(w.Made.Members["Dunmark"].Public())
	return map[string]access{
		"GET /{$}":                                      {may: everybody, path: "/"},
		"GET /{lang}/{$}":                               {may: everybody},
		"GET /{lang}/calendar.ics":                      {may: everybody},
		"GET /{lang}/cycles":                            {may: everybody},
		"GET " + c:                                      {may: everybody},
		"POST " + c + "/step":                           {may: "cs", form: url.Values{"to": {"postponed"}, "reason": {"a storm"}}},
		"POST " + c + "/deadline":                       {may: "cs", form: url.Values{"deadline": {"2026-12-01T12:00"}, "reason": {"a storm"}}},
		"POST " + c + "/status":                         {may: "csv", form: url.Values{"party": {"vinterhavn"}, "status": {"under way"}}},
		"POST " + c + "/cancel":                         {may: "cs", form: url.Values{"reason": {"too few trust it"}}},
		"POST " + c + "/release":                        {form: url.Values{"digest": {strings.Repeat("ab", 32)}}}, // of a cycle under review: see TestRelease
		"GET " + c + "/questions":                       {may: everybody},
		"POST " + c + "/questions":                      {may: "cslhovd", form: url.Values{"text": {"Does one port count?"}}},
		"GET /{lang}/people":                            {may: everybody},
		"GET /{lang}/editions":                          {may: everybody},
		"GET " + c + "/edition/{edition}":               {},
		"GET " + c + "/edition/{edition}/file/{format}": {},
		"GET " + c + "/edition/{edition}/write":         {}, // of a cycle without a release: see edition_test.go
		"POST " + c + "/edition/{edition}/write":        {form: url.Values{"text": {"x"}}},
		"POST " + c + "/edition/{edition}/propose":      {},
		"POST " + c + "/edition/{edition}/publish":      {},
		"POST " + c + "/edition/{edition}/withdraw":     {form: url.Values{"reason": {"x"}}},
		"POST /{lang}/people/key":                       {may: "cs", form: url.Values{"party": {"dunmark"}, "key": {key}}},
		"GET /{lang}/record":                            {may: everybody},
		"GET /":                                         {path: "/en/nothing/here"},
		"POST /{lang}/request/{request}/approve":        {may: "s"},
		"POST /{lang}/request/{request}/refuse":         {may: "cs", form: url.Values{"reason": {"not now"}}},
		"POST " + c + "/questions/{question}/answer":    {may: "cs", form: url.Values{"wording": {"Does one port count?"}, "answer": {"Yes."}}},
	}
}

// people are everybody by a letter.
func people(w *cycletest.World) map[byte]cycle.Person {
	return map[byte]cycle.Person{'c': w.Ada, 's': w.Bo, 'l': w.Lea, 'h': w.Hal, 'o': w.Ola, 'v': w.Vera, 'd': w.Dan, 'a': w.Audit}
}

// site is a world that a person looks at.
type site struct {
	*cycletest.World
	handler http.Handler
	pages   *page.Pages
}

func (s *site) as(t testing.TB, person cycle.Person) *site {
	t.Helper()
	pages, err := page.New(page.Config{Service: s.Service, Editions: editions(s.World), People: folk(t, s.World), Person: func(*http.Request) cycle.Person { return person }, Now: s.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return &site{s.World, pages.Handler(), pages}
}

func newSite(t testing.TB) *site {
	t.Helper()
	return (&site{World: cycletest.New(t)}).as(t, cycle.Person{})
}

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
	return rec.Body.String()
}

// post sends a form and returns where it leads.
func (s *site) post(t testing.TB, path string, form url.Values) string {
	t.Helper()
	rec := s.do(send(path, form))
	if rec.Code != http.StatusSeeOther {
		t.Fatalf("POST %s: %d\n%s", path, rec.Code, rec.Body)
	}
	return rec.Header().Get("Location")
}

func send(path string, form url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

const (
	secretQuestion = "We at Ostmere run one port"
	secretReason   = "Farhaven is not to be trusted" // of a request that only the staff sees
)

// Every page answers every role as its row says, there is no page without one, and no
// page tells anybody what is not hers.
func TestEveryRoleAtEveryPage(t *testing.T) {
	t.Parallel()
	first := newSite(t)
	patterns := first.pages.Patterns()
	table := routes(first.World)
	for _, pattern := range patterns {
		if _, ok := table[pattern]; !ok {
			t.Errorf("nobody has decided who may use %s", pattern)
		}
	}
	for pattern := range table {
		if !slices.Contains(patterns, pattern) {
			t.Errorf("there is no %s any more", pattern)
		}
	}
	// What a request changes is another's next row: each pattern has a world of its own.
	for _, pattern := range patterns {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			var w *site
			var id cycle.ID
			var number int64
			for letter := range people(first.World) {
				if w == nil || strings.HasPrefix(pattern, "POST ") && !strings.Contains(pattern, "/edition/") { // of a cycle without a release: nothing is kept
					w, id, number = busy(t)
				}
				if strings.HasSuffix(pattern, "/cancel") { // there is one already
					must(t, w.Refuse(t.Context(), w.Ada, number, ""))
				}
				row := routes(w.World)[pattern]
				if strings.HasSuffix(pattern, "/key") { // another key of it
					row.form.Set("key", string(w.Made.Leader.Public()))
				}
				person := people(w.World)[letter]
				before := lines(t, w)
				rec := w.as(t, person).do(request(pattern, row, id))
				allowed := strings.IndexByte(row.may, letter) >= 0
				refused := rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound || row.may == "" && rec.Code == http.StatusConflict
				switch method, _, _ := strings.Cut(pattern, " "); {
				case allowed && method == http.MethodGet && rec.Code != http.StatusOK && (pattern != "GET /{$}" || rec.Code != http.StatusFound):
					t.Errorf("%s: %d, and she may\n%.300s", person.Name, rec.Code, rec.Body)
				case allowed && method == http.MethodPost && rec.Code != http.StatusSeeOther:
					t.Errorf("%s: %d, and she may\n%s", person.Name, rec.Code, rec.Body)
				case !allowed && !refused:
					t.Errorf("%s: %d, and she may not\n%s", person.Name, rec.Code, rec.Body)
				}
				if !allowed && lines(t, w) != before {
					t.Errorf("%s has changed something although she may not", person.Name)
				}
				shown := rec.Body.String()
				for secret, sees := range map[string]string{secretQuestion: "csao", secretReason: "csa", "sea-of-sand": "csa", "Quillsea": "csa"} {
					if strings.Contains(shown, secret) && strings.IndexByte(sees, letter) < 0 {
						t.Errorf("%s is shown %q", person.Name, secret)
					}
				}
				if letter == 'd' && strings.Contains(shown, "Vinterhavn") {
					t.Error("a guest is shown where a member stands")
				}
				if letter != 'a' && letter != 'c' && letter != 's' && strings.Contains(shown, "Ola Quist") && letter != 'o' && letter != 'l' {
					t.Errorf("%s is told who speaks for another", person.Name)
				}
			}
		})
	}
}

// TestEveryRouteHasASubject: docs/spec/audience.md says of every route what it is about,
// as the table of routes does, and of none that there is not.
func TestEveryRouteHasASubject(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/spec/audience.md")
	if err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "`")
		if method, _, _ := strings.Cut(cells[min(1, len(cells)-1)], " "); len(cells) == 3 && (method == http.MethodGet || method == http.MethodPost) {
			said[cells[1]] = strings.Trim(cells[2], "| \n")
		}
	}
	if diff := cmp.Diff(newSite(t).pages.Abouts(), said); diff != "" {
		t.Errorf("the routes in docs/spec/audience.md: -served +there\n%s", diff)
	}
}

// Of a cycle that somebody does not see there is no trace: whatever she asks, at every
// route that names one, she is answered as of one that there is not, to the byte.
func TestUnseenIsAsIfThereWereNone(t *testing.T) {
	t.Parallel()
	w, _, _ := busy(t)
	const unseen, none = "sea-of-sand", "sea-of-nuts" // of equal length
	asked := 0
	for _, pattern := range w.pages.Patterns() {
		if !strings.Contains(pattern, "{cycle}") {
			continue
		}
		row := routes(w.World)[pattern]
		for letter, person := range people(w.World) {
			if strings.IndexByte("csa", letter) >= 0 { // they see every cycle
				continue
			}
			site := w.as(t, person)
			got, want := site.do(request(pattern, row, unseen)), site.do(request(pattern, row, none))
			if got.Code != http.StatusNotFound && got.Code != http.StatusForbidden {
				t.Errorf("%s at %s: %d", person.Name, pattern, got.Code)
			}
			plain := func(s string) string { return strings.NewReplacer(unseen, "X", none, "X").Replace(s) }
			if diff := cmp.Diff(want.Code, got.Code) + cmp.Diff(plain(want.Body.String()), plain(got.Body.String())) + cmp.Diff(want.Header(), got.Header()); diff != "" {
				t.Errorf("%s at %s can tell that there is a cycle:\n%s", person.Name, pattern, diff)
			}
			asked++
		}
	}
	if asked < 40 {
		t.Errorf("only %d were asked", asked)
	}
}

// busy is a world in which something is open: a cycle, a question, a request, and a
// draft that nobody is invited to.
func busy(t testing.TB) (w *site, id cycle.ID, request int64) {
	t.Helper()
	w = newSite(t)
	id = w.To(t, coalition.Open)
	must(t, second(w.Ask(t.Context(), w.Ola, id, secretQuestion)))
	request, err := w.AskCancellation(t.Context(), w.Ada, id, secretReason)
	must(t, err)
	must(t, w.Make(t.Context(), w.Ada, "sea-of-sand", cycle.Plan{}))
	return w, id, request
}

func second[T any](_ T, err error) error { return err }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lines counts what is kept.
func lines(t testing.TB, s *site) int64 {
	t.Helper()
	n, _, err := s.CheckRecord(t.Context(), s.Audit)
	must(t, err)
	return n
}

// request makes a request of a page.
func request(pattern string, row access, id cycle.ID) *http.Request {
	method, path, _ := strings.Cut(pattern, " ")
	if row.path != "" {
		path = row.path
	}
	last := "15" // the cancellation, after the keys of fourteen
	path = strings.NewReplacer("{lang}", "en", "{cycle}", string(id), "{request}", last, "{question}", "1", "{$}", "", "{edition}", "allied", "{format}", "csv").Replace(path)
	if method == http.MethodGet {
		return httptest.NewRequest(method, path, nil)
	}
	return send(path, row.form)
}

func editions(w *cycletest.World) *edition.Service {
	return edition.New(edition.ServiceConfig{Store: w.DB.Editions(), Year: w.Service, Now: w.Clock.Now})
}
