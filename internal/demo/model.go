package demo

import (
	"hash/crc32"

	"muster/internal/assess"
	"muster/internal/framework"
)

// Full is the capability that nobody reaches: capabilities and scores are whole
// numbers of ten-thousandths.
const Full = 10_000

// The standard deviations of what is added to a member's capability, in
// ten-thousandths. The area's is the larger, so that outcomes of one area resemble
// each other more than outcomes of different areas.
const (
	spreadArea    = 1_100 // a member in an area
	spreadOutcome = 900   // a member in an outcome
	spreadHard    = 700   // an outcome, for all members alike
)

// What one year adds: an area's drift has a mean and a deviation, an outcome's a
// deviation. A few outcomes fall.
const (
	driftMean    = 400
	driftArea    = 400
	driftOutcome = 500
)

// thresholds are the scores at which levels 1 to 4 begin.
var thresholds = [...]int{2_000, 4_000, 6_500, 9_000}

// levelOf returns the number of the level that a score stands for, 0 to 4.
func levelOf(score int) int {
	level := 0
	for level < len(thresholds) && score >= thresholds[level] {
		level++
	}
	return level
}

// model is what all members of a coalition have in common.
type model struct {
	seed     uint64
	pack     string // its id
	outcomes []*framework.Outcome
	area     []int // by outcome, the number of its area
	areas    int
	hard     []int // by outcome, what is added to everybody's score
}

func newModel(pack *framework.Pack, seed uint64) *model {
	m := &model{seed: seed, pack: pack.ID, outcomes: pack.Outcomes(), areas: len(pack.Areas)}
	src := newSource(seed, streamCoalition)
	for area := range pack.Areas {
		for range pack.Areas[area].Outcomes {
			m.area = append(m.area, area)
			m.hard = append(m.hard, src.bell(spreadHard))
		}
	}
	return m
}

// habits are what a member keeps from year to year.
type habits struct {
	claim     []int  // by outcome, how many levels the member says more than is so
	ambition  []int  // by outcome, how many levels above its own the target lies
	inapt     []bool // by outcome, whether it does not apply to the member
	verifying int    // how many of a thousand answers are verified
}

// member makes the member in that place of the list of names. It answers in both
// years; the caller takes away what it must.
func (m *model) member(name string, place uint64) Member {
	src := newSource(m.seed, place)
	capability := src.beta()
	scores := make([]int, len(m.outcomes))
	drifts := make([]int, len(m.outcomes))
	areaSpread := make([]int, m.areas)
	areaDrift := make([]int, m.areas)
	for area := range m.areas {
		areaSpread[area] = src.bell(spreadArea)
		areaDrift[area] = driftMean + src.bell(driftArea)
	}
	for i := range m.outcomes {
		scores[i] = capability + areaSpread[m.area[i]] + m.hard[i] + src.bell(spreadOutcome)
		drifts[i] = areaDrift[m.area[i]] + src.bell(driftOutcome)
	}
	h := m.habits(src)
	now := m.answers(src, h, scores)
	for i := range scores {
		scores[i] -= drifts[i]
	}
	before := m.answers(src, h, scores)
	return Member{
		Name:       name,
		Capability: capability,
		Now:        &assess.Assessment{Member: name, Answers: now},
		Before:     &assess.Assessment{Member: name, Answers: before},
	}
}

// history makes the answers of that many years by the member in that place of the
// list of names, the earliest first. Every score is raised by lift.
//
// The capability is the same for every pack, and everything else is the pack's
// own: who is good at one subject is likely to be good at others, and no more.
func (m *model) history(name string, place uint64, lift, years int) ([]*assess.Assessment, int) {
	capability := newSource(m.seed, place).beta()
	src := newSource(m.seed, m.stream(place))
	scores := make([]int, len(m.outcomes))
	areaSpread := make([]int, m.areas)
	for area := range m.areas {
		areaSpread[area] = src.bell(spreadArea)
	}
	for i := range m.outcomes {
		scores[i] = capability + lift + areaSpread[m.area[i]] + m.hard[i] + src.bell(spreadOutcome)
	}
	h := m.habits(src)
	answers := make([]*assess.Assessment, years)
	for y := years - 1; y >= 0; y-- {
		answers[y] = &assess.Assessment{Member: name, Answers: m.answers(src, h, scores)}
		m.backward(src, scores)
	}
	return answers, capability
}

