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
	"muster/internal/silence"
)

// Plan is what is said of a cycle before its charter is adopted. Zero fields leave
// what there is.
type Plan struct {
	Framework             coalition.FrameworkRef
	Leader, Helper        PartyID
	Opens, Deadline, Wipe time.Time
}

// Make begins a cycle, as a draft.
func (s *Service) Make(ctx context.Context, who Person, id ID, plan Plan) error {
	if err := who.staff("begin a cycle"); err != nil {
		return err
	}
	if _, err := ParseID(string(id)); err != nil {
		return err
	}
	return s.change(ctx, "make a cycle", func(tx Tx) error {
		all, err := tx.Cycles()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(c Cycle) bool { return strings.EqualFold(string(c.ID), string(id)) }) {
			return errs.New(errs.Conflict, "there is a cycle "+errs.Quote(string(id))+" already", "")
		}
		if len(all) >= MaxCycles {
			return errs.New(errs.Invalid, fmt.Sprintf("%d cycles are kept, and no more are", len(all)), "")
		}
		c := Cycle{ID: id, Phase: coalition.Draft, Made: s.moment()}
		if err := plan.apply(tx, &c); err != nil {
			return err
		}
		if err := tx.PutCycle(c); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: CycleMade, Cycle: id, Detail: plan.words()})
	})
}

// Plan changes what is said of a cycle that is a draft or under consultation.
func (s *Service) Plan(ctx context.Context, who Person, id ID, plan Plan) error {
	if err := who.staff("plan a cycle"); err != nil {
		return err
	}
	return s.change(ctx, "plan a cycle", func(tx Tx) error {
		c, err := s.planning(tx, who, id)
		if err != nil {
			return err
		}
		if err := plan.apply(tx, &c); err != nil {
			return err
		}
		if err := tx.PutCycle(c); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: CyclePlanned, Cycle: id, Detail: plan.words()})
	})
}

// planning returns a cycle that is still to be planned.
func (s *Service) planning(r Reader, who Person, id ID) (Cycle, error) {
	c, err := s.cycleOf(r, who, id)
	if err == nil && c.Phase != coalition.Draft && c.Phase != coalition.Consultation {
		err = errs.New(errs.Conflict, fmt.Sprintf("the cycle %s is %s, and is planned no more", id, c.Phase), "")
	}
	return c, err
}

func (p Plan) apply(r Reader, c *Cycle) error {
	if p.Framework.ID != "" {
		c.Framework = p.Framework
	}
	for i, host := range []PartyID{p.Leader, p.Helper} {
		if host == "" {
			continue
		}
		party, err := partyOf(r, host)
		if err != nil {
			return err
		}
		if party.Kind != Member {
			return errs.New(errs.Invalid, string(party.ID)+" is a partner, and hosts are members", "")
		}
		c.Hosts[i] = host
	}
	if c.Hosts[0] != "" && c.Hosts[0] == c.Hosts[1] {
		return errs.New(errs.Invalid, "one member cannot be both hosts", "choose two who would not join the halves")
	}
	for _, t := range []struct{ from, to *time.Time }{{&p.Opens, &c.Opens}, {&p.Deadline, &c.Deadline}, {&p.Wipe, &c.Wipe}} {
		if !t.from.IsZero() {
			*t.to = t.from.UTC().Truncate(time.Second)
		}
	}
	if set := !c.Opens.IsZero() || !c.Deadline.IsZero() || !c.Wipe.IsZero(); set && (c.Opens.IsZero() || !c.Opens.Before(c.Deadline) || !c.Deadline.Before(c.Wipe)) {
		return errs.New(errs.Invalid, "a cycle opens before its deadline, and is wiped after it", "say all three")
	}
	return nil
}

func (p Plan) words() string {
	var all []string
	say := func(what, value string) {
		if value != "" {
			all = append(all, what+" "+value)
		}
	}
	say("framework", strings.TrimSpace(p.Framework.ID+" "+p.Framework.Version))
	say("leader", string(p.Leader))
	say("helper", string(p.Helper))
	for _, t := range []struct {
		what string
		at   time.Time
	}{{"opens", p.Opens}, {"deadline", p.Deadline}, {"wipe", p.Wipe}} {
		if !t.at.IsZero() {
			say(t.what, t.at.UTC().Format("2006-01-02 15:04 UTC"))
		}
	}
	return strings.Join(all, ", ")
}

