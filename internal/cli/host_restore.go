package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/ledger"
	"muster/internal/store/hostdb"
)

type hostRestoreFlags struct {
	identity   string
	passphrase string
	postgres   string
	record     string
	collected  string
}

func newHostRestoreCmd(env Env) *cobra.Command {
	var f hostRestoreFlags
	cmd := &cobra.Command{
		Use:   "restore FILE DIR (--identity FILE | --passphrase-file FILE)",
		Short: "Restore a host from a backup, in a new folder",
		Long: `Restore a host from a backup into a new folder. The keys are not in a backup: put
them into its folder keys afterwards. See to it that the old host never serves
again: two that go on from one state are two hosts.

What came after the backup is not in it. Others may have seen it, so a host that
was restored asks the other one before it serves, and takes over postponements and
what both had signed. A Helper that was taken back to before it gave its sum could give a second
one, and the difference of two sums is somebody's answers; so restoring it wants
the coordinator's word, asked on the telephone: --coordinator-collected yes or no.
With yes it never gives a sum again.

A copy of the record from after the backup (muster host record) shows what would
be undone: give it with --record.`,
		Example: `  muster host restore ostmere.backup restored --passphrase-file passphrase`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster host restore needs FILE and DIR")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runHostRestore(cmd.Context(), env, args[0], args[1], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.identity, "identity", "", "a file of mode 0600 with the age identity")
	flags.StringVar(&f.passphrase, "passphrase-file", "", "a file of mode 0600 with the passphrase")
	flags.StringVar(&f.postgres, "postgres", "", "a file of mode 0600 with the connection string of an empty database, if the backup is of one on PostgreSQL")
	flags.StringVar(&f.record, "record", "", "a copy of this host's record")
	flags.StringVar(&f.collected, "coordinator-collected", "", "of a Helper: whether the coordinator has collected, yes or no")
	return cmd
}

func runHostRestore(ctx context.Context, env Env, file, dir string, f hostRestoreFlags) (err error) {
	with, err := identities(f.identity, f.passphrase)
	if err != nil {
		return err
	}
	if exists(filepath.Join(dir, config.HostFile)) {
		return errs.New(errs.Conflict, strconv.Quote(dir)+" is a host's folder already", "a restore replaces nothing; give a new folder")
	}
	parts, finish, err := restoreParts(dir)
	if err != nil {
		return err
	}
	defer finish(&err)
	u, err := openBackup(file, parts, with)
	if err != nil {
		return placeError(err, dir, "a restore needs room for the database twice")
	}
	k, err := u.host()
	if err != nil {
		return err
	}
	statement, err := u.check(env, k, f)
	if err != nil {
		return err
	}
	if err := u.place(ctx, env, dir, f, statement); err != nil {
		return placeError(err, dir, "a restore needs room for the database twice")
	}
	say(env, "restored what %s, %s of the cycle %s, had at %s", u.manifest.Member, u.manifest.Role, u.manifest.Cycle, dayText(u.manifest.Taken))
	say(env, "put the keys into the folder keys of %s, and start muster host serve: it asks the other host first", strconv.Quote(dir))
	say(env, "see to it that the host that this one replaces never serves again")
	return nil
}

// openBackup decrypts and unpacks a backup into a folder.
func openBackup(file, parts string, with []age.Identity) (_ *unpacked, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because("the backup "+strconv.Quote(file)+" cannot be read", err), "")
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	plain, err := age.Decrypt(in, with...)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, strconv.Quote(file)+" does not open with this key or passphrase, or is no backup", "")
	}
	u, err := unpack(plain, parts)
	if err != nil {
		return nil, err
	}
	// The end of the archive is authentic only when the last byte was read.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the backup cannot be read to its end", "take another one; nothing was restored")
	}
	return u, nil
}

// host reads the host of an unpacked backup.
func (u *unpacked) host() (*knownHost, error) {
	cfg, err := config.ReadHost(filepath.Join(u.dir, config.HostFile))
	if err != nil {
		return nil, err
	}
	k := &knownHost{dir: u.dir, cfg: cfg, role: dap.RoleLeader}
	if u.manifest.Role == roleName(dap.RoleHelper) {
		k.role = dap.RoleHelper
	}
	if k.signed, k.charter, err = openSignedCharter(filepath.Join(u.dir, backupCharter)); err != nil {
		return nil, err
	}
	if k.signed.Digest() != u.manifest.Charter {
		return nil, errs.New(errs.Invalid, "the backup's charter is not the one that its manifest names", "take another backup")
	}
	return k, nil
}

// check refuses a backup that must not be restored, and returns what the
// coordinator said.
func (u *unpacked) check(env Env, k *knownHost, f hostRestoreFlags) (hostdb.Statement, error) {
	gave, err := u.checkRecord(env, k, f.record)
	if err != nil {
		return "", err
	}
	if f.collected != "" && f.collected != "yes" && f.collected != "no" {
		return "", errs.New(errs.Invalid, "--coordinator-collected cannot be "+errs.Quote(f.collected)+"; allowed: yes, no", "")
	}
	before := false // whether it is of before this host gave its sum
	for _, c := range u.manifest.Cohorts {
		before = before || c.Phase != aggregate.PhaseWiped && c.Collection == aggregate.NotCollected
	}
	if k.role == dap.RoleLeader || !before {
		return hostdb.NotAsked, nil
	}
	switch {
	case f.collected == "":
		return "", errs.New(errs.Invalid, "this backup is of before the Helper gave its sum, and another sum could show somebody's answers",
			"ask the coordinator on the telephone whether it has collected, and repeat with --coordinator-collected yes or no")
	case gave && f.collected == "no":
		return "", errs.New(errs.Conflict, "the copy of the record says that this host has given its sum, and the coordinator that it has not collected", "whatever the coordinator says, the sum has left: repeat with --coordinator-collected yes")
	case f.collected == "yes":
		return hostdb.Collected, nil
	}
	return hostdb.NotCollected, nil
}

