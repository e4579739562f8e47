package account

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"muster/internal/account"
	"muster/internal/errs"
	"muster/internal/web"
)

// personContext is where a request has its person.
type personContext struct{}

// PersonOf returns who has signed in. Behind the guard there always is somebody.
func PersonOf(ctx context.Context) (account.Person, bool) {
	p, ok := ctx.Value(personContext{}).(account.Person)
	return p, ok
}

// Guard serves the pages of this package, and h to who has signed in.
func (p *Pages) Guard(h http.Handler) http.Handler {
	own := p.handler()
	return p.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		in := false
		if id := p.sessions.GetString(ctx, personKey); id != "" {
			person, err := p.accounts.Person(ctx, account.PersonID(id))
			switch {
			case err == nil:
				in = true
				ctx = context.WithValue(ctx, personContext{}, person)
				r = r.WithContext(ctx)
				if err := p.accounts.Allow(person.ID); err != nil {
					p.fail(w, r, p.visit(r), err)
					return
				}
			case errs.KindOf(err) == errs.Denied: // she was removed since
				if err := p.sessions.Destroy(ctx); err != nil {
					p.fail(w, r, p.visit(r), err)
					return
				}
			default:
				p.fail(w, r, p.visit(r), err)
				return
			}
		}
		switch {
		case r.URL.Path == Base || strings.HasPrefix(r.URL.Path, Base+"/"):
			own.ServeHTTP(w, r)
		case in:
			h.ServeHTTP(w, r)
		default:
			p.refuse(w, r)
		}
	}))
}

// refuse leads who has not signed in to where she can, and tells a script so.
func (p *Pages) refuse(w http.ResponseWriter, r *http.Request) {
	v := p.visit(r)
	if wantsJSON(r) {
		writeJSON(w, http.StatusUnauthorized, reply{Message: v.T("enter.ended"), Detail: v.T("enter.kept")})
		return
	}
	to := v.to("sign-in")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if r.URL.Path != "/" {
			to += "?" + url.Values{"to": {r.URL.RequestURI()}}.Encode()
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	view := failView{Heading: v.T("enter.ended"), Text: v.Show(web.Text{In: map[string]string{v.Lang: v.T("enter.typed")}, First: v.Lang}), Back: web.Link{Text: v.T("enter.signIn"), Href: to}}
	view.Page = p.page(v, view.Heading, "sign-in")
	p.render(w, http.StatusUnauthorized, "fail", view)
}

// local returns a place of this site that somebody may be led to, or its root.
func local(place string) string {
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(place, "//") ||
		strings.ContainsAny(place, "\\\r\n") || path.Clean(u.Path) == Base || strings.HasPrefix(path.Clean(u.Path), Base+"/") {
		return "/"
	}
	return u.RequestURI()
}

// reply is what a script is told.
type reply struct {
	Flow    string          `json:"flow,omitempty"`
	Options json.RawMessage `json:"options,omitempty"`
	Next    string          `json:"next,omitempty"`
	Message string          `json:"message,omitempty"`
	Detail  string          `json:"detail,omitempty"`
}

func wantsJSON(r *http.Request) bool { return r.Header.Get("Accept") == "application/json" }

func writeJSON(w http.ResponseWriter, status int, value reply) {
	body, err := json.Marshal(value)
	if err != nil { // a reply holds nothing that cannot be written
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the other side has gone
}

// failView is the page of what could not be done.
type failView struct {
	web.Page
	Heading    string
	Text, Hint template.HTML
	Back       web.Link
}

// fail shows why a request was not done. What has no message of its own goes to the
// log, without the request's path, form or cookies.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	d := errs.Describe(err)
	status, heading := http.StatusInternalServerError, "enter.internal"
	switch d.Kind {
	case errs.NotFound:
		status, heading = http.StatusNotFound, "enter.notFound"
	case errs.Conflict:
		status, heading = http.StatusConflict, "enter.conflict"
	case errs.Invalid:
		status, heading = http.StatusUnprocessableEntity, "enter.invalid"
	case errs.Denied:
		status, heading = http.StatusForbidden, "enter.denied"
		p.log.Info("refused", slog.String("source", v.source), slog.String("why", d.Message))
	case errs.Unavailable:
		status, heading = http.StatusServiceUnavailable, "enter.unavailable"
		if tooMany, ok := errors.AsType[*account.TooMany](err); ok {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())+1))
		} else {
			p.log.Warn("not reachable", slog.Any("cause", err))
		}
	default:
		if r.Context().Err() == nil {
			p.log.Error("account", slog.Any("cause", err))
		}
		d.Message, d.Hint = "", ""
	}
	if wantsJSON(r) {
		writeJSON(w, status, reply{Message: v.T(heading), Detail: v.plain(d)})
		return
	}
	view := failView{Heading: v.T(heading), Text: web.ShowRefusal(v.Printer, d.Message), Hint: web.ShowRefusal(v.Printer, d.Hint), Back: web.Link{Text: v.T("enter.signIn"), Href: v.to("sign-in")}}
	if v.in {
		view.Back = web.Link{Text: v.T("enter.you"), Href: v.to("you")}
	}
	view.Page = p.page(v, view.Heading, "sign-in")
	p.render(w, status, "fail", view)
}

// plain returns why something was not done for a script, in the page's language.
func (v *visit) plain(d errs.Description) string {
	said := v.Plain(web.Refusal(v.Printer, d.Message))
	if d.Hint == "" {
		return said
	}
	between := "; "
	if v.Lang == "fr" {
		between = "\u202f; "
	}
	return said + between + v.Plain(web.Refusal(v.Printer, d.Hint))
}

// visit is a request in the language of its path, else the reader's.
func (p *Pages) visit(r *http.Request) *visit {
	lang, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, Base), "/"), "/")
	if !slices.Contains(web.Languages(), lang) {
		lang = p.kit.Negotiate(r.Header.Get("Accept-Language"))
	}
	v := &visit{Printer: p.kit.Printer(lang), source: web.Source(r)}
	v.person, v.in = PersonOf(r.Context())
	return v
}
