package config

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"muster/internal/errs"
)

// errLocked is what lockFile returns where another process has the lock.
var errLocked = errors.New("the file is locked")

// LockFile takes the lock that a file is, made if it is not there, until it is closed
// or the process ends, whatever ends it. Where another process has it the error is
// of kind Unavailable, and busy is its message.
func LockFile(path, busy string) (io.Closer, error) {
	f, err := lockFile(path)
	if errors.Is(err, errLocked) {
		return nil, errs.Wrap(err, errs.Unavailable, busy, "try again when it is done")
	}
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, fmt.Sprintf("the lock %s cannot be taken", strconv.Quote(path)), "")
	}
	return f, nil
}
