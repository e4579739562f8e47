// Command storybook serves every view of the coalition's page from fixtures, for
// those who work on it. It listens on loopback and ends with Ctrl-C:
//
//	go run ./test/browser/storybook
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"

	"muster/internal/web"
	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
	"muster/packs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "storybook:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	found, err := picturetest.Packs(packs.FS, "muster-core", "muster-ports", "muster-ai")
	if err != nil {
		return err
	}
	releases, err := picturetest.Releases(picturetest.Default(found))
	if err != nil {
		return err
	}
	cfg := coalition.Config{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	for _, r := range releases {
		s, err := coalition.NewSheet(r)
		if err != nil {
			return err
		}
		cfg.Sheets = append(cfg.Sheets, s)
	}
	pages, err := coalition.New(cfg)
	if err != nil {
		return err
	}
	address := "127.0.0.1:0"
	if len(args) > 0 {
		address = args[0]
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	return web.Serve(ctx, l, web.Loopback(l.Addr(), pages.Handler()))
}
