package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs/xts" // the file system that encrypts

	"muster/internal/errs"
)

// KeySize is the length of a [Key] in bytes: two of AES-256.
const KeySize = 64

// Key encrypts a SQLite database at rest with AES-XTS: the file, its write-ahead
// log and its snapshots. Each block is encrypted for its place, so whoever has two
// copies sees which blocks differ, and nothing else; nothing notices a block that
// was replaced by an older one of the same place.
type Key [KeySize]byte

// NewKey draws a key.
func NewKey(rand io.Reader) (*Key, error) {
	var k Key
	if _, err := io.ReadFull(rand, k[:]); err != nil {
		return nil, fmt.Errorf("draw a database key: %w", err)
	}
	return &k, nil
}

// Format hides the key, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "store.Key(hidden)") }

// LogValue hides the key.
func (k Key) LogValue() slog.Value { return slog.StringValue("store.Key(hidden)") }

// MarshalText refuses: a key is kept by whoever wraps it.
func (k Key) MarshalText() ([]byte, error) {
	return nil, errors.New("a database key is not written out")
}

// encryptingVFS is the name of the file system that encrypts.
const encryptingVFS = "xts"

// unlock gives the key to a connection that has read nothing yet. The key is in no
// name of a file and in no connection string, both of which SQLite hands on.
func unlock(raw *sqlite3.Conn, key *Key) error {
	if err := raw.Exec(`PRAGMA hexkey='` + hex.EncodeToString(key[:]) + `'`); err != nil {
		return errors.New("the key of the database was not taken") // the error's text may quote the statement
	}
	return nil
}

// snapshotName is the name of the file that VACUUM INTO writes. SQLite asks for the
// key of a further database when it opens it, and takes it from the name only. The
// name lives as long as the statement; no error may quote it.
func snapshotName(path string, key *Key) string {
	if key == nil {
		return path
	}
	return "file:" + url.PathEscape(path) + "?hexkey=" + hex.EncodeToString(key[:])
}

// wrongKey gives a person's words to a file that is no database as it was read.
func wrongKey(err error, key *Key) error {
	switch {
	case !errors.Is(err, sqlite3.NOTADB):
		return err
	case key != nil:
		return errs.Wrap(err, errs.Invalid, "the database does not open with this key", "is the key of the same folder? a database and its key are restored together")
	}
	return errs.Wrap(err, errs.Invalid, "the file is no database, or it is encrypted", "")
}
