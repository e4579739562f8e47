package cascade_test

import (
	"fmt"
	"html"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/internal/cascade"
	page "muster/internal/web/cascade"
)

// figure writes a number with two significant digits, three decimals at most: the
// test's own way, by fmt.
func figure(x float64) string {
	if x == 0 {
		return "0"
	}
	text := fmt.Sprintf("%.*f", min(max(0, 1-int(math.Floor(math.Log10(math.Abs(x))))), 3), x)
	return strings.Replace(text, "-", "\u2212", 1)
}

func percent(x float64) string { return figure(100*x) + " %" }

func hours(x float64) string {
	if x >= 48 {
		return figure(x/24) + " days"
	}
	return figure(x) + " h"
}

func band(b cascade.Band) string {
	return percent(b.Median) + " (" + figure(100*b.P10) + " to " + percent(b.P90) + ")"
}

// words returns a page's main part without its elements, spaces made one.
func words(body string) string {
	_, body, _ = strings.Cut(body, "<main")
	body, _, _ = strings.Cut(body, "</main>")
	body = regexp.MustCompile(`(?s)<svg.*?</svg>`).ReplaceAllString(body, " ")
	body = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")
	body = strings.ReplaceAll(html.UnescapeString(body), "\u00a0", " ")
	return regexp.MustCompile(`\s+`).ReplaceAllString(body, " ")
}

func (w *world) says(path string, all ...string) {
	w.t.Helper()
	got := words(w.get(path, http.StatusOK))
	for _, want := range all {
		if !strings.Contains(got, want) {
			w.t.Errorf("%s does not say %q:\n%s", path, want, got)
		}
	}
}

const month = 30 * 24 * 60

// TestRunNumbers: every number of a run and of a comparison is the engine's own, for
// the seed that stands there; result_hash is that of muster cascade run.
func TestRunNumbers(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	w := open(t, cfg)
	for _, seed := range []uint64{1, 8} {
		id := w.run(asked("cranes", "4096", fmt.Sprint(seed)))
		s := cfg.Scenarios[0].Outlook.Scenario
		r, err := cascade.Run(t.Context(), cfg.Register.Graph, s, cascade.Options{Trials: 4096, Seed: seed, Horizon: month, Top: 5})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"At the worst moment " + percent(r.Worst.Mean) + " of critical service is lost on average (± " + percent(r.Worst.Error) + ")",
			"Average " + percent(r.Worst.Mean) + " ± " + percent(r.Worst.Error),
			"Half of the cases lose at least " + percent(r.Worst.P50),
			"One case in twenty loses at least " + percent(r.Worst.P95),
			"90 % restored, half of the cases " + hours(r.Restored.P50),
			"90 % restored, nineteen of twenty " + hours(r.Restored.P95),
			"Input-output bound " + percent(r.Bound),
			"result_hash " + r.Hash, "Register " + r.Graph, "Scenario and options " + r.Scenario, "Cases 4096", fmt.Sprintf("Seed %d", seed),
		}
		for i, m := range r.Missions {
			want = append(want, strings.Join([]string{cfg.Register.Names[i].In["en"], percent(m.Fails), "± " + percent(m.Error), hours(m.Mean), hours(m.P50), hours(m.P95)}, " "))
		}
		for _, d := range r.Top {
			want = append(want, strings.Join([]string{percent(d.Spared), "± " + percent(d.Error), percent(d.Birnbaum), "± " + percent(d.BirnbaumError), percent(d.Criticality), "± " + percent(d.CriticalityError), percent(d.Falls)}, " "))
		}
		if len(r.Top) < 3 || len(r.Missions) != 2 {
			t.Errorf("%d dependencies and %d missions", len(r.Top), len(r.Missions))
		}
		w.says("/en/result/"+id, want...)
		if body := w.get("/en/result/"+id+"/json", http.StatusOK); !strings.Contains(body, r.Hash) || !strings.HasPrefix(body, `{"marking":"SYNTHETIC"`) {
			t.Errorf("the file says %s", body)
		}
	}

	b := w.run(asked("cranes", "4096", "1", "updates", "by-hand"))
	id := strings.TrimPrefix(w.post("/en/compare", url.Values{"a": {"run-1"}, "b": {b}}), "/en/result/")
	w.wait(id)
	before := cascade.Case{Graph: cfg.Register.Graph, Scenario: cfg.Scenarios[0].Outlook.Scenario}
	after, err := before.Apply(cfg.Measures[0].Measure, cfg.Measures[1].Measure)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cascade.Compare(t.Context(), before, after, cascade.Options{Trials: 4096, Seed: 1, Horizon: month})
	if err != nil {
		t.Fatal(err)
	}
	row := func(name string, d cascade.Difference, write func(float64) string) string {
		return strings.Join([]string{name, write(d.Before), write(d.After), write(d.Change), "± " + write(d.Error), percent(d.Less), percent(d.More)}, " ")
	}
	h := func(x float64) string { return figure(x) + " h" }
	if c.Worst.Change >= 0 {
		t.Errorf("the measures change the loss by %v", c.Worst.Change)
	}
	w.says("/en/result/"+id, row("Lost at the worst moment", c.Worst, percent), row("Lost in all, as hours of everything critical", c.Lost, h),
		row("Food for the island: hours down", c.Missions[0].Hours, h), row("Light in the streets: hours down", c.Missions[1].Hours, h))
}

