package workbook_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

// at is the history of entries that never changed.
func at(now func(workbook.Key) workbook.Saved) func(workbook.Key, int64) (assess.Entry, bool) {
	return func(k workbook.Key, revision int64) (assess.Entry, bool) {
		s := now(k)
		return s.Entry, s.Revision == revision
	}
}

var outcome = workbook.Key{Survey: "2027/sample", Outcome: "A1.1"}

// history is one entry with its revisions; the last is what is there now.
func history(revisions ...assess.Entry) workbook.Source {
	return workbook.Source{
		At: func(_ workbook.Key, revision int64) (assess.Entry, bool) {
			if revision < 1 || revision > int64(len(revisions)) {
				return assess.Entry{}, false
			}
			return revisions[revision-1], true
		},
		Now: func(workbook.Key) workbook.Saved {
			if len(revisions) == 0 {
				return workbook.Saved{}
			}
			return workbook.Saved{Entry: revisions[len(revisions)-1], Revision: int64(len(revisions))}
		},
	}
}

// rowOf is a row that was made from a revision, with nothing blank or absent.
func rowOf(base int64, e assess.Entry) workbook.Row {
	return workbook.Row{Key: outcome, Base: base, Entry: e, Carried: true}
}

func stateOf(t *testing.T, r *workbook.Report, f assess.Field) workbook.Cell {
	t.Helper()
	for _, c := range r.Cells {
		if c.Field == f {
			return c
		}
	}
	t.Fatalf("nothing is said of %s", f)
	return workbook.Cell{}
}

func TestMergeStates(t *testing.T) {
	t.Parallel()
	base := assess.Entry{Level: framework.Level1, Note: "before", Assignee: "Ilva"}
	changed := func(change func(e *assess.Entry)) assess.Entry {
		e := base
		change(&e)
		return e
	}
	note := func(s string) assess.Entry { return changed(func(e *assess.Entry) { e.Note = s }) }
	blank := func(r workbook.Row, f assess.Field) workbook.Row { r.Blank = []assess.Field{f}; return r }
	absent := func(r workbook.Row, f assess.Field) workbook.Row { r.Absent = []assess.Field{f}; return r }

	rows := []struct {
		name   string
		row    workbook.Row
		source workbook.Source
		blanks workbook.Blanks
		state  workbook.State
		cell   [3]string // base, mine, theirs of the note
		saved  string    // the note of what is to be saved; empty if nothing is
	}{
		{"nothing happened", rowOf(1, base), history(base), 0, workbook.Same, [3]string{"before", "before", "before"}, ""},
		{"changed in the file", rowOf(1, note("mine")), history(base), 0, workbook.Taken, [3]string{"before", "mine", "before"}, "mine"},
		{"changed meanwhile", rowOf(1, base), history(base, note("theirs")), 0, workbook.Same, [3]string{"before", "before", "theirs"}, ""},
		{"changed alike", rowOf(1, note("both")), history(base, note("both")), 0, workbook.Same, [3]string{"before", "both", "both"}, ""},
		{"changed differently", rowOf(1, note("mine")), history(base, note("theirs")), 0, workbook.Conflict, [3]string{"before", "mine", "theirs"}, "theirs"},
		{"emptied", blank(rowOf(1, note("")), assess.FieldNote), history(base), 0, workbook.Kept, [3]string{"before", "", "before"}, ""},
		{"emptied on purpose", blank(rowOf(1, note("")), assess.FieldNote), history(base), workbook.BlanksClear, workbook.Taken, [3]string{"before", "", "before"}, ""},
		{"emptied where it was emptied", blank(rowOf(1, note("")), assess.FieldNote), history(base, note("")), 0, workbook.Same, [3]string{"before", "before", ""}, ""},
		{"from nothing, to nothing", rowOf(0, note("mine")), history(), 0, workbook.Taken, [3]string{"", "mine", ""}, "mine"},
		{"from nothing, to something", rowOf(0, note("mine")), history(base), 0, workbook.Conflict, [3]string{"", "mine", "before"}, "before"},
		{"from a revision that never was", rowOf(9, note("mine")), history(base), 0, workbook.Refused, [3]string{"", "mine", "before"}, ""},
		{"a conflict beside what is taken", rowOf(1, changed(func(e *assess.Entry) { e.Note, e.Assignee = "mine", "Tarn" })), history(base, note("theirs")), 0, workbook.Conflict, [3]string{"before", "mine", "theirs"}, "theirs"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := workbook.Merge([]workbook.Row{row.row}, row.source, row.blanks)
			c := stateOf(t, r, assess.FieldNote)
			equal(t, c.State, row.state)
			equal(t, [3]string{c.Base, c.Mine, c.Theirs}, row.cell)
			if (c.Why != "") != (row.state == workbook.Refused) {
				t.Errorf("why: %q", c.Why)
			}
			changes := row.state == workbook.Taken || row.state == workbook.Conflict
			if len(r.Changes) > 0 != changes {
				t.Fatalf("changes %v", r.Changes)
			}
			if changes {
				equal(t, r.Changes[0].Entry.Note, row.saved)
			}
		})
	}
	t.Run("a column that is not there", func(t *testing.T) {
		t.Parallel()
		r := workbook.Merge([]workbook.Row{absent(rowOf(1, note("")), assess.FieldNote)}, history(base), workbook.BlanksClear)
		equal(t, len(r.Changes), 0)
		equal(t, len(r.Cells), (len(assess.Fields())-1)-1)
	})
}

