package workspace_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// access says who may use a page: the roles by their first letters, and what a
// request of it is.
type access struct {
	may  string // l, c, v, a, r: lead, contributor, verifier, approver, reader
	path string // in place of the pattern's own
	form url.Values
	no   bool // refused for everybody in this test, which has nothing of what it is about
}

// everybody may use a page.
const everybody = "lcvar"

// routes is every page of a workspace and who may use it. A page without a row fails
// the test: whoever adds one decides here who may use it.
func routes(digest, findings string) map[string]access {
	const key = "the%20head+f295241e+AV4IoObi4yez3bfp5BR/i7V8GQ5QGBNWrLhXww9VShnL"
	const s = "/{lang}/survey/{cycle}/{pack}/"
	rev := func(more ...string) url.Values {
		form := url.Values{"rev": {"0"}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Add(more[i], more[i+1])
		}
		return form
	}
	return map[string]access{
		"GET /{$}":                                            {may: everybody, path: "/"},
		"GET /{lang}/{$}":                                     {may: everybody},
		"POST /{lang}/guide":                                  {may: everybody},
		"POST /{lang}/name":                                   {no: true, form: url.Values{"name": {"Somebody"}}}, // of who is alone: see TestWorkspaceKnowsWhoUsesIt in cmd/muster
		"GET /":                                               {path: "/en/nothing/here"},
		"GET " + s + "{$}":                                    {may: "lvar"},
		"GET " + s + "area/{area}":                            {may: "lvar"},
		"POST " + s + "outcome/{outcome}":                     {may: "l", form: rev("level", "2")},
		"POST " + s + "outcome/{outcome}/confirm":             {may: "l"},
		"POST " + s + "outcome/{outcome}/comment":             {may: "lva", form: url.Values{"text": {"a remark"}}}, // a contributor comments with her body
		"POST " + s + "outcome/{outcome}/reference":           {may: "l", form: url.Values{"place": {"https://example.org/a"}}},
		"POST " + s + "outcome/{outcome}/contribution":        {may: "lc", form: rev("body", "port", "level", "2")},
		"GET " + s + "outcome/{outcome}/history":              {may: "lvar"},
		"GET " + s + "history":                                {may: everybody}, // a contributor that of her bodies alone: see TestEvents
		"GET " + s + "history.csv":                            {may: everybody},
		"GET " + s + "bodies":                                 {may: "lvar"},
		"POST " + s + "bodies/body":                           {may: "l", form: rev("id", "new", "name", "New")},
		"POST " + s + "bodies/section":                        {may: "l", form: rev("id", "new", "title", "New", "listed", "port")},
		"GET " + s + "bodies/workbooks":                       {may: "lvar"},
		"POST " + s + "bodies/workbooks/give":                 {no: true, form: url.Values{}}, // it shows passwords: see TestWorkbooksAreTheLeads
		"POST " + s + "bodies/workbooks/file":                 {no: true, form: url.Values{}},
		"POST " + s + "bodies/workbooks/read":                 {no: true},
		"POST " + s + "bodies/workbooks/take":                 {no: true, form: url.Values{}},
		"GET " + s + "verification":                           {may: "lvar"},
		"POST " + s + "verification/finding":                  {may: "v", form: rev("outcome", "A1.2", "claimed", "3", "seen", "the list", "verified", "1")},
		"POST " + s + "verification/passkey/begin":            {no: true, form: url.Values{}}, // of several that share it: see TestPasskeys
		"POST " + s + "verification/passkey/finish":           {no: true, form: url.Values{}},
		"POST " + s + "signoff/passkey/begin":                 {no: true, form: url.Values{}},
		"POST " + s + "signoff/passkey/finish":                {no: true, form: url.Values{}},
		"GET " + s + "signoff/statement/{file}":               {no: true},
		"POST " + s + "signoff/key":                           {may: "l", form: rev("id", "k", "public", key, "at", "head", "compared", "1")},
		"GET " + s + "needs":                                  {may: "lcvar"},
		"GET " + s + "needs/print":                            {may: "lcvar"},
		"POST " + s + "needs":                                 {may: "lc", form: rev("body", "port")},
		"GET " + s + "letters":                                {may: "lvar"},
		"GET " + s + "reminders.ics":                          {may: "lvar"},
		"GET " + s + "evidence":                               {may: "lvar"},
		"GET " + s + "evidence/copy/{outcome}/{id}":           {no: true},
		"POST " + s + "evidence/read":                         {no: true},
		"POST " + s + "evidence/folder":                       {may: "l", form: rev("folder", "")},
		"POST " + s + "evidence/piece":                        {no: true, form: rev()},
		"GET " + s + "sealing/file/{number}":                  {no: true},
		"POST " + s + "sealing/addendum":                      {no: true}, // it takes two files: see TestPostponed
		"POST " + s + "sealing/seal":                          {no: true, form: rev("digest", "")},
		"POST " + s + "verification/opinion":                  {may: "v", form: url.Values{"text": {"fair"}, "digest": {findings}}},
		"GET " + s + "check":                                  {may: "lvar"},
		"GET " + s + "signoff":                                {may: "lvar"},
		"GET " + s + "signoff/sheet":                          {may: "lvar"},
		"POST " + s + "signoff/chain":                         {may: "l", form: url.Values{"step": {"head"}, "name": {"The head"}}},
		"POST " + s + "signoff/decision":                      {may: "a", form: url.Values{"step": {"head"}, "digest": {digest}, "decision": {"return"}, "reason": {"look again"}}},
		"GET " + s + "sealing":                                {may: "lvar"},
		"GET " + s + "standing":                               {may: "lvar"},
		"POST " + s + "standing":                              {may: "l"},
		"GET " + s + "standing/body/{body}":                   {may: everybody}, // of her own bodies; see TestBodyStanding
		"GET " + s + "standing/body/{body}/standing.csv":      {may: everybody},
		"GET " + s + "brief":                                  {may: "lvar"},
		"GET " + s + "brief/{file}":                           {no: true},
		"POST " + s + "brief/points":                          {may: "l", form: rev()},
		"GET " + s + "plan":                                   {may: "lvar"},
		"POST " + s + "plan/action":                           {may: "l", form: rev("outcome", "A1.1", "text", "write it down", "owner", "Bo", "due", "2032-01-01")},
		"GET " + s + "part":                                   {may: everybody},
		"GET " + s + "part/area/{area}":                       {may: "lc"},
		"POST " + s + "part/outcome/{outcome}/{body}":         {may: "lc", form: rev("level", "1")},
		"POST " + s + "part/outcome/{outcome}/{body}/confirm": {may: "lc", form: url.Values{}},
		"POST " + s + "part/outcome/{outcome}/{body}/comment": {may: "lc", form: url.Values{"text": {"which quay?"}}},
		"GET " + s + "part/standing":                          {may: everybody},
	}
}

