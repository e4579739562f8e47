package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"muster/internal/errs"
)

// ReadSecret reads a file that nobody but its owner may read, and refuses it
// otherwise. It is NotFound if there is none.
func ReadSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notReadable(path, err)
	}
	if err := checkMode(path, info); err != nil {
		return nil, err
	}
	return readLimited(path, maxSecret)
}

// CreateSecret writes a file that nobody but its owner may read: whole, durable,
// and only if there is none of that name; else it is a Conflict.
func CreateSecret(path string, body []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return notReadable(path, err)
	}
	defer func() {
		if removeErr := os.Remove(f.Name()); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("remove a temporary file: %w", removeErr))
		}
	}()
	_, err = f.Write(body)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	// A link fails where there is a file of that name; a rename would replace it.
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return errs.New(errs.Conflict, "there is a file "+strconv.Quote(path)+" already", "secrets are not replaced; begin in a new folder")
		}
		return fmt.Errorf("write %s: %w", path, err)
	}
	return SyncFolder(dir)
}

// notReadable says why a file cannot be opened, without the call and the path
// that the operating system's errors carry.
func notReadable(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errs.Wrap(err, errs.NotFound, "there is no "+strconv.Quote(path), "")
	}
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		cause = p.Err
	}
	return errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s cannot be used: %v", strconv.Quote(path), cause), "")
}

// Replace writes a file that is no secret in the place of one of that name: a
// reader finds the old bytes or the new ones, and once it returns the new ones
// outlive a loss of power.
func Replace(path string, body []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return notReadable(dir, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name()) // what is left of it harms nobody
		}
	}()
	_, err = f.Write(body)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return SyncFolder(dir)
}
