package cli

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/store/hostdb"
)

type hostBackupFlags struct {
	dir        string
	recipients []string
	passphrase string
}

func newHostBackupCmd(env Env) *cobra.Command {
	var f hostBackupFlags
	cmd := &cobra.Command{
		Use:   "backup FILE --dir DIR (--recipient AGE1... | --passphrase-file FILE)",
		Short: "Write an encrypted backup of the database and the configuration, without keys",
		Long: `Write a backup of this host to a new file: its database as it is at one moment, its
configuration, charter, cards and what came from the other host, encrypted with
age. It runs beside a host that serves. A database on PostgreSQL needs pg_dump.

The folder of keys is not in it, and belongs on a medium of its own: whoever has
both has the host. A backup that was restored can undo nothing that others have
seen; so take one after every step: after the freeze, after an amendment, after
the collection.`,
		Example: `  muster host backup ostmere.backup --dir ostmere --passphrase-file passphrase`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runHostBackup(cmd.Context(), env, args[0], f)
		},
	}
	dirFlag(cmd, &f.dir, "this host")
	cmd.Flags().StringSliceVar(&f.recipients, "recipient", nil, "whom it is encrypted for, age1...; may be given several times")
	cmd.Flags().StringVar(&f.passphrase, "passphrase-file", "", "a file of mode 0600 with a passphrase of at least 20 characters")
	return cmd
}

func runHostBackup(ctx context.Context, env Env, path string, f hostBackupFlags) (err error) {
	k, err := readHost(f.dir)
	if err != nil {
		return err
	}
	to, err := recipients(f.recipients, f.passphrase)
	if err != nil {
		return err
	}
	if exists(path) {
		return errs.New(errs.Conflict, "there is a file "+strconv.Quote(path)+" already", "a backup replaces nothing; give another name")
	}
	db, err := k.database(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	parts, err := backupParts(env, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(parts)) }()
	m, err := k.manifest(ctx, env, db)
	if err != nil {
		return err
	}
	snapshot := filepath.Join(parts, databaseName)
	if err := db.Snapshot(ctx, snapshot); err != nil {
		return placeError(err, filepath.Dir(path), "a backup needs room for the database twice")
	}
	if m.Engine == "sqlite" { // then the snapshot itself says exactly where it stands
		if m, err = k.manifestOf(ctx, env, snapshot); err != nil {
			return err
		}
	}
	if err := k.writeBackup(env, filepath.Join(parts, "backup"), m, snapshot, to); err != nil {
		return placeError(err, filepath.Dir(path), "a backup needs room for the database twice")
	}
	if err := nameBackup(parts, path); err != nil {
		return err
	}
	digest, err := m.digest()
	if err != nil {
		return err
	}
	for _, c := range m.Cohorts {
		if _, err := fmt.Fprintf(env.Out, "%s: %s\n", c.Cohort, phaseText(c.Phase)); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(env.Out, "the record has %s\nthe backup is %s\n", tailText(m.Record), digest); err != nil {
		return err
	}
	say(env, "%s has no keys in it: keep a copy of %s on another medium", path, k.cfg.Keys)
	return nil
}

// manifest says where the host stands.
func (k *knownHost) manifest(ctx context.Context, env Env, db *hostdb.DB) (backupManifest, error) {
	m := backupManifest{
		Format: backupFormat, Member: k.cfg.Member, Role: roleName(k.role), Cycle: k.charter.Cycle, Charter: k.signed.Digest(), Engine: "sqlite",
		Taken: env.Now().UTC(),
	}
	if k.cfg.PostgresDSN != "" {
		m.Engine = "postgres"
	}
	for _, cohort := range k.charter.Cohorts {
		s, err := k.status(ctx, env, db, cohort.ID)
		if err != nil {
			return m, err
		}
		m.Cohorts = append(m.Cohorts, backupCohort{cohort.ID, s.Phase, s.Collection})
	}
	var err error
	m.Record, err = db.RecordTail(ctx)
	return m, err
}

// manifestOf says where a snapshot stands. It leaves the snapshot as one file.
func (k *knownHost) manifestOf(ctx context.Context, env Env, snapshot string) (m backupManifest, err error) {
	db, err := hostdb.Open(ctx, hostdb.Config{Path: snapshot})
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return k.manifest(ctx, env, db)
}

func (k *knownHost) writeBackup(env Env, path string, m backupManifest, snapshot string, to []age.Recipient) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sealed, err := age.Encrypt(f, to...)
	if err != nil {
		return err
	}
	a := archive{tar: tar.NewWriter(sealed), now: env.Now()}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := a.add(manifestName, body); err != nil {
		return err
	}
	if err := a.addFolder(k); err != nil {
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
