// Package pgtest gives tests a PostgreSQL of their own: a server that lives as
// long as the test process, and in it an empty database for each test that asks.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		db := open(t, store.Config{DSN: store.NewDSN(pgtest.DSN(t))})
//	}
//
// The server is started by the first test that asks, in a temporary folder, on a
// unix socket and no network, as another user where the tests run as root, and
// without waiting for the disk. Main stops it and removes the folder. A shell
// that holds the other end of a pipe does the same when the test process ends in
// any other way, kill -9 included.
//
// PostgreSQL 15 or later is taken from MUSTER_POSTGRES_BIN, from where Debian
// puts it, or from the PATH. Where there is none the tests skip and say so; with
// MUSTER_POSTGRES=required they fail.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that creates the databases
)

// oldest is the first major version that muster takes.
const oldest = 15

// errMissing is why a test is skipped.
var errMissing = errors.New("PostgreSQL is not installed here (Debian: apt-get install postgresql), or its folder is not in MUSTER_POSTGRES_BIN or the PATH")

// shared is the server of this process, which is what the package is for: a
// server a test would take two seconds each.
var shared = newProcess()

type process struct {
	mu     sync.Mutex
	server *server
	err    error
}

func newProcess() *process { return &process{} }

// server returns the process's server and starts it if need be.
func (p *process) get() (*server, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil && p.err == nil {
		p.server, p.err = start()
	}
	return p.server, p.err
}

// Main runs the tests of a package, stops the server if one was started, and
// exits.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a package that has more to do before it exits.
func Run(m *testing.M) int {
	defer func() {
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if shared.server != nil {
			shared.server.stop()
		}
	}()
	return m.Run()
}

// server is a running PostgreSQL.
type server struct {
	dir   string // with the socket
	admin *sql.DB
	stop  func()

	mu        sync.Mutex
	databases int      // created so far
	empty     []string // that a test has used and that are empty again
}

func (s *server) dsn(database string) string {
	return fmt.Sprintf("host='%s' port=5432 user=muster dbname=%s sslmode=disable", s.dir, database)
}

// get returns the server, or ends the test.
func get(t testing.TB) *server {
	t.Helper()
	required := os.Getenv("MUSTER_POSTGRES")
	if required != "" && required != "required" {
		t.Fatalf("MUSTER_POSTGRES is %q; want nothing or required", required)
	}
	s, err := shared.get()
	switch {
	case errors.Is(err, errMissing) && required == "":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return s
}

// DSN returns the connection string of an empty database that is the test's
// alone until it ends.
func DSN(t testing.TB) string {
	t.Helper()
	s := get(t)
	s.mu.Lock()
	var name string
	if n := len(s.empty); n > 0 {
		name, s.empty = s.empty[n-1], s.empty[:n-1]
	}
	s.mu.Unlock()
	if name == "" {
		name = s.create(t, "")
	}
	t.Cleanup(func() { // emptying takes a tenth of what dropping and creating take
		err := s.clear(name)
		if err != nil {
			t.Error(err)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.empty = append(s.empty, name)
	})
	return s.dsn(name)
}

// Database returns the connection string of a new database with options of
// CREATE DATABASE. It is dropped when the test ends.
func Database(t testing.TB, options string) string {
	t.Helper()
	s := get(t)
	name := s.create(t, options)
	t.Cleanup(func() { s.exec(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return s.dsn(name)
}

func (s *server) create(t testing.TB, options string) string {
	t.Helper()
	s.mu.Lock()
	s.databases++
	name := fmt.Sprintf("test_%d", s.databases)
	s.mu.Unlock()
	s.exec(t, "CREATE DATABASE "+name+" TEMPLATE template0 "+options)
	return name
}

func (s *server) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := s.admin.ExecContext(context.Background(), statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// clear ends what is connected to a database and removes everything in it.
func (s *server) clear(name string) error {
	if _, err := s.admin.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, name); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.dsn(name))
	if err != nil {
		return err
	}
	_, err = db.Exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`)
	return errors.Join(err, db.Close())
}

// Durable makes the server wait for the disk, as in production, until the test
// ends. It is for measurements: the setting is the whole server's.
func Durable(t testing.TB) {
	t.Helper()
	s := get(t)
	set := func(statement string) {
		t.Helper()
		for _, one := range []string{fmt.Sprintf(statement, "fsync"), fmt.Sprintf(statement, "full_page_writes"), "SELECT pg_reload_conf()", "CHECKPOINT"} {
			s.exec(t, one)
		}
	}
	set("ALTER SYSTEM SET %s = on")
	t.Cleanup(func() { set("ALTER SYSTEM RESET %s") })
}

// Process returns the id of the server's process, whose children do the work.
func Process(t testing.TB) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(get(t).dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// Settled brings a database to the state in which the server leaves it by itself
// some time after much was written: with statistics, and written to disk. It is
// for measurements of what comes after.
func Settled(t testing.TB, dsn string) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err == nil {
		_, err = db.Exec("VACUUM (ANALYZE)")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Error(err)
	}
	get(t).exec(t, "CHECKPOINT")
}

// find returns the folder with PostgreSQL's programs: the newest of those that
// will do.
func find(own, debian string) (string, error) {
	candidates := []string{own}
	if own == "" {
		candidates, _ = filepath.Glob(debian)
		if initdb, err := exec.LookPath("initdb"); err == nil {
			candidates = append(candidates, filepath.Dir(initdb))
		}
	}
	best, newest, seen := "", 0, 0
	for _, dir := range candidates {
		out, err := exec.Command(filepath.Join(dir, "initdb"), "--version").Output()
		if err != nil {
			continue
		}
		major, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(string(out)))
		seen = max(seen, major)
		if _, err := os.Stat(filepath.Join(dir, "pg_ctl")); err == nil && major > newest && major >= oldest {
			best, newest = dir, major
		}
	}
	switch {
	case best != "":
		return best, nil
	case seen > 0:
		return "", fmt.Errorf("PostgreSQL %d is older than %d: %w", seen, oldest, errMissing)
	}
	return "", errMissing
}
