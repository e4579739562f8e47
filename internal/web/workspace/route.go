package workspace

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// maxForm is how many bytes a form may have: the longest note, written as a form
// writes it, and everything beside it.
const maxForm = 256 << 10

// Handler serves the pages below the base. This is the table of contents, where S is
// /{lang}/survey/{cycle}/{pack}:
//
//	/                              to the home, in the reader's language
//	/{lang}/                       the surveys, and what is to be done next; POST name: whose it is
//	S/                             areas and outcomes; ?show= filters
//	S/area/{area}                  the questions of an area; ?one= asks one at a time
//	S/outcome/{outcome}            POST: an answer, or a decision about two of them
//	S/outcome/{outcome}/confirm    POST: it is what it was last year
//	S/outcome/{outcome}/comment, reference, contribution    POST
//	S/outcome/{outcome}/history    who, when, what
//	S/history, S/history.csv       who, when, what, of everything
//	S/bodies                       bodies and sections; POST
//	S/bodies/workbooks             who has a workbook; POST give, file: give out; read, take: take back
//	S/needs, S/needs/print         what a body depends on; POST; on paper
//	S/letters, S/reminders.ics     who is reminded of what, on paper and in a calendar
//	S/evidence                     where the evidence lies, and whether it is the same; POST
//	S/verification                 the sample, findings and the opinion; POST
//	S/check                        what keeps it from being sealed
//	S/signoff, S/signoff/sheet     the chain and its keys; POST; the sheet to print
//	S/sealing                      before sealing: what leaves, what stays; POST: seal, or an addendum that postpones
//	S/standing                     after the release: the member's own place; POST: the release
//	S/standing/body/{body}         the same of a body: its own part beside the coalition; standing.csv below it
//	S/brief                        the national brief, two pages; brief.html, brief.docx below it
//	S/brief/points                 POST: the speaking points
//	S/plan                         the improvement plan; POST
//	S/part, S/part/area/{area}     what is asked of a body; POST below part/outcome
//	S/part/standing                after the release: a body's answers beside the coalition
//	/cascade/                      what falls together, where there is a register of it: package web/cascade
func (p *Pages) Handler() http.Handler {
	mux := &table{ServeMux: http.NewServeMux()}
	p.kit.Assets.Register(mux.ServeMux)
	mux.HandleFunc("GET /{$}", p.toHome)
	mux.HandleFunc("GET /{lang}/{$}", p.anywhere(p.home))
	mux.HandleFunc("POST /{lang}/guide", p.anywhere(p.hideGuide))
	mux.HandleFunc("POST /{lang}/name", p.anywhere(form(p.keepName)))
	const s = "/{lang}/survey/{cycle}/{pack}/"
	get := func(rest string, serve handler) { mux.HandleFunc("GET "+s+rest, p.at(serve)) }
	post := func(rest string, serve handler) { mux.HandleFunc("POST "+s+rest, p.at(form(serve))) }
	get("{$}", p.overview)

	get("area/{area}", p.area)
	post("outcome/{outcome}", p.save)
	post("outcome/{outcome}/confirm", p.confirm)
	post("outcome/{outcome}/comment", p.comment)
	post("outcome/{outcome}/reference", p.reference)
	post("outcome/{outcome}/contribution", p.contribute)
	get("outcome/{outcome}/history", p.history)
	get("history", p.events)
	get("history.csv", p.eventsCSV)

	get("bodies", p.bodies)
	post("bodies/body", p.putBody)
	post("bodies/section", p.putSection)
	get("bodies/workbooks", p.workbooks)
	post("bodies/workbooks/give", p.giveWorkbooks)
	post("bodies/workbooks/file", p.workbookFile)
	mux.HandleFunc("POST "+s+"bodies/workbooks/read", p.at(p.readWorkbook))
	post("bodies/workbooks/take", p.takeWorkbook)
	get("needs", p.needs)
	get("needs/print", p.printNeeds)
	post("needs", p.putNeeds)
	get("letters", p.letters)
	get("reminders.ics", p.calendar)

	get("evidence", p.evidence)
	get("evidence/copy/{outcome}/{id}", p.copied)
	post("evidence/read", p.readEvidence)
	post("evidence/folder", p.keepFolder)
	post("evidence/piece", p.pieceForm)

	get("verification", p.verification)
	post("verification/finding", p.putFinding)
	post("verification/opinion", p.putOpinion)
	post("verification/passkey/begin", p.beginOpinion)
	post("verification/passkey/finish", p.finishOpinion)

	get("check", p.check)

	get("signoff", p.signoff)
	get("signoff/sheet", p.sheet)
	get("signoff/statement/{file}", p.statement)
	post("signoff/chain", p.setChain)
	post("signoff/decision", p.decide)
	post("signoff/passkey/begin", p.beginApproval)
	post("signoff/passkey/finish", p.finishApproval)
	post("signoff/key", p.putKey)

	get("sealing", p.sealing)
	get("sealing/file/{number}", p.sealedFile)
	post("sealing/seal", p.seal)
	mux.HandleFunc("POST "+s+"sealing/addendum", p.at(p.postpone))

	get("standing", p.standing)
	mux.HandleFunc("POST "+s+"standing", p.at(p.keepRelease))

	get("standing/body/{body}", p.bodyStanding)
	get("standing/body/{body}/standing.csv", p.bodyCSV)

	get("brief", p.brief)
	get("brief/{file}", p.briefFile)
	post("brief/points", p.putPoints)

	get("plan", p.plan)
	post("plan/action", p.putAction)

	get("part", p.ownPart)
	get("part/area/{area}", p.partArea)
	post("part/outcome/{outcome}/{body}", p.contributePart)
	post("part/outcome/{outcome}/{body}/confirm", p.confirmPart)
	post("part/outcome/{outcome}/{body}/comment", p.commentPart)
	get("part/standing", p.partStanding)

	mux.HandleFunc("GET /", p.anywhere(func(http.ResponseWriter, *http.Request, *visit) error {
		return errs.New(errs.NotFound, "there is no such page", "")
	}))
	p.patterns = mux.patterns
	return web.SecureForms(http.StripPrefix(p.base, p.before(mux)))
}

