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
	Calendar                        string
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

// movedView is what rose and fell, and how the areas changed where that is shown.
type movedView struct {
	Sentence template.HTML
	Legend   string
	Rose     []standingRow
	Fell     []standingRow
	Net      string
	Areas    []movedRow
}

// movedRow is an area and how many members are better there than a cycle before.
type movedRow struct {
	ID, Href string
	Title    template.HTML
	Text     string
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
		Calendar:      d.calendar(s),
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
	v.Cards = append(append(v.Cards, d.unreleasedCards()...), d.cohortCards()...)
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

// moved draws what rose and fell since the cycle before, from the bands of both,
// and the change of every area that shows it.
func (d *drawing) moved(s *Sheet) movedView {
	v := movedView{Legend: d.moveLegend(s)}
	for i := range s.Areas {
		a := &s.Areas[i]
		if n, ok := a.Change.Count(better, better); ok && !a.Change.nothing(s.Submissions) {
			v.Areas = append(v.Areas, movedRow{
				ID: a.ID, Href: d.to.area(s.Cohort, s.Cycle, s.Pack, a.ID), Title: d.Show(a.Title),
				Text: strings.ReplaceAll(d.T("count.of", "N", n, "Of", s.Submissions), " ", "\u00a0"),
			})
		}
	}
	before := d.cohort.before(d.cycle, s.Pack)
	if before == nil {
		v.Sentence = template.HTML(template.HTMLEscapeString(d.T("moved.first")))
		return v
	}
	list := shifts(s, before)
	v.Sentence = template.HTML(template.HTMLEscapeString(d.movement(s, before)))
	v.Net = d.T("moved.net", "Since", before.Cycle)
	for i := 0; i < len(list) && len(v.Rose) < shownRises && list[i].rise() > 0; i++ {
		v.Rose = append(v.Rose, d.shift(s, list[i]))
	}
	for i := len(list) - 1; i >= 0 && len(v.Fell) < shownFalls && list[i].rise() < 0; i-- {
		v.Fell = append(v.Fell, d.shift(s, list[i]))
	}
	return v
}

// How many outcomes that rose and that fell stand on the first screen.
const (
	shownRises = 3
	shownFalls = 2
)

func (d *drawing) shift(s *Sheet, sh shift) standingRow {
	text := d.T("moved.fromTo", "Before", sh.before, "BeforeOf", sh.beforeOf, "Now", sh.now, "Of", sh.of)
	class := "full"
	if sh.rise() < 0 {
		class = "full low"
	}
	return standingRow{
		ID: sh.outcome.ID, Href: d.to.outcome(s.Cohort, s.Cycle, s.Pack, sh.outcome.ID), Title: d.Show(sh.outcome.Title), Text: text,
		Bar: web.Bar{
			Title: sh.outcome.ID + ": " + text, Class: class, Count: sh.now, AtMost: sh.now, Of: sh.of, Before: sh.before, BeforeOf: sh.beforeOf,
		}.SVG(),
	}
}

// movement says in one sentence what moved since the cycle before.
func (d *drawing) movement(s, before *Sheet) string {
	if before == nil {
		return ""
	}
	up, down, even := 0, 0, 0
	for _, sh := range shifts(s, before) {
		switch rise := sh.rise(); {
		case rise > 0:
			up++
		case rise < 0:
			down++
		default:
			even++
		}
	}
	if up+down+even == 0 {
		return d.T("moved.untold")
	}
	return d.N("moved.sentence", up+down+even, "Up", up, "Down", down, "Even", even, "Who", d.who(s.Cohort, s.Members), "Since", before.Cycle)
}

// turnover says how many are counted that were not in the cycle before, and the
// other way round: who was late then has not joined since.
func (d *drawing) turnover(s *Sheet) string {
	t := s.Turnover
	if t == nil || t.Joined+t.Left == 0 {
		return ""
	}
	var parts []string
	if t.Joined > 0 {
		parts = append(parts, d.N("part.joined", t.Joined))
	}
	if t.Left > 0 {
		parts = append(parts, d.N("part.left", t.Left))
	}
	return d.T("part.turnover", "Since", t.Since, "What", d.List(parts))
}

// calendar says who hosted, when it closed, and what moved that.
func (d *drawing) calendar(s *Sheet) string {
	var say []string
	if len(s.HostedBy) > 0 {
		say = append(say, d.T("part.hosted", "Hosts", d.List(s.HostedBy)))
	}
	for i, p := range s.Postponed {
		id := "part.postponed"
		if i == len(s.Postponed)-1 && p.Deadline == s.Deadline {
			id = "part.closedLater"
		}
		say = append(say, d.T(id, "Date", d.Date(p.Deadline), "Reason", strings.TrimRight(p.Reason, ". ")))
	}
	if n := len(s.Postponed); s.Deadline > 0 && (n == 0 || s.Postponed[n-1].Deadline != s.Deadline) {
		say = append(say, d.T("part.closed", "Date", d.Date(s.Deadline)))
	}
	if t := d.turnover(s); t != "" {
		say = append(say, t)
	}
	return strings.Join(say, " ")
}

// standings draws a list of outcomes, by the number that is certain, then by the
// one that is possible.
func (d *drawing) standings(s *Sheet, known []standing, lead, at, class string) standingsView {
	v := standingsView{Lead: lead}
	most := occupied(known)
	most = most[:min(len(most), shownStandings)]
	for _, st := range most {
		v.Rows = append(v.Rows, d.standing(s, st, at, class))
	}
	all := len(s.outcomes())
	switch {
	case len(known) == 0:
		v.Note = d.T("year.none", "At", d.T(at))
	case len(most) == 0:
		v.Note = d.T("year.nobody", "At", d.T(at))
	case len(known) < all:
		v.Note = d.N("year.outOf", all-len(known), "Of", all, "At", d.T(at))
	}
	if slices.ContainsFunc(most, func(st standing) bool { return st.certain < st.possible }) {
		v.Note = strings.TrimSpace(d.T("year.ranged") + " " + v.Note)
	}
	return v
}

// occupied returns those of a list where anybody may be.
func occupied(list []standing) []standing {
	return slices.DeleteFunc(slices.Clone(list), func(st standing) bool { return st.possible == 0 })
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
		Lines: []string{d.headline(s) + "."},
		Link:  web.Link{Text: d.T("year.allOutcomes", "N", len(s.outcomes()), "Pack", d.Plain(s.PackTitle)), Href: d.to.pack(s.Cohort, s.Cycle, s.Pack)},
	}
	if text := d.movement(s, d.cohort.before(d.cycle, s.Pack)); text != "" {
		c.Lines = append(c.Lines, text)
	}
	c.Rows = d.cardRows(s)
	return c
}

