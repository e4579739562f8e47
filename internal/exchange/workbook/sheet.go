package workbook

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"muster/internal/framework"
)

// survey writes the sheet of a survey: the house rule, a hidden row with the ids of
// the columns, the header, and a row an outcome.
func (w *writer) survey(s Survey) {
	name := w.sheet(s.Pack.ID + " " + s.Cycle)
	w.names = append(w.names, name)
	t := w.book.survey(s, false)
	var lines []string
	for _, lang := range w.book.languages(s) {
		lines = append(lines, s.Pack.Title.In(lang)+" · "+s.Cycle+" · "+w.book.Member+w.bodyName())
		var scale []string
		for i, level := range s.Pack.Scale.Levels {
			scale = append(scale, strconv.Itoa(i)+" = "+level.In(lang))
		}
		lines = append(lines, folded(strings.Join(scale, " · "), houseRuleWidth)...)
		lines = append(lines, folded(s.Pack.Scale.HouseRule.In(lang), houseRuleWidth)...)
	}
	w.table(name, t, lines, s.Pack.Marking)
}

// houseRuleWidth is how many characters of the house rule stand on a line: about
// what the columns up to the first descriptors show.
const houseRuleWidth = 150

func (w *writer) bodyName() string {
	if w.book.Body == nil {
		return ""
	}
	return " · " + w.book.Body.Name
}

// form writes the sheet of the form.
func (w *writer) form() {
	words := wordsIn(w.lang)
	name := w.sheet(words.formSheet)
	w.names = append(w.names, name)
	t := w.book.form(false)
	for range 2 * formRows { // room for more
		t.rows = append(t.rows, make([]cell, len(t.headings)))
	}
	lines := []string{words.formTitle + " · " + w.book.Member + w.bodyName()}
	for _, line := range words.form {
		lines = append(lines, folded(line, houseRuleWidth)...)
	}
	w.table(name, t, lines, "")
}

// table writes lines of text, the ids of the columns in a hidden row, the header
// and the rows.
func (w *writer) table(sheet string, t table, lines []string, marking string) {
	first := 1 // the first column that is seen
	for first <= len(t.headings) && t.headings[first-1].hidden {
		first++
	}
	row := 1
	if w.book.Marking != "" {
		lines = append([]string{w.book.Marking}, lines...)
	}
	for i, line := range lines {
		w.set(sheet, first, row, textCell(line), style{bold: i == 0, flow: true})
		row++
	}
	ids, header := row, row+1
	for i, h := range t.headings {
		w.set(sheet, i+1, ids, textCell(h.key()), style{})
		w.set(sheet, i+1, header, textCell(h.label(w.lang)), style{head: true})
	}
	top, bottom := header+1, header+len(t.rows)
	for i, cells := range t.rows {
		lines := 1
		for j, c := range cells {
			w.set(sheet, j+1, top+i, c, styleOf(t.headings[j].column, c))
			if !t.headings[j].hidden {
				lines = max(lines, linesIn(c.text, t.headings[j].width))
			}
		}
		w.keep(w.file.SetRowHeight(sheet, top+i, min(float64(lines)*lineHeight+4, tallest)))
	}
	w.keep(w.file.SetRowVisible(sheet, ids, false))
	w.keep(w.file.SetRowHeight(sheet, header, 30))
	for i, h := range t.headings {
		letters := columnName(i + 1)
		w.keep(w.file.SetColWidth(sheet, letters, letters, h.width))
		if h.hidden {
			w.keep(w.file.SetColVisible(sheet, letters, false))
		}
		if bottom >= top {
			w.choose(sheet, h.column, fmt.Sprintf("%s%d:%s%d", letters, top, letters, bottom))
		}
	}
	w.layout(sheet, t, header, bottom, marking)
}

// Heights of rows, in points. Spreadsheets do not agree on when to fit a row to its
// text, so each has the height that its longest text is likely to need.
const (
	lineHeight = 13.0
	tallest    = 400.0 // a row takes 409
)

// guideWidth is how many characters a line of the guide has.
const guideWidth = 110.0

// Sizes of paper, of ISO 29500-1, 18.3.1.63.
const (
	a3 = 8
	a4 = 9
)

// linesIn returns how many lines a text takes in a column of so many characters.
// The width of a column counts digits, and letters are narrower.
func linesIn(s string, width float64) int {
	room := max(int(1.15*width), 1)
	lines, line, word := 1, 0, 0 // lines so far; characters on this one and in this word
	for _, r := range s {
		switch r {
		case '\n':
			lines, line, word = lines+1, 0, 0
			continue
		case ' ':
			word = 0
		default:
			word++
		}
		if line++; line > room {
			lines, line = lines+1, word%room
		}
	}
	return lines
}

// styleOf returns how a cell of a column looks.
func styleOf(c column, value cell) style {
	s := style{grid: true, input: c.typed(), middle: c.list != "" || c.id == colOutcome || c.id == colHours, day: c.id == "target_date"}
	s.bold = c.id == colOutcome || c.id == "title"
	// A level that is typed over is a number; a free text stays one whatever it
	// looks like.
	s.text = c.typed() && c.list == "" && !s.day && c.id != colHours
	if !c.typed() {
		s.text = value.kind == text
	}
	return s
}

