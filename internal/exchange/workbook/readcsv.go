package workbook

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"muster/internal/errs"
	"muster/internal/exchange/cells"
)

// separators are what stands between the cells of CSV files: commas, or what
// spreadsheets write where the comma is part of a number.
const separators = ",;\t"

// csvReader takes a CSV file apart by RFC 4180. Cells may hold line ends. After a
// fault of form the rest is not read: nobody knows what it means.
type csvReader struct {
	grid      *grid
	text      string
	separator byte

	at, line, char int // of what comes next; line and char from 1
	cells          int
	faults         errs.Faults
}

// readCSV reads a file into a grid.
func readCSV(file string, data []byte) (*grid, errs.Faults) {
	r := &csvReader{grid: &grid{file: file}, text: strings.TrimPrefix(string(data), "\uFEFF"), line: 1, char: 1}
	if fault, ok := notCSV(r.text); ok {
		fault.File, fault.Line, fault.Column = file, 1, 1
		return nil, errs.Faults{fault}
	}
	if !utf8.ValidString(r.text) {
		r.skip(invalidAt(r.text))
		r.fault("a byte is not UTF-8", `UTF-8; in a spreadsheet, save as "CSV UTF-8"`)
		return nil, r.faults
	}
	r.separator = separatorOf(r.text)
	for r.at < len(r.text) && len(r.faults) == 0 {
		r.row()
	}
	return r.grid, r.faults
}

// notCSV returns the fault of a file that is of another kind.
func notCSV(s string) (errs.Fault, bool) {
	switch {
	case s == "":
		return errs.Fault{Message: "the file is empty", Allowed: "a workbook (.xlsx), or CSV with a header"}, true
	case strings.ContainsRune(s[:min(len(s), 512)], 0):
		return errs.Fault{Message: "the file is neither a workbook nor UTF-8", Allowed: `.xlsx, or in a spreadsheet "CSV UTF-8"`}, true
	}
	return errs.Fault{}, false
}

// separatorOf returns what follows the first cell. The ids of columns hold no
// separator, so the first one in the file is the one.
func separatorOf(s string) byte {
	if i := strings.IndexAny(s, separators+"\n"); i >= 0 && s[i] != '\n' {
		return s[i]
	}
	return ','
}

func invalidAt(s string) int {
	for at := 0; at < len(s); {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return len(s)
}

// skip moves on by n bytes.
func (r *csvReader) skip(n int) {
	for _, c := range r.text[r.at : r.at+n] {
		if c == '\n' {
			r.line, r.char = r.line+1, 1
		} else {
			r.char++
		}
	}
	r.at += n
}

func (r *csvReader) fault(message, allowed string) {
	r.faults = append(r.faults, errs.Fault{File: r.grid.file, Line: r.line, Column: r.char, Message: message, Allowed: allowed})
}

// row reads up to the end of a row.
func (r *csvReader) row() {
	row := gridRow{number: r.line}
	for column := 1; len(r.faults) == 0; column++ {
		if column > maxColumns {
			r.fault("the row has too many cells", fmt.Sprintf("at most %d", maxColumns))
			return
		}
		c := gridCell{column: column, line: r.line, char: r.char}
		said, ok := r.cell()
		if !ok {
			return
		}
		if said != "" {
			c.cell = csvValue(said)
			row.cells = append(row.cells, c)
			if r.cells++; r.cells > maxCells {
				r.fault(fmt.Sprintf("the file has more than %d cells", maxCells), "a file as muster writes it")
				return
			}
		}
		if r.at == len(r.text) {
			break
		}
		end := r.text[r.at] != r.separator
		if end {
			r.skip(len(lineEnd(r.text[r.at:])))
		} else {
			r.skip(1)
		}
		if end {
			break
		}
	}
	if len(row.cells) > 0 {
		r.grid.rows = append(r.grid.rows, row)
		if len(r.grid.rows) > maxRows {
			r.fault(fmt.Sprintf("the file has more than %d rows", maxRows), "a file as muster writes it")
		}
	}
}

// lineEnd returns the line end with which s begins, or "".
func lineEnd(s string) string {
	for _, end := range []string{"\r\n", "\n"} {
		if strings.HasPrefix(s, end) {
			return end
		}
	}
	return ""
}

// cell reads one cell, up to the separator or line end behind it.
func (r *csvReader) cell() (string, bool) {
	if !strings.HasPrefix(r.text[r.at:], `"`) {
		rest := r.text[r.at:]
		end := strings.IndexAny(rest, string(r.separator)+"\n\"")
		if end < 0 {
			end = len(rest)
		} else if rest[end] == '"' {
			r.skip(end)
			r.fault("there is a quote inside a cell that is not quoted", "quotes around the whole cell, those inside doubled")
			return "", false
		}
		said := rest[:end]
		if end < len(rest) && rest[end] == '\n' && strings.HasSuffix(said, "\r") {
			said = said[:len(said)-1]
		}
		r.skip(len(said))
		return said, true
	}
	var said strings.Builder
	line, char := r.line, r.char
	r.skip(1)
	for {
		quote := strings.IndexByte(r.text[r.at:], '"')
		if quote < 0 {
			r.line, r.char = line, char
			r.fault("a quote is opened and not closed", "quotes around the whole cell, those inside doubled")
			return "", false
		}
		said.WriteString(r.text[r.at : r.at+quote])
		r.skip(quote + 1)
		if !strings.HasPrefix(r.text[r.at:], `"`) {
			break
		}
		said.WriteByte('"')
		r.skip(1)
	}
	if rest := r.text[r.at:]; rest != "" && rest[0] != r.separator && lineEnd(rest) == "" {
		r.fault("there is text after a closing quote", "quotes around the whole cell, those inside doubled")
		return "", false
	}
	return said.String(), true
}

// csvValue returns what a cell's text means: an apostrophe is taken off, and what
// a spreadsheet would calculate is a formula.
func csvValue(s string) cell {
	bare, ok := cells.Unguard(s)
	if !ok {
		return cell{formula, s}
	}
	return textCell(bare)
}