func TestMergeOfCarriedLevels(t *testing.T) {
	t.Parallel()
	carried := assess.Entry{Level: framework.Level2, Carried: true}
	rows := []struct {
		name string
		row  workbook.Row
		want assess.Entry // what is saved; the zero entry if nothing is
	}{
		{"left alone", rowOf(1, carried), assess.Entry{}},
		{"confirmed", rowOf(1, assess.Entry{Level: framework.Level2}), assess.Entry{Level: framework.Level2}},
		{"another level", rowOf(1, assess.Entry{Level: framework.Level3, Carried: true}), assess.Entry{Level: framework.Level3}},
		{"the column is not there", workbook.Row{Key: outcome, Base: 1, Entry: assess.Entry{Level: framework.Level2}}, assess.Entry{}},
		{"the column is not there, another level", workbook.Row{Key: outcome, Base: 1, Entry: assess.Entry{Level: framework.Level3}}, assess.Entry{Level: framework.Level3}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := workbook.Merge([]workbook.Row{row.row}, history(carried), workbook.BlanksKeep)
			var got assess.Entry
			if len(r.Changes) > 0 {
				got = r.Changes[0].Entry
			}
			equal(t, got, row.want)
		})
	}
}

func TestMergeRefusals(t *testing.T) {
	t.Parallel()
	source := history(assess.Entry{Level: framework.Level1})
	source.Refused = func(workbook.Key) string { return "the survey is sealed" }
	source.All = []workbook.Key{outcome, {Survey: "2027/sample", Outcome: "A1.2"}}
	r := workbook.Merge([]workbook.Row{rowOf(1, full())}, source, workbook.BlanksKeep)
	equal(t, r.Count(workbook.Refused), (len(assess.Fields()) - 1))
	equal(t, len(r.Changes), 0)
	equal(t, r.Absent, []workbook.Key{{Survey: "2027/sample", Outcome: "A1.2"}})
	equal(t, stateOf(t, r, assess.FieldLevel).Why, "the survey is sealed")
}

