package store

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"muster/internal/errs"
)

const (
	// oldestPostgres is the first version that is tested, as server_version_num.
	oldestPostgres = 150000
	// migrationLock is the advisory lock that one process holds while it
	// migrates: "muster" in ASCII.
	migrationLock = 0x6d7573746572
	// postgresConnections is the default size of the pool.
	postgresConnections = 8
)

// The SQLSTATEs that decide something.
const (
	uniqueViolation      = "23505"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
)

func newPostgres(cfg Config) (engine, error) {
	dsn := cfg.DSN
	if dsn.IsZero() {
		var err error
		if dsn, err = readDSN(cfg.DSNFile); err != nil {
			return engine{}, err
		}
	}
	parsed, err := dsn.parse()
	if err != nil {
		return engine{}, err
	}
	connections := cfg.Connections
	if connections == 0 {
		connections = postgresConnections
	}
	if connections < 2 {
		return engine{}, errs.New(errs.Invalid, fmt.Sprintf("%d connections to PostgreSQL do not suffice", connections), "at least 2")
	}
	return engine{
		folder: "postgres", dialect: goose.DialectPostgres, connector: pgConnector{stdlib.GetConnector(*parsed)},
		connections: connections, idle: 5 * time.Minute, isolation: sql.LevelSerializable, attempts: 10,
		check:  preparePostgres,
		rebind: func(query string) string { return query },
		judge:  judgePostgres, undecided: undecidedPostgres, erase: erasePostgres,
		snapshot: func(ctx context.Context, _ *sql.Conn, path string) error { return dumpPostgres(ctx, dsn, path) },
	}, nil
}

// erasePostgres writes every table of the schema anew: the files of the old ones
// go with the server's next checkpoint.
func erasePostgres(ctx context.Context, conn *sql.Conn) error {
	// The limits of a statement are lifted for this connection, which is not
	// used any more.
	defer func() { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }()
	if _, err := conn.ExecContext(ctx, `SET statement_timeout = 0; SET lock_timeout = 0`); err != nil {
		return err
	}
	var tables []string
	rows, err := conn.QueryContext(ctx, `SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range tables {
		if _, err := conn.ExecContext(ctx, `VACUUM (FULL) `+name); err != nil {
			return fmt.Errorf("vacuum %s: %w", name, err)
		}
	}
	return nil
}

// pgConnector makes connections, and keeps the connection string out of the
// errors.
type pgConnector struct{ driver.Connector }

func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, connectError(ctx, err)
	}
	return conn, nil
}

// connectError says why there is no connection in words of ours. The driver's
// words name user, database and host; where a password with an unescaped / or @
// made the string fall apart in another way than was meant, these are parts of
// the password. So nothing of them goes on, not even as a cause.
func connectError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errs.Wrap(ctx.Err(), errs.Unavailable, "there was no connection to PostgreSQL in time", "")
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		cause := &pgconn.PgError{Severity: pg.Severity, SeverityUnlocalized: pg.SeverityUnlocalized, Code: pg.Code, Message: "connection refused"}
		switch {
		case strings.HasPrefix(pg.Code, "28"):
			return errs.Wrap(cause, errs.Denied, "PostgreSQL refuses the user or the password", "the connection string and the server's pg_hba.conf decide it")
		case pg.Code == "3D000":
			return errs.Wrap(cause, errs.NotFound, "the PostgreSQL server has no such database", "createdb, with the user that the connection string names as owner")
		}
		return errs.Wrap(cause, errs.Unavailable, "PostgreSQL takes no connection", "the server's log has the reason")
	}
	unavailable := func(cause error, message string) error {
		return errs.Wrap(cause, errs.Unavailable, message, "is the server running, and is its address right?")
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return unavailable(errno, "PostgreSQL cannot be reached")
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return unavailable(nil, "the PostgreSQL server's name has no address")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errs.New(errs.Denied, "the PostgreSQL server's certificate is not the one expected", "sslrootcert=FILE names the authority that signed it")
	}
	return unavailable(nil, "there is no connection to PostgreSQL")
}

// preparePostgres refuses a server on which the promises do not hold, and takes
// the lock that keeps two processes from migrating at the same time.
func preparePostgres(ctx context.Context, pool *sql.DB) (unlock func(), err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	release := func() { _ = conn.Close() }
	defer func() {
		if err != nil {
			release()
		}
	}()
	var version int
	var encoding string
	var standby bool
	err = conn.QueryRowContext(ctx, `SELECT CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_encoding'), pg_is_in_recovery()`).
		Scan(&version, &encoding, &standby)
	if err != nil {
		return nil, fmt.Errorf("ask the server for its version: %w", err)
	}
	if err := checkServer(version, encoding, standby); err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return nil, fmt.Errorf("wait for another program that migrates: %w", err)
	}
	return func() {
		// A lock that cannot be given back goes with its connection.
		if _, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock)); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		release()
	}, nil
}

func checkServer(version int, encoding string, standby bool) error {
	switch {
	case version < oldestPostgres:
		return errs.New(errs.Invalid, fmt.Sprintf("the server is PostgreSQL %s and muster needs %d or later", versionName(version), oldestPostgres/10000),
			"upgrade the server, or use another")
	case encoding != "UTF8":
		return errs.New(errs.Invalid, "the PostgreSQL database has the encoding "+encoding, "createdb --encoding=UTF8 --template=template0")
	case standby:
		return errs.New(errs.Invalid, "the PostgreSQL server is a standby and takes no changes", "name the primary, or promote this one")
	}
	return nil
}

// versionName returns 15.18 for 150018, and 9.6.24 for 90624.
func versionName(version int) string {
	if version < 100000 {
		return fmt.Sprintf("%d.%d.%d", version/10000, version/100%100, version%100)
	}
	return fmt.Sprintf("%d.%d", version/10000, version%10000)
}

// judgePostgres finds the errors after which the same transaction may succeed.
func judgePostgres(err error, conn any) verdict {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case serializationFailure, deadlockDetected, lockNotAvailable:
			return contended
		}
	}
	switch {
	case errors.Is(err, driver.ErrBadConn), conn == nil && errs.KindOf(err) == errs.Unavailable, conn != nil && closedPostgres(conn):
		return lost
	}
	return done
}

func closedPostgres(conn any) bool {
	c, ok := conn.(interface{ Conn() *pgx.Conn })
	return ok && c.Conn().IsClosed()
}

// undecidedPostgres: only an answer of the server decides a COMMIT, and one that
// ends the connection may come after it (when the server stops while it waits
// for a replica). What the driver calls safe to retry decides nothing: where the
// connection breaks while it awaits the answer, it says that of a COMMIT that
// was sent.
func undecidedPostgres(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.SeverityUnlocalized != "ERROR"
	}
	return !errors.Is(err, pgx.ErrTxCommitRollback) && !errors.Is(err, sql.ErrTxDone)
}

func postgresUnique(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == uniqueViolation
}
