package coalition

import (
	"fmt"
	"strings"
	"time"

	"muster/internal/errs"
	"muster/internal/keys"
)

const addendumKind = "muster addendum v1"

// maxReason is the longest reason of an addendum, in bytes.
const maxReason = 2000

// Addendum postpones a cycle's deadline. It lies beside the charter, whose
// digest never changes, and is signed by the same three. The task interval
// covers the whole cycle, so nothing that members seal depends on it.
type Addendum struct {
	Kind     string `json:"kind"`
	Charter  string `json:"charter"`  // hex SHA-256
	Number   int    `json:"number"`   // from 1
	Previous string `json:"previous"` // hex SHA-256 of the addendum before, or empty
	Deadline int64  `json:"deadline"` // seconds since 1970, later than the one before
	Reason   string `json:"reason"`   // for members to read; entered in the record
}

// SignedAddendum is an addendum as it is kept: its canonical bytes and the note
// with the signatures of coordinator and hosts.
type SignedAddendum struct {
	Body      []byte
	Signature []byte
}

// Digest returns SHA-256 of the addendum's canonical bytes, in hex.
func (s SignedAddendum) Digest() string { return keys.Digest(s.Body) }

// Digest returns SHA-256 of the charter's canonical bytes, in hex.
func (c Charter) Digest() (string, error) {
	body, err := keys.Canonical(c)
	return SignedCharter{Body: body}.Digest(), err
}

// Postpone returns the addendum that follows earlier ones and moves the
// deadline.
func (c Charter) Postpone(earlier []SignedAddendum, deadline time.Time, reason string) (Addendum, error) {
	digest, err := c.Digest()
	if err != nil {
		return Addendum{}, err
	}
	a := Addendum{Kind: addendumKind, Charter: digest, Number: len(earlier) + 1, Deadline: deadline.Unix(), Reason: reason}
	if n := len(earlier); n > 0 {
		a.Previous = earlier[n-1].Digest()
	}
	last, err := c.DeadlineAfter(earlier)
	if err != nil {
		return Addendum{}, err
	}
	return a, c.checkAddendum(a, last)
}

// Sign returns the addendum with the signatures of all three.
func (a Addendum) Sign(coordinator, leader, helper *keys.Signer) (SignedAddendum, error) {
	body, err := keys.Canonical(a)
	if err != nil {
		return SignedAddendum{}, err
	}
	sig, err := keys.Sign(keys.KindAddendum, body, coordinator, leader, helper)
	return SignedAddendum{Body: body, Signature: sig}, err
}

// Propose checks the addendum against the charter and returns it with the
// coordinator's signature alone: the hosts sign what they have read.
func (a Addendum) Propose(c Charter, coordinator *keys.Signer) (SignedAddendum, error) {
	if coordinator.Public() != c.Coordinator.Key {
		return SignedAddendum{}, errs.New(errs.Invalid, "this key is not the charter's coordinator", "")
	}
	body, err := keys.Canonical(a)
	if err != nil {
		return SignedAddendum{}, err
	}
	sig, err := keys.Sign(keys.KindAddendum, body, coordinator)
	if err != nil {
		return SignedAddendum{}, err
	}
	signed := SignedAddendum{Body: body, Signature: sig}
	_, err = signed.Read(c)
	return signed, err
}

// maxAddendumSize bounds an addendum: a reason, every character of it escaped,
// and a few short fields.
const maxAddendumSize = 16 << 10

// Read reads an addendum whoever has signed it, and checks what can be said of
// it without the addenda before it. It is for those who are still to sign, and
// for showing; whoever acts on addenda calls [Charter.DeadlineAfter].
func (s SignedAddendum) Read(c Charter) (Addendum, error) {
	if len(s.Body) > maxAddendumSize {
		return Addendum{}, errs.New(errs.Invalid, fmt.Sprintf("the addendum has %d bytes", len(s.Body)), "")
	}
	var a Addendum
	if err := keys.DecodeCanonical(s.Body, &a); err != nil {
		return Addendum{}, errs.Wrap(err, errs.Invalid, "the addendum cannot be read", "ask the sender for the file and its .sig again, unchanged")
	}
	digest, err := c.Digest()
	if err != nil {
		return Addendum{}, err
	}
	switch {
	case a.Kind != addendumKind:
		return Addendum{}, errs.New(errs.Invalid, "the addendum is of kind "+errs.Quote(a.Kind), "")
	case a.Charter != digest:
		return Addendum{}, errs.New(errs.Invalid, "the addendum belongs to another charter, with the digest "+errs.Quote(a.Charter), "give the charter that it postpones")
	case a.Number < 1 || (a.Number > 1) != isDigest(a.Previous) || (a.Number == 1) != (a.Previous == ""):
		return Addendum{}, errs.New(errs.Invalid, fmt.Sprintf("the addendum has the number %d and names %s before it", a.Number, errs.Quote(a.Previous)), "")
	}
	return a, c.checkAddendum(a, time.Unix(c.Deadline, 0))
}

