package coordinator

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/internal/cycle"
	"muster/internal/errs"
	"muster/internal/web"
)

// maxForm is how many bytes a form may have: the longest question and answer, written
// as a form writes them.
const maxForm = 64 << 10

// Observation is a request that was answered. It names nobody.
type Observation struct {
	Route  string // the pattern; empty where there is no such page
	Method string
	Status int
	Took   time.Duration
}

// Handler serves the pages below the base, each with what it is about: who may see that
// is package audience's to say. This is the table of contents, where C is
// /{lang}/cycle/{cycle}:
//
//	/                                to the overview, in the reader's language
//	/{lang}/                         what is the reader's to do now, and where the cycles stand
//	/{lang}/calendar.ics             the days on which something is due
//	/{lang}/cycles                   all cycles
//	C                                where one stands, who owes what, how it came there
//	C/step, deadline, status, cancel, release    POST
//	C/questions                      what was asked, and what all are told; POST: a question
//	C/questions/{question}/answer    POST
//	/{lang}/editions                 the editions that are the reader's to read
//	C/edition/{edition}              one of them; file/{format}: as a file
//	C/edition/{edition}/write        its text, with what it comes to; POST: another version
//	C/edition/{edition}/propose, publish, withdraw    POST
//	/{lang}/people                   members and partners with their keys; people
//	/{lang}/people/key               POST: a key to be enrolled
//	/{lang}/request/{request}/approve, refuse    POST
//	/{lang}/record                   what happened
func (p *Pages) Handler() http.Handler {
	mux := &table{ServeMux: http.NewServeMux()}
	p.kit.Assets.Register(mux.ServeMux)
	mux.handle("GET /{$}", "none: it leads to the overview", p.toHome)
	get := func(rest, about string, serve handler) { mux.handle("GET /{lang}/"+rest, about, p.serve(serve)) }
	post := func(rest, about string, serve handler) {
		mux.handle("POST /{lang}/"+rest, about, p.serve(form(serve)))
	}

	get("{$}", "cycles, statuses, questions that wait, requests", p.overview)
	get("calendar.ics", "cycles", p.calendar)

	get("cycles", "cycles", p.cycles)
	get("cycle/{cycle}", "a cycle, statuses, requests", p.board)
	post("cycle/{cycle}/step", "a cycle", p.step)
	post("cycle/{cycle}/deadline", "a cycle", p.extend)
	post("cycle/{cycle}/status", "a status", p.say)
	post("cycle/{cycle}/cancel", "a cycle, a request", p.askCancel)
	post("cycle/{cycle}/release", "a cycle, a request", p.askRelease)

	get("cycle/{cycle}/questions", "questions", p.questions)
	post("cycle/{cycle}/questions", "a question that waits", p.ask)
	post("cycle/{cycle}/questions/{question}/answer", "a question that waits", p.answer)

	if p.cfg.Editions != nil {
		const edition = "cycle/{cycle}/edition/{edition}"
		get("editions", "editions", p.editions)
		get(edition, "an edition", p.edition)
		get(edition+"/file/{format}", "an edition", p.editionFile)
		get(edition+"/write", "a draft", p.writeEdition)
		post(edition+"/write", "a draft", p.keepEdition)
		post(edition+"/propose", "a draft, a request", p.proposeEdition)
		post(edition+"/publish", "an edition", p.publishEdition)
		post(edition+"/withdraw", "an edition", p.withdrawEdition)
	}

	get("people", "keys, requests, persons", p.people)
	post("people/key", "a key, a request", p.askKey)

	post("request/{request}/approve", "a request", p.approve)
	post("request/{request}/refuse", "a request", p.refuse)

	get("record", "lines of the record", p.record)

	mux.handle("GET /", "none: there is no such page", p.serve(func(http.ResponseWriter, *http.Request, *visit) error {
		return errs.New(errs.NotFound, "there is no such page", "")
	}))
	p.routes = mux.routes
	return web.SecureForms(http.StripPrefix(p.cfg.Base, p.observed(mux)))
}

// route is a page and what it is about: the subjects that are asked about before
// anything of it is shown, in the words of docs/spec/audience.md.
type route struct{ pattern, about string }

// table is a mux that knows what it serves: tests hold it against what each role may
// do, and against the documents.
type table struct {
	*http.ServeMux
	routes []route
}

