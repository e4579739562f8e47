package attack

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Block names one question that every member of a cycle answers with exactly one
// unit of the kind's chain: an unknown one-hot vector for each member.
type Block struct {
	Cycle   string         `json:"cycle"`
	Subject string         `json:"subject"` // the outcome's or area's id
	Kind    framework.Kind `json:"kind"`
}

// String returns the block as a person names it: "2026 A1.1/level".
func (b Block) String() string { return b.Cycle + " " + b.Subject + "/" + string(b.Kind) }

// area returns the id of the area that the block belongs to.
func (b Block) area() string {
	area, _, _ := strings.Cut(b.Subject, ".")
	return area
}

func compareBlocks(a, b Block) int {
	if c := strings.Compare(a.Cycle, b.Cycle); c != 0 {
		return c
	}
	if c := strings.Compare(a.Subject, b.Subject); c != 0 {
		return c
	}
	return strings.Compare(string(a.Kind), string(b.Kind))
}

// NoLevel is the unit that takes together every reason why there is no level.
const NoLevel = "none"

// Chain returns the units of a block of that kind in their order, or nil for a
// kind that this version does not know. The first unit is that of who says
// nothing. The slice is the caller's.
func Chain(k framework.Kind) []string {
	switch k {
	case framework.KindLevel, framework.KindVerified, framework.KindTarget, framework.KindLowest:
		return []string{NoLevel, "0", "1", "2", "3", "4"}
	case framework.KindGap:
		return []string{"unknown", "below", "met"}
	case framework.KindEvidence:
		return []string{NoLevel, "E0", "E1", "E2", "E3"}
	case framework.KindChange:
		return []string{"not_comparable", "worse", "mixed", "same", "better"}
	}
	return nil
}

// Statement says of some members' vectors in one block what their weighted sum
// can be. Everything that muster publishes of sealed answers is a list of them:
// a band's count is a sum with weight 1 for the units of the band and a single
// allowed value; what a merge rule says besides is a sum with a set of allowed
// values; a mean is a sum with the levels as weights.
type Statement struct {
	Source  string   `json:"source"`  // what said so, for a person: a file or a release
	Block   Block    `json:"block"`   //
	Members []string `json:"members"` // over whom the sum goes, in ascending order
	Weights []int    `json:"weights"` // by unit of the chain
	Allowed Values   `json:"allowed"` // what the sum can be
	Implied bool     `json:"implied"` // said by the rule rather than printed
}

// Count returns the statement that exactly n of the members are in the units
// first to last of the chain, both positions included.
func Count(source string, b Block, members []string, chain, first, last, n int) Statement {
	weights := make([]int, chain)
	for i := first; i <= last; i++ {
		weights[i] = 1
	}
	return Statement{Source: source, Block: b, Members: members, Weights: weights, Allowed: Exactly(n)}
}

// counts reports whether the statement counts units, and does not weigh them.
func (s *Statement) counts() bool {
	return !slices.ContainsFunc(s.Weights, func(w int) bool { return w != 0 && w != 1 })
}

// Values is a set of numbers that a sum can be: closed ranges, ascending, with
// gaps between them. The zero value is empty: nothing is allowed.
type Values struct{ ranges []valueRange }

type valueRange struct{ low, high int }

// Exactly returns the set of one value.
func Exactly(n int) Values { return Between(n, n) }

// Between returns the values from low to high, both included; none if low > high.
func Between(low, high int) Values {
	if low > high {
		return Values{}
	}
	return Values{[]valueRange{{low, high}}}
}

// ValuesWhere returns the values from low to high that keep accepts.
func ValuesWhere(low, high int, keep func(int) bool) Values {
	var v Values
	for n := low; n <= high; n++ {
		if !keep(n) {
			continue
		}
		if last := len(v.ranges) - 1; last >= 0 && v.ranges[last].high == n-1 {
			v.ranges[last].high = n
			continue
		}
		v.ranges = append(v.ranges, valueRange{n, n})
	}
	return v
}

// Has reports whether n is one of the values.
func (v Values) Has(n int) bool {
	for _, r := range v.ranges {
		if n >= r.low && n <= r.high {
			return true
		}
	}
	return false
}

// Empty reports whether there is no value.
func (v Values) Empty() bool { return len(v.ranges) == 0 }

// Covers reports whether every number from low to high is one of the values.
func (v Values) Covers(low, high int) bool {
	return slices.ContainsFunc(v.ranges, func(r valueRange) bool { return r.low <= low && high <= r.high })
}

// Only returns the value, and whether there is exactly one.
func (v Values) Only() (int, bool) {
	if len(v.ranges) != 1 || v.ranges[0].low != v.ranges[0].high {
		return 0, false
	}
	return v.ranges[0].low, true
}

