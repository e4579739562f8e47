// Command muster runs a coalition's yearly cyber-resilience review.
package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"muster/internal/cli"
	"muster/packs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends what does not come to an end
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	return cli.Run(ctx, args, cli.Env{
		In: in, Out: out, Err: err, Rand: rand.Reader, Now: time.Now, Getenv: os.Getenv, Packs: packs.FS(),
		Terminal: cli.Terminal, Program: os.Executable, Secret: cli.TerminalSecret,
	})
}
