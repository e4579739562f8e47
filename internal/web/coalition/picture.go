package coalition

import (
	"cmp"
	"fmt"
	"slices"

	"muster/internal/errs"
	"muster/internal/verify"
	"muster/internal/web"
)

// A Block is one thing that is counted, as far as it may be shown: its chain of
// units cut into bands. Without bands it shows nothing, for the reason given.
type Block struct {
	Chain  *Chain
	Bands  []Band
	Reason web.Text // why nothing is shown; empty where something is

	// Instead says that another block that follows from the same answers is shown
	// in its place, as the charter chose: then none of its kind is shown anywhere.
	Instead bool
}

// Band is units First to Last of a chain taken together, and how many members
// are in any of them.
type Band struct {
	First, Last int
	Count       int
}

// Shown reports whether the block says more than how many took part.
func (b Block) Shown() bool { return len(b.Bands) > 1 }

// Count returns how many members are in the units first to last, and whether the
// bands tell: without a boundary on both sides there is no number.
func (b Block) Count(first, last int) (int, bool) {
	n, at := 0, first
	if !b.Shown() {
		return 0, false
	}
	for _, band := range b.Bands {
		if band.First == at {
			n += band.Count
			if band.Last == last {
				return n, true
			}
			at = band.Last + 1
		}
	}
	return 0, false
}

// Chain is the units of a block, in order.
type Chain struct {
	Name  string   // of its messages: "level", "state", "grade", "move"
	Units []string // as release.json names them
	Signs []string // what a picture writes below them
}

// The chains.
var (
	levels = &Chain{"level", []string{"none", "0", "1", "2", "3", "4"}, []string{"–", "0", "1", "2", "3", "4"}}
	states = &Chain{"state", []string{"unknown", "below", "met"}, []string{"?", "<", "≥"}}
	grades = &Chain{"grade", []string{"none", "E0", "E1", "E2", "E3"}, []string{"–", "E0", "E1", "E2", "E3"}}
	moves  = &Chain{"move", []string{"not_comparable", "worse", "mixed", "same", "better"}, []string{"?", "▼", "◆", "=", "▲"}}
)

// Places in the chains.
const (
	noLevel, level0, level1, level2, level3, level4 = 0, 1, 2, 3, 4, 5

	stateUnknown, stateBelow, stateMet = 0, 1, 2

	gradeE2, gradeE3 = 3, 4

	notComparable, worse, mixed, same, better = 0, 1, 2, 3, 4
)

// Outcome is the blocks of an outcome.
type Outcome struct {
	ID       string
	Title    web.Text
	Question web.Text
	Asked    string // what was asked, as a digest: only where it is equal do two years compare

	Level, Verified, Target, State, Evidence Block
}

// Area is the blocks of an area, and its outcomes.
type Area struct {
	ID       string
	Title    web.Text
	Lowest   Block
	Change   Block
	Outcomes []Outcome
}

// Sheet is one release: a cohort's answers to one pack in one cycle.
type Sheet struct {
	Coalition string
	Cohort    string
	Cycle     string
	Marking   string
	Warnings  []web.Text // why it may not be shown to others; none where it may

	HostedBy  []string // the two members that host the cycle
	Opens     int64    // seconds since 1970
	Deadline  int64    // after all postponements
	Postponed []Postponement

	Pack        string // its id
	Version     string
	PackDigest  string
	PackTitle   web.Text
	Levels      [5]web.Text
	HouseRule   web.Text
	Method      []web.Text // what was done, sentence by sentence
	Thresholds  Thresholds
	Charter     string // digest
	Roster      string // digest
	Members     int    // of the cohort
	Submissions int    // members that stand behind every number
	Hosts       int    // of these
	Declined    int
	Turnover    *Turnover // nil where there is no earlier release
	Dropped     []Dropped // groups that are not released
	Areas       []Area
	NotShown    []NotShown

	body []byte // the file that it was read from
}

// Postponement is a deadline that was moved, to when and why.
type Postponement struct {
	Deadline int64
	Reason   string
}

