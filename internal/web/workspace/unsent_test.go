package workspace_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"regexp"
	"testing"

	"muster/internal/store/workspacedb"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// tabMark is what names a workspace in what a tab keeps.
var tabMark = regexp.MustCompile(`data-tab="([0-9a-f]{16})"`)

// What a tab keeps is found again in every run and language, and by no other workspace.
func TestTabIsOfTheWorkspace(t *testing.T) {
	t.Parallel()
	pack := workspacetest.Pack(t, 4, "kept")
	s := newSite(t, pack)
	mark := func(path string) string {
		found := tabMark.FindStringSubmatch(s.get(t, path, http.StatusOK))
		if found == nil {
			t.Fatalf("%s does not say which workspace it is of", path)
		}
		return found[1]
	}
	first := mark(base + "area/A1")
	pages, err := page.New(page.Config{
		Service: s.Service, Person: func(*http.Request) workspace.Person { return s.Lead }, Now: today, Rand: &counting{}, Base: "/drawn-anew",
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = pages.Handler()
	for _, path := range []string{"/drawn-anew/fr/survey/2031/invented/area/A1", "/drawn-anew/en/"} {
		if again := mark(path); again != first {
			t.Errorf("%s: %s, and %s in the run before", path, again, first)
		}
	}
	w := workspacetest.Open(t, workspacedb.Config{Path: filepath.Join(t.TempDir(), "workspace.db"), Key: workspacetest.Key()})
	if err := w.Begin(t.Context(), w.Lead, "Westmark"); err != nil {
		t.Fatal(err)
	}
	other := &site{Workspace: w, log: new(bytes.Buffer)}
	other.open(t)
	if found := tabMark.FindStringSubmatch(other.get(t, "/en/", http.StatusOK)); found == nil || found[1] == first {
		t.Errorf("another workspace has %q, too", found)
	}
}
