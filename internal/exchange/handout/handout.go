// Package handout writes an edition for one reader as a file: a document for a word
// processor, a workbook, CSV or JSON. Each carries the edition's label, and says whose
// copy it is: so one that is found elsewhere says who took it.
//
//	err := handout.Write(w, handout.CSV, handout.Copy{Document: d, Digest: digest, Lang: "fr", Words: words, For: "..."})
//
// It writes what the edition says and nothing besides, and nothing in a file is a formula
// or refers to anything outside it.
package handout

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"muster/internal/disclosure"
	"muster/internal/edition"
	"muster/internal/errs"
	"muster/internal/exchange/cells"
	"muster/internal/exchange/docx"
	"muster/internal/release"
)

// Format is how a copy is written.
type Format string

// The formats.
const (
	DOCX Format = "docx"
	XLSX Format = "xlsx"
	CSV  Format = "csv"
	JSON Format = "json"
)

// Formats returns all of them.
func Formats() []Format { return []Format{DOCX, XLSX, CSV, JSON} }

// Type returns the media type of a format.
func (f Format) Type() string {
	switch f {
	case DOCX:
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case XLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	}
	return "application/json"
}

// Copy is an edition for one reader.
type Copy struct {
	Document *edition.Document
	Digest   string // hex SHA-256 of its file
	Lang     string // "en" or "fr"
	For      string // says whose copy it is
	Words    Words
}

// Words are the words around figures, in the language.
type Words struct {
	Says, Outcome, Counted, Members string // says: how many took part
	Figures                         string // the heading above them
	Page, Of                        string
}

// Write writes a copy.
func Write(w io.Writer, f Format, c Copy) error {
	switch f {
	case DOCX:
		return c.docx(w)
	case XLSX:
		return c.xlsx(w)
	case CSV:
		return c.csv(w)
	case JSON:
		return c.json(w)
	}
	return errs.New(errs.NotFound, "an edition is not written as "+errs.Quote(string(f)), "docx, xlsx, csv, json")
}

// label is what stands on every page.
func (c Copy) label() string {
	label := c.Document.TLP
	if c.Document.Marking != "" {
		label = c.Document.Marking + " · " + label
	}
	return label
}

func (c Copy) docx(w io.Writer) error {
	d := c.Document
	body := []docx.Block{
		docx.Paragraph{Style: docx.Small, Runs: docx.Text(c.label() + " · " + c.For)},
		docx.Heading{Level: 1, Text: d.Title.In(c.Lang)},
	}
	if s := d.Sentence.In(c.Lang); s != "" {
		body = append(body, docx.Paragraph{Style: docx.Lead, Runs: docx.Text(s)})
	}
	var items [][]docx.Run
	list := func() {
		if len(items) > 0 {
			body, items = append(body, docx.List{Items: items}), nil
		}
	}
	for _, b := range d.Text[c.Lang] {
		if b.Sort == edition.Item {
			items = append(items, docx.Text(b.String()))
			continue
		}
		list()
		if b.Sort == edition.Heading {
			body = append(body, docx.Heading{Level: 2, Text: b.String()})
		} else {
			body = append(body, docx.Paragraph{Runs: docx.Text(b.String())})
		}
	}
	list()
	body = append(body, docx.Heading{Level: 2, Text: c.Words.Figures}, docx.Paragraph{Style: docx.Small, Runs: docx.Text(c.Words.Says)})
	for _, a := range d.Areas {
		var rows [][]docx.Cell
		for _, f := range d.Figures() {
			if f.Area == a.ID && f.Block.Shown() {
				rows = append(rows, docx.Cells(c.subject(f), release.KindWords(f.Kind).In(c.Lang), c.Bands(f)))
			}
		}
		if len(rows) > 0 {
			body = append(body, docx.Table{
				Caption: a.ID + " " + a.Title.In(c.Lang), Head: []string{c.Words.Outcome, c.Words.Counted, c.Words.Members}, Rows: rows, Widths: []int{5, 3, 4},
			})
		}
	}
	return docx.Write(w, docx.Document{
		Language: c.Lang, Title: d.Title.In(c.Lang), Subject: d.Coalition + " " + d.Cycle, Author: d.Coalition, Marking: c.label(), Head: c.For, Foot: d.Coalition + " " + d.Cycle,
		Page: c.Words.Page, Of: c.Words.Of, Body: body,
	})
}

// subject names what a figure is of.
func (c Copy) subject(f edition.Figure) string {
	id := f.Outcome
	if id == "" {
		id = f.Area
	}
	return id + " " + f.Title.In(c.Lang)
}

