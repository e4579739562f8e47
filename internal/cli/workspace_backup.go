package cli

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
)

// workspaceBackupFormat is the version of a workspace's backup: a tar archive,
// encrypted with the workspace's own lock, that begins with the manifest, goes on
// with files of the folder and ends with the database, which is encrypted itself.
const workspaceBackupFormat = "muster-workspace-backup/1"

// workspaceManifest says what a backup is of.
type workspaceManifest struct {
	Format string              `json:"format"`
	Member coalition.MemberID  `json:"member"`
	Taken  time.Time           `json:"taken"`
	State  workspacedb.Summary `json:"state"`
}

func (m workspaceManifest) digest() (string, error) {
	b, err := keys.Canonical(m)
	return keys.Digest(b), err
}

// keptReceipt is the name of a file of the folder of what was sealed.
var keptReceipt = regexp.MustCompile(`^` + sealedFolder + `/[A-Za-z0-9_-]{1,64}-[0-9]{1,20}\.json(\.sig)?$`)

func newWorkspaceBackupCmd(env Env) *cobra.Command {
	var (
		dir  string
		lock lockFlags
	)
	cmd := &cobra.Command{
		Use:   "backup FILE --dir DIR",
		Short: "Write an encrypted backup of a workspace to one file, and try it",
		Long: `Write a backup of a workspace to one new file: its database as it is at one moment,
its key, and the receipts of what was sealed. It is encrypted with the passphrase or
key file of the workspace, which opens it again, and it is read back and checked
before the command ends. It runs beside a workspace that serves.

The member's signing key is not in it: keep a copy of the folder keys on another
medium.`,
		Example: `  muster workspace backup ostmere.backup --dir ostmere`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runWorkspaceBackup(cmd.Context(), env, args[0], dir, lock)
		},
	}
	dirFlag(cmd, &dir, "the workspace")
	lock.add(cmd)
	return cmd
}

func runWorkspaceBackup(ctx context.Context, env Env, path, dir string, f lockFlags) (err error) {
	if exists(path) {
		return errs.New(errs.Conflict, "there is a file "+strconv.Quote(path)+" already", "a backup replaces nothing; give another name")
	}
	w, err := openWorkspaceDir(ctx, env, dir, f)
	if err != nil {
		return err
	}
	defer w.close(&err)
	parts, err := backupParts(env, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(parts)) }()
	m, err := w.backup(ctx, env, parts)
	if err != nil {
		return placeError(err, filepath.Dir(path), "a backup needs room for the database three times")
	}
	if err := nameBackup(parts, path); err != nil {
		return err
	}
	digest, err := m.digest()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s, %s\nthe backup is %s\n", m.Member, plural(int(m.State.Revisions), "1 revision", "%d revisions"), digest); err != nil {
		return err
	}
	say(env, "%s was read back and is whole; it opens with what opens the workspace", path)
	say(env, "the signing key is not in it: keep a copy of %s on another medium", w.folder.Keys().Dir)
	return nil
}

// backup writes the backup into a folder and tries it.
func (w *openWorkspace) backup(ctx context.Context, env Env, parts string) (workspaceManifest, error) {
	m := workspaceManifest{Format: workspaceBackupFormat, Taken: env.Now().UTC().Truncate(time.Second)}
	var err error
	if m.Member, err = w.Member(ctx); err != nil {
		return m, err
	}
	snapshot := filepath.Join(parts, databaseName)
	if err := w.db.Snapshot(ctx, snapshot); err != nil {
		return m, err
	}
	key, err := w.folder.Key(w.lock)
	if err != nil {
		return m, err
	}
	if m.State, err = checkDatabase(ctx, snapshot, key); err != nil {
		return m, err
	}
	path := filepath.Join(parts, "backup")
	if err := w.writeBackup(env, path, m, snapshot); err != nil {
		return m, err
	}
	tried := filepath.Join(parts, "tried")
	if err := os.Mkdir(tried, 0o700); err != nil {
		return m, err
	}
	u, err := unpackWorkspace(path, tried, w.lock)
	if err != nil {
		return m, err
	}
	read, err := checkDatabase(ctx, filepath.Join(u.dir, databaseName), u.key)
	if err == nil && (read != m.State || u.manifest != m) {
		err = errors.New("the backup that was written is not the one that was read back")
	}
	return m, err
}

