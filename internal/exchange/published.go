package exchange

import (
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"muster/internal/disclosure/attack"
	"muster/internal/errs"
	"muster/internal/framework"
)

// The headers of what was published elsewhere, as docs/spec/published.md
// specifies it.
const (
	GroupsHeader    = "cycle,group,member"
	PublishedHeader = "cycle,group,subject,kind,statistic,units,value"
	KnownHeader     = "cycle,member,subject,kind,unit"
)

// Groups is who was counted where: the members of each group of each cycle.
type Groups struct {
	Cycles  []string                       // in the order in which the file names them first
	Members map[string]map[string][]string // by cycle and group, sorted
}

// has returns the members of a group and whether there is one.
func (g *Groups) has(cycle, group string) ([]string, bool) {
	members, ok := g.Members[cycle][group]
	return members, ok
}

// ReadGroups reads who was counted where. The error is an [errs.Faults], or the
// reader's.
func ReadGroups(name string, r io.Reader) (*Groups, error) {
	t := &table{name: name, header: GroupsHeader}
	g := &Groups{Members: make(map[string]map[string][]string)}
	first := make(map[[3]string]int)
	err := t.read(r, func(l line, cells []cell) {
		member, ok := t.memberCell(l, cells, 2)
		if !ok || !t.nameCells(l, cells, 0, 1) {
			return
		}
		cycle, group := cells[0].text, cells[1].text
		key := [3]string{cycle, group, string(member)}
		if before, ok := first[key]; ok {
			t.fault(l, cells, 2, fmt.Sprintf("%s is in this group already, by line %d", errs.Quote(string(member)), before), "each member once in a group")
			return
		}
		first[key] = l.number
		if g.Members[cycle] == nil {
			g.Cycles = append(g.Cycles, cycle)
			g.Members[cycle] = make(map[string][]string)
		}
		g.Members[cycle][group] = append(g.Members[cycle][group], string(member))
	})
	if err != nil {
		return nil, err
	}
	if err := t.faults.Err(); err != nil {
		return nil, err
	}
	for _, groups := range g.Members {
		for _, members := range groups {
			slices.Sort(members)
		}
	}
	return g, nil
}

// nameCells holds that cells are names that can be printed on one line.
func (t *table) nameCells(l line, cells []cell, indices ...int) bool {
	for _, i := range indices {
		if !framework.ReadableLine(cells[i].text) || strings.TrimSpace(cells[i].text) != cells[i].text {
			t.fault(l, cells, i, "there is no name", "a name without a space at either end")
			return false
		}
	}
	return true
}

// ReadPublished reads counts, shares and means that were published of groups, as
// the statements that they are. A mean over those who gave a level is two
// statements, because how many gave one is not said. The error is an
// [errs.Faults], or the reader's.
func ReadPublished(name string, r io.Reader, g *Groups) ([]attack.Statement, error) {
	p := &published{table: table{name: name, header: PublishedHeader}, groups: g}
	if err := p.read(r, p.statement); err != nil {
		return nil, err
	}
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return p.statements, nil
}

type published struct {
	table
	groups     *Groups
	statements []attack.Statement
}

// block reads the cells that name a block.
func (t *table) block(l line, cells []cell, cycle, subject, kind int) (attack.Block, bool) {
	b := attack.Block{Cycle: cells[cycle].text, Subject: cells[subject].text, Kind: framework.Kind(cells[kind].text)}
	ok := t.nameCells(l, cells, cycle, subject)
	if attack.Chain(b.Kind) == nil {
		t.fault(l, cells, kind, errs.Quote(string(b.Kind))+" is no kind of count", "level, verified, target, gap, evidence, lowest or change")
		ok = false
	}
	return b, ok
}

func (p *published) statement(l line, cells []cell) {
	b, ok := p.block(l, cells, 0, 2, 3)
	members, there := p.groups.has(b.Cycle, cells[1].text)
	if !there {
		p.fault(l, cells, 1, fmt.Sprintf("the group %s has no members in %s", errs.Quote(cells[1].text), errs.Quote(b.Cycle)), "a cycle and a group of groups.csv")
	}
	if !ok || !there {
		return
	}
	s := attack.Statement{Source: fmt.Sprintf("%s:%d", p.name, l.number), Block: b, Members: members}
	switch cells[4].text {
	case "count":
		p.count(l, cells, s)
	case "share":
		p.share(l, cells, s)
	case "mean":
		p.mean(l, cells, s)
	default:
		p.fault(l, cells, 4, errs.Quote(cells[4].text)+" is no statistic", "count, share or mean")
	}
}

// units returns the weights of the units that a row counts.
func (p *published) units(l line, cells []cell, s attack.Statement) ([]int, bool) {
	chain := attack.Chain(s.Block.Kind)
	weights := make([]int, len(chain))
	names := strings.Split(cells[5].text, " ")
	for _, unit := range names {
		i := slices.Index(chain, unit)
		if i < 0 || weights[i] != 0 {
			p.fault(l, cells, 5, errs.Quote(unit)+" is no unit here, or is there twice", "one or more of "+strings.Join(chain, ", ")+", a space between them")
			return nil, false
		}
		weights[i] = 1
	}
	return weights, true
}