// TestMergeLosesNothing: what is there is changed only by what the file changed,
// what the file changed is saved or in conflict, and each cell has one state.
func TestMergeLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		entries := []assess.Entry{drawEntry(rt), drawEntry(rt), drawEntry(rt)}
		mix := func(name string) assess.Entry { // a mixture, so that fields agree now and then
			e := entries[0]
			for _, f := range assess.Fields() {
				e = assess.Take(e, entries[rapid.IntRange(0, 2).Draw(rt, name)], f)
			}
			return e
		}
		base, mine, now := mix("base"), mix("mine"), mix("now")
		row := rowOf(1, mine)
		for _, f := range assess.Fields() {
			zero := workbook.Value(f, mine) == workbook.Value(f, assess.Entry{}) && f != assess.FieldFlagged && f != assess.FieldLevel
			if zero {
				row.Blank = append(row.Blank, f)
			}
		}
		r := workbook.Merge([]workbook.Row{row}, history(base, now), workbook.BlanksKeep)
		if len(r.Cells) != (len(assess.Fields()) - 1) {
			rt.Fatalf("%d cells", len(r.Cells))
		}
		saved := now
		if len(r.Changes) > 0 {
			saved = r.Changes[0].Entry
		}
		for _, c := range r.Cells {
			is, was := workbook.Value(c.Field, saved), workbook.Value(c.Field, now)
			if (c.State == workbook.Taken) != (is != was) {
				rt.Errorf("%s: %s, from %q to %q", c.Field, c.State, was, is)
			}
			if c.State == workbook.Conflict && (c.Mine == c.Theirs || c.Base == c.Theirs || c.Base == c.Mine) {
				rt.Errorf("%s: no conflict: %q, %q, %q", c.Field, c.Base, c.Mine, c.Theirs)
			}
			if c.State == workbook.Same && c.Mine != c.Base && c.Mine != c.Theirs {
				rt.Errorf("%s: a change in the file is lost: %q, %q, %q", c.Field, c.Base, c.Mine, c.Theirs)
			}
		}
		if err := saved.Check(); err != nil {
			rt.Error(err)
		}
	})
}

func TestReportAsTextAndJSON(t *testing.T) {
	t.Parallel()
	base := assess.Entry{Level: framework.Level1, Note: "before", Reason: "r"}
	now := base
	now.Note = "theirs"
	mine := base
	mine.Note, mine.Level, mine.Reason = "mine\nof two lines", framework.Level2, ""
	row := rowOf(1, mine)
	row.Blank = []assess.Field{assess.FieldReason}
	row.Cells = map[assess.Field]string{assess.FieldNote: "sample 2027!P10", assess.FieldLevel: "sample 2027!K10", assess.FieldReason: "sample 2027!L10"}
	source := history(base, now)
	source.All = []workbook.Key{outcome, {Survey: "2027/sample", Outcome: "A1.2"}}
	r := workbook.Merge([]workbook.Row{row}, source, workbook.BlanksKeep)

	var out bytes.Buffer
	must(t, r.WriteText(&out))
	equal(t, out.String(), `taken     1
same      5
kept      1
conflict  1
refused   0
absent    1 without a row in the file

conflict 2027/sample/A1.1 note (sample 2027!P10)
  base    before
  mine    mine ⏎ of two lines
  theirs  theirs

taken 2027/sample/A1.1 level (sample 2027!K10)
  from    1
  to      2

kept 2027/sample/A1.1 reason (sample 2027!L10)
  from    r
`)
	out.Reset()
	must(t, r.WriteJSON(&out))
	var got struct {
		Format string
		Counts map[string]int
		Cells  []map[string]string
		Absent []map[string]string
	}
	must(t, json.Unmarshal(out.Bytes(), &got))
	equal(t, got.Format, "muster-merge/1")
	equal(t, got.Counts, map[string]int{"taken": 1, "same": 5, "kept": 1, "conflict": 1, "refused": 0})
	i := slices.IndexFunc(got.Cells, func(c map[string]string) bool { return c["state"] == "conflict" })
	equal(t, got.Cells[i], map[string]string{
		"survey": "2027/sample", "outcome": "A1.1", "field": "note", "place": "sample 2027!P10", "state": "conflict",
		"base": "before", "mine": "mine\nof two lines", "theirs": "theirs",
	})
	equal(t, got.Absent, []map[string]string{{"survey": "2027/sample", "outcome": "A1.2"}})
}
