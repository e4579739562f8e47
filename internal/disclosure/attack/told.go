package attack

import "slices"

// Told says how many of some members told the attacker everything that they
// answered in one cycle. Which of them, and what they answered, is the worst that
// fits the statements. A member that several of them name counts in each.
type Told struct {
	Cycle   string
	Members []string // in ascending order
	Most    int
}

// told returns the limits on who told the attacker everything of a cycle.
func (p *Problem) told(cycle string) []Told {
	var limits []Told
	for _, t := range p.Told {
		if t.Cycle == cycle {
			limits = append(limits, t)
		}
	}
	if limits == nil {
		limits = []Told{{cycle, p.Rosters[cycle], p.Colluders}}
	}
	return limits
}

// quota counts members of atoms against the limits of one cycle.
type quota struct {
	left []int   // by limit, how many more
	of   [][]int // by atom, the limits that count it; one that none counts tells nothing
}

func (c *component) quota(cycle string) *quota {
	q := &quota{of: make([][]int, len(c.atoms))}
	for i, t := range c.problem.told(cycle) {
		q.left = append(q.left, t.Most)
		for a := range c.atoms {
			if _, in := slices.BinarySearch(t.Members, c.atoms[a].members[0]); in {
				q.of[a] = append(q.of[a], i)
			}
		}
	}
	return q
}

// room returns how many more members of an atom can have told.
func (q *quota) room(atom int) int {
	if len(q.of[atom]) == 0 {
		return 0
	}
	room := q.left[q.of[atom][0]]
	for _, i := range q.of[atom] {
		room = min(room, q.left[i])
	}
	return room
}

// take counts n members of an atom more; fewer if n is negative.
func (q *quota) take(atom, n int) {
	for _, i := range q.of[atom] {
		q.left[i] -= n
	}
}

// spent reports whether nobody more can have told.
func (q *quota) spent() bool {
	for a := range q.of {
		if q.room(a) > 0 {
			return false
		}
	}
	return true
}
