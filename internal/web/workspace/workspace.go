// Package workspace draws a member's workspace: the pages on which its answers are
// made, looked at by others of its own, signed off and prepared for sealing.
//
//	pages, err := workspace.New(workspace.Config{Service: service, Person: person})
//	err = web.Serve(ctx, listener, door.Guard(listener.Addr(), pages.Handler()))
//
// Every page is a form that works without a script: it is sent, something is kept,
// and the browser is led back to where it was. The one script, answer.js, sends the
// same forms by itself while somebody works, and adds keys. Who may do what is
// decided in package workspace of the domain and not here.
//
// It promises that no answer, note or name is in an address, in the log or in the
// text of an error; that what two people made of the same answer is shown to whoever
// came second, who decides; and that no page with answers is kept by a browser.
package workspace

import (
	"context"
	_ "embed"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

//go:generate go run -C ../../../tools ./bundle ../internal/web/workspace/island/answer.ts ../internal/web/workspace/asset/answer.js

//go:generate go run -C ../../../tools ./archive ../internal/web/workspace/files.zip ../internal/web/workspace asset/* locale/* template/*

//go:embed files.zip
var archive string // locale, template and what they draw with, compressed

// Config is what the pages are of.
type Config struct {
	Service *workspace.Service
	Person  func(*http.Request) workspace.Person // who asks
	Now     func() time.Time                     // time.Now outside tests
	Rand    io.Reader                            // for the picture of what a host sees; crypto/rand outside tests
	Marking string                               // for a workspace that has none of its own; else empty
	Log     *slog.Logger                         // where faults of pages go; nil for nowhere
	Base    string                               // the path that the handler is served under; empty for the root
	Team    Passkeys                             // with which those sign who share it; nil where it is one person's
	Pieces  workspace.Pieces                     // opens evidence where it lies; nil: these pages read none
	Sealer  Sealer                               // seals on the page; nil: the page says the commands

	// Beside are pages of what falls together below [BesidePath], for who sees all
	// answers: they are drawn from them. Nil for none. The handler is given the whole
	// path, Base included.
	Beside http.Handler

	// AsksName says that one person uses the workspace and the first page asks for her
	// name where none is kept, for Person to give it from then on.
	AsksName bool
}

// Pages draws a workspace. It may be used by many goroutines.
type Pages struct {
	service   *workspace.Service
	person    func(*http.Request) workspace.Person
	now       func() time.Time
	rand      io.Reader
	marking   string
	log       *slog.Logger
	base      string
	team      Passkeys // nil where the workspace is one person's
	beside    http.Handler
	asksName  bool
	kit       *web.Kit
	templates map[string]*template.Template
	patterns  []string // of the last handler, for tests

	mu     sync.Mutex
	texts  map[textKey]*packTexts // guarded by mu: what of a pack is the same in every request
	frames map[frameKey]*frame    // guarded by mu, the same of questions

	files     []waitingBook // guarded by mu: those that somebody looked at, the oldest first
	booksTurn chan struct{} // holds one while a workbook is read or locked

	pieces   workspace.Pieces
	sealer   Sealer
	readings readings
	ending   context.Context // of what works in the background
	end      context.CancelFunc
	working  sync.WaitGroup
}

// New reads messages and templates. An error is a fault of the program. Whoever is
// done with the pages closes them.
func New(cfg Config) (*Pages, error) {
	p := &Pages{
		service: cfg.Service, person: cfg.Person, now: cfg.Now, rand: cfg.Rand, marking: cfg.Marking, log: cfg.Log, base: cfg.Base, team: cfg.Team, asksName: cfg.AsksName, beside: cfg.Beside,
		texts: make(map[textKey]*packTexts), frames: make(map[frameKey]*frame), pieces: cfg.Pieces, sealer: cfg.Sealer,
		booksTurn: make(chan struct{}, 1),
		readings:  readings{all: make(map[workspace.SurveyID]*reading)},
	}
	p.ending, p.end = context.WithCancel(context.Background())
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
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

// visit is one request by one person in one language. Of pages of a survey it has
// the survey and its pack.
type visit struct {
	*web.Printer
	to      places
	member  string
	marking string // of everything here; empty for none
	tab     string // names this workspace in what a tab of a browser keeps
	person  workspace.Person
	survey  workspace.Survey
	pack    *framework.Pack
	*packTexts
}

// page fills in what the layout draws around a page. rest is the page's own place
// below the language, for the same page in another one.
func (p *Pages) page(v *visit, title, here, rest string) web.Page {
	page := web.Page{
		Printer: v.Printer, Assets: p.kit.Assets, Title: title, Brand: v.member, Home: v.to.home(), Marking: v.marking, Script: p.kit.Assets.Script,
	}
	if v.marking == "SYNTHETIC" {
		page.Meaning = v.T("marking.synthetic")
	}
	page.Source = v.T("foot.stays")
	if v.pack != nil {
		page.Nav = v.nav(here)
	}
	if p.beside != nil && v.person.SeesAll() {
		page.Nav = append(page.Nav, web.Link{Text: v.T("nav.cascade"), Href: p.base + BesidePath + v.Lang + "/"})
	}
	languages := web.Switch{Label: v.T("nav.language")}
	for _, lang := range web.Languages() {
		l := web.Link{Text: p.kit.Printer(lang).T("nav.own"), Href: places{p.base, lang}.home() + rest, Current: lang == v.Lang}
		if lang != v.Lang {
			l.Lang = lang
		}
		languages.Links = append(languages.Links, l)
	}
	page.Switches = append(page.Switches, languages)
	if p.team != nil {
		page.Source = v.T("team.foot")
		page.Switches = append(page.Switches, web.Switch{Label: v.T("team.in"), Links: []web.Link{{Text: v.person.Name, Href: teamBase + "/" + v.Lang + "/you", Title: v.T("team.you")}}})
	}
	return page
}
