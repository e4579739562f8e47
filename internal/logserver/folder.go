package logserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/ledger"
)

// The parts of a ledger's folder.
const (
	logFolder       = "log"         // Tessera's: tiles, entries, the newest checkpoint before anyone cosigned it
	publishedFolder = "checkpoints" // what was published, by size
	lockName        = "writer.lock" // whose lock the writer holds
	pendingName     = "pending"     // the checkpoint that waits for witnesses, with the cosignatures that it has
)

// writerBusy is said where another process has the lock.
const writerBusy = "another process writes this ledger"

// Folder is a ledger's folder as it is read: by the server, and by who checks it.
type Folder struct{ Dir string }

// Source returns the ledger's tiles and entries.
func (f Folder) Source() ledger.Source {
	return ledger.FS(os.DirFS(filepath.Join(f.Dir, logFolder)))
}

// Published returns the newest checkpoint that was published. It is NotFound before
// the first.
func (f Folder) Published() ([]byte, error) {
	sizes, err := f.sizes()
	if err != nil {
		return nil, err
	}
	if len(sizes) == 0 {
		return nil, errs.New(errs.NotFound, "nothing was published yet", "a checkpoint is published when enough witnesses have cosigned it: muster ledger add asks them")
	}
	return f.at(sizes[len(sizes)-1])
}

// Earlier returns all checkpoints that were published, by size.
func (f Folder) Earlier() (map[uint64][]byte, error) {
	sizes, err := f.sizes()
	if err != nil {
		return nil, err
	}
	notes := make(map[uint64][]byte, len(sizes))
	for _, size := range sizes {
		if notes[size], err = f.at(size); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

func (f Folder) at(size uint64) ([]byte, error) {
	return os.ReadFile(filepath.Join(f.Dir, publishedFolder, strconv.FormatUint(size, 10)))
}

// sizes returns the sizes that were published, ascending.
func (f Folder) sizes() ([]uint64, error) {
	entries, err := os.ReadDir(filepath.Join(f.Dir, publishedFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("logserver: list the checkpoints: %w", err)
	}
	var sizes []uint64
	for _, e := range entries {
		if size, err := strconv.ParseUint(e.Name(), 10, 64); err == nil && strconv.FormatUint(size, 10) == e.Name() {
			sizes = append(sizes, size)
		}
	}
	slices.Sort(sizes)
	return sizes, nil
}

// Pending returns the checkpoint that waits for witnesses, nil if none does.
func (f Folder) Pending() ([]byte, error) {
	note, err := os.ReadFile(filepath.Join(f.Dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return note, err
}

// pending returns the cosignatures that a checkpoint has already, nil if it is not
// the one that waits.
func (f Folder) pending(note []byte) ([]byte, error) {
	kept, err := f.Pending()
	if err != nil || kept == nil {
		return nil, err
	}
	a, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return nil, err
	}
	b, err := ledger.ReadCheckpoint(kept)
	if err != nil || a != b {
		return nil, err
	}
	return kept, nil
}

// publish keeps a checkpoint: as published if enough have cosigned it, else waiting.
func (f Folder) publish(policy ledger.Policy, note []byte, now time.Time) error {
	w, err := policy.Read(note, now)
	if err != nil {
		return err
	}
	err = w.Enough()
	if errs.KindOf(err) == errs.Unavailable {
		if writeErr := config.Replace(filepath.Join(f.Dir, pendingName), note); writeErr != nil {
			return writeErr
		}
	}
	if err != nil {
		return err
	}
	if err := f.follows(w.Checkpoint); err != nil {
		return err
	}
	if err := config.Replace(filepath.Join(f.Dir, publishedFolder, strconv.FormatUint(w.Size, 10)), note); err != nil {
		return err
	}
	// What waits is this one, or an earlier one that nobody needs any more.
	if err := os.Remove(filepath.Join(f.Dir, pendingName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("logserver: remove the checkpoint that waited: %w", err)
	}
	return nil
}

// follows refuses to publish what is behind, or beside, what was published.
func (f Folder) follows(c ledger.Checkpoint) error {
	note, err := f.Published()
	if errs.KindOf(err) == errs.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := ledger.ReadCheckpoint(note)
	if err != nil {
		return err
	}
	if c.Size < before.Size || (c.Size == before.Size && c.Root != before.Root) {
		return errs.New(errs.Conflict, fmt.Sprintf("the ledger of %d entries does not follow from the %d that were published", c.Size, before.Size), "restore its folder from a backup that has all of them; muster ledger fsck says what is missing")
	}
	return nil
}

// Join adds a witness's cosignature that came as a file to the checkpoint that
// waits, and publishes it if that is enough.
func (f Folder) Join(policy ledger.Policy, lines []byte, now time.Time) (_ []byte, err error) {
	lock, err := config.LockFile(filepath.Join(f.Dir, lockName), writerBusy)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	note, err := f.Pending()
	if err == nil && note == nil {
		note, err = f.Published() // one more than needed is kept, too
	}
	if err != nil {
		return nil, err
	}
	before, err := policy.Read(note, now)
	if err != nil {
		return nil, err
	}
	if note, err = policy.Join(note, lines, now); err != nil {
		return nil, err
	}
	after, err := policy.Read(note, now)
	if err != nil {
		return nil, err
	}
	if after.Count() == before.Count() {
		return nil, errs.New(errs.Invalid, "this is no cosignature of the checkpoint that waits, by a witness of the policy that has not cosigned it", "muster ledger request writes what the witness has to sign")
	}
	return note, f.publish(policy, note, now)
}

// Check reads the whole ledger and compares it with every checkpoint that was
// published, and with the one that waits.
func (f Folder) Check(ctx context.Context, policy ledger.Policy, now time.Time) (*ledger.View, []ledger.Statement, error) {
	note, err := os.ReadFile(filepath.Join(f.Dir, logFolder, ledger.CheckpointName))
	if err != nil {
		return nil, nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s holds no ledger", strconv.Quote(f.Dir)), "give the folder that muster ledger init made")
	}
	w, err := policy.Read(note, now)
	if err != nil {
		return nil, nil, err
	}
	view, err := ledger.ReadView(ctx, f.Source(), w.Checkpoint)
	if err != nil {
		return nil, nil, err
	}
	notes, err := f.Earlier()
	if err != nil {
		return nil, nil, err
	}
	if pending, err := f.Pending(); err != nil {
		return nil, nil, err
	} else if pending != nil {
		c, err := ledger.ReadCheckpoint(pending)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Equal(notes[c.Size], nil) {
			notes[c.Size] = pending
		}
	}
	for size, note := range notes {
		w, err := policy.Read(note, now)
		if err != nil {
			return nil, nil, fmt.Errorf("the checkpoint of %d entries: %w", size, err)
		}
		w.Threshold = 0 // a witness may have been named since; what is forged is forged
		if err := w.Enough(); err != nil {
			return nil, nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the checkpoint of %d entries in %s: %s", size, publishedFolder, errs.Describe(err).Message), "restore it from a backup; a checkpoint that was changed is worth keeping")
		}
		if err := view.Consistent(w.Checkpoint); err != nil {
			return nil, nil, err
		}
	}
	statements, err := view.Statements()
	return view, statements, err
}
