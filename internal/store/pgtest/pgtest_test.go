package pgtest_test

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"muster/internal/store/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func connect(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	first, second := pgtest.DSN(t), pgtest.DSN(t)
	if first == second {
		t.Fatalf("one database for two: %s", first)
	}
	if _, err := connect(t, first).Exec(`CREATE TABLE t (x BIGINT)`); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, second).Exec(`SELECT x FROM t`); err == nil {
		t.Error("a table of one database is in the other")
	}
	var addresses string
	if err := connect(t, first).QueryRow(`SHOW listen_addresses`).Scan(&addresses); err != nil || addresses != "" {
		t.Errorf("the server listens on %q, %v", addresses, err)
	}
}

// TestDatabasesAreEmpty: what one test leaves in a database, and who is still
// connected to it, no other test meets.
func TestDatabasesAreEmpty(t *testing.T) {
	t.Parallel()
	used := make(map[string]*sql.DB)
	for range 5 {
		t.Run("uses one", func(t *testing.T) {
			dsn := pgtest.DSN(t)
			db, err := sql.Open("pgx", dsn)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(`CREATE TABLE t (x BIGINT)`); err != nil {
				t.Errorf("%v; is the database empty?", err)
			}
			if left := used[dsn]; left != nil {
				defer left.Close()
			}
			used[dsn] = db // open, as a test leaves it that fails
		})
	}
	for _, db := range used {
		_ = db.Close()
	}
}

// again runs one test of this binary in another process.
func again(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func TestWithoutPostgreSQL(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, row := range []struct {
		name string
		env  []string
		want string
		fail bool
	}{
		{"skips", []string{"MUSTER_POSTGRES="}, "SKIP: TestDatabases", false},
		{"says why", []string{"MUSTER_POSTGRES="}, "PostgreSQL is not installed here", false},
		{"fails where it is required", []string{"MUSTER_POSTGRES=required"}, "FAIL: TestDatabases", true},
		{"another word", []string{"MUSTER_POSTGRES=yes"}, `MUSTER_POSTGRES is "yes"`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			out, err := again(t, "TestDatabases", append(row.env, "MUSTER_POSTGRES_BIN="+empty)...).CombinedOutput()
			var exit *exec.ExitError
			if errors.As(err, &exit) != row.fail || !strings.Contains(string(out), row.want) {
				t.Errorf("%v\n%s\nwant %q", err, out, row.want)
			}
		})
	}
}

// TestOlderPostgreSQL: a version that muster does not take is as good as none.
func TestOlderPostgreSQL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"initdb", "pg_ctl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho 'initdb (PostgreSQL) 14.9'\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	out, err := again(t, "TestDatabases", "MUSTER_POSTGRES=", "MUSTER_POSTGRES_BIN="+dir).CombinedOutput()
	if want := "PostgreSQL 14 is older than 15"; err != nil || !strings.Contains(string(out), want) {
		t.Errorf("%v\n%s\nwant %q", err, out, want)
	}
}

// TestServerEnds: whatever ends the test process ends its server, and removes
// the folder.
func TestServerEnds(t *testing.T) {
	t.Parallel()
	pgtest.DSN(t) // skips where there is no PostgreSQL
	for _, how := range []string{"return", "panic", "exit", "killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := again(t, "TestHoldsAServer", "MUSTER_PGTEST_END="+how)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			dir, pid := "", 0
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if m := regexp.MustCompile(`server (\S+) (\d+)$`).FindStringSubmatch(lines.Text()); m != nil {
					dir = m[1]
					pid, _ = strconv.Atoi(m[2])
					break
				}
			}
			if pid == 0 {
				t.Fatal("no server was started")
			}
			if how == "killed" {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			_ = cmd.Wait()
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				_, err := os.Stat(dir)
				server, found := os.FindProcess(pid)
				running := found == nil && server.Signal(syscall.Signal(0)) == nil
				if os.IsNotExist(err) && !running {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("30 s later the server runs: %t; its folder: %v", running, err)
				}
			}
		})
	}
}

// TestHoldsAServer is the other process of TestServerEnds.
func TestHoldsAServer(t *testing.T) {
	how := os.Getenv("MUSTER_PGTEST_END")
	if how == "" {
		return // nothing to test by itself
	}
	var socket, data string
	if err := connect(t, pgtest.DSN(t)).QueryRow(`SELECT current_setting('unix_socket_directories'), current_setting('data_directory')`).Scan(&socket, &data); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(b), "\n")
	fmt.Printf("server %s %s\n", socket, pid)
	switch how {
	case "panic":
		go func() { panic("in a goroutine, where nothing recovers") }()
		select {}
	case "exit":
		os.Exit(3)
	case "killed":
		select {}
	}
}
