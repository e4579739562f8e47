package workspace_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// words reads a document for a word processor as an independent reader finds it: the
// style and the text of each paragraph.
func words(t testing.TB, file string) []string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	var style, text string
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "p":
				style, text = "", ""
			case "pStyle":
				style = e.Attr[0].Value
			case "docPr":
				for _, a := range e.Attr {
					if a.Name.Local == "descr" {
						text += "[" + a.Value + "]"
					}
				}
			}
		case xml.EndElement:
			if e.Name.Local == "p" && text != "" {
				all = append(all, style+"|"+text)
			}
		case xml.CharData:
			text += string(e)
		}
	}
}

// plain is a page as its reader sees it.
func plain(body string) string {
	body = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(body)), " ")
}

// sheets are the two pages of a brief, without what stands around them.
func sheets(t testing.TB, body string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `<section class="paper`)
	at := strings.LastIndex(rest, `<footer class="paperfoot">`)
	if !ok || at < 0 {
		t.Fatal("there are no two pages")
	}
	return rest[:at]
}

// second is a site in its second year: the first has a plan, the second a release.
func second(t *testing.T) (*site, string) {
	t.Helper()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	ctx := t.Context()
	save := func(id workspace.SurveyID, outcome string, e assess.Entry) {
		t.Helper()
		was, err := s.Entry(ctx, s.Lead, id, outcome)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Save(ctx, s.Lead, id, outcome, was.Rev, e); err != nil {
			t.Fatal(err)
		}
	}
	for i, o := range s.pack.Outcomes() {
		level, _ := framework.LevelOf(i % 4)
		save(s.survey, o.ID, assess.Entry{Level: level, Target: framework.Level3, Note: "Zanzifar-note", Assignee: "Zanzifar-name"})
	}
	for _, a := range []assess.Action{
		{Outcome: "A1.1", Text: "Write the list", Owner: "Bo", Due: "2031-01-01"},
		{Outcome: "A1.2", Text: "Ask the port", Owner: "Bo", Due: "2031-06-01", Finished: true},
	} {
		if _, err := s.PutAction(ctx, s.Lead, s.survey, "", 0, a); err != nil {
			t.Fatal(err)
		}
	}
	next, err := s.Service.Load(ctx, s.Lead, workspace.LoadConfig{Pack: s.pack, Cycle: "2032", Before: s.survey})
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range s.pack.Outcomes() {
		level, _ := framework.LevelOf(min(i%4+i%2, 4))
		save(next.ID, o.ID, assess.Entry{Level: level, Target: framework.Level3})
	}
	if _, err := s.PutAction(ctx, s.Lead, next.ID, "", 0, assess.Action{Outcome: "A1.1", Text: "Write it at last", Owner: "Bo", Due: "2032-06-30", Funding: assess.NotFunded}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.KeepRelease(ctx, s.Lead, next.ID, workspacetest.ReleaseFile(t, s.pack, "2032")); err != nil {
		t.Fatal(err)
	}
	s.survey = next.ID
	return s, "/en/survey/2032/invented/brief"
}

// The brief says what was computed, on its page, in the file and in the document, and
// holds no note and no name of who answers.
func TestBriefSays(t *testing.T) {
	t.Parallel()
	s, place := second(t)
	body := s.get(t, place, http.StatusOK)
	file := s.get(t, place+"/brief.html", http.StatusOK)
	doc := strings.Join(words(t, s.get(t, place+"/brief.docx", http.StatusOK)), "\n")
	onPage := plain(sheets(t, body))
	if other := plain(sheets(t, file)); other != onPage {
		t.Errorf("the file says\n%s\nand the page\n%s", other, onPage)
	}
	for _, want := range []string{
		"TLP:RED", "Ostmere: where we stand, 2032", "30 of 30 members stand behind", "Targets met",
		"Since last year 6 of 12 outcomes went up, and none went down.",
		"A1.1", "Level 0, target 3", "Plan: Write it at last · Bo · 30 June 2032 · not funded", "furthest below our own target first",
		"What may be said in public", "Nobody has chosen a point for the public", "Of last year's 2 promises 1 is kept; under way: 0, late: 1, dropped: 0.",
		"late", "A1.1 Write the list · Bo · 1 January 2031", "A1.2 Ask the port", "1 action is planned.", "Each level includes the one below.",
	} {
		if !strings.Contains(onPage, want) {
			t.Errorf("the page does not say %q:\n%s", want, onPage)
		}
		want = strings.TrimSuffix(strings.TrimPrefix(want, "TLP:RED"), " · Bo · 1 January 2031")
		if !strings.Contains(doc, want) {
			t.Errorf("the document does not say %q:\n%s", want, doc)
		}
	}
	for name, text := range map[string]string{"page": body, "file": file, "document": doc} {
		if strings.Contains(text, "Zanzifar") {
			t.Errorf("the %s holds a note or a name", name)
		}
	}
	// One strip for every outcome that the release shows, with one dot, and three gaps.
	shown := 0
	for _, a := range workspacetest.Release(t, s.pack, "2032").Areas {
		for _, o := range a.Outcomes {
			if o.Level.Shown() {
				shown++
			}
		}
	}
	sheet := sheets(t, body)
	if thin, dots := strings.Count(sheet, `class="stack thin own"`), strings.Count(sheet, "<circle"); thin != shown || dots != shown+3 {
		t.Errorf("%d strips and %d dots, want %d and %d", thin, dots, shown, shown+3)
	}
	if n := strings.Count(doc, "["); n != 3 {
		t.Errorf("%d pictures in the document", n)
	}
	// Headings of the document follow each other without a gap, and those of the page.
	last := 0
	for _, m := range regexp.MustCompile(`(?m)^Heading(\d)\|`).FindAllStringSubmatch(doc, -1) {
		level := int(m[1][0] - '0')
		if level > last+1 {
			t.Errorf("a heading of level %d after one of %d", level, last)
		}
		last = level
	}
	if last == 0 {
		t.Error("the document has no headings")
	}
}

// A person makes the points her own: figures by reference, one for the public, and what
// has no figure is refused, left out or said.
func TestSpeakingPoints(t *testing.T) {
	t.Parallel()
	s, place := second(t)
	rev := func() string {
		t.Helper()
		body := s.get(t, place, http.StatusOK)
		return regexp.MustCompile(`brief/points"><input type="hidden" name="rev" value="(\d+)"`).FindStringSubmatch(body)[1]
	}
	if rev() != "0" {
		t.Error("there is a revision before anybody has changed anything")
	}
	first := rev()
	form := url.Values{"rev": {first}, "rule": {"targets", "", "", ""}, "public": {"1"}, "text": {
		"We reach {targets.met} of {targets}, says <b>Bo</b>.", "In {gap3.title} we begin.", "We have 12 friends.", "",
	}}
	if at := s.send(t, place+"/points", form); at != place+"#points" {
		t.Errorf("led to %s", at)
	}
	body := s.get(t, place, http.StatusOK)
	said := plain(sheets(t, body))
	for _, want := range []string{"We reach 3 of 12, says <b>Bo</b>.", "our own choice", "Who says an answer in public has opened it", "We have 12 friends."} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if !strings.Contains(body, "A number is typed here") || strings.Contains(said, "A number is typed") {
		t.Error("that a number was typed is not said to who typed it, or printed")
	}
	if strings.Contains(s.get(t, strings.Replace(place, "/en/", "/fr/", 1), http.StatusOK), "friends") {
		t.Error("the English points stand in the French brief")
	}
	// A figure that changes changes where it is said.
	saved, err := s.Entry(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	e := saved.Entry
	e.Level = framework.Level4
	if _, _, err := s.Save(t.Context(), s.Lead, s.survey, "A1.1", saved.Rev, e); err != nil {
		t.Fatal(err)
	}
	if now := plain(sheets(t, s.get(t, place, http.StatusOK))); !strings.Contains(now, "We reach 4 of 12") {
		t.Errorf("the figure stays:\n%s", now)
	}
	// What refers to nothing now is left out and said to who may change it.
	form = url.Values{"rev": {rev()}, "text": {"{best.title}: {best.lower} are behind us.", "{gap3.title} is next."}}
	s.send(t, place+"/points", form)
	for _, o := range s.pack.Outcomes()[1:] {
		saved, err := s.Entry(t.Context(), s.Lead, s.survey, o.ID)
		if err != nil {
			t.Fatal(err)
		}
		e := saved.Entry
		e.Level = framework.Level3
		if _, _, err := s.Save(t.Context(), s.Lead, s.survey, o.ID, saved.Rev, e); err != nil {
			t.Fatal(err)
		}
	}
	body = s.get(t, place, http.StatusOK)
	if !strings.Contains(body, "There is nothing now for gap3.title") || strings.Contains(plain(sheets(t, body)), "is next") {
		t.Error("a point about nothing is not left out")
	}
	for name, row := range map[string]struct {
		form   url.Values
		status int
		says   string
	}{
		"a figure that there is not": {url.Values{"rev": {rev()}, "text": {"fine", "{targets.meet} is wrong"}}, 422, "speaking point 2 refers to"},
		"an older revision":          {url.Values{"rev": {first}, "text": {"mine"}}, 409, "somebody else has changed it"},
		"too long":                   {url.Values{"rev": {rev()}, "text": {strings.Repeat("long ", 100)}}, 422, "longer than 400 bytes"},
		"too many":                   {url.Values{"rev": {rev()}, "text": strings.Split("a b c d e f g h i", " ")}, 422, "no more are kept"},
		"no revision":                {url.Values{"text": {"mine"}}, 422, "what it began with"},
	} {
		rec := s.do(post(place+"/points", row.form))
		if rec.Code != row.status || !strings.Contains(rec.Body.String(), row.says) || !strings.Contains(rec.Body.String(), `href="`+place+`"`) {
			t.Errorf("%s: %d\n%s", name, rec.Code, plain(rec.Body.String()))
		}
	}
	s.send(t, place+"/points", url.Values{"rev": {rev()}, "forget": {"1"}})
	if now := plain(sheets(t, s.get(t, place, http.StatusOK))); !strings.Contains(now, "targets that we set ourselves") {
		t.Errorf("nothing is drafted anew:\n%s", now)
	}
	if s.log.Len() > 0 {
		t.Errorf("the log: %s", s.log)
	}
}

// Who only reads sees the brief, and no form; a contributor sees none of it.
func TestBriefIsForWhoSeesAll(t *testing.T) {
	t.Parallel()
	s, place := second(t)
	for _, row := range []struct {
		role   workspace.Role
		status int
	}{{workspace.RoleReader, http.StatusOK}, {workspace.RoleContributor, http.StatusForbidden}} {
		pages, err := page.New(page.Config{Service: s.Service, Now: today, Rand: &counting{}, Person: func(*http.Request) workspace.Person {
			return workspace.Person{Name: "Ro", Roles: []workspace.Role{row.role}}
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{place, place + "/brief.html", place + "/brief.docx"} {
			rec := httptest.NewRecorder()
			pages.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
			if rec.Code != row.status || strings.Contains(rec.Body.String(), `name="rule"`) {
				t.Errorf("%s reads %s: %d", row.role, path, rec.Code)
			}
		}
		rec := httptest.NewRecorder()
		pages.Handler().ServeHTTP(rec, post(place+"/points", url.Values{"rev": {"0"}, "text": {"mine"}}))
		if rec.Code != http.StatusForbidden {
			t.Errorf("%s writes points: %d", row.role, rec.Code)
		}
	}
}

// A brief holds raw answers: it is marked so that it goes no further, and no marking
// that is more open is taken.
func TestBriefMarking(t *testing.T) {
	t.Parallel()
	s, place := second(t)
	strict := place + "?marking=TLP:AMBER%2BSTRICT"
	if body := sheets(t, s.get(t, strict, http.StatusOK)); strings.Contains(body, "TLP:RED") || strings.Count(body, "TLP:AMBER&#43;STRICT") < 3 {
		t.Error("the stricter amber is not everywhere")
	}
	rec := s.do(httptest.NewRequest(http.MethodGet, place+"/brief.docx?marking=TLP:AMBER%2BSTRICT", nil))
	if got := rec.Header().Get("Content-Disposition"); got != `attachment; filename="TLP-AMBER-STRICT-Ostmere-2032-brief-en.docx"` {
		t.Errorf("the file is called %s", got)
	}
	for _, marking := range []string{"TLP:GREEN", "TLP:CLEAR", "TLP:AMBER", "none"} {
		for _, path := range []string{place, place + "/brief.docx"} {
			if rec := s.do(httptest.NewRequest(http.MethodGet, path+"?marking="+marking, nil)); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "it holds raw answers") {
				t.Errorf("%s as %s: %d", path, marking, rec.Code)
			}
		}
	}
	s.get(t, place+"/brief.pdf", http.StatusNotFound)
	var b bytes.Buffer
	pages, err := page.New(page.Config{Service: s.Service, Now: today, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := pages.WriteBrief(t.Context(), &b, page.BriefConfig{Person: s.Lead, Survey: s.survey, Language: "de"}); err == nil || !strings.Contains(err.Error(), `no brief in "de"`) {
		t.Errorf("%v", err)
	}
}

// A body is shown what it gave and what was released: not the member's level, and
// nothing of another body.
func TestBodyStanding(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	ctx := t.Context()
	for _, id := range []string{"port", "grid"} {
		if _, err := s.PutBody(ctx, s.Lead, 0, assess.Body{ID: id, Name: "The " + id, Scope: "scope of the " + id}); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []assess.Contribution{{Body: "port", Level: framework.Level3, Note: "Zanzifar-port"}, {Body: "port", Level: framework.NotApplicable, Reason: "Zanzifar-reason"}, {Body: "grid", Level: framework.Level1, Note: "Zanzifar-grid"}} {
		if _, err := s.Contribute(ctx, s.Lead, s.survey, fmt.Sprintf("A1.%d", i+1), 0, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Save(ctx, s.Lead, s.survey, "A1.1", 0, assess.Entry{Level: framework.Level0, Target: framework.Level4, Note: "Zanzifar-member"}); err != nil {
		t.Fatal(err)
	}
	place := base + "standing/body/port"
	s.get(t, place, http.StatusNotFound) // no release yet
	s.give(t)
	if body := s.get(t, base+"standing", http.StatusOK); !strings.Contains(body, `href="`+place+`"`) || !strings.Contains(body, `href="`+base+`brief"`) {
		t.Error("the page after the release leads to neither the body's part nor the brief")
	}
	body := s.get(t, place, http.StatusOK)
	found := strips(body)
	if len(found) != 2 || found["A1.1"].dots != 1 || !covers(found["A1.1"].own, "3") || found["A1.2"].dots > 1 {
		t.Errorf("%d outcomes: %+v", len(found), found)
	}
	for _, not := range []string{"Zanzifar", "The grid", "Level 0", "target 4"} {
		if strings.Contains(body, not) && not != "Level 0" || not == "Level 0" && strings.Contains(found["A1.1"].row, not) {
			t.Errorf("the page of the port says %q", not)
		}
	}
	s.get(t, base+"standing/body/nowhere", http.StatusNotFound)
	rec := s.do(httptest.NewRequest(http.MethodGet, place+"/standing.csv", nil))
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Disposition") != `attachment; filename="Ostmere-2031-invented-port.csv"` {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(rec.Body.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v %v", rows, err)
	}
	cell := func(row int, column string) string { return rows[row][slices.Index(rows[0], column)] }
	for column, want := range map[string]string{"body": "port", "outcome": "A1.1", "level": "3", "lower": "18", "same_band": "6", "higher": "6", "counted": "30", "band_from": "3", "band_to": "3"} {
		if got := cell(1, column); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if cell(2, "level") != "na" || cell(2, "lower") != "" {
		t.Errorf("%v", rows[2])
	}
	if strings.Contains(rec.Body.String(), "Zanzifar") {
		t.Error("the file holds a note")
	}
	if err := s.Mark(t.Context(), s.Lead, "SYNTHETIC"); err != nil {
		t.Fatal(err)
	}
	rec = s.do(httptest.NewRequest(http.MethodGet, place+"/standing.csv", nil))
	if n := strings.Count(rec.Body.String(), "\nSYNTHETIC,"); n != 2 || !strings.Contains(rec.Header().Get("Content-Disposition"), "SYNTHETIC-") {
		t.Errorf("%d of 2 rows of an invented member are marked: %v\n%s", n, rec.Header(), rec.Body)
	}
	if err := s.Mark(t.Context(), s.Lead, "x;=1+41"); err != nil {
		t.Fatal(err)
	}
	rec = s.do(httptest.NewRequest(http.MethodGet, place+"/standing.csv", nil))
	if body := rec.Body.String(); strings.Contains(body, ";=1+41") || !strings.Contains(body, "x;'=1+41") {
		t.Errorf("a spreadsheet that cuts at semicolons calculates:\n%s", body)
	}
}

// Drawing a brief, as a page or a file, leaves nothing in the folder for temporary
// files. The test has that folder for itself.
func TestBriefLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, place := second(t)
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/brief.html", "/brief.docx"} {
		s.get(t, place+path, http.StatusOK)
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d files before, %d after, %v", len(before), len(after), err)
	}
}
