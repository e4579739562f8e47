package workspace

import (
	"context"
	"errors"
	"io"
	"net/http"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/workspace"
)

// maxAddendum is how many bytes an addendum and its signature may have, each.
const maxAddendum = 64 << 10

var errNoAddendum = errs.New(errs.Invalid, "the file is larger than any addendum", "give the addendum and its .sig as the coordinator sent them")

// postponeView says until when submissions are taken, and takes what moves that.
type postponeView struct {
	Says, Action string // no action: she may not
}

// postponeView returns it, or nil where there is no charter.
func (p *Pages) postponeView(ctx context.Context, v *visit) (*postponeView, error) {
	if v.survey.Charter == "" || v.survey.Deadline.IsZero() {
		return nil, nil
	}
	addenda, err := p.service.Addenda(ctx, v.person, v.survey.ID)
	if err != nil {
		return nil, err
	}
	deadline := v.survey.Deadline
	says := "postpone.until"
	if len(addenda) > 0 {
		says = "postpone.moved"
	}
	view := &postponeView{Says: v.T(says, "Date", v.Date(deadline.Unix()), "Time", deadline.UTC().Format("15:04"))}
	if v.person.May(workspace.DoOrganise) {
		view.Action = v.to.under(v.survey.ID, "sealing", "addendum")
	}
	return view, nil
}

// postpone keeps an addendum that a form brings as two files. They are read in memory.
func (p *Pages) postpone(w http.ResponseWriter, r *http.Request, v *visit) error {
	r.Body = http.MaxBytesReader(w, r.Body, 2*maxAddendum+maxEnvelope)
	files, err := filesOf(r)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large), len(files["addendum"]) > maxAddendum, len(files["signature"]) > maxAddendum:
		return errNoAddendum
	case err != nil || len(files["addendum"]) == 0 || len(files["signature"]) == 0:
		return errs.New(errs.Invalid, "the form does not have both files", "choose the addendum, and its signature, the file of the same name that ends in .sig")
	}
	addendum := coalition.SignedAddendum{Body: files["addendum"], Signature: files["signature"]}
	if _, err := p.service.Postpone(r.Context(), v.person, v.survey.ID, addendum); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "sealing")+"#deadline")
}

// maxFields is how many fields a form with files has at most.
const maxFields = 8

// filesOf returns what a form with files holds, by the names of its fields. It is read
// in memory: package http would put a large part of a form into a temporary file.
func filesOf(r *http.Request) (map[string][]byte, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if len(files) == maxFields {
			return nil, errs.New(errs.Invalid, "the form has more fields than it can have", "")
		}
		if files[part.FormName()], err = io.ReadAll(part); err != nil {
			return nil, err
		}
	}
}
