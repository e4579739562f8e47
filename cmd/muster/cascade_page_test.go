package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestCascadeStopped: Ctrl-C of a look at what is uncertain prints what is known so far,
// says how far it came, and claims no result.
func TestCascadeStopped(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // has no interrupt that one process can send another
	}
	dir := t.TempDir()
	if out, err := exec.Command("muster", "cascade", "generate", "--services", "100", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for wait := time.Second; ; wait *= 2 { // ten draws have to be done, however slow the machine is
		cmd := exec.Command("muster", "cascade", "run", "--services", filepath.Join(dir, "services.csv"), "--requirements", filepath.Join(dir, "requirements.csv"),
			"--scenario", filepath.Join(dir, "scenarios", "campaign.yaml"), "--uncertainty", "default", "--draws", "16384")
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		check(t, cmd.Start())
		time.Sleep(wait)
		check(t, cmd.Process.Signal(os.Interrupt))
		if err := cmd.Wait(); err == nil {
			t.Fatalf("it was done before it was stopped: %s", &stdout)
		}
		if stdout.Len() == 0 && wait < time.Minute {
			continue
		}
		for _, want := range []string{`(?m)^lost at the worst moment +[0-9.]+ % \(80 % of the draws `, `(?m)^[1-9][0-9]+ draws of 512 trials, `} {
			if !regexp.MustCompile(want).Match(stdout.Bytes()) {
				t.Errorf("%s is not printed:\n%s", want, &stdout)
			}
		}
		if strings.Contains(stdout.String(), "result ") {
			t.Errorf("it claims a result:\n%s", &stdout)
		}
		for _, want := range []string{`(?m)^muster: stopped after [0-9]+ of 16384 draws; what is printed is of those, without a hash$`, `(?m)^muster: 0 of 9 parameters were moved by themselves$`, `muster: stopped\n$`} {
			if !regexp.MustCompile(want).Match(stderr.Bytes()) {
				t.Errorf("%s is not said:\n%s", want, &stderr)
			}
		}
		return
	}
}

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