// checkRecord compares the backup with a later copy of the record. It refuses a
// copy of another record, and one that says that the cycle was wiped; it returns
// whether this host had given its sum, and says what else was.
func (u *unpacked) checkRecord(env Env, k *knownHost, path string) (gave bool, err error) {
	if path == "" {
		return false, nil
	}
	body, err := readInput(path, "copy of the record")
	if err != nil {
		return false, err
	}
	entries, tail, err := ledger.ReadAll(bytes.NewReader(body), keyOf(k.charter, k.role))
	if err != nil {
		return false, err
	}
	kept := u.manifest.Record
	if tail.Lines < kept.Lines {
		say(env, "the copy of the record has %s, and the backup more: nothing can be said from it", tailText(tail))
		return false, nil
	}
	// The line at which the backup ends must be that of the copy.
	_, at, err := ledger.ReadAll(bytes.NewReader(firstLines(body, kept.Lines)), keyOf(k.charter, k.role))
	if err != nil {
		return false, err
	}
	if at != kept {
		return false, errs.New(errs.Conflict, "the copy is of another record than the backup's", "two hosts may have gone on from one state; ask who kept which")
	}
	var kinds []string
	for _, e := range entries[kept.Lines:] {
		kinds = append(kinds, e.Kind)
		gave = gave || e.Kind == "aggregate share"
		if e.Kind == "wipe" {
			return false, errs.New(errs.Conflict, "the copy of the record says that this host has wiped the cycle", "what was wiped does not come back")
		}
	}
	if len(kinds) > 0 {
		warn(env, "after this backup the record has: %s; what both hosts signed is taken over from the other one, what members delivered since is not", strings.Join(kinds, ", "))
	}
	return gave, nil
}

func firstLines(body []byte, n int) []byte {
	end := 0
	for range n {
		end += bytes.IndexByte(body[end:], '\n') + 1
	}
	return body[:end]
}

// place puts the files and the database where they belong, the configuration
// last: a folder without it is no host's, and can be given again.
func (u *unpacked) place(ctx context.Context, env Env, dir string, f hostRestoreFlags, statement hostdb.Statement) error {
	cfg, err := u.configuration(dir, f)
	if err != nil {
		return err
	}
	at := hostdb.Config{Path: cfg.SQLite, DSNFile: cfg.PostgresDSN}
	digest, err := u.manifest.digest()
	if err != nil {
		return err
	}
	restored := hostdb.Restoration{Backup: digest, Restored: env.Now(), Taken: u.manifest.Taken, Statement: statement}
	if err := hostdb.RestoreSnapshot(ctx, at, filepath.Join(u.dir, databaseName), restored); err != nil {
		return err
	}
	files := append(u.files[:0:0], u.files...)
	for i, name := range files {
		if name == config.HostFile {
			files = append(append(files[:i:i], files[i+1:]...), name)
			break
		}
	}
	for _, name := range files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(u.dir, filepath.FromSlash(name)), to); err != nil {
			return err
		}
	}
	if f.postgres != "" {
		say(env, "put the connection string where the configuration names it, too")
	}
	if filepath.Clean(cfg.Charter) != filepath.Join(dir, backupCharter) {
		say(env, "the configuration names the charter %s; the backup's is %s", strconv.Quote(cfg.Charter), strconv.Quote(filepath.Join(dir, backupCharter)))
	}
	return config.SyncFolder(dir)
}

// configuration returns the restored configuration as it will be read in dir.
func (u *unpacked) configuration(dir string, f hostRestoreFlags) (*config.Host, error) {
	body, err := os.ReadFile(filepath.Join(u.dir, config.HostFile))
	if err != nil {
		return nil, err
	}
	// Relative paths are relative to the folder: it is read there.
	probe := filepath.Join(dir, ".restored-"+config.HostFile)
	if err := os.Remove(probe); err != nil && !errors.Is(err, fs.ErrNotExist) { // a restore that was killed left it
		return nil, err
	}
	if err := config.CreateSecret(probe, body); err != nil {
		return nil, err
	}
	cfg, err := config.ReadHost(probe)
	if err := errors.Join(err, os.Remove(probe)); err != nil {
		return nil, err
	}
	switch {
	case (cfg.PostgresDSN != "") != (u.manifest.Engine == "postgres"):
		return nil, errs.New(errs.Invalid, "the backup's configuration and its database are of two engines", "take another backup")
	case f.postgres != "" && cfg.PostgresDSN == "":
		return nil, errs.New(errs.Invalid, "the backup is of a database on SQLite, and --postgres is for one on PostgreSQL", "")
	case f.postgres != "":
		cfg.PostgresDSN = f.postgres
	}
	if cfg.PostgresDSN != "" {
		_, err = config.ReadSecret(cfg.PostgresDSN)
	}
	return cfg, err
}
