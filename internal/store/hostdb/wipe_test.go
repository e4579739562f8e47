package hostdb_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/store/hostdb"
)

// TestWipedBytes: what was wiped is in no file of the database any more. On
// PostgreSQL these are the files of the tables: the write-ahead log is the
// server's to recycle.
func TestWipedBytes(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg, driver, name := e.place(t)
			raw := connect(t, driver, name)
			// settle makes the server write everything to its files, as it does
			// every few minutes.
			settle := func() {}
			folder := filepath.Dir(cfg.Path)
			if e.name == "PostgreSQL" {
				settle = func() {
					if _, err := raw.Exec(`CHECKPOINT`); err != nil {
						t.Fatal(err)
					}
				}
				if err := raw.QueryRow(`SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database WHERE datname = current_database()`).Scan(&folder); err != nil {
					t.Fatal(err)
				}
			}
			var planted [][]byte
			plant := func(size int) []byte {
				b := make([]byte, size) // random, so that nobody makes it shorter
				rand.Read(b)
				planted = append(planted, b[size/2:size/2+24])
				return b
			}
			found := func() (n int) {
				settle()
				for _, needle := range planted {
					if holds(t, folder, needle) {
						n++
					}
				}
				return n
			}
			db := open(t, cfg)
			err := db.InTx(t.Context(), "fill", func(tx aggregate.Tx) error {
				planted = nil
				r := coalition.NewReceipt(task, "a", 1, 1, dap.ReportID{1}, [32]byte{}, [32]byte{})
				kept := func(_ bool, err error) error { return err }
				return errors.Join(
					tx.CreateTask(task, dap.RoleLeader),
					kept(tx.PutReport(task, dap.ReportID{1}, plant(3000))), kept(tx.PutReport(task, dap.ReportID{2}, plant(100))),
					tx.PutReceipt(task, aggregate.StoredReceipt{Receipt: r, Signed: coalition.SignedReceipt{Body: plant(600), Signature: plant(200)}}),
					tx.PlanJobs(task, []aggregate.Job{{Number: 0, Reports: []dap.ReportID{{1}}}}), tx.PutJobRequest(task, 0, plant(900)),
					tx.PutResponse(task, "job", plant(900)),
					tx.PutCollection(task, aggregate.Collection{Request: plant(100), Response: plant(2500)}))
			})
			if err != nil {
				t.Fatal(err)
			}
			if n := found(); n != len(planted) {
				t.Fatalf("%d of %d planted values are found before the wipe: the search does not work", n, len(planted))
			}
			err = db.InTx(t.Context(), "wipe", func(tx aggregate.Tx) error {
				_, err := tx.Wipe(task, 1000)
				return err
			})
			if err := errors.Join(err, db.Erase(t.Context())); err != nil {
				t.Fatal(err)
			}
			if n := found(); n != 0 {
				t.Errorf("%d of %d planted values are found after the wipe", n, len(planted))
			}
		})
	}
}

// holds reports whether a file of the folder holds the bytes.
func holds(t *testing.T, folder string, needle []byte) bool {
	t.Helper()
	found := false
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // the server has just removed it
		}
		found = found || bytes.Contains(b, needle)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEraseWhileRead: a reader keeps SQLite's log alive, and with it what was
// deleted; that is said.
func TestEraseWhileRead(t *testing.T) {
	t.Parallel()
	cfg := hostdb.Config{Path: filepath.Join(t.TempDir(), "host.db")}
	db := open(t, cfg)
	reader := connect(t, "sqlite3", "file:"+cfg.Path)
	tx, err := reader.Begin()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRow(`SELECT COUNT(*) FROM tasks`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	err = db.Erase(t.Context())
	if err == nil || !strings.Contains(err.Error(), "another program reads the database") && !strings.Contains(err.Error(), "locked") {
		t.Errorf("erased under a reader: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.Erase(t.Context()); err != nil {
		t.Error(err)
	}
}
