package cascade

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"muster/internal/cascade"
	"muster/internal/web"
)

// measuresView is what could be done first, and how stable that is.
type measuresView struct {
	web.Page
	Kicker, Heading string
	Deck            []string
	Steps           []stepRow
	Joint           []string // by step: what is left
	Alone           []aloneRow
	Dividend        string
	Owners          []ownerRow
	Unsure          string
	Facts           []fact
	Action          string
	Budget          string
	Back            web.Link
}

// aloneRow is a measure by itself.
type aloneRow struct {
	Title             template.HTML
	Cost, Gain, Give  string
	Stable            string
	StableBar, TheBar template.HTML
	Owners            string
}

type ownerRow struct{ Owner, Gain, Give string }

// brief finds what a page behind the one for who decides is drawn from, or sends the
// reader there.
func (p *Pages) behind(w http.ResponseWriter, r *http.Request, v *visit) (*brief, bool, error) {
	scenario, ok := p.scenario(r.PathValue("scenario"))
	if !ok {
		return nil, false, notThere()
	}
	_, b, budget, err := p.briefFor(r, scenario)
	if err != nil {
		return nil, false, err
	}
	if b == nil {
		http.Redirect(w, r, v.to.minute(p.Scenarios[scenario].ID)+budgetQuery(budget), http.StatusSeeOther)
		return nil, false, nil
	}
	return b, true, nil
}

func budgetQuery(budget uint32) string {
	if budget == 0 {
		return ""
	}
	return "?budget=" + strconv.Itoa(int(budget))
}

func (b *brief) query() string {
	if !b.asked {
		return ""
	}
	return budgetQuery(b.budget)
}

func (p *Pages) serveMeasures(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, ok, err := p.behind(w, r, v)
	if !ok {
		return err
	}
	s := &p.Scenarios[b.scenario]
	view := measuresView{Kicker: v.title(request{scenario: b.scenario}), Heading: v.T("measures.title"), Action: v.to.minute(s.ID), Budget: strconv.Itoa(int(b.budget))}
	view.Back = web.Link{Text: v.T("measures.back"), Href: v.to.minute(s.ID) + b.query()}
	if b.investment == nil {
		view.Deck = []string{v.T("together.none")}
	} else {
		v.fillMeasures(&view, b)
	}
	view.Page = v.page(view.Heading, "", v.to.rest(v.to.minute(s.ID)+"measures"+b.query()))
	p.render(w, http.StatusOK, "measures", view)
	return nil
}

func (v *visit) fillMeasures(view *measuresView, b *brief) {
	inv := b.investment
	view.Deck = []string{v.T("measures.deck", "Budget", int(inv.Budget), "Before", v.Percent(inv.Before)), v.together(b)}
	for i, step := range inv.Steps {
		view.Steps = append(view.Steps, v.step(b, i, step))
		view.Joint = append(view.Joint, v.Percent(step.Joint.After))
	}
	most := 0.0
	for _, g := range inv.Alone {
		most = max(most, 0-g.Gain.Change+g.Gain.Error)
	}
	for _, g := range inv.Alone {
		m := slices.IndexFunc(v.pages.Measures, func(m Measure) bool { return m.ID == g.Measure })
		gain := 0 - g.Gain.Change
		row := aloneRow{
			Title: v.Show(v.pages.Measures[m].Title), Cost: v.Number(int(g.Cost)), Gain: v.Percent(gain), Give: v.give(g.Gain.Error),
			Owners: v.Number(len(v.pages.ownersOf(m))),
		}
		name := v.Plain(v.pages.Measures[m].Title)
		row.TheBar = web.Span{Title: name + ": " + row.Gain, Class: "then", Value: gain, Low: gain - g.Gain.Error, High: gain + g.Gain.Error, Most: most, Slim: true}.SVG()
		if g.Stable != nil {
			row.Stable = v.Percent(*g.Stable)
			row.StableBar = web.Span{Title: name + ": " + v.stable(b, *g.Stable), Class: "then", Value: *g.Stable, Most: 1, Slim: true}.SVG()
		}
		view.Alone = append(view.Alone, row)
	}
	view.Dividend = v.dividend(inv.Dividend)
	if inv.Dividend != nil {
		for _, o := range inv.Dividend.Owner {
			view.Owners = append(view.Owners, ownerRow{o.Owner, v.Percent(o.Gain), v.give(o.Error)})
		}
	}
	view.Unsure = v.unsure(b.scenario, b, b.run.result)
	view.Facts = []fact{
		{v.T("measures.looked"), v.T("measures.lookedText", "All", inv.Measures, "Tried", inv.Confirmed)},
		{v.T("facts.trialsName"), v.Number(int(inv.Trials))},
		{v.T("facts.seed"), strconv.FormatUint(inv.Seed, 10)},
		{v.T("facts.engine"), string(inv.Engine)},
		{v.T("facts.result"), inv.Hash},
	}
}

