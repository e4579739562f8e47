package coalition

import (
	"html/template"
	"strings"

	"muster/internal/web"
)

// places says where pages lie: on a server, or in one file.
type places interface {
	year(cohort, cycle string) string
	pack(cohort, cycle, pack string) string
	area(cohort, cycle, pack, area string) string
	outcome(cohort, cycle, pack, outcome string) string
	itself(cohort, cycle, pack string) string
	method(cohort, cycle string) string
	check(cohort, cycle string) string
	file(cohort, cycle, name string) string // a download; empty where there is none

	elsewhere(cohort, cycle string) string // the year of another cohort; empty where it has none
	anchor(cohort, pack, id string) string // the target of a link within a page
}

// drawing is a page under way: in which language, of whom, of when.
type drawing struct {
	words
	to      places
	picture *Picture
	cohort  *Cohort
	cycle   *Cycle
	open    bool // data tables are in sight, for who wants to print them
}

// blockView is a block as pages draw it: a picture, or why there is none, and a
// row of a table.
type blockView struct {
	Name    string
	Shown   bool
	Picture template.HTML
	Reason  template.HTML
	Instead bool // nothing is ever shown of its kind: leave it out
	Cells   []cell
	Empty   int // units of the chain: the width of the row where nothing is shown
	Of      string
}

// cell is a count in a table, across the units that it belongs to.
type cell struct {
	Span int
	Text string
}

// size is how large a picture of bands is.
type size int

const (
	tall  size = iota // counts and labels
	short             // the same, for what stands beside another
	thin              // neither
)

// block draws a block. subject says of what it is, for titles.
func (d *drawing) block(name, subject string, b Block, s *Sheet, size size) blockView {
	v := blockView{Name: name, Shown: b.Shown(), Instead: b.Instead, Empty: len(b.Chain.Units), Of: d.Number(s.Submissions)}
	if !v.Shown {
		v.Reason = d.Show(b.Reason)
		return v
	}
	for _, band := range b.Bands {
		v.Cells = append(v.Cells, cell{band.Last - band.First + 1, d.Number(band.Count)})
	}
	v.Picture = d.stack(name, subject, b, s, size)
	return v
}

func (d *drawing) stack(name, subject string, b Block, s *Sheet, size size) template.HTML {
	title := subject + ": " + name
	if s.Marking != "" {
		title = s.Marking + ". " + title
	}
	stack := web.Stack{Scale: b.Chain.Name, Title: title, Desc: d.describe(b, s), Low: size == short, Thin: size == thin, Bare: b.Chain == moves || size == thin}
	for _, band := range b.Bands {
		segment := web.Segment{First: band.First, Last: band.Last, Count: band.Count}
		switch {
		case size == thin:
		case b.Chain == moves:
			segment.Sign = d.sign(b.Chain, band) + "\u2009"
		default:
			segment.Label, segment.Short = d.sign(b.Chain, band), shortSign(b.Chain, band)
		}
		stack.Segments = append(stack.Segments, segment)
	}
	return stack.SVG()
}

// figure is one number out of all, with a bar.
type figure struct {
	Name  string
	Known bool
	Text  string // "18 of 31", or that it is not shown
	Bar   template.HTML
}

func (d *drawing) figure(title string, n int, known bool, s *Sheet) figure {
	if !known {
		return figure{Name: title, Text: d.T("moved.notShown")}
	}
	text := d.T("count.of", "N", n, "Of", s.Submissions)
	return figure{Name: title, Known: true, Text: text, Bar: web.Bar{
		Title: title + ": " + text, Class: "full", Count: n, AtMost: n, Of: s.Submissions,
	}.SVG()}
}

// outcomeView is an outcome in a list.
type outcomeView struct {
	ID, Anchor, Href string
	Title            template.HTML
	Plain            string
	Level, Verified  blockView
	Target           blockView
	State, Evidence  blockView
	AtTarget, Tested figure
	Caption          string
	Heads            *tableHeads
	Open             bool // the data tables are in sight
}

// tableHeads are the columns of data tables.
type tableHeads struct {
	Row, Total                   string
	Level, State, Evidence, Move []unitHead
}

// unitHead is a unit of a chain at the head of a column.
type unitHead struct{ Sign, Name string }

func (d *drawing) heads() *tableHeads {
	of := func(c *Chain) []unitHead {
		var list []unitHead
		for i, sign := range c.Signs {
			if c == states {
				sign = d.T("state.short." + c.Units[i])
			}
			list = append(list, unitHead{sign, d.unit(c, i)})
		}
		return list
	}
	return &tableHeads{Row: d.T("table.row"), Total: d.T("table.total"), Level: of(levels), State: of(states), Evidence: of(grades), Move: of(moves)}
}