// cardRows are the outcomes of a sheet that a card names.
func (d *drawing) cardRows(s *Sheet) []cardRow {
	var rows []cardRow
	for _, list := range []struct{ label, at, class string }{{"year.most", "at.low", "full low"}, {"year.best", "at.high", "full"}} {
		known := needs(s)
		if list.at == "at.high" {
			known = strengths(s)
		}
		known = occupied(known)
		for i, st := range known[:min(len(known), shownInCard)] {
			row := cardRow{standingRow: d.standing(s, st, list.at, list.class)}
			if i == 0 {
				row.Label = d.T(list.label)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// unreleasedCards name the packs that others were released in the same cycle and
// this cohort was not: that a page lacks them is a fact of the cycle.
func (d *drawing) unreleasedCards() []cardView {
	var cards []cardView
	for _, s := range d.picture.unreleased(d.cohort, d.cycle) {
		cards = append(cards, cardView{Title: d.Show(s.PackTitle), Kind: "unreleased", Lines: []string{d.T("year.unreleased")}})
	}
	return cards
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
	v.Link = web.Link{Text: d.N("year.itselfAll", n), Href: d.to.itself(d.cohort.ID, d.cycle.ID, c.Pack)}
	return v
}

// cohortCards say what other cohorts did in the same cycle, where a reader can go
// there: a picture of one cohort says nothing of another.
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
		href := d.to.elsewhere(other.ID, cycle.ID)
		if href == "" {
			continue
		}
		s := cycle.Sheets[0]
		name := d.words.cohort(other.ID)
		card := cardView{
			Title: template.HTML(template.HTMLEscapeString(name)), Kind: "cohort",
			Lines: []string{d.T("year.partnersLead", "N", s.Submissions, "Of", s.Members, "Who", d.who(s.Cohort, s.Members))},
			Rows:  d.cardRows(s),
			Link:  web.Link{Text: d.T("year.cohortYear", "Cohort", name, "Cycle", cycle.ID), Href: href},
		}
		if text := d.movement(s, other.before(cycle, s.Pack)); text != "" {
			card.Lines = append(card.Lines, text)
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
