package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"maps"
	"net/http"
	"os"
	"slices"
	"testing"

	"muster/internal/account"
	"muster/internal/cycle"
	"muster/internal/cycle/cycletest"
	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	page "muster/internal/web/coordinator"
)

// fixture lets helpers that want a test make what the storybook shows.
type fixture struct {
	testing.TB
	ctx  context.Context
	dir  string
	ends []func()
}

// errFixture is why a fixture could not be made; the panic ends where it began.
type errFixture string

func (f *fixture) Helper()                  {}
func (f *fixture) Context() context.Context { return f.ctx }
func (f *fixture) Cleanup(end func())       { f.ends = append(f.ends, end) }
func (f *fixture) Error(args ...any)        { fmt.Fprintln(os.Stderr, args...) }
func (f *fixture) Fatal(args ...any)        { panic(errFixture(fmt.Sprint(args...))) }

// TempDir returns a new folder each time.
func (f *fixture) TempDir() string {
	dir, err := os.MkdirTemp(f.dir, "")
	if err != nil {
		f.Fatal(err)
	}
	return dir
}

func (f *fixture) Fatalf(format string, args ...any) {
	panic(errFixture(fmt.Sprintf(format, args...)))
}

// coordinators serves a coordinator's pages below /coordinator/, as each of its people
// sees them. They are made in a temporary folder, which closeAll removes.
func coordinators(ctx context.Context) (h http.Handler, closeAll func() error, err error) {
	dir, err := os.MkdirTemp("", "muster-storybook-*")
	if err != nil {
		return nil, nil, err
	}
	f := &fixture{ctx: ctx, dir: dir}
	closeAll = func() error {
		for _, end := range slices.Backward(f.ends) {
			end()
		}
		return os.RemoveAll(dir)
	}
	defer func() {
		if broken := recover(); broken != nil {
			reason, ok := broken.(errFixture)
			if !ok {
				panic(broken)
			}
			err = errors.Join(errors.New(string(reason)), closeAll())
		}
	}()
	w := cycletest.New(f)
	w.Busy(f)
	e := editiontest.New(f)
	e.Busy(f)
	mux := http.NewServeMux()
	index := "<!doctype html><html lang=\"en\"><title>Coordinator</title><ul>"
	all := w.People()
	released := map[string]cycle.Person{"editor": e.Ada, "reader": e.Ola, "guest": e.Dan} // in a year with editions
	maps.Copy(all, released)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		world, editions := w, (*edition.Service)(nil)
		if _, ok := released[name]; ok {
			world, editions = e.World, e.Editions
		}
		people, err := account.New(account.Config{Store: world.DB.Accounts(), Now: world.Clock.Now, Rand: rand.Reader, Roles: cycle.AccountRoles()})
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		pages, err := page.New(page.Config{
			Service: world.Service, Editions: editions, People: people, Person: func(*http.Request) cycle.Person { return all[name] }, Now: world.Clock.Now, Marking: "SYNTHETIC", Base: "/coordinator/" + name,
		})
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		mux.Handle("/coordinator/"+name+"/", pages.Handler())
		index += fmt.Sprintf("<li><a href=\"/coordinator/%[1]s/en/\">%[1]s</a> <a href=\"/coordinator/%[1]s/fr/\" lang=\"fr\" hreflang=\"fr\">en français</a>", html.EscapeString(name))
	}
	mux.HandleFunc("/coordinator/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(index + "</ul>")) // an error means that the other side has gone
	})
	return mux, closeAll, nil
}
