package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/rehearse"
)

// staging says where the hosts of a rehearsal stand.
type staging struct{ inProcess bool }

func inProcessFlag(cmd *cobra.Command, inProcess *bool) {
	cmd.Flags().BoolVar(inProcess, "in-process", false, "run both hosts in this process, without a network between")
}

// maxBegin is how often a rehearsal begins anew where other programs take the
// addresses that were free when it chose them.
const maxBegin = 3

// deliverAtOnce is how many members deliver at the same time: over a network each
// mostly waits for disks.
const deliverAtOnce = 4

// run runs a rehearsal with its hosts where they are wanted.
func (s staging) run(ctx context.Context, env Env, cfg rehearse.Config) (*rehearse.Result, error) {
	if s.inProcess {
		cfg.Ledger = rehearsalLedger(cfg.Dir)
		return rehearse.Run(ctx, cfg)
	}
	for begun := 1; ; begun++ {
		dir := filepath.Join(cfg.Dir, fmt.Sprintf("%d", begun))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for the hosts: %w", err)
		}
		result, err := runProcesses(ctx, env, cfg, dir)
		if !errors.Is(err, errTaken) || begun == maxBegin {
			return result, err
		}
	}
}

// runProcesses runs a rehearsal whose hosts are processes, with its files in dir.
func runProcesses(ctx context.Context, env Env, cfg rehearse.Config, dir string) (*rehearse.Result, error) {
	if cfg.Suite == 0 {
		cfg.Suite = dap.SuiteX25519
	}
	cfg.Dir = dir
	stage, err := newHostProcesses(env, dir, cfg.Suite)
	if err != nil {
		return nil, err
	}
	cfg.Stage, cfg.AtOnce, cfg.Ledger = stage, deliverAtOnce, rehearsalLedger(dir)
	watched, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stage.whenBroken = stop
	result, err := rehearse.Run(watched, cfg)
	if broken := context.Cause(watched); err != nil && ctx.Err() == nil && broken != nil {
		err = broken
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errTaken) {
		stage.keepLogs()
	}
	return result, err
}
