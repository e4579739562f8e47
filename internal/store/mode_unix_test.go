//go:build unix

package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/store"
)

// modes returns the mode of every file of a folder.
func modes(t *testing.T, dir string) map[string]os.FileMode {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]os.FileMode)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = info.Mode()
	}
	return all
}

// No other user of the machine can read any file of a database, even where
// files are readable for all unless a program sees to it.
func TestFileModes(t *testing.T) { // not parallel: the umask is the process's
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	want := map[string]os.FileMode{"test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600}
	for _, run := range []string{"created", "opened again"} {
		db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.InTx(t.Context(), "write", insert(run)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
			t.Errorf("%s: modes (-want +got):\n%s", run, diff)
		}
		db.Reconnect()
		if err := db.InTx(t.Context(), "write again", insert(run+" again")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
			t.Errorf("%s and connected again: modes (-want +got):\n%s", run, diff)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]os.FileMode{"test.db": 0o600}, modes(t, dir)); diff != "" {
			t.Errorf("%s and closed: modes (-want +got):\n%s", run, diff)
		}
	}
}

// A rollback journal holds pages of the database, too.
func TestJournalMode(t *testing.T) { // not parallel: the umask is the process's
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	seen := make(map[string]os.FileMode)
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "test.db"), Migrations: migrations(1), Fault: func(string, store.FaultPoint) error {
		for name, mode := range modes(t, dir) {
			seen[strings.TrimPrefix(name, "test.db")] = mode
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.InTx(t.Context(), "write", func(tx *sql.Tx) error { return insert("x")(tx) })
	if err != nil {
		t.Fatal(err)
	}
	for name, mode := range seen {
		if mode != 0o600 {
			t.Errorf("test.db%s has mode %v while a transaction is open", name, mode)
		}
	}
}

func TestOpenRefusesOpenFile(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
			if err == nil {
				_ = db.Close()
				t.Fatal("opened a file that others may use")
			}
			if d := errs.Describe(err); d.Kind != errs.Invalid || d.Hint != "chmod 600 "+path {
				t.Errorf("what is shown: %+v", d)
			}
		})
	}
}

// A link leads to the database; its journals lie where the database is.
func TestOpenFollowsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link := filepath.Join(dir, "link.db")
	target := filepath.Join(dir, "folder", "test.db")
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	db := open(t, store.Config{Path: link})
	if err := db.InTx(t.Context(), "write", insert("note")); err != nil {
		t.Fatal(err)
	}
	want := map[string]os.FileMode{"test.db": 0o600, "test.db-wal": 0o600, "test.db-shm": 0o600}
	if diff := cmp.Diff(want, modes(t, filepath.Dir(target))); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}
