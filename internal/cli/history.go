package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
	"muster/internal/release"
)

// The names of the files of one release in a history, its signature and those of
// the other two beside them.
const (
	releaseFile = "release.json"
	charterFile = "charter.json"
)

// maxHistoryDepth is how far below the folder of a history a release may lie.
const maxHistoryDepth = 3

// readHistory reads every release in a folder and below, each with the charter and
// the roster that it names beside it, and checks all signatures: whoever could slip
// a false past into the gate could have it pass what points at someone.
func readHistory(dir string) ([]release.Past, error) {
	paths, err := findReleases(dir)
	if err != nil {
		return nil, err
	}
	var history []release.Past
	for _, path := range paths {
		past, err := readPast(path)
		if err != nil {
			return nil, inFile(path, err)
		}
		history = append(history, past)
	}
	return history, nil
}

// findReleases returns every release.json in dir and below.
func findReleases(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.Count(filepath.ToSlash(rel), "/") >= maxHistoryDepth {
			return fs.SkipDir
		}
		if entry.Name() == releaseFile && !entry.IsDir() {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the history %s cannot be read", strconv.Quote(dir)), err), "give the folder with the earlier releases, each in a folder of its own, to --history")
	}
	if len(paths) == 0 {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("there is no %s in %s or below", releaseFile, strconv.Quote(dir)), "give the folder with the earlier releases, each in a folder of its own with its charter and roster")
	}
	return paths, nil
}

// readPast reads one release with its charter and roster.
func readPast(path string) (release.Past, error) {
	file, err := readSigned(path, "release")
	if err != nil {
		return release.Past{}, err
	}
	r, err := release.Parse(file.Body)
	if err != nil {
		return release.Past{}, err
	}
	signed, charter, err := openCharter(filepath.Join(filepath.Dir(path), charterFile))
	if err != nil {
		return release.Past{}, err
	}
	if signed.Digest() != r.CharterDigest {
		return release.Past{}, errs.New(errs.Invalid, "the charter beside the release is another than it names", "put the charter of that cycle beside it")
	}
	if err := keys.Verify(keys.KindRelease, file.Body, file.Signature, charter.Coordinator.Key); err != nil {
		return release.Past{}, err
	}
	task, err := charter.OpenTask(r.Cohort)
	if err != nil {
		return release.Past{}, err
	}
	frozen, err := readFrozen(filepath.Join(filepath.Dir(path), rosterFile))
	if err != nil {
		return release.Past{}, err
	}
	if frozen.Digest() != r.RosterDigest {
		return release.Past{}, errs.New(errs.Invalid, "the roster beside the release, with its amendments, is another than it names", "put the roster of that cycle and all its amendments beside it")
	}
	roster, err := frozen.Open(task.ID, charter.Leader.Key, charter.Helper.Key)
	if err != nil {
		return release.Past{}, err
	}
	past := release.Past{Release: r, Digest: keys.Digest(file.Body)}
	for _, e := range roster.Entries {
		past.Members = append(past.Members, e.Member)
	}
	return past, nil
}

// readOpened reads who showed answers to others by choice: a CSV file with the
// header member, each of them of the cohort.
func readOpened(path string, cohort []coalition.MemberID) ([]coalition.MemberID, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because(fmt.Sprintf("the list of those who showed answers, %s, cannot be read", strconv.Quote(path)), err), "")
	}
	defer file.Close() // nothing was written
	return exchange.ReadNames(path, file, func(id coalition.MemberID) bool { return slices.Contains(cohort, id) })
}
