package coalition

import (
	"cmp"
	"html/template"
	"slices"

	"muster/internal/web"
)

// packView is every outcome of a pack, chosen and sorted.
type packView struct {
	web.Page
	Heading   string
	Lead      string
	Who       string
	Filter    *filterView // nil where nothing can be chosen
	Shown     string
	Areas     []areaView // outcomes by area
	List      []outcomeView
	Columns   columnsView
	Scale     scaleView
	Downloads []web.Link
}

// columnsView is the heads of the columns of outcomes.
type columnsView struct{ Outcome, Level, Verified, AtTarget, Tested string }

func (d *drawing) columns() columnsView {
	return columnsView{d.T("pack.outcome"), d.T("block.level"), d.T("block.verified"), d.T("pack.atTarget"), d.T("pack.tested")}
}

// filterView is the form that chooses and sorts.
type filterView struct {
	Action string
	Fields []field
	Tables bool // the data tables are in sight
	Reset  web.Link
}

type field struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value    string
	Text     string
	Selected bool
}

// choice is what a reader chose; the zero choice is everything in the pack's order.
type choice struct {
	area, show, sort string
	tables           bool // the data tables are in sight
}

// The values of the form, the default first.
var (
	showValues = []string{"all", "help", "well", "below", "unverified"}
	sortValues = []string{"pack", "help", "well", "target", "tested"}
)

// normal returns the choice with what is not known replaced by the default, so
// that a link that somebody shortened still leads somewhere.
func (c choice) normal(s *Sheet) choice {
	if s.area(c.area) == nil {
		c.area = ""
	}
	if !slices.Contains(showValues, c.show) {
		c.show = showValues[0]
	}
	if !slices.Contains(sortValues, c.sort) {
		c.sort = sortValues[0]
	}
	return c
}

// fits reports whether an outcome is among those that the reader wants to see.
func (c choice) fits(s *Sheet, o *Outcome) bool {
	_, atMostLow, okLow := low(o.Level)
	atHigh, okHigh := high(o.Level)
	switch c.show {
	case "help":
		return okLow && okHigh && atMostLow > atHigh
	case "well":
		return okLow && okHigh && atHigh > atMostLow
	case "below":
		met, ok := o.atTarget()
		return ok && 2*met < s.Submissions
	case "unverified":
		return slices.ContainsFunc([]Block{o.Level, o.Verified, o.Target, o.State, o.Evidence}, Block.hidden)
	}
	return true
}

// hidden reports whether nothing is shown of a block, and nothing in its place.
func (b Block) hidden() bool { return !b.Shown() && !b.Instead }

// chosen returns the outcomes that fit, in the order wanted. What the bands do
// not tell comes last.
func (c choice) chosen(s *Sheet) []*Outcome {
	var list []*Outcome
	for i := range s.Areas {
		a := &s.Areas[i]
		if c.area != "" && c.area != a.ID {
			continue
		}
		for j := range a.Outcomes {
			if c.fits(s, &a.Outcomes[j]) {
				list = append(list, &a.Outcomes[j])
			}
		}
	}
	key := func(*Outcome) int { return 0 }
	switch c.sort {
	case "help":
		key = func(o *Outcome) int {
			certain, possible, ok := low(o.Level)
			return descending(certain<<20+possible, ok)
		}
	case "well":
		key = func(o *Outcome) int { return descending(high(o.Level)) }
	case "target":
		key = func(o *Outcome) int { return ascending(o.atTarget()) }
	case "tested":
		key = func(o *Outcome) int { return ascending(o.tested()) }
	}
	slices.SortStableFunc(list, func(a, b *Outcome) int { return cmp.Compare(key(a), key(b)) })
	return list
}

// last sorts behind every count, and every pair of counts.
const last = 1 << 60

func descending(n int, known bool) int { return ascending(-n, known) }

func ascending(n int, known bool) int {
	if !known {
		return last
	}
	return n
}

// pack draws the outcomes that the reader chose: by area in the pack's own
// order, in one list in any other.
func (d *drawing) pack(s *Sheet, c choice) packView {
	c = c.normal(s)
	d.open = c.tables
	heads := d.heads()
	all := len(s.outcomes())
	v := packView{
		Heading: d.T("pack.title", "Pack", d.Plain(s.PackTitle), "Cycle", s.Cycle),
		Lead:    d.N("pack.lead", all, "Areas", len(s.Areas)),
		Who:     d.headline(s) + ". " + d.participation(s),
		Columns: d.columns(), Scale: d.scale(s), Downloads: d.downloads(s),
	}
	v.Scale.Moves = d.moveLegend(s)
	list := c.chosen(s)
	v.Shown = d.N("pack.shown", len(list), "Of", all)
	if c.sort != sortValues[0] {
		for _, o := range list {
			v.List = append(v.List, d.outcome(s, o, heads))
		}
		return v
	}
	for i := range s.Areas {
		a := &s.Areas[i]
		var outcomes []outcomeView
		for j := range a.Outcomes {
			if slices.Contains(list, &a.Outcomes[j]) {
				outcomes = append(outcomes, d.outcome(s, &a.Outcomes[j], heads))
			}
		}
		if len(outcomes) > 0 {
			area := d.area(s, a, heads)
			area.Outcomes = outcomes
			v.Areas = append(v.Areas, area)
		}
	}
	return v
}

