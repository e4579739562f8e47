package docx_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"muster/internal/exchange/docx"
)

// dot is a picture of one point.
func dot(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sample is a document with one of everything.
func sample(t testing.TB) docx.Document {
	t.Helper()
	return docx.Document{
		Language: "fr", Title: "Où nous en sommes", Subject: "Socle", Author: "Ostmere", Made: time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC),
		Marking: "SYNTHETIC · TLP:RED", Head: "Ostmere · 2031", Foot: "établie ici", Page: "Page", Of: "sur",
		Body: []docx.Block{
			docx.Paragraph{Style: docx.Title, Runs: docx.Text("Où nous en sommes")},
			docx.Paragraph{Style: docx.Lead, Runs: docx.Text("Chaque nombre repose sur 30 membres.")},
			docx.Paragraph{Style: docx.Notice, Runs: docx.Text("Pour ceux à qui elle est remise.")},
			docx.Heading{Level: 1, Text: "Les écarts"},
			docx.Heading{Level: 2, Text: "A1.1 <Stratégie> & suite"},
			docx.Paragraph{Runs: []docx.Run{{Text: "Niveau 1, ", Strong: true}, {Text: "cible 3\tici\net là"}}},
			docx.Paragraph{Runs: []docx.Run{{Picture: &docx.Picture{PNG: dot(t), Width: 20, Height: 5, Words: "niveau 1 : 8, niveau 2 : 9"}}}},
			docx.List{Items: [][]docx.Run{docx.Text("un"), docx.Text("deux")}},
			docx.List{Numbered: true, Items: [][]docx.Run{docx.Text("premier"), docx.Text("second")}},
			docx.List{Numbered: true, Items: [][]docx.Run{docx.Text("encore premier")}},
			docx.Heading{Level: 1, Text: "Chaque résultat", Break: true},
			docx.Table{Caption: "Résultats de A1", Head: []string{"Résultat", "Nous"}, Rows: [][]docx.Cell{docx.Cells("A1.1", "2"), {{Runs: docx.Text("A1.2")}, {Runs: docx.Text("3"), Fill: "fbdda6"}}}, Widths: []int{3, 1}},
			docx.Table{Caption: "Une autre", Head: []string{"a", "b"}, Rows: [][]docx.Cell{docx.Cells("", "x")}, Widths: []int{1, 1}},
			docx.Paragraph{Runs: docx.Text("שלום world שלום")},
		},
	}
}

