package disclosure_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/internal/disclosure"
	"muster/internal/framework"
)

// long reports whether long tests do all they can.
func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

// names returns names of invented members, in order.
func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("m%03d", i)
	}
	return all
}

// layoutOf returns a layout of that many areas and outcomes, dealt out evenly.
func layoutOf(areas, outcomes int) *framework.Layout {
	l := &framework.Layout{Format: framework.LayoutFormat, Framework: framework.Ref{ID: "synthetic", Version: "1.0.0", Digest: strings.Repeat("0", 64)}}
	add := func(subject string, k framework.Kind) {
		l.Blocks = append(l.Blocks, framework.Block{Name: subject + "/" + string(k), Subject: subject, Kind: k, Buckets: k.Buckets()})
	}
	for _, k := range framework.OutcomeKinds() {
		for o := range outcomes {
			add(fmt.Sprintf("A%d.%d", o%areas, o/areas), k)
		}
	}
	for _, k := range framework.AreaKinds() {
		for a := range areas {
			add(fmt.Sprintf("A%d", a), k)
		}
	}
	return l
}

// state is an invented coalition of which every member has a capability that
// grows a little every year.
type state struct {
	rng    *rand.Rand
	layout *framework.Layout
	hard   map[string]float64
	scores map[string]map[string]float64 // by member and outcome
	last   map[string]map[string]int     // by member and outcome, the last level's position; 0 is none
}

func newState(l *framework.Layout, seed uint64) *state {
	s := &state{rng: rand.New(rand.NewPCG(seed, 1)), layout: l, hard: make(map[string]float64), scores: make(map[string]map[string]float64)}
	for _, b := range l.Blocks {
		if b.Kind == framework.KindLevel {
			s.hard[b.Subject] = s.rng.NormFloat64() * 0.07
		}
	}
	return s
}

// join makes a member's scores.
func (s *state) join(m string) {
	capability := 0.15 + 0.7*(s.rng.Float64()+s.rng.Float64()+s.rng.Float64())/3
	area := make(map[string]float64)
	s.scores[m] = make(map[string]float64)
	for _, b := range s.layout.Blocks {
		if b.Kind != framework.KindLevel {
			continue
		}
		id, _, _ := strings.Cut(b.Subject, ".")
		if _, ok := area[id]; !ok {
			area[id] = s.rng.NormFloat64() * 0.11
		}
		s.scores[m][b.Subject] = capability + area[id] + s.hard[b.Subject] + s.rng.NormFloat64()*0.09
	}
}

// year lets the members answer and returns the totals; who is new joins.
func (s *state) year(members []string) disclosure.Totals {
	l := s.layout
	t := disclosure.Totals{Layout: l, Submissions: uint64(len(members)), Cells: make([]uint64, l.Bits())}
	levels := make(map[string]map[string]int)
	for _, m := range members {
		if s.scores[m] == nil {
			s.join(m)
		} else {
			s.drift(m)
		}
		units := make(map[string]int)
		levels[m] = make(map[string]int)
		for _, b := range l.Blocks {
			if b.Kind == framework.KindLevel {
				units[b.Name] = s.level(s.scores[m][b.Subject])
				levels[m][b.Subject] = units[b.Name]
			}
		}
		s.derive(units, levels[m], s.last[m])
		for i, b := range l.Blocks {
			t.Cells[l.Offset(i)+bucketOf(b, units[b.Name])]++
		}
	}
	s.last = levels
	return t
}

func (s *state) drift(m string) {
	area := make(map[string]float64)
	for _, b := range s.layout.Blocks {
		if b.Kind != framework.KindLevel {
			continue
		}
		id, _, _ := strings.Cut(b.Subject, ".")
		if _, ok := area[id]; !ok {
			area[id] = 0.04 + s.rng.NormFloat64()*0.04
		}
		s.scores[m][b.Subject] += area[id] + s.rng.NormFloat64()*0.05
	}
}

// level returns the position in the chain of what a member with that score says.
func (s *state) level(score float64) int {
	if s.rng.Float64() < 0.11 {
		return 0
	}
	at := 1
	for _, threshold := range []float64{0.2, 0.4, 0.65, 0.9} {
		if score >= threshold {
			at++
		}
	}
	return at
}

// derive adds what goes with a member's levels.
func (s *state) derive(units, now, then map[string]int) {
	areas := make(map[string][][2]int) // last year's and this year's levels
	for _, b := range s.layout.Blocks {
		level := now[b.Subject]
		switch b.Kind {
		case framework.KindLevel:
			id, _, _ := strings.Cut(b.Subject, ".")
			areas[id] = append(areas[id], [2]int{then[b.Subject], level})
		case framework.KindVerified:
			if s.rng.Float64() < 0.35 {
				units[b.Name] = max(level-s.rng.IntN(2), min(level, 1))
			}
		case framework.KindTarget:
			if s.rng.Float64() < 0.9 {
				units[b.Name] = min(max(level+s.rng.IntN(3), 3), 5)
			}
		case framework.KindEvidence:
			units[b.Name] = s.rng.IntN(1 + max(level-1, 0))
		case framework.KindGap:
			target := units[b.Subject+"/target"]
			switch {
			case level == 0 || target == 0:
			case level < target:
				units[b.Name] = 1
			default:
				units[b.Name] = 2
			}
		case framework.KindLowest:
			for _, l := range areas[b.Subject] {
				if l[1] > 0 && (units[b.Name] == 0 || l[1] < units[b.Name]) {
					units[b.Name] = l[1]
				}
			}
		case framework.KindChange:
			units[b.Name] = changeOf(areas[b.Subject])
		}
	}
}

func changeOf(pairs [][2]int) int {
	var rose, fell, compared bool
	for _, p := range pairs {
		if p[0] == 0 || p[1] == 0 {
			continue
		}
		compared = true
		rose, fell = rose || p[1] > p[0], fell || p[1] < p[0]
	}
	switch {
	case !compared:
		return 0
	case rose && fell:
		return 2
	case fell:
		return 1
	case rose:
		return 4
	}
	return 3
}

// bucketOf returns the bucket of a block for a position in its chain.
func bucketOf(b framework.Block, unit int) int {
	name := disclosure.Chain(b.Kind)[unit]
	if i := slices.Index(b.Buckets, name); i >= 0 {
		return i
	}
	return slices.Index(b.Buckets, "withheld")
}

// issueOf releases the totals under the rule.
func issueOf(t testing.TB, cycle string, members []string, r disclosure.Rule, totals disclosure.Totals, previous *disclosure.Issue) *disclosure.Issue {
	t.Helper()
	n := len(members)
	a := disclosure.Application{
		Rule: r, Totals: totals, Members: members, Previous: previous,
		Participation: disclosure.Participation{Members: n, Submissions: n, Hosts: r.Hosts},
		Thresholds:    disclosure.Thresholds{MinimumBatch: (2*n + 2) / 3, ReleaseMinimum: 8},
	}
	blocks, err := a.Apply()
	if err != nil {
		t.Fatal(err)
	}
	issue, err := disclosure.NewIssue(cycle, "all", members, r, blocks, previous)
	if err != nil {
		t.Fatal(err)
	}
	return issue
}
