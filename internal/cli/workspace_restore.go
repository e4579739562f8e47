package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/store/workspacedb"
)

func newWorkspaceRestoreCmd(env Env) *cobra.Command {
	var lock lockFlags
	cmd := &cobra.Command{
		Use:   "restore FILE DIR",
		Short: "Restore a workspace from a backup, in a new folder",
		Long: `Restore a workspace from a backup into a new folder. It opens with the passphrase or
key file that opened it when the backup was written. The signing key is not in a
backup: put the folder keys beside the database afterwards.

What was saved after the backup is not in it. See to it that nobody goes on with the
old folder: two that go on from one state do not come together again.`,
		Example: `  muster workspace restore ostmere.backup restored`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster workspace restore needs FILE and DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWorkspaceRestore(cmd.Context(), env, args[0], args[1], lock)
		},
	}
	lock.addLock(cmd)
	return cmd
}

func runWorkspaceRestore(ctx context.Context, env Env, file, dir string, f lockFlags) (err error) {
	folder := config.Workspace{Dir: dir}
	for _, name := range []string{config.WorkspaceDatabase, config.WorkspaceKey, backupCharter, sealedFolder} {
		if exists(filepath.Join(dir, name)) {
			return errs.New(errs.Conflict, fmt.Sprintf("%s has a %s already", strconv.Quote(dir), name), "a restore replaces nothing; give a new folder")
		}
	}
	if !exists(file) {
		return errs.New(errs.NotFound, "there is no backup "+strconv.Quote(file), "")
	}
	lock, err := f.lock(ctx, env, false)
	if err != nil {
		return err
	}
	parts, finish, err := restoreParts(dir)
	if err != nil {
		return err
	}
	defer finish(&err)
	u, err := unpackWorkspace(file, parts, lock)
	if err != nil {
		return placeError(err, dir, "a restore needs room for the database twice")
	}
	state, err := checkDatabase(ctx, filepath.Join(parts, databaseName), u.key)
	if err == nil && state != u.manifest.State {
		err = errs.New(errs.Invalid, "the database of the backup is not the one that its manifest names", "take another backup; nothing was restored")
	}
	if err != nil {
		return err
	}
	if err := u.place(ctx, folder); err != nil {
		return placeError(err, dir, "a restore needs room for the database twice")
	}
	say(env, "restored the workspace of %s as it was at %s, with %s", u.manifest.Member, u.manifest.Taken.Format(pageTime), plural(int(state.Revisions), "1 revision", "%d revisions"))
	say(env, "put the signing key into the folder keys of %s: it is needed to seal", strconv.Quote(dir))
	say(env, "see to it that nobody goes on with the folder that this one replaces")
	return nil
}

// place puts the files where they belong, the database last: a folder without it is
// no workspace, and can be given again once it is empty.
func (u *unpackedWorkspace) place(ctx context.Context, folder config.Workspace) (err error) {
	var placed []string
	defer func() {
		if err == nil {
			return
		}
		for _, path := range placed {
			err = errors.Join(err, os.Remove(path))
		}
		_ = os.Remove(filepath.Join(folder.Dir, sealedFolder)) // which may not be there
	}()
	for _, name := range u.files {
		to := filepath.Join(folder.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(u.dir, filepath.FromSlash(name)), to); err != nil {
			return err
		}
		placed = append(placed, to)
	}
	if err := workspacedb.Restore(ctx, workspacedb.Config{Path: folder.Database(), Key: &u.key}, filepath.Join(u.dir, databaseName)); err != nil {
		return err
	}
	return config.SyncFolder(folder.Dir)
}
