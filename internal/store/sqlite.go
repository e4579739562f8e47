package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
	"github.com/pressly/goose/v3"

	"muster/internal/errs"
)

// fileMode is the mode of a database and of what SQLite keeps beside it.
const fileMode = 0o600

// maxConnects bounds how often a connection to a busy database is tried.
const maxConnects = 50

// newSQLite returns the engine for a file.
func newSQLite(cfg Config) (engine, error) {
	writer, err := newConnector(cfg.Path, cfg.Key)
	if err != nil {
		return engine{}, err
	}
	e := engine{
		folder: "sqlite", dialect: goose.DialectSQLite3, connector: writer,
		// SQLite has one writer; a host reads little between writes.
		connections: 1, attempts: 5, isolation: sql.LevelDefault,
		rebind: func(query string) string { return strings.ReplaceAll(query, "$", "?") },
		judge: func(err error, _ any) verdict {
			if busySQLite(err) {
				return contended
			}
			return done
		},
		undecided: func(error) bool { return false },
		erase:     eraseSQLite,
		snapshot: func(ctx context.Context, conn *sql.Conn, path string) error {
			return snapshotSQLite(ctx, conn, path, cfg.Key)
		},
	}
	if cfg.Readers > 0 {
		reader := *writer
		if reader.Connector, err = new(sqlite.SQLite).OpenConnector(dsn(writer.path, cfg.Key != nil, "deferred")); err != nil {
			return engine{}, err
		}
		reader.pragmas = append(slices.Clone(writer.pragmas), "query_only(on)")
		e.reader, e.readers = &reader, cfg.Readers
	}
	return e, nil
}

// eraseSQLite: deleted rows were overwritten where they stood (secure_delete),
// but the write-ahead log still has them.
func eraseSQLite(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	var busy, log, moved int
	if err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(truncate)`).Scan(&busy, &log, &moved); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	if busy != 0 {
		return errs.New(errs.Unavailable, "another program reads the database, so what was deleted is still in its write-ahead log", "end that program and try again")
	}
	return nil
}

// snapshotSQLite reads in one transaction, beside which others read and write.
func snapshotSQLite(ctx context.Context, conn *sql.Conn, path string, key *Key) error {
	_, err := conn.ExecContext(ctx, `VACUUM INTO ?1`, snapshotName(path, key))
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*sqlite3.Error](err); ok && key != nil {
		err = failed.ExtendedCode() // without its text, which may quote the name
	}
	return fmt.Errorf("vacuum into %s: %w", path, err)
}

func busySQLite(err error) bool {
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
}

func sqliteUnique(err error) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// connector makes connections to one SQLite file. It sees to it that no file of
// the database is ever open to other users of the machine, whatever the umask:
// the database is created here before SQLite sees it, SQLite copies its mode to
// the journals (parameter modeof), and the shared memory is created here before
// each connection.
type connector struct {
	driver.Connector
	path    string
	key     *Key // nil: not encrypted
	pragmas []string
}

// newConnector creates the file if need be, and refuses one that others may use.
func newConnector(path string, key *Key) (*connector, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	// SQLite follows links, and puts journals beside the file that it finds.
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return nil, err
	}
	// Windows has access control lists, of which these bits say nothing.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("the database %s has mode %04o: other users of this machine may use it", path, mode),
			"chmod 600 "+path)
	}
	inner, err := new(sqlite.SQLite).OpenConnector(dsn(resolved, key != nil, "immediate"))
	if err != nil {
		return nil, err
	}
	return &connector{Connector: inner, path: resolved, key: key, pragmas: pragmas()}, nil
}

// pragmas are what every connection begins with.
func pragmas() []string {
	return []string{
		"busy_timeout(10000)",
		"journal_mode(wal)",
		"synchronous(full)",
		"foreign_keys(on)",
		"trusted_schema(off)",
		"secure_delete(on)",
		"temp_store(memory)", // sorting leaves nothing in a folder of the machine's
	}
}

// Connect returns a new connection with every pragma set. While another program
// creates the database SQLite may say at once that it is busy, whatever the
// timeout: two that change the journal mode would wait for each other.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	for attempt := 1; ; attempt++ {
		if err := create(c.path + "-shm"); err != nil {
			return nil, err
		}
		conn, err := c.connect(ctx)
		if err == nil || attempt == maxConnects || !busySQLite(err) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *connector) connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.begin(ctx, conn.(sqlite.Conn).Raw()); err != nil {
		return nil, errors.Join(wrongKey(err, c.key), conn.Close())
	}
	return conn, nil
}

// begin gives the key to a new connection, before anything is read, and sets the
// pragmas.
func (c *connector) begin(ctx context.Context, raw *sqlite3.Conn) error {
	old := raw.SetInterrupt(ctx)
	defer raw.SetInterrupt(old)
	if c.key != nil {
		if err := unlock(raw, c.key); err != nil {
			return err
		}
	}
	for _, pragma := range c.pragmas {
		if err := raw.Exec("PRAGMA " + pragma); err != nil {
			return fmt.Errorf("pragma %s: %w", pragma, err)
		}
	}
	return nil
}

// create creates an empty file if there is none.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names the file. What else a connection needs is set by [connector.begin]: a
// key never stands here, and pragmas that read the file have to come after it. begin is
// when a transaction asks for the lock: immediate, or deferred where it only reads.
func dsn(path string, encrypted bool, begin string) string {
	query := url.Values{"modeof": {path}, "_txlock": {begin}}
	if encrypted {
		query.Set("vfs", encryptingVFS)
	}
	// In SQLite's URIs a plus sign is a plus sign.
	parameters := strings.ReplaceAll(query.Encode(), "+", "%20")
	return "file:" + url.PathEscape(path) + "?" + parameters
}
