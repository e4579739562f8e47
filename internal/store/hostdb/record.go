package hostdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store"
)

// Record is the host's record as it is kept in its database, one line a row. It
// implements [aggregate.Log]. Several processes may append: each line is a
// transaction, so that none is torn and no two have one number.
type Record struct {
	db     *DB
	signer *keys.Signer
}

// Record returns the host's record, whose lines signer signs.
func (d *DB) Record(signer *keys.Signer) *Record { return &Record{db: d, signer: signer} }

// Append adds an entry; it is durable when Append returns nil. The same entry
// again changes nothing; another entry under a known id is refused with an error
// of kind Conflict.
func (r *Record) Append(ctx context.Context, e ledger.Entry) error {
	for attempt := 1; ; attempt++ {
		err := r.append(ctx, e)
		// Another process may have been faster with the same number.
		if !store.IsUnique(err) || attempt == 10 {
			return err
		}
	}
}

func (r *Record) append(ctx context.Context, e ledger.Entry) error {
	return r.db.inTx(ctx, "append to the record", func(tx *hostTx) error {
		var line []byte
		err := tx.row(`SELECT line FROM record_lines WHERE entry_id = $1`, e.ID).Scan(&line)
		if err == nil {
			return sameEntry(line, e)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("look up an entry: %w", err)
		}
		tail, err := tx.recordTail()
		if err != nil {
			return err
		}
		raw, _, err := tail.Seal(e, r.signer)
		if err != nil {
			return err
		}
		if _, err := tx.exec(`INSERT INTO record_lines (entry_id, number, line) VALUES ($1, $2, $3)`, e.ID, tail.Lines, raw); err != nil {
			return fmt.Errorf("append %s: %w", e.Kind, err)
		}
		return nil
	})
}

func sameEntry(line []byte, e ledger.Entry) error {
	same, err := ledger.Holds(line, e)
	if err == nil && !same {
		return errs.New(errs.Conflict, fmt.Sprintf("the record has another entry %s", errs.Quote(e.ID)), "")
	}
	return err
}

// RecordTail returns where the record ends.
func (d *DB) RecordTail(ctx context.Context) (ledger.Tail, error) {
	var tail ledger.Tail
	err := d.inTx(ctx, "read the end of the record", func(tx *hostTx) (err error) {
		tail, err = tx.recordTail()
		return err
	})
	return tail, err
}

func (t *hostTx) recordTail() (ledger.Tail, error) {
	var line []byte
	err := t.row(`SELECT line FROM record_lines ORDER BY number DESC LIMIT 1`).Scan(&line)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.Tail{}, nil
	}
	if err != nil {
		return ledger.Tail{}, fmt.Errorf("read the last line: %w", err)
	}
	return ledger.TailOf(line)
}

// WriteRecord writes the whole record in the form that [ledger.Read] checks.
func (d *DB) WriteRecord(ctx context.Context, w io.Writer) error {
	var lines [][]byte
	err := d.inTx(ctx, "read the record", func(tx *hostTx) error {
		lines = nil
		return tx.rows(`SELECT line FROM record_lines ORDER BY number`, nil, func(rows *sql.Rows) error {
			var line []byte
			err := rows.Scan(&line)
			lines = append(lines, line)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, line := range lines {
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}
