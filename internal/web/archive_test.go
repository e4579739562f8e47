package web_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/web"
)

// The archive of each package of pages holds the files that lie beside it, and nothing
// else: who changed one has to run go generate.
func TestArchives(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob("*/files.zip")
	if err != nil {
		t.Fatal(err)
	}
	if len(archives) < 5 {
		t.Fatalf("archives of %v alone", archives)
	}
	for _, archive := range append(archives, "files.zip") {
		dir := filepath.Dir(archive)
		body, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		packed, beside := make(map[string]string), make(map[string]string)
		read := func(fsys fs.FS, into map[string]string) {
			err := fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				text, err := fs.ReadFile(fsys, path)
				into[path] = string(text)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		read(web.Files(string(body)), packed)
		for _, part := range []string{"asset", "locale", "template"} {
			in := make(map[string]string)
			if _, err := os.Stat(filepath.Join(dir, part)); err != nil {
				continue
			}
			read(os.DirFS(filepath.Join(dir, part)), in)
			for name, text := range in {
				beside[part+"/"+name] = text
			}
		}
		for name, text := range beside {
			if packed[name] != text {
				t.Errorf("%s/%s is not what %s has: go generate ./internal/web/...", dir, name, archive)
			}
			delete(packed, name)
		}
		if diff := cmp.Diff(map[string]string{}, packed); diff != "" {
			t.Errorf("%s has what lies nowhere:\n%s", archive, diff)
		}
	}
}
