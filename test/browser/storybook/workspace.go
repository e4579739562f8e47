package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"muster/internal/demo"
	"muster/internal/evidence"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
)

// workspaces serves the pages of workspaces of an invented member below /workspace/:
// filled in its second year, loaded and unanswered, and empty, and the filled one as
// who only reads sees it. They are made in a temporary folder, which closeAll removes.
func workspaces(ctx context.Context, packs fs.FS) (h http.Handler, closeAll func() error, err error) {
	dir, err := os.MkdirTemp("", "muster-storybook-*")
	if err != nil {
		return nil, nil, err
	}
	var ends []func() error
	closeAll = func() error {
		var err error
		for _, end := range ends {
			err = errors.Join(err, end())
		}
		return errors.Join(err, os.RemoveAll(dir))
	}
	mux := http.NewServeMux()
	index := "<!doctype html><html lang=\"en\"><title>Workspaces</title><ul>"
	for _, name := range []string{"filled", "first", "empty", "reader"} {
		pages, db, err := workspaceOf(ctx, packs, filepath.Join(dir, name), name)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("the workspace %s: %w", name, err), closeAll())
		}
		ends = append(ends, func() error { pages.Close(); return db.Close() })
		mux.Handle("/workspace/"+name+"/", pages.Handler())
		index += fmt.Sprintf("<li><a href=\"/workspace/%[1]s/en/\">%[1]s</a> <a href=\"/workspace/%[1]s/fr/\" lang=\"fr\" hreflang=\"fr\">en français</a>", html.EscapeString(name))
	}
	mux.HandleFunc("/workspace/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(index + "</ul>")) // an error means that the other side has gone
	})
	return mux, closeAll, nil
}

func workspaceOf(ctx context.Context, packs fs.FS, path, name string) (*page.Pages, *workspacedb.DB, error) {
	key, err := store.NewKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	db, err := workspacedb.Open(ctx, workspacedb.Config{Path: path, Key: key})
	if err != nil {
		return nil, nil, err
	}
	service := workspace.New(workspace.Config{Store: db, Now: time.Now})
	lead := workspace.Lead("Ada Lindqvist")
	if err := fill(ctx, db, service, lead, packs, name); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	person := lead
	if name == "reader" {
		person = workspace.Person{Name: "Ines Calloway", Roles: []workspace.Role{workspace.RoleReader}}
	}
	pages, err := page.New(page.Config{
		Service: service, Person: func(*http.Request) workspace.Person { return person }, Now: time.Now, Rand: rand.Reader,
		Marking: demo.Synthetic, Base: "/workspace/" + name, Pieces: evidence.New(evidence.Config{}),
	})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return pages, db, nil
}

// fill makes of an empty database the workspace of that name.
func fill(ctx context.Context, db *workspacedb.DB, service *workspace.Service, lead workspace.Person, packs fs.FS, name string) error {
	var all []*framework.Pack
	for _, id := range []string{demo.Core, "muster-ports"} {
		pack, err := framework.Find(packs, id)
		if err != nil {
			return err
		}
		all = append(all, pack)
	}
	if name == "filled" || name == "reader" {
		return demo.FillWorkspace(ctx, demo.WorkspaceConfig{Store: db, Packs: all, Seed: 1, Now: time.Now(), Lead: lead})
	}
	if err := service.Begin(ctx, lead, demo.WorkspaceMember); err != nil || name == "empty" {
		return err
	}
	for _, pack := range all {
		if _, err := service.Load(ctx, lead, workspace.LoadConfig{Pack: pack, Cycle: fmt.Sprint(time.Now().Year())}); err != nil {
			return err
		}
	}
	return nil
}
