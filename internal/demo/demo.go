// Package demo makes a synthetic coalition: invented members on an invented sea,
// with this year's answers and last year's.
//
//	coalition, err := demo.Generate(demo.Config{Members: 32, Seed: 1, Pack: pack})
//
// The answers look like those of a real cycle. Every member has a latent capability
// with a mean of about 0.63; its outcomes vary around that, more alike within an
// area than across areas. What a verifier finds is never above what the member says
// of itself. Some outcomes are withheld, some do not apply; targets lie mostly above
// the levels; evidence is given mostly where it is asked for; since last year most
// moves went upward. One member takes no part and one has just joined.
//
// [Years] invents more: three years of allies and partners, with everything that
// happens to a coalition in between; [Run] takes them through all their cycles,
// with the code of the real thing, and keeps what comes out in a folder.
//
// One seed gives the same coalition on every platform: everything is computed in
// integers. No real country ever stands beside an invented weakness, and whatever is
// made of a coalition carries the mark [Synthetic].
package demo

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// Synthetic is the mark of everything that is made of a generated coalition.
const Synthetic = "SYNTHETIC"

// The bounds of [Config.Members].
const (
	MinMembers = 2
	MaxMembers = 2000
)

// Config says which coalition to make.
type Config struct {
	Pack    *framework.Pack // what is answered
	Members int             // how many members, those included that take no part: MinMembers to MaxMembers
	Seed    uint64          // one seed, one coalition
	Hosts   []string        // two members' names; nil for the first two by name
	Late    int             // how many members do not answer in time
}

// State says what became of a member's answers this year.
type State uint8

// The states.
const (
	Answered State = iota
	Declined       // takes no part this year
	Late           // has not answered in time
)

var stateNames = [...]string{Answered: "answered", Declined: "declined", Late: "late"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("demo.State(%d)", uint8(s))
}

// Member is one invented member.
type Member struct {
	Name       string
	State      State
	Capability int                // the latent capability, 0 to [Full] - 1; known of invented members only
	Now        *assess.Assessment // this year's answers; nil unless State is Answered
	Before     *assess.Assessment // last year's answers; nil if the member has just joined
}

// Coalition is a synthetic coalition.
type Coalition struct {
	Members []Member  // by name
	Hosts   [2]string // the two members that host this year
}

// Now returns this year's assessments by member's name.
func (c *Coalition) Now() []*assess.Assessment {
	return c.assessments(func(m *Member) *assess.Assessment { return m.Now })
}

// Before returns last year's assessments by member's name.
func (c *Coalition) Before() []*assess.Assessment {
	return c.assessments(func(m *Member) *assess.Assessment { return m.Before })
}

func (c *Coalition) assessments(of func(*Member) *assess.Assessment) []*assess.Assessment {
	var all []*assess.Assessment
	for i := range c.Members {
		if a := of(&c.Members[i]); a != nil {
			all = append(all, a)
		}
	}
	return all
}

// Generate makes the coalition that the configuration describes. A member has the
// same name and answers in a larger coalition of the same seed and pack; who hosts,
// declines, joined or is late may differ.
//
// Of four members or more one declines, of three or more one has just joined; both
// are other members than the hosts. The error is of kind Invalid.
func Generate(c Config) (*Coalition, error) {
	if c.Pack == nil {
		return nil, errs.New(errs.Invalid, "a synthetic coalition needs a framework", "")
	}
	if c.Members < MinMembers || c.Members > MaxMembers {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("a synthetic coalition cannot have %d members", c.Members),
			fmt.Sprintf("allowed: %d to %d", MinMembers, MaxMembers))
	}
	model := newModel(c.Pack, c.Seed)
	coalition := &Coalition{Members: make([]Member, c.Members)}
	for i, name := range names(c.Members) {
		coalition.Members[i] = model.member(name, uint64(i))
	}
	slices.SortFunc(coalition.Members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	if err := coalition.host(c.Hosts); err != nil {
		return nil, err
	}
	if err := coalition.cast(newSource(c.Seed, streamCast), c.Late); err != nil {
		return nil, err
	}
	return coalition, nil
}

// host sets the hosts.
func (c *Coalition) host(chosen []string) error {
	if chosen == nil {
		c.Hosts = [2]string{c.Members[0].Name, c.Members[1].Name}
		return nil
	}
	if len(chosen) != 2 || chosen[0] == chosen[1] {
		return errs.New(errs.Invalid, "a cycle has two hosts", "name two different members")
	}
	for _, name := range chosen {
		if !slices.ContainsFunc(c.Members, func(m Member) bool { return m.Name == name }) {
			return errs.New(errs.Invalid, fmt.Sprintf("%s is not a member", errs.Quote(name)),
				fmt.Sprintf("members are %s, %s and so on", c.Members[0].Name, c.Members[1].Name))
		}
	}
	c.Hosts = [2]string{chosen[0], chosen[1]}
	return nil
}

// cast draws who declines, who joined and who is late from the members that do not
// host.
func (c *Coalition) cast(src *source, late int) error {
	var others []*Member
	for i := range c.Members {
		if !slices.Contains(c.Hosts[:], c.Members[i].Name) {
			others = append(others, &c.Members[i])
		}
	}
	draw := func() *Member {
		i := src.below(len(others))
		m := others[i]
		others = slices.Delete(others, i, i+1)
		return m
	}
	if len(c.Members) >= 4 {
		m := draw()
		m.State, m.Now = Declined, nil
	}
	if len(c.Members) >= 3 {
		draw().Before = nil
	}
	if late < 0 || late > len(others) {
		return errs.New(errs.Invalid, fmt.Sprintf("%d of %d members cannot be late", late, len(c.Members)),
			fmt.Sprintf("allowed: 0 to %d; hosts are never late", len(others)))
	}
	for range late {
		m := draw()
		m.State, m.Now = Late, nil
	}
	return nil
}
