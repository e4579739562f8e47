package cycle

import (
	"context"
	"slices"
	"time"

	"muster/internal/account"
	"muster/internal/audience"
	"muster/internal/coalition"
)

// sight is one person looking at one moment: what package audience asks about her. A
// party is named to it by its id, which is for ever, and not by the name that a charter
// has.
type sight struct {
	who    Person
	names  []coalition.MemberID // of her parties
	reader audience.Reader
	at     time.Time
	filter audience.Filter // what passes of any list
}

// sightOf establishes what a person is to package audience: here alone an account
// becomes a reader. Which circle she is in follows from the kind of her parties, and not
// from what her role is called; a party that left is in none, and keeps what is its own.
func sightOf(r Reader, who Person, now time.Time) (*sight, error) {
	s := &sight{who: who, reader: audience.Reader{Person: audience.PersonID(who.ID)}, at: now}
	for _, g := range who.Grants {
		role := audience.RoleOf(g.Role)
		s.reader.Staff |= role & (audience.Coordinator | audience.Auditor)
		for _, of := range g.Of {
			id := coalition.MemberID(of)
			i := slices.IndexFunc(s.reader.Parties, func(p audience.Party) bool { return p.ID == id })
			if i < 0 {
				party, ok, err := r.Party(PartyID(of))
				if err != nil {
					return nil, err
				}
				if !ok {
					continue
				}
				i = len(s.reader.Parties)
				s.names = append(s.names, party.Name)
				s.reader.Parties = append(s.reader.Parties, audience.Party{ID: id, Circle: party.circle()})
			}
			s.reader.Parties[i].Roles |= role
		}
	}
	s.filter = audience.FilterOf(s.reader, audience.Sees, now)
	return s, nil
}

// circle returns the one that people of the party are in.
func (p Party) circle() audience.Circle {
	switch {
	case !p.Left.IsZero():
		return 0
	case p.Kind == Partner:
		return audience.Partner
	}
	return audience.Allied
}

// Sight is what a person may see at one moment.
type Sight struct {
	Reader audience.Reader
	Names  []coalition.MemberID // of the parties that she is of
	At     time.Time
}

// Sight returns what a person is to package audience now, for what this package does
// not keep.
func (s *Service) Sight(ctx context.Context, who Person) (Sight, error) {
	var got Sight
	err := s.view(ctx, "see who asks", func(r Reader) error {
		seen, err := SightOf(r, who, s.moment())
		got = seen
		return err
	})
	return got, err
}

// SightOf is [Service.Sight] within a transaction.
func SightOf(r Reader, who Person, now time.Time) (Sight, error) {
	s, err := sightOf(r, who, now)
	if err != nil {
		return Sight{}, err
	}
	return Sight{s.reader, s.names, s.at}, nil
}

// passes reports whether a subject is one of those that she gets.
func (s *sight) passes(what audience.Subject) bool { return s.filter.Passes(what) }

// work is what the coordinator keeps: for the organisations that it names, and seen by
// staff and auditors for their work.
func work(members ...PartyID) audience.Subject {
	return audience.Subject{TLP: audience.AmberStrict, Work: audience.Coordinator | audience.Auditor, Members: ids(members)}
}

func ids(parties []PartyID) []coalition.MemberID {
	all := make([]coalition.MemberID, 0, len(parties))
	for _, p := range parties {
		if p != "" {
			all = append(all, coalition.MemberID(p))
		}
	}
	return all
}

// subject is the cycle: for whom is invited to it, and for the engineers of its hosts.
func (c Cycle) subject(board []Participation) audience.Subject {
	invited := make([]PartyID, len(board))
	for i, p := range board {
		invited[i] = p.Party
	}
	s := work(invited...)
	s.Work |= audience.Engineer
	s.Of = ids(c.Hosts[:])
	return s
}

// subject is where the party stands, and its key: of a member for all members, of a
// partner, who is a guest, for itself. Everybody keeps what is her own.
func (p Party) subject() audience.Subject {
	s := work(p.ID)
	if p.Kind == Member {
		s.Circles = audience.Allied
	}
	return s
}

// subject is a request that is open: for nobody, and seen by whose word it waits for.
func (q Request) subject(c Cycle) audience.Subject {
	s := work()
	for _, slot := range q.Waiting(c) {
		if slot.Party != "" {
			s.Work |= audience.RoleOf(string(slot.Role))
			s.Of = append(s.Of, coalition.MemberID(slot.Party))
		}
	}
	return s
}

// waiting is a question before it is answered: for who asked.
func (q Question) waiting() audience.Subject {
	s := work()
	if q.Asker != "" {
		s.People = []audience.PersonID{audience.PersonID(q.Asker)}
	}
	return s
}

// subject is the line: about a step of a cycle for whom the cycle is for, about a party
// for who is of it, and any other for nobody. seen are the subjects of cycles.
func (l Line) subject(seen map[ID]audience.Subject) audience.Subject {
	s := work()
	if c, ok := seen[l.Cycle]; ok && l.What.open() {
		s = c
	}
	if l.Party != "" {
		s.Members = append(slices.Clip(s.Members), coalition.MemberID(l.Party))
	}
	return s
}

// SubjectOf is a person who uses the pages: the staff is known to everybody who belongs
// to the coalition, anybody else to who is of the same party. Who was removed is known
// to staff and auditors alone.
func SubjectOf(m account.Member) audience.Subject {
	if !m.Active() {
		return work()
	}
	p := PersonOf(m.Person)
	s := work(p.Parties()...)
	if p.Is(RoleCoordinator) {
		s.TLP, s.Circles = audience.Green, audience.Public
	}
	return s
}
