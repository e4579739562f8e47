package workspace

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
)

// The versions of [Statement]. The first one had neither a salt nor what it is sealed
// under; surveys that were loaded when there was no other keep it.
const (
	StatementFormat   = "muster-statement/2"
	StatementFormatV1 = "muster-statement/1"
)

// saltSize is how many random bytes a salt has.
const saltSize = 32

// Statement is exactly what will be sealed, and to whom. Its digest is over its
// canonical JSON ([keys.Canonical]): whatever would change the sealed measurement, or
// who gets its halves, changes it, and so voids what was signed off. Notes and names are
// not in it.
type Statement struct {
	Format string `json:"format"`

	// Salt is random, of the survey, and in hex. Whoever has the digest and not the salt
	// cannot try out answers; so it is kept with the answers and nowhere else.
	Salt string `json:"salt,omitempty"`

	Member    coalition.MemberID       `json:"member"`
	Cycle     string                   `json:"cycle"`
	Framework framework.Ref            `json:"framework"`
	Under     *Under                   `json:"under,omitempty"` // nil where no charter was loaded
	Answers   map[string]assess.Answer `json:"answers"`
	Before    map[string]assess.Answer `json:"before,omitempty"` // of the cycle before, for the change
}

// Under is what a survey is sealed under: of its charter what says who gets the halves
// and which sums they enter. A postponement changes nothing of it.
type Under struct {
	Charter  string             `json:"charter"` // hex SHA-256
	Tasks    []UnderTask        `json:"tasks"`   // of the cohorts that list the member
	Leader   coalition.MemberID `json:"leader"`  // the two hosts
	Helper   coalition.MemberID `json:"helper"`
	Deadline int64              `json:"deadline"` // of the charter, seconds since 1970
}

// UnderTask is a cohort that lists the member, and its task.
type UnderTask struct {
	Cohort string `json:"cohort"`
	Task   string `json:"task"` // base64url
}

// Digest returns hex SHA-256 of the statement's canonical JSON.
func (s Statement) Digest() (string, error) {
	body, err := keys.Canonical(s)
	return keys.Digest(body), err
}

// statementFormat returns the version of the survey's statements.
func (l loaded) statementFormat() string {
	if l.Salt == "" {
		return StatementFormatV1
	}
	return StatementFormat
}

// salted gives a survey its salt if it has none.
func (s *Service) salted(l loaded) (loaded, error) {
	if l.Salt != "" {
		return l, nil
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(s.rand, salt); err != nil {
		return l, fmt.Errorf("draw a salt: %w", err)
	}
	l.Salt = hex.EncodeToString(salt)
	return l, nil
}

// sum computes digest and sign-off of what the statement says.
func (s *Sealable) sum() error {
	var err error
	if s.Digest, err = s.statement.Digest(); err != nil {
		return err
	}
	s.Blockers = slices.DeleteFunc(s.Blockers, func(b assess.Blocker) bool { return b.Kind == assess.BlockerSignOff })
	if b, blocked := s.signOff.Blocker(s.Digest); blocked {
		s.Blockers = append(s.Blockers, b)
	}
	return nil
}

// printable refuses a file of which a terminal would obey a text instead of showing it,
// or show a text in another order: who signs has to see what she signs. Its error quotes
// nothing of it.
func printable(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return errs.New(errs.Invalid, "the file is no JSON", "")
	}
	if allPrintable(value, "") {
		return nil
	}
	return errs.New(errs.Invalid, "the file holds characters that cannot be printed", "ask the lead for the file again; do not sign it")
}

// allPrintable looks at every text of a value, keys included. What somebody wrote has
// lines; what stands in a line of its own when it is shown has none.
func allPrintable(value any, key string) bool {
	switch v := value.(type) {
	case string:
		written := key == "seen" || key == "found" || key == "reply"
		return v == "" || framework.ReadableLine(v) || written && framework.Readable(v)
	case []any:
		return !slices.ContainsFunc(v, func(one any) bool { return !allPrintable(one, key) })
	case map[string]any:
		for name, one := range v {
			if !framework.ReadableLine(name) || !allPrintable(one, name) {
				return false
			}
		}
	}
	return true
}

// Under returns what it would be sealed under, nil where no charter was loaded.
func (s Sealable) Under() *Under { return s.statement.Under }

// Approved returns how many approvals stand for what would be sealed now.
func (s Sealable) Approved() int { return len(s.signOff.Standing(s.Digest)) }

// Adopting returns it as it would be if the charter were loaded: for a dry run.
func (s Sealable) Adopting(signed coalition.SignedCharter) (Sealable, error) {
	charter, err := signed.Open()
	if err != nil || s.statement.Format == StatementFormatV1 {
		return s, err
	}
	s.statement.Under = newUnder(charter, signed.Digest(), s.statement.Member)
	s.Blockers = slices.Clone(s.Blockers)
	err = s.sum()
	return s, err
}

func newUnder(c coalition.Charter, digest string, member coalition.MemberID) *Under {
	u := &Under{Charter: digest, Tasks: []UnderTask{}, Leader: c.Leader.Member, Helper: c.Helper.Member, Deadline: c.Deadline}
	for _, cohort := range c.Cohorts {
		if slices.ContainsFunc(cohort.Members, func(m coalition.Member) bool { return m.ID == member }) {
			u.Tasks = append(u.Tasks, UnderTask{Cohort: cohort.ID, Task: cohort.Task.ID})
		}
	}
	return u
}

// under returns what a survey is sealed under, read once for each charter.
func (s *Service) under(r Reader, is survey, member coalition.MemberID) (*Under, error) {
	if is.Charter == "" || is.statementFormat() == StatementFormatV1 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.unders[is.Charter]; u != nil {
		return u, nil
	}
	kept, err := charterOf(r, is.id)
	if err != nil {
		return nil, err
	}
	signed := kept.signed()
	charter, err := signed.Open()
	if err != nil {
		return nil, err
	}
	if signed.Digest() != is.Charter {
		return nil, fmt.Errorf("the charter %s that is kept has another digest", is.Charter)
	}
	u := newUnder(charter, is.Charter, member)
	s.unders[is.Charter] = u
	return u, nil
}

// charterOf returns the charter of a survey. It is NotFound if none was loaded.
func charterOf(r Reader, id SurveyID) (keptCharter, error) {
	kept, _, err := get[keptCharter](r, charterKey(id))
	if errors.Is(err, errNone) {
		return kept, errs.New(errs.NotFound, fmt.Sprintf("the survey %s has no charter yet", errs.Quote(string(id))), "load it again with the charter when the coordinator has sent it")
	}
	return kept, err
}