func (d *drawing) outcome(s *Sheet, o *Outcome, heads *tableHeads) outcomeView {
	plain := d.Plain(o.Title)
	subject := o.ID + " " + plain
	v := outcomeView{
		ID: o.ID, Href: d.to.outcome(s.Cohort, s.Cycle, s.Pack, o.ID), Anchor: d.to.anchor(s.Cohort, s.Pack, o.ID),
		Title: d.Show(o.Title), Plain: plain, Heads: heads, Open: d.open,
		Level:    d.block(d.T("block.level"), subject, o.Level, s, tall),
		Verified: d.block(d.T("block.verified"), subject, o.Verified, s, short),
		Target:   d.block(d.T("block.target"), subject, o.Target, s, tall),
		State:    d.block(d.T("block.gap"), subject, o.State, s, tall),
		Evidence: d.block(d.T("block.evidence"), subject, o.Evidence, s, tall),
		Caption:  d.marked(s, d.T("table.caption", "ID", o.ID, "Title", plain, "Who", d.who(s.Cohort, s.Submissions), "Cycle", s.Cycle)),
	}
	n, known := o.atTarget()
	v.AtTarget = d.figure(d.T("pack.atTarget"), n, known, s)
	n, known = o.tested()
	v.Tested = d.figure(d.T("pack.tested"), n, known, s)
	return v
}

// marked puts the marking before a caption, so that a picture that is cut out of
// a page still carries it.
func (d *drawing) marked(s *Sheet, text string) string {
	if s.Marking == "" {
		return text
	}
	return s.Marking + " · " + text
}

// source says what stands behind the numbers of a sheet.
func (d *drawing) source(s *Sheet) string {
	return d.marked(s, d.T("source.line", "Coalition", s.Coalition, "Cycle", s.Cycle, "Cohort", d.words.cohort(s.Cohort),
		"Pack", s.Pack, "Version", s.Version, "N", s.Submissions, "Of", s.Members, "Who", d.who(s.Cohort, s.Members)))
}

// changeRow is how an area changed in one cycle, or what stands in its place.
type changeRow struct {
	Cycle string
	Break string // a line across: what stands above is not quite comparable
	Block blockView
	Words string // "nothing to compare with"
	last  string // the last of several cycles that show nothing
}

