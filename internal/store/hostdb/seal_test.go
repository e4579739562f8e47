package hostdb_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/store"
	"muster/internal/store/hostdb"
)

var (
	task  = dap.TaskID{1, 2, 3}
	other = dap.TaskID{9, 8, 7}
)

// prepared returns the path of a closed database with two tasks, made by fill.
func prepared(t *testing.T, cfg hostdb.Config, write func(aggregate.Tx) error) string {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "host.db")
	fill(t, cfg, write)
	return cfg.Path
}

// direct runs a statement past all code of ours, as a thief of the file would.
func direct(t *testing.T, path, statement string, args ...any) error {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=foreign_keys(on)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(statement, args...)
	return err
}

func TestShareIsSealed(t *testing.T) {
	t.Parallel()
	cfg := hostdb.Config{CycleKey: [hostdb.CycleKeySize]byte{1, 2, 3}}
	share := make([]byte, 200)
	rand.Read(share)
	first := aggregate.Bucket{Start: 5, Count: 2, Share: share, Checksum: dap.Checksum{1}}
	second := aggregate.Bucket{Start: 6, Count: 1, Share: []byte("another share"), Checksum: dap.Checksum{2}}
	fill := func(tx aggregate.Tx) error {
		return errors.Join(tx.PutBucket(task, first), tx.PutBucket(task, second), tx.PutBucket(other, second))
	}
	buckets := func(t *testing.T, cfg hostdb.Config) ([]aggregate.Bucket, error) {
		t.Helper()
		var list []aggregate.Bucket
		err := open(t, cfg).InTx(t.Context(), "read", func(tx aggregate.Tx) (err error) {
			list, err = tx.Buckets(task)
			return err
		})
		return list, err
	}

	t.Run("no part of it is in the files", func(t *testing.T) {
		t.Parallel()
		cfg := cfg
		cfg.Path = filepath.Join(t.TempDir(), "host.db")
		looked := 0
		cfg.Fault = func(_ string, point store.FaultPoint) error {
			files, err := filepath.Glob(cfg.Path + "*")
			if err != nil {
				return err
			}
			for _, file := range files {
				b, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				for piece := range slices.Chunk(share, 8) {
					if bytes.Contains(b, piece) {
						t.Errorf("%s, %s: %x is in clear", filepath.Base(file), point, piece)
					}
				}
				if bytes.Contains(b, first.Checksum[:]) {
					looked++ // the row itself is there
				}
			}
			return nil
		}
		db := open(t, cfg)
		for range 2 { // inserted and updated
			err := db.InTx(t.Context(), "fill", func(tx aggregate.Tx) error {
				return errors.Join(tx.CreateTask(task, dap.RoleLeader), tx.PutBucket(task, first))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if looked == 0 {
			t.Error("the row was seen in no file")
		}
	})
	t.Run("it comes back", func(t *testing.T) {
		t.Parallel()
		cfg := cfg
		cfg.Path = prepared(t, cfg, fill)
		got, err := buckets(t, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]aggregate.Bucket{first, second}, got); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
	})
	t.Run("sealing twice gives two ciphertexts", func(t *testing.T) {
		t.Parallel()
		path := prepared(t, cfg, fill)
		var distinct int
		db, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.QueryRow(`SELECT COUNT(DISTINCT substr(share, 1, 12)) FROM batch_buckets`).Scan(&distinct); err != nil {
			t.Fatal(err)
		}
		if distinct != 3 {
			t.Errorf("%d nonces in 3 rows", distinct)
		}
	})
	for name, change := range map[string]string{
		"moved to another time": `UPDATE batch_buckets SET start = 7 WHERE start = 5`,
		"two times exchanged": `UPDATE batch_buckets SET share = CASE start WHEN 5 THEN (SELECT share FROM batch_buckets WHERE start = 6 LIMIT 1)
			ELSE (SELECT share FROM batch_buckets WHERE start = 5) END WHERE task_id = '` + task.String() + `'`,
		"copied from another task": `UPDATE batch_buckets SET share = (SELECT share FROM batch_buckets WHERE task_id = '` + other.String() +
			`') WHERE task_id = '` + task.String() + `' AND start = 6`,
		"a byte changed": `UPDATE batch_buckets SET share = unhex(hex(substr(share, 1, 15)) ||
			CASE hex(substr(share, 16, 1)) WHEN '00' THEN '01' ELSE '00' END || hex(substr(share, 17))) WHERE start = 5`,
		"cut short":    `UPDATE batch_buckets SET share = substr(share, 1, length(share) - 1) WHERE start = 5`,
		"nearly empty": `UPDATE batch_buckets SET share = x'00' WHERE start = 5`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			cfg.Path = prepared(t, cfg, fill)
			if err := direct(t, cfg.Path, change); err != nil {
				t.Fatal(err)
			}
			wantSealed(t, func() error { _, err := buckets(t, cfg); return err }())
		})
	}
	t.Run("another cycle key", func(t *testing.T) {
		t.Parallel()
		cfg := cfg
		cfg.Path = prepared(t, cfg, fill)
		cfg.CycleKey[31]++
		_, err := buckets(t, cfg)
		wantSealed(t, err)
	})
}

func wantSealed(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("the share opened")
	}
	for _, part := range []string{"batch_buckets/", "/share does not open", "another cycle key, or a changed database"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// A receipt that was changed in the database is an error, not a wrong roster.
func TestChangedReceipt(t *testing.T) {
	t.Parallel()
	path := prepared(t, hostdb.Config{}, func(tx aggregate.Tx) error {
		r := coalition.NewReceipt(task, "a", 1, 1, dap.ReportID{1}, [32]byte{}, [32]byte{})
		body, err := keys.Canonical(r)
		if err != nil {
			return err
		}
		return tx.PutReceipt(task, aggregate.StoredReceipt{Receipt: r, Signed: coalition.SignedReceipt{Body: body, Signature: []byte("note")}})
	})
	for name, change := range map[string]string{
		"not JSON":         `UPDATE receipts SET body = x'7b'`,
		"no report id":     `UPDATE receipts SET body = CAST('{"helper":"","kind":"","leader":"","member":"a","report_id":"x","seq":1,"task_id":"","time":1}' AS BLOB)`,
		"another encoding": `UPDATE receipts SET body = CAST(' ' || CAST(body AS TEXT) AS BLOB)`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied := filepath.Join(t.TempDir(), "host.db")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(copied, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := direct(t, copied, change); err != nil {
				t.Fatal(err)
			}
			err = open(t, hostdb.Config{Path: copied}).InTx(t.Context(), "list", func(tx aggregate.Tx) error {
				_, err := tx.LastReceipts(task)
				return err
			})
			if err == nil {
				t.Error("the changed receipt was accepted")
			}
		})
	}
}
