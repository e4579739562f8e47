package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/framework"
	"muster/internal/release"
)

// columns lays out the tables. A row has an id and a title, a strip, the bands
// below the units of the chain of levels, and two single numbers:
//
//	                           –   0   1   2   3   4  target tested
//	A1.1  Strategy…  ···░░▒▒▒   3 ├──9──┤   8 ├─11──┤     12      9
//
// Stacked, for a narrow terminal, these are three lines.
type columns struct {
	stacked bool
	id      int // columns, with the space after it
	title   int
	longest int // title
	strip   int // marks; one a member where there is room for all
	cell    int // columns of one unit of the chain, with the space after it
	width   int // of a whole row
}

const (
	gutter   = 2 // between title, strip and bands
	figure   = 7 // columns of a single number, with the space before it
	minTitle = 12
	minStrip = 8
	maxStrip = 48
	minCell  = 4
)

// The words at the head of a single number, and before the row of an area's
// lowest levels.
const (
	targetHead = "target"
	testedHead = "tested"
	lowestHead = "lowest in the area"
)

// levelUnits is the chain that the table's columns stand for.
func levelUnits() []string { return disclosure.Chain(framework.KindLevel) }

// fitColumns shares out the width: titles in full where that leaves enough for a
// strip, and a strip of one mark a member where that fits. In 80 columns there
// is room for the ids and counts of any cohort that one table can be read of.
func fitColumns(r *release.Release, lang string, width int) columns {
	c := columns{
		longest: textWidth(lowestHead),
		cell:    max(minCell, len(strconv.Itoa(r.Participation.Submissions))+1),
	}
	for i := range r.Areas {
		for j := range r.Areas[i].Outcomes {
			o := &r.Areas[i].Outcomes[j]
			c.id = max(c.id, len(o.ID)+gutter)
			c.longest = max(c.longest, textWidth(o.Title.In(lang)))
		}
	}
	counts := len(levelUnits())*c.cell + 2*figure
	want := min(r.Participation.Submissions, maxStrip)
	if width < tableWidth {
		c.stacked = true
		c.width = max(width, counts) // of a thousand members or more 40 columns are too few
		c.title = max(c.width-c.id, minTitle)
		c.strip = min(want, c.width)
		return c
	}
	fixed := c.id + 2*gutter + counts
	room := max(width-fixed, minTitle+minStrip)
	c.title = min(c.longest, max(room-want, room*3/5, minTitle))
	c.strip = min(want, room-c.title)
	c.width = fixed + c.title + c.strip
	return c
}

// lead returns the start of a row, up to its strip.
func (c columns) lead(id, title string) string {
	return pad(id, c.id) + pad(cut(title, c.title), c.title) + strings.Repeat(" ", gutter)
}

// head returns what stands above an area's rows: its title and the units.
func (c columns) head(title string) []string {
	var units strings.Builder
	for _, unit := range levelUnits() {
		units.WriteString(padLeft(unitSign(unit), c.cell-1) + " ")
	}
	over := units.String() + padLeft(targetHead, figure) + padLeft(testedHead, figure)
	if c.stacked {
		return []string{cut(title, c.width), over}
	}
	room := c.id + c.title + gutter + c.strip
	return []string{pad(cut(title, room), room+gutter) + over}
}

// unitSign returns the column head of a unit of the chain of levels.
func unitSign(unit string) string {
	if unit == disclosure.NoLevel {
		return "–"
	}
	return unit
}

// row returns the parts of a row with the strip and the bands of a block of
// levels, and figures at the end as they are.
func (c columns) row(id, title string, b disclosure.BandedBlock, figures string) []string {
	return []string{c.lead(id, title), pad(c.strips(b), c.strip+gutter), c.bands(b) + figures}
}

// shades draw the units of the chain of levels, lightest first: no level, 0, …, 4.
var shades = [...]string{"·", "─", "░", "▒", "▓", "█"}

// strips draws a block as marks in proportion, each band in the shade of its
// lowest unit. Nothing is drawn of a block that is not shown.
func (c columns) strips(b disclosure.BandedBlock) string {
	if !b.Shown() {
		return ""
	}
	var counts []uint64
	for _, band := range b.Bands() {
		counts = append(counts, band.Count)
	}
	marks := apportion(counts, c.strip)
	var strip strings.Builder
	for i, band := range b.Bands() {
		strip.WriteString(strings.Repeat(shade(band.Units[0]), marks[i]))
	}
	return strip.String()
}

