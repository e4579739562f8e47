package docx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// writer writes the body of a document.
type writer struct {
	b        bytes.Buffer
	language string
	level    int // of the last heading
	numbered int // lists with numbers so far: each counts for itself
	pictures [][]byte
}

// The namespaces of the main part.
const mainNamespaces = ` xmlns:w="` + schemas + `wordprocessingml/2006/main" xmlns:r="` + relationships + `" xmlns:wp="` + schemas + `drawingml/2006/wordprocessingDrawing" xmlns:a="` + schemas + `drawingml/2006/main" xmlns:pic="` + schemas + `drawingml/2006/picture"`

// The page: A4 with margins, in twentieths of a point.
const (
	pageWidth, pageHeight = 11906, 16838
	marginSide, marginTop = 964, 1134
	textWidth             = pageWidth - 2*marginSide
)

func (d Document) document(w *writer) []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<w:document` + mainNamespaces + `><w:body>`)
	b.Write(w.b.Bytes())
	fmt.Fprintf(&b, `<w:sectPr><w:headerReference w:type="default" r:id="rId%d"/><w:footerReference w:type="default" r:id="rId%d"/><w:pgSz w:w="%d" w:h="%d"/><w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="510" w:footer="510" w:gutter="0"/></w:sectPr></w:body></w:document>`,
		relHeader, relFooter, pageWidth, pageHeight, marginTop, marginSide, marginTop, marginSide)
	return b.Bytes()
}

func (h Heading) write(w *writer) error {
	switch {
	case h.Level < 1 || h.Level > 3 || h.Level > w.level+1:
		return fmt.Errorf("a heading of level %d after one of %d", h.Level, w.level)
	case strings.TrimSpace(h.Text) == "":
		return errors.New("a heading without words")
	}
	w.level = h.Level
	properties := ""
	if h.Break {
		properties = "<w:pageBreakBefore/>"
	}
	return w.paragraph(Style(fmt.Sprintf("Heading%d", h.Level)), properties, Text(oneLine(h.Text)))
}

func (p Paragraph) write(w *writer) error { return w.paragraph(p.Style, "", p.Runs) }

func (l List) write(w *writer) error {
	list := bulletList
	style := Style("ListBullet")
	if l.Numbered {
		list = firstNumbered + w.numbered
		w.numbered++
		style = "ListNumber"
	}
	for _, item := range l.Items {
		if err := w.paragraph(style, fmt.Sprintf(`<w:numPr><w:ilvl w:val="0"/><w:numId w:val="%d"/></w:numPr>`, list), item); err != nil {
			return err
		}
	}
	return nil
}

func (t Table) write(w *writer) error {
	columns := len(t.Head)
	if columns == 0 || strings.TrimSpace(t.Caption) == "" || len(t.Widths) != columns {
		return errors.New("a table without caption, head or widths")
	}
	for i, head := range t.Head {
		if strings.TrimSpace(head) == "" {
			return fmt.Errorf("column %d of %q has no head", i+1, t.Caption)
		}
	}
	if err := w.paragraph(caption, "<w:keepNext/>", Text(oneLine(t.Caption))); err != nil {
		return err
	}
	widths := t.widths()
	w.b.WriteString(`<w:tbl><w:tblPr><w:tblStyle w:val="MusterTable"/>`)
	fmt.Fprintf(&w.b, `<w:tblW w:w="%d" w:type="dxa"/><w:tblLayout w:type="fixed"/><w:tblLook w:val="04A0" w:firstRow="1" w:lastRow="0" w:firstColumn="1" w:lastColumn="0" w:noHBand="0" w:noVBand="1"/><w:tblCaption w:val="%s"/></w:tblPr><w:tblGrid>`, textWidth, escaped(oneLine(t.Caption)))
	for _, width := range widths {
		fmt.Fprintf(&w.b, `<w:gridCol w:w="%d"/>`, width)
	}
	w.b.WriteString(`</w:tblGrid><w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>`)
	for i, head := range t.Head {
		if err := w.cell(cellTop, widths[i], Cell{Runs: Text(oneLine(head))}); err != nil {
			return err
		}
	}
	w.b.WriteString(`</w:tr>`)
	for i, row := range t.Rows {
		if len(row) != columns {
			return fmt.Errorf("row %d of %q has %d cells under %d heads", i+1, t.Caption, len(row), columns)
		}
		w.b.WriteString(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
		for j, c := range row {
			if err := w.cell(cell, widths[j], c); err != nil {
				return err
			}
		}
		w.b.WriteString(`</w:tr>`)
	}
	w.b.WriteString(`</w:tbl>`)
	// Two tables without a paragraph between them would be one.
	return w.paragraph(Small, `<w:spacing w:before="0" w:after="0"/>`, nil)
}

// widths shares the width of the text among the columns.
func (t Table) widths() []int {
	sum := 0
	for _, part := range t.Widths {
		sum += max(part, 1)
	}
	widths, left := make([]int, len(t.Widths)), textWidth
	for i, part := range t.Widths {
		widths[i] = textWidth * max(part, 1) / sum
		left -= widths[i]
	}
	widths[0] += left
	return widths
}

func (w *writer) cell(style Style, width int, c Cell) error {
	fmt.Fprintf(&w.b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/>`, width)
	if len(c.Fill) == 6 && strings.Trim(c.Fill, "0123456789ABCDEFabcdef") == "" {
		fmt.Fprintf(&w.b, `<w:shd w:val="clear" w:color="auto" w:fill="%s"/>`, strings.ToUpper(c.Fill))
	}
	w.b.WriteString(`</w:tcPr>`)
	if err := w.paragraph(style, "", c.Runs); err != nil {
		return err
	}
	w.b.WriteString(`</w:tc>`)
	return nil
}

