package coordinator

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/audience"
	"muster/internal/cycle"
	"muster/internal/disclosure"
	"muster/internal/edition"
	"muster/internal/errs"
	"muster/internal/exchange/handout"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
	"muster/internal/web"
)

// editionsView is the editions that the reader may read, or may know of.
type editionsView struct {
	web.Page
	Lead string
	None string
	List []editionEntry
	Make []editionMake // for the staff
}

type editionEntry struct {
	Cycle, Name, Title, Href string
	TLP, For, State, At      string
	Why                      string // why she does not see it; else empty
}

// editionMake is a cycle of which editions can be made.
type editionMake struct {
	Cycle string
	Links []web.Link
}

func (p *Pages) editions(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := p.cfg.Editions.List(r.Context(), v.person)
	if err != nil {
		return err
	}
	view := editionsView{Lead: v.T("edition.lead"), None: v.T("edition.none")}
	for _, e := range list {
		view.List = append(view.List, v.entry(e))
	}
	if v.person.Is(cycle.RoleCoordinator) {
		cycles, err := p.cfg.Service.Cycles(r.Context(), v.person)
		if err != nil {
			return err
		}
		for _, c := range cycles {
			if c.Release == "" {
				continue
			}
			one := editionMake{Cycle: string(c.ID)}
			for _, name := range edition.Names() {
				one.Links = append(one.Links, web.Link{Text: v.T("edition.name." + string(name)), Href: v.to.edition(c.ID, name, "write")})
			}
			view.Make = append(view.Make, one)
		}
	}
	view.Page = p.page(v, v.T("nav.editions"), "editions")
	p.render(w, http.StatusOK, "editions", view)
	return nil
}

func (p places) edition(id cycle.ID, name edition.Name, rest ...string) string {
	return p.cycle(id, append([]string{"edition", string(name)}, rest...)...)
}

func (v *visit) entry(e edition.Entry) editionEntry {
	one := editionEntry{Cycle: string(e.Cycle), Name: v.T("edition.name." + string(e.Name)), Href: v.to.edition(e.Cycle, e.Name)}
	one.Title = v.T("edition.of", "Edition", one.Name, "Cycle", one.Cycle)
	if e.Why != "" {
		one.Why, one.Href = v.why(e), ""
		return one
	}
	one.State = v.editionState(e.State, e.Until)
	if e.State == edition.IsDraft {
		one.Href = v.to.edition(e.Cycle, e.Name, "write")
	}
	if d := e.Document; d != nil {
		one.Title, one.TLP, one.For = d.Title.In(v.Lang), d.TLP, v.forWhom(d)
		if e.State == edition.IsPublished && d.Embargo > 0 && time.Unix(d.Embargo, 0).After(e.At) {
			one.At = v.T("edition.from", "At", v.moment(time.Unix(d.Embargo, 0)))
		} else if !e.At.IsZero() {
			one.At = v.T("edition.publishedAt", "At", v.moment(e.At))
		}
	}
	return one
}

// why says why the reader does not see an edition of which she may know.
func (v *visit) why(e edition.Entry) string {
	if e.Why == audience.RuleEmbargo {
		return v.T("edition.why.embargo", "At", v.moment(e.Embargo))
	}
	return v.T("edition.why." + string(e.Why))
}

func (v *visit) editionState(s edition.State, until time.Time) string {
	at := ""
	if !until.IsZero() {
		at = v.moment(until)
	}
	return v.T("edition.state."+strings.ReplaceAll(string(s), " ", "-"), "At", at)
}

// forWhom says whom an edition is for.
func (v *visit) forWhom(d *edition.Document) string {
	var words []string
	for _, name := range d.For {
		words = append(words, v.T("edition.for."+name))
	}
	return v.T("edition.forWhom", "For", v.List(words))
}

// editionView is an edition as somebody reads it.
type editionView struct {
	web.Page
	Sheet sheetView
	State string
	Files []web.Link
	Write web.Link // for the staff; empty for anybody else
}

// sheetView is the edition itself: on its page, in a file, and as a preview.
type sheetView struct {
	*web.Printer
	Kicker, Heading string
	TLP, For, Copy  string
	Marking         string
	Sentence        string
	Blocks          []blockView
	Says, Scale     string
	Areas           []figuresView
	Digest          string
}

type blockView struct {
	Sort  string
	Spans []edition.Span
}

type figuresView struct {
	Title string
	Rows  []figureView
}

type figureView struct {
	ID, Title, Counted string
	Picture            template.HTML
	Bands              []bandView
}

type bandView struct{ Name, Count string }

// readEdition returns the edition of a request as its reader gets it. One that she may
// know of and does not see is an entry with the rule.
func (p *Pages) readEdition(r *http.Request, v *visit) (edition.Entry, error) {
	number := 0
	if text := r.URL.Query().Get("version"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return edition.Entry{}, errs.New(errs.NotFound, "there is no such edition", "")
		}
		number = n
	}
	return p.cfg.Editions.Read(r.Context(), v.person, cycle.ID(r.PathValue("cycle")), edition.Name(r.PathValue("edition")), number)
}

