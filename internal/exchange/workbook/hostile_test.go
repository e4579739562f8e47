package workbook_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"

	"muster/internal/errs"
	"muster/internal/exchange/workbook"
)

// part is a file inside of a workbook. Of more than text it holds as many copies of
// repeat, without all of them being in memory.
type part struct {
	name, head, repeat, tail string
	times                    int
}

// zipOf returns a workbook of parts.
func zipOf(t testing.TB, parts ...part) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	for _, p := range parts {
		method := zip.Deflate
		if p.times == 0 {
			method = zip.Store
		}
		w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: method})
		must(t, err)
		_, err = io.WriteString(w, p.head)
		must(t, err)
		block := strings.Repeat(p.repeat, 1000)
		for left := p.times; left > 0; left -= 1000 {
			_, err = io.WriteString(w, block[:len(p.repeat)*min(left, 1000)])
			must(t, err)
		}
		_, err = io.WriteString(w, p.tail)
		must(t, err)
	}
	must(t, z.Close())
	return out.Bytes()
}

const (
	sheetHead = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`
	sheetTail = `</sheetData></worksheet>`
)

// around are the parts of a workbook of one sheet, which is the last.
func around(sheet part) []part {
	sheet.name = "xl/worksheets/sheet1.xml"
	return []part{
		{name: "_rels/.rels", head: `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{name: "xl/workbook.xml", head: `<workbook xmlns:r="r"><sheets><sheet name="sample 2027" sheetId="1" r:id="r1"/></sheets></workbook>`},
		{name: "xl/_rels/workbook.xml.rels", head: `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>`},
		sheet,
	}
}

func TestHostileWorkbooks(t *testing.T) { // not parallel: it measures what is allocated
	bomb := 1 << 27
	if long() {
		bomb = 1 << 30
	}
	deep := part{head: sheetHead, repeat: "<x>", times: 1_000_000, tail: sheetTail}
	damaged := `the workbook is damaged: sheet "sample 2027" is out of order; allowed: open it in a spreadsheet, save it as .xlsx, and try again`
	const larger = "the workbook is larger than 64 MiB when unpacked; allowed: send a workbook as muster writes it"
	const plain = "; allowed: save it as a plain workbook (.xlsx) without them"
	rows := []struct {
		name  string
		parts []part
		most  uint64 // MiB that may be allocated while it is read
		want  string
	}{
		{"a bomb of a sheet", around(part{head: sheetHead, repeat: " ", times: bomb}), 4, larger},
		{"many small bombs", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "a", repeat: " ", times: 40 << 20}, part{name: "b", repeat: " ", times: 40 << 20}), 4, larger},
		{"ten million rows", around(part{head: sheetHead, repeat: `<row><c><v>1</v></c></row>`, times: 10_000_000, tail: sheetTail}), 4, larger},
		{"as many rows as fit", around(part{head: sheetHead, repeat: `<row><c><v>1</v></c></row>`, times: 2_000_000, tail: sheetTail}), 60, "the workbook holds more than 20000 rows; allowed: send a workbook as muster writes it"},
		{"ten million rows of nothing", around(part{head: sheetHead, repeat: `<row/>`, times: 10_000_000, tail: sheetTail}), 600, damaged},
		{"a row of ten million cells", around(part{head: sheetHead + "<row>", repeat: `<c/>`, times: 10_000_000, tail: "</row>" + sheetTail}), 40, damaged},
		{"the last cell of many rows", around(part{head: sheetHead, tail: cornerRows(20_001) + sheetTail}), 60, "the workbook holds more than 20000 rows; allowed: send a workbook as muster writes it"},
		{"too many strings", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/sharedStrings.xml", head: "<sst>", repeat: "<si/>", times: 8_000_000, tail: "</sst>"}), 200, "the workbook holds more than 200000 strings; allowed: send a workbook as muster writes it"},
		{"deep elements", around(deep), 4, `the workbook is damaged: "xl/worksheets/sheet1.xml" nests too deeply; allowed: open it in a spreadsheet, save it as .xlsx, and try again`},
		{"a document type", around(part{head: `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>` + sheetHead, tail: sheetTail}), 4, `the workbook is damaged: "xl/worksheets/sheet1.xml" declares a document type; allowed: open it in a spreadsheet, save it as .xlsx, and try again`},
		{"another encoding", around(part{head: `<?xml version="1.0" encoding="UTF-7"?>` + sheetHead, tail: sheetTail}), 4, `the workbook is damaged: "xl/worksheets/sheet1.xml" cannot be read; allowed: open it in a spreadsheet, save it as .xlsx, and try again`},
		{"a sheet cut off", around(part{head: sheetHead + `<row r="1"><c r="A1"><v>1`}), 4, `the workbook is damaged: "xl/worksheets/sheet1.xml" cannot be read; allowed: open it in a spreadsheet, save it as .xlsx, and try again`},
		{"a cell in two places", around(part{head: sheetHead + `<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>`, tail: sheetTail}), 4, damaged},
		{"a cell of another row", around(part{head: sheetHead + `<row r="1"><c r="A2"><v>1</v></c></row>`, tail: sheetTail}), 4, damaged},
		{"a string that is not there", around(part{head: sheetHead + `<row r="1"><c r="A1" t="s"><v>7</v></c></row>`, tail: sheetTail}), 4, damaged},
		{"macros", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/vbaProject.bin"}), 4, "the workbook has macros" + plain},
		{"macros in other letters", append(around(part{head: sheetHead, tail: sheetTail}), part{name: `XL\VBAPROJECT.BIN`}), 4, "the workbook has macros" + plain},
		{"links to other workbooks", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/externalLinks/externalLink1.xml"}), 4, "the workbook has links to other workbooks" + plain},
		{"connections", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/connections.xml"}), 4, "the workbook has connections to other places" + plain},
		{"files inside", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/embeddings/oleObject1.bin"}), 4, "the workbook has files inside" + plain},
		{"two files of one name", append(around(part{head: sheetHead, tail: sheetTail}), part{name: "xl/WORKBOOK.xml"}), 4, "the workbook holds two files of one name; allowed: give the file as it was saved"},
		{"a zip of something else", []part{{name: "a.txt", head: "a"}}, 4, "the file is no workbook; allowed: a workbook as .xlsx"},
		{"a workbook of nothing", around(part{head: sheetHead, tail: sheetTail}), 4, "the file holds neither answers nor the form; allowed: a file that muster wrote, with the columns id, revision and those to fill in"},
	}
	b := two()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			data := zipOf(t, row.parts...)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := read(data, b)
			runtime.ReadMemStats(&after)
			if got != nil {
				t.Error("it was read")
			}
			equal(t, faultsOf(t, err), []string{"answers.xlsx: " + row.want})
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > row.most {
				t.Errorf("%d MiB were allocated, more than %d", used, row.most)
			}
		})
	}
}

