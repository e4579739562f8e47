//go:build !unix

package cli

import (
	"context"

	"muster/internal/errs"
)

// write refuses: the storage of the ledger is for Unix.
func (f *ledgerFolder) write(context.Context, Env) (ledgerWriter, error) {
	return nil, errs.New(errs.Invalid, "a ledger is written on Unix systems alone", "keep it on Linux or macOS; here it can be read, checked, served and witnessed")
}
