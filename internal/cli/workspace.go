package cli

import (
	"context"
	"errors"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
)

func newWorkspaceCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "workspace",
		Short: "Answer a cycle's questions as a member, on this machine",
		Long: `A member's workspace is a folder with an encrypted database: the place where its
answers are made, and from which they leave sealed and in no other way. It opens
with a passphrase that is asked on the terminal or read from a file, or with an age
key file. Whoever loses that has lost the workspace.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newWorkspaceInitCmd(env), newWorkspaceLoadCmd(env), newWorkspaceStatusCmd(env), newWorkspaceHistoryCmd(env), newWorkspaceServeCmd(env), newWorkspacePersonCmd(env), newWorkspaceDemoCmd(env), newWorkspaceImportCmd(env), newWorkspaceExportCmd(env), newWorkspaceSealCmd(env), newWorkspaceApproveCmd(env), newWorkspaceSignoffCmd(env), newWorkspaceEvidenceCmd(env), newWorkspaceFormCmd(env), newWorkspaceUploadCmd(env), newWorkspaceCompareCmd(env), newWorkspaceBriefCmd(env), newWorkspaceBackupCmd(env), newWorkspaceRestoreCmd(env))
	return cmd
}

// lockFlags say what a workspace's key is locked with.
type lockFlags struct {
	identity, passphrase string
	as                   string // the name of who uses it; empty for the one that is kept
}

func (f *lockFlags) add(cmd *cobra.Command) {
	f.addLock(cmd)
	cmd.Flags().StringVar(&f.as, "as", "", "the name of who does this, as the history shows it (default: that of init --name)")
}

func (f *lockFlags) addLock(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.passphrase, "passphrase-file", "", "a file of mode 0600 with the passphrase (default: asked on the terminal)")
	cmd.Flags().StringVar(&f.identity, "identity", "", "in place of a passphrase: an age key file of mode 0600")
}

// lock returns the lock. A passphrase that is to be set is asked for twice.
func (f lockFlags) lock(ctx context.Context, env Env, set bool) (config.Lock, error) {
	switch {
	case f.identity != "" && f.passphrase != "":
		return config.Lock{}, errs.New(errs.Invalid, "a workspace opens with --identity, or with --passphrase-file: one of them", "")
	case f.identity != "":
		return config.IdentityFileLock(f.identity)
	case f.passphrase != "":
		return config.PassphraseFileLock(f.passphrase)
	case env.Secret == nil:
		return config.Lock{}, noTerminal()
	}
	passphrase, err := env.Secret(ctx, "passphrase of the workspace: ")
	if err != nil {
		return config.Lock{}, err
	}
	lock, err := config.PassphraseLock(passphrase)
	if err != nil || !set {
		return lock, err
	}
	again, err := env.Secret(ctx, "the same once more: ")
	if err != nil {
		return config.Lock{}, err
	}
	if again != passphrase {
		return config.Lock{}, errs.New(errs.Invalid, "the two passphrases are not the same", "nothing was made; try again")
	}
	return lock, nil
}

// openWorkspace is a workspace that is open, and who has opened it.
type openWorkspace struct {
	*workspace.Service
	folder config.Workspace
	lock   config.Lock
	db     *workspacedb.DB
	person workspace.Person
	as     bool // she gave her name for this once
}

// openWorkspaceDir opens the workspace of a folder. Whoever has its lock is its lead,
// under the name that she gives, or that the workspace keeps.
func openWorkspaceDir(ctx context.Context, env Env, dir string, f lockFlags) (*openWorkspace, error) {
	folder := config.Workspace{Dir: dir}
	if !exists(folder.Database()) {
		return nil, errs.New(errs.NotFound, errs.Quote(dir)+" is no workspace", "muster workspace init makes one; give its folder with --dir")
	}
	lock, err := f.lock(ctx, env, false)
	if err != nil {
		return nil, err
	}
	key, err := folder.Key(lock)
	if err != nil {
		return nil, err
	}
	return openWorkspaceKey(ctx, env, folder, lock, key, f.as)
}

func openWorkspaceKey(ctx context.Context, env Env, folder config.Workspace, lock config.Lock, key store.Key, as string) (*openWorkspace, error) {
	db, err := workspacedb.Open(ctx, workspacedb.Config{Path: folder.Database(), Key: &key})
	if err != nil {
		return nil, placeError(err, folder.Dir, "make room there, and run the command again")
	}
	w := &openWorkspace{
		Service: workspace.New(workspace.Config{Store: db, Now: env.Now, Rand: env.Rand}),
		folder:  folder, lock: lock, db: db, person: workspace.Lead(strings.TrimSpace(as)), as: as != "",
	}
	if !w.as {
		w.person, err = w.Named(ctx, userName())
	} else {
		err = w.person.Check()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return w, nil
}

// close closes the workspace and joins what went wrong to err.
func (w *openWorkspace) close(err *error) { *err = errors.Join(*err, w.db.Close()) }

// userName is the name under which one who is alone with a workspace, and has not said
// hers, stands in its history: that of the machine's account.
func userName() string {
	if u, err := user.Current(); err == nil {
		for _, name := range []string{u.Name, u.Username} {
			if name = strings.TrimSpace(name); len(name) <= 100 && framework.ReadableLine(name) {
				return name
			}
		}
	}
	return "lead"
}
