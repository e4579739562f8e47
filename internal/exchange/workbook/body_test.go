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
	carried := assess.Entry{Level: framework.Level2, Evidence: framework.E1, Note: "counted", Carried: true}
	s.Saved = map[string]workbook.Saved{first: {Entry: carried, Revision: 7}}
	s.Last = map[string]framework.Level{first: framework.Level2, second: framework.Withheld}
	key := workbook.Key{Survey: s.ID(), Outcome: first, Body: "port"}
	csv := string(writeCSV(t, b))
	for _, want := range []string{",last_year,level,", ",2,2,,E1,,counted,yes\r\n", ",withheld,,,,,,no\r\n"} {
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
	confirmed := strings.Replace(csv, ",2,2,,E1,,counted,yes\r\n", ",2,2,,E1,,counted,no\r\n", 1)
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

// Everything that a body gives comes back as it was given, through both formats; the
// member's own rows have no place, and a place with two lines is a fault with its cell.
func TestBodysEvidence(t *testing.T) {
	t.Parallel()
	b := two()
	b.Surveys = b.Surveys[:1]
	b.Body, b.Needs = &assess.Body{ID: "port", Name: "The port"}, nil
	s := &b.Surveys[0]
	s.Saved = make(map[string]workbook.Saved)
	for i, o := range s.Pack.Outcomes() {
		s.Saved[o.ID] = workbook.Saved{Revision: int64(i + 1), Entry: []assess.Entry{
			{Level: framework.Level3, Evidence: framework.E2, Place: "shared/=list.ods", Note: "+1"},
			{Level: framework.NotApplicable, Reason: "no coast\nat all"},
			{Level: framework.Level4, Evidence: framework.E3, Place: "https://example.org/a?b=c;d", Carried: true},
		}[i%3]}
	}
	for name, data := range map[string][]byte{"xlsx": write(t, b), "csv": writeCSV(t, b)} {
		in := mustRead(t, data, b)
		if len(in.Rows) != len(s.Saved) {
			t.Errorf("%s: %d rows", name, len(in.Rows))
		}
		for _, row := range in.Rows {
			if want := s.Saved[row.Key.Outcome]; row.Entry != want.Entry || row.Base != want.Revision {
				t.Errorf("%s: %s is %+v, want %+v", name, row.Key, row.Entry, want.Entry)
			}
		}
	}
	csv := string(writeCSV(t, b))
	if _, err := read([]byte(strings.Replace(csv, "shared/=list.ods", "\"a\nb\"", 1)), b); err == nil {
		t.Error("a place with two lines is read")
	}
	for _, bad := range []string{"http://example.org/a", "https://user:secret@example.org/a", "ftp://example.org/a"} {
		_, err := read([]byte(strings.Replace(csv, "shared/=list.ods", bad, 1)), b)
		if err == nil || !strings.Contains(strings.Join(faultsOf(t, err), ""), ": place: the place of the evidence is no https address") {
			t.Errorf("%s is read, or refused without its cell: %v", bad, err)
		}
	}
	b.Body = nil
	if _, err := read([]byte(strings.ReplaceAll(csv, "@port", "")), b); err == nil || !strings.Contains(strings.Join(faultsOf(t, err), ""), "references") {
		t.Errorf("a place of the member's own is read: %v", err)
	}
}
