//go:build unix

package cli

import (
	"context"

	"muster/internal/logserver"
)

// write opens the ledger for writing.
func (f *ledgerFolder) write(ctx context.Context, env Env) (ledgerWriter, error) {
	return logserver.Open(ctx, logserver.Config{Dir: f.dir, Signer: f.signer, Policy: f.policy, Now: env.Now})
}
