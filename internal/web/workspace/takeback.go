package workspace

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/intake"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// Files that were read wait in memory until they are taken in: so many, and so long.
const (
	maxWaiting  = 8
	waitingTime = 30 * time.Minute
	maxLine     = 4 << 10 // bytes of a field that is no file
)

// waitingBook is a file that somebody has looked at and not taken in yet.
type waitingBook struct {
	id     string
	person string
	survey workspace.SurveyID
	name   string // of the body, for the page
	file   *intake.File
	until  time.Time
	asked  []intake.Choice // the cells that the page asks about, in its order
}

// keepWaiting keeps a file under a new id in the place of the same person's other of
// that body. Where there are enough, the oldest goes.
func (p *Pages) keepWaiting(b waitingBook) (string, error) {
	var err error
	if b.id, err = draw(p.rand); err != nil {
		return "", err
	}
	b.until = p.now().Add(waitingTime)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.files = slices.DeleteFunc(p.files, func(o waitingBook) bool {
		return now.After(o.until) || o.person == b.person && o.survey == b.survey && o.file.Body() == b.file.Body()
	})
	if len(p.files) >= maxWaiting {
		p.files = slices.Delete(p.files, 0, 1)
	}
	p.files = append(p.files, b)
	return b.id, nil
}

// takeWaiting returns a file that the person has looked at, which then waits no longer.
func (p *Pages) takeWaiting(id string, v *visit) (waitingBook, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.files, func(o waitingBook) bool {
		return o.id == id && o.person == v.person.Name && o.survey == v.survey.ID && !p.now().After(o.until)
	})
	if i < 0 {
		return waitingBook{}, false
	}
	b := p.files[i]
	p.files = slices.Delete(p.files, i, i+1)
	return b, true
}

// reportView says of every cell of a file what becomes of it, or became.
type reportView struct {
	web.Page
	Kicker, Heading, Lead string
	Action, ID            string // where it is taken in; empty: there is nothing more to do
	Take                  string // of the button
	Done                  bool
	Counts                []sheetCount
	Conflicts             []conflictRow
	Groups                []cellGroup
	Ignored               string
	Absent                string
	FormLink              web.Link // where conflicts of the form are decided
	Back                  web.Link
}

// conflictRow is an outcome of which cells are in conflict.
type conflictRow struct {
	ID    string
	Title template.HTML
	Cells []reportCell
	Rest  []reportCell // the others that the file changes: they wait for these
}

// cellGroup is the cells that became the same.
type cellGroup struct {
	Heading, Says string
	Open          bool
	Cells         []reportCell
	To            web.Link // where they are decided; empty for nowhere
}

type reportCell struct {
	Place, ID, Field   string
	Title              template.HTML
	Base, Mine, Theirs string
	Name               string // of the choice; empty: nothing is asked
	Why                *saying
}

// readWorkbook takes a file by a form, reads it and shows what would become of it.
// Nothing is saved. What cannot be read is named cell by cell, beside the form.
func (p *Pages) readWorkbook(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	if err := p.mayGive(ctx, v); err != nil {
		return err
	}
	slowly(w)
	r.Body = http.MaxBytesReader(w, r.Body, workbook.MaxSize+maxEnvelope)
	sent, err := readSent(r)
	if err == nil && len(sent["file"]) == 0 {
		err = errs.New(errs.Invalid, "no file was chosen", "choose the workbook that came back")
	}
	var file *intake.File
	body := string(sent["body"])
	if err == nil {
		file, err = p.readFile(ctx, v, body, sent)
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		err = errs.New(errs.Invalid, "the file is larger than any workbook", "choose the workbook that came back")
	}
	if kind := errs.KindOf(err); kind == errs.Invalid || kind == errs.Denied {
		return p.readAgain(ctx, w, v, body, err)
	}
	if err != nil {
		return err
	}
	waits := waitingBook{person: v.person.Name, survey: v.survey.ID, name: v.T("books.member", "Member", v.member), file: file}
	if body != "" {
		names, err := p.bodyNames(ctx, v)
		if err != nil {
			return err
		}
		waits.name = nameOf(names, body)
	}
	return p.report(ctx, w, v, waits, intake.How{DryRun: true})
}

