package cycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// Obstacle is one thing that keeps a cycle from a phase.
type Obstacle struct {
	Code  ObstacleCode
	N, Of int       // how many of how many, where it is about that
	Names []string  // of parties
	At    time.Time // from when on it is none
}

// ObstacleCode names a kind of obstacles, for pages in any language.
type ObstacleCode string

// The kinds of obstacles.
const (
	NobodyInvited   ObstacleCode = "nobody"
	NoHosts         ObstacleCode = "hosts"
	NoFramework     ObstacleCode = "framework"
	NoDates         ObstacleCode = "dates"
	NoKeys          ObstacleCode = "keys"
	NoCharter       ObstacleCode = "charter"
	NotYetOpen      ObstacleCode = "opens"
	NotYetOver      ObstacleCode = "deadline"
	DeadlineBehind  ObstacleCode = "behind"
	TooFewDelivered ObstacleCode = "toofew"
	NotYetWiped     ObstacleCode = "wipe"
	WantsTwo        ObstacleCode = "second"
	WantsHosts      ObstacleCode = "release"
)

// String says the obstacle, for a terminal.
func (o Obstacle) String() string {
	day := o.At.UTC().Format("2006-01-02 15:04 UTC")
	switch o.Code {
	case NobodyInvited:
		return "no member is invited"
	case NoHosts:
		return "the two hosts are not chosen"
	case NoFramework:
		return "no framework is chosen"
	case NoDates:
		return "it is not said when it opens, closes and is wiped"
	case NoKeys:
		return "no key is enrolled of " + someNames(o.Names)
	case NoCharter:
		return "there is no charter that was signed and adopted"
	case NotYetOpen:
		return "it opens on " + day
	case NotYetOver:
		return fmt.Sprintf("the deadline is %s, and %d of %d have delivered or declined", day, o.N, o.Of)
	case DeadlineBehind:
		return "the deadline, " + day + ", has passed: move it first"
	case TooFewDelivered:
		return fmt.Sprintf("%d have delivered, and %d are needed", o.N, o.Of)
	case NotYetWiped:
		return "what the cycle left is wiped on " + day
	case WantsTwo:
		return "a second of the staff has to approve it"
	default:
		return "an engineer of each host has to approve it"
	}
}

