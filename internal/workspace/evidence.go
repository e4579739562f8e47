package workspace

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
)

// SavedReference is a reference to evidence as it is kept.
type SavedReference struct {
	assess.Reference
	Revised
}

// Address reports whether the piece lies at an address, which is never asked.
func (r SavedReference) Address() bool { return isAddress(r.Place) }

func referenceKey(id SurveyID, outcome, reference string) Key {
	return Key{Kind: kindReference, Survey: id, Outcome: outcome, ID: reference}
}

// AddReference keeps where a piece of evidence lies, under an id that it gives it.
// The piece stays there. SHA256 and Bytes are of whoever could read it, see
// [ReadPiece].
func (s *Service) AddReference(ctx context.Context, person Person, id SurveyID, ref assess.Reference) (SavedReference, error) {
	if err := checkReference(ref); err != nil {
		return SavedReference{}, err
	}
	saved := SavedReference{Reference: ref}
	err := s.change(ctx, "add a reference", person, answer, func(tx change) error {
		is, err := s.writable(tx, id)
		if err != nil {
			return err
		}
		if _, err := is.outcome(ref.Outcome); err != nil {
			return err
		}
		there, err := list[assess.Reference](tx, kindReference, id, ref.Outcome)
		if err != nil {
			return err
		}
		if err := full("references of the outcome", len(there), MaxReferences); err != nil {
			return err
		}
		for _, other := range there {
			if other.Value.Place == ref.Place {
				return errs.New(errs.Conflict, "the outcome has a reference to that place already", "if the piece has changed, take its new digest on the page of evidence, or remove the reference first")
			}
		}
		key, err := tx.fresh(referenceKey(id, ref.Outcome, ""), len(there))
		if err != nil {
			return err
		}
		saved.ID = key.ID
		saved.Revised, err = tx.put(key, 0, saved.Reference)
		return err
	})
	return saved, err
}

func checkReference(ref assess.Reference) error {
	err := errors.Join(line("the place of the evidence", ref.Place, maxPlace), text("the title of the evidence", ref.Title, maxTitle))
	if err != nil {
		return err
	}
	if err := assess.CheckPlace(ref.Place); err != nil {
		return err
	}
	if ref.SHA256 == "" && ref.Bytes != 0 || ref.Bytes < 0 {
		return errs.New(errs.Invalid, "a size without a digest says nothing", "")
	}
	if ref.SHA256 == "" {
		return nil
	}
	return digest("the digest of the evidence", ref.SHA256)
}

// Measured keeps what was read of the piece of a reference: for the first time, or
// because the piece that lies there now is the one that is meant. base is the revision
// of the reference that was read for; it is a Conflict if somebody changed it
// meanwhile. A copy of another piece than this one is taken out.
func (s *Service) Measured(ctx context.Context, person Person, id SurveyID, outcome, reference string, base Revision, r Reading) (SavedReference, error) {
	if err := digest("the digest of the evidence", r.SHA256); err != nil {
		return SavedReference{}, err
	}
	var saved SavedReference
	err := s.change(ctx, "keep the digest of a reference", person, answer, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		key := referenceKey(id, outcome, reference)
		ref, revised, err := get[assess.Reference](tx, key)
		switch {
		case errors.Is(err, errNone):
			return errs.New(errs.NotFound, "there is no such reference", "somebody may have removed it")
		case err != nil:
			return err
		case ref.SHA256 == r.SHA256 && ref.Bytes == r.Bytes:
			saved = SavedReference{ref, revised}
			return nil
		}
		ref.SHA256, ref.Bytes = r.SHA256, r.Bytes
		saved.Reference = ref
		if saved.Revised, err = tx.put(key, base, ref); err != nil {
			return err
		}
		return tx.dropCopy(key)
	})
	return saved, err
}

// RemoveReference removes a reference, and the copy if there is one; the piece of
// evidence stays where it is.
func (s *Service) RemoveReference(ctx context.Context, person Person, id SurveyID, outcome, reference string) error {
	return s.change(ctx, "remove a reference", person, answer, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		key := referenceKey(id, outcome, reference)
		record, _, err := tx.Current(key)
		if err != nil {
			return err
		}
		if _, err = tx.removeKnown(key, record.Rev, "reference"); err != nil {
			return err
		}
		return tx.dropCopy(key)
	})
}