func (p *published) count(l line, cells []cell, s attack.Statement) {
	weights, ok := p.units(l, cells, s)
	if !ok {
		return
	}
	n, err := strconv.Atoi(cells[6].text)
	if err != nil || n < 0 || n > len(s.Members) || strconv.Itoa(n) != cells[6].text {
		p.fault(l, cells, 6, errs.Quote(cells[6].text)+" is no count of this group", fmt.Sprintf("0 to %d", len(s.Members)))
		return
	}
	s.Weights, s.Allowed = weights, attack.Exactly(n)
	p.statements = append(p.statements, s)
}

// decimal is a number as it was printed: what it can have been before it was
// rounded lies half a unit of its last digit to either side.
var decimal = regexp.MustCompile(`^(0|[1-9][0-9]?)(\.[0-9]{1,4})?$`)

// rounded returns the closed range of what was rounded to the text.
func rounded(text string) (low, high *big.Rat, ok bool) {
	if !decimal.MatchString(text) {
		return nil, nil, false
	}
	value, _ := new(big.Rat).SetString(text)
	_, fraction, _ := strings.Cut(text, ".")
	half := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Mul(big.NewInt(2), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)))
	return new(big.Rat).Sub(value, half), new(big.Rat).Add(value, half), true
}

func (p *published) share(l line, cells []cell, s attack.Statement) {
	weights, ok := p.units(l, cells, s)
	if !ok {
		return
	}
	low, high, ok := rounded(cells[6].text)
	size := int64(len(s.Members))
	within := func(n int) bool {
		share := big.NewRat(int64(n), size)
		return share.Cmp(low) >= 0 && share.Cmp(high) <= 0
	}
	if ok {
		s.Allowed = attack.ValuesWhere(0, len(s.Members), within)
	}
	if !ok || s.Allowed.String() == "nothing" {
		p.fault(l, cells, 6, errs.Quote(cells[6].text)+" is no share of this group", fmt.Sprintf("a number from 0 to 1 with a point, such as 0.62, that some count of %d members gives", size))
		return
	}
	s.Weights = weights
	p.statements = append(p.statements, s)
}

// mean reads the mean level of those who gave one.
func (p *published) mean(l line, cells []cell, s attack.Statement) {
	switch s.Block.Kind {
	case framework.KindLevel, framework.KindVerified, framework.KindTarget, framework.KindLowest:
	default:
		p.fault(l, cells, 3, "there is no mean of "+errs.Quote(string(s.Block.Kind)), "level, verified, target or lowest")
		return
	}
	if cells[5].text != "" {
		p.fault(l, cells, 5, "a mean is over all who gave a level", "nothing in this cell")
		return
	}
	low, high, ok := rounded(cells[6].text)
	if !ok || low.Cmp(big.NewRat(4, 1)) >= 0 {
		p.fault(l, cells, 6, errs.Quote(cells[6].text)+" is no mean level", "a number from 0 to 4 with a point, such as 2.43")
		return
	}
	// sum of (level - low) >= 0 and sum of (level - high) <= 0, over those who gave one.
	chain := attack.Chain(s.Block.Kind)
	for _, side := range []struct {
		edge  *big.Rat
		above bool
	}{{low, true}, {high, false}} {
		bound := s
		bound.Weights = make([]int, len(chain))
		least, most := 0, 0
		for i := 1; i < len(chain); i++ {
			difference := new(big.Rat).Sub(big.NewRat(int64(i-1), 1), side.edge)
			weight := new(big.Rat).Mul(difference, new(big.Rat).SetInt(side.edge.Denom()))
			bound.Weights[i] = int(weight.Num().Int64())
			least, most = min(least, bound.Weights[i]), max(most, bound.Weights[i])
		}
		if side.above {
			bound.Allowed = attack.Between(0, most*len(s.Members))
		} else {
			bound.Allowed = attack.Between(least*len(s.Members), 0)
		}
		p.statements = append(p.statements, bound)
	}
}

// ReadKnown reads answers that an attacker knows. The error is an [errs.Faults],
// or the reader's.
func ReadKnown(name string, r io.Reader) ([]attack.Fact, error) {
	t := &table{name: name, header: KnownHeader}
	var facts []attack.Fact
	first := make(map[attack.Fact]int)
	err := t.read(r, func(l line, cells []cell) {
		member, ok := t.memberCell(l, cells, 1)
		b, named := t.block(l, cells, 0, 2, 3)
		if !ok || !named {
			return
		}
		chain := attack.Chain(b.Kind)
		if !slices.Contains(chain, cells[4].text) {
			t.fault(l, cells, 4, errs.Quote(cells[4].text)+" is no unit here", strings.Join(chain, ", "))
			return
		}
		key := attack.Fact{Member: string(member), Block: b}
		if before, ok := first[key]; ok {
			t.fault(l, cells, 1, fmt.Sprintf("this answer has a row already, on line %d", before), "each answer once")
			return
		}
		first[key] = l.number
		facts = append(facts, attack.Fact{Member: string(member), Block: b, Unit: cells[4].text})
	})
	if err != nil {
		return nil, err
	}
	return facts, t.faults.Err()
}
