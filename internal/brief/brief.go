// Package brief holds what a national brief says: the two pages that a member draws
// for its own minister in the hour after the release.
//
//	b := brief.New(brief.Config{Pack: pack, Release: released, Comparison: compared, ...})
//	for _, rule := range b.Rules() { ... }         // what the speaking points are drafted from
//	text, unknown := brief.Fill(point.Text, words) // figures in the place of references
//
// [New] computes figures and picks what is named; words are for who draws the pages.
// A speaking point holds no figure: it refers to one by a name in braces, so that a
// figure that changes changes wherever it is said, and nobody types it again. What may
// be said in public is [Brief.Public]: sentences of the release itself. What the
// member adds of its own answers, it adds by choice, point by point.
//
// The package promises that every figure follows from the release, the answers and the
// plan by computation alone; that of the coalition it says no more than the bands of
// the release say; and that without a release it says of the coalition nothing.
package brief

import (
	"slices"
	"time"

	"muster/internal/assess"
	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
	"muster/internal/workspace"
)

// Config is what a brief is made of.
type Config struct {
	Member     string
	Cycle      string
	Pack       *framework.Pack
	Release    *release.Release // nil if none is here
	Comparison workspace.Comparison
	Before     []workspace.Promise     // what the plan of the cycle before promised
	Plan       []workspace.SavedAction // of this survey
	Sealed     bool                    // something of the survey was sealed here
	Today      time.Time
}

// Named is how many gaps a brief names.
const Named = 3

// Brief is what a national brief says, in figures.
type Brief struct {
	Config

	Answered int    // outcomes with an answer
	Outcomes int    // of the pack
	Levels   [5]int // answers at each level of the scale
	Other    int    // answers that are no level: not applicable, or withheld

	TargetsMet, Targets int // reached, of those that the member set itself

	Rose, Fell, Same int // since the cycle before
	Areas            []Area

	Gaps  []Gap // the most urgent, at most [Named]
	Below int   // outcomes below their target, in all
	Best  *workspace.Standing

	Promised map[State]int // of the year before
	Promises []Promise     // by urgency: late, under way, dropped, kept
	Funding  map[assess.Funding]int
	Actions  int // lines of the plan that are something to do
}

// Compared returns how many outcomes can be compared with the cycle before.
func (b *Brief) Compared() int { return b.Rose + b.Fell + b.Same }

// Area is how an area moved since the cycle before: the member's own change, and the
// coalition's.
type Area struct {
	ID     string
	Own    assess.Change
	Others disclosure.BandedBlock // not shown where the release does not show it
}

// Gap is an outcome in which the member is below its target.
type Gap struct {
	workspace.Standing
	Level, Target int
	Action        *assess.Action // what the plan says of it first; nil if nothing
}

// State says what became of a promise.
type State int

// The states of a promise.
const (
	StateLate State = iota // its day is over and it is not finished
	StateUnderWay
	StateDropped // the member gave it up
	StateKept
)

// Promise is a line of last year's plan and what became of it.
type Promise struct {
	workspace.Promise
	State State
}

// New computes a brief.
func New(cfg Config) *Brief {
	outcomes := cfg.Pack.Outcomes()
	b := &Brief{Config: cfg, Outcomes: len(outcomes), Answered: len(cfg.Comparison.Standings), Promised: make(map[State]int), Funding: make(map[assess.Funding]int)}
	b.stand()
	b.areas()
	b.gaps()
	b.plan()
	return b
}

// stand counts the member's own answers.
func (b *Brief) stand() {
	for i := range b.Comparison.Standings {
		s := &b.Comparison.Standings[i]
		if n, given := s.Answer.Level.Number(); given {
			b.Levels[n]++
		} else {
			b.Other++
		}
		switch s.Gap {
		case assess.GapMet:
			b.TargetsMet++
			b.Targets++
		case assess.GapBelow:
			b.Targets++
			b.Below++
		}
		switch s.Move {
		case assess.MoveRose:
			b.Rose++
		case assess.MoveFell:
			b.Fell++
		case assess.MoveSame:
			b.Same++
		}
		if b.ahead(s) && (b.Best == nil || s.Lower > b.Best.Lower) {
			b.Best = s
		}
	}
}

// ahead reports whether more than half of those who are counted are surely lower.
func (b *Brief) ahead(s *workspace.Standing) bool {
	return b.Release != nil && s.Band >= 0 && s.Answer.Level.Given() && 2*s.Lower > uint64(b.Release.Participation.Submissions)
}

// areas sums up the moves of each area, as what is sealed does.
func (b *Brief) areas() {
	moves := make(map[string]assess.Move)
	for _, s := range b.Comparison.Standings {
		moves[s.Outcome] = s.Move
	}
	others := make(map[string]disclosure.BandedBlock)
	if b.Release != nil {
		for _, a := range b.Release.Areas {
			others[a.ID] = a.Change
		}
	}
	for i := range b.Pack.Areas {
		a := &b.Pack.Areas[i]
		var own []assess.Move
		for j := range a.Outcomes {
			own = append(own, moves[a.Outcomes[j].ID])
		}
		b.Areas = append(b.Areas, Area{ID: a.ID, Own: assess.ChangeOf(own...), Others: others[a.ID]})
	}
}

// gaps names the most urgent gaps and what the plan says of them.
func (b *Brief) gaps() {
	for _, outcome := range b.Comparison.Urgent[:min(len(b.Comparison.Urgent), Named)] {
		i := slices.IndexFunc(b.Comparison.Standings, func(s workspace.Standing) bool { return s.Outcome == outcome })
		g := Gap{Standing: b.Comparison.Standings[i]}
		g.Level, _ = g.Answer.Level.Number()
		g.Target, _ = g.Answer.Target.Number()
		for _, line := range b.Plan {
			if line.Action.Outcome == outcome && (g.Action == nil || g.Action.Finished && !line.Action.Finished) {
				action := line.Action
				g.Action = &action
			}
		}
		b.Gaps = append(b.Gaps, g)
	}
}

// plan counts what was promised and what is planned.
func (b *Brief) plan() {
	today := b.Today.Format(time.DateOnly)
	for _, p := range b.Before {
		state := StateUnderWay
		switch {
		case p.Dropped:
			state = StateDropped
		case p.Action.Finished:
			state = StateKept
		case p.Action.Due != "" && p.Action.Due < today:
			state = StateLate
		}
		b.Promised[state]++
		b.Promises = append(b.Promises, Promise{p, state})
	}
	slices.SortStableFunc(b.Promises, func(x, y Promise) int { return int(x.State) - int(y.State) })
	for _, line := range b.Plan {
		if !line.Action.Nothing {
			b.Actions++
			b.Funding[line.Action.Funding]++
		}
	}
}
