package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

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
	p := &pageSealer{env: env, w: w, asks: lock.identity == ""}
	return p, p.finish(ctx)
}

// finish gives every partial file that the workspace has recorded its name, and removes
// the others: they were never submissions.
func (p *pageSealer) finish(ctx context.Context) error {
	entries, err := os.ReadDir(p.w.folder.Dir)
	if err != nil {
		return err
	}
	var left []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, sealedPrefix) && strings.HasSuffix(name, partial) && e.Type().IsRegular() {
			left = append(left, filepath.Join(p.w.folder.Dir, name))
		}
	}
	if len(left) == 0 {
		return nil
	}
	recorded := make(map[string]string) // where a file belongs, by its digest
	surveys, err := p.w.Surveys(ctx, p.w.person)
	if err != nil {
		return err
	}
	for _, survey := range surveys {
		sealings, err := p.w.Sealings(ctx, p.w.person, survey.ID)
		if err != nil {
			return err
		}
		for _, s := range sealings {
			recorded[s.File] = p.path(survey.ID, s.Sequence)
		}
	}
	for _, part := range left {
		body, err := os.ReadFile(part)
		if err != nil {
			return err
		}
		path, ok := recorded[keys.Digest(body)]
		if ok && !exists(path) {
			err = os.Rename(part, path)
		} else {
			err = os.Remove(part)
		}
		if err != nil {
			return err
		}
	}
	return config.SyncFolder(p.w.folder.Dir)
}

// AsksPassphrase implements the pages' Sealer.
func (p *pageSealer) AsksPassphrase() bool { return p.asks }

// Seal implements the pages' Sealer.
func (p *pageSealer) Seal(ctx context.Context, person workspace.Person, id workspace.SurveyID, digest, passphrase string) (uint64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.finish(ctx); err != nil { // of one that failed before
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
	return p.w.sealInto(ctx, p.env, person, s, now, func(number uint64) string { return p.path(id, number) }, partial)
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

// path is where a sealed file is kept: of each survey and number in one place.
func (p *pageSealer) path(id workspace.SurveyID, number uint64) string {
	cycle, pack, _ := strings.Cut(string(id), "/") // no pack's id has an underscore
	return filepath.Join(p.w.folder.Dir, fmt.Sprintf(sealedPrefix+"%s_%s-%d.json", url.PathEscape(cycle), pack, number))
}

// File implements the pages' Sealer.
func (p *pageSealer) File(id workspace.SurveyID, number uint64) (string, []byte, error) {
	path := p.path(id, number)
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

// sealInto seals in memory, has the workspace record it, keeps the receipt, and then
// writes the file to the path that out gives for the number. Where there is a name for
// what is not recorded yet, the file lies there before the workspace records it.
func (w *openWorkspace) sealInto(ctx context.Context, env Env, person workspace.Person, s *sealing, now workspace.Sealable, out func(uint64) string, before string) (uint64, error) {
	sequence, first, err := w.number(ctx, s, now.Survey)
	if err != nil {
		return 0, err
	}
	path := out(sequence)
	if err := checkSealedOut(path); err != nil {
		return 0, err
	}
	sub, body, err := s.seal(now.Now, now.Before, sequence)
	if err != nil {
		return 0, err
	}
	if before != "" {
		if err := writeSealed(path+before, body); err != nil {
			return 0, err
		}
	}
	// What is sealed is in memory, or under a name of no submission, until the workspace
	// has recorded it: it refuses what is not what was signed off.
	if _, err := w.Sealed(ctx, person, now.Survey, workspace.Sealing{Sequence: sequence, Digest: now.Digest, File: keys.Digest(body), Receipt: sub.Receipt}); err != nil {
		if before != "" {
			err = errors.Join(err, os.Remove(path+before))
		}
		return 0, err
	}
	if err := s.member.keepReceipt(s.task.ID, sequence, sub.Receipt); err != nil {
		return 0, err
	}
	if before == "" {
		err = writeSealed(path, body)
	} else if err = os.Rename(path+before, path); err == nil {
		err = config.SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		return 0, err
	}
	return sequence, s.say(env, path, sequence, first)
}
