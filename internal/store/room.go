package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"muster/internal/errs"
)

// What a database's disk can lack.
const (
	diskFull  = "there is no room left for the database"
	diskWrong = "the disk of the database does not take what is written to it: it may be full, or broken"
	diskHint  = "make room there: what was acknowledged is not lost, and the same again does no harm"
)

// The SQLSTATEs of PostgreSQL for a disk.
const (
	postgresDiskFull = "53100"
	postgresIOError  = "58030"
)

// explain gives a person's words to what is about the disk, whatever the engine:
// who runs the host can do something about it, and who sent something tries
// again later. Other errors stay as they are.
func explain(err error) error {
	message := ""
	switch pg, ok := errors.AsType[*pgconn.PgError](err); {
	case errors.Is(err, sqlite3.FULL), ok && pg.Code == postgresDiskFull:
		message = diskFull
	case errors.Is(err, sqlite3.IOERR), ok && pg.Code == postgresIOError:
		message = diskWrong
	default:
		return err
	}
	if errs.KindOf(err) != errs.Internal {
		return err // whoever was nearer knew more
	}
	return errs.Wrap(err, errs.Unavailable, message, diskHint)
}
