package cycle

import (
	"context"
	"time"
)

// Store keeps what the coordinator keeps. Its methods may be called concurrently.
type Store interface {
	// InTx runs fn in one transaction. When it returns nil, everything that fn did is
	// durable; otherwise nothing of it happened. fn may run more than once, and
	// transactions follow each other as if they ran one by one.
	InTx(ctx context.Context, name string, fn func(Tx) error) error

	// View runs fn on what was there at one moment. fn may run more than once.
	View(ctx context.Context, name string, fn func(Reader) error) error
}

// Reader reads what is kept, within the function that it was given to. Of what is not
// there it returns false and no error.
type Reader interface {
	// Coalition returns the name, or "" before [Tx.Begin].
	Coalition() (string, error)

	// Parties returns everybody who ever belonged to the coalition, by id.
	Parties() ([]Party, error)
	Party(id PartyID) (Party, bool, error)

	// Keys returns the key of each party that counts now, by party.
	Keys() ([]Key, error)

	// Cycles returns all, the latest made first.
	Cycles() ([]Cycle, error)
	Cycle(id ID) (Cycle, bool, error)

	// Steps and Extensions return those of a cycle, by number.
	Steps(id ID) ([]Step, error)
	Extensions(id ID) ([]Extension, error)

	// Participations returns where each party of a cycle stands, by party; History how
	// one came there, by number.
	Participations(id ID) ([]Participation, error)
	History(id ID, party PartyID) ([]Participation, error)

	// Requests returns those that are open, by number; RequestsOf those of a cycle,
	// ended or not, by number.
	Requests() ([]Request, error)
	RequestsOf(id ID) ([]Request, error)
	Request(number int64) (Request, bool, error)

	// Questions returns those of a cycle, by number.
	Questions(id ID) ([]Question, error)
	Question(number int64) (Question, bool, error)

	// Contacts returns where people are written to, by person.
	Contacts() ([]Contact, error)

	// Sent reports whether a reminder was sent.
	Sent(r Sending) (bool, error)

	// Lines returns lines of the record from a number on, at most so many, by number;
	// Latest the last so many, the latest first.
	Lines(from int64, most int) ([]Line, error)
	Latest(most int) ([]Line, error)
}

// Tx reads and writes, within the function that it was given to. What a store keeps of
// steps, extensions, participations, approvals and lines is only ever added to: what
// has the same place as another is refused.
type Tx interface {
	Reader

	// Begin names the coalition, once.
	Begin(name string) error

	// PutParty, PutCycle and PutContact replace what has the same id.
	PutParty(p Party) error
	PutCycle(c Cycle) error
	PutContact(c Contact) error

	AddKey(k Key) error
	AddStep(s Step) error
	AddExtension(e Extension) error
	AddParticipation(p Participation) error

	// AddRequest adds one with the next number, which it returns; AddApproval one
	// person's word to it; EndRequest says how it ended, once.
	AddRequest(r Request) (int64, error)
	AddApproval(request int64, a Approval) error
	EndRequest(request int64, verdict Verdict, reason, by string, at time.Time) error

	// AddQuestion adds one with the next number, which it returns; PutAnswer answers
	// one, once.
	AddQuestion(q Question) (int64, error)
	PutAnswer(q Question) error

	AddSending(s Sending) error

	// AddLine adds the line with the next number.
	AddLine(l Line) error
}
