package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// servedWorkspace is muster workspace serve as a process of its own, with the browser
// that was first.
type servedWorkspace struct {
	t       *testing.T
	cmd     *exec.Cmd
	said    *bytes.Buffer
	browser *http.Client
	base    string // with a slash at its end
}

// serveWorkspace serves a workspace with its own temporary folder and home.
func (c *hosting) serveWorkspace(scratch, home string, args ...string) *servedWorkspace {
	c.t.Helper()
	return c.servePages(scratch, home, append([]string{"workspace", "serve"}, args...)...)
}

// servePages runs a command that serves a member's pages to the first browser.
func (c *hosting) servePages(scratch, home string, args ...string) *servedWorkspace {
	c.t.Helper()
	clock := c.at("clock.txt")
	check(c.t, os.WriteFile(clock, []byte(time.Unix(c.clock.Load(), 0).UTC().Format(time.RFC3339)+"\n"), 0o600))
	s := &servedWorkspace{t: c.t, said: new(bytes.Buffer)}
	s.cmd = exec.Command("muster", append(args, "--listen", "127.0.0.1:0")...)
	s.cmd.Env = append(os.Environ(), clockVariable+"="+clock, "TMPDIR="+scratch, "TMP="+scratch, "HOME="+home)
	s.cmd.Dir = home
	s.cmd.Stderr = s.said
	out, err := s.cmd.StdoutPipe()
	check(c.t, err)
	check(c.t, s.cmd.Start())
	c.t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // it has ended unless the test failed
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		c.t.Fatalf("no address: %v\n%s", err, s.said)
	}
	address := strings.TrimSpace(line)
	jar, err := cookiejar.New(nil)
	check(c.t, err)
	s.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.base, _, _ = strings.Cut(address, "?")
	if status, _ := s.get(s.browser, address); status != http.StatusSeeOther {
		c.t.Fatalf("the first browser: %d", status)
	}
	return s
}

func (s *servedWorkspace) get(client *http.Client, address string) (int, string) {
	s.t.Helper()
	response, err := client.Get(address)
	check(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(s.t, err)
	return response.StatusCode, string(body)
}

// page returns a page of the survey.
func (s *servedWorkspace) page(path string) string {
	s.t.Helper()
	status, body := s.get(s.browser, s.base+"en/survey/now/lights/"+path)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d\n%.600s", path, status, body)
	}
	return body
}

