package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// backupFormat is the version of a host's backup: a tar archive, encrypted with
// age, that begins with the manifest, goes on with files of the host's folder,
// and ends with the database.
const backupFormat = "muster-host-backup/1"

// The names in the archive besides those of the folder.
const (
	manifestName = "manifest.json"
	databaseName = "database"
)

// maxManifest bounds what is read into memory.
const maxManifest = 1 << 20

// backupManifest says what a backup is of.
type backupManifest struct {
	Format  string             `json:"format"`
	Member  coalition.MemberID `json:"member"`
	Role    string             `json:"role"` // "Leader" or "Helper"
	Cycle   string             `json:"cycle"`
	Charter string             `json:"charter"` // hex SHA-256
	Engine  string             `json:"engine"`  // "sqlite" or "postgres"
	Taken   time.Time          `json:"taken"`
	Cohorts []backupCohort     `json:"cohorts"`
	Record  ledger.Tail        `json:"record"`
}

// backupCohort is where the host stood with a cohort.
type backupCohort struct {
	Cohort     string                    `json:"cohort"`
	Phase      aggregate.Phase           `json:"phase"`
	Collection aggregate.CollectionState `json:"collection"`
}

// digest names the backup.
func (m backupManifest) digest() (string, error) {
	b, err := keys.Canonical(m)
	return keys.Digest(b), err
}

// backupFiles are the files of a host's folder that are kept, where there are
// any. The folder of keys is not among them: whoever has both has the host.
func backupFiles() []string {
	names := []string{
		config.HostFile, hostCardFile, commitmentFile, revealFile, attestationFile,
		ceremonyFolder + "/" + leaderCardFile, ceremonyFolder + "/" + helperCardFile,
		ceremonyFolder + "/" + peerCommitmentFile, ceremonyFolder + "/" + peerRevealFile,
	}
	for _, name := range slices.Clone(names) {
		if name != config.HostFile {
			names = append(names, name+sigExt)
		}
	}
	return append(names, ceremonyFolder+"/"+approvedFile)
}

// The charter may lie elsewhere; in a backup it has its usual name.
const backupCharter = "charter.json"

// archive writes a backup.
type archive struct {
	tar *tar.Writer
	now time.Time
}

func (a archive) add(name string, body []byte) error {
	if err := a.header(name, int64(len(body))); err != nil {
		return err
	}
	_, err := a.tar.Write(body)
	return err
}

func (a archive) header(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: a.now, Format: tar.FormatPAX})
}

// addFile adds a file as it lies on the disk.
func (a archive) addFile(name, path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := a.header(name, info.Size()); err != nil {
		return err
	}
	_, err = io.Copy(a.tar, f)
	return err
}

// addFolder adds what is kept of a host's folder.
func (a archive) addFolder(k *knownHost) error {
	for _, name := range backupFiles() {
		err := a.addFile(name, k.path(filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := a.add(backupCharter, k.signed.Body); err != nil {
		return err
	}
	return a.add(backupCharter+sigExt, k.signed.Signature)
}

// unpacked is a backup whose files lie in a folder.
type unpacked struct {
	dir      string
	manifest backupManifest
	files    []string // of the host's folder, in the order of the archive
}

// unpack reads a backup into an empty folder. It takes the names that a backup
// may have and no other.
func unpack(in io.Reader, dir string) (*unpacked, error) {
	broken := func(err error) error {
		return errs.Wrap(err, errs.Invalid, "the backup cannot be read", "take another one; nothing was restored")
	}
	allowed := append(backupFiles(), backupCharter, backupCharter+sigExt, databaseName)
	u := &unpacked{dir: dir}
	archive := tar.NewReader(in)
	seen := make(map[string]bool)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, broken(err)
		}
		name := header.Name
		switch {
		case seen[name]:
			return nil, broken(fmt.Errorf("%q is there twice", name))
		case len(seen) == 0 && name == manifestName:
			if u.manifest, err = readManifest(archive); err != nil {
				return nil, err
			}
			seen[name] = true
			continue
		case len(seen) == 0 || !slices.Contains(allowed, name):
			return nil, broken(fmt.Errorf("%q does not belong there", name))
		}
		seen[name] = true
		if err := extract(archive, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return nil, broken(err)
		}
		if name != databaseName {
			u.files = append(u.files, name)
		}
	}
	for _, name := range []string{config.HostFile, backupCharter, backupCharter + sigExt, databaseName} {
		if !seen[name] {
			return nil, broken(fmt.Errorf("it has no %s", name))
		}
	}
	return u, nil
}

func readManifest(in io.Reader) (backupManifest, error) {
	var m backupManifest
	body, err := io.ReadAll(io.LimitReader(in, maxManifest))
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&m)
	}
	if err == nil && m.Format != backupFormat {
		err = fmt.Errorf("format %q", m.Format)
	}
	if err != nil {
		return m, errs.Wrap(err, errs.Invalid, "this is no backup of a host that this program knows", "a newer program may have written it")
	}
	return m, nil
}

func extract(in io.Reader, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readPassphrase reads a passphrase from a file that nobody else may read.
func readPassphrase(path string) (string, error) {
	body, err := config.ReadSecret(path)
	if err != nil {
		return "", err
	}
	passphrase := strings.TrimRight(string(body), "\r\n")
	if len(passphrase) < minPassphrase {
		return "", errs.New(errs.Invalid, fmt.Sprintf("the passphrase in %s has less than %d characters", errs.Quote(path), minPassphrase), "six words by chance, for instance")
	}
	return passphrase, nil
}

// minPassphrase is the shortest passphrase of a backup, in bytes.
const minPassphrase = config.MinPassphrase

// recipients returns whom a backup is encrypted for.
func recipients(names []string, passphraseFile string) ([]age.Recipient, error) {
	if (len(names) > 0) == (passphraseFile != "") {
		return nil, errs.New(errs.Invalid, "a backup is encrypted for --recipient, or with --passphrase-file: one of them", "age-keygen makes a key; its recipient begins with age1")
	}
	if passphraseFile != "" {
		passphrase, err := readPassphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(passphrase)
		return []age.Recipient{r}, err
	}
	var list []age.Recipient
	for _, name := range names {
		parsed, err := age.ParseRecipients(strings.NewReader(name))
		if err != nil {
			return nil, errs.New(errs.Invalid, errs.Quote(name)+" is no recipient", "a recipient begins with age1")
		}
		list = append(list, parsed...)
	}
	return list, nil
}

// identities returns with what a backup is decrypted.
func identities(identityFile, passphraseFile string) ([]age.Identity, error) {
	if (identityFile != "") == (passphraseFile != "") {
		return nil, errs.New(errs.Invalid, "a backup is decrypted with --identity, or with --passphrase-file: one of them", "that with which it was encrypted")
	}
	if passphraseFile != "" {
		passphrase, err := readPassphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		i, err := age.NewScryptIdentity(passphrase)
		return []age.Identity{i}, err
	}
	body, err := config.ReadSecret(identityFile)
	if err != nil {
		return nil, err
	}
	list, err := age.ParseIdentities(bytes.NewReader(body))
	if err != nil { // its words may quote a line of the file
		return nil, errs.New(errs.Invalid, errs.Quote(identityFile)+" holds no identity", "a line of it begins with AGE-SECRET-KEY-")
	}
	return list, nil
}
