package storetest

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Table is what a table is made of, in words that both engines share.
type Table struct {
	Columns []Column
	Key     []string
	Unique  []string // each: the columns, with commas
	Foreign []string // each: (columns) table (columns)
	Checks  []string // without blanks, parentheses and casts
}

// Column is one of its columns.
type Column struct {
	Name    string
	Type    string // text, integer, boolean, bytes
	NotNull bool
	Default string
}

// each calls scan for every row of a query.
func each(t *testing.T, db *sql.DB, query string, scan func(rows *sql.Rows) error, args ...any) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// plain is an expression without what the engines write differently.
func plain(expression string) string {
	for _, r := range []struct{ old, new string }{
		{`::[a-z]+(\[\])?`, ``}, {`["\s]`, ``}, {`=ANY\(+ARRAY\[([^\]]*)\]\)+`, `IN($1)`}, {`\(accepted=1\)`, `accepted`}, {`done=0`, `NOTdone`}, {`[()]`, ``},
	} {
		expression = regexp.MustCompile(r.old).ReplaceAllString(expression, r.new)
	}
	return expression
}

// SQLiteSchema returns the tables of a SQLite database, which have to be STRICT.
func SQLiteSchema(t *testing.T, db *sql.DB) map[string]Table {
	t.Helper()
	tables := make(map[string]Table)
	each(t, db, `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%'`, func(rows *sql.Rows) error {
		var name, definition string
		err := rows.Scan(&name, &definition)
		if !strings.HasSuffix(definition, "STRICT") {
			t.Errorf("table %s is not STRICT", name)
		}
		definition = regexp.MustCompile(`--.*`).ReplaceAllString(definition, "")
		tables[name] = Table{Checks: checks(definition)}
		return err
	})
	for name, found := range tables {
		flags := make(map[string]bool) // columns that hold a boolean
		found.Checks = slices.DeleteFunc(found.Checks, func(c string) bool {
			flag, ok := strings.CutSuffix(c, "IN0,1")
			flags[flag] = ok
			return ok
		})
		key := make(map[int]string)
		each(t, db, `SELECT name, type, "notnull", COALESCE(dflt_value, ''), pk FROM pragma_table_info(?1) ORDER BY cid`, func(rows *sql.Rows) error {
			var c Column
			var pk int
			err := rows.Scan(&c.Name, &c.Type, &c.NotNull, &c.Default, &pk)
			c.Type = map[string]string{"TEXT": "text", "INTEGER": "integer", "BLOB": "bytes"}[c.Type]
			if flags[c.Name] {
				c.Type, c.Default = "boolean", map[string]string{"": "", "0": "false", "1": "true"}[c.Default]
			}
			if pk > 0 {
				key[pk], c.NotNull = c.Name, true // of a STRICT table
			}
			found.Columns = append(found.Columns, c)
			return err
		}, name)
		for i := range len(key) {
			found.Key = append(found.Key, key[i+1])
		}
		each(t, db, `SELECT (SELECT GROUP_CONCAT(i.name) FROM pragma_index_info(l.name) AS i) FROM pragma_index_list(?1) AS l WHERE l."unique" AND l.origin <> 'pk'`, func(rows *sql.Rows) error {
			var columns string
			err := rows.Scan(&columns)
			found.Unique = append(found.Unique, columns)
			return err
		}, name)
		each(t, db, `SELECT GROUP_CONCAT("from"), "table", COALESCE(GROUP_CONCAT("to"), '') FROM (SELECT * FROM pragma_foreign_key_list(?1) ORDER BY id, seq) GROUP BY id`, func(rows *sql.Rows) error {
			var from, to, columns string
			err := rows.Scan(&from, &to, &columns)
			if columns == "" { // the other's primary key
				err = errors.Join(err, db.QueryRow(`SELECT GROUP_CONCAT(name) FROM pragma_table_info(?1) WHERE pk > 0`, to).Scan(&columns))
			}
			found.Foreign = append(found.Foreign, fmt.Sprintf("(%s) %s (%s)", from, to, columns))
			return err
		}, name)
		tables[name] = sorted(found)
	}
	return tables
}

