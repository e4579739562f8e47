package cascade

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"muster/internal/cascade"
)

// Said is of how many rows of a register their suppliers say what.
type Said struct {
	Confirmed int `json:"confirmed"`
	Disputed  int `json:"disputed"`              // and in the register
	Unknown   int `json:"unknown"`               // asked, and no answer
	Open      int `json:"not_asked"`             // nobody asked
	LeftOut   int `json:"disputed_and_left_out"` // disputed, and not in the register
	Changed   int `json:"disputed_and_as_suppliers_say"`
	Own       int `json:"both_sides_one_owner"` // nobody asks these, and none is in dispute

	// Rows is what is said of each row, by requirement of the graph and its suppliers:
	// confirmed, disputed, theirs where it was disputed and stands there as the supplier
	// says, unknown, own where both sides are one owner and it is not in dispute, or
	// nothing where nobody asked.
	Rows [][]string `json:"-"`

	Disputes []Dispute `json:"-"` // that are in the register as its owner has them
}

// Dispute is a row to which its supplier does not agree, with what it says instead.
type Dispute struct {
	Requirement, Supplier int32
	Binding               *cascade.Probability
	Buffer                *cascade.Minutes
	Text                  string
}

// What suppliers say of a row.
const (
	saidConfirmed = "confirmed"
	saidDisputed  = "disputed"
	saidTheirs    = "theirs"
	saidOwn       = "own"
)

// agreed reports whether the supplier stands by what is said.
func agreed(said string) bool { return said == saidConfirmed || said == saidTheirs }

// rows is of how many rows between two owners something, or nothing, is said.
func (s *Said) rows() int {
	return s.Confirmed + s.Disputed + s.Unknown + s.Open + s.LeftOut + s.Changed
}

// status returns what is said of a row, and whether anything could be: both sides of
// some rows are one owner.
func (p *Pages) status(requirement, i int) (said string, asked bool) {
	if s := p.Register.Said; s != nil && requirement < len(s.Rows) && i < len(s.Rows[requirement]) {
		said = s.Rows[requirement][i]
	}
	return said, said != saidOwn
}

// rests is how much of what is lost at the worst moment rests on whose word: what is
// lost less where some requirements are never binding, with the same random bits.
type rests struct{ unconfirmed, disputed cascade.Difference }

// rest works out how much of a run rests on requirements of others that not every
// supplier has confirmed, and on those that one disputes. It is nil where nobody was
// asked: then all of it does.
func (p *Pages) rest(ctx context.Context, r request, progress func(done, planned int)) (*rests, error) {
	if p.Register.Said == nil {
		return nil, nil
	}
	c, err := p.untouched(r.scenario, r.measures)
	if err != nil {
		return nil, err
	}
	without := func(counts func(said string) bool) (cascade.Difference, error) {
		requirements := slices.Clone(c.Graph.Requirements())
		for i, q := range p.Register.Graph.Requirements() {
			for n := range q.Suppliers {
				if said, asked := p.status(i, n); asked && counts(said) {
					requirements[i].Binding = 0
				}
			}
		}
		less := c
		if less.Graph, err = cascade.NewGraph(c.Graph.Services(), requirements); err != nil {
			return cascade.Difference{}, err
		}
		x, err := cascade.Compare(ctx, c, less, p.options(min(r.trials, restTrials), r.seed, progress))
		if err != nil {
			return cascade.Difference{}, err
		}
		if !x.Complete {
			return cascade.Difference{}, errNothing
		}
		return x.Worst, nil
	}
	found := new(rests)
	if found.unconfirmed, err = without(func(said string) bool { return !agreed(said) }); err != nil {
		return nil, err
	}
	found.disputed, err = without(func(said string) bool { return said == saidDisputed })
	return found, err
}

