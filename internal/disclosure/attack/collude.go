package attack

import "strconv"

// collude asks the questions again for the worst that the colluders can have
// answered. The rest of the file: a component of one block is searched through,
// every combination of colluders' answers that fits; of coupled blocks each is
// searched for itself.
func (h *hunt) collude() {
	for _, b := range h.blocks {
		w := &worst{hunt: h, block: b}
		w.start()
	}
}

// worst enumerates what the colluders answered to one block.
type worst struct {
	*hunt
	block Block
	cells []cell // where a colluder can be
	taken []int  // by cell
	limit []within
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
	w.choose(0, w.problem.Colluders)
}

// choose places the colluders that are left in cells from i on.
func (w *worst) choose(i, left int) {
	if len(w.result.Findings) > 0 {
		return // one is enough to refuse, and the next ones repeat it
	}
	if left == 0 {
		w.examine()
		return
	}
	if i == len(w.cells) {
		return
	}
	for n := left; n >= 0; n-- {
		w.taken[i] = n
		w.choose(i+1, left-n)
	}
	w.taken[i] = 0
}

// examine asks for every unit whether one member more can be in it.
func (w *worst) examine() {
	if !w.fits(-1) {
		return
	}
	for _, pl := range w.places() {
		if pl.block != w.block || len(w.atoms[pl.atom].members) <= w.of(pl.atom) {
			continue
		}
		bands := w.bands(pl, nil)
		var left []int
		for _, u := range bands {
			if w.fits(w.cell(pl.atom, u)) {
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

// fits reports whether the colluders can have answered so, with one member more
// in that cell; what the search leaves open counts as no.
func (w *worst) fits(more int) bool {
	w.limit = w.limit[:0]
	for i, c := range w.cells {
		n := w.taken[i]
		if i == more {
			n++
		}
		if n > 0 {
			w.limit = append(w.limit, within{c.variable, n, unbounded})
		}
	}
	_, v := w.solve(w.limit, nil, w.options.Budget)
	return v == possible
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
