package hostdb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/store/hostdb"
)

// The dictionary names every table and column that the database really has, in
// their order, and says something of each.
func TestDictionaryIsTheSchema(t *testing.T) {
	t.Parallel()
	tables, err := hostdb.Dictionary()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, table := range tables {
		if table.Holds == "" {
			t.Errorf("table %s has no comment", table.Name)
		}
		for _, column := range table.Columns {
			got[table.Name] = append(got[table.Name], column.Name)
			if column.Holds == "" || column.Type == "" {
				t.Errorf("%s.%s has no comment or no type", table.Name, column.Name)
			}
		}
	}
	if diff := cmp.Diff(schemaColumns(t), got); diff != "" {
		t.Errorf("the dictionary is not the schema (-schema +dictionary):\n%s", diff)
	}
}

func schemaColumns(t *testing.T) map[string][]string {
	t.Helper()
	e := engines()[0]
	cfg, driver, name := e.place(t)
	db, err := hostdb.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for table, found := range e.schema(t, connect(t, driver, name)) {
		for _, c := range found.Columns {
			columns[table] = append(columns[table], c.Name)
		}
	}
	return columns
}
