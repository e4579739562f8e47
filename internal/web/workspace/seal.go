package workspace

import (
	"context"
	"net/http"
	"strconv"

	"muster/internal/errs"
	"muster/internal/workspace"
)

// Sealer seals a survey, and keeps the sealed files in the workspace's folder until
// they are carried or delivered. It has the member's key, which these pages do not.
type Sealer interface {
	// AsksPassphrase reports whether Seal wants the workspace's passphrase once more.
	AsksPassphrase() bool

	// Seal seals exactly what has the digest and returns the number of the submission.
	// It is Denied if the passphrase is another, and a Conflict if something else would
	// be sealed, something keeps it from that, or the deadline is over. The passphrase
	// is not kept.
	Seal(ctx context.Context, person workspace.Person, id workspace.SurveyID, digest, passphrase string) (uint64, error)

	// File returns the name and the content of a sealed file that is kept. It is
	// NotFound if there is none.
	File(id workspace.SurveyID, number uint64) (name string, body []byte, err error)
}

// seal seals the survey after the page before sealing was read.
func (p *Pages) seal(w http.ResponseWriter, r *http.Request, v *visit) error {
	if p.sealer == nil {
		return errs.New(errs.Conflict, "nothing is sealed from these pages", "muster workspace seal does")
	}
	if err := p.service.MaySeal(v.person); err != nil { // before anybody can try a passphrase
		return err
	}
	slowly(w) // a passphrase takes long to try, and a machine may be busy
	passphrase := r.PostForm.Get("passphrase")
	r.PostForm.Del("passphrase")
	if _, err := p.sealer.Seal(r.Context(), v.person, v.survey.ID, r.PostForm.Get("digest"), passphrase); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "sealing")+"#sealed")
}

// sealedFile gives out a sealed file, for carrying.
func (p *Pages) sealedFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err != nil || p.sealer == nil {
		return errs.New(errs.NotFound, "there is no such sealed file", "")
	}
	if _, err := p.service.Sealings(r.Context(), v.person, v.survey.ID); err != nil { // who may not see them
		return err
	}
	name, body, err := p.sealer.File(v.survey.ID, number)
	if err != nil {
		return err
	}
	download(w, name, "application/json", body)
	return nil
}
