package evidence_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/evidence"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a folder of evidence and a file beside it.
func world(t *testing.T) (inside, secret string) {
	t.Helper()
	dir := t.TempDir()
	inside, secret = filepath.Join(dir, "evidence"), filepath.Join(dir, "secret-Zanzifar")
	must(t, os.MkdirAll(filepath.Join(inside, "deep"), 0o755))
	must(t, os.WriteFile(filepath.Join(inside, "deep", "decree.pdf"), []byte("the decree"), 0o644))
	must(t, os.WriteFile(secret, []byte("no evidence"), 0o644))
	return inside, secret
}

func TestOpen(t *testing.T) {
	t.Parallel()
	inside, secret := world(t)
	decree := filepath.Join(inside, "deep", "decree.pdf")
	for _, row := range []struct {
		name         string
		within       []string
		folder, path string
		want         errs.Kind // Internal: it opens
	}{
		{"anywhere", nil, "", decree, errs.Internal},
		{"from the folder", nil, inside, "deep/decree.pdf", errs.Internal},
		{"beside the folder, by its owner's choice", nil, inside, "../secret-Zanzifar", errs.Internal},
		{"without a folder", nil, "", "deep/decree.pdf", errs.Invalid},
		{"a folder that begins nowhere", nil, "deep", "decree.pdf", errs.Invalid},
		{"nothing there", nil, inside, "deep/none", errs.NotFound},
		{"a folder", nil, inside, "deep", errs.Invalid},
		{"within", []string{inside}, "", decree, errs.Internal},
		{"within one of two", []string{filepath.Dir(inside) + "x", inside}, inside, "deep/decree.pdf", errs.Internal},
		{"out of it", []string{inside}, "", secret, errs.Denied},
		{"out of it by dots", []string{inside}, inside, "../secret-Zanzifar", errs.Denied},
		{"a folder within", []string{inside}, inside, "deep", errs.Invalid},
		{"nothing within", []string{inside}, inside, "none", errs.NotFound},
		{"beside a folder of the same beginning", []string{inside}, "", inside + "-more/x", errs.Denied},
		{"a folder that is gone", []string{inside + "-gone"}, "", inside + "-gone/x", errs.Unavailable},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			file, size, err := evidence.New(evidence.Config{Within: row.within}).Open(row.folder, row.path)
			if err != nil {
				if errs.KindOf(err) != row.want || row.want == errs.Internal {
					t.Errorf("%v, want %v", err, row.want)
				}
				if strings.Contains(err.Error(), "Zanzifar") || strings.Contains(err.Error(), inside) {
					t.Errorf("the error holds the path: %v", err)
				}
				return
			}
			body, err := io.ReadAll(file)
			must(t, err)
			must(t, file.Close())
			if row.want != errs.Internal || int64(len(body)) != size || size == 0 {
				t.Errorf("%q of %d bytes opened", body, size)
			}
		})
	}
}
