package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// digestOn returns the digest that the form of a page seals.
func digestOn(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `name="digest" value="`)
	if !found {
		t.Fatalf("nothing is sealed on the page\n%s", page)
	}
	digest, _, _ := strings.Cut(rest, `"`)
	return digest
}

// acknowledged seals from the page of a process that may be killed meanwhile, and
// reports whether it said that it did.
func acknowledged(s *servedWorkspace, digest string) bool {
	response, err := s.browser.PostForm(s.base+"en/survey/now/lights/sealing/seal", url.Values{"digest": {digest}})
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode == http.StatusSeeOther
}

// A sealing from a page that is killed, wherever it is, is a whole file with its record
// or nothing at all: what is recorded has its file as soon as the workspace is served
// again, what is not recorded has none, and each number is used once.
func TestWorkspaceSealOnPageKilled(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	dir := filepath.Join("members", memberName(3))
	lock := c.workspaceLock(dir, memberName(3))
	c.must(append([]string{"workspace", "load", "--charter", c.at("charter.json"), "--framework", lights}, lock...)...)
	answers := "id,revision,level,note\nnow/lights/L1.1,0,1,PLANTED\nnow/lights/L1.2,0,2,\nnow/lights/L2.1,0,3,\n"
	check(t, os.WriteFile(c.at("in.csv"), []byte(answers), 0o600))
	c.must(append([]string{"workspace", "import", c.at("in.csv")}, lock...)...)
	check(t, os.Symlink(c.at(dir), c.at("sealed"))) // where sealed files are looked for
	scratch := t.TempDir()
	count := func() int {
		t.Helper()
		s := c.serveWorkspace(scratch, scratch, lock...) // it finishes what was left
		page := s.page("sealing")
		check(t, s.cmd.Process.Kill())
		_ = s.cmd.Wait()
		left, err := filepath.Glob(c.at(dir, "*.part"))
		check(t, err)
		if len(left) > 0 {
			t.Errorf("left lying: %v", left)
		}
		files, recorded := c.checkSealedIn(lock, "sealed-*.json")
		if files != recorded {
			t.Errorf("%d files, and %d are recorded", files, recorded)
		}
		if counts := strings.Count(page, "the one that counts"); recorded > 0 && counts != 1 {
			t.Errorf("%d sealings count", counts)
		}
		return recorded
	}
	s := c.serveWorkspace(scratch, scratch, lock...)
	digest := digestOn(t, s.page("sealing"))
	start := time.Now()
	if !acknowledged(s, digest) {
		t.Fatalf("nothing was sealed\n%s", s.said)
	}
	took := time.Since(start)
	check(t, s.cmd.Process.Kill())
	_ = s.cmd.Wait()
	before := count()
	if before != 1 {
		t.Fatalf("%d are recorded", before)
	}
	whole, none, said := 0, 0, 0
	for _, after := range killRounds(took) {
		s := c.serveWorkspace(scratch, scratch, lock...)
		digest := digestOn(t, s.page("sealing"))
		timer := time.AfterFunc(after, func() { _ = s.cmd.Process.Kill() })
		done := acknowledged(s, digest)
		timer.Stop()
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		now := count()
		switch {
		case now == before+1:
			whole++
		case now == before && !done:
			none++
		default:
			t.Errorf("killed after %v, acknowledged %v: %d were recorded, and %d are", after, done, before, now)
		}
		if done {
			said++
		}
		before = now
	}
	t.Logf("sealing takes %v; killed: %d there as a whole, %d acknowledged, %d not at all", took, whole, said, none)
	c.nothingInClear(dir)
}
