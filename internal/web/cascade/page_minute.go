package cascade

import (
	"html/template"
	"math"
	"net/http"
	"strconv"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/web"
)

// minuteView is the page for who decides.
type minuteView struct {
	web.Page
	Scenarios []web.Link
	Kicker    string
	Headline  string
	Deck      []string
	Progress  *progressView // where it is not worked out yet; then nothing below is there

	Curve   template.HTML
	Legend  []legendKey
	Caption string

	Missions []missionRow
	Hold     string // the missions that are not listed
	Hangs    []string

	Steps     []stepRow
	NoSteps   string
	Worth     []worthRow
	Dividend  string
	Sure      []string
	Unknown   []string
	Facts     []string
	Hash      string
	More      []web.Link
	Budget    string
	BudgetFor string // where a budget is asked for
}

type legendKey struct{ Class, Text string }

// missionRow is what happens to a mission, as things are and with what is proposed.
type missionRow struct {
	Name        string
	Today, Then string
	TodayBar    template.HTML
	ThenBar     template.HTML
}

// stepRow is one thing to do.
type stepRow struct {
	N      int
	Title  template.HTML
	Gain   string
	Cost   string
	Owners string
	Names  string
	Stable string
	Note   string
}

// worthRow is a bar with its words.
type worthRow struct {
	Name, Text string
	Bar        template.HTML
}

func (p *Pages) serveFirst(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.minute(w, r, v, 0)
}

func (p *Pages) serveMinute(w http.ResponseWriter, r *http.Request, v *visit) error {
	scenario, ok := p.scenario(r.PathValue("scenario"))
	if !ok {
		return notThere()
	}
	return p.minute(w, r, v, scenario)
}

// budgetOf reads what may be spent, 0 where nothing is said.
func budgetOf(text string) (uint32, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, errs.New(errs.Invalid, errs.Quote(text)+" is no budget", "a whole number of units from 1 to 1000000")
	}
	return uint32(n), nil
}

// briefFor returns the job of a page for who decides, and what it found so far.
func (p *Pages) briefFor(r *http.Request, scenario int) (*job, *brief, uint32, error) {
	budget, err := budgetOf(r.URL.Query().Get("budget"))
	if err != nil {
		return nil, nil, 0, err
	}
	j := p.desk.find(p.briefID(scenario, budget))
	return j, resultOf[brief](j), budget, nil
}

func (p *Pages) postMinute(w http.ResponseWriter, r *http.Request, v *visit) error {
	scenario, ok := p.scenario(r.PathValue("scenario"))
	if !ok {
		return notThere()
	}
	budget, err := budgetOf(r.PostForm.Get("budget"))
	if err != nil {
		return err
	}
	if _, err := p.desk.ask("", p.briefJob(scenario, budget)); err != nil {
		return err
	}
	http.Redirect(w, r, v.to.minute(p.Scenarios[scenario].ID)+budgetQuery(budget), http.StatusSeeOther)
	return nil
}

func (p *Pages) minute(w http.ResponseWriter, r *http.Request, v *visit, scenario int) error {
	j, b, budget, err := p.briefFor(r, scenario)
	if err != nil {
		return err
	}
	place := v.to.minute(p.Scenarios[scenario].ID)
	rest := v.to.rest(place) + budgetQuery(budget)
	view := v.minute(scenario, b)
	view.BudgetFor = place
	view.Page = v.page(v.T("minute.window", "Scenario", v.title(request{scenario: scenario})), v.to.home(), rest)
	for i := range p.Scenarios {
		view.Scenarios = append(view.Scenarios, web.Link{Text: v.title(request{scenario: i}), Href: v.to.minute(p.Scenarios[i].ID), Current: i == scenario})
	}
	if b == nil {
		progress := v.progress(j, place)
		progress.Start, progress.Budget = j == nil || j.over(), budget
		view.Progress = &progress
	}
	p.render(w, http.StatusOK, "minute", view)
	return nil
}

