package coalition

import (
	"strings"

	"muster/internal/web"
)

// words writes what pages say of numbers, in one language.
type words struct{ *web.Printer }

// who names n members of a cohort: "members", "allies", "partners".
func (w words) who(cohort string, n int) string {
	switch cohort {
	case "allies", "partners":
		return w.N("who."+cohort, n)
	}
	return w.N("who.members", n)
}

// cohort names a cohort; one that the pages do not know has the charter's name.
func (w words) cohort(id string) string {
	switch id {
	case "members", "allies", "partners":
		return w.T("cohort." + id)
	}
	return id
}

// meaning explains a marking to readers that meet it for the first time.
func (w words) meaning(marking string) string {
	switch marking {
	case "SYNTHETIC":
		return w.T("marking.synthetic")
	case "REHEARSAL":
		return w.T("marking.rehearsal")
	}
	return ""
}

// headline says who took part, in one line.
func (w words) headline(s *Sheet) string {
	who := w.who(s.Cohort, s.Members)
	if s.Submissions == s.Members {
		return w.N("part.all", s.Members, "Who", who)
	}
	return w.N("part.headline", s.Submissions, "Of", s.Members, "Who", who)
}

// participation says the rest of it.
func (w words) participation(s *Sheet) string {
	var say []string
	if s.Hosts > 0 {
		say = append(say, w.N("part.hosts", s.Hosts))
	} else {
		say = append(say, w.T("part.noHosts"))
	}
	if s.Declined > 0 {
		say = append(say, w.N("part.declined", s.Declined))
	}
	if late := s.Late(); late > 0 {
		say = append(say, w.N("part.late", late))
	}
	say = append(say, w.N("part.behind", s.Submissions, "Who", w.who(s.Cohort, s.Submissions)))
	return strings.Join(say, " ")
}

// sign returns what a picture writes below a band.
func (w words) sign(c *Chain, b Band) string {
	switch c {
	case states:
		var parts []string
		for i := b.First; i <= b.Last; i++ {
			parts = append(parts, w.T("state.short."+c.Units[i]))
		}
		return strings.Join(parts, " / ")
	case moves:
		if b.First == notComparable && b.Last == same { // the one boundary that a release has at most
			return w.T("move.notBetter")
		}
		return strings.Join(c.Signs[b.First:b.Last+1], "")
	}
	if b.First == noLevel && b.Last > noLevel {
		return c.Signs[noLevel] + "," + span(c, noLevel+1, b.Last)
	}
	return span(c, b.First, b.Last)
}

// span writes a row of units in short: "0–2", "E1–3".
func span(c *Chain, first, last int) string {
	if first == last {
		return c.Signs[first]
	}
	return c.Signs[first] + "–" + strings.TrimPrefix(c.Signs[last], "E")
}

// shortSign returns a sign for where there is no room for another.
func shortSign(c *Chain, b Band) string {
	if c == states && b.First == b.Last {
		return c.Signs[b.First]
	}
	return ""
}

// band says in words what a band holds: "level 2", "0 or 1", "no level given, or 0".
func (w words) band(c *Chain, b Band) string {
	switch c {
	case levels:
		return w.levels(b)
	case moves, states, grades:
		var parts []string
		for i := b.First; i <= b.Last; i++ {
			parts = append(parts, w.unit(c, i))
		}
		return w.Either(parts)
	}
	return ""
}

// unit names a single unit of a chain.
func (w words) unit(c *Chain, i int) string {
	switch {
	case c == levels && i == noLevel:
		return w.T("level.none")
	case c == levels:
		return w.T("level.single", "L", c.Units[i])
	case c == moves && i == notComparable:
		return w.T("move.notComparable")
	}
	return w.T(c.Name + "." + c.Units[i])
}

func (w words) levels(b Band) string {
	if b.First == noLevel {
		if b.Last == noLevel {
			return w.T("level.none")
		}
		return w.T("level.withNone", "Rest", w.levels(Band{First: level0, Last: b.Last}))
	}
	from, to := levels.Units[b.First], levels.Units[b.Last]
	switch b.Last - b.First {
	case 0:
		return w.T("level.single", "L", from)
	case 1:
		return w.T("level.or", "From", from, "To", to)
	}
	return w.T("level.range", "From", from, "To", to)
}

// describe says what a block's picture shows, for those who do not see it.
func (w words) describe(b Block, s *Sheet) string {
	var parts []string
	for _, band := range b.Bands {
		parts = append(parts, w.band(b.Chain, band)+" "+w.Number(band.Count))
	}
	return w.T("block.desc", "Bands", strings.Join(parts, ", "), "N", s.Submissions, "Who", w.who(s.Cohort, s.Submissions))
}

// between writes a number that is known, or between which two it lies.
func (w words) between(certain, possible int) string {
	switch {
	case certain == possible:
		return w.Number(certain)
	case certain == 0:
		return w.T("count.upTo", "To", possible)
	}
	return w.T("count.range", "From", certain, "To", possible)
}
