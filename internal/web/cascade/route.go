package cascade

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/web"
)

// maxForm is how many bytes a form may have.
const maxForm = 64 << 10

// Handler serves the pages below the base. This is the table of contents, where S is
// /{lang}/scenario/{scenario}:
//
//	/                          to the first scenario, in the reader's language
//	/{lang}/                   the first scenario's page
//	S/                         the page for who decides; ?budget= what may be spent
//	S/                         POST: work it out, for a budget
//	S/measures                 what first, and how stable that is
//	S/sure                     which parameter moves the result
//	/{lang}/runs               the runner, and what was run; POST starts a run
//	/{lang}/compare            POST: two runs beside each other
//	/{lang}/result/{id}          a run or a comparison: how far it is, or what it found
//	/{lang}/result/{id}/end      POST: end it
//	/{lang}/result/{id}/now      how far it is, for the pages' script
//	/{lang}/result/{id}/json     what it found, as muster cascade prints it
//	/{lang}/graph              groups of services; ?by= ?open=
//	/{lang}/graph/data         the same, for the pages' script
//	/{lang}/map                where it falls; ?scenario=
//	/{lang}/method             what the numbers mean
func (p *Pages) Handler() http.Handler {
	mux := http.NewServeMux()
	p.kit.Assets.Register(mux)
	mux.HandleFunc("GET /{$}", p.home)
	get := func(path string, serve func(http.ResponseWriter, *http.Request, *visit) error) {
		for _, lang := range web.Languages() {
			mux.HandleFunc("GET /"+lang+"/"+path, p.in(serve))
		}
	}
	post := func(path string, serve func(http.ResponseWriter, *http.Request, *visit) error) {
		for _, lang := range web.Languages() {
			mux.HandleFunc("POST /"+lang+"/"+path, p.in(p.form(serve)))
		}
	}
	get("{$}", p.serveFirst)
	get("scenario/{scenario}/{$}", p.serveMinute)
	post("scenario/{scenario}/{$}", p.postMinute)
	get("scenario/{scenario}/measures", p.serveMeasures)
	get("scenario/{scenario}/sure", p.serveSure)

	get("runs", p.serveRuns)
	post("runs", p.postRun)
	post("compare", p.postCompare)
	get("result/{id}", p.serveWork)
	post("result/{id}/end", p.postEnd)
	get("result/{id}/now", p.serveNow)
	get("result/{id}/json", p.serveJSON)

	get("graph", p.serveGraph)
	get("graph/data", p.serveGraphData)
	get("map", p.serveChart)
	get("method", p.serveMethod)
	mux.HandleFunc("GET /", p.in(func(http.ResponseWriter, *http.Request, *visit) error { return notThere() }))
	return web.SecureForms(http.StripPrefix(p.Base, mux))
}

func notThere() error { return errs.New(errs.NotFound, "there is no such page", "") }

// language returns the language of a path if it has one, else the reader's.
func (p *Pages) language(r *http.Request) string {
	if lang, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); slices.Contains(web.Languages(), lang) {
		return lang
	}
	return p.kit.Negotiate(r.Header.Get("Accept-Language"))
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, places{p.Base, p.language(r)}.home(), http.StatusFound)
}

// in finds the language of a path before a page is drawn, and shows what is refused.
func (p *Pages) in(serve func(http.ResponseWriter, *http.Request, *visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(p.language(r))
		if err := serve(w, r, v); err != nil {
			p.refuse(w, v, err)
		}
	}
}

// form reads a form before it is looked at.
func (p *Pages) form(serve func(http.ResponseWriter, *http.Request, *visit) error) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return errs.Wrap(err, errs.Invalid, "the form cannot be read", "go back and send it again")
		}
		return serve(w, r, v)
	}
}

// refusalView is the page of what is not there, or not possible.
type refusalView struct {
	web.Page
	Heading, Text string
	Back          web.Link
}

func (p *Pages) refuse(w http.ResponseWriter, v *visit, err error) {
	status, id := http.StatusInternalServerError, "refused.internal"
	switch kind := errs.Describe(err).Kind; kind {
	case errs.NotFound:
		status, id = http.StatusNotFound, "refused.notFound"
	case errs.Conflict:
		status, id = http.StatusConflict, "refused.conflict"
	case errs.Invalid:
		status, id = http.StatusUnprocessableEntity, "refused.invalid"
	default:
		p.Log.Error("page", slog.Any("cause", err))
	}
	view := refusalView{Heading: v.T(id), Text: v.T(id + "Text"), Back: web.Link{Text: v.T("refused.back"), Href: v.to.home()}}
	if id == "refused.invalid" || id == "refused.conflict" {
		view.Back.Href, view.Back.Text = v.to.runs(), v.T("refused.runs")
	}
	view.Page = v.page(view.Heading, "", "")
	p.render(w, status, "refused", view)
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	if err := web.Render(w, status, p.templates[name], view); err != nil {
		p.Log.Error("page", slog.String("page", name), slog.Any("cause", err))
	}
}

func writeJSON(w http.ResponseWriter, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // an error means that the other side has gone
	return nil
}

// places is where pages lie, in one language.
type places struct{ base, lang string }

// under joins what stands between slashes, each element escaped.
func (s places) under(elements ...string) string {
	var b strings.Builder
	b.WriteString(s.base + "/" + s.lang)
	for _, e := range elements {
		b.WriteString("/" + url.PathEscape(e))
	}
	return b.String()
}

func (s places) home() string            { return s.under() + "/" }
func (s places) minute(id string) string { return s.under("scenario", id) + "/" }
func (s places) runs() string            { return s.under("runs") }
func (s places) work(id string) string   { return s.under("result", id) }
func (s places) graph() string           { return s.under("graph") }
func (s places) chart() string           { return s.under("map") }
func (s places) method() string          { return s.under("method") }

// rest returns a place below the language.
func (s places) rest(place string) string { return strings.TrimPrefix(place, s.home()) }
