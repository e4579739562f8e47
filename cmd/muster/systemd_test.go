package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var unitFile = filepath.Join("..", "..", "docs", "ops", "systemd", "muster-host@.service")

// What the unit starts is a command that there is: every flag of it is one that
// the command's help lists.
func TestUnitStartsACommand(t *testing.T) {
	src, err := os.ReadFile(unitFile)
	check(t, err)
	found := regexp.MustCompile(`(?m)^ExecStart=(\S+)muster (.+)$`).FindSubmatch(src)
	if found == nil {
		t.Fatal("the unit starts no muster")
	}
	var command []string
	for _, arg := range strings.Fields(string(found[2])) {
		if strings.HasPrefix(arg, "-") {
			break
		}
		command = append(command, arg)
	}
	help := mustRun(t, append(command, "--help")...)
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(string(found[2]), -1) {
		if !strings.Contains(help, flag+" ") {
			t.Errorf("muster %s has no %s", strings.Join(command, " "), flag)
		}
	}
}

// systemd reads the unit without a word, and rates what is left open as low.
func TestUnitIsTight(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	src, err := os.ReadFile(unitFile)
	check(t, err)
	// systemd wants the program where the unit says; here any program will do.
	src = bytes.ReplaceAll(src, []byte("/usr/local/bin/muster"), []byte("/bin/true"))
	src = regexp.MustCompile(`(?m)^(User|Group)=muster$`).ReplaceAll(src, []byte("$1=daemon"))
	unit := filepath.Join(t.TempDir(), "muster-host@ostmere.service")
	check(t, os.WriteFile(unit, src, 0o644))
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", unit).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte(filepath.Base(unit))) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=yes", "--no-pager", unit).CombinedOutput()
	rated := regexp.MustCompile(`exposure level[^:]*: ([0-9.]+)`).FindSubmatch(out)
	if rated == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if exposure, err := strconv.ParseFloat(string(rated[1]), 64); err != nil || exposure > 2 {
		t.Errorf("the unit is exposed at %s, more than 2 (%v)", rated[1], err)
	}
}
