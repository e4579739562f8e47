package workspace

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// Approver is somebody whose key file signs: at steps of the chain, or the
// verifier's opinion. The lead registers the key after comparing its fingerprint in
// words with who holds it. The name is that of the key.
type Approver struct {
	ID       string      `json:"id"` // that the member gave it: letters, digits, hyphens
	Key      keys.Public `json:"key"`
	Steps    []string    `json:"steps,omitempty"`    // ids of the steps at which the key signs
	Verifier bool        `json:"verifier,omitempty"` // the key signs the opinion
}

// Name returns the name that statements show.
func (a Approver) Name() string { return a.Key.Name() }

// signsAt reports whether the key signs at a step.
func (a Approver) signsAt(step string) bool { return slices.Contains(a.Steps, step) }

// SavedApprover is an approver as it is kept.
type SavedApprover struct {
	Approver
	Revised
}

func approverKey(id string) Key { return Key{Kind: kindApprover, ID: id} }

// PutApprover registers a key in the place of the revision base, 0 if it is new. It
// is a Conflict if the key is registered under another id, or if somebody else
// changed it meanwhile.
func (s *Service) PutApprover(ctx context.Context, person Person, base Revision, a Approver) (SavedApprover, error) {
	if err := CheckApprover(a); err != nil {
		return SavedApprover{}, err
	}
	saved := SavedApprover{Approver: a}
	err := s.change(ctx, "register a key", person, organise, func(tx change) error {
		if err := tx.room(kindApprover, "", "", "registered keys", MaxApprovers, approverKey(a.ID)); err != nil {
			return err
		}
		others, err := approversOf(tx)
		if err != nil {
			return err
		}
		for _, other := range others {
			if other.ID != a.ID && other.Key.Same(a.Key) {
				return errs.New(errs.Conflict, "the key is registered already, as "+errs.Quote(other.ID), "change that one")
			}
		}
		saved.Revised, err = tx.replace(approverKey(a.ID), base, a)
		return err
	})
	return saved, err
}

// CheckApprover refuses, with kind Invalid, what cannot be registered.
func CheckApprover(a Approver) error {
	if err := identifier("the id of the key", a.ID); err != nil {
		return err
	}
	if err := a.Key.Check(); err != nil {
		return errs.Wrap(err, errs.Invalid, "the public key cannot be read", "it reads NAME+HASH+KEY, as muster workspace signoff key printed it")
	}
	if err := CheckApproverName(a.Key); err != nil {
		return err
	}
	if len(a.Steps) == 0 && !a.Verifier {
		return errs.New(errs.Invalid, "a key is registered for a step of the chain, or for the verifier", "say for which")
	}
	for _, step := range a.Steps {
		if err := identifier("the id of the step", step); err != nil {
			return err
		}
	}
	if len(a.Steps) > 100 {
		return full("steps of the key", len(a.Steps), 100)
	}
	return nil
}

// CheckApproverName refuses, with kind Invalid, a key whose name cannot stand under a
// statement.
func CheckApproverName(key keys.Public) error {
	if name := key.Name(); name == "" || len(name) > maxName || !framework.ReadableLine(name) {
		return errs.New(errs.Invalid, "the name of the key cannot be printed, or is too long", "make a key with another name: muster workspace signoff key")
	}
	return nil
}

// RemoveApprover takes a key off the register. What it signed counts no longer.
func (s *Service) RemoveApprover(ctx context.Context, person Person, base Revision, id string) error {
	return s.change(ctx, "take a key off the register", person, organise, func(tx change) error {
		_, err := tx.removeKnown(approverKey(id), base, "registered key")
		return err
	})
}

// Approvers returns the registered keys, by id.
func (s *Service) Approvers(ctx context.Context, person Person) ([]SavedApprover, error) {
	var all []SavedApprover
	err := s.view(ctx, "list the registered keys", person, see, func(r Reader) (err error) {
		all, err = approversOf(r)
		return err
	})
	return all, err
}

func approversOf(r Reader) ([]SavedApprover, error) {
	items, err := list[Approver](r, kindApprover, "", "")
	all := make([]SavedApprover, len(items))
	for i, item := range items {
		all[i] = SavedApprover{Approver: item.Value, Revised: item.Revised}
	}
	return all, err
}

// approverOf returns who is registered with a key. It is Denied if nobody is.
func approverOf(r Reader, key keys.Public) (Approver, error) {
	all, err := approversOf(r)
	if err != nil {
		return Approver{}, err
	}
	for _, a := range all {
		if a.Key.Same(key) {
			return a.Approver, nil
		}
	}
	return Approver{}, errs.New(errs.Denied, "nobody is registered with this key", "the lead registers it, after comparing its words: muster workspace signoff register")
}

// errNoApprover says for what a key is not registered.
func errNoApprover(a Approver, what string) error {
	return errs.New(errs.Denied, fmt.Sprintf("the key %s is not registered for %s", errs.Quote(a.ID), what), "the lead says for what: muster workspace signoff register")
}