// restsOn says how much of what is lost rests on whose word.
func (v *visit) restsOn(b *brief) string {
	switch {
	case b.rests == nil:
		return v.T("rests.nobody")
	case b.rests.unconfirmed.Change == 0:
		return v.T("rests.none")
	}
	x := b.rests.unconfirmed
	text := v.T("rests.unconfirmed", "All", v.Percent(x.Before), "Share", v.Percent(0-x.Change), "Give", v.give(x.Error))
	if y := b.rests.disputed; y.Change != 0 {
		text += " " + v.T("rests.disputed", "Share", v.Percent(0-y.Change), "Give", v.give(y.Error))
	}
	return text
}

// saidView is what suppliers say, row by row where they do not agree, and who has not
// answered.
type saidView struct {
	Sentence string
	Disputes []disputeRow
	More     string
	Waiting  []waitingRow
	Others   string
}

type disputeRow struct{ Service, Group, Supplier, Says, Text string }

type waitingRow struct{ Owner, Rows string }

// How many rows stand on a page.
const (
	shownDisputes = 100
	shownWaiting  = 12
)

func (v *visit) said() *saidView {
	p := v.pages
	s := p.Register.Said
	if s == nil {
		return nil
	}
	view := &saidView{Sentence: v.suppliersSay()}
	for _, d := range s.Disputes[:min(len(s.Disputes), shownDisputes)] {
		q := &p.Register.Graph.Requirements()[d.Requirement]
		var says []string
		if d.Binding != nil {
			says = append(says, v.T("said.binding", "Says", v.Figure(d.Binding.Float()), "Is", v.Figure(q.Binding.Float())))
		}
		if d.Buffer != nil {
			says = append(says, v.T("said.buffer", "Says", v.time(d.Buffer.Hours()), "Is", v.time(q.Buffer.Hours())))
		}
		if len(says) == 0 {
			says = append(says, v.T("said.denied"))
		}
		view.Disputes = append(view.Disputes, disputeRow{v.service(int(q.Service)), q.Name, v.service(int(d.Supplier)), strings.Join(says, " · "), d.Text})
	}
	if more := len(s.Disputes) - shownDisputes; more > 0 {
		view.More = v.N("said.more", more)
	}
	waiting := make(map[string]int)
	for i, q := range p.Register.Graph.Requirements() {
		for n, u := range q.Suppliers {
			if said, asked := p.status(i, n); asked && !agreed(said) && said != saidDisputed {
				waiting[p.Register.Owners[u]]++
			}
		}
	}
	owners := make([]string, 0, len(waiting))
	for owner := range waiting {
		owners = append(owners, owner)
	}
	slices.SortFunc(owners, func(a, b string) int { return cmp.Or(cmp.Compare(waiting[b], waiting[a]), cmp.Compare(a, b)) })
	for _, owner := range owners[:min(len(owners), shownWaiting)] {
		name := owner
		if name == "" {
			name = v.T("said.nobody")
		}
		view.Waiting = append(view.Waiting, waitingRow{name, v.Number(waiting[owner])})
	}
	if more := len(owners) - shownWaiting; more > 0 {
		view.Others = v.N("said.others", more)
	}
	return view
}

// suppliersSay counts what suppliers say.
func (v *visit) suppliersSay() string {
	x := v.pages.Register.Said
	text := v.T("unknown.said", "Confirmed", v.Number(x.Confirmed), "All", v.Number(x.rows()), "Disputed", v.Number(x.Disputed+x.LeftOut+x.Changed), "Open", v.Number(x.Unknown+x.Open))
	if x.Own > 0 {
		text += " " + v.N("unknown.own", x.Own)
	}
	if x.LeftOut > 0 {
		text += " " + v.T("unknown.leftOut")
	}
	if x.Changed > 0 {
		text += " " + v.T("unknown.changed")
	}
	return text
}

// supplier names supplier number i of a requirement, with what it says of that.
func (v *visit) supplier(requirement, i int, u int32) string {
	name := v.service(int(u))
	if said, asked := v.pages.status(requirement, i); v.pages.Register.Said != nil && asked {
		return name + " (" + v.T("said.status."+cmp.Or(said, "open")) + ")"
	}
	return name
}
