package coordinator

import (
	"net/http"
	"strconv"

	"muster/internal/cycle"
	"muster/internal/edition"
	"muster/internal/errs"
	"muster/internal/web"
)

// draftView is an edition as the staff writes it, with what it comes to.
type draftView struct {
	web.Page
	Kicker, Heading            string
	State                      string
	Action, Text               string
	Faults, Warnings           []string
	Propose, Publish, Withdraw string // where these are said; empty where they would be refused
	Hint                       string // what comes next
	Digest                     string
	Read, Back                 web.Link
	Preview                    *sheetView
	Versions                   []stepView
	Acts                       []stepView
}

func (p *Pages) writeEdition(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, name := cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition"))
	d, err := p.cfg.Editions.Draft(r.Context(), v.person, id, name)
	if err != nil {
		return err
	}
	view := draftView{
		Kicker: v.T("cycle.kicker", "Cycle", string(id)), Heading: v.T("edition.name." + string(name)), State: v.editionState(d.State, d.Until), Action: v.to.edition(id, name, "write"),
		Text: d.Text, Digest: d.Digest, Back: web.Link{Text: v.T("nav.editions"), Href: v.to.home() + "editions"},
	}
	for _, f := range d.Faults {
		view.Faults = append(view.Faults, f.String())
	}
	for _, f := range d.Warnings {
		view.Warnings = append(view.Warnings, f.String())
	}
	v.acts(&view, d)
	if d.Document != nil {
		v.marking = d.Document.Marking
		sheet := v.sheet(d.Document, v.T("edition.preview"), "")
		view.Preview = &sheet
	}
	if d.Digest != "" {
		view.Read = web.Link{Text: v.T("edition.readProposed"), Href: v.to.edition(id, name) + "?version=" + strconv.Itoa(d.Number)}
	}
	view.Page = p.page(v, view.Heading, "cycle/"+string(id)+"/edition/"+string(name)+"/write")
	p.render(w, http.StatusOK, "draft", view)
	return nil
}

// acts adds what can be done with a draft now, and what was done.
func (v *visit) acts(view *draftView, d edition.Draft) {
	action := func(what string) string { return v.to.edition(d.Cycle, d.Name, what) }
	outside := d.Document != nil && d.Document.Outside()
	switch {
	case d.Number > 0 && len(d.Faults) == 0 && (d.State == edition.IsDraft || d.State == edition.IsRefused):
		view.Propose = action("propose")
	case d.State == edition.IsApproved && outside:
		view.Hint = v.T("edition.toChair", "Command", "muster silence propose")
	case d.State == edition.IsApproved || d.State == edition.IsAdopted:
		view.Publish = action("publish")
	}
	published := false
	for _, a := range d.Acts {
		published = a.Deed == edition.Published || published && a.Deed != edition.Withdrawn
		by := a.By
		reason := ""
		if a.Deed == edition.Withdrawn {
			reason = a.Reason
		}
		view.Acts = append([]stepView{{v.moment(a.At), v.T("edition.deed."+string(a.Deed), "N", a.Number), reason, by}}, view.Acts...)
	}
	if published {
		view.Withdraw = action("withdraw")
	}
	for _, one := range d.Versions {
		view.Versions = append([]stepView{{v.moment(one.At), v.T("edition.version", "N", one.Number), "", one.By}}, view.Versions...)
	}
}

func (p *Pages) keepEdition(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, name := cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition"))
	if _, err := p.cfg.Editions.Write(r.Context(), v.person, id, name, text(r, "text")+"\n"); err != nil {
		return err
	}
	return back(w, r, v.to.edition(id, name, "write")+"#preview")
}

func (p *Pages) proposeEdition(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, name := cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition"))
	if _, _, err := p.cfg.Editions.Propose(r.Context(), v.person, id, name); err != nil {
		return err
	}
	return back(w, r, v.to.edition(id, name, "write"))
}

func (p *Pages) publishEdition(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, name := cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition"))
	if _, err := p.cfg.Editions.Publish(r.Context(), v.person, id, name); err != nil {
		return err
	}
	return back(w, r, v.to.edition(id, name))
}

func (p *Pages) withdrawEdition(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, name := cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition"))
	reason := text(r, "reason")
	if reason == "" {
		return errs.New(errs.Invalid, "a withdrawal says why, in at most 1000 bytes", "")
	}
	if err := p.cfg.Editions.Withdraw(r.Context(), v.person, id, name, reason); err != nil {
		return err
	}
	return back(w, r, v.to.edition(id, name, "write"))
}
