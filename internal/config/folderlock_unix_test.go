//go:build unix

package config_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"muster/internal/config"
)

// A copy of the open file, as a process has that is just being started by another
// goroutine, does not keep what was unlocked.
func TestLockFileCopied(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := config.LockFile(path, "busy")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := syscall.Dup(int(lock.(interface{ Fd() uintptr }).Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(copied) }()
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := config.LockFile(path, "busy")
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
