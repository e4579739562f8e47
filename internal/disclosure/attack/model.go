package attack

import (
	"slices"
	"strconv"
	"strings"

	"muster/internal/framework"
)

// atom is members that the attacker cannot tell apart: on the same rosters, in
// the same sums, with the same known answers. What one of them can have answered
// any of them can, because exchanging two of them changes nothing that is known.
type atom struct {
	members []string
	units   map[Block]int // known answers, by position in the chain
}

// component is blocks that are coupled, with everything that is said of them.
// Nothing said of other blocks can narrow an answer to one of these.
type component struct {
	problem    *Problem
	blocks     []Block // in order of cycle, subject and kind
	statements []int   // indices into the problem's
	atoms      []atom

	// exact is false where more is coupled than the sums of model express: then
	// what is impossible is so, and what seems possible may not be.
	exact bool

	// single is a block by itself, of which nothing is asked but what is said of it.
	single bool
}

// components divides the problem into its independent parts.
func components(p *Problem) []*component {
	u := newUnion(p)
	for _, b := range u.blocks {
		for _, other := range coupled(p, u, b) {
			u.join(b, other)
		}
	}
	byRoot := make(map[int]*component)
	var all []*component
	for i, b := range u.blocks {
		root := u.find(i)
		c, ok := byRoot[root]
		if !ok {
			c = &component{problem: p, exact: true}
			byRoot[root] = c
			all = append(all, c)
		}
		c.blocks = append(c.blocks, b)
	}
	for i, s := range p.Statements {
		c := byRoot[u.find(u.index[s.Block])]
		c.statements = append(c.statements, i)
	}
	kept := all[:0]
	for _, c := range all {
		if len(c.statements) > 0 {
			c.divide()
			kept = append(kept, c)
		}
	}
	return kept
}

// union joins blocks into sets.
type union struct {
	blocks []Block
	index  map[Block]int
	parent []int
	stated map[Block]bool // something is said of it
}

func newUnion(p *Problem) *union {
	u := &union{index: make(map[Block]int), stated: make(map[Block]bool)}
	add := func(b Block) {
		if _, ok := u.index[b]; !ok {
			u.index[b] = -1
			u.blocks = append(u.blocks, b)
		}
	}
	for _, b := range p.Blocks {
		add(b)
	}
	for _, s := range p.Statements {
		add(s.Block)
		u.stated[s.Block] = true
	}
	for _, f := range p.Facts {
		add(f.Block)
		u.stated[f.Block] = true
	}
	order := func(a, b Block) int {
		if c := slices.Index(p.Cycles, a.Cycle) - slices.Index(p.Cycles, b.Cycle); c != 0 {
			return c
		}
		return compareBlocks(a, b)
	}
	slices.SortFunc(u.blocks, order)
	for i, b := range u.blocks {
		u.index[b] = i
		u.parent = append(u.parent, i)
	}
	return u
}

func (u *union) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}

func (u *union) join(a, b Block) {
	u.parent[u.find(u.index[a])] = u.find(u.index[b])
}

// levels returns the level blocks of an area in a cycle.
func (u *union) levels(cycle, area string) []Block {
	var all []Block
	for _, b := range u.blocks {
		if b.Cycle == cycle && b.Kind == framework.KindLevel && b.area() == area {
			all = append(all, b)
		}
	}
	return all
}

// before returns the cycle before, or "".
func (p *Problem) before(cycle string) string {
	if i := slices.Index(p.Cycles, cycle); i > 0 {
		return p.Cycles[i-1]
	}
	return ""
}

// coupled returns the blocks that b is computed from, where something is said of
// b: the levels of its area for the lowest, those of two years for the change,
// level and target for the gap.
func coupled(p *Problem, u *union, b Block) []Block {
	if !u.stated[b] {
		return nil
	}
	switch b.Kind {
	case framework.KindLowest:
		return u.levels(b.Cycle, b.area())
	case framework.KindChange:
		return append(u.levels(b.Cycle, b.area()), u.levels(p.before(b.Cycle), b.area())...)
	case framework.KindGap:
		var all []Block
		for _, kind := range []framework.Kind{framework.KindLevel, framework.KindTarget} {
			other := Block{b.Cycle, b.Subject, kind}
			if _, ok := u.index[other]; ok {
				all = append(all, other)
			}
		}
		return all
	}
	return nil
}

