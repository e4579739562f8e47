package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/httpd"
	"muster/internal/logserver"
	"muster/internal/witness"
)

func newLedgerServeCmd(env Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "serve --ledger DIR",
		Short: "Serve the ledger to everybody",
		Long: `Serve the newest published checkpoint, and the tiles and entries up to it, as C2SP
tlog-tiles has it. Entries are added beside it with muster ledger add, and are
served when witnesses have cosigned them. Witnesses whose cosignature on the newest
checkpoint is missing are asked again from time to time, less often the longer they
do not answer.`,
		Example: `  muster ledger serve --ledger ledger`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := openLedger(dir)
			if err != nil {
				return err
			}
			log := newLog(env, f.cfg.Log)
			ready := func(context.Context) error { _, err := f.folder().Published(); return err }
			return serveStatic(cmd.Context(), env, staticServer{
				what: "the ledger " + f.signer.Public().Name(), listen: f.cfg.Listen, operations: f.cfg.Operations, plain: f.cfg.Plain,
				keys: config.KeyFolder{Dir: f.cfg.Keys}, handler: logserver.Handler(f.folder(), log), ready: ready, log: log,
				beside: func(ctx context.Context) error { return f.askAgain(ctx, env, log) },
			})
		},
	}
	ledgerFlag(cmd, &dir)
	return cmd
}

// staticServer is a server that needs no client's certificate.
type staticServer struct {
	what, listen, operations string
	plain                    bool // without TLS
	keys                     config.KeyFolder
	handler                  http.Handler
	ready                    func(context.Context) error
	log                      *slog.Logger
	beside                   func(context.Context) error // what runs as long as it serves; nil: nothing
}

// serveStatic serves until ctx ends.
func serveStatic(ctx context.Context, env Env, s staticServer) error {
	served, err := listen("listen", s.listen)
	if err != nil {
		return err
	}
	operations, err := listen("operations", s.operations)
	if err != nil {
		return errors.Join(err, served.Close())
	}
	serve := func(ctx context.Context) error { return servePlain(ctx, served, s.handler) }
	if !s.plain {
		cert, err := s.keys.Certificate()
		if err != nil {
			return errors.Join(err, served.Close(), operations.Close())
		}
		serve = func(ctx context.Context) error {
			return daphttp.Serve(ctx, served, daphttp.ServeConfig{Handler: s.handler, TLS: daphttp.ServerTLS(cert), Log: s.log})
		}
	}
	say(env, "%s is served at %s, operations at %s", s.what, served.Addr(), operations.Addr())
	all := []func(context.Context) error{serve, func(ctx context.Context) error {
		return httpd.Serve(ctx, operations, httpd.Operations(s.ready, nil, s.log))
	}}
	if s.beside != nil {
		all = append(all, s.beside)
	}
	return serveAll(ctx, all...)
}

// servePlain serves without TLS, for a proxy that has it.
func servePlain(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 120 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }() // ends with Shutdown or Close below
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err := server.Shutdown(stop)
		if err != nil {
			server.Close()
		}
		<-failed
		return err
	}
}

func newWitnessCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "Watch ledgers for a member, and cosign what follows",
		Long: `Watch ledgers for a member: cosign a checkpoint that follows from the one that was
cosigned last, and never another. So nobody can change a ledger, or show it to two
readers in two ways, without the witness's key. It learns nothing that not everybody
can read.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newWitnessInitCmd(env), newWitnessServeCmd(env), newWitnessCosignCmd(env))
	return cmd
}

// openWitness opens the witness of a folder.
func openWitness(env Env, dir string) (*config.Witness, *witness.Witness, error) {
	cfg, err := config.ReadWitness(filepath.Join(dir, config.WitnessFile))
	if err != nil {
		return nil, nil, err
	}
	signer, err := (config.KeyFolder{Dir: cfg.Keys}).Signer()
	if err != nil {
		return nil, nil, err
	}
	w, err := witness.Open(witness.Config{Dir: dir, Signer: signer, Ledgers: cfg.Ledgers, Now: env.Now})
	return cfg, w, err
}

func newWitnessServeCmd(env Env) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "serve --dir DIR",
		Short: "Answer ledgers that ask for a cosignature",
		Long: `Answer add-checkpoint of C2SP tlog-witness for the ledgers that witness.yaml names.
What was seen is on disk before it answers.`,
		Example: `  muster witness serve --dir witness`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			cfg, w, err := openWitness(env, dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			log := newLog(env, cfg.Log)
			return serveStatic(cmd.Context(), env, staticServer{
				what: "the witness", listen: cfg.Listen, operations: cfg.Operations, plain: cfg.Plain,
				keys: config.KeyFolder{Dir: cfg.Keys}, handler: witness.Handler(w, log), ready: func(context.Context) error { return nil }, log: log,
			})
		},
	}
	dirFlag(cmd, &dir, "this witness")
	return cmd
}
