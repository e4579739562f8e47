package workspace

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/errs"
	"muster/internal/exchange/intake"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/workspace"
)

// workbooksView is who has a workbook of a survey, and the forms that give one out and
// take one back.
type workbooksView struct {
	web.Page
	Kicker    string
	GiveTo    string // empty where nothing can be given out any more
	ReadTo    string
	Rows      []workbookRow
	Languages []option
	Whose     []option // of a file that comes back
	Fault     *saying
	Faults    []faultView
	Back      web.Link
	May       mayView
}

// workbookRow is the workbook of a body, or of the member as a whole.
type workbookRow struct {
	Body, Name, Kind string
	Answered, Due    string
	Overdue          bool
	Out, Back        string
	State            string
	Chosen, Asked    bool
}

// faultView is a cell of a file that cannot be read.
type faultView struct {
	Place, Field string
	Says         saying // the hint is what is allowed
}

// slowTimeout is for how long what is no page may take: reading a workbook and locking
// many, or sealing.
const slowTimeout = 3 * time.Minute

// slowly gives a request that time.
func slowly(w http.ResponseWriter) {
	c, until := http.NewResponseController(w), time.Now().Add(slowTimeout)
	_ = c.SetReadDeadline(until) // where there is none, nothing ends the request early
	_ = c.SetWriteDeadline(until)
}

func (p *Pages) workbooks(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.workbooksView(r.Context(), v)
	if err != nil {
		return err
	}
	p.render(w, http.StatusOK, "workbooks", *view)
	return nil
}

// askedBody is a body that sections list, or the member as a whole.
type askedBody struct {
	id, name, kind, due, contact string
	outcomes                     []string
}

// askedBodies returns the member as a whole and the bodies of which something is asked.
func (p *Pages) askedBodies(ctx context.Context, v *visit) ([]askedBody, error) {
	bodies, err := p.service.Bodies(ctx, v.person)
	if err != nil {
		return nil, err
	}
	asked, err := p.service.Asked(ctx, v.person, v.survey.ID)
	if err != nil {
		return nil, err
	}
	sections, err := p.service.Sections(ctx, v.person, v.survey.ID)
	if err != nil {
		return nil, err
	}
	var all []askedBody
	for _, b := range bodies {
		one := askedBody{id: b.ID, name: b.Name, kind: b.Kind, outcomes: asked[b.ID]}
		for _, s := range sections {
			if !slices.Contains(s.Bodies, b.ID) {
				continue
			}
			if one.contact == "" {
				one.contact = s.Contact
			}
			if one.due == "" || s.Due != "" && s.Due < one.due {
				one.due = s.Due
			}
		}
		if len(one.outcomes) > 0 {
			all = append(all, one)
		}
	}
	member := askedBody{name: v.T("books.member", "Member", v.member)}
	for _, o := range v.pack.Outcomes() {
		member.outcomes = append(member.outcomes, o.ID)
	}
	return append(all, member), nil
}

func (p *Pages) workbooksView(ctx context.Context, v *visit) (*workbooksView, error) {
	id := v.survey.ID
	if err := p.describe(ctx, v); err != nil {
		return nil, err
	}
	asked, err := p.askedBodies(ctx, v)
	if err != nil {
		return nil, err
	}
	happened, err := p.service.Workbooks(ctx, v.person, id)
	if err != nil {
		return nil, err
	}
	given, err := p.givenBy(ctx, v)
	if err != nil {
		return nil, err
	}
	view := &workbooksView{Kicker: v.kicker(), May: v.may("workbooks"), Languages: v.bookLanguages()}
	view.Back = web.Link{Text: v.T("nav.bodies"), Href: v.to.under(id, "bodies")}
	if view.May.Organise && v.survey.State != workspace.StateClosed {
		view.GiveTo, view.ReadTo = v.to.under(id, "bodies", "workbooks", "give"), v.to.under(id, "bodies", "workbooks", "read")
	}
	today := p.now().Format(time.DateOnly)
	for _, a := range asked {
		open := 0
		for _, outcome := range a.outcomes {
			if !given[a.id+"@"+outcome] {
				open++
			}
		}
		row := workbookRow{
			Body: a.id, Name: a.name, Kind: a.kind, Due: v.day(a.due), Overdue: open > 0 && a.due != "" && a.due < today,
			Answered: v.T("count.of", "N", len(a.outcomes)-open, "Of", len(a.outcomes)),
		}
		v.bookState(&row, happened[a.id])
		row.Chosen = a.id != "" && len(happened[a.id]) == 0
		view.Rows = append(view.Rows, row)
		view.Whose = append(view.Whose, option{Value: a.id, Text: a.name})
	}
	view.Page = p.page(v, v.T("books.title"), v.to.under(id, "bodies"), surveyPath(id)+"bodies/workbooks")
	return view, nil
}

