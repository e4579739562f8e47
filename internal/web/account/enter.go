package account

import (
	"net/http"
	"net/url"

	"muster/internal/account"
	"muster/internal/errs"
	"muster/internal/web"
)

// signInView is the page on which somebody signs in.
type signInView struct {
	web.Page
	Begin, Finish, Next string
	Provider            web.Link // empty if there is none
	JoinHref            string
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	next := local(r.URL.Query().Get("to"))
	if v.in {
		return back(w, r, next)
	}
	view := signInView{Begin: v.to("sign-in/begin"), Finish: v.to("sign-in/finish"), Next: next, JoinHref: v.to("join")}
	if p.provider != "" {
		view.Provider = web.Link{Text: v.T("enter.by", "Name", p.provider), Href: v.to("provider")}
	}
	rest := "sign-in"
	if next != "/" {
		rest += "?" + url.Values{"to": {next}}.Encode()
	}
	view.Page = p.page(v, v.T("enter.signIn"), rest)
	p.render(w, http.StatusOK, "signin", view)
	return nil
}

func (p *Pages) beginSignIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	ceremony, err := p.accounts.BeginSignIn(r.Context(), v.source)
	return begun(w, ceremony, err)
}

func begun(w http.ResponseWriter, ceremony account.Ceremony, err error) error {
	if err == nil {
		writeJSON(w, http.StatusOK, reply{Flow: ceremony.Flow, Options: ceremony.Options})
	}
	return err
}

func (p *Pages) finishSignIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	person, err := p.accounts.FinishSignIn(r.Context(), r.PostForm.Get("flow"), []byte(r.PostForm.Get("response")), v.source)
	if err != nil {
		return err
	}
	if err := p.enter(r.Context(), person); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, reply{Next: local(r.PostForm.Get("next"))})
	return nil
}

// joinView is the page of who was invited.
type joinView struct {
	web.Page
	Heading, Lead string
	Asks          bool // for the token of an invitation
	Action        string
	Begin, Finish string
	Provider      web.Link // empty if there is none
}

// join takes the token out of the address, so that it stays in no page, and shows who
// is invited. Nothing is used up: who only looks, as programs that read mail do, has
// not joined.
func (p *Pages) join(w http.ResponseWriter, r *http.Request, v *visit) error {
	if r.URL.Query().Has("invitation") {
		setCookie(w, joinCookie, r.URL.Query().Get("invitation"))
		return back(w, r, v.to("join"))
	}
	view := joinView{Heading: v.T("join.heading"), Lead: v.T("join.ask"), Asks: true, Action: v.to("join")}
	if token := cookie(r, joinCookie); token != "" {
		person, until, err := p.accounts.Invited(r.Context(), token, v.source)
		if err != nil {
			setCookie(w, joinCookie, "")
			return err
		}
		view.Asks, view.Heading = false, v.T("join.welcome", "Name", person.Name)
		view.Lead = v.T("join.lead", "Date", v.Date(until.Unix()), "Time", until.UTC().Format("15:04"))
		view.Begin, view.Finish = v.to("join/begin"), v.to("join/finish")
		if p.provider != "" {
			view.Provider = web.Link{Text: v.T("join.by", "Name", p.provider), Href: v.to("provider?join=1")}
		}
	}
	view.Page = p.page(v, view.Heading, "join")
	p.render(w, http.StatusOK, "join", view)
	return nil
}

func (p *Pages) giveInvitation(w http.ResponseWriter, r *http.Request, v *visit) error {
	token := r.PostForm.Get("invitation")
	if u, err := url.Parse(token); err == nil && u.Query().Has("invitation") { // somebody pasted the whole address
		token = u.Query().Get("invitation")
	}
	if _, _, err := p.accounts.Invited(r.Context(), token, v.source); err != nil {
		return err
	}
	setCookie(w, joinCookie, token)
	return back(w, r, v.to("join"))
}

func (p *Pages) beginJoin(w http.ResponseWriter, r *http.Request, v *visit) error {
	ceremony, err := p.accounts.BeginJoin(r.Context(), cookie(r, joinCookie), v.source)
	return begun(w, ceremony, err)
}

func (p *Pages) finishJoin(w http.ResponseWriter, r *http.Request, v *visit) error {
	person, err := p.accounts.FinishJoin(r.Context(), r.PostForm.Get("flow"), r.PostForm.Get("name"), []byte(r.PostForm.Get("response")), v.source)
	if err != nil {
		return err
	}
	setCookie(w, joinCookie, "")
	if err := p.enter(r.Context(), person); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, reply{Next: "/"})
	return nil
}

// toProvider sends the browser to the provider.
func (p *Pages) toProvider(w http.ResponseWriter, r *http.Request, v *visit) error {
	token := ""
	if r.URL.Query().Get("join") == "1" {
		if token = cookie(r, joinCookie); token == "" {
			return errs.New(errs.Conflict, "there is no invitation to join with", "open the address of the invitation again")
		}
	}
	flow, address, err := p.accounts.BeginProvider(r.Context(), token, v.source)
	if err != nil {
		return err
	}
	setCookie(w, flowCookie, flow)
	return back(w, r, address)
}

// fromProvider takes back who comes from the provider. The browser has the cookie of
// the flow, so that nobody is signed in as somebody else by a link.
func (p *Pages) fromProvider(w http.ResponseWriter, r *http.Request, v *visit) error {
	flow := cookie(r, flowCookie)
	setCookie(w, flowCookie, "")
	query := r.URL.Query()
	if query.Has("error") { // its text is the provider's, and not shown
		return errs.New(errs.Denied, "the provider has not signed you in", "try again, or ask whoever runs it")
	}
	person, joined, err := p.accounts.FinishProvider(r.Context(), flow, query.Get("state"), query.Get("code"), v.source)
	if err != nil {
		return err
	}
	if joined {
		setCookie(w, joinCookie, "")
	}
	if err := p.enter(r.Context(), person); err != nil {
		return err
	}
	return back(w, r, "/")
}
