// Package account draws how people enter a surface that several share: sign-in, the
// joining of who was invited, and what each can do about her own passkeys. It guards
// everything else of that surface:
//
//	pages, err := account.New(account.Config{Accounts: service, Lengths: lengths})
//	handler := web.Site(origin, pages.Guard(rest))
//
// A request of somebody who has not signed in reaches nothing behind the guard. Who
// has is known there by [PersonOf]. What she may do is decided behind it.
//
// Signing in needs a script, because a browser gives a passkey to nothing else; a
// provider of the organisation needs none. The package knows nothing of what is behind
// it, and what connects to a provider is here: so it reaches nobody's answers.
package account

import (
	_ "embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"muster/internal/account"
	"muster/internal/web"
)

//go:generate go run -C ../../../tools ./bundle ../internal/web/account/island/passkey.ts ../internal/web/account/asset/passkey.js

//go:generate go run -C ../../../tools ./archive ../internal/web/account/files.zip ../internal/web/account asset/* locale/* template/*

//go:embed files.zip
var archive string // locale, template and what they draw with, compressed

// Base is the path that the pages lie under.
const Base = "/account"

// Config is what the pages are of.
type Config struct {
	Accounts *account.Service
	Lengths  account.Lengths
	Provider string           // what the button of the provider says; empty if there is none
	Brand    string           // whose surface it is
	Now      func() time.Time // time.Now outside tests
	Marking  string           // "SYNTHETIC" for a demonstration; else empty
	Log      *slog.Logger     // where faults go; nil for nowhere
}

// Pages draws how people enter. It may be used by many goroutines.
type Pages struct {
	accounts  *account.Service
	provider  string
	brand     string
	marking   string
	now       func() time.Time
	log       *slog.Logger
	kit       *web.Kit
	templates map[string]*template.Template
	sessions  *scs.SessionManager
}

// New reads messages and templates. An error is a fault of the program.
func New(cfg Config) (*Pages, error) {
	p := &Pages{accounts: cfg.Accounts, provider: cfg.Provider, brand: cfg.Brand, marking: cfg.Marking, now: cfg.Now, log: cfg.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.sessions = p.newSessions(cfg.Lengths)
	sub := func(name string) fs.FS {
		fsys, err := fs.Sub(web.Files(archive), name)
		if err != nil { // the name is none
			panic(err)
		}
		return fsys
	}
	var err error
	if p.kit, err = web.New(web.Config{Locales: []fs.FS{sub("locale")}, Assets: sub("asset"), Base: Base}); err != nil {
		return nil, err
	}
	p.templates, err = p.kit.Pages(sub("template"))
	return p, err
}

// visit is one request in one language, by somebody or by nobody yet.
type visit struct {
	*web.Printer
	person account.Person
	in     bool // she has signed in
	source string
}

// to is the place of a page in the language of the visit.
func (v *visit) to(rest string) string { return Base + "/" + v.Lang + "/" + rest }

// page fills in what the layout draws around a page.
func (p *Pages) page(v *visit, title, rest string) web.Page {
	page := web.Page{
		Printer: v.Printer, Assets: p.kit.Assets, Title: title, Brand: p.brand, Marking: p.marking, Script: p.kit.Assets.Script, Source: v.T("enter.foot"),
	}
	if p.marking == "SYNTHETIC" {
		page.Meaning = v.T("enter.synthetic")
	}
	if v.in {
		page.Home = "/"
	}
	languages := web.Switch{Label: v.T("enter.language")}
	for _, lang := range web.Languages() {
		l := web.Link{Text: p.kit.Printer(lang).T("enter.own"), Href: Base + "/" + lang + "/" + rest, Current: lang == v.Lang}
		if lang != v.Lang {
			l.Lang = lang
		}
		languages.Links = append(languages.Links, l)
	}
	page.Switches = append(page.Switches, languages)
	return page
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	if err := web.Render(w, status, p.templates[name], view); err != nil {
		p.log.Error("page", slog.String("page", name), slog.Any("cause", err))
	}
}