// givenBy says what is answered, by body and outcome; of no body, by the member.
func (p *Pages) givenBy(ctx context.Context, v *visit) (map[string]bool, error) {
	given := make(map[string]bool)
	contributions, err := p.service.Contributions(ctx, v.person, v.survey.ID, "")
	if err != nil {
		return nil, err
	}
	for _, c := range contributions {
		given[c.Body+"@"+c.Outcome] = c.Given() != framework.None
	}
	entries, err := p.service.Entries(ctx, v.person, v.survey.ID)
	for outcome, e := range entries {
		given["@"+outcome] = e.Entry.Answered()
	}
	return given, err
}

// bookState says what happened to a workbook.
func (v *visit) bookState(row *workbookRow, happened []workspace.SavedWorkbook) {
	row.State = v.T("books.none")
	for _, h := range happened {
		who := v.when(h.Revised)
		if !h.Back {
			row.State, row.Out = v.T("books.out"), who
			continue
		}
		row.State, row.Back = v.T("books.back"), who+" · "+v.N("books.taken", h.Saved)
		if h.Held > 0 {
			row.Back += " " + v.N("books.held", h.Held)
		}
		if h.Refused > 0 {
			row.Back += " " + v.N("books.refused", h.Refused)
		}
	}
}

// bookLanguages are the languages that a workbook may have: one of the pack's, or two.
func (v *visit) bookLanguages() []option {
	all := v.pack.Languages
	options := []option{{Value: v.Lang, Text: v.T("books.lang." + v.Lang), Selected: true}}
	if !slices.Contains(all, v.Lang) {
		options = []option{{Value: all[0], Text: all[0], Selected: true}}
	}
	named := func(lang string) string {
		if slices.Contains(web.Languages(), lang) {
			return v.T("books.lang." + lang)
		}
		return lang
	}
	for _, lang := range all {
		if lang != options[0].Value {
			options = append(options,
				option{Value: lang, Text: named(lang)},
				option{Value: options[0].Value + "," + lang, Text: v.List([]string{options[0].Text, named(lang)})})
		}
	}
	return options
}

// givenView says the passwords of workbooks that are given out, once.
type givenView struct {
	web.Page
	Kicker    string
	Heading   string
	Action    string
	Books     []givenBook
	Languages string
	Form      bool
	Take      string // of the button
	Back      web.Link
}

type givenBook struct{ Body, Name, File, Password, Contact string }

// giveWorkbooks draws a password for each body that was chosen and shows them. Nothing
// is kept of it: the form that takes the files has the passwords.
func (p *Pages) giveWorkbooks(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.mayGive(r.Context(), v); err != nil {
		return err
	}
	chosen, err := p.chosen(r.Context(), v, r.PostForm["body"])
	if err != nil {
		return err
	}
	id := v.survey.ID
	view := givenView{
		Kicker: v.kicker(), Action: v.to.under(id, "bodies", "workbooks", "file"), Languages: r.PostForm.Get("language"), Form: r.PostForm.Has("form"),
		Heading: v.N("books.givenHeading", len(chosen)), Take: v.N("books.take", len(chosen)),
		Back: web.Link{Text: v.T("books.title"), Href: v.to.under(id, "bodies", "workbooks")},
	}
	for _, a := range chosen {
		password, err := draw(p.rand)
		if err != nil {
			return err
		}
		view.Books = append(view.Books, givenBook{a.id, a.name, v.bookName(a.id), password, a.contact})
	}
	view.Page = p.page(v, view.Heading, v.to.under(id, "bodies"), surveyPath(id)+"bodies/workbooks")
	p.render(w, http.StatusOK, "given", view)
	return nil
}

func (p *Pages) mayGive(ctx context.Context, v *visit) error {
	if !v.person.May(workspace.DoOrganise) {
		return errs.New(errs.Denied, "you may not give out workbooks here", "ask the lead of this workspace")
	}
	if err := p.describe(ctx, v); err != nil {
		return err
	}
	if v.survey.State == workspace.StateClosed {
		return errs.New(errs.Conflict, "the survey is closed", "")
	}
	return nil
}

