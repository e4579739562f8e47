//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"muster/internal/errs"
)

// checkMode refuses a secret that other users of the machine may read or change.
func checkMode(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); info.Mode().IsRegular() && mode&0o077 != 0 {
		return errs.New(errs.Invalid, fmt.Sprintf("other users of this machine may read or change %s (mode %04o)", strconv.Quote(path), mode),
			"find out who has read it; then: chmod 600 "+path)
	}
	return nil
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return notReadable(dir, err)
	}
	defer f.Close() // nothing was written
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
