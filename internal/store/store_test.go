package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"

	"muster/internal/store"
)

const schema = `-- +goose Up
CREATE TABLE parents (id BIGINT PRIMARY KEY);
CREATE TABLE notes (
    text   TEXT NOT NULL PRIMARY KEY,
    parent BIGINT REFERENCES parents
);
`

// migrations returns the first n of two migrations, for either engine.
func migrations(n int) fs.FS {
	files := make(fstest.MapFS)
	for _, engine := range []string{"sqlite", "postgres"} {
		files[engine+"/00001_initial.sql"] = &fstest.MapFile{Data: []byte(schema)}
		if n > 1 {
			files[engine+"/00002_more.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE more (id BIGINT PRIMARY KEY);\n")}
		}
	}
	return files
}

func open(t *testing.T, cfg store.Config) *store.DB {
	t.Helper()
	if cfg.Path == "" && cfg.DSN.IsZero() && cfg.DSNFile == "" {
		cfg.Path = filepath.Join(t.TempDir(), "test.db")
	}
	if cfg.Migrations == nil {
		cfg.Migrations = migrations(1)
	}
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func insert(text string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO notes (text) VALUES ($1)`, text)
		return err
	}
}

// notes returns what is stored, in a transaction of its own.
func notes(t *testing.T, db *store.DB) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var list []string
	err := db.InTx(ctx, "list", func(tx *sql.Tx) error {
		list = nil
		rows, err := tx.Query(`SELECT text FROM notes ORDER BY text`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			list = append(list, text)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantNotes(t *testing.T, db *store.DB, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, notes(t, db)); diff != "" {
		t.Errorf("stored notes (-want +got):\n%s", diff)
	}
}

func TestInTxCommits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := open(t, store.Config{Path: path})
	if err := db.InTx(t.Context(), "write", insert("kept")); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, db, "kept")
	wantNotes(t, open(t, store.Config{Path: path}), "kept")
}

func TestInTxRollsBack(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	refused := errors.New("refused")
	runs := 0
	err := db.InTx(t.Context(), "write a note", func(tx *sql.Tx) error {
		runs++
		return errors.Join(insert("lost")(tx), refused)
	})
	if !errors.Is(err, refused) || !strings.HasPrefix(err.Error(), "write a note: ") {
		t.Errorf("InTx: %v; want the function's error with the transaction's name", err)
	}
	if runs != 1 {
		t.Errorf("the function ran %d times; want 1: its error was not about a busy database", runs)
	}
	wantNotes(t, db)
}

// A constraint that is checked at the end makes COMMIT itself fail.
func TestInTxReportsFailedCommit(t *testing.T) {
	t.Parallel()
	var committed []string
	db := open(t, store.Config{Fault: func(name string, p store.FaultPoint) error {
		if p == store.AfterCommit {
			committed = append(committed, name)
		}
		return nil
	}})
	err := db.InTx(t.Context(), "orphan", func(tx *sql.Tx) error {
		_, err := tx.Exec(`PRAGMA defer_foreign_keys = on; INSERT INTO notes (text, parent) VALUES ('orphan', 7)`)
		return err
	})
	if !errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY) {
		t.Fatalf("InTx: %v; want the violated foreign key", err)
	}
	if len(committed) > 0 {
		t.Errorf("the fault after the commit was asked for %v: nothing was committed", committed)
	}
	wantNotes(t, db)
	if err := db.InTx(t.Context(), "next", insert("next")); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
	wantNotes(t, db, "next")
}

func TestForeignKeysAreOn(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	err := db.InTx(t.Context(), "orphan", func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO notes (text, parent) VALUES ('orphan', 7)`)
		return err
	})
	if !errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY) {
		t.Errorf("InTx: %v; want the violated foreign key", err)
	}
	wantNotes(t, db)
}

// other opens a second connection to a database, as another process would.
func other(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func mustExec(t *testing.T, db interface {
	Exec(string, ...any) (sql.Result, error)
}, query string,
) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// impatient makes the database say at once that it is busy.
func impatient(tx *sql.Tx) error {
	_, err := tx.Exec(`PRAGMA busy_timeout = 0`)
	return err
}

func TestInTxWaitsForALock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := open(t, store.Config{Path: path})
	holder := other(t, path)
	mustExec(t, holder, `BEGIN IMMEDIATE`)
	released := make(chan error, 1)
	time.AfterFunc(100*time.Millisecond, func() {
		_, err := holder.Exec(`COMMIT`)
		released <- err
	})
	if err := db.InTx(t.Context(), "write", insert("waited")); err != nil {
		t.Errorf("InTx: %v; want it to wait for the lock", err)
	}
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	wantNotes(t, db, "waited")
}

