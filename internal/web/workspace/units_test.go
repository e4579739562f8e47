package workspace_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace/workspacetest"
)

// A section says for how many of the list a body answers, and the proposal counts them.
func TestUnitsAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 4, "kept"))
	s.send(t, base+"bodies/body", url.Values{"rev": {"0"}, "id": {"grid"}, "name": {"The grid"}})
	s.send(t, base+"bodies/body", url.Values{"rev": {"0"}, "id": {"port"}, "name": {"The port"}})
	s.send(t, base+"bodies/section", url.Values{"rev": {"0"}, "id": {"works"}, "title": {"Works"}, "area": {"A1"}, "listed": {"grid", "port"}, "units-grid": {"12"}})
	for body, level := range map[string]framework.Level{"grid": framework.Level3, "port": framework.Level0} {
		if _, err := s.Contribute(t.Context(), s.Lead, s.survey, "A1.1", 0, assess.Contribution{Body: body, Level: level}); err != nil {
			t.Fatal(err)
		}
	}
	for path, wants := range map[string][]string{
		base + "bodies": {"The grid (counts as 12)", `name="units-grid" inputmode="numeric" pattern="[1-9][0-9]*" maxlength="6" value="12"`},
		strings.Replace(base, "/en/", "/fr/", 1) + "bodies": {"The grid (compte pour 12)"},
		base + "area/A1":              {"Proposed: 3. 12 of 13 reach it; the lowest is 0."},
		base + "history?kind=section": {"Answers for how many", "<ins>The grid: 12</ins>"},
	} {
		body := s.get(t, path, http.StatusOK)
		for _, want := range wants {
			if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, "+", "&#43;")) {
				t.Errorf("%s does not have %q", path, want)
			}
		}
	}
}