// checkDatabase reads a whole database and leaves it as one file.
func checkDatabase(ctx context.Context, path string, key store.Key) (s workspacedb.Summary, err error) {
	db, err := workspacedb.Open(ctx, workspacedb.Config{Path: path, Key: &key})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.Check(ctx)
}

func (w *openWorkspace) writeBackup(env Env, path string, m workspaceManifest, snapshot string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sealed, err := w.lock.Encrypt(f)
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
	names, err := w.keptFiles()
	if err != nil {
		return err
	}
	for _, name := range names {
		err := a.addFile(name, filepath.Join(w.folder.Dir, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := a.addFile(databaseName, snapshot); err != nil {
		return err
	}
	if err := errors.Join(a.tar.Close(), sealed.Close()); err != nil {
		return err
	}
	return f.Sync()
}

// keptFiles are the files of a workspace's folder that are kept beside the
// database.
func (w *openWorkspace) keptFiles() ([]string, error) {
	names := []string{config.WorkspaceKey, backupCharter, backupCharter + sigExt}
	entries, err := os.ReadDir(filepath.Join(w.folder.Dir, sealedFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if name := sealedFolder + "/" + entry.Name(); keptReceipt.MatchString(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// unpackedWorkspace is a backup whose files lie in a folder.
type unpackedWorkspace struct {
	dir      string
	manifest workspaceManifest
	key      store.Key
	files    []string // of the workspace's folder, without the database
}

// unpackWorkspace decrypts a backup into an empty folder and opens its key. It takes
// the names that a backup may have and no other.
func unpackWorkspace(path, dir string, lock config.Lock) (_ *unpackedWorkspace, err error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because("the backup "+strconv.Quote(path)+" cannot be read", err), "")
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	plain, err := lock.Decrypt(in)
	if err != nil {
		return nil, errs.Wrap(err, errs.Denied, strconv.Quote(path)+" does not open with this passphrase or key file, or is no backup", "it opens with what opened the workspace when it was written")
	}
	u := &unpackedWorkspace{dir: dir}
	if err := u.read(tar.NewReader(plain)); err != nil {
		return nil, err
	}
	// The end of the archive is authentic only when the last byte was read.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the backup cannot be read to its end", "take another one; nothing was restored")
	}
	u.key, err = config.Workspace{Dir: dir}.Key(lock)
	return u, err
}

func (u *unpackedWorkspace) read(archive *tar.Reader) error {
	broken := func(err error) error {
		return errs.Wrap(err, errs.Invalid, "the backup cannot be read", "take another one; nothing was restored")
	}
	seen := make(map[string]bool)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		name := header.Name
		switch {
		case seen[name]:
			return broken(fmt.Errorf("%q is there twice", name))
		case len(seen) == 0 && name == manifestName:
			seen[name] = true
			if err := u.readManifest(archive); err != nil {
				return err
			}
			continue
		case len(seen) == 0, name != config.WorkspaceKey && name != backupCharter && name != backupCharter+sigExt && name != databaseName && !keptReceipt.MatchString(name):
			return broken(fmt.Errorf("%q does not belong there", name))
		}
		seen[name] = true
		if err := extract(archive, filepath.Join(u.dir, filepath.FromSlash(name))); err != nil {
			return broken(err)
		}
		if name != databaseName {
			u.files = append(u.files, name)
		}
	}
	for _, name := range []string{config.WorkspaceKey, databaseName} {
		if !seen[name] {
			return broken(fmt.Errorf("it has no %s", name))
		}
	}
	return nil
}

func (u *unpackedWorkspace) readManifest(in io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(in, maxManifest))
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&u.manifest)
	}
	if err == nil && u.manifest.Format != workspaceBackupFormat {
		err = fmt.Errorf("format %q", u.manifest.Format)
	}
	if err != nil {
		return errs.Wrap(err, errs.Invalid, "this is no backup of a workspace that this program knows", "a newer program may have written it")
	}
	return nil
}
