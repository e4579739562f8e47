package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"

	"muster/internal/errs"
)

// dumpPostgres writes an archive of the database. The connection string goes to
// pg_dump in its environment, which nobody else on the machine may read, and not
// on its command line.
func dumpPostgres(ctx context.Context, dsn DSN, path string) error {
	environment, _, err := dsn.environment()
	if err != nil {
		return err
	}
	return runPostgres(ctx, "pg_dump", environment, "--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file="+path)
}

// restorePostgres fills an empty database.
func restorePostgres(ctx context.Context, cfg Config, path string) error {
	environment, database, err := cfg.DSN.environment()
	if err != nil {
		return err
	}
	if err := checkEmpty(ctx, cfg); err != nil {
		return err
	}
	return runPostgres(ctx, "pg_restore", environment, "--no-owner", "--no-privileges", "--no-password", "--exit-on-error", "--single-transaction", "--dbname="+database, path)
}

// checkEmpty refuses a database that has tables.
func checkEmpty(ctx context.Context, cfg Config) error {
	e, err := newPostgres(cfg)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(e.connector)
	defer pool.Close() // nothing was written
	var tables int
	if err := pool.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables); err != nil {
		return fmt.Errorf("look for tables: %w", err)
	}
	if tables > 0 {
		return errs.New(errs.Conflict, "the PostgreSQL database has tables already", "a restore replaces nothing; createdb another, and name it in the connection string")
	}
	return nil
}

// runPostgres runs a program of PostgreSQL. What it says may repeat parts of the
// connection string, so it is not passed on.
func runPostgres(ctx context.Context, program string, environment []string, args ...string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return errs.Wrap(err, errs.Unavailable, program+" is not installed here, and the database is on PostgreSQL",
			"install the client programs of PostgreSQL; or back the database up with its own means, and the folder without keys beside it")
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = environment
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		hint := "run it by hand with the same connection string to see why"
		if strings.Contains(said.String(), "server version") {
			hint = "it is older than the server: install the client programs of the server's version"
		}
		return errs.Wrap(err, errs.Unavailable, fmt.Sprintf("%s did not succeed: %v", program, err), hint)
	}
	return nil
}

// environments are the settings of a connection string that PostgreSQL's own
// programs take from their environment.
func environments() map[string]string {
	return map[string]string{
		"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "database": "PGDATABASE", "user": "PGUSER",
		"password": "PGPASSWORD", "passfile": "PGPASSFILE", "service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "options": "PGOPTIONS",
		"sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT", "sslsni": "PGSSLSNI",
		"channel_binding": "PGCHANNELBINDING", "connect_timeout": "PGCONNECT_TIMEOUT", "target_session_attrs": "PGTARGETSESSIONATTRS",
		"application_name": "PGAPPNAME", "krbsrvname": "PGKRBSRVNAME",
	}
}

// environment returns the connection string as the environment of PostgreSQL's
// programs, and the name of the database.
func (d DSN) environment() (environment []string, database string, err error) {
	settings, err := d.settings()
	if err != nil {
		return nil, "", err
	}
	known := environments()
	for name, value := range settings {
		variable, ok := known[name]
		if !ok {
			return nil, "", errs.New(errs.Invalid, fmt.Sprintf("the connection string has the setting %s, which PostgreSQL's own programs are not told", errs.Quote(name)),
				"back the database up with its own means, and the folder without keys beside it")
		}
		environment = append(environment, variable+"="+value)
		if variable == "PGDATABASE" {
			database = value
		}
	}
	if database == "" {
		return nil, "", errs.New(errs.Invalid, "the connection string names no database", "dbname=..., or the path of the url")
	}
	for _, name := range []string{"PATH", "HOME", "SystemRoot", "APPDATA"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment, database, nil
}

// settings takes the connection string apart. Its errors hold nothing of it.
func (d DSN) settings() (map[string]string, error) {
	text := d.reveal()
	unreadable := errs.New(errs.Invalid, "the PostgreSQL connection string cannot be read", "")
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		settings, ok := keywordSettings(text)
		if !ok {
			return nil, unreadable
		}
		return settings, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, unreadable
	}
	settings := make(map[string]string)
	var hosts, ports []string
	for host := range strings.SplitSeq(u.Host, ",") {
		name, port := host, ""
		if at := strings.LastIndex(host, ":"); at >= 0 && !strings.HasSuffix(host, "]") {
			name, port = host[:at], host[at+1:]
		}
		hosts, ports = append(hosts, strings.Trim(name, "[]")), append(ports, port)
	}
	set := func(name, value string) {
		if value != "" {
			settings[name] = value
		}
	}
	set("host", strings.Join(hosts, ","))
	if joined := strings.Join(ports, ","); strings.Trim(joined, ",") != "" {
		set("port", joined)
	}
	set("user", u.User.Username())
	password, _ := u.User.Password()
	set("password", password)
	set("dbname", strings.TrimPrefix(u.Path, "/"))
	for name, values := range u.Query() {
		set(name, values[0])
	}
	return settings, nil
}

// keywordSettings reads name=value pairs; a value with blanks stands in quotes,
// in which a backslash takes the next character as it is.
func keywordSettings(text string) (map[string]string, bool) {
	settings := make(map[string]string)
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		name, rest, ok := strings.Cut(text, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, false
		}
		rest = strings.TrimLeft(rest, " \t\n\r")
		quoted := strings.HasPrefix(rest, "'")
		if quoted {
			rest = rest[1:]
		}
		var value strings.Builder
		i, closed := 0, !quoted
		for ; i < len(rest); i++ {
			c := rest[i]
			if c == '\\' && i+1 < len(rest) {
				i++
				value.WriteByte(rest[i])
				continue
			}
			if quoted && c == '\'' || !quoted && strings.ContainsRune(" \t\n\r", rune(c)) {
				closed = true
				i++
				break
			}
			value.WriteByte(c)
		}
		if !closed {
			return nil, false
		}
		settings[name], text = value.String(), rest[i:]
	}
	return settings, len(settings) > 0
}
