package workspace_test

import (
	"net/http"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// TestFoundByWhoAnswered: who gave the level is who answered, and not whoever noted something
// last. The page of the verification and the decision sheet say it, of findings and of
// the opinion.
func TestFoundByWhoAnswered(t *testing.T) {
	t.Parallel()
	ada, bo := workspace.Lead("Ada Lund"), workspace.Lead("Bo Ek")
	const said = "found by the person who answered"
	rows := []struct {
		name    string
		steps   []assess.Entry // by ada and bo in turn, ada first
		finds   workspace.Person
		opinion bool // is by somebody who answered
	}{
		{"who gave the level", []assess.Entry{{Level: framework.Level3}, {Level: framework.Level3, Note: "see the list"}}, workspace.Lead(" ada lund"), true},
		{"who only noted something", []assess.Entry{{Level: framework.Level3}, {Level: framework.Level3, Note: "see the list"}}, bo, false},
		{"whose level was replaced", []assess.Entry{{Level: framework.Level3}, {Level: framework.Level2}}, ada, false},
		{"who replaced it", []assess.Entry{{Level: framework.Level3}, {Level: framework.Level2}}, bo, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, workspacetest.Pack(t, 2, "kept"))
			var rev workspace.Revision
			for i, e := range row.steps {
				saved, _, err := s.Save(t.Context(), []workspace.Person{ada, bo}[i%2], s.survey, "A1.1", rev, e)
				if err != nil {
					t.Fatal(err)
				}
				rev = saved.Rev
			}
			level := row.steps[len(row.steps)-1].Level
			if _, err := s.PutFinding(t.Context(), row.finds, s.survey, 0, assess.Finding{Outcome: "A1.1", Claimed: level, Seen: "the list", Verified: framework.Level1}); err != nil {
				t.Fatal(err)
			}
			digest, err := s.FindingsDigest(t.Context(), s.Lead, s.survey)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.PutOpinion(t.Context(), row.finds, s.survey, workspace.Opinion{By: strings.TrimSpace(row.finds.Name), Text: "fair", Digest: digest}); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"verification", "signoff/sheet"} {
				body := s.get(t, base+path, http.StatusOK)
				if strings.Contains(body, said) != row.opinion || strings.Contains(body, "gave answers of this survey herself") != row.opinion {
					t.Errorf("%s says it: %v, of the opinion: %v; want %v", path, strings.Contains(body, said), strings.Contains(body, "gave answers of this survey herself"), row.opinion)
				}
			}
		})
	}
}
