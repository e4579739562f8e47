package coalition

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"

	"muster/internal/errs"
	"muster/internal/web"
)

// fileView is a picture in one file: the same in every language, one of them in
// sight.
type fileView struct {
	web.Page
	Title     string
	Style     template.CSS
	Policy    string
	Documents []document
}

// document is the whole picture in one language.
type document struct {
	*web.Printer
	Name     string // of the language, in itself
	Own      string // "this page in English", for who sees another
	First    bool
	Marking  string
	Meaning  string
	Contents []web.Link
	Year     yearView
	Packs    []packSection
	Itself   []itselfSection
	Method   methodView
	Check    checkView
	Scale    scaleView
	Source   string

	YearAnchor, MethodAnchor, CheckAnchor string
}

// packSection is all outcomes of a pack.
type packSection struct {
	Anchor, Kicker, Moves string
	packView
}

type itselfSection struct {
	Anchor string
	itselfView
}

// FileConfig says what a picture in one file is of.
type FileConfig struct {
	Cohort    string   // empty for the largest
	Cycle     string   // empty for the cohort's latest
	Languages []string // the first is in sight at first; empty for all that pages speak
}

// WriteFile writes one cohort's cycle as one file that needs no network: who
// forwards it knows whose picture it is. The reader changes the language without
// a script. A cohort or a cycle that is not there is an error of kind NotFound.
func (p *Pages) WriteFile(w io.Writer, cfg FileConfig) error {
	cohort, cycle, err := p.picture.pick(cfg.Cohort, cfg.Cycle)
	if err != nil {
		return err
	}
	languages := cfg.Languages
	if len(languages) == 0 {
		languages = web.Languages()
	}
	view := fileView{Style: p.kit.Assets.Inline(), Policy: p.kit.Assets.InlinePolicy()}
	for i, lang := range languages {
		view.Documents = append(view.Documents, p.document(p.drawing(lang, inFile{lang}, cohort, cycle), i == 0))
	}
	first := p.kit.Printer(languages[0])
	view.Page = web.Page{
		Printer: first, Assets: p.kit.Assets, Title: first.T("year.title", "Cycle", cycle.ID), Brand: p.picture.Coalition,
		Marking: p.picture.Marking, Meaning: words{first}.meaning(p.picture.Marking),
	}
	var b bytes.Buffer
	if err := p.templates["file"].ExecuteTemplate(&b, "file", view); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// pick returns the cohort and the cycle that are asked for.
func (p *Picture) pick(cohort, cycle string) (*Cohort, *Cycle, error) {
	c := p.Cohorts[0]
	if cohort != "" {
		if c = p.find(cohort); c == nil {
			var there []string
			for _, c := range p.Cohorts {
				there = append(there, c.ID)
			}
			return nil, nil, errs.New(errs.NotFound, "there is no release for "+errs.Quote(cohort), "there are releases for "+strings.Join(there, ", "))
		}
	}
	if cycle == "" {
		return c, c.latest(), nil
	}
	found := c.find(cycle)
	if found == nil {
		return nil, nil, errs.New(errs.NotFound, fmt.Sprintf("there is no release of the cycle %s for %s", errs.Quote(cycle), errs.Quote(c.ID)), "")
	}
	return c, found, nil
}

func (p *Pages) document(d *drawing, first bool) document {
	s := d.cycle.Sheets[0]
	doc := document{
		Printer: d.Printer, Name: d.T("file.language"), Own: d.T("file.own"), First: first,
		Marking: p.picture.Marking, Meaning: d.meaning(p.picture.Marking),
		Scale: d.scale(s), Source: d.source(s), Method: d.method(), Year: d.year(),
		YearAnchor: target(d.to.year(d.cohort.ID, d.cycle.ID)), MethodAnchor: target(d.to.method("", "")), Check: d.check(), CheckAnchor: target(d.to.check("", "")),
	}
	doc.Year.Page = web.Page{Printer: d.Printer, Notices: d.notices(s)}
	doc.Method.Printer, doc.Check.Printer = d.Printer, d.Printer
	if len(p.picture.Cohorts) > 1 {
		doc.Check.Ran = nil // a charter may have several cohorts, and a file is of one
	}
	add := func(text, href string) { doc.Contents = append(doc.Contents, web.Link{Text: text, Href: href}) }
	add(d.T("year.title", "Cycle", d.cycle.ID), d.to.year(d.cohort.ID, d.cycle.ID))
	for _, sheet := range d.cycle.Sheets {
		place := d.to.pack(d.cohort.ID, d.cycle.ID, sheet.Pack)
		section := packSection{
			Anchor: target(place), Moves: d.moveLegend(sheet), packView: d.pack(sheet, choice{}),
			Kicker: d.T("part.kicker", "Cycle", sheet.Cycle, "Cohort", d.words.cohort(d.cohort.ID), "Pack", sheet.Pack+" "+sheet.Version),
		}
		section.Printer = d.Printer
		doc.Packs = append(doc.Packs, section)
		add(d.Plain(sheet.PackTitle), place)
	}
	for _, itself := range d.cycle.Itself {
		place := d.to.itself(d.cohort.ID, d.cycle.ID, itself.Pack)
		section := itselfSection{target(place), d.itself(itself)}
		section.Printer = d.Printer
		doc.Itself = append(doc.Itself, section)
		add(d.Plain(itself.PackTitle), place)
	}
	add(d.T("nav.method"), d.to.method("", ""))
	add(d.T("nav.check"), d.to.check("", ""))
	return doc
}

// target returns the id that a link within a file leads to.
func target(href string) string { return strings.TrimPrefix(href, "#") }

// inFile is where pages lie in one file, in one language.
type inFile struct{ lang string }

func (f inFile) at(elements ...string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' {
			return '_'
		}
		return r
	}, f.lang+"-"+strings.Join(elements, "-"))
}

func (f inFile) year(cohort, _ string) string       { return "#" + f.at(cohort) }
func (f inFile) pack(cohort, _, pack string) string { return "#" + f.at(cohort, pack) }

func (f inFile) area(cohort, _, pack, area string) string {
	return "#" + f.anchor(cohort, pack, area)
}

func (f inFile) outcome(cohort, _, pack, outcome string) string {
	return "#" + f.anchor(cohort, pack, outcome)
}

func (f inFile) itself(cohort, _, pack string) string { return "#" + f.at(cohort, "itself", pack) }
func (f inFile) method(_, _ string) string            { return "#" + f.at("method") }
func (f inFile) check(_, _ string) string             { return "#" + f.at("check") }
func (f inFile) file(_, _, _ string) string           { return "" }
func (f inFile) elsewhere(_, _ string) string         { return "" }

func (f inFile) anchor(cohort, pack, id string) string { return f.at(cohort, pack, id) }
