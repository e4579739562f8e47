package workbook_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
)

const formSheet = "Dependencies"

func power() workbook.Need {
	return workbook.Need{What: "Power", Supplier: "Norrgrid", Hours: 4, Known: true, Substitute: "Diesel"}
}

func pilots() workbook.Need { return workbook.Need{What: "Pilots", Note: "by day"} }

func customs() workbook.Need { return workbook.Need{What: "Customs", Hours: 24, Known: true} }

// formOf writes the form, changes it as a spreadsheet would, and reads it again.
func formOf(t testing.TB, needs []workbook.Need, change func(f *excelize.File)) *workbook.Import {
	t.Helper()
	b := workbook.Book{Member: "Ostmere", Needs: needs, NeedsRevision: 7}
	if needs == nil {
		b.Needs = []workbook.Need{}
	}
	data := edited(t, b, change)
	in, err := workbook.Read(bytes.NewReader(data), int64(len(data)), workbook.Config{Name: "form.xlsx"})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// formCell sets a cell of the form: row 0 is the first.
func formCell(t testing.TB, f *excelize.File, row int, id string, value any) {
	t.Helper()
	rows, err := f.GetRows(formSheet)
	must(t, err)
	for i, cells := range rows {
		if column := slices.Index(cells, id); column >= 0 {
			name, err := excelize.CoordinatesToCellName(column+1, i+3+row) // behind the ids and the labels
			must(t, err)
			must(t, f.SetCellValue(formSheet, name, value))
			return
		}
	}
	t.Fatalf("the form has no column %s", id)
}

func emptyRow(t testing.TB, f *excelize.File, row int) {
	t.Helper()
	for _, id := range []string{"what", "supplier", "hours", "substitute", "remark"} {
		formCell(t, f, row, id, nil)
	}
}

// TestMergeForm: what a form changes, row by row and cell by cell, and what somebody else
// has changed meanwhile.
func TestMergeForm(t *testing.T) {
	t.Parallel()
	base := []workbook.Need{power(), pilots(), customs()}
	later := customs()
	later.Hours = 48
	nothing := func(testing.TB, *excelize.File) {}
	rows := []struct {
		name   string
		change func(t testing.TB, f *excelize.File)
		now    []workbook.Need // nil: as the base
		blanks workbook.Blanks
		want   []workbook.Need
		report []string // of what is not the same
	}{
		{"nothing", nothing, nil, workbook.BlanksKeep, base, nil},
		{
			"a number", func(t testing.TB, f *excelize.File) { formCell(t, f, 0, "hours", 999) }, nil, workbook.BlanksKeep,
			[]workbook.Need{{What: "Power", Supplier: "Norrgrid", Hours: 999, Known: true, Substitute: "Diesel"}, pilots(), customs()},
			[]string{"taken Power hours: 4, 999, 4"},
		},
		{
			"a row emptied", func(t testing.TB, f *excelize.File) { emptyRow(t, f, 2) }, nil, workbook.BlanksKeep, base,
			[]string{"kept Customs what: Customs, , Customs", "kept Customs hours: 24, , 24"},
		},
		{
			"a row emptied, and blanks clear", func(t testing.TB, f *excelize.File) { emptyRow(t, f, 2) }, nil, workbook.BlanksClear,
			[]workbook.Need{power(), pilots()},
			[]string{"taken Customs what: Customs, , Customs", "taken Customs hours: 24, , 24"},
		},
		{
			"a row emptied that somebody changed", func(t testing.TB, f *excelize.File) { emptyRow(t, f, 2) },
			[]workbook.Need{power(), pilots(), later},
			workbook.BlanksClear,
			[]workbook.Need{power(), pilots(), later},
			[]string{"conflict Customs what: Customs, , Customs", "conflict Customs hours: 24, , 48"},
		},
		{
			"the first row emptied: the others stay what they are", func(t testing.TB, f *excelize.File) { emptyRow(t, f, 0) }, nil, workbook.BlanksClear,
			[]workbook.Need{pilots(), customs()},
			[]string{"taken Power what: Power, , Power", "taken Power supplier: Norrgrid, , Norrgrid", "taken Power hours: 4, , 4", "taken Power substitute: Diesel, , Diesel"},
		},
		{
			"a cell emptied", func(t testing.TB, f *excelize.File) { formCell(t, f, 0, "supplier", nil) }, nil, workbook.BlanksKeep, base,
			[]string{"kept Power supplier: Norrgrid, , Norrgrid"},
		},
		{
			"a cell emptied, and blanks clear", func(t testing.TB, f *excelize.File) { formCell(t, f, 0, "supplier", nil) }, nil, workbook.BlanksClear,
			[]workbook.Need{{What: "Power", Hours: 4, Known: true, Substitute: "Diesel"}, pilots(), customs()},
			[]string{"taken Power supplier: Norrgrid, , Norrgrid"},
		},
		{
			"unknown, which is no empty cell", func(t testing.TB, f *excelize.File) { formCell(t, f, 2, "hours", "unknown") }, nil, workbook.BlanksKeep,
			[]workbook.Need{power(), pilots(), {What: "Customs"}},
			[]string{"taken Customs hours: 24, unknown, 24"},
		},
		{
			"the same number changed otherwise", func(t testing.TB, f *excelize.File) { formCell(t, f, 2, "hours", 2) },
			[]workbook.Need{power(), pilots(), later},
			workbook.BlanksKeep,
			[]workbook.Need{power(), pilots(), later},
			[]string{"conflict Customs hours: 24, 2, 48"},
		},
		{
			"a conflict keeps the row", func(t testing.TB, f *excelize.File) {
				formCell(t, f, 2, "hours", 2)
				formCell(t, f, 2, "remark", "paper")
				formCell(t, f, 1, "remark", "by night")
			},
			[]workbook.Need{power(), pilots(), later},
			workbook.BlanksKeep,
			[]workbook.Need{power(), {What: "Pilots", Note: "by night"}, later},
			[]string{"taken Pilots remark: by day, by night, by day", "conflict Customs hours: 24, 2, 48", "conflict Customs remark: , paper, "},
		},
		{
			"another cell of a row that somebody changed", func(t testing.TB, f *excelize.File) { formCell(t, f, 2, "remark", "paper") },
			[]workbook.Need{power(), pilots(), later},
			workbook.BlanksKeep,
			[]workbook.Need{power(), pilots(), {What: "Customs", Hours: 48, Known: true, Note: "paper"}},
			[]string{"taken Customs remark: , paper, "},
		},
		{
			"a row of its own", func(t testing.TB, f *excelize.File) { formCell(t, f, 5, "what", "Tugs") }, nil, workbook.BlanksKeep,
			append(slices.Clone(base), workbook.Need{What: "Tugs"}),
			[]string{"taken Tugs what: , Tugs, "},
		},
		{
			"called otherwise", func(t testing.TB, f *excelize.File) { formCell(t, f, 0, "what", "Electricity") }, nil, workbook.BlanksKeep,
			[]workbook.Need{{What: "Electricity", Supplier: "Norrgrid", Hours: 4, Known: true, Substitute: "Diesel"}, pilots(), customs()},
			[]string{"taken Power what: Power, Electricity, Power"},
		},
		{
			"something else in its place is another row, and nothing of the old one sticks to it", func(t testing.TB, f *excelize.File) {
				emptyRow(t, f, 0)
				formCell(t, f, 0, "what", "Tugs")
			}, nil, workbook.BlanksKeep, append(slices.Clone(base), workbook.Need{What: "Tugs"}),
			[]string{"kept Power what: Power, , Power", "kept Power supplier: Norrgrid, , Norrgrid", "kept Power hours: 4, , 4", "kept Power substitute: Diesel, , Diesel", "taken Tugs what: , Tugs, "},
		},
		{"a row that somebody took out", nothing, []workbook.Need{power(), customs()}, workbook.BlanksKeep, []workbook.Need{power(), customs()}, nil},
		{
			"a row that somebody took out, and this changed", func(t testing.TB, f *excelize.File) { formCell(t, f, 1, "remark", "by night") },
			[]workbook.Need{power(), customs()},
			workbook.BlanksKeep,
			[]workbook.Need{power(), customs()},
			[]string{"conflict Pilots remark: by day, by night, "},
		},
		{"what somebody added stays", nothing, append(slices.Clone(base), workbook.Need{What: "Ice"}), workbook.BlanksClear, append(slices.Clone(base), workbook.Need{What: "Ice"}), nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			in := formOf(t, base, func(f *excelize.File) { row.change(t, f) })
			now := row.now
			if now == nil {
				now = base
			}
			var report workbook.Report
			got := report.MergeForm(in.Form, workbook.FormSource{Base: assess.Needs{Rows: base}, Now: assess.Needs{Rows: slices.Clone(now)}}, row.blanks)
			if diff := cmp.Diff(row.want, got.Rows); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			var said []string
			for _, c := range report.Form {
				if c.State != workbook.Same {
					said = append(said, fmt.Sprintf("%s %s %s: %s, %s, %s", c.State, c.Row, c.Field, c.Base, c.Mine, c.Theirs))
				}
			}
			if diff := cmp.Diff(row.report, said); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if report.Count(workbook.Taken) > 0 == cmp.Equal(now, got.Rows) {
				t.Errorf("%d cells are taken, and the form is %v", report.Count(workbook.Taken), got.Rows)
			}
		})
	}
}

