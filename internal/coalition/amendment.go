package coalition

import (
	"fmt"
	"slices"
	"strings"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

const amendmentKind = "muster amendment v1"

// Amendment strikes submissions from a frozen roster because they were not
// accepted: what was sent cannot be added up. It says so of the submission and
// not of the member. Both hosts sign it before anything is collected.
type Amendment struct {
	Kind     string   `json:"kind"`
	Task     string   `json:"task_id"`
	Roster   string   `json:"roster"`   // hex SHA-256 of the roster
	Number   int      `json:"number"`   // from 1
	Previous string   `json:"previous"` // hex SHA-256 of the amendment before, or empty
	Struck   []Strike `json:"struck"`   // by member
}

// Strike is one submission that was not accepted.
type Strike struct {
	Member MemberID `json:"member"`
	Report string   `json:"report_id"`
	Reason string   `json:"reason"` // DAP's name of the error
}

// SignedAmendment is an amendment as it is kept: its canonical bytes and the
// note with both hosts' signatures.
type SignedAmendment struct {
	Body      []byte
	Signature []byte
}

// NewAmendment returns the amendment that follows earlier ones to a roster.
func NewAmendment(task dap.TaskID, roster SignedRoster, earlier []SignedAmendment, struck []Strike) Amendment {
	a := Amendment{Kind: amendmentKind, Task: task.String(), Roster: roster.Digest(), Number: len(earlier) + 1}
	if n := len(earlier); n > 0 {
		a.Previous = earlier[n-1].Digest()
	}
	a.Struck = slices.SortedFunc(slices.Values(struck), func(a, b Strike) int {
		return strings.Compare(string(a.Member), string(b.Member))
	})
	return a
}

// Digest returns SHA-256 of the amendment's canonical bytes, in hex.
func (s SignedAmendment) Digest() string { return keys.Digest(s.Body) }

// ParseAmendment reads the amendment that follows earlier ones to a roster, and
// checks that it strikes what is still on it.
func ParseAmendment(body []byte, task dap.TaskID, roster SignedRoster, earlier []SignedAmendment) (Amendment, error) {
	var a Amendment
	if err := keys.DecodeCanonical(body, &a); err != nil {
		return Amendment{}, errs.Wrap(err, errs.Invalid, "the amendment cannot be read", "")
	}
	if want := NewAmendment(task, roster, earlier, a.Struck); !sameAmendment(a, want) {
		return Amendment{}, errs.New(errs.Invalid, "the amendment does not follow from the roster and the amendments before it", "")
	}
	for _, strike := range a.Struck {
		if _, err := dap.ParseReportError(strike.Reason); err != nil {
			return Amendment{}, errs.Wrap(err, errs.Invalid, "the amendment gives "+errs.Quote(strike.Reason)+" as reason", "a reason is DAP's name of a report error")
		}
	}
	if len(a.Struck) == 0 {
		return Amendment{}, errs.New(errs.Invalid, "the amendment strikes nothing", "")
	}
	return a, nil
}

func sameAmendment(a, b Amendment) bool {
	return a.Kind == b.Kind && a.Task == b.Task && a.Roster == b.Roster && a.Number == b.Number && a.Previous == b.Previous &&
		slices.Equal(a.Struck, b.Struck)
}

// Amend returns the roster without what was struck. Every strike must name an
// entry that the roster still has.
func (r Roster) Amend(a Amendment) (Roster, error) {
	left := slices.Clone(r.Entries)
	for _, s := range a.Struck {
		i := slices.IndexFunc(left, func(e RosterEntry) bool { return e.Member == s.Member && e.Report == s.Report })
		if i < 0 {
			return Roster{}, errs.New(errs.Invalid, fmt.Sprintf("the amendment strikes a submission of %s that the roster does not list", s.Member), "")
		}
		left = slices.Delete(left, i, i+1)
	}
	r.Entries = left
	return r, nil
}

// FrozenRoster is a roster with all its amendments: what counts.
type FrozenRoster struct {
	Roster     SignedRoster
	Amendments []SignedAmendment // in order
}

// Open checks both hosts' signatures on the roster and on every amendment and
// returns what is left on the roster.
func (f FrozenRoster) Open(task dap.TaskID, leader, helper keys.Public) (Roster, error) {
	roster, err := f.Roster.Open(task, leader, helper)
	if err != nil {
		return Roster{}, err
	}
	for i, signed := range f.Amendments {
		if err := keys.Verify(keys.KindAmendment, signed.Body, signed.Signature, leader, helper); err != nil {
			return Roster{}, err
		}
		a, err := ParseAmendment(signed.Body, task, f.Roster, f.Amendments[:i])
		if err != nil {
			return Roster{}, err
		}
		if roster, err = roster.Amend(a); err != nil {
			return Roster{}, err
		}
	}
	return roster, nil
}

// Digest names the frozen roster: that of its last amendment, or of the roster
// itself if there is none.
func (f FrozenRoster) Digest() string {
	if n := len(f.Amendments); n > 0 {
		return f.Amendments[n-1].Digest()
	}
	return f.Roster.Digest()
}
