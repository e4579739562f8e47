package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/config"
)

// The coordinator's configuration need not be there; where it is, it is strict.
func TestCollect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := config.ReadCollect(dir)
	if err != nil || c.Ledger != "" {
		t.Errorf("none: %+v, %v", c, err)
	}
	path := filepath.Join(dir, config.CollectFile)
	write(t, path, "format: muster-collect/1\nledger: ../ledger\n")
	c, err = config.ReadCollect(dir)
	if err != nil || c.Ledger != filepath.Join(filepath.Dir(dir), "ledger") {
		t.Errorf("relative to its folder: %+v, %v", c, err)
	}
	for _, row := range []struct{ name, text, want string }{
		{"another format", "format: muster-ledger/1\nledger: l\n", "allowed: muster-collect/1"},
		{"no ledger", "format: muster-collect/1\n", `"ledger" is missing`},
		{"an unknown key", "format: muster-collect/1\nledger: l\nledgers: l\n", "ledgers"},
	} {
		t.Run(row.name, func(t *testing.T) {
			write(t, path, row.text)
			if _, err := config.ReadCollect(dir); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, not %q", err, row.want)
			}
		})
	}
}
