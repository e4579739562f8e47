package store

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"

	"muster/internal/errs"
)

// maxDSN bounds a connection string that is read from a file, in bytes.
const maxDSN = 16 << 10

// DSN is the connection string of a PostgreSQL server, in either form,
// "postgres://user@host/database" or "host=... dbname=...". It may hold a
// password, so it is kept where no printing reaches it: in a closure.
type DSN struct{ reveal func() string }

// NewDSN wraps a connection string.
func NewDSN(s string) DSN { return DSN{reveal: func() string { return s }} }

// IsZero reports whether no connection string was given.
func (d DSN) IsZero() bool { return d.reveal == nil }

// String returns words that say what this is and hold nothing of it.
func (DSN) String() string { return "a PostgreSQL connection string" }

// GoString is String.
func (d DSN) GoString() string { return d.String() }

// readDSN reads a connection string from a file that belongs to one user alone.
func readDSN(path string) (DSN, error) {
	info, err := os.Stat(path)
	if err != nil {
		return DSN{}, err
	}
	// Windows has access control lists, of which these bits say nothing.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return DSN{}, errs.New(errs.Invalid, fmt.Sprintf("%s holds a connection string and has mode %04o: other users of this machine may use it", path, mode),
			"chmod 600 "+path)
	}
	if info.Size() > maxDSN {
		return DSN{}, errs.New(errs.Invalid, path+" is no connection string: it is too long", "")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return DSN{}, err
	}
	return NewDSN(strings.TrimSpace(string(b))), nil
}

// parse reads the connection string and sets what a transaction's promises
// depend on. The driver's own words about a string that it cannot read quote it.
func (d DSN) parse() (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig(d.reveal())
	if err != nil {
		return nil, errs.New(errs.Invalid, "the PostgreSQL connection string cannot be read",
			`write postgres://user:password@host:5432/database?sslmode=verify-full, or host=... dbname=..., with % and spaces in a password as the form wants them; files that it names must exist`)
	}
	if err := checkTransport(cfg); err != nil {
		return nil, err
	}
	set := func(name, value string, always bool) {
		if _, given := cfg.RuntimeParams[name]; !given || always {
			cfg.RuntimeParams[name] = value
		}
	}
	set("application_name", "muster", false)
	set("synchronous_commit", "on", true) // what InTx acknowledged is on disk
	set("statement_timeout", "60s", false)
	set("lock_timeout", "10s", false)
	set("idle_in_transaction_session_timeout", "60s", false)
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = endTimeout
	}
	return cfg, nil
}

// checkTransport refuses a connection that leaves this machine without TLS that
// knows the server by name: the password and every row would go with it.
func checkTransport(cfg *pgx.ConnConfig) error {
	refuse := errs.New(errs.Invalid, "the connection to the remote PostgreSQL is not protected by verified TLS",
		"sslmode=verify-full, and sslrootcert=FILE where the certificate is not from a public authority")
	if !local(cfg.Host) && (cfg.TLSConfig == nil || cfg.TLSConfig.InsecureSkipVerify) {
		return refuse
	}
	for _, f := range cfg.Fallbacks {
		if !local(f.Host) && (f.TLSConfig == nil || f.TLSConfig.InsecureSkipVerify) {
			return refuse
		}
	}
	return nil
}

// local reports whether a host is this machine: a folder with a socket, or loopback.
func local(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	if len(host) > 2 && host[1] == ':' && (host[2] == '\\' || host[2] == '/') {
		return true // C:\folder
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
