package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/store"
)

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	newer, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(2)})
	if err != nil {
		t.Fatal(err)
	}
	if err := newer.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
	if err == nil {
		_ = db.Close()
		t.Fatal("the older program opened the newer database")
	}
	want := errs.Description{
		Kind:    errs.Conflict,
		Message: "the database has schema version 2 and this program knows versions up to 1",
		Hint:    "a newer program has used this database; use that one",
	}
	if diff := cmp.Diff(want, errs.Describe(err)); diff != "" {
		t.Errorf("what is shown (-want +got):\n%s", diff)
	}
	if !strings.Contains(err.Error(), path) {
		t.Errorf("error %q does not name the file", err)
	}
}

func TestOpenMigrates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	older, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
	if err != nil {
		t.Fatal(err)
	}
	if err := older.InTx(t.Context(), "write", insert("old")); err != nil {
		t.Fatal(err)
	}
	if err := older.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, store.Config{Path: path, Migrations: migrations(2)})
	wantNotes(t, db, "old")
	err = db.InTx(t.Context(), "use the new table", func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO more VALUES (1)`)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOpenRefusesBrokenMigration(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	broken := fstest.MapFS{"sqlite/00001_initial.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (text TEXT);\nCREATE NONSENSE;\n")}}
	if db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: broken}); err == nil {
		_ = db.Close()
		t.Fatal("a broken migration was accepted")
	}
	// Nothing of it may be left, or the mended migration would fail.
	wantNotes(t, open(t, store.Config{Path: path}))
}

func TestOpenTwiceAtTheSameTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(2)})
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"nothing":    "",
		"folder":     dir,
		"no folder":  filepath.Join(dir, "missing", "test.db"),
		"text":       text,
		"with a NUL": filepath.Join(dir, "a\x00b"),
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
			if err == nil {
				_ = db.Close()
				t.Errorf("opened %q", path)
			}
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "text" && e.Name() != "text-shm" {
			t.Errorf("the refused files left %s", e.Name())
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	names := []string{
		"plain.db", "two words.db", "hash#1.db", "percent%41.db", "plus+sign.db", "amp&and=eq.db", "übung–日本.db", "file:x.db", "semi;colon.db", "quote'.db",
	}
	if runtime.GOOS != "windows" {
		names = append(names, "question?mode=memory", "a:b", "star*", `back\slash`, `double"quote`)
	}
	for _, name := range names {
		if runtime.GOOS == "windows" && strings.Contains(name, ":") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, dir := range []string{"", "a folder? 100% #2"} {
				if runtime.GOOS == "windows" {
					dir = strings.ReplaceAll(dir, "?", "")
				}
				root := filepath.Join(t.TempDir(), dir)
				if err := os.MkdirAll(root, 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(root, name)
				db, err := store.Open(t.Context(), store.Config{Path: path, Migrations: migrations(1)})
				if err != nil {
					t.Fatal(err)
				}
				if err := db.InTx(t.Context(), "write", insert("note")); err != nil {
					t.Error(err)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
				if info, err := os.Stat(path); err != nil || info.Size() == 0 {
					t.Errorf("the database is not in the file that was named: %v", err)
				}
				entries, err := os.ReadDir(root)
				if err != nil {
					t.Fatal(err)
				}
				if len(entries) != 1 || entries[0].Name() != name {
					t.Errorf("the folder holds %v; want %s alone", entries, name)
				}
				wantNotes(t, open(t, store.Config{Path: path}), "note")
			}
		})
	}
}

func TestPragmas(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	want := map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "trusted_schema": "0", "secure_delete": "1", "busy_timeout": "10000",
	}
	for _, connection := range []string{"first", "second"} {
		got := make(map[string]string)
		err := db.InTx(t.Context(), "read pragmas", func(tx *sql.Tx) error {
			for name := range want {
				var value string
				if err := tx.QueryRow(`PRAGMA ` + name).Scan(&value); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				got[name] = value
			}
			_, err := tx.Exec(`PRAGMA trusted_schema = on; PRAGMA busy_timeout = 1`) // would stay with a connection
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pragmas of the %s connection (-want +got):\n%s", connection, diff)
		}
		db.Reconnect()
	}
}

func TestIsUnique(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	if err := db.InTx(t.Context(), "first", insert("same")); err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), "second", insert("same")); !store.IsUnique(err) {
		t.Errorf("IsUnique(%v) = false", err)
	}
	for name, query := range map[string]string{
		"not null":    `INSERT INTO notes (text) VALUES (NULL)`,
		"foreign key": `INSERT INTO notes (text, parent) VALUES ('x', 7)`,
		"syntax":      `INSERT NONSENSE`,
	} {
		err := db.InTx(t.Context(), name, func(tx *sql.Tx) error {
			_, err := tx.Exec(query)
			return err
		})
		if err == nil || store.IsUnique(err) {
			t.Errorf("%s: IsUnique(%v) = true or no error", name, err)
		}
	}
	if store.IsUnique(nil) {
		t.Error("IsUnique(nil) = true")
	}
}