// Signatories returns the three who sign the addendum to c and whether each has.
// It refuses as [SignedCharter.Signatories] does.
func (s SignedAddendum) Signatories(c Charter) ([]Signatory, error) {
	if _, err := s.Read(c); err != nil {
		return nil, err
	}
	return c.signatories(keys.KindAddendum, s.Body, s.Signature)
}

// Approve adds the signature of one of the three, or returns the addendum as it
// is if that is there.
func (s SignedAddendum) Approve(c Charter, signer *keys.Signer) (SignedAddendum, error) {
	list, err := s.Signatories(c)
	if err != nil {
		return SignedAddendum{}, err
	}
	s.Signature, err = approve(keys.KindAddendum, s.Body, s.Signature, list, signer)
	return s, err
}

// Join returns the addendum with the signatures of both notes.
func (s SignedAddendum) Join(c Charter, signature []byte) (SignedAddendum, error) {
	if _, err := (SignedAddendum{Body: s.Body, Signature: signature}).Signatories(c); err != nil {
		return SignedAddendum{}, err
	}
	joined, err := keys.Join(keys.KindAddendum, s.Body, s.Signature, signature)
	if err != nil {
		return SignedAddendum{}, err
	}
	s.Signature = joined
	_, err = s.Signatories(c)
	return s, err
}

// DeadlineAfter checks a cycle's addenda, in order, and returns the deadline
// that is in force.
func (c Charter) DeadlineAfter(addenda []SignedAddendum) (time.Time, error) {
	deadline := time.Unix(c.Deadline, 0)
	for i, signed := range addenda {
		if err := keys.Verify(keys.KindAddendum, signed.Body, signed.Signature, c.Coordinator.Key, c.Leader.Key, c.Helper.Key); err != nil {
			return time.Time{}, err
		}
		var a Addendum
		if err := keys.DecodeCanonical(signed.Body, &a); err != nil {
			return time.Time{}, errs.Wrap(err, errs.Invalid, "the addendum cannot be read", "")
		}
		digest, err := c.Digest()
		if err != nil {
			return time.Time{}, err
		}
		previous := ""
		if i > 0 {
			previous = addenda[i-1].Digest()
		}
		if a.Kind != addendumKind || a.Charter != digest || a.Number != i+1 || a.Previous != previous {
			return time.Time{}, errs.New(errs.Invalid, "the addendum does not follow from the charter and the addenda before it", "")
		}
		if err := c.checkAddendum(a, deadline); err != nil {
			return time.Time{}, err
		}
		deadline = time.Unix(a.Deadline, 0)
	}
	return deadline, nil
}

func (c Charter) checkAddendum(a Addendum, last time.Time) error {
	switch {
	case a.Deadline <= last.Unix():
		return errs.New(errs.Invalid, "a postponement moves the deadline to a later time than "+last.UTC().Format(time.RFC3339), "")
	case a.Deadline >= c.Wipe:
		return errs.New(errs.Invalid, "the deadline would come after the wipe, "+time.Unix(c.Wipe, 0).UTC().Format(time.RFC3339),
			"cancel the cycle and adopt a new charter")
	case strings.TrimSpace(a.Reason) == "" || len(a.Reason) > maxReason:
		return errs.New(errs.Invalid, fmt.Sprintf("a postponement has a reason of at most %d bytes", maxReason), "")
	case strings.ContainsFunc(a.Reason, func(r rune) bool { return r != '\n' && unseen(r) }):
		return errs.New(errs.Invalid, "the reason of the postponement holds a control, direction or invisible character", "")
	}
	return nil
}
