package workbook

import (
	"fmt"
	"math"
	"strconv"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// survey reads the rows of a sheet with answers.
func (rd *reader) survey(g *grid, h header) {
	for i, row := range g.rows {
		if i == h.row || names(row, rd.lookup.byLabel) {
			continue
		}
		id, _ := h.at(row, colID)
		if id.kind == empty {
			rd.nameless(g, h, row)
			continue
		}
		if k, ok := rd.key(g, row, id, h); ok {
			rd.row(g, h, row, k, id)
		}
	}
}

// nameless refuses a row without identity in which something was typed. Lines of
// text, and rows that were emptied, are nothing.
func (rd *reader) nameless(g *grid, h header, row gridRow) {
	for _, c := range columns() {
		if at, ok := h.at(row, c.id); ok && c.typed() && at.kind != empty {
			rd.add(g.fault(row, at, c.id, "something is typed into a row that has no "+colID, "rows that were given out; type it into the row of its outcome"))
			return
		}
	}
}

// key reads which row it is.
func (rd *reader) key(g *grid, row gridRow, id gridCell, h header) (Key, bool) {
	const right = "the id that the row was given out with, such as 2027/muster-core/A1.1"
	k, ok := parseKey(id.text)
	if id.kind != text || !ok {
		rd.add(g.fault(row, id, colID, describe(id.cell)+" is no row's id", right))
		return k, false
	}
	s := rd.known(k.Survey)
	if s == nil {
		rd.add(g.fault(row, id, colID, "the row is of survey "+errs.Quote(k.Survey)+", which is not asked for", "rows of "+rd.surveys()))
		return k, false
	}
	if _, ok := s.Pack.Outcome(k.Outcome); !ok {
		rd.add(g.fault(row, id, colID, "pack "+s.Pack.ID+" has no outcome "+errs.Quote(k.Outcome), right))
		return k, false
	}
	if k.Body != "" && (!bodyID(k.Body) || rd.config.Body != nil && !rd.config.Body(k.Body)) {
		rd.add(g.fault(row, id, colID, errs.Quote(k.Body)+" is not a body of the member", "a body that the workspace lists"))
		return k, false
	}
	if fault, allowed := rd.outside(s, k); fault != "" {
		rd.add(g.fault(row, id, colID, fault, allowed))
		return k, false
	}
	if first, twice := rd.rows[k]; twice {
		rd.add(g.fault(row, id, colID, fmt.Sprintf("%s has a row already, at %s", errs.Quote(k.String()), first), "one row for each outcome; delete the copy"))
		return k, false
	}
	rd.rows[k] = g.place(row, id)
	if seen, ok := h.at(row, colOutcome); ok && seen.kind != empty && (seen.text != k.Outcome || seen.kind != text) {
		rd.add(g.fault(row, seen, colOutcome, fmt.Sprintf("the row says %s, and its hidden id says %s", describe(seen.cell), errs.Quote(k.Outcome)), "rows as they were given out; copy what is typed, and not whole rows"))
		return k, false
	}
	return k, true
}

// surveys lists the surveys that rows may speak of.
func (rd *reader) surveys() string {
	list := ""
	for i, s := range rd.config.Surveys {
		if i > 0 {
			list += ", "
		}
		list += s.ID()
	}
	return list
}

// row reads what a row says of its outcome.
func (rd *reader) row(g *grid, h header, row gridRow, k Key, id gridCell) {
	r := Row{Key: k, Place: g.place(row, id), Cells: make(map[assess.Field]string)}
	before := len(rd.faults)
	if c, ok := h.at(row, colRevision); ok && c.kind != empty {
		n, whole := wholeNumber(c.cell)
		if !whole || n < 0 || n > maxRevision {
			rd.add(g.fault(row, c, colRevision, describe(c.cell)+" is no revision", "the number that the row was given out with, or an empty cell"))
		}
		r.Base = n
	}
	asked := typedFields(k.Body != "")
	for _, c := range columns() {
		if c.field == "" {
			continue
		}
		at, ok := h.at(row, c.id)
		switch {
		case !ok && c.field == assess.FieldPlace && k.Body == "": // the member's own has none
			continue
		case !ok:
			r.Absent = append(r.Absent, c.field)
			continue
		case at.kind == empty:
			r.Blank = append(r.Blank, c.field)
		case !contains(asked, c.field):
			why := bodyGives
			if k.Body == "" {
				why = "the member's own evidence is kept as references in the workspace"
			}
			rd.add(g.fault(row, at, c.id, why, "an empty cell"))
		default:
			rd.field(g, row, at, c, &r.Entry)
		}
		r.Cells[c.field] = g.place(row, at)
	}
	if at, ok := h.at(row, colCarried); ok && at.kind != empty {
		if code, ok := rd.choice(g, row, at, colCarried, listYes); ok {
			r.Entry.Carried, r.Carried = code == yes, true
		}
	}
	if len(rd.faults) > before {
		return
	}
	if err := r.Entry.Check(); err != nil { // what its cells have been checked for, again
		rd.add(g.fault(row, id, "", errs.Describe(err).Message, errs.Describe(err).Hint))
		return
	}
	rd.result.Rows = append(rd.result.Rows, r)
}

func contains(fields []assess.Field, f assess.Field) bool {
	for _, g := range fields {
		if g == f {
			return true
		}
	}
	return false
}

// field reads one cell into its field.
func (rd *reader) field(g *grid, row gridRow, at gridCell, c column, e *assess.Entry) {
	switch c.field {
	case assess.FieldLevel, assess.FieldTarget:
		if code, ok := rd.choice(g, row, at, c.id, c.list); ok {
			level, _ := framework.ParseLevel(code)
			if c.field == assess.FieldTarget {
				e.Target = level
			} else {
				e.Level = level
			}
		}
	case assess.FieldEvidence:
		if code, ok := rd.choice(g, row, at, c.id, c.list); ok {
			for _, grade := range assess.Grades() {
				if grade.String() == code {
					e.Evidence = grade
				}
			}
		}
	case assess.FieldFlagged:
		if code, ok := rd.choice(g, row, at, c.id, c.list); ok {
			e.Flagged = code == yes
		}
	case assess.FieldTargetDate:
		e.TargetDate = rd.day(g, row, at, c.id)
	case assess.FieldReason:
		e.Reason = rd.text(g, row, at, c.id, assess.MaxReason)
	case assess.FieldPlace:
		e.Place = rd.text(g, row, at, c.id, assess.MaxPlace)
		if !framework.ReadableLine(e.Place) && e.Place != "" {
			rd.add(g.fault(row, at, c.id, "the place has more than one line", "a path or an https address on one line"))
		} else if err := assess.CheckPlace(e.Place); err != nil {
			rd.add(g.fault(row, at, c.id, errs.Describe(err).Message, errs.Describe(err).Hint))
		}
	case assess.FieldNote:
		e.Note = rd.text(g, row, at, c.id, assess.MaxNote)
	case assess.FieldAssignee:
		e.Assignee = rd.text(g, row, at, c.id, assess.MaxAssignee)
		if !framework.ReadableLine(e.Assignee) && e.Assignee != "" {
			rd.add(g.fault(row, at, c.id, "the name has more than one line", "a name on one line"))
		}
	}
}

// choice reads a cell in which something was chosen from a list: its code, the
// words of a language, or the number that it is.
func (rd *reader) choice(g *grid, row gridRow, at gridCell, id, list string) (string, bool) {
	said := at.text
	switch at.kind {
	case number:
		if n, whole := wholeNumber(at.cell); whole {
			said = strconv.FormatInt(n, 10) // 3.0 is 3
		}
	case boolean:
		if list == listYes {
			said = no
			if is(at.text) {
				said = yes
			}
		}
	case formula, failure, date:
		rd.add(g.fault(row, at, id, describe(at.cell), allowed(list)))
		return "", false
	}
	code, ok := chosen(list, said)
	if !ok || at.kind == boolean && list != listYes {
		rd.add(g.fault(row, at, id, describe(at.cell)+" is not one of the choices", allowed(list)))
		return "", false
	}
	return code, true
}

// day reads a date: a day of the spreadsheet's, or one in ISO form.
func (rd *reader) day(g *grid, row gridRow, at gridCell, id string) string {
	const right = "a day from 2000 to 2199, such as 2027-06-30, or an empty cell"
	said := at.text
	switch at.kind {
	case number:
		n, whole := wholeNumber(at.cell)
		if !whole || n < 0 || n > 200_000 {
			rd.add(g.fault(row, at, id, describe(at.cell)+" is no day", right))
			return ""
		}
		said = g.dayOf(int(n))
	case text, date:
	default:
		rd.add(g.fault(row, at, id, describe(at.cell), right))
		return ""
	}
	if err := (assess.Entry{TargetDate: said}).Check(); err != nil {
		rd.add(g.fault(row, at, id, errs.Quote(said)+" is no day that can be a target", right))
		return ""
	}
	return said
}

// text reads a free text.
func (rd *reader) text(g *grid, row gridRow, at gridCell, id string, most int) string {
	if at.kind != text {
		allowed := "text; to write a number or a date here, format the cell as text and type it again"
		if at.kind == formula {
			allowed = "its value as text; copy the cell and paste only its text"
		}
		rd.add(g.fault(row, at, id, describe(at.cell), allowed))
		return ""
	}
	said := framework.Pasted(at.text)
	if fault := textFault(said, most); fault != "" {
		rd.add(g.fault(row, at, id, "the text "+fault, fmt.Sprintf("at most %d bytes of text and line ends; no control or invisible characters", most)))
		return ""
	}
	return said
}

// describe says what a cell holds, for a message.
func describe(c cell) string {
	switch c.kind {
	case empty:
		return "the cell is empty"
	case number:
		return "the number " + errs.Quote(c.text)
	case boolean:
		return "a truth value"
	case date:
		return "the date " + errs.Quote(c.text)
	case failure:
		return "the error " + errs.Quote(c.text)
	case formula:
		return "the cell holds a formula"
	}
	return errs.Quote(c.text)
}

// wholeNumber returns the whole number that a cell holds, as a number or as text
// of digits alone.
func wholeNumber(c cell) (int64, bool) {
	if len(c.text) > 30 {
		return 0, false
	}
	if n, err := strconv.ParseInt(c.text, 10, 64); err == nil {
		return n, c.kind == number || c.kind == text && strconv.FormatInt(n, 10) == c.text
	}
	if c.kind != number {
		return 0, false
	}
	// Spreadsheets may write 3 as 3.0 or 3E0.
	x, err := strconv.ParseFloat(c.text, 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, false
	}
	return int64(x), true
}

// form reads the form "what do you depend on".
func (rd *reader) form(g *grid, h header) {
	if rd.result.Needs == nil {
		rd.result.Needs = []Need{}
	}
	heading := func(i int) bool { return i == h.row || names(g.rows[i], rd.lookup.byLabel) }
	top := g.rows[h.row].number
	for i, row := range g.rows {
		if heading(i) {
			top = max(top, row.number)
		}
	}
	for i, row := range g.rows {
		if heading(i) || i < h.row && lead(h, row) {
			continue
		}
		rd.need(g, h, row, max(row.number-top-1, 0))
	}
}

// lead reports whether a row above the header is a line of explanation: nothing but
// its first cell.
func lead(h header, row gridRow) bool {
	return len(row.cells) == 1 && row.cells[0].column == h.columns[colWhat]
}

// need reads one row of the form.
func (rd *reader) need(g *grid, h header, row gridRow, at int) {
	cells := make(map[string]gridCell)
	form := FormRow{At: at, Place: g.place(row, row.cells[0]), Cells: make(map[string]string)}
	filled := false
	for _, c := range columns() {
		if !c.form {
			continue
		}
		at, ok := h.at(row, c.id)
		if !ok {
			form.Absent = append(form.Absent, c.id)
			continue
		}
		if form.Cells[c.id] = g.place(row, at); at.kind == empty {
			form.Blank = append(form.Blank, c.id)
		} else {
			cells[c.id] = at
			// "unknown" alone is how an empty row may be given out.
			filled = true
		}
	}
	if !filled {
		return
	}
	before := len(rd.faults)
	said := func(id string, most int) string {
		at, ok := cells[id]
		if !ok {
			return ""
		}
		return rd.text(g, row, at, id, most)
	}
	n := Need{
		What: said(colWhat, maxNeedLine), Supplier: said(colSupplier, maxNeedLine),
		Substitute: said(colSubstitute, maxNeedNote), Note: said(colFormNote, maxNeedNote),
	}
	if at, ok := cells[colHours]; ok {
		n.Hours, n.Known = rd.hours(g, row, at)
	}
	if _, ok := cells[colWhat]; !ok {
		rd.add(g.fault(row, row.cells[0], colWhat, "the row does not say what is needed", "a word or two for what you depend on, or an empty row"))
	}
	if len(rd.faults) > before {
		return
	}
	form.Need = n
	rd.result.Form = append(rd.result.Form, form)
	if rd.result.Needs = append(rd.result.Needs, n); len(rd.result.Needs) == MaxNeeds+1 {
		rd.add(g.fault(row, row.cells[0], "", "the form has more than "+strconv.Itoa(MaxNeeds)+" rows", "the ones that matter most"))
	}
}

// hours reads how long something can be missed.
func (rd *reader) hours(g *grid, row gridRow, at gridCell) (int, bool) {
	right := fmt.Sprintf("a whole number of hours from 0 to %d, or %s", assess.MaxHours, allowed(listHours))
	if at.kind == text {
		if _, ok := chosen(listHours, at.text); ok {
			return 0, false
		}
	}
	n, whole := wholeNumber(at.cell)
	if !whole || n < 0 || n > assess.MaxHours {
		rd.add(g.fault(row, at, colHours, describe(at.cell)+" is no number of hours", right))
		return 0, false
	}
	return int(n), true
}
