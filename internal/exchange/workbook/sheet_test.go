package workbook_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
)

// partsOf returns the files inside of a workbook.
func partsOf(t testing.TB, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	parts := make(map[string]string)
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		parts[f.Name] = string(text)
	}
	return parts
}

// TestSheetsAreForPeople looks at what guides a person: as it was written, and as
// LibreOffice saved it.
func TestSheetsAreForPeople(t *testing.T) {
	t.Parallel()
	resaved, err := os.ReadFile(keptResaved)
	must(t, err)
	for name, data := range map[string][]byte{"written": write(t, awkward()), "resaved": resaved} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := excelize.OpenReader(bytes.NewReader(data))
			must(t, err)
			defer f.Close()
			equal(t, f.GetSheetList(), []string{"muster", sheetName, "Dépendances", "_muster"})
			visible, err := f.GetSheetVisible("_muster")
			must(t, err)
			equal(t, visible, false)

			ids := cellOf(t, f, "id", "")
			row := strings.TrimLeft(ids, "A")
			shown, err := f.GetColVisible(sheetName, "A")
			must(t, err)
			equal(t, shown, false)
			panes, err := f.GetPanes(sheetName)
			must(t, err)
			// LibreOffice keeps what is frozen only where there is a window.
			if name == "written" && (!panes.Freeze || panes.XSplit != 5) { // id, revision, outcome, two titles
				t.Errorf("%d columns stay in sight", panes.XSplit)
			}

			lists := 0
			validations, err := f.GetDataValidations(sheetName)
			must(t, err)
			for _, v := range validations {
				if v.Type == "list" && strings.Contains(v.Formula1, "_muster") {
					lists++
				}
			}
			equal(t, lists, 5) // level, target, evidence, flagged, carried

			for id, locked := range map[string]bool{"level": false, "note": false, "target_date": false, "carried": false, "title.fr": true, "question.en": true} {
				cell := cellOf(t, f, id, "")
				below := strings.TrimSuffix(cell, row) + nextRow("A"+nextRow(cell))
				style, err := f.GetCellStyle(sheetName, below)
				must(t, err)
				s, err := f.GetStyle(style)
				must(t, err)
				if got := s.Protection == nil || s.Protection.Locked; got != locked {
					t.Errorf("%s at %s: locked is %v", id, below, got)
				}
			}
		})
	}
}

// TestNothingIsAFormula: texts that look like formulas stand as strings, in a style
// that keeps them so when somebody edits them.
func TestNothingIsAFormula(t *testing.T) {
	t.Parallel()
	b := two()
	b.Surveys[0].Saved["A1.2"] = workbook.Saved{Entry: assess.Entry{Note: "@SUM(A1)", Reason: "-2+3", Assignee: "＝1"}}
	parts := partsOf(t, write(t, b))
	quoted := 0
	cells := regexp.MustCompile(`<c r="[A-Z]+\d+" s="(\d+)"( t="s")?><v>`)
	xfs := regexp.MustCompile(`<xf [^>]*>`).FindAllString(parts["xl/styles.xml"][strings.Index(parts["xl/styles.xml"], "<cellXfs"):], -1)
	for name, text := range parts {
		if !strings.HasPrefix(name, "xl/worksheets/") {
			continue
		}
		if strings.Contains(text, "<f>") || strings.Contains(text, "<f ") {
			t.Errorf("%s has a formula", name)
		}
		for _, m := range cells.FindAllStringSubmatch(text, -1) {
			var style int
			for _, digit := range m[1] {
				style = 10*style + int(digit-'0')
			}
			if strings.Contains(xfs[style], `quotePrefix="true"`) || strings.Contains(xfs[style], `quotePrefix="1"`) {
				quoted++
			}
		}
	}
	if quoted != 6 { // a note, a reason, a name, another note, and the titles =Title
		t.Errorf("%d cells are marked as text", quoted)
	}
}

// TestNothingOnDisk writes and reads where no temporary file can be made.
func TestNothingOnDisk(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for _, name := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(name, missing)
	}
	b := threeHundred(t)
	for id, s := range b.Surveys[0].Saved {
		s.Entry.Note = strings.Repeat(id+" ", 4000)[:assess.MaxNote-1]
		b.Surveys[0].Saved[id] = s
	}
	data := write(t, b)
	equal(t, saved(mustRead(t, data, b)), wanted(b))
	size := 0
	for _, text := range partsOf(t, data) {
		size += len(text)
	}
	if size < 3<<20 {
		t.Errorf("only %d bytes were unpacked", size)
	}
}
