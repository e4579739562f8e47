package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/intake"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// bodied is a workspace with two bodies, of which economy is asked for area A1.
type bodied struct {
	*workspacetest.Workspace
	id   workspace.SurveyID
	pack *framework.Pack
}

func newBodied(t *testing.T) bodied {
	t.Helper()
	w := workspacetest.New(t)
	pack := workspacetest.Pack(t, 12, "kept")
	b := bodied{w, w.Load(t, pack), pack}
	for _, id := range []string{"economy", "grid"} {
		if _, err := w.PutBody(t.Context(), w.Lead, 0, assess.Body{ID: id, Name: "The " + id}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.PutSection(t.Context(), w.Lead, b.id, 0, workspace.Section{ID: "first", Title: "First", Areas: []string{"A1"}, Bodies: []string{"economy"}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// workbookOf returns a body's workbook, with the ids changed by name.
func (b bodied) workbookOf(t *testing.T, body string, ids map[string]string) []byte {
	t.Helper()
	asked, err := b.Asked(t.Context(), b.Lead, b.id)
	if err != nil {
		t.Fatal(err)
	}
	book := workbook.Book{
		Member: string(workspacetest.Member), Body: &assess.Body{ID: body, Name: body},
		Surveys: []workbook.Survey{{Cycle: workspacetest.Cycle, Pack: b.pack, Outcomes: asked[body]}},
	}
	var out bytes.Buffer
	if err := workbook.Write(&out, book); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		level := -1
		for i, cells := range rows {
			if level < 0 {
				level = slices.Index(cells, "level")
			}
			for j, text := range cells {
				to, ok := ids[strings.TrimPrefix(text, string(b.id)+"/")]
				if !ok {
					continue
				}
				id, _ := excelize.CoordinatesToCellName(j+1, i+1)
				typed, _ := excelize.CoordinatesToCellName(level+1, i+1)
				if err := errors.Join(f.SetCellValue(sheet, id, string(b.id)+"/"+to), f.SetCellValue(sheet, typed, 4)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var edited bytes.Buffer
	if err := f.Write(&edited); err != nil {
		t.Fatal(err)
	}
	return edited.Bytes()
}

func (b bodied) take(t *testing.T, data []byte, c intake.Config) (*intake.Result, error) {
	t.Helper()
	if c.Service == nil {
		c.Service = b.Service
	}
	if c.Person.Name == "" {
		c.Person = b.Lead
	}
	c.Name = "back"
	return intake.Take(t.Context(), c, bytes.NewReader(data), int64(len(data)))
}

// state is everything that a file could have written.
func (b bodied) state(t *testing.T) any {
	t.Helper()
	entries, err := b.Entries(t.Context(), b.Lead, b.id)
	if err != nil {
		t.Fatal(err)
	}
	contributions, err := b.Contributions(t.Context(), b.Lead, b.id, "")
	if err != nil {
		t.Fatal(err)
	}
	needs, err := b.Needs(t.Context(), b.Lead)
	if err != nil {
		t.Fatal(err)
	}
	return []any{entries, contributions, needs}
}

// TestBodyFileWritesNothingElse: one row that a body's file may not have, and none of
// its rows is saved.
func TestBodyFileWritesNothingElse(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	csv := func(ids ...string) []byte {
		text := "id,level\n"
		for _, id := range ids {
			text += string(b.id) + "/" + id + ",4\n"
		}
		return []byte(text)
	}
	rows := []struct {
		name string
		data []byte
		body string
		want string // of the fault; empty: it is saved
	}{
		{"workbook: the member's answer", b.workbookOf(t, "economy", map[string]string{"A1.1@economy": "A1.1@economy", "A1.2@economy": "A2.4"}), "", "the row is of the member as a whole"},
		{"workbook: another body's", b.workbookOf(t, "economy", map[string]string{"A1.1@economy": "A1.1@economy", "A1.2@economy": "A1.2@grid"}), "", `the row is of the body "grid"`},
		{"workbook: outside of its sections", b.workbookOf(t, "economy", map[string]string{"A1.1@economy": "A1.1@economy", "A1.2@economy": "A2.2@economy"}), "", "outcome A2.2 is in no section"},
		{"CSV: the member's answer", csv("A1.1@economy", "A2.4"), "economy", "back:3:1: id: the row is of the member as a whole"},
		{"CSV: another body's", csv("A1.1@economy", "A1.2@grid"), "economy", `back:3:1: id: the row is of the body "grid"`},
		{"CSV: outside of its sections", csv("A1.1@economy", "A2.2@economy"), "economy", "back:3:1: id: outcome A2.2 is in no section"},
		{"CSV: whose it is nobody said", csv("A1.1", "A1.1@economy"), "", "the file is of none"},
	}
	before := b.state(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := b.take(t, row.data, intake.Config{Body: row.body})
			if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if diff := cmp.Diff(before, b.state(t)); diff != "" {
				t.Errorf("something was saved: -before, +after:\n%s", diff)
			}
		})
	}
	result, err := b.take(t, b.workbookOf(t, "economy", map[string]string{"A1.1@economy": "A1.1@economy"}), intake.Config{})
	if err != nil || result.Saved != 1 || result.Body != "economy" {
		t.Errorf("its own row: got %+v, %v", result, err)
	}
	if cmp.Equal(before, b.state(t)) {
		t.Error("its own row was not saved")
	}
}

// TestContributorTakesHerFile: a contributor takes the file of a body of hers, which is
// merged with what it has by now, and no other.
func TestContributorTakesHerFile(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	she := workspace.Person{Name: "Nor Ek", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: []string{"economy"}}
	was, err := b.Contribute(t.Context(), b.Lead, b.id, "A1.2", 0, assess.Contribution{Body: "economy", Level: framework.Level1})
	if err != nil {
		t.Fatal(err)
	}
	rev := func(outcome string, rev workspace.Revision, level string) []byte {
		return fmt.Appendf(nil, "id,revision,level\n%s/%s,%d,%s\n", b.id, outcome, rev, level)
	}
	rows := []struct {
		name string
		data []byte
		body string
		kind errs.Kind
		want string
	}{
		{"nobody says whose", rev("A1.1@economy", 0, "2"), "", errs.Denied, "see all answers"},
		{"another body's", rev("A1.1@grid", 0, "2"), "grid", errs.NotFound, `no body "grid", or it is not yours`},
		{"another body's row", rev("A1.1@grid", 0, "2"), "economy", errs.Invalid, "grid"},
		{"the member's row", rev("A1.1", 0, "2"), "economy", errs.Invalid, "of the member as a whole"},
		{"of no section of hers", rev("A2.1@economy", 0, "2"), "economy", errs.Invalid, "A2.1"},
	}
	before := b.state(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := b.take(t, row.data, intake.Config{Person: she, Body: row.body})
			if errs.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if diff := cmp.Diff(before, b.state(t)); diff != "" {
		t.Errorf("something was saved: -before, +after:\n%s", diff)
	}
	for _, row := range []struct {
		data  []byte
		saved int
	}{{rev("A1.1@economy", 0, "2"), 1}, {rev("A1.2@economy", was.Rev, "3"), 1}, {rev("A1.2@economy", was.Rev, "4"), 0}} {
		result, err := b.take(t, row.data, intake.Config{Person: she, Body: "economy"})
		if err != nil || result.Saved != row.saved || result.Held != 1-row.saved {
			t.Errorf("%s: got %+v, %v", row.data, result, err)
		}
	}
	given, err := b.Contributions(t.Context(), b.Lead, b.id, "A1.2")
	if err != nil || len(given) != 1 || given[0].Level != framework.Level3 || given[0].By != "Nor Ek" {
		t.Errorf("got %+v, %v", given, err)
	}
}

// failing is a store in which the nth record that a transaction keeps fails.
type failing struct {
	workspace.Store
	at int
}

var errDisk = errors.New("the disk is full")

func (f failing) InTx(ctx context.Context, name string, fn func(workspace.Tx) error) error {
	return f.Store.InTx(ctx, name, func(tx workspace.Tx) error {
		left := f.at
		return fn(failingTx{tx, &left})
	})
}

type failingTx struct {
	workspace.Tx
	left *int
}

func (f failingTx) Put(record workspace.Record, base workspace.Revision) (workspace.Revision, error) {
	if *f.left--; *f.left == 0 {
		return 0, errDisk
	}
	return f.Tx.Put(record, base)
}

// TestFileIsOneTransaction: a file with entries of two surveys, contributions and the
// form fails at each of its records in turn, and nothing of it is ever there; after
// that it is saved as a whole.
func TestFileIsOneTransaction(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	second, err := b.Service.Load(t.Context(), b.Lead, workspace.LoadConfig{Pack: b.pack, Cycle: "2032"})
	if err != nil {
		t.Fatal(err)
	}
	text := "id,level\n" + string(b.id) + "/A1.1,2\n" + string(b.id) + "/A1.2@economy,3\n" + string(second.ID) + "/A1.1,1\n" + string(b.id) + "/A1.3@grid,0\n"
	answer := map[string]workbook.Saved{"A1.1": {Entry: assess.Entry{Level: framework.Level2}}}
	var book bytes.Buffer
	if err := workbook.Write(&book, workbook.Book{
		Member: string(workspacetest.Member), Needs: []workbook.Need{{What: "Power"}},
		Surveys: []workbook.Survey{{Cycle: workspacetest.Cycle, Pack: b.pack, Saved: answer}, {Cycle: "2032", Pack: b.pack, Saved: answer}},
	}); err != nil {
		t.Fatal(err)
	}
	b.whole(t, book.Bytes(), 5, 2) // and of each survey that the file came
	b.whole(t, []byte(strings.ReplaceAll(text, "A1.1,", "A1.5,")), 4, 4)
}

// whole takes a file that makes so many records, of which so many are rows.
func (b bodied) whole(t *testing.T, data []byte, records, rows int) {
	t.Helper()
	before := b.state(t)
	for at := 1; at <= records; at++ {
		broken := workspace.New(workspace.Config{Store: failing{b.DB, at}, Now: workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))})
		if _, err := b.take(t, data, intake.Config{Service: broken, Several: true}); !errors.Is(err, errDisk) {
			t.Fatalf("record %d: got %v", at, err)
		}
		if diff := cmp.Diff(before, b.state(t)); diff != "" {
			t.Fatalf("record %d: something of it is there: -before, +after:\n%s", at, diff)
		}
	}
	whole := workspace.New(workspace.Config{Store: failing{b.DB, records + 1}, Now: workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))})
	result, err := b.take(t, data, intake.Config{Service: whole, Several: true})
	if err != nil || result.Saved != rows || cmp.Equal(before, b.state(t)) {
		t.Errorf("got %+v, %v", result, err)
	}
}

// TestSavedMeanwhile: what somebody saves between the look and the save is a conflict,
// and stays.
func TestSavedMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	faster := meanwhileStore{b.DB, func() {
		if _, _, err := b.Save(t.Context(), workspace.Lead("Ebba Ros"), b.id, "A1.1", 0, assess.Entry{Level: framework.Level1}); err != nil {
			t.Error(err)
		}
		if _, err := b.Contribute(t.Context(), workspace.Lead("Ebba Ros"), b.id, "A1.2", 0, assess.Contribution{Body: "economy", Level: framework.Level1}); err != nil {
			t.Error(err)
		}
	}}
	service := workspace.New(workspace.Config{Store: faster, Now: workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))})
	text := "id,level\n" + string(b.id) + "/A1.1,2\n" + string(b.id) + "/A1.2@economy,3\n" + string(b.id) + "/A1.3,4\n"
	result, err := b.take(t, []byte(text), intake.Config{Service: service, Several: true})
	if err != nil {
		t.Fatal(err)
	}
	if result.Saved != 1 || result.Held != 2 || result.Report.Count(workbook.Conflict) != 2 {
		t.Errorf("got %d saved, %d held, %d cells in conflict", result.Saved, result.Held, result.Report.Count(workbook.Conflict))
	}
	entry, err := b.Entry(t.Context(), b.Lead, b.id, "A1.1")
	if err != nil || entry.Entry.Level != framework.Level1 {
		t.Errorf("got %v, %v: what was saved meanwhile is gone", entry.Entry.Level, err)
	}
}

