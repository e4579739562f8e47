package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"muster/internal/errs"
)

// EvidenceFolders returns the folders below which evidence may be read, without links
// in their paths. It is Invalid if one is none, or if what opens the workspace lies
// below it: a file of a team's secrets, or one of the paths that are given.
func (t *Team) EvidenceFolders(secrets ...string) ([]string, error) {
	secrets = append(secrets, t.Key)
	if t.Provider != nil {
		secrets = append(secrets, t.Provider.ClientSecret)
	}
	var all []string
	for _, folder := range t.Evidence {
		real, err := realPath(folder)
		if err == nil {
			var info os.FileInfo
			if info, err = os.Stat(real); err == nil && !info.IsDir() {
				err = fs.ErrInvalid
			}
		}
		if err != nil {
			return nil, errs.Wrap(err, errs.Invalid, strconv.Quote(folder)+" is no folder of evidence that can be read", "evidence names folders that exist; make it, or take it out")
		}
		for _, secret := range secrets {
			lies, err := realPath(secret)
			if secret == "" || err != nil {
				continue // it is missing, which is said where it is read
			}
			if rest, err := filepath.Rel(real, lies); err == nil && filepath.IsLocal(rest) {
				return nil, errs.New(errs.Invalid, fmt.Sprintf("%s lies below the folder of evidence %s, from which people may read", strconv.Quote(secret), strconv.Quote(folder)), "give evidence a folder of its own")
			}
		}
		all = append(all, real)
	}
	return all, nil
}

// realPath returns the absolute path of what exists, without links in it.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}
