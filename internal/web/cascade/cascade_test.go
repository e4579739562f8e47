package cascade_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/internal/cascade"
	"muster/internal/web"
	page "muster/internal/web/cascade"
)

func text(en, fr string) web.Text {
	return web.Text{In: map[string]string{"en": en, "fr": fr}, First: "en"}
}

func chance(t testing.TB, p float64) cascade.Probability {
	t.Helper()
	c, err := cascade.Chance(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// harbour is a register of eight services of four owners, with two missions, two
// scenarios and three measures.
func harbour(t testing.TB) page.Config {
	t.Helper()
	hours := func(h float64) cascade.Minutes {
		m, err := cascade.Hours(h)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	type row struct {
		id, name, owner, sector string
		weight                  uint32
		mission                 bool
	}
	rows := []row{
		{"supply", "Food for the island", "All", "defence", 5, true},
		{"light", "Light in the streets", "All", "defence", 5, true},
		{"quay-north", "North quay", "Ostmere", "transport", 4, false},
		{"quay-south", "South quay", "Calverra", "transport", 4, false},
		{"crane-north", "Crane system north", "Ostmere", "transport", 3, false},
		{"crane-south", "Crane system south", "Calverra", "transport", 3, false},
		{"grid", "Power grid", "Tamberlune", "energy", 5, false},
		{"cloud", "Cloud region", "", "digital", 2, false},
	}
	var services []cascade.Service
	cfg := page.Config{Brand: "Harbour Coalition", Marking: "SYNTHETIC", Threads: 2}
	for _, r := range rows {
		services = append(services, cascade.Service{
			ID: r.id, Weight: r.weight, Severity: cascade.Always, Mission: r.mission,
			Repair: cascade.Repair{Median: hours(30), Spread: 1 << 15}, Restart: hours(2),
		})
		cfg.Register.Names = append(cfg.Register.Names, text(r.name, r.name))
		cfg.Register.Owners = append(cfg.Register.Owners, r.owner)
		cfg.Register.Sectors = append(cfg.Register.Sectors, r.sector)
	}
	requirements := []cascade.Requirement{
		{Service: 0, Name: "quays", Need: 1, Suppliers: []int32{2, 3}, Binding: cascade.Always, Buffer: hours(12)},
		{Service: 1, Name: "power", Need: 1, Suppliers: []int32{6}, Binding: cascade.Always, Buffer: hours(1)},
		{Service: 2, Name: "cranes", Need: 1, Suppliers: []int32{4}, Binding: cascade.Always, Buffer: hours(3)},
		{Service: 3, Name: "cranes", Need: 1, Suppliers: []int32{5}, Binding: chance(t, 0.8), Buffer: hours(3)},
		{Service: 4, Name: "cloud", Need: 1, Suppliers: []int32{7}, Binding: chance(t, 0.5), Buffer: hours(6)},
		{Service: 5, Name: "cloud", Need: 1, Suppliers: []int32{7}, Binding: chance(t, 0.5), Buffer: hours(6)},
		{Service: 7, Name: "power", Need: 1, Suppliers: []int32{6}, Binding: chance(t, 0.2), Buffer: hours(48)},
	}
	g, err := cascade.NewGraph(services, requirements)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Register.Graph, cfg.Register.Unknown = g, map[string]int{"repair": 3}
	outlook := func(hits ...float64) cascade.Outlook {
		o := cascade.Outlook{Case: cascade.Case{Graph: g}, Owner: []int32{0, 0, 1, 2, 1, 2, 3, 4}}
		for _, h := range hits {
			o.Scenario.Hits = append(o.Scenario.Hits, chance(t, h))
			o.Controls = append(o.Controls, cascade.Always)
		}
		return o
	}
	cfg.Scenarios = []page.Scenario{
		{ID: "cranes", Title: text("An attack on the crane system", "Une attaque contre les grues"), Text: text("One update reaches both.", ""), Source: "SYNTHETIC", Outlook: outlook(0, 0, 0, 0, 0.6, 0.6, 0, 0)},
		{ID: "grid", Title: text("The grid is down", "Le réseau est coupé"), Source: "SYNTHETIC", Outlook: outlook(0, 0, 0, 0, 0, 0, 0.9, 0.1)},
	}
	cfg.Measures = []page.Measure{
		{Title: text("Quays by hand", "Quais à la main"), Measure: cascade.Measure{ID: "by-hand", Cost: 3, Actions: []cascade.Action{{Requirements: []int32{2, 3}, Buffer: hours(72)}}}},
		{Title: text("Updates tried first", "Mises à jour essayées d'abord"), Measure: cascade.Measure{ID: "updates", Cost: 1, Actions: []cascade.Action{{Services: []int32{4, 5}, Ratio: 4}}}},
		{Title: text("A second grid", "Un second réseau"), Measure: cascade.Measure{ID: "second-grid", Cost: 10, Actions: []cascade.Action{{Requirements: []int32{1}, Substitutes: []int32{7}}}}},
	}
	cfg.Parameters.Version = "9.9.9"
	for i := range cascade.Parameters {
		cfg.Parameters.Laws[i] = cascade.Law{Median: 1, Low: 0.5, High: 2}
		cfg.Parameters.About[i] = page.Source{Evidence: []string{"measured", "judgement", "none"}[i%3], Text: "somebody counted"}
	}
	cfg.Parameters.Laws[cascade.TotalRatio] = cascade.Law{Median: 8, Low: 3, High: 20}
	cfg.Parameters.Laws[cascade.UnknownLevel] = cascade.Law{Median: 0.5, Low: 0, High: 1, Uniform: true}
	cfg.Chart = &page.Chart{Width: 100, Height: 100, Shapes: []page.Shape{{Class: "sea", Path: "M0 0H100V100H0Z"}}, Spots: []page.Spot{
		{Service: "quay-north", Name: "Northquay", X: 20, Y: 20}, {Service: "quay-south", Name: "Southquay", X: 80, Y: 80, Left: true},
	}}
	return cfg
}

// world is pages that are served to a test.
type world struct {
	t       testing.TB
	handler http.Handler
	pages   *page.Pages
	base    string
}

func open(t testing.TB, cfg page.Config) *world {
	t.Helper()
	pages, err := page.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pages.Close)
	return &world{t, pages.Handler(), pages, cfg.Base}
}

func (w *world) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, w.base+path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec
}

// get returns a page.
func (w *world) get(path string, status int) string {
	w.t.Helper()
	rec := w.do("GET", path, nil)
	if rec.Code != status {
		w.t.Fatalf("%s answers %d, want %d\n%s", path, rec.Code, status, rec.Body)
	}
	return rec.Body.String()
}

// post sends a form and returns where it leads.
func (w *world) post(path string, form url.Values) string {
	w.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	rec := w.do("POST", path, form)
	if rec.Code != http.StatusSeeOther {
		w.t.Fatalf("%s answers %d\n%s", path, rec.Code, rec.Body)
	}
	return strings.TrimPrefix(rec.Header().Get("Location"), w.base)
}

// wait waits until what is worked out under an id is over.
func (w *world) wait(id string) {
	w.t.Helper()
	for begin := time.Now(); time.Since(begin) < 5*time.Minute; time.Sleep(2 * time.Millisecond) {
		var now struct{ Over bool }
		if err := json.Unmarshal([]byte(w.get("/en/result/"+id+"/now", http.StatusOK)), &now); err != nil {
			w.t.Fatal(err)
		}
		if now.Over {
			return
		}
	}
	w.t.Fatalf("%s is not over after five minutes", id)
}

// brief works out the page for who decides.
func (w *world) brief(scenario string) {
	w.t.Helper()
	w.post("/en/scenario/"+scenario+"/", nil)
	w.wait("brief-" + scenario)
}

// run runs something and returns its id.
func (w *world) run(form url.Values) string {
	w.t.Helper()
	id := strings.TrimPrefix(w.post("/en/runs", form), "/en/result/")
	w.wait(id)
	return id
}

func asked(scenario, trials, seed string, measures ...string) url.Values {
	return url.Values{"scenario": {scenario}, "trials": {trials}, "seed": {seed}, "measure": measures}
}
