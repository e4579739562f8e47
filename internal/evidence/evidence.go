// Package evidence opens the pieces of evidence that lie on this machine, for whoever
// computes their digests.
//
//	files := evidence.New(evidence.Config{Within: []string{"/srv/evidence"}})
//	piece, size, err := files.Open("/srv/evidence", "decree.pdf")
//
// It promises that only regular files are opened: no device, pipe or folder, also
// where something else takes the place of a file meanwhile. Below [Config.Within] no
// path and no link leads out of those folders. It reads and writes nothing, and no
// error of it holds a path.
package evidence

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"muster/internal/errs"
)

// Config says where evidence may lie.
type Config struct {
	// Within are the folders, all of them absolute, that paths may not lead out of.
	// Empty: paths may lead anywhere that the person may read who runs muster, and who
	// alone has typed them.
	Within []string
}

// Files opens pieces of evidence. It may be used by many goroutines.
type Files struct{ within []string }

// New returns what opens evidence where it may lie.
func New(cfg Config) *Files { return &Files{within: cfg.Within} }

// Open opens the file at a path for reading and returns its size. A path that is not
// absolute begins in folder, which has to be. It is NotFound if nothing is there,
// Denied if it may not lie there or may not be read, and Invalid if it is no regular
// file or no path.
func (f *Files) Open(folder, path string) (io.ReadCloser, int64, error) {
	if !filepath.IsAbs(path) {
		if folder == "" {
			return nil, 0, errs.New(errs.Invalid, "the path is not absolute, and no folder of evidence is set", "give the whole path, or set the folder on the page of evidence")
		}
		if !filepath.IsAbs(folder) {
			return nil, 0, errs.New(errs.Invalid, "the folder of evidence is not absolute", "set its whole path on the page of evidence")
		}
		path = filepath.Join(folder, path)
	}
	path = filepath.Clean(path)
	file, err := f.open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular()
	}
	if err != nil {
		return nil, 0, errors.Join(refusal(err), file.Close())
	}
	return file, info.Size(), nil
}

// open opens what is at a path without waiting for anybody, as a pipe would.
func (f *Files) open(path string) (*os.File, error) {
	if len(f.within) == 0 {
		info, err := os.Stat(path)
		if err != nil {
			return nil, refusal(err)
		}
		if !info.Mode().IsRegular() {
			return nil, notRegular()
		}
		file, err := os.OpenFile(path, os.O_RDONLY|withoutWaiting, 0)
		if err != nil {
			return nil, refusal(err)
		}
		return file, nil
	}
	for _, folder := range f.within {
		rest, err := filepath.Rel(folder, path)
		if err != nil || rest == ".." || strings.HasPrefix(rest, ".."+string(filepath.Separator)) {
			continue
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, errs.New(errs.Unavailable, "a folder in which evidence may lie cannot be opened", "ask who runs this workspace")
		}
		file, err := openWithin(root, rest)
		if closeErr := root.Close(); err == nil && closeErr != nil {
			return nil, errors.Join(closeErr, file.Close())
		}
		return file, err
	}
	return nil, errs.New(errs.Denied, "evidence may not lie there", "put it into a folder of evidence of this workspace; who runs it says which")
}

// openWithin opens a path below a folder that no link leads out of.
func openWithin(root *os.Root, path string) (*os.File, error) {
	info, err := root.Stat(path)
	if err != nil {
		return nil, refusal(err)
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular()
	}
	file, err := root.OpenFile(path, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, refusal(err)
	}
	return file, nil
}

func notRegular() error {
	return errs.New(errs.Invalid, "what lies there is no file that can be read as a whole", "give the path of a file, not of a folder or a device")
}

// refusal says why a file was not opened, without its path.
func refusal(err error) error {
	switch {
	case errs.KindOf(err) != errs.Internal:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return errs.New(errs.NotFound, "nothing lies at that path", "")
	case errors.Is(err, fs.ErrPermission):
		return errs.New(errs.Denied, "it may not be read by whoever runs muster", "")
	case escapes(err):
		return errs.New(errs.Denied, "evidence may not lie there", "put it into a folder of evidence of this workspace; who runs it says which")
	}
	return errs.New(errs.Unavailable, "what lies there cannot be opened", "")
}

// escapes reports an error of a path that leads out of its folder. Package os has no
// sentinel for it.
func escapes(err error) bool {
	p, ok := errors.AsType[*fs.PathError](err)
	return ok && strings.Contains(p.Err.Error(), "escapes")
}
