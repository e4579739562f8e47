package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"

	"muster/internal/account"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/evidence"
	"muster/internal/web"
	webaccount "muster/internal/web/account"
	workspacepage "muster/internal/web/workspace"
	"muster/internal/workspace"
)

// team is everything that serving a workspace to several needs but the workspace.
type team struct {
	cfg         *config.Team
	certificate tls.Certificate
	provider    account.Provider // nil if there is none
	asks        bool             // the workspace opens with a passphrase, which sealing wants once more
}

// readTeam reads configuration, certificate and secrets, and checks that they belong
// together.
func readTeam(env Env, path string) (*team, error) {
	cfg, err := config.ReadTeam(path)
	if err != nil {
		return nil, err
	}
	t := &team{cfg: cfg}
	if t.certificate, err = certificateOf(env, cfg); err != nil {
		return nil, err
	}
	for _, folder := range cfg.Evidence {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			return nil, inFile(path, errs.New(errs.NotFound, "evidence: there is no folder "+strconv.Quote(folder), "make it, or take it out of the list; relative paths begin in the folder of the file"))
		}
	}
	t.provider, err = openIDOf(env, cfg)
	return t, err
}

// checkTeam prints what would be used.
func checkTeam(env Env, path string) error {
	t, err := readTeam(env, path)
	if err != nil {
		return err
	}
	if err := t.cfg.Write(env.Out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%-11s %s\n", "good until", t.certificate.Leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC"))
	if err == nil && t.cfg.Provider != nil {
		_, err = fmt.Fprintf(env.Out, "%-11s %s\n", "return to", t.cfg.URL+webaccount.ReturnPath)
	}
	return err
}

// serveTeam serves a workspace to who was invited until ctx ends.
func serveTeam(ctx context.Context, env Env, w *openWorkspace, t *team) error {
	handler, end, err := t.handler(ctx, env, w)
	if err != nil {
		return err
	}
	defer end()
	l, err := net.Listen("tcp", t.cfg.Listen)
	if err != nil {
		return errs.Wrap(err, errs.Unavailable, "the address "+strconv.Quote(t.cfg.Listen)+" "+addressTaken, "is another program there? the address stands in the file of --team")
	}
	if _, err := fmt.Fprintln(env.Out, t.cfg.URL+"/"); err != nil {
		return errors.Join(err, l.Close())
	}
	say(env, "the workspace is served at %s to who was invited, at %s; end it with Ctrl-C", t.cfg.URL, l.Addr())
	connections := t.cfg.Connections
	if connections == 0 {
		connections = web.Connections
	}
	return web.ServeTLS(ctx, l, t.certificate, connections, handler)
}

// handler puts the pages of the workspace behind those by which people enter. end
// waits for what they do in the background. Pieces of evidence are read below the folders
// that the configuration names, and nothing is sealed unless it says so: paths on this
// machine and its key are its owner's.
func (t *team) handler(ctx context.Context, env Env, w *openWorkspace) (h http.Handler, end func(), err error) {
	member, err := w.Member(ctx)
	if err != nil {
		return nil, nil, err
	}
	accounts, err := account.New(account.Config{
		Store: w.db.Accounts(), Now: env.Now, Rand: env.Rand, Roles: workspace.AccountRoles(), Provider: t.provider,
		Site: account.Site{Name: string(member), Host: t.cfg.Host(), Origin: t.cfg.URL},
	})
	if err != nil {
		return nil, nil, err
	}
	log := newLog(env, t.cfg.Log)
	entry := webaccount.Config{
		Accounts: accounts, Lengths: account.Lengths{Idle: t.cfg.Idle, Longest: t.cfg.Longest}, Brand: string(member), Now: env.Now, Log: log,
	}
	if t.cfg.Provider != nil {
		entry.Provider = t.cfg.Provider.Name
	}
	doors, err := webaccount.New(entry)
	if err != nil {
		return nil, nil, err
	}
	var pieces workspace.Pieces
	if len(t.cfg.Evidence) > 0 {
		pieces = evidence.New(evidence.Config{Within: t.cfg.Evidence})
	}
	var sealer workspacepage.Sealer
	if t.cfg.Sealing {
		sealer = &pageSealer{env: env, w: w, asks: t.asks}
	}
	pages, err := workspacepage.New(workspacepage.Config{
		Service: w.Service, Now: env.Now, Rand: env.Rand, Log: log, Team: doors, Pieces: pieces, Sealer: sealer,
		Person: func(r *http.Request) workspace.Person {
			p, _ := webaccount.PersonOf(r.Context()) // behind the guard there is somebody
			return workspace.PersonOf(p)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return web.Site(t.cfg.URL, doors.Guard(pages.Handler())), pages.Close, nil
}