// readSent reads the fields of a form with a file, all of them in memory.
func readSent(r *http.Request) (map[string][]byte, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, errs.Wrap(err, errs.Invalid, "the form cannot be read", "load the page again")
	}
	sent := make(map[string][]byte)
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err == nil {
			most := int64(maxLine)
			if part.FormName() == "file" {
				most = workbook.MaxSize
			}
			sent[part.FormName()], err = io.ReadAll(http.MaxBytesReader(nil, part, most))
		}
		var large *http.MaxBytesError
		if err != nil && !errors.As(err, &large) {
			return nil, errs.Wrap(err, errs.Invalid, "the form cannot be read", "load the page again")
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *Pages) readFile(ctx context.Context, v *visit, body string, sent map[string][]byte) (*intake.File, error) {
	blanks := workbook.BlanksKeep
	if len(sent["blanks"]) > 0 {
		blanks = workbook.BlanksClear
	}
	if err := p.oneBook(ctx); err != nil {
		return nil, err
	}
	defer p.bookDone()
	return intake.Read(ctx, intake.Config{
		Service: p.service, Person: v.person, Name: v.T("books.file"), Password: string(sent["password"]),
		Body: body, Own: body == "", Blanks: blanks,
	}, bytes.NewReader(sent["file"]), int64(len(sent["file"])))
}

// readAgain asks for a file again and says why this one was not read.
func (p *Pages) readAgain(ctx context.Context, w http.ResponseWriter, v *visit, body string, err error) error {
	view, failed := p.workbooksView(ctx, v)
	if failed != nil {
		return failed
	}
	d := errs.Describe(err)
	if len(d.Faults) == 1 && placeOf(d.Faults[0]) == "" { // of the whole file
		d = errs.Description{Message: d.Faults[0].Message, Hint: d.Faults[0].Allowed}
	}
	if len(d.Faults) > 0 {
		view.Fault = &saying{Text: template.HTML(template.HTMLEscapeString(v.N("books.faults", len(d.Faults))))}
	} else {
		says := v.says(d)
		view.Fault = &says
	}
	for _, f := range d.Faults {
		view.Faults = append(view.Faults, faultView{placeOf(f), f.Field, v.says(errs.Description{Message: f.Message, Hint: f.Allowed})})
	}
	for i := range view.Whose {
		view.Whose[i].Selected = view.Whose[i].Value == body
	}
	p.render(w, http.StatusUnprocessableEntity, "workbooks", *view)
	return nil
}

func placeOf(f errs.Fault) string {
	switch {
	case f.Cell != "":
		return f.Cell
	case f.Line > 0:
		return strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column)
	}
	return ""
}

// takeWorkbook takes a file in that somebody has looked at, with what she decided.
func (p *Pages) takeWorkbook(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.mayGive(r.Context(), v); err != nil {
		return err
	}
	waits, ok := p.takeWaiting(r.PostForm.Get("id"), v)
	if !ok {
		return errs.New(errs.NotFound, "the file is here no longer", "it waits for half an hour, and until the program ends; choose it again")
	}
	how := intake.How{}
	for i, asked := range waits.asked {
		if take := r.PostForm.Get("take-" + strconv.Itoa(i)); take == "mine" || take == "theirs" {
			asked.Mine = take == "mine"
			how.Choices = append(how.Choices, asked)
		}
	}
	return p.report(r.Context(), w, v, waits, how)
}

// report takes a file, or looks at what would become of it, and says so. What is still
// to be decided waits.
func (p *Pages) report(ctx context.Context, w http.ResponseWriter, v *visit, waits waitingBook, how intake.How) error {
	result, err := waits.file.Take(ctx, v.person, how)
	if err != nil {
		return err
	}
	id := v.survey.ID
	view := reportView{
		Kicker: v.kicker(), Done: !how.DryRun, Back: web.Link{Text: v.T("books.title"), Href: v.to.under(id, "bodies", "workbooks")},
		FormLink: web.Link{Text: v.T("needs.title"), Href: v.to.under(id, "needs") + "?body=" + url.QueryEscape(result.Body)},
	}
	waits.asked = v.fillReport(&view, result)
	said, form := "books.would", "books.wouldForm"
	view.Heading, view.Take = v.T("books.preview", "Body", waits.name), v.T("books.takeIn")
	if view.Done {
		said, form = "books.did", "books.didForm"
		view.Heading, view.Take = v.T("books.done", "Body", waits.name), v.T("books.takeRest")
	}
	view.Lead = v.N(said, result.Saved)
	if result.Form == intake.FormSaved {
		view.Lead += " " + v.N(form, result.Needs)
	}
	if result.Held > 0 {
		view.Lead += " " + v.N("books.held", result.Held)
	}
	if n := result.Report.Count(workbook.Refused); n > 0 {
		view.Lead += " " + v.N("books.refused", n)
	}
	if !view.Done || len(waits.asked) > 0 {
		view.Action = v.to.under(id, "bodies", "workbooks", "take")
		if view.ID, err = p.keepWaiting(waits); err != nil {
			return err
		}
	}
	view.Page = p.page(v, view.Heading, v.to.under(id, "bodies"), surveyPath(id)+"bodies/workbooks")
	p.render(w, http.StatusOK, "report", view)
	return nil
}

