package hostdb_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
)

// row is a row that a table accepts: SQL by column.
type row map[string]string

func (r row) insert(table string) string {
	columns := slices.Sorted(maps.Keys(r))
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = r[c]
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(values, ", "))
}

// tableTest is a table, a row that it takes, and what it must not take.
type tableTest struct {
	name  string
	valid row
	wrong map[string]row // what differs, by what is wrong
	twice []row          // further rows that must not stand beside the valid one
}

func tableTests() []tableTest {
	id, second := "'"+task.String()+"'", "'"+other.String()+"'"
	report := "'" + dap.ReportID{7}.String() + "'"
	unknown := "'" + dap.TaskID{42}.String() + "'"
	digest := "'" + strings.Repeat("ab", 32) + "'"
	return []tableTest{
		{
			name: "tasks", valid: row{"task_id": unknown, "role": "'leader'", "phase": "'open'"},
			wrong: map[string]row{
				"no id": {"task_id": "NULL"}, "empty id": {"task_id": "''"}, "long id": {"task_id": unknown + " || 'x'"},
				"client": {"role": "'client'"}, "no role": {"role": "NULL"}, "role in capitals": {"role": "'Leader'"},
				"unknown phase": {"phase": "'gone'"}, "no phase": {"phase": "NULL"},
				"no word of the sum": {"sum_left": "NULL"},
			},
			twice: []row{{"task_id": unknown, "role": "'helper'", "phase": "'open'"}},
		},
		{
			name: "record_lines", valid: row{"entry_id": "'a'", "number": "0", "line": "x'01'"},
			wrong: map[string]row{
				"no entry": {"entry_id": "NULL"}, "empty entry": {"entry_id": "''"}, "no number": {"number": "NULL"}, "number -1": {"number": "-1"},
				"no line": {"line": "NULL"}, "empty line": {"line": "x''"},
			},
			twice: []row{{"entry_id": "'a'", "number": "1", "line": "x'01'"}, {"entry_id": "'b'", "number": "0", "line": "x'01'"}},
		},
		{
			name: "restorations", valid: row{"backup": digest, "restored": "1", "taken": "0", "statement": "'collected'"},
			wrong: map[string]row{
				"no backup": {"backup": "NULL"}, "no digest": {"backup": "'x'"}, "no time": {"restored": "NULL"}, "before 1970": {"restored": "-1"},
				"taken before 1970": {"taken": "-1"}, "never taken": {"taken": "NULL"}, "no statement": {"statement": "NULL"}, "another statement": {"statement": "'maybe'"},
				"half reconciled": {"reconciled": "2"}, "reconciled is null": {"reconciled": "NULL"},
			},
			twice: []row{{"backup": digest, "restored": "1", "taken": "5", "statement": "'not asked'"}},
		},
		{
			name: "leases", valid: row{"task_id": id, "holder": "'a'", "token": "1", "expires": "0"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no holder": {"holder": "NULL"}, "empty holder": {"holder": "''"},
				"token 0": {"token": "0"}, "no token": {"token": "NULL"}, "before 1970": {"expires": "-1"}, "no end": {"expires": "NULL"},
			},
			twice: []row{{"task_id": id, "holder": "'b'", "token": "2", "expires": "5"}},
		},
		{
			name: "receipts", valid: row{"task_id": id, "member": "'a'", "seq": "1", "report_id": report, "body": "x'01'", "signature": "x'02'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no member": {"member": "NULL"}, "empty member": {"member": "''"},
				"sequence 0": {"seq": "0"}, "sequence -1": {"seq": "-1"}, "sequence in words": {"seq": "'one'"}, "sequence 1.5": {"seq": "1.5"}, "no sequence": {"seq": "NULL"},
				"no report": {"report_id": "NULL"}, "broken report id": {"report_id": "'x'"},
				"no body": {"body": "NULL"}, "empty body": {"body": "x''"}, "text body": {"body": "'{}'"},
				"no signature": {"signature": "NULL"}, "empty signature": {"signature": "x''"},
			},
			twice: []row{
				{"task_id": id, "member": "'a'", "seq": "1", "report_id": "'AAAAAAAAAAAAAAAAAAAAAA'", "body": "x'01'", "signature": "x'02'"},
				{"task_id": id, "member": "'b'", "seq": "2", "report_id": report, "body": "x'01'", "signature": "x'02'"},
			},
		},
		{
			name: "set_aside", valid: row{"task_id": second, "member": "'s'", "seq": "7"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no member": {"member": "NULL"}, "no sequence": {"seq": "NULL"},
				"a receipt that is not there": {"seq": "9"}, "another member": {"member": "'b'"}, "another task": {"task_id": id},
			},
			twice: []row{{"task_id": second, "member": "'s'", "seq": "7"}},
		},
		{
			name: "rosters", valid: row{"task_id": id, "body": "x'01'", "signature": "x'02'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no body": {"body": "NULL"}, "empty body": {"body": "x''"},
				"no signature": {"signature": "NULL"}, "empty signature": {"signature": "x''"},
			},
			twice: []row{{"task_id": id, "body": "x'03'", "signature": "x'04'"}},
		},
		{
			name: "addenda", valid: row{"task_id": id, "number": "1", "body": "x'01'", "signature": "x'02'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "number 0": {"number": "0"}, "no number": {"number": "NULL"},
				"no body": {"body": "NULL"}, "empty body": {"body": "x''"}, "no signature": {"signature": "NULL"}, "empty signature": {"signature": "x''"},
			},
			twice: []row{{"task_id": id, "number": "1", "body": "x'03'", "signature": "x'04'"}},
		},
		{
			name: "amendments", valid: row{"task_id": second, "number": "1", "body": "x'01'", "signature": "x'02'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "task without roster": {"task_id": id}, "no task": {"task_id": "NULL"},
				"number 0": {"number": "0"}, "no number": {"number": "NULL"}, "no body": {"body": "NULL"}, "empty body": {"body": "x''"},
				"no signature": {"signature": "NULL"}, "empty signature": {"signature": "x''"},
			},
			twice: []row{{"task_id": second, "number": "1", "body": "x'03'", "signature": "x'04'"}},
		},
		{
			name: "reports", valid: row{"task_id": id, "report_id": report, "body": "x'01'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no report": {"report_id": "NULL"}, "broken report id": {"report_id": "'x'"},
				"no body": {"body": "NULL"}, "empty body": {"body": "x''"},
			},
			twice: []row{{"task_id": id, "report_id": report, "body": "x'02'"}},
		},
		{
			name: "settled_reports", valid: row{"task_id": id, "report_id": report, "accepted": "TRUE", "report_error": "''"},
			wrong: map[string]row{
				"no task": {"task_id": "NULL"}, "no report": {"report_id": "NULL"}, "broken report id": {"report_id": "'x'"},
				"half accepted": {"accepted": "2"}, "accepted is null": {"accepted": "NULL"},
				"accepted with an error": {"report_error": "'report_dropped'"}, "rejected without": {"accepted": "FALSE"}, "no error": {"report_error": "NULL"},
			},
			twice: []row{{"task_id": id, "report_id": report, "accepted": "FALSE", "report_error": "'report_dropped'"}},
		},
		{
			name: "leader_jobs", valid: row{"task_id": id, "number": "0", "request": "x'01'", "done": "TRUE"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "negative number": {"number": "-1"}, "no number": {"number": "NULL"},
				"done without request": {"request": "NULL"}, "half done": {"done": "2"}, "done is null": {"done": "NULL"},
			},
			twice: []row{{"task_id": id, "number": "0", "done": "FALSE"}},
		},
		{
			name: "leader_job_reports", valid: row{"task_id": id, "number": "5", "position": "0", "report_id": report},
			wrong: map[string]row{
				"no task": {"task_id": "NULL"}, "no job": {"number": "NULL"},
				"negative position": {"position": "-1"}, "no position": {"position": "NULL"}, "no report": {"report_id": "NULL"}, "broken report id": {"report_id": "'x'"},
			},
			twice: []row{
				{"task_id": id, "number": "5", "position": "1", "report_id": report},
				{"task_id": id, "number": "5", "position": "0", "report_id": "'AAAAAAAAAAAAAAAAAAAAAA'"},
				{"task_id": id, "number": "4", "position": "0", "report_id": report},
			},
		},
		{
			name: "helper_jobs", valid: row{"task_id": id, "job_id": "'job'", "response": "x'01'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no job": {"job_id": "NULL"}, "empty job": {"job_id": "''"}, "no response": {"response": "NULL"},
			},
			twice: []row{{"task_id": id, "job_id": "'job'", "response": "x'02'"}},
		},
		{
			name: "batch_buckets", valid: row{"task_id": id, "start": "0", "share": "x'01'", "count": "1", "checksum": "zeroblob(32)"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "negative start": {"start": "-1"}, "no start": {"start": "NULL"},
				"no share": {"share": "NULL"}, "empty share": {"share": "x''"}, "count 0": {"count": "0"}, "no count": {"count": "NULL"},
				"short checksum": {"checksum": "zeroblob(31)"}, "long checksum": {"checksum": "zeroblob(33)"}, "no checksum": {"checksum": "NULL"},
			},
			twice: []row{{"task_id": id, "start": "0", "share": "x'02'", "count": "2", "checksum": "zeroblob(32)"}},
		},
		{
			name: "collections", valid: row{"task_id": id, "request": "x'01'", "response": "x'02'"},
			wrong: map[string]row{
				"unknown task": {"task_id": unknown}, "no task": {"task_id": "NULL"}, "no request": {"request": "NULL"}, "empty request": {"request": "x''"}, "text request": {"request": "'x'"},
			},
			twice: []row{{"task_id": id, "request": "x'03'", "response": "NULL"}},
		},
	}
}

