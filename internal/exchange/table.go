package exchange

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// maxTableSize is how many bytes a table may have.
const maxTableSize = 16 << 20

// table is a CSV file with a fixed header while it is read.
type table struct {
	name   string
	header string // the columns' names, with commas
	faults errs.Faults
	rows   int
	unread int // rows of which not even the cells could be told apart
}

// place is a cell of a table for a fault.
type place struct {
	line   line
	column int
	field  string
}

func (t *table) add(p place, message, allowed string) {
	if len(t.faults) < errs.MaxFaults {
		t.faults = append(t.faults, errs.Fault{File: t.name, Line: p.line.number, Column: p.column, Field: p.field, Message: message, Allowed: allowed})
	}
}

// fault adds a fault of a cell of a row.
func (t *table) fault(l line, cells []cell, i int, message, allowed string) {
	if cells[i].line > 0 {
		l.number = cells[i].line
	}
	t.add(place{l, cells[i].column, strings.Split(t.header, ",")[i]}, message, allowed)
}

// read calls row for every row below the header with as many cells as that has.
// The error is an [errs.Faults], or the reader's.
func (t *table) read(r io.Reader, row func(l line, cells []cell)) error {
	data, err := io.ReadAll(io.LimitReader(r, maxTableSize+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", errs.Quote(t.name), err)
	}
	content := "the header " + t.header + ", then one row or more"
	if fault, ok := notText(data, maxTableSize, content); ok {
		fault.File = t.name
		return errs.Faults{fault}.Err()
	}
	text := strings.TrimPrefix(string(data), "\uFEFF")
	headed := false
	for l := range lines(text, len(data)-len(text)) {
		switch {
		case l.text == "":
		case !headed:
			headed = true
			if l.text != t.header {
				t.add(place{l, 1, "header"}, "the file does not begin with the header", "the header "+t.header)
				return t.faults.Err() // nobody knows what the columns mean
			}
		default:
			t.row(l, row)
		}
	}
	if t.rows == 0 && len(t.faults) == 0 {
		t.add(place{line{number: 1}, 1, ""}, "there is no row", content)
	}
	return nil
}

func (t *table) row(l line, row func(l line, cells []cell)) {
	t.rows++
	t.unread++
	if at := invalid(l.text); at >= 0 {
		t.add(place{l, utf8.RuneCountInString(l.text[:at]) + 1, ""}, fmt.Sprintf("byte 0x%02X is not UTF-8", l.text[at]), allowedEncoding)
		return
	}
	cells, fault := split(l.text)
	if fault != nil {
		t.add(place{l, fault.Column, ""}, fault.Message, fault.Allowed)
		return
	}
	if want := strings.Count(t.header, ",") + 1; len(cells) != want {
		t.add(place{l, 1, ""}, cellCount(l.text, len(cells)), fmt.Sprintf("%d cells: %s", want, t.header))
		return
	}
	t.unread--
	row(l, cells)
}

// memberCell reads a cell that names a member.
func (t *table) memberCell(l line, cells []cell, i int) (coalition.MemberID, bool) {
	id, err := coalition.ParseMemberID(cells[i].text)
	if err != nil {
		d := errs.Describe(err)
		t.fault(l, cells, i, d.Message, d.Hint)
		return "", false
	}
	return id, true
}

// NamesHeader is the first line of a file of members' names.
const NamesHeader = "member"

// ReadNames reads a list of members, one a row below [NamesHeader], all of whom
// known must accept. It returns them in the file's order, or every fault with its
// place as [errs.Faults].
func ReadNames(name string, r io.Reader, known func(coalition.MemberID) bool) ([]coalition.MemberID, error) {
	t := &table{name: name, header: NamesHeader}
	var names []coalition.MemberID
	first := make(map[coalition.MemberID]int)
	err := t.read(r, func(l line, cells []cell) {
		id, ok := t.memberCell(l, cells, 0)
		if !ok {
			return
		}
		if before, ok := first[id]; ok {
			t.fault(l, cells, 0, fmt.Sprintf("%s has a row already, on line %d", errs.Quote(string(id)), before), "one row for each member")
			return
		}
		first[id] = l.number
		if !known(id) {
			t.fault(l, cells, 0, fmt.Sprintf("%s is not of the cohort", errs.Quote(string(id))), "a member as the charter lists it")
			return
		}
		names = append(names, id)
	})
	if err != nil {
		return nil, err
	}
	if err := t.faults.Err(); err != nil {
		return nil, err
	}
	return names, nil
}
