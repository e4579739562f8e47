package workbook

import (
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/errs"
)

// sheets reads all sheets of a workbook.
func (a *archive) sheets(file string) ([]*grid, error) {
	main, err := a.target("_rels/.rels", "", "officeDocument")
	if err != nil {
		return nil, err
	}
	if main == "" {
		return nil, errs.New(errs.Invalid, "the file is no workbook", "a workbook as .xlsx")
	}
	relations, err := a.relations(path.Join(path.Dir(main), "_rels", path.Base(main)+".rels"), path.Dir(main))
	if err != nil {
		return nil, err
	}
	grids, targets, err := a.list(main, file, relations)
	if err != nil {
		return nil, err
	}
	var shared []string
	for _, r := range relations {
		if r.kind == "sharedStrings" {
			if shared, err = a.shared(r.target); err != nil {
				return nil, err
			}
		}
	}
	left := &limits{cells: maxCells, rows: maxRows}
	for i, g := range grids {
		if targets[i] == "" {
			continue // a chart
		}
		if err := a.cells(g, targets[i], shared, left); err != nil {
			return nil, err
		}
	}
	return grids, nil
}

// relation is where a part finds another.
type relation struct{ id, kind, target string }

func (a *archive) relations(name, base string) ([]relation, error) {
	r, ok, err := a.open(name)
	if err != nil || !ok {
		return nil, err
	}
	defer r.Close()
	var all []relation
	err = newXMLReader(name, r).each(func(start xml.StartElement) error {
		if start.Name.Local != "Relationship" || attr(start, "TargetMode") == "External" {
			return nil
		}
		target := attr(start, "Target")
		if strings.HasPrefix(target, "/") {
			target = strings.TrimPrefix(path.Clean(target), "/")
		} else {
			target = path.Join(base, target)
		}
		all = append(all, relation{attr(start, "Id"), path.Base(attr(start, "Type")), target})
		if len(all) > maxParts {
			return tooMany("relations", maxParts)
		}
		return nil
	})
	return all, err
}

// target returns the first part of a kind that another leads to, or "".
func (a *archive) target(name, base, kind string) (string, error) {
	all, err := a.relations(name, base)
	for _, r := range all {
		if r.kind == kind {
			return r.target, err
		}
	}
	return "", err
}

// maxSheets is how many sheets a workbook may have.
const maxSheets = 200

// list returns the workbook's sheets in its order, still empty, and where each is.
func (a *archive) list(main, file string, relations []relation) (grids []*grid, targets []string, err error) {
	r, ok, err := a.open(main)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, errs.New(errs.Invalid, "the file is no workbook", "a workbook as .xlsx")
	}
	defer r.Close()
	date1904 := false
	err = newXMLReader(main, r).each(func(start xml.StartElement) error {
		switch start.Name.Local {
		case "workbookPr":
			date1904 = is(attr(start, "date1904"))
		case "sheet":
			if len(grids) == maxSheets {
				return tooMany("sheets", maxSheets)
			}
			target := ""
			for _, r := range relations {
				if r.id == attr(start, "id") && r.kind == "worksheet" {
					target = r.target
				}
			}
			if target != "" && slices.Contains(targets, target) {
				return errs.New(errs.Invalid, "the workbook is damaged: two sheets are one", "give the file as it was saved")
			}
			grids = append(grids, &grid{file: file, sheet: attr(start, "name"), hidden: attr(start, "state") != ""})
			targets = append(targets, target)
		}
		return nil
	})
	for _, g := range grids {
		g.date1904 = date1904
	}
	return grids, targets, err
}

// shared reads the table of strings.
func (a *archive) shared(name string) ([]string, error) {
	r, ok, err := a.open(name)
	if err != nil || !ok {
		return nil, err
	}
	defer r.Close()
	var all []string
	x := newXMLReader(name, r)
	err = x.each(func(start xml.StartElement) error {
		if start.Name.Local != "si" {
			return nil
		}
		if len(all) == maxCells {
			return tooMany("strings", maxCells)
		}
		s, err := x.strings()
		all = append(all, s)
		return eof(err)
	})
	return all, err
}

// limits counts down what a workbook may hold.
type limits struct{ cells, rows int }

func tooMany(what string, most int) error {
	return errs.New(errs.Invalid, fmt.Sprintf("the workbook holds more than %d %s", most, what), "send a workbook as muster writes it")
}

// eof makes of an end inside of an element a damaged file.
func eof(err error) error {
	if err == io.EOF {
		return errs.New(errs.Invalid, "the workbook is damaged or cut off", "give the file as it was saved")
	}
	return err
}

