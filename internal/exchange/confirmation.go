package exchange

import (
	"fmt"
	"slices"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// What may stand at the end of the table of requirements: what the supplier of a row
// says of it, alone or with more.
const (
	statusColumn = "status"
	saidColumns  = statusColumn + ",their_binding,their_buffer,said"
)

// maxSaid is how many bytes a supplier's own words may have.
const maxSaid = 1000

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
	Unknown   int       // asked, and no answer
	Open      int       // rows of which nobody asked
	Own       int       // rows whose two sides are one owner, which nobody asks, undisputed
	Disputed  []Dispute // in the table's order
	LeftOut   int       // rows that were in dispute and are gone, see [Register.WithoutDisputed]
	Changed   int       // rows that were in dispute and count as their suppliers say
}

// Dependency is one row of the requirements: a requirement and one of its suppliers,
// by their places in the register.
type Dependency struct{ Requirement, Supplier int32 }

// Status is what the supplier of a row says of it.
type Status uint8

// What a supplier can say.
const (
	NotAsked Status = iota
	NoAnswer        // it was asked
	Confirmed
	Disputed
)

// String returns the status as the table has it.
func (s Status) String() string {
	return [...]string{"", Unknown, statusConfirmed, statusDisputed}[s]
}

// Status returns what supplier number i of a requirement says of its row.
func (r *Register) Status(requirement, i int) Status {
	if !r.Confirmation.Asked {
		return NotAsked
	}
	return r.said[requirement][i]
}

// Own reports whether both sides of the row of supplier number i of a requirement are
// one owner.
func (r *Register) Own(requirement, i int) bool {
	q := &r.Requirements[requirement]
	return sameOwner(r.Owner(int(q.Service)), r.Owner(int(q.Suppliers[i])))
}

// sameOwner reports whether the owners of two services are one. Those of whom nothing is
// said are not.
func sameOwner(a, b string) bool { return a != "" && fold(a) == fold(b) }

// said reads what the supplier says of a row.
func (r *registerReader) said(l line, cells []cell) (said Status, d Dispute) {
	if len(cells) <= requirementStatus {
		return NotAsked, d
	}
	text := cells[requirementStatus].text
	i := slices.Index([]string{"", Unknown, statusConfirmed, statusDisputed}, text)
	if i < 0 {
		r.fault(l, cells, requirementStatus, errs.Quote(text)+" is not what a supplier says", statusConfirmed+", "+statusDisputed+", "+Unknown+", or nothing where nobody asked")
		return NotAsked, d
	}
	said = Status(i)
	if len(cells) <= requirementSaid {
		return said, d
	}
	before := len(r.faults)
	for _, i := range []int{requirementTheirBinding, requirementTheirBuffer} {
		switch text := cells[i].text; {
		case text == "":
		case said != Disputed:
			r.fault(l, cells, i, "a value of the supplier's own where it disputes nothing", "nothing, or the status "+statusDisputed)
		case text == Unknown:
			r.fault(l, cells, i, "a supplier's own value is unknown", "a value, or nothing")
		case i == requirementTheirBinding:
			p := r.bindingIn(l, cells, i)
			d.Binding = &p
		default:
			m := r.time(l, cells, i, 0)
			d.Buffer = &m
		}
	}
	for i := range r.faults[before:] {
		r.faults[before+i].Allowed = withoutUnknown(r.faults[before+i].Allowed)
	}
	if d.Said = cells[requirementSaid].text; len(d.Said) > maxSaid {
		r.fault(l, cells, requirementSaid, fmt.Sprintf("the text has %d bytes", len(d.Said)), fmt.Sprintf("%d at most", maxSaid))
	}
	return said, d
}

// count counts what the supplier says of a row.
func (r *registerReader) count(said Status, d Dispute) {
	c := &r.register.Confirmation
	c.Asked = c.Asked || said != NotAsked
	own := sameOwner(r.register.Owner(int(r.register.Requirements[d.Requirement].Service)), r.register.Owner(int(d.Supplier)))
	switch {
	case own && said != Disputed:
		c.Own++
	case said == NotAsked:
		c.Open++
	case said == NoAnswer:
		c.Unknown++
	case said == Confirmed:
		c.Confirmed++
	default:
		c.Disputed = append(c.Disputed, d)
	}
	all := r.register.said
	for int(d.Requirement) >= len(all) {
		all = append(all, nil)
	}
	all[d.Requirement] = append(all[d.Requirement], said)
	r.register.said = all
}

// requirementHeaders are the headers that the table may have, by what of the columns of
// suppliers it has.
func requirementHeaders() []string {
	return []string{RequirementsHeader, RequirementsHeader + "," + statusColumn, RequirementsHeader + "," + saidColumns}
}

// width returns how many columns rows use, of those that may be left out.
func width(rows [][]string) int {
	use := requirementStatus
	for _, row := range rows {
		for i := use; i < len(row); i++ {
			if row[i] != "" {
				use = i + 1
			}
		}
	}
	if use > requirementStatus+1 {
		return requirementColumns
	}
	return use
}

// withoutEmptyStatus takes the columns that no row uses out of all.
func withoutEmptyStatus(rows [][]string) [][]string {
	use := width(rows)
	for i := range rows {
		rows[i] = rows[i][:min(len(rows[i]), use)]
	}
	return rows
}

// WithoutDisputed returns the register as suppliers say it is: without the rows that
// they deny, and with their own values where they give any. A requirement that has no
// other supplier is left out, one that needs more than are left needs them all, and one
// of which several say something else is as binding, and has as little buffer, as any
// of them says.
func (r *Register) WithoutDisputed() *Register {
	less := *r
	less.Requirements, less.said = nil, nil
	c := &less.Confirmation
	c.Disputed = nil
	disputed := make(map[Dependency]*Dispute)
	for i := range r.Confirmation.Disputed {
		d := &r.Confirmation.Disputed[i]
		disputed[d.Dependency] = d
		if d.Denied() {
			c.LeftOut++
		} else {
			c.Changed++
		}
	}
	for i, q := range r.Requirements {
		var (
			left    []int32
			said    []Status
			binding *cascade.Probability
			buffer  *cascade.Minutes
		)
		for n, u := range q.Suppliers {
			if d := disputed[Dependency{int32(i), u}]; d != nil {
				if d.Denied() {
					continue
				}
				if d.Binding != nil && (binding == nil || *d.Binding > *binding) {
					binding = d.Binding
				}
				if d.Buffer != nil && (buffer == nil || *d.Buffer < *buffer) {
					buffer = d.Buffer
				}
			}
			left, said = append(left, u), append(said, r.Status(i, n))
		}
		if len(left) == 0 {
			continue
		}
		q.Need, q.Suppliers = min(q.Need, int32(len(left))), left
		if binding != nil {
			q.Binding = *binding
		}
		if buffer != nil {
			q.Buffer = *buffer
		}
		less.Requirements, less.said = append(less.Requirements, q), append(less.said, said)
	}
	return &less
}
