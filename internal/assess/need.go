package assess

import (
	"fmt"
	"strings"

	"muster/internal/errs"
)

// Limits of the form "what do you depend on".
const (
	MaxNeeds    = 100    // rows
	MaxHours    = 87_600 // the longest time that the form takes, ten years
	MaxNeedLine = 300    // bytes of a name
	MaxNeedNote = MaxReason
)

// Need is a row of the form: something that a body depends on, and how long it can
// go without.
type Need struct {
	What       string `json:"what"`
	Supplier   string `json:"supplier,omitempty"`   // empty: unknown
	Hours      int    `json:"hours,omitempty"`      // how long it can go without; 0 is not at all
	Known      bool   `json:"known,omitempty"`      // whether Hours is: the zero value says "unknown"
	Substitute string `json:"substitute,omitempty"` // what stands in for it
	Note       string `json:"note,omitempty"`
}

// Needs is what a body says that it depends on. The zero value is unknown: an empty
// list alone is no statement that there is nothing.
type Needs struct {
	Rows []Need `json:"rows,omitempty"`
	None bool   `json:"none,omitempty"` // it says that it depends on nothing
}

// Said reports whether the body has said something.
func (n Needs) Said() bool { return n.None || len(n.Rows) > 0 }

// Check returns an error of kind Invalid that names the first row that cannot be so.
func (n Needs) Check() error {
	switch {
	case n.None && len(n.Rows) > 0:
		return errs.New(errs.Invalid, "the form has rows and says that there is nothing to name", "take out the rows, or the mark")
	case len(n.Rows) > MaxNeeds:
		return errs.New(errs.Invalid, fmt.Sprintf("the form has %d rows", len(n.Rows)), fmt.Sprintf("at most %d: the ones that matter most", MaxNeeds))
	}
	for i, row := range n.Rows {
		if err := row.check(); err != nil {
			d := errs.Describe(err)
			return errs.Wrap(err, errs.Invalid, fmt.Sprintf("row %d of the form: %s", i+1, d.Message), d.Hint)
		}
	}
	return nil
}

func (n Need) check() error {
	switch {
	case strings.TrimSpace(n.What) == "":
		return errs.New(errs.Invalid, "it does not say what is needed", "name it, or empty the whole row")
	case n.Hours < 0 || n.Hours > MaxHours || !n.Known && n.Hours != 0:
		return errs.New(errs.Invalid, "the number of hours cannot be", fmt.Sprintf("a whole number from 0 to %d, or unknown", MaxHours))
	}
	for _, part := range []struct {
		name, text string
		most       int
	}{
		{"what is needed", n.What, MaxNeedLine},
		{"the supplier", n.Supplier, MaxNeedLine},
		{"the substitute", n.Substitute, MaxNeedNote},
		{"the remark", n.Note, MaxNeedNote},
	} {
		switch {
		case len(part.text) > part.most:
			return errs.New(errs.Invalid, fmt.Sprintf("%s is longer than %d bytes", part.name, part.most), "put what is longer into a document")
		case part.text != "" && !readable(part.text, false):
			return errs.New(errs.Invalid, part.name+" holds characters that cannot be printed", "type it again; do not paste it from a document")
		}
	}
	return nil
}