// BesidePath is where the pages of what falls together lie, below the base.
const BesidePath = "/cascade/"

// before serves what lies beside these pages, and everything else by them.
func (p *Pages) before(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.beside == nil || !strings.HasPrefix(r.URL.Path, BesidePath) {
			pages.ServeHTTP(w, r)
			return
		}
		p.anywhere(func(w http.ResponseWriter, r *http.Request, v *visit) error {
			if !v.person.SeesAll() {
				return errs.New(errs.Denied, "you may not see all answers here", "ask the lead of this workspace")
			}
			whole := r.Clone(r.Context())
			whole.URL.Path = p.base + r.URL.Path
			if r.URL.RawPath != "" {
				whole.URL.RawPath = p.base + r.URL.RawPath
			}
			p.beside.ServeHTTP(w, whole)
			return nil
		})(w, r)
	})
}

// table is a mux that knows what it serves: a test holds it against what each role
// may do.
type table struct {
	*http.ServeMux
	patterns []string
}

// HandleFunc registers a page.
func (t *table) HandleFunc(pattern string, serve func(http.ResponseWriter, *http.Request)) {
	t.patterns = append(t.patterns, pattern)
	t.ServeMux.HandleFunc(pattern, serve)
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
				return errTooLarge
			}
			return errs.New(errs.Invalid, "the form cannot be read", "load the page again")
		}
		resolve(r.PostForm)
		return serve(w, r, v)
	}
}

var errTooLarge = errs.New(errs.Invalid, "the form is too large", "put what is longer into a document and give its place as evidence")

// language returns the language of a path if it has one, else the reader's.
func (p *Pages) language(r *http.Request) string {
	if lang, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); slices.Contains(web.Languages(), lang) {
		return lang
	}
	return p.kit.Negotiate(r.Header.Get("Accept-Language"))
}

func (p *Pages) toHome(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept-Language")
	http.Redirect(w, r, p.landing(r, places{p.base, p.language(r)}), http.StatusFound)
}

