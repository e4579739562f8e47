package workspace

import (
	"muster/internal/exchange/docx"
)

// document puts a brief into a document for a word processor. Its order is that of the
// pages.
func (v *visit) document(b *composed) docx.Document {
	d := docx.Document{
		Language: v.Lang, Title: b.Heading, Subject: b.Kicker, Author: b.Member, Made: b.facts.Today.UTC(),
		Marking: b.Stamp, Head: b.Member + " · " + b.Kicker, Page: v.T("brief.page"), Of: v.T("brief.of"),
	}
	if b.Synthetic != "" {
		d.Marking = b.Synthetic + " · " + b.Stamp
	}
	add := func(blocks ...docx.Block) { d.Body = append(d.Body, blocks...) }
	small := func(s string) {
		if s != "" {
			add(docx.Paragraph{Style: docx.Small, Runs: docx.Text(s)})
		}
	}
	add(docx.Paragraph{Style: docx.Title, Runs: docx.Text(b.Heading)}, docx.Paragraph{Style: docx.Lead, Runs: docx.Text(b.Lead)}, docx.Paragraph{Style: docx.Notice, Runs: docx.Text(b.Handling)})
	for _, notice := range b.Cautions {
		add(docx.Paragraph{Style: docx.Notice, Runs: docx.Text(notice)})
	}
	add(docx.Heading{Level: 1, Text: v.T("brief.glance")}, counted(b.Figures))
	if b.OwnSays != "" {
		add(docx.Paragraph{Runs: []docx.Run{{Text: v.T("brief.own") + ": ", Strong: true}, {Text: b.OwnSays}}})
	}
	v.gapsOf(b, add, small)
	add(docx.Heading{Level: 1, Text: v.T("brief.points")})
	if len(b.Points) > 0 {
		var items [][]docx.Run
		for _, point := range b.Points {
			items = append(items, docx.Text(point))
		}
		add(docx.List{Numbered: true, Items: items})
	} else {
		add(docx.Paragraph{Runs: docx.Text(v.T("brief.noPoints"))})
	}
	v.publicOf(b, add, small)
	v.standingOf(b, add, small)
	v.planOf(b, add, small)
	v.scaleOf(b, add, small)
	small(b.Rests + " " + b.Made)
	return d
}

// counted is names with their numbers, a line each.
func counted(counts []sheetCount) docx.List {
	var l docx.List
	for _, c := range counts {
		l.Items = append(l.Items, []docx.Run{{Text: c.Text, Strong: true}, {Text: " " + c.Name}})
	}
	return l
}

// inALine is the same on one line.
func inALine(counts []sheetCount) docx.Paragraph {
	var p docx.Paragraph
	for i, c := range counts {
		if i > 0 {
			p.Runs = append(p.Runs, docx.Run{Text: " · "})
		}
		p.Runs = append(p.Runs, docx.Run{Text: c.Text, Strong: true}, docx.Run{Text: " " + c.Name})
	}
	return p
}

func (v *visit) gapsOf(b *composed, add func(...docx.Block), small func(string)) {
	add(docx.Heading{Level: 1, Text: v.T("standing.urgent")})
	if b.NoGap != "" {
		add(docx.Paragraph{Runs: docx.Text(b.NoGap)})
	}
	small(b.GapRule)
	for _, g := range b.Gaps {
		add(docx.Heading{Level: 2, Text: g.ID + " " + g.Title}, docx.Paragraph{Runs: []docx.Run{{Text: g.Says + ". ", Strong: true}, {Text: g.Further}}})
		if g.block.Shown() {
			add(docx.Paragraph{Runs: []docx.Run{{Picture: v.stripPicture(g)}}})
			small(g.Bands)
		}
		add(docx.Paragraph{Runs: docx.Text(g.Plan)})
	}
}

func (v *visit) publicOf(b *composed, add func(...docx.Block), small func(string)) {
	add(docx.Heading{Level: 1, Text: v.T("brief.public")})
	if len(b.Public) > 0 {
		var items [][]docx.Run
		for _, s := range b.Public {
			run := docx.Text(s.Text)
			if s.Own {
				run = append(run, docx.Run{Text: " (" + v.T("brief.chosen") + ")"})
			}
			items = append(items, run)
		}
		add(docx.List{Items: items})
	}
	for _, s := range []string{b.PublicNone, b.PublicWarns} {
		if s != "" {
			add(docx.Paragraph{Runs: docx.Text(s)})
		}
	}
	small(v.T("brief.publicElse"))
}

func (v *visit) standingOf(b *composed, add func(...docx.Block), small func(string)) {
	add(docx.Heading{Level: 1, Text: b.Standing, Break: true})
	small(b.Legend)
	t := docx.Table{Caption: b.Standing, Head: []string{v.T("sheet.outcome"), v.T("brief.we"), v.T("sheet.target")}, Widths: []int{12, 3, 3}}
	if b.facts.Release != nil {
		t.Head = append(t.Head, v.T("brief.lower"), v.T("brief.higher"), v.T("brief.bands"))
		t.Widths = append(t.Widths, 3, 3, 14)
	}
	for _, a := range b.Areas {
		for _, r := range a.Rows {
			level := r.Chip.Text
			if r.Sign != "" {
				level += " " + r.Sign
			}
			row := docx.Cells(r.ID+" "+r.Title, level, r.Target)
			if b.facts.Release != nil {
				row = append(row, docx.Cells(r.Lower, r.Higher, r.Short+r.Unshowing)...)
			}
			t.Rows = append(t.Rows, row)
		}
	}
	add(t)
	for _, a := range b.Areas {
		switch area := a.ID + " " + a.Title; {
		case a.Others != "" && a.Own != "":
			small(v.T("brief.areaChange", "Area", area, "Change", a.Own) + " " + v.T("brief.othersChange", "Bands", a.Others))
		case a.Own != "":
			small(v.T("brief.areaChange", "Area", area, "Change", a.Own))
		}
	}
}

func (v *visit) planOf(b *composed, add func(...docx.Block), small func(string)) {
	add(docx.Heading{Level: 1, Text: v.T("brief.promises")})
	if len(b.Promises) > 0 {
		t := docx.Table{Caption: v.T("brief.promisesCaption"), Head: []string{v.T("brief.promise"), v.T("brief.state"), v.T("plan.owner"), v.T("plan.due")}, Widths: []int{10, 3, 4, 4}}
		for _, p := range b.Promises {
			text := p.Text
			if p.More != "" {
				text += " (" + p.More + ")"
			}
			t.Rows = append(t.Rows, docx.Cells(text, p.State, p.Who, p.Due))
		}
		add(inALine(b.Promised), t)
		small(b.PromisesMore)
	} else {
		add(docx.Paragraph{Runs: docx.Text(v.T("brief.noPromises"))})
	}
	add(docx.Heading{Level: 1, Text: v.T("brief.money")}, docx.Paragraph{Runs: docx.Text(b.FundingSays)}, inALine(b.Funding))
}

func (v *visit) scaleOf(b *composed, add func(...docx.Block), small func(string)) {
	add(docx.Heading{Level: 1, Text: b.House.Heading})
	t := docx.Table{Caption: v.T("brief.scaleCaption"), Head: []string{v.T("sheet.level"), v.T("brief.means")}, Widths: []int{1, 6}}
	for _, l := range b.House.Levels {
		t.Rows = append(t.Rows, docx.Cells(l.Value, plainText(l.Text)))
	}
	add(t)
	small(plainText(b.House.Rule))
}
