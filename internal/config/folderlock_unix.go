//go:build unix

package config

import (
	"errors"
	"io"
	"os"
	"syscall"
)

func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return heldLock{f}, nil
}

// heldLock is a file that is locked. The lock belongs to the open file, of which a
// process that is just being started holds a copy until it is its own program:
// closing ours would leave it locked until then, unlocking does not.
type heldLock struct{ *os.File }

func (l heldLock) Close() error {
	return errors.Join(syscall.Flock(int(l.Fd()), syscall.LOCK_UN), l.File.Close())
}
