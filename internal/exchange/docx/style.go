package docx

import (
	"bytes"
	"fmt"
	"strings"
)

const namespace = ` xmlns:w="` + schemas + `wordprocessingml/2006/main"`

// font is one that word processors have or replace by one of the same widths.
const font = "Calibri"

// The colours, as the pages have them.
const (
	ink    = "17202B"
	soft   = "525C68"
	accent = "0D4F7C"
	rule   = "D8D4CA"
	boxed  = "FFF2DC"
	boxInk = "5A3304"
)

// style is one style of the document.
type style struct {
	kind, id, name string
	basedOn, next  string
	paragraph, run string
	hidden         bool // from the list of styles that a person is offered first
}

func (s style) write(b *bytes.Buffer) {
	standard := ""
	if s.id == "Normal" || s.id == "TableNormal" {
		standard = ` w:default="1"`
	}
	custom := ""
	if strings.HasPrefix(s.id, "Muster") {
		custom = ` w:customStyle="1"`
	}
	fmt.Fprintf(b, `<w:style w:type="%s"%s%s w:styleId="%s"><w:name w:val="%s"/>`, s.kind, standard, custom, s.id, s.name)
	if s.basedOn != "" {
		b.WriteString(`<w:basedOn w:val="` + s.basedOn + `"/>`)
	}
	if s.next != "" {
		b.WriteString(`<w:next w:val="` + s.next + `"/>`)
	}
	if s.hidden {
		b.WriteString("<w:semiHidden/><w:unhideWhenUsed/>")
	}
	b.WriteString("<w:qFormat/>")
	if s.paragraph != "" {
		b.WriteString("<w:pPr>" + s.paragraph + "</w:pPr>")
	}
	if s.run != "" {
		b.WriteString("<w:rPr>" + s.run + "</w:rPr>")
	}
}

func size(halfPoints int) string {
	return fmt.Sprintf(`<w:sz w:val="%[1]d"/><w:szCs w:val="%[1]d"/>`, halfPoints)
}

func spacing(before, after int) string {
	return fmt.Sprintf(`<w:spacing w:before="%d" w:after="%d"/>`, before, after)
}

const strong = "<w:b/><w:bCs/>"

func color(hex string) string { return `<w:color w:val="` + hex + `"/>` }

func box(side, hex string, width int) string {
	return fmt.Sprintf(`<w:%s w:val="single" w:sz="%d" w:space="4" w:color="%s"/>`, side, width, hex)
}

// styles writes the styles. Names of built-in ones are those that every word processor
// knows, so that its own list of headings and its table of contents work.
func (d Document) styles() []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<w:styles` + namespace + `><w:docDefaults><w:rPrDefault><w:rPr>`)
	fmt.Fprintf(&b, `<w:rFonts w:ascii="%[1]s" w:hAnsi="%[1]s" w:eastAsia="%[1]s" w:cs="%[1]s"/>%[2]s%[3]s<w:lang w:val="%[4]s" w:eastAsia="%[4]s" w:bidi="ar-SA"/>`, font, color(ink), size(21), escaped(locale(d.Language)))
	b.WriteString(`</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr><w:spacing w:after="90" w:line="259" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>`)
	for _, s := range []style{
		{kind: "paragraph", id: "Normal", name: "Normal"},
		{kind: "paragraph", id: "Title", name: "Title", basedOn: "Normal", next: "Normal", paragraph: "<w:keepNext/>" + spacing(0, 60), run: strong + size(44)},
		{kind: "paragraph", id: "Subtitle", name: "Subtitle", basedOn: "Normal", next: "Normal", paragraph: spacing(0, 120), run: color(soft) + size(22)},
		{kind: "paragraph", id: "Heading1", name: "heading 1", basedOn: "Normal", next: "Normal", paragraph: "<w:keepNext/><w:keepLines/>" + `<w:pBdr>` + box("top", ink, 8) + `</w:pBdr>` + spacing(200, 60) + `<w:outlineLvl w:val="0"/>`, run: strong + size(28)},
		{kind: "paragraph", id: "Heading2", name: "heading 2", basedOn: "Normal", next: "Normal", paragraph: "<w:keepNext/><w:keepLines/>" + spacing(120, 40) + `<w:outlineLvl w:val="1"/>`, run: strong + size(23)},
		{kind: "paragraph", id: "Heading3", name: "heading 3", basedOn: "Normal", next: "Normal", paragraph: "<w:keepNext/><w:keepLines/>" + spacing(100, 30) + `<w:outlineLvl w:val="2"/>`, run: strong + color(soft)},
		{kind: "paragraph", id: "ListBullet", name: "List Bullet", basedOn: "Normal", paragraph: fmt.Sprintf(`<w:numPr><w:numId w:val="%d"/></w:numPr>`, bulletList) + spacing(0, 60)},
		{kind: "paragraph", id: "ListNumber", name: "List Number", basedOn: "Normal", paragraph: fmt.Sprintf(`<w:numPr><w:numId w:val="%d"/></w:numPr>`, firstNumbered) + spacing(0, 80)},
		{kind: "paragraph", id: "Caption", name: "caption", basedOn: "Normal", next: "Normal", paragraph: "<w:keepNext/>" + spacing(100, 40), run: strong + color(soft) + size(19)},
		{kind: "paragraph", id: "Header", name: "header", basedOn: "Normal", paragraph: tabs() + spacing(0, 0), run: color(soft) + size(18)},
		{kind: "paragraph", id: "Footer", name: "footer", basedOn: "Normal", paragraph: tabs() + spacing(0, 0), run: color(soft) + size(18)},
		{kind: "paragraph", id: "MusterSmall", name: "Small text", basedOn: "Normal", paragraph: spacing(0, 60), run: color(soft) + size(18)},
		{kind: "paragraph", id: "MusterNotice", name: "Notice", basedOn: "Normal", paragraph: `<w:pBdr>` + box("left", "D49A4A", 24) + `</w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="` + boxed + `"/>` + spacing(60, 100), run: color(boxInk)},
		{kind: "paragraph", id: "MusterCell", name: "Table text", basedOn: "Normal", paragraph: spacing(20, 20), run: size(18)},
		{kind: "paragraph", id: "MusterCellHead", name: "Table heading", basedOn: "MusterCell", paragraph: "<w:keepNext/>", run: strong + color(soft)},
		{kind: "character", id: "MusterMarking", name: "Marking", run: strong + color(markingColor(d.Marking)) + size(24) + `<w:shd w:val="clear" w:color="auto" w:fill="000000"/>`},
	} {
		s.write(&b)
		b.WriteString("</w:style>")
	}
	b.WriteString(tableStyles + "</w:styles>")
	return b.Bytes()
}

// tabs puts a stop at the right edge of the text.
func tabs() string {
	return fmt.Sprintf(`<w:tabs><w:tab w:val="right" w:pos="%d"/></w:tabs>`, textWidth)
}

// tableStyles is the style of tables: thin lines, and a first row and column that are
// told apart, as the head of each is.
const tableStyles = `<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/><w:uiPriority w:val="99"/><w:semiHidden/><w:unhideWhenUsed/><w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="108" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="108" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>` +
	`<w:style w:type="table" w:customStyle="1" w:styleId="MusterTable"><w:name w:val="Muster table"/><w:basedOn w:val="TableNormal"/><w:tblPr><w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="` + ink + `"/><w:bottom w:val="single" w:sz="4" w:space="0" w:color="` + rule + `"/><w:insideH w:val="single" w:sz="4" w:space="0" w:color="` + rule + `"/></w:tblBorders><w:tblCellMar><w:top w:w="20" w:type="dxa"/><w:left w:w="70" w:type="dxa"/><w:bottom w:w="20" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar></w:tblPr>` +
	`<w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:bCs/></w:rPr><w:tblPr/><w:tcPr><w:vAlign w:val="bottom"/></w:tcPr></w:tblStylePr></w:style>`

// The lists: one with bullets, and from the next on those with numbers, of which each
// counts from 1.
const (
	bulletList    = 1
	firstNumbered = 2
)

func numbering(lists int) []byte {
	var b bytes.Buffer
	b.WriteString(declaration + `<w:numbering` + namespace + `>`)
	level := func(id int, format, text string) {
		fmt.Fprintf(&b, `<w:abstractNum w:abstractNumId="%d"><w:multiLevelType w:val="singleLevel"/><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="%s"/><w:lvlText w:val="%s"/><w:lvlJc w:val="left"/><w:pPr><w:ind w:left="397" w:hanging="397"/></w:pPr></w:lvl></w:abstractNum>`, id, format, text)
	}
	level(0, "bullet", "•")
	level(1, "decimal", "%1.")
	fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="0"/></w:num>`, bulletList)
	for i := range max(lists, 1) {
		fmt.Fprintf(&b, `<w:num w:numId="%d"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>`, firstNumbered+i)
	}
	b.WriteString("</w:numbering>")
	return b.Bytes()
}

