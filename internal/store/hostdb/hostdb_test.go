package hostdb_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/store/pgtest"
	"muster/internal/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// engine is a kind of database as the tests use it.
type engine struct {
	name string
	// place returns where a new, empty database is: for us, and for somebody
	// who opens it past all code of ours.
	place func(t *testing.T) (cfg hostdb.Config, driver, name string)
	// schema returns what the tables are made of.
	schema func(t *testing.T, db *sql.DB) map[string]storetest.Table
}

func engines() []engine {
	return []engine{
		{
			name: "SQLite",
			place: func(t *testing.T) (hostdb.Config, string, string) {
				path := filepath.Join(t.TempDir(), "host.db")
				return hostdb.Config{Path: path}, "sqlite3", "file:" + path + "?_pragma=foreign_keys(on)"
			},
			schema: storetest.SQLiteSchema,
		},
		{
			name: "PostgreSQL",
			place: func(t *testing.T) (hostdb.Config, string, string) {
				dsn := pgtest.DSN(t)
				return hostdb.Config{DSN: store.NewDSN(dsn)}, "pgx", dsn
			},
			schema: storetest.PostgresSchema,
		},
	}
}

// config returns where a new, empty database is.
func (e engine) config(t *testing.T) hostdb.Config {
	t.Helper()
	cfg, _, _ := e.place(t)
	return cfg
}

func connect(t *testing.T, driver, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func open(t *testing.T, cfg hostdb.Config) *hostdb.DB {
	t.Helper()
	if cfg.Path == "" && cfg.DSN.IsZero() {
		cfg.Path = filepath.Join(t.TempDir(), "host.db")
	}
	db, err := hostdb.Open(t.Context(), cfg)
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

// fill creates two tasks in a new database, and what write adds.
func fill(t *testing.T, cfg hostdb.Config, write func(aggregate.Tx) error) {
	t.Helper()
	db, err := hostdb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = db.InTx(t.Context(), "fill", func(tx aggregate.Tx) error {
		if err := errors.Join(tx.CreateTask(task, dap.RoleLeader), tx.CreateTask(other, dap.RoleHelper)); err != nil {
			return err
		}
		return write(tx)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(t *testing.T) aggregate.Store { return open(t, e.config(t)) })
		})
	}
}
