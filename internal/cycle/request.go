package cycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// RequestKind says what somebody asks for that nobody may do alone.
type RequestKind string

// The kinds of requests.
const (
	Enrolment    RequestKind = "enrol a key"
	Cancellation RequestKind = "cancel the cycle"
	Releasing    RequestKind = "release"
	Publishing   RequestKind = "publish an edition"
)

// Slot is one word that a request needs beside that of who asked.
type Slot struct {
	ID    string
	Role  Role
	Party PartyID // of the role; empty where it is limited to none
}

// slots is the table of who has to want what. Coordinator and both hosts release.
func (q Request) slots(c Cycle) []Slot {
	if q.Kind != Releasing {
		return []Slot{{ID: "second", Role: RoleCoordinator}}
	}
	return []Slot{{"leader", RoleEngineer, c.Hosts[0]}, {"helper", RoleEngineer, c.Hosts[1]}}
}

// Verdict is how a request ended.
type Verdict string

// The verdicts.
const (
	Open      Verdict = ""
	Approved  Verdict = "approved"
	Refused   Verdict = "refused"
	Withdrawn Verdict = "withdrawn"
)

// Request is something that a person asked for and others have to want as well.
type Request struct {
	Number  int64
	Kind    RequestKind
	Cycle   ID      // empty for an enrolment
	Party   PartyID // of an enrolment
	Subject string  // the key, the digest of the release, or an edition and the digest of its file
	Reason  string  // of a cancellation
	Asker   string  // the id of the person; empty for a command
	By      string  // her name
	At      time.Time

	Approvals []Approval
	Verdict   Verdict
	EndReason string // of a refusal
	EndBy     string
	Ended     time.Time
}

// Approval is one person's word to a request.
type Approval struct {
	Slot   string
	Person string // the id of her account
	By     string // her name
	At     time.Time
}

// AskEnrolment asks for a party's key to be enrolled. It counts once a second person
// has compared its words with the party.
func (s *Service) AskEnrolment(ctx context.Context, who Person, id PartyID, key keys.Public) (int64, error) {
	if err := who.staff("ask for a key to be enrolled"); err != nil {
		return 0, err
	}
	if err := key.Check(); err != nil {
		return 0, err
	}
	return s.ask(ctx, who, Request{Kind: Enrolment, Party: id, Subject: string(key)}, func(tx Tx) error {
		if _, err := partyOf(tx, id); err != nil {
			return err
		}
		return keyIsNew(tx, id, key)
	})
}

// keyIsNew refuses a key that is somebody else's, or counts already.
func keyIsNew(r Reader, id PartyID, key keys.Public) error {
	enrolled, err := r.Keys()
	if err != nil {
		return err
	}
	for _, k := range enrolled {
		switch {
		case !k.Public.Same(key):
		case k.Party == id:
			return errs.New(errs.Conflict, "this key of "+string(id)+" is enrolled already", "")
		default:
			return errs.New(errs.Conflict, "this key is that of "+string(k.Party), "each member and partner has one of its own")
		}
	}
	return nil
}

// AskCancellation asks for a cycle to be cancelled.
func (s *Service) AskCancellation(ctx context.Context, who Person, id ID, reason string) (int64, error) {
	if err := who.staff("ask for a cycle to be cancelled"); err != nil {
		return 0, err
	}
	if err := text("the reason", reason); err != nil {
		return 0, err
	}
	return s.ask(ctx, who, Request{Kind: Cancellation, Cycle: id, Reason: reason}, func(tx Tx) error {
		c, err := s.cycleOf(tx, who, id)
		if err != nil {
			return err
		}
		return coalition.Step(c.Phase, coalition.Cancelled, reason)
	})
}

// AskRelease asks both hosts to approve the release with a digest.
func (s *Service) AskRelease(ctx context.Context, who Person, id ID, digest string) (int64, error) {
	if err := who.staff("ask for a release"); err != nil {
		return 0, err
	}
	if !hexForm.MatchString(digest) {
		return 0, errs.New(errs.Invalid, errs.Quote(digest)+" is no digest of a release", "64 hexadecimal digits, as sha256sum release.json prints them")
	}
	return s.ask(ctx, who, Request{Kind: Releasing, Cycle: id, Subject: digest}, func(tx Tx) error {
		c, err := s.cycleOf(tx, who, id)
		if err != nil {
			return err
		}
		return coalition.Step(c.Phase, coalition.Released, "")
	})
}

