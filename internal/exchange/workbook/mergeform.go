package workbook

import (
	"slices"
	"strconv"

	"muster/internal/assess"
)

// FormRow is what one row of the form says.
type FormRow struct {
	Need   Need
	At     int               // its place among the rows below the header, from 0
	Place  string            // such as "Dependencies!A7"
	Cells  map[string]string // where each field stands, by the id of its column
	Blank  []string          // ids of the columns whose cell is empty
	Absent []string          // ids of the columns that the file does not have
}

// FormCell is what became of one cell of the form.
type FormCell struct {
	Body   string `json:"body,omitempty"` // whose form it is; empty for the member as a whole
	Row    string `json:"row"`            // what the row is about
	Field  string `json:"field"`          // the id of the column
	Place  string `json:"place"`          // empty where the file has no such row
	State  State  `json:"state"`
	Base   string `json:"base"`
	Mine   string `json:"mine"`
	Theirs string `json:"theirs"`
	Why    string `json:"why,omitempty"`
}

// FormSource is what a body says that it depends on, and said when the file was made.
type FormSource struct {
	Body string
	Base assess.Needs // zero where the file does not say when
	Now  assess.Needs
}

// MergeForm compares the rows of a form with what they were made from and what is there
// now, adds to the report what becomes of every cell, and returns what is to be kept.
//
// Rows have no ids: a row is that of before which is the same, else the one about the
// same, else the one in the same place, if another cell of it is the same. One that is
// gone from the file is gone if blanks clear, and stays otherwise. A row with a conflict
// stays as it is now.
func (r *Report) MergeForm(rows []FormRow, src FormSource, blanks Blanks) assess.Needs {
	m := formMerge{report: r, src: src, blanks: blanks}
	mine := pair(src.Base.Rows, rows, func(row FormRow) Need { return row.Need }, func(row FormRow, _ int) int { return row.At })
	theirs := pair(src.Base.Rows, src.Now.Rows, func(n Need) Need { return n }, func(_ Need, at int) int { return at })
	inFile, inNow := make(map[int]bool), make(map[int]bool)
	kept := make([]*Need, len(src.Now.Rows)) // what becomes of each row that is there
	for i := range src.Now.Rows {
		kept[i] = &src.Now.Rows[i]
	}
	var added []Need
	for i, base := range src.Base.Rows {
		f, t := mine[i], theirs[i]
		if f >= 0 {
			inFile[f] = true
		}
		if t >= 0 {
			inNow[t] = true
		}
		switch {
		case f < 0 && t >= 0:
			kept[t] = m.gone(base, src.Now.Rows[t])
		case f >= 0 && t < 0:
			m.back(rows[f], base)
		case f >= 0:
			n := m.row(rows[f], &base, &src.Now.Rows[t])
			kept[t] = &n
		}
	}
	staying := 0 // rows that are there, without those that are taken out
	for _, n := range kept {
		if n != nil {
			staying++
		}
	}
	for f, row := range rows {
		if inFile[f] {
			continue
		}
		t := -1
		for i, n := range src.Now.Rows { // which somebody else has added, too
			if !inNow[i] && n.What == row.Need.What {
				t = i
				break
			}
		}
		if t >= 0 {
			inNow[t] = true
			n := m.row(row, nil, &src.Now.Rows[t])
			kept[t] = &n
			continue
		}
		switch {
		case src.Now.None && !src.Base.None:
			m.refuse(row, Conflict, "somebody else has said meanwhile that there is nothing to name")
			continue
		case staying+len(added) >= MaxNeeds:
			m.refuse(row, Refused, "the form has room for "+strconv.Itoa(MaxNeeds)+" rows")
			continue
		}
		added = append(added, m.row(row, nil, nil))
	}
	merged := assess.Needs{None: src.Now.None}
	for _, n := range kept {
		if n != nil {
			merged.Rows = append(merged.Rows, *n)
		}
	}
	if merged.Rows = append(merged.Rows, added...); len(merged.Rows) > 0 {
		merged.None = false
	}
	return merged
}

// RefuseForm says of every cell of a form why it cannot be merged.
func (r *Report) RefuseForm(rows []FormRow, body, why string) {
	m := formMerge{report: r, src: FormSource{Body: body}}
	for _, row := range rows {
		for _, f := range formFields() {
			m.add(row, row.Need.What, f, Refused, nil, &row.Need, nil, why)
		}
	}
}

// pair returns for every row of base which of the others it has become, or -1.
func pair[T any](base []Need, others []T, need func(T) Need, place func(T, int) int) []int {
	found, taken := make([]int, len(base)), make(map[int]bool)
	for i := range found {
		found[i] = -1
	}
	for _, same := range []func(i int, b Need, j int) bool{
		func(_ int, b Need, j int) bool { return need(others[j]) == b },
		func(_ int, b Need, j int) bool { return need(others[j]).What == b.What },
		func(i int, b Need, j int) bool { return place(others[j], j) == i && alike(b, need(others[j])) },
	} {
		for i, b := range base {
			for j := range others {
				if found[i] < 0 && !taken[j] && same(i, b, j) {
					found[i], taken[j] = j, true
				}
			}
		}
	}
	return found
}

