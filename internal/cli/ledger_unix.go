//go:build unix

package cli

import (
	"context"
	"path/filepath"

	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/logserver"
	"muster/internal/rehearse"
)

// write opens the ledger for writing.
func (f *ledgerFolder) write(ctx context.Context, env Env) (ledgerWriter, error) {
	return logserver.Open(ctx, logserver.Config{Dir: f.dir, Signer: f.signer, Policy: f.policy, Now: env.Now})
}

// rehearsalLedger opens the ledger of a rehearsal in its folder, with the log server.
func rehearsalLedger(dir string) func(context.Context, *keys.Signer, ledger.Policy) (rehearse.Ledger, error) {
	return func(ctx context.Context, key *keys.Signer, policy ledger.Policy) (rehearse.Ledger, error) {
		return logserver.Open(ctx, logserver.Config{Dir: filepath.Join(dir, "ledger"), Signer: key, Policy: policy})
	}
}
