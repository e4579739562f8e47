package coalition

import (
	"html/template"
	"strings"

	"muster/internal/web"
)

// methodView says how the numbers came about, and what is not shown.
type methodView struct {
	web.Page
	Sheets []methodSheet
	Scale  scaleView
	Common []template.HTML // what was done for every pack alike

	Unreleased []template.HTML // packs that others were released and this cohort was not
	Limits     []string
}

// methodSheet is what one release says of itself.
type methodSheet struct {
	Title      template.HTML
	Method     []template.HTML // what was done for this pack besides
	Dropped    []droppedRow
	Source     string
	Thresholds []threshold
	NotShown   []notShownRow
	Digests    []digest
	Downloads  []web.Link
}

type threshold struct {
	Number string
	Text   string
}

type notShownRow struct {
	What, Count string
	Why         template.HTML
	Where       []web.Link
}

type digest struct{ Name, Hex string }

func (d *drawing) method() methodView {
	v := methodView{
		Scale:  d.scale(d.cycle.Sheets[0]),
		Limits: []string{d.T("method.ordinal"), d.T("method.missing"), d.T("method.change")},
	}
	for _, s := range d.picture.unreleased(d.cohort, d.cycle) {
		v.Unreleased = append(v.Unreleased, d.Show(s.PackTitle))
	}
	common := d.common()
	for _, m := range d.cycle.Sheets[0].Method {
		if text := d.Show(m); common[text] {
			v.Common = append(v.Common, text)
		}
	}
	for _, s := range d.cycle.Sheets {
		v.Sheets = append(v.Sheets, methodSheet{
			Title: d.Show(s.PackTitle), Method: d.besides(s, common), Dropped: d.dropped(s), Source: d.source(s),
			Thresholds: []threshold{
				{d.Number(s.Thresholds.Batch), d.T("method.batch")},
				{d.Number(s.Thresholds.Release), d.T("method.left")},
				{d.Number(s.Thresholds.Band), d.T("method.band")},
			},
			NotShown: d.notShown(s),
			Digests: []digest{
				{d.T("method.charter"), s.Charter},
				{d.T("method.roster"), s.Roster},
				{d.T("method.framework") + " " + s.Pack + " " + s.Version, s.PackDigest},
				{d.T("method.file"), s.Digest()},
			},
			Downloads: d.downloads(s),
		})
	}
	return v
}

// common returns the sentences that every sheet of the cycle says.
func (d *drawing) common() map[template.HTML]bool {
	said := make(map[template.HTML]int)
	for _, s := range d.cycle.Sheets {
		for _, m := range s.Method {
			said[d.Show(m)]++
		}
	}
	all := make(map[template.HTML]bool)
	for text, n := range said {
		all[text] = n == len(d.cycle.Sheets)
	}
	return all
}

// besides returns what a sheet says and not every other.
func (d *drawing) besides(s *Sheet, common map[template.HTML]bool) []template.HTML {
	var list []template.HTML
	for _, m := range s.Method {
		if text := d.Show(m); !common[text] {
			list = append(list, text)
		}
	}
	return list
}

type droppedRow struct {
	Cohort string
	Why    template.HTML
}

func (d *drawing) dropped(s *Sheet) []droppedRow {
	var list []droppedRow
	for _, g := range s.Dropped {
		list = append(list, droppedRow{d.words.cohort(g.Cohort), d.Show(g.Reason)})
	}
	return list
}

// The kinds of block in the order of the page, and the chains' messages.
var kinds = []struct {
	kind, message string
	area          bool
}{
	{"level", "block.level", false},
	{"verified", "block.verified", false},
	{"target", "block.target", false},
	{"gap", "block.gap", false},
	{"evidence", "block.evidence", false},
	{"lowest", "block.lowest", true},
	{"change", "block.change", true},
}

