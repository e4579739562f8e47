package account

import (
	"net/http"
	"time"

	"muster/internal/account"
	"muster/internal/errs"
	"muster/internal/web"
)

// youView is what somebody can do about her own ways in.
type youView struct {
	web.Page
	Heading, Lead      string
	Credentials        []credentialView
	Begin, Finish      string
	Remove             string
	SignOut, SignOutIn string
}

type credentialView struct {
	Kind, ID, Issuer, Name, Says string
	Only                         bool // it is the only one
}

func (p *Pages) you(w http.ResponseWriter, r *http.Request, v *visit) error {
	credentials, err := p.accounts.Credentials(r.Context(), v.person.ID)
	if err != nil {
		return err
	}
	view := youView{
		Heading: v.person.Name, Lead: v.N("you.lead", len(credentials)), Begin: v.to("you/add/begin"), Finish: v.to("you/add/finish"),
		Remove: v.to("you/remove"), SignOut: v.to("sign-out"), SignOutIn: v.to("sign-out/everywhere"),
	}
	for _, c := range credentials {
		one := credentialView{Kind: string(c.Kind), ID: c.ID, Issuer: c.Issuer, Name: c.Name, Only: len(credentials) == 1}
		if c.Kind == account.KindProvider {
			one.Name, one.ID = v.T("you.provider", "Name", c.Issuer), c.ID
		}
		one.Says = v.T("you.added", "Date", v.Date(c.Added.Unix()))
		if !c.Used.IsZero() {
			one.Says += " " + v.T("you.used", "Date", v.Date(c.Used.Unix()))
		}
		view.Credentials = append(view.Credentials, one)
	}
	view.Page = p.page(v, v.T("enter.you"), "you")
	p.render(w, http.StatusOK, "you", view)
	return nil
}

// recently is how long after she signed in somebody may add a passkey: who finds an
// open browser cannot make it her own.
const recently = 15 * time.Minute

func (p *Pages) beginAdd(w http.ResponseWriter, r *http.Request, v *visit) error {
	if began := time.UnixMicro(p.sessions.GetInt64(r.Context(), beganKey)); p.now().Sub(began) > recently {
		return errs.New(errs.Denied, "you signed in a while ago", "sign out, sign in again, and add the passkey then")
	}
	ceremony, err := p.accounts.BeginAdd(r.Context(), v.person.ID)
	return begun(w, ceremony, err)
}

func (p *Pages) finishAdd(w http.ResponseWriter, r *http.Request, v *visit) error {
	err := p.accounts.FinishAdd(r.Context(), v.person.ID, r.PostForm.Get("flow"), r.PostForm.Get("name"), []byte(r.PostForm.Get("response")))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, reply{Next: v.to("you")})
	return nil
}

func (p *Pages) removePasskey(w http.ResponseWriter, r *http.Request, v *visit) error {
	key := account.CredentialKey{Kind: account.CredentialKind(r.PostForm.Get("kind")), Issuer: r.PostForm.Get("issuer"), ID: r.PostForm.Get("id")}
	if err := p.accounts.RemoveCredential(r.Context(), v.person.ID, key); err != nil {
		return err
	}
	return back(w, r, v.to("you"))
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.in {
		if err := p.accounts.SignOut(r.Context(), v.person, v.source); err != nil {
			return err
		}
	}
	if err := p.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	return back(w, r, v.to("sign-in"))
}

func (p *Pages) signOutEverywhere(w http.ResponseWriter, r *http.Request, v *visit) error {
	if _, err := p.accounts.SignOutEverywhere(r.Context(), v.person.Name, v.person.ID); err != nil {
		return err
	}
	if err := p.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	return back(w, r, v.to("sign-in"))
}

// BeginAssertion asks the person of a request to sign a text with a passkey of hers.
func (p *Pages) BeginAssertion(r *http.Request, text []byte) (account.Ceremony, error) {
	person, _ := PersonOf(r.Context()) // behind the guard there is somebody
	return p.accounts.BeginAssertion(r.Context(), person.ID, text)
}

// FinishAssertion returns the text that she was asked to sign, and what signed it.
func (p *Pages) FinishAssertion(r *http.Request, flow string, response []byte) ([]byte, account.Assertion, error) {
	person, _ := PersonOf(r.Context())
	return p.accounts.FinishAssertion(r.Context(), person.ID, flow, response, web.Source(r))
}
