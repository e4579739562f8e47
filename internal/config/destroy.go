package config

import (
	"errors"
	"io/fs"
)

// Destroy overwrites a file where it stands and removes it, as
// [KeyFolder.DestroyCycle] does with keys. It reports whether there was one.
func Destroy(path string) (bool, error) {
	switch err := destroy(path); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, notReadable(path, err)
	}
	return true, nil
}
