//go:build unix

package evidence_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"muster/internal/errs"
	"muster/internal/evidence"
)

// Links lead where they lead, but not out of the folders; a pipe and a device are
// refused at once.
func TestLinksAndDevices(t *testing.T) {
	t.Parallel()
	inside, secret := world(t)
	link := func(name, to string) {
		must(t, os.Symlink(to, filepath.Join(inside, name)))
	}
	link("out", secret)
	link("out-relative", "../secret-Zanzifar")
	link("in", "deep/decree.pdf")
	link("up", "..")
	link("device", "/dev/zero")
	must(t, syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o600))
	anywhere, within := evidence.New(evidence.Config{}), evidence.New(evidence.Config{Within: []string{inside}})
	for _, row := range []struct {
		name  string
		files *evidence.Files
		path  string
		want  errs.Kind
	}{
		{"a link, by its owner's choice", anywhere, "out", errs.Internal},
		{"a link within", within, "in", errs.Internal},
		{"a link out", within, "out", errs.Denied},
		{"a relative link out", within, "out-relative", errs.Denied},
		{"through a link to the folder above", within, "up/secret-Zanzifar", errs.Denied},
		{"a pipe", anywhere, "pipe", errs.Invalid},
		{"a pipe within", within, "pipe", errs.Invalid},
		{"a device", anywhere, "device", errs.Invalid},
		{"a device out of it", within, "device", errs.Denied},
	} {
		file, _, err := row.files.Open(inside, row.path)
		if errs.KindOf(err) != row.want || (err == nil) != (row.want == errs.Internal) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
		if err == nil {
			must(t, file.Close())
		}
	}
}
