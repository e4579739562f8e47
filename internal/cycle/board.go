package cycle

import (
	"context"
	"fmt"
	"slices"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// MaySay reports whether a person may say that a party of a cycle has a status.
func (who Person) maySay(party PartyID) bool {
	return who.Is(RoleCoordinator) || who.speaksFor(party)
}

// said is the table of when a status can be said.
func said(phase coalition.Phase, status Status) bool {
	phases := []coalition.Phase{coalition.Adopted, coalition.Open, coalition.Closing, coalition.Postponed}
	switch status {
	case Declined, NotStarted:
		phases = append(phases, coalition.Draft, coalition.Consultation)
	case Delivered:
		phases = []coalition.Phase{coalition.Open, coalition.Closing}
	}
	return slices.Contains(phases, phase)
}

// Sayable returns the statuses that can be said of a party in a phase.
func Sayable(phase coalition.Phase) []Status {
	return slices.DeleteFunc(Statuses(), func(status Status) bool { return !said(phase, status) })
}

// Say says where a party stands: by its own officer or delegate, or by the staff.
func (s *Service) Say(ctx context.Context, who Person, id ID, party PartyID, status Status) error {
	if !slices.Contains(Statuses(), status) {
		return errs.New(errs.Invalid, errs.Quote(string(status))+" is no status", "not started, under way, signed off, delivered, declined")
	}
	if !who.maySay(party) {
		return errs.New(errs.Denied, "you may not say where another stands", "")
	}
	return s.change(ctx, "say where a party stands", func(tx Tx) error {
		c, err := s.cycleOf(tx, who, id)
		if err != nil {
			return err
		}
		history, err := tx.History(id, party)
		if err != nil {
			return err
		}
		if len(history) == 0 {
			return errs.New(errs.NotFound, errs.Quote(string(party))+" is not invited to the cycle "+string(id), "")
		}
		last := history[len(history)-1]
		if last.Status == status {
			return nil
		}
		if !said(c.Phase, status) {
			return errs.New(errs.Conflict, fmt.Sprintf("nobody is %s in a cycle that is %s", status, c.Phase), "")
		}
		if c.Charter != "" && last.Status == Declined && !said(c.Phase, Delivered) && c.Phase == coalition.Closing {
			return errs.New(errs.Conflict, "the lists are closing", "")
		}
		p := Participation{Cycle: id, Party: party, Number: last.Number + 1, Status: status, By: who.Name, At: s.moment()}
		if err := tx.AddParticipation(p); err != nil {
			return err
		}
		return s.write(tx, Line{At: p.At, By: who.Name, What: StatusSet, Cycle: id, Party: party, Detail: string(last.Status) + " to " + string(status)})
	})
}

// Standing is one line of the board.
type Standing struct {
	Party
	Participation Participation
	Keyed         bool // a key of it is enrolled
	Own           bool // the reader speaks for it
}

// View is a cycle as a person sees it.
type View struct {
	Cycle
	HostNames  [2]coalition.MemberID // empty where they are not chosen
	Board      []Standing            // of whom she sees, members first, by name
	Members    Count                 // of these
	Partners   Count
	Hidden     int // how many more take part
	Steps      []Step
	Extensions []Extension
	Ways       []Way   // where it could go, for the staff; else nil
	Requests   []Asked // that are open, about it, and concern her
}

// Count is how many have which status.
type Count struct {
	Of int
	By map[Status]int
}

// Cycle returns a cycle. It is NotFound for who may not know of it.
func (s *Service) Cycle(ctx context.Context, who Person, id ID) (View, error) {
	var v View
	err := s.view(ctx, "show a cycle", func(r Reader) error {
		c, err := s.cycleOf(r, who, id)
		if err != nil {
			return err
		}
		st, err := stateOf(r, c, s.moment())
		if err != nil {
			return err
		}
		sight, err := sightOf(r, who, s.moment())
		if err != nil {
			return err
		}
		v = st.view(sight)
		if v.Steps, err = r.Steps(id); err != nil {
			return err
		}
		if v.Extensions, err = r.Extensions(id); err != nil {
			return err
		}
		requests, err := asked(r, sight)
		for _, q := range requests {
			if q.Cycle == id {
				v.Requests = append(v.Requests, q)
			}
		}
		return err
	})
	return v, err
}

func (st state) view(sight *sight) View {
	who := sight.who
	v := View{Cycle: st.Cycle, Members: Count{By: make(map[Status]int)}, Partners: Count{By: make(map[Status]int)}}
	for i, host := range st.Hosts {
		v.HostNames[i] = st.parties[host].Name
	}
	if who.Is(RoleCoordinator) {
		v.Ways = st.ways()
	}
	for _, p := range st.board {
		party := st.parties[p.Party]
		if !sight.passes(party.subject()) { // how many of them delivered is not hers to know either
			v.Hidden++
			continue
		}
		count := &v.Members
		if party.Kind == Partner {
			count = &v.Partners
		}
		count.Of++
		count.By[p.Status]++
		v.Board = append(v.Board, Standing{party, p, st.keyed[party.ID], who.speaksFor(party.ID)})
	}
	slices.SortFunc(v.Board, func(a, b Standing) int {
		if a.Kind != b.Kind {
			if a.Kind == Member {
				return -1
			}
			return 1
		}
		return compareNames(a.Name, b.Name)
	})
	return v
}

func compareNames(a, b coalition.MemberID) int {
	x, y := coalition.Fold(string(a)), coalition.Fold(string(b))
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Cycles returns those that a person may know of, the latest first.
func (s *Service) Cycles(ctx context.Context, who Person) ([]View, error) {
	return s.cycles(ctx, who, func(Cycle) bool { return true })
}

// UnderWay returns those of them that have not ended.
func (s *Service) UnderWay(ctx context.Context, who Person) ([]View, error) {
	return s.cycles(ctx, who, func(c Cycle) bool { return !ended(c.Phase) })
}

func (s *Service) cycles(ctx context.Context, who Person, wanted func(Cycle) bool) ([]View, error) {
	var list []View
	err := s.view(ctx, "list the cycles", func(r Reader) error {
		all, err := r.Cycles()
		if err != nil {
			return err
		}
		g, err := registerOf(r)
		if err != nil {
			return err
		}
		sight, err := sightOf(r, who, s.moment())
		if err != nil {
			return err
		}
		list = nil
		for _, c := range all {
			if !wanted(c) {
				continue
			}
			st, err := g.state(r, c, s.moment())
			if err != nil {
				return err
			}
			if sight.passes(c.subject(st.board)) {
				list = append(list, st.view(sight))
			}
		}
		return nil
	})
	return list, err
}

// Numbers is how much there is of everything, for operators. It names nobody.
type Numbers struct {
	Cycles    map[string]int // by phase
	Requests  int            // that are open
	Questions int            // that wait, of cycles that have not ended
	Lines     int64          // of the record
}

// Numbers counts.
func (s *Service) Numbers(ctx context.Context) (Numbers, error) {
	n := Numbers{Cycles: make(map[string]int)}
	err := s.view(ctx, "count", func(r Reader) error {
		n = Numbers{Cycles: make(map[string]int)}
		all, err := r.Cycles()
		if err != nil {
			return err
		}
		for _, c := range all {
			n.Cycles[string(c.Phase)]++
			if ended(c.Phase) {
				continue
			}
			questions, err := r.Questions(c.ID)
			if err != nil {
				return err
			}
			n.Questions += len(slices.DeleteFunc(questions, Question.Answered))
		}
		open, err := r.Requests()
		if err != nil {
			return err
		}
		n.Requests = len(open)
		last, err := r.Latest(1)
		if len(last) > 0 {
			n.Lines = last[0].Number
		}
		return err
	})
	return n, err
}