// chosen returns the bodies with these ids, each once.
func (p *Pages) chosen(ctx context.Context, v *visit, ids []string) ([]askedBody, error) {
	asked, err := p.askedBodies(ctx, v)
	if err != nil {
		return nil, err
	}
	var all []askedBody
	for _, id := range ids {
		i := slices.IndexFunc(asked, func(a askedBody) bool { return a.id == id })
		if i < 0 {
			return nil, errs.New(errs.NotFound, "no section of the survey lists the body "+errs.Quote(id), "list it in a section first, on the page of bodies and sections")
		}
		if !slices.ContainsFunc(all, func(a askedBody) bool { return a.id == id }) {
			all = append(all, asked[i])
		}
	}
	if len(all) == 0 {
		return nil, errs.New(errs.Invalid, "no body was chosen", "go back and tick those that get a workbook")
	}
	return all, nil
}

// bookName is the name of a workbook's file. It holds nothing that somebody wrote but
// the id of a body.
func (v *visit) bookName(body string) string {
	name := "muster-" + v.survey.ID.Cycle() + "-" + v.pack.ID
	if body != "" {
		name += "-" + body
	}
	return v.markedName(name) + ".xlsx"
}

func (v *visit) markedName(name string) string {
	if v.marking != "" {
		name += "-" + strings.ToLower(strings.ReplaceAll(v.marking, " ", "-"))
	}
	return name
}

// Passwords are written by hand and read out on the telephone: no two symbols look or
// sound like each other by mistake, and there are four groups of four, of 79 bits
// together.
const (
	symbols     = "abcdefghjkmnpqrstuvwxyz23456789"
	groups      = 4
	groupLength = 4
)

// draw draws a password, or another name that nobody guesses.
func draw(rand io.Reader) (string, error) {
	var b strings.Builder
	one := make([]byte, 1)
	for n := 0; n < groups*groupLength; {
		if _, err := io.ReadFull(rand, one); err != nil {
			return "", fmt.Errorf("draw a password: %w", err)
		}
		if int(one[0]) >= 256/len(symbols)*len(symbols) { // which would favour the first ones
			continue
		}
		if n > 0 && n%groupLength == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(symbols[int(one[0])%len(symbols)])
		n++
	}
	return b.String(), nil
}

// isPassword reports whether a password is one that was drawn here.
func isPassword(s string) bool {
	parts := strings.Split(s, "-")
	return len(parts) == groups && !slices.ContainsFunc(parts, func(part string) bool {
		return len(part) != groupLength || strings.Trim(part, symbols) != ""
	})
}

// workbookFile gives out the workbooks, each locked with its password, and keeps that
// they were: one as it is, several as an archive.
func (p *Pages) workbookFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx, id := r.Context(), v.survey.ID
	if err := p.mayGive(ctx, v); err != nil {
		return err
	}
	bodies, passwords := r.PostForm["body"], r.PostForm["password"]
	chosen, err := p.chosen(ctx, v, bodies)
	if err != nil {
		return err
	}
	if len(chosen) != len(bodies) || len(passwords) != len(bodies) || slices.ContainsFunc(passwords, func(s string) bool { return !isPassword(s) }) {
		return errs.New(errs.Invalid, "the form does not have a password for each workbook", "give them out again")
	}
	slowly(w)
	if err := p.oneBook(ctx); err != nil {
		return err
	}
	defer p.bookDone()
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	rows := make(map[string]int)
	var file []byte
	for i, a := range chosen {
		book, err := intake.Book(ctx, intake.Out{
			Service: p.service, Person: v.person, Surveys: []workspace.SurveyID{id}, Body: a.id, Form: r.PostForm.Has("form"), Languages: languagesOf(r.PostForm.Get("language")),
		})
		if err != nil {
			return err
		}
		book.Password, rows[a.id] = passwords[i], len(a.outcomes)
		var b bytes.Buffer
		if err := workbook.Write(&b, book); err != nil {
			return err
		}
		file = b.Bytes()
		part, err := z.CreateHeader(&zip.FileHeader{Name: v.bookName(a.id), Method: zip.Store, Modified: p.now().UTC()})
		if err != nil {
			return err
		}
		if _, err := part.Write(file); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := p.service.GiveWorkbooks(ctx, v.person, id, rows); err != nil {
		return err
	}
	if len(chosen) == 1 {
		download(w, v.bookName(chosen[0].id), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", file)
		return nil
	}
	download(w, v.markedName("muster-"+id.Cycle()+"-"+v.pack.ID+"-workbooks")+".zip", "application/zip", archive.Bytes())
	return nil
}

func languagesOf(chosen string) []string {
	if chosen == "" {
		return nil
	}
	return strings.Split(chosen, ",")
}

// oneBook waits until no other workbook is read or locked: each takes a processor and
// some hundred megabytes for a moment. Whoever got it calls bookDone.
func (p *Pages) oneBook(ctx context.Context) error {
	select {
	case p.booksTurn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Pages) bookDone() { <-p.booksTurn }