// alike reports whether two rows in the same place are one that was called otherwise:
// something else of them is the same, or neither says anything else.
func alike(a, b Need) bool {
	a.What, b.What = "", ""
	return a == b || a.Supplier != "" && a.Supplier == b.Supplier || a.Known && b.Known && a.Hours == b.Hours ||
		a.Substitute != "" && a.Substitute == b.Substitute || a.Note != "" && a.Note == b.Note
}

// formField is a column of the form.
type formField struct {
	id   string
	same func(a, b Need) bool
	take func(to *Need, from Need)
	said func(n Need) string
}

func formFields() []formField {
	word := func(id string, of func(*Need) *string) formField {
		return formField{
			id:   id,
			same: func(a, b Need) bool { return *of(&a) == *of(&b) },
			take: func(to *Need, from Need) { *of(to) = *of(&from) },
			said: func(n Need) string { return *of(&n) },
		}
	}
	return []formField{
		word(colWhat, func(n *Need) *string { return &n.What }),
		word(colSupplier, func(n *Need) *string { return &n.Supplier }),
		{
			id:   colHours,
			same: func(a, b Need) bool { return a.Known == b.Known && a.Hours == b.Hours },
			take: func(to *Need, from Need) { to.Known, to.Hours = from.Known, from.Hours },
			said: func(n Need) string {
				if !n.Known {
					return unknown
				}
				return strconv.Itoa(n.Hours)
			},
		},
		word(colSubstitute, func(n *Need) *string { return &n.Substitute }),
		word(colFormNote, func(n *Need) *string { return &n.Note }),
	}
}

// formMerge merges one form.
type formMerge struct {
	report *Report
	src    FormSource
	blanks Blanks
}

// add reports a cell. A row that is nil is none.
func (m formMerge) add(row FormRow, about string, f formField, state State, base, mine, theirs *Need, why string) {
	said := func(n *Need) string {
		if n == nil {
			return ""
		}
		return f.said(*n)
	}
	m.report.Form = append(m.report.Form, FormCell{
		Body: m.src.Body, Row: about, Field: f.id, Place: row.Cells[f.id], State: state, Base: said(base), Mine: said(mine), Theirs: said(theirs), Why: why,
	})
}

// row merges a row of the file with what is there, and returns what it becomes: as it is
// now, where a cell of it is in conflict.
func (m formMerge) row(row FormRow, base, theirs *Need) Need {
	mine, none := row.Need, Need{}
	if base == nil {
		base = &none
	}
	now, about := theirs, row.Need.What
	if theirs == nil {
		now = &none
	} else {
		about = theirs.What
	}
	merged := *now
	first, conflict := len(m.report.Form), false
	for _, f := range formFields() {
		if slices.Contains(row.Absent, f.id) {
			continue
		}
		state := Same
		switch empty := slices.Contains(row.Blank, f.id); {
		case empty && m.blanks == BlanksKeep && !f.same(*now, none):
			state = Kept
		case empty && m.blanks == BlanksKeep, f.same(mine, *now), f.same(mine, *base):
		case f.same(*base, *now):
			state = Taken
			f.take(&merged, mine)
		default:
			state, conflict = Conflict, true
		}
		m.add(row, about, f, state, base, &mine, theirs, "")
	}
	if !conflict {
		return merged
	}
	for i := first; i < len(m.report.Form); i++ {
		if c := &m.report.Form[i]; c.State == Taken {
			c.State, c.Why = Conflict, "another cell of the row is in conflict, and nothing of the row is saved"
		}
	}
	return *now
}

// gone is a row that is in the file no longer. It returns what stays of it, or nil.
func (m formMerge) gone(base, now Need) *Need {
	state, why, stays := Kept, "", &now
	switch {
	case m.blanks == BlanksKeep:
	case base == now:
		state, stays = Taken, nil
	default:
		state, why = Conflict, "the file has the row no longer, and somebody else has changed it"
	}
	for _, f := range formFields() {
		if f.said(now) != "" {
			m.add(FormRow{}, now.What, f, state, &base, nil, &now, why)
		}
	}
	return stays
}

// back is a row of the file that somebody else has taken out meanwhile: it stays so,
// unless the file changed it, which is a conflict.
func (m formMerge) back(row FormRow, base Need) {
	changed := func(f formField) bool {
		return !slices.Contains(row.Absent, f.id) && !slices.Contains(row.Blank, f.id) && !f.same(row.Need, base)
	}
	for _, f := range formFields() {
		state, why := Same, ""
		if changed(f) {
			state, why = Conflict, "somebody else has taken the row out"
		}
		m.add(row, base.What, f, state, &base, &row.Need, nil, why)
	}
}

// refuse is a row that cannot be added.
func (m formMerge) refuse(row FormRow, state State, why string) {
	for _, f := range formFields() {
		m.add(row, row.Need.What, f, state, nil, &row.Need, nil, why)
	}
}
