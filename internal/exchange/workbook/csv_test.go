package workbook_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	b := two()
	b.Surveys[0].Outcomes = []string{"A1.1"}
	b.Surveys[0].Saved = map[string]workbook.Saved{"A1.1": {Entry: full(), Revision: 7}}
	want := "id,revision,outcome,title.en,question.en,level_0.en,level_1.en,level_2.en,level_3.en,level_4.en," +
		"level,reason,target,target_date,evidence,note,assignee,flagged,carried\r\n" +
		"2027/sample/A1.1,7,A1.1,'=Title,\"Is it so?\nReally?\",It is 0.,It is 1.,It is 2.,It is 3.,It is 4.," +
		"3,\"Because.\nTwo lines.\",4,2028-02-29,E2,'=1+1,Ilva Tarn,yes,yes\r\n"
	equal(t, string(writeCSV(t, b)), want)
}

// TestMarking: a book of an invented member shows it on every sheet, in print, and in
// every row of CSV; and what is read back is the same.
func TestMarking(t *testing.T) {
	t.Parallel()
	plain := two()
	plain.Needs, plain.NeedsRevision = []workbook.Need{{What: "Power"}}, 3
	marked := plain
	marked.Marking = "SYNTHETIC"
	file, err := excelize.OpenReader(bytes.NewReader(write(t, marked)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, sheet := range file.GetSheetList() {
		if sheet == "_muster" { // hidden
			continue
		}
		rows, err := file.GetRows(sheet)
		if err != nil || !slices.Contains(rows[0], "SYNTHETIC") {
			t.Errorf("sheet %s begins with %q, %v", sheet, rows[0], err)
		}
		if edge, err := file.GetHeaderFooter(sheet); err != nil || !strings.HasPrefix(edge.OddHeader, "&CSYNTHETIC") {
			t.Errorf("sheet %s prints %+v, %v", sheet, edge, err)
		}
	}
	equal(t, saved(mustRead(t, write(t, marked), marked)), saved(mustRead(t, write(t, plain), plain)))
	equal(t, mustRead(t, write(t, marked), marked).Ignored, nil)

	survey, form := marked, marked
	survey.Needs, form.Surveys = nil, nil
	for _, b := range []workbook.Book{survey, form} {
		data := writeCSV(t, b)
		lines := strings.Split(strings.TrimSuffix(string(data), "\r\n"), "\r\n")
		if len(lines) < 3 || !strings.HasSuffix(lines[0], ",marking") {
			t.Fatalf("%q", lines)
		}
		for _, line := range lines[1:] {
			if !strings.HasSuffix(line, ",SYNTHETIC") {
				t.Errorf("a row is not marked: %q", line)
			}
		}
		unmarked := b
		unmarked.Marking = ""
		got, want := mustRead(t, data, b), mustRead(t, writeCSV(t, unmarked), b)
		equal(t, saved(got), saved(want))
		equal(t, got.Needs, want.Needs)
		equal(t, got.Ignored, nil)
	}
}

func TestWriteCSVRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(b *workbook.Book)
		want   string
	}{
		{"a password", func(b *workbook.Book) { b.Password = "x" }, "a CSV file cannot have a password"},
		{"answers and the form", func(b *workbook.Book) { b.Needs = []workbook.Need{} }, "a CSV file holds one survey, or the form"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := two()
			row.change(&b)
			var out bytes.Buffer
			if err := workbook.WriteCSV(&out, b, workbook.CSVStyle{}); err == nil || err.Error() != row.want || out.Len() > 0 {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func TestFormAsCSV(t *testing.T) {
	t.Parallel()
	b := workbook.Book{Member: "Ostmere", Needs: []workbook.Need{
		{What: "=Power", Supplier: "Norrgrid; \"the\" grid", Hours: 0, Known: true},
		{What: "Pilots", Substitute: "two\nlines", Note: "'tis"},
	}}
	data := writeCSV(t, b)
	equal(t, strings.Count(string(data), "\r\n"), 11)
	equal(t, mustRead(t, data, b).Needs, b.Needs)
	equal(t, mustRead(t, write(t, b), b).Needs, b.Needs)
}

// A spreadsheet that ends cells elsewhere than the file does, as Excel with
// semicolons, does not look into quotes that stand in the middle of what it takes for a
// cell. Whatever it is told, no cell of its own begins with what it would calculate.
func TestCSVCutElsewhere(t *testing.T) {
	t.Parallel()
	notes := []string{"x;=1+41;y", "a\n=2+2", "b,@SUM(A1)", "- one\n- two; - three", "it's; 'tis; '=3", "c; \"=4", "plain, words; here"}
	pack, entries, want := small(len(notes)), make(map[string]workbook.Saved), make(map[string]workbook.Saved)
	for i, o := range pack.Outcomes() {
		entries[o.ID] = workbook.Saved{Entry: assess.Entry{Level: framework.Level2, Note: notes[i]}, Revision: 1}
		want["2027/sample/"+o.ID] = entries[o.ID]
	}
	b := book(pack, entries)
	data := writeCSV(t, b)
	for _, cut := range []string{",", ";", "\t"} {
		for cell := range strings.FieldsFuncSeq(string(data), func(r rune) bool { return strings.ContainsRune(cut+"\r\n", r) }) {
			bare := strings.TrimLeft(cell, " \"")
			if bare != "" && strings.ContainsRune("=+-@", rune(bare[0])) {
				t.Errorf("cut at %q a cell is %q", cut, cell)
			}
		}
	}
	equal(t, saved(mustRead(t, data, b)), want)
	if !long() {
		return
	}
	// A real spreadsheet sees it so, too: none of it is calculated, and what is not guarded is.
	o := newOffice(t)
	for name, cut := range map[string]rune{"comma": ',', "semicolon": ';', "tab": '\t'} {
		if found := o.formulas(t, name, data, cut); len(found) > 0 {
			t.Errorf("cut at each %s, LibreOffice calculates %q", name, found)
		}
		bare := fmt.Appendf(nil, "note%[1]clevel\nx%[1]c=1+41\n", cut)
		if found := o.formulas(t, "bare-"+name, bare, cut); len(found) != 1 {
			t.Errorf("cut at each %s, LibreOffice calculates nothing where something is to be calculated: %q", name, found)
		}
	}
}

// TestCSVOfOthers reads what other programs make of the file.
func TestCSVOfOthers(t *testing.T) {
	t.Parallel()
	want := map[string]workbook.Saved{
		"2027/sample/A1.1": {Entry: assess.Entry{Level: framework.Level3, Note: "a, \"b\"\nc"}, Revision: 7},
		"2027/sample/A1.2": {Entry: assess.Entry{Level: framework.Withheld}},
	}
	const good = "id,revision,level,note\n2027/sample/A1.1,7,3,\"a, \"\"b\"\"\nc\"\n2027/sample/A1.2,,withheld,\n"
	rows := []struct{ name, text string }{
		{"plain", good},
		{"byte order mark", "\uFEFF" + good},
		{"CRLF", strings.ReplaceAll(good, "\n", "\r\n")},
		{"no end of the last line", strings.TrimSuffix(good, "\n")},
		{"semicolons", "id;revision;level;note\n2027/sample/A1.1;7;3;\"a, \"\"b\"\"\nc\"\n2027/sample/A1.2;;withheld;\n"},
		{"tabs", "id\trevision\tlevel\tnote\n2027/sample/A1.1\t7\t3\t\"a, \"\"b\"\"\nc\"\n2027/sample/A1.2\t\twithheld\t\n"},
		{"other order and words", "note,level,id,revision\n,nous préférons ne pas répondre,2027/sample/A1.2,\n\"a, \"\"b\"\"\nc\",3,2027/sample/A1.1,7\n"},
		{"empty lines", strings.ReplaceAll(good, "note\n", "note\n\n,,,\n")},
		{"everything quoted", "\"id\",\"revision\",\"level\",\"note\"\n\"2027/sample/A1.1\",\"7\",\"3\",\"a, \"\"b\"\"\nc\"\n\"2027/sample/A1.2\",\"\",\"withheld\",\"\"\n"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			equal(t, saved(mustRead(t, []byte(row.text), two())), want)
		})
	}
}

func TestCSVFaults(t *testing.T) {
	t.Parallel()
	const header = "id,level,note\n"
	const quotes = "; allowed: quotes around the whole cell, those inside doubled"
	rows := []struct{ name, text, want string }{
		{"a formula", header + "2027/sample/A1.1,3,=1+1\n", "answers.xlsx:2:20: note: the cell holds a formula; allowed: its value as text; copy the cell and paste only its text"},
		{"a formula behind spaces", header + "2027/sample/A1.1,3,\"  @x\"\n", "answers.xlsx:2:20: note: the cell holds a formula; allowed: its value as text; copy the cell and paste only its text"},
		{"a level", header + "\n2027/sample/A1.1,high,\n", `answers.xlsx:3:18: level: "high" is not one of the choices; allowed: ` + levelsAllowed},
		{"an open quote", header + "2027/sample/A1.1,3,\"a\nb\n", "answers.xlsx:2:20: a quote is opened and not closed" + quotes},
		{"a quote within", header + "2027/sample/A1.1,3,a\"b\n", "answers.xlsx:2:21: there is a quote inside a cell that is not quoted" + quotes},
		{"text behind a quote", header + "2027/sample/A1.1,3,\"a\"b\n", "answers.xlsx:2:23: there is text after a closing quote" + quotes},
		{"not UTF-8", header + "2027/sample/A1.1,3,\xe9\n", `answers.xlsx:2:20: a byte is not UTF-8; allowed: UTF-8; in a spreadsheet, save as "CSV UTF-8"`},
		{"UTF-16", "\xff\xfei\x00d\x00", `answers.xlsx:1:1: the file is neither a workbook nor UTF-8; allowed: .xlsx, or in a spreadsheet "CSV UTF-8"`},
		{"empty", "", "answers.xlsx:1:1: the file is empty; allowed: a workbook (.xlsx), or CSV with a header"},
		{"something else", "hello\nthere\n", "answers.xlsx: the file holds neither answers nor the form; allowed: a file that muster wrote, with the columns id, revision and those to fill in"},
		{"hours", "what,hours\nPower,\"two\"\n", `answers.xlsx:2:7: hours: "two" is no number of hours; allowed: a whole number of hours from 0 to 87600, or unknown ("inconnu"), or an empty cell`},
		{"a need of nothing", "what,hours\n,4\n", `answers.xlsx:2:2: what: the row does not say what is needed; allowed: a word or two for what you depend on, or an empty row`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := read([]byte(row.text), two())
			equal(t, faultsOf(t, err), []string{row.want})
		})
	}
}

// TestNoCellCalculates: whatever an entry holds, no cell of the file begins as a
// formula does, read as any reader of CSV does.
func TestNoCellCalculates(t *testing.T) {
	t.Parallel()
	pack := small(1)
	rapid.Check(t, func(rt *rapid.T) {
		b := book(pack, map[string]workbook.Saved{"A1.1": {Entry: drawEntry(rt)}})
		var out bytes.Buffer
		if err := workbook.WriteCSV(&out, b, workbook.CSVStyle{}); err != nil {
			rt.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil {
			rt.Fatal(err)
		}
		for _, row := range rows {
			for _, text := range row {
				if strings.ContainsAny(firstOf(text), "=+-@\t\r") {
					rt.Errorf("a cell begins as a formula does: %q", text)
				}
			}
		}
	})
}

// firstOf returns the first character of a text behind spaces, or "".
func firstOf(text string) string {
	for _, r := range strings.TrimLeft(text, " \n") {
		return string(r)
	}
	return ""
}
