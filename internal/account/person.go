package account

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// PersonID names a person for ever: 16 random bytes in hex. It says nothing about her.
type PersonID string

// MaxPeople is how many people are ever kept.
const MaxPeople = 2_000

// MaxOf is how many things a role may be limited to.
const MaxOf = 500

// Person is somebody who was invited.
type Person struct {
	ID      PersonID
	Name    string  // as others see it; of one person only, also of those who were removed
	Grants  []Grant // what she is here
	Added   time.Time
	Joined  time.Time // when she first proved who she is; zero if she has not yet
	Removed time.Time // zero while she belongs to the surface
}

// Active reports whether the person belongs to the surface.
func (p Person) Active() bool { return p.Removed.IsZero() }

// Role is one that a surface knows.
type Role struct {
	Name string
	Of   string // what it is limited to, such as "body"; empty where it is not
}

// Grant is a role that a person has.
type Grant struct {
	Role string   `json:"role"`
	Of   []string `json:"of,omitempty"` // ids of what it is limited to
}

// checkGrants refuses roles that there are not, and what no role is limited to.
func (s *Service) checkGrants(grants []Grant) error {
	if len(grants) == 0 {
		return errs.New(errs.Invalid, "a person needs a role", "one or more of "+s.roleNames())
	}
	seen := make(map[string]bool)
	for _, g := range grants {
		i := slices.IndexFunc(s.roles, func(r Role) bool { return r.Name == g.Role })
		switch {
		case i < 0:
			return errs.New(errs.Invalid, errs.Quote(g.Role)+" is no role", "one or more of "+s.roleNames())
		case seen[g.Role]:
			return errs.New(errs.Invalid, "the role "+g.Role+" is given twice", "")
		case s.roles[i].Of == "" && len(g.Of) > 0:
			return errs.New(errs.Invalid, "the role "+g.Role+" is limited to nothing", "")
		case s.roles[i].Of != "" && len(g.Of) == 0:
			return errs.New(errs.Invalid, fmt.Sprintf("the role %s needs a %s", g.Role, s.roles[i].Of), fmt.Sprintf("give it with --%s", s.roles[i].Of))
		case len(g.Of) > MaxOf:
			return errs.New(errs.Invalid, fmt.Sprintf("the role %s is limited to more than %d things", g.Role, MaxOf), "")
		}
		seen[g.Role] = true
		for _, id := range g.Of {
			if id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
				return errs.New(errs.Invalid, errs.Quote(id)+" is no id", "letters, digits and hyphens, 64 at most")
			}
		}
	}
	return nil
}

