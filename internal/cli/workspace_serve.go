package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/evidence"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
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

func newWorkspaceDemoCmd(env Env) *cobra.Command {
	var (
		dir, address string
		seed         uint64
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Open the half-filled workspace of an invented member",
		Long: `Make the workspace of an invented member in its second year, half filled, and serve
it on this machine until Ctrl-C: what looks unchanged waits to be confirmed, bodies
have contributed, last year has a plan. Everything in it is invented, and its pages
are marked SYNTHETIC.

It is made in a temporary folder that is removed at the end, or kept in --dir, where
it opens with the passphrase "an entirely invented member".`,
		Example: `  muster workspace demo`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWorkspaceDemo(cmd.Context(), env, dir, address, seed)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "dir", "", "keep it in this new folder")
	flags.StringVar(&address, "listen", workspaceAddress, "address of this machine, with port")
	flags.Uint64Var(&seed, "seed", 1, "the same seed makes the same workspace")
	return cmd
}

// syntheticPassphrase opens a demonstration that is kept: there is nothing to hide.
const syntheticPassphrase = "an entirely invented member"

func runWorkspaceDemo(ctx context.Context, env Env, dir, address string, seed uint64) (err error) {
	var packs []*framework.Pack
	for _, id := range []string{defaultPack, "muster-ports"} {
		pack, err := framework.Find(env.Packs, id)
		if err != nil {
			return err
		}
		packs = append(packs, pack)
	}
	folder, key, err := demoFolder(env, dir)
	if err != nil {
		return err
	}
	if dir == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(folder.Dir)) }()
	}
	db, err := workspacedb.Open(ctx, workspacedb.Config{Path: folder.Database(), Key: key})
	if err != nil {
		return placeError(err, folder.Dir, "make room there, and run the command again")
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	lead := workspace.Lead("Ada Lindqvist")
	say(env, "an invented member fills its workspace")
	if err := demo.FillWorkspace(ctx, demo.WorkspaceConfig{Store: db, Packs: packs, Seed: seed, Now: env.Now(), Lead: lead}); err != nil {
		return placeError(err, folder.Dir, "make room there, and run the command again")
	}
	service := workspace.New(workspace.Config{Store: db, Now: env.Now, Rand: env.Rand})
	return serveWorkspace(ctx, env, service, lead, false, demo.Synthetic, address, nil, nothingBeside)
}

// demoFolder makes the folder of a demonstration and its key.
func demoFolder(env Env, dir string) (config.Workspace, *store.Key, error) {
	if dir == "" {
		scratch, err := os.MkdirTemp("", "muster-workspace-demo-*")
		if err != nil {
			return config.Workspace{}, nil, noScratch(err)
		}
		key, err := store.NewKey(env.Rand) // which ends with the command
		return config.Workspace{Dir: scratch}, key, err
	}
	if err := newFolder(dir); err != nil {
		return config.Workspace{}, nil, errs.Wrap(err, errs.KindOf(err), strings.ReplaceAll(errs.Describe(err).Message, "--data", "--dir"), "give a new folder to --dir")
	}
	folder := config.Workspace{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return folder, nil, placeError(err, dir, "give another folder to --dir")
	}
	if err := os.WriteFile(filepath.Join(dir, syntheticFile), []byte(syntheticNotice), 0o600); err != nil {
		return folder, nil, placeError(err, dir, "give another folder to --dir")
	}
	lock, err := config.PassphraseLock(syntheticPassphrase)
	if err != nil {
		return folder, nil, err
	}
	made, err := folder.MakeKey(env.Rand, lock)
	key := store.Key(made)
	return folder, &key, err
}
