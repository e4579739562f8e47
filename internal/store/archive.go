package store

import (
	"archive/zip"
	"fmt"
	"io/fs"
	"strings"
)

// Archive returns the migrations in an archive that tools/archive wrote.
func Archive(archive string) fs.FS {
	files, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic(fmt.Sprintf("schema.zip is not what go generate wrote: %v", err)) // nothing but a broken build
	}
	return files
}