// TestFormWithoutRevision never overwrites what it did not know.
func TestFormWithoutRevision(t *testing.T) {
	t.Parallel()
	data := []byte("what,hours\nPower,4\nPilots,9\nTugs,1\n")
	in, err := workbook.Read(bytes.NewReader(data), int64(len(data)), workbook.Config{Name: "form.csv"})
	must(t, err)
	now := []workbook.Need{power(), {What: "Pilots", Hours: 2, Known: true}, customs()}
	var report workbook.Report
	got := report.MergeForm(in.Form, workbook.FormSource{Body: "port", Now: assess.Needs{Rows: slices.Clone(now)}}, workbook.BlanksClear)
	equal(t, got.Rows, append(slices.Clone(now), workbook.Need{What: "Tugs", Hours: 1, Known: true}))
	if report.Count(workbook.Conflict) != 1 || report.Count(workbook.Taken) != 2 {
		t.Errorf("report: %+v", report.Form)
	}
	for _, c := range report.Form {
		if c.Place == "" || c.Body != "port" {
			t.Errorf("a cell has no place, or is of another body: %+v", c)
		}
	}
	var none workbook.Report
	if got := none.MergeForm(in.Form, workbook.FormSource{Base: assess.Needs{Rows: now}, Now: assess.Needs{None: true}}, workbook.BlanksKeep); !got.None || none.Count(workbook.Conflict) == 0 {
		t.Errorf("somebody said that there is nothing: %+v, %+v", got, none.Form)
	}
}

