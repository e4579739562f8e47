package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A person says her name, on the first page or when the workspace is made, and stands
// under it in the history, whatever the account of the machine is called.
func TestWorkspaceKnowsWhoUsesIt(t *testing.T) {
	t.Parallel()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer)}
	c.clock.Store(hostingBegins)
	lock := c.workspaceLock("ws", "Ostmere")
	c.must(append([]string{"workspace", "load", "--framework", lights, "--cycle", "now"}, lock...)...)
	answer := func(name, outcome string, more ...string) {
		t.Helper()
		check(t, os.WriteFile(c.at(name), []byte("id,revision,level\nnow/lights/"+outcome+",0,1\n"), 0o600))
		c.must(append(append([]string{"workspace", "import", c.at(name)}, more...), lock...)...)
	}
	answer("as.csv", "L1.1", "--as", "Bo Ek")
	s := c.serveWorkspace(t.TempDir(), t.TempDir(), lock...)
	home := func() string {
		t.Helper()
		status, body := s.get(s.browser, s.base+"en/")
		if status != http.StatusOK {
			t.Fatalf("the home: %d", status)
		}
		return body
	}
	if body := s.page("outcome/L1.1/history"); !strings.Contains(body, "Bo Ek") {
		t.Error("--as is not in the history")
	}
	if !strings.Contains(home(), "Who are you?") {
		t.Error("nobody is asked for her name")
	}
	give := func(name string) int {
		t.Helper()
		response, err := s.browser.PostForm(s.base+"en/name", url.Values{"name": {name}})
		check(t, err)
		check(t, response.Body.Close())
		return response.StatusCode
	}
	for name, want := range map[string]int{" ": http.StatusUnprocessableEntity, "two\nlines": http.StatusUnprocessableEntity, strings.Repeat("x", 300): http.StatusUnprocessableEntity} {
		if got := give(name); got != want {
			t.Errorf("%.20q: %d", name, got)
		}
	}
	if got := give("Ada Lindqvist"); got != http.StatusSeeOther {
		t.Fatalf("her name: %d", got)
	}
	if strings.Contains(home(), "Who are you?") {
		t.Error("she is asked once more")
	}
	s.keep("outcome/L1.2", url.Values{"rev": {"0"}, "level": {"2"}, "assignee": {"Ada Lindqvist"}})
	if body := s.page("outcome/L1.2/history"); !strings.Contains(body, "Ada Lindqvist") {
		t.Error("her name is not in the history")
	}
	if body := s.page("?show=mine"); !strings.Contains(body, "L1.2") || strings.Contains(body, ">L2.1<") {
		t.Error("what is assigned to her is not hers")
	}
	s.stop()

	// It is kept, and another is given as a workspace is made, or made again.
	c.must("workspace", "init", c.at("ws"), "--member", "Ostmere", "--name", "Cleo Marsh", "--identity", c.at("workspace-identity"))
	answer("init.csv", "L2.1")
	s = c.serveWorkspace(t.TempDir(), t.TempDir(), lock...)
	if body := s.page("outcome/L2.1/history"); !strings.Contains(body, "Cleo Marsh") {
		t.Error("the name of init is not in the history")
	}
	if strings.Contains(home(), "Who are you?") {
		t.Error("who gave her name is asked for it")
	}
	s.stop()
	s = c.serveWorkspace(t.TempDir(), t.TempDir(), append([]string{"--as", "Dana Holt"}, lock...)...)
	s.keep("outcome/L2.1", url.Values{"rev": {"0"}, "level": {"1"}, "note": {"hers"}})
	if body := s.page("outcome/L2.1/history"); !strings.Contains(body, "Dana Holt") || strings.Contains(home(), "Who are you?") {
		t.Error("the name of this run is not in the history, or is asked for")
	}
	s.stop()
}
