package main

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A charter that is given while sealing, where approvals were given without one, is
// refused before it voids them, and after the deadline as well; a dry run says the same.
func TestSealingVoidsNoApproval(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	lock := c.workspaceLock(filepath.Join("members", memberName(3)), memberName(3))
	c.must(append([]string{"workspace", "load", "--framework", lights, "--cycle", "now"}, lock...)...)
	check(t, os.WriteFile(c.at("in.csv"), []byte("id,revision,level\nnow/lights/L1.1,0,1\nnow/lights/L1.2,0,2\nnow/lights/L2.1,0,3\n"), 0o600))
	c.must(append([]string{"workspace", "import", c.at("in.csv")}, lock...)...)
	scratch := t.TempDir()
	s := c.serveWorkspace(scratch, scratch, lock...)
	s.keep("signoff/chain", url.Values{"step": {"head"}, "name": {"The head"}})
	s.keep("signoff/decision", url.Values{"step": {"head"}, "digest": {digestOn(t, s.page("signoff"))}, "decision": {"approve"}})
	s.stop()

	stands := func() {
		t.Helper()
		if status := c.must(append([]string{"workspace", "status", "now/lights"}, lock...)...); !strings.Contains(status, "nothing keeps it from being sealed") {
			t.Errorf("the approval is void:\n%s", status)
		}
		if _, err := os.Stat(c.at("sealed.json")); err == nil {
			t.Error("something was sealed")
		}
	}
	stands()
	seal := append([]string{"workspace", "seal", "--survey", "now/lights", "--charter", c.at("charter.json")}, lock...)
	dry, out := slices.Concat(seal, []string{"--dry-run"}), slices.Concat(seal, []string{"--out", c.at("sealed.json")})
	for _, args := range [][]string{dry, out} {
		c.refuses(3, "1 approval was given without this charter", args...)
		stands()
	}
	late := c.clock.Add(365 * 24 * 3600)
	for _, row := range []struct {
		code int
		args []string
	}{{3, dry}, {1, out}} {
		c.refuses(row.code, "closed at", row.args...)
		stands()
	}
	c.clock.Store(late - 365*24*3600)

	// Loaded, it voids the approval, as the refusal said; then the sign-off waits.
	c.must(append([]string{"workspace", "load", "--framework", lights, "--charter", c.at("charter.json")}, lock...)...)
	c.refuses(3, "the sign-off waits", out...)
}
