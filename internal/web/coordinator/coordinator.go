// Package coordinator draws the pages on which the year is run: what is the reader's
// to do now, where each cycle stands, who takes part with which key, what was asked,
// and the record.
//
//	pages, err := coordinator.New(coordinator.Config{Service: service, People: people, Person: person})
//	handler := web.Site(origin, doors.Guard(pages.Handler()))
//
// Every page works without a script, and there is none. What somebody may do is decided
// in package cycle and not here, and what she may see by package audience: a page draws
// what she gets, and offers what would not be refused.
package coordinator

import (
	"context"
	_ "embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"muster/internal/account"
	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/web"
)

//go:generate go run -C ../../../tools ./archive ../internal/web/coordinator/files.zip ../internal/web/coordinator asset/* locale/* template/*

//go:embed files.zip
var archive string // locale, template and what they draw with, compressed

// enterBase is where the pages by which people enter lie, beside these.
const enterBase = "/account"

// People lists who uses the pages.
type People interface {
	// People returns everybody who was ever invited, by name.
	People(ctx context.Context) ([]account.Member, error)

	// Events returns the latest so many of what happened to them, the latest first.
	Events(ctx context.Context, most int) ([]account.Event, error)
}

// Config is what the pages are of.
type Config struct {
	Service *cycle.Service
	People  People
	// Editions are those that are made of releases; nil: there is no page of them.
	Editions *edition.Service
	// Print prints a page as a tagged PDF; nil where the machine has nothing that does.
	Print func(ctx context.Context, page []byte) ([]byte, error)

	Person  func(*http.Request) cycle.Person // who asks
	Now     func() time.Time                 // time.Now outside tests
	Marking string                           // "SYNTHETIC" for a demonstration; else empty, and a cycle's own marking counts
	Log     *slog.Logger                     // where faults of pages go; nil for nowhere
	Base    string                           // the path that the handler is served under; empty for the root
	Observe func(Observation)                // told of every request; nil for nobody
}

// Pages draws the year. It may be used by many goroutines.
type Pages struct {
	cfg       Config
	kit       *web.Kit
	templates map[string]*template.Template
	routes    []route // of the last handler, for tests
}

// New reads messages and templates. An error is a fault of the program.
func New(cfg Config) (*Pages, error) {
	p := &Pages{cfg: cfg}
	if p.cfg.Log == nil {
		p.cfg.Log = slog.New(slog.DiscardHandler)
	}
	sub := func(name string) fs.FS {
		fsys, err := fs.Sub(web.Files(archive), name)
		if err != nil { // the name is none
			panic(err)
		}
		return fsys
	}
	var err error
	if p.kit, err = web.New(web.Config{Locales: []fs.FS{sub("locale")}, Assets: sub("asset"), Base: cfg.Base}); err != nil {
		return nil, err
	}
	p.templates, err = p.kit.Pages(sub("template"))
	return p, err
}

// visit is one request by one person in one language.
type visit struct {
	*web.Printer
	to        places
	person    cycle.Person
	coalition string
	marking   string // of what the page is about
}

// page fills in what the layout draws around a page. rest is the page's own place
// below the language, for the same page in another one.
func (p *Pages) page(v *visit, title, rest string) web.Page {
	page := web.Page{
		Printer: v.Printer, Assets: p.kit.Assets, Title: title, Brand: v.coalition, Home: v.to.home(), Marking: v.marking, Source: v.T("foot.says"),
	}
	switch page.Marking {
	case "SYNTHETIC":
		page.Meaning = v.T("marking.synthetic")
	case "REHEARSAL":
		page.Meaning = v.T("marking.rehearsal")
	}
	for _, link := range []struct{ id, rest string }{{"nav.overview", ""}, {"nav.cycles", "cycles"}, {"nav.editions", "editions"}, {"nav.people", "people"}, {"nav.record", "record"}} {
		if link.rest == "editions" && p.cfg.Editions == nil {
			continue
		}
		page.Nav = append(page.Nav, web.Link{Text: v.T(link.id), Href: v.to.home() + link.rest, Current: link.rest == rest})
	}
	languages := web.Switch{Label: v.T("nav.language")}
	for _, lang := range web.Languages() {
		l := web.Link{Text: p.kit.Printer(lang).T("nav.own"), Href: places{p.cfg.Base, lang}.home() + rest, Current: lang == v.Lang}
		if lang != v.Lang {
			l.Lang = lang
		}
		languages.Links = append(languages.Links, l)
	}
	page.Switches = append(page.Switches, languages)
	page.Switches = append(page.Switches, web.Switch{Label: v.T("nav.in"), Links: []web.Link{{Text: v.person.Name, Href: enterBase + "/" + v.Lang + "/you", Title: v.T("nav.you")}}})
	return page
}

// day writes a day in UTC, or "" for none.
func (v *visit) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return v.Date(t.Unix())
}

// moment writes a day and the time of it.
func (v *visit) moment(t time.Time) string {
	return v.T("time.at", "Day", v.Date(t.Unix()), "Time", t.UTC().Format("15:04"))
}
