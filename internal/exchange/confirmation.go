package exchange

import (
	"slices"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// statusColumn may stand at the end of the table of requirements.
const statusColumn = "status"

// What the supplier of a row says of it; nothing is that nobody asked.
const (
	statusConfirmed = "confirmed"
	statusDisputed  = "disputed"
)

// Confirmation is what suppliers say of the rows in which somebody requires them.
// Two sides that say the same are worth more than one; a row in dispute counts until
// somebody takes it out.
type Confirmation struct {
	Asked     bool // the table says so of any row
	Confirmed int
	Unknown   int          // asked, and no answer
	Open      int          // rows of which nobody asked
	Disputed  []Dependency // in the table's order
	LeftOut   int          // rows that were in dispute and are gone, see [Register.WithoutDisputed]
}

// Dependency is one row of the requirements: a requirement and one of its suppliers,
// by their places in the register.
type Dependency struct{ Requirement, Supplier int32 }

// said reads what the supplier says of a row.
func (r *registerReader) said(l line, cells []cell) string {
	if len(cells) <= requirementStatus {
		return ""
	}
	text := cells[requirementStatus].text
	if !slices.Contains([]string{"", Unknown, statusConfirmed, statusDisputed}, text) {
		r.fault(l, cells, requirementStatus, errs.Quote(text)+" is not what a supplier says", statusConfirmed+", "+statusDisputed+", "+Unknown+", or nothing where nobody asked")
	}
	return text
}

// count counts what the supplier says of a row.
func (r *registerReader) count(said string, d Dependency) {
	c := &r.register.Confirmation
	c.Asked = c.Asked || said != ""
	switch said {
	case "":
		c.Open++
	case Unknown:
		c.Unknown++
	case statusConfirmed:
		c.Confirmed++
	case statusDisputed:
		c.Disputed = append(c.Disputed, d)
	}
}

// withoutEmptyStatus takes the column out of rows that do not use it.
func withoutEmptyStatus(rows [][]string) [][]string {
	used := func(row []string) bool { return len(row) > requirementStatus && row[requirementStatus] != "" }
	if slices.ContainsFunc(rows, used) {
		return rows
	}
	for i := range rows {
		rows[i] = rows[i][:min(len(rows[i]), requirementStatus)]
	}
	return rows
}

// WithoutDisputed returns the register without the rows that their suppliers dispute:
// a requirement that has no other supplier is left out, and one that needs more than
// are left needs them all.
func (r *Register) WithoutDisputed() *Register {
	less := *r
	less.Requirements = nil
	less.Confirmation.Disputed, less.Confirmation.LeftOut = nil, len(r.Confirmation.Disputed)
	disputed := make(map[Dependency]bool)
	for _, d := range r.Confirmation.Disputed {
		disputed[d] = true
	}
	for i, q := range r.Requirements {
		var left []int32
		for _, u := range q.Suppliers {
			if !disputed[Dependency{int32(i), u}] {
				left = append(left, u)
			}
		}
		if len(left) > 0 {
			less.Requirements = append(less.Requirements, cascade.Requirement{
				Service: q.Service, Need: min(q.Need, int32(len(left))), Name: q.Name, Suppliers: left, Binding: q.Binding, Buffer: q.Buffer,
			})
		}
	}
	return &less
}
