package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/store/pgtest"
)

// A coordinator on PostgreSQL is made, backed up and restored by the same commands.
func TestCoordinatorOnPostgreSQL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	write := func(path, text string) {
		t.Helper()
		check(t, os.MkdirAll(filepath.Dir(path), 0o700))
		check(t, os.WriteFile(path, []byte(text), 0o600))
	}
	run := func(want int, args ...string) (out, said string) {
		t.Helper()
		cmd := exec.Command("muster", append([]string{"coordinator"}, args...)...)
		var o, e bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &o, &e
		_ = cmd.Run() // its code is looked at
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("%v: exit code %d, want %d\n%s", args, got, want, &e)
		}
		return o.String(), e.String()
	}
	const configuration = "format: muster-coordinator/1\nurl: https://year.lights.example\ntls: {certificate: tls.crt, key: tls.key}\ndatabase: {postgres: dsn}\n"
	write(at("year", "coordinator.yaml"), configuration)
	write(at("year", "dsn"), pgtest.DSN(t)+"\n")
	write(at("passphrase"), "a passphrase of more than twenty characters\n")
	run(0, "init", "year", "--name", "Sea of Lights", "--url", "https://year.lights.example")
	for _, name := range []string{"Ostmere", "Brennholm"} {
		run(0, "member", "add", name, "--config", "year/coordinator.yaml")
	}
	run(0, "cycle", "begin", "2031", "--config", "year/coordinator.yaml", "--leader", "ostmere", "--helper", "brennholm")
	run(0, "cycle", "invite", "2031", "--config", "year/coordinator.yaml")
	run(0, "cycle", "status", "2031", "ostmere", "declined", "--config", "year/coordinator.yaml")
	run(0, "person", "invite", "Ada Lindqvist", "--config", "year/coordinator.yaml", "--role", "coordinator", "--mail", "ada@lights.example")
	run(0, "backup", "year.backup", "--config", "year/coordinator.yaml", "--passphrase-file", "passphrase")
	before, _ := run(0, "cycle", "show", "2031", "--config", "year/coordinator.yaml", "--json")

	_, said := run(2, "restore", "year.backup", "again", "--passphrase-file", "passphrase")
	if !strings.Contains(said, "the backup is of a database on PostgreSQL") {
		t.Errorf("without a database: %s", said)
	}
	write(at("full"), pgtest.DSN(t)+"\n")
	write(at("year2", "coordinator.yaml"), strings.Replace(configuration, "postgres: dsn", "postgres: ../full", 1))
	run(0, "init", "year2", "--name", "Sea of Sand", "--url", "https://year.lights.example")
	_, said = run(1, "restore", "year.backup", "again", "--passphrase-file", "passphrase", "--postgres", "full")
	if !strings.Contains(said, "the PostgreSQL database has tables already") {
		t.Errorf("into a database that is used: %s", said)
	}
	write(at("empty"), pgtest.DSN(t)+"\n")
	run(0, "restore", "year.backup", "again", "--passphrase-file", "passphrase", "--postgres", "empty")
	write(at("again", "dsn"), string(read(t, at("empty"))))
	after, _ := run(0, "cycle", "show", "2031", "--config", "again/coordinator.yaml", "--json")
	if before != after {
		t.Errorf("restored is\n%s\nwas\n%s", after, before)
	}
	if list, _ := run(0, "person", "list", "--config", "again/coordinator.yaml"); !strings.Contains(list, "the invitation has expired: muster coordinator person recover makes another one") {
		t.Errorf("after a restore an invitation is good: %s", list)
	}
	if record, said := run(0, "record", "--config", "again/coordinator.yaml"); !strings.Contains(record, "restored, backup of ") || !strings.Contains(said, "the record is whole") {
		t.Errorf("the record: %s %s", record, said)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	check(t, err)
	return body
}
