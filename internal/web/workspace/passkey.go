package workspace

import (
	"net/http"

	"muster/internal/account"
	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/workspace"
)

// Passkeys lets who has signed in sign something with a passkey of hers.
type Passkeys interface {
	// BeginAssertion asks the person of a request to sign a text. It is a Conflict if
	// she has no passkey.
	BeginAssertion(r *http.Request, text []byte) (account.Ceremony, error)

	// FinishAssertion returns the text that she was asked to sign and what signed it.
	// It is Denied if it was not a passkey of hers, and a Conflict if nothing was begun.
	FinishAssertion(r *http.Request, flow string, response []byte) ([]byte, account.Assertion, error)
}

// passkeyView is what a button that asks for a passkey has.
type passkeyView struct {
	Begin, Finish, Refused, Lost, Unsupported, NoScript string
}

// passkey returns the button of a page below a survey, nil where nobody signs with
// passkeys.
func (p *Pages) passkey(v *visit, page string) *passkeyView {
	if p.team == nil {
		return nil
	}
	return &passkeyView{
		Begin: v.to.under(v.survey.ID, page, "passkey", "begin"), Finish: v.to.under(v.survey.ID, page, "passkey", "finish"),
		Refused: v.T("team.refused"), Lost: v.T("team.lost"), Unsupported: v.T("team.unsupported"), NoScript: v.T("team.noscript"),
	}
}

// errUnsigned refuses what is signed with a passkey where several share a workspace.
func errUnsigned() error {
	return errs.New(errs.Conflict, "here this is signed with a passkey", "use the button of the page; it needs JavaScript")
}

// errAlone says that nobody signs with a passkey where a workspace is one person's.
var errAlone = errs.New(errs.NotFound, "nobody signs with a passkey here", "muster workspace serve --team serves a workspace to several")

// askPasskey asks for a passkey over a text.
func (p *Pages) askPasskey(w http.ResponseWriter, r *http.Request, text func() ([]byte, error)) error {
	if p.team == nil {
		return errAlone
	}
	body, err := text()
	if err != nil {
		return err
	}
	ceremony, err := p.team.BeginAssertion(r, body)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, reply{Flow: ceremony.Flow, Options: ceremony.Options})
	return nil
}

// takePasskey keeps what was signed and leads on.
func (p *Pages) takePasskey(w http.ResponseWriter, r *http.Request, place string, keep func(text []byte, signed account.Assertion) (workspace.SurveyID, error)) error {
	if p.team == nil {
		return errAlone
	}
	text, signed, err := p.team.FinishAssertion(r, r.PostForm.Get("flow"), []byte(r.PostForm.Get("response")))
	if err != nil {
		return err
	}
	if _, err := keep(text, signed); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, reply{Next: place})
	return nil
}

func (p *Pages) beginApproval(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.askPasskey(w, r, func() ([]byte, error) {
		return p.service.PasskeyApproval(r.Context(), v.person, v.survey.ID, r.PostForm.Get("step"), r.PostForm.Get("digest"))
	})
}

func (p *Pages) finishApproval(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.takePasskey(w, r, v.to.under(v.survey.ID, "signoff"), func(text []byte, signed account.Assertion) (workspace.SurveyID, error) {
		return p.service.AcceptPasskeyApproval(r.Context(), v.person, text, signed)
	})
}

func (p *Pages) beginOpinion(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.askPasskey(w, r, func() ([]byte, error) {
		return p.service.PasskeyOpinion(r.Context(), v.person, v.survey.ID, r.PostForm.Get("digest"), text(r.PostForm, "text"))
	})
}

func (p *Pages) finishOpinion(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.takePasskey(w, r, v.to.under(v.survey.ID, "verification")+"#opinion", func(text []byte, signed account.Assertion) (workspace.SurveyID, error) {
		return p.service.AcceptPasskeyOpinion(r.Context(), v.person, text, signed)
	})
}

// signedWith says whose passkey signed, or that what is kept does not verify.
func (v *visit) signedWith(d assess.Decision) string {
	signed, err := workspace.VerifyPasskey(d.Approval)
	if err != nil {
		return v.T("team.broken")
	}
	return v.T("team.signed", "Name", d.By, "Passkey", signed.Name, "Site", signed.Site)
}
