package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"muster/internal/errs"
	"muster/internal/store"
	"muster/internal/store/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// postgres opens a database of the test's own.
func postgres(t *testing.T, fault store.Fault) *store.DB {
	t.Helper()
	return open(t, store.Config{DSN: store.NewDSN(pgtest.DSN(t)), Fault: fault})
}

func code(err error) string {
	pg, _ := errors.AsType[*pgconn.PgError](err)
	if pg == nil {
		return ""
	}
	return pg.Code
}

func TestPostgresInTx(t *testing.T) {
	t.Parallel()
	dsn := store.NewDSN(pgtest.DSN(t))
	db := open(t, store.Config{DSN: dsn})
	if err := db.InTx(t.Context(), "write", insert("kept")); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, open(t, store.Config{DSN: dsn}), "kept")

	refused := errors.New("refused")
	runs := 0
	err := db.InTx(t.Context(), "write a note", func(tx *sql.Tx) error {
		runs++
		return errors.Join(insert("lost")(tx), refused)
	})
	if !errors.Is(err, refused) || !strings.HasPrefix(err.Error(), "write a note: ") || runs != 1 {
		t.Errorf("InTx: %v after %d runs; want the function's error with the transaction's name, once", err, runs)
	}
	wantNotes(t, db, "kept")
}

// What InTx promises about durability and isolation is set for every connection,
// whatever the server's own settings are.
func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	for name, want := range map[string]map[string]string{
		dsn: {"transaction_isolation": "serializable", "synchronous_commit": "on", "statement_timeout": "1min", "lock_timeout": "10s", "application_name": "muster"},
		dsn + " synchronous_commit=off statement_timeout=5000": {"synchronous_commit": "on", "statement_timeout": "5s"},
	} {
		db := open(t, store.Config{DSN: store.NewDSN(name)})
		got := make(map[string]string)
		err := db.InTx(t.Context(), "read settings", func(tx *sql.Tx) error {
			for setting := range want {
				var value string
				if err := tx.QueryRow(`SHOW ` + setting).Scan(&value); err != nil {
					return err
				}
				got[setting] = value
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
	}
}

// A constraint that is checked at the end makes COMMIT itself fail: the server
// has answered, so it is known that nothing happened.
func TestPostgresFailedCommit(t *testing.T) {
	t.Parallel()
	after := 0
	db := postgres(t, func(_ string, p store.FaultPoint) error {
		if p == store.AfterCommit {
			after++
		}
		return nil
	})
	err := db.InTx(t.Context(), "orphan", func(tx *sql.Tx) error {
		for _, s := range []string{
			`ALTER TABLE notes ALTER CONSTRAINT notes_parent_fkey DEFERRABLE INITIALLY DEFERRED`,
			`INSERT INTO notes (text, parent) VALUES ('orphan', 7)`,
		} {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	if code(err) != "23503" || errs.KindOf(err) != errs.Internal {
		t.Fatalf("InTx: %v; want the violated foreign key", err)
	}
	if after > 0 {
		t.Error("the fault after the commit was asked: nothing was committed")
	}
	wantNotes(t, db)
}

// A function that swallows a statement's error does not get a commit for it.
func TestPostgresSwallowedError(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
	err := db.InTx(t.Context(), "swallow", func(tx *sql.Tx) error {
		if err := insert("lost")(tx); err != nil {
			return err
		}
		_, _ = tx.Exec(`INSERT NONSENSE`)
		return nil
	})
	if err == nil || strings.Contains(err.Error(), "not known") {
		t.Errorf("InTx: %v; want a commit that failed for sure", err)
	}
	wantNotes(t, db)
}

func TestPostgresPanic(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := postgres(t, nil)
			left := make(chan any)
			go func() {
				defer func() { left <- recover() }()
				_ = db.InTx(t.Context(), "leave", func(tx *sql.Tx) error {
					if err := insert("lost")(tx); err != nil {
						t.Error(err)
					}
					leave()
					return nil
				})
				t.Error("InTx returned")
			}()
			if r := <-left; name == "panic" && r != "boom" {
				t.Errorf("panicked with %v; want the function's value", r)
			}
			if err := db.InTx(t.Context(), "next", insert("next")); err != nil {
				t.Errorf("the next transaction: %v", err)
			}
			wantNotes(t, db, "next")
		})
	}
}

func TestPostgresCancelled(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.InTx(ctx, "write", func(*sql.Tx) error { t.Error("the function ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("InTx: %v; want context.Canceled", err)
		}
	})
	t.Run("in the function", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.InTx(ctx, "write", func(tx *sql.Tx) error {
			err := insert("lost")(tx)
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("InTx: %v; want context.Canceled", err)
		}
	})
	t.Run("in a statement", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		runs := 0
		err := db.InTx(ctx, "write", func(tx *sql.Tx) error {
			runs++
			if err := insert("lost")(tx); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `SELECT pg_sleep(30)`)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) || runs != 1 {
			t.Errorf("InTx: %v after %d runs; want context.DeadlineExceeded after one", err, runs)
		}
	})
	wantNotes(t, db)
}

func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	for point, want := range map[store.FaultPoint][]string{store.BeforeCommit: nil, store.AfterCommit: {"note"}} {
		t.Run(string(point), func(t *testing.T) {
			t.Parallel()
			db := postgres(t, func(name string, p store.FaultPoint) error {
				if name == "write" && p == point {
					return crash
				}
				return nil
			})
			err := db.InTx(t.Context(), "write", insert("note"))
			if !errors.Is(err, crash) || err.Error() != "write: "+string(point)+": crash" {
				t.Errorf("InTx: %v; want the fault, with name and point", err)
			}
			if diff := cmp.Diff(want, notes(t, db)); diff != "" {
				t.Errorf("stored after the fault (-want +got):\n%s", diff)
			}
		})
	}
}

