package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"muster/internal/collective"
	"muster/internal/errs"
	"muster/internal/framework"
)

// The cohorts of the invented years: who is bound by the pledge, and its guests.
const (
	Allies   = "allies"
	Partners = "partners"
)

// Cycles is how many years are invented, the last of which is the current one.
const Cycles = 3

// joiners is how many allies joined after the first year.
const joiners = 2

// The bounds of [YearsConfig.Allies] and [YearsConfig.Partners].
const (
	MinAllies   = 12
	MaxAllies   = 40
	MinPartners = 8
	MaxPartners = 20
)

// YearsConfig says which years to invent.
type YearsConfig struct {
	Packs    []*framework.Pack // what members answer, as it is asked now; Core among them
	Itself   *framework.Pack   // what the coalition is asked of itself
	Allies   int               // in the current year; zero: 32
	Partners int               // zero: 18
	Seed     uint64            // one seed, the same years
	Last     int               // the current year; it names the cycles
}

// Year is one cycle of all cohorts.
type Year struct {
	Cycle      string
	Hosts      [2]string // Leader, Helper: two allies, others each year
	Postponed  string    // the reason for which its deadline was moved; empty if it was not
	Surveys    []Survey  // of every cohort by every pack, the largest cohort first
	Collective map[string]collective.Answer
}

// Survey is what one cohort answers to one pack in one year.
type Survey struct {
	Cohort  string
	Pack    *framework.Pack // as it was that year
	Members []Member        // by name
}

// The deadline of the second year was moved; its charter stayed as it was.
const postponed = "The exercise Grey Heron overlaps with the last week; the members asked for three weeks more."

// cast is who takes part in a year, by place in the list of a cohort's names; who
// is not named answers. Between the second and the third year the same members
// answer, so that what changed may be shown; between the first and the second they
// do not.
type cast struct {
	hosts          [2]int
	declined, late []int
}

var allyCasts = [Cycles]cast{
	{hosts: [2]int{0, 5}, declined: []int{9}, late: []int{3}},
	{hosts: [2]int{2, 8}, declined: []int{9}, late: []int{4}},
	{hosts: [2]int{1, 6}, declined: []int{4}, late: []int{9}},
}

var partnerCasts = [Cycles]cast{
	{declined: []int{1}, late: []int{6}},
	{declined: []int{1}},
	{declined: []int{1}, late: []int{3}},
}

// subject is what sets a pack apart: how much harder its outcomes are than those
// of the core, in ten-thousandths.
var subject = map[string]int{"muster-ports": 500, "muster-ai": 1_800}

// yearsSeed is added to the seed, so that seed 1 gives years in which the disclosure
// gate lets the change be shown of some areas of each pack: of 700 seeds few did.
const yearsSeed = 465

// partnersBehind is how far partners are behind allies on the average.
const partnersBehind = 600

// Years invents three years of a coalition: the same members, whose levels move as
// in [Generate], under hosts that change each year. Before the second year two
// allies join, the core is revised (see [Predecessor]) and that year's deadline is
// moved; of the partners too few answer the pack on artificial intelligence in the
// first year, so that nothing of theirs may be opened.
//
// A member's earlier answers are given to it for comparison if they counted then
// and if the same is asked. The error is of kind Invalid.
func Years(cfg YearsConfig) ([]Year, error) {
	cfg.Allies, cfg.Partners = cmp.Or(cfg.Allies, 32), cmp.Or(cfg.Partners, 18)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	all := names(cfg.Allies + cfg.Partners)
	years := make([]Year, Cycles)
	for y := range years {
		years[y].Cycle = strconv.Itoa(cfg.Last - Cycles + 1 + y)
		for i, place := range allyCasts[y].hosts {
			years[y].Hosts[i] = all[place]
		}
	}
	years[1].Postponed = postponed
	for _, c := range []struct {
		id    string
		names []string
		first uint64 // place of the first in the list of names
		casts [Cycles]cast
	}{
		{Allies, all[:cfg.Allies], 0, allyCasts},
		{Partners, all[cfg.Allies:], uint64(cfg.Allies), partnerCasts},
	} {
		for _, pack := range cfg.Packs {
			surveys, err := surveys(c.id, pack, c.names, c.first, c.casts, cfg.Seed)
			if err != nil {
				return nil, err
			}
			for y := range years {
				years[y].Surveys = append(years[y].Surveys, surveys[y])
			}
		}
	}
	ofItself(years, cfg)
	return years, nil
}

func (cfg YearsConfig) check() error {
	if len(cfg.Packs) == 0 || cfg.Itself == nil || slices.Contains(cfg.Packs, nil) {
		return errs.New(errs.Invalid, "synthetic years need their frameworks", "")
	}
	for _, bound := range []struct {
		what           string
		n, least, most int
	}{{"allies", cfg.Allies, MinAllies, MaxAllies}, {"partners", cfg.Partners, MinPartners, MaxPartners}} {
		if bound.n < bound.least || bound.n > bound.most {
			return errs.New(errs.Invalid, fmt.Sprintf("a synthetic coalition cannot have %d %s over the years", bound.n, bound.what),
				fmt.Sprintf("allowed: %d to %d", bound.least, bound.most))
		}
	}
	return nil
}

// surveys answers one pack for one cohort in every year.
func surveys(cohort string, pack *framework.Pack, names []string, first uint64, casts [Cycles]cast, seed uint64) ([Cycles]Survey, error) {
	var all [Cycles]Survey
	for y := range all {
		all[y] = Survey{Cohort: cohort, Pack: pack}
	}
	if pack.ID == Core {
		earlier, err := Predecessor(pack)
		if err != nil {
			return all, err
		}
		all[0].Pack = earlier
	}
	m := newModel(pack, seed+yearsSeed)
	lift := -subject[pack.ID]
	if cohort == Partners {
		lift -= partnersBehind
	}
	for i, name := range names {
		answers, capability := m.history(name, first+uint64(i), lift, Cycles)
		for y := range all {
			member := Member{Name: name, Capability: capability, State: casts[y].state(i)}
			if cohort == Allies && y == 0 && i >= len(names)-joiners {
				continue // joined later
			}
			if cohort == Partners && y == 0 && pack.ID == "muster-ai" && i%2 == 0 {
				member.State = Late
			}
			if member.State == Answered {
				member.Now = asked(all[y].Pack, answers[y])
			}
			if y > 0 {
				if last := all[y-1].member(name); last != nil {
					member.Before = alike(all[y-1].Pack, all[y].Pack, last.Now)
				}
			}
			all[y].Members = append(all[y].Members, member)
		}
	}
	for y := range all {
		slices.SortFunc(all[y].Members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	}
	return all, nil
}

func (c cast) state(place int) State {
	switch {
	case slices.Contains(c.declined, place):
		return Declined
	case slices.Contains(c.late, place):
		return Late
	}
	return Answered
}

func (s *Survey) member(name string) *Member {
	for i := range s.Members {
		if s.Members[i].Name == name {
			return &s.Members[i]
		}
	}
	return nil
}
