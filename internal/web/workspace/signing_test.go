package workspace_test

import (
	"net/http"
	"strings"
	"testing"

	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
	"muster/packs"
)

// Where the coordinator answers, every page of the survey is there, and in place of
// what is sealed stands how it is signed.
func TestTheCoordinatorSigns(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspacetest.Pack(t, 2, "there"))
	collective, err := framework.Find(packs.FS(), "muster-collective")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Service.Load(t.Context(), s.Lead, workspace.LoadConfig{Pack: collective, Cycle: "2031", Coordinator: true}); err != nil {
		t.Fatal(err)
	}
	const under = "/survey/2031/muster-collective/"
	for _, lang := range []string{"en", "fr"} {
		for _, path := range []string{"", "area/C1", "area/C1?one=C1.2", "bodies", "verification", "check", "signoff", "signoff/sheet", "plan", "standing"} {
			s.get(t, "/"+lang+under+path, http.StatusOK)
		}
		body := s.get(t, "/"+lang+under+"sealing", http.StatusOK)
		golden(t, "signing."+lang+".html", assetDigest.ReplaceAllString(body, ".DIGEST."))
		if !strings.Contains(body, "muster collect collective --workspace . --survey 2031/muster-collective") || strings.Contains(body, "muster workspace seal") {
			t.Errorf("%s: the page says something else:\n%s", lang, body)
		}
	}
}