// notShown says of how many blocks of each kind nothing is shown, why, and where.
func (d *drawing) notShown(s *Sheet) []notShownRow {
	var rows []notShownRow
	for _, k := range kinds {
		of := len(s.outcomes())
		if k.area {
			of = len(s.Areas)
		}
		byReason := make(map[string]*notShownRow)
		var order []string
		counts := make(map[string]int)
		for _, n := range s.NotShown {
			if n.Kind != k.kind {
				continue
			}
			why := d.Plain(n.Reason)
			if byReason[why] == nil {
				byReason[why] = &notShownRow{What: d.T(k.message), Why: d.Show(n.Reason)}
				order = append(order, why)
			}
			counts[why]++
			href := d.to.outcome(s.Cohort, s.Cycle, s.Pack, n.Subject)
			if k.area {
				href = d.to.area(s.Cohort, s.Cycle, s.Pack, n.Subject)
			}
			if !n.Instead { // else it is all of them, by choice
				byReason[why].Where = append(byReason[why].Where, web.Link{Text: n.Subject, Href: href})
			}
		}
		for _, why := range order {
			row := byReason[why]
			row.Count = d.N("method.notShownRow", counts[why], "Of", of)
			rows = append(rows, *row)
		}
	}
	return rows
}

// itselfView is what the coalition says of itself.
type itselfView struct {
	web.Page
	Heading, Lead, Legend string
	Caption               string
	Heads                 itselfHeads
	Areas                 []itselfArea
	Scale                 scaleView
	Downloads             []web.Link
}

// itselfHeads are the heads of the columns.
type itselfHeads struct{ Outcome, Picture, Level, Verified, Target, Evidence string }

type itselfArea struct {
	ID       string
	Title    template.HTML
	Outcomes []itselfRow
}

type itselfRow struct {
	stepsView
	Anchor                            string
	Says                              template.HTML // what the level means here; empty where none is given
	Level, Verified, Target, Evidence string
}

func (d *drawing) itself(c *Collective) itselfView {
	v := itselfView{
		Heading: d.T("itself.title", "Cycle", c.Cycle), Lead: d.T("itself.lead"), Legend: d.T("itself.legend"),
		Caption: strings.TrimPrefix(c.Marking+" · ", " · ") + d.T("table.itself", "Pack", d.Plain(c.PackTitle), "Cycle", c.Cycle),
		Heads:   itselfHeads{d.T("pack.outcome"), d.T("itself.picture"), d.T("itself.level"), d.T("itself.verified"), d.T("itself.target"), d.T("itself.evidence")},
		Scale:   d.scale(&Sheet{Levels: c.Levels, HouseRule: c.HouseRule}),
	}
	for _, a := range c.Areas {
		area := itselfArea{ID: a.ID, Title: d.Show(a.Title)}
		for _, o := range a.Outcomes {
			area.Outcomes = append(area.Outcomes, itselfRow{
				stepsView: d.steps(o), Anchor: d.to.anchor(d.cohort.ID, "itself-"+c.Pack, o.ID), Says: d.Show(o.Says),
				Level: d.answer(o.Level, "level.none"), Verified: d.answer(o.Verified, "itself.notVerified"),
				Target: d.answer(o.Target, "itself.noTarget"), Evidence: d.grade(o.Evidence),
			})
		}
		v.Areas = append(v.Areas, area)
	}
	v.Scale.How = ""
	for _, f := range []struct{ text, name string }{{"pack.csv", c.Pack + ".csv"}, {"itself.file", c.Pack + ".json"}} {
		if href := d.to.file(d.cohort.ID, d.cycle.ID, f.name); href != "" {
			v.Downloads = append(v.Downloads, web.Link{Text: d.T(f.text), Href: href})
		}
	}
	return v
}

// sourceOf says what stands behind the coalition's own answers.
func (d *drawing) sourceOf(c *Collective) string {
	return strings.TrimPrefix(c.Marking+" · ", " · ") + d.T("itself.source", "Coalition", c.Coalition, "Cycle", c.Cycle, "Pack", c.Pack, "Version", c.Version)
}

func (d *drawing) steps(o CollectiveOutcome) stepsView {
	return stepsView{ID: o.ID, Title: d.Show(o.Title), Picture: web.Steps{
		Title: d.T("itself.filled", "ID", o.ID, "Level", d.answer(o.Level, "level.none"), "Target", d.answer(o.Target, "itself.noTarget")),
		Steps: len(levels.Units) - 1, At: o.Level, Target: o.Target,
	}.SVG()}
}

func (d *drawing) answer(n int, none string) string {
	if n < 0 {
		return d.T(none)
	}
	return d.Number(n)
}

func (d *drawing) grade(grade string) string {
	if grade == "" {
		return d.T("grade.none")
	}
	return d.T("grade." + grade)
}