// divide sorts the members into atoms.
func (c *component) divide() {
	p := c.problem
	cycles := make(map[string]bool)
	for _, b := range c.blocks {
		cycles[b.Cycle] = true
	}
	signature := make(map[string]*strings.Builder)
	mark := func(member, what string) {
		s := signature[member]
		if s == nil {
			s = new(strings.Builder)
			signature[member] = s
		}
		s.WriteString(what)
	}
	for i, cycle := range p.Cycles {
		if !cycles[cycle] {
			continue
		}
		for _, m := range p.Rosters[cycle] {
			mark(m, "c"+strconv.Itoa(i))
		}
	}
	for _, i := range c.statements {
		for _, m := range p.Statements[i].Members {
			mark(m, "s"+strconv.Itoa(i))
		}
	}
	for i, t := range p.Told {
		if !cycles[t.Cycle] {
			continue
		}
		for _, m := range t.Members {
			mark(m, "t"+strconv.Itoa(i))
		}
	}
	facts := make(map[string]map[Block]int)
	for _, f := range p.Facts {
		at, ok := slices.BinarySearchFunc(c.blocks, f.Block, func(a, b Block) int {
			if d := slices.Index(p.Cycles, a.Cycle) - slices.Index(p.Cycles, b.Cycle); d != 0 {
				return d
			}
			return compareBlocks(a, b)
		})
		if !ok {
			continue
		}
		unit := slices.Index(p.chain(f.Block.Kind), f.Unit)
		mark(f.Member, "f"+strconv.Itoa(at)+"="+strconv.Itoa(unit))
		if facts[f.Member] == nil {
			facts[f.Member] = make(map[Block]int)
		}
		facts[f.Member][f.Block] = unit
	}
	bySignature := make(map[string]int)
	members := make([]string, 0, len(signature))
	for m := range signature {
		members = append(members, m)
	}
	slices.Sort(members)
	for _, m := range members {
		s := signature[m].String()
		at, ok := bySignature[s]
		if !ok {
			at = len(c.atoms)
			bySignature[s] = at
			c.atoms = append(c.atoms, atom{units: facts[m]})
		}
		c.atoms[at].members = append(c.atoms[at].members, m)
	}
}

// model is a component as numbers: how many members of an atom are in a unit.
type model struct {
	*component
	system
	counts map[place][]int // the variables of an atom in a block, by unit
}

// place is an atom in a block.
type place struct {
	atom  int
	block Block
}

// build writes the component as sums over counts, without the statements in
// leave, which are given by index.
func (c *component) build(leave map[int]bool) *model {
	m := &model{component: c, counts: make(map[place][]int)}
	for _, b := range c.blocks {
		units := len(c.problem.chain(b.Kind))
		roster := c.problem.Rosters[b.Cycle]
		for a := range c.atoms {
			if _, ok := slices.BinarySearch(roster, c.atoms[a].members[0]); !ok {
				continue
			}
			size := len(c.atoms[a].members)
			vars := make([]int, units)
			terms := make([]term, units)
			for u := range vars {
				low, high := 0, size
				if unit, known := c.atoms[a].units[b]; known {
					low, high = 0, 0
					if u == unit {
						low, high = size, size
					}
				}
				vars[u] = m.variable(low, high)
				terms[u] = term{vars[u], 1}
			}
			m.require(Exactly(size), terms...)
			m.counts[place{a, b}] = vars
		}
	}
	for _, i := range c.statements {
		if leave[i] {
			continue
		}
		s := &c.problem.Statements[i]
		var terms []term
		for a := range c.atoms {
			if _, in := slices.BinarySearch(s.Members, c.atoms[a].members[0]); !in {
				continue
			}
			for u, v := range m.counts[place{a, s.Block}] {
				terms = append(terms, term{v, s.Weights[u]})
			}
		}
		m.require(s.Allowed, terms...)
	}
	if !c.single {
		m.couple()
	}
	return m
}
