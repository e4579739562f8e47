package attack

// Bound is how many members of an atom can be in a unit of a block.
type Bound struct {
	Members []string `json:"members"`
	Block   Block    `json:"block"`
	Unit    string   `json:"unit"`
	Least   int      `json:"least"`
	Most    int      `json:"most"`
}

// Reconstruct returns, for every set of members that the problem's statements
// cannot tell apart, and every unit of every block that something is said of,
// between which whole numbers the count of its members lies. With the totals of
// overlapping cohorts as statements it shows after decryption what the audit of
// the groups could not know before: that a difference of two totals is one or
// two. Where the search runs out of its budget the bound is the widest possible
// and so not relied upon. Errors as of [Run].
func Reconstruct(p Problem, o Options) ([]Bound, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if o.Budget == 0 {
		o.Budget = 20_000
	}
	var all []Bound
	for _, c := range components(&p) {
		var r Result
		h := newHunt(c, o, &r)
		if !h.begin() {
			return nil, c.contradiction()
		}
		for _, pl := range h.places() {
			for u, variable := range h.counts[pl] {
				all = append(all, Bound{
					Members: c.atoms[pl.atom].members, Block: pl.block, Unit: p.chain(pl.block.Kind)[u],
					Least: h.extreme(variable, -1), Most: h.extreme(variable, 1),
				})
			}
		}
	}
	return all, nil
}

// extreme returns the least (direction -1) or the largest (1) value of a number.
func (h *hunt) extreme(variable, direction int) int {
	edge := h.low[variable] // certainly within the bound
	if direction > 0 {
		edge = h.high[variable]
	}
	if h.most == nil {
		return edge
	}
	// The bound lies between what some world has and edge; halve until it is found.
	inside := h.least[variable]
	if direction > 0 {
		inside = h.most[variable]
	}
	for inside != edge {
		try := inside + (edge-inside+direction)/2
		limit := within{variable, h.low[variable], try}
		if direction > 0 {
			limit = within{variable, try, h.high[variable]}
		}
		world, v := h.solve([]within{limit}, h.wander, h.options.Budget)
		switch v {
		case possible:
			inside = world[variable]
		case impossible:
			edge = try - direction
		case undecided:
			return edge
		}
	}
	return edge
}
