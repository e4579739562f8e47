package hostdb

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"muster/internal/store"
)

// A Table is a table of a host's database with the comments of its schema, as
// an accreditor wants to know it.
type Table struct {
	Name    string
	Holds   string
	Columns []Column
}

// A Column is one column of a [Table].
type Column struct {
	Name  string
	Type  string // SQLite's: TEXT, INTEGER or BLOB
	Holds string
}

var (
	tableLine  = regexp.MustCompile(`^CREATE TABLE (\w+) \($`)
	addLine    = regexp.MustCompile(`^ALTER TABLE (\w+) ADD COLUMN ([a-z_]+) (TEXT|INTEGER|BLOB)\b.*?-- (.+)$`)
	columnLine = regexp.MustCompile(`^ +([a-z_]+) +(TEXT|INTEGER|BLOB)\b.*?-- (.+)$`)
)

// Dictionary returns every table in the order in which the migrations make
// them. What it says is the comments of the schema itself.
func Dictionary() ([]Table, error) {
	files := store.Archive(schema)
	names, err := fs.Glob(files, "sqlite/*.sql")
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, name := range names { // in order: they are numbered
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if tables, err = dictionary(tables, text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	// The first one stands below the comment of the whole schema and has none.
	tables[0].Holds = cmp.Or(tables[0].Holds, "The tasks that this host serves, and how far it is with each.")
	return tables, nil
}

// dictionary reads one migration: tables and further columns in the form in which
// ours are written.
func dictionary(tables []Table, text []byte) ([]Table, error) {
	var (
		comment []string
		inside  bool
		at      int // the table that is read
	)
	find := func(name string) int {
		return slices.IndexFunc(tables, func(t Table) bool { return t.Name == name })
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "-- "); ok && !inside {
			comment = append(comment, text)
			continue
		}
		switch {
		case !inside:
			if m := tableLine.FindStringSubmatch(line); m != nil {
				t := Table{Name: m[1], Holds: strings.Join(comment, " ")}
				// One that is made again, with other constraints, takes the place of the earlier.
				if at = find(t.Name); at >= 0 {
					tables[at] = t
				} else {
					at, tables = len(tables), append(tables, t)
				}
				inside = true
			}
			if m := addLine.FindStringSubmatch(line); m != nil {
				at := find(m[1])
				if at < 0 {
					return nil, fmt.Errorf("a column is added to %s, which is no table", m[1])
				}
				tables[at].Columns = append(tables[at].Columns, Column{Name: m[2], Type: m[3], Holds: m[4]})
			}
			comment = nil
		case strings.HasPrefix(line, ")"):
			inside = false
		default:
			if m := columnLine.FindStringSubmatch(line); m != nil {
				t := &tables[at]
				t.Columns = append(t.Columns, Column{Name: m[1], Type: m[2], Holds: m[3]})
			}
		}
	}
	return tables, lines.Err()
}
