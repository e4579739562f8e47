//go:build unix

package exchange_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"muster/internal/exchange"
)

// TestReadFolderOnDisk puts a pipe, links and a folder beside a member's file. A
// pipe that is opened for reading hangs until somebody writes.
func TestReadFolderOnDisk(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	dir := t.TempDir()
	for _, file := range []string{filepath.Join(outside, "secret"), filepath.Join(dir, "Ostmere.csv")} {
		if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		syscall.Mkfifo(filepath.Join(dir, "Pipe.csv"), 0o600),
		os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "Out.csv")),
		os.Symlink("Ostmere.csv", filepath.Join(dir, "Within.csv")),
		os.Mkdir(filepath.Join(dir, "Folder.csv"), 0o700),
	} {
		if err != nil {
			t.Skip("this file system has no such entries: ", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })

	done := make(chan error, 1)
	go func() {
		_, _, err := exchange.ReadFolder(root.FS(), "in", packOf(2, 1))
		done <- err
	}()
	select {
	case err := <-done:
		equal(t, faultsOf(t, err), []string{
			"in/Folder.csv:1:1: this is a folder; allowed: a regular file",
			"in/Out.csv:1:1: this is a link; allowed: a regular file",
			"in/Pipe.csv:1:1: this is a pipe; allowed: a regular file",
			"in/Within.csv:1:1: this is a link; allowed: a regular file",
		})
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs")
	}
}