// backward takes from the scores what the last year added to them.
func (m *model) backward(src *source, scores []int) {
	areaDrift := make([]int, m.areas)
	for area := range m.areas {
		areaDrift[area] = driftMean + src.bell(driftArea)
	}
	for i := range scores {
		scores[i] -= areaDrift[m.area[i]] + src.bell(600)
	}
}

// stream returns the stream of a member's answers to this pack over the years.
func (m *model) stream(place uint64) uint64 {
	return uint64(crc32.ChecksumIEEE([]byte(m.pack)))<<33 | 1<<32 | place
}

func (m *model) habits(src *source) habits {
	n := len(m.outcomes)
	h := habits{
		claim: make([]int, n), ambition: make([]int, n), inapt: make([]bool, n),
		verifying: src.between(200, 500),
	}
	claiming := src.between(150, 450)
	for i, outcome := range m.outcomes {
		h.claim[i] = src.pick(980-claiming, claiming, 20)
		h.ambition[i] = src.pick(350, 500, 150)
		// Only where the framework says when it may be answered.
		h.inapt[i] = src.chance(120) && outcome.NotApplicable != nil
	}
	return h
}

// answers makes one year's answers from what is so: the outcomes' scores.
func (m *model) answers(src *source, h habits, scores []int) map[string]assess.Answer {
	answers := make(map[string]assess.Answer, len(m.outcomes))
	weights := make([]int, len(m.outcomes))
	for i, score := range scores {
		if !h.inapt[i] {
			// What is weak is withheld more readily.
			weights[i] = (6 - levelOf(score)) * (6 - levelOf(score))
		}
	}
	withheld := draw(src, weights, withheldCount(src, len(m.outcomes)))
	for i, outcome := range m.outcomes {
		switch {
		case h.inapt[i]:
			answers[outcome.ID] = inapt(src)
		case withheld[i]:
			answers[outcome.ID] = silence(src)
		default:
			answers[outcome.ID] = statement(src, levelOf(scores[i]), h, i)
		}
	}
	return answers
}

// withheldCount returns how many of n outcomes a member withholds: 5 to 10 per cent,
// and where there is no such number, 7.5 per cent on the average.
func withheldCount(src *source, n int) int {
	if low, high := (5*n+99)/100, 10*n/100; low <= high {
		return src.between(low, high)
	}
	count := 75 * n / 1000
	if src.chance(75 * n % 1000) {
		count++
	}
	return count
}

// draw draws up to count different indexes by their weights, which it uses up.
func draw(src *source, weights []int, count int) map[int]bool {
	drawn := make(map[int]bool, count)
	for range count {
		sum := 0
		for _, w := range weights {
			sum += w
		}
		if sum == 0 {
			break
		}
		i := src.pick(weights...)
		drawn[i] = true
		weights[i] = 0
	}
	return drawn
}

// inapt answers an outcome that does not apply; some verifiers confirm it.
func inapt(src *source) assess.Answer {
	answer := assess.Answer{Level: framework.NotApplicable}
	if src.chance(300) {
		answer.Verified = framework.NotApplicable
	}
	return answer
}

// silence answers an outcome of which the member prefers not to speak.
func silence(src *source) assess.Answer {
	answer := assess.Answer{Level: framework.Withheld}
	if src.chance(150) {
		answer.Verified = framework.Withheld
	}
	if src.chance(400) {
		answer.Target = level(src.between(3, 4))
	}
	return answer
}

// statement answers outcome i, where the member truly is at a level.
func statement(src *source, truth int, h habits, i int) assess.Answer {
	said := min(truth+h.claim[i], 4)
	answer := assess.Answer{
		Level:    level(said),
		Evidence: grades[src.pick(evidence[said][:]...)],
		Target:   level(min(max(said+h.ambition[i], 2), 4)),
	}
	if src.chance(80) {
		answer.Target = framework.None
	}
	if src.chance(h.verifying) {
		answer.Verified = level(truth)
	}
	return answer
}

// evidence holds, by the level that is said, the weights of the grades in the order
// of grades. Evidence is asked for at 3 and 4; a few say 4 with too little.
var evidence = [...][5]int{
	{850, 120, 30, 0, 0},
	{750, 150, 90, 10, 0},
	{550, 150, 270, 30, 0},
	{60, 90, 420, 340, 90},
	{10, 20, 90, 390, 490},
}

var grades = [...]framework.Grade{
	framework.NoEvidence, framework.E0, framework.E1, framework.E2, framework.E3,
}

// level returns the level with that number, which is one of the five.
func level(number int) framework.Level {
	l, ok := framework.LevelOf(number)
	if !ok {
		panic("demo: no such level")
	}
	return l
}