func shade(unit string) string { return shades[slices.Index(levelUnits(), unit)] }

// bands draws the counts under the units that they belong to; a count of
// several units spans them.
func (c columns) bands(b disclosure.BandedBlock) string {
	if !b.Shown() {
		return span(" not shown ", len(levelUnits())*c.cell)
	}
	var out strings.Builder
	for _, band := range b.Bands() {
		count := strconv.FormatUint(band.Count, 10)
		if width := len(band.Units) * c.cell; len(band.Units) == 1 {
			out.WriteString(padLeft(count, width-1) + " ")
		} else {
			out.WriteString(span(count, width))
		}
	}
	return out.String()
}

// span draws text in the middle of a line that covers several columns.
func span(text string, width int) string {
	const ends = 3 // two end marks and the space after the second
	fill := width - ends - textWidth(text)
	left := fill / 2
	return "├" + strings.Repeat("─", left) + text + strings.Repeat("─", fill-left) + "┤ "
}

// areas draws every area: its outcomes, its lowest levels, what changed.
func (p *picture) areas() {
	p.heading("Area by area")
	p.legend()
	for i := range p.r.Areas {
		area := &p.r.Areas[i]
		p.line(plain, "")
		for _, line := range p.columns.head(area.ID + "  " + area.Title.In(p.lang)) {
			p.line(bold, line)
		}
		for j := range area.Outcomes {
			o := &area.Outcomes[j]
			figures := atTarget(o).text() + tested(o).text()
			p.row(p.columns.row(o.ID, o.Title.In(p.lang), o.Level, figures)...)
		}
		p.row(p.columns.row("", lowestHead, area.Lowest, "")...)
		since := "since last cycle: "
		if p.columns.stacked {
			p.paragraph(plain, strings.Repeat(" ", p.columns.id), since+change(area.Change))
		} else {
			p.paragraph(plain, strings.Repeat(" ", p.columns.id)+since, change(area.Change))
		}
	}
}

// single is a number in a column of its own.
type single struct {
	count uint64
	known bool // false if the bands do not tell it
}

// atTarget is how many members are at or above their own target.
func atTarget(o *release.Outcome) (s single) {
	s.count, s.known = o.Gap.Count("met", "met")
	return s
}

// tested is how many members rest on more than words and documents.
func tested(o *release.Outcome) (s single) {
	s.count, s.known = o.Evidence.Count("E2", "E3")
	return s
}

func (s single) text() string {
	if !s.known {
		return padLeft("·", figure)
	}
	return padLeft(strconv.FormatUint(s.count, 10), figure)
}

// change says in words how an area stands to the last cycle.
func change(b disclosure.BandedBlock) string {
	if !b.Shown() {
		return "not shown"
	}
	var parts []string
	var apart string // those that cannot be compared come last
	for _, band := range b.Bands() {
		var words []string
		for _, unit := range band.Units {
			words = append(words, changeWords(unit))
		}
		if words[0] == changeWords("not_comparable") {
			words = append(words[1:], words[0])
			if len(words) == 1 && band.Count == b.Total() {
				return "nothing to compare with"
			}
		}
		if band.Count == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s", band.Count, either(words))
		if band.Units[0] == "not_comparable" {
			apart = text
		} else {
			parts = append(parts, text)
		}
	}
	text := strings.Join(parts, ", ")
	if apart != "" {
		text += "; " + apart
	}
	return strings.TrimPrefix(text, "; ")
}

func changeWords(unit string) string {
	switch unit {
	case "not_comparable":
		return "not comparable"
	case "same":
		return "the same"
	}
	return unit
}

