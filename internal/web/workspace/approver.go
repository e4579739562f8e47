package workspace

import (
	"net/http"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/web"
	"muster/internal/workspace"
)

// keyView is a registered key.
type keyView struct {
	ID, Name, Rev, Words, For string
}

// compareView shows the words of a key that is to be registered.
type compareView struct {
	web.Page
	Kicker, Name string
	Words        []string
	Action       string
	Hidden       []hidden
	Back         web.Link
}

// signedBy says who signed a decision, and with what; or that nobody did.
func (v *visit) signedBy(d assess.Decision) string {
	switch {
	case d.Lapsed:
		return v.T("approval.lapsed")
	case !d.Signed():
		return v.T("approval.unsigned")
	case d.Approval.Kind == assess.ApprovalKey:
		return v.T("approval.signed", "Name", d.By, "Words", words(d.Approval.Key))
	}
	return v.signedWith(d)
}

// words are the first of a key's fingerprint, to tell keys apart on paper.
func words(key keys.Public) string {
	const enough = 4
	return strings.Join(keys.Words(key.Digest())[:enough], " ")
}

// keys lists what is registered.
func (v *visit) keys(registered []workspace.SavedApprover, chain []assess.Step) []keyView {
	names := make(map[string]string)
	for _, step := range chain {
		names[step.ID] = step.Name
	}
	var all []keyView
	for _, a := range registered {
		var at []string
		for _, step := range a.Steps {
			at = append(at, nameOf(names, step))
		}
		if a.Verifier {
			at = append(at, v.T("approval.verifier"))
		}
		all = append(all, keyView{a.ID, a.Name(), itoa(a.Rev), strings.Join(keys.Words(a.Key.Digest()), " "), v.List(at)})
	}
	return all
}

// putKey registers a key, after its words were shown; or takes one off the register.
func (p *Pages) putKey(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, place := r.Context(), v.to.under(v.survey.ID, "signoff")
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	if id := r.PostForm.Get("remove"); id != "" {
		if err := p.service.RemoveApprover(ctx, v.person, base, id); err != nil {
			return err
		}
		return back(w, r, place+"#keys")
	}
	a := workspace.Approver{
		ID: text(r.PostForm, "id"), Key: keys.Public(text(r.PostForm, "public")), Steps: r.PostForm["at"], Verifier: r.PostForm.Has("verifier"),
	}
	if err := workspace.CheckApprover(a); err != nil {
		return err
	}
	if r.PostForm.Has("compared") {
		if _, err := p.service.PutApprover(ctx, v.person, base, a); err != nil {
			return err
		}
		return back(w, r, place+"#keys")
	}
	view := compareView{
		Kicker: v.kicker(), Name: a.Name(), Words: keys.WordLines(a.Key.Digest()), Action: v.to.under(v.survey.ID, "signoff", "key"),
		Hidden: append([]hidden{{"rev", itoa(base)}, {"id", a.ID}, {"public", string(a.Key)}}, append(many("at", a.Steps), tick("verifier", a.Verifier)...)...),
		Back:   web.Link{Text: v.T("approval.doNot"), Href: place},
	}
	view.Page = p.page(v, v.T("approval.compare"), place, surveyPath(v.survey.ID)+"signoff")
	p.render(w, http.StatusOK, "compare", view)
	return nil
}

// statement gives out a signed file.
func (p *Pages) statement(w http.ResponseWriter, r *http.Request, v *visit) error {
	parts, err := p.service.Signed(r.Context(), v.person, v.survey.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(parts, func(part workspace.SignedPart) bool { return part.Name == r.PathValue("file") })
	if i < 0 {
		return errs.New(errs.NotFound, "nothing of that name is signed that counts now", "")
	}
	kind := "application/json"
	if strings.HasSuffix(parts[i].Name, workspace.NoteExt) {
		kind = "text/plain; charset=utf-8"
	}
	download(w, parts[i].Name, kind, parts[i].Body)
	return nil
}

// errSigned refuses to approve on a page what is approved with a key.
func errSigned() error {
	return errs.New(errs.Conflict, "this step approves with a signature", "muster workspace approve signs, with the key file")
}
