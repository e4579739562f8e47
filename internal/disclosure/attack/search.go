package attack

import (
	"fmt"
	"slices"

	"muster/internal/errs"
)

// question is whether a member of an atom can be in a unit of a block.
type question struct {
	place
	unit     int
	variable int
}

// attack asks every question of the component.
func (c *component) attack(o Options) (Result, error) {
	var r Result
	h := newHunt(c, o, &r)
	if !h.begin() {
		return r, c.contradiction()
	}
	questions := h.questions()
	r.Examined = len(questions)
	left := make(map[place][]int)
	for _, q := range questions {
		switch h.ask(q) {
		case possible:
			left[q.place] = append(left[q.place], q.unit)
		case undecided:
			left[q.place] = append(left[q.place], q.unit)
			r.Open = append(r.Open, Open{c.atoms[q.atom].members, q.block, c.unit(q)})
		}
	}
	for _, pl := range h.places() {
		bands := h.bands(pl)
		if units := left[pl]; len(units) < len(bands) || len(units) == 1 {
			r.Findings = append(r.Findings, h.narrowed(pl, units, bands))
		}
	}
	for _, q := range questions {
		if h.pointed(q) {
			r.Findings = append(r.Findings, Finding{
				Kind: Pointed, Members: c.atoms[q.atom].members, Block: q.block,
				Left: []string{c.unit(q)}, Bands: c.names(q.block, h.bands(q.place)), Worst: []Fact{},
			})
		}
	}
	if len(r.Findings) == 0 && slices.ContainsFunc(c.blocks, func(b Block) bool { return !c.quota(b.Cycle).spent() }) {
		h.collude()
	}
	return r, nil
}

// contradiction says that the component's statements fit no answers.
func (c *component) contradiction() error {
	return errs.New(errs.Conflict,
		fmt.Sprintf("no answers fit what was said of %s and what is coupled to it", c.problem.Statements[c.statements[0]].Block),
		"a table is wrong, or a roster is")
}

// unit returns the name of a question's unit.
func (c *component) unit(q question) string { return c.problem.chain(q.block.Kind)[q.unit] }

func (c *component) names(b Block, units []int) []string {
	chain := c.problem.chain(b.Kind)
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = chain[u]
	}
	return names
}

// places returns the atoms in blocks whose answers are not known, in order.
func (m *model) places() []place {
	var all []place
	for _, b := range m.blocks {
		for a := range m.atoms {
			pl := place{a, b}
			if _, ok := m.counts[pl]; !ok {
				continue
			}
			if _, known := m.atoms[a].units[b]; !known {
				all = append(all, pl)
			}
		}
	}
	return all
}

// questions returns one question for each unit that the published bands leave.
func (m *model) questions() []question {
	var all []question
	for _, pl := range m.places() {
		for _, u := range m.bands(pl) {
			all = append(all, question{pl, u, m.counts[pl][u]})
		}
	}
	return all
}

// bands returns the units that what was printed of the block itself leaves to a
// member of the atom: those that no count shows to be empty. What is published as
// empty is no secret any more; everything else that goes is a finding.
func (m *model) bands(pl place) []int {
	chain := m.problem.chain(pl.block.Kind)
	empty := make([]bool, len(chain))
	for _, i := range m.statements {
		s := &m.problem.Statements[i]
		if s.Implied || s.Block != pl.block || !s.counts() {
			continue
		}
		if n, only := s.Allowed.Only(); !only || n != 0 {
			continue
		}
		if _, in := slices.BinarySearch(s.Members, m.atoms[pl.atom].members[0]); !in {
			continue
		}
		for u, w := range s.Weights {
			empty[u] = empty[u] || w > 0
		}
	}
	var units []int
	for u := range chain {
		if !empty[u] {
			units = append(units, u)
		}
	}
	return units
}

// hunt is the search in one component: a walk from world to world, which finds
// most of what is possible, and the solver, which shows what is not.
type hunt struct {
	*model
	options Options
	result  *Result
	walker  *walker // nil if it found no world
	most    []int   // by number, the largest value in any world found
	least   []int
	state   uint64 // of a generator that only diversifies the search
}

func newHunt(c *component, o Options, r *Result) *hunt {
	return &hunt{model: c.build(nil), options: o, result: r}
}

// Steps of the walk: to find a first world, and to come from one to another.
const (
	firstWalk = 2_000
	nextWalk  = 3_000
	starts    = 4
)

// begin looks for a first world and reports false if there is none.
func (h *hunt) begin() bool {
	var solution []int
	for try := range starts {
		w := newWalker(h.component, h.random)
		if !w.start(try, h.options.Budget) {
			break
		}
		if w.walk(max(firstWalk, len(w.rows)*len(w.blocks)) << (2 * try)) {
			h.walker = w
			h.found(h.counted())
			h.witness()
			return true
		}
		if solution != nil {
			continue
		}
		var v verdict
		if solution, v = h.solve(nil, h.wander, min(h.options.Budget, firstRun<<(2*try))); v == impossible {
			return false
		}
	}
	v := possible
	if solution == nil {
		solution, v = h.solve(nil, h.wander, h.options.Budget)
	}
	if v == possible && h.exact {
		h.found(solution)
	}
	return v != impossible
}

