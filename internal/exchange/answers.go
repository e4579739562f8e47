// Package exchange reads and writes the files in which answers travel.
//
// A member's answers are one CSV file. Its header is exactly
//
//	outcome,level,verified,evidence,target
//
// and every outcome of the framework has exactly one row, in any order:
//
//	outcome    an id of the framework
//	level      0, 1, 2, 3, 4, na or withheld
//	verified   the same seven, or empty for none
//	evidence   E0, E1, E2, E3, or empty for none
//	target     0, 1, 2, 3, 4, or empty for none
//
// The file is UTF-8, with or without a byte order mark (spreadsheets write one),
// with lines that end in LF or CRLF; the last line may lack its end. Cells may be
// quoted as in RFC 4180, but a cell ends on the line it began on. Empty lines are
// skipped anywhere: they say nothing. A line of commas or spaces alone is a fault.
//
// [ReadAnswers] reads one file, [ReadFolder] a folder with one file a member,
// [ReadPreviousFolder] such a folder of an earlier cycle, whose framework may have
// had other outcomes, and [WriteAnswers] writes the canonical form: the framework's order, LF, no quotes,
// no byte order mark.
//
// Nothing is trimmed, corrected or guessed: what is not exactly an allowed value is
// a fault with its file, line, column and what is allowed, and all faults are
// collected (up to [errs.MaxFaults] a file). A file may be hostile: no more than
// [MaxAnswersSize] bytes and one of it are read, nothing in it is evaluated, and
// its text is quoted and shortened in every message.
package exchange

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/framework"
)

// MaxAnswersSize is how many bytes a file of answers may have. A framework of 300
// outcomes needs some 8 KiB.
const MaxAnswersSize = 1 << 20

// Header is the first line of a file of answers.
const Header = "outcome,level,verified,evidence,target"

// The columns, in the header's order.
const (
	colOutcome = iota
	colLevel
	colVerified
	colEvidence
	colTarget
	columns
)

// ReadAnswers reads one member's answers to the framework p. name is what faults
// call the file.
//
// The error is an [errs.Faults] if the file is not what it should be, and then no
// answers are returned; any other error is the reader's.
func ReadAnswers(name string, r io.Reader, p *framework.Pack) (map[string]assess.Answer, error) {
	answers, _, err := newReader(p).read(name, r)
	return answers, err
}

// ReadPrevious reads one member's answers of an earlier cycle as
// [ReadPreviousFolder] does: an outcome without a row has no previous answer, and
// rows of outcomes that the framework does not have are left aside. The
// difference names both, and no member.
func ReadPrevious(name string, r io.Reader, p *framework.Pack) (map[string]assess.Answer, Difference, error) {
	reader := newReader(p)
	reader.previous = true
	return reader.read(name, r)
}

// WriteAnswers writes answers to the framework p in the canonical form. It refuses
// with kind Invalid, before it writes, answers that [ReadAnswers] would not return:
// a missing outcome, one that the framework does not have, an impossible value.
func WriteAnswers(w io.Writer, p *framework.Pack, answers map[string]assess.Answer) error {
	outcomes := p.Outcomes()
	for _, outcome := range outcomes {
		answer, ok := answers[outcome.ID]
		if !ok {
			return errs.New(errs.Invalid, fmt.Sprintf("outcome %s has no answer", outcome.ID), "")
		}
		if err := answer.Check(); err != nil {
			return errs.New(errs.Invalid, fmt.Sprintf("outcome %s: %s", outcome.ID, err), "")
		}
	}
	if len(answers) != len(outcomes) {
		return errs.New(errs.Invalid,
			fmt.Sprintf("%d answers to a framework of %d outcomes", len(answers), len(outcomes)), "")
	}

	buf := bufio.NewWriter(w) // keeps the first error for Flush
	buf.WriteString(Header + "\n")
	for _, outcome := range outcomes {
		answer := answers[outcome.ID]
		buf.WriteString(strings.Join([]string{
			outcome.ID, levelCell(answer.Level), levelCell(answer.Verified),
			gradeCell(answer.Evidence), levelCell(answer.Target),
		}, ",") + "\n")
	}
	return buf.Flush()
}

// levelCell returns the cell that says level.
func levelCell(level framework.Level) string {
	if level == framework.None {
		return ""
	}
	return level.String()
}

// gradeCell returns the cell that says grade.
func gradeCell(grade framework.Grade) string {
	if grade == framework.NoEvidence {
		return ""
	}
	return grade.String()
}

// vocabulary is what the cells of one column may hold. The values stand where
// their cells do; only one of the two lists is used.
type vocabulary struct {
	cells  []string
	levels []framework.Level
	grades []framework.Grade
}

func levelVocabulary(levels []framework.Level) vocabulary {
	v := vocabulary{levels: levels}
	for _, level := range levels {
		v.cells = append(v.cells, levelCell(level))
	}
	return v
}

func gradeVocabulary(grades []framework.Grade) vocabulary {
	v := vocabulary{grades: grades}
	for _, grade := range grades {
		v.cells = append(v.cells, gradeCell(grade))
	}
	return v
}

// allowed returns the cells in words: "E0, E1, or empty for none".
func (v vocabulary) allowed() string {
	var words []string
	for _, cell := range v.cells {
		if cell != "" {
			words = append(words, cell)
		}
	}
	text := strings.Join(words, ", ")
	if slices.Contains(v.cells, "") {
		text += ", or empty for none"
	}
	return text
}
