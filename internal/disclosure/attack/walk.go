package attack

import (
	"slices"

	"muster/internal/framework"
)

// walker holds an assignment of answers to all members of a component, row by
// row, and changes it step by step until it fits everything that is said: then it
// is a world, and proves for every answer in it that it is possible. It proves
// nothing by failing.
type walker struct {
	*component
	random  func(n int) int
	recipes []*recipe
	feeds   [][]int // by column, the derived columns that it goes into

	atoms  []int   // by row, its atom
	ofAtom [][]int // by atom, its rows
	rows   [][]int // by row and column, the unit; -1 where the member is not on the roster
	pinned [][]bool

	said  [][]int  // by column, the statements
	in    [][]bool // by statement (as in component.statements) and atom
	sums  []int    // by statement
	off   []int    // by statement, how far the sum is from what is allowed
	unmet []int    // statements that are off, in no order
	at    []int    // by statement, where in unmet it is
	fault int      // how far all sums are off, and how many wanted answers are not so

	// One answer that a world is wanted for, in a derived column; row -1 for none.
	want struct{ row, column, unit int }
}

func newWalker(c *component, random func(int) int) *walker {
	w := &walker{component: c, random: random, recipes: c.recipes()}
	w.want.row = -1
	w.feeds = make([][]int, len(c.blocks))
	for d, r := range w.recipes {
		if r == nil {
			continue
		}
		for _, at := range slices.Concat(r.now, r.then) {
			if at >= 0 && !slices.Contains(w.feeds[at], d) {
				w.feeds[at] = append(w.feeds[at], d)
			}
		}
	}
	w.said = make([][]int, len(c.blocks))
	w.sums, w.off, w.at = make([]int, len(c.statements)), make([]int, len(c.statements)), make([]int, len(c.statements))
	for i, at := range c.statements {
		s := &c.problem.Statements[at]
		column := slices.Index(c.blocks, s.Block)
		w.said[column] = append(w.said[column], i)
		in := make([]bool, len(c.atoms))
		for a := range c.atoms {
			_, in[a] = slices.BinarySearch(s.Members, c.atoms[a].members[0])
		}
		w.in = append(w.in, in)
	}
	w.ofAtom = make([][]int, len(c.atoms))
	for a := range c.atoms {
		for range c.atoms[a].members {
			w.ofAtom[a] = append(w.ofAtom[a], len(w.rows))
			w.atoms = append(w.atoms, a)
			w.rows = append(w.rows, slices.Repeat([]int{-1}, len(c.blocks)))
			w.pinned = append(w.pinned, make([]bool, len(c.blocks)))
		}
	}
	return w
}

// start fills the rows: each own column with counts that fit what is said of it
// alone, in ascending order. It reports whether every column has such counts. The
// first two times the counts lie at the ends of what fits, so that a year's
// columns are like those of the year before and few members change.
func (w *walker) start(try, budget int) bool {
	upward := func(int) bool { return try == 1 || try > 1 && w.random(2) == 0 }
	for column, b := range w.blocks {
		if len(w.said[column]) == 0 {
			w.scatter(column)
			continue
		}
		alone := w.singled(b).build(nil)
		h := &hunt{model: alone, result: new(Result)}
		counts, v := alone.solve(nil, upward, budget)
		if v != possible {
			return false
		}
		for a, rows := range w.ofAtom {
			vars := h.counts[place{a, b}]
			next := 0
			for u, variable := range vars {
				for range counts[variable] {
					w.rows[rows[next]][column] = u
					_, w.pinned[rows[next]][column] = w.component.atoms[a].units[b]
					next++
				}
			}
		}
	}
	for _, row := range w.rows {
		for d, r := range w.recipes {
			if r != nil && row[d] >= 0 {
				row[d] = r.of(row)
			}
		}
	}
	w.recount()
	return true
}

// scatter gives every member a random unit in a column of which nothing is said,
// unless its answer is known.
func (w *walker) scatter(column int) {
	b := w.blocks[column]
	for m, a := range w.atoms {
		if _, ok := slices.BinarySearch(w.problem.Rosters[b.Cycle], w.component.atoms[a].members[0]); !ok {
			continue
		}
		unit, known := w.component.atoms[a].units[b]
		if !known {
			unit = w.random(len(w.problem.chain(b.Kind)))
		}
		w.rows[m][column], w.pinned[m][column] = unit, known
	}
}

