package workbook

import (
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/framework"
)

// column is a column of a sheet of answers, or of the form. Its id is the same in
// every language; the label is what people see.
type column struct {
	id     string
	en, fr string
	field  assess.Field // what is typed here, or empty
	form   bool         // of the form
	hidden bool
	width  float64
	list   string // the drop-down's name, or empty
}

const (
	colID         = "id"
	colRevision   = "revision"
	colOutcome    = "outcome"
	colWhat       = "what"
	colSupplier   = "supplier"
	colHours      = "hours"
	colSubstitute = "substitute"
	colFormNote   = "remark"
)

// columns returns every column, in the order in which they are written. Columns of
// texts stand once for each language, as "question.en".
func columns() []column {
	all := []column{
		{id: colID, en: "Row id", fr: "Id. de ligne", hidden: true, width: 30},
		{id: colRevision, en: "Revision", fr: "Révision", hidden: true, width: 10},
		{id: colOutcome, en: "Outcome", fr: "Résultat", width: 9},
		{id: "title", en: "Title", fr: "Titre", width: 26},
		{id: "question", en: "Question", fr: "Question", width: 42},
		{id: "level_0", en: "Level 0", fr: "Niveau 0", width: 30},
		{id: "level_1", en: "Level 1", fr: "Niveau 1", width: 30},
		{id: "level_2", en: "Level 2", fr: "Niveau 2", width: 30},
		{id: "level_3", en: "Level 3", fr: "Niveau 3", width: 30},
		{id: "level_4", en: "Level 4", fr: "Niveau 4", width: 30},
		{id: colLast, en: "Last year", fr: "L’an dernier", width: 11},
		{id: "level", en: "Level", fr: "Niveau", field: assess.FieldLevel, width: 18, list: listLevel},
		{id: "reason", en: "Reason", fr: "Motif", field: assess.FieldReason, width: 34},
		{id: "target", en: "Target", fr: "Cible", field: assess.FieldTarget, width: 9, list: listTarget},
		{id: "target_date", en: "Target date", fr: "Échéance", field: assess.FieldTargetDate, width: 13},
		{id: "evidence", en: "Evidence", fr: "Preuve", field: assess.FieldEvidence, width: 11, list: listEvidence},
		{id: "place", en: "Where it lies", fr: "Où elle se trouve", field: assess.FieldPlace, width: 30},
		{id: "note", en: "Note", fr: "Remarque", field: assess.FieldNote, width: 46},
		{id: "assignee", en: "Who answers", fr: "Qui répond", field: assess.FieldAssignee, width: 20},
		{id: "flagged", en: "Look again", fr: "À revoir", field: assess.FieldFlagged, width: 11, list: listYes},
		{id: colCarried, en: "Carried over", fr: "Repris", width: 12, list: listYes},
	}
	return append(all,
		column{id: colWhat, en: "What do you depend on?", fr: "De quoi dépendez-vous ?", form: true, width: 44},
		column{id: colSupplier, en: "Who supplies it?", fr: "Qui le fournit ?", form: true, width: 30},
		column{id: colHours, en: "How many hours can you go without?", fr: "Combien d’heures pouvez-vous vous en passer ?", form: true, width: 24},
		column{id: colSubstitute, en: "What could take its place?", fr: "Qu’est-ce qui pourrait le remplacer ?", form: true, width: 34},
		column{id: colFormNote, en: "Remarks", fr: "Observations", form: true, width: 46},
		column{id: colMarking, en: "Marking", fr: "Marquage", width: 14},
	)
}

// colCarried is typed with the level: it is the part of the level that says
// whether anybody gave it in this cycle.
const colCarried = "carried"

// colLast is what a body gave in the cycle before, where the outcome asked the same;
// never read.
const colLast = "last_year"

// colMarking is the marking of the member, in CSV, where nothing else can show it;
// never read.
const colMarking = "marking"

// label returns what people see above the column.
func (c column) label(lang string) string {
	if french(lang) {
		return c.fr
	}
	return c.en
}

// typed reports whether something is typed into the column.
func (c column) typed() bool { return c.field != "" || c.id == colCarried || c.form }

// text reports whether the column holds a text of the pack, in some language.
func (c column) text() bool {
	return c.id == "title" || c.id == "question" || strings.HasPrefix(c.id, "level_")
}

