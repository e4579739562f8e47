package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"muster/internal/store"
)

// The archive of each database holds the migrations that lie beside it, and nothing else:
// who adds one has to run go generate.
func TestArchives(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("*/schema.zip")
	if err != nil || len(archives) < 3 {
		t.Fatalf("archives of %v alone, %v", archives, err)
	}
	for _, archive := range archives {
		body, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		packed := store.Archive(string(body))
		names, err := fs.Glob(packed, "*/*")
		if err != nil {
			t.Fatal(err)
		}
		dir := os.DirFS(filepath.Dir(archive))
		beside, err := fs.Glob(dir, "*/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		if len(names) != len(beside) {
			t.Errorf("%s has %d migrations, and %d lie beside it: go generate ./internal/store/...", archive, len(names), len(beside))
		}
		for _, name := range beside {
			got, _ := fs.ReadFile(packed, name) // what is not there differs
			want, err := fs.ReadFile(dir, name)
			if err != nil || string(got) != string(want) {
				t.Errorf("%s is not what %s has, %v: go generate ./internal/store/...", name, archive, err)
			}
		}
	}
}
