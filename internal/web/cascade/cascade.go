// Package cascade draws what falls together: a page for who decides, with one
// sentence and one picture, and behind it runs, comparisons, measures, what is
// uncertain, a graph and a map.
//
//	pages, err := cascade.New(cascade.Config{Register: r, Scenarios: scenarios, Measures: m, Parameters: p, Threads: 2})
//	defer pages.Close()
//	handler := pages.Handler() // served, in English and French
//
// The coalition's site and a member's own folder are drawn by the same code; who
// serves them says what is read. This package knows no form of files.
//
// Every number on a page is one that the engine (package cascade in the domain)
// returned for the seed and the trials that stand beside it, written with two
// digits; nothing is computed here but counts of services and differences of two
// such numbers for a picture's length. What was computed is kept, and drawing a page
// computes nothing. One thing is computed at a time, with limits on trials and on
// time, and can be ended.
package cascade

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"slices"
	"strings"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/web"
)

//go:generate go run -C ../../../tools ./bundle ../internal/web/cascade/island/cascade.ts ../internal/web/cascade/asset/cascade.js
//go:generate go run -C ../../../tools ./compress ../internal/web/cascade/library/cytoscape.esm.min.mjs ../internal/web/cascade/asset/cytoscape.esm.min.mjs.gz

//go:generate go run -C ../../../tools ./archive ../internal/web/cascade/files.zip ../internal/web/cascade asset/* locale/* template/*

//go:embed files.zip
var archive string // locale, template and what they draw with, compressed

// graphLibrary is the script of somebody else's that draws the graph.
const graphLibrary = "cytoscape.esm.min.mjs"

// Register is what depends on what. Lists are by service of the graph.
type Register struct {
	Graph   *cascade.Graph
	Names   []web.Text
	Owners  []string
	Sectors []string
	Unknown map[string]int // by column of the tables: how many cells say so

	// What suppliers say of the rows that name them; nil where nobody was asked.
	Said *Said
}

// Scenario is a shock with its words.
type Scenario struct {
	ID      string
	Title   web.Text
	Text    web.Text // may be empty
	Source  string
	Outlook cascade.Outlook // of the register's graph

	// Shock is what runs and comparisons are of where something is known of how owners
	// stand, or the medians of the parameters change something by themselves: Outlook at
	// these medians, which may change binding, buffers, repair and restarts of its graph.
	// Without a graph it is as Outlook has it.
	Shock cascade.Case
}

func (s *Scenario) shock() cascade.Case {
	if s.Shock.Graph == nil {
		return s.Outlook.Case
	}
	return s.Shock
}

// Measure is something that could be done, with its words.
type Measure struct {
	Title web.Text
	cascade.Measure
}

// Parameters are what nobody knows exactly.
type Parameters struct {
	Version string
	Laws    cascade.Laws
	About   [cascade.Parameters]Source
}

// Source says where a parameter's range comes from.
type Source struct {
	Evidence string // measured, judgement or none
	Text     string
}

// Config is what the pages are drawn from.
type Config struct {
	Register   Register
	Scenarios  []Scenario // one or more
	Measures   []Measure  // may be empty
	Parameters Parameters
	Chart      *Chart // where services lie; nil for no map

	Brand   string                     // whose pages these are
	Home    func(lang string) web.Link // the pages around these; nil for none
	Marking string                     // "SYNTHETIC" and the like; empty for none
	Private bool                       // some of it only one member knows, and so what is drawn
	StandBy []string                   // what says how owners stand, as muster cascade prints it
	Threads int
	Prepare bool   // work out every scenario's page before somebody asks
	Base    string // the path that the handler is served under, such as "/cascade"
	Log     *slog.Logger
}

// Pages draws a register. It may be used by many goroutines.
type Pages struct {
	Config
	desk      *desk
	watched   []*cascade.Graph // by scenario: its graph with every service a mission, so that results speak of each
	kit       *web.Kit
	templates map[string]*template.Template
}

// New checks what it is given and begins to work: [Pages.Close] ends that.
func New(cfg Config) (*Pages, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	p := &Pages{Config: cfg}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if p.watched, err = p.watch(); err != nil {
		return nil, err
	}
	sub := func(name string) fs.FS {
		fsys, err := fs.Sub(web.Files(archive), name)
		if err != nil { // the name is none
			panic(err)
		}
		return fsys
	}
	if p.kit, err = web.New(web.Config{Locales: []fs.FS{sub("locale")}, Assets: sub("asset"), Base: cfg.Base}); err != nil {
		return nil, err
	}
	if p.templates, err = p.kit.Pages(sub("template")); err != nil {
		return nil, err
	}
	p.desk = newDesk(context.Background())
	if cfg.Prepare {
		for i := range p.Scenarios {
			p.desk.prepare(p.briefJob(i, 0))
		}
	}
	return p, nil
}

