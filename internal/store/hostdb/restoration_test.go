package hostdb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/errs"
	"muster/internal/store/hostdb"
)

// TestSnapshot: a snapshot that was taken beside a writer is whole, and restored
// it is what it was; nothing is replaced by it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg := e.config(t)
			db := open(t, cfg)
			put := func(n int) {
				t.Helper()
				err := db.InTx(t.Context(), "put", func(tx aggregate.Tx) error {
					if err := tx.CreateTask(task, dap.RoleLeader); err != nil {
						return err
					}
					_, err := tx.PutReport(task, dap.ReportID{byte(n)}, []byte{byte(n)})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			put(1)
			path := filepath.Join(t.TempDir(), "snapshot")
			// Another process reads and writes meanwhile.
			other := open(t, cfg)
			if err := other.Snapshot(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			put(2)
			if err := other.Snapshot(t.Context(), path); err == nil {
				t.Error("a snapshot replaced a file")
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the snapshot has mode %v", info.Mode())
			}
			if err := hostdb.RestoreSnapshot(t.Context(), cfg, path); errs.KindOf(err) != errs.Conflict {
				t.Errorf("restored over a database: %v", err)
			}
			to := e.config(t)
			if err := hostdb.RestoreSnapshot(t.Context(), to, path); err != nil {
				t.Fatal(err)
			}
			restored := open(t, to)
			got := map[dap.ReportID][]byte{}
			err = restored.InTx(t.Context(), "read", func(tx aggregate.Tx) (err error) {
				got, err = tx.Reports(task, []dap.ReportID{{1}, {2}})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[dap.ReportID][]byte{{1}: {1}}, got); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
			if err := hostdb.RestoreSnapshot(t.Context(), e.config(t), filepath.Join(t.TempDir(), "nothing")); err == nil {
				t.Error("restored from nothing")
			}
		})
	}
}

// TestRestorations: a restoration is pending until the other host was asked.
func TestRestorations(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			db := open(t, e.config(t))
			wants := func(want hostdb.Restoration, pending bool) {
				t.Helper()
				got, ok, err := db.PendingRestoration(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); ok != pending || diff != "" {
					t.Errorf("pending %t, want %t: %s", ok, pending, diff)
				}
			}
			wants(hostdb.Restoration{}, false)
			first := hostdb.Restoration{Backup: strings.Repeat("ab", 32), Restored: time.UnixMicro(2000), Taken: time.UnixMicro(1000), Statement: hostdb.NotCollected}
			second := hostdb.Restoration{Backup: strings.Repeat("cd", 32), Restored: time.UnixMicro(3000), Taken: time.UnixMicro(1500), Statement: hostdb.Collected}
			for _, r := range []hostdb.Restoration{first, second} {
				if err := db.PutRestoration(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.PutRestoration(t.Context(), first); err == nil {
				t.Error("one restoration was recorded twice")
			}
			wants(second, true)
			if err := db.FinishRestorations(t.Context()); err != nil {
				t.Fatal(err)
			}
			wants(hostdb.Restoration{}, false)
		})
	}
}

// TestSnapshotWithoutPgDump says what is missing.
func TestSnapshotWithoutPgDump(t *testing.T) {
	db := open(t, engines()[1].config(t))
	t.Setenv("PATH", t.TempDir())
	path := filepath.Join(t.TempDir(), "snapshot")
	err := db.Snapshot(t.Context(), path)
	if errs.KindOf(err) != errs.Unavailable || !strings.Contains(errs.Describe(err).Message, "pg_dump is not installed here") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}
}
