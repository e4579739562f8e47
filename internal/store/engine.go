package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/pressly/goose/v3"

	"muster/internal/errs"
)

// engine is what differs between the databases.
type engine struct {
	folder      string // of its migrations
	dialect     goose.Dialect
	connector   driver.Connector
	connections int           // at the same time, at most
	idle        time.Duration // after which an unused connection is closed; zero: never

	reader  driver.Connector // of connections that only read, beside those that write; nil: there are none
	readers int              // how many of them

	isolation sql.IsolationLevel
	attempts  int // how often a transaction is tried, at most

	// check looks at the server before anything is written, and keeps other
	// processes from migrating until unlock is called. Nil: nothing to do.
	check func(ctx context.Context, pool *sql.DB) (unlock func(), err error)
	// erase rewrites the tables without what was deleted.
	erase func(ctx context.Context, conn *sql.Conn) error
	// snapshot writes a copy of the database to a file that is there and empty.
	snapshot func(ctx context.Context, conn *sql.Conn, path string) error
	// rebind turns $1 into the engine's placeholder.
	rebind func(query string) string
	// judge says whether a transaction that did not commit is worth another
	// run. conn is the driver's connection, or nil if there was none.
	judge func(err error, conn any) verdict
	// undecided says whether a failed COMMIT may have happened all the same.
	undecided func(err error) bool
}

// verdict says what to do about a transaction that ended.
type verdict uint8

const (
	done      verdict = iota // that was it, good or bad
	contended                // another transaction was in the way: run it again, alone
	lost                     // the connection broke before the commit: run it again
)

func newEngine(cfg Config) (engine, error) {
	given := 0
	for _, is := range []bool{cfg.Path != "", !cfg.DSN.IsZero(), cfg.DSNFile != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return engine{}, errs.New(errs.Invalid, "a database is one SQLite file or one PostgreSQL server", "name one of them")
	case cfg.Path != "":
		return newSQLite(cfg)
	case cfg.Key != nil || cfg.Readers != 0 || cfg.Grouped:
		return engine{}, errs.New(errs.Invalid, "only a SQLite database is encrypted here, has readers of its own and groups transactions", "PostgreSQL is encrypted by whoever runs its server")
	}
	return newPostgres(cfg)
}

// gate lets a number of transactions pass at a time, or one alone. It keeps a
// transaction that met another from meeting the next one: without it, many that
// change one row would go on failing each other.
type gate struct {
	places chan struct{} // holds a token for each place that is taken
	alone  chan struct{} // held by the one that is taking all places
}

func newGate(places int) gate {
	return gate{places: make(chan struct{}, places), alone: make(chan struct{}, 1)}
}

// enter takes n places, or none if ctx ends before.
func (g gate) enter(ctx context.Context, n int) error {
	if n > 1 { // two that have a part of the places each would wait for ever
		select {
		case g.alone <- struct{}{}:
			defer func() { <-g.alone }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for taken := range n {
		if err := ctx.Err(); err != nil {
			g.leave(taken)
			return err
		}
		select {
		case g.places <- struct{}{}:
		case <-ctx.Done():
			g.leave(taken)
			return ctx.Err()
		}
	}
	return nil
}

func (g gate) leave(n int) {
	for range n {
		<-g.places
	}
}