// either joins words that one count belongs to: "worse, mixed or the same".
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// legend says how to read the tables.
func (p *picture) legend() {
	n := p.r.Participation.Submissions
	strips := fmt.Sprintf("The strips show the %d members in proportion.", n)
	if p.columns.strip == n {
		strips = fmt.Sprintf("The strips show the %d members, one mark each.", n)
	}
	p.paragraph(plain, "", strips)
	var marks []string
	for _, unit := range levelUnits() {
		word := unit
		if unit == disclosure.NoLevel {
			word = "No level given"
		}
		marks = append(marks, strings.Repeat(shade(unit), 2)+" "+word)
	}
	if p.columns.stacked {
		p.line(plain, marks[0])
		marks = marks[1:]
	}
	p.line(plain, strings.Join(marks, "   "))
	for _, row := range []struct{ sign, text string }{
		{"–", "No level given: it does not apply, or \"We prefer not to say\""},
		{"├─9─┤", "9 members at these levels together; the strip has the shade of the lowest"},
		{targetHead, "members at or above their own target"},
		{testedHead, "members with a test of their own or someone else's check (E2, E3)"},
		{"lowest", "each member's lowest level in the area"},
		{"·", "not shown, see below"},
	} {
		p.paragraph(plain, pad(row.sign, figure+1), row.text)
	}
}

// notShown says once for each reason what is missing for it, and how much of what.
func (p *picture) notShown() {
	type gone struct {
		reason release.Reason
		kind   framework.Kind
	}
	missing := make(map[gone]int)
	for _, n := range p.r.NotShown {
		_, kind, _ := strings.Cut(n.Block, "/")
		missing[gone{n.Reason, framework.Kind(kind)}]++
	}
	dots := 0
	for _, o := range p.outcomes() {
		if o.Gap.Shown() && !atTarget(o).known {
			dots++
		}
		if o.Evidence.Shown() && !tested(o).known {
			dots++
		}
	}
	p.heading("What is not shown")
	nothing := true
	for _, reason := range release.Reasons() {
		var parts []string
		for _, kind := range slices.Concat(framework.OutcomeKinds(), framework.AreaKinds()) {
			if n := missing[gone{reason, kind}]; n > 0 {
				parts = append(parts, kindWords(kind, n))
			}
		}
		if reason == release.TooFew && dots > 0 {
			more := ""
			if len(parts) > 0 {
				more = " more"
			}
			parts = append(parts, fmt.Sprintf("%d%s of the numbers under %s and %s", dots, more, targetHead, testedHead))
		}
		if len(parts) == 0 {
			continue
		}
		nothing = false
		p.paragraph(plain, "", strings.TrimSuffix(reason.Words().In("en"), ".")+": "+strings.Join(parts, ", ")+".")
	}
	for _, g := range p.r.Groups {
		if g.Dropped != "" {
			nothing = false
			p.paragraph(plain, "", fmt.Sprintf("Nothing of %s. %s", g.Cohort, g.Dropped.Words().In("en")))
		}
	}
	if nothing {
		p.paragraph(plain, "", "Nothing had to be left out.")
	}
}

// kindWords says of how many outcomes or areas a kind of block is not shown.
func kindWords(k framework.Kind, n int) string {
	of := func(what, noun string) string {
		if n == 1 {
			return fmt.Sprintf("%s of 1 %s", what, noun)
		}
		return fmt.Sprintf("%s of %d %ss", what, n, noun)
	}
	switch k {
	case framework.KindLevel:
		return of("the levels", "outcome")
	case framework.KindVerified:
		return of("the verified levels", "outcome")
	case framework.KindTarget:
		return of("the targets", "outcome")
	case framework.KindGap:
		return of("how levels stand to targets", "outcome")
	case framework.KindEvidence:
		return of("the evidence", "outcome")
	case framework.KindLowest:
		return of("the lowest levels", "area")
	case framework.KindChange:
		return of("what changed", "area")
	}
	return of(string(k), "outcome or area")
}

// reading says what the levels mean and what stands behind the numbers.
func (p *picture) reading() {
	p.heading("The scale")
	for i, level := range p.r.Scale.Levels {
		p.paragraph(plain, fmt.Sprintf("%d  ", i), level.In(p.lang))
	}
	p.paragraph(plain, "", p.r.Scale.HouseRule.In(p.lang))
	p.heading("What stands behind the numbers")
	text := fmt.Sprintf("Every row counts the same %d members.", p.r.Participation.Submissions)
	for _, statement := range p.r.Method {
		text += " " + statement.Text.In("en")
	}
	p.paragraph(plain, "", text)
	const digits = 12 // too many to differ in by chance, few enough to read out
	p.paragraph(faint, "", fmt.Sprintf("To compare with other copies: charter %s…, roster %s….", p.r.CharterDigest[:digits], p.r.RosterDigest[:digits]))
}
