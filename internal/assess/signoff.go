package assess

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/errs"
)

// Step is a place in the chain of sign-off that a member defines: the expert, the
// head, the minister, the council.
type Step struct {
	ID     string `json:"id"`
	Name   string `json:"name"`             // as pages and statements show it
	Signed bool   `json:"signed,omitempty"` // an approval without a signature does not count
	Again  bool   `json:"again,omitempty"`  // who has approved at an earlier step may approve here, too
}

// MaxSteps is how many steps a chain may have.
const MaxSteps = 10

// Decision is what somebody decided at a step of the chain.
type Decision struct {
	Step      string    `json:"step"`
	Digest    string    `json:"digest"` // hex SHA-256 of exactly what would be sealed
	Approved  bool      `json:"approved"`
	Reason    string    `json:"reason,omitempty"` // why it was returned
	By        string    `json:"by"`               // the name that the statement shows
	At        time.Time `json:"at"`
	Approval  *Approval `json:"approval,omitempty"`  // nil where nobody signed
	Signature []byte    `json:"signature,omitempty"` // of earlier versions, which checked none; it says nothing

	// Lapsed says that who signed is registered for the step no longer: the approval
	// does not count. It follows from who is registered and is not kept.
	Lapsed bool `json:"-"`
}

// Signed reports whether the decision has a signature that counts.
func (d Decision) Signed() bool { return d.Approval != nil && !d.Lapsed }

// Twice returns the step at which who decides has approved the same already, and whether
// that keeps her from approving at this one: one person approves at one step, unless the
// chain allows it.
func (s SignOff) Twice(d Decision) (Step, bool) {
	at := slices.IndexFunc(s.Chain, func(step Step) bool { return step.ID == d.Step })
	if at < 0 || s.Chain[at].Again {
		return Step{}, false
	}
	for i, earlier := range s.Standing(d.Digest) {
		if earlier.samePerson(d) {
			return s.Chain[i], true
		}
	}
	return Step{}, false
}

// samePerson reports whether two decisions are, for all that is known, by one person: by
// one name or one key.
func (d Decision) samePerson(other Decision) bool {
	if strings.EqualFold(strings.TrimSpace(d.By), strings.TrimSpace(other.By)) {
		return true
	}
	a, b := d.Approval, other.Approval
	return a != nil && b != nil && a.Kind == ApprovalKey && b.Kind == ApprovalKey && a.Key.Same(b.Key)
}

// counts reports whether an approval is one at that step.
func (d Decision) counts(step Step) bool {
	return d.Step == step.ID && !d.Lapsed && (!step.Signed || d.Signed())
}

// SignOff is a chain and everything that was decided, the earliest first. A
// decision holds for one digest: any change of what would be sealed has another,
// and voids it without anybody doing anything.
type SignOff struct {
	Chain     []Step
	Decisions []Decision
}

// Next returns the step whose turn it is for what has the digest, and false if
// all have approved or there is no chain. Steps approve in their order; who
// returns it sends it back to the first.
func (s SignOff) Next(digest string) (Step, bool) {
	next := s.approved(digest)
	if next == len(s.Chain) {
		return Step{}, false
	}
	return s.Chain[next], true
}

// approved returns how many steps, from the first, have approved what has the
// digest since it was last returned.
func (s SignOff) approved(digest string) int { return len(s.Standing(digest)) }

// Standing returns the approvals that count for what has the digest, in the order of
// the chain: those that were given since it was last returned.
func (s SignOff) Standing(digest string) []Decision {
	var all []Decision
	for _, d := range s.Decisions {
		switch {
		case d.Digest != digest:
		case !d.Approved:
			all = nil
		case len(all) < len(s.Chain) && d.counts(s.Chain[len(all)]):
			all = append(all, d)
		}
	}
	return all
}

// Returned returns the last decision on the digest if it was a return.
func (s SignOff) Returned(digest string) (Decision, bool) {
	for i := len(s.Decisions) - 1; i >= 0; i-- {
		if d := s.Decisions[i]; d.Digest == digest {
			return d, !d.Approved
		}
	}
	return Decision{}, false
}

// Decide checks a decision and returns the chain with it. It refuses, with kind
// Conflict, an approval by a step whose turn it is not, one without a signature where
// the step asks for it, one by a person who has approved at an earlier step, unless the
// step allows that, and a return by a step whose turn has not come: who has approved may
// still return it. A return without a reason is Invalid.
func (s SignOff) Decide(d Decision) (SignOff, error) {
	n := s.approved(d.Digest)
	at := slices.IndexFunc(s.Chain, func(step Step) bool { return step.ID == d.Step })
	switch {
	case at < 0:
		return s, errs.New(errs.Conflict, fmt.Sprintf("the chain has no step %s", errs.Quote(d.Step)), "")
	case at > n:
		return s, errs.New(errs.Conflict, fmt.Sprintf("it is %s's turn", errs.Quote(s.Chain[n].Name)), "the chain goes in its order")
	case !d.Approved && d.Reason == "":
		return s, errs.New(errs.Invalid, "a return needs a reason", "say what has to change")
	case d.Approved && at < n:
		return s, errs.New(errs.Conflict, "this step has approved this already", "")
	case d.Approved && !d.counts(s.Chain[at]):
		return s, errs.New(errs.Conflict, fmt.Sprintf("an approval by %s counts with a signature", errs.Quote(s.Chain[at].Name)), "sign it with the key file that is registered for the step: muster workspace approve --key FILE")
	}
	if step, twice := s.Twice(d); d.Approved && twice {
		return s, errs.New(errs.Conflict, fmt.Sprintf("%s has approved already, for %s", errs.Quote(d.By), errs.Quote(step.Name)),
			"one person approves at one step; whoever defines the chain may allow the same person at this step")
	}
	return SignOff{Chain: s.Chain, Decisions: append(slices.Clone(s.Decisions), d)}, nil
}

// Blocker returns what keeps what has the digest from being sealed.
func (s SignOff) Blocker(digest string) (Blocker, bool) {
	step, waiting := s.Next(digest)
	if !waiting {
		return Blocker{}, false
	}
	return Blocker{Kind: BlockerSignOff, Detail: step.Name}, true
}
