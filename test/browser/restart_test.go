package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/cli"
	"muster/packs"
)

// TestMain makes this test binary the command muster, too: a process that a test can
// kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Run(ctx, os.Args[1:], cli.Env{
			In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Rand: rand.Reader, Now: time.Now, Getenv: os.Getenv,
			Packs: packs.FS(), Terminal: cli.Terminal, Program: os.Executable,
		})
		stop()
		os.Exit(code)
	}
	flag.Parse()
	os.Exit(m.Run())
}

// Who writes while her program is killed finds what she wrote when it runs again: same
// port, same tab, another address and another language.
func TestRestart(t *testing.T) {
	t.Parallel()
	tools := need(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	passphrase, folder := filepath.Join(dir, "passphrase"), filepath.Join(dir, "ostmere")
	if err := os.WriteFile(passphrase, []byte("an invented passphrase of ostmere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"workspace", "init", folder, "--member", "Ostmere", "--passphrase-file", passphrase},
		{"workspace", "load", "--dir", folder, "--framework", "muster-core", "--cycle", "2026", "--passphrase-file", passphrase},
	} {
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args[:2], " "), err, out)
		}
	}
	cmd := exec.CommandContext(t.Context(), tools.node, "restart.mjs", tools.modules, tools.chromium, program, folder, passphrase)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("restart.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); checks++ {
		var check struct {
			Name   string
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("restart.mjs says %q", lines.Text())
		}
		for _, fault := range check.Faults {
			t.Errorf("%s: %s", check.Name, fault)
		}
	}
	if checks != 2 {
		t.Errorf("%d checks ran, want 2", checks)
	}
}
