package exchange_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/exchange"
)

const (
	allowedLevel    = "0, 1, 2, 3, 4, na, withheld"
	allowedOptional = "0, 1, 2, 3, 4, na, withheld, or empty for none"
	allowedTarget   = "0, 1, 2, 3, 4, or empty for none"
	allowedGrade    = "E0, E1, E2, E3, or empty for none"
	allowedOutcome  = "an outcome of the framework, A1.1 to A2.1"
	allowedRows     = `one row for each outcome of the framework; "withheld" is an answer`
	allowedHeader   = "the header " + exchange.Header
	allowedText     = `UTF-8; in a spreadsheet, save as "CSV UTF-8 (comma delimited)"`
	allowedQuotes   = "no quotes, or both around the whole cell"
)

type faultRow struct {
	name string
	text string
	want []string // without the file's name and a colon; in order
}

// faultRows are the files that are refused. The framework is packOf(2, 1).
func faultRows() []faultRow {
	// with returns the good file with its second line, A1.1's, replaced.
	with := func(line string) string { return strings.Replace(good, "A1.1,2,1,E1,3\n", line, 1) }
	header := func(line string) string { return strings.Replace(good, exchange.Header, line, 1) }
	// A missing row is named where it would go: below the last line, the fourth unless said otherwise.
	missingAt := func(line int, id string) string {
		return fmt.Sprintf("%d:1: outcome: outcome %q is missing; allowed: %s", line, id, allowedRows)
	}
	missing := func(id string) string {
		return missingAt(strings.Count(good, "\n")+1, id)
	}
	return []faultRow{
		{"empty file", "", []string{"1:1: the file is empty; allowed: " + allowedHeader + ", then one row for each outcome"}},
		{"byte order mark alone", "\uFEFF", []string{"1:1: the file is empty; allowed: " + allowedHeader + ", then one row for each outcome"}},
		{"empty lines alone", "\n\r\n\n", []string{"1:1: the file holds nothing but empty lines; allowed: " + allowedHeader + ", then one row for each outcome"}},
		{"header alone", exchange.Header + "\n", []string{"2:1: there is a header and no row; allowed: one row for each outcome of the framework"}},
		{"header without line end", exchange.Header, []string{"2:1: there is a header and no row; allowed: one row for each outcome of the framework"}},

		{"header in capitals", header("Outcome,LEVEL,verified,evidence,target"), []string{
			`1:1: header: column 1 is "Outcome"; allowed: outcome; ` + allowedHeader[:10] + " is " + exchange.Header,
			`1:9: header: column 2 is "LEVEL"; allowed: level; ` + allowedHeader[:10] + " is " + exchange.Header,
		}},
		{"header with a space, and a level 5", strings.Replace(header("outcome, level,verified,evidence,target"), "na", "5", 1), []string{
			`1:9: header: column 2 is " level"; allowed: level; the header is ` + exchange.Header,
			`3:6: level: "5" is not a level; allowed: ` + allowedLevel,
		}},
		{"header in another order", header("outcome,verified,level,evidence,target"), []string{
			`1:9: header: column 2 is "verified"; allowed: level; the header is ` + exchange.Header,
			`1:18: header: column 3 is "level"; allowed: verified; the header is ` + exchange.Header,
		}},
		{"header with a wrong word", header("outcome,level,checked,evidence,target"), []string{
			`1:15: header: column 3 is "checked"; allowed: verified; the header is ` + exchange.Header,
		}},
		{"header with a column less", header("outcome,level,evidence,target"), []string{
			`1:30: header: column "verified" is missing; allowed: ` + allowedHeader,
		}},
		{"header with a column more", header("outcome,level,verified,évidence,evidence,target"), []string{
			`1:24: header: column 4, "évidence", is not one of the five; allowed: ` + allowedHeader,
		}},
		{"header with a column twice", header("outcome,level,level,verified,evidence,target"), []string{
			`1:15: header: column 3 is "level" again; allowed: ` + allowedHeader,
		}},
		{"header with a comma at its end", header(exchange.Header + ","), []string{
			`1:40: header: column 6, "", is not one of the five; allowed: ` + allowedHeader,
		}},
		{"no header", strings.TrimPrefix(good, exchange.Header+"\n"), []string{
			`1:1: the header is missing; allowed: ` + allowedHeader,
		}},
		{"no header, and a level 5", strings.Replace(strings.TrimPrefix(good, exchange.Header+"\n"), "na", "5", 1), []string{
			`1:1: the header is missing; allowed: ` + allowedHeader,
			`2:6: level: "5" is not a level; allowed: ` + allowedLevel,
		}},
		{"some other text", "Dear colleagues\nplease find enclosed\n", []string{
			`1:1: header: column 1, "Dear colleagues", is not one of the five; allowed: ` + allowedHeader,
			`1:16: header: column "outcome" is missing; allowed: ` + allowedHeader,
			`1:16: header: column "level" is missing; allowed: ` + allowedHeader,
			`1:16: header: column "verified" is missing; allowed: ` + allowedHeader,
			`1:16: header: column "evidence" is missing; allowed: ` + allowedHeader,
			`1:16: header: column "target" is missing; allowed: ` + allowedHeader,
		}},
		{"semicolons", strings.ReplaceAll(good, ",", ";"), []string{
			`1:8: the cells are separated by semicolons; allowed: commas; in a spreadsheet, save as "CSV UTF-8 (comma delimited)", or replace every semicolon by a comma`,
		}},
		{"semicolons and quotes", strings.ReplaceAll(header(`"outcome","level","verified","evidence","target"`), ",", ";"), []string{
			`1:10: the cells are separated by semicolons; allowed: commas; in a spreadsheet, save as "CSV UTF-8 (comma delimited)", or replace every semicolon by a comma`,
		}},
		{"tabs", strings.ReplaceAll(good, ",", "\t"), []string{
			`1:8: the cells are separated by tabs; allowed: commas; in a spreadsheet, save as "CSV UTF-8 (comma delimited)", or replace every tab by a comma`,
		}},

		{"UTF-16 with mark, little end first", utf16(good, 0, "\xFF\xFE"), []string{"1:1: the file is UTF-16; allowed: " + allowedText}},
		{"UTF-16 with mark, big end first", utf16(good, 1, "\xFE\xFF"), []string{"1:1: the file is UTF-16; allowed: " + allowedText}},
		{"UTF-16 without mark, little end first", utf16(good, 0, ""), []string{"1:1: the file is UTF-16; allowed: " + allowedText}},
		{"UTF-16 without mark, big end first", utf16(good, 1, ""), []string{"1:1: the file is UTF-16; allowed: " + allowedText}},
		{"UTF-32", "\xFF\xFE\x00\x00o\x00\x00\x00", []string{"1:1: the file is UTF-32; allowed: " + allowedText}},
		{"a workbook", "PK\x03\x04\x14\x00\x06\x00", []string{"1:1: the file is a workbook or another zip file; allowed: " + allowedText}},
		{"an old workbook", "\xD0\xCF\x11\xE0\xA1\xB1", []string{"1:1: the file is an old workbook; allowed: " + allowedText}},
		{"not UTF-8 in a row", with("A1.1,2,1,\u00e4\xE9,3\n"), []string{
			"2:11: byte 0xE9 at offset 50 of the file is not UTF-8; allowed: " + allowedText,
		}},
		{"not UTF-8 behind a byte order mark", "\uFEFF" + with("\xE9A1.1,2,1,,3\n"), []string{
			"2:1: byte 0xE9 at offset 42 of the file is not UTF-8; allowed: " + allowedText,
			missing("A1.1"),
		}},
		{"not UTF-8 in the header", header("outcome\xFF,level"), []string{
			"1:8: byte 0xFF at offset 7 of the file is not UTF-8; allowed: " + allowedText,
		}},
		{"old line ends", strings.ReplaceAll(good, "\n", "\r"), []string{
			`1:39: the lines end in a carriage return alone; allowed: LF or CRLF; in a spreadsheet, save as "CSV UTF-8 (comma delimited)"`,
		}},
		{"one old line end among others", with("A1.1,2,1,E1,3\rA1.2,na,,,\n"), []string{
			`2:20: the row has 9 cells; a carriage return alone does not end a line; allowed: 5 cells: ` + exchange.Header,
		}},
		{"two carriage returns at a line's end", with("A1.1,2,1,E1,3\r\r\n"), []string{
			`2:13: target: "3\r" holds the control character U+000D; allowed: ` + allowedTarget,
		}},

		{"unknown outcome", with("B7,2,1,E1,3\n"), []string{
			`2:1: outcome: "B7" is not an outcome of the framework; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"outcome in another case", with("a1.1,2,1,E1,3\n"), []string{
			`2:1: outcome: "a1.1" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"outcome with a space", with("A1.1 ,2,1,E1,3\n"), []string{
			`2:1: outcome: "A1.1 " is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"outcome that resembles two, one of them missing", with("A1.3,2,1,E1,3\n"), []string{
			`2:1: outcome: "A1.3" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"outcome in full-width digits", with("Ａ１.１,2,1,E1,3\n"), []string{
			`2:1: outcome: "Ａ１.１" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"outcome with an invisible space", with("A1.1\u200b,2,1,E1,3\n"), []string{
			`2:1: outcome: "A1.1\u200b" is not an outcome of the framework; did you mean "A1.1"?; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"no outcome", with(",2,1,E1,3\n"), []string{
			`2:1: outcome: the cell is empty; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"duplicate row", good + "A1.1,3,,,\n", []string{
			`5:1: outcome: outcome "A1.1" has a row already, on line 2; allowed: one row for each outcome`,
		}},
		{"triplicate row", good + "A1.1,3,,,\n\nA1.1,3,,,\n", []string{
			`5:1: outcome: outcome "A1.1" has a row already, on line 2; allowed: one row for each outcome`,
			`7:1: outcome: outcome "A1.1" has a row already, on line 2; allowed: one row for each outcome`,
		}},
		{"missing outcomes", exchange.Header + "\nA1.2,na,,,\n", []string{missingAt(3, "A1.1"), missingAt(3, "A2.1")}},

		{"level 5", with("A1.1,5,1,E1,3\n"), []string{`2:6: level: "5" is not a level; allowed: ` + allowedLevel}},
		{"no level", with("A1.1,,1,E1,3\n"), []string{`2:6: level: the cell is empty; allowed: ` + allowedLevel}},
		{"level in capitals", with("A1.1,NA,1,E1,3\n"), []string{`2:6: level: "NA" is not a level; did you mean "na"?; allowed: ` + allowedLevel}},
		{"level in words", with("A1.1,n/a,1,E1,3\n"), []string{`2:6: level: "n/a" is not a level; did you mean "na"?; allowed: ` + allowedLevel}},
		{"level with a space", with("A1.1, 2,1,E1,3\n"), []string{`2:6: level: " 2" is not a level; did you mean "2"?; allowed: ` + allowedLevel}},
		{"level in full width", with("A1.1,２,1,E1,3\n"), []string{`2:6: level: "２" is not a level; did you mean "2"?; allowed: ` + allowedLevel}},
		{"level with a fraction", with("A1.1,2.0,1,E1,3\n"), []string{`2:6: level: "2.0" is not a level; allowed: ` + allowedLevel}},
		{"level none", with("A1.1,none,1,E1,3\n"), []string{`2:6: level: "none" is not a level; allowed: ` + allowedLevel}},
		{"verified 7", with("A1.1,2,7,E1,3\n"), []string{`2:8: verified: "7" is not a verified level; allowed: ` + allowedOptional}},
		{"verified none", with("A1.1,2,none,E1,3\n"), []string{`2:8: verified: "none" is not a verified level; leave the cell empty for none; allowed: ` + allowedOptional}},
		{"evidence E4", with("A1.1,2,1,E4,3\n"), []string{`2:10: evidence: "E4" is not an evidence grade; allowed: ` + allowedGrade}},
		{"evidence e1", with("A1.1,2,1,e1,3\n"), []string{`2:10: evidence: "e1" is not an evidence grade; did you mean "E1"?; allowed: ` + allowedGrade}},
		{"target na", with("A1.1,2,1,E1,na\n"), []string{`2:13: target: "na" is not a target; allowed: ` + allowedTarget}},
		{"column in characters", with("\"A1.1\",é€😀,1,E1,3\n"), []string{`2:8: level: "é€😀" is not a level; allowed: ` + allowedLevel}},
		{"column behind wide characters", with("A1.1,é€😀,5,E1,3\n"), []string{
			`2:6: level: "é€😀" is not a level; allowed: ` + allowedLevel,
			`2:10: verified: "5" is not a verified level; allowed: ` + allowedOptional,
		}},
		{"all cells wrong", with("x,5,6,7,8\n"), []string{
			`2:1: outcome: "x" is not an outcome of the framework; allowed: ` + allowedOutcome,
			`2:3: level: "5" is not a level; allowed: ` + allowedLevel,
			`2:5: verified: "6" is not a verified level; allowed: ` + allowedOptional,
			`2:7: evidence: "7" is not an evidence grade; allowed: ` + allowedGrade,
			`2:9: target: "8" is not a target; allowed: ` + allowedTarget,
			missing("A1.1"),
		}},

		{"formula", with("A1.1,=1+1,1,E1,3\n"), []string{`2:6: level: "=1+1" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula with plus", with("A1.1,+2,1,E1,3\n"), []string{`2:6: level: "+2" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula with minus", with("A1.1,2,-,E1,3\n"), []string{`2:8: verified: "-" begins like a spreadsheet formula; allowed: ` + allowedOptional}},
		{"formula with at", with("A1.1,2,1,@SUM(A1),3\n"), []string{`2:10: evidence: "@SUM(A1)" begins like a spreadsheet formula; allowed: ` + allowedGrade}},
		{"formula behind a tab", with("A1.1,2,1,E1,\t3\n"), []string{`2:13: target: "\t3" begins like a spreadsheet formula; allowed: ` + allowedTarget}},
		{"formula behind a carriage return", with("A1.1,\r2,1,E1,3\n"), []string{`2:6: level: "\r2" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula behind spaces", with("A1.1,  =2,1,E1,3\n"), []string{`2:6: level: "  =2" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula behind an apostrophe", with("A1.1,'=2,1,E1,3\n"), []string{`2:6: level: "'=2" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula in full width", with("A1.1,＝2,1,E1,3\n"), []string{`2:6: level: "＝2" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula in quotes", with("A1.1,\"=HYPERLINK(\"\"x\"\",1)\",1,E1,3\n"), []string{`2:6: level: "=HYPERLINK(\"x\",1)" begins like a spreadsheet formula; allowed: ` + allowedLevel}},
		{"formula for an outcome", with("=A1.1,2,1,E1,3\n"), []string{
			`2:1: outcome: "=A1.1" begins like a spreadsheet formula; allowed: ` + allowedOutcome, missing("A1.1"),
		}},

		{"quote not closed", with("A1.1,\"2,1,E1,3\n"), []string{`2:6: a quote is opened and not closed on the line; allowed: ` + allowedQuotes}},
		{"quote over lines", with("A1.1,\"2\n\",1,E1,3\n"), []string{
			`2:6: a quote is opened and not closed on the line; allowed: ` + allowedQuotes,
			`3:1: a quote is opened and not closed on the line; allowed: ` + allowedQuotes,
		}},
		{"text after a quote", with("A1.1,\"2\"x,1,E1,3\n"), []string{`2:9: there is text after a closing quote; allowed: ` + allowedQuotes}},
		{"quote inside", with("A1.1,2,1,E\"1,3\n"), []string{`2:11: there is a quote inside a cell that is not quoted; allowed: ` + allowedQuotes}},
		{"quote in the header", header(`outcome,"level,verified`), []string{`1:9: a quote is opened and not closed on the line; allowed: ` + allowedQuotes}},

		{"a cell less", with("A1.1,2,1,E1\n"), []string{`2:12: the row has 4 cells; allowed: 5 cells: ` + exchange.Header}},
		{"a cell more", with("A1.1,2,1,E1,3,\n"), []string{`2:15: the row has 6 cells; allowed: 5 cells: ` + exchange.Header}},
		{"one cell", with("A1.1\n"), []string{`2:5: the row has 1 cell; allowed: 5 cells: ` + exchange.Header}},
		{"commas alone", good + ",,,,\n", []string{`5:1: the row is empty but for commas or spaces; allowed: no such line; delete it`}},
		{"spaces alone", good + "  \n", []string{`5:1: the row is empty but for commas or spaces; allowed: no such line; delete it`}},
		{"an explanation", with("# ours\nA1.1,2,1,E1,3\n"), []string{`2:7: the row has 1 cell; allowed: 5 cells: ` + exchange.Header}},
		{"long cell", with("A1.1," + strings.Repeat("é", 129) + ",1,E1,3\n"), []string{
			`2:6: level: the cell has 129 characters: "` + strings.Repeat("é", 40) + `"…; allowed: ` + allowedLevel,
		}},
		{"long line", with("A1.1,2" + strings.Repeat(",", 4091) + "\n"), []string{`2:4097: the line has 4097 bytes; allowed: at most 4096`}},
		{"long line in two bytes a character", with("A1.1," + strings.Repeat("é", 2046) + "\n"), []string{`2:2051: the line has 4097 bytes; allowed: at most 4096`}},
		{"long header", strings.Repeat("x", 5000) + "\n" + good, []string{`1:4097: the line has 5000 bytes; allowed: at most 4096`}},
		{"NUL", with("A1.1,2\x00,1,E1,3\n"), []string{`2:6: level: "2\x00" holds the control character U+0000; allowed: ` + allowedLevel}},
		{"NUL in an outcome", with("A1.1\x00,2,1,E1,3\n"), []string{
			`2:1: outcome: "A1.1\x00" holds the control character U+0000; allowed: ` + allowedOutcome, missing("A1.1"),
		}},
		{"escape sequence", with("A1.1,2,1,E1,3\x1b[2J\n"), []string{`2:13: target: "3\x1b[2J" holds the control character U+001B; allowed: ` + allowedTarget}},
		{"direction override", with("A1.1,\u202e2,1,E1,3\n"), []string{`2:6: level: "\u202e2" is not a level; did you mean "2"?; allowed: ` + allowedLevel}},
		{"too large by one byte", good + strings.Repeat("\n", exchange.MaxAnswersSize+1-len(good)), []string{
			`1:1: the file is larger than 1048576 bytes; nothing behind them was read; allowed: at most 1048576 bytes`,
		}},
	}
}

// utf16 returns text in two bytes a character, the character at that index.
func utf16(text string, at int, mark string) string {
	out := []byte(mark)
	for _, c := range []byte(text) {
		pair := [2]byte{}
		pair[at] = c
		out = append(out, pair[:]...)
	}
	return string(out)
}

// placed fails unless a fault names file, line and column.
func placed(t *testing.T, fault errs.Fault) {
	t.Helper()
	if fault.File == "" || fault.Line < 1 || fault.Column < 1 {
		t.Errorf("fault without file, line and column: %s", fault)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, row := range faultRows() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			answers, err := exchange.ReadAnswers("in/Ostmere.csv", strings.NewReader(row.text), packOf(2, 1))
			if answers != nil {
				t.Errorf("answers of a file with faults: %v", answers)
			}
			var faults errs.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("got %v, want faults", err)
			}
			var got []string
			for _, fault := range faults {
				placed(t, fault)
				got = append(got, strings.TrimPrefix(fault.String(), "in/Ostmere.csv:"))
			}
			equal(t, got, row.want)
		})
	}
}

func TestLargestFile(t *testing.T) {
	t.Parallel()
	text := good + strings.Repeat("\n", exchange.MaxAnswersSize-len(good))
	if _, err := exchange.ReadAnswers("Ostmere.csv", strings.NewReader(text), packOf(2, 1)); err != nil {
		t.Error(err)
	}
}

// endless is a file without an end. It counts what is read of it.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[(e.read+i)%len(e.text)]
	}
	e.read += len(p)
	return len(p), nil
}

func TestRubbishIsRefusedEarly(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"zeros": "\x00", "lines": "\n", "one line": "x", "commas": ",", "quotes": `"`,
		"rows": "A1.1,2,1,E1,3\n", "unknown rows": "A9.9,9,9,9,9\n", "formulas": "=1,=1,=1,=1,=1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := &endless{text: text}
			start := time.Now()
			_, err := exchange.ReadAnswers("Ostmere.csv", file, packOf(2, 1))
			if errs.KindOf(err) != errs.Invalid {
				t.Errorf("got %v", err)
			}
			if file.read > exchange.MaxAnswersSize+1 {
				t.Errorf("%d bytes were read", file.read)
			}
			if spent := time.Since(start); spent > time.Second {
				t.Errorf("it took %s", spent)
			}

			// The same just within the limit is taken apart: it must be quick, too.
			start = time.Now()
			_, err = exchange.ReadAnswers("Ostmere.csv", io.LimitReader(file, exchange.MaxAnswersSize), packOf(2, 1))
			var faults errs.Faults
			if !errors.As(err, &faults) || len(faults) > errs.MaxFaults {
				t.Errorf("%d faults; %v", len(faults), err)
			}
			if spent := time.Since(start); spent > time.Second {
				t.Errorf("it took %s", spent)
			}
		})
	}
}

func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	text := exchange.Header + "\n" + strings.Repeat("A9.9,9,9,9,9\n", 1000)
	_, err := exchange.ReadAnswers("Ostmere.csv", strings.NewReader(text), packOf(2, 1))
	var faults errs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	equal(t, len(faults), errs.MaxFaults)
	equal(t, faults[len(faults)-1].Line, 21)
	for i, fault := range faults {
		if fault.Field == "outcome" && !strings.Contains(fault.Message, "did you mean") {
			t.Errorf("fault %d has no suggestion: %s", i, fault)
		}
	}
}