// history is an area's change over the cycles up to the one shown.
func (d *drawing) history(s *Sheet, area string) []changeRow {
	var rows []changeRow
	var before *Sheet
	for _, cycle := range d.cohort.until(d.cycle, shownCycles) {
		sheet := cycle.sheet(s.Pack)
		if sheet == nil {
			continue
		}
		a := sheet.area(area)
		row := changeRow{Cycle: cycle.ID, Break: d.breakBetween(before, sheet)}
		switch {
		case a == nil:
			row.Words = d.T("outcome.absent")
		case a.Change.nothing(sheet.Submissions):
			row.Words = d.T("moved.here")
		default:
			row.Block = d.block(d.T("block.change"), a.ID+" "+d.Plain(a.Title)+", "+cycle.ID, a.Change, sheet, short)
		}
		before = sheet
		if n := len(rows); n > 0 && !row.Block.Shown && row.Break == "" && rows[n-1].same(row) {
			rows[n-1].Cycle = strings.TrimSuffix(rows[n-1].Cycle, "–"+rows[n-1].last) + "–" + cycle.ID
			rows[n-1].last = cycle.ID
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// moveLegend says what stands in pictures of change, where a page has any. A
// release tells who is better from who is not, and no more.
func (d *drawing) moveLegend(s *Sheet) string {
	for i := range s.Areas {
		for _, row := range d.history(s, s.Areas[i].ID) {
			if row.Block.Shown {
				return d.T("move.legend", "Sign", moves.Signs[better])
			}
		}
	}
	return ""
}

// same reports whether neither row shows anything, for the same reason.
func (r changeRow) same(other changeRow) bool {
	return !r.Block.Shown && r.Words == other.Words && r.Block.Reason == other.Block.Reason
}

// breakBetween says that the framework is another than in the cycle before, or
// nothing. Change is of those outcomes only that each member could compare.
func (d *drawing) breakBetween(before, now *Sheet) string {
	if before == nil || before.PackDigest == now.PackDigest {
		return ""
	}
	return d.T("break.framework", "From", before.Version, "To", now.Version)
}

// shownCycles is how many cycles stand beside each other.
const shownCycles = 3

// areaView is an area with its lowest levels and its changes.
type areaView struct {
	ID, Anchor, Href string
	Title            template.HTML
	Count            string      // "5 outcomes"
	Strips           []stripView // its outcomes in short, where the lowest levels are not shown
	StripYears       []string
	StripsNow        string
	StripsNote       string
	Lowest           blockView
	History          []changeRow
	Caption          string
	ChangeCaption    string
	LevelsCaption    string
	StatesCaption    string
	EvidenceCaption  string
	AllTables        string
	Heads            *tableHeads
	Outcomes         []outcomeView
	Open             bool // the data tables are in sight
}

func (d *drawing) area(s *Sheet, a *Area, heads *tableHeads) areaView {
	plain := d.Plain(a.Title)
	who := d.who(s.Cohort, s.Submissions)
	var strips []stripView
	if a.Lowest.Instead {
		strips = d.strips(s, a)
	}
	caption := d.marked(s, d.T("table.captionArea", "ID", a.ID, "Title", plain, "Who", who, "Cycle", s.Cycle))
	return areaView{
		ID: a.ID, Anchor: d.to.anchor(s.Cohort, s.Pack, a.ID), Href: d.to.area(s.Cohort, s.Cycle, s.Pack, a.ID), Title: d.Show(a.Title),
		Count:  d.N("year.outcomes", len(a.Outcomes)),
		Strips: strips, StripYears: d.stripYears(s), StripsNow: s.Cycle, StripsNote: d.T("year.strips"),
		Lowest:  d.block(d.T("block.lowest"), a.ID+" "+plain, a.Lowest, s, tall),
		History: d.history(s, a.ID),
		Caption: caption, LevelsCaption: caption, StatesCaption: caption + ": " + d.T("block.gap"), EvidenceCaption: caption + ": " + d.T("block.evidence"),
		ChangeCaption: d.marked(s, d.T("table.change", "ID", a.ID, "Title", plain, "Who", who)),
		AllTables:     d.T("pack.tablesOf", "ID", a.ID),
		Heads:         heads, Open: d.open,
	}
}

// stripView is an outcome's levels in short.
type stripView struct {
	ID, Href string
	Title    string
	Block    blockView
	Years    []yearCount
}

// yearCount is how many are at 3 or 4 in a cycle.
type yearCount struct {
	Cycle string
	Text  string
	Break bool // what is asked has changed since the cycle before
}

// strips draws the outcomes of an area, each as a low strip.
func (d *drawing) strips(s *Sheet, a *Area) []stripView {
	var list []stripView
	for i := range a.Outcomes {
		o := &a.Outcomes[i]
		list = append(list, stripView{
			ID: o.ID, Href: d.to.outcome(s.Cohort, s.Cycle, s.Pack, o.ID), Title: d.Plain(o.Title),
			Block: d.block(d.T("block.level"), o.ID+" "+d.Plain(o.Title), o.Level, s, thin),
			Years: d.yearCounts(s, o.ID),
		})
	}
	return list
}

// stripYears names the cycles that stand beside the strips.
func (d *drawing) stripYears(s *Sheet) []string {
	var years []string
	for _, cycle := range d.cohort.until(d.cycle, shownCycles) {
		if cycle.sheet(s.Pack) != nil {
			years = append(years, cycle.ID)
		}
	}
	return years
}

// yearCounts says how many are at 3 or 4 in an outcome, cycle by cycle.
func (d *drawing) yearCounts(s *Sheet, id string) []yearCount {
	var counts []yearCount
	asked := ""
	for _, cycle := range d.cohort.until(d.cycle, shownCycles) {
		sheet := cycle.sheet(s.Pack)
		if sheet == nil {
			continue
		}
		c := yearCount{Cycle: cycle.ID, Text: "·"}
		if o, _, ok := sheet.Outcome(id); ok {
			c.Break = asked != "" && asked != o.Asked
			asked = o.Asked
			if n, known := high(o.Level); known {
				c.Text = d.Number(n)
			}
		}
		counts = append(counts, c)
	}
	return counts
}

// scaleView is the scale, which every page that uses it prints.
type scaleView struct {
	Title     string
	Swatches  []swatch
	Joined    string
	Rule      template.HTML
	How       string
	Moves     string // what stands in pictures of change, where the page says it here
	RuleTitle string
}

type swatch struct {
	Class, Sign string
	Name        template.HTML
}

func (d *drawing) scale(s *Sheet) scaleView {
	v := scaleView{
		Title: d.T("scale.title"), RuleTitle: d.T("scale.rule"), Rule: d.Show(s.HouseRule), Joined: d.T("scale.joined"),
		How:      d.T("scale.how", "N", s.Submissions, "Who", d.who(s.Cohort, s.Submissions)),
		Swatches: []swatch{{web.FillClass(levels.Name, noLevel, noLevel), levels.Signs[noLevel], template.HTML(template.HTMLEscapeString(d.T("level.noneLong")))}},
	}
	for i, level := range s.Levels {
		v.Swatches = append(v.Swatches, swatch{web.FillClass(levels.Name, i+level0, i+level0), levels.Signs[i+level0], d.Show(level)})
	}
	return v
}
