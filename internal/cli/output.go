package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/errs"
)

// outputFile is one file of a command's result.
type outputFile struct {
	name string
	body []byte
	mode fs.FileMode // 0o600 for what must not be shown
}

// checkOutput refuses, before anything is computed, a folder that could not be
// written to, or that holds the answers: results beside answers would be taken
// for answers, or sent along with them. flag is the option that named dir.
func checkOutput(flag, dir string, answers ...string) error {
	another := "give another folder to " + flag
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return errs.New(errs.Invalid, errs.Quote(dir)+" is a file, not a folder", another)
	}
	for _, other := range answers {
		if inputs, statErr := os.Stat(other); err == nil && statErr == nil && os.SameFile(info, inputs) {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is the folder that the answers are read from", errs.Quote(dir)), another)
		}
	}
	// What is not there yet must be possible to create in the next folder up.
	existing := filepath.Clean(dir)
	for {
		if _, err := os.Lstat(existing); err == nil || existing == filepath.Dir(existing) {
			break
		}
		existing = filepath.Dir(existing)
	}
	probe, err := os.MkdirTemp(existing, ".muster-*")
	if message := noSpace(err, dir); message != "" {
		return errs.Wrap(err, errs.Unavailable, message, another)
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be written", errs.Quote(dir)), err), another)
	}
	return os.Remove(probe)
}

// writeOutput puts the files into dir: first all of them under temporary names,
// then each in its place in the order given, so that what is under its own name is
// whole. Before the first comes to its place, files in stale that an earlier run
// left are removed, in their order: a release must not lie beside another run's
// totals. If that breaks half-way the error says what then stands in dir. If
// nothing came to its place, folders that were made for it are removed again.
//
// On Windows a file that another program holds open can neither be removed nor
// replaced. A release that somebody looks at is the first to be removed, so then
// the earlier result stays whole; an earlier file further down the list that is
// open stops the run with a folder of both runs' files and without a release, which
// is what the error is for. Elsewhere both succeed, and who has the old file open
// goes on reading the old bytes. A machine that loses its power may keep any part
// of the renames: a folder without a release is not a result.
func (d disk) writeOutput(dir string, files []outputFile, stale []string) (err error) {
	made, err := makeFolder(dir)
	if err != nil {
		return fmt.Errorf("create the output folder: %w", err)
	}
	defer func() {
		if err != nil {
			removeEmpty(made)
		}
	}()
	for _, f := range files {
		if info, err := os.Lstat(filepath.Join(dir, f.name)); err == nil && info.IsDir() {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is a folder and cannot be replaced by a file", errs.Quote(filepath.Join(dir, f.name))), "move it away, or give another folder")
		}
	}
	var temporary []string
	defer func() {
		for _, name := range temporary { // those not renamed
			err = errors.Join(err, os.Remove(name))
		}
	}()
	for _, f := range files {
		name, err := d.writeTemporary(dir, f)
		if name != "" {
			temporary = append(temporary, name)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return halfWay(dir, files, 0, "remove the earlier "+name, err)
		}
	}
	for i, f := range files {
		if err := d.rename(temporary[0], filepath.Join(dir, f.name)); err != nil {
			return halfWay(dir, files, i, "write "+f.name, err)
		}
		temporary = temporary[1:]
	}
	return nil
}

// halfWay returns the error of a folder that was left between two results, after
// the first n files came to their places.
func halfWay(dir string, files []outputFile, n int, doing string, err error) error {
	var written, earlier []string
	for i, f := range files {
		if i < n {
			written = append(written, f.name)
		} else if _, statErr := os.Lstat(filepath.Join(dir, f.name)); statErr == nil {
			earlier = append(earlier, f.name)
		}
	}
	holds := "nothing of this run"
	if n > 0 {
		holds = strings.Join(written, ", ") + " of this run"
	}
	if len(earlier) > 0 {
		holds += ", and of an earlier one " + strings.Join(earlier, ", ")
	}
	return errs.Wrap(err, errs.Unavailable, because(doing, err)+fmt.Sprintf("; the folder %q now holds %s", dir, holds),
		"close what has a file of it open, and run the command again")
}

// writeTemporary returns the name of the file even if writing failed.
func (d disk) writeTemporary(dir string, f outputFile) (name string, err error) {
	file, err := os.CreateTemp(dir, "."+f.name+".*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Chmod(f.mode); err != nil {
		return file.Name(), err
	}
	if _, err := d.write(file, f.body); err != nil {
		return file.Name(), err
	}
	return file.Name(), file.Sync()
}
