// Package picturetest makes releases of an invented coalition for tests and for
// the storybook: three cycles or more of several packs and two cohorts, through
// the code that makes real ones.
//
//	releases := picturetest.Releases(packs, picturetest.Config{Cycles: 3})
//
// Every member has a latent capability; its levels vary around that and rise a
// little each year; what a verifier finds is never higher. The totals are counted
// member by member and cut by the disclosure rule, cycle after cycle. They are not
// attacked: that takes longer than drawing them, and nobody's answers are in them.
// All is marked as the configuration says and follows from the seed.
package picturetest

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
)

// Coalition is the invented coalition's name.
const Coalition = "Coalition of the Sea of Lanthery"

// Cohort is who answers together.
type Cohort struct {
	ID       string
	Members  int
	Declined int
	Late     int
	Hosts    int
	Joined   int // members that answer in the last cycle and not before
}

// Config says what to make.
type Config struct {
	Packs   []*framework.Pack
	Cohorts []Cohort
	Cycles  int // the last is 2026
	Marking string
	Seed    uint64

	Prefer disclosure.Preference

	// Revise makes the packs of all cycles but the last look like an earlier
	// version, in which the first outcome asked something else.
	Revise bool

	// Postponed says why the last cycle's deadline was moved; empty if it was not.
	Postponed string
}

// Default returns 32 allies and 18 partners over three cycles.
func Default(packs []*framework.Pack) Config {
	return Config{
		Packs: packs, Cycles: 3, Marking: "SYNTHETIC", Seed: 7,
		Cohorts: []Cohort{{ID: "allies", Members: 32, Declined: 1, Late: 1, Hosts: 2}, {ID: "partners", Members: 18, Declined: 2, Late: 1}},
	}
}

// Packs reads the packs with these ids, those that fsys has.
func Packs(fsys fs.FS, ids ...string) ([]*framework.Pack, error) {
	var packs []*framework.Pack
	for _, id := range ids {
		if _, err := fs.Stat(fsys, id+"/"+framework.File); err != nil {
			continue
		}
		pack, err := framework.Find(fsys, id)
		if err != nil {
			return nil, err
		}
		packs = append(packs, pack)
	}
	return packs, nil
}

// LastCycle is the last cycle that is made.
const LastCycle = 2026

