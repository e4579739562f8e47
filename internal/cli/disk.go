package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"muster/internal/errs"
)

// disk is what a result is written with. Tests make it fail.
type disk struct {
	write  func(*os.File, []byte) (int, error)
	rename func(from, to string) error
}

// realDisk is the operating system's.
func realDisk() disk { return disk{write: (*os.File).Write, rename: os.Rename} }

// Windows' own numbers for a full disk; syscall.ENOSPC is not what it returns.
const (
	windowsHandleDiskFull = syscall.Errno(39)
	windowsDiskFull       = syscall.Errno(112)
)

// noSpace says that the folder dir is full if err does, or nothing.
func noSpace(err error, dir string) string {
	is := func(causes ...error) bool {
		return slices.ContainsFunc(causes, func(cause error) bool { return errors.Is(err, cause) })
	}
	message := fmt.Sprintf("no space left in %q", dir) // not shortened: someone must find it
	switch {
	case is(syscall.ENOSPC, syscall.EDQUOT, sqlite3.FULL),
		runtime.GOOS == "windows" && is(windowsDiskFull, windowsHandleDiskFull):
		return message
	case is(syscall.EFBIG):
		return message + ": a limit on the size of files was met"
	case is(sqlite3.IOERR): // the database may not have been told more than that
		return message + ", or its disk is broken"
	}
	return ""
}

// placeError turns what the operating system or a database says of the folder dir
// into words and a way out. Other errors stay as they are: a refusal has its own
// words, and a defect must not look like a full disk.
func placeError(err error, dir, hint string) error {
	if err == nil || errs.KindOf(err) != errs.Internal {
		return err
	}
	message := noSpace(err, dir)
	if message == "" && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, sqlite3.READONLY)) {
		message = fmt.Sprintf("the folder %q cannot be written", dir)
	}
	if message == "" {
		return err
	}
	return errs.Wrap(err, errs.Unavailable, message, hint)
}

// makeFolder makes dir and returns the folders that were not there, the deepest
// first, for [removeEmpty].
func makeFolder(dir string) (made []string, err error) {
	for path := filepath.Clean(dir); ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); err == nil || path == filepath.Dir(path) {
			break
		}
		made = append(made, path)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		removeEmpty(made)
		return nil, err
	}
	return made, nil
}

// removeEmpty removes those of the folders that have nothing in them. It is for
// clearing away after an error, which matters more than one of its own.
func removeEmpty(made []string) {
	for _, path := range made {
		if os.Remove(path) != nil {
			return // what is further up is not empty either
		}
	}
}
