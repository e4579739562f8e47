// Package docx writes documents that a person goes on with in a word processor: text
// in real styles, headings, lists, tables and pictures, as Office Open XML (ISO 29500,
// transitional) of our own.
//
//	err := docx.Write(w, docx.Document{Language: "fr", Title: "...", Body: []docx.Block{
//		docx.Heading{Level: 1, Text: "..."},
//		docx.Paragraph{Runs: docx.Text("...")},
//	}})
//
// It knows the part of the standard that a report of some pages needs. It promises
// that the same document gives the same bytes; that nothing in a document refers to
// anything outside it, and no macro, field of a mail merge or template is in it; that
// whatever text comes in, the file is well-formed, and that text is text; and that who
// reads by ear is served: the language is said, headings do not skip a level, the head
// of every table is marked as one, every picture has words. What breaks the last is
// refused.
package docx

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// Document is what to write.
type Document struct {
	Language string // of everything in it, as "en" or "fr"
	Title    string
	Subject  string
	Author   string
	Made     time.Time // zero: the document does not say

	Marking string // at the head and the foot of every page; empty for none
	Head    string // beside it, at the head
	Foot    string // beside it, at the foot
	Page    string // before a page's number, as "Page"
	Of      string // between it and how many there are, as "of"

	Body []Block
}

// Block is a heading, a paragraph, a list or a table.
type Block interface{ write(*writer) error }

// Style is what a paragraph is.
type Style string

// The styles. They are in every document, and who edits it can use and change them.
const (
	Normal  Style = ""
	Title   Style = "Title"
	Lead    Style = "Subtitle"
	Small   Style = "MusterSmall"
	Notice  Style = "MusterNotice" // in a box
	caption Style = "Caption"
	cell    Style = "MusterCell"
	cellTop Style = "MusterCellHead"
)

// Heading is a heading of level 1 to 3. The first is of level 1, and none skips one.
type Heading struct {
	Level int
	Text  string
	Break bool // begins a page
}

// Run is text in one manner.
type Run struct {
	Text    string
	Strong  bool
	Picture *Picture // in the place of text
}

// Text returns text as the only run.
func Text(s string) []Run { return []Run{{Text: s}} }

// Picture is a picture in a line of text.
type Picture struct {
	PNG           []byte
	Width, Height float64 // in millimetres
	Words         string  // that say what it shows; may not be empty
}

// Paragraph is a paragraph.
type Paragraph struct {
	Style Style
	Runs  []Run
}

// List is a list with bullets, or with numbers.
type List struct {
	Numbered bool
	Items    [][]Run
}

// Table is a table with a head. Its first column says what each row is about.
type Table struct {
	Caption string // above it; may not be empty
	Head    []string
	Rows    [][]Cell
	Widths  []int // of the columns, in parts of their sum
}

// Cell is one cell of a table. Without runs it is empty.
type Cell struct {
	Runs []Run
	Fill string // RRGGBB behind it; empty for none
}

// Cells returns a row of cells of text.
func Cells(texts ...string) []Cell {
	row := make([]Cell, len(texts))
	for i, text := range texts {
		row[i].Runs = Text(text)
	}
	return row
}