// minute draws a brief, or says what the page will be of where there is none yet.
func (v *visit) minute(scenario int, b *brief) minuteView {
	s := &v.pages.Scenarios[scenario]
	view := minuteView{Kicker: v.T("minute.kicker")}
	if b == nil {
		view.Headline = v.title(request{scenario: scenario})
		if text := v.Plain(s.Text); text != "" {
			view.Deck = []string{text}
		}
		return view
	}
	result, today := b.run.result, b.today
	view.Headline = v.T("minute.headline", "Scenario", v.title(request{scenario: scenario}), "Share", v.Percent(today.Worst.Median))
	if b.investment != nil {
		view.Headline += " " + v.together(b)
	}
	view.Deck = append(view.Deck, v.T("minute.range", "Range", v.between(today.Worst.P10, today.Worst.P90)))
	if worst, ok := worstMission(today); ok {
		view.Deck = append(view.Deck, v.T("minute.mission", "Mission", v.serviceByID(worst.ID), "Fails", v.band(worst.Fails)))
	}
	view.Deck = append(view.Deck, v.restored(result))
	v.draw(&view, b)
	v.missions(&view, b)
	v.steps(&view, b)
	v.sure(&view, b)
	view.Facts = []string{
		v.T("facts.trials", "Trials", int(result.Trials), "Seed", strconv.FormatUint(result.Seed, 10)),
		v.T("facts.draws", "Draws", today.Draws, "Trials", int(today.Trials), "Version", v.pages.Parameters.Version),
	}
	view.Hash = result.Hash
	view.Budget = strconv.Itoa(int(b.budget))
	query := ""
	if b.asked {
		query = "?budget=" + view.Budget
	}
	place := v.to.minute(s.ID)
	view.More = []web.Link{
		{Text: v.T("minute.toMeasures"), Href: place + "measures" + query},
		{Text: v.T("minute.toSure"), Href: place + "sure" + query},
	}
	if v.pages.Chart != nil {
		view.More = append(view.More, web.Link{Text: v.T("minute.toMap"), Href: v.to.chart() + "?scenario=" + s.ID})
	}
	return view
}

// together says what acting together is worth, in a sentence.
func (v *visit) together(b *brief) string {
	switch {
	case b.investment == nil:
		return v.T("together.none")
	case b.then == nil:
		return v.T("together.nothing")
	}
	n := len(b.chosen)
	last := b.investment.Steps[n-1].Joint
	switch {
	case last.After > 0.9*last.Before:
		return v.T("together.little", "Budget", int(b.budget))
	case 2*b.then.Worst.Median <= b.today.Worst.Median:
		return v.N("together.halves", n, "Things", v.small(n))
	}
	return v.N("together.down", n, "Things", v.small(n), "Share", v.Percent(b.then.Worst.Median))
}

func worstMission(u *cascade.Uncertain) (worst cascade.MissionBand, ok bool) {
	for _, m := range u.Missions {
		if m.Fails.Median > worst.Fails.Median {
			worst, ok = m, true
		}
	}
	return worst, ok
}

func (v *visit) restored(r *cascade.Result) string {
	d := r.Restored
	switch {
	case d.Never > 0.5:
		return v.T("restored.never", "Share", v.Percent(d.Never), "Within", v.within(r))
	case d.Never > 0.05: // so that P95 is no time, but the end of what was looked at
		return v.T("restored.part", "P50", v.time(d.P50), "Share", v.Percent(d.Never), "Within", v.within(r))
	}
	return v.T("restored.after", "P50", v.time(d.P50), "P95", v.time(d.P95))
}

// draw draws the picture: what is down, day by day.
func (v *visit) draw(view *minuteView, b *brief) {
	lines := []drawn{{b.run.result, "today", v.T("curve.today"), true}}
	if b.after != nil && b.after.Complete {
		lines = append(lines, drawn{b.after, "then", v.N("curve.then", len(b.chosen), "Things", v.small(len(b.chosen))), false})
	}
	view.Curve, view.Legend = v.curve(lines)
	view.Caption = v.T("curve.caption", "Trials", int(b.run.result.Trials))
}

// drawn is a result in a picture; tail draws what one trial in twenty loses as well.
type drawn struct {
	result      *cascade.Result
	class, text string
	tail        bool
}

