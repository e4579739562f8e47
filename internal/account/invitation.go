package account

import (
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// How long an invitation is good, unless somebody says otherwise, and at most.
const (
	DefaultValid = 7 * 24 * time.Hour
	MaxValid     = 30 * 24 * time.Hour
)

// Invitation lets a person in once.
type Invitation struct {
	Digest   string // hex SHA-256 of the token
	Person   PersonID
	Made     time.Time
	By       string // who made it
	Expires  time.Time
	Recovery bool      // made for somebody who had joined before
	Used     time.Time // zero if it was not
	Void     time.Time // zero unless it was taken back
}

// good reports whether the invitation still lets somebody in.
func (i Invitation) good(now time.Time) bool {
	return i.Used.IsZero() && i.Void.IsZero() && now.Before(i.Expires)
}

// Invitee is who is invited, as what, and for how long the invitation is good: zero
// is [DefaultValid].
type Invitee struct {
	Name   string
	Grants []Grant
	Valid  time.Duration
}

// Invite adds a person and returns the token of her invitation, which nobody is told
// again. It is a Conflict if there is somebody of that name, or was.
func (s *Service) Invite(ctx context.Context, by string, who Invitee) (token string, err error) {
	if who.Name, err = checkName(who.Name); err != nil {
		return "", err
	}
	if err := s.checkGrants(who.Grants); err != nil {
		return "", err
	}
	id, err := s.newID()
	if err != nil {
		return "", err
	}
	if token, err = s.token(); err != nil {
		return "", err
	}
	now := s.moment()
	invitation, err := invite(token, id, by, now, who.Valid)
	if err != nil {
		return "", err
	}
	return token, s.change(ctx, "invite a person", func(tx Tx) error {
		people, err := tx.People()
		if err != nil {
			return err
		}
		for _, p := range people {
			switch {
			case coalition.Fold(p.Name) != coalition.Fold(who.Name):
			case p.Active():
				return errs.New(errs.Conflict, errs.Quote(p.Name)+" was invited already", "if the invitation is lost or has expired: "+s.command+" person recover")
			default:
				return errs.New(errs.Conflict, errs.Quote(p.Name)+" was here before and was removed", "what a person did stays under her name; invite under another one")
			}
		}
		if len(people) >= MaxPeople {
			return errs.New(errs.Invalid, fmt.Sprintf("%d people are kept, and no more are", len(people)), "")
		}
		if err := tx.PutPerson(Person{ID: id, Name: who.Name, Grants: who.Grants, Added: now}); err != nil {
			return err
		}
		if err := tx.PutInvitation(invitation); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: now, What: Invited, By: by, Person: who.Name, Detail: grantsText(who.Grants)})
	})
}

// Recover takes from a person everything that she signed in with, ends her sessions,
// and returns the token of a new invitation. It is for whoever runs the machine: there
// is no other way back in.
func (s *Service) Recover(ctx context.Context, by, name string, valid time.Duration) (token string, err error) {
	if token, err = s.token(); err != nil {
		return "", err
	}
	now := s.moment()
	return token, s.change(ctx, "recover a person", func(tx Tx) error {
		p, err := active(tx, name)
		if err != nil {
			return err
		}
		if err := s.disarm(tx, p, now); err != nil {
			return err
		}
		invitation, err := invite(token, p.ID, by, now, valid)
		if err != nil {
			return err
		}
		invitation.Recovery = !p.Joined.IsZero()
		if err := tx.PutInvitation(invitation); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: now, What: Recovered, By: by, Person: p.Name})
	})
}

func invite(token string, id PersonID, by string, now time.Time, valid time.Duration) (Invitation, error) {
	if valid == 0 {
		valid = DefaultValid
	}
	if valid < time.Minute || valid > MaxValid {
		return Invitation{}, errs.New(errs.Invalid, fmt.Sprintf("an invitation cannot be good for %s", valid), fmt.Sprintf("one minute to %d hours", int(MaxValid.Hours())))
	}
	return Invitation{Digest: tokenDigest(token), Person: id, Made: now, By: by, Expires: now.Add(valid)}, nil
}

// errInvitation is the one refusal of a token, whatever is wrong with it: who guesses
// learns nothing.
func errInvitation() error {
	return errs.New(errs.Denied, "this invitation is not good: it was used, has expired, was replaced, or never was one", "ask whoever invited you for another one")
}

// invited returns who a token invites.
func (s *Service) invited(r Reader, token string, now time.Time) (Person, Invitation, error) {
	i, ok, err := r.Invitation(tokenDigest(token))
	if err != nil {
		return Person{}, i, err
	}
	if !ok || !i.good(now) {
		return Person{}, i, errInvitation()
	}
	p, ok, err := r.Person(i.Person)
	if err == nil && (!ok || !p.Active()) {
		err = errInvitation()
	}
	return p, i, err
}

// Invited returns who a token invites and until when, and uses nothing up.
func (s *Service) Invited(ctx context.Context, token, source string) (Person, time.Time, error) {
	if err := s.try(source); err != nil {
		return Person{}, time.Time{}, err
	}
	var p Person
	var i Invitation
	err := s.view(ctx, "look at an invitation", func(r Reader) (err error) {
		p, i, err = s.invited(r, token, s.moment())
		return err
	})
	return p, i.Expires, err
}

// join uses an invitation up for a person and adds what she signs in with from now
// on.
func (s *Service) join(tx Tx, token string, c Credential, source string) (Person, error) {
	now := s.moment()
	p, i, err := s.invited(tx, token, now)
	if err != nil {
		return p, err
	}
	i.Used = now
	if err := tx.PutInvitation(i); err != nil {
		return p, err
	}
	if p.Joined.IsZero() {
		p.Joined = now
		if err := tx.PutPerson(p); err != nil {
			return p, err
		}
	}
	c.Person, c.Added, c.Used = p.ID, now, now
	if err := addCredential(tx, c); err != nil {
		return p, err
	}
	return p, tx.AddEvent(Event{At: now, What: Joined, By: p.Name, Person: p.Name, Detail: string(c.Kind), Source: source})
}