// anywhere serves a page that is of no survey.
func (p *Pages) anywhere(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.visit(r)
		if err == nil {
			err = serve(w, r, v)
		}
		if err != nil {
			p.fail(w, r, v, err)
		}
	}
}

// at finds the survey of a path before a page of it is served.
func (p *Pages) at(serve handler) http.HandlerFunc {
	return p.anywhere(func(w http.ResponseWriter, r *http.Request, v *visit) error {
		id := workspace.NewSurveyID(r.PathValue("cycle"), r.PathValue("pack"))
		var err error
		if v.pack, err = p.service.Pack(r.Context(), v.person, id); err != nil {
			return err
		}
		v.survey.ID = id
		v.packTexts = p.textsOf(v.pack, v.Lang)
		return serve(w, r, v)
	})
}

// describe adds to a visit how far its survey is, for pages that say it.
func (p *Pages) describe(ctx context.Context, v *visit) (err error) {
	v.survey, err = p.service.Survey(ctx, v.person, v.survey.ID)
	return err
}

func (p *Pages) visit(r *http.Request) (*visit, error) {
	lang := p.language(r)
	v := &visit{Printer: p.kit.Printer(lang), to: places{p.base, lang}, person: p.person(r)}
	is, err := p.service.Identity(r.Context())
	v.member, v.tab = string(is.Member), p.tabOf(is, v.person)
	v.marking = cmp.Or(is.Marking, p.marking)
	if err == nil && r.PathValue("lang") != "" && r.PathValue("lang") != lang {
		err = errs.New(errs.NotFound, "there is no such page", "")
	}
	return v, err
}

// outcome returns the outcome of a path.
func (v *visit) outcome(r *http.Request) (*framework.Outcome, error) {
	if o, ok := v.pack.Outcome(r.PathValue("outcome")); ok {
		return o, nil
	}
	return nil, errs.New(errs.NotFound, "the pack has no such outcome", "")
}

// fail shows why a request was not done: as a page, or to the script as JSON. What
// has no message of its own goes to the log, without the request's path or form.
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
	default:
		if r.Context().Err() == nil {
			p.log.Error("workspace", slog.Any("cause", err))
		}
		d = errs.Description{}
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, errNoRelease) || errors.Is(err, errNoAddendum) {
		status = http.StatusRequestEntityTooLarge
	}
	if wantsJSON(r) {
		writeJSON(w, status, reply{Message: v.T(heading), Detail: v.Plain(web.Refusal(v.Printer, d.Message))})
		return
	}
	view := failView{Heading: v.T(heading), Says: v.says(d), Back: web.Link{Text: v.T("fail.home"), Href: v.to.home()}}
	if v.pack != nil {
		view.Back = web.Link{Text: v.T("fail.survey"), Href: v.to.survey(v.survey.ID)}
		if !v.person.SeesAll() {
			view.Back.Href = v.to.under(v.survey.ID, "part")
		}
		if standing := v.to.under(v.survey.ID, "standing"); r.Method == http.MethodPost && p.base+r.URL.Path == standing {
			view.Back = web.Link{Text: v.T("nav.standing"), Href: standing}
		} else if brief := v.to.under(v.survey.ID, "brief"); strings.HasPrefix(p.base+r.URL.Path, brief+"/") {
			view.Back = web.Link{Text: v.T("nav.brief"), Href: brief}
		} else if o, ok := v.pack.Outcome(r.PathValue("outcome")); ok {
			view.Back = web.Link{Text: v.T("fail.outcome", "ID", o.ID), Href: v.place(o)}
		}
	}
	if v.pack != nil && r.Method == http.MethodPost {
		v.again(&view, r, d)
	}
	view.Page = p.page(v, view.Heading, "", "")
	p.render(w, status, "fail", view)
}

func (p *Pages) render(w http.ResponseWriter, status int, name string, view any) {
	if err := web.Render(w, status, p.templates[name], view); err != nil {
		p.log.Error("page", slog.String("page", name), slog.Any("cause", err))
	}
}

// back leads the browser to a page after something was kept.
func back(w http.ResponseWriter, r *http.Request, place string) error {
	http.Redirect(w, r, place, http.StatusSeeOther)
	return nil
}