// Bands says the bands of a figure in a line: "0 to 1: 12 · 2 to 4: 19".
func (c Copy) Bands(f edition.Figure) string {
	var all []string
	for _, b := range f.Block.Bands() {
		all = append(all, Band(c.Lang, b)+": "+strconv.FormatUint(b.Count, 10))
	}
	return strings.Join(all, " · ")
}

// Band names the units of a band in a language.
func Band(lang string, b disclosure.Band) string {
	first, last := release.UnitWords(b.Units[0]).In(lang), release.UnitWords(b.Units[len(b.Units)-1]).In(lang)
	switch {
	case first == last:
		return first
	case lang == "fr":
		return first + " à " + last
	}
	return first + " to " + last
}

// columns are those of a table of bands. They are the same in every language.
func columns() []string {
	return []string{"tlp", "copy", "marking", "coalition", "cycle", "edition", "version", "area", "outcome", "title", "counted", "from", "to", "members", "of"}
}

// rows are the bands that the edition shows, under columns.
func (c Copy) rows() [][]string {
	d := c.Document
	lead := []string{d.TLP, c.For, d.Marking, d.Coalition, d.Cycle, string(d.Edition), strconv.Itoa(d.Number)}
	all := [][]string{columns()}
	for _, f := range d.Figures() {
		if !f.Block.Shown() {
			continue
		}
		for _, b := range f.Block.Bands() {
			all = append(all, append(slices.Clone(lead), f.Area, f.Outcome, f.Title.In(c.Lang), string(f.Kind), b.Units[0], b.Units[len(b.Units)-1], strconv.FormatUint(b.Count, 10), strconv.Itoa(d.TookPart)))
		}
	}
	return all
}

// csv writes the bands. Nothing that a spreadsheet would take for a formula leaves here:
// titles and names come from what others wrote.
func (c Copy) csv(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // by which Excel knows UTF-8
		return err
	}
	out := csv.NewWriter(w)
	for _, row := range c.rows() {
		for i, cell := range row {
			row[i] = cells.Guard(cell)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// json writes the edition's file as it was approved, in an envelope that says whose copy
// it is: whoever takes the file out has what the digest is of.
func (c Copy) json(w io.Writer) error {
	body, err := c.Document.Encode()
	if err != nil {
		return err
	}
	text, err := json.Marshal(struct {
		TLP     string          `json:"tlp"`
		Copy    string          `json:"copy"`
		Digest  string          `json:"digest"` // hex SHA-256 of the edition
		Edition json.RawMessage `json:"edition"`
	}{c.Document.TLP, c.For, c.Digest, body})
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// xlsx writes two sheets: the commentary, and the bands.
func (c Copy) xlsx(w io.Writer) (err error) {
	d := c.Document
	file := excelize.NewFile()
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	const text, figures = "Edition", "Figures"
	if err := file.SetSheetName("Sheet1", text); err != nil {
		return err
	}
	lines := []string{c.label(), c.For, d.Title.In(c.Lang)}
	if s := d.Sentence.In(c.Lang); s != "" {
		lines = append(lines, s)
	}
	for _, b := range d.Text[c.Lang] {
		lines = append(lines, b.String())
	}
	for i, line := range append(lines, c.Words.Says) {
		if err := file.SetCellStr(text, fmt.Sprintf("A%d", i+1), escaped(line)); err != nil {
			return err
		}
	}
	if err := file.SetColWidth(text, "A", "A", 100); err != nil {
		return err
	}
	if _, err := file.NewSheet(figures); err != nil {
		return err
	}
	for i, row := range c.rows() {
		for j, cell := range row {
			name, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err != nil {
				return err
			}
			if n, isNumber := strconv.Atoi(cell); i > 0 && j >= len(row)-2 && isNumber == nil {
				err = file.SetCellInt(figures, name, int64(n))
			} else {
				err = file.SetCellStr(figures, name, escaped(cell))
			}
			if err != nil {
				return err
			}
		}
	}
	if err := file.SetDocProps(&excelize.DocProperties{Title: escaped(d.Title.In(c.Lang)), Creator: escaped(d.Coalition), Keywords: c.label(), Language: c.Lang}); err != nil {
		return err
	}
	return file.Write(w)
}

// escaped keeps text that looks like a character's code, as _x0041_, from being read as
// that character, and text as long as a cell holds.
func escaped(s string) string {
	const most = 32_000 // characters of a cell, with room for what is escaped
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most])
	}
	return strings.ReplaceAll(s, "_x", "_x005F_x")
}