// settings holds nothing that a program would follow out of the file.
func (d Document) settings() []byte {
	return []byte(declaration + `<w:settings` + namespace + `><w:zoom w:percent="100"/><w:defaultTabStop w:val="709"/><w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat><w:themeFontLang w:val="` + escaped(locale(d.Language)) + `"/><w:decimalSymbol w:val="."/><w:listSeparator w:val=";"/></w:settings>`)
}

// marked writes the marking as the Traffic Light Protocol asks for it: in capitals of
// twelve points at the right, in its colour on black.
func (d Document) marked() string {
	if d.Marking == "" {
		return ""
	}
	return `<w:r><w:tab/></w:r><w:r><w:rPr><w:rStyle w:val="MusterMarking"/></w:rPr><w:t xml:space="preserve"> ` + escaped(oneLine(d.Marking)) + ` </w:t></w:r>`
}

// markingColor returns the colour of a marking's letters, which stand on black.
func markingColor(marking string) string {
	for _, c := range [][2]string{{"TLP:RED", "FF2B2B"}, {"TLP:AMBER", "FFC000"}, {"TLP:GREEN", "33FF00"}} {
		if strings.Contains(marking, c[0]) {
			return c[1]
		}
	}
	return "FFFFFF"
}

func (d Document) header() []byte {
	w := &writer{}
	w.b.WriteString(declaration + `<w:hdr` + namespace + `><w:p><w:pPr><w:pStyle w:val="Header"/></w:pPr>`)
	w.run(Run{Text: oneLine(d.Head)})
	w.b.WriteString(d.marked() + `</w:p></w:hdr>`)
	return w.b.Bytes()
}

// footer ends with the page's number, which the word processor counts.
func (d Document) footer() []byte {
	w := &writer{}
	w.b.WriteString(declaration + `<w:ftr` + namespace + `><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>`)
	if d.Foot != "" {
		w.run(Run{Text: oneLine(d.Foot) + " · "})
	}
	w.run(Run{Text: d.Page + " "})
	w.field("PAGE")
	w.run(Run{Text: " " + d.Of + " "})
	w.field("NUMPAGES")
	w.b.WriteString(d.marked() + `</w:p></w:ftr>`)
	return w.b.Bytes()
}

// field writes a number that the word processor computes.
func (w *writer) field(name string) {
	w.b.WriteString(`<w:fldSimple w:instr=" ` + name + ` "><w:r><w:t>1</w:t></w:r></w:fldSimple>`)
}