// Turnover is how many are counted that were not in the cycle before, and the
// other way round.
type Turnover struct {
	Since        string
	Joined, Left int
}

// Dropped is a group of the charter that is not released.
type Dropped struct {
	Cohort string
	Reason web.Text
}

// Thresholds is how many members something rests on before it is shown.
type Thresholds struct{ Batch, Release, Band int }

// NotShown is a block of which nothing is shown.
type NotShown struct {
	Subject string // id of the outcome or area
	Kind    string // "level", "verified" and so on
	Reason  web.Text
	Instead bool // another of the same answers is shown in its place
}

// Late returns how many members neither took part nor said that they would not.
func (s *Sheet) Late() int { return s.Members - s.Submissions - s.Declined }

// Outcome returns the outcome with that id, its area, and whether there is one.
func (s *Sheet) Outcome(id string) (*Outcome, *Area, bool) {
	for i := range s.Areas {
		for j := range s.Areas[i].Outcomes {
			if o := &s.Areas[i].Outcomes[j]; o.ID == id {
				return o, &s.Areas[i], true
			}
		}
	}
	return nil, nil, false
}

// area returns the area with that id, or nil.
func (s *Sheet) area(id string) *Area {
	i := slices.IndexFunc(s.Areas, func(a Area) bool { return a.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Areas[i]
}

// outcomes returns all outcomes in the order of the pack.
func (s *Sheet) outcomes() []*Outcome {
	var all []*Outcome
	for i := range s.Areas {
		for j := range s.Areas[i].Outcomes {
			all = append(all, &s.Areas[i].Outcomes[j])
		}
	}
	return all
}

// Picture is everything that the pages may draw: sheets and nothing behind them.
type Picture struct {
	Coalition string
	Marking   string
	Cohorts   []*Cohort // the largest first
	Checks    []*verify.Report
}

// Cohort is who answers together: the allies, or the partners.
type Cohort struct {
	ID     string
	Cycles []*Cycle // the earliest first
}

// Cycle is a cohort's sheets of one cycle, by pack.
type Cycle struct {
	ID     string
	Sheets []*Sheet      // the largest pack first
	Itself []*Collective // what the coalition says of itself, for this cohort to see
}

// newPicture puts sheets in order. All must be of one coalition and carry one
// marking: a picture that mixes real and invented answers would be neither.
func newPicture(sheets []*Sheet, itself []*Collective) (*Picture, error) {
	if len(sheets) == 0 {
		return nil, errs.New(errs.Invalid, "a picture needs a release", "")
	}
	p := &Picture{Coalition: sheets[0].Coalition, Marking: sheets[0].Marking}
	for _, s := range sheets {
		if err := p.belongs(s.Coalition, s.Marking, "a release"); err != nil {
			return nil, err
		}
		cycle := p.cohort(s.Cohort).cycle(s.Cycle)
		if other := cycle.sheet(s.Pack); other != nil {
			return nil, errs.New(errs.Invalid,
				fmt.Sprintf("there are two releases of %s for %s in the cycle %s", s.Pack, errs.Quote(s.Cohort), errs.Quote(s.Cycle)), "give each release once")
		}
		cycle.Sheets = append(cycle.Sheets, s)
	}
	for _, cohort := range p.Cohorts {
		slices.SortFunc(cohort.Cycles, func(a, b *Cycle) int { return cmp.Compare(a.ID, b.ID) })
		for _, cycle := range cohort.Cycles {
			slices.SortStableFunc(cycle.Sheets, func(a, b *Sheet) int {
				return cmp.Or(cmp.Compare(len(b.outcomes()), len(a.outcomes())), cmp.Compare(a.Pack, b.Pack))
			})
		}
	}
	slices.SortStableFunc(p.Cohorts, func(a, b *Cohort) int { return cmp.Compare(b.members(), a.members()) })
	return p, p.addItself(itself)
}

// addItself puts what the coalition says of itself beside the releases of the
// cohort that may see it, and nowhere else.
func (p *Picture) addItself(itself []*Collective) error {
	for _, c := range itself {
		if err := p.belongs(c.Coalition, c.Marking, "an assessment of the coalition itself"); err != nil {
			return err
		}
		var cycle *Cycle
		for _, cohort := range p.Cohorts {
			if cohort.ID == c.Cohort {
				cycle = cohort.find(c.Cycle)
			}
		}
		if cycle == nil {
			return errs.New(errs.Invalid, fmt.Sprintf("the coalition assessed itself for %s in the cycle %s, of which there is no release of theirs", errs.Quote(c.Cohort), errs.Quote(c.Cycle)), "give a release of that cohort and cycle too")
		}
		if slices.ContainsFunc(cycle.Itself, func(other *Collective) bool { return other.Pack == c.Pack }) {
			return errs.New(errs.Invalid, fmt.Sprintf("the coalition assessed itself twice by %s in the cycle %s", c.Pack, errs.Quote(c.Cycle)), "give each file once")
		}
		cycle.Itself = append(cycle.Itself, c)
	}
	return nil
}

func (p *Picture) belongs(coalition, marking, what string) error {
	if coalition != p.Coalition {
		return errs.New(errs.Invalid, fmt.Sprintf("%s is of %s, another of %s", what, errs.Quote(coalition), errs.Quote(p.Coalition)), "a picture is of one coalition")
	}
	if marking != p.Marking {
		return errs.New(errs.Invalid, fmt.Sprintf("%s is marked %s, another %s", what, errs.Quote(marking), errs.Quote(p.Marking)), "what is marked and what is not does not stand in one picture")
	}
	return nil
}

func (p *Picture) cohort(id string) *Cohort {
	for _, c := range p.Cohorts {
		if c.ID == id {
			return c
		}
	}
	c := &Cohort{ID: id}
	p.Cohorts = append(p.Cohorts, c)
	return c
}

// find returns the cohort with that id, or nil.
func (p *Picture) find(id string) *Cohort {
	for _, c := range p.Cohorts {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// members returns how many members the cohort has in its latest cycle.
func (c *Cohort) members() int {
	n := 0
	for _, s := range c.Cycles[len(c.Cycles)-1].Sheets {
		n = max(n, s.Members)
	}
	return n
}

func (c *Cohort) cycle(id string) *Cycle {
	if found := c.find(id); found != nil {
		return found
	}
	added := &Cycle{ID: id}
	c.Cycles = append(c.Cycles, added)
	return added
}

// find returns the cycle with that id, or nil.
func (c *Cohort) find(id string) *Cycle {
	for _, cycle := range c.Cycles {
		if cycle.ID == id {
			return cycle
		}
	}
	return nil
}

// latest returns the cohort's last cycle.
func (c *Cohort) latest() *Cycle { return c.Cycles[len(c.Cycles)-1] }

// until returns the cycles up to the one given, at most n of them.
func (c *Cohort) until(cycle *Cycle, n int) []*Cycle {
	end := slices.Index(c.Cycles, cycle) + 1
	return c.Cycles[max(0, end-n):end]
}

// before returns the sheet of a pack in the cycle before, or nil.
func (c *Cohort) before(cycle *Cycle, pack string) *Sheet {
	cycles := c.until(cycle, 2)
	if len(cycles) < 2 {
		return nil
	}
	return cycles[0].sheet(pack)
}

// unreleased returns, of the packs that the cohort has no release of in a cycle,
// a sheet of another cohort that has one.
func (p *Picture) unreleased(cohort *Cohort, cycle *Cycle) []*Sheet {
	var list []*Sheet
	for _, other := range p.Cohorts {
		theirs := other.find(cycle.ID)
		if other == cohort || theirs == nil {
			continue
		}
		for _, s := range theirs.Sheets {
			known := slices.ContainsFunc(list, func(o *Sheet) bool { return o.Pack == s.Pack })
			if cycle.sheet(s.Pack) == nil && !known {
				list = append(list, s)
			}
		}
	}
	return list
}

// sheet returns the sheet of a pack, or nil.
func (c *Cycle) sheet(pack string) *Sheet {
	for _, s := range c.Sheets {
		if s.Pack == pack {
			return s
		}
	}
	return nil
}