// choose puts a drop-down, or a rule for dates, over cells.
func (w *writer) choose(sheet string, c column, cells string) {
	words := wordsIn(w.lang)
	v := excelize.NewDataValidation(true)
	v.Sqref = cells
	switch {
	case c.list != "":
		v.SetSqrefDropList(listRange(c.list))
		v.SetError(excelize.DataValidationErrorStyleStop, c.label(w.lang), words.choose)
	case c.id == "target_date":
		from, to := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2199, time.December, 31, 0, 0, 0, 0, time.UTC)
		w.keep(v.SetRange(int(serial(from)), int(serial(to)), excelize.DataValidationTypeDate, excelize.DataValidationOperatorBetween))
		v.SetError(excelize.DataValidationErrorStyleStop, c.label(w.lang), words.day)
	default:
		return
	}
	w.keep(w.file.AddDataValidation(sheet, v))
}

// layout fixes what stays in sight, locks the sheet, and sets up its print.
func (w *writer) layout(sheet string, t table, header, bottom int, marking string) {
	fixed := 0 // columns that stay in sight
	for i, h := range t.headings {
		if h.hidden || h.id == colOutcome || h.id == "title" {
			fixed = i + 1
		}
	}
	w.keep(w.file.SetPanes(sheet, &excelize.Panes{
		Freeze: true, XSplit: fixed, YSplit: header,
		TopLeftCell: columnName(fixed+1) + strconv.Itoa(header+1), ActivePane: "bottomRight",
	}))
	w.protect(sheet)
	const zoom = 90
	size, wide, high, landscape, fit := a4, 1, 0, "landscape", true
	if len(t.headings) > 8 {
		size = a3
	}
	if len(t.headings) > 14 {
		wide = 2
	}
	w.keep(w.file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}))
	w.keep(w.file.SetPageLayout(sheet, &excelize.PageLayoutOptions{
		Size: &size, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high,
	}))
	margin := 0.4
	w.keep(w.file.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{Left: &margin, Right: &margin}))
	w.keep(w.file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{
		OddHeader: "&C" + headerText(w.marked(marking)), OddFooter: "&L" + headerText(w.book.Member) + "&C" + headerText(sheet) + "&R&P / &N",
	}))
	quoted := "'" + strings.ReplaceAll(sheet, "'", "''") + "'!"
	titles := fmt.Sprintf("%s$%d:$%d", quoted, header, header)
	if fixed > 0 {
		titles = fmt.Sprintf("%s$A:$%s,%s", quoted, columnName(fixed), titles)
	}
	w.keep(w.file.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", RefersTo: titles, Scope: sheet}))
	w.keep(w.file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Area", RefersTo: fmt.Sprintf("%s$A$1:$%s$%d", quoted, columnName(len(t.headings)), bottom), Scope: sheet,
	}))
	scale := float64(zoom)
	w.keep(w.file.SetSheetView(sheet, 0, &excelize.ViewOptions{ZoomScale: &scale}))
}

// marked returns a pack's marking behind that of the member.
func (w *writer) marked(marking string) string {
	if w.book.Marking == "" || marking == "" {
		return w.book.Marking + marking
	}
	return w.book.Marking + " · " + marking
}

// headerText returns a text for the edge of a printed page, where an ampersand
// begins a code and the whole is at most 255 characters long.
func headerText(s string) string {
	runes := []rune(s)
	if len(runes) > 60 {
		runes = runes[:60]
	}
	return strings.ReplaceAll(string(runes), "&", "&&")
}

// folded returns a text in lines of at most width characters.
func folded(s string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		line := ""
		for word := range strings.SplitSeq(paragraph, " ") {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}

// guide writes the first sheet: how to fill the workbook in, in English and French.
func (w *writer) guide() {
	const name = guideSheet
	w.keep(w.file.SetSheetName(w.file.GetSheetName(0), name))
	w.keep(w.file.SetColWidth(name, "A", "A", guideWidth))
	row := 1
	add := func(line string, s style) {
		w.set(name, 1, row, textCell(line), s)
		w.keep(w.file.SetRowHeight(name, row, float64(linesIn(line, guideWidth))*lineHeight+4))
		row++
	}
	if w.book.Marking != "" {
		add(w.book.Marking, style{bold: true})
	}
	for _, lang := range []string{"en", "fr"} {
		words := wordsIn(lang)
		lines := words.guide
		if w.book.Body != nil {
			lines = words.bodyGuide
		}
		add(words.guideTitle+" · "+w.book.Member+w.bodyName(), style{bold: true})
		for _, line := range lines {
			add(line, style{})
		}
		for number := range framework.Descriptors {
			for _, s := range w.book.Surveys[:min(1, len(w.book.Surveys))] {
				add(strconv.Itoa(number)+" = "+s.Pack.Scale.Levels[number].In(scaleLanguage(s, lang)), style{})
			}
		}
		row++
	}
	w.protect(name)
	fit, wide, high, size := true, 1, 0, a4
	w.keep(w.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: &fit}))
	w.keep(w.file.SetPageLayout(name, &excelize.PageLayoutOptions{Size: &size, FitToWidth: &wide, FitToHeight: &high}))
	if w.book.Marking != "" {
		w.keep(w.file.SetHeaderFooter(name, &excelize.HeaderFooterOptions{OddHeader: "&C" + headerText(w.book.Marking)}))
	}
}

// scaleLanguage returns lang if the survey's pack has it, and its first language if not.
func scaleLanguage(s Survey, lang string) string {
	for _, l := range s.Pack.Languages {
		if base, _, _ := strings.Cut(l, "-"); base == lang {
			return l
		}
	}
	return s.Pack.Languages[0]
}
