package exchange

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/cells"
	"muster/internal/framework"
)

const (
	// maxLine is how many bytes one line may have: some fifty times what a row
	// of the longest values needs.
	maxLine = 4096
	// maxCell is how many characters one cell may have. No framework has longer ids.
	maxCell = 128

	answersContent = "the header " + Header + ", then one row for each outcome"
)

// reader reads files of answers to one framework. It may be used for many files,
// one after the other.
type reader struct {
	outcomes []string // ids in the framework's order
	known    map[string]bool
	names    []string // the header's
	words    [columns]vocabulary
	previous bool // the answers are of an earlier cycle; see [ReadPreviousFolder]
}

func newReader(p *framework.Pack) *reader {
	rd := &reader{known: make(map[string]bool), names: strings.Split(Header, ",")}
	for _, outcome := range p.Outcomes() {
		rd.outcomes = append(rd.outcomes, outcome.ID)
		rd.known[outcome.ID] = true
	}
	rd.words = [columns]vocabulary{
		colLevel:    levelVocabulary(assess.Levels()),
		colVerified: levelVocabulary(assess.VerifiedLevels()),
		colEvidence: gradeVocabulary(assess.Grades()),
		colTarget:   levelVocabulary(assess.Targets()),
	}
	return rd
}

// read reads one file. The difference has no member yet, and is empty unless the
// reader is one of previous answers.
func (rd *reader) read(name string, r io.Reader) (map[string]assess.Answer, Difference, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxAnswersSize+1))
	if err != nil {
		return nil, Difference{}, fmt.Errorf("read %s: %w", errs.Quote(name), err)
	}
	f := &file{
		reader:  rd,
		name:    name,
		answers: make(map[string]assess.Answer, len(rd.outcomes)),
		first:   make(map[string]int, len(rd.outcomes)),
	}
	f.parse(data)
	if err := f.faults.Err(); err != nil {
		return nil, Difference{}, err
	}
	return f.answers, f.difference, nil
}

// file is one file while it is read.
type file struct {
	*reader
	name    string
	answers map[string]assess.Answer
	first   map[string]int // the line that first named an outcome
	rows    int
	end     int // the line after the last one that is not empty: where a missing row would go
	unknown []unknown
	faults  errs.Faults

	difference Difference
}

// unknown is a cell that names no outcome. Its suggestion waits for the end, when
// it is known which outcomes are missing.
type unknown struct {
	fault int // index in file.faults
	text  string
}

// add keeps a fault, unless there are enough.
func (f *file) add(fault errs.Fault) {
	if f.full() {
		return
	}
	fault.File = f.name
	f.faults = append(f.faults, fault)
}

// full reports whether there are as many faults as are kept. Then nothing more is read.
func (f *file) full() bool { return len(f.faults) >= errs.MaxFaults }

func (f *file) parse(data []byte) {
	if fault, ok := notText(data, MaxAnswersSize, answersContent); ok {
		f.add(fault)
		return
	}
	text := string(data)
	start := len(text)
	text = strings.TrimPrefix(text, "\uFEFF")
	start -= len(text)

	headed := false
	for line := range lines(text, start) {
		if f.full() {
			break
		}
		if line.text == "" {
			continue
		}
		f.end = line.number + 1
		if !headed {
			headed = true
			if next := f.header(line); next == rowsBegin {
				continue
			} else if next == rowsUnreadable {
				return
			}
		}
		f.row(line)
	}
	if !headed {
		f.add(errs.Fault{Line: 1, Column: 1, Message: "the file holds nothing but empty lines", Allowed: answersContent})
		return
	}
	f.missing()
	f.suggest()
}

// row reads one line below the header.
func (f *file) row(l line) {
	f.rows++
	if !f.readable(l) {
		f.salvage(l)
		return
	}
	cells, fault := split(l.text)
	if fault != nil {
		fault.Line = l.number
		f.add(*fault)
		f.salvage(l)
		return
	}
	if !slices.ContainsFunc(cells, func(c cell) bool { return strings.TrimSpace(c.text) != "" }) {
		f.add(errs.Fault{Line: l.number, Column: 1, Message: "the row is empty but for commas or spaces", Allowed: "no such line; delete it"})
		return
	}
	if len(cells) != columns {
		at := endColumn(l.text) // where the missing cells would go
		if len(cells) > columns {
			at = cells[columns].column // the first that is too many
		}
		f.add(errs.Fault{Line: l.number, Column: at, Message: cellCount(l.text, len(cells)), Allowed: fmt.Sprintf("%d cells: %s", columns, Header)})
		f.salvage(l)
		return
	}

	var values [columns]int
	for col := colLevel; col < columns; col++ {
		values[col] = slices.Index(f.words[col].cells, cells[col].text)
		if values[col] < 0 {
			f.badCell(l.number, col, cells[col])
		}
	}
	id := cells[colOutcome].text
	gone := f.previous && !f.known[id] && framework.IsOutcomeID(id)
	if !f.known[id] && !gone {
		f.badCell(l.number, colOutcome, cells[colOutcome])
		return
	}
	if first, ok := f.first[id]; ok {
		f.add(errs.Fault{
			Line: l.number, Column: cells[colOutcome].column, Field: f.names[colOutcome],
			Message: fmt.Sprintf("outcome %s has a row already, on line %d", errs.Quote(id), first),
			Allowed: "one row for each outcome",
		})
		return
	}
	f.first[id] = l.number
	if slices.Contains(values[colLevel:], -1) {
		return
	}
	if gone {
		f.difference.Gone = append(f.difference.Gone, id)
		return
	}
	f.answers[id] = assess.Answer{
		Level:    f.words[colLevel].levels[values[colLevel]],
		Verified: f.words[colVerified].levels[values[colVerified]],
		Evidence: f.words[colEvidence].grades[values[colEvidence]],
		Target:   f.words[colTarget].levels[values[colTarget]],
	}
}

