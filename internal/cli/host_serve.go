package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/httpd"
)

func newHostServeCmd(env Env) *cobra.Command {
	var path string
	var check bool
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve a cycle: take submissions and receipts",
		Long: `Serve a cycle as the charter says: take submissions and receipts, and answer the
other host and the coordinator. It wants a charter that all three have signed,
and starts only if charter, keys, seed and configuration belong together.

A Leader whose configuration has freeze: at_deadline freezes and adds up by
itself once the deadline has passed, and tries again with growing pauses where
the lists or the Helper are not ready. Otherwise muster host freeze does it.

With --check it prints what would be used, and starts nothing.`,
		Example: `  muster host serve --config ostmere/host.yaml`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check {
				return checkServe(env, path)
			}
			return runServe(cmd.Context(), env, path)
		},
	}
	cmd.Flags().StringVar(&path, "config", config.HostFile, "the host's configuration")
	cmd.Flags().BoolVar(&check, "check", false, "print what would be used, and start nothing")
	return cmd
}

// checkServe reads everything that serving needs but the database.
func checkServe(env Env, path string) error {
	h, err := openHostAt(path)
	if err != nil {
		return err
	}
	if err := h.cfg.Write(env.Out); err != nil {
		return err
	}
	cycle, err := h.cycle()
	if err != nil {
		return err
	}
	if h.cfg.PostgresDSN != "" {
		if _, err := config.ReadSecret(h.cfg.PostgresDSN); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(env.Out, "%-11s %s of the cycle %s, beside %s\n", "serves as", roleName(cycle.role), cycle.charter.Cycle,
		map[dap.Role]coalition.MemberID{dap.RoleLeader: cycle.charter.Helper.Member, dap.RoleHelper: cycle.charter.Leader.Member}[cycle.role])
	return err
}

// runServe serves until it is stopped.
func runServe(ctx context.Context, env Env, path string) (err error) {
	h, err := openHostAt(path)
	if err != nil {
		return err
	}
	cycle, err := h.cycle()
	if err != nil {
		return err
	}
	log := newLog(env, h.cfg.Log)
	running, err := h.open(ctx, env, cycle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.close()) }()
	running.observe(env, log)
	handler, pins, err := running.handler(log)
	if err != nil {
		return err
	}
	served, err := listen("listen", h.cfg.Listen)
	if err != nil {
		return err
	}
	operations, err := listen("operations", h.cfg.Operations)
	if err != nil {
		return errors.Join(err, served.Close())
	}
	say(env, "%s serves the cycle %s as %s at %s, operations at %s", h.cfg.Member, cycle.charter.Cycle, roleName(cycle.role), served.Addr(), operations.Addr())
	return serveAll(ctx, func(ctx context.Context) error {
		return daphttp.Serve(ctx, served, daphttp.ServeConfig{
			Handler: handler, TLS: daphttp.ServerTLS(cycle.certificate, pins...), Log: log, MaxConnections: h.cfg.Limits.Connections,
		})
	}, func(ctx context.Context) error {
		return httpd.Serve(ctx, operations, httpd.Operations(running.ready, running.metrics.Handler(), log))
	}, func(ctx context.Context) error {
		return running.drive(ctx, env, log)
	}, func(ctx context.Context) error {
		return running.untilWiped(ctx, env)
	})
}

// serveAll runs all until ctx ends or one of them does, and waits for all.
func serveAll(ctx context.Context, serve ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	for _, s := range serve {
		go func() { ended <- s(ctx) }() // waited for below
	}
	var broken []error
	for range serve {
		broken = append(broken, <-ended)
		stop()
	}
	return errors.Join(broken...)
}

func listen(field, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		cause := err
		if op, ok := errors.AsType[*net.OpError](err); ok {
			cause = op.Err
		}
		return nil, errs.Wrap(err, errs.Unavailable, fmt.Sprintf("%s: the address %s cannot be used: %v", field, strconv.Quote(address), cause), "is another program there? the address stands in "+config.HostFile)
	}
	return l, nil
}

// newLog returns the log that the configuration asks for.
func newLog(env Env, cfg config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.JSON {
		return slog.New(slog.NewJSONHandler(env.Err, options))
	}
	return slog.New(slog.NewTextHandler(env.Err, options))
}

// hostCycle is everything that a host needs for its cycle but the database.
type hostCycle struct {
	charter     coalition.Charter
	signed      coalition.SignedCharter
	role        dap.Role
	seed        coalition.Seed
	hpke        []*dap.HpkeKeypair
	certificate tls.Certificate
	key         [config.CycleKeySize]byte
}

// cycle reads the charter, which all three must have signed, and the secrets of
// the cycle, and checks that they belong to each other and to this host.
func (h *hostFolder) cycle() (*hostCycle, error) {
	ceremony, _, err := h.ceremony()
	if err != nil {
		return nil, err
	}
	folder := h.cfg.KeyFolder()
	c := &hostCycle{}
	if c.seed, err = folder.Seed(); err != nil {
		return nil, err
	}
	if c.hpke, err = folder.HPKE(); err != nil {
		return nil, err
	}
	if c.certificate, err = folder.Certificate(); err != nil {
		return nil, err
	}
	if c.key, err = folder.CycleKey(); err != nil {
		return nil, err
	}
	if c.signed, c.charter, err = openSignedCharter(h.cfg.Charter); err != nil {
		return nil, err
	}
	view := coalition.HostView{Ceremony: ceremony, Own: h.card, Seed: c.seed.Digest()}
	c.role, err = view.Match(c.charter)
	return c, err
}
