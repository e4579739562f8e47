package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Statements are statements that were compiled once, by the text of their query with
// its numbered placeholders. Compiling is what most of a small transaction takes.
type Statements map[string]*sql.Stmt

// Prepare compiles queries for transactions of [DB.InTx] and of [DB.View]. The
// statements live as long as the database, and in a transaction one is used by
// [sql.Tx.StmtContext]: its rows have been read before it is run again.
func (db *DB) Prepare(ctx context.Context, queries ...string) (write, read Statements, err error) {
	if write, err = prepare(ctx, db, db.pool, queries); err != nil || db.reader == nil {
		return write, write, err
	}
	read, err = prepare(ctx, db, db.reader, queries)
	return write, read, err
}

func prepare(ctx context.Context, db *DB, pool *sql.DB, queries []string) (Statements, error) {
	statements := make(Statements, len(queries))
	for _, query := range queries {
		text := db.Rebind(query)
		statement, err := pool.PrepareContext(ctx, text)
		if err != nil {
			return nil, fmt.Errorf("prepare a statement: %w", err)
		}
		statements[query] = statement
	}
	return statements, nil
}
