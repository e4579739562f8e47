//go:build unix

package pgtest

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// debian is where Debian puts a version's programs, off the PATH.
const debian = "/usr/lib/postgresql/*/bin"

// maxSocket is the longest path of a unix socket on any system, with room for
// PostgreSQL's name of it.
const maxSocket = 103 - len("/.s.PGSQL.5432")

// script starts the server, says "ready", and stops it when its input ends,
// which is when the test process closes the pipe or is no more. $1 is the folder
// of the programs, $2 the server's.
const script = `
"$1/initdb" -D "$2/data" -A trust -U muster -E UTF8 --locale=C --no-sync >"$2/log" 2>&1 &&
cat >>"$2/data/postgresql.conf" <<END &&
listen_addresses = ''
unix_socket_directories = '$2'
max_connections = 300
shared_buffers = 512MB
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
END
"$1/pg_ctl" -D "$2/data" -l "$2/log" -w -t 60 start >>"$2/log" 2>&1 &&
echo ready || echo failed
cat >/dev/null
"$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1
rm -rf "$2"
`

// start starts a server.
func start() (*server, error) {
	bin, err := find(os.Getenv("MUSTER_POSTGRES_BIN"), debian)
	if err != nil {
		return nil, err
	}
	attributes, err := otherUser()
	if err != nil {
		return nil, err
	}
	dir, err := folder(attributes.Credential)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", script, "pgtest", bin, dir)
	cmd.Dir, cmd.SysProcAttr = dir, attributes
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	// Neither output of the test process is handed on: go test would wait for
	// whoever holds it.
	held, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a shell for PostgreSQL: %w", err)
	}
	stop := func() {
		_ = held.Close()
		_ = cmd.Wait()
	}
	if line, _ := bufio.NewReader(said).ReadString('\n'); line != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		stop()
		return nil, fmt.Errorf("PostgreSQL does not start:\n%s", log)
	}
	s := &server{dir: dir, stop: stop}
	if s.admin, err = sql.Open("pgx", s.dsn("postgres")); err != nil {
		stop()
		return nil, err
	}
	s.admin.SetMaxOpenConns(2)
	s.stop = func() {
		_ = s.admin.Close()
		stop()
	}
	return s, nil
}

// otherUser starts the shell in a session of its own, so that what a terminal or
// a time limit sends to the tests does not reach it, and as nobody if this is
// root: PostgreSQL refuses to run as root.
func otherUser() (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() != 0 {
		return attributes, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, nil
}

// folder creates the server's folder: below one that its user may enter, with a
// name short enough for a socket, and free of what a shell or a connection
// string would have to quote.
func folder(as *syscall.Credential) (string, error) {
	for _, parent := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		dir, err := os.MkdirTemp(parent, "pgtest")
		if err != nil {
			continue
		}
		if len(dir) > maxSocket || strings.ContainsAny(dir, `'\`) || as != nil && !open(parent) {
			_ = os.Remove(dir)
			continue
		}
		if as != nil {
			if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
				return "", err
			}
		}
		return dir, nil
	}
	return "", fmt.Errorf("no folder for PostgreSQL: all of %s, /tmp and /var/tmp are closed to other users, or their names too long", os.TempDir())
}

// open reports whether every user may enter the folder.
func open(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
