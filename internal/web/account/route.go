package account

import (
	"errors"
	"net/http"

	"muster/internal/errs"
	"muster/internal/web"
)

// maxForm is how many bytes a form may have: what a browser says of a passkey, with
// room.
const maxForm = 64 << 10

// handler serves a request; what it returns is shown.
type handler func(http.ResponseWriter, *http.Request, *visit) error

// handler serves the pages. This is the table of contents:
//
//	/{lang}/sign-in                     with a passkey, or by the provider; ?to= leads on
//	/{lang}/sign-in/begin, finish       POST: a ceremony
//	/{lang}/join                        who was invited; ?invitation= is its token; POST: its token
//	/{lang}/join/begin, finish          POST: a ceremony
//	/{lang}/provider                    to the provider; ?join=1 binds to it
//	/provider                           from the provider
//	/{lang}/you                         what you sign in with
//	/{lang}/you/add/begin, finish       POST: a ceremony
//	/{lang}/you/remove                  POST: a passkey less
//	/{lang}/sign-out, sign-out/everywhere    POST
func (p *Pages) handler() http.Handler {
	mux := http.NewServeMux()
	p.kit.Assets.Register(mux)
	for _, lang := range web.Languages() {
		get := func(path string, serve handler) { mux.HandleFunc("GET /"+lang+"/"+path, p.serve(serve)) }
		post := func(path string, serve handler) { mux.HandleFunc("POST /"+lang+"/"+path, p.serve(form(serve))) }

		get("sign-in", p.signIn)
		post("sign-in/begin", p.beginSignIn)
		post("sign-in/finish", p.finishSignIn)

		get("join", p.join)
		post("join", p.giveInvitation)
		post("join/begin", p.beginJoin)
		post("join/finish", p.finishJoin)

		get("provider", p.toProvider)

		get("you", known(p.you))
		post("you/add/begin", known(p.beginAdd))
		post("you/add/finish", known(p.finishAdd))
		post("you/remove", known(p.removePasskey))

		post("sign-out", p.signOut)
		post("sign-out/everywhere", known(p.signOutEverywhere))
	}
	mux.HandleFunc("GET /provider", p.serve(p.fromProvider))
	mux.HandleFunc("GET /", p.serve(func(http.ResponseWriter, *http.Request, *visit) error { return errNoPage }))
	return web.SecureForms(http.StripPrefix(Base, mux))
}

var errNoPage = errs.New(errs.NotFound, "there is no such page", "")

// serve answers a request.
func (p *Pages) serve(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.visit(r)
		if err := serve(w, r, v); err != nil {
			p.fail(w, r, v, err)
		}
	}
}

// form reads the form of a request before it is served.
func form(serve handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return errs.New(errs.Invalid, "the form is too large", "")
			}
			return errs.New(errs.Invalid, "the form cannot be read", "load the page again")
		}
		return serve(w, r, v)
	}
}

// known serves who has signed in.
func known(serve handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if !v.in {
			return errs.New(errs.Denied, "you have not signed in", "sign in, and try again")
		}
		return serve(w, r, v)
	}
}

// back leads the browser to a page after something was done.
func back(w http.ResponseWriter, r *http.Request, place string) error {
	http.Redirect(w, r, place, http.StatusSeeOther)
	return nil
}
