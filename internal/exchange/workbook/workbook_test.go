package workbook_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/packs"
)

func equal[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// core is the pack muster-core.
func core(t testing.TB) *framework.Pack {
	t.Helper()
	pack, err := framework.Find(packs.FS(), "muster-core")
	if err != nil {
		t.Fatal(err)
	}
	return pack
}

// small returns a pack with n outcomes, A1.1 and so on, in English and French.
func small(n int) *framework.Pack {
	both := func(en, fr string) framework.Text { return framework.Text{"en": en, "fr": fr} }
	pack := &framework.Pack{
		ID: "sample", Version: "1.0.0", Marking: "TLP:CLEAR", Languages: []string{"en", "fr"},
		Title: both("A sample", "Un exemple"),
		Scale: framework.Scale{HouseRule: both("Not sure: the lower.", "En cas de doute : le niveau inférieur.")},
		Areas: []framework.Area{{ID: "A1", Title: both("Area", "Domaine")}},
	}
	for level := range pack.Scale.Levels {
		pack.Scale.Levels[level] = both(fmt.Sprintf("level %d", level), fmt.Sprintf("niveau %d", level))
	}
	for i := range n {
		o := framework.Outcome{
			ID: fmt.Sprintf("A1.%d", i+1), Title: both("=Title", "Titre"), Question: both("Is it so?\nReally?", "Est-ce ainsi ?"),
		}
		for level := range o.Descriptors {
			o.Descriptors[level] = both(fmt.Sprintf("It is %d.", level), fmt.Sprintf("C’est %d.", level))
		}
		pack.Areas[0].Outcomes = append(pack.Areas[0].Outcomes, o)
	}
	return pack
}

// book returns a book of one survey of the pack.
func book(pack *framework.Pack, saved map[string]workbook.Saved) workbook.Book {
	return workbook.Book{
		Member:  "Ostmere",
		Surveys: []workbook.Survey{{Cycle: "2027", Pack: pack, Saved: saved}},
	}
}

// full is an entry with something in every field.
func full() assess.Entry {
	return assess.Entry{
		Level: framework.Level3, Reason: "Because.\nTwo lines.", Target: framework.Level4, TargetDate: "2028-02-29",
		Evidence: framework.E2, Note: "=1+1", Assignee: "Ilva Tarn", Flagged: true, Carried: true,
	}
}

func write(t testing.TB, b workbook.Book) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := workbook.Write(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func writeCSV(t testing.TB, b workbook.Book) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := workbook.WriteCSV(&out, b, workbook.CSVStyle{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read reads a file against the surveys of a book.
func read(data []byte, b workbook.Book) (*workbook.Import, error) {
	var bound workbook.Bound
	if b.Body != nil {
		bound.Only = b.Body.ID
	}
	return workbook.Read(bytes.NewReader(data), int64(len(data)), workbook.Config{
		Name: "answers.xlsx", Password: b.Password, Member: b.Member, Surveys: b.Surveys, Bound: bound,
	})
}

func mustRead(t testing.TB, data []byte, b workbook.Book) *workbook.Import {
	t.Helper()
	got, err := read(data, b)
	if err != nil {
		for _, fault := range errs.Describe(err).Faults {
			t.Log(fault)
		}
		t.Fatal(err)
	}
	return got
}

// saved returns what an import says as it would be saved.
func saved(got *workbook.Import) map[string]workbook.Saved {
	all := make(map[string]workbook.Saved)
	for _, row := range got.Rows {
		all[row.Key.String()] = workbook.Saved{Entry: row.Entry, Revision: row.Base}
	}
	return all
}

// wanted returns what should come back of a book: every outcome that it shows.
func wanted(b workbook.Book) map[string]workbook.Saved {
	all := make(map[string]workbook.Saved)
	for _, s := range b.Surveys {
		ids := s.Outcomes
		if ids == nil {
			for _, o := range s.Pack.Outcomes() {
				ids = append(ids, o.ID)
			}
		}
		for _, id := range ids {
			key := workbook.Key{Survey: s.ID(), Outcome: id}
			if b.Body != nil {
				key.Body = b.Body.ID
			}
			all[key.String()] = s.Saved[id]
		}
	}
	return all
}

// faultsOf returns the faults of an error, or fails.
func faultsOf(t testing.TB, err error) []string {
	t.Helper()
	var faults errs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	var texts []string
	for _, fault := range faults {
		texts = append(texts, fault.String())
	}
	return texts
}

func TestWorkbookComesBack(t *testing.T) {
	t.Parallel()
	pack := core(t)
	for _, langs := range [][]string{nil, {"en"}, {"fr"}, {"fr", "en"}} {
		t.Run(strings.Join(langs, " "), func(t *testing.T) {
			t.Parallel()
			b := book(pack, map[string]workbook.Saved{
				"A1.1": {Entry: full(), Revision: 7},
				"A1.2": {Entry: assess.Entry{Level: framework.NotApplicable, Reason: "'twas"}, Revision: 1},
				"A2.1": {Entry: assess.Entry{Level: framework.Withheld}, Revision: 12},
			})
			b.Languages = langs
			b.Needs = []workbook.Need{{What: "Power", Supplier: "Norrgrid", Hours: 4, Known: true}, {What: "Pilots", Note: "@home"}}
			got := mustRead(t, write(t, b), b)
			equal(t, saved(got), wanted(b))
			equal(t, got.Needs, b.Needs)
			equal(t, got.Member, "Ostmere")
			equal(t, got.Ignored, nil)
			got.Needs, b.Needs = nil, nil
			equal(t, saved(mustRead(t, writeCSV(t, b), b)), wanted(b))
		})
	}
}

// drawText draws a text that an entry may hold, and often one that has a meaning
// to a spreadsheet.
func drawText(t *rapid.T, name string, most int, line bool) string {
	parts := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{
			"=", "+", "-", "@", "'", `"`, ",", ";", "\n", "\n\n", " ", "  ", "_x000D_", "_x005F_", "_x005F_x000D_", "_xD800_", "_xD83D__xDE00_",
			"_x000d_", "_x0041_x0042_", "_", "_x", "_x00", "😀", "é", "e\u0301", "\u00a0", "\u2009", "＝", "−", "<a>&amp;", "]]>", "#REF!", "TRUE", "3", "2027-06-30", "{=1}", "\uFFFD", "=cmd|' /C calc'!A0",
		}),
		rapid.StringN(0, 12, 40),
	), 0, 8).Draw(t, name)
	s := strings.Join(parts, "")
	s = strings.Map(func(r rune) rune {
		if !framework.Readable(string(r)) || line && r == '\n' {
			return -1
		}
		return r
	}, s)
	if len(s) > most {
		s = ""
	}
	return s
}

func drawEntry(t *rapid.T) assess.Entry {
	return assess.Entry{
		Level:      rapid.SampledFrom(append(assess.Levels(), framework.None)).Draw(t, "level"),
		Reason:     drawText(t, "reason", assess.MaxReason, false),
		Target:     rapid.SampledFrom(assess.Targets()).Draw(t, "target"),
		TargetDate: rapid.SampledFrom([]string{"", "2000-01-01", "2027-06-30", "2028-02-29", "2199-12-31"}).Draw(t, "date"),
		Evidence:   rapid.SampledFrom(assess.Grades()).Draw(t, "evidence"),
		Note:       drawText(t, "note", assess.MaxNote, false),
		Assignee:   drawText(t, "assignee", assess.MaxAssignee, true),
		Flagged:    rapid.Bool().Draw(t, "flagged"),
		Carried:    rapid.Bool().Draw(t, "carried"),
	}
}

func drawSaved(t *rapid.T, pack *framework.Pack) map[string]workbook.Saved {
	all := make(map[string]workbook.Saved)
	for _, o := range pack.Outcomes() {
		if rapid.IntRange(0, 4).Draw(t, "touched") > 0 {
			all[o.ID] = workbook.Saved{Entry: drawEntry(t), Revision: rapid.Int64Range(0, 1<<53).Draw(t, "revision")}
		}
	}
	return all
}

// TestRoundTrip: whatever an entry may hold comes back, from either kind of file.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	pack := small(2)
	rapid.Check(t, func(rt *rapid.T) {
		b := book(pack, drawSaved(rt, pack))
		b.Languages = rapid.SampledFrom([][]string{nil, {"fr"}, {"en", "fr"}}).Draw(rt, "languages")
		var out bytes.Buffer
		if err := workbook.Write(&out, b); err != nil {
			rt.Fatal(err)
		}
		var csv bytes.Buffer
		if err := workbook.WriteCSV(&csv, b, workbook.CSVStyle{Mark: rapid.Bool().Draw(rt, "mark")}); err != nil {
			rt.Fatal(err)
		}
		for kind, data := range map[string][]byte{"workbook": out.Bytes(), "CSV": csv.Bytes()} {
			got, err := read(data, b)
			if err != nil {
				rt.Fatalf("%s: %v", kind, err)
			}
			if diff := cmp.Diff(wanted(b), saved(got)); diff != "" {
				rt.Errorf("%s: want -, got +:\n%s", kind, diff)
			}
		}
	})
}

func TestSameBytes(t *testing.T) {
	t.Parallel()
	b := book(small(4), map[string]workbook.Saved{"A1.1": {Entry: full(), Revision: 3}})
	if !bytes.Equal(write(t, b), write(t, b)) {
		t.Error("the same book gives different bytes")
	}
}

// TestLongest writes the longest texts that an entry may hold, of the characters
// that take most room.
func TestLongest(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"plain": "x", "line ends": "\n", "escapes": "_x000D_", "formula": "=", "quotes": `"`, "ampersands": "&", "pairs": "😀"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := book(small(1), map[string]workbook.Saved{"A1.1": {Revision: 1, Entry: assess.Entry{
				Note: strings.Repeat(unit, assess.MaxNote/len(unit)), Reason: strings.Repeat(unit, assess.MaxReason/len(unit)),
			}}})
			equal(t, saved(mustRead(t, write(t, b), b)), wanted(b))
			equal(t, saved(mustRead(t, writeCSV(t, b), b)), wanted(b))
		})
	}
}
