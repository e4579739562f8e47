package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/age"

	"muster/internal/errs"
)

// The files of a workspace's folder. Its signing key lies in a [KeyFolder].
const (
	WorkspaceDatabase = "workspace.db"  // encrypted
	WorkspaceKey      = "workspace.key" // what it is encrypted with, locked
)

// WorkspaceKeySize is the length of a workspace's key in bytes.
const WorkspaceKeySize = 64

// formatWorkspace is the first line of what a workspace's key file holds, locked.
const formatWorkspace = "muster workspace key v1"

// maxLocked bounds a file that holds a locked key.
const maxLocked = 16 << 10

// MinPassphrase is the shortest passphrase, in bytes.
const MinPassphrase = 20

// Lock is what a workspace's key is locked with and opened by: a passphrase, or the
// identities of an age key file. Whoever has it has the workspace.
type Lock struct {
	recipients []age.Recipient
	identities []age.Identity
}

// PassphraseLock returns the lock of a passphrase. It is Invalid if it is short.
func PassphraseLock(passphrase string) (Lock, error) {
	if len(passphrase) < MinPassphrase {
		return Lock{}, errs.New(errs.Invalid, fmt.Sprintf("the passphrase has less than %d characters", MinPassphrase), "six words by chance, for instance")
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return Lock{}, errors.New("the passphrase cannot be used")
	}
	with, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return Lock{}, errors.New("the passphrase cannot be used")
	}
	return Lock{[]age.Recipient{to}, []age.Identity{with}}, nil
}

// PassphraseFileLock returns the lock of a passphrase in a file that nobody else
// may read. The ends of lines at its end do not belong to it.
func PassphraseFileLock(path string) (Lock, error) {
	body, err := ReadSecret(path)
	if err != nil {
		return Lock{}, err
	}
	lock, err := PassphraseLock(strings.TrimRight(string(body), "\r\n"))
	if errs.KindOf(err) == errs.Invalid {
		return Lock{}, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the passphrase in %s has less than %d characters", errs.Quote(path), MinPassphrase), "six words by chance, for instance")
	}
	return lock, err
}

// IdentityFileLock returns the lock of an age key file that nobody else may read.
func IdentityFileLock(path string) (Lock, error) {
	body, err := ReadSecret(path)
	if err != nil {
		return Lock{}, err
	}
	list, err := age.ParseIdentities(bytes.NewReader(body))
	if err != nil { // its words may quote a line of the file
		return Lock{}, errs.New(errs.Invalid, errs.Quote(path)+" holds no identity", "a line of it begins with AGE-SECRET-KEY-; age-keygen makes one")
	}
	lock := Lock{identities: list}
	for _, identity := range list {
		switch i := identity.(type) {
		case *age.X25519Identity:
			lock.recipients = append(lock.recipients, i.Recipient())
		case *age.HybridIdentity:
			lock.recipients = append(lock.recipients, i.Recipient())
		default:
			return Lock{}, errs.New(errs.Invalid, errs.Quote(path)+" holds an identity that no key can be made for", "age-keygen makes one that can be used here")
		}
	}
	return lock, nil
}

// Encrypt returns a writer whose text only the lock opens; it is closed at the end.
func (l Lock) Encrypt(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, l.recipients...) }

// Decrypt returns what [Lock.Encrypt] was given. It is Denied if it was encrypted
// with another lock, or by nothing that age knows. The end of it is authentic only
// when the last byte was read.
func (l Lock) Decrypt(r io.Reader) (io.Reader, error) {
	plain, err := age.Decrypt(r, l.identities...)
	if err != nil {
		return nil, errs.Wrap(err, errs.Denied, "it does not open with this passphrase or key file", "that with which it was made; a changed file does not open either")
	}
	return plain, nil
}

// Workspace is the folder of a member's workspace.
type Workspace struct{ Dir string }

// Database returns the path of the database.
func (w Workspace) Database() string { return filepath.Join(w.Dir, WorkspaceDatabase) }

