package workbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"muster/internal/errs"
)

// Config says what a file is read against.
type Config struct {
	Name     string // what faults call the file
	Password string // of a workbook that has one
	Member   string // whose the file must be, if it says so; empty for anybody's

	// Surveys are those that rows may speak of; of each, cycle and pack count.
	Surveys []Survey

	// Body, if not nil, says whether a body that rows name is known.
	Body func(id string) bool

	Bound
}

// Read reads a workbook or a CSV file of the given size in bytes; the content says
// which it is. The error is an [errs.Faults] if the file is not what it should be,
// of kind Denied if its password is missing or wrong, and else the reader's. With
// an error there is no import.
func Read(r io.ReaderAt, size int64, c Config) (*Import, error) {
	if size > MaxSize {
		return nil, c.whole(fmt.Sprintf("the file has %d bytes", size), fmt.Sprintf("at most %d", MaxSize))
	}
	data := make([]byte, max(size, 0))
	if n, err := r.ReadAt(data, 0); err != nil && (err != io.EOF || n < len(data)) {
		return nil, fmt.Errorf("read %s: %w", errs.Quote(c.Name), err)
	}
	rd := &reader{config: c, lookup: newLookup(), rows: make(map[Key]string)}
	grids, err := rd.grids(data)
	if err != nil {
		return nil, err
	}
	rd.result.Body = c.Only
	rd.facts(grids)
	for _, g := range grids {
		rd.grid(g)
	}
	if rd.answers == 0 && rd.forms == 0 && len(rd.faults) == 0 {
		return nil, c.whole("the file holds neither answers nor the form", "a file that muster wrote, with the columns "+colID+", "+colRevision+" and those to fill in")
	}
	if err := rd.faults.Err(); err != nil {
		return nil, err
	}
	sortRows(rd.result.Rows, c.Surveys)
	return &rd.result, nil
}

// whole returns a fault of the whole file.
func (c Config) whole(message, allowed string) error {
	return errs.Faults{{File: c.Name, Message: message, Allowed: allowed}}.Err()
}

// reader reads one file.
type reader struct {
	config Config
	result Import
	faults errs.Faults

	lookup  lookup
	rows    map[Key]string    // where each row was found
	sheets  map[string]string // by name of a sheet, the survey that it should have
	answers int               // sheets with answers
	forms   int               // sheets with the form
}

// add keeps a fault, unless there are enough.
func (rd *reader) add(f errs.Fault) {
	if len(rd.faults) < errs.MaxFaults {
		rd.faults = append(rd.faults, f)
	}
}

// ignore notes something that holds text and is left aside.
func (rd *reader) ignore(what string) {
	if len(rd.result.Ignored) < errs.MaxFaults {
		rd.result.Ignored = append(rd.result.Ignored, what)
	}
}

// grids takes the file apart.
func (rd *reader) grids(data []byte) ([]*grid, error) {
	c := rd.config
	if !bytes.HasPrefix(data, []byte(zipSignature)) && !bytes.HasPrefix(data, []byte(compoundSignature)) {
		g, faults := readCSV(c.Name, data)
		if err := faults.Err(); err != nil {
			return nil, err
		}
		return []*grid{g}, nil
	}
	a, err := openArchive(data, c.Password)
	if err == nil {
		var grids []*grid
		if grids, err = a.sheets(c.Name); err == nil {
			return grids, nil
		}
	}
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.Invalid {
		return nil, c.whole(e.Message, e.Hint)
	}
	return nil, err
}

// facts reads the hidden sheet, if it is still there.
func (rd *reader) facts(grids []*grid) {
	i := slices.IndexFunc(grids, func(g *grid) bool { return g.sheet == hiddenSheet })
	if i < 0 {
		return
	}
	g := grids[i]
	rd.sheets = make(map[string]string)
	survey := ""
	for _, row := range g.rows {
		name, value := row.at(1), row.at(2)
		switch name.text {
		case "format":
			if value.text != Format {
				rd.add(g.fault(row, value, "format", errs.Quote(value.text)+" is another version of the format", Format+"; a newer muster may read it"))
			}
		case "member":
			rd.result.Member = value.text
			if rd.config.Member != "" && value.text != rd.config.Member {
				rd.add(g.fault(row, value, "member", "the workbook is of "+errs.Quote(value.text), "a workbook of "+errs.Quote(rd.config.Member)))
			}
		case "body":
			rd.body(g, row, value)
		case "survey":
			survey = value.text
		case "sheet":
			rd.sheets[value.text] = survey
		case "form":
			if n, err := strconv.ParseInt(value.text, 10, 64); err == nil && n >= 0 && n <= maxRevision {
				rd.result.NeedsRevision = n
			}
		}
	}
}

// grid reads a sheet, whichever it is.
func (rd *reader) grid(g *grid) {
	if g.sheet == hiddenSheet {
		return
	}
	h, found := rd.header(g)
	switch {
	case !found:
		rd.strange(g)
	case h.form:
		rd.forms++
		rd.form(g, h)
	default:
		rd.answers++
		rd.survey(g, h)
	}
}