// References returns the references of an outcome, or of all if outcome is empty.
func (s *Service) References(ctx context.Context, person Person, id SurveyID, outcome string) ([]SavedReference, error) {
	var all []SavedReference
	err := s.view(ctx, "read references", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		items, err := list[assess.Reference](r, kindReference, id, outcome)
		all = make([]SavedReference, len(items))
		for i, item := range items {
			all[i] = SavedReference{Reference: item.Value, Revised: item.Revised}
		}
		return err
	})
	return all, err
}

// piecesOf counts the references of each outcome.
func piecesOf(r Reader, id SurveyID) (map[string]int, error) {
	items, err := list[assess.Reference](r, kindReference, id, "")
	pieces := make(map[string]int)
	for _, item := range items {
		pieces[item.Outcome]++
	}
	return pieces, err
}

// carryReferences carries over where the evidence of an outcome lies, with the digests:
// whoever confirms the answer confirms them.
func (c change) carryReferences(from, to SurveyID, outcome string) error {
	items, err := list[assess.Reference](c, kindReference, from, outcome)
	if err != nil {
		return err
	}
	for _, item := range items {
		if _, err := c.put(referenceKey(to, outcome, item.ID), 0, item.Value); err != nil {
			return err
		}
	}
	return nil
}

// copied is what is kept of a copy in history: that there is one, and of what. The
// copy itself is no part of history.
type copied struct {
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

func copyKey(reference Key) Key {
	reference.Kind = kindCopy
	return reference
}

// KeepCopy keeps a copy of the piece that a reference leads to, in the workspace's
// encrypted database. It is a Conflict if it is not the piece that was hashed.
func (s *Service) KeepCopy(ctx context.Context, person Person, id SurveyID, outcome, reference string, r Reading) error {
	switch {
	case r.Body == nil || int64(len(r.Body)) != r.Bytes:
		return errs.New(errs.Invalid, "nothing was read that could be copied", "")
	case r.Bytes > MaxCopy:
		return errs.New(errs.Invalid, fmt.Sprintf("the piece has %d bytes, and no more than %d are copied", r.Bytes, int64(MaxCopy)), "keep its place and digest alone")
	}
	return s.change(ctx, "keep a copy of evidence", person, answer, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		key := referenceKey(id, outcome, reference)
		ref, _, err := get[assess.Reference](tx, key)
		switch {
		case errors.Is(err, errNone):
			return errs.New(errs.NotFound, "there is no such reference", "somebody may have removed it")
		case err != nil:
			return err
		case ref.SHA256 != r.SHA256:
			return errs.New(errs.Conflict, "the piece is another than the one that was hashed", "take its new digest first, if it is the one that is meant")
		}
		if err := tx.room(kindCopy, id, "", "copies of evidence", MaxCopies, copyKey(key)); err != nil {
			return err
		}
		_, was, err := get[copied](tx, copyKey(key))
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		if err == nil {
			return nil // of a piece with that digest
		}
		if _, err := tx.put(copyKey(key), was.Rev, copied{SHA256: r.SHA256, Bytes: r.Bytes}); err != nil {
			return err
		}
		return tx.PutCopy(key, r.Body)
	})
}

// DropCopy takes a copy out of the workspace; the reference stays.
func (s *Service) DropCopy(ctx context.Context, person Person, id SurveyID, outcome, reference string) error {
	return s.change(ctx, "take out a copy of evidence", person, answer, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		return tx.dropCopy(referenceKey(id, outcome, reference))
	})
}

func (c change) dropCopy(reference Key) error {
	key := copyKey(reference)
	record, ok, err := c.Current(key)
	if err != nil || !ok || record.Value == nil {
		return err
	}
	if _, err := c.remove(key, record.Rev); err != nil {
		return err
	}
	return c.PutCopy(reference, nil)
}

