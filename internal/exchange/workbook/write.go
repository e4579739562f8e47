package workbook

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/internal/errs"
	"muster/internal/exchange/cells"
)

// hiddenSheet holds what a workbook says of itself and the lists of its drop-downs.
const hiddenSheet = "_muster"

// guideSheet says how to fill the workbook in.
const guideSheet = "muster"

// Write writes a book as a workbook. It refuses with kind Invalid, before it
// writes, what [Read] would not return: an entry that cannot be, a text that does
// not fit into a cell. The same book without a password gives the same bytes.
func Write(w io.Writer, b Book) error {
	if err := b.check(); err != nil {
		return err
	}
	f := excelize.NewFile()
	defer f.Close()
	wr := &writer{file: f, book: b, lang: b.language(), styles: make(map[style]int)}
	wr.write()
	if wr.err != nil {
		return fmt.Errorf("write a workbook: %w", wr.err)
	}
	if err := f.Write(w, excelize.Options{Password: b.Password}); err != nil {
		return fmt.Errorf("write a workbook: %w", err)
	}
	return nil
}

// writer writes one workbook and keeps the first error.
type writer struct {
	file   *excelize.File
	book   Book
	lang   string
	styles map[style]int
	names  []string // of the sheets with answers and of the form
	held   []string // texts that replace the placeholders; see escape
	err    error
}

// keep keeps the first error.
func (w *writer) keep(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) write() {
	w.keep(w.file.SetDocProps(&excelize.DocProperties{
		Creator: "muster", LastModifiedBy: "muster", Title: w.book.Member, Language: w.lang,
	}))
	w.guide()
	for _, s := range w.book.Surveys {
		w.survey(s)
	}
	if w.book.Needs != nil {
		w.form()
	}
	w.hidden()
	w.file.SetActiveSheet(min(1, w.file.SheetCount-1))
	w.release()
}

// sheet adds a sheet of a name like the one wanted, which is shortened and freed of
// what a sheet's name may not hold.
func (w *writer) sheet(want string) string {
	name := []rune(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\'`, r) {
			return '-'
		}
		return r
	}, want))
	const longest = 31
	if len(name) > longest {
		name = name[:longest]
	}
	for n := 2; w.taken(string(name)); n++ {
		suffix := []rune(" " + strconv.Itoa(n))
		name = append(name[:min(len(name), longest-len(suffix))], suffix...)
	}
	_, err := w.file.NewSheet(string(name))
	w.keep(err)
	return string(name)
}

func (w *writer) taken(name string) bool {
	for _, sheet := range w.file.GetSheetList() {
		if strings.EqualFold(sheet, name) {
			return true
		}
	}
	return false
}

// set writes a cell of a sheet in a style.
func (w *writer) set(sheet string, column, row int, c cell, s style) {
	name := columnName(column) + strconv.Itoa(row)
	switch c.kind {
	case text:
		if n := units(c.text); n > MaxText {
			w.keep(errs.New(errs.Invalid, fmt.Sprintf("a text for cell %s of sheet %s has %d characters; a spreadsheet takes %d", name, errs.Quote(sheet), n, MaxText), "shorten it"))
			return
		}
		w.keep(w.file.SetCellStr(sheet, name, w.escape(c.text)))
		s.quoted = cells.Calculates(c.text)
	case number:
		n, err := strconv.ParseInt(c.text, 10, 64)
		w.keep(err)
		w.keep(w.file.SetCellInt(sheet, name, n))
	case date:
		day, err := time.Parse(time.DateOnly, c.text)
		w.keep(err)
		w.keep(w.file.SetCellInt(sheet, name, serial(day)))
	}
	w.keep(w.file.SetCellStyle(sheet, name, name, w.style(s)))
}

// epoch is day 0 of a workbook's dates after February 1900.
func epoch() time.Time { return time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC) }

// serial returns the number that a workbook has for a day. A time.Duration would
// end in 2192.
func serial(day time.Time) int64 { return (day.Unix() - epoch().Unix()) / (24 * 60 * 60) }