// lenient is what PostgreSQL takes although SQLite does not: an unmarked literal
// becomes what the column is, and a fraction is rounded. No statement of ours
// holds literals of such columns.
var lenient = []string{"sequence 1.5", "text body", "text request"}

// inPostgres writes SQLite's literals as PostgreSQL's.
func inPostgres(statement string) string {
	statement = regexp.MustCompile(`x'([0-9a-f]*)'`).ReplaceAllString(statement, `'\x$1'::bytea`)
	return regexp.MustCompile(`zeroblob\((\d+)\)`).ReplaceAllString(statement, `decode(repeat('00', $1), 'hex')`)
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg, driver, name := e.place(t)
			sent := aggregate.StoredReceipt{
				Receipt: coalition.NewReceipt(other, "s", 7, 1, dap.ReportID{7}, [32]byte{}, [32]byte{}),
				Signed:  coalition.SignedReceipt{Body: []byte("receipt"), Signature: []byte("note")},
			}
			fill(t, cfg, func(tx aggregate.Tx) error {
				return errors.Join(
					tx.PlanJobs(task, []aggregate.Job{{Number: 4}, {Number: 5}}),
					tx.PutReceipt(other, sent),
					tx.PutRoster(other, coalition.SignedRoster{Body: []byte("roster"), Signature: []byte("note")}))
			})
			db := connect(t, driver, name)
			// try runs statements and takes them back; it returns the last one's error.
			try := func(t *testing.T, statements ...string) error {
				t.Helper()
				tx, err := db.Begin()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				for i, s := range statements {
					if e.name == "PostgreSQL" {
						s = inPostgres(s)
					}
					if _, err := tx.Exec(s); i == len(statements)-1 {
						return err
					} else if err != nil {
						t.Fatalf("%s: %v", s, err)
					}
				}
				return nil
			}
			seen := make(map[string]bool)
			for _, table := range tableTests() {
				seen[table.name] = true
				t.Run(table.name, func(t *testing.T) {
					if err := try(t, table.valid.insert(table.name)); err != nil {
						t.Fatalf("a valid row is refused: %v", err)
					}
					for name, difference := range table.wrong {
						if e.name == "PostgreSQL" && slices.Contains(lenient, name) {
							continue
						}
						wrong := maps.Clone(table.valid)
						maps.Copy(wrong, difference)
						wantConstraint(t, name, try(t, wrong.insert(table.name)))
					}
					for i, again := range table.twice {
						if err := try(t, again.insert(table.name)); err != nil {
							t.Fatalf("the further row %d is refused by itself: %v", i, err)
						}
						wantConstraint(t, fmt.Sprintf("further row %d", i), try(t, table.valid.insert(table.name), again.insert(table.name)))
					}
				})
			}
			t.Run("tasks with rows stay", func(t *testing.T) {
				wantConstraint(t, "delete", try(t, `DELETE FROM tasks WHERE task_id = '`+task.String()+`'`))
			})
			for name := range e.schema(t, db) {
				if !seen[name] {
					t.Errorf("no test of table %s", name)
				}
			}
		})
	}
}

func wantConstraint(t *testing.T, what string, err error) {
	t.Helper()
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (strings.HasPrefix(pg.Code, "23") || pg.Code == "42804" || pg.Code == "22P02") {
		return // a constraint, or a value of another type than the column's
	}
	if err == nil {
		t.Errorf("%s: accepted", what)
	} else if !strings.Contains(err.Error(), "constraint failed") && !strings.Contains(err.Error(), "cannot store") {
		t.Errorf("%s: %v; want a violated constraint", what, err)
	}
}
