package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/cycle"
	"muster/internal/httpd"
	"muster/internal/web"
	webaccount "muster/internal/web/account"
	yearpage "muster/internal/web/coordinator"
)

func newCoordinatorServeCmd(env Env) *cobra.Command {
	var path string
	var check bool
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve the year's pages to who was invited",
		Long: `Serve the pages to who was invited, over TLS under a name, until it is stopped; what
is under way then may finish. Beside them the operations address answers whether it
runs, whether it can work, and in numbers what it does.

With --check it prints what would be used, and starts nothing.`,
		Example: `  muster coordinator serve --config year/coordinator.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return checkCoordinator(cmd.Context(), env, path)
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error { return c.serve(cmd.Context(), env) })
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&check, "check", false, "print what would be used, and start nothing")
	return cmd
}

// checkCoordinator reads everything that serving needs but the database.
func checkCoordinator(_ context.Context, env Env, path string) error {
	cfg, err := config.ReadCoordinator(path)
	if err != nil {
		return err
	}
	certificate, err := certificateOf(env, &cfg.Team)
	if err != nil {
		return err
	}
	if _, err := openIDOf(env, &cfg.Team); err != nil {
		return err
	}
	if cfg.PostgresDSN != "" {
		if _, err := config.ReadSecret(cfg.PostgresDSN); err != nil {
			return err
		}
	}
	if _, err := newSender(env, cfg); err != nil {
		return err
	}
	if err := cfg.Write(env.Out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Out, "%-11s %s\n", "good until", certificate.Leaf.NotAfter.UTC().Format("2006-01-02 15:04 UTC"))
	return err
}

// serve serves the pages and, beside them, operations.
func (c *coordination) serve(ctx context.Context, env Env) error {
	certificate, err := certificateOf(env, &c.cfg.Team)
	if err != nil {
		return err
	}
	log := newLog(env, c.cfg.Log)
	metrics := c.metrics(env)
	handler, err := c.handler(ctx, env, metrics)
	if err != nil {
		return err
	}
	served, err := listen("listen", c.cfg.Listen)
	if err != nil {
		return err
	}
	operations, err := listen("operations", c.cfg.Operations)
	if err != nil {
		return errors.Join(err, served.Close())
	}
	if _, err := fmt.Fprintln(env.Out, c.cfg.URL+"/"); err != nil {
		return errors.Join(err, served.Close(), operations.Close())
	}
	say(env, "the year is served at %s to who was invited, at %s, operations at %s; end it with Ctrl-C", c.cfg.URL, served.Addr(), operations.Addr())
	connections := c.cfg.Connections
	if connections == 0 {
		connections = web.Connections
	}
	return serveAll(ctx, func(ctx context.Context) error {
		return web.ServeTLS(ctx, served, certificate, connections, handler)
	}, func(ctx context.Context) error {
		return httpd.Serve(ctx, operations, httpd.Operations(c.Ready, metrics.Handler(), log))
	})
}

// certificateOf reads the certificate, and warns when it is good for days only.
func certificateOf(env Env, team *config.Team) (tls.Certificate, error) {
	certificate, soon, err := team.TLS(env.Now())
	if err == nil && !soon.IsZero() {
		warn(env, "the certificate is good until %s only", soon.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return certificate, err
}

// openIDOf returns the provider that a configuration names, or nil.
func openIDOf(env Env, team *config.Team) (account.Provider, error) {
	if team.Provider == nil {
		return nil, nil
	}
	secret, err := team.Provider.Secret()
	if err != nil {
		return nil, err
	}
	pool, err := team.Provider.Pool()
	if err != nil {
		return nil, err
	}
	return webaccount.NewOpenID(webaccount.OpenIDConfig{
		Issuer: team.Provider.Issuer, ClientID: team.Provider.ClientID, ClientSecret: secret, Return: team.URL + webaccount.ReturnPath, Authorities: pool, Now: env.Now,
	}), nil
}

// handler puts the pages behind those by which people enter.
func (c *coordination) handler(ctx context.Context, env Env, metrics *httpd.CoordinatorMetrics) (http.Handler, error) {
	name, err := c.Coalition(ctx)
	if err != nil {
		return nil, err
	}
	provider, err := openIDOf(env, &c.cfg.Team)
	if err != nil {
		return nil, err
	}
	accounts, err := account.New(account.Config{
		Store: c.db.Accounts(), Now: env.Now, Rand: env.Rand, Roles: cycle.AccountRoles(), Provider: provider, Command: "muster coordinator",
		Site: account.Site{Name: name, Host: c.cfg.Host(), Origin: c.cfg.URL},
	})
	if err != nil {
		return nil, err
	}
	log := newLog(env, c.cfg.Log)
	entry := webaccount.Config{Accounts: accounts, Lengths: account.Lengths{Idle: c.cfg.Idle, Longest: c.cfg.Longest}, Brand: name, Now: env.Now, Log: log}
	if c.cfg.Provider != nil {
		entry.Provider = c.cfg.Provider.Name
	}
	doors, err := webaccount.New(entry)
	if err != nil {
		return nil, err
	}
	pages, err := yearpage.New(yearpage.Config{
		Service: c.Service, Editions: c.editions(env), Print: printer(filepath.Dir(c.path)), People: accounts, Now: env.Now, Log: log,
		Person: func(r *http.Request) cycle.Person {
			p, _ := webaccount.PersonOf(r.Context()) // behind the guard there is somebody
			return cycle.PersonOf(p)
		},
		Observe: func(o yearpage.Observation) { metrics.Request(o.Route, o.Status, o.Took) },
	})
	if err != nil {
		return nil, err
	}
	return web.Site(c.cfg.URL, doors.Guard(pages.Handler())), nil
}

// metrics returns what operators see in numbers.
func (c *coordination) metrics(env Env) *httpd.CoordinatorMetrics {
	var phases []string
	for _, t := range coalition.Transitions() {
		for _, phase := range []coalition.Phase{t.From, t.To} {
			if !slices.Contains(phases, string(phase)) {
				phases = append(phases, string(phase))
			}
		}
	}
	return httpd.NewCoordinatorMetrics(httpd.CoordinatorMetricsConfig{
		Version: readVersion().Version, Phases: phases, Now: env.Now, Log: newLog(env, c.cfg.Log),
		Read: func(ctx context.Context) (httpd.CoordinatorState, error) {
			n, err := c.Numbers(ctx)
			return httpd.CoordinatorState{Cycles: n.Cycles, Requests: n.Requests, Questions: n.Questions, Lines: n.Lines}, err
		},
	})
}
