package attack

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"muster/internal/errs"
)

// Group is members whose answers are to be added up, or were: a planned cohort,
// or a cohort as its frozen roster has it. The groups of one audit are of one
// cycle.
type Group struct {
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// Isolation is few members whose answers can be added up alone, by adding and
// subtracting what was added up of groups.
type Isolation struct {
	Members []string `json:"members"` // whose answers stand alone, without those that the attacker knows
	Known   []string `json:"known"`   // known answers that have to be subtracted
	Terms   []Part   `json:"terms"`   // the sum that does it
	Needed  int      `json:"needed"`  // how many members it would have to be at least
}

// Part is a group with the number that its total is taken times.
type Part struct {
	Group string `json:"group"`
	Times string `json:"times"` // a fraction, such as "1" or "-1/2"
}

// String returns the sum as a person writes it: "all - coast isolates 3 members".
func (i Isolation) String() string {
	var b strings.Builder
	for n, t := range i.Terms {
		times, minus := strings.CutPrefix(t.Times, "-")
		switch {
		case minus && n == 0:
			b.WriteString("-")
		case minus:
			b.WriteString(" - ")
		case n > 0:
			b.WriteString(" + ")
		}
		if times != "1" {
			b.WriteString(times + " x ")
		}
		b.WriteString(t.Group)
	}
	if len(i.Known) > 0 {
		b.WriteString(" - what is known")
	}
	noun := "members"
	if len(i.Members) == 1 {
		noun = "member"
	}
	fmt.Fprintf(&b, " isolates %d %s", len(i.Members), noun)
	return b.String()
}

// AuditConfig is what an audit of groups needs to know.
type AuditConfig struct {
	Groups    []Group
	Known     []string // whose answers the attacker knows: hosts, who opened theirs
	Colluders int      // how many more tell theirs, whoever they are
	Least     int      // members that must stand together besides all of these
}

// maxAuditSets bounds the search over sets of atoms.
const maxAuditSets = 1 << 20

// Audit finds every smallest set of fewer than Least members, besides those whose
// answers are known, whose answers some sum over the groups isolates. It is
// linear algebra over who belongs to which group and knows no total: it can run
// before anything is opened. What it finds must not be opened; what it passes can
// still give something away by its counts, which is what [Run] is for.
//
// A set A is isolated exactly if leaving out A's columns lowers the rank of the
// matrix of groups by members. Its errors are of kind Invalid, and of kind
// Unavailable where there are more sets than it can try.
func Audit(cfg AuditConfig) ([]Isolation, error) {
	if cfg.Least < 1 || cfg.Colluders < 0 {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("an audit for %d members and %d colluders", cfg.Least, cfg.Colluders), "at least 1 and 0")
	}
	for i, g := range cfg.Groups {
		if slices.ContainsFunc(cfg.Groups[:i], func(o Group) bool { return o.Name == g.Name }) {
			return nil, errs.New(errs.Invalid, "two groups are named "+errs.Quote(g.Name), "")
		}
	}
	a := newAudit(cfg)
	if err := a.visit(0, nil, 0); err != nil {
		return nil, err
	}
	return a.found, nil
}

type audit struct {
	cfg    AuditConfig
	needed int
	matrix [][]*big.Rat // groups by atoms
	atoms  [][]string   // members of equal membership, without the known
	sets   int
	small  []int // atoms that can be part of an isolated set
	found  []Isolation
	used   [][]int // atoms of each set found
}

func newAudit(cfg AuditConfig) *audit {
	a := &audit{cfg: cfg, needed: cfg.Least + cfg.Colluders}
	pattern := make(map[string][]bool)
	for i, g := range cfg.Groups {
		for _, m := range g.Members {
			if slices.Contains(cfg.Known, m) {
				continue
			}
			if pattern[m] == nil {
				pattern[m] = make([]bool, len(cfg.Groups))
			}
			pattern[m][i] = true
		}
	}
	members := make([]string, 0, len(pattern))
	for m := range pattern {
		members = append(members, m)
	}
	slices.Sort(members)
	at := make(map[string]int)
	a.matrix = make([][]*big.Rat, len(cfg.Groups))
	for _, m := range members {
		key := fmt.Sprint(pattern[m])
		i, ok := at[key]
		if !ok {
			i = len(a.atoms)
			at[key] = i
			a.atoms = append(a.atoms, nil)
			for g, in := range pattern[m] {
				x := new(big.Rat)
				if in {
					x.SetInt64(1)
				}
				a.matrix[g] = append(a.matrix[g], x)
			}
		}
		a.atoms[i] = append(a.atoms[i], m)
	}
	for i, members := range a.atoms {
		if len(members) < a.needed {
			a.small = append(a.small, i)
		}
	}
	return a
}

