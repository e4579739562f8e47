package exchange

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"muster/internal/cascade"
	"muster/internal/errs"
)

// formReader reads one form that came back, and enters what it says.
type formReader struct {
	*table
	answered *Answered
	at       map[formKey]int
	owner    map[string]string // by service
	first    map[int]string    // where a row was answered first
	on       string            // when it is taken in
	whose    string            // owner of the services that the form's first row is about
}

// read reads a form. Who answers saves it from a spreadsheet, which may separate cells
// by semicolons or tabs and keep several lines in one.
func (r *formReader) read(text []byte) error {
	content := "the header " + FormHeader + ", then one row or more"
	if fault, ok := notText(text, maxTableSize, content); ok {
		fault.File = r.name
		return errs.Faults{fault}.Err()
	}
	if !utf8.Valid(text) {
		r.add(place{line{number: 1}, 1, ""}, "the file is not UTF-8", "what a spreadsheet saves as CSV UTF-8")
		return r.faults.Err()
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = -1
	first, _, _ := bytes.Cut(text, []byte("\n"))
	for _, separator := range ";\t" {
		if bytes.ContainsRune(first, separator) && !bytes.ContainsRune(first, ',') {
			in.Comma = separator
		}
	}
	names := strings.Split(FormHeader, ",")
	for headed := false; ; {
		row, err := in.Read()
		switch fault, ok := errors.AsType[*csv.ParseError](err); {
		case errors.Is(err, io.EOF):
			if r.rows == 0 && len(r.faults) == 0 {
				r.add(place{line{number: 1}, 1, ""}, "there is no row", content)
			}
			return r.faults.Err()
		case ok:
			r.add(place{line{number: fault.StartLine}, 1, ""}, fmt.Sprintf("the quotes of this row do not match, as far as line %d", fault.Line), "quotes around a whole cell")
			return r.faults.Err()
		case err != nil:
			return fmt.Errorf("read %s: %w", errs.Quote(r.name), err)
		}
		cells := make([]cell, len(row))
		for i := range row {
			n, _ := in.FieldPos(i)
			cells[i] = cell{text: row[i], line: n, column: i + 1} // a column of the sheet
		}
		l := line{number: cells[0].line}
		switch empty := !slices.ContainsFunc(row, func(text string) bool { return text != "" }); {
		case empty:
		case !headed:
			headed = true
			if !slices.Equal(row, names) {
				r.add(place{l, 1, "header"}, "the file does not begin with the header of a form", "the header "+FormHeader)
				return r.faults.Err()
			}
		case len(row) != len(names):
			r.rows++
			r.add(place{l, 1, ""}, fmt.Sprintf("%d cells", len(row)), fmt.Sprintf("%d, as the header has", len(names)))
		default:
			r.rows++
			r.row(l, cells)
		}
	}
}

// row enters what one row says.
func (r *formReader) row(l line, cells []cell) {
	text := func(i int) string { return cells[i].text }
	at, ok := r.at[formKey{text(formService), text(formGroup), text(formSupplier)}]
	if !ok {
		r.fault(l, cells, formService, fmt.Sprintf("nobody asks whether %s requires %s for %s", errs.Quote(text(formService)), errs.Quote(text(formSupplier)), errs.Quote(text(formGroup))), "the rows of the form as they were; ask again where the requirements changed")
		return
	}
	q := r.answered.Requirements[at]
	for _, x := range [][2]int{{formNeed, requirementNeed}, {formBinding, requirementBinding}, {formBuffer, requirementBuffer}} {
		if harmless(q[x[1]]) != text(x[0]) {
			r.fault(l, cells, x[0], fmt.Sprintf("%s was asked about, and the requirements say %s", errs.Quote(text(x[0])), errs.Quote(q[x[1]])), "the rows of the form as they were; ask again where the requirements changed")
		}
	}
	whose := fold(r.owner[q[requirementSupplier]])
	if r.whose == "" {
		r.whose = whose
	}
	if whose != r.whose {
		r.fault(l, cells, formSupplier, "this service is another owner's than those above", "a form of one owner")
		return
	}
	here := fmt.Sprintf("%s:%d", r.name, l.number)
	if before, twice := r.first[at]; twice {
		r.fault(l, cells, formService, "the row was answered already, in "+before, "each row once")
		return
	}
	r.first[at] = here
	r.say(l, cells, q)
}

// say writes what a row says into the row of the requirements.
func (r *formReader) say(l line, cells []cell, q []string) {
	text := func(i int) string { return strings.Join(strings.Fields(cells[i].text), " ") }
	status, ok := wordOf(text(formSays))
	if !ok {
		r.fault(l, cells, formSays, errs.Quote(cells[formSays].text)+" is not what a supplier says", statusConfirmed+", "+statusDisputed+", or nothing")
		return
	}
	for i, x := range []int{formTheirBinding, formTheirBuffer} {
		if text(x) == "" {
			continue
		}
		if status != statusDisputed {
			r.fault(l, cells, x, "a value of its own, and no dispute", statusDisputed+" in the column says, or nothing here")
			continue
		}
		if message, allowed := faultOfTheirs(x == formTheirBinding, text(x)); message != "" {
			r.fault(l, cells, x, message, allowed)
		}
		q[requirementTheirBinding+i] = text(x)
	}
	switch status {
	case statusConfirmed:
		r.answered.Confirmed++
	case statusDisputed:
		r.answered.Disputed = append(r.answered.Disputed, fmt.Sprintf("%s disputes that %s requires it for %s", q[requirementSupplier], q[requirementService], errs.Quote(q[requirementGroup])))
	default:
		r.answered.Silent++
	}
	q[requirementStatus] = status
	if said := text(formWhy); said != "" || text(formWho) != "" {
		if who := text(formWho); who != "" {
			said = strings.TrimSpace(said + " (" + who + ", " + r.on + ")")
		} else {
			said += " (" + r.on + ")"
		}
		q[requirementSaid] = harmless(said)
	}
}

// wordOf returns what a cell of a form says.
func wordOf(text string) (status string, ok bool) {
	switch strings.ToLower(text) {
	case statusConfirmed, "confirmé", "confirme":
		return statusConfirmed, true
	case statusDisputed, "contesté", "conteste":
		return statusDisputed, true
	case "", Unknown:
		return Unknown, true
	}
	return "", false
}

// faultOfTheirs says what is wrong with a supplier's own value of how binding a
// requirement is, or of its buffer.
func faultOfTheirs(binding bool, text string) (message, allowed string) {
	t := &table{header: "binding,buffer"}
	r := &registerReader{table: t, register: &Register{Unknown: make(map[string]int)}}
	cells := []cell{{text: text}, {text: text}}
	if binding {
		r.bindingIn(line{}, cells, 0)
	} else {
		r.time(line{}, cells, 1, 0)
	}
	if len(t.faults) == 0 {
		return "", ""
	}
	return t.faults[0].Message, withoutUnknown(t.faults[0].Allowed)
}

// withoutUnknown returns what is allowed where unknown is not.
func withoutUnknown(allowed string) string {
	return strings.NewReplacer(", or "+Unknown, "", ", "+Unknown, "").Replace(allowed)
}

// A Dispute is a row of the requirements that its supplier does not agree to. Where it
// says nothing of its own it supplies nothing of the kind.
type Dispute struct {
	Dependency
	Binding *cascade.Probability // how binding it is by the supplier
	Buffer  *cascade.Minutes     // how long the service can do without by the supplier
	Said    string
}

// Denied reports whether the supplier says that it supplies nothing of the kind.
func (d *Dispute) Denied() bool { return d.Binding == nil && d.Buffer == nil }