func (s *Service) roleNames() string {
	names := make([]string, len(s.roles))
	for i, r := range s.roles {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}

// checkName returns a person's name as it is kept.
func checkName(name string) (string, error) {
	if fault := coalition.NameFault(name); fault != "" {
		return "", errs.New(errs.Invalid, "the name "+errs.Quote(name)+" "+fault,
			fmt.Sprintf("1 to %d characters that can be seen, with single spaces between words", coalition.MaxMemberID))
	}
	return name, nil
}

// named returns the person of a name, however it is spelled.
func named(r Reader, name string) (Person, error) {
	people, err := r.People()
	if err != nil {
		return Person{}, err
	}
	for _, p := range people {
		if coalition.Fold(p.Name) == coalition.Fold(name) {
			return p, nil
		}
	}
	return Person{}, errs.New(errs.NotFound, "there is nobody called "+errs.Quote(name), "")
}

// active returns the person of a name who was not removed.
func active(r Reader, name string) (Person, error) {
	p, err := named(r, name)
	if err == nil && !p.Active() {
		err = errs.New(errs.NotFound, errs.Quote(name)+" was removed", "invite somebody of another name: what a person did stays under hers")
	}
	return p, err
}

// Member is a person with what there is to know about how she enters.
type Member struct {
	Person
	Credentials []Credential // that she can sign in with
	Invited     time.Time    // until when an invitation of hers is good; zero if none is
	Seen        time.Time    // when she was last there; zero if she never was
}

// People returns everybody, by name.
func (s *Service) People(ctx context.Context) ([]Member, error) {
	var all []Member
	now := s.moment()
	err := s.view(ctx, "list the people", func(r Reader) error {
		people, err := r.People()
		if err != nil {
			return err
		}
		all = make([]Member, len(people))
		for i, p := range people {
			if all[i], err = member(r, p, now); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}

func member(r Reader, p Person, now time.Time) (Member, error) {
	m := Member{Person: p}
	credentials, err := r.Credentials(p.ID)
	if err != nil {
		return m, err
	}
	for _, c := range credentials {
		if c.Used.After(m.Seen) {
			m.Seen = c.Used
		}
		if c.Removed.IsZero() {
			m.Credentials = append(m.Credentials, c)
		}
	}
	invitations, err := r.Invitations(p.ID)
	for _, i := range invitations {
		if i.good(now) && i.Expires.After(m.Invited) {
			m.Invited = i.Expires
		}
	}
	return m, err
}

// Person returns a person who belongs to the surface. It is Denied of any other: who
// was removed is as if she had never been there.
func (s *Service) Person(ctx context.Context, id PersonID) (Person, error) {
	var p Person
	err := s.view(ctx, "read a person", func(r Reader) error {
		var ok bool
		var err error
		if p, ok, err = r.Person(id); err == nil && (!ok || !p.Active()) {
			err = errs.New(errs.Denied, "you do not belong to this any more", "ask whoever invited you")
		}
		return err
	})
	return p, err
}

// SetGrants gives a person other roles in place of those that she has. It counts from
// her next request.
func (s *Service) SetGrants(ctx context.Context, by, name string, grants []Grant) (Person, error) {
	if err := s.checkGrants(grants); err != nil {
		return Person{}, err
	}
	var p Person
	err := s.change(ctx, "change roles", func(tx Tx) error {
		var err error
		if p, err = active(tx, name); err != nil {
			return err
		}
		p.Grants = grants
		if err := tx.PutPerson(p); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: s.moment(), What: RolesChanged, By: by, Person: p.Name, Detail: grantsText(grants)})
	})
	return p, err
}

// Remove ends that a person belongs to the surface: she is signed out at once, and
// nothing of hers opens it again. What she did stays under her name.
func (s *Service) Remove(ctx context.Context, by, name string) error {
	return s.change(ctx, "remove a person", func(tx Tx) error {
		p, err := active(tx, name)
		if err != nil {
			return err
		}
		now := s.moment()
		if err := s.disarm(tx, p, now); err != nil {
			return err
		}
		p.Removed = now
		if err := tx.PutPerson(p); err != nil {
			return err
		}
		return tx.AddEvent(Event{At: now, What: Removed, By: by, Person: p.Name})
	})
}

// disarm takes everything from a person that she could enter with.
func (s *Service) disarm(tx Tx, p Person, now time.Time) error {
	credentials, err := tx.Credentials(p.ID)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		if c.Removed.IsZero() {
			c.Removed = now
			if err := tx.PutCredential(c); err != nil {
				return err
			}
		}
	}
	invitations, err := tx.Invitations(p.ID)
	if err != nil {
		return err
	}
	for _, i := range invitations {
		if i.good(now) {
			i.Void = now
			if err := tx.PutInvitation(i); err != nil {
				return err
			}
		}
	}
	_, err = tx.EndSessions(p.ID)
	return err
}

func (s *Service) newID() (PersonID, error) {
	var b [16]byte
	err := s.read(b[:])
	return PersonID(hex.EncodeToString(b[:])), err
}

// grantsText writes roles for an event: names and ids, nothing that somebody wrote.
func grantsText(grants []Grant) string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = g.Role
		if len(g.Of) > 0 {
			words[i] += " (" + strings.Join(g.Of, ", ") + ")"
		}
	}
	return strings.Join(words, ", ")
}
