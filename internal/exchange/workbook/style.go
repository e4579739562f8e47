package workbook

import (
	"github.com/xuri/excelize/v2"
)

// style is how a cell looks and what may be done with it.
type style struct {
	input  bool // is typed into: unlocked, on a ground of its own
	bold   bool
	head   bool // of the header
	grid   bool // has lines around it
	text   bool // what is typed stays text
	day    bool // a date
	middle bool // centred
	flow   bool // runs on over the cells beside it
	quoted bool // text that would be calculated if somebody typed it again
}

// Number formats of ISO 29500-1, 18.8.30.
const formatText = 49

// style returns the library's number of a style.
func (w *writer) style(s style) int {
	if id, ok := w.styles[s]; ok {
		return id
	}
	x := &excelize.Style{
		Alignment:  &excelize.Alignment{Vertical: "top", WrapText: !s.flow},
		Protection: &excelize.Protection{Locked: !s.input},
		Font:       &excelize.Font{Family: "Calibri", Size: 10, Bold: s.bold || s.head},
	}
	if s.middle {
		x.Alignment.Horizontal = "center"
	}
	if s.text {
		x.NumFmt = formatText
	}
	if s.day {
		format := "yyyy-mm-dd"
		x.CustomNumFmt = &format
	}
	if s.head {
		x.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"1B3A57"}}
		x.Font.Color = "FFFFFF"
		x.Alignment.Vertical = "center"
	}
	if s.input {
		x.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFF8E1"}}
	}
	if s.grid || s.head {
		for _, side := range []string{"left", "right", "top", "bottom"} {
			x.Border = append(x.Border, excelize.Border{Type: side, Color: "B0B7BF", Style: 1})
		}
	}
	id, err := w.file.NewStyle(x)
	w.keep(err)
	if err == nil && s.quoted {
		// The library has no name for it, and gives two equal styles one number: a
		// style of its own, by a copy.
		xf := w.file.Styles.CellXfs
		quoted := xf.Xf[id]
		is := true
		quoted.QuotePrefix = &is
		xf.Xf = append(xf.Xf, quoted)
		xf.Count = len(xf.Xf)
		id = len(xf.Xf) - 1
	}
	w.styles[s] = id
	return id
}
