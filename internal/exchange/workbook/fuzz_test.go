package workbook_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
)

// reencodes checks that what a file says can be written, and says the same again:
// in a workbook and in CSV.
func reencodes(t *testing.T, data []byte) {
	b := two()
	got, err := read(data, b)
	if err != nil {
		if got != nil {
			t.Error("an import beside an error")
		}
		if kind := errs.KindOf(err); kind != errs.Invalid && kind != errs.Denied {
			t.Errorf("the error is %s: %v", kind, err)
		}
		return
	}
	bodies := make(map[string]map[string]workbook.Saved)
	for _, row := range got.Rows {
		if bodies[row.Key.Body] == nil {
			bodies[row.Key.Body] = make(map[string]workbook.Saved)
		}
		bodies[row.Key.Body][row.Key.Outcome] = workbook.Saved{Entry: row.Entry, Revision: row.Base}
	}
	for id, entries := range bodies {
		again := book(b.Surveys[0].Pack, entries)
		if id != "" {
			again.Body = &assess.Body{ID: id, Name: "Body"}
		}
		for _, data := range [][]byte{write(t, again), writeCSV(t, again)} {
			if diff := cmp.Diff(wanted(again), saved(mustRead(t, data, again))); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		}
	}
	if got.Needs != nil {
		again := workbook.Book{Member: "Ostmere", Needs: got.Needs}
		for _, data := range [][]byte{write(t, again), writeCSV(t, again)} {
			if diff := cmp.Diff(got.Needs, mustRead(t, data, again).Needs); diff != "" {
				t.Errorf("the form: want -, got +:\n%s", diff)
			}
		}
	}
}

// FuzzFile mutates whole files: CSV, workbooks, encrypted workbooks.
func FuzzFile(f *testing.F) {
	b := two()
	f.Add(writeCSV(f, b))
	f.Add(write(f, b))
	b.Needs = []workbook.Need{{What: "Power", Hours: 4, Known: true}}
	f.Add(write(f, b))
	b.Surveys = nil
	f.Add(writeCSV(f, b))
	f.Add([]byte("id;revision;level;note\n2027/sample/A1.1@port;7;3;\"a, \"\"b\"\"\nc\"\n"))
	f.Add(compound("EncryptionInfo", "\x03\x00\x02\x00", "EncryptedPackage", ""))
	for _, name := range []string{keptResaved, keptSorted, keptPassword} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(reencodes)
}

// FuzzSheet mutates the sheet and the strings of a workbook, which lie compressed in
// a whole file.
func FuzzSheet(f *testing.F) {
	for _, data := range [][]byte{write(f, two()), zipOf(f, around(part{head: sheetHead, tail: sheetTail})...)} {
		parts := partsOf(f, data)
		for name, sheet := range parts {
			if strings.HasPrefix(name, "xl/worksheets/") {
				f.Add(sheet, parts["xl/sharedStrings.xml"])
			}
		}
	}
	const typed = `<row><c t="inlineStr"><is><t>id</t></is></c><c t="str"><v>level</v></c><c t="str"><v>note</v></c><c t="str"><v>target_date</v></c></row>` +
		`<row><c t="inlineStr"><is><r><t>2027/sample/</t></r><r><t>A1.1</t></r></is></c><c><v>3.0</v></c><c t="str"><v>_xD83D__xDE00_</v></c><c t="d"><v>2027-06-30T00:00:00</v></c></row>`
	f.Add(sheetHead+typed+sheetTail, "<sst/>")
	f.Fuzz(func(t *testing.T, sheet, strings string) {
		if len(sheet)+len(strings) > 1<<20 {
			return
		}
		reencodes(t, zipOf(t, append(around(part{head: sheet}), part{name: "xl/sharedStrings.xml", head: strings})...))
	})
}

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