// watch returns the graph of each scenario with every service a mission. Scenarios of
// which nothing is known have one in common.
func (p *Pages) watch() (list []*cascade.Graph, err error) {
	made := make(map[*cascade.Graph]*cascade.Graph)
	for i := range p.Scenarios {
		g := p.Scenarios[i].shock().Graph
		if made[g] == nil {
			services := slices.Clone(g.Services())
			for v := range services {
				services[v].Mission = true
			}
			if made[g], err = cascade.NewGraph(services, g.Requirements()); err != nil {
				return nil, err
			}
		}
		list = append(list, made[g])
	}
	return list, nil
}

// Close ends what is being worked out and waits for it.
func (p *Pages) Close() { p.desk.close() }

func (c *Config) check() error {
	r := &c.Register
	if r.Graph == nil {
		return errors.New("cascade pages without a graph")
	}
	n := len(r.Graph.Services())
	if len(r.Names) != n || len(r.Owners) != n || len(r.Sectors) != n {
		return fmt.Errorf("cascade pages: names, owners or sectors are not those of %d services", n)
	}
	if len(c.Scenarios) == 0 {
		return errs.New(errs.Invalid, "there is no scenario to draw", "name one or more")
	}
	seen := make(map[string]bool)
	for i := range c.Scenarios {
		s := &c.Scenarios[i]
		if s.ID == "" || seen[s.ID] {
			return errs.New(errs.Invalid, "two scenarios are called "+errs.Quote(s.ID), "give each a name of its own")
		}
		seen[s.ID] = true
		if s.Outlook.Graph != r.Graph {
			return fmt.Errorf("cascade pages: scenario %s is of another graph", s.ID)
		}
		if shock := s.shock(); len(shock.Graph.Services()) != n || len(shock.Scenario.Hits) != n {
			return fmt.Errorf("cascade pages: the runs of scenario %s are not of %d services", s.ID, n)
		}
	}
	if c.Chart != nil && c.Chart.Real && c.Marking == "SYNTHETIC" {
		return errs.New(errs.Invalid, "invented weaknesses would stand on a map of real countries", "leave out the places, or draw a register that is not marked SYNTHETIC")
	}
	return nil
}

// visit is one request in one language.
type visit struct {
	*web.Printer
	pages *Pages
	to    places
}

func (p *Pages) visit(lang string) *visit {
	return &visit{p.kit.Printer(lang), p, places{p.Base, lang}}
}

// page fills in what the layout draws around a page. here is the navigation's own
// place, rest the page's place below the language.
func (v *visit) page(title, here, rest string) web.Page {
	p := v.pages
	page := web.Page{
		Printer: v.Printer, Assets: p.kit.Assets, Title: title, Brand: p.Brand, Home: v.to.home(), Marking: p.Marking,
		Script: p.kit.Assets.Script, Source: v.T("foot.source", "Version", p.Parameters.Version),
	}
	if levels, release := p.known(); levels || release {
		page.Source = v.T("foot.sourceStanding", "Version", p.Parameters.Version)
	}
	if p.Marking == "SYNTHETIC" {
		page.Meaning = v.T("marking.synthetic")
	}
	if p.Private {
		page.Marking, page.Meaning = "PRIVATE", strings.TrimSpace(v.T("marking.private")+" "+page.Meaning)
		if p.Marking != "" {
			page.Marking += " · " + p.Marking
		}
	}
	link := func(text, href string) {
		page.Nav = append(page.Nav, web.Link{Text: text, Href: href, Current: href == here})
	}
	if p.Home != nil {
		home := p.Home(v.Lang)
		page.Home = home.Href
		page.Nav = append(page.Nav, home)
	}
	link(v.T("nav.minute"), v.to.home())
	link(v.T("nav.runs"), v.to.runs())
	link(v.T("nav.graph"), v.to.graph())
	if p.Chart != nil {
		link(v.T("nav.map"), v.to.chart())
	}
	link(v.T("nav.method"), v.to.method())
	languages := web.Switch{Label: v.T("nav.language")}
	for _, lang := range web.Languages() {
		l := web.Link{Text: p.kit.Printer(lang).T("nav.own"), Href: places{p.Base, lang}.home() + rest, Current: lang == v.Lang}
		if lang != v.Lang {
			l.Lang = lang
		}
		languages.Links = append(languages.Links, l)
	}
	page.Switches = append(page.Switches, languages)
	return page
}

// scenario returns the number of a scenario by its id.
func (p *Pages) scenario(id string) (int, bool) {
	i := slices.IndexFunc(p.Scenarios, func(s Scenario) bool { return s.ID == id })
	return i, i >= 0
}