// visit tries every set of small atoms that holds too few members, smaller sets
// before those that contain them on any branch.
func (a *audit) visit(from int, set []int, size int) error {
	for i := from; i < len(a.small); i++ {
		atom := a.small[i]
		if size+len(a.atoms[atom]) >= a.needed {
			continue
		}
		if a.sets++; a.sets > maxAuditSets {
			return errs.New(errs.Unavailable, fmt.Sprintf("the %d groups divide the members in more ways than can be audited", len(a.cfg.Groups)), "plan fewer groups")
		}
		wider := append(slices.Clone(set), atom)
		if !a.examine(wider) {
			if err := a.visit(i+1, wider, size+len(a.atoms[atom])); err != nil {
				return err
			}
		}
	}
	return nil
}

// examine reports whether a sum over the groups isolates the set, and notes it
// unless a smaller set is found already.
func (a *audit) examine(set []int) bool {
	for _, u := range a.used {
		if !slices.ContainsFunc(u, func(atom int) bool { return !slices.Contains(set, atom) }) {
			return true
		}
	}
	relations := a.combinations(set)
	for _, y := range relations {
		row := a.apply(y)
		if !slices.ContainsFunc(row, func(x *big.Rat) bool { return x.Sign() != 0 }) {
			continue // the groups cancel: nobody is left
		}
		var isolation Isolation
		var support []int
		for atom, x := range row {
			if x.Sign() != 0 {
				support = append(support, atom)
				isolation.Members = append(isolation.Members, a.atoms[atom]...)
			}
		}
		slices.Sort(isolation.Members)
		isolation.Needed = a.needed
		for g, times := range y {
			if times.Sign() == 0 {
				continue
			}
			isolation.Terms = append(isolation.Terms, Part{a.cfg.Groups[g].Name, times.RatString()})
			for _, m := range a.cfg.Groups[g].Members {
				if slices.Contains(a.cfg.Known, m) && !slices.Contains(isolation.Known, m) {
					isolation.Known = append(isolation.Known, m)
				}
			}
		}
		slices.Sort(isolation.Known)
		a.found, a.used = append(a.found, isolation), append(a.used, support)
		return true
	}
	return false
}

// apply returns the members that a sum over groups counts, by atom.
func (a *audit) apply(y []*big.Rat) []*big.Rat {
	row := make([]*big.Rat, len(a.atoms))
	for atom := range row {
		row[atom] = new(big.Rat)
		for g, times := range y {
			row[atom].Add(row[atom], new(big.Rat).Mul(times, a.matrix[g][atom]))
		}
	}
	return row
}

// combinations returns a basis of the sums over groups that count nobody outside
// the set, each scaled so that its first number is positive.
func (a *audit) combinations(set []int) [][]*big.Rat {
	groups := len(a.matrix)
	var equations [][]*big.Rat // one for each atom outside the set
	for atom := range a.atoms {
		if slices.Contains(set, atom) {
			continue
		}
		e := make([]*big.Rat, groups)
		for g := range e {
			e[g] = new(big.Rat).Set(a.matrix[g][atom])
		}
		equations = append(equations, e)
	}
	pivots := reduce(equations, groups)
	var basis [][]*big.Rat
	for free := range groups {
		if slices.Contains(pivots, free) {
			continue
		}
		y := make([]*big.Rat, groups)
		for g := range y {
			y[g] = new(big.Rat)
		}
		y[free].SetInt64(1)
		for row, g := range pivots {
			y[g].Neg(equations[row][free])
		}
		for _, x := range y {
			if x.Sign() < 0 {
				for _, z := range y {
					z.Neg(z)
				}
			}
			if x.Sign() != 0 {
				break
			}
		}
		basis = append(basis, y)
	}
	return basis
}

// reduce brings the equations into reduced row echelon form and returns the
// column of each pivot, by row.
func reduce(equations [][]*big.Rat, columns int) []int {
	var pivots []int
	for column := range columns {
		row := len(pivots)
		found := -1
		for i := row; i < len(equations); i++ {
			if equations[i][column].Sign() != 0 {
				found = i
				break
			}
		}
		if found < 0 {
			continue
		}
		equations[row], equations[found] = equations[found], equations[row]
		scale := new(big.Rat).Inv(equations[row][column])
		for _, x := range equations[row] {
			x.Mul(x, scale)
		}
		for i := range equations {
			if i == row || equations[i][column].Sign() == 0 {
				continue
			}
			times := new(big.Rat).Set(equations[i][column])
			for j, x := range equations[i] {
				x.Sub(x, new(big.Rat).Mul(times, equations[row][j]))
			}
		}
		pivots = append(pivots, column)
	}
	return pivots
}
