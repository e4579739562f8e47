package coalition_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Every answer that the coalition gives of itself stands on its page, with what
// its level means here.
func TestItselfSaysWhatTheCoalitionSays(t *testing.T) {
	t.Parallel()
	w := open(t, "three-cycles")
	place := func(n int, none string) string {
		if n < 0 {
			return none
		}
		return strconv.Itoa(n)
	}
	grades := map[string]string{"": "no evidence given", "E0": "E0 our word", "E1": "E1 a document", "E2": "E2 our own test", "E3": "E3 someone else's check"}
	pages := 0
	for _, c := range w.Config.Itself {
		pages++
		p := readPage(t, w.get(t, "/en/allies/"+c.Cycle+"/itself/"+c.Pack+"/", http.StatusOK))
		rows := make(map[string]row)
		for _, r := range p.tables[0].rows {
			rows[r.name] = r
		}
		for _, a := range c.Areas {
			for _, o := range a.Outcomes {
				name := o.ID + " " + o.Title.In["en"]
				level := strings.TrimSpace(place(o.Level, "no level given") + " " + o.Says.In["en"])
				want := []string{level, place(o.Verified, "not verified"), place(o.Target, "no target"), grades[o.Evidence]}
				if o.Level >= 0 && o.Says.In["en"] == "" {
					t.Errorf("%s, %s: nothing says what level %d means", c.Cycle, name, o.Level)
				}
				r, ok := rows[name]
				if !ok || len(r.cells) != 1+len(want) {
					t.Errorf("%s: %s has the row %v", c.Cycle, name, r)
					continue
				}
				for i, text := range want {
					if got := strings.Join(strings.Fields(r.cells[1+i].text), " "); got != strings.Join(strings.Fields(text), " ") {
						t.Errorf("%s, %s: the page says %q, want %q", c.Cycle, name, got, text)
					}
				}
			}
		}
	}
	if pages != 3 {
		t.Errorf("the coalition assessed itself %d times, want 3", pages)
	}
}