// witness shows the walker's world to whoever wants to see it.
func (h *hunt) witness() {
	if h.options.Witness == nil {
		return
	}
	answers := make(map[string][]string)
	for a, rows := range h.walker.ofAtom {
		for i, m := range rows {
			units := make([]string, len(h.blocks))
			for column, u := range h.walker.rows[m] {
				if u >= 0 {
					units[column] = h.problem.chain(h.blocks[column].Kind)[u]
				}
			}
			answers[h.atoms[a].members[i]] = units
		}
	}
	h.options.Witness(h.blocks, answers)
}

// counted returns the counts of the walker's world.
func (h *hunt) counted() []int {
	world := make([]int, len(h.low))
	for column, b := range h.blocks {
		for m, row := range h.walker.rows {
			if u := row[column]; u >= 0 {
				world[h.counts[place{h.walker.atoms[m], b}][u]]++
			}
		}
	}
	return world
}

// random returns a number below n.
func (h *hunt) random(n int) int {
	h.state += 0x9e3779b97f4a7c15
	z := h.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// wander chooses directions so that worlds differ: numbers that were never above
// zero first.
func (h *hunt) wander(variable int) bool {
	return h.most != nil && h.most[variable] == 0 || h.random(2) == 0
}

// found notes a world. Only counts of units are looked at.
func (h *hunt) found(world []int) {
	h.result.Worlds++
	if h.most == nil {
		h.most, h.least = slices.Clone(world), slices.Clone(world)
		return
	}
	for i, n := range world {
		h.most[i], h.least[i] = max(h.most[i], n), min(h.least[i], n)
	}
}

// ask decides a question.
func (h *hunt) ask(q question) verdict {
	if h.most != nil && h.most[q.variable] > 0 {
		return possible
	}
	// A short walk, a short proof that there is none, and then more of both.
	for try := range starts {
		if h.walker != nil && h.walker.reach(q, nextWalk<<(2*try)) {
			h.found(h.counted())
			h.witness()
			return possible
		}
		budget := h.options.Budget
		if try < starts-1 {
			budget = min(budget, firstRun<<(2*try))
		}
		world, v := h.solve([]within{{q.variable, 1, unbounded}}, h.wander, budget)
		if v == impossible {
			return impossible
		}
		if v == possible && h.exact {
			h.found(world)
			return possible
		}
	}
	return undecided
}

// pointed reports whether it is certain that the unit holds one or two members
// of the atom.
func (h *hunt) pointed(q question) bool {
	if h.most != nil && (h.most[q.variable] > Few || h.least[q.variable] == 0) {
		return false
	}
	// A unit that is pointed at is so for a simple reason: a short proof or none.
	budget := min(h.options.Budget, firstRun)
	for _, limit := range []within{{q.variable, 0, 0}, {q.variable, Few + 1, unbounded}} {
		if world, v := h.solve([]within{limit}, h.wander, budget); v != impossible {
			if v == possible && h.exact {
				h.found(world)
			}
			return false
		}
	}
	return true
}

// narrowed returns the finding with statements that suffice for it.
func (h *hunt) narrowed(pl place, left, bands []int) Finding {
	f := Finding{
		Kind: Narrowed, Members: h.atoms[pl.atom].members, Block: pl.block,
		Left: h.names(pl.block, left), Bands: h.names(pl.block, bands), Worst: []Fact{},
	}
	if len(left) == 1 {
		f.Kind = Learnt
	}
	f.From = h.reasons(pl, left)
	return f
}

// maxReasons bounds how many statements are tried one by one.
const maxReasons = 200

// reasons leaves out every statement without which the same units stay excluded.
func (h *hunt) reasons(pl place, left []int) []Statement {
	leave := make(map[int]bool)
	if len(h.statements) <= maxReasons {
		for _, i := range h.statements {
			leave[i] = true
			if !h.excluded(pl, left, leave) {
				delete(leave, i)
			}
		}
	}
	var kept []Statement
	for _, i := range h.statements {
		if !leave[i] {
			kept = append(kept, h.problem.Statements[i])
		}
	}
	return kept
}

// excluded reports whether no unit but those in left is possible without the
// statements in leave.
func (h *hunt) excluded(pl place, left []int, leave map[int]bool) bool {
	m := h.build(leave)
	for u, v := range m.counts[pl] {
		if slices.Contains(left, u) {
			continue
		}
		if _, verdict := m.solve([]within{{v, 1, unbounded}}, nil, h.options.Budget/10); verdict != impossible {
			return false
		}
	}
	return true
}
