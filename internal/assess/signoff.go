package assess

import (
	"fmt"
	"time"

	"muster/internal/errs"
)

// Step is a place in the chain of sign-off that a member defines: the expert, the
// head, the minister, the council.
type Step struct {
	ID   string `json:"id"`
	Name string `json:"name"` // as pages and statements show it
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
	Signature []byte    `json:"signature,omitempty"` // over the statement, by key file or passkey; kept as it came
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
	next := 0
	for _, d := range s.Decisions {
		switch {
		case d.Digest != digest:
		case !d.Approved:
			next = 0
		case next < len(s.Chain) && s.Chain[next].ID == d.Step:
			next++
		}
	}
	if next == len(s.Chain) {
		return Step{}, false
	}
	return s.Chain[next], true
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
// Conflict, a step whose turn it is not, and, with kind Invalid, a return without
// a reason.
func (s SignOff) Decide(d Decision) (SignOff, error) {
	step, waiting := s.Next(d.Digest)
	switch {
	case !waiting:
		return s, errs.New(errs.Conflict, "everybody in the chain has approved this already", "")
	case step.ID != d.Step:
		return s, errs.New(errs.Conflict, fmt.Sprintf("it is %s's turn", errs.Quote(step.Name)), "the chain goes in its order")
	case !d.Approved && d.Reason == "":
		return s, errs.New(errs.Invalid, "a return needs a reason", "say what has to change")
	}
	decisions := append(append([]Decision{}, s.Decisions...), d)
	return SignOff{Chain: s.Chain, Decisions: decisions}, nil
}

// Blocker returns what keeps what has the digest from being sealed.
func (s SignOff) Blocker(digest string) (Blocker, bool) {
	step, waiting := s.Next(digest)
	if !waiting {
		return Blocker{}, false
	}
	return Blocker{Kind: BlockerSignOff, Detail: step.Name}, true
}
