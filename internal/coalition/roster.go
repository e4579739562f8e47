package coalition

import (
	"fmt"
	"slices"
	"strings"

	"muster/dap"
	"muster/internal/errs"
	"muster/internal/keys"
)

const rosterKind = "muster roster v1"

// Roster lists the submissions of a task that count: for each member its last
// one. Both hosts build it from their own receipts and sign the same bytes.
type Roster struct {
	Kind    string        `json:"kind"`
	Task    string        `json:"task_id"`
	Entries []RosterEntry `json:"entries"` // by member
}

// RosterEntry is one member's submission.
type RosterEntry struct {
	Member   MemberID `json:"member"`
	Report   string   `json:"report_id"`
	Sequence uint64   `json:"seq"`
	Receipt  string   `json:"receipt"` // hex SHA-256 of the receipt
}

// SignedRoster is a roster as it is kept: its canonical bytes and the note with
// both hosts' signatures.
type SignedRoster struct {
	Body      []byte
	Signature []byte
}

// NewRoster returns the roster of task with entries sorted by member.
func NewRoster(task dap.TaskID, entries []RosterEntry) Roster {
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b RosterEntry) int {
		return strings.Compare(string(a.Member), string(b.Member))
	})
	if sorted == nil {
		sorted = []RosterEntry{} // an empty list, not null, in JSON
	}
	return Roster{Kind: rosterKind, Task: task.String(), Entries: sorted}
}

// ParseRoster reads a roster of task and checks its form: members sorted and
// distinct, reports distinct.
func ParseRoster(body []byte, task dap.TaskID) (Roster, error) {
	var r Roster
	if err := keys.DecodeCanonical(body, &r); err != nil {
		return Roster{}, errs.Wrap(err, errs.Invalid, "the roster cannot be read", "")
	}
	if r.Kind != rosterKind || r.Task != task.String() {
		return Roster{}, errs.New(errs.Invalid, "the roster belongs to another task", "")
	}
	if r.Entries == nil {
		return Roster{}, errs.New(errs.Invalid, "the roster has no list", "")
	}
	reports := make(map[string]bool, len(r.Entries))
	for i, e := range r.Entries {
		if i > 0 && r.Entries[i-1].Member >= e.Member {
			return Roster{}, errs.New(errs.Invalid, fmt.Sprintf("the roster lists %s twice or out of order", e.Member), "")
		}
		if _, err := dap.ParseReportID(e.Report); err != nil || reports[e.Report] {
			return Roster{}, errs.New(errs.Invalid, fmt.Sprintf("the roster has a broken or repeated report id at %s", e.Member), "")
		}
		reports[e.Report] = true
		if e.Sequence == 0 || e.Sequence > maxSequence || !isDigest(e.Receipt) {
			return Roster{}, errs.New(errs.Invalid, fmt.Sprintf("the roster has a broken entry of %s", e.Member), "")
		}
	}
	return r, nil
}

// Open checks that both hosts signed the roster and reads it.
func (s SignedRoster) Open(task dap.TaskID, leader, helper keys.Public) (Roster, error) {
	if err := keys.Verify(keys.KindRoster, s.Body, s.Signature, leader, helper); err != nil {
		return Roster{}, err
	}
	return ParseRoster(s.Body, task)
}

// Digest returns SHA-256 of the roster's canonical bytes, in hex.
func (s SignedRoster) Digest() string { return keys.Digest(s.Body) }

// ByReport returns the entries by report id.
func (r Roster) ByReport() map[string]RosterEntry {
	m := make(map[string]RosterEntry, len(r.Entries))
	for _, e := range r.Entries {
		m[e.Report] = e
	}
	return m
}

// DiffRosters says in words where two hosts' lists differ, or "" if they agree.
func DiffRosters(a, b Roster, nameA, nameB string) string {
	byMember := func(r Roster) map[MemberID]RosterEntry {
		m := make(map[MemberID]RosterEntry, len(r.Entries))
		for _, e := range r.Entries {
			m[e.Member] = e
		}
		return m
	}
	inA, inB := byMember(a), byMember(b)
	var words []string
	for _, e := range a.Entries {
		if other, ok := inB[e.Member]; !ok {
			words = append(words, fmt.Sprintf("%s is missing at %s", e.Member, nameB))
		} else if other.Sequence != e.Sequence {
			words = append(words, fmt.Sprintf("%s has submission %d at %s and %d at %s", e.Member, e.Sequence, nameA, other.Sequence, nameB))
		} else if other != e {
			words = append(words, fmt.Sprintf("%s has two different submissions %d, one at %s and one at %s", e.Member, e.Sequence, nameA, nameB))
		}
	}
	for _, e := range b.Entries {
		if _, ok := inA[e.Member]; !ok {
			words = append(words, fmt.Sprintf("%s is missing at %s", e.Member, nameA))
		}
	}
	slices.Sort(words)
	return strings.Join(words, "; ")
}
