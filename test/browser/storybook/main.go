// Command storybook serves every view of the coalition's page, of what falls together,
// and of a member's workspace, from fixtures, for those who work on them:
//
//	go run ./test/browser/storybook [ADDRESS [PACKS]]
//
// It listens on loopback and ends with Ctrl-C. PACKS is a folder of packs to draw
// in place of those that come with muster. Workspaces are to be looked at below
// /workspace/: filled, in its first year, and empty; a coordinator's pages below
// /coordinator/, as each of its people sees them. Nothing in them can be changed.
// What falls together is below /cascade/: the invented port community.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
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

func run(ctx context.Context, args []string) (err error) {
	var fsys fs.FS = packs.FS()
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
	workspaces, closeAll, err := workspaces(ctx, fsys)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	falls, err := fallsTogether()
	if err != nil {
		return err
	}
	defer falls.Close()
	coordinators, closeCoordinators, err := coordinators(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeCoordinators()) }()
	address := "127.0.0.1:0"
	if len(args) > 0 {
		address = args[0]
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("http://%[1]s/\nhttp://%[1]s/workspace/\nhttp://%[1]s/coordinator/\nhttp://%[1]s/cascade/\n", l.Addr())
	mux := http.NewServeMux()
	mux.Handle("/", web.Loopback(l.Addr(), book))
	mux.Handle("/workspace/", web.Loopback(l.Addr(), workspaces))
	mux.Handle("/coordinator/", web.Loopback(l.Addr(), coordinators))
	mux.Handle("/cascade/", web.LoopbackForms(l.Addr(), falls.Handler()))
	return web.Serve(ctx, l, mux)
}
