// Package register makes of a register that was read from files what the pages of
// package web/cascade are drawn from. The pages themselves know no form of files,
// and reach nobody's answers.
//
//	cfg, err := register.Pages(r, scenarios, names, measures, parameters, nil)
package register

import (
	"maps"
	"slices"

	"muster/internal/cascade"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/web"
	"muster/internal/web/atlas"
	page "muster/internal/web/cascade"
)

// Pages returns the configuration of the pages of a register: what stands in its
// files, and the marking where any of them says that it is invented. measures may be
// nil. A scenario without an id, which is one in the short form, is called by the
// name that stands in names at its place. known may be nil, or say how owners stand. Runs
// are at the medians of the parameters, as the draws are around them.
func Pages(r *exchange.Register, scenarios []*exchange.Scenario, names []string, measures *exchange.Measures, p *exchange.CascadeParameters, known *cascade.Outlook) (page.Config, error) {
	g, err := r.Graph()
	if err != nil {
		return page.Config{}, errs.Wrap(err, errs.Invalid, err.Error(), "mend the tables")
	}
	cfg := page.Config{Register: page.Register{Graph: g, Unknown: maps.Clone(r.Unknown)}}
	cfg.Register.Said = said(r)
	synthetic := r.Synthetic
	for i := range r.Services {
		name := r.Name(i)
		if name == "" {
			name = r.Services[i].ID
		}
		cfg.Register.Names = append(cfg.Register.Names, one(name))
		cfg.Register.Owners = append(cfg.Register.Owners, r.Owner(i))
		cfg.Register.Sectors = append(cfg.Register.Sectors, r.Sector(i))
	}
	for i, s := range scenarios {
		outlook, err := r.Outlook(g, s, "", nil)
		if err != nil {
			return page.Config{}, err
		}
		if known != nil {
			outlook.Levels, outlook.Crowd = known.Levels, known.Crowd
		}
		shock, err := outlook.Likeliest(p.Laws)
		if err != nil {
			return page.Config{}, err
		}
		if known == nil && shock.Graph == g { // the medians change nothing
			shock = cascade.Case{}
		}
		scenario := page.Scenario{Shock: shock, ID: s.ID, Title: text(s.Title), Text: text(s.Text), Source: s.Source, Outlook: outlook}
		if scenario.ID == "" {
			scenario.ID = names[i]
		}
		if len(s.Title) == 0 {
			scenario.Title = one(scenario.ID)
		}
		cfg.Scenarios = append(cfg.Scenarios, scenario)
		synthetic = synthetic || s.Synthetic
	}
	if measures != nil {
		for i, m := range measures.List {
			cfg.Measures = append(cfg.Measures, page.Measure{Title: text(measures.Titles[i]), Measure: m})
		}
		synthetic = synthetic || measures.Synthetic
	}
	cfg.Parameters = page.Parameters{Version: p.Version, Laws: p.Laws}
	for i, a := range p.About {
		cfg.Parameters.About[i] = page.Source{Evidence: a.Evidence, Text: a.Source}
	}
	if synthetic {
		cfg.Marking = coalition.MarkingSynthetic
	}
	return cfg, nil
}

// said is what suppliers say of a register's rows; nil where nobody was asked.
func said(r *exchange.Register) *page.Said {
	c := r.Confirmation
	if !c.Asked {
		return nil
	}
	s := &page.Said{Confirmed: c.Confirmed, Disputed: len(c.Disputed), Unknown: c.Unknown, Open: c.Open, LeftOut: c.LeftOut, Changed: c.Changed, Own: c.Own}
	for i := range r.Requirements {
		row := make([]string, len(r.Requirements[i].Suppliers))
		for n := range row {
			row[n] = r.Status(i, n).String()
			switch disputed := r.Status(i, n) == exchange.Disputed; {
			case disputed && c.Changed > 0:
				row[n] = "theirs" // it was disputed, and counts as the supplier says
			case !disputed && r.Own(i, n):
				row[n] = "own"
			}
		}
		s.Rows = append(s.Rows, row)
	}
	for _, d := range c.Disputed {
		s.Disputes = append(s.Disputes, page.Dispute{Requirement: d.Requirement, Supplier: d.Supplier, Binding: d.Binding, Buffer: d.Buffer, Text: d.Said})
	}
	return s
}

// mapWide is how wide a map is, in units of its drawing.
const mapWide = 1000

// Map returns a map of the real world with places of a register on it. join names
// pairs of codes, each a part that is to be drawn as one with a country.
func Map(r *exchange.Register, places []exchange.Place, join [][2]string) (*page.Chart, error) {
	world, err := atlas.World()
	if err != nil {
		return nil, err
	}
	for _, pair := range join {
		if err := world.Join(pair[0], pair[1]); err != nil {
			return nil, errs.Wrap(err, errs.Invalid, err.Error(), "name two codes of three letters, such as XKX and SRB")
		}
	}
	var points []atlas.Point
	for _, p := range places {
		points = append(points, atlas.Point{Lat: p.Lat, Lon: p.Lon})
	}
	drawing := world.Draw(atlas.Around(points), mapWide)
	c := &page.Chart{Width: drawing.Width, Height: drawing.Height, Real: true, Credit: atlas.Credit + "."}
	for _, l := range drawing.Lands {
		c.Shapes = append(c.Shapes, page.Shape{Class: "land", Path: l.Path, Title: l.Name})
	}
	for i, p := range places {
		x, y := drawing.At(points[i])
		c.Spots = append(c.Spots, page.Spot{Service: r.Services[p.Service].ID, Name: p.Name, X: x, Y: y, Left: x > drawing.Width*0.8})
	}
	return c, nil
}

// text is words in the languages in which somebody wrote them.
func text(w exchange.Words) web.Text {
	t := web.Text{In: w, First: "en"}
	if _, ok := w["en"]; !ok {
		for _, lang := range slices.Sorted(maps.Keys(w)) {
			t.First = lang
			break
		}
	}
	return t
}

// one is a name that is the same in every language.
func one(name string) web.Text {
	in := make(map[string]string)
	for _, lang := range web.Languages() {
		in[lang] = name
	}
	return web.Text{In: in, First: web.Languages()[0]}
}
