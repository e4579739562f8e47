package workbook

import (
	"fmt"
	"strconv"

	"muster/internal/errs"
)

// kind says what a cell holds.
type kind uint8

const (
	empty kind = iota
	text
	number
	boolean
	date    // text is the day, as 2006-01-02
	failure // an error of the spreadsheet's, such as #REF!
	formula // whatever its value is
)

// cell is a cell as it stands in a file: nothing of it is trimmed or understood.
type cell struct {
	kind kind
	text string
}

func textCell(s string) cell {
	if s == "" {
		return cell{}
	}
	return cell{text, s}
}

func numberCell(n int64) cell { return cell{number, strconv.FormatInt(n, 10)} }

// grid is a sheet or a CSV file as it was read.
type grid struct {
	file  string
	sheet string // empty in CSV
	rows  []gridRow

	// hidden says that nothing of it is for people.
	hidden bool
	// date1904 says that numbers of days count from 1904.
	date1904 bool
}

// gridRow is a row with its cells, those that hold something, in ascending columns.
type gridRow struct {
	number int // from 1; the line in CSV
	cells  []gridCell
}

// gridCell is a cell in its place.
type gridCell struct {
	cell
	column int // from 1
	line   int // of CSV, where the cell begins
	char   int // of CSV, where the cell begins on its line, in characters from 1
}

// at returns the cell of a column, empty if it holds nothing. In CSV an empty cell
// is where the row is.
func (r gridRow) at(column int) gridCell {
	for _, c := range r.cells {
		if c.column == column {
			return c
		}
	}
	return gridCell{column: column, line: r.number, char: 1}
}

// place names a cell: "muster-core 2027!F17", or in CSV "17:5".
func (g *grid) place(r gridRow, c gridCell) string {
	if g.sheet == "" {
		return fmt.Sprintf("%d:%d", c.line, c.char)
	}
	return g.sheet + "!" + columnName(c.column) + strconv.Itoa(r.number)
}

// fault returns a fault of a cell.
func (g *grid) fault(r gridRow, c gridCell, field, message, allowed string) errs.Fault {
	f := errs.Fault{File: g.file, Field: field, Message: message, Allowed: allowed}
	if g.sheet == "" {
		f.Line, f.Column = c.line, c.char
		return f
	}
	f.Line, f.Column, f.Cell = r.number, c.column, g.place(r, c)
	return f
}

// columnName returns the letters of a column from 1: A, Z, AA, XFD.
func columnName(column int) string {
	var letters []byte
	for ; column > 0; column = (column - 1) / 26 {
		letters = append([]byte{byte('A' + (column-1)%26)}, letters...)
	}
	return string(letters)
}

// columnNumber reads the letters at the beginning of a cell's name, such as "F17",
// and returns the column from 1 and the rest, or 0.
func columnNumber(name string) (column int, rest string) {
	i := 0
	for ; i < len(name) && i < 4 && name[i] >= 'A' && name[i] <= 'Z'; i++ {
		column = column*26 + int(name[i]-'A') + 1
	}
	if column > maxColumns {
		return 0, ""
	}
	return column, name[i:]
}
