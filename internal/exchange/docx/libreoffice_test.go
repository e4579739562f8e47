package docx_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "with MUSTER_LONG=1, keep what LibreOffice writes in testdata")

// kept is what LibreOffice 7.4 made of [sample] when it opened and saved it: what the
// long run makes anew, and the short one reads.
const kept = "testdata/libreoffice-resaved.docx"

// resaved returns a document that LibreOffice has opened and saved: in the long run
// anew, for which it has to be installed.
func resaved(t *testing.T, file []byte) []byte {
	t.Helper()
	name := kept
	if os.Getenv("MUSTER_LONG") == "1" {
		soffice, err := exec.LookPath("soffice")
		if err != nil {
			t.Fatal("LibreOffice is not installed here (Debian: apt-get install libreoffice-writer); the long run needs it")
		}
		dir := t.TempDir()
		source := filepath.Join(dir, "source.docx")
		if err := os.WriteFile(source, file, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--norestore", "--nologo",
			"--convert-to", "docx:MS Word 2007 XML", "--outdir", filepath.Join(dir, "out"), source)
		cmd.Env = append(os.Environ(), "HOME="+dir, "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("soffice: %v\n%s", err, out)
		}
		name = filepath.Join(dir, "out", "source.docx")
	}
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; the long run writes it: MUSTER_LONG=1 go test ./internal/exchange/docx -update", err)
	}
	if *update && name != kept {
		if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(kept, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return body
}

// A document that a person opened and saved in LibreOffice is the same document: every
// word, every heading at its level, the tables with their marked heads, the language,
// the title, the marking and the words of the picture.
func TestLibreOfficeKeepsEverything(t *testing.T) {
	t.Parallel()
	file := write(t, sample(t))
	before, after := parts(t, file), parts(t, resaved(t, file))
	texts := func(all map[string][]byte) (texts, headings []string) {
		for _, p := range paragraphs(t, all["word/document.xml"]) {
			style, text, _ := strings.Cut(p, "|")
			texts = append(texts, text)
			if strings.HasPrefix(style, "Heading") || style == "Title" {
				headings = append(headings, p)
			}
		}
		return texts, headings
	}
	wantTexts, wantHeadings := texts(before)
	gotTexts, gotHeadings := texts(after)
	if diff := cmp.Diff(wantTexts, gotTexts); diff != "" {
		t.Errorf("texts, -ours +LibreOffice's\n%s", diff)
	}
	if diff := cmp.Diff(wantHeadings, gotHeadings); diff != "" {
		t.Errorf("headings, -ours +LibreOffice's\n%s", diff)
	}
	var tables, heads, pictures int
	elements(t, "word/document.xml", after["word/document.xml"], func(e xml.StartElement) {
		switch e.Name.Local {
		case "tbl":
			tables++
		case "tblHeader":
			heads++
		case "docPr":
			if attr(e, "descr") == "niveau 1 : 8, niveau 2 : 9" {
				pictures++
			}
		}
	})
	if tables != 2 || heads != 2 || pictures != 1 {
		t.Errorf("%d tables, %d marked heads, %d pictures with their words", tables, heads, pictures)
	}
	var names []string
	for name := range after {
		names = append(names, name)
	}
	slices.Sort(names)
	all := bytes.Join([][]byte{after["word/styles.xml"], after["docProps/core.xml"]}, nil)
	for _, name := range names {
		if strings.HasPrefix(name, "word/header") || strings.HasPrefix(name, "word/footer") {
			all = append(all, after[name]...)
		}
	}
	for _, want := range []string{`w:val="fr-FR"`, "<dc:title>Où nous en sommes</dc:title>", "TLP:RED", "NUMPAGES"} {
		if !bytes.Contains(all, []byte(want)) {
			t.Errorf("after LibreOffice there is no %s", want)
		}
	}
}
