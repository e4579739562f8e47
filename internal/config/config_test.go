package config_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const least = "format: muster-host/1\nmember: Ostmere\nurl: https://a.example/\n"

func TestReadHost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := config.ReadHost(write(t, filepath.Join(dir, "host.yaml"), least))
	must(t, err)
	// What is left out is safe: this machine alone, files beside the configuration.
	want := &config.Host{
		Member: "Ostmere", URL: "https://a.example/", Listen: "127.0.0.1:8443", Operations: "127.0.0.1:9443",
		SQLite: filepath.Join(dir, "host.db"), Keys: filepath.Join(dir, "keys"), Charter: filepath.Join(dir, "charter.json"),
		Freeze: config.FreezeByHand, Log: config.Log{Level: slog.LevelInfo},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = config.ReadHost(write(t, filepath.Join(dir, "all.yaml"), least+`listen: ":443"
operations: "[::1]:9"
database: {postgres: /etc/muster/dsn}
keys: /etc/muster/keys
charter: "c/charter.json"
log: {level: debug, format: json}
limits: {connections: 10, requests: 20, jobs: 3, uploads_per_hour: 5000}
freeze: at_deadline
`))
	must(t, err)
	want = &config.Host{
		Member: "Ostmere", URL: "https://a.example/", Listen: ":443", Operations: "[::1]:9",
		PostgresDSN: "/etc/muster/dsn", Keys: "/etc/muster/keys", Charter: filepath.Join(dir, "c", "charter.json"),
		Freeze: config.FreezeAtDeadline, Log: config.Log{Level: slog.LevelDebug, JSON: true}, Limits: config.Limits{Connections: 10, Requests: 20, Jobs: 3, Uploads: 5000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewConfigurationReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, member := range []string{"Ostmere", `Sea: "of" \ #Lights`, "yes", "12", "Île-aux-Lumières"} {
		path := filepath.Join(dir, "host.yaml")
		must(t, os.WriteFile(path, config.HostYAML(coalition.MemberID(member), "https://a.example:8443/", ":8443"), 0o600))
		h, err := config.ReadHost(path)
		must(t, err)
		if string(h.Member) != member || h.Listen != ":8443" || h.URL != "https://a.example:8443/" {
			t.Errorf("got %+v", h)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, text string
		want       []string // line:column: field: message
	}{
		{"empty", "", []string{"1:1: the file is empty"}},
		{"not YAML", "a: [", []string{": not YAML: did not find"}},
		{"not UTF-8", "a: \xff", []string{"the file is not UTF-8"}},
		{"a list", "- a", []string{"1:1: a list where keys are wanted"}},
		{"two documents", least + "---\nformat: x\n", []string{"4:1: a second document"}},
		{"nothing needed is there", "listen: \":1\"", []string{`1:1: key "format" is missing`, `key "member" is missing`, `key "url" is missing`}},
		{"unknown and repeated", least + "colour: red\nmember: B\n", []string{`4:1: unknown key "colour"; allowed: format, member, url, listen`, `5:1: key "member" appears again; it is on line 2`}},
		{"another version", strings.Replace(least, "/1", "/2", 1), []string{`1:9: format: "muster-host/2" is not known; allowed: muster-host/1`}},
		{"a name that looks empty", "format: muster-host/1\nmember: \"a  b\"\nurl: https://a.example/\n", []string{"2:9: member: the member name"}},
		{"a number as a name", "format: muster-host/1\nmember: 12\nurl: https://a.example/\n", []string{`2:9: member: "12" without quotes is not text to YAML; allowed: text; write "12"`}},
		{"a url without TLS", strings.Replace(least, "https:", "http:", 1), []string{"3:6: url: the url"}},
		{"addresses", least + "listen: 8443\noperations: localhost\n", []string{`4:9: listen: "8443" without quotes`, `5:13: operations: "localhost" is no address`}},
		{"a port too high", least + "listen: \":65536\"\n", []string{"4:9: listen: \":65536\" is no address"}},
		{"two databases", least + "database: {sqlite: a, postgres: b}\n", []string{"4:33: database.postgres: a host has one database"}},
		{"no database", least + "database: {}\n", []string{"4:11: database: no database is named"}},
		{"a path of nothing", least + "keys:\n", []string{"4:6: keys: nothing where text is wanted"}},
		{"a list as a path", least + "keys: [a]\n", []string{"4:7: keys: a list where text is wanted"}},
		{"several lines", least + "keys: |\n  a\n  b\n", []string{"4:7: keys: a text of several lines"}},
		{"a level", least + "log: {level: loud, format: xml}\n", []string{`4:14: log.level: "loud" is not known; allowed: debug, info, warn, error`, `4:28: log.format: "xml"`}},
		{"limits", least + "limits: {connections: 0, requests: 1.5, jobs: [1]}\n", []string{
			`4:23: limits.connections: "0" is not such a number; allowed: a whole number from 1`, `4:36: limits.requests: "1.5"`, "4:47: limits.jobs: a list",
		}},
		{"an alias", least + "keys: &k a\ncharter: *k\n", []string{"4:7: keys: an anchor", "5:10: charter: an alias"}},
		{"a tag", least + "keys: !!str a\n", []string{"4:7: keys: a tag"}},
		{"a merge key", least + "<<: {keys: a}\n", []string{`4:1: unknown key "<<"`}},
		{"a mapping as a key", least + "{a: b}: c\n", []string{"unknown key"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, filepath.Join(t.TempDir(), "host.yaml"), row.text)
			_, err := config.ReadHost(path)
			faults, ok := errors.AsType[errs.Faults](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if len(faults) != len(row.want) {
				t.Fatalf("got %d faults, want %d: %v", len(faults), len(row.want), faults)
			}
			for i, f := range faults {
				if got := f.String(); !strings.Contains(got, row.want[i]) {
					t.Errorf("got %s, want %s", got, row.want[i])
				}
			}
		})
	}
}

func TestReadHostRefusesFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := config.ReadHost(filepath.Join(dir, "host.yaml")); errs.KindOf(err) != errs.NotFound {
		t.Errorf("no file: %v", err)
	}
	if _, err := config.ReadHost(dir); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a folder: %v", err)
	}
	path := write(t, filepath.Join(dir, "big.yaml"), least+"#"+strings.Repeat("x", 64<<10))
	if _, err := config.ReadHost(path); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a large file: %v", err)
	}
	// Deep nesting ends quickly.
	path = write(t, filepath.Join(dir, "deep.yaml"), strings.Repeat("[", 60<<10))
	if _, err := config.ReadHost(path); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a deep file: %v", err)
	}
}

// A connection string that was put in the wrong place is not repeated to the
// terminal, and what would be used shows files and not what is in them.
func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	const canary = "hunter2-canary"
	dir := t.TempDir()
	for _, dsn := range []string{"postgres://muster:" + canary + "@db/muster", "host=db password=" + canary} {
		_, err := config.ReadHost(write(t, filepath.Join(dir, "host.yaml"), least+"database: {postgres: \""+dsn+"\"}\n"))
		if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "may hold a password") {
			t.Errorf("got %v", err)
		}
	}
	write(t, filepath.Join(dir, "dsn"), "postgres://muster:"+canary+"@db/muster")
	h, err := config.ReadHost(write(t, filepath.Join(dir, "host.yaml"), least+"database: {postgres: dsn}\n"))
	must(t, err)
	var shown bytes.Buffer
	must(t, h.Write(&shown))
	if strings.Contains(shown.String(), canary) || !strings.Contains(shown.String(), "PostgreSQL, connection string in "+filepath.Join(dir, "dsn")) {
		t.Errorf("got %s", &shown)
	}
}
