package account

import (
	"context"
	"fmt"
	"time"
)

// Session is one browser of a person who has signed in.
type Session struct {
	Digest  string // of the token, which only the browser has
	Person  PersonID
	Began   time.Time
	Seen    time.Time // when it was last used, see [Service.Session]
	Expires time.Time // when it ends however much it is used
	Value   []byte    // what whoever serves pages keeps with it
}

// Lengths says how long sessions last.
type Lengths struct {
	Idle    time.Duration // without a request
	Longest time.Duration // at all
}

// touchEvery is how much later than what is kept a request has to be to be kept: a
// durable write for each page would cost more than it says.
const touchEvery = time.Minute

// Ended reports whether a session is over.
func (l Lengths) Ended(s Session, now time.Time) bool {
	return !now.Before(s.Expires) || now.Sub(s.Seen) >= l.Idle
}

// Begin keeps a session of a person who has just proved who she is. Sessions that
// have expired are forgotten meanwhile.
func (s *Service) Begin(ctx context.Context, session Session, lengths Lengths) error {
	return s.change(ctx, "begin a session", func(tx Tx) error {
		now := s.moment()
		if err := tx.ForgetSessions(now); err != nil {
			return err
		}
		p, ok, err := tx.Person(session.Person)
		if err != nil {
			return err
		}
		if !ok || !p.Active() {
			return errUnknown(errNotKnown)
		}
		session.Began, session.Seen, session.Expires = now, now, now.Add(lengths.Longest)
		return tx.PutSession(session)
	})
}

// Session returns a session that has not ended and notes that it was used. One that
// has ended is removed.
func (s *Service) Session(ctx context.Context, digest string, lengths Lengths) (Session, bool, error) {
	var found Session
	var there bool
	err := s.view(ctx, "find a session", func(r Reader) (err error) {
		found, there, err = r.Session(digest)
		return err
	})
	if err != nil || !there {
		return Session{}, false, err
	}
	now := s.moment()
	switch {
	case lengths.Ended(found, now):
		return Session{}, false, s.change(ctx, "end a session", func(tx Tx) error { return tx.EndSession(digest) })
	case now.Sub(found.Seen) >= min(touchEvery, lengths.Idle/4):
		// It is changed only if it is still there: who signed out meanwhile stays so.
		err = s.change(ctx, "note that a session is used", func(tx Tx) error { return tx.TouchSession(digest, now) })
	}
	return found, err == nil, err
}

// End ends one session.
func (s *Service) End(ctx context.Context, digest string) error {
	return s.change(ctx, "end a session", func(tx Tx) error { return tx.EndSession(digest) })
}

// SignOut ends one session of a person, and says so.
func (s *Service) SignOut(ctx context.Context, p Person, source string) error {
	return s.change(ctx, "sign out", func(tx Tx) error {
		return tx.AddEvent(Event{At: s.moment(), What: SignedOut, By: p.Name, Person: p.Name, Source: source})
	})
}

// SignOutEverywhere ends every session of a person.
func (s *Service) SignOutEverywhere(ctx context.Context, by string, id PersonID) (int, error) {
	n := 0
	err := s.change(ctx, "sign out everywhere", func(tx Tx) error {
		p, ok, err := tx.Person(id)
		if err != nil || !ok {
			return err
		}
		if n, err = tx.EndSessions(id); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: s.moment(), What: SignedOutAll, By: by, Person: p.Name, Detail: fmt.Sprint(n)})
	})
	return n, err
}

// SignOutNamed is [Service.SignOutEverywhere] by name.
func (s *Service) SignOutNamed(ctx context.Context, by, name string) (int, error) {
	var p Person
	err := s.view(ctx, "find a person", func(r Reader) (err error) {
		p, err = active(r, name)
		return err
	})
	if err != nil {
		return 0, err
	}
	return s.SignOutEverywhere(ctx, by, p.ID)
}
