package attack

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"muster/internal/errs"
	"muster/internal/framework"
)

// Table is what somebody published of some members' answers in one cycle: counts
// and means, from anywhere.
type Table struct {
	Source  string // its name, for a person
	Cycle   string
	Members []string // of whom it speaks, in ascending order
	Rows    []Row
}

// Row is what a table says of one question.
type Row struct {
	Subject string
	Kind    framework.Kind
	Counts  map[string]string // by unit: a number, or "<n" for a number from 1 to n-1 that is not shown; units may be missing
	Mean    string            // of the levels that were given, as printed: "2.75"; empty if there is none
	Given   string            // how many gave a level; empty if everybody did
}

// Statements returns what the table says. Its errors are of kind Invalid and name
// the row.
func (t Table) Statements() ([]Statement, error) {
	var all []Statement
	for _, r := range t.Rows {
		b := Block{t.Cycle, r.Subject, r.Kind}
		chain := Chain(r.Kind)
		if chain == nil {
			return nil, t.invalid(b, "is of a kind that this version does not know")
		}
		for i, unit := range chain {
			cell, ok := r.Counts[unit]
			if !ok {
				continue
			}
			allowed, err := t.cell(cell)
			if err != nil {
				return nil, t.invalid(b, fmt.Sprintf("has %s in the column %s", errs.Quote(cell), unit))
			}
			s := Count(t.Source, b, t.Members, len(chain), i, i, 0)
			s.Allowed = allowed
			all = append(all, s)
		}
		for unit := range r.Counts {
			if !slices.Contains(chain, unit) {
				return nil, t.invalid(b, "has a column "+errs.Quote(unit)+"; allowed are "+strings.Join(chain, ", "))
			}
		}
		if r.Mean == "" {
			continue
		}
		s, err := t.mean(r, b, chain)
		if err != nil {
			return nil, err
		}
		all = append(all, s...)
	}
	return all, nil
}

func (t Table) invalid(b Block, what string) error {
	return errs.New(errs.Invalid, fmt.Sprintf("%s: the row %s/%s %s", t.Source, b.Subject, b.Kind, what), "")
}

// cell reads a printed count.
func (t Table) cell(text string) (Values, error) {
	if few, hidden := strings.CutPrefix(text, "<"); hidden {
		n, err := t.number(few)
		return Between(1, n-1), err
	}
	n, err := t.number(text)
	return Exactly(n), err
}

func (t Table) number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && (n < 0 || n > len(t.Members)+1 || strconv.Itoa(n) != text) {
		err = strconv.ErrRange
	}
	return n, err
}

// mean returns what a printed mean says: which sums of levels round to it.
func (t Table) mean(r Row, b Block, chain []string) ([]Statement, error) {
	if chain[0] != NoLevel || chain[1] != "0" {
		return nil, t.invalid(b, "has a mean, and its answers are no numbers")
	}
	given := len(t.Members)
	if r.Given != "" {
		n, err := t.number(r.Given)
		if err != nil || n > len(t.Members) {
			return nil, t.invalid(b, "is of "+errs.Quote(r.Given)+" members that gave a level")
		}
		given = n
	}
	mean, ok := new(big.Rat).SetString(r.Mean)
	if !ok || strings.ContainsAny(r.Mean, "eE/_") || len(r.Mean) > 20 {
		return nil, t.invalid(b, "has the mean "+errs.Quote(r.Mean))
	}
	// Half of the last digit printed, in either direction.
	_, decimals, _ := strings.Cut(r.Mean, ".")
	half := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(decimals))), nil))
	half.Mul(half, big.NewRat(1, 2))
	weights := make([]int, len(chain))
	for u := 1; u < len(chain); u++ {
		weights[u] = u - 1
	}
	levels := Count(t.Source, b, t.Members, len(chain), 1, len(chain)-1, given)
	total := Statement{Source: t.Source, Block: b, Members: t.Members, Weights: weights}
	total.Allowed = ValuesWhere(0, given*(len(chain)-2), func(n int) bool {
		if given == 0 {
			return true
		}
		off := new(big.Rat).SetFrac64(int64(n), int64(given))
		off.Sub(off, mean)
		return off.Abs(off).Cmp(half) <= 0
	})
	if len(total.Allowed.ranges) == 0 {
		return nil, t.invalid(b, fmt.Sprintf("has the mean %s, which no levels of %d members have", r.Mean, given))
	}
	return []Statement{levels, total}, nil
}