// TestWorkbookEvents: that a file came back stays with what became of it, also where
// somebody was faster than the save; a look at it leaves nothing.
func TestWorkbookEvents(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	text := []byte("id,level\n" + string(b.id) + "/A1.1@economy,2\n" + string(b.id) + "/A1.2@economy,3\n")
	if _, err := b.take(t, text, intake.Config{Body: "economy", DryRun: true}); err != nil {
		t.Fatal(err)
	}
	faster := meanwhileStore{b.DB, func() {
		if _, err := b.Contribute(t.Context(), workspace.Lead("Ebba Ros"), b.id, "A1.2", 0, assess.Contribution{Body: "economy", Level: framework.Level1}); err != nil {
			t.Error(err)
		}
	}}
	service := workspace.New(workspace.Config{Store: faster, Now: workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))})
	if _, err := b.take(t, text, intake.Config{Service: service, Body: "economy"}); err != nil {
		t.Fatal(err)
	}
	books, err := b.Workbooks(t.Context(), b.Lead, b.id)
	if err != nil {
		t.Fatal(err)
	}
	var got []workspace.Workbook
	for _, saved := range books["economy"] {
		got = append(got, saved.Workbook)
	}
	if diff := cmp.Diff([]workspace.Workbook{{Back: true, Asked: 2, Saved: 1, Held: 1}}, got); diff != "" || len(books) != 1 {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

// TestFormIsReported: a dry run says what a real one does, the form is merged with what
// the workspace has, and what is changed in between is a conflict that saves nothing.
func TestFormIsReported(t *testing.T) {
	t.Parallel()
	b := newBodied(t)
	customs := assess.Need{What: "Customs", Hours: 4, Known: true}
	saved, err := b.PutNeeds(t.Context(), b.Lead, "economy", 0, assess.Needs{Rows: []assess.Need{customs, {What: "Power"}}})
	if err != nil {
		t.Fatal(err)
	}
	form := func(revision int64, needs ...workbook.Need) []byte {
		t.Helper()
		var out bytes.Buffer
		book := workbook.Book{Member: string(workspacetest.Member), Body: &assess.Body{ID: "economy", Name: "x"}, Needs: append([]workbook.Need{}, needs...), NeedsRevision: revision}
		if err := workbook.Write(&out, book); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	changed := customs
	changed.Hours = 999
	data := form(int64(saved.Rev), changed) // and Power is gone
	dry, err := b.take(t, data, intake.Config{DryRun: true})
	if err != nil || dry.Form != intake.FormSaved {
		t.Fatalf("%+v, %v", dry, err)
	}
	if now, err := b.Needs(t.Context(), b.Lead); err != nil || now["economy"].Rev != saved.Rev {
		t.Fatalf("a dry run has saved: %+v, %v", now, err)
	}
	real, err := b.take(t, data, intake.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dry.Report.Form, real.Report.Form); diff != "" {
		t.Errorf("a dry run says otherwise:\n%s", diff)
	}
	if real.Report.Count(workbook.Taken) != 1 || real.Report.Count(workbook.Kept) != 2 {
		t.Errorf("report: %+v", real.Report.Form)
	}
	now, err := b.Needs(t.Context(), b.Lead)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]assess.Need{changed, {What: "Power"}}, now["economy"].Needs.Rows); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	// The file of before is in conflict with what is there by now, also in a dry run.
	older := customs
	older.Hours = 1
	for _, run := range []bool{true, false} {
		result, err := b.take(t, form(int64(saved.Rev), older, workbook.Need{What: "Power"}), intake.Config{DryRun: run})
		if err != nil || result.Report.Count(workbook.Conflict) != 1 || result.Form != intake.FormSame {
			t.Errorf("dry run %v: %+v, %v", run, result, err)
		}
	}
	if result, err := b.take(t, form(12345, older), intake.Config{}); err != nil || result.Report.Count(workbook.Refused) != 5 {
		t.Errorf("of another workspace: %+v, %v", result, err)
	}
	if result, err := b.take(t, form(int64(now["economy"].Rev)), intake.Config{Blanks: workbook.BlanksClear}); err != nil || result.Form != intake.FormSaved || result.Report.Count(workbook.Taken) != 4 {
		t.Errorf("emptied: %+v, %v", result, err)
	}
	if now, err = b.Needs(t.Context(), b.Lead); err != nil || now["economy"].Needs.Said() {
		t.Fatalf("emptied: %+v, %v", now, err)
	}
	service := workspace.New(workspace.Config{Store: meanwhileStore{b.DB, func() {
		if _, err := b.PutNeeds(t.Context(), b.Lead, "economy", now["economy"].Rev, assess.Needs{Rows: []assess.Need{{What: "Ice"}}}); err != nil {
			t.Error(err)
		}
	}}, Now: workspacetest.Clock(time.Date(2031, 3, 2, 9, 0, 0, 0, time.UTC))})
	result, err := b.take(t, form(0, workbook.Need{What: "Tugs"}), intake.Config{Service: service})
	if err != nil {
		t.Fatal(err)
	}
	if result.Form == intake.FormSaved || result.Report.Count(workbook.Conflict) != 1 || result.Report.Count(workbook.Taken) != 0 {
		t.Errorf("changed meanwhile: %+v", result)
	}
	if now, err = b.Needs(t.Context(), b.Lead); err != nil || len(now["economy"].Needs.Rows) != 1 || now["economy"].Needs.Rows[0].What != "Ice" {
		t.Errorf("what was saved meanwhile is gone: %+v, %v", now, err)
	}
}

// meanwhileStore does something before its first transaction that writes.
type meanwhileStore struct {
	workspace.Store
	first func()
}

func (m meanwhileStore) InTx(ctx context.Context, name string, fn func(workspace.Tx) error) error {
	m.first()
	return m.Store.InTx(ctx, name, fn)
}
