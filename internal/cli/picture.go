package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"muster/internal/disclosure"
	"muster/internal/release"
)

// The widths, in columns, that a picture is drawn for. Below tableWidth a row of
// a table is stacked: its title, its strip and its counts have a line each.
const (
	minPictureWidth = 40
	tableWidth      = 80
	maxPictureWidth = 160
)

// maxProse is the longest line of running text: longer ones are hard to follow back.
const maxProse = 100

// pictureOptions says what the terminal can show. The zero value draws 80
// columns of UTF-8 without emphasis in the framework's first language.
type pictureOptions struct {
	Width    int    // columns; outside 40 to 160 the nearest of the two is used
	ASCII    bool   // the terminal does not show UTF-8
	Emphasis bool   // it understands ANSI bold and faint
	Language string // of titles and scale, where the release has it
}

// drawPicture draws the coalition's picture from a release alone: who took part,
// where most members need help and what stands well, every outcome with its
// bands, and how to read it. Each number is one of the release or a sum of its
// bands, and what the release does not show has no number here either.
func drawPicture(w io.Writer, r *release.Release, opts pictureOptions) error {
	width := opts.Width
	if width <= 0 { // nobody said, or a terminal that does not know itself
		width = tableWidth
	}
	width = min(max(width, minPictureWidth), maxPictureWidth)
	p := &picture{r: r, lang: r.Framework.Languages[0], emphasis: opts.Emphasis}
	if slices.Contains(r.Framework.Languages, opts.Language) {
		p.lang = opts.Language
	}
	p.columns = fitColumns(r, p.lang, width)
	p.prose = min(p.columns.width, maxProse)

	p.header()
	p.standings()
	p.areas()
	p.notShown()
	p.reading()

	text := p.out.String()
	if opts.ASCII {
		text = toASCII(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// picture is a drawing under way.
type picture struct {
	r        *release.Release
	lang     string
	columns  columns
	prose    int // width of running text
	emphasis bool
	out      strings.Builder
}

// style is how a whole line is emphasised: an ANSI attribute.
type style string

const (
	plain style = ""
	bold  style = "\x1b[1m"
	faint style = "\x1b[2m"
	reset       = "\x1b[0m"
)

// line writes one line without trailing spaces.
func (p *picture) line(s style, text string) {
	text = strings.TrimRight(text, " ")
	if p.emphasis && s != plain && text != "" {
		text = string(s) + text + reset
	}
	p.out.WriteString(text + "\n")
}

// paragraph writes text wrapped, its first line after lead and the others
// indented as far.
func (p *picture) paragraph(s style, lead, text string) {
	indent := strings.Repeat(" ", textWidth(lead))
	for i, line := range wrap(text, p.prose-len(indent)) {
		if i == 0 {
			p.line(s, lead+line)
		} else {
			p.line(s, indent+line)
		}
	}
}

// heading writes a section's title over a rule.
func (p *picture) heading(text string) {
	p.line(plain, "")
	p.line(bold, text)
	p.line(faint, strings.Repeat("─", p.columns.width))
}

// markingMeans explains a marking to readers that meet it for the first time.
func markingMeans(marking string) string {
	switch marking {
	case "SYNTHETIC":
		return "Invented members, invented answers: nothing here is about anyone."
	case "REHEARSAL":
		return "A rehearsal on one machine, not a cycle of the coalition."
	}
	return ""
}

func (p *picture) header() {
	r := p.r
	if r.Marking != "" {
		p.line(bold, banner(r.Marking, p.columns.width))
		if means := markingMeans(r.Marking); means != "" {
			p.paragraph(plain, "", means)
		}
		p.line(plain, "")
	}
	p.paragraph(bold, "", title(r))
	subject := fmt.Sprintf("%s (%s %s)", r.Framework.Title.In(p.lang), r.Framework.ID, r.Framework.Version)
	if r.Cohort != wholeCoalition {
		subject += ", group " + r.Cohort
	}
	p.paragraph(plain, "", subject)
	p.line(plain, "")
	p.paragraph(plain, "", participation(r.Participation))
	if !r.Status.Publishable {
		p.paragraph(bold, "", notPublishable(r))
	}
}

// notPublishable says that a release may not be shown, and why.
func notPublishable(r *release.Release) string {
	text := "NOT PUBLISHABLE."
	for _, reason := range r.Status.Reasons {
		text += " " + r.Reasons[reason].In("en")
	}
	return text
}

// wholeCoalition is the cohort of all members, which needs no name.
const wholeCoalition = "members"

// title says whose picture it is, and of which cycle. Who rehearses alone has no
// coalition's name to give.
func title(r *release.Release) string {
	if strings.EqualFold(r.Coalition, "rehearsal") {
		return "Rehearsal of cycle " + r.Cycle
	}
	return fmt.Sprintf("%s, cycle %s", r.Coalition, r.Cycle)
}

// participation says who took part, in words.
func participation(n disclosure.Participation) string {
	text := fmt.Sprintf("%d of %d members took part", n.Submissions, n.Members)
	switch n.Hosts {
	case 1:
		text += ", 1 host among them"
	case 2:
		text += ", both hosts among them"
	}
	var rest []string
	switch {
	case n.Declined == 1:
		rest = append(rest, "1 takes no part this year")
	case n.Declined > 1:
		rest = append(rest, fmt.Sprintf("%d take no part this year", n.Declined))
	}
	switch late := n.Late(); {
	case late == 1:
		rest = append(rest, "1 is late")
	case late > 1:
		rest = append(rest, fmt.Sprintf("%d are late", late))
	}
	if len(rest) > 0 {
		text += "; " + strings.Join(rest, ", ")
	}
	return text + "."
}

// standing is an outcome and how many members are at the levels that a list is
// about. Where the bands count some of them together with those that gave no
// level, it is known only between which numbers that lies.
type standing struct {
	outcome           *release.Outcome
	certain, possible uint64
}

// maxStandings is how many outcomes a list names.
const maxStandings = 5

// standings lists the outcomes with most members at 0 or 1, and those with most
// at 3 or 4, as far as their bands tell.
func (p *picture) standings() {
	var low, high []standing
	for _, o := range p.outcomes() {
		if atMost, ok := o.Level.Count(disclosure.NoLevel, "1"); ok {
			s := standing{outcome: o, possible: atMost}
			if none, ok := o.Level.Count(disclosure.NoLevel, disclosure.NoLevel); ok {
				s.certain, s.possible = atMost-none, atMost-none
			} else if one, ok := o.Level.Count("1", "1"); ok {
				s.certain = one
			}
			low = append(low, s)
		}
		if count, ok := o.Level.Count("3", "4"); ok {
			high = append(high, standing{o, count, count})
		}
	}
	p.heading("Where most members need help")
	p.list(low, "at 0 or 1")
	p.heading("What stands well")
	p.list(high, "at 3 or 4")
}

// list draws the outcomes with most members, by the number that is certain, then
// by the most that it can be, and says of how many outcomes nothing can be said.
func (p *picture) list(known []standing, levels string) {
	n, c := p.r.Participation.Submissions, p.columns
	most := slices.DeleteFunc(slices.Clone(known), func(s standing) bool { return s.possible == 0 })
	slices.SortStableFunc(most, func(a, b standing) int {
		return cmp.Or(cmp.Compare(b.certain, a.certain), cmp.Compare(b.possible, a.possible))
	})
	// A list has no bands, so there is more room for titles than in a table.
	ending := textWidth(fmt.Sprintf("at most %d of %d %s", n, n, levels))
	if c.stacked {
		c.strip = min(c.strip, c.width-gutter-ending)
	} else {
		c.title = min(c.longest, c.width-c.id-c.strip-2*gutter-ending)
	}
	for _, s := range most[:min(len(most), maxStandings)] {
		marks := apportion([]uint64{s.certain, s.possible - s.certain, uint64(n) - s.possible}, c.strip)
		bar := strings.Repeat("━", marks[0]) + strings.Repeat("─", marks[1]) + strings.Repeat("┄", marks[2])
		count := strconv.FormatUint(s.possible, 10)
		switch {
		case s.certain == 0:
			count = "at most " + count
		case s.possible > s.certain:
			count = fmt.Sprintf("%d to %d", s.certain, s.possible)
		}
		text := bar + strings.Repeat(" ", gutter) + fmt.Sprintf("%s of %d %s", count, n, levels)
		p.row(c.lead(s.outcome.ID, s.outcome.Title.In(p.lang)), text)
	}
	all := len(p.outcomes())
	switch {
	case len(known) == 0:
		p.paragraph(plain, "", fmt.Sprintf("The number %s is not shown for any of the %d outcomes.", levels, all))
	case len(most) == 0:
		text := fmt.Sprintf("None of the %d outcomes has a member %s. ", all, levels)
		if len(known) < all {
			text = fmt.Sprintf("None of the %d of %d outcomes that show how many are %s has a member there. ", len(known), all, levels)
		}
		p.paragraph(plain, "", text+p.silent())
	case len(known) < all:
		p.paragraph(faint, "", fmt.Sprintf("Out of the %d of %d outcomes that show how many are %s.", len(known), all, levels))
	}
}

// silent says how many members gave no level, for a list that has nobody to
// name: nobody at 0 or 1 is no good news where nobody answered. It is empty
// where no outcome tells.
func (p *picture) silent() string {
	var least, most uint64
	known := 0
	for _, o := range p.outcomes() {
		none, ok := o.Level.Count(disclosure.NoLevel, disclosure.NoLevel)
		if !ok {
			continue
		}
		if known == 0 {
			least = none
		}
		least, most = min(least, none), max(most, none)
		known++
	}
	if known == 0 {
		return ""
	}
	count := strconv.FormatUint(least, 10)
	if most > least {
		count += " to " + strconv.FormatUint(most, 10)
	}
	where := "In each of them"
	if all := len(p.outcomes()); known < all {
		where = fmt.Sprintf("In each of the %d of %d outcomes that show it,", known, all)
	}
	return fmt.Sprintf("%s %s of %d members gave no level.", where, count, p.r.Participation.Submissions)
}

// row writes the parts of a row after each other, or below each other where
// rows are stacked.
func (p *picture) row(parts ...string) {
	if !p.columns.stacked {
		p.line(plain, strings.Join(parts, ""))
		return
	}
	for _, part := range parts {
		if strings.TrimSpace(part) != "" { // nothing is drawn of what is not shown
			p.line(plain, part)
		}
	}
}

func (p *picture) outcomes() []*release.Outcome {
	var all []*release.Outcome
	for i := range p.r.Areas {
		for j := range p.r.Areas[i].Outcomes {
			all = append(all, &p.r.Areas[i].Outcomes[j])
		}
	}
	return all
}