// people are one of each role.
func people() map[byte]workspace.Person {
	person := func(name string, role workspace.Role) workspace.Person {
		return workspace.Person{Name: name, Roles: []workspace.Role{role}}
	}
	all := map[byte]workspace.Person{
		'l': person("Lena Lead", workspace.RoleLead), 'v': person("Vera Verifier", workspace.RoleVerifier), 'r': person("Rita Reader", workspace.RoleReader),
	}
	c, a := person("Cara Contributor", workspace.RoleContributor), person("Ada Approver", workspace.RoleApprover)
	c.Bodies, a.Steps = []string{"port"}, []string{"head"}
	all['c'], all['a'] = c, a
	return all
}

// served is a workspace that a person looks at.
func (s *site) as(t testing.TB, person workspace.Person) *site {
	t.Helper()
	pages, err := page.New(page.Config{Service: s.Service, Person: func(*http.Request) workspace.Person { return person }, Now: today, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	return &site{Workspace: s.Workspace, handler: pages.Handler(), survey: s.survey, pack: s.pack, log: s.log}
}

// secrets are planted: what of a workspace is no contributor's.
const (
	membersNote = "what the member notes"
	othersNote  = "what the grid notes"
	inner       = "said among ourselves"
)

// shared is a workspace with bodies, sections and answers of several.
func shared(t testing.TB) *site {
	t.Helper()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, body := range []string{"port", "grid"} {
		must(s.PutBody(ctx, s.Lead, 0, assess.Body{ID: body, Name: "The " + body}))
	}
	must(s.PutSection(ctx, s.Lead, s.survey, 0, workspace.Section{ID: "one", Title: "Section one", Areas: []string{"A1"}, Bodies: []string{"port", "grid"}, Due: "2031-03-20", Contact: "the desk"}))
	must(s.PutSection(ctx, s.Lead, s.survey, 0, workspace.Section{ID: "two", Title: "Section two", Areas: []string{"A2"}, Bodies: []string{"grid"}}))
	must(nil, s.SetChain(ctx, s.Lead, s.survey, []assess.Step{{ID: "head", Name: "The head"}}))
	for _, o := range s.pack.Outcomes() {
		saved, _, err := s.Save(ctx, s.Lead, s.survey, o.ID, 0, assess.Entry{Level: framework.Level3, Evidence: framework.E2, Note: membersNote})
		must(saved, err)
	}
	must(s.Contribute(ctx, s.Lead, s.survey, "A1.1", 0, assess.Contribution{Body: "grid", Level: framework.Level4, Note: othersNote}))
	must(s.Contribute(ctx, s.Lead, s.survey, "A1.1", 0, assess.Contribution{Body: "port", Level: framework.Level2, Note: "what the port notes"}))
	must(s.Comment(ctx, s.Lead, s.survey, "A1.1", "", inner))
	must(s.Comment(ctx, s.Lead, s.survey, "A1.1", "grid", inner))
	must(s.Comment(ctx, s.Lead, s.survey, "A1.1", "port", "asked of the port"))
	return s
}

// Every page answers every role as its row says, and there is no page without one.
func TestEveryRoleAtEveryPage(t *testing.T) {
	t.Parallel()
	s := shared(t)
	if _, err := s.KeepRelease(t.Context(), s.Lead, s.survey, workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle)); err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{Service: s.Service, Person: func(*http.Request) workspace.Person { return s.Lead }, Now: today, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	patterns := pages.Patterns()
	table := routes("", "")
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
	for letter, person := range people() {
		for _, pattern := range patterns {
			row := routes(digests(t, s))[pattern]
			r := request(t, s, pattern, row)
			before := revisions(t, s)
			rec := s.as(t, person).do(r)
			allowed := strings.IndexByte(row.may, letter) >= 0
			name := string(person.Roles[0]) + " at " + pattern
			refused := rec.Code == http.StatusForbidden || rec.Code == http.StatusNotFound || row.no && rec.Code > http.StatusNotFound && rec.Code < http.StatusInternalServerError
			switch method, _, _ := strings.Cut(pattern, " "); {
			case allowed && method == http.MethodGet && rec.Code != http.StatusOK && (pattern != "GET /{$}" || rec.Code != http.StatusFound):
				t.Errorf("%s: %d, and the role may\n%.300s", name, rec.Code, rec.Body)
			case allowed && method == http.MethodPost && rec.Code != http.StatusSeeOther:
				t.Errorf("%s: %d, and the role may\n%s", name, rec.Code, rec.Body)
			case !allowed && !refused:
				t.Errorf("%s: %d, and the role may not\n%s", name, rec.Code, rec.Body)
			}
			if after := revisions(t, s); !allowed && after != before {
				t.Errorf("%s has changed something although the role may not", name)
			}
			if letter == 'c' {
				for _, secret := range []string{membersNote, othersNote, inner, "The grid", "Section two"} {
					if strings.Contains(rec.Body.String(), secret) {
						t.Errorf("%s shows %q", name, secret)
					}
				}
			}
		}
	}
}

// digests returns what a decision and an opinion are about now.
func digests(t testing.TB, s *site) (digest, findings string) {
	t.Helper()
	sealable, err := s.Sealable(t.Context(), s.Lead, s.survey)
	if err != nil {
		t.Fatal(err)
	}
	if findings, err = s.FindingsDigest(t.Context(), s.Lead, s.survey); err != nil {
		t.Fatal(err)
	}
	return sealable.Digest, findings
}

// request makes a request of a page.
func request(t testing.TB, s *site, pattern string, row access) *http.Request {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	if row.path != "" {
		path = row.path
	}
	path = strings.NewReplacer("{lang}", "en", "{cycle}", "2031", "{pack}", "invented", "{area}", "A1", "{outcome}", "A1.1", "{body}", "port", "{id}", "000001", "{number}", "1", "{$}", "").Replace(path)
	if method == http.MethodGet {
		return httptest.NewRequest(method, path, nil)
	}
	if strings.HasSuffix(pattern, "/standing") {
		r := httptest.NewRequest(method, path, strings.NewReader(string(workspacetest.ReleaseFile(t, s.pack, workspacetest.Cycle))))
		r.Header.Set("Content-Type", "application/json")
		return r
	}
	form := row.form
	if strings.HasSuffix(pattern, "{outcome}") {
		saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
		if err != nil {
			t.Fatal(err)
		}
		form.Set("rev", fmt.Sprint(saved.Rev))
	}
	if strings.HasSuffix(pattern, "finding") {
		all, err := s.Findings(t.Context(), s.Lead, s.survey)
		if err != nil {
			t.Fatal(err)
		}
		form.Set("rev", fmt.Sprint(all["A1.1"].Rev))
	}
	for _, thing := range []string{"body", "section"} {
		if strings.HasSuffix(pattern, "bodies/"+thing) {
			form.Set("id", fmt.Sprint("new", revisions(t, s)))
		}
	}
	if strings.Contains(pattern, "contribution") || strings.HasSuffix(pattern, "{body}") {
		all, err := s.Contributions(t.Context(), s.Lead, s.survey, "A1.1")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Body == "port" {
				form.Set("rev", fmt.Sprint(c.Rev))
			}
		}
	}
	return post(path, form)
}

// revisions counts what is kept.
func revisions(t testing.TB, s *site) int64 {
	t.Helper()
	summary, err := s.DB.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return summary.Revisions
}

// A contributor finds her part and nothing else, with and without the script.
func TestContributor(t *testing.T) {
	t.Parallel()
	s := shared(t)
	cara := s.as(t, people()['c'])
	home := cara.get(t, "/en/", http.StatusOK)
	for _, want := range []string{"The port", "5 of 6 questions are open.", "Due on 20 March 2031", `href="/en/survey/2031/invented/part"`} {
		if !strings.Contains(home, want) {
			t.Errorf("her home does not say %q", want)
		}
	}
	part := cara.get(t, base+"part", http.StatusOK)
	for _, want := range []string{"Section one", "Questions go to the desk", "A1.1", "A1.6"} {
		if !strings.Contains(part, want) {
			t.Errorf("her part does not say %q", want)
		}
	}
	if strings.Contains(part, "A2.1") {
		t.Error("her part has what is asked of others")
	}
	area := cara.get(t, base+"part/area/A1", http.StatusOK)
	for _, want := range []string{"what the port notes", "asked of the port", `value="2" checked`, `id="o-A1.1-port"`} {
		if !strings.Contains(area, want) {
			t.Errorf("the questions do not have %q", want)
		}
	}
	if at := cara.send(t, base+"part/outcome/A1.2/port", url.Values{"rev": {"0"}, "level": {"3"}, "note": {"counted"}, "go": {"next"}}); at != base+"part/area/A1#o-A1.3-port" {
		t.Errorf("led to %s", at)
	}
	r := post(base+"part/outcome/A1.3/port", url.Values{"rev": {"0"}, "level": {"4"}})
	r.Header.Set("Accept", "application/json")
	if rec := cara.do(r); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"text":"3 of 6"`) || !strings.Contains(rec.Body.String(), `"state":"done"`) {
		t.Errorf("the script is told %d %s", rec.Code, rec.Body)
	}
	all, err := s.Contributions(t.Context(), s.Lead, s.survey, "A1.2")
	if err != nil || len(all) != 1 || all[0].Level != framework.Level3 || all[0].Note != "counted" || all[0].By != "Cara Contributor" {
		t.Errorf("kept %+v: %v", all, err)
	}
	for path, form := range map[string]url.Values{
		"part/outcome/A1.2/grid": {"rev": {"0"}, "level": {"0"}}, // somebody else's body
		"part/outcome/A2.1/port": {"rev": {"0"}, "level": {"0"}}, // not in her sections
	} {
		if rec := cara.do(post(base+path, form)); rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

// Who is second of a body's contributors sees both and decides.
func TestContributorsClash(t *testing.T) {
	t.Parallel()
	s := shared(t)
	cara := s.as(t, people()['c'])
	save := func(level, note, rev string) *httptest.ResponseRecorder {
		return cara.do(post(base+"part/outcome/A1.4/port", url.Values{"rev": {rev}, "level": {level}, "note": {note}}))
	}
	save("1", "as found", "0")
	all, err := s.Contributions(t.Context(), s.Lead, s.survey, "A1.4")
	if err != nil {
		t.Fatal(err)
	}
	began := fmt.Sprint(all[0].Rev)
	save("2", "as found", began)                                             // one changes the level
	if rec := save("1", "counted", began); rec.Code != http.StatusSeeOther { // another the note: both are kept
		t.Fatalf("%d\n%s", rec.Code, rec.Body)
	}
	rec := save("3", "counted twice", began)
	body := rec.Body.String()
	if rec.Code != http.StatusConflict {
		t.Fatalf("%d\n%s", rec.Code, body)
	}
	for _, want := range []string{`name="take-0" value="theirs" checked`, `name="0.theirs.level" value="2"`, `name="0.mine.level" value="3"`, `name="1.theirs.note" value="counted"`, `name="1.mine.note" value="counted twice"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the conflict does not have %q\n%s", want, body)
		}
	}
	_, rest, _ := strings.Cut(body, `name="rev" value="`)
	rev, _, _ := strings.Cut(rest, `"`)
	if rec := save("3", "counted", rev); rec.Code != http.StatusSeeOther {
		t.Fatalf("what was decided: %d\n%s", rec.Code, rec.Body)
	}
	all, err = s.Contributions(t.Context(), s.Lead, s.survey, "A1.4")
	if err != nil || all[0].Level != framework.Level3 || all[0].Note != "counted" {
		t.Errorf("kept %+v: %v", all, err)
	}
}

// After the release a body stands beside the coalition, and the member does not.
func TestPartBesideTheCoalition(t *testing.T) {
	t.Parallel()
	s := shared(t)
	cara := s.as(t, people()['c'])
	if body := cara.get(t, base+"part/standing", http.StatusOK); !strings.Contains(body, "not here yet") {
		t.Error("the page does not say that there is no release")
	}
	s.give(t)
	body := cara.get(t, base+"part/standing", http.StatusOK)
	for _, want := range []string{"Your part beside the coalition", "(your body)", "The port"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, secret := range []string{"(this member)", membersNote, "A2.1", "The grid"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
}

// Each role begins where its work is.
func TestLanding(t *testing.T) {
	t.Parallel()
	s := shared(t)
	want := map[byte]string{'l': "/en/", 'c': "/en/", 'r': "/en/", 'v': base + "verification", 'a': base + "signoff"}
	for letter, person := range people() {
		rec := s.as(t, person).do(httptest.NewRequest(http.MethodGet, "/", nil))
		if at := rec.Header().Get("Location"); at != want[letter] {
			t.Errorf("%s begins at %s, want %s", person.Name, at, want[letter])
		}
	}
}