func (s *Service) ask(ctx context.Context, who Person, q Request, guard func(Tx) error) (number int64, err error) {
	err = s.change(ctx, "ask", func(tx Tx) error {
		if err := guard(tx); err != nil {
			return err
		}
		number, err = s.askIn(tx, who, q)
		return err
	})
	return number, err
}

func (s *Service) askIn(tx Tx, who Person, q Request) (int64, error) {
	open, err := tx.Requests()
	if err != nil {
		return 0, err
	}
	for _, other := range open {
		if other.Kind == q.Kind && other.Cycle == q.Cycle && other.Party == q.Party && other.Edition() == q.Edition() {
			return 0, errs.New(errs.Conflict, fmt.Sprintf("the same was asked for by %s and waits for others", other.By), "withdraw that one first, if it is not to be")
		}
	}
	q.Asker, q.By, q.At = who.ID, who.Name, s.moment()
	if q.Number, err = tx.AddRequest(q); err != nil {
		return 0, err
	}
	return q.Number, s.write(tx, q.line(RequestMade, who.Name, q.Reason))
}

// line is a line about the request.
func (q Request) line(what What, by, more string) Line {
	detail := fmt.Sprintf("request %d: %s", q.Number, q.Kind)
	if q.Kind == Releasing || q.Kind == Publishing {
		detail += " " + q.Subject
	}
	if more != "" {
		detail += "; " + more
	}
	return Line{By: by, What: what, Cycle: q.Cycle, Party: q.Party, Detail: detail}
}

// MayApprove returns the slot that a person could fill. Nobody fills one of what she
// asked for, nor a second one, and a command fills none.
func (q Request) MayApprove(who Person, c Cycle) (Slot, bool) {
	if q.Verdict != Open || who.ID == "" || q.Asker == who.ID || q.Asker == "" && q.By == who.Name {
		return Slot{}, false
	}
	if slices.ContainsFunc(q.Approvals, func(a Approval) bool { return a.Person == who.ID }) {
		return Slot{}, false
	}
	for _, slot := range q.slots(c) {
		filled := slices.ContainsFunc(q.Approvals, func(a Approval) bool { return a.Slot == slot.ID })
		if !filled && (slot.Party == "" && who.Is(slot.Role) || slot.Party != "" && who.For(slot.Role, slot.Party)) {
			return slot, true
		}
	}
	return Slot{}, false
}

// Waiting returns the slots that are not filled.
func (q Request) Waiting(c Cycle) []Slot {
	if q.Verdict != Open {
		return nil
	}
	return slices.DeleteFunc(q.slots(c), func(slot Slot) bool {
		return slices.ContainsFunc(q.Approvals, func(a Approval) bool { return a.Slot == slot.ID })
	})
}

var errNoRequest = errs.New(errs.NotFound, "there is no such request", "")

// request returns a request with its cycle.
func request(r Reader, number int64) (Request, Cycle, error) {
	q, ok, err := r.Request(number)
	if err != nil || !ok {
		if err == nil {
			err = errNoRequest
		}
		return q, Cycle{}, err
	}
	if q.Cycle == "" {
		return q, Cycle{}, nil
	}
	c, ok, err := r.Cycle(q.Cycle)
	if err == nil && !ok {
		err = errNoCycle
	}
	return q, c, err
}

// Approve gives a person's word to a request. words are those of a key, as the party
// read them out to this person; of other requests they are empty. With the last word
// that is needed what was asked for happens, if it still can.
func (s *Service) Approve(ctx context.Context, who Person, number int64, words string) (Request, error) {
	var q Request
	err := s.change(ctx, "approve", func(tx Tx) error {
		var c Cycle
		var err error
		if q, c, err = request(tx, number); err != nil {
			return err
		}
		if q.Verdict != Open {
			return errs.New(errs.Conflict, "this request is "+string(q.Verdict)+" already", "")
		}
		slot, ok := q.MayApprove(who, c)
		if !ok {
			return errs.New(errs.Denied, "this waits for somebody else", "who asked cannot approve as well, and nobody approves twice")
		}
		if q.Kind == Enrolment {
			if err := sameWords(keys.Public(q.Subject), words); err != nil {
				return err
			}
		}
		a := Approval{Slot: slot.ID, Person: who.ID, By: who.Name, At: s.moment()}
		if err := tx.AddApproval(number, a); err != nil {
			return err
		}
		q.Approvals = append(q.Approvals, a)
		if err := s.write(tx, q.line(RequestApproved, who.Name, slot.ID)); err != nil {
			return err
		}
		if len(q.Waiting(c)) > 0 {
			return nil
		}
		if err := tx.EndRequest(number, Approved, "", who.Name, a.At); err != nil {
			return err
		}
		q.Verdict, q.EndBy, q.Ended = Approved, who.Name, a.At
		return s.happen(tx, q, c)
	})
	return q, err
}

