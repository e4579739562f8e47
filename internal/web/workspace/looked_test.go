package workspace_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/internal/assess"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A reading of evidence outlives the program: what it found is there when the pages are
// opened again, but for what has changed since; one that was cut off says so, and by whom
// it was begun.
func TestReadingOutlivesTheProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 6, "kept"))
	files := &shelf{pieces: map[string]string{"decree": "the decree", "list": "a list", "slow": "a film"}}
	again := func() { s.with(t, func(c *page.Config) { c.Pieces = files }) }
	again()
	if body := s.get(t, base+"evidence", http.StatusOK); strings.Contains(body, "was cut off") {
		t.Error("what nobody began was cut off")
	}
	for _, place := range []string{"decree", "list"} {
		s.send(t, base+"outcome/A1.1/reference", url.Values{"place": {place}})
	}
	files.put("decree", "another decree")
	files.put("list", "another list")
	s.send(t, base+"evidence/read", url.Values{})
	s.until(t, base+"evidence", "2 of 2 do not lead")

	again()
	body := s.get(t, base+"evidence", http.StatusOK)
	if !strings.Contains(body, "2 of 2 do not lead") || strings.Count(body, "another piece than the one that was hashed") != 2 {
		t.Errorf("what was found is gone with the program:\n%s", body)
	}
	s.send(t, base+"evidence/piece", url.Values{"outcome": {"A1.1"}, "id": {"000001"}, "rev": {s.revOf(t, "000001")}, "do": {"digest"}})
	again()
	if body := s.get(t, base+"evidence", http.StatusOK); strings.Count(body, "another piece than the one that was hashed") != 1 {
		t.Error("what was taken anew is still said to be another, in the next run")
	}

	files.slow = make(chan struct{})
	if _, err := s.AddReference(t.Context(), s.Lead, s.survey, assess.Reference{Outcome: "A1.2", Place: "slow"}); err != nil {
		t.Fatal(err)
	}
	s.send(t, base+"evidence/read", url.Values{})
	again() // as if the program had been killed meanwhile
	for path, want := range map[string]string{base: "began was cut off", strings.Replace(base, "/en/", "/fr/", 1): "a été interrompue"} {
		if body := s.get(t, path+"evidence", http.StatusOK); !strings.Contains(body, want) || !strings.Contains(body, s.Lead.Name) {
			t.Errorf("the page does not say that the reading was cut off, and whose it was:\n%s", body)
		}
	}
	close(files.slow) // the program was not killed, and its reading ends
	s.until(t, base+"evidence", "1 of 3 does not lead")
	if _, _, err := s.LastLook(t.Context(), workspace.Person{Name: "Dag", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: []string{"port"}}, s.survey); err == nil {
		t.Error("a contributor sees what was found")
	}
}
