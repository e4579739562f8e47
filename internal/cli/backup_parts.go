package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/internal/config"
	"muster/internal/errs"
)

// partsPrefix begins the name of the folder with the parts of a backup.
const partsPrefix = ".muster-backup-"

// backupParts makes the folder beside a backup in which its parts lie until it is
// whole, for nobody else to read, and names what backups that were killed left
// there. Whether one of them still goes on is not known, so nothing is removed.
func backupParts(env Env, path string) (string, error) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", errs.Wrap(err, errs.Invalid, because("the folder "+strconv.Quote(dir)+" cannot be read", err), "")
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), partsPrefix) {
			warn(env, "%s has the parts of another backup, of a host its database unencrypted: remove it, unless that backup is still under way", filepath.Join(dir, entry.Name()))
		}
	}
	parts, err := os.MkdirTemp(dir, partsPrefix+"*")
	if err != nil {
		return "", errs.Wrap(err, errs.Invalid, because("the folder of "+strconv.Quote(path)+" cannot be written", err), "")
	}
	return parts, nil
}

// nameBackup gives the backup that is whole among its parts its name. It replaces
// nothing.
func nameBackup(parts, path string) error {
	if err := os.Link(filepath.Join(parts, "backup"), path); err != nil {
		return errs.Wrap(err, errs.Invalid, because("the backup cannot be written to "+strconv.Quote(path), err), "")
	}
	return config.SyncFolder(filepath.Dir(path))
}

// restoreParts makes a folder in dir, which it makes if need be, for what is
// unpacked from a backup. finish removes it, and dir too if the restore failed and
// left nothing there.
func restoreParts(dir string) (parts string, finish func(*error), err error) {
	made, err := makeFolder(dir)
	if err != nil {
		return "", nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	parts, err = os.MkdirTemp(dir, ".restore-*")
	if err != nil {
		removeEmpty(made)
		return "", nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be written", strconv.Quote(dir)), err), "")
	}
	return parts, func(err *error) {
		*err = errors.Join(*err, os.RemoveAll(parts))
		if *err != nil {
			removeEmpty(made)
		}
	}, nil
}
