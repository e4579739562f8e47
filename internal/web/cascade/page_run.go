package cascade

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/web"
)

// runsView is the runner, and what was run.
type runsView struct {
	web.Page
	Scenarios []choice
	Measures  []choice
	Trials    []choice
	Seed      string
	Running   *progressView
	Kept      []keptRow
	Pairs     []choice // to lay side by side
	Compare   string   // where that is asked for
	Action    string
}

// choice is something to choose.
type choice struct {
	Value, Text string
	Chosen      bool
}

// keptRow is a run or a comparison that was asked for.
type keptRow struct {
	web.Link
	State, Facts, Found string
}

// trialChoices are how many trials a run may have.
var trialChoices = [...]int{1 << 12, defaultTrials, 1 << 16, maxTrials}

func (p *Pages) serveRuns(w http.ResponseWriter, _ *http.Request, v *visit) error {
	view := runsView{Seed: "1", Action: v.to.runs(), Compare: v.to.under("compare")}
	for i, s := range p.Scenarios {
		view.Scenarios = append(view.Scenarios, choice{s.ID, v.title(request{scenario: i}), i == 0})
	}
	for _, m := range p.Measures {
		view.Measures = append(view.Measures, choice{Value: m.ID, Text: v.Plain(m.Title)})
	}
	for _, n := range trialChoices {
		view.Trials = append(view.Trials, choice{strconv.Itoa(n), v.Number(n), n == defaultTrials})
	}
	for _, j := range p.desk.list() {
		if j.scenario != "" {
			continue
		}
		if !j.over() {
			progress := v.progress(j, v.to.work(j.id))
			view.Running = &progress
			continue
		}
		view.Kept = append(view.Kept, v.kept(j))
		if r := resultOf[run](j); r != nil && r.result.Complete {
			view.Pairs = append(view.Pairs, choice{Value: j.id, Text: v.title(r.request) + " · " + v.facts(r.result.Trials, r.result.Seed)})
		}
	}
	view.Page = v.page(v.T("runs.title"), v.to.runs(), v.to.rest(v.to.runs()))
	p.render(w, http.StatusOK, "runs", view)
	return nil
}

func (v *visit) facts(trials, seed uint64) string {
	return v.T("facts.trials", "Trials", int(trials), "Seed", strconv.FormatUint(seed, 10))
}

func (v *visit) kept(j *job) keptRow {
	at := j.now()
	row := keptRow{Link: web.Link{Text: v.asked(j), Href: v.to.work(j.id)}, State: v.T("state." + string(at.State))}
	switch found := at.Result.(type) {
	case *run:
		row.Facts = v.facts(found.result.Trials, found.result.Seed)
		row.Found = v.Percent(found.result.Worst.Mean)
	case *comparison:
		row.Facts = v.facts(found.result.Trials, found.result.Seed)
		row.Found = v.change(found.result.Worst.Change)
	}
	return row
}

// change writes a difference of shares with its sign.
func (v *visit) change(x float64) string {
	if x > 0 {
		return "+" + v.Percent(x)
	}
	return v.Percent(x)
}

// readRequest reads the form of the runner.
func (p *Pages) readRequest(form url.Values) (request, error) {
	scenario, ok := p.scenario(form.Get("scenario"))
	if !ok {
		return request{}, errs.New(errs.Invalid, "there is no scenario "+errs.Quote(form.Get("scenario")), "choose one of the list")
	}
	r := request{scenario: scenario}
	var err error
	if r.trials, err = strconv.Atoi(form.Get("trials")); err != nil || r.trials < 1 || r.trials > maxTrials {
		return r, errs.New(errs.Invalid, errs.Quote(form.Get("trials"))+" is no number of trials", fmt.Sprintf("1 to %d", maxTrials))
	}
	if r.seed, err = strconv.ParseUint(form.Get("seed"), 10, 64); err != nil {
		return r, errs.New(errs.Invalid, errs.Quote(form.Get("seed"))+" is no seed", "a whole number, 0 or more")
	}
	for _, id := range form["measure"] {
		m := slices.IndexFunc(p.Measures, func(m Measure) bool { return m.ID == id })
		if m < 0 {
			return r, errs.New(errs.Invalid, "there is no measure "+errs.Quote(id), "choose some of the list")
		}
		r.measures = append(r.measures, m)
	}
	slices.Sort(r.measures)
	r.measures = slices.Compact(r.measures)
	return r, nil
}