// send posts a form as the pages do and returns the status.
func (s *servedWorkspace) send(path string, form url.Values) (int, string) {
	s.t.Helper()
	response, err := s.browser.PostForm(s.base+"en/survey/now/lights/"+path, form)
	check(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(s.t, err)
	return response.StatusCode, string(body)
}

func (s *servedWorkspace) keep(path string, form url.Values) {
	s.t.Helper()
	if status, body := s.send(path, form); status != http.StatusSeeOther {
		s.t.Fatalf("POST %s: %d\n%.900s", path, status, body)
	}
}

func (s *servedWorkspace) stop() string {
	s.t.Helper()
	if runtime.GOOS == "windows" { // has no interrupt that one process can send another
		check(s.t, s.cmd.Process.Kill())
		_ = s.cmd.Wait()
		return s.said.String()
	}
	check(s.t, s.cmd.Process.Signal(os.Interrupt))
	if err := s.cmd.Wait(); err != nil {
		s.t.Errorf("ended with %v\n%s", err, s.said)
	}
	return s.said.String()
}

// A member answers, names evidence, says what it depends on, and seals, all on its
// pages. Afterwards neither logs nor temporary folders nor any file but the encrypted
// database hold what was written, nor the passphrase; and nobody else has read any of
// it meanwhile.
func TestWorkspacePagesLeaveNothing(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	const passphrase = "PLANTED passphrase of six words"
	secrets, scratch, home := t.TempDir(), t.TempDir(), t.TempDir()
	pass, piece := filepath.Join(secrets, "passphrase"), filepath.Join(secrets, "decree.txt")
	check(t, os.WriteFile(pass, []byte(passphrase+"\n"), 0o600))
	check(t, os.WriteFile(piece, []byte("PLANTED decree"), 0o600))
	dir := c.at("members", memberName(3))
	lock := []string{"--dir", dir, "--passphrase-file", pass}
	c.must("workspace", "init", dir, "--member", memberName(3), "--passphrase-file", pass)
	c.must(append([]string{"workspace", "load", "--charter", c.at("charter.json"), "--framework", lights}, lock...)...)
	s := c.serveWorkspace(scratch, home, lock...)

	for _, outcome := range []string{"L1.1", "L1.2", "L2.1"} {
		s.keep("outcome/"+outcome, url.Values{"rev": {"0"}, "level": {"3"}, "evidence": {"E1"}, "note": {"PLANTED note"}, "assignee": {"PLANTED name"}})
	}
	s.keep("outcome/L1.1/reference", url.Values{"place": {piece}, "title": {"PLANTED title"}})
	s.keep("evidence/piece", url.Values{"outcome": {"L1.1"}, "id": {"000001"}, "rev": {"1"}, "do": {"copy"}})
	s.keep("outcome/L1.1/comment", url.Values{"text": {"PLANTED comment"}})
	s.keep("bodies/body", url.Values{"rev": {"0"}, "id": {"grid"}, "name": {"PLANTED body"}})
	s.keep("bodies/section", url.Values{"rev": {"0"}, "id": {"one"}, "title": {"PLANTED section"}, "listed": {"grid"}, "due": {"2026-10-01"}})
	s.keep("needs", url.Values{"rev": {"0"}, "body": {"grid"}, "what-1": {"PLANTED need"}})
	s.keep("verification/finding", url.Values{"rev": {"0"}, "outcome": {"L1.1"}, "claimed": {"3"}, "seen": {"PLANTED paper"}, "verified": {"3"}})
	s.keep("plan/action", url.Values{"rev": {"0"}, "outcome": {"L1.1"}, "text": {"PLANTED action"}, "owner": {"PLANTED owner"}})
	s.keep("evidence/read", url.Values{})
	seen := 0
	for _, path := range []string{"", "area/L1", "evidence", "evidence/copy/L1.1/000001", "needs?body=grid", "letters", "reminders.ics", "verification", "signoff/sheet", "plan", "bodies"} {
		body := s.page(path)
		seen += strings.Count(body, "PLANTED")

		// Another user of the machine, and a page whose name was made to resolve to it.
		address := s.base + "en/survey/now/lights/" + path
		if status, body := s.get(&http.Client{}, address); status != http.StatusForbidden || strings.Contains(body, "PLANTED") {
			t.Errorf("another user at %s: %d", path, status)
		}
		request, err := http.NewRequest(http.MethodGet, address, nil)
		check(t, err)
		request.Host = "rebinding.example"
		response, err := s.browser.Do(request)
		check(t, err)
		body2, err := io.ReadAll(response.Body)
		check(t, err)
		check(t, response.Body.Close())
		if response.StatusCode != http.StatusMisdirectedRequest || bytes.Contains(body2, []byte("PLANTED")) {
			t.Errorf("a rebinding page at %s: %d", path, response.StatusCode)
		}
	}
	if seen < 12 {
		t.Fatalf("pages show what was planted %d times only: the search would not find it", seen)
	}

	// Sealed on the page, with the passphrase once more; the file is whole and recorded.
	before := s.page("sealing")
	digest := regexp.MustCompile(`name="digest" value="([0-9a-f]{64})"`).FindStringSubmatch(before)
	if digest == nil || !strings.Contains(before, `type="password"`) {
		t.Fatalf("the page does not offer to seal:\n%s", before)
	}
	for _, wrong := range []string{"", "short", passphrase + "!"} {
		if status, _ := s.send("sealing/seal", url.Values{"digest": {digest[1]}, "passphrase": {wrong}}); status != http.StatusForbidden {
			t.Errorf("sealed with the passphrase %q: %d", wrong, status)
		}
	}
	if status, _ := s.send("sealing/seal", url.Values{"digest": {strings.Repeat("0", 64)}, "passphrase": {passphrase}}); status != http.StatusConflict {
		t.Errorf("sealed something else: %d", status)
	}
	for range 2 { // the second replaces the first
		s.keep("sealing/seal", url.Values{"digest": {digest[1]}, "passphrase": {passphrase}})
	}
	after := s.page("sealing")
	if !strings.Contains(after, "Submission 2") || !strings.Contains(after, "muster workspace upload sealed-now_lights-2.json --dir .") {
		t.Errorf("the page does not say what was sealed:\n%s", after)
	}
	onDisk, err := os.ReadFile(filepath.Join(dir, "sealed-now_lights-2.json"))
	check(t, err)
	if carried := s.page("sealing/file/2"); carried != string(onDisk) {
		t.Error("the file to carry is another")
	}
	said := s.stop()

	// After the deadline the page refuses, and says so before.
	c.clock.Store(hostingDeadline + 60)
	s = c.serveWorkspace(scratch, home, lock...)
	if late := s.page("sealing"); strings.Contains(late, `type="password"`) || !strings.Contains(late, "Nothing is sealed any more") {
		t.Error("after the deadline the page offers to seal")
	}
	if status, body := s.send("sealing/seal", url.Values{"digest": {digest[1]}, "passphrase": {passphrase}}); status != http.StatusConflict || !strings.Contains(body, "closed at") {
		t.Errorf("sealed after the deadline: %d", status)
	}
	said += s.stop()

	if strings.Contains(said, "PLANTED") {
		t.Errorf("the log holds it:\n%s", said)
	}
	if !strings.Contains(said, "sealed submission 2 of "+memberName(3)) {
		t.Errorf("the terminal does not say what was sealed:\n%s", said)
	}
	for _, folder := range []string{c.dir, scratch, home} {
		check(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			body, err := os.ReadFile(path)
			if bytes.Contains(body, []byte("PLANTED")) {
				t.Errorf("%s holds it in clear", path)
			}
			return err
		}))
	}
	for _, folder := range []string{scratch, home} {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v %v", folder, left, err)
		}
	}
}