// cells reads the cells of a sheet.
func (a *archive) cells(g *grid, name string, shared []string, left *limits) error {
	r, ok, err := a.open(name)
	if err != nil {
		return err
	}
	if !ok {
		return errs.New(errs.Invalid, "the workbook is damaged: sheet "+errs.Quote(g.sheet)+" is missing", "give the file as it was saved")
	}
	defer r.Close()
	s := &sheetReader{xmlReader: newXMLReader(name, r), grid: g, shared: shared, left: left}
	return s.each(func(start xml.StartElement) error {
		if start.Name.Local != "sheetData" {
			return nil
		}
		return s.data()
	})
}

// sheetReader reads one sheet.
type sheetReader struct {
	*xmlReader
	grid   *grid
	shared []string
	left   *limits

	current gridRow
	column  int // of the last cell
	last    int // number of the last row
}

// data reads the rows of the sheet. Only here row and c are rows and cells.
func (s *sheetReader) data() error {
	outer := s.depth
	for {
		token, err := s.next()
		if err != nil {
			return eof(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "row":
				err = s.row(e)
			case "c":
				err = s.cell(e)
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			if s.depth < outer {
				return s.endRow()
			}
		}
	}
}

func (s *sheetReader) damaged() error {
	return errs.New(errs.Invalid, "the workbook is damaged: sheet "+errs.Quote(s.grid.sheet)+" is out of order", "open it in a spreadsheet, save it as .xlsx, and try again")
}

// row begins a row. Rows ascend.
func (s *sheetReader) row(start xml.StartElement) error {
	if err := s.endRow(); err != nil {
		return err
	}
	n := s.last + 1
	if r := attr(start, "r"); r != "" {
		var err error
		if n, err = strconv.Atoi(r); err != nil {
			return s.damaged()
		}
	}
	if n <= s.last || n > lastRow {
		return s.damaged()
	}
	s.last, s.column = n, 0
	s.current = gridRow{number: n}
	return nil
}

// endRow keeps the row if it holds something.
func (s *sheetReader) endRow() error {
	if len(s.current.cells) == 0 {
		return nil
	}
	if s.left.rows--; s.left.rows < 0 {
		return tooMany("rows", maxRows)
	}
	s.grid.rows = append(s.grid.rows, s.current)
	s.current = gridRow{}
	return nil
}

// cell reads a cell. Within a row columns ascend.
func (s *sheetReader) cell(start xml.StartElement) error {
	column := s.column + 1
	if name := attr(start, "r"); name != "" {
		var rest string
		if column, rest = columnNumber(name); rest != strconv.Itoa(s.last) {
			return s.damaged()
		}
	}
	if column <= s.column || column > maxColumns || s.last == 0 {
		return s.damaged()
	}
	s.column = column
	c, err := s.value(attr(start, "t"))
	if err != nil || c.kind == empty {
		return err
	}
	if s.left.cells--; s.left.cells < 0 {
		return tooMany("cells", maxCells)
	}
	s.current.cells = append(s.current.cells, gridCell{cell: c, column: column})
	return nil
}

// value reads what a cell of type t holds, up to its end.
func (s *sheetReader) value(t string) (cell, error) {
	outer := s.depth
	var v, inline string
	var computed, valued bool
	for {
		token, err := s.next()
		if err != nil {
			return cell{}, eof(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "f":
				computed = true
			case "v":
				v, err = s.content("")
				valued = true
			case "is":
				inline, err = s.strings()
			}
			if err != nil {
				return cell{}, eof(err)
			}
		case xml.EndElement:
			if s.depth >= outer {
				continue
			}
			if computed {
				return cell{kind: formula, text: v}, nil
			}
			return s.typed(t, v, inline, valued)
		}
	}
}

// typed makes a cell of what stands in a file.
func (s *sheetReader) typed(t, v, inline string, valued bool) (cell, error) {
	switch t {
	case "s":
		if !valued {
			return cell{}, nil
		}
		i, err := strconv.Atoi(strings.TrimSpace(v))
		if err != nil || i < 0 || i >= len(s.shared) {
			return cell{}, s.damaged()
		}
		return textCell(s.shared[i]), nil
	case "inlineStr":
		return textCell(inline), nil
	case "str":
		return textCell(v), nil
	case "b":
		return cell{boolean, strings.TrimSpace(v)}, nil
	case "e":
		return cell{failure, v}, nil
	case "d":
		day, _, _ := strings.Cut(strings.TrimSpace(v), "T")
		return cell{date, day}, nil
	case "", "n":
		if v = strings.TrimSpace(v); v == "" {
			return cell{}, nil
		}
		return cell{number, v}, nil
	}
	return cell{}, s.damaged()
}

// dayOf returns the day that a number means in a sheet, as 2006-01-02.
func (g *grid) dayOf(n int) string {
	day := epoch()
	if g.date1904 {
		day = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return day.AddDate(0, 0, n).Format(time.DateOnly)
}