// Releases makes the releases: of each cohort, cycle and pack. The partners answer
// the first pack and, where there is one, that of ports.
func Releases(cfg Config) ([]*release.Release, error) {
	var all []*release.Release
	for c, cohort := range cfg.Cohorts {
		for i, pack := range cfg.Packs {
			if c > 0 && i > 0 && !strings.HasSuffix(pack.ID, "ports") {
				continue
			}
			m := newMembers(cfg.Seed+uint64(c*100+i), cohort, pack)
			for y := range cfg.Cycles {
				r, err := m.release(cfg, cohort, pack, LastCycle-cfg.Cycles+1+y, y == 0)
				if err != nil {
					return nil, fmt.Errorf("%s of %s: %w", pack.ID, cohort.ID, err)
				}
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// members answer one pack over the years.
type members struct {
	rng    *rand.Rand
	pack   *framework.Pack
	layout *framework.Layout
	skill  []float64   // by member
	hard   []float64   // by outcome
	tilt   [][]float64 // by member and area
	before [][]int     // last year's levels, -1 for none
	now    [][]int
	target [][]int // this year's targets, -1 for none
	issue  *disclosure.Issue
}

func newMembers(seed uint64, cohort Cohort, pack *framework.Pack) *members {
	m := &members{rng: rand.New(rand.NewPCG(seed, 11)), pack: pack}
	m.layout, _ = framework.NewLayout(pack) // Releases meets the error again
	for range cohort.Members {
		m.skill = append(m.skill, 2.3+0.9*m.rng.NormFloat64())
		tilt := make([]float64, len(pack.Areas))
		for i := range tilt {
			tilt[i] = 0.5 * m.rng.NormFloat64()
		}
		m.tilt = append(m.tilt, tilt)
	}
	for range pack.Outcomes() {
		m.hard = append(m.hard, 0.7*m.rng.NormFloat64())
	}
	return m
}

// year draws everybody's levels of one year.
func (m *members) year(n int) {
	m.before, m.now, m.target = m.now, nil, nil
	for i := range n {
		var answers, targets []int
		outcome := 0
		for a := range m.pack.Areas {
			for range m.pack.Areas[a].Outcomes {
				level := int(m.skill[i] + m.tilt[i][a] - m.hard[outcome] + 0.35*m.rng.NormFloat64())
				level = min(max(level, 0), 4)
				target := min(max(level, 1)+m.rng.IntN(3)/2, 4)
				if m.rng.IntN(13) == 0 {
					level, target = -1, -1
				}
				answers, targets = append(answers, level), append(targets, target)
				outcome++
			}
			m.tilt[i][a] += 0.16 + 0.22*m.rng.NormFloat64()
		}
		m.now, m.target = append(m.now, answers), append(m.target, targets)
	}
}

// Days of the invented calendar, in seconds.
const (
	day      = 24 * 60 * 60
	firstDay = 1_772_323_200 // 1 March 2026
	openFor  = 30 * day
)

func (m *members) release(cfg Config, cohort Cohort, pack *framework.Pack, year int, first bool) (*release.Release, error) {
	layout, err := framework.NewLayout(pack)
	if err != nil {
		return nil, err
	}
	n := cohort.Members - cohort.Declined - cohort.Late
	if year < LastCycle {
		n -= cohort.Joined
	}
	if first {
		m.year(n) // last year's, of which there is no release
		m.now = nil
	}
	m.year(n)
	cells := make([]uint64, layout.Bits())
	for i := range n {
		m.count(layout, cells, i)
	}
	rule := disclosure.Rule{Hosts: cohort.Hosts, Prefer: cfg.Prefer}
	application := disclosure.Application{
		Rule: rule, Totals: disclosure.Totals{Layout: layout, Submissions: uint64(n), Cells: cells},
		Participation: disclosure.Participation{Members: cohort.Members, Submissions: n, Hosts: cohort.Hosts, Declined: cohort.Declined},
		Thresholds:    disclosure.Thresholds{MinimumBatch: coalition.MinimumBatch(cohort.Members), ReleaseMinimum: coalition.ReleaseMinimum},
		Members:       names(n), Previous: m.issue,
	}
	blocks, err := application.Apply()
	if err != nil {
		return nil, err
	}
	r, err := release.Blank(pack)
	if err != nil {
		return nil, err
	}
	r.Show(blocks)
	r.Coalition, r.Cycle, r.Cohort, r.Marking = Coalition, strconv.Itoa(year), cohort.ID, cfg.Marking
	r.HostedBy = []coalition.MemberID{"Ostmere", "Calverra"}
	opens := int64(firstDay + (year-LastCycle)*365*day)
	r.Calendar = release.Calendar{Opens: opens, Deadline: opens + openFor, Postponed: []release.Postponement{}}
	if year == LastCycle && cfg.Postponed != "" {
		r.Calendar.Deadline += openFor
		r.Calendar.Postponed = append(r.Calendar.Postponed, release.Postponement{Deadline: r.Calendar.Deadline, Reason: cfg.Postponed})
	}
	r.CharterDigest, r.RosterDigest = digest(year, 'c'), digest(year, 'e')
	r.Participation, r.Thresholds = application.Participation, application.Thresholds
	r.Rule = release.Rule{ID: release.RuleCuts, MinimumBand: rule.Least(), Known: rule.Known(), Prefer: rule.Prefer}
	r.Groups, r.History = []release.Group{{Cohort: cohort.ID, Members: n}}, []release.Earlier{}
	if m.issue != nil {
		r.Turnover = &release.Turnover{Since: m.issue.Cycle, Joined: n - len(m.issue.Members)}
		r.History = append(r.History, release.Earlier{Cycle: m.issue.Cycle, Cohort: cohort.ID, Framework: pack.ID, Release: digest(year-1, 'a')})
	}
	if m.issue, err = disclosure.NewIssue(r.Cycle, r.Cohort, application.Members, rule, blocks, m.issue); err != nil {
		return nil, err
	}
	if cfg.Revise && year < LastCycle {
		r.Framework.Version, r.Framework.Digest = "0.9.0", digest(1, 'f')
		r.Areas[0].Outcomes[0].Asked = digest(2, 'f')
	}
	return r, r.Complete()
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("member %06d", i)
	}
	return all
}

// digest stands in for one, as an invented charter and roster have none.
func digest(year int, letter byte) string {
	lead := strconv.Itoa(year)
	return lead + strings.Repeat(string(letter), 64-len(lead))
}

// count adds one member's answers to the totals, one bucket of each block.
func (m *members) count(layout *framework.Layout, cells []uint64, member int) {
	place := make(map[string]int)
	for i, o := range m.pack.Outcomes() {
		place[o.ID] = i
	}
	offset := 0
	for _, b := range layout.Blocks {
		bucket, ok := b.Bucket(m.bucket(b, member, place))
		if !ok {
			panic("picturetest: no such bucket in " + b.Name)
		}
		cells[offset+bucket]++
		offset += len(b.Buckets)
	}
}

func (m *members) bucket(b framework.Block, member int, place map[string]int) string {
	switch b.Kind {
	case framework.KindLowest:
		return m.lowest(b.Subject, member, place)
	case framework.KindChange:
		return m.change(b.Subject, member, place)
	}
	level, target := m.now[member][place[b.Subject]], m.target[member][place[b.Subject]]
	switch b.Kind {
	case framework.KindLevel:
		if level < 0 {
			return []string{"na", "withheld"}[m.rng.IntN(2)]
		}
		return strconv.Itoa(level)
	case framework.KindVerified:
		if level < 0 || m.rng.IntN(5) < 2 {
			return "none"
		}
		return strconv.Itoa(max(level-m.rng.IntN(2), 0))
	case framework.KindTarget:
		if target < 0 {
			return "none"
		}
		return strconv.Itoa(target)
	case framework.KindGap:
		switch {
		case level < 0:
			return "unknown"
		case level >= target:
			return "met"
		}
		return "below"
	case framework.KindEvidence:
		if level < 3 {
			return []string{"none", "E0"}[m.rng.IntN(2)]
		}
		return []string{"E1", "E2", "E3"}[m.rng.IntN(3)]
	}
	panic("picturetest: unknown kind " + string(b.Kind))
}

func (m *members) of(area string, member int, place map[string]int) (now, before []int) {
	i := slices.IndexFunc(m.pack.Areas, func(a framework.Area) bool { return a.ID == area })
	for j := range m.pack.Areas[i].Outcomes {
		at := place[m.pack.Areas[i].Outcomes[j].ID]
		now = append(now, m.now[member][at])
		if member < len(m.before) {
			before = append(before, m.before[member][at])
		}
	}
	return now, before
}

func (m *members) lowest(area string, member int, place map[string]int) string {
	now, _ := m.of(area, member, place)
	given := slices.DeleteFunc(now, func(l int) bool { return l < 0 })
	if len(given) == 0 {
		return "none"
	}
	return strconv.Itoa(slices.Min(given))
}

func (m *members) change(area string, member int, place map[string]int) string {
	now, before := m.of(area, member, place)
	rose, fell, comparable := false, false, false
	for i := range before {
		if now[i] < 0 || before[i] < 0 {
			continue
		}
		comparable = true
		rose = rose || now[i] > before[i]
		fell = fell || now[i] < before[i]
	}
	switch {
	case !comparable:
		return "not_comparable"
	case rose && fell:
		return "mixed"
	case rose:
		return "better"
	case fell:
		return "worse"
	}
	return "same"
}
