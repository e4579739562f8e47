package coalitiondb_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/account"
	"muster/internal/cycle"
	"muster/internal/store"
	"muster/internal/store/coalitiondb"
	"muster/internal/store/pgtest"
	"muster/internal/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// engine is a kind of database as the tests use it.
type engine struct {
	name string
	// place returns where a new, empty database is: for us, and for somebody who opens
	// it past all code of ours.
	place func(t *testing.T) (cfg coalitiondb.Config, driver, name string)
	// schema returns what the tables are made of.
	schema func(t *testing.T, db *sql.DB) map[string]storetest.Table
	// triggers lists what the schema does by itself, by table and name.
	triggers string
}

func engines() []engine {
	return []engine{
		{
			"SQLite",
			func(t *testing.T) (coalitiondb.Config, string, string) {
				path := filepath.Join(t.TempDir(), "coordinator.db")
				return coalitiondb.Config{Path: path}, "sqlite3", "file:" + path + "?_pragma=foreign_keys(on)"
			},
			storetest.SQLiteSchema, `SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'`,
		},
		{
			"PostgreSQL",
			func(t *testing.T) (coalitiondb.Config, string, string) {
				dsn := pgtest.DSN(t)
				return coalitiondb.Config{DSN: store.NewDSN(dsn)}, "pgx", dsn
			},
			storetest.PostgresSchema, `SELECT r.relname, t.tgname FROM pg_trigger AS t JOIN pg_class AS r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgname NOT LIKE '%_are_not_emptied'`,
		},
	}
}

func open(t *testing.T, cfg coalitiondb.Config) *coalitiondb.DB {
	t.Helper()
	db, err := coalitiondb.Open(t.Context(), cfg)
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

func TestStore(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			fresh := func(t *testing.T) *coalitiondb.DB {
				cfg, _, _ := e.place(t)
				return open(t, cfg)
			}
			storetest.ExerciseCoalition(t, func(t *testing.T) storetest.Coalition {
				db := fresh(t)
				return storetest.Coalition{Store: db, People: db.Accounts()}
			})
			storetest.ExerciseEditions(t, func(t *testing.T) storetest.Editions {
				db := fresh(t)
				return storetest.Editions{Coalition: storetest.Coalition{Store: db, People: db.Accounts()}, Editions: db.Editions()}
			})
			storetest.ExerciseAccounts(t, func(t *testing.T) account.Store { return fresh(t).Accounts() })
		})
	}
}

// connect opens a new database past all code of ours.
func (e engine) connect(t *testing.T) *sql.DB {
	t.Helper()
	cfg, driver, name := e.place(t)
	open(t, cfg)
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// What one engine refuses, the other refuses, too: by its tables and by its triggers.
func TestSchemasAreEqual(t *testing.T) {
	t.Parallel()
	var schemas []map[string]storetest.Table
	var triggers []map[string]bool
	for _, e := range engines() {
		db := e.connect(t)
		schemas = append(schemas, e.schema(t, db))
		rows, err := db.Query(e.triggers)
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string]bool)
		for rows.Next() {
			var table, name string
			if err := rows.Scan(&table, &name); err != nil {
				t.Fatal(err)
			}
			found[table+" "+name] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		triggers = append(triggers, found)
	}
	if len(schemas[0]) != 22 || len(schemas[0]["requests"].Checks) < 9 || len(schemas[0]["approvals"].Foreign) != 2 {
		t.Errorf("%d tables of SQLite are seen: %v", len(schemas[0]), schemas[0]["requests"])
	}
	if diff := cmp.Diff(schemas[0], schemas[1]); diff != "" {
		t.Errorf("schema (-SQLite +PostgreSQL):\n%s", diff)
	}
	if len(triggers[0]) < 35 {
		t.Errorf("only %d triggers are seen", len(triggers[0]))
	}
	if diff := cmp.Diff(triggers[0], triggers[1]); diff != "" {
		t.Errorf("triggers (-SQLite +PostgreSQL):\n%s", diff)
	}
}

func TestColumnsHaveComments(t *testing.T) {
	t.Parallel()
	storetest.CheckComments(t, 100)
}