// Invite invites parties to a cycle; without any, every one that belongs to the
// coalition. Who is invited already stays so.
func (s *Service) Invite(ctx context.Context, who Person, id ID, parties []PartyID) (n int, err error) {
	if err := who.staff("invite to a cycle"); err != nil {
		return 0, err
	}
	err = s.change(ctx, "invite to a cycle", func(tx Tx) error {
		n = 0
		if _, err := s.planning(tx, who, id); err != nil {
			return err
		}
		list := parties
		if len(list) == 0 {
			all, err := tx.Parties()
			if err != nil {
				return err
			}
			for _, p := range all {
				if p.Left.IsZero() {
					list = append(list, p.ID)
				}
			}
		}
		board, err := tx.Participations(id)
		if err != nil {
			return err
		}
		for _, party := range list {
			if _, err := partyOf(tx, party); err != nil {
				return err
			}
			if _, there := standing(board, party); there {
				continue
			}
			p := Participation{Cycle: id, Party: party, Number: 1, Status: NotStarted, By: who.Name, At: s.moment()}
			if err := tx.AddParticipation(p); err != nil {
				return err
			}
			board = append(board, p)
			n++
			if err := s.write(tx, Line{By: who.Name, What: PartyInvited, Cycle: id, Party: party}); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Adoption is a charter with the steps of the silence procedure that adopted it.
type Adoption struct {
	Charter coalition.SignedCharter
	Steps   []coalition.SignedFile // none where the charter is marked as a rehearsal's or synthetic
}

// Adopt keeps a charter that was signed by coordinator and hosts and adopted by
// silence. It is refused unless it is of this coalition and cycle, names the hosts and
// the framework that were planned, and lists exactly those who are invited and have
// not declined, each with the key that is enrolled for it. From then on the cycle's
// dates are the charter's.
func (s *Service) Adopt(ctx context.Context, who Person, id ID, a Adoption) error {
	if err := who.staff("keep a charter"); err != nil {
		return err
	}
	charter, err := a.Charter.Open()
	if err != nil {
		return err
	}
	digest := a.Charter.Digest()
	if len(a.Steps) > 0 {
		p, err := silence.Replay(charter.Coordinator.Key, a.Steps)
		if err != nil {
			return err
		}
		if err := p.CheckAdopted(silence.Charter, digest); err != nil {
			return err
		}
	} else if charter.Marking != coalition.MarkingSynthetic && charter.Marking != coalition.MarkingRehearsal {
		return errs.New(errs.Invalid, "nothing says that the charter was adopted", "give the steps of the silence procedure; only a charter that is marked SYNTHETIC or REHEARSAL does without")
	}
	return s.change(ctx, "adopt a charter", func(tx Tx) error {
		c, err := s.planning(tx, who, id)
		if err != nil {
			return err
		}
		if c.Phase != coalition.Consultation {
			return errs.New(errs.Conflict, fmt.Sprintf("the cycle %s is a draft, and nobody was asked yet", id), "move it to consultation first")
		}
		name, err := tx.Coalition()
		if err != nil {
			return err
		}
		if err := matches(tx, c, name, charter); err != nil {
			return err
		}
		c.Charter, c.Marking = digest, charter.Marking
		c.Opens, c.Deadline, c.Wipe = time.Unix(charter.Opens, 0).UTC(), time.Unix(charter.Deadline, 0).UTC(), time.Unix(charter.Wipe, 0).UTC()
		if err := tx.PutCycle(c); err != nil {
			return err
		}
		return s.write(tx, Line{By: who.Name, What: CharterSet, Cycle: id, Detail: digest})
	})
}

// matches refuses a charter that says something else than what was planned.
func matches(r Reader, c Cycle, name string, charter coalition.Charter) error {
	differs := func(format string, args ...any) error {
		return errs.New(errs.Conflict, "the charter "+fmt.Sprintf(format, args...), "plan the cycle as the charter has it, or have the charter made again")
	}
	switch {
	case charter.Coalition != name:
		return differs("is of %s", errs.Quote(charter.Coalition))
	case charter.Cycle != string(c.ID):
		return differs("is of the cycle %s", errs.Quote(charter.Cycle))
	case c.Framework.ID != "" && charter.Framework != c.Framework:
		return differs("has another framework: %s %s", charter.Framework.ID, charter.Framework.Version)
	}
	parties, err := r.Parties()
	if err != nil {
		return err
	}
	board, err := r.Participations(c.ID)
	if err != nil {
		return err
	}
	enrolled, err := r.Keys()
	if err != nil {
		return err
	}
	names := make(map[PartyID]coalition.MemberID)
	expected := make(map[coalition.MemberID]keys.Public)
	for _, p := range parties {
		names[p.ID] = p.Name
		if at, ok := standing(board, p.ID); ok && at.Status != Declined {
			expected[p.Name] = ""
		}
	}
	for _, k := range enrolled {
		if _, ok := expected[names[k.Party]]; ok {
			expected[names[k.Party]] = k.Public
		}
	}
	for i, host := range []coalition.MemberID{charter.Leader.Member, charter.Helper.Member} {
		if names[c.Hosts[i]] != host {
			return differs("has %s as a host", errs.Quote(string(host)))
		}
	}
	for _, cohort := range charter.Cohorts {
		for _, m := range cohort.Members {
			key, ok := expected[m.ID]
			switch {
			case !ok:
				return differs("lists %s, who is not invited or declined", errs.Quote(string(m.ID)))
			case key == "":
				return errs.New(errs.Conflict, "no key is enrolled of "+errs.Quote(string(m.ID)), "enrol it first")
			case !key.Same(m.Key):
				return errs.New(errs.Conflict, "the charter has another key of "+errs.Quote(string(m.ID))+" than the one that is enrolled", "do not go on: call the member, and find out whose key it is")
			}
			delete(expected, m.ID)
		}
	}
	for name := range expected {
		return differs("does not list %s, who is invited", errs.Quote(string(name)))
	}
	return nil
}
