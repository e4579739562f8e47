package store

import "context"

// Reconnect drops the connection, as a broken one is; the next transaction
// makes another.
func (db *DB) Reconnect() {
	db.pool.SetMaxIdleConns(-1)
	db.pool.SetMaxIdleConns(1)
}

// CheckServer is what Open checks of a PostgreSQL server.
func CheckServer(version int, encoding string, standby bool) error {
	return checkServer(version, encoding, standby)
}

// Environment is [DSN.environment].
func Environment(d DSN) ([]string, string, error) { return d.environment() }

// Waiting returns how many wait for a writer, where transactions are grouped.
func (db *DB) Waiting() int {
	db.group.mu.Lock()
	defer db.group.mu.Unlock()
	return len(db.group.waiting)
}

// ReadersOnlyRead reports whether every connection of the readers only reads, also
// between two views.
func (db *DB) ReadersOnlyRead(ctx context.Context) (only bool, err error) {
	err = db.reader.QueryRowContext(ctx, `PRAGMA query_only`).Scan(&only)
	return only, err
}
