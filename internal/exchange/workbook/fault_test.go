package workbook_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

// sheetName is the sheet of the survey in a book of [small].
const sheetName = "sample 2027"

// edited writes a book, changes it as a spreadsheet would, and returns the file.
func edited(t testing.TB, b workbook.Book, change func(f *excelize.File)) []byte {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(write(t, b)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	change(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// cellOf returns the name of the cell in the column with that id and the row of an
// outcome, and fails if there is none. An empty outcome is the row of the ids.
func cellOf(t testing.TB, f *excelize.File, id, outcome string) string {
	t.Helper()
	rows, err := f.GetRows(sheetName)
	if err != nil {
		t.Fatal(err)
	}
	column, row := -1, -1
	for i, cells := range rows {
		for j, text := range cells {
			if text == id && column < 0 {
				column = j
				if outcome == "" {
					row = i
				}
			}
			if strings.HasSuffix(text, "/"+outcome) && outcome != "" {
				row = i
			}
		}
	}
	name, err := excelize.CoordinatesToCellName(column+1, row+1)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// two is a book of two outcomes, the first of them answered.
func two() workbook.Book {
	return book(small(2), map[string]workbook.Saved{"A1.1": {Entry: full(), Revision: 7}})
}

const (
	levelsAllowed = `0, 1, 2, 3, 4, na ("not applicable", "sans objet"), withheld ("we prefer not to say", "nous préférons ne pas répondre"), or an empty cell`
	yesAllowed    = `yes ("oui"), no ("non"), or an empty cell`
	daysAllowed   = "a day from 2000 to 2199, such as 2027-06-30, or an empty cell"
	textAllowed   = "text; to write a number or a date here, format the cell as text and type it again"
)

// TestFaultsNameTheCell types something wrong into one cell.
func TestFaultsNameTheCell(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, column, outcome string
		set                   func(f *excelize.File, cell string) error
		want                  string // behind "answers.xlsx: sample 2027!F17: "
	}{
		{"a level of words", "level", "A1.1", setTo("three"), `level: "three" is not one of the choices; allowed: ` + levelsAllowed},
		{"a level beyond the scale", "level", "A1.1", setTo(5), `level: the number "5" is not one of the choices; allowed: ` + levelsAllowed},
		{"half a level", "level", "A1.1", setTo(2.5), `level: the number "2.5" is not one of the choices; allowed: ` + levelsAllowed},
		{"a level with a space", "level", "A1.1", setTo("3 "), `level: "3 " is not one of the choices; allowed: ` + levelsAllowed},
		{"a truth value for a level", "level", "A1.1", setTo(true), `level: a truth value is not one of the choices; allowed: ` + levelsAllowed},
		{"a formula for a level", "level", "A1.1", formulaOf("1+2"), `level: the cell holds a formula; allowed: ` + levelsAllowed},
		{"a target that is no level", "target", "A1.1", setTo("na"), `target: "na" is not one of the choices; allowed: 0, 1, 2, 3, 4, or an empty cell`},
		{"evidence", "evidence", "A1.1", setTo("e2"), `evidence: "e2" is not one of the choices; allowed: E0, E1, E2, E3, or an empty cell`},
		{"a flag", "flagged", "A1.1", setTo("x"), `flagged: "x" is not one of the choices; allowed: ` + yesAllowed},
		{"carried", "carried", "A1.2", setTo("perhaps"), `carried: "perhaps" is not one of the choices; allowed: ` + yesAllowed},
		{"a date as people write it", "target_date", "A1.1", setTo("30/06/2027"), `target_date: "30/06/2027" is no day that can be a target; allowed: ` + daysAllowed},
		{"a year for a date", "target_date", "A1.1", setTo(2027), `target_date: "1905-07-19" is no day that can be a target; allowed: ` + daysAllowed},
		{"a day that is not", "target_date", "A1.1", setTo("2027-02-29"), `target_date: "2027-02-29" is no day that can be a target; allowed: ` + daysAllowed},
		{"a time of day", "target_date", "A1.1", setTo(46568.25), `target_date: the number "46568.25" is no day; allowed: ` + daysAllowed},
		{"a number for a note", "note", "A1.1", setTo(46568), `note: the number "46568"; allowed: ` + textAllowed},
		{"a formula for a note", "note", "A1.1", formulaOf(`HYPERLINK("https://example.org","x")`), `note: the cell holds a formula; allowed: its value as text; copy the cell and paste only its text`},
		{"a control character in a note", "note", "A1.2", setTo("a\u0090b"), `note: the text holds a character that cannot be printed, U+0090; allowed: at most 20000 bytes of text and line ends; no control or invisible characters`},
		{"a direction override", "reason", "A1.2", setTo("a\u202eb"), `reason: the text holds a character that cannot be printed, U+202E; allowed: at most 2000 bytes of text and line ends; no control or invisible characters`},
		{"a reason that is too long", "reason", "A1.1", setTo(strings.Repeat("é", 1001)), `reason: the text has 2002 bytes; allowed: at most 2000 bytes of text and line ends; no control or invisible characters`},
		{"two lines of a name", "assignee", "A1.1", setTo("Ilva\nTarn"), `assignee: the name has more than one line; allowed: a name on one line`},
		{"a revision of words", "revision", "A1.1", setTo("seven"), `revision: "seven" is no revision; allowed: the number that the row was given out with, or an empty cell`},
		{"a negative revision", "revision", "A1.1", setTo(-1), `revision: the number "-1" is no revision; allowed: the number that the row was given out with, or an empty cell`},
		{"an id that is none", "id", "A1.1", setTo("A1.1"), `id: "A1.1" is no row's id; allowed: the id that the row was given out with, such as 2027/muster-core/A1.1`},
		{"another survey", "id", "A1.1", setTo("2026/sample/A1.1"), `id: the row is of survey "2026/sample", which is not asked for; allowed: rows of 2027/sample`},
		{"no such outcome", "id", "A1.1", setTo("2027/sample/B1.1"), `id: pack sample has no outcome "B1.1"; allowed: the id that the row was given out with, such as 2027/muster-core/A1.1`},
		{"a body that cannot be", "id", "A1.1", setTo("2027/sample/A1.1@a b"), `id: "a b" is not a body of the member; allowed: a body that the workspace lists`},
		{"a formula for an id", "id", "A1.1", formulaOf("A1"), `id: the cell holds a formula is no row's id; allowed: the id that the row was given out with, such as 2027/muster-core/A1.1`},
		{"a row pasted over in what is seen", "outcome", "A1.1", setTo("A1.2"), `outcome: the row says "A1.2", and its hidden id says "A1.1"; allowed: rows as they were given out; copy what is typed, and not whole rows`},
		{"an id that was deleted", "id", "A1.1", setTo(nil), `level: something is typed into a row that has no id; allowed: rows that were given out; type it into the row of its outcome`},
		{"a header of another column", "level", "", func(f *excelize.File, cell string) error {
			return f.SetCellValue(sheetName, cell[:1]+nextRow(cell), "Target")
		}, `header: the header says "Target" over the column level; allowed: the header as it was given out; to move a column, cut and insert it whole`},
		{"a column twice", "note", "", func(f *excelize.File, cell string) error {
			return f.SetCellValue(sheetName, "Z"+cell[1:], "note")
		}, `header: the column note is there a second time; allowed: one, as in P`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b, place := two(), ""
			data := edited(t, b, func(f *excelize.File) {
				place = cellOf(t, f, row.column, row.outcome)
				must(t, row.set(f, place))
			})
			_, err := read(data, b)
			faults := faultsOf(t, err)
			switch row.name { // the cell that is at fault is beside the one that was set
			case "an id that was deleted":
				place = "K" + place[1:]
			case "a header of another column":
				place = place[:1] + nextRow(place)
			case "a column twice":
				place = "Z" + place[1:]
			}
			equal(t, faults, []string{"answers.xlsx: sample 2027!" + place + ": " + row.want})
		})
	}
}

func setTo(value any) func(f *excelize.File, cell string) error {
	return func(f *excelize.File, cell string) error { return f.SetCellValue(sheetName, cell, value) }
}

func formulaOf(text string) func(f *excelize.File, cell string) error {
	return func(f *excelize.File, cell string) error { return f.SetCellFormula(sheetName, cell, text) }
}

// nextRow returns the number of the row below a cell's.
func nextRow(cell string) string {
	column, row, err := excelize.CellNameToCoordinates(cell)
	if err != nil {
		return ""
	}
	name, _ := excelize.CoordinatesToCellName(column, row+1)
	return strings.TrimLeft(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

func TestAllFaultsAreCollected(t *testing.T) {
	t.Parallel()
	b := book(small(5), nil)
	data := edited(t, b, func(f *excelize.File) {
		for _, outcome := range []string{"A1.1", "A1.3", "A1.5"} {
			must(t, f.SetCellValue(sheetName, cellOf(t, f, "level", outcome), "high"))
		}
	})
	_, err := read(data, b)
	if faults := faultsOf(t, err); len(faults) != 3 {
		t.Errorf("got %d faults: %s", len(faults), faults)
	}
}

func TestWhatSpreadsheetsDoIsRead(t *testing.T) {
	t.Parallel()
	everything := map[string]workbook.Saved{"2027/sample/A1.1": {Entry: full(), Revision: 7}, "2027/sample/A1.2": {}}
	with := func(change func(e *assess.Entry)) map[string]workbook.Saved {
		e := full()
		change(&e)
		return map[string]workbook.Saved{"2027/sample/A1.1": {Entry: e, Revision: 7}, "2027/sample/A1.2": {}}
	}
	set := func(column string, value any) func(*testing.T, *excelize.File) {
		return func(t *testing.T, f *excelize.File) {
			must(t, f.SetCellValue(sheetName, cellOf(t, f, column, "A1.1"), value))
		}
	}
	rows := []struct {
		name    string
		change  func(t *testing.T, f *excelize.File)
		want    map[string]workbook.Saved
		ignored []string
	}{
		{"nothing", func(*testing.T, *excelize.File) {}, everything, nil},
		{"a level as text", set("level", "2"), with(func(e *assess.Entry) { e.Level = framework.Level2 }), nil},
		{"a level in another language", set("level", "sans objet"), with(func(e *assess.Entry) { e.Level = framework.NotApplicable }), nil},
		{"a level as its code", set("level", "withheld"), with(func(e *assess.Entry) { e.Level = framework.Withheld }), nil},
		{"a truth value for a flag", set("flagged", false), with(func(e *assess.Entry) { e.Flagged = false }), nil},
		{"a date as text", set("target_date", "2027-06-30"), with(func(e *assess.Entry) { e.TargetDate = "2027-06-30" }), nil},
		{"a date as a number", set("target_date", 46568), with(func(e *assess.Entry) { e.TargetDate = "2027-06-30" }), nil},
		{"CR LF in a note", set("note", "a\r\nb"), with(func(e *assess.Entry) { e.Note = "a\nb" }), nil},
		{"an empty cell", set("note", nil), with(func(e *assess.Entry) { e.Note = "" }), nil},
		{"no revision", set("revision", nil), map[string]workbook.Saved{"2027/sample/A1.1": {Entry: full()}, "2027/sample/A1.2": {}}, nil},
		{"no row", func(t *testing.T, f *excelize.File) {
			_, row, err := excelize.CellNameToCoordinates(cellOf(t, f, "id", "A1.2"))
			must(t, err)
			must(t, f.RemoveRow(sheetName, row))
		}, map[string]workbook.Saved{"2027/sample/A1.1": {Entry: full(), Revision: 7}}, nil},
		{"no column", func(t *testing.T, f *excelize.File) {
			must(t, f.RemoveCol(sheetName, cellOf(t, f, "note", "")[:1]))
		}, with(func(e *assess.Entry) { e.Note = "" }), nil},
		{"no hidden sheet", func(t *testing.T, f *excelize.File) { must(t, f.DeleteSheet("_muster")) }, everything, nil},
		{"another name of the sheet", func(t *testing.T, f *excelize.File) { must(t, f.SetSheetName(sheetName, "Ours")) }, everything, nil},
		{"a sheet of somebody's own", func(t *testing.T, f *excelize.File) {
			_, err := f.NewSheet("Mine")
			must(t, err)
			must(t, f.SetCellValue("Mine", "A1", "remember"))
		}, everything, []string{`sheet "Mine"`}},
		{"a column of somebody's own", func(t *testing.T, f *excelize.File) {
			cell := cellOf(t, f, "id", "A1.1")
			must(t, f.SetCellValue(sheetName, "AC"+cell[1:], "remember"))
		}, everything, []string{"column sample 2027!AC"}},
		{"no ids above the columns", func(t *testing.T, f *excelize.File) {
			_, row, err := excelize.CellNameToCoordinates(cellOf(t, f, "id", ""))
			must(t, err)
			must(t, f.RemoveRow(sheetName, row))
		}, everything, nil},
		{"columns moved", func(t *testing.T, f *excelize.File) {
			must(t, f.InsertCols(sheetName, "A", 3))
		}, everything, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := two()
			got := mustRead(t, edited(t, b, func(f *excelize.File) { row.change(t, f) }), b)
			equal(t, saved(got), row.want)
			equal(t, got.Ignored, row.ignored)
		})
	}
}

func TestBlankAndAbsent(t *testing.T) {
	t.Parallel()
	b := two()
	data := edited(t, b, func(f *excelize.File) {
		must(t, f.SetCellValue(sheetName, cellOf(t, f, "reason", "A1.1"), nil))
		must(t, f.RemoveCol(sheetName, cellOf(t, f, "note", "")[:1]))
	})
	row := mustRead(t, data, b).Rows[0]
	equal(t, row.Blank, []assess.Field{assess.FieldReason})
	equal(t, row.Absent, []assess.Field{assess.FieldNote})
	if !row.Given(assess.FieldLevel) || row.Given(assess.FieldReason) || row.Given(assess.FieldNote) {
		t.Error("what is blank or absent is not given")
	}
	if !strings.HasPrefix(row.Cells[assess.FieldLevel], sheetName+"!K") {
		t.Errorf("the level stands at %q", row.Cells[assess.FieldLevel])
	}
}

// TestWholeSheetFaults are those that are not of one cell of a row.
func TestWholeSheetFaults(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(t *testing.T, f *excelize.File)
		want   string
	}{
		{"a row twice", func(t *testing.T, f *excelize.File) {
			_, row, err := excelize.CellNameToCoordinates(cellOf(t, f, "id", "A1.1"))
			must(t, err)
			must(t, f.DuplicateRow(sheetName, row))
		}, `sample 2027!A7: id: "2027/sample/A1.1" has a row already, at sample 2027!A6; allowed: one row for each outcome; delete the copy`},
		{"another member", func(t *testing.T, f *excelize.File) {
			must(t, f.SetCellValue("_muster", "B2", "Calverra"))
		}, `_muster!B2: member: the workbook is of "Calverra"; allowed: a workbook of "Ostmere"`},
		{"a newer format", func(t *testing.T, f *excelize.File) {
			must(t, f.SetCellValue("_muster", "B1", "muster-workbook/2"))
		}, `_muster!B1: format: "muster-workbook/2" is another version of the format; allowed: muster-workbook/1; a newer muster may read it`},
		{"no header", func(t *testing.T, f *excelize.File) {
			must(t, f.RemoveRow(sheetName, 4))
			must(t, f.RemoveRow(sheetName, 4))
		}, `sample 2027!A4: the cell is the id of a row, and its sheet has no header; allowed: the header that the sheet was given out with: id, revision and the others`},
		{"no ids at all", func(t *testing.T, f *excelize.File) {
			must(t, f.RemoveCol(sheetName, "A"))
		}, `sample 2027!B1: the sheet has lost its header and its row ids; allowed: the sheet as it was given out, or no such sheet`},
		{"a label that nobody knows, and no ids above", func(t *testing.T, f *excelize.File) {
			must(t, f.RemoveRow(sheetName, 4))
			must(t, f.SetCellValue(sheetName, "P4", "Bemerkung"))
		}, `sample 2027!P4: header: "Bemerkung" names no column; allowed: a header as the file was given out with, in English or French`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := two()
			_, err := read(edited(t, b, func(f *excelize.File) { row.change(t, f) }), b)
			equal(t, faultsOf(t, err), []string{"answers.xlsx: " + row.want})
		})
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(b *workbook.Book)
		want   string
	}{
		{"an impossible entry", func(b *workbook.Book) {
			b.Surveys[0].Saved = map[string]workbook.Saved{"A1.1": {Entry: assess.Entry{TargetDate: "soon"}}}
		}, "outcome A1.1 cannot be written: the day of the target is no day"},
		{"an entry of nothing", func(b *workbook.Book) {
			b.Surveys[0].Saved = map[string]workbook.Saved{"B1.1": {}}
		}, `survey "2027/sample" has an entry for "B1.1", which is not asked`},
		{"a language", func(b *workbook.Book) { b.Languages = []string{"de"} }, `pack sample has no text in "de"`},
		{"three languages", func(b *workbook.Book) { b.Languages = []string{"en", "fr", "en"} }, "a workbook has at most two languages"},
		{"no survey", func(b *workbook.Book) { b.Surveys = nil }, "a workbook needs a survey or the form"},
		{"a survey twice", func(b *workbook.Book) { b.Surveys = append(b.Surveys, b.Surveys[0]) }, `survey "2027/sample" is there twice`},
		{"a text beyond a cell", func(b *workbook.Book) {
			b.Surveys[0].Pack.Areas[0].Outcomes[0].Question = framework.Text{"en": strings.Repeat("x", workbook.MaxText+1)}
		}, "write a workbook: a text for cell E6 of sheet \"sample 2027\" has 32768 characters; a spreadsheet takes 32767"},
		{"a contribution with more", func(b *workbook.Book) {
			b.Body = &assess.Body{ID: "moe", Name: "Ministry"}
		}, "a contribution to outcome A1.1 has more than a body gives"},
		{"a body's id", func(b *workbook.Book) { b.Body = &assess.Body{ID: "a/b"} }, `"a/b" is no body's id`},
		{"a need of nothing", func(b *workbook.Book) { b.Needs = []workbook.Need{{Supplier: "x"}} }, "row 1 of the form does not say what is needed"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := two()
			row.change(&b)
			var out bytes.Buffer
			err := workbook.Write(&out, b)
			if err == nil || err.Error() != row.want && !strings.HasPrefix(err.Error(), row.want+":") {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if out.Len() > 0 {
				t.Error("something was written")
			}
		})
	}
}

func TestContributorsWorkbook(t *testing.T) {
	t.Parallel()
	b := book(core(t), map[string]workbook.Saved{
		"A1.2": {Entry: assess.Entry{Level: framework.Level2, Note: "=sum"}, Revision: 4},
	})
	b.Body = &assess.Body{ID: "port-of-ys", Name: "Port of Ys"}
	b.Surveys[0].Outcomes = []string{"A1.2", "A1.3", "A8.1"}
	b.Needs = []workbook.Need{}
	b.Password = "correct horse"
	data := write(t, b)
	if bytes.Contains(data, []byte("PK\x03\x04")) {
		t.Error("the workbook lies in clear")
	}
	got := mustRead(t, data, b)
	equal(t, saved(got), wanted(b))
	equal(t, got.Body, "port-of-ys")
	equal(t, got.Needs, []workbook.Need{})
	for _, row := range got.Rows {
		want := []assess.Field{
			assess.FieldTarget, assess.FieldTargetDate, assess.FieldAssignee, assess.FieldFlagged,
		}
		if diff := cmp.Diff(want, row.Absent); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", row.Key, diff)
		}
	}
	_, err := workbook.Read(bytes.NewReader(data), int64(len(data)), workbook.Config{
		Name: "answers.xlsx", Password: b.Password, Surveys: b.Surveys, Body: func(id string) bool { return id == "ministry" },
	})
	if faults := faultsOf(t, err); len(faults) != 4 || !strings.Contains(faults[1], `id: "port-of-ys" is not a body of the member`) {
		t.Errorf("got %s", faults)
	}
}