// curve draws what is lost over time.
func (v *visit) curve(lines []drawn) (template.HTML, []legendKey) {
	var c web.Curve
	var legend []legendKey
	most, until := 0.0, 72.0
	for _, l := range lines {
		peak := 0.0
		for _, m := range l.result.Curve {
			peak = max(peak, m.Mean)
		}
		most = max(most, peak)
		for _, m := range l.result.Curve {
			if m.Mean > peak/50 {
				until = max(until, m.Hours)
			}
			if l.tail {
				most = max(most, m.P95)
			}
		}
	}
	step := niceStep(most)
	c.Most = step * math.Ceil(max(most, step/2)/step)
	c.Until = math.Ceil(until/24) * 24
	for x := 0.0; x <= c.Most+step/4; x += step {
		c.Up = append(c.Up, web.Tick{At: x, Text: v.mark(x)})
	}
	days := dayStep(c.Until / 24)
	for d := 0.0; d*24 <= c.Until; d += days {
		text := v.Number(int(d))
		if d > 0 && (d+days)*24 > c.Until {
			text = v.T("time.days", "N", text)
		}
		c.Across = append(c.Across, web.Tick{At: d * 24, Text: text})
	}
	for _, l := range lines {
		mean, tail := web.CurveLine{Class: l.class, Filled: true}, web.CurveLine{Class: "tail"}
		for _, m := range l.result.Curve {
			if m.Hours <= c.Until {
				mean.Points = append(mean.Points, [2]float64{m.Hours, m.Mean})
				tail.Points = append(tail.Points, [2]float64{m.Hours, m.P95})
			}
		}
		if l.tail {
			c.Lines = append(c.Lines, tail)
			legend = append(legend, legendKey{l.class, l.text}, legendKey{"tail", v.T("curve.tail")})
		} else {
			legend = append(legend, legendKey{l.class, l.text})
		}
		c.Lines = append(c.Lines, mean)
	}
	c.Title = v.T("curve.title")
	c.Desc = v.T("curve.desc", "Share", v.Percent(lines[0].result.Worst.Mean))
	return c.SVG(), legend
}

