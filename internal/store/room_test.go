package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/store"
	"muster/internal/store/pgtest"
)

// A full disk is said in words, on both engines, and is over when there is room.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		config     func(t *testing.T) store.Config
		fill, free string
		want       string
	}{
		"SQLite": {
			config: func(*testing.T) store.Config { return store.Config{} },
			fill:   `PRAGMA max_page_count = 1`, free: `PRAGMA max_page_count = 1000000`,
			want: "there is no room left for the database",
		},
		"PostgreSQL": {
			config: func(t *testing.T) store.Config { return store.Config{DSN: store.NewDSN(pgtest.DSN(t))} },
			fill: `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
				CREATE TRIGGER full_disk BEFORE INSERT ON notes EXECUTE FUNCTION no_room()`,
			free: `DROP TRIGGER full_disk ON notes`,
			want: "there is no room left for the database",
		},
		"PostgreSQL, broken": {
			config: func(t *testing.T) store.Config { return store.Config{DSN: store.NewDSN(pgtest.DSN(t))} },
			fill: `CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not write' USING ERRCODE = 'io_error'; END $$;
				CREATE TRIGGER broken_disk BEFORE INSERT ON notes EXECUTE FUNCTION broken()`,
			free: `DROP TRIGGER broken_disk ON notes`,
			want: "the disk of the database does not take what is written to it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, row.config(t))
			exec := func(statement string) error {
				return db.InTx(t.Context(), "exec", func(tx *sql.Tx) error {
					_, err := tx.Exec(statement)
					return err
				})
			}
			much := func(tx *sql.Tx) error {
				for i := range 40 {
					if err := insert(fmt.Sprint(i, strings.Repeat(" much", 200)))(tx); err != nil {
						return err
					}
				}
				return nil
			}
			if err := exec(row.fill); err != nil {
				t.Fatal(err)
			}
			err := db.InTx(t.Context(), "insert", much)
			if errs.KindOf(err) != errs.Unavailable || !strings.HasPrefix(errs.Describe(err).Message, row.want) {
				t.Errorf("got %v", err)
			}
			if err := exec(row.free); err != nil {
				t.Fatal(err)
			}
			if err := db.InTx(t.Context(), "insert", much); err != nil {
				t.Error(err)
			}
		})
	}
}