func french(lang string) bool {
	base, _, _ := strings.Cut(lang, "-")
	return base == "fr"
}

// lookup finds columns by what stands above them.
type lookup struct{ ids, labels map[string]column }

func newLookup() lookup {
	l := lookup{make(map[string]column), make(map[string]column)}
	for _, c := range columns() {
		l.ids[c.id] = c
		l.labels[c.en], l.labels[c.fr] = c, c
	}
	return l
}

// byID returns the column whose id a cell holds. "question.en" is the question in
// English.
func (l lookup) byID(text string) (column, bool) {
	if c, ok := l.ids[text]; ok {
		return c, true
	}
	base, lang, _ := strings.Cut(text, ".")
	c := l.ids[base]
	return c, c.text() && lang != ""
}

// byLabel returns the column whose label a cell holds, in either language. A label
// of a text may be followed by its language, as in "Question (EN)".
func (l lookup) byLabel(text string) (column, bool) {
	if c, ok := l.labels[text]; ok {
		return c, true
	}
	base, _, _ := strings.Cut(text, " (")
	c := l.labels[base]
	return c, c.text() && base != text
}

// choice is something that can be chosen: how it is written in the file whatever
// the language, and in words.
type choice struct{ code, en, fr string }

// The drop-downs.
const (
	listLevel    = "level"
	listTarget   = "target"
	listEvidence = "evidence"
	listYes      = "yes"
	listHours    = "hours"
)

const (
	yes     = "yes"
	no      = "no"
	unknown = "unknown"
)

// choices returns what may be chosen from a list. A choice is read in any of its
// three forms, exactly.
func choices(list string) []choice {
	var all []choice
	switch list {
	case listLevel, listTarget:
		for number := range framework.Descriptors {
			level, _ := framework.LevelOf(number)
			all = append(all, choice{code: level.String()})
		}
		if list == listLevel {
			all = append(all,
				choice{framework.NotApplicable.String(), "not applicable", "sans objet"},
				choice{framework.Withheld.String(), "we prefer not to say", "nous préférons ne pas répondre"})
		}
	case listEvidence:
		for _, grade := range assess.Grades() {
			if grade != framework.NoEvidence {
				all = append(all, choice{code: grade.String()})
			}
		}
	case listYes:
		all = []choice{{yes, "yes", "oui"}, {no, "no", "non"}}
	case listHours:
		all = []choice{{unknown, "unknown", "inconnu"}}
	}
	return all
}

// shown returns the choice as it stands in a workbook.
func (c choice) shown(lang string) string {
	switch {
	case c.en == "":
		return c.code
	case french(lang):
		return c.fr
	}
	return c.en
}

// chosen returns the code of what a cell's text chooses from a list.
func chosen(list, text string) (string, bool) {
	all := choices(list)
	i := slices.IndexFunc(all, func(c choice) bool { return text != "" && (text == c.code || text == c.en || text == c.fr) })
	if i < 0 {
		return "", false
	}
	return all[i].code, true
}

// shownCode returns the choice with that code as it stands in a workbook, or "".
func shownCode(list, code, lang string) string {
	for _, c := range choices(list) {
		if c.code == code {
			return c.shown(lang)
		}
	}
	return ""
}

// allowed says what may be chosen: `0, 1, na ("not applicable", "sans objet"), or
// an empty cell`.
func allowed(list string) string {
	var words []string
	for _, c := range choices(list) {
		word := c.code
		var others []string
		for _, other := range []string{c.en, c.fr} {
			if other != "" && other != c.code {
				others = append(others, `"`+other+`"`)
			}
		}
		if len(others) > 0 {
			word += " (" + strings.Join(others, ", ") + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ") + ", or an empty cell"
}

// bodyGives says what may be typed into a body's row.
const bodyGives = "a body gives a level, a reason, evidence and a note, and nothing else"

// typedFields returns the fields that a file asks for.
func typedFields(contributed bool) []assess.Field {
	if contributed {
		return []assess.Field{assess.FieldLevel, assess.FieldReason, assess.FieldEvidence, assess.FieldPlace, assess.FieldNote}
	}
	return slices.DeleteFunc(assess.Fields(), func(f assess.Field) bool { return f == assess.FieldPlace })
}
