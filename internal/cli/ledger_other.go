//go:build !unix

package cli

import (
	"context"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/rehearse"
)

// write refuses: the storage of the ledger is for Unix.
func (f *ledgerFolder) write(context.Context, Env) (ledgerWriter, error) {
	return nil, errs.New(errs.Invalid, "a ledger is written on Unix systems alone", "keep it on Linux or macOS; here it can be read, checked, served and witnessed")
}

// rehearsalLedger leaves the ledger of a rehearsal in the memory of this process: the
// log server does not run here. Entries, tree, checkpoints and bundle are the same.
func rehearsalLedger(string) func(context.Context, *keys.Signer, ledger.Policy) (rehearse.Ledger, error) {
	return nil
}