func (p *Pages) edition(w http.ResponseWriter, r *http.Request, v *visit) error {
	e, err := p.readEdition(r, v)
	if err != nil {
		return err
	}
	if e.Why != "" {
		return p.notHers(w, v, e)
	}
	if e.Document == nil {
		http.Redirect(w, r, v.to.edition(e.Cycle, e.Name, "write"), http.StatusSeeOther)
		return nil
	}
	sheet, err := p.sheet(r, v, e.Document)
	if err != nil {
		return err
	}
	rest := "cycle/" + string(e.Cycle) + "/edition/" + string(e.Name)
	view := editionView{Sheet: sheet}
	if e.State != edition.IsPublished {
		view.State = v.editionState(e.State, e.Until)
	}
	formats := []string{"html", "docx", "xlsx", "csv", "json"}
	if p.cfg.Print != nil {
		formats = slices.Insert(formats, 1, "pdf")
	}
	query := ""
	if number := r.URL.Query().Get("version"); number != "" {
		query = "?version=" + strconv.Itoa(e.Number)
	}
	for _, f := range formats {
		view.Files = append(view.Files, web.Link{Text: v.T("edition.file." + f), Href: v.to.edition(e.Cycle, e.Name, "file", f) + query})
	}
	if v.person.Is(cycle.RoleCoordinator) {
		view.Write = web.Link{Text: v.T("edition.write"), Href: v.to.edition(e.Cycle, e.Name, "write")}
	}
	v.marking = e.Document.Marking
	view.Page = p.page(v, e.Document.Title.In(v.Lang), rest)
	p.render(w, http.StatusOK, "edition", view)
	return nil
}

// notHers says that there is an edition and why it is not the reader's, who may know that.
func (p *Pages) notHers(w http.ResponseWriter, v *visit, e edition.Entry) error {
	one := v.entry(e)
	view := failView{Heading: one.Title, Why: one.Why, Back: web.Link{Text: v.T("nav.editions"), Href: v.to.home() + "editions"}}
	view.Page = p.page(v, one.Title, "cycle/"+one.Cycle+"/edition/"+string(e.Name))
	p.render(w, http.StatusForbidden, "fail", view)
	return nil
}

// sheet draws an edition for who reads it.
func (p *Pages) sheet(r *http.Request, v *visit, d *edition.Document) (sheetView, error) {
	body, err := d.Encode()
	if err != nil {
		return sheetView{}, err
	}
	copyFor, err := p.copyFor(r, v)
	return v.sheet(d, copyFor, keys.Digest(body)), err
}

// copyFor says whose copy it is: by name, and the parties that she is of.
func (p *Pages) copyFor(r *http.Request, v *visit) (string, error) {
	sight, err := p.cfg.Service.Sight(r.Context(), v.person)
	if err != nil {
		return "", err
	}
	var parties []string
	for _, name := range sight.Names {
		parties = append(parties, string(name))
	}
	if len(parties) == 0 {
		return v.T("edition.copy", "Name", v.person.Name), nil
	}
	return v.T("edition.copyOf", "Name", v.person.Name, "Parties", v.List(parties)), nil
}

func (v *visit) sheet(d *edition.Document, copyFor, digest string) sheetView {
	s := sheetView{
		Printer: v.Printer, Kicker: v.T("edition.of", "Edition", v.T("edition.name."+string(d.Edition)), "Cycle", d.Cycle), Heading: d.Title.In(v.Lang), TLP: d.TLP, For: v.forWhom(d), Copy: copyFor,
		Marking: d.Marking, Sentence: d.Sentence.In(v.Lang), Says: v.N("edition.says", d.TookPart, "Of", d.Members, "Least", d.Least), Scale: d.Scale.HouseRule.In(v.Lang), Digest: digest,
	}
	for _, b := range d.Text[v.Lang] {
		s.Blocks = append(s.Blocks, blockView{string(b.Sort), b.Spans})
	}
	for _, f := range d.Figures() {
		if !f.Block.Shown() {
			continue
		}
		if n := len(s.Areas); n == 0 || s.Areas[n-1].Title != v.areaTitle(d, f.Area) {
			s.Areas = append(s.Areas, figuresView{Title: v.areaTitle(d, f.Area)})
		}
		last := &s.Areas[len(s.Areas)-1]
		last.Rows = append(last.Rows, v.figure(f))
	}
	return s
}

func (v *visit) areaTitle(d *edition.Document, id string) string {
	i := slices.IndexFunc(d.Areas, func(a edition.Area) bool { return a.ID == id })
	return id + " " + d.Areas[i].Title.In(v.Lang)
}

