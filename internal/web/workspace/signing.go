package workspace

import (
	"net/http"

	"muster/internal/web"
	"muster/internal/workspace"
)

// signingView is what stands in place of the page before sealing where the
// coordinator answers for the coalition: it signs, and nothing is sealed.
type signingView struct {
	web.Page
	Kicker, Heading, Lead string
	Blocked, CheckHref    string
	Command, Digest       string
}

func (p *Pages) serveSigning(w http.ResponseWriter, v *visit, is workspace.Sealable) error {
	view := signingView{
		Kicker: v.kicker(), Heading: v.T("signing.heading"), Lead: v.T("signing.lead"), CheckHref: v.to.under(is.Survey, "check"),
		Command: "muster collect collective --workspace . --survey " + string(is.Survey) + " --dir COORDINATOR --out collective.json",
		Digest:  is.Digest,
	}
	if n := len(is.Blockers); n > 0 {
		view.Blocked = v.N("sealing.blocked", n)
	}
	view.Page = p.page(v, v.T("nav.sealing"), v.to.under(is.Survey, "sealing"), surveyPath(is.Survey)+"sealing")
	p.render(w, http.StatusOK, "signing", view)
	return nil
}