// niceStep returns the step of an axis of shares: 1, 2 or 5 and zeros.
func niceStep(most float64) float64 {
	if most <= 0 {
		return 0.01
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, s := range []float64{0.2, 0.25, 0.5, 1} {
		if most/(s*unit) <= 5 {
			return s * unit
		}
	}
	return 2 * unit
}

func dayStep(days float64) float64 {
	for _, s := range []float64{1, 2, 5} {
		if days/s <= 7 {
			return s
		}
	}
	return 10
}

// listed is from which share of cases in which it fails a mission is listed, at the
// upper end of its band.
const listed = 0.01

func (v *visit) missions(view *minuteView, b *brief) {
	hold := 0
	for i, m := range b.today.Missions {
		if m.Fails.P90 < listed {
			hold++
			continue
		}
		name := v.serviceByID(m.ID)
		row := missionRow{Name: name, Today: v.band(m.Fails)}
		row.TodayBar = web.Span{Title: v.T("mission.today", "Name", name, "Fails", row.Today), Class: "today", Value: m.Fails.Median, Low: m.Fails.P10, High: m.Fails.P90, Most: 1, Slim: true}.SVG()
		if b.then != nil {
			then := b.then.Missions[i].Fails
			row.Then = v.band(then)
			row.ThenBar = web.Span{Title: v.T("mission.then", "Name", name, "Fails", row.Then), Class: "then", Value: then.Median, Low: then.P10, High: then.P90, Most: 1, Slim: true}.SVG()
		}
		view.Missions = append(view.Missions, row)
	}
	if hold > 0 {
		view.Hold = v.N("mission.hold", hold, "Count", v.small(hold))
	}
	for _, d := range b.run.result.Top[:min(3, len(b.run.result.Top))] {
		view.Hangs = append(view.Hangs, v.T("minute.hangs", "Name", v.serviceByID(d.ID), "Spared", v.Percent(d.Spared)))
	}
}

// shownSteps is how many things are listed on the page for who decides.
const shownSteps = 5

func (v *visit) steps(view *minuteView, b *brief) {
	if b.then == nil {
		view.NoSteps = v.together(b)
		return
	}
	for i, step := range b.investment.Steps[:min(shownSteps, len(b.investment.Steps))] {
		view.Steps = append(view.Steps, v.step(b, i, step))
	}
	if more := len(b.investment.Steps) - shownSteps; more > 0 {
		view.NoSteps = v.N("step.more", more)
	}
	most := max(b.today.Worst.P90, b.then.Worst.P90)
	bar := func(name, class string, band cascade.Band) worthRow {
		row := worthRow{Name: name, Text: v.band(band)}
		row.Bar = web.Span{Title: name + ": " + row.Text, Class: class, Value: band.Median, Low: band.P10, High: band.P90, Most: most}.SVG()
		return row
	}
	view.Worth = []worthRow{
		bar(v.T("curve.today"), "today", b.today.Worst),
		bar(v.N("curve.then", len(b.chosen), "Things", v.small(len(b.chosen))), "then", b.then.Worst),
	}
	view.Dividend = v.dividend(b.investment.Dividend)
}

// step says one step of a choice.
func (v *visit) step(b *brief, i int, step cascade.Step) stepRow {
	m := b.chosen[i]
	row := stepRow{
		N: i + 1, Title: v.Show(v.pages.Measures[m].Title), Cost: v.N("step.cost", int(step.Cost)),
		Gain: v.T("step.gain", "Gain", v.Percent(0-step.Gain.Change), "Give", v.give(step.Gain.Error)),
	}
	if step.Gain.Change+step.Gain.Error > 0 {
		row.Note = v.T("step.notSure")
	}
	owners := v.pages.ownersOf(m)
	row.Owners = v.N("step.owners", len(owners))
	if len(owners) == 1 {
		row.Owners = owners[0]
	} else {
		row.Names = v.List(owners)
	}
	for _, g := range b.investment.Alone {
		if g.Measure == step.Measure && g.Stable != nil {
			row.Stable = v.stable(b, *g.Stable)
		}
	}
	return row
}

// stable says in how many of the draws that were looked at for it a measure is among the
// first. These are the same draws in which services are.
func (v *visit) stable(b *brief, share float64) string {
	of := b.today.StableDraws
	return v.T("step.stable", "In", v.Number(int(math.Round(share*float64(of)))), "Of", v.Number(of))
}

// dividend says what acting together adds to what each gains alone.
func (v *visit) dividend(d *cascade.Dividend) string {
	if d == nil {
		return ""
	}
	id := "dividend.equal"
	switch {
	case d.Extra-d.Error > 0:
		id = "dividend.more"
	case d.Extra+d.Error < 0:
		id = "dividend.less"
	}
	return v.T(id, "Joint", v.Percent(d.Joint), "Sum", v.Percent(d.Sum), "Owners", len(d.Owner), "Extra", v.Percent(math.Abs(d.Extra)), "Give", v.give(d.Error))
}

// sure says how sure the page is and what is unknown.
func (v *visit) sure(view *minuteView, b *brief) {
	today := b.today
	view.Sure = append(view.Sure, v.T("sure.band", "Draws", today.Draws, "Range", v.between(today.Worst.P10, today.Worst.P90)))
	if len(today.Tornado) > 0 {
		first := today.Tornado[0]
		view.Sure = append(view.Sure, v.T("sure.first", "Parameter", v.T("parameter."+first.Parameter),
			"Range", v.between(min(first.At10, first.At90), max(first.At10, first.At90)), "Evidence", v.evidence(first.Parameter)))
	}
	view.Sure = append(view.Sure, v.T("sure.trials", "Give", v.give(b.run.result.Worst.Error)))
	view.Unknown = v.standing(b.scenario)
	n := v.pages.ownersIn(b.scenario)
	if unknown := n.strangers(); unknown > 0 {
		view.Unknown = append(view.Unknown, v.T("unknown.owners", "N", unknown, "All", n.all))
	}
	none := 0
	for i := range v.pages.Parameters.About {
		if v.pages.Parameters.About[i].Evidence == "none" {
			none++
		}
	}
	view.Unknown = append(view.Unknown, v.T("unknown.parameters", "N", none, "All", cascade.Parameters), v.unknownCells(), v.restsOn(b), v.T("unknown.absent"))
	if source := v.pages.Scenarios[b.scenario].Source; source != "" {
		id := "unknown.scenario"
		if n.strangers() < n.all {
			id = "unknown.scenarioStanding"
		}
		view.Unknown = append(view.Unknown, v.T(id, "Source", source))
	}
}

func (v *visit) evidence(parameter string) string {
	for i := range cascade.Parameters {
		if cascade.Parameter(i).String() == parameter {
			switch e := v.pages.Parameters.About[i].Evidence; e {
			case "measured", "judgement":
				return v.T("evidence." + e)
			}
		}
	}
	return v.T("evidence.none")
}
