package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/workspace"
)

// pageSealer seals for the pages of a workspace that is served. The member's key is
// read for each sealing and not kept, and neither is the passphrase.
type pageSealer struct {
	env  Env
	w    *openWorkspace
	asks bool // the workspace opens with a passphrase, not with a key file

	mu sync.Mutex // held while something is sealed: numbers follow each other
}

// partial is what the name of a sealed file ends with until the workspace has recorded
// it: what is recorded has its file, also where the machine stopped between the two.
const (
	partial      = ".part"
	sealedPrefix = "sealed-"
)

// newPageSealer returns what seals for the pages of a workspace, after it has finished
// what a sealing that was interrupted has left.
func newPageSealer(ctx context.Context, env Env, w *openWorkspace, lock lockFlags) (*pageSealer, error) {
	return &pageSealer{env: env, w: w, asks: lock.identity == ""}, w.finishSealing(ctx, env)
}

// lockSealing keeps every other process from sealing in the folder, and from finishing
// what this one seals. It is Unavailable if one does.
func (w *openWorkspace) lockSealing() (io.Closer, error) { return lockSealing(w.folder.Dir) }

// lockSealing keeps every other process from sealing in a member's folder, also where it
// is a workspace: a number is used once.
func lockSealing(dir string) (io.Closer, error) {
	return config.LockFile(filepath.Join(dir, "sealing.lock"), "something is being sealed in this folder at this moment")
}

// finishSealing finishes what a sealing that was interrupted has left. What is being
// sealed by another process at this moment is left to it.
func (w *openWorkspace) finishSealing(ctx context.Context, env Env) (err error) {
	left, err := w.unfinished()
	if err != nil || len(left) == 0 {
		return err
	}
	lock, err := w.lockSealing()
	if errs.KindOf(err) == errs.Unavailable {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return w.finishLocked(ctx, env)
}

// unfinished lists the partial files of the folder.
func (w *openWorkspace) unfinished() ([]string, error) {
	entries, err := os.ReadDir(w.folder.Dir)
	if err != nil {
		return nil, err
	}
	var left []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, sealedPrefix) && strings.HasSuffix(name, partial) && e.Type().IsRegular() {
			left = append(left, filepath.Join(w.folder.Dir, name))
		}
	}
	return left, nil
}

// finishLocked finishes every partial file that the workspace has recorded: its receipt
// is kept, and it gets its name. It removes the others: they were never submissions.
// Whoever calls it holds the lock.
//
// A file whose number another receipt of the folder has keeps its partial name: it must
// not leave beside the other. Later numbers are above both.
func (w *openWorkspace) finishLocked(ctx context.Context, env Env) error {
	left, err := w.unfinished()
	if err != nil || len(left) == 0 {
		return err
	}
	member, err := openMember(w.folder.Dir)
	if err != nil {
		return err
	}
	type place struct {
		path string // where a file belongs
		of   workspace.Sealing
	}
	recorded := make(map[string]place) // by the digest of the file
	surveys, err := w.Surveys(ctx, w.person)
	if err != nil {
		return err
	}
	for _, survey := range surveys {
		sealings, err := w.Sealings(ctx, w.person, survey.ID)
		if err != nil {
			return err
		}
		for _, s := range sealings {
			recorded[s.File] = place{w.sealedPath(survey.ID, s.Sequence), s}
		}
	}
	for _, part := range left {
		body, err := os.ReadFile(part)
		if err != nil {
			return err
		}
		is, ok := recorded[keys.Digest(body)]
		if !ok {
			if err := os.Remove(part); err != nil {
				return err
			}
			continue
		}
		switch err := keepRecorded(member, is.of.Receipt); {
		case errs.KindOf(err) == errs.Conflict:
			warn(env, "%s is not used: its number, %d, is also that of another file that was sealed in this folder; a later number counts", filepath.Base(part), is.of.Sequence)
			continue
		case err != nil:
			return err
		}
		if exists(is.path) {
			err = os.Remove(part)
		} else {
			err = os.Rename(part, is.path)
		}
		if err != nil {
			return err
		}
	}
	return config.SyncFolder(w.folder.Dir)
}

// keepRecorded keeps the receipt of a sealing that the workspace has recorded, where the
// folder does not have it yet. It is a Conflict if the folder has another of that number.
func keepRecorded(member *memberFolder, signed coalition.SignedReceipt) error {
	var receipt coalition.Receipt
	if err := json.Unmarshal(signed.Body, &receipt); err != nil {
		return fmt.Errorf("read a receipt that was recorded: %w", err)
	}
	task, err := dap.ParseTaskID(receipt.Task)
	if err != nil {
		return fmt.Errorf("read a receipt that was recorded: %w", err)
	}
	return member.keepReceipt(task, receipt.Sequence, signed)
}

// AsksPassphrase implements the pages' Sealer.
func (p *pageSealer) AsksPassphrase() bool { return p.asks }

