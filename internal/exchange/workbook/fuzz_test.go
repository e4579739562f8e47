package workbook_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
)

// reencodes checks that what a file says can be written in each of those ways, and
// says the same again.
func reencodes(t *testing.T, data []byte, ways ...func(testing.TB, workbook.Book) []byte) {
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
		for _, way := range ways {
			if diff := cmp.Diff(wanted(again), saved(mustRead(t, way(t, again), again))); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		}
	}
	if got.Needs != nil {
		again := workbook.Book{Member: "Ostmere", Needs: got.Needs}
		for _, way := range ways {
			if diff := cmp.Diff(got.Needs, mustRead(t, way(t, again), again).Needs); diff != "" {
				t.Errorf("the form: want -, got +:\n%s", diff)
			}
		}
	}
}

// FuzzFile mutates whole workbooks, in clear and encrypted.
func FuzzFile(f *testing.F) {
	f.Add(write(f, book(small(1), nil)))
	f.Add(compound("EncryptionInfo", "\x03\x00\x02\x00", "EncryptedPackage", ""))
	f.Add(zipOf(f, around(part{head: sheetHead + typed + sheetTail})...))
	for _, name := range []string{keptResaved, keptSorted, keptPassword} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { reencodes(t, data, write, writeCSV) })
}

// FuzzCSV mutates CSV.
func FuzzCSV(f *testing.F) {
	f.Add("id,revision,level,reason,target,target_date,evidence,note,assignee,flagged,carried\n2027/sample/A1.1,7,3,\"a, \"\"b\"\"\nc\",4,2027-06-30,E2,'=1+1,Ilva,yes,no\n")
	f.Add("\uFEFFid;revision;level;note\r\n2027/sample/A1.2@port;7;sans objet;''tis\r\n")
	f.Add("what,supplier,hours,substitute,remark\n'=Power,Norrgrid,4,,\n,,,,\nPilots,,unknown,none,\"two\nlines\"\n")
	f.Add("Id. de ligne,Niveau,Remarque\n2027/sample/A1.1,0,x\n")
	f.Fuzz(func(t *testing.T, text string) { reencodes(t, []byte(text), writeCSV) })
}

// typed are rows as other programs may write them.
const typed = `<row><c t="inlineStr"><is><t>id</t></is></c><c t="str"><v>level</v></c><c t="str"><v>note</v></c><c t="str"><v>target_date</v></c></row>` +
	`<row r="3"><c t="inlineStr"><is><r><t>2027/sample/</t></r><r><t>A1.1</t></r></is></c><c r="B3"><v>3.0</v></c><c t="s"><v>0</v></c><c t="d"><v>2027-06-30T00:00:00</v></c></row>` +
	`<row><c t="str"><v>2027/sample/A1.2</v></c><c t="n"><v>4</v></c><c/><c><v>46568</v></c></row>`

// FuzzSheet mutates the sheet and the strings of a workbook, which lie compressed in
// a whole file.
func FuzzSheet(f *testing.F) {
	f.Add(sheetHead+typed+sheetTail, "<sst><si><t>_xD83D__xDE00_</t><rPh><t>x</t></rPh></si></sst>")
	f.Add(sheetHead+`<row r="1"><c r="XFD1"><f>1+1</f><v>2</v></c><c t="e"><v>#REF!</v></c></row>`+sheetTail, "<sst/>")
	f.Fuzz(func(t *testing.T, sheet, strings string) {
		if len(sheet)+len(strings) > 1<<20 {
			return
		}
		reencodes(t, zipOf(t, append(around(part{head: sheet}), part{name: "xl/sharedStrings.xml", head: strings})...), writeCSV)
	})
}
