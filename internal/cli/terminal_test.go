package cli_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"muster/internal/cli"
)

func TestNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	for name, w := range map[string]io.Writer{"a file": file, "no file": io.Discard} {
		if width, ok := cli.Terminal(w); ok || width != 0 {
			t.Errorf("%s is a terminal of %d columns", name, width)
		}
	}
}
