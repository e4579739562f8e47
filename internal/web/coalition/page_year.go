package coalition

import (
	"html/template"
	"slices"
	"strings"

	"muster/internal/web"
)

// yearView is the year in one screen, and the areas below it.
type yearView struct {
	web.Page
	Kicker, Headline, Participation string
	Squares                         template.HTML
	SquaresLegend                   []legend
	Moved                           movedView
	Help, Well                      standingsView
	Cards                           []cardView
	Areas                           []areaView
	AreasLead                       string
	AllOutcomes, Tables             web.Link
	Scale                           scaleView
	Downloads                       []web.Link
}

// legend is a fill of a picture and what it means.
type legend struct{ Class, Text string }

// movedView is how the areas changed.
type movedView struct {
	Sentence string
	Lead     string
	Legend   string
	Rows     []movedRow
}

type movedRow struct {
	ID, Href string
	Title    template.HTML
	Block    blockView
	Words    string
}

// standingsView is a list of outcomes with most members somewhere.
type standingsView struct {
	Lead string
	Rows []standingRow
	Note string
}

type standingRow struct {
	ID, Href string
	Title    template.HTML
	Bar      template.HTML
	Text     string
}

// cardView is another pack, or another cohort, in a few lines.
type cardView struct {
	Title  template.HTML
	Kind   string // "pack", "itself", "cohort"
	Lines  []string
	Rows   []cardRow
	Steps  []stepsView
	Link   web.Link
	Legend string
}

type cardRow struct {
	Label string
	standingRow
}

type stepsView struct {
	ID      string
	Title   template.HTML
	Picture template.HTML
}

// The lengths of the lists of the first screen.
const (
	shownStandings = 5
	shownInCard    = 2
)

// year draws the year of the cohort's first pack.
func (d *drawing) year() yearView {
	s := d.cycle.Sheets[0]
	heads := d.heads()
	v := yearView{
		Kicker:        d.T("part.kicker", "Cycle", s.Cycle, "Cohort", d.words.cohort(s.Cohort), "Pack", d.Plain(s.PackTitle)),
		Headline:      d.headline(s),
		Participation: d.participation(s),
		Moved:         d.moved(s),
		Help:          d.standings(s, needs(s), d.T("year.helpLead", "Who", d.who(s.Cohort, s.Members)), "at.low", "full low"),
		Well:          d.standings(s, strengths(s), d.T("year.wellLead", "Who", d.who(s.Cohort, s.Members)), "at.high", "full"),
		AreasLead:     d.T("year.areasLead", "N", s.Submissions, "Who", d.who(s.Cohort, s.Submissions)),
		AllOutcomes: web.Link{
			Text: d.T("year.allOutcomes", "N", len(s.outcomes()), "Pack", d.Plain(s.PackTitle)),
			Href: d.to.pack(s.Cohort, s.Cycle, s.Pack),
		},
		Scale: d.scale(s),
	}
	v.Squares, v.SquaresLegend = d.squares(s)
	for _, other := range d.cycle.Sheets[1:] {
		v.Cards = append(v.Cards, d.packCard(other))
	}
	for _, itself := range d.cycle.Itself {
		v.Cards = append(v.Cards, d.itselfCard(itself))
	}
	v.Cards = append(v.Cards, d.cohortCards()...)
	for i := range s.Areas {
		v.Areas = append(v.Areas, d.area(s, &s.Areas[i], heads))
	}
	v.Downloads = d.downloads(s)
	return v
}

// squares draws who took part: hosts first, then the others.
func (d *drawing) squares(s *Sheet) (template.HTML, []legend) {
	who := d.who(s.Cohort, s.Members)
	picture := web.Squares{
		Title: d.T("part.square", "Of", s.Members, "Who", who, "N", s.Submissions, "Declined", s.Declined, "Late", s.Late()),
		Groups: []web.SquareGroup{
			{Class: "host", Count: s.Hosts}, {Class: "took", Count: s.Submissions - s.Hosts}, {Class: "declined", Count: s.Declined}, {Class: "late", Count: s.Late()},
		},
	}
	var keys []legend
	for _, g := range picture.Groups {
		if g.Count > 0 {
			keys = append(keys, legend{g.Class, d.T("part.legend." + g.Class)})
		}
	}
	return picture.SVG(), keys
}

