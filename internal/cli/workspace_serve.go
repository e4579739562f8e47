package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/spf13/cobra"

	"muster/internal/evidence"
	"muster/internal/web"
	workspacepage "muster/internal/web/workspace"
	"muster/internal/workspace"
)

// workspaceAddress is where a workspace is served unless somebody says otherwise.
const workspaceAddress = "127.0.0.1:8338"

func newWorkspaceServeCmd(env Env) *cobra.Command {
	var (
		dir, address, teamFile string
		register               string
		check                  bool
		lock                   lockFlags
	)
	cmd := &cobra.Command{
		Use:   "serve --dir DIR [--team FILE]",
		Short: "Serve a workspace to your own browser, or to a team, until Ctrl-C",
		Long: `Serve the pages of a workspace on this machine, in English and French, until
Ctrl-C. The address is printed with a token that is good for one browser, once, and
for this run only; other users of the machine and other pages in the browser read
nothing. Only addresses of the machine itself are taken.

With --register it also serves pages of what falls together, of a folder as muster
cascade generate writes them: services, requirements, scenarios and measures. The
member stands where its answers put it, as they are when the program begins, and what
its bodies depend on is laid over, with own-services and own-requirements if they lie
there; release.json says how the others stand. Whoever sees all answers sees these
pages, and nothing of them is kept.

With --team it is served over TLS to those who were invited with muster workspace
person invite, each as what she is; the file says where, with which certificate, and
for how long somebody stays signed in. With --check as well, it prints what would be
used, and starts nothing.`,
		Example: `  muster workspace serve --dir ostmere
  muster workspace serve --dir ostmere --register port
  muster workspace serve --dir ostmere --team ostmere/team.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if teamFile == "" && check {
				return usageError(cmd, "--check is for --team FILE")
			}
			if teamFile != "" && cmd.Flags().Changed("listen") {
				return usageError(cmd, "with --team the address stands in the file")
			}
			if check {
				return checkTeam(env, teamFile, dir, lock.identity, lock.passphrase)
			}
			if teamFile != "" {
				t, err := readTeam(env, teamFile, dir, lock.identity, lock.passphrase)
				if err != nil {
					return err
				}
				w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
				if err != nil {
					return err
				}
				defer w.close(&err)
				sealer, err := newPageSealer(cmd.Context(), env, w, lock)
				if err != nil {
					return err
				}
				return serveTeam(cmd.Context(), env, w, t, sealer, func(base string) (*besideWorkspace, error) { return besides(cmd, env, w, register, base) })
			}
			w, err := openWorkspaceDir(cmd.Context(), env, dir, lock)
			if err != nil {
				return err
			}
			defer w.close(&err)
			sealer, err := newPageSealer(cmd.Context(), env, w, lock)
			if err != nil {
				return err
			}
			return serveWorkspace(cmd.Context(), env, w.Service, w.person, w.as, "", address, sealer, func(base string) (*besideWorkspace, error) { return besides(cmd, env, w, register, base) })
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	cmd.Flags().StringVar(&address, "listen", workspaceAddress, "address of this machine, with port")
	cmd.Flags().StringVar(&teamFile, "team", "", "serve it to those who were invited, as this file says")
	cmd.Flags().StringVar(&register, "register", "", "a folder with a register: pages of what falls together, with what the member knows")
	cmd.Flags().BoolVar(&check, "check", false, "with --team: print what would be used, and start nothing")
	lock.add(cmd)
	return cmd
}

// serveWorkspace serves a workspace to one person on this machine until ctx ends. A
// sealer that is nil seals nothing. A person who is not named for this run has the name
// that is kept, and is asked for hers where none is. Evidence may lie wherever that person can read.
func serveWorkspace(ctx context.Context, env Env, service *workspace.Service, person workspace.Person, named bool, marking, address string, sealer workspacepage.Sealer, more beside) (err error) {
	door, err := web.NewDoor(env.Rand)
	if err != nil {
		return err
	}
	falls, err := more(door.Base())
	if err != nil {
		return err
	}
	defer falls.close()
	who := func(r *http.Request) workspace.Person {
		if named {
			return person
		}
		if now, err := service.Named(r.Context(), person.Name); err == nil {
			return now
		}
		return person // and the page says what is wrong
	}
	pages, err := workspacepage.New(workspacepage.Config{
		Service: service, Person: who, AsksName: !named, Now: env.Now, Rand: env.Rand,
		Marking: marking, Log: slog.New(slog.NewTextHandler(env.Err, nil)), Base: door.Base(),
		Pieces: evidence.New(evidence.Config{}), Sealer: sealer, Beside: falls.Handler,
	})
	if err != nil {
		return err
	}
	defer pages.Close()
	l, err := listenLoopback(address)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(env.Out, door.Address(l.Addr())); err != nil {
		return errors.Join(err, l.Close())
	}
	say(env, "the workspace is served on this machine, to the first browser that opens this address; end it with Ctrl-C")
	return web.Serve(ctx, l, door.Guard(l.Addr(), pages.Handler()))
}