// sameWords refuses words that are not those of the key.
func sameWords(key keys.Public, words string) error {
	got := strings.Fields(strings.ToLower(words))
	if !slices.Equal(got, keys.Words(key.Digest())) {
		return errs.New(errs.Invalid, "these are not the words of the key that was sent", "call the member by a number that you had before, and let it read the words of its key out again; if they differ, refuse the request")
	}
	return nil
}

// happen does what everybody who has to wants.
func (s *Service) happen(tx Tx, q Request, c Cycle) error {
	by := []string{q.By}
	for _, a := range q.Approvals {
		by = append(by, a.By)
	}
	together := strings.Join(by, ", ")
	switch q.Kind {
	case Enrolment:
		return s.enrol(tx, q, together)
	case Cancellation:
		return s.move(tx, c, coalition.Cancelled, q.Reason, together)
	case Publishing: // that it is approved is all: where an edition stands follows from it
		return nil
	default:
		c.Release = q.Subject
		return s.move(tx, c, coalition.Released, "", together)
	}
}

func (s *Service) enrol(tx Tx, q Request, by string) error {
	if _, err := partyOf(tx, q.Party); err != nil {
		return err
	}
	key := keys.Public(q.Subject)
	if err := keyIsNew(tx, q.Party, key); err != nil {
		return err
	}
	enrolled, err := tx.Keys()
	if err != nil {
		return err
	}
	number := 1
	for _, k := range enrolled {
		if k.Party == q.Party {
			number = k.Number + 1
		}
	}
	if err := tx.AddKey(Key{Party: q.Party, Number: number, Public: key, At: s.moment(), Request: q.Number}); err != nil {
		return err
	}
	return s.write(tx, Line{By: by, What: KeyEnrolled, Party: q.Party, Detail: q.Subject})
}

// Refuse ends a request. Whoever could approve may, with a reason; who asked withdraws.
func (s *Service) Refuse(ctx context.Context, who Person, number int64, reason string) error {
	return s.change(ctx, "refuse", func(tx Tx) error {
		q, c, err := request(tx, number)
		if err != nil {
			return err
		}
		if q.Verdict != Open {
			return errs.New(errs.Conflict, "this request is "+string(q.Verdict)+" already", "")
		}
		verdict, what := Refused, RequestRefused
		if q.Asker == who.ID && who.ID != "" || q.By == who.Name && who.Is(RoleCoordinator) {
			verdict, what = Withdrawn, RequestWithdrawn
		} else if _, ok := q.MayApprove(who, c); !ok {
			return errs.New(errs.Denied, "this waits for somebody else", "")
		} else if err := text("the reason", reason); err != nil {
			return err
		}
		if err := tx.EndRequest(number, verdict, reason, who.Name, s.moment()); err != nil {
			return err
		}
		return s.write(tx, q.line(what, who.Name, reason))
	})
}

// Asked is a request with what its reader can do about it.
type Asked struct {
	Request
	Waits []Slot // for these
	Mine  bool   // the reader may approve it
	Own   bool   // the reader asked for it
}

// Requests returns the open requests that concern a person: the staff and auditors
// all, an engineer those that wait for her host, by number.
func (s *Service) Requests(ctx context.Context, who Person) ([]Asked, error) {
	var list []Asked
	err := s.view(ctx, "list the requests", func(r Reader) error {
		sight, err := sightOf(r, who, s.moment())
		if err == nil {
			list, err = asked(r, sight)
		}
		return err
	})
	return list, err
}

func asked(r Reader, sight *sight) ([]Asked, error) {
	open, err := r.Requests()
	if err != nil {
		return nil, err
	}
	var list []Asked
	for _, q := range open {
		_, c, err := request(r, q.Number)
		if err != nil {
			return nil, err
		}
		if !sight.passes(q.subject(c)) {
			continue
		}
		who := sight.who
		_, mine := q.MayApprove(who, c)
		list = append(list, Asked{q, q.Waiting(c), mine, q.Asker == who.ID && who.ID != ""})
	}
	return list, nil
}
