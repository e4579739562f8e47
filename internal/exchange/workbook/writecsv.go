package workbook

import (
	"bufio"
	"io"
	"strings"

	"muster/internal/errs"
	"muster/internal/exchange/cells"
)

// CSVStyle says how a CSV file is written.
type CSVStyle struct {
	// Mark puts a byte order mark at the beginning: without it Excel takes the file
	// for text of another encoding.
	Mark bool
}

// WriteCSV writes a book of one survey, or of the form alone, as CSV: the columns
// of its sheet, hidden ones included, under their ids. Cells are quoted where RFC
// 4180 asks for it and lines end in CR LF. A text that a spreadsheet might calculate
// stands behind an apostrophe, which [Read] takes off again. A CSV file has no
// password and does not name the member.
func WriteCSV(w io.Writer, b Book, style CSVStyle) error {
	if err := b.check(); err != nil {
		return err
	}
	var t table
	switch {
	case b.Password != "":
		return errs.New(errs.Invalid, "a CSV file cannot have a password", "write a workbook")
	case len(b.Surveys) == 1 && b.Needs == nil:
		t = b.survey(b.Surveys[0], true)
	case len(b.Surveys) == 0:
		t = b.form(true)
	default:
		return errs.New(errs.Invalid, "a CSV file holds one survey, or the form", "write one file for each, or a workbook")
	}

	buf := bufio.NewWriter(w) // keeps the first error for Flush
	if style.Mark {
		buf.WriteString("\uFEFF")
	}
	for i, h := range t.headings {
		if i > 0 {
			buf.WriteByte(',')
		}
		buf.WriteString(h.key())
	}
	buf.WriteString("\r\n")
	for _, row := range t.rows {
		for i, c := range row {
			if i > 0 {
				buf.WriteByte(',')
			}
			buf.WriteString(csvCell(c))
		}
		buf.WriteString("\r\n")
	}
	return buf.Flush()
}

// csvCell returns a cell as it stands in CSV.
func csvCell(c cell) string {
	s := c.text
	if c.kind == text {
		s = cells.Guard(s)
	}
	if strings.ContainsAny(s, "\",;\t\r\n") || s != strings.TrimSpace(s) {
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
	}
	return s
}