// TestMergeFormRoom: the room is for what stays. Rows that are taken out make some, and
// those that cannot be added take none.
func TestMergeFormRoom(t *testing.T) {
	t.Parallel()
	full := make([]assess.Need, workbook.MaxNeeds)
	for i := range full {
		full[i].What = fmt.Sprintf("row %d", i)
	}
	file := func(from int) (rows []workbook.FormRow) {
		for i, n := range full[from:] {
			rows = append(rows, workbook.FormRow{Need: n, At: i})
		}
		return append(rows, workbook.FormRow{Need: pilots(), At: len(rows)})
	}
	src := workbook.FormSource{Base: assess.Needs{Rows: full}, Now: assess.Needs{Rows: full}}
	for name, row := range map[string]struct {
		from    int
		blanks  workbook.Blanks
		refused bool
	}{
		"one out, one in":  {1, workbook.BlanksClear, false},
		"none out, one in": {0, workbook.BlanksClear, true},
		"one kept, one in": {1, workbook.BlanksKeep, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var report workbook.Report
			got := report.MergeForm(file(row.from), src, row.blanks)
			if refused := report.Count(workbook.Refused) > 0; refused != row.refused || len(got.Rows) != workbook.MaxNeeds {
				t.Errorf("refused %v, want %v; %d rows", refused, row.refused, len(got.Rows))
			}
			if in := slices.Contains(got.Rows, pilots()); in == row.refused {
				t.Errorf("the new row is there: %v", in)
			}
		})
	}
}

