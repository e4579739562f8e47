package disclosure_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"muster/internal/disclosure"
)

const spec = "../../docs/spec/release.md"

// TestSpecNamesEveryField holds docs/spec/release.md to the file as it is.
func TestSpecNamesEveryField(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t, 31, 7)
	copy(cfg.Totals.Cells, []uint64{0, 0, 29, 0, 1, 1, 0}) // so that something is not shown
	r, err := disclosure.NewRelease(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(canonical(t, r), &doc); err != nil {
		t.Fatal(err)
	}
	fields := make(map[string]bool)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				fields[key] = true
				walk(value)
			}
		case []any:
			for _, value := range v {
				walk(value)
			}
		}
	}
	walk(doc)
	for _, lang := range append(r.Framework.Languages, "en") {
		delete(fields, lang) // the keys of texts
	}
	for field := range fields {
		if !strings.Contains(string(text), "`"+field+"`") && !strings.Contains(string(text), `"`+field+`"`) {
			t.Errorf("%s does not name %s", spec, field)
		}
	}
	for _, fixed := range []string{disclosure.ReleaseKind, disclosure.RuleFirst, disclosure.TooFew} {
		if !strings.Contains(string(text), "`"+fixed+"`") {
			t.Errorf("%s does not say %q", spec, fixed)
		}
	}
}

// TestSpecExamples runs the table of examples in docs/spec/release.md.
func TestSpecExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(spec)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| counts of")
	units := []string{"none", "0", "1", "2", "3", "4"}
	run := 0
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		var counts []uint64
		for _, cell := range strings.Split(cells[1], ",") {
			n, err := strconv.ParseUint(strings.TrimSpace(cell), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			counts = append(counts, n)
		}
		var bands []string
		start := 0
		for _, end := range disclosure.Merge(counts, 3) {
			band := units[start]
			if end-start > 1 {
				band += "-" + units[end-1]
			}
			bands = append(bands, band)
			start = end
		}
		if got, want := strings.Join(bands, " · "), strings.TrimSpace(cells[2]); got != want {
			t.Errorf("%v: %s, the document says %s", counts, got, want)
		}
		run++
	}
	if run < 6 {
		t.Errorf("only %d examples were found", run)
	}
}
