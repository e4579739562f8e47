package store_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/errs"
	"muster/internal/store"
)

// TestDSNEnvironment: a connection string means the same to PostgreSQL's programs.
func TestDSNEnvironment(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		dsn  string
		want map[string]string // nil: refused
	}{
		"url":               {"postgres://anna:p%40ss%2Fw%20rd@db.example:6543/muster?sslmode=verify-full&sslrootcert=/etc/ca.pem", map[string]string{"PGUSER": "anna", "PGPASSWORD": "p@ss/w rd", "PGHOST": "db.example", "PGPORT": "6543", "PGDATABASE": "muster", "PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/etc/ca.pem"}},
		"url without ports": {"postgresql://db.example/muster", map[string]string{"PGHOST": "db.example", "PGDATABASE": "muster"}},
		"two hosts":         {"postgres://a:1,b:2/muster", map[string]string{"PGHOST": "a,b", "PGPORT": "1,2", "PGDATABASE": "muster"}},
		"IPv6":              {"postgres://[::1]:5/muster", map[string]string{"PGHOST": "::1", "PGPORT": "5", "PGDATABASE": "muster"}},
		"socket":            {"postgres:///muster?host=/run/postgresql", map[string]string{"PGHOST": "/run/postgresql", "PGDATABASE": "muster"}},
		"keywords":          {`host=/tmp  port = 5433 dbname='mu st\'er' user=anna password=a\ b`, map[string]string{"PGHOST": "/tmp", "PGPORT": "5433", "PGDATABASE": "mu st'er", "PGUSER": "anna", "PGPASSWORD": "a b"}},
		"empty value":       {`host='' dbname=x`, map[string]string{"PGHOST": "", "PGDATABASE": "x"}},
		"no database":       {"host=canary", nil},
		"unknown setting":   {"dbname=x canary=1", nil},
		"open quote":        {"dbname='canary", nil},
		"no value":          {"canary", nil},
		"nothing":           {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environment, database, err := store.Environment(store.NewDSN(row.dsn))
			if row.want == nil {
				if errs.KindOf(err) != errs.Invalid || strings.Contains(err.Error(), "host=") || name != "unknown setting" && strings.Contains(err.Error(), "canary") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for _, setting := range environment {
				name, value, _ := strings.Cut(setting, "=")
				if strings.HasPrefix(name, "PG") {
					got[name] = value
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			if database != row.want["PGDATABASE"] {
				t.Errorf("database %q", database)
			}
		})
	}
}

// Whatever a value holds, in quotes it is read as it is.
func TestDSNEnvironmentQuotes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(rapid.SampledFrom([]string{"PGHOST", "PGUSER", "PGPASSWORD"}), rapid.StringMatching(`[ -~]{0,12}`), 1, 3).Draw(t, "settings")
		keyword := map[string]string{"PGHOST": "host", "PGUSER": "user", "PGPASSWORD": "password"}
		text := "dbname=x"
		for _, name := range slices.Sorted(maps.Keys(want)) {
			text += " " + keyword[name] + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(want[name]) + "'"
		}
		environment, _, err := store.Environment(store.NewDSN(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name, value := range want {
			if !slices.Contains(environment, name+"="+value) {
				t.Errorf("%s: %s is not %q in %q", text, name, value, environment)
			}
		}
	})
}
