package cli

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// turnKind is the kind of a file that holds what one transaction of the chair did.
const turnKind = "muster silence turn v1"

// silenceStore keeps procedures in the chair's folder: in silence/ID/turns one
// file for each transaction, numbered from zero, and nothing beside. A file is
// whole or not there, and is never replaced, so that a command that is killed has
// done all or nothing, and of two at once the second does its work again.
type silenceStore struct {
	dir    string                               // the folder silence
	create func(path string, body []byte) error // [config.CreateSecret]; tests make it fail
}

// turnFile is one transaction.
type turnFile struct {
	Kind  string     `json:"kind"`
	Name  string     `json:"name"` // for people who look at the folder
	Added []turnItem `json:"added"`
}

// turnItem is one thing that was added.
type turnItem struct {
	Type   string     `json:"type"` // step, comment, break
	File   signedText `json:"file"` // of a break: its acknowledgement
	Sealed string     `json:"sealed,omitempty"`
}

const (
	itemStep    = "step"
	itemComment = "comment"
	itemBreak   = "break"
)

// InTx implements [silence.Store].
func (s silenceStore) InTx(ctx context.Context, name string, fn func(silence.Tx) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		tx := &silenceTx{store: s}
		if err := fn(tx); err != nil {
			return err
		}
		if len(tx.added) == 0 {
			return nil
		}
		body, err := keys.Canonical(turnFile{turnKind, name, tx.added})
		if err != nil {
			return err
		}
		turns := s.turns(tx.procedure)
		if err := s.makeFolder(turns); err != nil {
			return err
		}
		err = s.create(filepath.Join(turns, turnName(tx.turns)), body)
		if errs.KindOf(err) == errs.Conflict {
			continue // another command was faster: what it did is read, too
		}
		return placeError(err, turns, "make room there, and run the command again; nothing was done")
	}
}

func (s silenceStore) turns(procedure string) string {
	return filepath.Join(s.dir, procedure, "turns")
}

// makeFolder makes a folder and what is above it, each durable in the next.
func (s silenceStore) makeFolder(dir string) error {
	made, err := makeFolder(dir)
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	for _, path := range made {
		if err := config.SyncFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return nil
}

func turnName(number int) string { return fmt.Sprintf("%08d.json", number) }

// procedures returns the ids of all procedures in the folder, in order.
func (s silenceStore) procedures() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be read", strconv.Quote(s.dir)), err), "")
	}
	var ids []string
	for _, entry := range entries {
		// A folder without a turn is what an interrupted command left.
		if entry.IsDir() && exists(filepath.Join(s.turns(entry.Name()), turnName(0))) {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil
}

// silenceTx is one transaction, of one procedure.
type silenceTx struct {
	store     silenceStore
	procedure string
	turns     int // how many there were
	steps     []coalition.SignedFile
	comments  []coalition.SignedFile
	breaks    []silence.Received
	added     []turnItem
}

// load reads a procedure, once.
func (tx *silenceTx) load(procedure string) error {
	switch {
	case tx.procedure == procedure:
		return nil
	case tx.procedure != "":
		return errors.New("a transaction touches one procedure")
	}
	dir := tx.store.turns(procedure)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be read", strconv.Quote(dir)), err), "")
	}
	tx.procedure = procedure
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue // what an interrupted command left
		}
		path := filepath.Join(dir, entry.Name())
		if entry.Name() != turnName(tx.turns) {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is where %s should be", strconv.Quote(path), turnName(tx.turns)), "restore the folder from a backup: every turn counts")
		}
		if err := tx.read(path); err != nil {
			return err
		}
		tx.turns++
	}
	return nil
}

func (tx *silenceTx) read(path string) error {
	body, err := readInput(path, "turn of a silence procedure")
	if err != nil {
		return err
	}
	broken := func(err error) error {
		return errs.Wrap(err, errs.Invalid, strconv.Quote(path)+" is not as muster wrote it", "restore it from a backup: every turn counts")
	}
	var turn turnFile
	if err := keys.DecodeCanonical(body, &turn); err != nil || turn.Kind != turnKind {
		return broken(err)
	}
	for _, item := range turn.Added {
		file, err := item.File.open()
		if err != nil {
			return broken(err)
		}
		switch item.Type {
		case itemStep:
			tx.steps = append(tx.steps, file)
		case itemComment:
			tx.comments = append(tx.comments, file)
		case itemBreak:
			sealed, err := base64.RawURLEncoding.Strict().DecodeString(item.Sealed)
			if err != nil {
				return broken(err)
			}
			tx.breaks = append(tx.breaks, silence.Received{Acknowledgement: file, Sealed: sealed})
		default:
			return broken(nil)
		}
	}
	return nil
}

// open returns the file that was put into another.
func (s signedText) open() (coalition.SignedFile, error) {
	body, err := base64.RawURLEncoding.Strict().DecodeString(s.Body)
	return coalition.SignedFile{Body: body, Signature: []byte(s.Signature)}, err
}

func (tx *silenceTx) Steps(_ context.Context, procedure string) ([]coalition.SignedFile, error) {
	err := tx.load(procedure)
	return slices.Clone(tx.steps), err
}

func (tx *silenceTx) AppendStep(_ context.Context, procedure string, number int, step coalition.SignedFile) error {
	if err := tx.load(procedure); err != nil {
		return err
	}
	if number != len(tx.steps) {
		return fmt.Errorf("step %d is added after %d", number, len(tx.steps))
	}
	tx.steps = append(tx.steps, step)
	tx.added = append(tx.added, turnItem{Type: itemStep, File: newSignedText(step.Body, step.Signature)})
	return nil
}

func (tx *silenceTx) Comments(_ context.Context, procedure string) ([]coalition.SignedFile, error) {
	err := tx.load(procedure)
	return slices.Clone(tx.comments), err
}

func (tx *silenceTx) AppendComment(_ context.Context, procedure string, comment coalition.SignedFile) error {
	if err := tx.load(procedure); err != nil {
		return err
	}
	tx.comments = append(tx.comments, comment)
	tx.added = append(tx.added, turnItem{Type: itemComment, File: newSignedText(comment.Body, comment.Signature)})
	return nil
}

func (tx *silenceTx) Breaks(_ context.Context, procedure string) ([]silence.Received, error) {
	err := tx.load(procedure)
	return slices.Clone(tx.breaks), err
}

func (tx *silenceTx) AppendBreak(_ context.Context, procedure string, received silence.Received) error {
	if err := tx.load(procedure); err != nil {
		return err
	}
	a := received.Acknowledgement
	tx.breaks = append(tx.breaks, received)
	tx.added = append(tx.added, turnItem{Type: itemBreak, File: newSignedText(a.Body, a.Signature), Sealed: base64.RawURLEncoding.EncodeToString(received.Sealed)})
	return nil
}