// paragraph writes a paragraph; properties come after its style (ISO 29500-1, 17.3.1.26
// gives them an order: keepNext, pageBreakBefore, numPr, bidi, spacing).
func (w *writer) paragraph(style Style, properties string, runs []Run) error {
	w.b.WriteString("<w:p><w:pPr>")
	if style != Normal {
		w.b.WriteString(`<w:pStyle w:val="` + string(style) + `"/>`)
	}
	before, spacing := properties, ""
	if strings.HasPrefix(properties, "<w:spacing") {
		before, spacing = "", properties
	}
	w.b.WriteString(before)
	if beginsRightToLeft(runs) {
		w.b.WriteString("<w:bidi/>")
	}
	w.b.WriteString(spacing + "</w:pPr>")
	for _, run := range runs {
		if run.Picture != nil {
			if err := w.picture(*run.Picture); err != nil {
				return err
			}
			continue
		}
		w.run(run)
	}
	w.b.WriteString("</w:p>")
	return nil
}

// run writes text, each direction for itself.
func (w *writer) run(r Run) {
	for _, piece := range directions(r.Text) {
		w.b.WriteString("<w:r>")
		if r.Strong || piece.right {
			w.b.WriteString("<w:rPr>")
			if r.Strong {
				w.b.WriteString("<w:b/><w:bCs/>")
			}
			if piece.right {
				w.b.WriteString("<w:rtl/>")
			}
			w.b.WriteString("</w:rPr>")
		}
		w.text(piece.text)
		w.b.WriteString("</w:r>")
	}
}

// text writes text with its line ends and tabs, which are elements.
func (w *writer) text(s string) {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	for s != "" {
		end := strings.IndexAny(s, "\n\t")
		if end < 0 {
			end = len(s)
		}
		if end > 0 {
			w.b.WriteString(`<w:t xml:space="preserve">` + escaped(s[:end]) + `</w:t>`)
		}
		if end == len(s) {
			return
		}
		if s[end] == '\n' {
			w.b.WriteString("<w:br/>")
		} else {
			w.b.WriteString("<w:tab/>")
		}
		s = s[end+1:]
	}
}

// piece is text that runs in one direction.
type piece struct {
	text  string
	right bool
}

// directions cuts text where a letter of the other direction begins. What has none, as
// a space, stays with what stands before it.
func directions(s string) []piece {
	var all []piece
	start, right := 0, false
	for i, r := range s {
		is, strong := false, false
		switch {
		case rightToLeft(r):
			is, strong = true, true
		case unicode.IsLetter(r):
			strong = true
		}
		if strong && is != right {
			if i > start {
				all = append(all, piece{s[start:i], right})
			}
			start, right = i, is
		}
	}
	if start < len(s) {
		all = append(all, piece{s[start:], right})
	}
	return all
}

func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}

// beginsRightToLeft reports whether the first letter of a paragraph runs to the left.
func beginsRightToLeft(runs []Run) bool {
	for _, run := range runs {
		for _, r := range run.Text {
			if rightToLeft(r) {
				return true
			}
			if unicode.IsLetter(r) {
				return false
			}
		}
	}
	return false
}

// emu is how many of the units that pictures are measured in a millimetre has.
const emu = 36000

func (w *writer) picture(p Picture) error {
	if strings.TrimSpace(p.Words) == "" {
		return errors.New("a picture without words")
	}
	if !bytes.HasPrefix(p.PNG, []byte("\x89PNG\r\n\x1a\n")) {
		return errors.New("a picture that is no PNG")
	}
	w.pictures = append(w.pictures, p.PNG)
	n := len(w.pictures)
	cx, cy := int(math.Round(p.Width*emu)), int(math.Round(p.Height*emu))
	fmt.Fprintf(&w.b, `<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="%[1]d" cy="%[2]d"/><wp:docPr id="%[3]d" name="Picture %[3]d" descr="%[4]s"/><a:graphic><a:graphicData uri="%[5]sdrawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="%[3]d" name="picture%[3]d.png" descr="%[4]s"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="rId%[6]d"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="%[1]d" cy="%[2]d"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>`,
		cx, cy, n, escaped(oneLine(p.Words)), schemas, relPictures+n-1)
	return nil
}

// oneLine puts text on one line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return ' '
		}
		if r == utf8.RuneError {
			return '\uFFFD'
		}
		return r
	}, s)
}
