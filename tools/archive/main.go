// Command archive writes files into a zip file, the same bytes from the same files:
//
//	go run ./archive OUT DIR PATTERN...
//
// Patterns are those of path.Match, below DIR. Names have no times, and are sorted by
// pattern; a folder is none.
package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("want OUT, DIR and PATTERN...")
	}
	dir := os.DirFS(args[1])
	var names []string
	for _, pattern := range args[2:] {
		found, err := fs.Glob(dir, pattern)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(name string) bool {
			info, err := fs.Stat(dir, name)
			return err == nil && info.IsDir()
		})
		if len(found) == 0 {
			return fmt.Errorf("%s has no %s", args[1], pattern)
		}
		names = append(names, found...)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, name := range names {
		body, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		w, err := z.Create(name)
		if err != nil {
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(args[0], b.Bytes(), 0o644)
}
