// Command storybook serves every view of the coalition's page from fixtures, for
// those who work on it:
//
//	go run ./test/browser/storybook [ADDRESS [PACKS]]
//
// It listens on loopback and ends with Ctrl-C. PACKS is a folder of packs to draw
// in place of those that come with muster.
package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"

	"muster/internal/web"
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
	var fsys fs.FS = packs.FS
	if len(args) > 1 {
		fsys = os.DirFS(args[1])
	}
	worlds, err := picturetest.Worlds(fsys)
	if err != nil {
		return err
	}
	book, err := picturetest.Storybook(worlds)
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
	return web.Serve(ctx, l, web.Loopback(l.Addr(), book))
}
