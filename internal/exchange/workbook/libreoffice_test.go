package workbook_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
)

var update = flag.Bool("update", false, "with MUSTER_LONG=1, keep what LibreOffice writes in testdata")

func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

// office is LibreOffice with a profile of its own.
type office struct {
	soffice, dir string
}

// macro is what LibreOffice runs: it opens a file, does what a person might do to
// each sheet that has rows of ours, and saves it.
const macro = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Muster" script:language="StarBasic">
Sub Resave(source As String, target As String, filter As String, before As String, after As String, work As String)
	On Error GoTo Failed
	Dim opened(1) As New com.sun.star.beans.PropertyValue
	opened(0).Name = "Hidden"
	opened(0).Value = True
	opened(1).Name = "Password"
	opened(1).Value = before
	doc = StarDesktop.loadComponentFromURL(source, "_blank", 0, opened())
	If work = "sort" Then Handle(doc.Sheets.getByIndex(1))
	Dim saved(1) As New com.sun.star.beans.PropertyValue
	saved(0).Name = "FilterName"
	saved(0).Value = filter
	If after &lt;&gt; "" Then
		Dim locked(1) As New com.sun.star.beans.NamedValue
		locked(0).Name = "OOXPassword"
		locked(0).Value = after
		locked(1).Name = "CryptoType"
		locked(1).Value = "Standard"
		saved(1).Name = "EncryptionData"
		saved(1).Value = locked()
	End If
	doc.storeToURL(target, saved())
	doc.close(True)
	StarDesktop.terminate()
	Exit Sub
Failed:
	Open ConvertFromURL(target &amp; ".txt") For Output As #1
	Print #1, Error(Err) &amp; " in line " &amp; Erl
	Close #1
	StarDesktop.terminate()
End Sub

Sub Handle(sheet)
	sheet.unprotect("")
	cursor = sheet.createCursor()
	cursor.gotoEndOfUsedArea(False)
	theLast = cursor.RangeAddress.EndRow
	theWide = cursor.RangeAddress.EndColumn
	theHead = 0
	For theRow = 0 To theLast
		If sheet.getCellByPosition(0, theRow).String = "id" Then theHead = theRow
	Next
	Dim theFields(0) As New com.sun.star.table.TableSortField
	theFields(0).Field = 2
	theFields(0).IsAscending = False
	Dim theHow(1) As New com.sun.star.beans.PropertyValue
	theHow(0).Name = "SortFields"
	theHow(0).Value = theFields()
	theHow(1).Name = "ContainsHeader"
	theHow(1).Value = False
	sheet.getCellRangeByPosition(0, theHead + 2, theWide, theLast).sort(theHow())
	theLevel = 0
	theNote = 0
	theDay = 0
	For theColumn = 0 To theWide
		If sheet.getCellByPosition(theColumn, theHead).String = "level" Then theLevel = theColumn
		If sheet.getCellByPosition(theColumn, theHead).String = "note" Then theNote = theColumn
		If sheet.getCellByPosition(theColumn, theHead).String = "target_date" Then theDay = theColumn
	Next
	sheet.getCellByPosition(theLevel, theLast).Value = 2
	sheet.getCellByPosition(theLevel, theLast - 1).String = "sans objet"
	sheet.getCellByPosition(theNote, theLast).String = "typed in LibreOffice" &amp; Chr(10) &amp; "=2+2"
	sheet.getCellByPosition(theDay, theLast).setFormula("2027-06-30")
	sheet.Rows.removeByIndex(theHead + 2, 1)
	sheet.Columns.insertByIndex(0, 2)
	Dim theFrom As New com.sun.star.table.CellRangeAddress
	theFrom.Sheet = sheet.RangeAddress.Sheet
	theFrom.StartColumn = theLevel + 2
	theFrom.EndColumn = theLevel + 2
	theFrom.StartRow = 0
	theFrom.EndRow = theLast
	Dim theTarget As New com.sun.star.table.CellAddress
	theTarget.Sheet = theFrom.Sheet
	theTarget.Column = 0
	theTarget.Row = 0
	sheet.moveRange(theTarget, theFrom)
	sheet.Columns.getByIndex(theNote + 2).IsVisible = False
	sheet.getCellByPosition(0, theHead + 1).String = "Niveau"
