package cli

import (
	"os"
	"strconv"

	"muster/internal/errs"
)

// openRegular opens a file that somebody names. What is no regular file is refused at
// once: a pipe whose other end nobody holds would never open, and a device never end.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, nil, errNotRegular(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat() // it may be another by now
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular(path)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

func errNotRegular(path string) error {
	return errs.New(errs.Invalid, strconv.Quote(path)+" is not a regular file", "give a file, and no folder, pipe or device")
}
