// Package witness watches ledgers for a member: it cosigns a checkpoint that
// follows from the one that it cosigned last, and never another.
//
//	w, err := witness.Open(witness.Config{Dir: dir, Signer: key, Ledgers: ledgers, Now: now})
//	line, err := w.Cosign(request)
//
// What it has seen is on disk before it answers, so that a machine that loses its
// power never signs what it would have refused. The same request goes over HTTP,
// see [Handler], and as a file, for a witness that is never on a network. A folder
// has one witness at a time, which holds a lock.
//
// It trusts nobody: not the ledger, whose checkpoints it compares, nor whoever
// brings them, since the ledger signs them.
package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// seenFolder holds, by the hash of a ledger's origin, the checkpoint that was cosigned last.
const seenFolder = "seen"

// Config is a witness. All fields are needed.
type Config struct {
	Dir     string
	Signer  *keys.Signer
	Ledgers []keys.Public // that it watches
	Now     func() time.Time
}

// Witness is an open witness. Its methods may be called concurrently.
type Witness struct {
	cfg     Config
	lock    io.Closer
	ledgers map[string]keys.Public // by origin

	mu sync.Mutex // held from looking at what was seen until the new is kept
}

// Open opens a witness's folder. It refuses with an error of kind Unavailable while
// another process has it.
func Open(cfg Config) (*Witness, error) {
	w := &Witness{cfg: cfg, ledgers: make(map[string]keys.Public)}
	for _, key := range cfg.Ledgers {
		if err := key.Check(); err != nil {
			return nil, err
		}
		if _, ok := w.ledgers[key.KeyName()]; ok {
			return nil, errs.New(errs.Invalid, "there are two keys of the ledger "+errs.Quote(key.KeyName()), "one key for each ledger")
		}
		w.ledgers[key.KeyName()] = key
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, seenFolder), 0o700); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the folder %s cannot be made", strconv.Quote(cfg.Dir)), "")
	}
	var err error
	w.lock, err = config.LockFile(filepath.Join(cfg.Dir, "witness.lock"), "another process is this witness")
	if err != nil {
		return nil, err
	}
	return w, nil
}

// Close lets the next process be the witness.
func (w *Witness) Close() error { return w.lock.Close() }

// Cosign returns the witness's line on the checkpoint of a request, see
// [ledger.CosignRequest]. The error of one that it does not sign is a
// [ledger.RefusalError].
func (w *Witness) Cosign(request []byte) ([]byte, error) {
	r, err := ledger.ParseCosignRequest(request)
	if err != nil {
		return nil, &ledger.RefusalError{Refusal: ledger.RefuseMalformed, Err: err}
	}
	c, err := ledger.ReadCheckpoint(r.Checkpoint)
	if err != nil {
		return nil, &ledger.RefusalError{Refusal: ledger.RefuseMalformed, Err: err}
	}
	key, ok := w.ledgers[c.Origin]
	if !ok {
		return nil, &ledger.RefusalError{Refusal: ledger.RefuseUnknown, Err: errs.New(errs.NotFound, "this witness does not watch the ledger "+errs.Quote(c.Origin), "its key stands in "+config.WitnessFile+" where it does")}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	last, err := w.seen(key)
	if err != nil {
		return nil, err
	}
	next, err := r.Judge(key, last)
	if err != nil {
		return nil, err
	}
	line, err := ledger.Cosign(next, w.cfg.Signer, w.cfg.Now)
	if err != nil {
		return nil, err
	}
	// Kept first. What is kept and never given out only makes the witness stricter.
	if err := config.Replace(w.path(key), r.Checkpoint); err != nil {
		return nil, err
	}
	return line, nil
}

// Seen returns the checkpoint of a ledger that was cosigned last, the zero
// Checkpoint if none was.
func (w *Witness) Seen(key keys.Public) (ledger.Checkpoint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen(key)
}

func (w *Witness) path(key keys.Public) string {
	digest := sha256.Sum256([]byte(key.KeyName()))
	return filepath.Join(w.cfg.Dir, seenFolder, hex.EncodeToString(digest[:]))
}

func (w *Witness) seen(key keys.Public) (ledger.Checkpoint, error) {
	note, err := os.ReadFile(w.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.Checkpoint{}, nil
	}
	if err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("witness: read what was seen: %w", err)
	}
	// A file that was damaged must not look like a ledger that was never seen.
	seen, err := ledger.Policy{Log: key}.Read(note, time.Time{})
	if err != nil {
		return ledger.Checkpoint{}, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s is not as the witness wrote it", strconv.Quote(w.path(key))), "restore it from a backup; without it the witness would sign whatever comes first")
	}
	return seen.Checkpoint, nil
}