// A function that meets a lock halfway is run again from a clean state.
func TestInTxRunsAgainWhenBusy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := open(t, store.Config{Path: filepath.Join(dir, "test.db")})
	second := filepath.Join(dir, "second.db")
	holder := other(t, second)
	mustExec(t, holder, `CREATE TABLE t (x)`)
	mustExec(t, holder, `BEGIN IMMEDIATE`)
	if err := db.InTx(t.Context(), "impatient", impatient); err != nil {
		t.Fatal(err)
	}
	runs := 0
	err := db.InTx(t.Context(), "write two", func(tx *sql.Tx) error {
		runs++
		if err := insert("once")(tx); err != nil {
			return err
		}
		if runs == 1 {
			if _, err := tx.Exec(`ATTACH ?1 AS second`, second); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO second.t VALUES (1)`)
		if runs == 1 {
			if !errors.Is(err, sqlite3.BUSY) {
				t.Errorf("the other's lock was not met: %v", err)
			}
			mustExec(t, holder, `COMMIT`)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if runs != 2 {
		t.Errorf("the function ran %d times; want 2, the second after the lock was released", runs)
	}
	wantNotes(t, db, "once")
}

func TestInTxGivesUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	db := open(t, store.Config{Path: path})
	if err := db.InTx(t.Context(), "impatient", impatient); err != nil {
		t.Fatal(err)
	}
	holder := other(t, path)
	mustExec(t, holder, `BEGIN IMMEDIATE`)
	err := db.InTx(t.Context(), "write", insert("never"))
	if !errors.Is(err, sqlite3.BUSY) || !strings.HasPrefix(err.Error(), "write: ") {
		t.Errorf("InTx: %v; want that the database is busy", err)
	}
	mustExec(t, holder, `ROLLBACK`)
	wantNotes(t, db)
}

// The package promises a bound on how often a function runs.
func TestInTxBoundsAttempts(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	runs := 0
	err := db.InTx(t.Context(), "never", func(*sql.Tx) error {
		runs++
		return fmt.Errorf("pretend: %w", sqlite3.BUSY)
	})
	if !errors.Is(err, sqlite3.BUSY) {
		t.Errorf("InTx: %v; want that the database is busy", err)
	}
	if runs < 2 || runs > 20 {
		t.Errorf("the function ran %d times", runs)
	}
}

func TestInTxPanic(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){
		"panic":   func() { panic("boom") },
		"goexit":  runtime.Goexit,
		"runtime": func() { var none *store.DB; none.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, store.Config{})
			returned := make(chan any)
			go func() {
				finished := false
				defer func() {
					r := recover()
					if finished {
						r = "InTx returned"
					}
					returned <- r
				}()
				_ = db.InTx(t.Context(), "leave", func(tx *sql.Tx) error {
					if err := insert("lost")(tx); err != nil {
						t.Error(err)
					}
					leave()
					return nil
				})
				finished = true
			}()
			r := <-returned
			switch {
			case r == "InTx returned":
				t.Error("InTx returned; want the panic to go on")
			case name == "panic" && r != "boom":
				t.Errorf("panicked with %v; want the function's value", r)
			}
			if err := db.InTx(t.Context(), "next", insert("next")); err != nil {
				t.Errorf("the next transaction: %v", err)
			}
			wantNotes(t, db, "next")
		})
	}
}

func TestInTxCancelled(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		db := open(t, store.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.InTx(ctx, "write", func(*sql.Tx) error {
			t.Error("the function ran")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("InTx: %v; want context.Canceled", err)
		}
	})
	t.Run("in the function", func(t *testing.T) {
		t.Parallel()
		db := open(t, store.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		err := db.InTx(ctx, "write", func(tx *sql.Tx) error {
			err := insert("lost")(tx)
			cancel()
			return err // nil: the transaction must fail all the same
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("InTx: %v; want context.Canceled", err)
		}
		wantNotes(t, db)
	})
	t.Run("in a statement", func(t *testing.T) {
		t.Parallel()
		db := open(t, store.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := db.InTx(ctx, "write", func(tx *sql.Tx) error {
			if err := insert("lost")(tx); err != nil {
				return err
			}
			// Without an end, unless it is interrupted.
			_, err := tx.ExecContext(ctx, `WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
				INSERT INTO parents SELECT x FROM n WHERE x < 0`)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("InTx: %v; want context.DeadlineExceeded", err)
		}
		wantNotes(t, db)
	})
	t.Run("between attempts", func(t *testing.T) {
		t.Parallel()
		db := open(t, store.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		err := db.InTx(ctx, "write", func(*sql.Tx) error {
			runs++
			cancel()
			return sqlite3.BUSY
		})
		if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "write: ") {
			t.Errorf("InTx: %v; want context.Canceled with the transaction's name", err)
		}
		if runs != 1 {
			t.Errorf("the function ran %d times after the context ended", runs)
		}
	})
}

func TestInTxConcurrently(t *testing.T) {
	t.Parallel()
	db := open(t, store.Config{})
	var wg sync.WaitGroup
	var want []string
	for i := range 20 {
		text := fmt.Sprintf("note %02d", i)
		want = append(want, text)
		wg.Go(func() {
			if err := db.InTx(t.Context(), "write", insert(text)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	wantNotes(t, db, want...)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	for _, row := range []struct {
		point store.FaultPoint
		want  []string
	}{
		{store.BeforeCommit, nil},
		{store.AfterCommit, []string{"note"}},
	} {
		t.Run(string(row.point), func(t *testing.T) {
			t.Parallel()
			armed := true
			var asked []string
			db := open(t, store.Config{Fault: func(name string, point store.FaultPoint) error {
				if name != "write" {
					return nil
				}
				asked = append(asked, string(point))
				if armed && point == row.point {
					return crash
				}
				return nil
			}})
			err := db.InTx(t.Context(), "write", insert("note"))
			if !errors.Is(err, crash) || err.Error() != "write: "+string(row.point)+": crash" {
				t.Errorf("InTx: %v; want the fault, with name and point", err)
			}
			if diff := cmp.Diff(row.want, notes(t, db)); diff != "" {
				t.Errorf("stored after the fault (-want +got):\n%s", diff)
			}
			armed, asked = false, nil
			if err := db.InTx(t.Context(), "write", insert("second")); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"before commit", "after commit"}, asked); diff != "" {
				t.Errorf("faults asked of one transaction (-want +got):\n%s", diff)
			}
		})
	}
}