// readable adds a fault and returns false if a line is too long or not UTF-8.
func (f *file) readable(l line) bool {
	if len(l.text) > maxLine {
		f.add(errs.Fault{
			Line: l.number, Column: beyond(l.text), Message: fmt.Sprintf("the line has %d bytes", len(l.text)),
			Allowed: fmt.Sprintf("at most %d", maxLine),
		})
		return false
	}
	at := invalid(l.text)
	if at < 0 {
		return true
	}
	f.add(errs.Fault{
		Line: l.number, Column: utf8.RuneCountInString(l.text[:at]) + 1,
		Message: fmt.Sprintf("byte 0x%02X at offset %d of the file is not UTF-8", l.text[at], l.offset+at),
		Allowed: allowedEncoding,
	})
	return false
}

// beyond returns the column of the first character of a line that is not within
// its first maxLine bytes.
func beyond(text string) int {
	at := maxLine
	for at > maxLine-utf8.UTFMax && !utf8.RuneStart(text[at]) {
		at--
	}
	return column(text, at)
}

// salvage keeps in mind which outcome an unreadable row speaks of, so that the
// outcome is not called missing as well.
func (f *file) salvage(l line) {
	id, _, _ := strings.Cut(l.text, ",")
	id = strings.Trim(id, `"`)
	if _, ok := f.first[id]; !ok && f.known[id] {
		f.first[id] = l.number
	}
}

// cellCount says how many cells a row has, and why it may have so many.
func cellCount(text string, n int) string {
	message := fmt.Sprintf("the row has %d cells", n)
	if n == 1 {
		message = "the row has 1 cell"
	}
	if strings.Contains(text, "\r") {
		message += "; a carriage return alone does not end a line"
	}
	return message
}

// badCell adds the fault of a cell whose text is not in its column's vocabulary.
func (f *file) badCell(lineNumber, col int, c cell) {
	fault := errs.Fault{Line: lineNumber, Column: c.column, Field: f.names[col]}
	switch {
	case col != colOutcome:
		fault.Allowed = f.words[col].allowed()
	case len(f.outcomes) > 0:
		fault.Allowed = fmt.Sprintf("an outcome of the framework, %s to %s", f.outcomes[0], f.outcomes[len(f.outcomes)-1])
	}
	control := strings.IndexFunc(c.text, unicode.IsControl)
	switch length := utf8.RuneCountInString(c.text); {
	case length > maxCell:
		fault.Message = fmt.Sprintf("the cell has %d characters: %s", length, errs.Quote(c.text))
	case c.text == "":
		fault.Message = "the cell is empty"
	case cells.Calculates(c.text):
		fault.Message = errs.Quote(c.text) + " begins like a spreadsheet formula"
	case control >= 0:
		fault.Message = fmt.Sprintf("%s holds the control character U+%04X", errs.Quote(c.text), []rune(c.text[control:])[0])
	case col == colOutcome:
		fault.Message = errs.Quote(c.text) + " is not an outcome of the framework"
		if !f.full() {
			f.unknown = append(f.unknown, unknown{len(f.faults), c.text})
		}
	default:
		fault.Message = fmt.Sprintf("%s is not %s", errs.Quote(c.text), nouns[col]) + meant(f.words[col].cells, c.text)
	}
	f.add(fault)
}

// nouns say what a cell of a column is.
var nouns = [columns]string{
	colOutcome: "an outcome", colLevel: "a level", colVerified: "a verified level",
	colEvidence: "an evidence grade", colTarget: "a target",
}

// missing adds a fault for every outcome that no row named; of previous answers
// it is a difference and no fault.
func (f *file) missing() {
	if f.rows == 0 {
		f.add(errs.Fault{Line: f.end, Column: 1, Message: "there is a header and no row", Allowed: "one row for each outcome of the framework"})
		return
	}
	for _, id := range f.outcomes {
		switch _, ok := f.first[id]; {
		case ok:
		case f.previous:
			f.difference.Missing = append(f.difference.Missing, id)
		default:
			f.add(errs.Fault{
				Line: f.end, Column: 1, Field: f.names[colOutcome], Message: "outcome " + errs.Quote(id) + " is missing",
				Allowed: `one row for each outcome of the framework; "withheld" is an answer`,
			})
		}
	}
}

// suggest says of every unknown outcome which one may have been meant.
func (f *file) suggest() {
	for _, u := range f.unknown {
		if id := f.nearest(u.text); id != "" {
			f.faults[u.fault].Message += fmt.Sprintf("; did you mean %s?", errs.Quote(id))
		}
	}
}