// singled returns one block of the component by itself.
func (c *component) singled(b Block) *component {
	single := &component{problem: c.problem, blocks: []Block{b}, atoms: c.atoms, exact: true, single: true}
	for _, i := range c.statements {
		if c.problem.Statements[i].Block == b {
			single.statements = append(single.statements, i)
		}
	}
	return single
}

// recount adds up everything anew.
func (w *walker) recount() {
	w.fault = 0
	w.unmet = w.unmet[:0]
	clear(w.off)
	for column := range w.blocks {
		for _, i := range w.said[column] {
			s := &w.problem.Statements[w.statements[i]]
			w.sums[i] = 0
			for m, row := range w.rows {
				if w.in[i][w.atoms[m]] && row[column] >= 0 {
					w.sums[i] += s.Weights[row[column]]
				}
			}
			w.measure(i)
		}
	}
	// Known answers to derived blocks are told to the walk as faults.
	for m, row := range w.rows {
		for d, r := range w.recipes {
			if r != nil && row[d] >= 0 {
				w.fault += w.unfit(m, d, row[d])
			}
		}
	}
}

// measure notes how far a statement's sum is off now.
func (w *walker) measure(i int) {
	off := w.problem.Statements[w.statements[i]].Allowed.distance(w.sums[i])
	w.fault += off - w.off[i]
	switch {
	case off > 0 && w.off[i] == 0:
		w.at[i] = len(w.unmet)
		w.unmet = append(w.unmet, i)
	case off == 0 && w.off[i] > 0:
		last := w.unmet[len(w.unmet)-1]
		w.unmet[w.at[i]], w.at[last] = last, w.at[i]
		w.unmet = w.unmet[:len(w.unmet)-1]
	}
	w.off[i] = off
}

// unfit is 1 where a derived unit is not the one that is known or wanted.
func (w *walker) unfit(m, d, unit int) int {
	if known, ok := w.component.atoms[w.atoms[m]].units[w.blocks[d]]; ok && known != unit {
		return 1
	}
	if w.want.row == m && w.want.column == d && w.want.unit != unit {
		return 1
	}
	return 0
}

// distance returns how far n is from the nearest value.
func (v Values) distance(n int) int {
	least := unbounded
	for _, r := range v.ranges {
		least = min(least, max(r.low-n, n-r.high, 0))
	}
	return least
}

// put gives a member a unit in a column, and what follows from it.
func (w *walker) put(m, column, unit int) {
	w.move(m, column, unit)
	for _, d := range w.feeds[column] {
		if w.rows[m][d] >= 0 {
			w.move(m, d, w.recipes[d].of(w.rows[m]))
		}
	}
}

func (w *walker) move(m, column, unit int) {
	row := w.rows[m]
	old := row[column]
	if old == unit {
		return
	}
	for _, i := range w.said[column] {
		if !w.in[i][w.atoms[m]] {
			continue
		}
		s := &w.problem.Statements[w.statements[i]]
		if d := s.Weights[unit] - s.Weights[old]; d != 0 {
			w.sums[i] += d
			w.measure(i)
		}
	}
	if w.recipes[column] != nil {
		w.fault += w.unfit(m, column, unit) - w.unfit(m, column, old)
	}
	row[column] = unit
}

// walk changes the rows for at most that many steps and reports whether they are
// a world now.
func (w *walker) walk(steps int) bool {
	for range steps {
		if w.fault == 0 {
			return true
		}
		w.step()
	}
	return w.fault == 0
}

// step changes one answer, or exchanges one or all answers of a year between two
// members of an atom, and takes it back if that makes it worse; now and then it
// does not.
func (w *walker) step() {
	m, column := w.aim()
	if w.rows[m][column] < 0 {
		return
	}
	before := w.fault
	worse := func() bool { return w.fault > before && (w.fault > before+1 || w.random(50) > 0) }
	switch w.random(3) {
	case 0:
		if w.pinned[m][column] {
			return
		}
		old := w.rows[m][column]
		w.put(m, column, w.random(len(w.problem.chain(w.blocks[column].Kind))))
		if worse() {
			w.put(m, column, old)
		}
	case 1:
		if other, ok := w.other(m); ok && w.exchange(m, other, column) && worse() {
			w.exchange(m, other, column)
		}
	case 2:
		other, ok := w.other(m)
		if !ok {
			return
		}
		var done []int
		for c, b := range w.blocks {
			if b.Cycle == w.blocks[column].Cycle && w.recipes[c] == nil && w.exchange(m, other, c) {
				done = append(done, c)
			}
		}
		if worse() {
			for _, c := range done {
				w.exchange(m, other, c)
			}
		}
	}
}

