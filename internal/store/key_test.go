package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/store"
)

func newKey(t *testing.T) *store.Key {
	t.Helper()
	key, err := store.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// songbird is text that stands in no file by chance.
const songbird = "the-songbird-sings-at-noon"

// contain returns the files of a folder that hold any of the texts.
func contain(t *testing.T, dir string, texts ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if bytes.Contains(body, []byte(text)) {
				found = append(found, e.Name()+": "+text)
			}
		}
	}
	return found
}

func read(t *testing.T, db *store.DB) []string {
	t.Helper()
	var all []string
	err := db.View(t.Context(), "read", func(tx *sql.Tx) error {
		all = nil
		rows, err := tx.QueryContext(t.Context(), `SELECT text FROM notes ORDER BY text`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			all = append(all, text)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// No file of an encrypted database holds anything of it, while it is open, after
// it was closed, or in a snapshot; the same search finds it in one that is not
// encrypted, so that it is known to search.
func TestEncrypted(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*store.Key{"encrypted": newKey(t), "in clear": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := store.Config{Path: filepath.Join(dir, "test.db"), Key: key, Readers: 2, Migrations: migrations(1)}
			db, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.InTx(t.Context(), "write", insert(songbird)); err != nil {
				t.Fatal(err)
			}
			texts := []string{songbird, "SQLite format 3", "CREATE TABLE"}
			if key != nil {
				texts = append(texts, string(key[:16]), hex.EncodeToString(key[:16]))
			}
			check := func(when string) {
				t.Helper()
				found := contain(t, dir, texts...)
				if key != nil && found != nil {
					t.Errorf("%s: %q", when, found)
				}
				if key == nil && found == nil {
					t.Errorf("%s: the search finds nothing, so it says nothing", when)
				}
			}
			check("while it is open")
			snapshot := filepath.Join(dir, "snapshot.db")
			if err := db.Snapshot(t.Context(), snapshot); err != nil {
				t.Fatal(err)
			}
			check("with a snapshot")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			check("after it was closed")

			again := open(t, cfg)
			if got := read(t, again); len(got) != 1 || got[0] != songbird {
				t.Errorf("opened again: %q", got)
			}
			restored := cfg
			restored.Path = filepath.Join(dir, "restored.db")
			if err := store.RestoreSnapshot(t.Context(), restored, snapshot, func(*store.DB, *sql.Tx) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if got := read(t, open(t, restored)); len(got) != 1 || got[0] != songbird {
				t.Errorf("restored: %q", got)
			}
			check("restored")
		})
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	for name, row := range map[string]struct{ with, then *store.Key }{
		"another key":              {key, other},
		"no key":                   {key, nil},
		"a key for one without it": {nil, key},
		"half of the key":          {key, func() *store.Key { k := *key; k[40]++; return &k }()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := store.Config{Path: filepath.Join(t.TempDir(), "test.db"), Key: row.with, Migrations: migrations(1)}
			db, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.InTx(t.Context(), "write", insert(songbird)), db.Close()); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(cfg.Path)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Key = row.then
			db, err = store.Open(t.Context(), cfg)
			if err == nil {
				t.Fatal("it opens", db.Close())
			}
			if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, "key") && !strings.Contains(d.Message, "encrypted") {
				t.Errorf("%v: %+v", err, d)
			}
			for _, k := range []*store.Key{key, other} {
				if strings.Contains(err.Error(), hex.EncodeToString(k[:8])) {
					t.Error("the error holds a key")
				}
			}
			after, err := os.ReadFile(cfg.Path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("the file was changed by who has not its key")
			}
		})
	}
}

// A snapshot that cannot be written says so without the key.
func TestSnapshotErrorHidesKey(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	db := open(t, store.Config{Key: key, Readers: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for name, run := range map[string]func() error{
		"ended":     func() error { return db.Snapshot(ctx, filepath.Join(dir, "ended")) },
		"no folder": func() error { return db.Snapshot(t.Context(), filepath.Join(dir, "none", "snapshot")) },
		"a folder":  func() error { return db.Snapshot(t.Context(), dir) },
	} {
		err := run()
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if strings.Contains(err.Error(), hex.EncodeToString(key[:8])) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
}

func TestKeyIsHidden(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	secret := []string{hex.EncodeToString(key[:4]), fmt.Sprint(key[0], key[1], key[2]), string(key[:4])}
	for _, shown := range []string{
		fmt.Sprint(*key), fmt.Sprintf("%x %v %+v %#v %s %d", *key, *key, *key, *key, *key, *key), fmt.Sprintf("%v %x", key, key),
		key.LogValue().String(), fmt.Sprintf("%v", store.Config{Key: key}.Key),
	} {
		for _, s := range secret {
			if strings.Contains(shown, s) {
				t.Errorf("%q shows the key", shown)
			}
		}
	}
	if body, err := json.Marshal(key); err == nil {
		t.Errorf("written out as %s", body)
	}
}

// Whoever reads neither waits for who writes nor sees what is not durable yet.
func TestView(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{Key: newKey(t), Readers: 2})
	if err := db.InTx(t.Context(), "write", insert("first")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := db.InTx(ctx, "write more", func(tx *sql.Tx) error {
		if err := insert("second")(tx); err != nil {
			return err
		}
		if got := read(t, db); len(got) != 1 {
			t.Errorf("beside a transaction: %q", got)
		}
		return ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, db); len(got) != 2 {
		t.Errorf("after it: %q", got)
	}
	if err := db.View(t.Context(), "write in a view", insert("third")); err == nil {
		t.Error("a view writes")
	}
	if got := read(t, db); len(got) != 2 {
		t.Errorf("after a view that writes: %q", got)
	}
	if only, err := db.ReadersOnlyRead(t.Context()); err != nil || !only {
		t.Errorf("a connection of readers may write after a view: %v", err)
	}
	sentinel := errors.New("sentinel")
	if err := db.View(t.Context(), "fail", func(*sql.Tx) error { return sentinel }); !errors.Is(err, sentinel) {
		t.Errorf("a view that fails: %v", err)
	}
	if err := db.View(ctx, "ended", func(*sql.Tx) error { cancel(); <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("a view that is ended: %v", err)
	}
}

func TestKeyIsForSQLite(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Config{DSN: store.NewDSN("postgres://localhost/x"), Key: newKey(t), Migrations: migrations(1)})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("%v", err)
	}
}