// Content types and relationships (ISO 29500-2; ECMA-376 part 1, annex A).
const (
	schemas       = "http://schemas.openxmlformats.org/"
	relationships = schemas + "officeDocument/2006/relationships"
	wordprocessor = "application/vnd.openxmlformats-officedocument.wordprocessingml."
	declaration   = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// part is a part of the package.
type part struct {
	name, kind string
	body       []byte
}

// Write writes a document. An error that is not w's says which block is not fit to be
// read by everyone; it is a fault of the program that made the document.
func Write(w io.Writer, d Document) error {
	out := &writer{language: d.Language}
	for i, b := range d.Body {
		if err := b.write(out); err != nil {
			return fmt.Errorf("docx: block %d: %w", i+1, err)
		}
	}
	parts := []part{
		{"docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml", d.core()},
		{"docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml", []byte(declaration + `<Properties xmlns="` + schemas + `officeDocument/2006/extended-properties"><Application>muster</Application></Properties>`)},
		{"word/document.xml", wordprocessor + "document.main+xml", d.document(out)},
		{"word/styles.xml", wordprocessor + "styles+xml", d.styles()},
		{"word/numbering.xml", wordprocessor + "numbering+xml", numbering(out.numbered)},
		{"word/settings.xml", wordprocessor + "settings+xml", d.settings()},
		{"word/header1.xml", wordprocessor + "header+xml", d.header()},
		{"word/footer1.xml", wordprocessor + "footer+xml", d.footer()},
	}
	for i, png := range out.pictures {
		parts = append(parts, part{fmt.Sprintf("word/media/picture%d.png", i+1), "", png})
	}
	z := zip.NewWriter(w)
	for _, p := range append([]part{{"[Content_Types].xml", "", contentTypes(parts)}, {"_rels/.rels", "", rootRelationships()}, {"word/_rels/document.xml.rels", "", out.relationships()}}, parts...) {
		f, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Deflate})
		if err != nil {
			return err
		}
		if _, err := f.Write(p.body); err != nil {
			return err
		}
	}
	return z.Close()
}

func contentTypes(parts []part) []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<Types xmlns="` + schemas + `package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="png" ContentType="image/png"/>`)
	for _, p := range parts {
		if p.kind != "" {
			fmt.Fprintf(&b, `<Override PartName="/%s" ContentType="%s"/>`, p.name, p.kind)
		}
	}
	b.WriteString("</Types>")
	return b.Bytes()
}

func rootRelationships() []byte {
	return []byte(declaration + `<Relationships xmlns="` + schemas + `package/2006/relationships">` +
		`<Relationship Id="rId1" Type="` + relationships + `/officeDocument" Target="word/document.xml"/>` +
		`<Relationship Id="rId2" Type="` + schemas + `package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>` +
		`<Relationship Id="rId3" Type="` + relationships + `/extended-properties" Target="docProps/app.xml"/></Relationships>`)
}

// The ids of the relationships of the main part; those of pictures follow.
const (
	relStyles = iota + 1
	relNumbering
	relSettings
	relHeader
	relFooter
	relPictures
)

func (w *writer) relationships() []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<Relationships xmlns="` + schemas + `package/2006/relationships">`)
	add := func(id int, kind, target string) {
		fmt.Fprintf(&b, `<Relationship Id="rId%d" Type="%s/%s" Target="%s"/>`, id, relationships, kind, target)
	}
	add(relStyles, "styles", "styles.xml")
	add(relNumbering, "numbering", "numbering.xml")
	add(relSettings, "settings", "settings.xml")
	add(relHeader, "header", "header1.xml")
	add(relFooter, "footer", "footer1.xml")
	for i := range w.pictures {
		add(relPictures+i, "image", fmt.Sprintf("media/picture%d.png", i+1))
	}
	b.WriteString("</Relationships>")
	return b.Bytes()
}

// core is the properties of the document: its title is what a reader of it hears first.
func (d Document) core() []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<cp:coreProperties xmlns:cp="` + schemas + `package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">`)
	for _, p := range [][2]string{{"dc:title", d.Title}, {"dc:subject", d.Subject}, {"dc:creator", d.Author}, {"cp:keywords", d.Marking}, {"dc:language", locale(d.Language)}} {
		if p[1] != "" {
			b.WriteString("<" + p[0] + ">" + escaped(oneLine(p[1])) + "</" + p[0] + ">")
		}
	}
	if !d.Made.IsZero() {
		at := d.Made.UTC().Format(time.RFC3339)
		b.WriteString(`<dcterms:created xsi:type="dcterms:W3CDTF">` + at + `</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">` + at + `</dcterms:modified>`)
	}
	b.WriteString("</cp:coreProperties>")
	return b.Bytes()
}

// escaped writes text for an element or an attribute. What XML cannot hold becomes
// U+FFFD.
func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // into memory
	return b.String()
}

// locale returns the language with the country whose spelling is meant.
func locale(language string) string {
	switch language {
	case "en":
		return "en-GB"
	case "fr":
		return "fr-FR"
	}
	return language
}
