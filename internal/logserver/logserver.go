//go:build unix

package logserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// How Tessera works: small batches at once, since a cycle enters a few hundred
// entries in its life; large ones where there are many.
const (
	batchSize     = 512
	batchAge      = 10 * time.Millisecond
	checkpointAge = 100 * time.Millisecond // the least that Tessera takes
	pollAge       = 10 * time.Millisecond
	patience      = 30 * time.Second // for a checkpoint; a full disk has none
)

// Config says which ledger to open. All fields but Now are needed.
type Config struct {
	Dir    string       // holds the ledger and nothing else; made if it is not there
	Signer *keys.Signer // the ledger's; its name is the origin
	Policy ledger.Policy
	Now    func() time.Time // nil: the machine's clock
}

// Log is a ledger that this process writes. Its methods may be called concurrently.
type Log struct {
	cfg      Config
	lock     io.Closer
	appender *tessera.Appender
	shutdown func(context.Context) error
	reader   tessera.LogReader
	stop     context.CancelFunc

	mu     sync.Mutex
	ids    map[string]ledger.Hash // the leaf's hash by the statement's id
	broken error                  // once set, nothing is added any more
}

// Open opens a ledger for writing after reading and checking all of it. It refuses
// with an error of kind Unavailable where another process writes.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := cfg.Policy.Check(); err != nil {
		return nil, err
	}
	if cfg.Policy.Log != cfg.Signer.Public() {
		return nil, fmt.Errorf("logserver: the policy is of %s, the key of %s", cfg.Policy.Log.Name(), cfg.Signer.Public().Name())
	}
	for _, dir := range []string{cfg.Dir, filepath.Join(cfg.Dir, publishedFolder)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), "")
		}
	}
	l := &Log{cfg: cfg, ids: make(map[string]ledger.Hash)}
	var err error
	if l.lock, err = config.LockFile(filepath.Join(cfg.Dir, lockName), writerBusy); err != nil {
		return nil, err
	}
	if err := l.open(ctx); err != nil {
		return nil, errors.Join(err, l.lock.Close())
	}
	return l, nil
}

func (l *Log) open(ctx context.Context) error {
	quiet()
	// The appender outlives ctx, which is that of the call.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	driver, err := posix.New(background, posix.Config{Path: l.logDir()})
	if err == nil {
		l.appender, l.shutdown, l.reader, err = tessera.NewAppender(background, driver, tessera.NewAppendOptions().
			WithCheckpointSigner(l.cfg.Signer.NoteSigner()).
			WithBatching(batchSize, batchAge).
			WithCheckpointInterval(checkpointAge).
			WithCheckpointRepublishInterval(0).
			WithGarbageCollectionInterval(0))
	}
	if err != nil {
		stop()
		return errs.Wrap(err, errs.Invalid, fmt.Sprintf("the ledger in %s cannot be opened", strconv.Quote(l.cfg.Dir)), "muster ledger fsck says what is wrong with it")
	}
	l.stop = stop
	if err := l.load(ctx); err != nil {
		stop()
		return err
	}
	return nil
}

// quiet keeps Tessera's own log, which is klog's and one for the whole process, from
// the terminal: what goes wrong comes back as an error.
func quiet() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
}

func (l *Log) logDir() string { return filepath.Join(l.cfg.Dir, logFolder) }

// load reads what is in the ledger, which must be whole.
func (l *Log) load(ctx context.Context) error {
	note, err := l.integrated(ctx)
	if err != nil {
		return err
	}
	w, err := l.cfg.Policy.Read(note, l.cfg.Now())
	if err != nil {
		return err
	}
	view, err := ledger.ReadView(ctx, ledger.FS(os.DirFS(l.logDir())), w.Checkpoint)
	if err != nil {
		return err
	}
	statements, err := view.Statements()
	if err != nil {
		return err
	}
	for i, s := range statements {
		l.ids[s.ID()] = ledger.LeafHash(view.Leaves[i])
	}
	return nil
}

