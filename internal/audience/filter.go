package audience

import (
	"slices"
	"time"

	"muster/internal/coalition"
)

// Filter is what one reader gets of a list at one moment: the decision, worked out as
// far as it can be without a subject. It is data, so that a store can write it as the
// condition of a query, clause by clause, and never reads what it must not return.
//
// A list is filtered before anything is done to it that shows: sorting, paging,
// counting, ranking, snippets and suggestions. A filter holds for its moment; what is
// kept longer is filtered again.
type Filter struct {
	At      time.Time
	Clauses []Clause // a subject passes by any of them
}

// Clause is one way to pass: everything that it says must hold. A field that is empty
// says nothing.
type Clause struct {
	From, To TLP // the label is one of these, both included; never Unmarked but where From is

	Person  PersonID             // one of whom it is for by name
	Members []coalition.MemberID // it is for one of these
	Circles Circle               // it is for one of these

	Work Role               // one of these roles works on it
	Of   coalition.MemberID // it is of this party

	Announced Circle // it is announced to one of these

	Begun   bool // its embargo has ended
	Lasting bool // it has not expired
}

// FilterOf returns what passes of everything for which [May] answers the question with
// yes.
func FilterOf(who Reader, asks Question, at time.Time) Filter {
	f := Filter{At: at}
	if at.IsZero() || asks != Sees && asks != Knows {
		return f
	}
	for _, c := range who.ways() {
		c.Begun, c.Lasting = true, asks == Sees
		f.Clauses = append(f.Clauses, c)
	}
	for _, c := range who.work() {
		c.From, c.To = Clear, AmberStrict
		if asks == Knows {
			c.From = Unmarked
		}
		f.Clauses = append(f.Clauses, c)
		if who.Person != "" {
			c.From, c.To, c.Person = Red, Red, who.Person
			f.Clauses = append(f.Clauses, c)
		}
	}
	if asks == Knows {
		f.Clauses = append(f.Clauses, Clause{From: Clear, To: AmberStrict, Announced: who.circles()})
	}
	return f
}

// ways returns how a thing can be for the reader, each with the labels that let it
// come so.
func (r *Reader) ways() []Clause {
	var of, client Clause // of the parties that she is of, and of those that serve her
	for _, p := range r.Parties {
		c := &of
		if p.Client {
			c = &client
		}
		c.Circles |= p.Circle & (Allied | Partner)
		if p.ID != "" {
			c.Members = append(c.Members, p.ID)
		}
	}
	var all []Clause
	add := func(to TLP, c Clause) {
		c.From, c.To = Clear, to
		all = append(all, c)
	}
	if r.Person != "" {
		add(Red, Clause{Person: r.Person})
	}
	for _, w := range []struct {
		to TLP
		Clause
	}{{AmberStrict, of}, {Amber, client}} {
		if len(w.Members) > 0 {
			add(w.to, Clause{Members: w.Members})
		}
		if w.Circles != 0 {
			add(w.to, Clause{Circles: w.Circles})
		}
	}
	if r.known() {
		add(Green, Clause{Circles: Public})
	} else {
		add(Clear, Clause{Circles: Public})
	}
	return all
}

// work returns the roles that can work on a thing, each with what it is held for.
func (r *Reader) work() []Clause {
	var all []Clause
	if role := r.Staff & staff; role != 0 {
		all = append(all, Clause{Work: role})
	}
	for _, p := range r.Parties {
		if role := p.Roles &^ staff; role != 0 && !p.Client && p.ID != "" {
			all = append(all, Clause{Work: role, Of: p.ID})
		}
	}
	return all
}

// Passes reports whether the subject is one of those that the reader gets.
func (f Filter) Passes(what Subject) bool {
	for i := range f.Clauses {
		if f.Clauses[i].holds(&what, f.At) {
			return true
		}
	}
	return false
}

func (c *Clause) holds(s *Subject, at time.Time) bool {
	label := s.TLP
	if !label.Known() {
		label = Unmarked
	}
	switch {
	case label < c.From, label > c.To,
		c.Person != "" && !slices.Contains(s.People, c.Person),
		c.Circles != 0 && s.Circles&c.Circles == 0,
		c.Work != 0 && s.Work&c.Work == 0,
		c.Of != "" && !slices.Contains(s.Of, c.Of),
		c.Announced != 0 && s.Announced&c.Announced == 0,
		c.Begun && at.Before(s.Embargo),
		c.Lasting && !s.Expires.IsZero() && !at.Before(s.Expires):
		return false
	}
	return len(c.Members) == 0 || slices.ContainsFunc(c.Members, func(id coalition.MemberID) bool { return slices.Contains(s.Members, id) })
}
