package handout_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"muster/internal/edition"
	"muster/internal/edition/editiontest"
	"muster/internal/errs"
	"muster/internal/exchange/handout"
	"muster/internal/keys"
)

func document(t testing.TB, title string) *edition.Document {
	t.Helper()
	r, body := editiontest.Release(t, editiontest.Config{Coalition: "Hithe", Cycle: "2031", Roster: editiontest.Roster(editiontest.Members), Seed: 5})
	text := "tlp: TLP:AMBER\ntitle.en: " + title + "\ntitle.fr: B\n== en\n# Head\nText\n- one\n- two\n== fr\nC\n"
	made, err := edition.Make(edition.Config{Name: edition.Allied, Number: 1, Release: r, Digest: keys.Digest(body), Text: text})
	if err != nil || len(made.Faults) > 0 {
		t.Fatal(err, made.Faults)
	}
	return made.Document
}

func write(t testing.TB, f handout.Format, c handout.Copy) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := handout.Write(&b, f, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Workbook and CSV hold every band that the edition shows, once, and nothing that a
// spreadsheet would calculate.
func TestTables(t *testing.T) {
	t.Parallel()
	d := document(t, "=1+1 _x0041_")
	c := handout.Copy{Document: d, Lang: "en", For: "=HYPERLINK(\"x\")", Words: handout.Words{Says: "Says", Figures: "Figures"}}
	bands := 0
	for _, f := range d.Figures() {
		if f.Block.Shown() {
			bands += len(f.Block.Bands())
		}
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(write(t, handout.CSV, c)), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != bands+1 || bands < 20 {
		t.Fatalf("%d rows for %d bands, %v", len(rows), bands, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Fatalf("a formula: %q", cell)
			}
		}
	}
	file, err := excelize.OpenReader(bytes.NewReader(write(t, handout.XLSX, c)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := file.GetRows("Figures")
	if err != nil || len(got) != bands+1 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	if title, err := file.GetCellValue("Edition", "A3"); err != nil || title != d.Title["en"] {
		t.Errorf("the title is %q, %v", title, err)
	}
	for _, cell := range []string{"A2", "A3"} {
		if formula, err := file.GetCellFormula("Edition", cell); err != nil || formula != "" {
			t.Errorf("%s is a formula: %q, %v", cell, formula, err)
		}
	}
	if n, err := file.GetCellType("Figures", "N2"); err != nil || n != excelize.CellTypeUnset && n != excelize.CellTypeNumber {
		t.Errorf("a count is of type %v, %v", n, err)
	}
}

// A document is written in each language, and a format that there is not is none.
func TestDocument(t *testing.T) {
	t.Parallel()
	d := document(t, "A & <b>")
	for _, lang := range []string{"en", "fr"} {
		c := handout.Copy{Document: d, Lang: lang, For: "Ada", Words: handout.Words{Says: "S", Outcome: "O", Counted: "C", Members: "M", Figures: "F", Page: "p", Of: "o"}}
		if body := write(t, handout.DOCX, c); !bytes.HasPrefix(body, []byte("PK")) {
			t.Errorf("%s: %.10q", lang, body)
		}
	}
	if err := handout.Write(&bytes.Buffer{}, "exe", handout.Copy{Document: d}); errs.KindOf(err) != errs.NotFound {
		t.Error(err)
	}
}
