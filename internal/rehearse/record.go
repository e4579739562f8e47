package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"muster/internal/coalition"
	"muster/internal/ledger"
)

// record is the coordinator's record in the rehearsal's folder.
type record struct {
	*ledger.File
	file *os.File
}

// openRecord goes on with the record that an interrupted run left, or begins it
// with the charter.
func (c *Rehearsal) openRecord(ctx context.Context) (*record, error) {
	file, err := os.OpenFile(filepath.Join(c.cfg.Dir, "ledger.jsonl"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	r := &record{file: file}
	if err := r.begin(ctx, c); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *record) begin(ctx context.Context, c *Rehearsal) error {
	var err error
	var length int64
	if r.File, length, err = ledger.Open(r.file, fileSink{r.file}, c.coordinator); err != nil {
		return err
	}
	if err := r.file.Truncate(length); err != nil {
		return fmt.Errorf("cut the record: %w", err)
	}
	if _, err := r.file.Seek(length, io.SeekStart); err != nil {
		return fmt.Errorf("open the record: %w", err)
	}
	return r.Append(ctx, c.charterEntry())
}

func (r *record) close() error { return r.file.Close() }

func (r *record) read() ([]byte, error) {
	body, err := os.ReadFile(r.file.Name())
	if err != nil {
		return nil, fmt.Errorf("read the record: %w", err)
	}
	return body, nil
}

// logRoster enters what the hosts enter, too. Where they write into this record
// the entry is there already.
func (c *Rehearsal) logRoster(ctx context.Context, r *record, signed coalition.SignedRoster) error {
	roster, err := signed.Open(c.task, c.charter.Leader.Key, c.charter.Helper.Key)
	if err != nil {
		return err
	}
	return r.Append(ctx, ledger.Entry{
		ID: "roster " + c.task.String(), Kind: "roster",
		Data: map[string]string{"task_id": c.task.String(), "roster": signed.Digest(), "submissions": strconv.Itoa(len(roster.Entries))},
	})
}

// fileSink makes every line durable before it is acknowledged.
type fileSink struct{ file *os.File }

func (s fileSink) Append(b []byte) error {
	if _, err := s.file.Write(b); err != nil {
		return err
	}
	return s.file.Sync()
}