func someNames(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// state is what guards look at.
type state struct {
	Cycle
	register
	now   time.Time
	board []Participation
}

// register is who belongs to the coalition, and whose key is enrolled: the same for every
// cycle of a moment.
type register struct {
	parties map[PartyID]Party
	keyed   map[PartyID]bool
}

func registerOf(r Reader) (register, error) {
	g := register{make(map[PartyID]Party), make(map[PartyID]bool)}
	all, err := r.Parties()
	if err != nil {
		return g, err
	}
	for _, p := range all {
		g.parties[p.ID] = p
	}
	enrolled, err := r.Keys()
	for _, k := range enrolled {
		g.keyed[k.Party] = true
	}
	return g, err
}

func stateOf(r Reader, c Cycle, now time.Time) (state, error) {
	g, err := registerOf(r)
	if err != nil {
		return state{}, err
	}
	return g.state(r, c, now)
}

func (g register) state(r Reader, c Cycle, now time.Time) (state, error) {
	board, err := r.Participations(c.ID)
	return state{Cycle: c, now: now, board: board, register: g}, err
}

// count returns how many of a kind of parties have one of the statuses, and how many
// there are.
func (st state) count(kind Kind, statuses ...Status) (n, of int) {
	for _, p := range st.board {
		if st.parties[p.Party].Kind != kind {
			continue
		}
		of++
		if slices.Contains(statuses, p.Status) {
			n++
		}
	}
	return n, of
}

// planned returns what is missing before members can be asked for comments.
func (st state) planned() []Obstacle {
	var all []Obstacle
	if _, of := st.count(Member); of == 0 {
		all = append(all, Obstacle{Code: NobodyInvited})
	}
	if st.Framework.ID == "" {
		all = append(all, Obstacle{Code: NoFramework})
	}
	if st.Hosts[0] == "" || st.Hosts[1] == "" {
		all = append(all, Obstacle{Code: NoHosts})
	}
	if st.Deadline.IsZero() {
		all = append(all, Obstacle{Code: NoDates})
	}
	return all
}

func (st state) keys() []Obstacle {
	var names []string
	for _, p := range st.board {
		if p.Status != Declined && !st.keyed[p.Party] {
			names = append(names, string(st.parties[p.Party].Name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []Obstacle{{Code: NoKeys, Names: names}}
}

// over returns what keeps the deadline from being behind: the time, unless everybody
// has delivered or declined.
func (st state) over() []Obstacle {
	n, of := 0, len(st.board)
	for _, p := range st.board {
		if p.Status == Delivered || p.Status == Declined {
			n++
		}
	}
	if !st.now.Before(st.Deadline) || n == of {
		return nil
	}
	return []Obstacle{{Code: NotYetOver, N: n, Of: of, At: st.Deadline}}
}

// obstacles is the table of guards, beside that of [coalition.Transitions]: what keeps
// a cycle from a phase that it could go to.
func (st state) obstacles(to coalition.Phase) []Obstacle {
	switch {
	case to == coalition.Cancelled:
		return []Obstacle{{Code: WantsTwo}}
	case to == coalition.Released:
		return []Obstacle{{Code: WantsHosts}}
	case to == coalition.Consultation:
		return st.planned()
	case to == coalition.Adopted:
		all := append(st.planned(), st.keys()...)
		if st.Charter == "" {
			all = append(all, Obstacle{Code: NoCharter})
		}
		return all
	case to == coalition.Open && !st.now.Before(st.Deadline):
		return []Obstacle{{Code: DeadlineBehind, At: st.Deadline}}
	case to == coalition.Open && st.now.Before(st.Opens):
		return []Obstacle{{Code: NotYetOpen, At: st.Opens}}
	case to == coalition.Closing:
		return st.over()
	case to == coalition.Closed && st.now.Before(st.Deadline):
		n, of := st.count(Member, Delivered, Declined)
		return []Obstacle{{Code: NotYetOver, N: n, Of: of, At: st.Deadline}}
	case to == coalition.Aggregated:
		n, of := st.count(Member, Delivered)
		if need := coalition.MinimumBatch(of); n < need {
			return []Obstacle{{Code: TooFewDelivered, N: n, Of: need}}
		}
	case to == coalition.Archived && st.now.Before(st.Wipe):
		return []Obstacle{{Code: NotYetWiped, At: st.Wipe}}
	}
	return nil
}

// Way is a phase that a cycle could go to, and what keeps it from there.
type Way struct {
	To        coalition.Phase
	Reason    bool // whether it needs one
	Obstacles []Obstacle
}

// ways returns where the cycle could go, in the table's order.
func (st state) ways() []Way {
	var all []Way
	for _, t := range coalition.Transitions() {
		if t.From == st.Phase {
			all = append(all, Way{t.To, t.Reason, st.obstacles(t.To)})
		}
	}
	return all
}

// Step moves a cycle to another phase. What keeps it from there is returned as an
// error of kind Conflict that names all of it.
func (s *Service) Step(ctx context.Context, who Person, id ID, to coalition.Phase, reason string) error {
	if err := who.staff("move a cycle"); err != nil {
		return err
	}
	if reason != "" {
		if err := text("the reason", reason); err != nil {
			return err
		}
	}
	return s.change(ctx, "step", func(tx Tx) error {
		c, err := s.cycleOf(tx, who, id)
		if err != nil {
			return err
		}
		if err := coalition.Step(c.Phase, to, reason); err != nil {
			return err
		}
		st, err := stateOf(tx, c, s.moment())
		if err != nil {
			return err
		}
		if obstacles := st.obstacles(to); len(obstacles) > 0 {
			words := make([]string, len(obstacles))
			for i, o := range obstacles {
				words[i] = o.String()
			}
			return errs.New(errs.Conflict, fmt.Sprintf("the cycle %s cannot be %s yet: %s", id, to, strings.Join(words, "; ")), "")
		}
		return s.move(tx, c, to, reason, who.Name)
	})
}

// move changes the phase of a cycle, which its row of the table has to allow.
func (s *Service) move(tx Tx, c Cycle, to coalition.Phase, reason, by string) error {
	if err := coalition.Step(c.Phase, to, reason); err != nil {
		return err
	}
	steps, err := tx.Steps(c.ID)
	if err != nil {
		return err
	}
	from := c.Phase
	c.Phase = to
	if to == coalition.Draft || from == coalition.Postponed && to == coalition.Consultation {
		c.Charter = "" // another one is to be adopted
	}
	if err := tx.PutCycle(c); err != nil {
		return err
	}
	at := s.moment()
	if err := tx.AddStep(Step{Cycle: c.ID, Number: len(steps) + 1, From: from, To: to, Reason: reason, By: by, At: at}); err != nil {
		return err
	}
	if to == coalition.Cancelled {
		if err := s.endAll(tx, c.ID, by); err != nil {
			return err
		}
	}
	detail := string(from) + " to " + string(to)
	if reason != "" {
		detail += "; " + reason
	}
	return s.write(tx, Line{At: at, By: by, What: PhaseChanged, Cycle: c.ID, Detail: detail})
}

// endAll ends what is still asked for about a cycle that is cancelled.
func (s *Service) endAll(tx Tx, id ID, by string) error {
	open, err := tx.Requests()
	if err != nil {
		return err
	}
	for _, q := range open {
		if q.Cycle != id {
			continue
		}
		if err := tx.EndRequest(q.Number, Withdrawn, "the cycle is cancelled", by, s.moment()); err != nil {
			return err
		}
		if err := s.write(tx, q.line(RequestWithdrawn, by, "the cycle is cancelled")); err != nil {
			return err
		}
	}
	return nil
}

// Extend moves the deadline of a cycle whose charter is adopted. It only moves later:
// who delivered relied on the time that there was.
func (s *Service) Extend(ctx context.Context, who Person, id ID, deadline time.Time, reason string) error {
	if err := who.staff("move a deadline"); err != nil {
		return err
	}
	if err := text("the reason", reason); err != nil {
		return err
	}
	deadline = deadline.UTC().Truncate(time.Second)
	return s.change(ctx, "extend", func(tx Tx) error {
		c, err := s.cycleOf(tx, who, id)
		if err != nil {
			return err
		}
		day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
		switch {
		case !slices.Contains([]coalition.Phase{coalition.Adopted, coalition.Open, coalition.Postponed}, c.Phase):
			return errs.New(errs.Conflict, fmt.Sprintf("the deadline of a cycle that is %s is not moved", c.Phase), "it is planned until the charter is adopted, and moved until the cycle closes")
		case !deadline.After(c.Deadline):
			return errs.New(errs.Invalid, "the deadline is "+day(c.Deadline)+", and moves only later", "")
		case !deadline.Before(c.Wipe):
			return errs.New(errs.Invalid, "what the cycle leaves is wiped on "+day(c.Wipe)+", before that deadline", "")
		}
		all, err := tx.Extensions(id)
		if err != nil {
			return err
		}
		e := Extension{Cycle: id, Number: len(all) + 1, From: c.Deadline, To: deadline, Reason: reason, By: who.Name, At: s.moment()}
		c.Deadline = deadline
		if err := tx.PutCycle(c); err != nil {
			return err
		}
		if err := tx.AddExtension(e); err != nil {
			return err
		}
		return s.write(tx, Line{At: e.At, By: who.Name, What: DeadlineMoved, Cycle: id, Detail: day(e.From) + " to " + day(e.To) + "; " + reason})
	})
}