func (p *Pages) postRun(w http.ResponseWriter, r *http.Request, v *visit) error {
	asked, err := p.readRequest(r.PostForm)
	if err != nil {
		return err
	}
	j, err := p.desk.ask("run", p.runJob(asked))
	if err != nil {
		return err
	}
	http.Redirect(w, r, v.to.work(j.id), http.StatusSeeOther)
	return nil
}

func (p *Pages) postCompare(w http.ResponseWriter, r *http.Request, v *visit) error {
	a, b := resultOf[run](p.desk.find(r.PostForm.Get("a"))), resultOf[run](p.desk.find(r.PostForm.Get("b")))
	if a == nil || b == nil {
		return errs.New(errs.Invalid, "two runs are needed to compare", "choose two that are done")
	}
	j, err := p.desk.ask("compare", p.compareJob(a.request, b.request))
	if err != nil {
		return err
	}
	http.Redirect(w, r, v.to.work(j.id), http.StatusSeeOther)
	return nil
}

func (p *Pages) postEnd(w http.ResponseWriter, r *http.Request, v *visit) error {
	j := p.desk.find(r.PathValue("id"))
	if j == nil {
		return notThere()
	}
	j.stop()
	place := v.to.work(j.id)
	if j.scenario != "" {
		place = v.to.minute(j.scenario) + budgetQuery(j.budget)
	}
	http.Redirect(w, r, place, http.StatusSeeOther)
	return nil
}

// progressView is how far a job is.
type progressView struct {
	State   string
	Stage   string
	Percent int
	Now     string // where the pages' script asks
	Again   string // where who has no script looks again
	End     string // where it can be ended; empty where it is over
	Start   bool   // it is not under way: there is a button to begin
	Action  string
	Budget  uint32
	Text    string
	Words   progressWords
}

// progressWords are what stands on a progress and its buttons.
type progressWords struct{ Begin, Again, End, Label string }

func (v *visit) progress(j *job, place string) progressView {
	words := progressWords{v.T("progress.begin"), v.T("progress.again"), v.T("progress.end"), v.T("progress.label")}
	if j == nil {
		return progressView{State: v.T("state.none"), Action: place, Words: words}
	}
	at := j.now()
	view := progressView{Words: words, State: v.T("state." + string(at.State)), Percent: int(math.Floor(100 * at.Share)), Now: v.to.work(j.id) + "/now", Again: place, Action: place}
	if at.Stage != "" && at.State == running {
		view.Stage = v.T("stage." + at.Stage)
	}
	if at.State == waiting || at.State == running {
		view.End = v.to.work(j.id) + "/end"
	}
	view.Text = view.State
	if view.Stage != "" {
		view.Text = v.T("state.stage", "State", view.State, "Stage", view.Stage)
	}
	return view
}

// nowView is what the pages' script is told.
type nowView struct {
	Over    bool   `json:"over"`
	Percent int    `json:"percent"`
	Text    string `json:"text"`
}

func (p *Pages) serveNow(w http.ResponseWriter, r *http.Request, v *visit) error {
	j := p.desk.find(r.PathValue("id"))
	if j == nil {
		return notThere()
	}
	view := v.progress(j, "")
	return writeJSON(w, nowView{j.over(), view.Percent, view.Text})
}

// workView is a run or a comparison.
type workView struct {
	web.Page
	Kicker, Heading string
	Deck            []string
	Progress        *progressView
	Ended           string
	Curve           template.HTML
	Legend          []legendKey
	Unsure          string
	Figures         []figureRow
	Missions        []missionTimes
	Cut             string // that hours are cut at the horizon
	Compared        []comparedRow
	Top             []topRow
	Tried           string // how it was found what stands in Top
	Facts           []fact
	JSON            web.Link
	Back            web.Link
}

type figureRow struct{ Name, Value, Note string }

// missionTimes is a mission in a run.
type missionTimes struct {
	Name, Fails, Give, Mean, P50, P95 string
	Bar                               template.HTML
}

// topRow is a service on which it hangs.
type topRow struct {
	Name, Owner, Falls, Spared, Give string
	Birnbaum, BirnbaumGive           string
	Criticality, CriticalityGive     string
	Bar                              template.HTML
}

type fact struct{ Name, Value string }

// comparedRow is something before and after.
type comparedRow struct {
	Name, Before, After, Change, Give, Less, More string
}

