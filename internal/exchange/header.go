package exchange

import (
	"fmt"
	"slices"
	"strings"

	"muster/internal/errs"
)

// afterHeader says what follows from the first line that is not empty.
type afterHeader uint8

const (
	rowsBegin      afterHeader = iota // rows follow; their columns are as they should be
	rowsBegun                         // the line was a row already
	rowsUnreadable                    // nobody knows what the columns mean
)

// separators are what spreadsheets put between cells where they do not put commas.
var separators = []struct{ text, name string }{
	{";", "semicolon"}, {"\t", "tab"}, {"|", "vertical bar"},
}

// header reads the first line that is not empty. It adds a fault for everything
// that differs, and lets the rows be read where it is plain what they mean.
func (f *file) header(l line) afterHeader {
	if l.text == Header {
		return rowsBegin
	}
	if !f.readable(l) {
		return rowsUnreadable
	}
	if !strings.Contains(l.text, ",") {
		for _, separator := range separators {
			if strings.Contains(l.text, separator.text) {
				f.add(errs.Fault{
					Line: l.number, Column: column(l.text, strings.Index(l.text, separator.text)),
					Message: "the cells are separated by " + separator.name + "s",
					Allowed: `commas; in a spreadsheet, save as "CSV UTF-8 (comma delimited)", or replace every ` +
						separator.name + " by a comma",
				})
				return rowsUnreadable
			}
		}
	}
	cells, fault := split(l.text)
	if fault != nil {
		fault.Line = l.number
		f.add(*fault)
		return rowsUnreadable
	}
	if f.known[cells[0].text] {
		f.add(errs.Fault{Line: l.number, Column: 1, Message: "the header is missing", Allowed: "the header " + Header})
		return rowsBegun
	}
	if len(cells) != columns {
		f.headerCount(l, cells)
		return rowsUnreadable
	}
	next := rowsBegin
	for col, c := range cells {
		if c.text == f.names[col] {
			continue
		}
		f.add(errs.Fault{
			Line: l.number, Column: c.column, Field: "header",
			Message: fmt.Sprintf("column %d is %s", col+1, errs.Quote(c.text)),
			Allowed: fmt.Sprintf("%s; the header is %s", f.names[col], Header),
		})
		// Another spelling leaves no doubt what the column means; another word does.
		if plain(c.text) != f.names[col] {
			next = rowsUnreadable
		}
	}
	return next
}

// headerCount adds the faults of a header with too few or too many columns: a name
// is then missing, repeated or unknown. A missing one is named where it could be
// added, at the line's end.
func (f *file) headerCount(l line, cells []cell) {
	allowed := "the header " + Header
	seen := make(map[string]bool)
	for i, c := range cells {
		switch {
		case seen[c.text]:
			f.add(errs.Fault{
				Line: l.number, Column: c.column, Field: "header",
				Message: fmt.Sprintf("column %d is %s again", i+1, errs.Quote(c.text)), Allowed: allowed,
			})
		case !slices.Contains(f.names, c.text):
			f.add(errs.Fault{
				Line: l.number, Column: c.column, Field: "header",
				Message: fmt.Sprintf("column %d, %s, is not one of the five", i+1, errs.Quote(c.text)), Allowed: allowed,
			})
		}
		seen[c.text] = true
	}
	for _, name := range f.names {
		if !seen[name] {
			f.add(errs.Fault{
				Line: l.number, Column: endColumn(l.text), Field: "header",
				Message: fmt.Sprintf("column %s is missing", errs.Quote(name)), Allowed: allowed,
			})
		}
	}
}