// What happened is neither changed nor deleted, also past all code of ours.
func TestWhatHappenedStays(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			db := e.connect(t)
			const person = "'00112233445566778899aabbccddeeff'"
			digest := "'" + strings.Repeat("0", 64) + "'"
			blob := map[string]string{"SQLite": `x'00'`, "PostgreSQL": `'\x00'::bytea`}
			rows := []struct{ table, insert, change string }{
				{"coalition", `(one, name) VALUES (1, 'Sea of Lights')`, ""},
				{"account_people", `(id, name, folded, grants, added) VALUES (` + person + `, 'Anna', 'anna', '[]', 1)`, ""},
				{"account_credentials", `(kind, issuer, id, person, name, record, added) VALUES ('passkey', '', 'a', ` + person + `, 'phone', '{}', 1)`, "person = 'x'"},
				{"account_events", `(seq, at, what, maker, person, detail, source) VALUES (1, 1, 'invited', 'Ada', 'Anna', '', '')`, "at = 2"},
				{"parties", `(id, name, folded, kind, added) VALUES ('ostmere', 'Ostmere', 'ostmere', 'member', 1)`, ""},
				{"cycles", `(id, framework, version, digest, marking, phase, made, charter, release) VALUES ('2031', '', '', '', '', 'draft', 1, '', '')`, ""},
				{"steps", `(cycle, number, before, after, reason, maker, at) VALUES ('2031', 1, 'draft', 'consultation', '', 'Ada', 1)`, "reason = 'x'"},
				{"extensions", `(cycle, number, before, after, reason, maker, at) VALUES ('2031', 1, 1, 2, 'x', 'Ada', 1)`, "after = 3"},
				{"participations", `(cycle, party, number, status, maker, at) VALUES ('2031', 'ostmere', 1, 'declined', 'Ada', 1)`, "status = 'delivered'"},
				{"requests", `(number, kind, party, subject, reason, maker, at, verdict, verdict_reason, verdict_maker, ended) VALUES (1, 'enrol a key', 'ostmere', 'k', '', 'Ada', 1, 'refused', 'no', 'Bo', 2)`, "verdict = 'approved'"},
				{"approvals", `(request, slot, person, maker, at) VALUES (1, 'second', ` + person + `, 'Anna', 1)`, "maker = 'Bo'"},
				{"party_keys", `(party, number, public, at, request) VALUES ('ostmere', 1, 'k', 1, 1)`, "public = 'other'"},
				{"questions", `(number, cycle, asker, text, asked, wording, answer, maker, at) VALUES (1, '2031', ` + person + `, 'a', 1, 'b', 'c', 'Ada', 2)`, "answer = 'd'"},
				{"sendings", `(person, cycle, topic, at) VALUES (` + person + `, '', 'x', 1)`, "topic = 'y'"},
				{"releases", `(digest, number, cycle, cohort, body, members, maker, at) VALUES (` + digest + `, 1, '2031', 'members', ` + blob[e.name] + `, '[]', 'Ada', 1)`, "cohort = 'y'"},
				{"editions", `(cycle, name, number, text, maker, at) VALUES ('2031', 'allied', 1, 'x', 'Ada', 1)`, "text = 'y'"},
				{"edition_files", `(digest, body) VALUES (` + digest + `, ` + blob[e.name] + `)`, "digest = 'y'"},
				{"edition_acts", `(cycle, name, seq, number, deed, digest, reason, maker, at) VALUES ('2031', 'allied', 1, 1, 'published', ` + digest + `, '', 'Ada', 1)`, "reason = 'y'"},
				{"record", `(number, at, maker, what, cycle, party, detail, digest) VALUES (1, 1, 'Ada', 'founded', '', '', '', ` + digest + `)`, "detail = 'y'"},
			}
			for _, r := range rows {
				if _, err := db.Exec("INSERT INTO " + r.table + " " + r.insert); err != nil {
					t.Fatalf("%s: %v", r.table, err)
				}
			}
			refused := func(statement string) {
				t.Helper()
				_, err := db.Exec(statement)
				if err == nil {
					t.Errorf("done: %s", statement)
				} else if text := err.Error(); !strings.Contains(text, "does not change") && !strings.Contains(text, "not deleted") && !strings.Contains(text, "once") && !strings.Contains(text, "stays with") {
					t.Errorf("%s: %v, which is no trigger of ours", statement, err)
				}
			}
			for _, r := range rows {
				refused("DELETE FROM " + r.table)
				if r.change != "" {
					refused("UPDATE " + r.table + " SET " + r.change)
				}
				if e.name == "PostgreSQL" && (r.table == "record" || r.table == "steps") {
					refused("TRUNCATE " + r.table)
				}
			}
		})
	}
}

// A copy that is restored is the same, but nobody is signed in there.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg, _, _ := e.place(t)
			db := open(t, cfg)
			person := account.Person{ID: "00112233445566778899aabbccddeeff", Name: "Anna", Grants: []account.Grant{{Role: "auditor"}}, Added: cycleTime(1)}
			err := db.Accounts().InTx(t.Context(), "fill", func(tx account.Tx) error {
				if err := tx.PutPerson(person); err != nil {
					return err
				}
				if err := tx.PutInvitation(account.Invitation{Digest: strings.Repeat("a", 64), Person: person.ID, Made: cycleTime(1), By: "Ada", Expires: cycleTime(100)}); err != nil {
					return err
				}
				return tx.PutSession(account.Session{Digest: "s", Person: person.ID, Began: cycleTime(1), Seen: cycleTime(1), Expires: cycleTime(50), Value: []byte("v")})
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.InTx(t.Context(), "fill", func(tx cycle.Tx) error { return tx.Begin("Sea of Lights") }); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "snapshot")
			if err := db.Snapshot(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			to, _, _ := e.place(t)
			if err := coalitiondb.Restore(t.Context(), to, path); err != nil {
				t.Fatal(err)
			}
			restored := open(t, to)
			err = restored.View(t.Context(), "look", func(r cycle.Reader) error {
				name, err := r.Coalition()
				if name != "Sea of Lights" {
					t.Errorf("the coalition is %q", name)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = restored.Accounts().View(t.Context(), "look", func(r account.Reader) error {
				_, in, err := r.Session("s")
				if in || err != nil {
					return fmt.Errorf("signed in: %v, %w", in, err)
				}
				i, ok, err := r.Invitation(strings.Repeat("a", 64))
				if !ok || i.Void.IsZero() || err != nil {
					return fmt.Errorf("the invitation is %+v, %w", i, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func cycleTime(n int64) time.Time { return time.UnixMicro(n).UTC() }
