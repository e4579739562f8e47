package cycle

import (
	"context"
	"fmt"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// AddParty adds a member or a partner.
func (s *Service) AddParty(ctx context.Context, who Person, id PartyID, name string, kind Kind) error {
	if err := who.staff("add a member or a partner"); err != nil {
		return err
	}
	if _, err := ParsePartyID(string(id)); err != nil {
		return err
	}
	member, err := coalition.ParseMemberID(name)
	if err != nil {
		return err
	}
	if kind != Member && kind != Partner {
		return errs.New(errs.Invalid, errs.Quote(string(kind))+" is no kind of a party", "member or partner")
	}
	return s.change(ctx, "add a party", func(tx Tx) error {
		all, err := tx.Parties()
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.ID == id || coalition.Fold(string(p.Name)) == coalition.Fold(string(member)) {
				return errs.New(errs.Conflict, fmt.Sprintf("there is a %s of that id or name already: %s, %s", p.Kind, p.ID, errs.Quote(string(p.Name))), "")
			}
		}
		if len(all) >= MaxParties {
			return errs.New(errs.Invalid, fmt.Sprintf("%d members and partners are kept, and no more are", len(all)), "")
		}
		if err := tx.PutParty(Party{ID: id, Name: member, Kind: kind, Added: s.moment()}); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: PartyAdded, Party: id, Detail: string(kind) + ", " + string(member)})
	})
}

// Leave ends that a party belongs to the coalition: it is invited to no cycle from now
// on. What it did stays.
func (s *Service) Leave(ctx context.Context, who Person, id PartyID) error {
	if err := who.staff("say that somebody left"); err != nil {
		return err
	}
	return s.change(ctx, "end a party", func(tx Tx) error {
		p, err := partyOf(tx, id)
		if err != nil {
			return err
		}
		p.Left = s.moment()
		if err := tx.PutParty(p); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: PartyLeft, Party: id})
	})
}

// partyOf returns a party that belongs to the coalition.
func partyOf(r Reader, id PartyID) (Party, error) {
	p, ok, err := r.Party(id)
	if err != nil {
		return p, err
	}
	if !ok || !p.Left.IsZero() {
		return p, errs.New(errs.NotFound, "no member or partner is called "+errs.Quote(string(id)), "muster coordinator member list has them all")
	}
	return p, nil
}

// Enrolled is a party with the key that counts for it.
type Enrolled struct {
	Party
	Key     Key      // zero if none is enrolled
	Words   []string // of the key, in lines; nil if none is enrolled
	Pending Request  // to enrol one; zero if there is none
}

// Parties returns whom a person may see, by id. Of a key that waits for its second
// person nobody is shown the words: who approves has them from the party.
func (s *Service) Parties(ctx context.Context, who Person) ([]Enrolled, error) {
	var list []Enrolled
	err := s.view(ctx, "list the parties", func(r Reader) error {
		all, err := r.Parties()
		if err != nil {
			return err
		}
		enrolled, err := r.Keys()
		if err != nil {
			return err
		}
		requests, err := r.Requests()
		if err != nil {
			return err
		}
		byParty := make(map[PartyID]Key, len(enrolled))
		for _, k := range enrolled {
			byParty[k.Party] = k
		}
		pending := make(map[PartyID]Request)
		for _, q := range requests {
			if q.Kind == Enrolment {
				pending[q.Party] = q
			}
		}
		sight, err := sightOf(r, who, s.moment())
		if err != nil {
			return err
		}
		list = nil
		for _, p := range all {
			if !sight.passes(p.subject()) {
				continue
			}
			e := Enrolled{Party: p, Key: byParty[p.ID], Pending: pending[p.ID]}
			if e.Key.Number > 0 {
				e.Words = keys.WordLines(e.Key.Public.Digest())
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

// Contact is where a person is written to.
type Contact struct {
	Person  string // the id of her account
	Address string // of mail
	Lang    string // "en" or "fr"
}

// Sending is a reminder that was sent: nobody gets the same one twice.
type Sending struct {
	Person string
	Cycle  ID
	Topic  string // what it was about, and how near
	At     time.Time
}
