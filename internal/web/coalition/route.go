package coalition

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/internal/web"
)

// Handler serves the pages below the base. This is the table of contents:
//
//	/                                        to the latest cycle, in the reader's language
//	/{lang}/{cohort}/{cycle}/                the year in one screen, and its areas
//	/{lang}/{cohort}/{cycle}/pack/{pack}/    the outcomes; ?area= ?show= ?sort= ?tables=
//	/{lang}/{cohort}/{cycle}/pack/{pack}/{outcome}
//	/{lang}/{cohort}/{cycle}/itself/{pack}/  the coalition's answers about itself
//	/{lang}/{cohort}/{cycle}/method
//	/{lang}/{cohort}/{cycle}/check           how everybody checks the cycle, and what the own run said
//	/{lang}/{cohort}/{cycle}/file/{name}     the numbers as CSV, and release.json
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	p.kit.Assets.Register(mux)
	const base = "/{lang}/{cohort}/{cycle}/"
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("GET "+base+"{$}", p.at(p.serveYear))
	mux.HandleFunc("GET "+base+"pack/{pack}/{$}", p.at(p.servePack))
	mux.HandleFunc("GET "+base+"pack/{pack}/{outcome}", p.at(p.serveOutcome))
	mux.HandleFunc("GET "+base+"itself/{pack}/{$}", p.at(p.serveItself))
	mux.HandleFunc("GET "+base+"method", p.at(p.serveMethod))
	mux.HandleFunc("GET "+base+"check", p.at(p.serveCheck))
	mux.HandleFunc("GET "+base+"file/{name}", p.at(p.serveFile))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		cohort := p.picture.Cohorts[0]
		p.notFound(w, p.drawing(p.language(r), served{p.base, p.language(r)}, cohort, cohort.latest()))
	})
	return web.Secure(http.StripPrefix(p.base, mux))
}

// language returns the language of a path if it has one, else the reader's.
func (p *Pages) language(r *http.Request) string {
	if lang, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); slices.Contains(web.Languages(), lang) {
		return lang
	}
	return p.kit.Negotiate(r.Header.Get("Accept-Language"))
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) {
	cohort := p.picture.Cohorts[0]
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, served{p.base, p.language(r)}.year(cohort.ID, cohort.latest().ID), http.StatusFound)
}

// at finds language, cohort and cycle of a path before a page is drawn.
func (p *Pages) at(serve func(http.ResponseWriter, *http.Request, *drawing)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := r.PathValue("lang")
		cohort := p.picture.find(r.PathValue("cohort"))
		if cohort == nil || !slices.Contains(web.Languages(), lang) {
			first := p.picture.Cohorts[0]
			p.notFound(w, p.drawing(p.language(r), served{p.base, p.language(r)}, first, first.latest()))
			return
		}
		cycle := cohort.find(r.PathValue("cycle"))
		if cycle == nil {
			p.notFound(w, p.drawing(lang, served{p.base, lang}, cohort, cohort.latest()))
			return
		}
		serve(w, r, p.drawing(lang, served{p.base, lang}, cohort, cycle))
	}
}

func (p *Pages) serveYear(w http.ResponseWriter, r *http.Request, d *drawing) {
	d.open = tablesOpen(r)
	view := d.year()
	here := d.to.year(d.cohort.ID, d.cycle.ID)
	view.Tables = web.Link{Text: d.T("pack.openTables"), Href: here + "?tables=open#areas"}
	if d.open {
		view.Tables = web.Link{Text: d.T("pack.closeTables"), Href: here + "#areas"}
	}
	view.Page = p.page(d, d.T("year.title", "Cycle", d.cycle.ID), here, d.cycle.Sheets[0],
		func(to places, cohort *Cohort, cycle *Cycle) string { return to.year(cohort.ID, cycle.ID) })
	p.render(w, http.StatusOK, "year", view)
}

func (p *Pages) servePack(w http.ResponseWriter, r *http.Request, d *drawing) {
	s := d.cycle.sheet(r.PathValue("pack"))
	if s == nil {
		p.notFound(w, d)
		return
	}
	query := r.URL.Query()
	c := choice{area: query.Get("area"), show: query.Get("show"), sort: query.Get("sort"), tables: tablesOpen(r)}.normal(s)
	view := d.pack(s, c)
	view.Filter = d.filter(s, c)
	view.Page = p.page(d, view.Heading, d.to.pack(s.Cohort, s.Cycle, s.Pack), s,
		func(to places, cohort *Cohort, cycle *Cycle) string {
			if cycle.sheet(s.Pack) == nil {
				return to.year(cohort.ID, cycle.ID)
			}
			return to.pack(cohort.ID, cycle.ID, s.Pack) + c.query()
		})
	p.render(w, http.StatusOK, "pack", view)
}

// tablesOpen reports whether a reader asks for the data tables in sight.
func tablesOpen(r *http.Request) bool { return r.URL.Query().Get("tables") == "open" }

