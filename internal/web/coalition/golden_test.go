package coalition_test

import (
	"bytes"
	"flag"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/framework"
	"muster/internal/web"
	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// small is a picture of a small pack over two cycles, for pages that people can
// read as a whole.
func small(t testing.TB) *coalition.Pages {
	t.Helper()
	cfg := picturetest.Default([]*framework.Pack{harbour(t)})
	cfg.Cycles = 2
	picture, err := cfg.Picture([]*framework.Pack{harbour(t)})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := coalition.New(picture)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// The pages are what they were: a change of a page shows in the change of these
// files, which `go test -update` writes.
func TestGoldenPages(t *testing.T) {
	t.Parallel()
	pages := small(t)
	w := &world{pages: pages, handler: pages.Handler()}
	digest := regexp.MustCompile(`\.[0-9a-f]{16}\.`) // of assets: they have tests of their own
	for name, path := range map[string]string{
		"year":     "allies/2026/",
		"pack":     "allies/2026/pack/harbour-lights/?sort=help&tables=open",
		"outcome":  "allies/2026/pack/harbour-lights/L1.1",
		"itself":   "allies/2026/itself/harbour-lights/",
		"method":   "partners/2026/method",
		"check":    "allies/2026/check",
		"notfound": "allies/2026/nothing",
	} {
		for _, lang := range []string{"en", "fr"} {
			t.Run(name+"."+lang, func(t *testing.T) {
				t.Parallel()
				status := http.StatusOK
				if name == "notfound" {
					status = http.StatusNotFound
				}
				got := digest.ReplaceAllString(w.get(t, "/"+lang+"/"+path, status), ".DIGEST.")
				golden(t, name+"."+lang+".html", got)
			})
		}
	}
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		var b bytes.Buffer
		if err := pages.WriteFile(&b, coalition.FileConfig{Cohort: "partners", Languages: []string{"fr"}}); err != nil {
			t.Fatal(err)
		}
		got := regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(b.String(), "<style>…</style>")
		got = regexp.MustCompile(`sha256-[^ ]*?&#39;`).ReplaceAllString(got, "sha256-…&#39;")
		golden(t, "file.fr.html", got)
	})
	t.Run("csv", func(t *testing.T) {
		t.Parallel()
		golden(t, "harbour.csv", w.get(t, "/en/allies/2026/file/harbour-lights.csv", http.StatusOK))
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test ./internal/web/coalition -run Golden -update", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s: -want +got\n%s", path, diff)
	}
}

// Nothing is left of a template, and no message lacks a parameter, on any page
// of any world in any language.
func TestNothingIsLeftOfTemplates(t *testing.T) {
	t.Parallel()
	all, err := worlds()
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range all {
		for _, lang := range []string{"en", "fr"} {
			for _, p := range w.Paths(lang) {
				status := http.StatusOK
				if p.Name == "nothing there" {
					status = http.StatusNotFound
				}
				body := w.get(t, p.Path, status)
				for _, left := range []string{"<no value>", "&lt;no value", "ZgotmplZ", "{{", "%!", "<nil>"} {
					if strings.Contains(body, left) {
						t.Errorf("%s%s: %q is left", name, p.Path, left)
					}
				}
				marking := w.Config.Sheets[0].Marking
				if marking != "" && !strings.Contains(body, "<strong>"+marking+"</strong>") {
					t.Errorf("%s%s does not carry the marking", name, p.Path)
				}
				if marking == "" && (strings.Contains(body, "SYNTHETIC") || strings.Contains(body, "class=\"marking\"")) {
					t.Errorf("%s%s carries a marking that its releases do not", name, p.Path)
				}
				readPage(t, body) // well-formed, every id once
			}
		}
	}
}

// Every message is used: what a translator is asked to write, a reader can see.
func TestMessagesAreUsed(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, pattern := range []string{"*.go", "template/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(text)
		}
	}
	kit, err := web.New(web.Config{Locales: []fs.FS{os.DirFS("locale")}})
	if err != nil {
		t.Fatal(err)
	}
	// Groups of which the program puts an id together.
	composed := regexp.MustCompile(`^(kit|list|date|month|cohort|who|part\.legend|move|grade|state|show|sort|pack\.(show|sort))\b`)
	for _, id := range kit.Printer("en").Messages() {
		if !composed.MatchString(id) && !strings.Contains(sources.String(), `"`+id+`"`) {
			t.Errorf("nothing says %s", id)
		}
	}
}

// The first screen shows three lists of five, whatever there is; a page is never
// larger than a slow line takes.
func TestSizes(t *testing.T) {
	t.Parallel()
	w := open(t, "ten-cycles")
	for _, p := range w.Paths("en") {
		if p.Name == "nothing there" {
			continue
		}
		if n := len(w.get(t, p.Path, http.StatusOK)); n > 400_000 {
			t.Errorf("%s has %s bytes", p.Path, strconv.Itoa(n))
		}
	}
	const limit = 1_000_000
	for _, name := range []string{"three-cycles", "ten-cycles"} {
		var b bytes.Buffer
		if err := open(t, name).pages.WriteFile(&b, coalition.FileConfig{}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: the picture in one file has %d bytes", name, b.Len())
		if b.Len() >= limit {
			t.Errorf("%s: the picture in one file has %d bytes, want less than %d", name, b.Len(), limit)
		}
	}
}
