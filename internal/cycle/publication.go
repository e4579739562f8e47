package cycle

import (
	"strings"

	"muster/internal/errs"
)

// AskPublication asks, within a transaction of whoever keeps editions, for a second of
// the staff to approve one: name is the edition's, digest that of its file.
func (s *Service) AskPublication(tx Tx, who Person, id ID, name, digest string) (int64, error) {
	if err := who.staff("ask for an edition"); err != nil {
		return 0, err
	}
	if strings.ContainsAny(name, " \n") || !hexForm.MatchString(digest) {
		return 0, errs.New(errs.Invalid, errs.Quote(digest)+" is no digest of an edition", "")
	}
	if _, err := s.cycleOf(tx, who, id); err != nil {
		return 0, err
	}
	return s.askIn(tx, who, Request{Kind: Publishing, Cycle: id, Subject: name + " " + digest})
}

// Edition returns the name of the edition that a request is about, or "".
func (q Request) Edition() string {
	if q.Kind != Publishing {
		return ""
	}
	name, _, _ := strings.Cut(q.Subject, " ")
	return name
}
