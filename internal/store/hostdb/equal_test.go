package hostdb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/store/hostdb"
	"muster/internal/store/storetest"
)

// TestSchemasAreEqual: what one engine refuses, the other refuses, too.
func TestSchemasAreEqual(t *testing.T) {
	t.Parallel()
	var schemas []map[string]storetest.Table
	for _, e := range engines() {
		cfg, driver, name := e.place(t)
		db, err := hostdb.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		schemas = append(schemas, e.schema(t, connect(t, driver, name)))
	}
	if len(schemas[0]) < 10 || len(schemas[0]["receipts"].Checks) != 5 || len(schemas[0]["set_aside"].Foreign) != 1 {
		t.Errorf("the tables of SQLite are not seen: %v", schemas[0])
	}
	if diff := cmp.Diff(schemas[0], schemas[1]); diff != "" {
		t.Errorf("schema (-SQLite +PostgreSQL):\n%s", diff)
	}
}

// TestColumnsHaveComments: every column says what it holds, and in both engines
// the same.
func TestColumnsHaveComments(t *testing.T) {
	t.Parallel()
	storetest.CheckComments(t, 40)
}
