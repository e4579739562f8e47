package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
)

// SavedReference is a reference to evidence as it is kept.
type SavedReference struct {
	assess.Reference
	Revised
}

// AddReference keeps where a piece of evidence lies, under an id that it gives it.
// The piece stays there. SHA256 and Bytes are of whoever could read it.
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
				return errs.New(errs.Conflict, "the outcome has a reference to that place already", "remove it first if the piece has changed")
			}
		}
		key, err := tx.fresh(Key{Kind: kindReference, Survey: id, Outcome: ref.Outcome}, len(there))
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
	if scheme, _, ok := strings.Cut(ref.Place, "://"); ok {
		u, err := url.Parse(ref.Place)
		if err != nil || !strings.EqualFold(scheme, "https") || u.Host == "" || u.User != nil {
			return errs.New(errs.Invalid, "the place of the evidence is no https address", "give an address that begins with https:// and has no password in it, or a path")
		}
	}
	if ref.SHA256 == "" && ref.Bytes != 0 || ref.Bytes < 0 {
		return errs.New(errs.Invalid, "a size without a digest says nothing", "")
	}
	if ref.SHA256 == "" {
		return nil
	}
	return digest("the digest of the evidence", ref.SHA256)
}

// RemoveReference removes a reference; the piece of evidence stays where it is.
func (s *Service) RemoveReference(ctx context.Context, person Person, id SurveyID, outcome, reference string) error {
	return s.change(ctx, "remove a reference", person, answer, func(tx change) error {
		if _, err := s.writable(tx, id); err != nil {
			return err
		}
		key := Key{Kind: kindReference, Survey: id, Outcome: outcome, ID: reference}
		record, _, err := tx.Current(key)
		if err != nil {
			return err
		}
		_, err = tx.removeKnown(key, record.Rev, "reference")
		return err
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

// BrokenReferences reads all evidence of a survey that has a digest, with measure,
// and returns what is broken. Nothing of it is kept.
func (s *Service) BrokenReferences(ctx context.Context, person Person, id SurveyID, measure Measure) ([]Broken, error) {
	references, err := s.References(ctx, person, id, "")
	if err != nil {
		return nil, err
	}
	var broken []Broken
	for _, ref := range references {
		if ref.SHA256 == "" {
			continue
		}
		sum, size, err := measure(ctx, ref.Place)
		fault := Fault("")
		switch {
		case ctx.Err() != nil:
			return nil, fmt.Errorf("read evidence: %w", ctx.Err())
		case errs.KindOf(err) == errs.NotFound:
			fault = FaultGone
		case err != nil:
			fault = FaultUnreadable
		case sum != ref.SHA256 || size != ref.Bytes:
			fault = FaultChanged
		}
		if fault != "" {
			broken = append(broken, Broken{Reference: ref.Reference, Fault: fault})
		}
	}
	return broken, nil
}
