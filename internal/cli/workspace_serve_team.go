package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
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
	within      []string         // folders below which evidence may lie
}

// readTeam reads configuration, certificate and secrets, and checks that they belong
// together, and that no secret and nothing of the workspace is taken for evidence.
func readTeam(env Env, path string, secrets ...string) (*team, error) {
	cfg, err := config.ReadTeam(path)
	if err != nil {
		return nil, err
	}
	t := &team{cfg: cfg}
	if t.certificate, err = certificateOf(env, cfg); err != nil {
		return nil, err
	}
	if t.within, err = cfg.EvidenceFolders(append(secrets, path)...); err != nil {
		return nil, err
	}
	t.provider, err = openIDOf(env, cfg)
	return t, err
}

// checkTeam prints what would be used.
func checkTeam(env Env, path string, secrets ...string) error {
	t, err := readTeam(env, path, secrets...)
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
func serveTeam(ctx context.Context, env Env, w *openWorkspace, t *team, sealer workspacepage.Sealer, more beside) error {
	falls, err := more("")
	if err != nil {
		return err
	}
	defer falls.close()
	handler, end, err := t.handler(ctx, env, w, sealer, falls.Handler)
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
// waits for what they do in the background. Evidence is read below the folders that the
// configuration names and nowhere else.
func (t *team) handler(ctx context.Context, env Env, w *openWorkspace, sealer workspacepage.Sealer, falls http.Handler) (h http.Handler, end func(), err error) {
	is, err := w.Identity(ctx)
	if err != nil {
		return nil, nil, err
	}
	member := is.Member
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
		Marking: is.Marking,
	}
	if t.cfg.Provider != nil {
		entry.Provider = t.cfg.Provider.Name
	}
	doors, err := webaccount.New(entry)
	if err != nil {
		return nil, nil, err
	}
	var pieces workspace.Pieces // none without folders: paths of this machine are its owner's
	if len(t.within) > 0 {
		pieces = evidence.New(evidence.Config{Within: t.within})
	}
	pages, err := workspacepage.New(workspacepage.Config{
		Service: w.Service, Now: env.Now, Rand: env.Rand, Log: log, Team: doors, Pieces: pieces, Sealer: sealer, Beside: falls,
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
