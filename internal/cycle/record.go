package cycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"muster/internal/audience"
	"muster/internal/errs"
	"muster/internal/keys"
)

// What says what happened.
type What string

// What happens. They are in every record and do not change.
const (
	Founded          What = "founded"
	PartyAdded       What = "party added"
	PartyLeft        What = "party left"
	KeyEnrolled      What = "key enrolled"
	CycleMade        What = "cycle made"
	CyclePlanned     What = "cycle planned" // framework, hosts or dates
	PartyInvited     What = "party invited"
	CharterSet       What = "charter adopted"
	PhaseChanged     What = "phase changed"
	DeadlineMoved    What = "deadline moved"
	StatusSet        What = "status"
	RequestMade      What = "asked"
	RequestApproved  What = "approved"
	RequestRefused   What = "refused"
	RequestWithdrawn What = "withdrawn"
	QuestionAsked    What = "question asked"
	QuestionAnswered What = "question answered"
	ReminderSent     What = "reminded"
	ContactSet       What = "address kept"
	ReleaseKept      What = "release kept"
	EditionWritten   What = "edition written"
	EditionSilent    What = "edition under silence"
	EditionAdopted   What = "edition adopted"
	EditionReopened  What = "edition reopened"
	EditionPublished What = "edition published"
	EditionWithdrawn What = "edition withdrawn"
	BackedUp         What = "backup written"
	Restored         What = "restored"
)

// open reports whether everybody who sees a cycle may read a line about it.
func (w What) open() bool {
	return slices.Contains([]What{CycleMade, CharterSet, PhaseChanged, DeadlineMoved, QuestionAnswered}, w)
}

// Line is one line of the record.
type Line struct {
	Number int64 // from 1, without a gap
	At     time.Time
	By     string // the name of who did it; empty where that is not to be known
	What   What
	Cycle  ID      // empty where it is about none
	Party  PartyID // empty where it is about none
	Detail string
	Digest string // hex SHA-256 of the line before and this one
}

// chain is what a line's digest is of.
type chain struct {
	Before string  `json:"before"`
	Number int64   `json:"number"`
	At     int64   `json:"at"` // microseconds since 1970
	By     string  `json:"by"`
	What   What    `json:"what"`
	Cycle  ID      `json:"cycle"`
	Party  PartyID `json:"party"`
	Detail string  `json:"detail"`
}

func (l Line) digest(before string) (string, error) {
	body, err := keys.Canonical(chain{before, l.Number, l.At.UnixMicro(), l.By, l.What, l.Cycle, l.Party, l.Detail})
	return keys.Digest(body), err
}

// MaxLines is how many lines are read at once.
const MaxLines = 1_000

// Write adds a line to the record: its number and its place in the chain are given to
// it. It is for whoever keeps more than this package does in the same transaction.
func (s *Service) Write(tx Tx, l Line) error { return s.write(tx, l) }

// write adds a line to the record.
func (s *Service) write(tx Tx, l Line) error {
	last, err := tx.Latest(1)
	if err != nil {
		return err
	}
	before := ""
	l.Number = 1
	if len(last) > 0 {
		before, l.Number = last[0].Digest, last[0].Number+1
	}
	if l.At.IsZero() {
		l.At = s.moment()
	}
	if l.Digest, err = l.digest(before); err != nil {
		return err
	}
	return tx.AddLine(l)
}

// Record returns the latest lines that a person may read, at most so many, the latest
// first: the staff and auditors all, everybody else what is open of the cycles that
// she sees, and what is about her own party.
func (s *Service) Record(ctx context.Context, who Person, most int) ([]Line, error) {
	var lines []Line
	err := s.view(ctx, "read the record", func(r Reader) error {
		read := MaxLines
		if who.SeesAll() { // and nothing is left out
			read = most
		}
		all, err := r.Latest(read)
		if err != nil {
			return err
		}
		var seen map[ID]audience.Subject
		if !who.SeesAll() { // to whom every line is of her work
			if seen, err = subjects(r); err != nil {
				return err
			}
		}
		sight, err := sightOf(r, who, s.moment())
		if err != nil {
			return err
		}
		lines = nil
		for _, l := range all {
			if len(lines) == most {
				break
			}
			if sight.passes(l.subject(seen)) {
				lines = append(lines, l)
			}
		}
		return nil
	})
	return lines, err
}

// subjects returns the cycles as what is asked about.
func subjects(r Reader) (map[ID]audience.Subject, error) {
	cycles, err := r.Cycles()
	if err != nil {
		return nil, err
	}
	seen := make(map[ID]audience.Subject, len(cycles))
	for _, c := range cycles {
		board, err := r.Participations(c.ID)
		if err != nil {
			return nil, err
		}
		seen[c.ID] = c.subject(board)
	}
	return seen, nil
}

func standing(board []Participation, party PartyID) (Participation, bool) {
	for _, p := range board {
		if p.Party == party {
			return p, true
		}
	}
	return Participation{}, false
}

// CheckRecord reads the whole record and refuses, with kind Conflict, one whose lines
// do not follow from each other. It returns how many there are and the last digest:
// who wrote that down elsewhere can tell whether the record was cut.
func (s *Service) CheckRecord(ctx context.Context, who Person) (n int64, last string, err error) {
	if !who.SeesAll() {
		return 0, "", errs.New(errs.Denied, "you may not check the record", "")
	}
	err = s.view(ctx, "check the record", func(r Reader) error {
		n, last = 0, ""
		for {
			lines, err := r.Lines(n+1, MaxLines)
			if err != nil || len(lines) == 0 {
				return err
			}
			for _, l := range lines {
				want, err := l.digest(last)
				if err != nil {
					return err
				}
				if l.Number != n+1 || l.Digest != want {
					return errs.New(errs.Conflict, fmt.Sprintf("line %d of the record does not follow from the one before it", n+1), "somebody changed the database past this program; compare it with a backup")
				}
				n, last = l.Number, l.Digest
			}
		}
	})
	return n, last, err
}
