// Package cycle runs the year of a coalition as its coordinator keeps it: who takes
// part and with which key, where the cycle stands and why it moved, who owes what by
// when, what was asked and answered, and what two people have to want together.
//
//	service := cycle.New(cycle.Config{Store: db, Now: time.Now})
//	obstacles, err := service.Step(ctx, person, "2031", coalition.Consultation, "")
//	tasks, err := service.Tasks(ctx, person)
//
// It promises that a phase is left by a row of [coalition.Transitions] and past its
// guards alone; that a member's key counts when two people have each compared its
// words, that a cycle is cancelled by two, and released by coordinator and both hosts;
// that a party's status is all that is ever kept of its answers; that whoever reads an
// answer to a question does not learn who asked it; and that everything of this is in
// a record whose lines are chained, so that one that is changed or missing shows.
//
// What two people have to want is never asked and approved by one: who they are has
// been established before, by package account.
package cycle

import (
	"regexp"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// PartyID names a party for ever: what an address, a role and a file have in place of
// its name.
type PartyID string

// ID names a cycle, such as "2031", as its charter does.
type ID string

// Kind says whether a party is of the coalition.
type Kind string

// The kinds of parties.
const (
	Member  Kind = "member"
	Partner Kind = "partner" // a guest; a cohort of its own
)

// Party is a member or a partner.
type Party struct {
	ID    PartyID
	Name  coalition.MemberID // as the charter lists it
	Kind  Kind
	Added time.Time
	Left  time.Time // zero while it belongs to the coalition
}

// Key is a key that a party signs its receipts with, once two people have compared
// its words with the party. The one with the highest number counts.
type Key struct {
	Party   PartyID
	Number  int // from 1, without a gap
	Public  keys.Public
	At      time.Time
	Request int64 // by which it was enrolled
}

// Cycle is one year's review as the coordinator keeps it.
type Cycle struct {
	ID        ID
	Framework coalition.FrameworkRef
	Hosts     [2]PartyID // Leader and Helper; empty while they are not chosen
	Marking   string     // of the charter, "SYNTHETIC" or "REHEARSAL"; else empty
	Phase     coalition.Phase
	Made      time.Time
	Opens     time.Time // these three zero while they are not set
	Deadline  time.Time
	Wipe      time.Time
	Charter   string // hex SHA-256 of the charter that is adopted; empty until then
	Release   string // hex SHA-256 of the release that was approved; empty until then
}

// Step is one change of a cycle's phase.
type Step struct {
	Cycle    ID
	Number   int // from 1, without a gap
	From, To coalition.Phase
	Reason   string // empty where none is needed
	By       string // the name of who took it; of those who wanted it together, with a comma
	At       time.Time
}

// Extension is one change of a deadline after the charter was adopted. The charter
// never changes: a signed addendum says the same to the hosts.
type Extension struct {
	Cycle    ID
	Number   int // from 1, without a gap
	From, To time.Time
	Reason   string
	By       string
	At       time.Time
}

// Status is all that is kept of what a party does with its answers.
type Status string

// The statuses, in their order.
const (
	NotStarted Status = "not started"
	UnderWay   Status = "under way"
	SignedOff  Status = "signed off"
	Delivered  Status = "delivered"
	Declined   Status = "declined" // takes no part this year, which is a member's right
)

// Statuses returns all of them.
func Statuses() []Status { return []Status{NotStarted, UnderWay, SignedOff, Delivered, Declined} }

// Participation is a party's status in a cycle. The one with the highest number is
// where it stands; the others are how it came there.
type Participation struct {
	Cycle  ID
	Party  PartyID
	Number int // from 1, without a gap
	Status Status
	By     string
	At     time.Time
}

// Question is one that somebody asked about a cycle, and what everybody is told.
type Question struct {
	Number  int64
	Cycle   ID
	Asker   string // the id of the person; shown to nobody, by it she finds her own
	Text    string // as she wrote it: for who answers, and for her
	Asked   time.Time
	Wording string // as everybody reads it; empty until it is answered
	Answer  string
	By      string // who answered
	At      time.Time
}

// Answered reports whether everybody can read it.
func (q Question) Answered() bool { return !q.At.IsZero() }

// Limits of what is kept.
const (
	MaxParties   = 5_000
	MaxCycles    = 200
	MaxText      = 4_000 // characters of a question, an answer and a reason
	maxQuestions = 5_000 // of one cycle
)

var (
	partyForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)
	cycleForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,30}[A-Za-z0-9])?$`)
	hexForm   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// ParsePartyID returns text as the id of a party.
func ParsePartyID(text string) (PartyID, error) {
	if !partyForm.MatchString(text) {
		return "", errs.New(errs.Invalid, errs.Quote(text)+" is no id of a member or partner", "small letters, digits and hyphens between them, 32 at most, such as ostmere")
	}
	return PartyID(text), nil
}

// ParseID returns text as the id of a cycle.
func ParseID(text string) (ID, error) {
	if !cycleForm.MatchString(text) {
		return "", errs.New(errs.Invalid, errs.Quote(text)+" is no id of a cycle", "letters, digits, dots and hyphens, 32 at most, such as 2031")
	}
	return ID(text), nil
}