// moved draws what changed.
func (d *drawing) moved(s *Sheet) movedView {
	v := movedView{
		Lead: d.T("year.movedLead", "Who", d.who(s.Cohort, s.Members)), Legend: d.moveLegend(),
		Sentence: d.movement(moved(s), len(s.Areas)),
	}
	for i := range s.Areas {
		a := &s.Areas[i]
		row := movedRow{ID: a.ID, Href: d.to.area(s.Cohort, s.Cycle, s.Pack, a.ID), Title: d.Show(a.Title)}
		if a.Change.nothing(s.Submissions) {
			row.Words = d.T("moved.here")
		} else {
			row.Block = d.block(d.T("block.change"), a.ID+" "+d.Plain(a.Title), a.Change, s, true)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

// movement says in one sentence what moved.
func (d *drawing) movement(m movement, areas int) string {
	if m.nothing == areas {
		return d.T("moved.nothing")
	}
	first := d.T("moved.upNone", "Of", areas)
	if m.up > 0 {
		first = d.N("moved.up", m.up, "Of", areas)
	}
	parts := []string{first}
	for _, p := range []struct {
		id string
		n  int
	}{{"moved.down", m.down}, {"moved.even", m.even}, {"moved.untold", m.untold + m.nothing}} {
		if p.n > 0 {
			parts = append(parts, d.N(p.id, p.n))
		}
	}
	return strings.Join(parts, "; ") + "."
}

// standings draws a list of outcomes, by the number that is certain.
func (d *drawing) standings(s *Sheet, known []standing, lead, at, class string) standingsView {
	v := standingsView{Lead: lead}
	most := slices.DeleteFunc(slices.Clone(known), func(st standing) bool { return st.certain == 0 })
	for _, st := range most[:min(len(most), shownStandings)] {
		v.Rows = append(v.Rows, d.standing(s, st, at, class))
	}
	all := len(s.outcomes())
	switch {
	case len(known) == 0:
		v.Note = d.T("year.none", "At", d.T(at))
	case len(most) == 0:
		v.Note = d.T("year.nobody", "At", d.T(at))
	case len(known) < all:
		v.Note = d.T("year.outOf", "N", len(known), "Of", all, "At", d.T(at))
	}
	return v
}

func (d *drawing) standing(s *Sheet, st standing, at, class string) standingRow {
	text := d.T("count.ofAt", "N", d.between(st.certain, st.possible), "Of", s.Submissions, "At", d.T(at))
	return standingRow{
		ID: st.outcome.ID, Href: d.to.outcome(s.Cohort, s.Cycle, s.Pack, st.outcome.ID), Title: d.Show(st.outcome.Title),
		Text: text,
		Bar: web.Bar{
			Title: st.outcome.ID + ": " + text, Class: class, Count: st.certain, AtMost: st.possible, Of: s.Submissions,
		}.SVG(),
	}
}

// packCard draws another pack in a few lines.
func (d *drawing) packCard(s *Sheet) cardView {
	c := cardView{
		Title: d.Show(s.PackTitle), Kind: "pack",
		Lines: []string{d.headline(s) + ". " + d.movement(moved(s), len(s.Areas))},
		Link:  web.Link{Text: d.T("year.allOutcomes", "N", len(s.outcomes()), "Pack", d.Plain(s.PackTitle)), Href: d.to.pack(s.Cohort, s.Cycle, s.Pack)},
	}
	for _, list := range []struct{ label, at, class string }{{"year.most", "at.low", "full low"}, {"year.best", "at.high", "full"}} {
		known := needs(s)
		if list.at == "at.high" {
			known = strengths(s)
		}
		for i, st := range known[:min(len(known), shownInCard)] {
			if st.certain == 0 {
				break
			}
			row := cardRow{standingRow: d.standing(s, st, list.at, list.class)}
			if i == 0 {
				row.Label = d.T(list.label)
			}
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}

// itselfCard draws what the coalition says of itself.
func (d *drawing) itselfCard(c *Collective) cardView {
	n, met, below := 0, 0, 0
	v := cardView{Title: d.Show(c.PackTitle), Kind: "itself", Legend: d.T("itself.legend")}
	for _, a := range c.Areas {
		for _, o := range a.Outcomes {
			n++
			switch {
			case o.Level < 0 || o.Target < 0:
			case o.Level >= o.Target:
				met++
			default:
				below++
			}
			v.Steps = append(v.Steps, d.steps(o))
		}
	}
	v.Lines = []string{d.N("year.itselfLead", n)}
	if met > 0 {
		v.Lines[0] += " " + d.N("year.itselfMet", met)
	}
	if below > 0 {
		v.Lines[0] += " " + d.N("year.itselfBelow", below)
	}
	v.Link = web.Link{Text: d.T("year.another", "Pack", d.Plain(c.PackTitle)), Href: d.to.itself(d.cohort.ID, d.cycle.ID, c.Pack)}
	return v
}

// cohortCards say what other cohorts did in the same cycle.
func (d *drawing) cohortCards() []cardView {
	var cards []cardView
	for _, other := range d.picture.Cohorts {
		if other == d.cohort {
			continue
		}
		cycle := other.find(d.cycle.ID)
		if cycle == nil {
			continue
		}
		s := cycle.Sheets[0]
		name := d.words.cohort(other.ID)
		card := cardView{
			Title: template.HTML(template.HTMLEscapeString(name)), Kind: "cohort",
			Lines: []string{d.T("year.partnersLead", "N", s.Submissions, "Of", s.Members, "Who", d.who(s.Cohort, s.Members))},
		}
		if href := d.to.elsewhere(other.ID, cycle.ID); href != "" {
			card.Link = web.Link{Text: d.T("year.another", "Pack", name), Href: href}
		}
		cards = append(cards, card)
	}
	return cards
}

// downloads lists the files that hold the numbers of a sheet.
func (d *drawing) downloads(s *Sheet) []web.Link {
	var links []web.Link
	for _, f := range []struct{ text, name string }{
		{"pack.csv", s.Pack + ".csv"}, {"pack.json", s.Pack + ".json"}, {"pack.all", allName},
	} {
		if href := d.to.file(s.Cohort, s.Cycle, f.name); href != "" {
			links = append(links, web.Link{Text: d.T(f.text), Href: href})
		}
	}
	return links
}
