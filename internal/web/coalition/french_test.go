package coalition_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wholeNumber is a number as either language writes it.
var wholeNumber = regexp.MustCompile(`[0-9]+(?:[,\x{202f}][0-9]{3})*`)

// A French page says the numbers that the English one says, each as often: two
// numbers in each other's place would be seen in the golden pages, one left out
// or put in is seen here.
func TestFrenchSaysTheSameNumbers(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"three-cycles", "first-cycle", "joined", "few", "many"} {
		w := open(t, name)
		french := w.Paths("fr")
		for i, p := range w.Paths("en") {
			if p.Name == "nothing there" {
				continue
			}
			t.Run(name+p.Path, func(t *testing.T) {
				t.Parallel()
				en, fr := w.numbersOf(t, p.Path), w.numbersOf(t, french[i].Path)
				if len(en) < 10 {
					t.Fatalf("only %d numbers", len(en))
				}
				if diff := cmp.Diff(en, fr); diff != "" {
					t.Errorf("numbers: -English +French\n%s", diff)
				}
			})
		}
	}
}

// numbersOf returns every number in a page's text, sorted.
func (w *world) numbersOf(t *testing.T, path string) []string {
	t.Helper()
	list := wholeNumber.FindAllString(readPage(t, w.get(t, path, http.StatusOK)).text, -1)
	for i, n := range list {
		list[i] = strings.NewReplacer(",", "", "\u202f", "").Replace(n)
	}
	slices.Sort(list)
	return list
}