// Copies returns of which references a copy is kept: by outcome and a slash and the
// id of the reference, who copied it.
func (s *Service) Copies(ctx context.Context, person Person, id SurveyID) (map[string]Revised, error) {
	var all map[string]Revised
	err := s.view(ctx, "list the copies of evidence", person, see, func(r Reader) error {
		items, err := list[copied](r, kindCopy, id, "")
		all = make(map[string]Revised, len(items))
		for _, item := range items {
			all[item.Outcome+"/"+item.ID] = item.Revised
		}
		return err
	})
	return all, err
}

// Copy returns the copy of the piece that a reference leads to. It is NotFound if
// none is kept.
func (s *Service) Copy(ctx context.Context, person Person, id SurveyID, outcome, reference string) (SavedReference, []byte, error) {
	var ref SavedReference
	var body []byte
	err := s.view(ctx, "read a copy of evidence", person, see, func(r Reader) error {
		if _, err := s.open(r, id); err != nil {
			return err
		}
		key := referenceKey(id, outcome, reference)
		var err error
		ref.Reference, ref.Revised, err = get[assess.Reference](r, key)
		if err != nil && !errors.Is(err, errNone) {
			return err
		}
		var ok bool
		if err == nil {
			body, ok, err = r.Copy(key)
		}
		if !ok && (err == nil || errors.Is(err, errNone)) {
			return errs.New(errs.NotFound, "no copy of that piece is kept", "")
		}
		return err
	})
	return ref, body, err
}

// Measure reads a piece of evidence and returns its SHA-256 in hex and its size.
// It is NotFound if nothing is there.
type Measure func(ctx context.Context, place string) (sha256 string, size int64, err error)

// Fault says what is wrong with a reference.
type Fault string

// The faults of references.
const (
	FaultGone       Fault = "gone"       // nothing is there any more
	FaultChanged    Fault = "changed"    // it is another piece than the one that was hashed
	FaultUnreadable Fault = "unreadable" // it could not be read from here
)

// Broken is a reference that does not lead to what it was made for.
type Broken struct {
	Reference assess.Reference
	Fault     Fault
}

// MayMeasure refuses, with kind Denied, whoever may not have evidence read.
func (s *Service) MayMeasure(person Person) error { return person.may(measuring) }

// BrokenReferences reads all evidence of a survey that has a digest and a path, with
// measure, and returns what is broken. Nothing of it is kept. Who may answer or verify may
// have it read.
func (s *Service) BrokenReferences(ctx context.Context, person Person, id SurveyID, measure Measure) ([]Broken, error) {
	if err := person.may(measuring); err != nil {
		return nil, err
	}
	references, err := s.References(ctx, person, id, "")
	if err != nil {
		return nil, err
	}
	var broken []Broken
	for _, ref := range references {
		if ref.SHA256 == "" || ref.Address() {
			continue
		}
		fault, err := faultOf(ctx, ref.Reference, measure)
		if err != nil {
			return nil, err
		}
		if fault != "" {
			broken = append(broken, Broken{Reference: ref.Reference, Fault: fault})
		}
	}
	return broken, nil
}

// faultOf says what is wrong with a reference that has a digest; empty: nothing.
func faultOf(ctx context.Context, ref assess.Reference, measure Measure) (Fault, error) {
	sum, size, err := measure(ctx, ref.Place)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("read evidence: %w", ctx.Err())
	case errs.KindOf(err) == errs.NotFound:
		return FaultGone, nil
	case err != nil:
		return FaultUnreadable, nil
	case sum != ref.SHA256 || ref.Bytes != 0 && size != ref.Bytes: // 0: its owner gave the digest alone
		return FaultChanged, nil
	}
	return "", nil
}

// CopyName returns the name of a file for the copy of a piece: outcome and id, and the
// end of the place it was copied from, so that programs know what to open it with.
func CopyName(ref SavedReference) string {
	ending := ""
	if at := strings.LastIndexByte(ref.Place, '.'); at >= 0 {
		ending = ref.Place[at:]
	}
	if len(ending) < 2 || len(ending) > 10 || strings.Trim(ending[1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		ending = ".bin"
	}
	return ref.Outcome + "-" + ref.ID + strings.ToLower(ending)
}
