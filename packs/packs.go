// Package packs holds the packs that come with muster, embedded: one folder a
// pack, named by its id, with the pack in pack.yaml. docs/spec/pack.md specifies
// the format; internal/framework reads it.
//
// Every folder with a pack.yaml is embedded, compressed: packs.zip is written
// from the folders by go generate, and is 0.3 MB less of the program. Its tests
// compare the two, hold a table of the packs with their versions and digests,
// and compare the languages of every text.
package packs

import (
	"archive/zip"
	_ "embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:generate go run -C ../tools ./archive ../packs/packs.zip ../packs */pack.yaml

//go:embed packs.zip
var archive string

// FS returns the packs as ID/pack.yaml.
func FS() fs.FS {
	files, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	if err != nil {
		panic(fmt.Sprintf("packs.zip is not what go generate wrote: %v", err)) // nothing but a broken build
	}
	return files
}
