// Package coalition draws the coalition's page: what a release shows, for those
// who decide, and for those who check.
//
//	sheet, err := coalition.ReadSheet(body) // of each release.json
//	pages, err := coalition.New(coalition.Config{Sheets: sheets})
//	handler := pages.Handler()              // served, in English and French
//	err = pages.WriteFile(w, "en")          // or one file that needs no network
//
// Pages are drawn from a [Picture], which holds bands and reasons and nothing
// behind them: a total that a release holds back is not in this program's memory
// when a page is drawn. release.go alone knows the form of release.json.
//
// Every number on a page is a band's count, or a sum of bands, or a number of
// outcomes or areas that bands decide; beside it stands how many members it is
// out of. There is no mean of levels, no score and no ranking of members. Where
// bands do not tell there is no number, and the page says so.
package coalition

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"

	"muster/internal/verify"
	"muster/internal/web"
)

//go:generate go run -C ../../../tools ./archive ../internal/web/coalition/files.zip ../internal/web/coalition locale/* template/*

//go:embed files.zip
var archive string // locale, template and what they draw with, compressed

// Config is what is drawn.
type Config struct {
	Sheets []*Sheet         // of one coalition: cycles, packs and cohorts in any order
	Itself []*Collective    // what the coalition says of itself; may be empty
	Checks []*verify.Report // what the coalition's own run of muster verify said, of each cycle; may be empty
	Log    *slog.Logger     // where faults of pages go; nil for nowhere

	Cascade string // the path of the pages of what falls together, such as "/cascade"; empty for none
	Base    string // the path that the handler is served under, such as "/picture"; empty for the root
}

// Pages draws a picture, served or as one file. It does not change after [New]
// and may be used by many goroutines.
type Pages struct {
	picture   *Picture
	kit       *web.Kit
	templates map[string]*template.Template
	log       *slog.Logger
	base      string
	cascade   string
}

// Coalition returns whose picture it is.
func (p *Pages) Coalition() string { return p.picture.Coalition }

// New puts the sheets in order. It refuses, with kind Invalid, sheets that do not
// belong into one picture.
func New(cfg Config) (*Pages, error) {
	picture, err := newPicture(cfg.Sheets, cfg.Itself)
	if err != nil {
		return nil, err
	}
	locales, err := fs.Sub(web.Files(archive), "locale")
	if err != nil {
		return nil, err
	}
	if err := picture.check(cfg.Checks); err != nil {
		return nil, err
	}
	p := &Pages{picture: picture, log: cfg.Log, base: cfg.Base, cascade: cfg.Cascade}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.kit, err = web.New(web.Config{Locales: []fs.FS{locales}, Base: cfg.Base}); err != nil {
		return nil, err
	}
	templates, err := fs.Sub(web.Files(archive), "template")
	if err != nil {
		return nil, err
	}
	p.templates, err = p.kit.Pages(templates)
	return p, err
}

// Digest returns SHA-256 of the release.json that the sheet was read from.
func (s *Sheet) Digest() string {
	sum := sha256.Sum256(s.body)
	return hex.EncodeToString(sum[:])
}

// drawing begins a page.
func (p *Pages) drawing(lang string, to places, cohort *Cohort, cycle *Cycle) *drawing {
	return &drawing{words: words{p.kit.Printer(lang)}, to: to, picture: p.picture, cohort: cohort, cycle: cycle}
}

// elsewhere says where the page that is drawn lies in another language, cohort or cycle.
type elsewhere func(to places, cohort *Cohort, cycle *Cycle) string

// page fills in what the layout draws around a page. here is the page's own place.
func (p *Pages) page(d *drawing, title, here string, s *Sheet, at elsewhere) web.Page {
	page := web.Page{
		Printer: d.Printer, Assets: p.kit.Assets, Title: title, Brand: p.picture.Coalition,
		Home: d.to.year(d.cohort.ID, d.cycle.ID), Marking: p.picture.Marking, Meaning: d.meaning(p.picture.Marking),
	}
	if s != nil {
		page.Source = d.source(s)
		page.Notices = d.notices(s)
	}
	link := func(text, href string) web.Link { return web.Link{Text: text, Href: href, Current: href == here} }
	page.Nav = append(page.Nav, link(d.T("nav.year"), page.Home))
	for _, sheet := range d.cycle.Sheets {
		page.Nav = append(page.Nav, link(d.Plain(sheet.PackTitle), d.to.pack(sheet.Cohort, sheet.Cycle, sheet.Pack)))
	}
	for _, itself := range d.cycle.Itself {
		page.Nav = append(page.Nav, link(d.T("nav.itself"), d.to.itself(d.cohort.ID, d.cycle.ID, itself.Pack)))
	}
	page.Nav = append(page.Nav, link(d.T("nav.method"), d.to.method(d.cohort.ID, d.cycle.ID)))
	page.Nav = append(page.Nav, link(d.T("nav.check"), d.to.check(d.cohort.ID, d.cycle.ID)))
	if p.cascade != "" {
		page.Nav = append(page.Nav, link(d.T("nav.cascade"), p.cascade+"/"+d.Lang+"/"))
	}
	if len(p.picture.Cohorts) > 1 {
		sw := web.Switch{Label: d.T("nav.cohort")}
		for _, cohort := range p.picture.Cohorts {
			cycle := cohort.find(d.cycle.ID)
			if cycle == nil {
				cycle = cohort.latest()
			}
			sw.Links = append(sw.Links, web.Link{Text: d.words.cohort(cohort.ID), Href: at(d.to, cohort, cycle), Current: cohort == d.cohort})
		}
		page.Switches = append(page.Switches, sw)
	}
	if len(d.cohort.Cycles) > 1 {
		sw := web.Switch{Label: d.T("nav.cycle")}
		for _, cycle := range d.cohort.Cycles {
			sw.Links = append(sw.Links, web.Link{Text: cycle.ID, Href: at(d.to, d.cohort, cycle), Current: cycle == d.cycle})
		}
		page.Switches = append(page.Switches, sw)
	}
	languages := web.Switch{Label: d.T("nav.language")}
	for _, lang := range web.Languages() {
		other := p.kit.Printer(lang)
		l := web.Link{Text: other.T("file.language"), Href: at(served{p.base, lang}, d.cohort, d.cycle), Current: lang == d.Lang}
		if lang != d.Lang {
			l.Lang = lang
		}
		languages.Links = append(languages.Links, l)
	}
	page.Switches = append(page.Switches, languages)
	return page
}

// notices are what every reader has to know first.
func (d *drawing) notices(s *Sheet) []template.HTML {
	var list []template.HTML
	for _, w := range s.Warnings {
		list = append(list, template.HTML(template.HTMLEscapeString(d.T("notice.lead")))+" "+d.Show(w))
	}
	return list
}