// strange looks through a sheet without a header: one that has rows of ours, or was
// given out with some, has lost its header.
func (rd *reader) strange(g *grid) {
	for _, row := range g.rows {
		for _, c := range row.cells {
			if k, ok := parseKey(c.text); ok && c.kind == text && rd.known(k.Survey) != nil {
				rd.add(g.fault(row, c, "", "the cell is the id of a row, and its sheet has no header", "the header that the sheet was given out with: "+colID+", "+colRevision+" and the others"))
				return
			}
		}
	}
	if _, ours := rd.sheets[g.sheet]; ours && len(g.rows) > 0 {
		rd.add(g.fault(g.rows[0], g.rows[0].cells[0], "", "the sheet has lost its header and its row ids", "the sheet as it was given out, or no such sheet"))
		return
	}
	if !g.hidden && len(g.rows) > 0 && g.sheet != guideSheet {
		rd.ignore("sheet " + errs.Quote(g.sheet))
	}
}

// known returns the survey with an id, or nil.
func (rd *reader) known(id string) *Survey {
	for i := range rd.config.Surveys {
		if s := &rd.config.Surveys[i]; s.ID() == id {
			return s
		}
	}
	return nil
}

// header is where the columns of a grid are.
type header struct {
	row     int            // index in grid.rows
	columns map[string]int // by id, the number of the column
	form    bool
}

// at returns the cell of a column in a row, and whether the grid has the column.
func (h header) at(r gridRow, id string) (gridCell, bool) {
	n, ok := h.columns[id]
	if !ok {
		return gridCell{}, false
	}
	return r.at(n), true
}

// header finds the row that names the columns: by their ids, or, where that hidden
// row is lost, by what people see. It may stand anywhere, since a sheet can be
// sorted with its header.
func (rd *reader) header(g *grid) (header, bool) {
	for _, by := range []struct {
		find   func(string) (column, bool)
		labels bool
	}{{rd.lookup.byID, false}, {rd.lookup.byLabel, true}} {
		found := -1
		for i, row := range g.rows {
			if !names(row, by.find) {
				continue
			}
			if found >= 0 {
				first := g.rows[found]
				rd.add(g.fault(row, row.cells[0], "header", "there is a second header", "one, as in row "+fmt.Sprint(first.number)))
				break
			}
			found = i
		}
		if found >= 0 {
			return rd.columns(g, found, by.find, by.labels), true
		}
	}
	return header{}, false
}

// names reports whether a row names columns: the one that says which row is which,
// and another one of the same sheet.
func names(row gridRow, find func(string) (column, bool)) bool {
	id, answers, what, form := false, 0, false, 0
	for _, c := range row.cells {
		col, ok := find(c.text)
		switch {
		case !ok || c.kind != text:
		case col.form:
			form++
			what = what || col.id == colWhat
		default:
			answers++
			id = id || col.id == colID
		}
	}
	return id && answers >= 2 || what && form >= 2
}

// columns reads the row that names the columns.
func (rd *reader) columns(g *grid, at int, find func(string) (column, bool), labels bool) header {
	h := header{row: at, columns: make(map[string]int)}
	row := g.rows[at]
	for _, c := range row.cells {
		col, ok := find(c.text)
		switch {
		case !ok && labels:
			// Nothing else says what the column is: it may be one whose label
			// somebody changed.
			rd.add(g.fault(row, c, "header", errs.Quote(c.text)+" names no column", "a header as the file was given out with, in English or French"))
		case !ok:
			rd.ignore("column " + g.place(row, c) + " " + errs.Quote(c.text))
		case col.text():
		default:
			if first, twice := h.columns[col.id]; twice {
				rd.add(g.fault(row, c, "header", "the column "+col.id+" is there a second time", "one, as in "+columnName(first)))
				continue
			}
			h.columns[col.id] = c.column
			h.form = h.form || col.form
		}
	}
	if !labels {
		rd.unnamed(g, h)
	}
	return h
}

// unnamed notes the columns that hold something, and of which the header says
// nothing; and refuses labels that speak against the ids.
func (rd *reader) unnamed(g *grid, h header) {
	named := make(map[int]string)
	for id, n := range h.columns {
		named[n] = id
	}
	for _, c := range g.rows[h.row].cells {
		if _, ok := named[c.column]; !ok {
			named[c.column] = ""
		}
	}
	noted := make(map[int]bool)
	for i, row := range g.rows {
		label := i != h.row && names(row, rd.lookup.byLabel)
		id, _ := h.at(row, colID)
		for _, c := range row.cells {
			own, isNamed := named[c.column]
			switch {
			case label:
				if col, ok := rd.lookup.byLabel(c.text); ok && c.kind == text && own != "" && col.id != own && (col.typed() || col.id == colID) {
					rd.add(g.fault(row, c, "header", fmt.Sprintf("the header says %s over the column %s", errs.Quote(c.text), own), "the header as it was given out; to move a column, cut and insert it whole"))
				}
			case !isNamed && !noted[c.column] && id.kind != empty:
				noted[c.column] = true
				rd.ignore("column " + strings.TrimSuffix(g.place(row, c), fmt.Sprint(row.number)))
			}
		}
	}
}
