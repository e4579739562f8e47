package attack

import (
	"fmt"
	"slices"
	"strconv"
)

// collude asks the questions again for the worst that the colluders can have
// answered. Of every block by itself every combination of their answers that fits
// is tried. Of blocks that are coupled it is also tried with whole rows, which
// are too many to list: some are drawn from worlds.
func (h *hunt) collude() {
	for _, b := range h.blocks {
		single := h.singled(b)
		if len(single.statements) == 0 {
			continue
		}
		single.atoms = nil
		single.divide() // by what is said of this block alone: fewer atoms
		m := single.build(nil)
		w := &worst{hunt: &hunt{model: m, options: h.options, result: h.result, state: h.state}, block: b}
		w.start()
	}
	if len(h.blocks) == 1 || h.walker == nil {
		return
	}
	for range h.options.Samples {
		if len(h.result.Findings) > 0 {
			return
		}
		h.sample()
	}
}

// sample takes some members' rows of a world as known and asks every question of
// the others.
func (h *hunt) sample() {
	w := h.walker
	var known []int
	defer func() {
		for _, m := range known {
			for column, b := range w.blocks {
				_, w.pinned[m][column] = w.component.atoms[w.atoms[m]].units[b]
			}
		}
	}()
	// Like members are the worst: begin with one and prefer those next to it.
	m := h.random(len(w.rows))
	quotas := make(map[string]*quota)
	for _, b := range w.blocks {
		if quotas[b.Cycle] == nil {
			quotas[b.Cycle] = h.quota(b.Cycle)
		}
	}
	spent := func() bool {
		for _, q := range quotas {
			if !q.spent() {
				return false
			}
		}
		return true
	}
	for tries := 0; !spent() && tries < 10*len(w.rows); tries++ {
		if !slices.Contains(known, m) && h.tell(m, quotas) {
			known = append(known, m)
		}
		if m = (m + 1) % len(w.rows); h.random(3) == 0 {
			m = h.random(len(w.rows))
		}
	}
	seen := make(map[place][]bool)
	note := func() {
		h.result.Worlds++
		h.witness()
		for m, row := range w.rows {
			if slices.Contains(known, m) {
				continue
			}
			for column, u := range row {
				if u < 0 {
					continue
				}
				pl := place{w.atoms[m], w.blocks[column]}
				if seen[pl] == nil {
					seen[pl] = make([]bool, len(h.problem.chain(pl.block.Kind)))
				}
				seen[pl][u] = true
			}
		}
	}
	note()
	for _, q := range h.questions() {
		if seen[q.place] == nil {
			continue // all of the atom are known now
		}
		h.result.Examined++
		for try := range starts {
			if seen[q.place][q.unit] {
				break
			}
			if w.reach(q, nextWalk<<(2*try)) {
				note()
			}
		}
		if !seen[q.place][q.unit] {
			h.exclude(known)
			return
		}
	}
}

// tell takes a member's row as known in every cycle in which one more can have
// told, and reports whether there is one.
func (h *hunt) tell(m int, quotas map[string]*quota) bool {
	w := h.walker
	told := make(map[string]bool)
	for column, b := range w.blocks {
		if w.rows[m][column] < 0 {
			continue
		}
		if q := quotas[b.Cycle]; !told[b.Cycle] && q.room(w.atoms[m]) > 0 {
			q.take(w.atoms[m], 1)
			told[b.Cycle] = true
		}
		if told[b.Cycle] {
			w.pinned[m][column] = true
		}
	}
	return len(told) > 0
}

