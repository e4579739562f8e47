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
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/store/coalitiondb"
)

func newCoordinatorRestoreCmd(env Env) *cobra.Command {
	var identity, passphrase, postgres string
	cmd := &cobra.Command{
		Use:   "restore FILE DIR (--identity FILE | --passphrase-file FILE)",
		Short: "Restore a coordinator from a backup, in a new folder",
		Long: `Restore a coordinator from a backup into a new folder. A backup of a database on
PostgreSQL needs --postgres, a file of mode 0600 with the connection string of an empty
database, and pg_restore.

Nobody is signed in there, and no invitation is good any more. What was done after the
backup is not in it: who was removed since is back, and a key that was enrolled since is
not. Look through muster coordinator person list and member list, and see to it that
nobody goes on with what this replaces.`,
		Example: `  muster coordinator restore year.backup restored --passphrase-file passphrase`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster coordinator restore needs FILE and DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCoordinatorRestore(cmd.Context(), env, args[0], args[1], identity, passphrase, postgres)
		},
	}
	cmd.Flags().StringVar(&identity, "identity", "", "a file of mode 0600 with the age identity")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", "", "a file of mode 0600 with the passphrase")
	cmd.Flags().StringVar(&postgres, "postgres", "", "a file of mode 0600 with the connection string of an empty database, if the backup is of one on PostgreSQL")
	return cmd
}

func runCoordinatorRestore(ctx context.Context, env Env, file, dir, identity, passphrase, postgres string) (err error) {
	with, err := identities(identity, passphrase)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, config.CoordinatorFile)
	if exists(path) {
		return errs.New(errs.Conflict, strconv.Quote(dir)+" is a coordinator's folder already", "a restore replaces nothing; give a new folder")
	}
	parts, finish, err := restoreParts(dir)
	if err != nil {
		return err
	}
	defer finish(&err)
	const room = "a restore needs room for the database twice"
	m, err := unpackCoordinator(file, parts, with)
	if err != nil {
		return placeError(err, dir, room)
	}
	if (m.Engine == "postgres") != (postgres != "") {
		if postgres == "" {
			return errs.New(errs.Invalid, "the backup is of a database on PostgreSQL", "give a file with the connection string of an empty one with --postgres")
		}
		return errs.New(errs.Invalid, "the backup is of a SQLite file", "leave --postgres out")
	}
	// The configuration names its files beside itself: read there, it says where the
	// database belongs.
	if err := os.Rename(filepath.Join(parts, config.CoordinatorFile), path); err != nil {
		return placeError(err, dir, room)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	cfg, err := config.ReadCoordinator(path)
	if err != nil {
		return err
	}
	to := coalitiondb.Config{Path: cfg.SQLite, DSNFile: postgres}
	if m.Engine == "postgres" {
		to.Path = ""
	} else if filepath.Dir(cfg.SQLite) != filepath.Clean(dir) {
		return errs.New(errs.Conflict, "the configuration in the backup has its database outside of its folder: "+strconv.Quote(cfg.SQLite), "restore it on the machine that it was of, or ask for help")
	}
	if err := coalitiondb.Restore(ctx, to, filepath.Join(parts, databaseName)); err != nil {
		return placeError(err, dir, room)
	}
	n, last, err := recordOf(ctx, env, to)
	if err != nil {
		return err
	}
	if n != m.Lines || last != m.Digest {
		warn(env, "the record has %d lines and the backup named %d: something was written while it was taken", n, m.Lines)
	}
	if err := noteRestored(ctx, env, to, m); err != nil {
		return err
	}
	say(env, "restored the coordinator of %s as it was at %s, with %s in its record", m.Coalition, dayText(m.Taken), plural(int(n), "1 line", "%d lines"))
	if m.Engine == "postgres" {
		say(env, "name the file with the connection string in %s: database: {postgres: FILE}", path)
	}
	say(env, "put tls.crt, tls.key and what the configuration names besides into %s", strconv.Quote(dir))
	say(env, "nobody is signed in there; look through who is listed, and see to it that nobody goes on with what this replaces")
	return config.SyncFolder(dir)
}

// noteRestored writes the restore into the record that was restored.
func noteRestored(ctx context.Context, env Env, cfg coalitiondb.Config, m coordinatorManifest) (err error) {
	db, err := coalitiondb.Open(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return cycle.New(cycle.Config{Store: db, Now: env.Now}).Note(ctx, cycle.Operator(userName()), cycle.Restored, fmt.Sprintf("backup of %s", dayText(m.Taken)))
}
