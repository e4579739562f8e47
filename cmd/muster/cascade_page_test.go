package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A member looks on its own machine at what falls together, with its own answers and
// with what only it knows. Nobody else reads it, and nothing of it is left behind.
func TestCascadeOfWorkspace(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	scratch, home := t.TempDir(), t.TempDir()
	pass := filepath.Join(t.TempDir(), "passphrase")
	check(t, os.WriteFile(pass, []byte("a passphrase of six words\n"), 0o600))
	member := memberName(3)
	dir := c.at("members", member)
	lock := []string{"--dir", dir, "--passphrase-file", pass}
	c.must("workspace", "init", dir, "--member", member, "--passphrase-file", pass)
	c.must(append([]string{"workspace", "load", "--charter", c.at("charter.json"), "--framework", lights}, lock...)...)
	write := func(name, text string) string {
		path := c.at(name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const header = "id,owner,name,country,sector,criticality,severity,repair,spread,restart,mission,tags,tlp,confidence,source,as_of\n"
	parameters := strings.NewReplacer("framework: muster-ports", "framework: lights",
		"resistance: [P1.4, P2.1, P2.2, P2.3, P2.4, P3.1, P3.2, P3.3, P3.4, P3.5]", "resistance: [L1.1, L1.2]",
		"recovery: [P4.1, P4.2, P4.3, P4.4, P5.1]", "recovery: [L2.1]").Replace(c.must("cascade", "parameters"))
	args := []string{
		"cascade", "serve", "--workspace", dir, "--passphrase-file", pass, "--uncertainty", write("parameters.yaml", parameters),
		"--services", write("services.csv", header+"quay,"+member+",Quay,,transport,5,1,1d,0,0h,yes,,clear,high,register,\n"+"grid,Grid,Grid,,energy,5,1,10h,0.5,0h,,,clear,high,register,\n"),
		"--requirements", write("requirements.csv", "service,group,need,supplier,binding,buffer,tlp,confidence,source\nquay,power,1,grid,always,0h,clear,high,register\n"),
		"--own-services", write("own.csv", header+"crane,"+member+",PLANTED crane,,transport,2,1,5d,0,0h,,,red,high,own,\n"),
		"--own-requirements", write("own-requirements.csv", "service,group,need,supplier,binding,buffer,tlp,confidence,source\nquay,crane,1,crane,always,0h,red,high,own\n"),
		"--scenario", write("scenario.csv", "select,value,hit\nid,crane,0.5\n"), // of what only the member knows
	}
	s := c.servePages(scratch, home, args...)
	status, body := s.get(s.browser, s.base+"en/graph?by=owner&open="+member)
	if status != http.StatusOK || !strings.Contains(body, "PLANTED crane") || !strings.Contains(body, "PRIVATE") {
		t.Errorf("the member's own page: %d\n%.900s", status, body)
	}
	for address, want := range map[string]int{s.base + "en/graph": http.StatusForbidden, strings.Replace(s.base, strings.Split(s.base, "/")[3]+"/", "", 1): http.StatusForbidden} {
		if status, body := s.get(&http.Client{}, address); status != want || strings.Contains(body, "PLANTED") {
			t.Errorf("another user at %s: %d", address, status)
		}
	}
	said := s.stop()
	if strings.Contains(said, "PLANTED") || !strings.Contains(said, "to the first browser that opens this address") {
		t.Errorf("the terminal says %s", said)
	}
	for _, folder := range []string{scratch, home} {
		if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
			t.Errorf("left in %s: %v %v", folder, left, err)
		}
	}
}
