package workbook

import (
	"slices"
	"strconv"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// heading is a column of a table that is written.
type heading struct {
	column
	lang string // of its texts; empty for the others
	many bool   // the texts of the table are in two languages
}

// key returns the heading's id in the file.
func (h heading) key() string {
	if h.lang == "" {
		return h.id
	}
	return h.id + "." + h.lang
}

// label returns what people see in a book of language lang.
func (h heading) label(lang string) string {
	if !h.many {
		return h.column.label(lang)
	}
	return h.column.label(h.lang) + " (" + strings.ToUpper(h.lang) + ")"
}

// table is what a sheet or a CSV file holds below its header.
type table struct {
	headings []heading
	rows     [][]cell
}

// survey returns the table of a survey. codes says that what is chosen stands in
// codes and not in words, as in CSV.
func (b Book) survey(s Survey, codes bool) table {
	langs := b.languages(s)
	var t table
	for _, c := range columns() {
		switch {
		case c.form:
		case c.id == colMarking && (b.Marking == "" || !codes): // a sheet shows it above the table
		case b.Body == nil && c.id == colLast, c.field != "" && !slices.Contains(typedFields(b.Body != nil), c.field):
		case c.text():
			for _, lang := range langs {
				t.headings = append(t.headings, heading{c, lang, len(langs) > 1})
			}
		default:
			t.headings = append(t.headings, heading{column: c})
		}
	}
	word := func(list, code string) cell { return textCell(shownCode(list, code, b.language())) }
	if codes {
		word = func(_, code string) cell { return textCell(code) }
	}
	for _, o := range s.outcomes() {
		row := make([]cell, len(t.headings))
		saved := s.Saved[o.ID]
		for i, h := range t.headings {
			switch {
			case h.typed():
				row[i] = typedCell(h.column, saved.Entry, word)
			case h.lang != "":
				row[i] = textCell(textOf(s.Pack, o, h.id, h.lang))
			case h.id == colID:
				row[i] = textCell(b.key(s, o).String())
			case h.id == colRevision:
				row[i] = numberCell(saved.Revision)
			case h.id == colLast:
				row[i] = levelCell(listLevel, s.Last[o.ID], word)
			case h.id == colOutcome:
				row[i] = textCell(o.ID)
			case h.id == colMarking:
				row[i] = textCell(b.Marking)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// key returns the identity of a row.
func (b Book) key(s Survey, o *framework.Outcome) Key {
	k := Key{Survey: s.ID(), Outcome: o.ID}
	if b.Body != nil {
		k.Body = b.Body.ID
	}
	return k
}

// textOf returns what a column says of an outcome.
func textOf(p *framework.Pack, o *framework.Outcome, id, lang string) string {
	switch id {
	case "title":
		return o.Title.In(lang)
	case "question":
		return o.Question.In(lang)
	}
	number, err := strconv.Atoi(strings.TrimPrefix(id, "level_"))
	if err != nil || number < 0 || number >= framework.Descriptors {
		return ""
	}
	return p.Levels(o)[number].In(lang)
}

// typedCell returns a field of an entry as it is written.
func typedCell(c column, e assess.Entry, word func(list, code string) cell) cell {
	switch c.field {
	case assess.FieldLevel:
		return levelCell(c.list, e.Level, word)
	case assess.FieldTarget:
		return levelCell(c.list, e.Target, word)
	case assess.FieldEvidence:
		if e.Evidence == framework.NoEvidence {
			return cell{}
		}
		return word(c.list, e.Evidence.String())
	case assess.FieldReason:
		return textCell(e.Reason)
	case assess.FieldTargetDate:
		if e.TargetDate == "" {
			return cell{}
		}
		return cell{kind: date, text: e.TargetDate}
	case assess.FieldPlace:
		return textCell(e.Place)
	case assess.FieldNote:
		return textCell(e.Note)
	case assess.FieldAssignee:
		return textCell(e.Assignee)
	case assess.FieldFlagged:
		return word(c.list, yesNo(e.Flagged))
	}
	return word(c.list, yesNo(e.Carried))
}

func yesNo(is bool) string {
	if is {
		return yes
	}
	return no
}

func levelCell(list string, level framework.Level, word func(list, code string) cell) cell {
	if level == framework.None {
		return cell{}
	}
	if number, ok := level.Number(); ok {
		return numberCell(int64(number))
	}
	return word(list, level.String())
}

// formRows is how many rows the form has at least.
const formRows = 10

// form returns the table of the form.
func (b Book) form(codes bool) table {
	var t table
	for _, c := range columns() {
		if c.form || c.id == colMarking && codes && b.Marking != "" {
			t.headings = append(t.headings, heading{column: c})
		}
	}
	unknownWord := unknown
	if !codes {
		unknownWord = shownCode(listHours, unknown, b.language())
	}
	for _, n := range b.Needs {
		hours := textCell(unknownWord)
		if n.Known {
			hours = numberCell(int64(n.Hours))
		}
		t.rows = append(t.rows, []cell{textCell(n.What), textCell(n.Supplier), hours, textCell(n.Substitute), textCell(n.Note)})
	}
	for len(t.rows) < formRows {
		t.rows = append(t.rows, make([]cell, len(t.headings)))
	}
	if last := len(t.headings) - 1; t.headings[last].id == colMarking {
		for i, row := range t.rows {
			t.rows[i] = append(row[:last:last], textCell(b.Marking))
		}
	}
	return t
}

// Limits of the texts of the form, in bytes.
const (
	maxNeedLine = assess.MaxNeedLine
	maxNeedNote = assess.MaxNeedNote
)

// checkNeeds refuses what the form cannot hold.
func checkNeeds(needs []Need) error {
	if len(needs) > MaxNeeds {
		return errs.New(errs.Invalid, "the form has "+strconv.Itoa(len(needs))+" rows", "at most "+strconv.Itoa(MaxNeeds))
	}
	for i, n := range needs {
		for _, part := range []struct {
			name, text string
			most       int
		}{
			{"what is needed", n.What, maxNeedLine},
			{"the supplier", n.Supplier, maxNeedLine},
			{"the substitute", n.Substitute, maxNeedNote},
			{"the remark", n.Note, maxNeedNote},
		} {
			if fault := textFault(part.text, part.most); fault != "" {
				return errs.New(errs.Invalid, "row "+strconv.Itoa(i+1)+" of the form: "+part.name+" "+fault, "")
			}
		}
		switch {
		case n.What == "":
			return errs.New(errs.Invalid, "row "+strconv.Itoa(i+1)+" of the form does not say what is needed", "")
		case n.Known && (n.Hours < 0 || n.Hours > assess.MaxHours), !n.Known && n.Hours != 0:
			return errs.New(errs.Invalid, "row "+strconv.Itoa(i+1)+" of the form has an impossible number of hours", "")
		}
	}
	return nil
}
