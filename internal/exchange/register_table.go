package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
)

// maxRegisterSize is how many bytes a table of a register may have as CSV: ten
// million rows.
const maxRegisterSize = 1 << 30

// maxRowSize is how many bytes one row of it may have.
const maxRowSize = 1 << 16

// A Table is one of the two tables of a register, in either of its forms: CSV, or
// YAML with the same columns as keys.
type Table string

// The tables of a register.
const (
	Services     Table = "services"
	Requirements Table = "requirements"
)

// format is what its YAML begins with.
func (t Table) format() string { return "muster " + string(t) + " v1" }

func (t Table) header() string {
	if t == Services {
		return ServicesHeader
	}
	return RequirementsHeader
}

// tableOf returns the table that has a header.
func tableOf(header string) Table {
	if header == ServicesHeader {
		return Services
	}
	return Requirements
}

// stream calls row for every row below the header, as YAML where the table's name
// says so. A table may be larger than what should be in memory at once. It stops
// where there are more faults than are kept: rubbish need not be read to its end.
func (t *table) stream(in io.Reader, row func(l line, cells []cell)) error {
	if isYAML(t.name) {
		return t.readYAML(in, row)
	}
	r := bufio.NewReaderSize(io.LimitReader(in, maxRegisterSize+1), maxRowSize)
	begin, err := r.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", errs.Quote(t.name), err)
	}
	content := "the header " + t.header + ", then one row or more"
	if fault, ok := notText(begin, maxRowSize, content); ok {
		fault.File = t.name
		return errs.Faults{fault}.Err()
	}
	if bytes.HasPrefix(begin, []byte("\uFEFF")) {
		if _, err := r.Discard(len("\uFEFF")); err != nil {
			return err
		}
	}
	size, headed := 0, false
	for number := 1; len(t.faults) < errs.MaxFaults; number++ {
		raw, err := r.ReadSlice('\n')
		size += len(raw)
		l := line{number: number}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			t.add(place{l, 1, ""}, fmt.Sprintf("the line is longer than %d bytes", maxRowSize), "one row a line")
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read %s: %w", errs.Quote(t.name), err)
		case size > maxRegisterSize:
			t.add(place{l, 1, ""}, fmt.Sprintf("the file is larger than %d bytes; nothing behind them was read", maxRegisterSize), "less")
			return nil
		case len(raw) == 0:
			if t.rows == 0 && len(t.faults) == 0 {
				t.add(place{line{number: 1}, 1, ""}, "there is no row", content)
			}
			return nil
		}
		l.text = string(bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r")))
		switch {
		case l.text == "":
		case !headed:
			headed = true
			if tableOf(t.header) == Requirements && slices.Contains(requirementHeaders(), l.text) {
				t.header = l.text
			}
			if l.text != t.header {
				t.add(place{l, 1, "header"}, "the file does not begin with the header", "the header "+t.header)
				return t.faults.Err() // nobody knows what the columns mean
			}
		default:
			t.row(l, row)
		}
	}
	return nil
}

// readYAML calls row for every row of the table as YAML: a key that is not there
// is an empty cell.
func (t *table) readYAML(in io.Reader, row func(l line, cells []cell)) error {
	kind := tableOf(t.header)
	if kind == Requirements {
		t.header = RequirementsHeader + "," + saidColumns
	}
	d := &document{file: t.name}
	root, err := d.parse(in, "format: "+kind.format()+", then "+string(kind))
	if err != nil {
		return err
	}
	var format, rows *yaml.Node
	if root != nil && d.object(root, "", key{name: "format", node: &format}, key{name: string(kind), node: &rows}) {
		d.format(format, kind.format())
	}
	names := strings.Split(t.header, ",")
	for _, item := range d.list(rows, string(kind)) {
		if len(d.faults)+len(t.faults) >= errs.MaxFaults {
			break
		}
		t.rows++
		values := make([]*yaml.Node, len(names))
		keys := make([]key, len(names))
		for i, name := range names {
			keys[i] = key{name: name, node: &values[i], optional: true}
		}
		before := len(d.faults)
		if !d.object(item, string(kind), keys...) {
			t.unread++
			continue
		}
		l := line{number: item.Line}
		cells := make([]cell, len(names))
		for i, n := range values {
			cells[i] = cell{column: item.Column, line: item.Line}
			if n != nil {
				cells[i] = cell{text: d.text(n, names[i]), column: n.Column, line: n.Line}
			}
		}
		if len(d.faults) == before {
			row(l, cells)
		} else {
			t.unread++
		}
	}
	t.faults = append(t.faults, d.faults...)
	return nil
}

// Rows reads a table as it is, without asking what its cells mean. A file whose
// name ends in .yaml or .yml is YAML, every other CSV.
func (t Table) Rows(name string, in io.Reader) ([][]string, error) {
	var rows [][]string
	r := &table{name: name, header: t.header()}
	err := r.stream(in, func(_ line, cells []cell) {
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = c.text
		}
		rows = append(rows, row)
	})
	if err != nil {
		return nil, err
	}
	if t == Requirements {
		rows = withoutEmptyStatus(rows)
	}
	return rows, r.faults.Err()
}

// columns returns the header of rows: with the columns that may be left out where any
// of them has them.
func (t Table) columns(rows [][]string) string {
	if t != Requirements {
		return t.header()
	}
	widest := 0
	for _, row := range rows {
		widest = max(widest, len(row))
	}
	headers := requirementHeaders()
	switch {
	case widest > requirementStatus+1:
		return headers[2]
	case widest > requirementStatus:
		return headers[1]
	}
	return headers[0]
}

// WriteCSV writes rows as CSV.
func (t Table) WriteCSV(w io.Writer, rows [][]string) error {
	b := bufio.NewWriter(w)
	header := t.columns(rows)
	b.WriteString(header + "\n")
	for _, row := range rows {
		for i, text := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteCell(text))
		}
		for range strings.Count(header, ",") + 1 - len(row) {
			b.WriteByte(',') // a row of a table without those columns
		}
		b.WriteByte('\n')
	}
	return b.Flush()
}

// WriteYAML writes rows as YAML, without the cells that are empty.
func (t Table) WriteYAML(w io.Writer, rows [][]string) error {
	names := strings.Split(t.columns(rows), ",")
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "format: %s\n%s:\n", t.format(), string(t))
	for _, row := range rows {
		begin := "  - "
		for i, text := range row {
			if text != "" {
				fmt.Fprintf(b, "%s%s: %s\n", begin, names[i], quoteYAML(text))
				begin = "    "
			}
		}
		if begin == "  - " {
			b.WriteString("  - {}\n")
		}
	}
	return b.Flush()
}

// quoteCell returns a text as a cell of CSV.
func quoteCell(text string) string {
	if !strings.ContainsAny(text, ",\"\r") {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}