// filter draws the form with what was chosen.
func (d *drawing) filter(s *Sheet, c choice) *filterView {
	c = c.normal(s)
	here := d.to.pack(s.Cohort, s.Cycle, s.Pack)
	f := &filterView{Action: here, Tables: c.tables, Reset: web.Link{Text: d.T("pack.reset"), Href: here}}
	areas := field{Name: "area", Label: d.T("pack.area"), Options: []option{{"", d.T("pack.allAreas"), c.area == ""}}}
	for i := range s.Areas {
		a := &s.Areas[i]
		areas.Options = append(areas.Options, option{a.ID, a.ID + " " + d.Plain(a.Title), c.area == a.ID})
	}
	f.Fields = []field{areas, d.options("show", showValues, c.show), d.options("sort", sortValues, c.sort)}
	return f
}

func (d *drawing) options(name string, values []string, chosen string) field {
	f := field{Name: name, Label: d.T("pack." + name)}
	for _, value := range values {
		f.Options = append(f.Options, option{value, d.T(name + "." + value), value == chosen})
	}
	return f
}

// outcomePage is one outcome over the cycles.
type outcomePage struct {
	web.Page
	Heading        template.HTML
	Question       template.HTML
	AreaLabel      string
	AreaTitle      template.HTML
	AreaLink       web.Link
	Outcome        outcomeView
	Years          []yearRow
	Verified       []yearRow
	History        []changeRow
	ChangeLead     string
	Caption        string
	ChangeCaption  string
	Heads          *tableHeads
	Scale          scaleView
	MoveSigns      string
	Previous, Next *web.Link
	Permanent      string
	Downloads      []web.Link
}

// yearRow is a block of an outcome in one cycle.
type yearRow struct {
	Cycle string
	Break string
	Block blockView
	Words string
}

// outcomePage draws one outcome.
func (d *drawing) outcomePage(s *Sheet, o *Outcome, a *Area) outcomePage {
	heads := d.heads()
	view := d.outcome(s, o, heads)
	plain := d.Plain(o.Title)
	who := d.who(s.Cohort, s.Submissions)
	v := outcomePage{
		Heading: view.Title, Question: d.Show(o.Question), Outcome: view, Heads: heads, Scale: d.scale(s), MoveSigns: d.moveLegend(s),
		AreaLabel: d.T("outcome.area", "ID", a.ID), AreaTitle: d.Show(a.Title),
		AreaLink:      web.Link{Text: d.T("outcome.inArea"), Href: d.to.area(s.Cohort, s.Cycle, s.Pack, a.ID)},
		Years:         d.years(s, o.ID, d.T("block.level"), func(o *Outcome) Block { return o.Level }),
		Verified:      d.years(s, o.ID, d.T("block.verified"), func(o *Outcome) Block { return o.Verified }),
		History:       d.history(s, a.ID),
		ChangeLead:    d.T("outcome.changeLead", "N", len(a.Outcomes)),
		Caption:       d.marked(s, o.ID+" "+plain),
		ChangeCaption: d.marked(s, d.T("table.change", "ID", a.ID, "Title", d.Plain(a.Title), "Who", who)),
		Permanent:     d.to.outcome(s.Cohort, s.Cycle, s.Pack, o.ID),
	}
	all := s.outcomes()
	i := slices.Index(all, o)
	link := func(o *Outcome) *web.Link {
		return &web.Link{Text: o.ID + " " + d.Plain(o.Title), Href: d.to.outcome(s.Cohort, s.Cycle, s.Pack, o.ID)}
	}
	if i > 0 {
		v.Previous = link(all[i-1])
	}
	if i+1 < len(all) {
		v.Next = link(all[i+1])
	}
	if href := d.to.file(s.Cohort, s.Cycle, outcomeFile(s.Pack, o.ID)); href != "" {
		v.Downloads = []web.Link{{Text: d.T("outcome.download"), Href: href}}
	}
	return v
}

// years draws a block of an outcome in the cycles up to the one shown. Where what
// is asked under its id has changed, the years do not compare.
func (d *drawing) years(s *Sheet, id, name string, of func(*Outcome) Block) []yearRow {
	var rows []yearRow
	asked := ""
	for _, cycle := range d.cohort.until(d.cycle, shownCycles) {
		sheet := cycle.sheet(s.Pack)
		if sheet == nil {
			continue
		}
		row := yearRow{Cycle: cycle.ID}
		if o, _, ok := sheet.Outcome(id); ok {
			if asked != "" && asked != o.Asked {
				row.Break = d.T("break.asked")
			}
			asked = o.Asked
			row.Block = d.block(name, id+" "+d.Plain(o.Title)+", "+cycle.ID, of(o), sheet, tall)
		} else {
			row.Words = d.T("outcome.absent")
		}
		rows = append(rows, row)
	}
	return rows
}
