package workspace

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// evidenceView is where the evidence of a survey lies, and whether it is still the same.
type evidenceView struct {
	web.Page
	Kicker, Lead string
	Action       string // the beginning of where its forms go
	Folder       string
	FolderRev    string
	Reads        bool // evidence can be read from here
	Running      string
	Result       string // of the last reading
	Broken       int
	Rows         []evidenceRow
	May          mayView
}

// evidenceRow is an outcome that asks for evidence, or has some.
type evidenceRow struct {
	T        func(string, ...any) string
	Action   string
	ID, Href string
	Title    template.HTML
	Chip     chip
	Grade    string
	Missing  bool
	Carried  string // that it is of the cycle before; empty if it is not
	Pieces   []pieceView
	May      mayView
}

// pieceView is a reference with what is known of its piece.
type pieceView struct {
	ID, Rev, Place, Title, Link string
	Digest, Size                string
	Saved                       string
	State                       string // what the last reading found; empty: nothing
	Bad                         bool
	Retake                      bool // its digest can be taken anew
	Copy                        string
	CanCopy                     bool
}

func (p *Pages) evidence(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	saved, err := p.service.Entries(ctx, v.person, id)
	if err != nil {
		return err
	}
	references, err := p.service.References(ctx, v.person, id, "")
	if err != nil {
		return err
	}
	copies, err := p.service.Copies(ctx, v.person, id)
	if err != nil {
		return err
	}
	settings, revised, err := p.service.Settings(ctx, v.person)
	if err != nil {
		return err
	}
	view := evidenceView{
		Kicker: v.kicker(), Action: v.to.under(id, "evidence"), Folder: settings.Evidence, FolderRev: itoa(revised.Rev), Reads: p.pieces != nil,
		Lead: v.N("evidence.lead", len(references)), May: v.may("evidence"),
	}
	last, cut, err := p.looked(ctx, v, references)
	switch {
	case err != nil:
		return err
	case cut != nil:
		view.Result = v.T("evidence.cut", "Who", v.when(*cut))
	case last != nil:
		view.Running, view.Result = v.reading(last)
	}
	byOutcome := make(map[string][]workspace.SavedReference)
	for _, ref := range references {
		byOutcome[ref.Outcome] = append(byOutcome[ref.Outcome], ref)
	}
	for _, o := range v.pack.Outcomes() {
		e := saved[o.ID].Entry
		asked := e.Level == framework.Level3 || e.Level == framework.Level4
		if !asked && len(byOutcome[o.ID]) == 0 {
			continue
		}
		row := evidenceRow{T: v.T, Action: view.Action, ID: o.ID, Title: v.outcomes[o.ID].Title, Href: v.to.question(id, o.AreaID(), o.ID), Chip: v.chip(e.Level), Missing: e.Unproven(), May: view.May}
		if asked {
			row.Grade = v.grade(e.Evidence)
		}
		if e.Carried {
			row.Carried = v.T("evidence.carried")
		}
		for _, ref := range byOutcome[o.ID] {
			piece := v.piece(ref, last)
			if piece.Bad {
				view.Broken++
			}
			if _, ok := copies[o.ID+"/"+ref.ID]; ok {
				piece.Copy = v.to.under(id, "evidence", "copy", o.ID, ref.ID)
			}
			piece.CanCopy = p.pieces != nil && piece.Copy == "" && ref.SHA256 != "" && ref.Bytes <= workspace.MaxCopy && !ref.Address()
			row.Pieces = append(row.Pieces, piece)
		}
		view.Rows = append(view.Rows, row)
	}
	if view.Running != "" {
		w.Header().Set("Refresh", "2")
	}
	view.Page = p.page(v, v.T("evidence.title"), v.to.under(id, "evidence"), surveyPath(id)+"evidence")
	p.render(w, http.StatusOK, "evidence", view)
	return nil
}

// piece says of a reference what is known of its piece.
func (v *visit) piece(ref workspace.SavedReference, last *reading) pieceView {
	view := pieceView{ID: ref.ID, Rev: itoa(ref.Rev), Place: ref.Place, Title: ref.Title, Digest: ref.SHA256, Saved: v.when(ref.Revised)}
	switch {
	case ref.Address():
		view.Link = ref.Place
		view.State = v.T("evidence.address")
	case ref.SHA256 == "":
		view.State = v.T("evidence.unread")
	}
	if ref.Bytes > 0 { // who gave the digest alone did not say
		view.Size = v.size(ref.Bytes)
	}
	if fault, ok := last.fault(ref); ok {
		view.Bad = ref.SHA256 != ""
		view.State = v.T("fault." + string(fault))
		view.Retake = fault == workspace.FaultChanged
	}
	return view
}

// size writes a number of bytes.
func (v *visit) size(bytes int64) string {
	for _, unit := range []struct {
		shift uint
		name  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if bytes >= 1<<unit.shift {
			return v.T("evidence.size", "N", strconv.FormatInt((bytes+1<<(unit.shift-1))>>unit.shift, 10), "Unit", unit.name)
		}
	}
	return v.T("evidence.size", "N", strconv.FormatInt(bytes, 10), "Unit", v.T("evidence.bytes"))
}