// Transactions that meet are run again until each has happened by itself: none
// of the increments is lost, and nobody gives up.
func TestPostgresContention(t *testing.T) {
	t.Parallel()
	dsn := store.NewDSN(pgtest.DSN(t))
	var runs atomic.Int64
	const processes, writers, each = 2, 6, 10
	var wg sync.WaitGroup
	setup := open(t, store.Config{DSN: dsn})
	if err := setup.InTx(t.Context(), "begin", func(tx *sql.Tx) error { _, err := tx.Exec(`INSERT INTO parents VALUES (0)`); return err }); err != nil {
		t.Fatal(err)
	}
	for range processes {
		db := open(t, store.Config{DSN: dsn})
		for range writers {
			wg.Go(func() {
				for range each {
					err := db.InTx(t.Context(), "count", func(tx *sql.Tx) error {
						runs.Add(1)
						var n int
						if err := tx.QueryRow(`SELECT id FROM parents`).Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`UPDATE parents SET id = $1`, n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	var n int
	if err := setup.InTx(t.Context(), "read", func(tx *sql.Tx) error { return tx.QueryRow(`SELECT id FROM parents`).Scan(&n) }); err != nil {
		t.Fatal(err)
	}
	if n != processes*writers*each {
		t.Errorf("counted %d of %d", n, processes*writers*each)
	}
	t.Logf("%d transactions took %d runs", n, runs.Load())
}

// Serializable: two transactions that each read what the other writes do not
// both see the state before.
func TestPostgresWriteSkew(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
	var both sync.WaitGroup
	both.Add(2)
	var once [2]sync.Once
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			err := db.InTx(t.Context(), "first come", func(tx *sql.Tx) error {
				var n int
				if err := tx.QueryRow(`SELECT COUNT(*) FROM notes`).Scan(&n); err != nil {
					return err
				}
				once[i].Do(func() { both.Done(); both.Wait() }) // both have read
				if n > 0 {
					return nil
				}
				return insert(fmt.Sprint("note ", i))(tx)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list := notes(t, db); len(list) != 1 {
		t.Errorf("stored %v; want one note alone", list)
	}
}

func TestPostgresBoundsAttempts(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
	for _, state := range []string{"40001", "40P01", "55P03"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			runs := 0
			err := db.InTx(t.Context(), "never", func(*sql.Tx) error {
				runs++
				return fmt.Errorf("pretend: %w", &pgconn.PgError{Code: state})
			})
			if code(err) != state || runs < 2 || runs > 20 {
				t.Errorf("InTx: %v after %d runs", err, runs)
			}
		})
	}
	runs := 0
	err := db.InTx(t.Context(), "once", func(tx *sql.Tx) error {
		runs++
		_, err := tx.Exec(`SELECT 1/0`)
		return err
	})
	if code(err) != "22012" || runs != 1 {
		t.Errorf("InTx: %v after %d runs; want the error at once", err, runs)
	}
}

func TestPostgresConnectionLost(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
	runs := 0
	err := db.InTx(t.Context(), "write", func(tx *sql.Tx) error {
		runs++
		if err := insert(fmt.Sprint("run ", runs))(tx); err != nil {
			return err
		}
		if runs == 1 {
			_, err := tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		}
		return nil
	})
	if err != nil || runs != 2 {
		t.Errorf("InTx: %v after %d runs; want success with the second", err, runs)
	}
	wantNotes(t, db, "run 2")
}

// cutter stands between a database and its clients, and breaks the connection
// when it sees a COMMIT for the first time.
func cutter(t *testing.T, dsn string, deliver bool) string {
	t.Helper()
	socket := regexp.MustCompile(`host='([^']*)'`).FindStringSubmatch(dsn)[1]
	dir, err := os.MkdirTemp("", "cut") // not the test's own, whose name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var cut atomic.Bool
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", filepath.Join(socket, ".s.PGSQL.5432"))
			if err != nil {
				t.Error(err)
				return
			}
			var deaf atomic.Bool
			go func() { // from the server
				defer client.Close()
				b := make([]byte, 1<<16)
				for {
					n, err := server.Read(b)
					if err != nil || deaf.Load() {
						return
					}
					if _, err := client.Write(b[:n]); err != nil {
						return
					}
				}
			}()
			go func() { // to the server
				defer server.Close()
				b := make([]byte, 1<<16)
				for {
					n, err := client.Read(b)
					if err != nil {
						return
					}
					if bytes.Contains(b[:n], []byte("cut this")) {
						cut.Store(true) // from the next commit on
					} else if bytes.Contains(b[:n], []byte("commit\x00")) && cut.CompareAndSwap(true, false) {
						deaf.Store(true)
						if !deliver {
							return
						}
						_, _ = server.Write(b[:n])
						time.Sleep(200 * time.Millisecond) // it answers, and nobody hears it
						return
					}
					if _, err := server.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return strings.Replace(dsn, socket, dir, 1)
}

// A connection that breaks during COMMIT leaves it open whether it happened: the
// error says so, and the function is not run a second time.
func TestPostgresCommitUnknown(t *testing.T) {
	t.Parallel()
	for name, deliver := range map[string]bool{"it happened": true, "it did not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.DSN(t)
			after := 0
			db := open(t, store.Config{DSN: store.NewDSN(cutter(t, dsn, deliver)), Fault: func(_ string, p store.FaultPoint) error {
				if p == store.AfterCommit {
					after++
				}
				return nil
			}})
			runs := 0
			err := db.InTx(t.Context(), "write", func(tx *sql.Tx) error {
				runs++
				if _, err := tx.Exec(`SELECT 'cut this'`); err != nil {
					return err
				}
				return insert("note")(tx)
			})
			if errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.Describe(err).Message, "whether it happened is not known") {
				t.Errorf("InTx: %v; want that it is not known", err)
			}
			if runs != 1 || after != 0 {
				t.Errorf("%d runs, %d times after a commit", runs, after)
			}
			var want []string
			if deliver {
				want = []string{"note"}
			}
			wantNotes(t, db, want...)
		})
	}
}

func TestPostgresMigrations(t *testing.T) {
	t.Parallel()
	dsn := store.NewDSN(pgtest.DSN(t))
	older := open(t, store.Config{DSN: dsn})
	if err := older.InTx(t.Context(), "write", insert("old")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 { // at the same time
		wg.Go(func() {
			db, err := store.Open(t.Context(), store.Config{DSN: dsn, Migrations: migrations(2)})
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
	wantNotes(t, open(t, store.Config{DSN: dsn, Migrations: migrations(2)}), "old")

	_, err := store.Open(t.Context(), store.Config{DSN: dsn, Migrations: migrations(1)})
	want := errs.Description{
		Kind: errs.Conflict, Message: "the database has schema version 2 and this program knows versions up to 1",
		Hint: "a newer program has used this database; use that one",
	}
	if diff := cmp.Diff(want, errs.Describe(err)); diff != "" {
		t.Errorf("what is shown of a newer schema (-want +got):\n%s", diff)
	}
}

func TestPostgresBrokenMigration(t *testing.T) {
	t.Parallel()
	dsn := store.NewDSN(pgtest.DSN(t))
	broken := fstest.MapFS{"postgres/00001_initial.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (text TEXT);\nCREATE NONSENSE;\n")}}
	if db, err := store.Open(t.Context(), store.Config{DSN: dsn, Migrations: broken}); err == nil {
		_ = db.Close()
		t.Fatal("a broken migration was accepted")
	}
	wantNotes(t, open(t, store.Config{DSN: dsn})) // nothing of it is left
}

func TestPostgresIsUnique(t *testing.T) {
	t.Parallel()
	db := postgres(t, nil)
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
}

func TestServersThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		version  int
		encoding string
		standby  bool
		want     string
	}{
		{140012, "UTF8", false, "the server is PostgreSQL 14.12 and muster needs 15 or later"},
		{90624, "UTF8", false, "the server is PostgreSQL 9.6.24 and muster needs 15 or later"},
		{150018, "SQL_ASCII", false, "the PostgreSQL database has the encoding SQL_ASCII"},
		{160003, "UTF8", true, "the PostgreSQL server is a standby and takes no changes"},
	} {
		if d := errs.Describe(store.CheckServer(row.version, row.encoding, row.standby)); d.Kind != errs.Invalid || d.Message != row.want || d.Hint == "" {
			t.Errorf("%v: %+v", row, d)
		}
	}
	for _, version := range []int{150000, 150018, 180001} {
		if err := store.CheckServer(version, "UTF8", false); err != nil {
			t.Errorf("%d: %v", version, err)
		}
	}
	_, err := store.Open(t.Context(), store.Config{DSN: store.NewDSN(pgtest.Database(t, "ENCODING 'SQL_ASCII' LOCALE 'C'")), Migrations: migrations(1)})
	if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, "SQL_ASCII") {
		t.Errorf("a database in another encoding: %v", err)
	}
}

const canary = "c4n4ry"

// TestPasswordStaysInside: whatever is wrong with a connection string, and
// wherever it or an error with it is printed, the password does not show.
func TestPasswordStaysInside(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"no server":            "postgres://u:" + canary + "@localhost:1/d",
		"no server, words":     "host=localhost port=1 user=u dbname=d password=" + canary,
		"an unescaped slash":   "postgres://u:1/" + canary + "@localhost/d",
		"an unescaped at":      "postgres://u:x@" + canary + "@localhost:1/d",
		"an unescaped hash":    "postgres://u:x#" + canary + "@localhost/d",
		"an unescaped query":   "postgres://u:x?" + canary + "=y@localhost/d",
		"an unescaped percent": "postgres://u:%" + canary + "@localhost/d",
		"a space":              "host=localhost password=x " + canary + " user=u",
		"an open quote":        "host=localhost password='" + canary,
		"taken for the host":   "postgres://" + canary + "/d",
		"taken for the user":   "postgres://" + canary + "@localhost:1/d",
		"an unknown parameter": "postgres://u:" + canary + "@localhost:1/d?sslmode=sometimes",
		"a missing file":       "host=localhost password=" + canary + " sslmode=verify-full sslrootcert=/" + canary,
		"without TLS":          "postgres://u:" + canary + "@192.0.2.1/d?sslmode=disable",
		"nothing but it":       canary,
	}
	if server := pgtest.DSN(t); server != "" {
		rows["no such database"] = strings.ReplaceAll(server, "dbname=test", "dbname="+canary) + " password=" + canary
		rows["no such user"] = strings.ReplaceAll(server, "user=muster", "user="+canary) + " password=" + canary
	}
	for name, dsn := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "dsn")
			if err := os.WriteFile(file, []byte(dsn+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&log, nil))
			for _, cfg := range []store.Config{{DSN: store.NewDSN(dsn)}, {DSNFile: file}} {
				cfg.Migrations = migrations(1)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				_, err := store.Open(ctx, cfg)
				cancel()
				if err == nil {
					t.Fatal("opened")
				}
				logger.Error("open", "error", err, "config", cfg, "dsn", cfg.DSN)
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
					fmt.Fprintf(&log, verb+verb+verb+verb, err, cfg, cfg.DSN, struct{ inner store.Config }{cfg})
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					fmt.Fprintf(&log, "%#v %s", e, e)
				}
				fmt.Fprintf(&log, "%+v", errs.Describe(err))
				_ = json.NewEncoder(&log).Encode(struct{ D store.DSN }{cfg.DSN})
			}
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
				if strings.Contains(log.String(), form) {
					t.Errorf("%q is in\n%s", form, &log)
				}
			}
		})
	}
}

func TestConnectionStringsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ dsn, want string }{
		"in clear":                 {"postgres://u@192.0.2.1/d?sslmode=disable", "not protected by verified TLS"},
		"TLS if it happens":        {"postgres://u@192.0.2.1/d", "not protected by verified TLS"},
		"TLS with anybody":         {"postgres://u@db.invalid/d?sslmode=require", "not protected by verified TLS"},
		"the second host in clear": {"host=localhost,192.0.2.1 user=u sslmode=disable", "not protected by verified TLS"},
		"no string":                {"postgres://[", "cannot be read"},
	} {
		_, err := store.Open(t.Context(), store.Config{DSN: store.NewDSN(row.dsn), Migrations: migrations(1)})
		if d := errs.Describe(err); d.Kind != errs.Invalid || !strings.Contains(d.Message, row.want) || d.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, cfg := range map[string]store.Config{
		"neither":        {},
		"both":           {Path: "x.db", DSN: store.NewDSN("x")},
		"two strings":    {DSN: store.NewDSN("x"), DSNFile: "x"},
		"one connection": {DSN: store.NewDSN("host=/tmp"), Connections: 1},
	} {
		cfg.Migrations = migrations(1)
		if _, err := store.Open(t.Context(), cfg); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDSNFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte(pgtest.DSN(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantNotes(t, open(t, store.Config{DSNFile: file}))
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o640); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), store.Config{DSNFile: file, Migrations: migrations(1)})
		if d := errs.Describe(err); d.Kind != errs.Invalid || d.Hint != "chmod 600 "+file {
			t.Errorf("a file for all to read: %v", err)
		}
	}
	if _, err := store.Open(t.Context(), store.Config{DSNFile: file + ".missing", Migrations: migrations(1)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