// TestMergeFormNothingMeanwhile: "nothing to name" is an answer, also where there was
// none before, and a file does not take it back without being asked.
func TestMergeFormNothingMeanwhile(t *testing.T) {
	t.Parallel()
	rows := []workbook.FormRow{{Need: pilots()}}
	var report workbook.Report
	if got := report.MergeForm(rows, workbook.FormSource{Now: assess.Needs{None: true}}, workbook.BlanksKeep); !got.None || len(got.Rows) > 0 || report.Count(workbook.Conflict) == 0 {
		t.Errorf("%+v with %d conflicts", got, report.Count(workbook.Conflict))
	}
	var known workbook.Report // it said so when the file was made, too
	none := assess.Needs{None: true}
	if got := known.MergeForm(rows, workbook.FormSource{Base: none, Now: none}, workbook.BlanksKeep); got.None || len(got.Rows) != 1 || known.Count(workbook.Conflict) > 0 {
		t.Errorf("%+v with %d conflicts", got, known.Count(workbook.Conflict))
	}
}

// TestMergeFormLosesNothing: whatever three people made of a form, every row that is
// there is there afterwards, or the report says that it was taken out; and a file that
// nobody changed changes nothing.
func TestMergeFormLosesNothing(t *testing.T) {
	t.Parallel()
	draw := func(t *rapid.T, name string) []workbook.Need {
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) workbook.Need {
			n := workbook.Need{
				What:     rapid.SampledFrom([]string{"Power", "Pilots", "Customs", "Tugs", "Ice"}).Draw(t, "what"),
				Supplier: rapid.SampledFrom([]string{"", "Norrgrid", "Ostmere"}).Draw(t, "supplier"), Known: rapid.Bool().Draw(t, "known"),
			}
			if n.Known {
				n.Hours = rapid.IntRange(0, 2).Draw(t, "hours")
			}
			return n
		}), 0, 5).Draw(t, name)
	}
	rowsOf := func(needs []workbook.Need) []workbook.FormRow {
		all := make([]workbook.FormRow, len(needs))
		for i, n := range needs {
			all[i] = workbook.FormRow{Need: n, At: i, Place: fmt.Sprint(i)}
			if n.Supplier == "" {
				all[i].Blank = append(all[i].Blank, "supplier")
			}
		}
		return all
	}
	rapid.Check(t, func(rt *rapid.T) {
		base, mine, now := draw(rt, "base"), draw(rt, "mine"), draw(rt, "now")
		blanks := rapid.SampledFrom([]workbook.Blanks{workbook.BlanksKeep, workbook.BlanksClear}).Draw(rt, "blanks")
		var report workbook.Report
		got := report.MergeForm(rowsOf(mine), workbook.FormSource{Base: assess.Needs{Rows: base}, Now: assess.Needs{Rows: slices.Clone(now)}}, blanks)
		if blanks == workbook.BlanksKeep && len(got.Rows) < len(now) {
			rt.Errorf("%d rows were there, and %d are", len(now), len(got.Rows))
		}
		if report.Count(workbook.Taken) == 0 && !slices.Equal(got.Rows, now) {
			rt.Errorf("nothing was taken, and the form is %v, not %v", got.Rows, now)
		}
		if err := got.Check(); err != nil {
			rt.Errorf("what is kept cannot be: %v", err)
		}
		var same workbook.Report
		if again := same.MergeForm(rowsOf(base), workbook.FormSource{Base: assess.Needs{Rows: base}, Now: assess.Needs{Rows: slices.Clone(now)}}, blanks); !slices.Equal(again.Rows, now) {
			rt.Errorf("a file that nobody changed makes %v of %v", again.Rows, now)
		}
		var done workbook.Report
		if all := done.MergeForm(rowsOf(mine), workbook.FormSource{Base: assess.Needs{Rows: base}, Now: assess.Needs{Rows: slices.Clone(base)}}, workbook.BlanksClear); len(all.Rows) != len(mine) {
			rt.Errorf("where nobody else changed anything, %v becomes %v", mine, all.Rows)
		}
	})
}