// checks returns the expressions of a definition's checks.
func checks(definition string) []string {
	var list []string
	for {
		_, after, ok := strings.Cut(definition, "CHECK (")
		if !ok {
			return list
		}
		depth, end := 1, 0
		for depth > 0 {
			switch after[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
			end++
		}
		list = append(list, plain(after[:end-1]))
		definition = after[end:]
	}
}

// PostgresSchema returns the tables of a PostgreSQL database, whose texts have to be
// sorted by their bytes.
func PostgresSchema(t *testing.T, db *sql.DB) map[string]Table {
	t.Helper()
	tables := make(map[string]Table)
	each(t, db, `SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'NO', COALESCE(c.column_default, ''), COALESCE(c.collation_name, '')
		FROM information_schema.columns AS c WHERE c.table_schema = 'public' AND c.table_name NOT LIKE 'goose_%' ORDER BY c.table_name, c.ordinal_position`, func(rows *sql.Rows) error {
		var name, collation string
		var c Column
		err := rows.Scan(&name, &c.Name, &c.Type, &c.NotNull, &c.Default, &collation)
		c.Type = map[string]string{"text": "text", "bigint": "integer", "boolean": "boolean", "bytea": "bytes"}[c.Type]
		if c.Type == "text" && collation != "C" {
			t.Errorf("%s.%s is sorted by %q, not by its bytes", name, c.Name, collation)
		}
		found := tables[name]
		found.Columns = append(found.Columns, c)
		tables[name] = found
		return err
	})
	const names = `(SELECT COALESCE(STRING_AGG(a.attname, ',' ORDER BY k.place), '') FROM UNNEST(%s) WITH ORDINALITY AS k (number, place)
		JOIN pg_attribute AS a ON a.attrelid = %s AND a.attnum = k.number)`
	each(t, db, `SELECT r.relname, c.contype::text, pg_get_constraintdef(c.oid), COALESCE(f.relname, ''), `+
		fmt.Sprintf(names, "c.conkey", "c.conrelid")+`, `+fmt.Sprintf(names, "c.confkey", "c.confrelid")+`
		FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid LEFT JOIN pg_class AS f ON f.oid = c.confrelid
		WHERE c.connamespace = 'public'::regnamespace AND r.relname NOT LIKE 'goose_%'`, func(rows *sql.Rows) error {
		var name, kind, definition, columns, other, others string
		if err := rows.Scan(&name, &kind, &definition, &other, &columns, &others); err != nil {
			return err
		}
		found := tables[name]
		switch kind {
		case "p":
			found.Key = strings.Split(columns, ",")
		case "u":
			found.Unique = append(found.Unique, columns)
		case "f":
			found.Foreign = append(found.Foreign, fmt.Sprintf("(%s) %s (%s)", columns, other, others))
		case "c":
			found.Checks = append(found.Checks, plain(strings.TrimPrefix(definition, "CHECK ")))
		default:
			t.Errorf("table %s has a constraint of kind %s: %s", name, kind, definition)
		}
		tables[name] = found
		return nil
	})
	for name, found := range tables {
		tables[name] = sorted(found)
	}
	return tables
}

func sorted(t Table) Table {
	slices.Sort(t.Unique)
	slices.Sort(t.Foreign)
	slices.Sort(t.Checks)
	return t
}

// CheckComments holds that every column of the migrations in a folder an engine says
// what it holds, and in both engines the same; there are at least so many.
func CheckComments(t *testing.T, least int) {
	t.Helper()
	comments := make(map[string]map[string]string) // by engine, then by table and column
	for _, engine := range []string{"sqlite", "postgres"} {
		comments[engine] = make(map[string]string)
		files, err := fs.Glob(os.DirFS(engine), "*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", engine, files, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(filepath.Join(engine, file))
			if err != nil {
				t.Fatal(err)
			}
			in := ""
			for line := range strings.Lines(string(b)) {
				if m := regexp.MustCompile(`^CREATE TABLE (\w+)`).FindStringSubmatch(line); m != nil {
					in = m[1]
				}
				m := regexp.MustCompile(`^    ([a-z_]+) +[A-Z][^-]*(?:-- (.+))?`).FindStringSubmatch(line)
				if m == nil {
					continue
				}
				if comments[engine][in+"."+m[1]] = m[2]; m[2] == "" {
					t.Errorf("%s/%s: no comment of %s.%s", engine, file, in, m[1])
				}
			}
		}
	}
	if len(comments["sqlite"]) < least {
		t.Errorf("%d columns are seen", len(comments["sqlite"]))
	}
	if diff := cmp.Diff(comments["sqlite"], comments["postgres"]); diff != "" {
		t.Errorf("comments (-SQLite +PostgreSQL):\n%s", diff)
	}
}