func write(t testing.TB, d docx.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := docx.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parts reads a package.
func parts(t testing.TB, file []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := all[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		all[f.Name] = body
	}
	return all
}

// elements calls see for every element of a part, which has to be well-formed.
func elements(t testing.TB, name string, body []byte, see func(xml.StartElement)) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s is not well-formed: %v", name, err)
		}
		if start, ok := token.(xml.StartElement); ok && see != nil {
			see(start)
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// checkPackage holds a package to ISO 29500-2: every part has a content type, every
// relationship a target inside the package, and every part is reached by one.
func checkPackage(t testing.TB, file []byte) map[string][]byte {
	t.Helper()
	all := parts(t, file)
	types, defaults := make(map[string]string), make(map[string]string)
	elements(t, "[Content_Types].xml", all["[Content_Types].xml"], func(e xml.StartElement) {
		switch e.Name.Local {
		case "Override":
			types[strings.TrimPrefix(attr(e, "PartName"), "/")] = attr(e, "ContentType")
		case "Default":
			defaults[attr(e, "Extension")] = attr(e, "ContentType")
		}
	})
	reached := map[string]bool{"[Content_Types].xml": true}
	for name, body := range all {
		ext := strings.TrimPrefix(path.Ext(name), ".")
		if name != "[Content_Types].xml" && types[name] == "" && defaults[ext] == "" {
			t.Errorf("%s has no content type", name)
		}
		if ext == "png" {
			continue
		}
		elements(t, name, body, func(e xml.StartElement) {
			if e.Name.Local == "Relationship" {
				if attr(e, "TargetMode") != "" || strings.Contains(attr(e, "Target"), ":") {
					t.Errorf("%s refers out of the file: %s", name, attr(e, "Target"))
				}
				base := path.Dir(path.Dir(name))
				reached[path.Join(base, attr(e, "Target"))] = true
			}
		})
		if strings.HasSuffix(name, ".rels") {
			reached[name] = true
		}
	}
	for name := range types {
		if all[name] == nil {
			t.Errorf("%s has a content type and is not there", name)
		}
	}
	for name := range all {
		if !reached[name] {
			t.Errorf("nothing refers to %s", name)
		}
	}
	for name := range reached {
		if all[name] == nil {
			t.Errorf("something refers to %s, which is not there", name)
		}
	}
	return all
}

// paragraphs reads the text of a document as an independent reader finds it: style and
// text of each paragraph.
func paragraphs(t testing.TB, body []byte) []string {
	t.Helper()
	var all []string
	var style string
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(body))
	in := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch e.Name.Local {
			case "p":
				style = ""
				text.Reset()
			case "pStyle":
				style = attr(e, "val")
			case "t":
				in = true
			case "br":
				if attr(e, "type") != "page" {
					text.WriteByte('\n')
				}
			case "tab":
				if attr(e, "val") == "" {
					text.WriteByte('\t')
				}
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "t":
				in = false
			case "p":
				if text.Len() > 0 {
					all = append(all, style+"|"+text.String())
				}
			}
		case xml.CharData:
			if in {
				text.Write(e)
			}
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	file := write(t, sample(t))
	all := checkPackage(t, file)
	want := []string{
		"Title|Où nous en sommes", "Subtitle|Chaque nombre repose sur 30 membres.", "MusterNotice|Pour ceux à qui elle est remise.",
		"Heading1|Les écarts", "Heading2|A1.1 <Stratégie> & suite", "|Niveau 1, cible 3\tici\net là", "ListBullet|un", "ListBullet|deux",
		"ListNumber|premier", "ListNumber|second", "ListNumber|encore premier", "Heading1|Chaque résultat", "Caption|Résultats de A1",
		"MusterCellHead|Résultat", "MusterCellHead|Nous", "MusterCell|A1.1", "MusterCell|2", "MusterCell|A1.2", "MusterCell|3",
		"Caption|Une autre", "MusterCellHead|a", "MusterCellHead|b", "MusterCell|x", "|שלום world שלום",
	}
	if diff := cmp.Diff(want, paragraphs(t, all["word/document.xml"])); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	// Every style, list and picture that the text refers to is there.
	styles, lists := make(map[string]bool), make(map[string]bool)
	elements(t, "styles", all["word/styles.xml"], func(e xml.StartElement) {
		if e.Name.Local == "style" {
			styles[attr(e, "styleId")] = true
		}
	})
	elements(t, "numbering", all["word/numbering.xml"], func(e xml.StartElement) {
		if e.Name.Local == "num" {
			lists[attr(e, "numId")] = true
		}
	})
	relations := make(map[string]bool)
	elements(t, "relationships", all["word/_rels/document.xml.rels"], func(e xml.StartElement) { relations[attr(e, "Id")] = true })
	numbers := make(map[string]bool)
	heads, headers := 0, 0
	for _, name := range []string{"word/document.xml", "word/header1.xml", "word/footer1.xml"} {
		elements(t, name, all[name], func(e xml.StartElement) {
			val := attr(e, "val")
			switch e.Name.Local {
			case "pStyle", "rStyle", "tblStyle":
				if !styles[val] {
					t.Errorf("%s uses a style %s that is not there", name, val)
				}
			case "numId":
				if !lists[val] {
					t.Errorf("%s uses a list %s that is not there", name, val)
				}
				numbers[val] = true
			case "blip":
				if !relations[attr(e, "embed")] {
					t.Errorf("a picture refers to %s", attr(e, "embed"))
				}
			case "docPr":
				if attr(e, "descr") == "" {
					t.Error("a picture has no words")
				}
			case "tbl":
				heads++
			case "tblHeader":
				headers++
			}
		})
	}
	if len(numbers) != 3 {
		t.Errorf("%d lists, want three that count for themselves", len(numbers))
	}
	if heads != 2 || headers != 2 {
		t.Errorf("%d tables, %d marked heads", heads, headers)
	}
	for name, wants := range map[string][]string{
		"word/styles.xml":   {`<w:lang w:val="fr-FR"`, `<w:outlineLvl w:val="0"/>`, `w:val="FF2B2B"`},
		"word/document.xml": {"<w:bidi/>", "<w:rtl/>", "<w:pageBreakBefore/>", `w:fill="FBDDA6"`, `<w:tblCaption w:val="Résultats de A1"/>`},
		"word/header1.xml":  {"SYNTHETIC · TLP:RED", "Ostmere · 2031"},
		"word/footer1.xml":  {"SYNTHETIC · TLP:RED", " PAGE ", " NUMPAGES ", "établie ici"},
		"docProps/core.xml": {"<dc:title>Où nous en sommes</dc:title>", "<dc:language>fr-FR</dc:language>", "2031-03-01T09:00:00Z"},
	} {
		for _, want := range wants {
			if !bytes.Contains(all[name], []byte(want)) {
				t.Errorf("%s does not have %s", name, want)
			}
		}
	}
	if !bytes.Equal(file, write(t, sample(t))) {
		t.Error("the same document gives other bytes")
	}
}

