package workbook_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

// ofBody is a book of a body that is asked for one of two outcomes.
func ofBody() workbook.Book {
	b := book(small(2), map[string]workbook.Saved{"A1.1": {Entry: assess.Entry{Level: framework.Level2}, Revision: 7}})
	b.Surveys[0].Outcomes = []string{"A1.1"}
	b.Body = &assess.Body{ID: "economy", Name: "Ministry of Economy"}
	return b
}

// TestBodyFileSpeaksForItAlone changes the hidden ids of a body's workbook, and what
// its hidden sheet says, as somebody through whose hands it goes can.
func TestBodyFileSpeaksForItAlone(t *testing.T) {
	t.Parallel()
	setID := func(to string) func(f *excelize.File) error {
		return func(f *excelize.File) error { return f.SetCellValue(sheetName, idCell(f), to) }
	}
	setBody := func(to any) func(f *excelize.File) error {
		return func(f *excelize.File) error { return f.SetCellValue("_muster", "B3", to) }
	}
	rows := []struct {
		name   string
		change func(f *excelize.File) error
		only   string
		want   []string // behind the place; none: the file is read
	}{
		{"as it was given out", func(*excelize.File) error { return nil }, "", nil},
		{"as it was given out, and said to be that body's", func(*excelize.File) error { return nil }, "economy", nil},
		{"the member's answer", setID("2027/sample/A1.1"), "", []string{`id: the row is of the member as a whole, and the file is that of "economy"; allowed: rows of "economy"`}},
		{"another body's answer", setID("2027/sample/A1.1@grid"), "", []string{`id: the row is of the body "grid", and the file is that of "economy"; allowed: rows of "economy"`}},
		{"an outcome outside of its sections", setID("2027/sample/A1.2@economy"), "", []string{`id: outcome A1.2 is in no section of the body "economy"; allowed: outcomes of the sections that list it`}},
		{"said to be another's, and read as what it is", setBody("grid"), "economy", []string{`body: the file is that of "grid"; allowed: the file of "economy"`}},
		{"another's that it says to be", setBody("grid"), "", []string{`id: the row is of the body "economy", and the file is that of "grid"; allowed: rows of "grid"`}},
		{"a body that nobody knows", setBody("nobody"), "", []string{`body: "nobody" is not a body of the member`, `id: the row is of the body "economy", and the file is of none`}},
		{"of no body any more", setBody(nil), "", []string{`id: the row is of the body "economy", and the file is of none`}},
		{"of no body any more, and read as what it is", setBody(nil), "economy", nil},
		{
			"the member's, without a word of the body", func(f *excelize.File) error {
				must(t, setBody(nil)(f))
				return setID("2027/sample/A1.1")(f)
			}, "economy",
			[]string{`id: the row is of the member as a whole, and the file is that of "economy"`},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := ofBody()
			data := edited(t, b, func(f *excelize.File) { must(t, row.change(f)) })
			bounded(t, data, workbook.Bound{Only: row.only}, row.want)
		})
	}
}

// TestCSVSpeaksForOneBody does the same with a CSV file, which has no hidden sheet.
func TestCSVSpeaksForOneBody(t *testing.T) {
	t.Parallel()
	const member, own, other, beyond = "2027/sample/A1.1,3\n", "2027/sample/A1.1@economy,3\n", "2027/sample/A1.1@grid,3\n", "2027/sample/A1.2@economy,3\n"
	rows := []struct {
		name, text string
		bound      workbook.Bound
		want       []string
	}{
		{"the member's", member, workbook.Bound{}, nil},
		{"a body's, said to be", own, workbook.Bound{Only: "economy"}, nil},
		{"a body's, and nobody said so", own, workbook.Bound{}, []string{`id: the row is of the body "economy", and the file is of none`}},
		{"several bodies', said to be", member + own + other, workbook.Bound{Several: true}, nil},
		{"the member's in a body's", own + member, workbook.Bound{Only: "economy"}, []string{`answers.xlsx:3:1: id: the row is of the member as a whole`}},
		{"another body's in a body's", own + other, workbook.Bound{Only: "economy"}, []string{`answers.xlsx:3:1: id: the row is of the body "grid"`}},
		{"outside of the sections", beyond, workbook.Bound{Only: "economy"}, []string{`answers.xlsx:2:1: id: outcome A1.2 is in no section of the body "economy"`}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bounded(t, []byte("id,level\n"+row.text), row.bound, row.want)
		})
	}
}

// bounded reads a file of which economy is asked for A1.1, and compares the faults.
func bounded(t *testing.T, data []byte, bound workbook.Bound, want []string) {
	t.Helper()
	bound.Asked = func(_, body string) []string { return map[string][]string{"economy": {"A1.1"}, "grid": {"A1.2"}}[body] }
	in, err := workbook.Read(bytes.NewReader(data), int64(len(data)), workbook.Config{
		Name: "answers.xlsx", Surveys: two().Surveys, Bound: bound,
		Body: func(id string) bool { return id == "economy" || id == "grid" },
	})
	if want == nil {
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Rows) == 0 {
			t.Error("the file has no rows")
		}
		return
	}
	got := faultsOf(t, err)
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range got {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

// idCell returns the cell of the only row's id.
func idCell(f *excelize.File) string {
	rows, err := f.GetRows(sheetName)
	if err != nil {
		return ""
	}
	for i, cells := range rows {
		for j, text := range cells {
			if strings.HasPrefix(text, "2027/sample/") {
				name, _ := excelize.CoordinatesToCellName(j+1, i+1)
				return name
			}
		}
	}
	return ""
}
