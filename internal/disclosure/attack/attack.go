// Package attack tries to work out one member's answers from everything that was
// published, and says what it could and could not learn.
//
// What is published of sealed answers is a list of [Statement]s: linear sums over
// the members' one-hot vectors, with the values that each sum can have. A
// [Problem] is such a list with the rosters and with what the attacker knows
// besides; [Run] looks, for every member and every unit that the published bands
// leave, for one world that fits everything: an assignment of answers to all
// members. Where there is none the answer is narrowed, and that is a [Finding].
//
//	result, err := attack.Run(problem, attack.Options{})
//
// The search is complete for counts: exchanging two members of whom the same is
// known changes nothing, so worlds are counts, not lists. Blocks that a member
// computes from others are tied to them by sums that are exact (see couple.go)
// with one exception, which [Result] names: where lowest level and change, or two
// changes, ask for an arrangement of the same year's rows, what the attack finds
// is so, and what it does not find is certified by a world that it builds member
// by member, or listed as open.
//
// [Audit] is the test before anything is opened: which groups of members could be
// told apart by sums over planned cohorts at all. [Reconstruct] is the test after
// decryption, of totals whose blocks fit nobody.
//
// The package is pure: no I/O, no clock, and the same problem gives the same result.
package attack

import (
	"cmp"
	"slices"
	"sync"
)

// Few is how many members point at someone: a unit that is known to hold one or
// two of them is a finding.
const Few = 2

// Options bound the search. The zero value is usable.
type Options struct {
	// Budget is how many splits one question may take; zero means 20,000. What is
	// not decided by then is listed as open.
	Budget int
	// Samples is how many sets of colluders' rows are tried on coupled blocks; zero
	// means four. On a block by itself every set is tried.
	Samples int
	// Workers is how many components are searched at a time; zero means one.
	Workers int
}

// Kind says how bad a finding is.
type Kind string

// The kinds of findings.
const (
	Learnt   Kind = "learnt"   // one unit is left
	Narrowed Kind = "narrowed" // fewer units are left than the published bands leave
	Pointed  Kind = "pointed"  // one or two of these members are known to be in the unit
)

// Finding is something that the attacker learns of each of some members.
type Finding struct {
	Kind    Kind        `json:"kind"`
	Members []string    `json:"members"` // it holds for each of them; for Pointed, for one or two of them
	Block   Block       `json:"block"`
	Left    []string    `json:"left"`           // the units that are left; for Pointed, the unit
	Bands   []string    `json:"bands"`          // the units that the published bands leave
	Worst   []Fact      `json:"worst"`          // what colluders answered in the worst case; members are "colluder 1", ...
	From    []Statement `json:"from,omitempty"` // statements that together give it; without any of them they do not
}

// Open is a question that the search did not decide.
type Open struct {
	Members []string `json:"members"`
	Block   Block    `json:"block"`
	Unit    string   `json:"unit"`
}

// Result is what an attack found.
type Result struct {
	Findings []Finding `json:"findings"`
	Open     []Open    `json:"open"`
	Examined int       `json:"examined"` // questions: a member that is like others counts with them
	Worlds   int       `json:"worlds"`   // worlds that were found
}

// Safe reports whether nothing was learnt and nothing is open.
func (r Result) Safe() bool { return len(r.Findings) == 0 && len(r.Open) == 0 }

// Run attacks. It refuses with kind Invalid a problem that cannot be, and with
// kind Conflict one that no answers fit.
func Run(p Problem, o Options) (Result, error) {
	if err := p.check(); err != nil {
		return Result{}, err
	}
	o.Budget, o.Samples = cmp.Or(o.Budget, 20_000), cmp.Or(o.Samples, 4)
	parts := components(&p)
	results := make([]Result, len(parts))
	faults := make([]error, len(parts))
	var wait sync.WaitGroup
	next := make(chan int)
	for range max(o.Workers, 1) {
		wait.Go(func() {
			for i := range next {
				results[i], faults[i] = parts[i].attack(o)
			}
		})
	}
	for i := range parts {
		next <- i
	}
	close(next)
	wait.Wait()
	all := Result{Findings: []Finding{}, Open: []Open{}}
	for i, r := range results {
		if faults[i] != nil {
			return Result{}, faults[i]
		}
		all.Findings = append(all.Findings, r.Findings...)
		all.Open = append(all.Open, r.Open...)
		all.Examined += r.Examined
		all.Worlds += r.Worlds
	}
	slices.SortStableFunc(all.Findings, func(a, b Finding) int {
		return cmp.Or(compareBlocks(a.Block, b.Block), slices.Compare(a.Members, b.Members), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Left, b.Left))
	})
	return all, nil
}