// TestBriefNumbers: the same of the page for who decides and of those behind it.
func TestBriefNumbers(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	w := open(t, cfg)
	w.brief("cranes")
	o := cfg.Scenarios[0].Outlook
	uncertain := func(o cascade.Outlook, top int) *cascade.Uncertain {
		u, err := cascade.Uncertainty(t.Context(), o, cfg.Parameters.Laws, cascade.UncertainOptions{Options: cascade.Options{Seed: 1, Horizon: month, Top: top}})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	today := uncertain(o, 5)
	var all []cascade.Measure
	for _, m := range cfg.Measures {
		all = append(all, m.Measure)
	}
	v, err := cascade.Invest(t.Context(), o.Case, all, cascade.InvestOptions{
		Options: cascade.Options{Trials: 4096, Seed: 1, Horizon: month}, Budget: 4, Objective: cascade.AtWorst, Owners: cfg.Register.Owners,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Stable(t.Context(), o, cfg.Parameters.Laws, all, cascade.UncertainOptions{Options: cascade.Options{Seed: 1, Horizon: month}}); err != nil {
		t.Fatal(err)
	}
	if len(v.Steps) != 2 {
		t.Fatalf("%d steps", len(v.Steps))
	}
	better := o
	if better.Case, err = o.Case.Apply(cfg.Measures[0].Measure, cfg.Measures[1].Measure); err != nil {
		t.Fatal(err)
	}
	then := uncertain(better, 0)
	if 2*then.Worst.Median > today.Worst.Median {
		t.Errorf("%v is not half of %v", then.Worst.Median, today.Worst.Median)
	}
	r, err := cascade.Run(t.Context(), o.Graph, o.Scenario, cascade.Options{Trials: 1 << 14, Seed: 1, Horizon: month, Top: 5})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"An attack on the crane system: " + percent(today.Worst.Median) + " of critical service stops. Acting together on two things halves it.",
		"It is " + figure(100*today.Worst.P10) + " to " + percent(today.Worst.P90) + " in eight of ten draws",
		"“Food for the island”, which fails in " + band(today.Missions[0].Fails) + " of cases",
		"back after " + hours(r.Restored.P50) + " in half of the cases, and after " + hours(r.Restored.P95),
		"Food for the island " + band(today.Missions[0].Fails) + " " + band(then.Missions[0].Fails),
		"The other mission holds",
		"as things are " + band(today.Worst) + " with those two things done " + band(then.Worst),
		"result_hash: " + r.Hash,
		"Together they spare " + percent(v.Dividend.Joint),
		fmt.Sprintf("Added up, %d owners", len(v.Dividend.Owner)),
		"How well 5 of 5 owners stand", "For 3 of 9 parameters there is no evidence", "3 cells of the register say unknown",
	}
	often := make(map[string]string)
	var alone []string
	for _, g := range v.Alone {
		often[g.Measure] = fmt.Sprint(math.Round(40 * *g.Stable))
		alone = append(alone, percent(-g.Gain.Change)+" ± "+percent(g.Gain.Error)+" "+percent(*g.Stable))
	}
	for _, s := range v.Steps {
		want = append(want, "spares "+percent(-s.Gain.Change)+" (± "+percent(s.Gain.Error)+")", "in the top 5 in "+often[s.Measure]+" of 40 draws")
	}
	for _, d := range r.Top[:3] {
		want = append(want, ": "+percent(d.Spared))
	}
	w.says("/en/", want...)
	w.says("/en/scenario/cranes/measures", append(alone, v.Hash, "Without any measure "+percent(v.Before))...)
	want = []string{"Lost at the worst moment: " + band(today.Worst), today.Hash}
	for _, s := range today.Tornado {
		want = append(want, percent(s.At10)+" to "+percent(s.At90))
	}
	for _, s := range today.Stability {
		want = append(want, percent(s.First))
	}
	want = append(want, fmt.Sprintf("certain that no other spares more: %d of %d.", today.StableCertain, today.StableDraws))
	w.says("/en/scenario/cranes/sure", want...)
	if w.get("/fr/", http.StatusOK); !strings.Contains(words(w.get("/fr/", http.StatusOK)), strings.Replace(figure(100*today.Worst.Median), ".", ",", 1)+"\u202f%") {
		t.Error("the French page has another number")
	}
}

// TestFallNumbers: what the map says of a place is what a run says of a mission with
// the same requirements, in as many trials.
func TestFallNumbers(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	w := open(t, cfg)
	w.brief("cranes")
	services := append([]cascade.Service(nil), cfg.Register.Graph.Services()...)
	services[2].Mission, services[3].Mission = true, true
	g, err := cascade.NewGraph(services, cfg.Register.Graph.Requirements())
	if err != nil {
		t.Fatal(err)
	}
	r, err := cascade.Run(t.Context(), g, cfg.Scenarios[0].Outlook.Scenario, cascade.Options{Trials: 4096, Seed: 1, Horizon: month})
	if err != nil {
		t.Fatal(err)
	}
	north, south := r.Missions[2], r.Missions[3]
	if north.Fails == south.Fails || north.Fails == 0 {
		t.Errorf("%v and %v", north, south)
	}
	w.says("/en/map", "Northquay North quay Ostmere "+percent(north.Fails)+" "+hours(north.Mean), "Southquay South quay Calverra "+percent(south.Fails)+" "+hours(south.Mean))
	w.says("/en/graph?by=owner&open=Ostmere", "quay-north · Ostmere · Transport · falls in "+percent(north.Fails)+" of cases")
}

// TestShock: where something is known of owners, runs are of that, and the draws of the
// parameters of the scenario as it is: or levels would count twice.
func TestShock(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	o := &cfg.Scenarios[0].Outlook
	o.Levels = nil
	for range 5 { // owners
		o.Levels = append(o.Levels, cascade.Level{Resistance: 1, Recovery: 1})
	}
	// With medians that are not 1 the graph is another, too.
	for _, x := range []cascade.Parameter{cascade.BindingOdds, cascade.BufferLength, cascade.RestartLag} {
		cfg.Parameters.Laws[x] = cascade.Law{Median: 0.5, Low: 0.25, High: 1}
	}
	likely, err := o.Likeliest(cfg.Parameters.Laws)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Scenarios[0].Shock = likely
	w := open(t, cfg)
	options := cascade.Options{Trials: 4096, Seed: 3, Horizon: month, Top: 5}
	found := func(c cascade.Case) *cascade.Result {
		t.Helper()
		g, err := cascade.NewGraph(c.Graph.Services(), c.Graph.Requirements())
		if err != nil {
			t.Fatal(err)
		}
		r, err := cascade.Run(t.Context(), g, c.Scenario, options)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := found(likely)
	if other := found(cascade.Case{Graph: cfg.Register.Graph, Scenario: likely.Scenario}); r.Worst.Mean == other.Worst.Mean {
		t.Errorf("the medians change nothing in the graph: %v", r.Worst.Mean)
	}
	if plain := found(o.Case); r.Worst.Mean >= plain.Worst.Mean {
		t.Errorf("who stands well loses %v, without knowing %v", r.Worst.Mean, plain.Worst.Mean)
	}
	first := asked("cranes", "4096", "3")
	a := w.run(first)
	w.says("/en/result/"+a, "result_hash "+r.Hash, "Register "+r.Graph)

	// With a measure, and beside each other.
	better, err := likely.Apply(cfg.Measures[0].Measure)
	if err != nil {
		t.Fatal(err)
	}
	first.Set("measure", "by-hand")
	b := w.run(first)
	w.says("/en/result/"+b, "result_hash "+found(better).Hash)

	// Every place is looked at on the same graph.
	services := slices.Clone(likely.Graph.Services())
	for v := range services {
		services[v].Mission = true
	}
	g, err := cascade.NewGraph(services, likely.Graph.Requirements())
	if err != nil {
		t.Fatal(err)
	}
	options.Seed, options.Top = 1, 0
	every, err := cascade.Run(t.Context(), g, likely.Scenario, options)
	if err != nil {
		t.Fatal(err)
	}
	w.brief("cranes")
	north := every.Missions[2]
	w.says("/en/map", "Northquay North quay Ostmere "+percent(north.Fails)+" "+hours(north.Mean))
}

// TestStanding: pages say what is in their numbers of how owners stand, and do not say
// the opposite.
func TestStanding(t *testing.T) {
	t.Parallel()
	crowd := &cascade.Crowd{Owners: 3, Outcomes: []cascade.CrowdOutcome{{ID: "x", Bands: []cascade.CrowdBand{{Low: -1, High: 4, Owners: 3}}}}}
	const (
		none      = "No member's answers are in it."
		single    = "How well single owners stand is in it"
		together  = "Members' answers are in it as a release has them"
		of2       = "Of 2 of 5 owners it was said how well they stand"
		of3       = "3 of 5 owners stand as 3 members of a release do together: in the draws as its bands allow, else as these do on average."
		mixed     = "3 of 5 owners stand as 3 members of a release do together, and which owners they are is not known: every draw picks them anew, at levels that its bands allow; else all owners without a level of their own stand at the mean over these members and the owners of whom nothing is known."
		medians   = "Runs, comparisons and the choice of measures are at the median of every parameter."
		scenarios = "how long repair takes is the scenario's own"
		changed   = "is the scenario's, changed by how well owners stand"
	)
	for _, row := range []struct {
		name              string
		levels            int
		crowd             *cascade.Crowd
		method, run, page []string
		not               []string
	}{
		{"nothing", 0, nil, []string{none}, nil, []string{"How well 5 of 5 owners stand", scenarios}, []string{single, together, of2, medians, changed}},
		{"medians that are not 1", 0, nil, []string{none}, []string{medians}, []string{medians, "How well 5 of 5 owners stand"}, []string{single, together, of2, of3}},
		{"levels", 2, nil, []string{single}, []string{of2, medians}, []string{of2, medians, "How well 3 of 5 owners stand", changed}, []string{none, together, scenarios}},
		{"a release", 0, crowd, []string{together}, []string{mixed, medians}, []string{mixed, medians, "How well 2 of 5 owners stand", changed}, []string{none, single, scenarios, of3}},
		{"both", 2, crowd, []string{single, together}, []string{of2, of3, medians}, []string{of2, of3, medians, changed}, []string{none, "each draw gives them a level", scenarios}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := harbour(t)
			s := &cfg.Scenarios[0]
			for i := range 5 {
				s.Outlook.Levels = append(s.Outlook.Levels, cascade.Level{Resistance: -1, Recovery: -1})
				if i < row.levels {
					s.Outlook.Levels[i] = cascade.Level{Resistance: 0.5, Recovery: 0.5}
				}
			}
			s.Outlook.Crowd = row.crowd
			alone := row.name == "medians that are not 1"
			if alone {
				cfg.Parameters.Laws[cascade.BaseOdds] = cascade.Law{Median: 3, Low: 1, High: 9}
			}
			if alone || row.levels > 0 || row.crowd != nil {
				var err error
				if s.Shock, err = s.Outlook.Likeliest(cfg.Parameters.Laws); err != nil {
					t.Fatal(err)
				}
			}
			w := open(t, cfg)
			w.brief("cranes")
			w.says("/en/method", row.method...)
			run := asked("cranes", "512", "1")
			a := w.run(run)
			w.says("/en/result/"+a, row.run...)
			w.says("/en/", row.page...)
			w.says("/en/scenario/cranes/sure", row.page...)
			for _, path := range []string{"/en/method", "/en/result/" + a, "/en/", "/en/scenario/cranes/sure"} {
				got := words(w.get(path, http.StatusOK))
				for _, not := range row.not {
					if strings.Contains(got, not) {
						t.Errorf("%s says %q", path, not)
					}
				}
			}
		})
	}
}

// TestSaid: who decides is told how much rests on one side's word.
func TestSaid(t *testing.T) {
	t.Parallel()
	const said, leftOut = "Suppliers confirm 4 of 12 rows in which others name them and dispute 1; 7 rest on the word of those who require alone. In 9 more rows both sides are one owner, and nobody is asked.", "What is in dispute is left out."
	for _, out := range []bool{false, true} {
		cfg := harbour(t)
		cfg.Register.Said = &page.Said{Confirmed: 4, Disputed: 1, Unknown: 2, Open: 5, Own: 9}
		if out {
			cfg.Register.Said.Disputed, cfg.Register.Said.LeftOut = 0, 1
		}
		w := open(t, cfg)
		at := "/en/result/" + w.run(asked("cranes", "512", "3"))
		w.says(at, said)
		if got := strings.Contains(words(w.get(at, http.StatusOK)), leftOut); got != out {
			t.Errorf("left out is %t, and the page says so: %t", out, got)
		}
		want := `"suppliers_say":{"confirmed":4,"disputed":1,"unknown":2,"not_asked":5,"disputed_and_left_out":0,"disputed_and_as_suppliers_say":0,"both_sides_one_owner":9}`
		if out {
			want = `"disputed":0,"unknown":2,"not_asked":5,"disputed_and_left_out":1,"disputed_and_as_suppliers_say":0,"both_sides_one_owner":9}`
		}
		if body := w.get(at+"/json", http.StatusOK); !strings.Contains(body, want) {
			t.Errorf("the file says %s", body)
		}
	}
}

// TestPrivate: what only one member knows is marked on every page and in every file.
func TestPrivate(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	cfg.Private, cfg.StandBy = true, []string{"workspace"}
	w := open(t, cfg)
	at := "/en/result/" + w.run(asked("cranes", "512", "3"))
	for _, path := range []string{"/en/", "/en/runs", "/en/graph", "/en/method", at} {
		if body := w.get(path, http.StatusOK); !strings.Contains(body, `class="private"`) || !strings.Contains(body, "<title>PRIVATE · SYNTHETIC · ") || !strings.Contains(body, "They are not for sending, ") {
			t.Errorf("%s is not marked: %.600s", path, body)
		}
	}
	answer := w.do(http.MethodGet, at+"/json", nil)
	if body := answer.Body.String(); !strings.HasPrefix(body, `{"private":"PRIVATE: holds `) || !strings.Contains(body, `"owners_stand_by":["workspace"],`) {
		t.Errorf("the file says %s", body)
	}
	if name := answer.Header().Get("Content-Disposition"); !strings.Contains(name, `"PRIVATE-SYNTHETIC-cascade-`) {
		t.Errorf("the file is called %s", name)
	}
}

// TestRests: the page for who decides says how much rests on requirements that their
// suppliers have not confirmed, as the engine has it where these never bind; the page
// of what depends on what names those in dispute, and who has not answered.
func TestRests(t *testing.T) {
	t.Parallel()
	cfg := harbour(t)
	w := open(t, cfg)
	w.brief("cranes")
	w.says("/en/", "No supplier was asked: every requirement rests on the word of those who have it.")
	if body := words(w.get("/en/graph", http.StatusOK)); strings.Contains(body, "What suppliers say") {
		t.Error("suppliers say something that nobody asked")
	}

	cfg = harbour(t)
	buffer, binding := cascade.Minutes(120), chance(t, 0.2)
	// One quay, the power of the cloud and the cloud of one crane are confirmed; the cranes
	// of the quays are one owner's own.
	cfg.Register.Said = &page.Said{
		Confirmed: 3, Disputed: 1, Unknown: 1, Open: 1, Own: 2,
		Rows:     [][]string{{"confirmed", "unknown"}, {""}, {"own"}, {"own"}, {"confirmed"}, {"disputed"}, {"confirmed"}},
		Disputes: []page.Dispute{{Requirement: 5, Supplier: 7, Binding: &binding, Buffer: &buffer, Text: "we run on our own <diesel>"}},
	}
	w = open(t, cfg)
	w.brief("grid")
	o := cfg.Scenarios[1].Outlook
	less := func(never ...int) cascade.Difference {
		requirements := slices.Clone(o.Graph.Requirements())
		for _, i := range never {
			requirements[i].Binding = 0
		}
		g, err := cascade.NewGraph(o.Graph.Services(), requirements)
		if err != nil {
			t.Fatal(err)
		}
		c, err := cascade.Compare(t.Context(), o.Case, cascade.Case{Graph: g, Scenario: o.Scenario}, cascade.Options{Trials: 1 << 13, Seed: 1, Horizon: month})
		if err != nil {
			t.Fatal(err)
		}
		return c.Worst
	}
	unconfirmed, disputed := less(0, 1, 5), less(5)
	if unconfirmed.Change >= disputed.Change || disputed.Change >= 0 {
		t.Fatalf("%v rests on what is not confirmed, %v on what is disputed", unconfirmed.Change, disputed.Change)
	}
	w.says("/en/scenario/grid/",
		"Of "+percent(unconfirmed.Before)+" lost at the worst moment on average, "+percent(-unconfirmed.Change)+" (± "+percent(unconfirmed.Error)+") rest on requirements of others that not every supplier has confirmed.",
		"On requirements that a supplier disputes rest "+percent(-disputed.Change)+" (± "+percent(disputed.Error)+").")
	w.says("/en/graph",
		"What they dispute", "Crane system south cloud Cloud region binding 0.20, not 0.50 · can do without for 2.0 h, not 6.0 h we run on our own <diesel>",
		"Who has not confirmed yet Whose services are required Rows Calverra 1 Tamberlune 1")
	w.says("/en/graph?by=sector&open=defence", "North quay (confirmed)", "South quay (no answer)")
	w.says("/fr/graph?by=sector&open=defence", "North quay (confirmé)", "South quay (sans réponse)")
	w.says("/fr/graph", "Ce qu’ils contestent")

	// All confirmed: nothing rests on one side's word.
	cfg = harbour(t)
	cfg.Register.Said = &page.Said{Confirmed: 6, Own: 2, Rows: [][]string{{"confirmed", "confirmed"}, {"confirmed"}, {"own"}, {"own"}, {"confirmed"}, {"theirs"}, {"confirmed"}}}
	w = open(t, cfg)
	w.brief("grid")
	w.says("/en/scenario/grid/", "All that is lost rests on requirements that every supplier has confirmed.")
	w.says("/en/graph?by=sector&open=transport", "Cloud region (as it says)")
}