// Keys returns the folder of the member's signing key.
func (w Workspace) Keys() KeyFolder { return KeyFolder{Dir: filepath.Join(w.Dir, "keys")} }

// Key opens the workspace's key. It is NotFound if there is none, and Denied if the
// lock is another.
func (w Workspace) Key(lock Lock) (key [WorkspaceKeySize]byte, err error) {
	path := filepath.Join(w.Dir, WorkspaceKey)
	locked, err := ReadSecret(path)
	if errs.KindOf(err) == errs.NotFound {
		return key, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no workspace: it has no %s", strconv.Quote(w.Dir), WorkspaceKey), "muster workspace init makes one; give its folder with --dir")
	}
	if err != nil {
		return key, err
	}
	plain, err := lock.Decrypt(bytes.NewReader(locked))
	if err != nil {
		return key, errs.Wrap(err, errs.Denied, strconv.Quote(path)+" does not open with this passphrase or key file", "nobody can open a workspace without it; is it that of another workspace?")
	}
	text, err := io.ReadAll(io.LimitReader(plain, maxLocked))
	if err != nil {
		return key, w.brokenKey(path)
	}
	encoded, ok := strings.CutPrefix(string(text), formatWorkspace+"\n")
	b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(encoded, "\n"))
	if !ok || err != nil || len(b) != WorkspaceKeySize {
		return key, w.brokenKey(path)
	}
	return [WorkspaceKeySize]byte(b), nil
}

func (w Workspace) brokenKey(path string) error {
	return errs.New(errs.Invalid, strconv.Quote(path)+" holds no key of a workspace", "restore it from a backup; nothing is made in its place")
}

// MakeKey returns the workspace's key, drawn from rand and locked if there is none.
// It refuses to draw one where there is a database already: it could not be read.
func (w Workspace) MakeKey(rand io.Reader, lock Lock) (key [WorkspaceKeySize]byte, err error) {
	key, err = w.Key(lock)
	if errs.KindOf(err) != errs.NotFound {
		return key, err
	}
	if info, err := os.Stat(w.Database()); err == nil && info.Size() > 0 {
		return key, errs.New(errs.Conflict, fmt.Sprintf("%s has a %s without its %s", strconv.Quote(w.Dir), WorkspaceDatabase, WorkspaceKey), "restore both from the same backup")
	}
	if _, err := io.ReadFull(rand, key[:]); err != nil {
		return key, fmt.Errorf("draw a workspace's key: %w", err)
	}
	var locked bytes.Buffer
	out, err := lock.Encrypt(&locked)
	if err != nil {
		return key, fmt.Errorf("lock a workspace's key: %w", err)
	}
	_, err = io.WriteString(out, formatWorkspace+"\n"+base64.StdEncoding.EncodeToString(key[:])+"\n")
	if err = errors.Join(err, out.Close()); err != nil {
		return key, fmt.Errorf("lock a workspace's key: %w", err)
	}
	folder := KeyFolder(w) // which makes it, and tells who was faster
	if err := folder.create(WorkspaceKey, locked.Bytes()); errs.KindOf(err) == errs.Conflict {
		return w.Key(lock)
	} else if err != nil {
		return key, err
	}
	return key, nil
}

// MakeIdentityFile returns the recipient of the first identity in an age key file
// that nobody else may read, and makes the file if there is none. The identity is
// drawn by age itself.
func MakeIdentityFile(path string) (recipient string, err error) {
	lock, err := IdentityFileLock(path)
	if errs.KindOf(err) == errs.NotFound {
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			return "", fmt.Errorf("draw an identity: %w", err)
		}
		if err := CreateSecret(path, []byte("# public key: "+identity.Recipient().String()+"\n"+identity.String()+"\n")); err != nil && errs.KindOf(err) != errs.Conflict {
			return "", err
		}
		lock, err = IdentityFileLock(path)
		if err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	for _, to := range lock.recipients {
		if named, ok := to.(fmt.Stringer); ok {
			return named.String(), nil
		}
	}
	return "", errs.New(errs.Invalid, errs.Quote(path)+" holds no identity", "age-keygen makes one")
}