// What could not be read by everyone is refused, by its place.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		body []docx.Block
		want string
	}{
		{"a level is skipped", []docx.Block{docx.Heading{Level: 1, Text: "a"}, docx.Heading{Level: 3, Text: "b"}}, "block 2: a heading of level 3 after one of 1"},
		{"the first is no first", []docx.Block{docx.Heading{Level: 2, Text: "a"}}, "block 1: a heading of level 2 after one of 0"},
		{"no such level", []docx.Block{docx.Heading{Level: 4, Text: "a"}}, "a heading of level 4"},
		{"an empty heading", []docx.Block{docx.Heading{Level: 1, Text: " "}}, "a heading without words"},
		{"a table without a caption", []docx.Block{docx.Table{Head: []string{"a"}, Widths: []int{1}}}, "a table without caption"},
		{"a column without a head", []docx.Block{docx.Table{Caption: "c", Head: []string{"a", " "}, Widths: []int{1, 1}}}, `column 2 of "c" has no head`},
		{"a short row", []docx.Block{docx.Table{Caption: "c", Head: []string{"a", "b"}, Widths: []int{1, 1}, Rows: [][]docx.Cell{docx.Cells("x")}}}, `row 1 of "c" has 1 cells under 2 heads`},
		{"a picture without words", []docx.Block{docx.Paragraph{Runs: []docx.Run{{Picture: &docx.Picture{PNG: dot(t)}}}}}, "a picture without words"},
		{"a picture that is none", []docx.Block{docx.Paragraph{Runs: []docx.Run{{Picture: &docx.Picture{PNG: []byte("GIF89a"), Words: "w"}}}}}, "no PNG"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := docx.Write(io.Discard, docx.Document{Language: "en", Body: row.body})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

// readable is text as a document keeps it.
func readable(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string([]rune(s))) // each byte that is none becomes U+FFFD
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 {
			return r
		}
		return '\uFFFD'
	}, s)
}

// Whatever text comes in, the package is whole, and the text comes out again: what XML
// cannot hold as U+FFFD, and nothing as markup.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"", "plain", "<w:br/>&amp;]]>", "a\x00b\x01\x1f", "\xff\xfe", "\xed\xa0\x80 half", "\ufffe\uffff", "a\r\nb\rc\td", "שלום, 12 world", "مرحبا ١٢", "\u202eabc\u202c", "_x000D_", "😀 \U0010ffff", "{PAGE}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := docx.Document{Language: "en", Title: s, Subject: s, Author: s, Marking: s, Head: s, Foot: s, Page: s, Of: s, Body: []docx.Block{
			docx.Paragraph{Runs: docx.Text(s)},
			docx.List{Items: [][]docx.Run{{{Text: s, Strong: true}}}},
			docx.Table{Caption: "c" + s, Head: []string{"h" + s}, Widths: []int{1}, Rows: [][]docx.Cell{docx.Cells(s)}},
		}}
		var b bytes.Buffer
		if err := docx.Write(&b, d); err != nil {
			t.Fatal(err)
		}
		all := checkPackage(t, b.Bytes())
		got := paragraphs(t, all["word/document.xml"])
		if want := readable(s); want != "" {
			for _, style := range []string{"|", "ListBullet|", "MusterCell|"} {
				if !slices.Contains(got, style+want) {
					t.Errorf("%q is not among %q", style+want, got)
				}
			}
		}
		for name, body := range all {
			if path.Ext(name) != ".png" && !utf8.Valid(body) {
				t.Errorf("%s is not UTF-8", name)
			}
		}
	})
}