// figure draws one block as a strip with its numbers in words.
func (v *visit) figure(f edition.Figure) figureView {
	one := figureView{ID: f.Outcome, Title: f.Title.In(v.Lang), Counted: release.KindWords(f.Kind).In(v.Lang)}
	if one.ID == "" {
		one.ID = f.Area
	}
	stack := web.Stack{Scale: scaleOf(f.Kind), Title: one.ID + " " + one.Counted, Thin: true, Bare: true}
	at := 0
	var words []string
	for _, b := range f.Block.Bands() {
		band := bandView{handout.Band(v.Lang, b), strconv.FormatUint(b.Count, 10)}
		one.Bands = append(one.Bands, band)
		words = append(words, band.Name+" : "+band.Count)
		stack.Segments = append(stack.Segments, web.Segment{First: at, Last: at + len(b.Units) - 1, Count: int(b.Count)})
		at += len(b.Units)
	}
	stack.Desc = strings.Join(words, ", ")
	one.Picture = stack.SVG()
	return one
}

// scaleOf returns the palette's scale for a kind of blocks.
func scaleOf(k framework.Kind) string {
	switch len(disclosure.Chain(k)) {
	case 3:
		return "state"
	case 5:
		if k == framework.KindEvidence {
			return "grade"
		}
		return "move"
	}
	return "level"
}

// editionFile gives out an edition as a file, for whom it is and nobody else.
func (p *Pages) editionFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	e, err := p.readEdition(r, v)
	if err != nil {
		return err
	}
	if e.Why != "" {
		return p.notHers(w, v, e)
	}
	if e.Document == nil {
		return errs.New(errs.NotFound, "there is no such edition", "")
	}
	sheet, err := p.sheet(r, v, e.Document)
	if err != nil {
		return err
	}
	format := r.PathValue("format")
	body, kind, err := p.write(r.Context(), v, e.Document, sheet, format)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s-%s-%d.%s", strings.NewReplacer(":", "-", "+", "-").Replace(e.Document.TLP), e.Cycle, e.Name, e.Number, format)
	if e.Document.Marking != "" {
		name = e.Document.Marking + "-" + name
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // an error means that the other side has gone
	return nil
}

// Export is an edition as a file for somebody who does not take it herself.
type Export struct {
	Document *edition.Document
	Lang     string // "en" or "fr"
	For      string // whose copy it is; empty for nobody's
	Format   string // html, pdf, docx, xlsx, csv or json
}

// Export returns the file.
func (p *Pages) Export(ctx context.Context, e Export) ([]byte, error) {
	body, err := e.Document.Encode()
	if err != nil {
		return nil, err
	}
	v := &visit{Printer: p.kit.Printer(e.Lang), to: places{p.cfg.Base, e.Lang}, coalition: e.Document.Coalition}
	copyFor := v.T("edition.copyNobody")
	if e.For != "" {
		copyFor = v.T("edition.copy", "Name", e.For)
	}
	file, _, err := p.write(ctx, v, e.Document, v.sheet(e.Document, copyFor, keys.Digest(body)), e.Format)
	return file, err
}

func (p *Pages) write(ctx context.Context, v *visit, d *edition.Document, sheet sheetView, format string) ([]byte, string, error) {
	var b bytes.Buffer
	switch format {
	case "html", "pdf":
		if err := p.drawSheet(&b, v, sheet); err != nil {
			return nil, "", err
		}
		if format == "html" {
			return b.Bytes(), "text/html; charset=utf-8", nil
		}
		if p.cfg.Print == nil {
			return nil, "", errs.New(errs.NotFound, "this machine prints no PDF", "print the page from your browser")
		}
		body, err := p.cfg.Print(ctx, b.Bytes())
		return body, "application/pdf", err
	}
	err := handout.Write(&b, handout.Format(format), handout.Copy{
		Document: d, Digest: sheet.Digest, Lang: v.Lang, For: sheet.Copy,
		Words: handout.Words{Says: sheet.Says, Outcome: v.T("edition.outcome"), Counted: v.T("edition.counted"), Members: v.T("edition.members"), Figures: v.T("edition.figures"), Page: v.T("edition.page"), Of: v.T("edition.pageOf")},
	})
	return b.Bytes(), handout.Format(format).Type(), err
}

// fileView is an edition as one file that needs no network.
type fileView struct {
	web.Page
	Sheet  sheetView
	Style  template.CSS
	Policy string
}

func (p *Pages) drawSheet(b *bytes.Buffer, v *visit, sheet sheetView) error {
	v.marking = sheet.Marking
	view := fileView{Sheet: sheet, Style: p.kit.Assets.Inline(), Policy: p.kit.Assets.InlinePolicy()}
	view.Page = p.page(v, sheet.Heading, "")
	return p.templates["file"].ExecuteTemplate(b, "file", view)
}