// integrated waits until the log has signed a checkpoint of all that it holds.
func (l *Log) integrated(ctx context.Context) ([]byte, error) {
	size, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return nil, fmt.Errorf("logserver: read the size: %w", err)
	}
	return l.await(ctx, size)
}

// await returns the log's checkpoint once it has at least size entries.
func (l *Log) await(ctx context.Context, size uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(pollAge)
	defer tick.Stop()
	for {
		note, err := l.reader.ReadCheckpoint(ctx)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("logserver: read the checkpoint: %w", err)
		}
		if err == nil {
			c, err := ledger.ReadCheckpoint(note)
			if err != nil {
				return nil, err
			}
			if c.Size >= size {
				return note, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, errs.Wrap(ctx.Err(), errs.Unavailable, fmt.Sprintf("the ledger has %d entries and no checkpoint of them", size), "is there room on its disk? the entries are kept; run the command again")
		case <-tick.C:
		}
	}
}

// Add enters statements that are signed. Those that are there change nothing;
// another one of the same id is refused with an error of kind Conflict, and then
// none is entered. When it returns all are on disk and in the tree; an interrupted
// call may be repeated.
func (l *Log) Add(ctx context.Context, statements ...ledger.Statement) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return errs.Wrap(l.broken, errs.Unavailable, "the ledger could not be written before", "open it again; it is checked then")
	}
	fresh, err := ledger.Fresh(statements, func(id string) (ledger.Hash, bool) { h, ok := l.ids[id]; return h, ok })
	if err != nil {
		return err
	}
	futures := make([]tessera.IndexFuture, len(fresh))
	for i, f := range fresh {
		futures[i] = l.appender.Add(ctx, tessera.NewEntry(f.Leaf))
	}
	for i, future := range futures {
		if _, err := future(); err != nil {
			l.broken = err
			return fmt.Errorf("logserver: enter %s: %w", errs.Quote(string(fresh[i].ID)), err)
		}
		l.ids[fresh[i].ID] = fresh[i].Hash
	}
	return nil
}

// Size returns how many entries are in the ledger.
func (l *Log) Size(ctx context.Context) (uint64, error) { return l.reader.IntegratedSize(ctx) }

// Checkpoint returns a checkpoint of everything that was added, signed by the log
// and seen by no witness yet.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) { return l.integrated(ctx) }

// Source returns the ledger's tiles.
func (l *Log) Source() ledger.Source { return ledger.FS(os.DirFS(l.logDir())) }

// Publish publishes a checkpoint of everything that was added, once enough witnesses
// have cosigned it. ask asks one of them, see [Witness.Ask]; those that fail come
// back in missed, by their place in the policy.
func (l *Log) Publish(ctx context.Context, ask func(ctx context.Context, witness int, note []byte) ([]byte, error)) (note []byte, missed map[int]error, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if note, err = l.integrated(ctx); err != nil {
		return nil, nil, err
	}
	folder := Folder{l.cfg.Dir}
	if kept, err := folder.pending(note); err != nil {
		return nil, nil, err
	} else if kept != nil {
		note = kept
	}
	w, err := l.cfg.Policy.Read(note, l.cfg.Now())
	if err != nil {
		return nil, nil, err
	}
	missed = make(map[int]error)
	for i, seen := range w.Witnesses {
		if seen.Signed || ask == nil {
			continue
		}
		lines, err := ask(ctx, i, note)
		if err == nil {
			note, err = l.cfg.Policy.Join(note, lines, l.cfg.Now())
		}
		if err != nil {
			missed[i] = err
		}
	}
	return note, missed, folder.publish(l.cfg.Policy, note, l.cfg.Now())
}

// Close ends the writing and lets the next process write.
func (l *Log) Close(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = errors.New("the ledger is closed")
	err := l.shutdown(ctx)
	l.stop()
	return errors.Join(err, l.lock.Close())
}