// exclude attacks the component with those rows as facts: what the walk did not
// find is either shown to be impossible or left open.
func (h *hunt) exclude(known []int) {
	p := *h.problem
	p.Colluders, p.Told = 0, nil
	p.Facts = slices.Clone(p.Facts)
	var worst []Fact
	var names []string
	for i, m := range known {
		rows := h.walker.ofAtom[h.walker.atoms[m]]
		name := h.atoms[h.walker.atoms[m]].members[slices.Index(rows, m)]
		names = append(names, name)
		for column, u := range h.walker.rows[m] {
			if _, given := h.atoms[h.walker.atoms[m]].units[h.blocks[column]]; u < 0 || given || !h.walker.pinned[m][column] {
				continue
			}
			f := Fact{name, h.blocks[column], p.chain(h.blocks[column].Kind)[u]}
			p.Facts = append(p.Facts, f)
			f.Member = colluder(i)
			worst = append(worst, f)
		}
	}
	c := &component{problem: &p, blocks: h.blocks, statements: h.component.statements, exact: true}
	c.divide()
	r, err := c.attack(h.options)
	if err != nil {
		return // the walk's world fits: there is no contradiction
	}
	for _, f := range r.Findings {
		// What is learnt of those who told one year's answers and not another's is theirs.
		theirs := !slices.ContainsFunc(f.Members, func(m string) bool { return !slices.Contains(names, m) })
		if f.Kind != Pointed && !theirs {
			f.Worst = worst
			h.result.Findings = append(h.result.Findings, f)
		}
	}
	h.result.Open = append(h.result.Open, r.Open...)
}

// worst enumerates what the colluders answered to one block.
type worst struct {
	*hunt
	block  Block
	cells  []cell // where a colluder can be
	taken  []int  // by cell
	quota  *quota // who else can have told
	asked  map[string]verdict
	worlds [][]int // some counts by cell that fit what is said
}

// cell is a unit of an atom that answers the block.
type cell struct {
	atom, unit, variable int
}

func (w *worst) start() {
	for a := range w.atoms {
		if _, known := w.atoms[a].units[w.block]; known {
			continue
		}
		for u, v := range w.counts[place{a, w.block}] {
			w.cells = append(w.cells, cell{a, u, v})
		}
	}
	w.taken = make([]int, len(w.cells))
	w.asked = make(map[string]verdict)
	w.quota = w.component.quota(w.block.Cycle)
	w.choose(0)
}

// choose places colluders in cells from i on, as many as there can be: one more
// that tells never hides anything.
func (w *worst) choose(i int) {
	if len(w.result.Findings) > 0 {
		return // one is enough to refuse, and the next ones repeat it
	}
	if i == len(w.cells) {
		if w.full() {
			w.examine()
		}
		return
	}
	atom := w.cells[i].atom
	for n := min(w.quota.room(atom), len(w.atoms[atom].members)-w.of(atom)); n >= 0; n-- {
		w.taken[i] = n
		w.quota.take(atom, n)
		w.choose(i + 1)
		w.quota.take(atom, -n)
	}
	w.taken[i] = 0
}

// full reports whether no member more can be a colluder.
func (w *worst) full() bool {
	return !slices.ContainsFunc(w.cells, func(c cell) bool {
		return w.quota.room(c.atom) > 0 && w.of(c.atom) < len(w.atoms[c.atom].members)
	})
}

// examine asks for every unit whether one member more can be in it.
func (w *worst) examine() {
	switch w.fits() {
	case impossible:
		return
	case undecided:
		w.open("")
		return
	}
	for _, pl := range w.places() {
		if pl.block != w.block || len(w.atoms[pl.atom].members) <= w.of(pl.atom) {
			continue
		}
		bands := w.bands(pl)
		var left []int
		for _, u := range bands {
			i := w.cell(pl.atom, u)
			w.taken[i]++
			v := w.fits()
			w.taken[i]--
			if v == undecided {
				w.open(w.problem.chain(w.block.Kind)[u])
			}
			if v != impossible {
				left = append(left, u)
			}
		}
		w.result.Examined += len(bands)
		if len(left) == len(bands) && len(left) > 1 {
			continue
		}
		f := Finding{
			Kind: Narrowed, Members: w.atoms[pl.atom].members, Block: w.block,
			Left: w.names(w.block, left), Bands: w.names(w.block, bands), Worst: w.facts(),
		}
		if len(left) == 1 {
			f.Kind = Learnt
		}
		w.result.Findings = append(w.result.Findings, f)
		return
	}
}

