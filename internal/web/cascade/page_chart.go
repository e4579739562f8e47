package cascade

import (
	"html/template"
	"net/http"
	"strings"

	"muster/internal/web"
)

// Chart is a map: land and water drawn already, and where services lie on it.
type Chart struct {
	Width, Height float64
	Shapes        []Shape
	Spots         []Spot
	Real          bool   // real countries stand on it
	Credit        string // whose shapes these are
}

// Shape is a part of a map.
type Shape struct {
	Class string // "sea", "land", "island", "border"
	Path  string // as SVG writes it
	Title string // whose land it is; may be empty
	Label *Label
}

// Label is a word on a map.
type Label struct {
	X, Y float64
	Text string
}

// Spot is where a service lies.
type Spot struct {
	Service string // id
	Name    string
	X, Y    float64
	Left    bool // its name stands to the left of it
}

// chartView is where it falls.
type chartView struct {
	web.Page
	Scenarios []web.Link
	Heading   string
	Lead      string
	Map       template.HTML
	Key       []legendKey
	Rows      []spotRow
	Unsure    string
	Credit    string
	NotYet    string
	Minute    web.Link
}

// spotRow is a place in the table that says the same.
type spotRow struct {
	Name, Service, Owner, Falls, Hours string
}

// classes of how often a service falls, from each on.
var fallClasses = [...]struct {
	from  float64
	class string
	size  float64
}{{0.5, "f3", 15}, {0.1, "f2", 11}, {0.005, "f1", 8}, {0, "f0", 5}}

func fallClass(share float64) int {
	for i := range fallClasses {
		if share >= fallClasses[i].from {
			return i
		}
	}
	return len(fallClasses) - 1
}

func (p *Pages) serveChart(w http.ResponseWriter, r *http.Request, v *visit) error {
	if p.Chart == nil {
		return notThere()
	}
	scenario := 0
	if id := r.URL.Query().Get("scenario"); id != "" {
		var ok bool
		if scenario, ok = p.scenario(id); !ok {
			return notThere()
		}
	}
	view := chartView{Heading: v.T("map.title"), Credit: p.Chart.Credit}
	for i := range p.Scenarios {
		view.Scenarios = append(view.Scenarios, web.Link{Text: v.title(request{scenario: i}), Href: v.to.chart() + "?scenario=" + p.Scenarios[i].ID, Current: i == scenario})
	}
	view.Minute = web.Link{Text: v.T("map.minute"), Href: v.to.minute(p.Scenarios[scenario].ID)}
	b := resultOf[brief](p.desk.find(p.briefID(scenario, 0)))
	if b == nil {
		view.NotYet = v.T("map.notYet")
	} else {
		view.Lead = v.T("map.lead", "Trials", min(briefTrials, watchTrials))
		view.Unsure = v.unsure(b.scenario, b, b.run.result)
		v.fillChart(&view, b)
	}
	view.Page = v.page(view.Heading, v.to.chart(), v.to.rest(v.to.chart()+"?scenario="+p.Scenarios[scenario].ID))
	p.render(w, http.StatusOK, "map", view)
	return nil
}

func (v *visit) fillChart(view *chartView, b *brief) {
	c := v.pages.Chart
	var s strings.Builder
	n := func(x float64) string { return plain(x) }
	esc := template.HTMLEscapeString
	s.WriteString(`<svg class="chart" role="img" viewBox="0 0 ` + n(c.Width) + ` ` + n(c.Height) + `"><title>` + esc(view.Heading) + `</title><desc>` + esc(view.Lead) + `</desc>`)
	for _, shape := range c.Shapes {
		s.WriteString(`<path class="` + shape.Class + `" d="` + esc(shape.Path) + `">`)
		if shape.Title != "" {
			s.WriteString(`<title>` + esc(shape.Title) + `</title>`)
		}
		s.WriteString(`</path>`)
		if l := shape.Label; l != nil {
			s.WriteString(`<text class="place" x="` + n(l.X) + `" y="` + n(l.Y) + `">` + esc(l.Text) + `</text>`)
		}
	}
	for _, spot := range c.Spots {
		i := v.pages.index(spot.Service)
		if i < 0 {
			continue
		}
		f := b.run.falls[i]
		k := fallClasses[fallClass(f.share)]
		s.WriteString(`<circle class="` + k.class + `" cx="` + n(spot.X) + `" cy="` + n(spot.Y) + `" r="` + n(k.size) + `"/>`)
		x, anchor := spot.X+k.size+6, "start"
		if spot.Left {
			x, anchor = spot.X-k.size-6, "end"
		}
		s.WriteString(`<text class="spot" text-anchor="` + anchor + `" x="` + n(x) + `" y="` + n(spot.Y+4) + `">` + esc(spot.Name) + ` <tspan>` + esc(v.Percent(f.share)) + `</tspan></text>`)
		view.Rows = append(view.Rows, spotRow{spot.Name, v.service(i), v.pages.Register.Owners[i], v.Percent(f.share), v.time(f.hours)})
	}
	s.WriteString(`</svg>`)
	view.Map = template.HTML(s.String())
	for i := range fallClasses {
		k := fallClasses[len(fallClasses)-1-i]
		view.Key = append(view.Key, legendKey{k.class, v.T("map." + k.class)})
	}
}