// reading says how far a reading is, or what it found.
func (v *visit) reading(r *reading) (running, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.IsZero() {
		running = v.T("evidence.running", "N", r.done, "Of", r.total)
		if r.bytes > 0 {
			running += " " + v.T("evidence.piece", "Read", v.size(r.read), "Of", v.size(r.bytes))
		}
		return running, ""
	}
	when := v.T("evidence.when", "Date", v.Date(r.ended.Unix()), "Time", r.ended.UTC().Format("15:04"))
	if r.failed {
		return "", when + " " + v.T("evidence.failed")
	}
	return "", when + " " + v.N("evidence.found", len(r.faults), "Of", r.total)
}

// keepFolder keeps the folder in which paths of evidence begin.
func (p *Pages) keepFolder(w http.ResponseWriter, r *http.Request, v *visit) error {
	base, err := revision(r.PostForm, "rev")
	if err != nil {
		return err
	}
	settings, _, err := p.service.Settings(r.Context(), v.person)
	if err != nil {
		return err
	}
	settings.Evidence = text(r.PostForm, "folder")
	if _, err := p.service.PutSettings(r.Context(), v.person, base, settings); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "evidence"))
}

// readEvidence begins to read all evidence of the survey.
func (p *Pages) readEvidence(w http.ResponseWriter, r *http.Request, v *visit) error {
	if p.pieces == nil {
		return errNotRead()
	}
	if err := p.begin(r.Context(), v); err != nil {
		return err
	}
	return back(w, r, v.to.under(v.survey.ID, "evidence"))
}

func errNotRead() error {
	return errs.New(errs.Conflict, "evidence is not read from these pages", "muster workspace evidence check reads it")
}

// one finds the reference that a form is about.
func (p *Pages) oneReference(r *http.Request, v *visit) (workspace.SavedReference, error) {
	o, err := v.known(r.PostForm.Get("outcome"))
	if err != nil {
		return workspace.SavedReference{}, err
	}
	all, err := p.service.References(r.Context(), v.person, v.survey.ID, o.ID)
	if err != nil {
		return workspace.SavedReference{}, err
	}
	for _, ref := range all {
		if ref.ID == r.PostForm.Get("id") {
			return ref, nil
		}
	}
	return workspace.SavedReference{}, errs.New(errs.NotFound, "there is no such reference", "somebody may have removed it")
}

// atOnce is how long a request may read one piece: what takes longer is read in the
// background.
const atOnce = 4 * time.Second

// read reads one piece within a request.
func (p *Pages) read(ctx context.Context, v *visit, place string, keep bool) (workspace.Reading, error) {
	if p.pieces == nil {
		return workspace.Reading{}, errNotRead()
	}
	settings, _, err := p.service.Settings(ctx, v.person)
	if err != nil {
		return workspace.Reading{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, atOnce)
	defer cancel()
	return workspace.ReadPiece(ctx, workspace.ReadConfig{Pieces: p.pieces, Folder: settings.Evidence, Copy: keep}, place)
}

// pieceForm does with one piece what a button says.
func (p *Pages) pieceForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, err := p.oneReference(r, v)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), v.survey.ID
	switch r.PostForm.Get("do") {
	case "digest": // of what lies there now
		read, err := p.read(ctx, v, ref.Place, false)
		if err != nil {
			return err
		}
		base, err := revision(r.PostForm, "rev")
		if err != nil {
			return err
		}
		if _, err = p.service.Measured(ctx, v.person, id, ref.Outcome, ref.ID, base, read); err != nil {
			return err
		}
		p.readings.forget(id, ref)
	case "copy":
		read, err := p.read(ctx, v, ref.Place, true)
		if err != nil {
			return err
		}
		if err := p.service.KeepCopy(ctx, v.person, id, ref.Outcome, ref.ID, read); err != nil {
			return err
		}
	case "drop":
		if err := p.service.DropCopy(ctx, v.person, id, ref.Outcome, ref.ID); err != nil {
			return err
		}
	case "remove":
		if err := p.service.RemoveReference(ctx, v.person, id, ref.Outcome, ref.ID); err != nil {
			return err
		}
	default:
		return errs.New(errs.Invalid, "the form does not say what is to be done", "load the page again")
	}
	return back(w, r, v.to.under(id, "evidence")+"#"+anchor(ref.Outcome))
}

// copied gives out the copy of a piece.
func (p *Pages) copied(w http.ResponseWriter, r *http.Request, v *visit) error {
	ref, body, err := p.service.Copy(r.Context(), v.person, v.survey.ID, r.PathValue("outcome"), r.PathValue("id"))
	if err != nil {
		return err
	}
	download(w, workspace.CopyName(ref), "application/octet-stream", body)
	return nil
}

// download answers with a file for the person's disk. Names are made of ids.
func download(w http.ResponseWriter, name, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // an error means that the other side has gone
}

// addReference adds a reference, with its digest where the piece can be read at once,
// or with the one that its owner gives, who has it before her.
func (p *Pages) addReference(ctx context.Context, v *visit, ref assess.Reference) error {
	slow := false
	if read, err := p.read(ctx, v, ref.Place, false); err == nil {
		if ref.SHA256 != "" && ref.SHA256 != read.SHA256 {
			return errs.New(errs.Conflict, "the digest is not that of the file that lies there", "is it another version? leave the digest out, and it is taken from that file")
		}
		ref.SHA256, ref.Bytes = read.SHA256, read.Bytes
	} else if p.pieces != nil {
		slow = ref.SHA256 == "" && errs.KindOf(err) == errs.Unavailable
	}
	if _, err := p.service.AddReference(ctx, v.person, v.survey.ID, ref); err != nil {
		return err
	}
	if slow {
		return p.begin(ctx, v)
	}
	return nil
}
