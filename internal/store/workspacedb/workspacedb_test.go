package workspacedb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func at(n int) time.Time { return time.UnixMicro(1_930_000_000_000_000 + int64(n)).UTC() }

// put keeps a record in a transaction of its own.
func put(t testing.TB, db *workspacedb.DB, key workspace.Key, base workspace.Revision, value string) workspace.Revision {
	t.Helper()
	var rev workspace.Revision
	err := db.InTx(t.Context(), "put", func(tx workspace.Tx) (err error) {
		r := workspace.Record{Key: key, By: "Bo", At: at(int(base)), Value: []byte(value)}
		if value == "" {
			r.Value = nil
		}
		rev, err = tx.Put(r, base)
		return err
	})
	must(t, err)
	return rev
}

func view[T any](t testing.TB, db *workspacedb.DB, fn func(workspace.Reader) (T, error)) T {
	t.Helper()
	var got T
	must(t, db.View(t.Context(), "view", func(r workspace.Reader) (err error) {
		got, err = fn(r)
		return err
	}))
	return got
}

func TestRecords(t *testing.T) {
	t.Parallel()
	db := workspacetest.New(t).DB
	key := func(kind workspace.Kind, outcome, id string) workspace.Key {
		return workspace.Key{Kind: kind, Survey: "2031/x", Outcome: outcome, ID: id}
	}
	a, b, c := key("comment", "A1.1", "000001"), key("comment", "A1.1", "000002"), key("comment", "A1.2", "000001")
	first := put(t, db, a, 0, `{"text":"a"}`)
	put(t, db, b, 0, `{"text":"b"}`)
	put(t, db, c, 0, `{"text":"c"}`)
	put(t, db, key("reference", "A1.1", "000001"), 0, `{}`)
	second := put(t, db, a, first, `{"text":"aa"}`)
	if second <= first {
		t.Errorf("revision %d after %d", second, first)
	}
	var texts []string
	for _, record := range view(t, db, func(r workspace.Reader) ([]workspace.Record, error) { return r.All("comment", "2031/x") }) {
		texts = append(texts, record.Outcome+string(record.Value))
	}
	if diff := cmp.Diff([]string{`A1.1{"text":"a"}`, `A1.1{"text":"b"}`, `A1.2{"text":"c"}`, `A1.1{"text":"aa"}`}, texts); diff != "" {
		t.Errorf("everything that was kept: -want, +got:\n%s", diff)
	}
	list := func(outcome string) []string {
		return view(t, db, func(r workspace.Reader) ([]string, error) {
			records, err := r.List("comment", "2031/x", outcome)
			var all []string
			for _, r := range records {
				all = append(all, r.Outcome+" "+r.ID+" "+string(r.Value))
			}
			return all, err
		})
	}
	all := []string{`A1.1 000001 {"text":"aa"}`, `A1.1 000002 {"text":"b"}`, `A1.2 000001 {"text":"c"}`}
	if diff := cmp.Diff(all, list("")); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(all[:2], list("A1.1")); diff != "" {
		t.Errorf("of A1.1 (-want +got):\n%s", diff)
	}
	removed := put(t, db, a, second, "")
	if diff := cmp.Diff(all[1:], list("")); diff != "" {
		t.Errorf("after one was removed (-want +got):\n%s", diff)
	}
	again := put(t, db, a, removed, `{"text":"back"}`)

	history := view(t, db, func(r workspace.Reader) ([]workspace.Record, error) { return r.History(a) })
	want := []workspace.Record{
		{Key: a, Rev: first, By: "Bo", At: at(0), Value: []byte(`{"text":"a"}`)},
		{Key: a, Rev: second, By: "Bo", At: at(int(first)), Value: []byte(`{"text":"aa"}`)},
		{Key: a, Rev: removed, By: "Bo", At: at(int(second))},
		{Key: a, Rev: again, By: "Bo", At: at(int(removed)), Value: []byte(`{"text":"back"}`)},
	}
	if diff := cmp.Diff(want, history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	for i, rev := range []workspace.Revision{first, second, removed, again} {
		got := view(t, db, func(r workspace.Reader) (workspace.Record, error) {
			record, ok, err := r.At(a, rev)
			if !ok {
				err = errors.Join(err, errors.New("it is not there"))
			}
			return record, err
		})
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("revision %d (-want +got):\n%s", rev, diff)
		}
	}
	for _, miss := range []struct {
		key workspace.Key
		rev workspace.Revision
	}{{b, first}, {a, again + 1}, {a, 0}, {a, -1}} {
		if ok := view(t, db, func(r workspace.Reader) (bool, error) { _, ok, err := r.At(miss.key, miss.rev); return ok, err }); ok {
			t.Errorf("%v had revision %d", miss.key, miss.rev)
		}
	}
	for _, base := range []workspace.Revision{0, first, removed, again + 1} {
		err := db.InTx(t.Context(), "put", func(tx workspace.Tx) error {
			_, err := tx.Put(workspace.Record{Key: a, By: "Bo", At: at(1), Value: []byte(`{}`)}, base)
			return err
		})
		if errs.KindOf(err) != errs.Conflict {
			t.Errorf("base %d: %v", base, err)
		}
	}
}

