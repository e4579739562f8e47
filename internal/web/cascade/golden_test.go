package cascade_test

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// The pages are what they were, numbers and result_hash included: a change of a page
// shows in the change of these files, which `go test -update` writes.
func TestGoldenPages(t *testing.T) {
	t.Parallel()
	w := open(t, harbour(t))
	w.brief("cranes")
	a := w.run(asked("cranes", "4096", "7"))
	b := w.run(asked("cranes", "4096", "7", "by-hand"))
	w.wait(w.post("/en/compare", url.Values{"a": {a}, "b": {b}})[len("/en/result/"):])
	digest := regexp.MustCompile(`\.[0-9a-f]{16}\.`) // of assets: they have tests of their own
	for name, path := range map[string]string{
		"minute":   "/",
		"waiting":  "/scenario/grid/",
		"measures": "/scenario/cranes/measures",
		"sure":     "/scenario/cranes/sure",
		"runs":     "/runs",
		"run":      "/result/run-1",
		"compare":  "/result/compare-3",
		"graph":    "/graph?by=owner&open=Ostmere",
		"map":      "/map",
		"method":   "/method",
	} {
		for _, lang := range []string{"en", "fr"} {
			t.Run(name+"."+lang, func(t *testing.T) {
				got := digest.ReplaceAllString(w.get("/"+lang+path, http.StatusOK), ".DIGEST.")
				file := filepath.Join("testdata", name+"."+lang+".html")
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(string(want), got); d != "" {
					t.Errorf("the page has changed (-want +got):\n%s", d)
				}
			})
		}
	}
}
