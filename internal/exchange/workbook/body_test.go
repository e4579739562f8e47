package workbook_test

import (
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

// A body's workbook shows what it gave last year, and takes a confirmation back.
func TestBodysSecondYear(t *testing.T) {
	t.Parallel()
	b := two()
	b.Surveys = b.Surveys[:1]
	b.Body, b.Needs = &assess.Body{ID: "port", Name: "The port"}, nil
	s := &b.Surveys[0]
	outcomes := s.Pack.Outcomes()
	first, second := outcomes[0].ID, outcomes[1].ID
	carried := assess.Entry{Level: framework.Level2, Note: "counted", Carried: true}
	s.Saved = map[string]workbook.Saved{first: {Entry: carried, Revision: 7}}
	s.Last = map[string]framework.Level{first: framework.Level2, second: framework.Withheld}
	key := workbook.Key{Survey: s.ID(), Outcome: first, Body: "port"}
	csv := string(writeCSV(t, b))
	for _, want := range []string{",last_year,level,", ",2,2,counted,yes\r\n", ",withheld,,,no\r\n"} {
		if !strings.Contains(csv, want) {
			t.Errorf("the CSV does not have %q", want)
		}
	}
	for name, data := range map[string][]byte{"xlsx": write(t, b), "csv": []byte(csv)} {
		in := mustRead(t, data, b)
		if row := in.Rows[0]; row.Key != key || row.Base != 7 || row.Entry != carried || !row.Carried {
			t.Errorf("%s: read %+v", name, row)
		}
	}
	confirmed := strings.Replace(csv, ",2,2,counted,yes\r\n", ",2,2,counted,no\r\n", 1)
	in := mustRead(t, []byte(confirmed), b)
	source := workbook.Source{
		At:  func(k workbook.Key, _ int64) (assess.Entry, bool) { return s.Saved[k.Outcome].Entry, true },
		Now: func(k workbook.Key) workbook.Saved { return s.Saved[k.Outcome] },
	}
	report := workbook.Merge(in.Rows[:1], source, workbook.BlanksKeep)
	if len(report.Changes) != 1 || report.Changes[0].Entry.Carried || report.Changes[0].Entry.Level != framework.Level2 {
		t.Errorf("a confirmation is %+v", report.Changes)
	}
}