// The schema refuses what the code must not do, whatever the code.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	must(t, w.DB.Close())
	db, err := store.Open(t.Context(), store.Config{Path: w.Path, Key: workspacetest.Key(), Migrations: workspacedb.Migrations})
	must(t, err)
	defer db.Close()
	const insert = `INSERT INTO history (rev, kind, survey, outcome, id, base, person, at, value) VALUES `
	run := func(statements ...string) error {
		return db.InTx(t.Context(), "run", func(tx *sql.Tx) error {
			for _, s := range statements {
				if _, err := tx.Exec(s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, run(insert+`(100, 'entry', 's', 'o', '', 0, 'Bo', 1, '{"level":"2"}')`, `INSERT INTO newest VALUES ('entry', 's', 'o', '', 100)`))
	for name, statement := range map[string]string{
		"a change of history":           `UPDATE history SET value = '{}' WHERE rev = 100`,
		"a deletion of history":         `DELETE FROM history WHERE rev = 100`,
		"a second that follows none":    insert + `(101, 'entry', 's', 'o', '', 0, 'Bo', 1, '{}')`,
		"one that follows another":      insert + `(101, 'entry', 's', 'o', '', 99, 'Bo', 1, '{}')`,
		"a newest that is older":        `UPDATE newest SET rev = 1 WHERE rev = 100`,
		"a newest that is none":         `UPDATE newest SET rev = 4711 WHERE rev = 100`,
		"a kind that is none":           insert + `(101, 'other', 's', 'o', '', 0, 'Bo', 1, '{}')`,
		"a level that is none":          insert + `(101, 'entry', 's', 'o2', '', 0, 'Bo', 1, '{"level":"5"}')`,
		"an entry without its outcome":  insert + `(101, 'entry', 's', '', '', 0, 'Bo', 1, '{}')`,
		"an entry that is removed":      insert + `(101, 'entry', 's', 'o', '', 100, 'Bo', 1, NULL)`,
		"nobody":                        insert + `(101, 'entry', 's', 'o2', '', 0, '', 1, '{}')`,
		"no JSON":                       insert + `(101, 'entry', 's', 'o2', '', 0, 'Bo', 1, '{')`,
		"a contribution of nobody":      insert + `(101, 'contribution', 's', 'o2', '', 0, 'Bo', 1, '{}')`,
		"a decision that is taken back": insert + `(101, 'decision', 's', '', '1', 0, 'Bo', 1, NULL)`,
		"a revision before its base":    insert + `(99, 'entry', 's', 'o', '', 100, 'Bo', 1, '{}')`,
		"a copy that is too large":      `INSERT INTO copies VALUES ('s', 'o', '1', zeroblob(10485761))`,
		"a copy of nothing":             `INSERT INTO copies VALUES ('s', 'o', '1', NULL)`,
		"a pack without its digest":     `INSERT INTO packs VALUES ('abc', x'00')`,
		"text for a number":             insert + `('x', 'entry', 's', 'o2', '', 0, 'Bo', 1, '{}')`,
	} {
		if err := run(statement); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Kinds and levels stand in the schema and in the code.
func TestSchemaKnowsAll(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	for i, kind := range workspace.Kinds() {
		key := workspace.Key{Kind: kind, Survey: "2031/x", Outcome: "A1.1", ID: fmt.Sprint(i)}
		if kind == "entry" {
			key.ID = ""
		}
		put(t, w.DB, key, 0, `{}`)
	}
	id := w.Load(t, workspacetest.Pack(t, len(assess.Levels()), "there"))
	for i, level := range assess.Levels() {
		if _, _, err := w.Save(t.Context(), w.Lead, id, fmt.Sprintf("A%d.%d", i/6+1, i%6+1), 0, assess.Entry{Level: level}); err != nil {
			t.Errorf("%s: %v", level, err)
		}
	}
}

// A workspace is on SQLite only, so there is one folder of migrations, and every
// column has its comment.
func TestSchemaIsCommented(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(workspacedb.Migrations, "*/*.sql")
	must(t, err)
	for _, name := range names {
		if filepath.Dir(name) != "sqlite" {
			t.Errorf("%s: a workspace is an encrypted SQLite file", name)
		}
		body, err := fs.ReadFile(workspacedb.Migrations, name)
		must(t, err)
		inside := false
		for i, line := range strings.Split(string(body), "\n") {
			switch {
			case strings.HasPrefix(line, "CREATE TABLE "):
				inside = true
			case strings.HasPrefix(line, ")"):
				inside = false
				if !strings.HasPrefix(line, ") STRICT") {
					t.Errorf("%s:%d: the table is not STRICT", name, i+1)
				}
			case inside && line != strings.ToUpper(line) && !strings.Contains(line, "-- ") && !strings.Contains(line, "UNIQUE (") && !strings.Contains(line, "PRIMARY KEY (") && !strings.HasPrefix(strings.TrimSpace(line), "CHECK"):
				t.Errorf("%s:%d: a column without a comment: %s", name, i+1, line)
			}
		}
	}
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	must(t, w.DB.Close())
	other := *workspacetest.Key()
	other[3]++
	_, err := workspacedb.Open(t.Context(), workspacedb.Config{Path: w.Path, Key: &other})
	if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, "does not open with this key") {
		t.Errorf("%v: %+v", err, d)
	}
	if _, err := workspacedb.Open(t.Context(), workspacedb.Config{Path: w.Path}); err == nil {
		t.Error("it opens without a key")
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 3, "there"))
	saved, _, err := w.Save(t.Context(), w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level2, Note: songbird})
	must(t, err)
	dir := t.TempDir()
	snapshot := filepath.Join(dir, "snapshot")
	must(t, w.DB.Snapshot(t.Context(), snapshot))
	was, err := w.DB.Check(t.Context())
	must(t, err)
	// What comes later is not in it.
	_, _, err = w.Save(t.Context(), w.Lead, id, "A1.2", 0, assess.Entry{Level: framework.Level2})
	must(t, err)
	if found := inClear(t, dir); found != nil {
		t.Errorf("the snapshot is in clear: %q", found)
	}
	cfg := workspacedb.Config{Path: filepath.Join(dir, "restored.db"), Key: workspacetest.Key()}
	must(t, workspacedb.Restore(t.Context(), cfg, snapshot))
	r := workspacetest.Open(t, cfg)
	is, err := r.DB.Check(t.Context())
	must(t, err)
	got, err := r.Entries(t.Context(), r.Lead, id)
	must(t, err)
	if diff := cmp.Diff(map[string]workspace.Saved{"A1.1": saved}, got); diff != "" || is != was {
		t.Errorf("restored %+v, want %+v (-want +got):\n%s", is, was, diff)
	}
	if err := workspacedb.Restore(t.Context(), cfg, snapshot); err == nil {
		t.Error("a restore replaces a database")
	}
}

// A block of the file that was changed is noticed by who checks.
func TestDamage(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	id := w.Load(t, workspacetest.Pack(t, 60, "there"))
	for i := range 6 {
		_, _, err := w.Save(t.Context(), w.Lead, id, fmt.Sprintf("A1.%d", i+1), 0, assess.Entry{Level: framework.Level2, Note: strings.Repeat("x", 9000)})
		must(t, err)
	}
	must(t, w.DB.Close())
	body, err := os.ReadFile(w.Path)
	must(t, err)
	noticed := 0
	const tries = 12
	for i := range tries {
		changed := append([]byte{}, body...)
		changed[512*(3+i*len(body)/512/(tries+1))+7]++
		path := filepath.Join(t.TempDir(), "workspace.db")
		must(t, os.WriteFile(path, changed, 0o600))
		db, err := workspacedb.Open(t.Context(), workspacedb.Config{Path: path, Key: workspacetest.Key()})
		if err != nil {
			noticed++
			continue
		}
		if _, err := db.Check(t.Context()); err != nil {
			noticed++
		}
		must(t, db.Close())
	}
	t.Logf("%d of %d changed blocks were noticed", noticed, tries)
	if noticed == 0 {
		t.Error("no change is noticed")
	}
}

// Nobody else of the machine reads any file of it.
func TestModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("who may read a file is not in its mode here")
	}
	w := workspacetest.New(t)
	entries, err := os.ReadDir(filepath.Dir(w.Path))
	must(t, err)
	if len(entries) < 3 {
		t.Errorf("%d files, want database, log and shared memory", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	must(t, os.Chmod(w.Path, 0o640))
	_, err = workspacedb.Open(t.Context(), workspacedb.Config{Path: w.Path, Key: workspacetest.Key()})
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("readable for the group: %v", err)
	}
}

// A transaction that fails before its commit leaves nothing; one that fails after it
// is there.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			broken := errors.New("broken")
			armed := false
			w := workspacetest.Open(t, workspacedb.Config{
				Path: filepath.Join(t.TempDir(), "workspace.db"), Key: workspacetest.Key(),
				Fault: func(name string, p store.FaultPoint) error {
					if armed && p == point && name == "save an entry" {
						return broken
					}
					return nil
				},
			})
			must(t, w.Begin(t.Context(), w.Lead, workspacetest.Member))
			id := w.Load(t, workspacetest.Pack(t, 1, "there"))
			armed = true
			_, _, err := w.Save(t.Context(), w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level1})
			if !errors.Is(err, broken) {
				t.Fatal(err)
			}
			armed = false
			history, err := w.History(t.Context(), w.Lead, id, "A1.1")
			must(t, err)
			if want := map[store.FaultPoint]int{store.BeforeCommit: 0, store.AfterCommit: 1}[point]; len(history) != want {
				t.Errorf("%d revisions, want %d", len(history), want)
			}
			// Repeated, it is there once.
			_, _, err = w.Save(t.Context(), w.Lead, id, "A1.1", 0, assess.Entry{Level: framework.Level1})
			must(t, err)
			if history, err = w.History(t.Context(), w.Lead, id, "A1.1"); err != nil || len(history) != 1 {
				t.Errorf("%d revisions, %v", len(history), err)
			}
		})
	}
}

// Who gives up before the commit has changed nothing.
func TestCancelled(t *testing.T) {
	t.Parallel()
	w := workspacetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := w.DB.InTx(ctx, "give up", func(tx workspace.Tx) error {
		_, err := tx.Put(workspace.Record{Key: workspace.Key{Kind: "body", ID: "a"}, By: "Bo", At: at(1), Value: []byte(`{}`)}, 0)
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if ok := view(t, w.DB, func(r workspace.Reader) (bool, error) {
		_, ok, err := r.Current(workspace.Key{Kind: "body", ID: "a"})
		return ok, err
	}); ok {
		t.Error("it is there")
	}
}
