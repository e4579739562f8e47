package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
)

// sealedFolder is where a member's folder keeps the receipts of what was sealed,
// TASK-NUMBER.json each with its note: what the member can show that it signed.
const sealedFolder = "sealed"

// memberFolder is a member's folder as muster submit init made it.
type memberFolder struct {
	dir    string
	member coalition.MemberID
	signer *keys.Signer
}

func openMember(dir string) (*memberFolder, error) {
	signer, err := keyFolder(dir).Signer()
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("%s is no member's folder: it has no signing key", strconv.Quote(dir)), "give the folder that muster submit init made with --dir")
	}
	if err != nil {
		return nil, err
	}
	member, err := coalition.ParseMemberID(signer.Public().Name())
	if err != nil {
		return nil, err
	}
	return &memberFolder{dir: dir, member: member, signer: signer}, nil
}

// cohort returns the cohort of the charter in which the member seals.
func (m *memberFolder) cohort(c coalition.Charter, named string) (string, error) {
	var in []string
	for _, cohort := range c.Cohorts {
		for _, listed := range cohort.Members {
			if listed.ID == m.member && (named == "" || named == cohort.ID) {
				in = append(in, cohort.ID)
			}
		}
	}
	switch {
	case len(in) == 1:
		return in[0], nil
	case len(in) > 1:
		return "", errs.New(errs.Invalid, fmt.Sprintf("%s is in the cohorts %s", m.member, strings.Join(in, ", ")), "say which with --cohort")
	case named != "":
		return "", errs.New(errs.Denied, fmt.Sprintf("the charter has no cohort %s with the member %s", errs.Quote(named), m.member), "ask the coordinator")
	}
	return "", errs.New(errs.Denied, fmt.Sprintf("%s is not in the charter", m.member), "is it the charter of this cycle? else ask the coordinator under which name it lists this member")
}

// checkCharter refuses a second charter for a cycle, unless the first was
// withdrawn: whoever has the totals of two could subtract them. It reports
// whether this folder seals under the charter for the first time.
func (m *memberFolder) checkCharter(signed coalition.SignedCharter, c coalition.Charter, insteadOf string) (first bool, err error) {
	body, err := os.ReadFile(m.charterPath())
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, errs.Wrap(err, errs.Invalid, because("the charter that this folder sealed under cannot be read", err), "")
	}
	earlier := coalition.SignedCharter{Body: body}
	if earlier.Digest() == signed.Digest() {
		return false, nil
	}
	was, err := earlier.Read()
	if err != nil {
		return false, err
	}
	if was.Coalition == c.Coalition && was.Cycle == c.Cycle && insteadOf != earlier.Digest() {
		return false, errs.New(errs.Conflict, fmt.Sprintf("this folder sealed under another charter for the cycle %s, with the digest %s", c.Cycle, earlier.Digest()),
			"ask the coordinator; if that one was withdrawn, repeat with --instead-of "+earlier.Digest())
	}
	return true, nil
}

func (m *memberFolder) charterPath() string { return filepath.Join(m.dir, "charter.json") }

// keepCharter keeps the charter that the folder seals under.
func (m *memberFolder) keepCharter(signed coalition.SignedCharter) error {
	files := []outputFile{{"charter.json.sig", signed.Signature, 0o644}, {"charter.json", signed.Body, 0o644}}
	if err := realDisk().writeOutput(m.dir, files, nil); err != nil {
		return err
	}
	return config.SyncFolder(m.dir)
}

// lastSequence returns the highest number that was used for a task, or zero.
func (m *memberFolder) lastSequence(task dap.TaskID) (uint64, error) {
	entries, err := os.ReadDir(filepath.Join(m.dir, sealedFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, errs.Wrap(err, errs.Invalid, because("the folder of what was sealed cannot be read", err), "")
	}
	var last uint64
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), task.String()+"-")
		number, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.ParseUint(number, 10, 64); ok && err == nil {
			last = max(last, n)
		}
	}
	return last, nil
}

// keepReceipt takes a sequence number for good: it fails with kind Conflict if
// another receipt has it. The same receipt again changes nothing.
func (m *memberFolder) keepReceipt(task dap.TaskID, sequence uint64, receipt coalition.SignedReceipt) error {
	dir := filepath.Join(m.dir, sealedFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.json", task, sequence))
	for _, file := range []struct {
		path string
		body []byte
	}{{path + sigExt, receipt.Signature}, {path, receipt.Body}} {
		err := config.CreateSecret(file.path, file.body)
		if errs.KindOf(err) == errs.Conflict {
			if there, err := os.ReadFile(file.path); err == nil && bytes.Equal(there, file.body) {
				continue
			}
			return errs.New(errs.Conflict, fmt.Sprintf("submission %d was sealed by another command meanwhile", sequence), "run the command again")
		}
		if err != nil {
			return placeError(err, dir, "make room there, and run the command again")
		}
	}
	return nil
}
