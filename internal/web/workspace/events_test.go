package workspace_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// The history of everything stands on a page, with who and when, and as a table in which
// no cell is calculated; the pages of what it is about lead to it.
func TestEvents(t *testing.T) {
	t.Parallel()
	s := shared(t)
	ctx := t.Context()
	if _, err := s.Comment(ctx, workspace.Lead("Bo Ek"), s.survey, "A1.2", "", "x;=1+41;y"); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{"bodies": "contribution", "needs": "needs", "evidence": "reference", "verification": "finding", "signoff": "chain", "plan": "action"} {
		if body := s.get(t, base+path, http.StatusOK); !strings.Contains(body, `href="`+base+"history?kind="+kind+`"`) {
			t.Errorf("%s does not lead to its history", path)
		}
	}
	if body := s.get(t, base+"outcome/A1.1/history", http.StatusOK); !strings.Contains(body, `href="`+base+`history?outcome=A1.1"`) {
		t.Error("the history of an answer does not lead to everything about its outcome")
	}
	about := s.get(t, base+"history?outcome=A1.1", http.StatusOK)
	for _, want := range []string{"A body's answer · The grid", "A body's answer · The port", othersNote, membersNote, inner, "<ins>4</ins>", s.Lead.Name + ", "} {
		if !strings.Contains(about, want) && !strings.Contains(about, strings.ReplaceAll(want, "'", "&#39;")) {
			t.Errorf("the history of A1.1 lacks %q", want)
		}
	}
	if strings.Contains(about, "x;=1&#43;41;y") || !strings.Contains(s.get(t, base+"history?kind=comment", http.StatusOK), "x;=1&#43;41;y") {
		t.Error("the filters do not choose")
	}
	if body := s.get(t, strings.Replace(base, "/en/", "/fr/", 1)+"history?kind=chain", http.StatusOK); !strings.Contains(body, "Circuit de validation") || !strings.Contains(body, "<ins>The head</ins>") {
		t.Error("the history in French lacks the chain")
	}
	rows := table(t, s, "history.csv", "")
	if len(rows) < 20 || strings.Join(rows[0], ",") != "revision,at,by,survey,what,outcome,body,id,removed,part,before,after" {
		t.Fatalf("%d rows, %q", len(rows), rows[0])
	}
	found := false
	for _, row := range rows[1:] {
		found = found || row[2] == "Bo Ek" && row[4] == "comment" && row[11] == "x;'=1+41;y"
	}
	if !found {
		t.Error("the table lacks the comment, or has it as a spreadsheet would calculate it")
	}

	// Who answers for a body is shown that alone.
	she := s.as(t, workspace.Person{Name: "Dag", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: []string{"port"}})
	hers := she.get(t, base+"history", http.StatusOK) + fmt.Sprint(table(t, she, "history.csv", ""))
	if !strings.Contains(hers, "what the port notes") {
		t.Error("she does not see what her body gave")
	}
	for _, secret := range []string{membersNote, othersNote, inner, "The grid", "The head"} {
		if strings.Contains(hers, secret) {
			t.Errorf("she sees %q", secret)
		}
	}
	page := she.get(t, base+"history", http.StatusOK)
	links := 0
	for _, m := range regexp.MustCompile(`<h2>[^<]*<a href="([^"#]+)#[^"]*"`).FindAllStringSubmatch(page, -1) {
		links++
		she.get(t, m[1], http.StatusOK)
	}
	if links == 0 {
		t.Error("what she gave leads to no question")
	}
	for _, kind := range workspace.EventKinds() {
		offered := strings.Contains(page, `<option value="`+string(kind)+`"`)
		if want := kind == "contribution" || kind == "needs"; offered != want {
			t.Errorf("she is offered %s: %v", kind, offered)
		}
	}
	if body := she.get(t, base+"history?kind=needs&outcome=A1.1", http.StatusOK); !strings.Contains(body, "Nothing that is looked for has been changed.") {
		t.Error("the page does not say that the filter finds nothing")
	}
	refused := she.do(post(base+"part/outcome/A1.1/port", url.Values{"rev": {"0"}, "level": {"x"}})).Body.String()
	if place := base + "part/area/A1#"; !strings.Contains(refused, `href="`+place) || strings.Contains(refused, `href="`+base+`area/A1`) {
		t.Error("what is refused leads her where she may not go")
	}
	if err := s.Mark(ctx, s.Lead, "SYNTHETIC"); err != nil {
		t.Fatal(err)
	}
	for i, row := range table(t, s, "history.csv", "SYNTHETIC-") {
		if i > 0 && row[len(row)-1] != "SYNTHETIC" {
			t.Errorf("row %d is not marked: %q", i, row)
		}
	}
}

func table(t *testing.T, s *site, path, name string) [][]string {
	t.Helper()
	rec := s.do(httptest.NewRequest(http.MethodGet, base+path, nil))
	if rec.Code != http.StatusOK || !strings.Contains(rec.Header().Get("Content-Disposition"), `filename="`+name+`Ostmere-2031-invented-history.csv"`) {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(rec.Body.String(), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A long history stands on several pages, each change on one of them.
func TestEventsInPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "kept"))
	var rev workspace.Revision
	for i := range 130 {
		saved, _, err := s.Save(t.Context(), s.Lead, s.survey, "A1.1", rev, assess.Entry{Level: framework.Level3, Note: fmt.Sprintf("note-%03d.", i)})
		if err != nil {
			t.Fatal(err)
		}
		rev = saved.Rev
	}
	older := regexp.MustCompile(`href="([^"]+)">Earlier changes`)
	for _, first := range []string{"history?kind=entry", "outcome/A1.1/history"} {
		seen := make(map[string]int)
		path, pages := base+first, 0
		for path != "" {
			pages++
			body := s.get(t, path, http.StatusOK)
			for _, note := range regexp.MustCompile(`<ins>note-\d+`).FindAllString(body, -1) {
				seen[note]++
			}
			path = ""
			if m := older.FindStringSubmatch(body); m != nil {
				path = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		if pages != 2 || len(seen) != 130 {
			t.Errorf("%s: %d pages with %d changes", first, pages, len(seen))
		}
		for note, n := range seen {
			if n != 1 {
				t.Errorf("%s: %s stands %d times", first, note, n)
			}
		}
	}
}