End Sub
</script:module>
`

// newOffice prepares LibreOffice, or fails: the long run needs it.
func newOffice(t *testing.T) *office {
	t.Helper()
	soffice, err := exec.LookPath("soffice")
	if err != nil {
		t.Fatal("LibreOffice is not installed here (Debian: apt-get install libreoffice-calc); the long run needs it")
	}
	o := &office{soffice, t.TempDir()}
	o.run(t, "--terminate_after_init") // makes the profile, with a library of its own
	basic := filepath.Join(o.dir, "profile", "user", "basic")
	const library = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:%KIND PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "%KIND.dtd">
`
	for name, text := range map[string]string{
		"Standard/Muster.xba": macro,
		"Standard/script.xlb": strings.ReplaceAll(library, "%KIND", "library") +
			`<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard" library:readonly="false" library:passwordprotected="false"><library:element library:name="Muster"/></library:library>`,
		"script.xlc": strings.ReplaceAll(library, "%KIND", "libraries") +
			`<library:libraries xmlns:library="http://openoffice.org/2000/library" xmlns:xlink="http://www.w3.org/1999/xlink"><library:library library:name="Standard" xlink:href="$(USER)/basic/Standard/script.xlb/" xlink:type="simple" library:link="false"/></library:libraries>`,
	} {
		if err := os.WriteFile(filepath.Join(basic, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// run starts LibreOffice and waits for its end.
func (o *office) run(t *testing.T, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, o.soffice, append([]string{
		"-env:UserInstallation=file://" + filepath.Join(o.dir, "profile"), "--headless", "--norestore", "--nologo", "--nodefault",
	}, arguments...)...)
	cmd.Env = append(os.Environ(), "HOME="+o.dir, "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
}

const (
	asXLSX = "Calc MS Excel 2007 XML"
	asODS  = "calc8"
)

// resave opens a file in LibreOffice and saves it under another name.
func (o *office) resave(t *testing.T, source, target, filter, before, after, work string) string {
	t.Helper()
	target = filepath.Join(o.dir, target)
	call := `macro:///Standard.Muster.Resave("` + strings.Join([]string{
		"file://" + source, "file://" + target, filter, before, after, work,
	}, `","`) + `")`
	o.run(t, call)
	if _, err := os.Stat(target); err != nil {
		said, _ := os.ReadFile(target + ".txt")
		t.Fatalf("LibreOffice wrote nothing: %v: %s", err, said)
	}
	return target
}

// awkward is a book whose texts are most easily changed on the way.
func awkward() workbook.Book {
	b := book(small(5), map[string]workbook.Saved{
		"A1.1": {Entry: full(), Revision: 7},
		"A1.2": {Entry: assess.Entry{Level: framework.NotApplicable, Reason: "'quoted'", Note: " spaces at both ends \n\nand lines\n", Assignee: "+33 1"}, Revision: 1},
		"A1.3": {Entry: assess.Entry{Level: framework.Withheld, Note: "_x000D_ _x005F_ _xD800_ 😀", Reason: "2027-06-30"}, Revision: 2},
		"A1.4": {Entry: assess.Entry{Level: framework.Level0, Note: "3", Reason: "TRUE", Assignee: "007", TargetDate: "2199-12-31"}, Revision: 3},
	})
	b.Languages = []string{"fr", "en"}
	b.Needs = []workbook.Need{{What: "=Power", Supplier: "-", Hours: 0, Known: true}, {What: "Pilots", Substitute: "none\nat all"}}
	return b
}

// kept are files that LibreOffice 7.4 made of [awkward]: what the long run makes
// anew, and the short one reads.
const (
	keptResaved  = "testdata/libreoffice-resaved.xlsx"
	keptSorted   = "testdata/libreoffice-sorted.xlsx"
	keptPassword = "testdata/libreoffice-password.xlsx"
	password     = "vär så god 7"
)

// throughOffice returns a file that LibreOffice saved: in the long run a new one.
func throughOffice(t *testing.T, kept string, make func(o *office, source string) string, b workbook.Book) []byte {
	t.Helper()
	name := kept
	if long() {
		o := newOffice(t)
		source := filepath.Join(o.dir, "source.xlsx")
		if err := os.WriteFile(source, write(t, b), 0o600); err != nil {
			t.Fatal(err)
		}
		name = make(o, source)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if long() && *update {
		if err := os.WriteFile(kept, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestLibreOfficeKeepsEverything(t *testing.T) {
	t.Parallel()
	b := awkward()
	data := throughOffice(t, keptResaved, func(o *office, source string) string {
		ods := o.resave(t, source, "copy.ods", asODS, "", "", "")
		return o.resave(t, ods, "copy.xlsx", asXLSX, "", "", "")
	}, b)
	got := mustRead(t, data, b)
	equal(t, saved(got), wanted(b))
	equal(t, got.Needs, b.Needs)
	equal(t, got.Ignored, nil)
}

func TestLibreOfficeSortsMovesAndHides(t *testing.T) {
	t.Parallel()
	b := awkward()
	data := throughOffice(t, keptSorted, func(o *office, source string) string {
		return o.resave(t, source, "sorted.xlsx", asXLSX, "", "", "sort")
	}, b)
	got := mustRead(t, data, b)
	want := wanted(b)
	delete(want, "2027/sample/A1.5") // whose row was deleted
	first := want["2027/sample/A1.1"]
	first.Entry.Level, first.Entry.Note, first.Entry.TargetDate = framework.Level2, "typed in LibreOffice\n=2+2", "2027-06-30"
	want["2027/sample/A1.1"] = first
	second := want["2027/sample/A1.2"]
	second.Entry.Level = framework.NotApplicable
	want["2027/sample/A1.2"] = second
	equal(t, saved(got), want)
}

// TestLibreOfficePasswords opens our encryption in LibreOffice, and here what it
// saves with a password.
func TestLibreOfficePasswords(t *testing.T) {
	t.Parallel()
	b := awkward()
	b.Password = password
	data := throughOffice(t, keptPassword, func(o *office, source string) string {
		return o.resave(t, source, "locked.xlsx", asXLSX, password, password, "")
	}, b)
	equal(t, saved(mustRead(t, data, b)), wanted(b))
	for given, want := range map[string]string{"": "the workbook has a password", "wrong": "the password does not open the workbook"} {
		c := b
		c.Password = given
		_, err := read(data, c)
		if errs.KindOf(err) != errs.Denied || errs.Describe(err).Message != want {
			t.Errorf("with password %q: %v", given, err)
		}
	}
}

// formulas returns what LibreOffice calculates in a CSV file whose cells it is told to
// end with a separator. It is asked to take for a number or a formula whatever it can.
func (o *office) formulas(t *testing.T, name string, data []byte, separator rune) []string {
	t.Helper()
	source := filepath.Join(o.dir, name+".csv")
	if err := os.WriteFile(source, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o.run(t, "--infilter=CSV:"+strconv.Itoa(int(separator))+",34,76,1,,0,false,true,false,false,false,0,true", "--convert-to", "fods", "--outdir", o.dir, source)
	sheet, err := os.ReadFile(filepath.Join(o.dir, name+".fods"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile(`table:formula="([^"]*)"`).FindAllSubmatch(sheet, -1) {
		found = append(found, string(m[1]))
	}
	return found
}