// fillReport fills in what became of each cell, and returns the cells that are asked
// about.
func (v *visit) fillReport(view *reportView, result *intake.Result) []intake.Choice {
	report := result.Report
	for _, s := range workbook.States() {
		view.Counts = append(view.Counts, sheetCount{v.T("books.state." + string(s)), v.Number(report.Count(s))})
	}
	if n := len(report.Absent); n > 0 {
		view.Absent = v.N("books.absent", n)
	}
	if len(result.Ignored) > 0 {
		view.Ignored = v.T("books.ignored", "What", v.List(result.Ignored[:min(len(result.Ignored), 20)]))
	}
	var asked []intake.Choice
	for _, c := range report.Changes {
		if len(c.Conflicts) == 0 {
			continue
		}
		row := conflictRow{ID: c.Outcome, Title: v.titleOf(c.Key)}
		for _, cell := range report.Cells {
			if cell.Key != c.Key || cell.State != workbook.Conflict {
				continue
			}
			one := v.reportCell(cell)
			if !slices.Contains(c.Conflicts, cell.Field) {
				row.Rest = append(row.Rest, one)
				continue
			}
			one.Name = "take-" + strconv.Itoa(len(asked))
			asked = append(asked, intake.Choice{Key: c.Key, Field: cell.Field, Revision: c.Revision})
			row.Cells = append(row.Cells, one)
		}
		view.Conflicts = append(view.Conflicts, row)
	}
	for _, s := range []workbook.State{workbook.Conflict, workbook.Refused, workbook.Taken, workbook.Kept} {
		group := cellGroup{Heading: v.T("books.state." + string(s)), Says: v.T("books.says." + string(s)), Open: s != workbook.Kept}
		for _, cell := range report.Cells {
			if cell.State == s && s != workbook.Conflict {
				group.Cells = append(group.Cells, v.reportCell(cell))
			}
		}
		for _, cell := range report.Form {
			if cell.State == s {
				group.Cells = append(group.Cells, v.formCell(cell))
			}
		}
		if s == workbook.Conflict {
			group.To = view.FormLink
		}
		if len(group.Cells) > 0 {
			view.Groups = append(view.Groups, group)
		}
	}
	return asked
}

func (v *visit) titleOf(k workbook.Key) template.HTML {
	if o, ok := v.outcomes[k.Outcome]; ok && k.Survey == string(v.survey.ID) {
		return o.Title
	}
	return template.HTML(template.HTMLEscapeString(k.Survey))
}

func (v *visit) reportCell(c workbook.Cell) reportCell {
	return reportCell{
		Place: c.Place, ID: c.Outcome, Title: v.titleOf(c.Key), Field: v.T("field." + string(c.Field)),
		Base: v.cellValue(c.Field, c.Base), Mine: v.cellValue(c.Field, c.Mine), Theirs: v.cellValue(c.Field, c.Theirs), Why: v.why(c.Why),
	}
}

func (v *visit) formCell(c workbook.FormCell) reportCell {
	value := func(said string) string {
		switch {
		case said == "":
			return v.T("field.empty")
		case said == "unknown" && c.Field == "hours":
			return v.T("needs.unknown")
		}
		return inTable(said)
	}
	return reportCell{
		Place: c.Place, ID: v.T("needs.title"), Title: template.HTML(template.HTMLEscapeString(c.Row)), Field: v.T(formColumns[c.Field]),
		Base: value(c.Base), Mine: value(c.Mine), Theirs: value(c.Theirs), Why: v.why(c.Why),
	}
}

// formColumns are the messages that name the columns of the form.
var formColumns = map[string]string{
	"what": "needs.what", "supplier": "needs.supplier", "hours": "needs.howLong", "substitute": "needs.substitute", "remark": "needs.remark",
}

// cellValue writes what a report says of a cell in the page's words.
func (v *visit) cellValue(f assess.Field, said string) string {
	switch f {
	case assess.FieldLevel, assess.FieldTarget:
		level, carried := strings.CutSuffix(said, " carried")
		if l, err := framework.ParseLevel(level); err == nil && level != "" {
			if carried {
				return v.T("field.carried", "Level", v.level(l))
			}
			return v.level(l)
		}
	case assess.FieldTargetDate:
		if day := v.day(said); day != "" {
			return day
		}
	case assess.FieldEvidence:
		if g, err := framework.ParseGrade(said); err == nil {
			return v.grade(g)
		}
	case assess.FieldFlagged:
		if said == "yes" || said == "no" {
			return v.T("field." + said)
		}
	}
	if said == "" {
		return v.T("field.empty")
	}
	return inTable(said)
}

// inTable returns the beginning of a text that is too long for a table.
func inTable(s string) string {
	const most = 600
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// why says in the page's language why a cell became what it did.
func (v *visit) why(text string) *saying {
	if text == "" {
		return nil
	}
	says := v.says(errs.Description{Message: text})
	return &says
}
