package cascade

import (
	"net/http"

	"muster/internal/web"
)

// methodView is what the numbers mean.
type methodView struct {
	web.Page
	Parts []methodPart
}

type methodPart struct{ Heading, Text string }

func (p *Pages) serveMethod(w http.ResponseWriter, _ *http.Request, v *visit) error {
	var view methodView
	for _, part := range []string{"model", "share", "cases", "draws", "together", "unknown", "limits"} {
		view.Parts = append(view.Parts, methodPart{v.T("method." + part + ".title"), v.T("method." + part + ".text")})
	}
	limits := &view.Parts[len(view.Parts)-1].Text
	levels, release := p.known()
	if !levels && !release {
		*limits += " " + v.T("method.answers.none")
	}
	if levels {
		*limits += " " + v.T("method.answers.levels")
	}
	if release {
		*limits += " " + v.T("method.answers.release")
	}
	view.Page = v.page(v.T("method.title"), v.to.method(), v.to.rest(v.to.method()))
	p.render(w, http.StatusOK, "method", view)
	return nil
}