// cornerRows returns n rows, each with its last cell alone.
func cornerRows(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `<row r="%d"><c r="XFD%d"><v>1</v></c></row>`, i, i)
	}
	return b.String()
}

// TestSizeThatLies gives a part a size that it does not have.
func TestSizeThatLies(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	must(t, err)
	block := []byte(strings.Repeat(" ", 1<<20))
	for range 100 {
		_, err = w.Write(block)
		must(t, err)
	}
	must(t, w.Close())
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range around(part{})[:3] {
		f, err := z.Create(p.name)
		must(t, err)
		_, err = io.WriteString(f, p.head)
		must(t, err)
	}
	f, err := z.CreateRaw(&zip.FileHeader{
		Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: 10,
		CRC32: crc32.ChecksumIEEE(nil),
	})
	must(t, err)
	_, err = f.Write(packed.Bytes())
	must(t, err)
	must(t, z.Close())
	if got, err := read(out.Bytes(), two()); got != nil || errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v, %v", got, err)
	}
}

// closedReader fails the test when anything is read.
type closedReader struct{ t *testing.T }

func (r closedReader) ReadAt([]byte, int64) (int, error) {
	r.t.Error("something was read")
	return 0, io.EOF
}

func TestFileOfOneGigabyte(t *testing.T) {
	t.Parallel()
	_, err := workbook.Read(closedReader{t}, 1<<30, workbook.Config{Name: "answers.xlsx"})
	equal(t, faultsOf(t, err), []string{"answers.xlsx: the file has 1073741824 bytes; allowed: at most 16777216"})
}

type brokenReader struct{ err error }

func (r brokenReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func TestReadErrorsPassThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	_, err := workbook.Read(brokenReader{broken}, 100, workbook.Config{Name: "answers.xlsx"})
	if !errors.Is(err, broken) || errs.KindOf(err) != errs.Internal {
		t.Errorf("got %v", err)
	}
}

// TestCutOff reads a workbook that ends anywhere, in clear and encrypted.
func TestCutOff(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "correct horse"} {
		b := two()
		b.Password = secret
		data := write(t, b)
		step := max(1, len(data)/40)
		for n := 1; n < len(data)-1; n += step {
			got, err := read(data[:n], b)
			// What is behind the last sector of an encrypted file may be missing.
			if err == nil && secret == "" || err != nil && got != nil || err != nil && errs.KindOf(err) == errs.Internal {
				t.Errorf("the first %d of %d bytes: %v, %v", n, len(data), got, err)
			}
		}
	}
}

// TestCompoundFiles takes a compound file that is not an encrypted workbook, and one
// that asks for more work than a password is worth.
func TestCompoundFiles(t *testing.T) {
	t.Parallel()
	const spin = `<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption"><keyData saltSize="16"/><keyEncryptors><keyEncryptor uri="x"><p:encryptedKey xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password" spinCount="9999999"/></keyEncryptor></keyEncryptors></encryption>`
	agile := "\x04\x00\x04\x00\x40\x00\x00\x00"
	b := two()
	b.Password = "x"
	rows := []struct {
		name string
		data []byte
		want string
	}{
		{"an old workbook", compound("Workbook", "", "Other", ""), "the file is an old workbook; allowed: save it as .xlsx"},
		{"ten million rounds", compound("EncryptionInfo", agile+spin, "EncryptedPackage", ""), "the workbook's password takes too long to try; allowed: save it with a password in LibreOffice or Excel"},
		{"rounds that are no number", compound("EncryptionInfo", agile+strings.Replace(spin, "9999999", "1e9", 1), "EncryptedPackage", ""), "the workbook's password takes too long to try; allowed: save it with a password in LibreOffice or Excel"},
		{"an unknown way", compound("EncryptionInfo", "\x09\x00\x09\x00\x00\x00\x00\x00", "EncryptedPackage", ""), "the workbook is encrypted in a way that is not known here; allowed: save it with a password in LibreOffice or Excel"},
		{"nothing of an encryption", compound("EncryptionInfo", agile+"<encryption/>", "EncryptedPackage", ""), "the workbook is damaged or cut off; allowed: give the file as it was saved"},
		{"a signature alone", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "the workbook is damaged or cut off; allowed: give the file as it was saved"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := read(row.data, b)
			equal(t, faultsOf(t, err), []string{"answers.xlsx: " + row.want})
		})
	}
}
