package workspace_test

import (
	"strings"
	"testing"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
	"muster/packs"
)

// A pack that the coordinator answers is loaded by the coordinator alone, and no
// other pack by it.
func TestLoadForTheCoordinator(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	collective, err := framework.Find(packs.FS(), "muster-collective")
	must(t, err)
	for _, row := range []struct {
		name    string
		cfg     workspace.LoadConfig
		message string
	}{
		{"a member", workspace.LoadConfig{Pack: collective, Cycle: "2031"}, "is answered by the coordinator"},
		{"the coordinator, a member's pack", workspace.LoadConfig{Pack: workspacetest.Pack(t, 2, "there"), Cycle: "2031", Coordinator: true}, "is answered by every member"},
		{"with a charter", workspace.LoadConfig{Pack: collective, Coordinator: true, Charter: new(coalition.SignedCharter)}, "no charter asks for"},
	} {
		if _, err := w.Service.Load(t.Context(), w.Lead, row.cfg); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.message) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.message)
		}
	}
	s := load(t, w, workspace.LoadConfig{Pack: collective, Cycle: "2031", Coordinator: true})
	blockers, err := w.Blockers(t.Context(), w.Lead, s.ID)
	must(t, err)
	if len(blockers) != len(collective.Outcomes()) {
		t.Errorf("%d blockers of %d outcomes", len(blockers), len(collective.Outcomes()))
	}
}