func (p *Pages) serveWork(w http.ResponseWriter, r *http.Request, v *visit) error {
	j := p.desk.find(r.PathValue("id"))
	if j == nil || j.scenario != "" {
		return notThere()
	}
	at := j.now()
	place := v.to.work(j.id)
	view := workView{Kicker: v.T("run.kicker"), Heading: v.asked(j), Back: web.Link{Text: v.T("runs.title"), Href: v.to.runs()}}
	if !j.over() {
		progress := v.progress(j, place)
		view.Progress = &progress
	} else if at.State != done {
		view.Ended = v.T("ended." + string(at.State))
		if at.State == failed {
			view.Ended += " " + errs.Describe(at.Err).Message
		}
	}
	switch found := at.Result.(type) {
	case *run:
		v.fillRun(&view, found)
		view.JSON = web.Link{Text: v.T("run.json"), Href: place + "/json"}
	case *comparison:
		v.fillComparison(&view, found)
		view.JSON = web.Link{Text: v.T("run.json"), Href: place + "/json"}
	}
	view.Page = v.page(view.Heading, v.to.runs(), v.to.rest(place))
	p.render(w, http.StatusOK, "work", view)
	return nil
}

// asked names what was asked for.
func (v *visit) asked(j *job) string {
	if len(j.requests) == 2 {
		return v.T("compare.pair", "A", v.title(j.requests[0]), "B", v.title(j.requests[1]))
	}
	return v.title(j.requests[0])
}

func (v *visit) fillRun(view *workView, found *run) {
	res := found.result
	view.Deck = append(view.Deck, v.T("run.deck", "Mean", v.Percent(res.Worst.Mean), "Give", v.give(res.Worst.Error)), v.restored(res))
	view.Curve, view.Legend = v.curve([]drawn{{res, "today", v.T("curve.mean"), true}})
	b := resultOf[brief](v.pages.desk.find(v.pages.briefID(found.scenario, 0)))
	if len(found.measures) > 0 {
		b = nil // its band is of the scenario without measures
	}
	view.Unsure = v.unsure(found.scenario, b, res)
	restored := func(at, share float64) string { // where more than a share never is, at is the end of what was looked at
		if res.Restored.Never > share {
			return v.T("figure.notWithin", "Within", v.within(res))
		}
		return v.time(at)
	}
	view.Figures = []figureRow{
		{v.T("figure.mean"), v.Percent(res.Worst.Mean), v.give(res.Worst.Error)},
		{v.T("figure.p50"), v.Percent(res.Worst.P50), ""},
		{v.T("figure.p95"), v.Percent(res.Worst.P95), ""},
		{v.T("figure.restored50"), restored(res.Restored.P50, 0.5), ""},
		{v.T("figure.restored95"), restored(res.Restored.P95, 0.05), ""},
		{v.T("figure.bound"), v.Percent(res.Bound), v.T("figure.boundNote")},
	}
	if res.Restored.Never > 0 {
		view.Figures = append(view.Figures, figureRow{v.T("figure.never", "Within", v.within(res)), v.Percent(res.Restored.Never), ""})
	}
	view.Cut = v.cut(res)
	for _, m := range res.Missions {
		name := v.serviceByID(m.ID)
		view.Missions = append(view.Missions, missionTimes{
			name, v.Percent(m.Fails), v.give(m.Error), v.time(m.Mean), v.time(m.P50), v.time(m.P95),
			web.Span{Title: name + ": " + v.Percent(m.Fails), Class: "today", Value: m.Fails, Low: m.Fails - m.Error, High: m.Fails + m.Error, Most: 1, Slim: true}.SVG(),
		})
	}
	view.Top, view.Tried = v.top(res), v.N("run.topTried", res.Tried)+" "+v.T("run.topUncertain")
	if res.Certain {
		view.Tried = v.N("run.topTried", res.Tried) + " " + v.T("run.topCertain")
	}
	view.Facts = []fact{
		{v.T("facts.trialsName"), v.Number(int(res.Trials))},
		{v.T("facts.seed"), strconv.FormatUint(res.Seed, 10)},
		{v.T("facts.engine"), string(res.Engine)},
		{v.T("facts.graph"), res.Graph},
		{v.T("facts.parameters"), res.Scenario},
	}
	if res.Hash != "" {
		view.Facts = append(view.Facts, fact{v.T("facts.result"), res.Hash})
	} else {
		view.Ended += " " + v.T("ended.part", "Trials", int(res.Trials), "Planned", int(res.Planned))
	}
}

