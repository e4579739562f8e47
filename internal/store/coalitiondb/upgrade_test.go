package coalitiondb_test

import (
	"database/sql"
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cycle"
	"muster/internal/store"
)

// A database of the first schema is read by this program with everything that was in it:
// what people asked for, who approved, and the keys that were enrolled by that.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			first := fstest.MapFS{}
			for _, name := range []string{"sqlite/00001_initial_schema.sql", "postgres/00001_initial_schema.sql"} {
				body, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				first[name] = &fstest.MapFile{Data: body}
			}
			cfg, driver, name := e.place(t)
			old, err := store.Open(t.Context(), store.Config{Path: cfg.Path, DSN: cfg.DSN, Migrations: first})
			if err != nil {
				t.Fatal(err)
			}
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			raw, err := sql.Open(driver, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range []string{
				`INSERT INTO account_people (id, name, folded, grants, added) VALUES ('00112233445566778899aabbccddeeff', 'Anna', 'anna', '[]', 1)`,
				`INSERT INTO parties (id, name, folded, kind, added) VALUES ('ostmere', 'Ostmere', 'ostmere', 'member', 1)`,
				`INSERT INTO cycles (id, framework, version, digest, marking, phase, made, charter, release) VALUES ('2031', '', '', '', '', 'draft', 1, '', '')`,
				`INSERT INTO requests (number, kind, party, subject, reason, maker, at, verdict, verdict_reason, verdict_maker, ended) VALUES (1, 'enrol a key', 'ostmere', 'k', '', 'Ada', 1, 'approved', '', 'Anna', 2)`,
				`INSERT INTO requests (number, kind, cycle, subject, reason, maker, at) VALUES (2, 'cancel the cycle', '2031', '', 'x', 'Ada', 3)`,
				`INSERT INTO approvals (request, slot, person, maker, at) VALUES (1, 'second', '00112233445566778899aabbccddeeff', 'Anna', 2)`,
				`INSERT INTO party_keys (party, number, public, at, request) VALUES ('ostmere', 1, 'k', 2, 1)`,
			} {
				if _, err := raw.Exec(statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			if err := raw.Close(); err != nil {
				t.Fatal(err)
			}
			db := open(t, cfg)
			err = db.View(t.Context(), "look", func(r cycle.Reader) error {
				q, ok, err := r.Request(1)
				if err != nil || !ok {
					t.Errorf("%t, %v", ok, err)
				}
				want := cycle.Request{
					Number: 1, Kind: cycle.Enrolment, Party: "ostmere", Subject: "k", By: "Ada", At: cycleTime(1), Verdict: cycle.Approved, EndBy: "Anna", Ended: cycleTime(2),
					Approvals: []cycle.Approval{{Slot: "second", Person: "00112233445566778899aabbccddeeff", By: "Anna", At: cycleTime(2)}},
				}
				if diff := cmp.Diff(want, q); diff != "" {
					t.Errorf("-kept +read\n%s", diff)
				}
				open, err := r.Requests()
				if err != nil || len(open) != 1 || open[0].Number != 2 || open[0].Reason != "x" {
					t.Errorf("open: %v, %v", open, err)
				}
				enrolled, err := r.Keys()
				if err != nil || len(enrolled) != 1 || enrolled[0].Public != "k" || enrolled[0].Request != 1 {
					t.Errorf("keys: %v, %v", enrolled, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.InTx(t.Context(), "go on", func(tx cycle.Tx) error {
				_, err := tx.AddRequest(cycle.Request{Kind: cycle.Publishing, Cycle: "2031", Subject: "allied x", By: "Ada", At: cycleTime(4)})
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
