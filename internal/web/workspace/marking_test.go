package workspace_test

import (
	"net/http"
	"strings"
	"testing"

	"muster/internal/workspace/workspacetest"
)

// A workspace that is marked shows it on every page, whatever opens it.
func TestMarkingIsKept(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 4, "kept"))
	pages := []string{"/en/", "/fr/", base, base + "area/A1", base + "bodies", base + "check", base + "sealing", base + "signoff/sheet", base + "letters", base + "brief"}
	for _, path := range pages {
		if strings.Contains(s.get(t, path, http.StatusOK), "SYNTHETIC") {
			t.Fatalf("%s is marked, and nobody marked it", path)
		}
	}
	if err := s.Mark(t.Context(), s.Lead, "SYNTHETIC"); err != nil {
		t.Fatal(err)
	}
	s.get(t, "/en/", http.StatusOK) // whoever has read whose workspace it is reads it again
	for _, path := range pages {
		if !strings.Contains(s.get(t, path, http.StatusOK), "SYNTHETIC") {
			t.Errorf("%s does not show the marking", path)
		}
	}
}