// handle registers a page, in every language where {lang} stands for one.
func (t *table) handle(pattern, about string, serve func(http.ResponseWriter, *http.Request)) {
	t.routes = append(t.routes, route{pattern, about})
	if !strings.Contains(pattern, "{lang}") {
		t.HandleFunc(pattern, serve)
		return
	}
	for _, lang := range web.Languages() {
		t.HandleFunc(strings.Replace(pattern, "{lang}", lang, 1), serve)
	}
}

// observed tells whoever counts of every request.
func (p *Pages) observed(h http.Handler) http.Handler {
	if p.cfg.Observe == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(status, r)
		p.cfg.Observe(Observation{Route: r.Pattern, Method: r.Method, Status: status.status, Took: time.Since(began)})
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader keeps the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// places is where pages lie, in one language. Nothing that somebody wrote is in a
// place: cycles and parties are named by their ids.
type places struct{ base, lang string }

func (p places) home() string { return p.base + "/" + p.lang + "/" }

func (p places) cycle(id cycle.ID, rest ...string) string {
	return p.home() + strings.Join(append([]string{"cycle", url.PathEscape(string(id))}, rest...), "/")
}

// handler serves a request; what it returns is shown.
type handler func(http.ResponseWriter, *http.Request, *visit) error

// form reads the form of a request before it is served. Where it cannot be read,
// nothing of it is in the error.
func form(serve handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return errs.New(errs.Invalid, "the form is too large", "say it shorter")
			}
			return errs.New(errs.Invalid, "the form cannot be read", "load the page again")
		}
		return serve(w, r, v)
	}
}

// text returns what somebody wrote, with the line ends of a form made plain.
func text(r *http.Request, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(r.PostForm.Get(name), "\r\n", "\n"))
}

// language returns the language of a path if it has one, else the reader's.
func (p *Pages) language(r *http.Request) string {
	if lang, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); slices.Contains(web.Languages(), lang) {
		return lang
	}
	return p.kit.Negotiate(r.Header.Get("Accept-Language"))
}

func (p *Pages) toHome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, places{p.cfg.Base, p.language(r)}.home(), http.StatusFound)
}

// serve answers a request.
func (p *Pages) serve(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := p.language(r)
		v := &visit{Printer: p.kit.Printer(lang), to: places{p.cfg.Base, lang}, person: p.cfg.Person(r), marking: p.cfg.Marking}
		var err error
		v.coalition, err = p.cfg.Service.Coalition(r.Context())
		if err == nil {
			err = serve(w, r, v)
		}
		if err != nil {
			p.fail(w, r, v, err)
		}
	}
}

// failView is the page of what could not be done.
type failView struct {
	web.Page
	Heading, Text, Hint string
	Why                 string // why she does not see what there is; in the language of the page
	Back                web.Link
}

// fail shows why a request was not done. What has no message of its own goes to the
// log, without the request's path or form.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	d := errs.Describe(err)
	status, heading := http.StatusInternalServerError, "fail.internal"
	switch d.Kind {
	case errs.NotFound:
		status, heading = http.StatusNotFound, "fail.notFound"
	case errs.Conflict:
		status, heading = http.StatusConflict, "fail.conflict"
	case errs.Invalid:
		status, heading = http.StatusUnprocessableEntity, "fail.invalid"
	case errs.Denied:
		status, heading = http.StatusForbidden, "fail.denied"
	case errs.Unavailable:
		status, heading = http.StatusServiceUnavailable, "fail.unavailable"
		p.cfg.Log.Warn("not reachable", slog.Any("cause", err))
	default:
		if r.Context().Err() == nil {
			p.cfg.Log.Error("coordinator", slog.Any("cause", err))
		}
		d.Message, d.Hint = "", ""
	}
	view := failView{Heading: v.T(heading), Text: d.Message, Hint: d.Hint, Back: web.Link{Text: v.T("fail.home"), Href: v.to.home()}}
	if id := cycle.ID(r.PathValue("cycle")); id != "" && d.Kind != errs.NotFound {
		view.Back = web.Link{Text: v.T("fail.cycle", "Cycle", string(id)), Href: v.to.cycle(id)}
	}
	view.Page = p.page(v, view.Heading, "")
	p.render(w, status, "fail", view)
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	if err := web.Render(w, status, p.templates[name], view); err != nil {
		p.cfg.Log.Error("page", slog.String("page", name), slog.Any("cause", err))
	}
}

// back leads the browser to a page after something was kept.
func back(w http.ResponseWriter, r *http.Request, place string) error {
	http.Redirect(w, r, place, http.StatusSeeOther)
	return nil
}
