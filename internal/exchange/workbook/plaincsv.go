package workbook

import (
	"bufio"
	"io"
)

// WriteTable writes a table of texts for people and spreadsheets as CSV, which nothing
// reads back: with a byte order mark, and no text of it is calculated, however a
// spreadsheet is told to cut it. The header is written as it is.
func WriteTable(w io.Writer, header []string, rows [][]string) error {
	buf := bufio.NewWriter(w) // keeps the first error for Flush
	buf.WriteString("\uFEFF")
	line := func(texts []string, of kind) {
		for i, s := range texts {
			if i > 0 {
				buf.WriteByte(',')
			}
			buf.WriteString(csvCell(cell{of, s}))
		}
		buf.WriteString("\r\n")
	}
	line(header, empty)
	for _, row := range rows {
		line(row, text)
	}
	return buf.Flush()
}
