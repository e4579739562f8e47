package cli

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store/coalitiondb"
)

// coordinatorBackupFormat is the version of a coordinator's backup: a tar archive,
// encrypted with age, that begins with the manifest, goes on with the configuration and
// ends with the database.
const coordinatorBackupFormat = "muster-coordinator-backup/1"

// coordinatorManifest says what a backup is of.
type coordinatorManifest struct {
	Format    string    `json:"format"`
	Coalition string    `json:"coalition"`
	Engine    string    `json:"engine"` // "sqlite" or "postgres"
	Taken     time.Time `json:"taken"`
	Lines     int64     `json:"record_lines"`
	Digest    string    `json:"record_digest"`
}

func newCoordinatorBackupCmd(env Env) *cobra.Command {
	var path, passphrase string
	var to []string
	cmd := &cobra.Command{
		Use:   "backup FILE (--recipient AGE1... | --passphrase-file FILE)",
		Short: "Write an encrypted backup of the database and the configuration",
		Long: `Write a backup to a new file: the database as it is at one moment, and the
configuration, encrypted with age. It runs beside a coordinator that serves. A database
on PostgreSQL needs pg_dump. The key of the certificate, the password of the mail
server and the keys of muster collect are not in it.`,
		Example: `  muster coordinator backup year.backup --config year/coordinator.yaml --passphrase-file passphrase`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			recipients, err := recipients(to, passphrase)
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error { return c.backup(cmd.Context(), env, args[0], recipients) })
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringSliceVar(&to, "recipient", nil, "whom it is encrypted for, age1...; may be given several times")
	cmd.Flags().StringVar(&passphrase, "passphrase-file", "", "a file of mode 0600 with a passphrase of at least 20 characters")
	return cmd
}

func (c *coordination) backup(ctx context.Context, env Env, path string, to []age.Recipient) (err error) {
	if exists(path) {
		return errs.New(errs.Conflict, "there is a file "+strconv.Quote(path)+" already", "a backup replaces nothing; give another name")
	}
	parts, err := backupParts(env, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(parts)) }()
	if err := c.Note(ctx, c.person, cycle.BackedUp, filepath.Base(path)); err != nil {
		return err
	}
	m := coordinatorManifest{Format: coordinatorBackupFormat, Engine: "sqlite", Taken: env.Now().UTC().Truncate(time.Second)}
	if c.cfg.PostgresDSN != "" {
		m.Engine = "postgres"
	}
	if m.Coalition, err = c.Coalition(ctx); err != nil {
		return err
	}
	snapshot := filepath.Join(parts, databaseName)
	const room = "a backup needs room for the database twice"
	if err := c.db.Snapshot(ctx, snapshot); err != nil {
		return placeError(err, filepath.Dir(path), room)
	}
	if m.Lines, m.Digest, err = c.CheckRecord(ctx, c.person); err != nil {
		return err
	}
	if m.Engine == "sqlite" { // then the snapshot itself says exactly where it stands
		if m.Lines, m.Digest, err = recordOf(ctx, env, coalitiondb.Config{Path: snapshot}); err != nil {
			return err
		}
	}
	if err := c.writeBackup(env, filepath.Join(parts, "backup"), m, snapshot, to); err != nil {
		return placeError(err, filepath.Dir(path), room)
	}
	if err := nameBackup(parts, path); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s, the record has %s\nit ends in %s\n", m.Coalition, plural(int(m.Lines), "1 line", "%d lines"), m.Digest); err != nil {
		return err
	}
	say(env, "the key of the certificate and the password of the mail server are not in %s", path)
	return nil
}

// recordOf checks the record of a database.
func recordOf(ctx context.Context, env Env, cfg coalitiondb.Config) (n int64, last string, err error) {
	db, err := coalitiondb.Open(ctx, cfg)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return cycle.New(cycle.Config{Store: db, Now: env.Now}).CheckRecord(ctx, cycle.Operator(userName()))
}

func (c *coordination) writeBackup(env Env, path string, m coordinatorManifest, snapshot string, to []age.Recipient) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sealed, err := age.Encrypt(f, to...)
	if err != nil {
		return err
	}
	body, err := keys.Canonical(m)
	if err != nil {
		return err
	}
	a := archive{tar: tar.NewWriter(sealed), now: env.Now()}
	if err := a.add(manifestName, body); err != nil {
		return err
	}
	if err := a.addFile(config.CoordinatorFile, c.path); err != nil {
		return err
	}
	if err := a.addFile(databaseName, snapshot); err != nil {
		return err
	}
	if err := errors.Join(a.tar.Close(), sealed.Close()); err != nil {
		return err
	}
	return f.Sync()
}

// unpackCoordinator decrypts a backup into an empty folder. It takes the names that a
// backup has and no other.
func unpackCoordinator(path, dir string, with []age.Identity) (m coordinatorManifest, err error) {
	in, err := os.Open(path)
	if err != nil {
		return m, errs.Wrap(err, errs.NotFound, because("the backup "+strconv.Quote(path)+" cannot be read", err), "")
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	plain, err := age.Decrypt(in, with...)
	if err != nil {
		return m, errs.Wrap(err, errs.Invalid, strconv.Quote(path)+" does not open with this key or passphrase, or is no backup", "")
	}
	broken := func(err error) error {
		return errs.Wrap(err, errs.Invalid, "the backup cannot be read", "take another one; nothing was restored")
	}
	reader := tar.NewReader(plain)
	for _, want := range []string{manifestName, config.CoordinatorFile, databaseName} {
		header, err := reader.Next()
		if err != nil || header.Name != want {
			return m, broken(fmt.Errorf("no %s: %w", want, err))
		}
		if want != manifestName {
			if err := extract(reader, filepath.Join(dir, want)); err != nil {
				return m, broken(err)
			}
			continue
		}
		body, err := io.ReadAll(io.LimitReader(reader, maxManifest))
		if err != nil {
			return m, broken(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&m); err != nil || m.Format != coordinatorBackupFormat {
			return m, errs.Wrap(err, errs.Invalid, "this is no backup of a coordinator that this program knows", "a newer program may have written it")
		}
	}
	// The end of the archive is authentic only when the last byte was read.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return m, broken(err)
	}
	return m, nil
}