func (v *visit) top(res *cascade.Result) (rows []topRow) {
	most := 0.0
	for _, d := range res.Top {
		most = max(most, d.Spared+d.Error)
	}
	for _, d := range res.Top {
		name, owner := v.serviceByID(d.ID), ""
		if i := v.pages.index(d.ID); i >= 0 {
			owner = v.pages.Register.Owners[i]
		}
		rows = append(rows, topRow{
			name, owner, v.Percent(d.Falls), v.Percent(d.Spared), v.give(d.Error),
			v.Percent(d.Birnbaum), v.give(d.BirnbaumError), v.Percent(d.Criticality), v.give(d.CriticalityError),
			web.Span{Title: name + ": " + v.Percent(d.Spared), Class: "then", Value: d.Spared, Low: d.Spared - d.Error, High: d.Spared + d.Error, Most: most, Slim: true}.SVG(),
		})
	}
	return rows
}

func (v *visit) fillComparison(view *workView, found *comparison) {
	res := found.result
	view.Kicker = v.T("compare.kicker")
	id := "compare.same"
	switch {
	case res.Worst.Change+res.Worst.Error < 0:
		id = "compare.less"
	case res.Worst.Change-res.Worst.Error > 0:
		id = "compare.more"
	}
	view.Deck = []string{v.T(id, "Before", v.Percent(res.Worst.Before), "After", v.Percent(res.Worst.After), "Change", v.change(res.Worst.Change), "Give", v.give(res.Worst.Error))}
	view.Unsure = strings.Join(append(append([]string{v.T("compare.unsure")}, v.standing(found.a.scenario)...), v.unknownCells()), " ")
	row := func(name string, d cascade.Difference, write func(float64) string) comparedRow {
		change := write(d.Change)
		if d.Change > 0 {
			change = "+" + change
		}
		return comparedRow{name, write(d.Before), write(d.After), change, "±\u00a0" + write(d.Error), v.Percent(d.Less), v.Percent(d.More)}
	}
	hours := func(x float64) string { return v.T("time.hours", "N", v.Figure(x)) }
	view.Compared = []comparedRow{row(v.T("compare.worst"), res.Worst, v.Percent), row(v.T("compare.lost"), res.Lost, hours)}
	for _, m := range res.Missions {
		view.Compared = append(view.Compared, row(v.T("compare.mission", "Name", v.serviceByID(m.ID)), m.Hours, hours))
	}
	view.Facts = []fact{
		{v.T("facts.trialsName"), v.Number(int(res.Trials))},
		{v.T("facts.seed"), strconv.FormatUint(res.Seed, 10)},
		{v.T("facts.engine"), string(res.Engine)},
	}
	if res.Hash != "" {
		view.Facts = append(view.Facts, fact{v.T("facts.result"), res.Hash})
	} else {
		view.Ended += " " + v.T("ended.part", "Trials", int(res.Trials), "Planned", int(res.Planned))
	}
}

// serveJSON is what a job found, with the mark of what is invented in front.
func (p *Pages) serveJSON(w http.ResponseWriter, r *http.Request, _ *visit) error {
	j := p.desk.find(r.PathValue("id"))
	if j == nil {
		return notThere()
	}
	var found any
	switch result := j.now().Result.(type) {
	case *run:
		found = result.result
	case *comparison:
		found = result.result
	default:
		return notThere()
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+p.fileMark()+"cascade-"+j.id+`.json"`)
	m := marked{Marking: p.Marking, Said: p.Register.Said, StandBy: p.StandBy, Unknown: p.Register.Unknown, Result: found}
	if p.Private {
		m.Private = privateMark
	}
	return writeJSON(w, m)
}

// privateMark is in the files of what only one member knows, as muster cascade says it.
const privateMark = "PRIVATE: holds what only this member knows; it is not for sending"

func (p *Pages) fileMark() (mark string) {
	if p.Private {
		mark = "PRIVATE-"
	}
	if p.Marking != "" {
		mark += p.Marking + "-"
	}
	return mark
}

// marked is a result with its marks, if it has any, and what it rests on.
type marked struct {
	Private string         `json:"private,omitempty"`
	Marking string         `json:"marking,omitempty"`
	Said    *Said          `json:"suppliers_say,omitempty"`
	StandBy []string       `json:"owners_stand_by,omitempty"`
	Unknown map[string]int `json:"unknown"` // by column of the register: how many cells say so
	Result  any            `json:"result"`
}