// query returns the choice as a link writes it, or nothing for the default.
func (c choice) query() string {
	values := url.Values{}
	if c.area != "" {
		values.Set("area", c.area)
	}
	if c.show != showValues[0] {
		values.Set("show", c.show)
	}
	if c.sort != sortValues[0] {
		values.Set("sort", c.sort)
	}
	if c.tables {
		values.Set("tables", "open")
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

func (p *Pages) serveOutcome(w http.ResponseWriter, r *http.Request, d *drawing) {
	s := d.cycle.sheet(r.PathValue("pack"))
	if s == nil {
		p.notFound(w, d)
		return
	}
	o, a, ok := s.Outcome(r.PathValue("outcome"))
	if !ok {
		p.notFound(w, d)
		return
	}
	view := d.outcomePage(s, o, a)
	view.Page = p.page(d, o.ID+" "+d.Plain(o.Title), "", s,
		func(to places, cohort *Cohort, cycle *Cycle) string {
			if sheet := cycle.sheet(s.Pack); sheet != nil {
				if _, _, ok := sheet.Outcome(o.ID); ok {
					return to.outcome(cohort.ID, cycle.ID, s.Pack, o.ID)
				}
			}
			return to.year(cohort.ID, cycle.ID)
		})
	p.render(w, http.StatusOK, "outcome", view)
}

func (p *Pages) serveItself(w http.ResponseWriter, r *http.Request, d *drawing) {
	c := d.cycle.itself(r.PathValue("pack"))
	if c == nil {
		p.notFound(w, d)
		return
	}
	view := d.itself(c)
	view.Page = p.page(d, view.Heading, d.to.itself(d.cohort.ID, d.cycle.ID, c.Pack), nil,
		func(to places, cohort *Cohort, cycle *Cycle) string {
			if cycle.itself(c.Pack) == nil {
				return to.year(cohort.ID, cycle.ID)
			}
			return to.itself(cohort.ID, cycle.ID, c.Pack)
		})
	view.Source = d.sourceOf(c)
	p.render(w, http.StatusOK, "itself", view)
}

func (p *Pages) serveMethod(w http.ResponseWriter, _ *http.Request, d *drawing) {
	view := d.method()
	view.Page = p.page(d, d.T("method.title"), d.to.method(d.cohort.ID, d.cycle.ID), d.cycle.Sheets[0],
		func(to places, cohort *Cohort, cycle *Cycle) string { return to.method(cohort.ID, cycle.ID) })
	p.render(w, http.StatusOK, "method", view)
}

func (p *Pages) serveCheck(w http.ResponseWriter, _ *http.Request, d *drawing) {
	view := d.check()
	view.Page = p.page(d, view.Heading, d.to.check(d.cohort.ID, d.cycle.ID), d.cycle.Sheets[0],
		func(to places, cohort *Cohort, cycle *Cycle) string { return to.check(cohort.ID, cycle.ID) })
	p.render(w, http.StatusOK, "check", view)
}

// notFoundView is the page of a place where there is nothing.
type notFoundView struct {
	web.Page
	Heading, Text string
	Back          web.Link
}

func (p *Pages) notFound(w http.ResponseWriter, d *drawing) {
	home := d.to.year(d.cohort.ID, d.cycle.ID)
	view := notFoundView{
		Heading: d.T("notFound.title"), Text: d.T("notFound.text"), Back: web.Link{Text: d.T("notFound.back"), Href: home},
		Page: p.page(d, d.T("notFound.title"), "", nil,
			func(to places, cohort *Cohort, cycle *Cycle) string { return to.year(cohort.ID, cycle.ID) }),
	}
	p.render(w, http.StatusNotFound, "notfound", view)
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	if err := web.Render(w, status, p.templates[name], view); err != nil {
		p.log.Error("page", slog.String("page", name), slog.Any("cause", err))
	}
}

// served is where pages lie on a server, in one language.
type served struct{ base, lang string }

// under joins what stands between slashes, each element escaped.
func (s served) under(elements ...string) string {
	var b strings.Builder
	b.WriteString(s.base + "/" + s.lang)
	for _, e := range elements {
		b.WriteString("/" + url.PathEscape(e))
	}
	return b.String()
}

func (s served) year(cohort, cycle string) string { return s.under(cohort, cycle) + "/" }

func (s served) pack(cohort, cycle, pack string) string {
	return s.under(cohort, cycle, "pack", pack) + "/"
}

func (s served) area(cohort, cycle, pack, area string) string {
	return s.pack(cohort, cycle, pack) + "#" + s.anchor(cohort, pack, area)
}

func (s served) outcome(cohort, cycle, pack, outcome string) string {
	return s.under(cohort, cycle, "pack", pack, outcome)
}

func (s served) itself(cohort, cycle, pack string) string {
	return s.under(cohort, cycle, "itself", pack) + "/"
}

func (s served) method(cohort, cycle string) string { return s.under(cohort, cycle, "method") }

func (s served) check(cohort, cycle string) string { return s.under(cohort, cycle, "check") }

func (s served) file(cohort, cycle, name string) string {
	return s.under(cohort, cycle, "file", name)
}

func (s served) anchor(_, _, id string) string { return "o-" + id }

func (s served) elsewhere(cohort, cycle string) string { return s.year(cohort, cycle) }