// within returns the least and the largest of the values from low to high, and
// whether there is one.
func (v Values) within(low, high int) (least, most int, ok bool) {
	for _, r := range v.ranges {
		if r.high < low || r.low > high {
			continue
		}
		if !ok {
			least = max(low, r.low)
		}
		most, ok = min(high, r.high), true
	}
	return least, most, ok
}

// String returns the values as a person writes them: "0 to 5, 12".
func (v Values) String() string {
	if len(v.ranges) == 0 {
		return "nothing"
	}
	var parts []string
	for _, r := range v.ranges {
		if r.low == r.high {
			parts = append(parts, fmt.Sprint(r.low))
		} else {
			parts = append(parts, fmt.Sprintf("%d to %d", r.low, r.high))
		}
	}
	return strings.Join(parts, ", ")
}

// MarshalText returns [Values.String]: the form in which a result is printed.
func (v Values) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Fact is an answer that the attacker knows.
type Fact struct {
	Member string `json:"member"`
	Block  Block  `json:"block"`
	Unit   string `json:"unit"`
}

// Problem is everything that an attacker has.
type Problem struct {
	// Cycles in order of time, and who answered in each. Change compares with the
	// cycle before.
	Cycles  []string
	Rosters map[string][]string

	// Blocks that every member of a cycle's roster answered, published or not: what
	// is coupled to what depends on them. Blocks of statements are added by themselves.
	Blocks []Block

	Statements []Statement
	Facts      []Fact // answers that the attacker knows

	// Colluders is how many members of each roster, besides those in Facts, told
	// the attacker everything. Which ones and what they answered is the worst that
	// fits the statements.
	Colluders int

	// Told says more closely how many there are in the cycles that it names, in place
	// of Colluders: who knows a member's answers of one year need not know those of
	// another, and of two cohorts as many may tell as the rule of each reckons with.
	Told []Told

	// Chain returns the units of a kind; nil means [Chain].
	Chain func(framework.Kind) []string
}

func (p *Problem) chain(k framework.Kind) []string {
	if p.Chain != nil {
		return p.Chain(k)
	}
	return Chain(k)
}

// check refuses, with kind Invalid, what no attacker can have.
func (p *Problem) check() error {
	invalid := func(format string, args ...any) error {
		return errs.New(errs.Invalid, fmt.Sprintf(format, args...), "")
	}
	for i, cycle := range p.Cycles {
		if slices.Contains(p.Cycles[:i], cycle) {
			return invalid("the cycle %s is named twice", errs.Quote(cycle))
		}
		roster := p.Rosters[cycle]
		if !slices.IsSorted(roster) || len(slices.Compact(slices.Clone(roster))) != len(roster) {
			return invalid("the roster of %s is not in order or names a member twice", errs.Quote(cycle))
		}
	}
	for _, t := range p.Told {
		if t.Most < 0 || !slices.IsSorted(t.Members) || !slices.Contains(p.Cycles, t.Cycle) {
			return invalid("%d members of %s told the attacker everything", t.Most, errs.Quote(t.Cycle))
		}
	}
	known := func(b Block) error {
		if !slices.Contains(p.Cycles, b.Cycle) {
			return invalid("the block %s is of no cycle that is named", errs.Quote(b.String()))
		}
		if len(p.chain(b.Kind)) == 0 {
			return invalid("the block %s is of a kind that this version does not know", errs.Quote(b.String()))
		}
		return nil
	}
	for _, b := range p.Blocks {
		if err := known(b); err != nil {
			return err
		}
	}
	for _, s := range p.Statements {
		if err := known(s.Block); err != nil {
			return err
		}
		if len(s.Weights) != len(p.chain(s.Block.Kind)) {
			return invalid("%s: a sum over %s has %d weights for %d units", s.Source, s.Block, len(s.Weights), len(p.chain(s.Block.Kind)))
		}
		if !slices.IsSorted(s.Members) || len(slices.Compact(slices.Clone(s.Members))) != len(s.Members) {
			return invalid("%s: the members of a sum over %s are not in order or named twice", s.Source, s.Block)
		}
		for _, m := range s.Members {
			if _, ok := slices.BinarySearch(p.Rosters[s.Block.Cycle], m); !ok {
				return invalid("%s: %s is not on the roster of %s", s.Source, errs.Quote(m), errs.Quote(s.Block.Cycle))
			}
		}
	}
	for _, f := range p.Facts {
		if err := known(f.Block); err != nil {
			return err
		}
		if _, ok := slices.BinarySearch(p.Rosters[f.Block.Cycle], f.Member); !ok {
			return invalid("an answer of %s is known, who is not on the roster of %s", errs.Quote(f.Member), errs.Quote(f.Block.Cycle))
		}
		if !slices.Contains(p.chain(f.Block.Kind), f.Unit) {
			return invalid("the known answer of %s to %s is %s, which is no unit of it", errs.Quote(f.Member), f.Block, errs.Quote(f.Unit))
		}
	}
	return nil
}