// sureView is which parameter moves the result.
type sureView struct {
	web.Page
	Kicker, Heading string
	Deck            []string
	Swings          []swingRow
	Least, Most     string
	Stability       []stableRow
	Certain         string
	Missions        []bandRow
	Unknown         []string
	Facts           []fact
	Back            web.Link
}

// swingRow is what one parameter does by itself.
type swingRow struct {
	Name, At10, At90   string
	Low, Median, High  string
	Evidence, Source   string
	Bar                template.HTML
	EvidenceIsMeasured bool
}

type stableRow struct {
	Name, Owner, Share string
	Bar                template.HTML
}

type bandRow struct{ Name, Fails, Hours string }

func (p *Pages) serveSure(w http.ResponseWriter, r *http.Request, v *visit) error {
	b, ok, err := p.behind(w, r, v)
	if !ok {
		return err
	}
	s := &p.Scenarios[b.scenario]
	view := sureView{Kicker: v.title(request{scenario: b.scenario}), Heading: v.T("sure.title")}
	view.Back = web.Link{Text: v.T("measures.back"), Href: v.to.minute(s.ID) + b.query()}
	v.fillSure(&view, b)
	view.Page = v.page(view.Heading, "", v.to.rest(v.to.minute(s.ID)+"sure"+b.query()))
	p.render(w, http.StatusOK, "sure", view)
	return nil
}

func (v *visit) fillSure(view *sureView, b *brief) {
	today := b.today
	view.Deck = []string{v.T("sure.deck", "Band", v.band(today.Worst), "Draws", today.Draws)}
	// The run is of everything at its median.
	middle := b.run.result.Worst.Mean
	least, most := middle, middle
	for _, s := range today.Tornado {
		least, most = min(least, s.At10, s.At90), max(most, s.At10, s.At90)
	}
	if most <= least {
		most = least + 0.01
	}
	view.Least, view.Most = v.Percent(least), v.Percent(most)
	about := &v.pages.Parameters
	for _, s := range today.Tornado {
		row := swingRow{Name: v.T("parameter." + s.Parameter), At10: v.Percent(s.At10), At90: v.Percent(s.At90), Evidence: v.evidence(s.Parameter)}
		for i := range cascade.Parameters {
			if cascade.Parameter(i).String() == s.Parameter {
				law := about.Laws[i]
				row.Low, row.Median, row.High, row.Source = v.Figure(law.Low), v.Figure(law.Median), v.Figure(law.High), about.About[i].Text
				row.EvidenceIsMeasured = about.About[i].Evidence == "measured"
			}
		}
		row.Bar = web.Swing{Title: v.T("sure.swing", "Name", row.Name, "At10", row.At10, "At90", row.At90), From: s.At10, To: s.At90, Middle: middle, Least: least, Most: most}.SVG()
		view.Swings = append(view.Swings, row)
	}
	view.Certain = v.T("sure.stabilityCertain", "Certain", v.Number(today.StableCertain), "Draws", v.Number(today.StableDraws))
	for _, s := range today.Stability {
		row := stableRow{Name: v.serviceByID(s.ID), Share: v.Percent(s.First)}
		if i := v.pages.index(s.ID); i >= 0 {
			row.Owner = v.pages.Register.Owners[i]
		}
		row.Bar = web.Span{Title: row.Name + ": " + row.Share, Class: "then", Value: s.First, Most: 1, Slim: true}.SVG()
		view.Stability = append(view.Stability, row)
	}
	for _, m := range today.Missions {
		view.Missions = append(view.Missions, bandRow{v.serviceByID(m.ID), v.band(m.Fails), v.T("band.hours", "Median", v.Figure(m.Hours.Median), "Low", v.Figure(m.Hours.P10), "High", v.Figure(m.Hours.P90))})
	}
	var minute minuteView
	v.sure(&minute, b)
	view.Unknown = minute.Unknown
	if cut := v.cut(b.run.result); cut != "" {
		view.Unknown = append(view.Unknown, cut)
	}
	view.Facts = []fact{
		{v.T("facts.drawsName"), v.Number(today.Draws)},
		{v.T("facts.trialsName"), v.Number(int(today.Trials))},
		{v.T("facts.seed"), strconv.FormatUint(today.Seed, 10)},
		{v.T("facts.version"), about.Version},
		{v.T("facts.result"), today.Hash},
	}
}