// Seal implements the pages' Sealer.
func (p *pageSealer) Seal(ctx context.Context, person workspace.Person, id workspace.SurveyID, digest, passphrase string) (number uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lock, err := p.w.lockSealing()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := p.w.finishLocked(ctx, p.env); err != nil { // of one that failed before
		return 0, err
	}
	if p.asks {
		if err := p.knows(passphrase); err != nil {
			return 0, err
		}
	}
	now, err := p.w.Assessment(ctx, person, id)
	if err != nil {
		return 0, err
	}
	if now.Digest != digest {
		return 0, errs.New(errs.Conflict, "the answers have changed since this page was loaded", "look at them again, and seal what they are now")
	}
	f := workspaceSealFlags{dir: p.w.folder.Dir, survey: string(id)}
	signed, err := p.w.sealCharter(ctx, f, now.Pack)
	if err != nil {
		return 0, err
	}
	s, deadline, err := p.w.newSealing(ctx, p.env, f, now, signed)
	if err != nil {
		return 0, err
	}
	if !p.env.Now().Before(deadline) {
		return 0, errLate(id, deadline)
	}
	return p.w.sealInto(ctx, p.env, person, s, now, "")
}

// knows refuses, with kind Denied, a passphrase that is not the workspace's.
func (p *pageSealer) knows(passphrase string) error {
	lock, err := config.PassphraseLock(passphrase)
	if err == nil {
		_, err = p.w.folder.Key(lock)
	}
	switch errs.KindOf(err) {
	case errs.Denied, errs.Invalid:
		return errs.New(errs.Denied, "this is not the passphrase of the workspace", "nothing was sealed; go back and try again")
	}
	return err
}

// sealedPath is where a sealed file is kept: of each survey and number in one place.
func (w *openWorkspace) sealedPath(id workspace.SurveyID, number uint64) string {
	cycle, pack, _ := strings.Cut(string(id), "/") // no pack's id has an underscore
	return filepath.Join(w.folder.Dir, fmt.Sprintf(sealedPrefix+"%s_%s-%d.json", url.PathEscape(cycle), pack, number))
}

// File implements the pages' Sealer.
func (p *pageSealer) File(id workspace.SurveyID, number uint64) (string, []byte, error) {
	path := p.w.sealedPath(id, number)
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, errs.New(errs.NotFound, "the sealed file is not in the folder of the workspace", "it may have been moved; seal again if it was not delivered")
	}
	return filepath.Base(path), body, err
}

// errLate refuses to seal after the deadline.
func errLate(id workspace.SurveyID, deadline time.Time) error {
	return errs.New(errs.Conflict, fmt.Sprintf("submissions of %s closed at %s, by the clock of this machine", id, deadline.Format(pageTime)),
		"nothing is taken after the deadline; if it was postponed, load the addendum: muster workspace load --survey ID --addendum FILE, or on the page before sealing")
}

// sealInto seals in memory, puts the file into the folder under a partial name, has the
// workspace record it, keeps the receipt, and gives the file its name: what is recorded
// has its file, also where the machine stopped in between, see [openWorkspace.finishSealing].
// A copy goes to out unless that is empty. Whoever calls it holds the lock.
func (w *openWorkspace) sealInto(ctx context.Context, env Env, person workspace.Person, s *sealing, now workspace.Sealable, out string) (uint64, error) {
	sequence, first, err := w.number(ctx, s, now.Survey)
	if err != nil {
		return 0, err
	}
	path := w.sealedPath(now.Survey, sequence)
	if err := checkSealedOut(path); err != nil {
		return 0, err
	}
	sub, body, err := s.seal(now.Now, now.Before, sequence)
	if err != nil {
		return 0, err
	}
	if err := writeSealed(path+partial, body); err != nil {
		return 0, err
	}
	// What is sealed has the name of no submission until the workspace has recorded it: it
	// refuses what is not what was signed off.
	if _, err := w.Sealed(ctx, person, now.Survey, workspace.Sealing{Sequence: sequence, Digest: now.Digest, File: keys.Digest(body), Receipt: sub.Receipt}); err != nil {
		return 0, errors.Join(err, os.Remove(path+partial))
	}
	if err := s.member.keepReceipt(s.task.ID, sequence, sub.Receipt); err != nil {
		return 0, err
	}
	if err := os.Rename(path+partial, path); err != nil {
		return 0, err
	}
	if err := config.SyncFolder(filepath.Dir(path)); err != nil {
		return 0, err
	}
	if out == "" {
		return sequence, s.say(env, path, sequence, first)
	}
	if err := writeSealed(out, body); err != nil {
		d := errs.Describe(err)
		return 0, errs.Wrap(err, d.Kind, d.Message, fmt.Sprintf("submission %d is sealed, and lies at %s: deliver that one, or seal again", sequence, path))
	}
	return sequence, s.say(env, out, sequence, first)
}