// open notes what was not decided, once for the block.
func (w *worst) open(unit string) {
	for _, o := range w.result.Open {
		if o.Block == w.block && o.Unit == unit {
			return
		}
	}
	w.result.Open = append(w.result.Open, Open{w.atoms[0].members, w.block, unit})
}

func (w *worst) cell(atom, unit int) int {
	for i, c := range w.cells {
		if c.atom == atom && c.unit == unit {
			return i
		}
	}
	return -1
}

// of returns how many colluders an atom has.
func (w *worst) of(atom int) int {
	n := 0
	for i, c := range w.cells {
		if c.atom == atom {
			n += w.taken[i]
		}
	}
	return n
}

// fits decides whether those taken can have answered so.
func (w *worst) fits() verdict {
	key := fmt.Sprint(w.taken)
	v, ok := w.asked[key]
	if !ok {
		v = w.decide()
		w.asked[key] = v
	}
	return v
}

func (w *worst) decide() verdict {
	for _, world := range w.worlds {
		if w.within(world) {
			return possible
		}
	}
	// Most worlds that are looked for differ little from one that is known: those
	// taken are moved there from the unit of their band that has the most.
	for _, world := range w.worlds {
		if moved := w.moved(world); moved != nil {
			w.worlds = append(w.worlds, moved)
			return possible
		}
	}
	var limit []within
	for i, c := range w.cells {
		if n := w.taken[i]; n > 0 {
			limit = append(limit, within{c.variable, n, unbounded})
		}
	}
	solution, v := w.solve(limit, w.wander, w.options.Budget)
	if v == possible {
		world := make([]int, len(w.cells))
		for i, c := range w.cells {
			world[i] = solution[c.variable]
		}
		w.worlds = append(w.worlds, world)
	}
	return v
}

// within reports whether a world has at least those taken in every cell.
func (w *worst) within(world []int) bool {
	for i, n := range w.taken {
		if world[i] < n {
			return false
		}
	}
	return true
}

// moved returns a world like the given one that has those taken, or nil: in every
// cell that lacks some they come from the cell of the same atom that has the most
// to spare and with which everything that is said still fits.
func (w *worst) moved(world []int) []int {
	world = slices.Clone(world)
	for i, n := range w.taken {
		for world[i] < n {
			best := -1
			for j := range world {
				if w.cells[j].atom != w.cells[i].atom || world[j] <= w.taken[j] || best >= 0 && world[j]-w.taken[j] <= world[best]-w.taken[best] {
					continue
				}
				world[i], world[j] = world[i]+1, world[j]-1
				if w.said(world) {
					best = j
				}
				world[i], world[j] = world[i]-1, world[j]+1
			}
			if best < 0 {
				return nil
			}
			world[i], world[best] = world[i]+1, world[best]-1
		}
	}
	return world
}

// said reports whether counts by cell fit every statement on the block.
func (w *worst) said(world []int) bool {
	for _, at := range w.statements {
		s := &w.problem.Statements[at]
		sum := 0
		for i, c := range w.cells {
			if _, in := slices.BinarySearch(s.Members, w.atoms[c.atom].members[0]); in {
				sum += s.Weights[c.unit] * world[i]
			}
		}
		for a := range w.atoms { // those whose answer is known
			if u, known := w.atoms[a].units[w.block]; known {
				if _, in := slices.BinarySearch(s.Members, w.atoms[a].members[0]); in {
					sum += s.Weights[u] * len(w.atoms[a].members)
				}
			}
		}
		if !s.Allowed.Has(sum) {
			return false
		}
	}
	return true
}

// facts returns what the colluders answered.
func (w *worst) facts() []Fact {
	chain := w.problem.chain(w.block.Kind)
	facts := []Fact{}
	for i, c := range w.cells {
		for range w.taken[i] {
			facts = append(facts, Fact{colluder(len(facts)), w.block, chain[c.unit]})
		}
	}
	return facts
}

// colluder names a member of whom only its number is known.
func colluder(i int) string { return "colluder " + strconv.Itoa(i+1) }