// aim returns a row and an own column that something that does not fit depends on.
func (w *walker) aim() (row, column int) {
	row = w.random(len(w.rows))
	column = w.random(len(w.blocks))
	if w.want.row >= 0 && w.random(4) == 0 {
		row, column = w.want.row, w.want.column
	} else if len(w.unmet) > 0 {
		i := w.unmet[w.random(len(w.unmet))]
		column = slices.Index(w.blocks, w.problem.Statements[w.statements[i]].Block)
	}
	if r := w.recipes[column]; r != nil {
		sources := r.now
		if len(r.then) > 0 && r.then[0] >= 0 && w.random(2) == 0 {
			sources = r.then
		}
		if len(sources) == 0 {
			return row, column
		}
		column = sources[w.random(len(sources))]
	}
	return row, column
}

// other returns another row of m's atom.
func (w *walker) other(m int) (int, bool) {
	rows := w.ofAtom[w.atoms[m]]
	other := rows[w.random(len(rows))]
	return other, other != m
}

// exchange swaps two members' answers in an own column, unless one is pinned.
func (w *walker) exchange(x, y, column int) bool {
	if w.recipes[column] != nil || w.pinned[x][column] || w.pinned[y][column] || w.rows[x][column] < 0 {
		return false
	}
	ux, uy := w.rows[x][column], w.rows[y][column]
	w.put(x, column, uy)
	w.put(y, column, ux)
	return true
}

// reach tries to come from a world to one in which a member of the atom is in the
// unit of the block, and goes back to where it was if it does not.
func (w *walker) reach(q question, steps int) bool {
	column := slices.Index(w.blocks, q.block)
	var free []int // rows of which the answer is not known
	for _, m := range w.ofAtom[q.atom] {
		if !w.pinned[m][column] {
			free = append(free, m)
		}
	}
	if len(free) == 0 {
		return false
	}
	kept := make([][]int, len(w.rows))
	for m, row := range w.rows {
		kept[m] = slices.Clone(row)
	}
	m := free[w.random(len(free))]
	fixed := []int{column}
	if w.recipes[column] == nil {
		w.put(m, column, q.unit)
	} else {
		fixed = w.give(m, column, q.unit)
		w.want.row, w.want.column, w.want.unit = m, column, q.unit
		w.recount()
	}
	for _, c := range fixed {
		w.pinned[m][c] = true
	}
	defer func() {
		for _, c := range fixed {
			w.pinned[m][c] = false
		}
	}()
	reached := w.walk(steps)
	if !reached {
		w.rows = kept
	}
	w.want.row = -1
	if !reached {
		w.recount()
	}
	return reached
}

// give changes a member's own answers so that a derived column has the unit: all
// of its sources but one or two are without an answer. It returns the columns
// that make it so, or none if it found no way.
func (w *walker) give(m, d, unit int) []int {
	r := w.recipes[d]
	row := slices.Clone(w.rows[m])
	for try := range 200 {
		copy(row, w.rows[m])
		changed := make(map[int]bool)
		set := func(column, unit int) {
			if row[column] >= 0 && row[column] != unit && !w.pinned[m][column] {
				row[column] = unit
				changed[column] = true
			}
		}
		for _, at := range r.now {
			if r.kind != framework.KindGap {
				set(at, 0)
			}
		}
		for range try % 3 {
			if len(r.now) == 0 {
				break
			}
			i := w.random(len(r.now))
			set(r.now[i], w.random(len(w.problem.chain(w.blocks[r.now[i]].Kind))))
			if len(r.then) > 0 && r.then[i] >= 0 {
				set(r.then[i], w.random(len(w.problem.chain(w.blocks[r.then[i]].Kind))))
			}
		}
		if r.of(row) != unit {
			continue
		}
		var fixed []int
		for _, at := range slices.Concat(r.now, r.then) {
			if at < 0 || w.pinned[m][at] || w.rows[m][at] < 0 {
				continue
			}
			w.put(m, at, row[at])
			fixed = append(fixed, at)
		}
		return fixed
	}
	return nil
}