// escapes finds what a spreadsheet would read as the code of a character
// (ISO 29500-1, 22.9.2.19).
var escapes = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// escape returns a text for the library. The library escapes by itself, and loses
// what looks like half a surrogate pair; so a text that needs it is held back
// behind a placeholder, of a character that no text may hold, until [writer.release].
func (w *writer) escape(s string) string {
	if !escapes.MatchString(s) {
		return s
	}
	w.held = append(w.held, escapeCodes(s))
	return "\uE000" + strconv.Itoa(len(w.held)-1)
}

// escapeCodes escapes every underscore that begins a code. Codes may overlap, as
// in _x0041_x0042_, hence one after the other.
func escapeCodes(s string) string {
	var b strings.Builder
	for {
		at := escapes.FindStringIndex(s)
		if at == nil {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at[0]])
		b.WriteString("_x005F_")
		s = s[at[0]+1:]
	}
}

// release puts the texts that were held back into the table of strings.
func (w *writer) release() {
	if len(w.held) == 0 || w.err != nil {
		return
	}
	for i := range w.file.SharedStrings.SI {
		t := w.file.SharedStrings.SI[i].T
		if t == nil || !strings.HasPrefix(t.Val, "\uE000") {
			continue
		}
		n, err := strconv.Atoi(strings.TrimPrefix(t.Val, "\uE000"))
		w.keep(err)
		if w.err != nil {
			return
		}
		t.Val = w.held[n]
		if t.Val != strings.TrimSpace(t.Val) {
			t.Space.Name.Space, t.Space.Name.Local, t.Space.Value = "http://www.w3.org/XML/1998/namespace", "space", "preserve"
		}
	}
}

// hidden writes the sheet that says what the workbook is.
func (w *writer) hidden() {
	w.sheet(hiddenSheet)
	facts := [][2]string{{"format", Format}, {"member", w.book.Member}}
	if w.book.Body != nil {
		facts = append(facts, [2]string{"body", w.book.Body.ID})
	}
	for i, s := range w.book.Surveys {
		ref := s.Pack.Ref()
		facts = append(facts,
			[2]string{"survey", s.ID()}, [2]string{"sheet", w.names[i]},
			[2]string{"pack", ref.ID + " " + ref.Version + " " + ref.Digest})
	}
	if w.book.Needs != nil {
		facts = append(facts, [2]string{"form", strconv.FormatInt(w.book.NeedsRevision, 10)})
	}
	for i, fact := range facts {
		w.set(hiddenSheet, 1, i+1, textCell(fact[0]), style{})
		w.set(hiddenSheet, 2, i+1, textCell(fact[1]), style{})
	}
	for i, list := range []string{listLevel, listTarget, listEvidence, listYes} {
		for j, c := range choices(list) {
			value := textCell(c.shown(w.lang))
			if c.code[0] >= '0' && c.code[0] <= '9' {
				value.kind = number
			}
			w.set(hiddenSheet, firstList+i, j+1, value, style{})
		}
	}
	w.keep(w.file.SetSheetVisible(hiddenSheet, false))
	w.protect(hiddenSheet)
}

// firstList is the column of the hidden sheet in which the first list stands.
const firstList = 4

// listRange returns where the choices of a list stand.
func listRange(list string) string {
	for i, name := range []string{listLevel, listTarget, listEvidence, listYes} {
		if name == list {
			letters := columnName(firstList + i)
			return fmt.Sprintf("'%s'!$%s$1:$%s$%d", hiddenSheet, letters, letters, len(choices(list)))
		}
	}
	return ""
}

// protect locks a sheet but for its unlocked cells. There is no password: it
// guards against a slip of the hand, and reading trusts nothing of it.
func (w *writer) protect(sheet string) {
	w.keep(w.file.ProtectSheet(sheet, &excelize.SheetProtectionOptions{
		SelectLockedCells: true, SelectUnlockedCells: true, FormatCells: true, FormatColumns: true, FormatRows: true,
		Sort: true, AutoFilter: true, EditObjects: true, EditScenarios: true,
	}))
}
